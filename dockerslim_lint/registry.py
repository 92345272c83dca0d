"""Which rules there are."""

from __future__ import annotations

from functools import cache

from dockerslim_lint_rules.bad_instruction import BadInstruction
from dockerslim_lint_rules.built_twice import BuiltTwice
from dockerslim_lint_rules.context_not_ignored import ContextNotIgnored
from dockerslim_lint_rules.crt_static import CrtStatic
from dockerslim_lint_rules.custom_frontend import CustomFrontend
from dockerslim_lint_rules.debug_build_shipped import DebugBuildShipped
from dockerslim_lint_rules.dependencies_rebuilt import DependenciesRebuilt
from dockerslim_lint_rules.emulated_build import EmulatedBuild
from dockerslim_lint_rules.ended_base import EndedBase
from dockerslim_lint_rules.glibc_too_old import GlibcTooOld
from dockerslim_lint_rules.gnu_on_fat_base import GnuOnFatBase
from dockerslim_lint_rules.gnu_without_glibc import GnuWithoutGlibc
from dockerslim_lint_rules.leftovers import Leftovers
from dockerslim_lint_rules.lost_in_cache_mount import LostInCacheMount
from dockerslim_lint_rules.missing_entrypoint import MissingEntrypoint
from dockerslim_lint_rules.missing_library import MissingLibrary
from dockerslim_lint_rules.missing_tool import MissingTool
from dockerslim_lint_rules.musl_allocator import MuslAllocator
from dockerslim_lint_rules.musl_gcc_linker import MuslGccLinker
from dockerslim_lint_rules.musl_on_fat_base import MuslOnFatBase
from dockerslim_lint_rules.no_certificates import NoCertificates
from dockerslim_lint_rules.no_time_zones import NoTimeZones
from dockerslim_lint_rules.not_locked import NotLocked
from dockerslim_lint_rules.not_stripped import NotStripped
from dockerslim_lint_rules.root_user import RootUser
from dockerslim_lint_rules.shared_cache_mount import SharedCacheMount
from dockerslim_lint_rules.shell_form_without_shell import ShellFormWithoutShell
from dockerslim_lint_rules.size_left_in_profile import SizeLeftInProfile
from dockerslim_lint_rules.stale_placeholder import StalePlaceholder
from dockerslim_lint_rules.target_directory_shipped import TargetDirectoryShipped
from dockerslim_lint_rules.target_not_installed import TargetNotInstalled
from dockerslim_lint_rules.toolchain_shipped import ToolchainShipped
from dockerslim_lint_rules.uname_target import UnameTarget
from dockerslim_lint_rules.unknown_name import UnknownName
from dockerslim_lint_rules.unknown_user import UnknownUser
from dockerslim_lint_rules.unparsable import Unparsable
from dockerslim_lint_rules.unpinned_base import UnpinnedBase
from dockerslim_lint_rules.unpinned_toolchain import UnpinnedToolchain

from dockerslim_lint.rule import Rule

DOCS_URL = "https://github.com/dockerslim/dockerslim-lint/blob/main/docs/rules"

BUILT_IN: tuple[type[Rule], ...] = (
    GnuOnFatBase,
    GnuWithoutGlibc,
    GlibcTooOld,
    MuslOnFatBase,
    TargetNotInstalled,
    UnameTarget,
    MuslGccLinker,
    CrtStatic,
    NotStripped,
    ToolchainShipped,
    MissingEntrypoint,
    ShellFormWithoutShell,
    UnknownUser,
    MissingTool,
    NoCertificates,
    NoTimeZones,
    NotLocked,
    UnpinnedToolchain,
    UnpinnedBase,
    RootUser,
    MissingLibrary,
    MuslAllocator,
    StalePlaceholder,
    LostInCacheMount,
    DependenciesRebuilt,
    BuiltTwice,
    TargetDirectoryShipped,
    DebugBuildShipped,
    Leftovers,
    EndedBase,
    ContextNotIgnored,
    SharedCacheMount,
    EmulatedBuild,
    SizeLeftInProfile,
    Unparsable,
    BadInstruction,
    CustomFrontend,
    UnknownName,
)


DEFAULT = "default"
"""In `select`: the rules that are on by default."""


class DuplicateRuleError(Exception):
    """Two rules have the same code or name."""


@cache
def rules() -> tuple[Rule, ...]:
    """All rules, in the order of their codes. Raises DuplicateRuleError."""
    found = tuple(sorted((rule() for rule in BUILT_IN), key=lambda rule: rule.CODE))
    names = [name for rule in found for name in (rule.CODE, rule.NAME)]
    if len(set(names)) != len(names):
        raise DuplicateRuleError(f"two rules share a code or name: {', '.join(sorted(names))}")
    return found


def resolve(name: str) -> Rule | None:
    """The rule of that code or name, in any case; None if there is none."""
    wanted = name.strip().lower()
    return next((rule for rule in rules() if wanted in (rule.CODE.lower(), rule.NAME)), None)


@cache
def chosen(select: tuple[str, ...], ignore: tuple[str, ...]) -> tuple[Rule, ...]:
    """The rules that run. Names and codes in any case; an empty `select` is the rules that are on by default."""
    wanted = {name.strip().lower() for name in select} or {DEFAULT}
    unwanted = {name.strip().lower() for name in ignore}
    found = []
    for rule in rules():
        names = {rule.CODE.lower(), rule.NAME}
        if (names & wanted or (rule.ON_BY_DEFAULT and DEFAULT in wanted)) and not names & unwanted:
            found.append(rule)
    return tuple(found)


def url(code: str) -> str:
    """The address of a rule's page."""
    return f"{DOCS_URL}/{code}.md"

"""Which rules there are."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache

from dockerslim_lint_rules.context_not_ignored import ContextNotIgnored
from dockerslim_lint_rules.crt_static import CrtStatic
from dockerslim_lint_rules.debug_build_shipped import DebugBuildShipped
from dockerslim_lint_rules.dependencies_rebuilt import DependenciesRebuilt
from dockerslim_lint_rules.ended_base import EndedBase
from dockerslim_lint_rules.glibc_too_old import GlibcTooOld
from dockerslim_lint_rules.gnu_on_fat_base import GnuOnFatBase
from dockerslim_lint_rules.gnu_without_glibc import GnuWithoutGlibc
from dockerslim_lint_rules.host_target import HostTarget
from dockerslim_lint_rules.leftovers import Leftovers
from dockerslim_lint_rules.missing_entrypoint import MissingEntrypoint
from dockerslim_lint_rules.missing_library import MissingLibrary
from dockerslim_lint_rules.missing_tool import MissingTool
from dockerslim_lint_rules.musl_allocator import MuslAllocator
from dockerslim_lint_rules.musl_gcc_linker import MuslGccLinker
from dockerslim_lint_rules.musl_on_fat_base import MuslOnFatBase
from dockerslim_lint_rules.no_certificates import NoCertificates
from dockerslim_lint_rules.no_libgcc import NoLibgcc
from dockerslim_lint_rules.no_locale import NoLocale
from dockerslim_lint_rules.no_time_zones import NoTimeZones
from dockerslim_lint_rules.not_locked import NotLocked
from dockerslim_lint_rules.not_stripped import NotStripped
from dockerslim_lint_rules.root_user import RootUser
from dockerslim_lint_rules.shell_form_without_shell import ShellFormWithoutShell
from dockerslim_lint_rules.size_left_in_profile import SizeLeftInProfile
from dockerslim_lint_rules.target_directory_shipped import TargetDirectoryShipped
from dockerslim_lint_rules.target_not_installed import TargetNotInstalled
from dockerslim_lint_rules.toolchain_shipped import ToolchainShipped
from dockerslim_lint_rules.uname_target import UnameTarget
from dockerslim_lint_rules.unknown_name import UnknownName
from dockerslim_lint_rules.unknown_user import UnknownUser
from dockerslim_lint_rules.unpinned_toolchain import UnpinnedToolchain

from dockerslim_lint.rule import ImageBuild, Rule

DOCS_URL = "https://github.com/dockerslim/dockerslim-lint/blob/main/docs/rules"

COMMON: tuple[type[Rule], ...] = (
    GnuOnFatBase,
    GnuWithoutGlibc,
    GlibcTooOld,
    MuslOnFatBase,
    TargetNotInstalled,
    UnameTarget,
    HostTarget,
    MuslGccLinker,
    CrtStatic,
    NotStripped,
    ToolchainShipped,
    MissingEntrypoint,
    ShellFormWithoutShell,
    NoLocale,
    UnknownUser,
    MissingTool,
    NoCertificates,
    NoTimeZones,
    NotLocked,
    UnpinnedToolchain,
    RootUser,
    MissingLibrary,
    NoLibgcc,
    MuslAllocator,
    DependenciesRebuilt,
    TargetDirectoryShipped,
    DebugBuildShipped,
    Leftovers,
    EndedBase,
    ContextNotIgnored,
    SizeLeftInProfile,
    UnknownName,
)
"""The rules that are asked of every file."""

RARE: dict[str, tuple[str, ...]] = {
    "problems": (
        "bad_instruction:BadInstruction",
        "custom_frontend:CustomFrontend",
        "unparsable:Unparsable",
    ),
    "cargo_at_start": ("compiles_at_start:CompilesAtStart",),
    "misquoted": ("exec_form_without_json:ExecFormWithoutJson",),
    "lost": ("lost_in_cache_mount:LostInCacheMount",),
    "absent": ("missing_artifact:MissingArtifact",),
    "refused": ("refused_call:RefusedCall", "missing_lock:MissingLock"),
    "gone_variables": ("unreplaced_variable:UnreplacedVariable",),
    "stale": ("stale_placeholder:StalePlaceholder",),
    "platforms": (
        "shared_cache_mount:SharedCacheMount",
        "emulated_build:EmulatedBuild",
    ),
    "names_platforms": ("foreign_target:ForeignTarget",),
    "warmups": ("built_twice:BuiltTwice",),
    "mounts": ("cold_cache_mount:ColdCacheMount",),
    "login_shells": ("login_shell:LoginShellHidesToolchain",),
    "unfound": ("package_not_there:PackageNotThere",),
}
"""Rules that speak of one fact alone, by its name in `ImageBuild`: each is loaded where a file has that."""

ON_REQUEST = ("unpinned_base:UnpinnedBase",)
"""Rules that are off by default."""


@cache
def built_in() -> tuple[type[Rule], ...]:
    """All rules of our own."""
    rare = (place for places in RARE.values() for place in places)
    return (*COMMON, *map(_load, (*rare, *ON_REQUEST)))


def _load(place: str) -> type[Rule]:
    from importlib import import_module

    module, name = place.split(":")
    found: type[Rule] = getattr(import_module(f"dockerslim_lint_rules.{module}"), name)
    return found


DEFAULT = "default"
"""In `select`: the rules that are on by default."""


PACKS = "dockerslim_lint.rules"
"""The group of entry points under which other packages offer rules."""


class RulePackError(ValueError):
    """A rule pack that cannot be used; one line."""


@cache
def rules(packs: tuple[str, ...] = ()) -> tuple[Rule, ...]:
    """All rules, the built-in ones and those of `packs`, in the order of their codes. Raises RulePackError."""
    own = tuple(rule() for rule in built_in())
    found = sorted((*own, *(rule for pack in packs for rule in _pack(pack))), key=lambda rule: rule.CODE)
    names = [name for rule in found for name in (rule.CODE, rule.NAME)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise RulePackError(f"two rules share a code or name: {', '.join(twice)}")
    return tuple(found)


def _pack(name: str) -> tuple[Rule, ...]:
    """The rules of one pack: what its entry point leads to is a sequence of subclasses of `Rule`."""
    from importlib.metadata import entry_points

    there = {point.name: point for point in entry_points(group=PACKS)}
    if name not in there:
        listed = f"installed are {', '.join(sorted(there))}" if there else "none is installed"
        raise RulePackError(f'no rule pack "{name}" is installed ({listed})')
    try:
        loaded = tuple(there[name].load())
    except Exception as error:  # noqa: BLE001 - somebody else's code
        raise RulePackError(f'the rule pack "{name}" cannot be loaded: {type(error).__name__}: {error}') from None
    if not loaded or not all(isinstance(one, type) and issubclass(one, Rule) for one in loaded):
        raise RulePackError(f'the rule pack "{name}" is no sequence of rules ({there[name].value})')
    return tuple(rule() for rule in loaded)


def resolve(name: str, packs: tuple[str, ...] = ()) -> Rule | None:
    """The rule of that code or name, in any case; None if there is none."""
    wanted = name.strip().lower()
    return next((rule for rule in rules(packs) if wanted in (rule.CODE.lower(), rule.NAME)), None)


@cache
def chosen(select: tuple[str, ...], ignore: tuple[str, ...], packs: tuple[str, ...] = ()) -> tuple[Rule, ...]:
    """The rules that run. An empty `select` is the rules that are on by default.

    A rule is called by its code or name, or by what its code begins with (``DSL``, ``DSL1``, ``DSL40``), in any case. What
    is more exact wins: ``DSL1`` without ``DSL103``, or ``DSL103`` although not ``DSL1``; where both are alike it does not run.
    """
    wanted = {name.strip().lower() for name in select} or {DEFAULT}
    unwanted = {name.strip().lower() for name in ignore}
    found = []
    for rule in rules(packs):
        for_it = max(0 if rule.ON_BY_DEFAULT and DEFAULT in wanted else -1, _exactness(rule, wanted))
        if for_it > _exactness(rule, unwanted):
            found.append(rule)
    return tuple(found)


def is_called(name: str, packs: tuple[str, ...] = ()) -> bool:
    """Whether any rule is meant by a name in `select` or `ignore`."""
    return any(_exactness(rule, {name.strip().lower()}) >= 0 for rule in rules(packs))


def _exactness(rule: Rule, names: Collection[str]) -> int:
    """How exactly the best of `names` means a rule: the characters of its code, all for its name; -1 for not at all."""
    code = rule.CODE.lower()
    letters = len(code.rstrip("0123456789"))
    beginnings = (length for length in range(letters, len(code) + 1) if code[:length] in names)
    return len(code) if rule.NAME in names else max(beginnings, default=-1)


def to_run(
    select: tuple[str, ...], ignore: tuple[str, ...], packs: tuple[str, ...], build: ImageBuild
) -> tuple[Rule, ...]:
    """Of the rules that run, those that may have something to say of this file. Raises RulePackError."""
    if select or ignore or packs:
        return chosen(select, ignore, packs)
    return (*_common(), *(rule for fact in RARE if getattr(build, fact) for rule in _rare(fact)))


@cache
def _common() -> tuple[Rule, ...]:
    return tuple(rule() for rule in COMMON)


@cache
def _rare(fact: str) -> tuple[Rule, ...]:
    return tuple(_load(place)() for place in RARE[fact])


def url(code: str, own: str = "") -> str:
    """The address of a rule's page: `own` is the one that the rule names itself."""
    return own or f"{DOCS_URL}/{code}.md"

"""What is known of the crate that a cargo call builds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dockerslim_lint.facts.crate.config import CargoConfig, ToolchainFile
from dockerslim_lint.record import Record

if TYPE_CHECKING:
    from dockerslim_lint.facts.crate.called import CalledProgram
    from dockerslim_lint.facts.crate.linked import Linkage
    from dockerslim_lint.facts.crate.lock import Locked
    from dockerslim_lint.facts.crate.reach import Reach
    from dockerslim_lint.facts.crate.sources import Sources

BUILT_IN_PARENTS = {"test": "dev", "bench": "release"}
"""Cargo book, "Profiles": what the built-in profiles inherit from."""


class Asked(Record):
    """What a cargo call says of features. `exact` is False where a variable may say more; `awaits`: that is only a build argument
    which is empty by default; `examples`: it makes some, which link dev-dependencies too."""

    features: tuple[str, ...] = ()
    default: bool = True
    everything: bool = False
    exact: bool = True
    examples: bool = False
    awaits: bool = False


def asked_by(names: tuple[str, ...], exact: bool = True, examples: bool = False, awaits: bool = False) -> Asked:
    """What ``--features`` and its relatives ask for, as `CargoCall` has it, sorted by what it does."""
    plain = tuple(name for name in names if not name.startswith("--"))
    return Asked(plain, "--no-default-features" not in names, "--all-features" in names, exact, examples, awaits)


class Crate:
    """A package or workspace, as one cargo call builds it; read-only.

    `directory` is its place in the context ("" is the root), `root` that of its workspace. `binaries` are empty where nothing is known, `conditional` those of them that only some features make. `rust_version` is the
    oldest Rust that all that the call compiles builds with, `edition` the newest of its packages, "" if the manifest does not say. `shared_library`: a package makes one beside its programs; `only_shared` are those whose library is nothing else. `makers`
    are the packages that have the programs of the call. The lock is read when first asked for, since that is the slow part: `locked` and `packages` are None where there is no lock that can be read.
    """

    def __init__(
        self,
        directory: str,
        root: str,
        binaries: tuple[str, ...],
        default_binary: str,
        profiles: Mapping[str, Any],
        config: CargoConfig,
        toolchain: ToolchainFile,
        read_lock: Callable[[], Mapping[str, Locked] | None],
        read_linkage: Callable[[], Linkage | None],
        rust_version: str = "",
        shared_library: bool = False,
        conditional: frozenset[str] = frozenset(),
        read_own: Callable[[], Mapping[str, str]] = dict,
        makers: tuple[str, ...] = (),
        read_sources: Callable[[tuple[str, ...]], Sources | None] = lambda names: None,
        read_unmade: Callable[[], Mapping[str, str]] = dict,
        edition: str = "",
        read_lock_version: Callable[[], str] = str,
        read_examples: Callable[[], tuple[str, ...]] = tuple,
        read_switches: Callable[[Asked], frozenset[tuple[str, ...]] | None] = lambda asked: None,
        read_named: Callable[[], Mapping[str, tuple[str, ...]]] = dict,
        read_linkages: Callable[[str], Iterable[Linkage | None]] = lambda program: (),
        one_of: bool = False,
        only_shared: tuple[str, ...] = (),
        read_members: Callable[[], Mapping[str, tuple[str, ...]]] = dict,
        read_lacking: Callable[[], Mapping[str, tuple[str, ...]]] = dict,
    ) -> None:
        self.directory = directory
        self.root = root
        self.binaries = binaries
        self.default_binary = default_binary
        self.profiles = profiles
        self.config = config
        self.toolchain = toolchain
        self.rust_version = rust_version
        self.shared_library = shared_library
        self.only_shared = only_shared
        self.conditional = conditional
        self._read_lock = read_lock
        self._read_linkage = read_linkage
        self._read_own = read_own
        self._read_named = read_named
        self._read_linkages = read_linkages
        self._linkages: dict[str, tuple[Linkage | None, ...]] = {}
        self._one_of = one_of
        self.makers = makers
        self._read_sources = read_sources
        self._sources: dict[tuple[str, ...], Sources | None] = {}
        self._called: dict[tuple[str, ...], tuple[CalledProgram, ...]] = {}
        self._read_unmade = read_unmade
        self.edition = edition
        self._read_lock_version = read_lock_version
        self._read_examples = read_examples
        self._read_switches = read_switches
        self._read_members = read_members
        self._read_lacking = read_lacking

    @cached_property
    def locked(self) -> Mapping[str, Locked] | None:
        """All locked packages by name."""
        return self._read_lock()

    @property
    def packages(self) -> tuple[str, ...] | None:
        """Names of all locked packages, sorted."""
        return tuple(self.locked) if self.locked is not None else None

    @cached_property
    def linkage(self) -> Linkage | None:
        """What its programs link with the features of the call; None where that cannot be followed."""
        return self._read_linkage()

    def links(self, program: str, name: str) -> Reach:
        """Whether the program of this name (it may be a pattern) links a locked package, whichever package of the call makes it."""
        from dockerslim_lint.facts.crate.reach import Reach

        reach = self.linkage.reaches(name) if self.linkage is not None else Reach.MAYBE
        for one in self._linkages_of(program) if reach else ():
            reach = min(reach, one.reaches(name) if one is not None else Reach.MAYBE)
        return reach

    def surely_links(self, program: str, name: str) -> bool:
        """Whether it does so for sure."""
        from dockerslim_lint.facts.crate.reach import Reach

        return self.links(program, name) is Reach.YES

    def may_link(self, program: str, name: str) -> bool:
        """Whether the program of this name (it may be a pattern) may link a locked package."""
        if self.linkage is None or self._one_of or not self.linkage.reaches(name):
            return self.linkage is None or bool(self.linkage.reaches(name))
        apart = self._linkages_of(program)
        return not apart or any(one is None or one.reaches(name) for one in apart)

    def _linkages_of(self, program: str) -> tuple[Linkage | None, ...]:
        """What a program links, for each package that may make it; () where the call has but one."""
        if program not in self._linkages:
            self._linkages[program] = tuple(self._read_linkages(program))
        return self._linkages[program]

    def starts_toolchain(self, names: tuple[str, ...]) -> str:
        """What in the sources of these programs starts cargo, rustc or a C compiler; "" where nothing does. Reads them all."""
        from dockerslim_lint.facts.crate.starts import starts_toolchain

        sources = self._sources_of(names)
        return starts_toolchain(sources, self.linked) if sources is not None else ""

    def called_programs(self, names: tuple[str, ...]) -> tuple[CalledProgram, ...]:
        """What the sources of these programs start, as `called.called_programs`. Reads them all."""
        if names not in self._called:
            self._called[names] = tuple(self._read_called(names))
        return self._called[names]

    def _read_called(self, names: tuple[str, ...]) -> Iterable[CalledProgram]:
        sources = self._sources_of(names)
        if sources is None or not sources.mention(b"Command::new", b"cmd!"):
            return ()
        from dockerslim_lint.facts.crate.called import called_programs

        return called_programs(sources)

    def asks_for_backtraces(self, names: tuple[str, ...]) -> bool:
        """Whether the sources of these programs do so by themselves. Reads them all."""
        from dockerslim_lint.facts.crate.backtraces import asks_for_backtraces

        sources = self._sources_of(names)
        return sources is not None and asks_for_backtraces(sources)

    def _sources_of(self, names: tuple[str, ...]) -> Sources | None:
        if names not in self._sources:
            self._sources[names] = self._read_sources(names)
        return self._sources[names]

    def same_dependencies(self, first: tuple[str, ...], second: tuple[str, ...]) -> bool:
        """Whether two calls that differ in these features alone surely build the same dependencies with the same features."""
        switches = self._read_switches(asked_by(first))
        return switches is not None and switches == self._read_switches(asked_by(second))

    @cached_property
    def own(self) -> Mapping[str, str]:
        """Those of the workspace's own packages that by their names or dependencies may compile or link C, each with what says
        so in its manifest or sources; "" where nothing there does."""
        return self._read_own()

    @cached_property
    def named(self) -> Mapping[str, tuple[str, ...]]:
        """What the manifests of the workspace ask a registry for, optional and dev-dependencies left out, and what that surely brings,
        each with the features that are asked for: all that is known of its crates where there is no lock."""
        return self._read_named()

    @cached_property
    def examples(self) -> tuple[str, ...]:
        """The examples of the packages of the call."""
        return self._read_examples()

    @cached_property
    def lock_version(self) -> str:
        """What the lock says of its own format; "" where there is none, or one of before it said so."""
        return self._read_lock_version()

    @cached_property
    def members(self) -> Mapping[str, tuple[str, ...]]:
        """The entries of ``[workspace] members`` that the context has packages for, with their directories there."""
        return self._read_members()

    @cached_property
    def lacking(self) -> Mapping[str, tuple[str, ...]]:
        """The features that the call asks for by their names alone and that surely none of its packages has, with these packages."""
        return self._read_lacking()

    @cached_property
    def unmade(self) -> Mapping[str, str]:
        """Programs of the workspace that the call surely does not make, each with what keeps it from that."""
        return self._read_unmade()

    @property
    def linked(self) -> tuple[str, ...] | None:
        """Names of the locked packages that its programs may link, sorted; None where that cannot be followed."""
        return tuple(sorted(self.linkage.brought)) if self.linkage is not None else None

    @cached_property
    def symbol_users(self) -> tuple[str, ...]:
        """What the manifests themselves ask for and that reads the program's symbols when it runs, sorted; () where that is not known."""
        from dockerslim_lint.catalog import symbols

        own = self.linkage.own if self.linkage is not None else ()
        return tuple(sorted({entry.package for entry in own if symbols.why_wanted(entry.package, entry.features)}))

    @cached_property
    def compiles_c(self) -> bool | None:
        """Whether what the call builds may compile or link C, which crossing needs more for; None where there is no lock.

        Where it cannot be followed what the call links, every locked package counts.
        """
        if self.packages is None:
            return None
        from dockerslim_lint.catalog import natives

        if self.linkage is None:
            return any(self.is_plain(name) is False or name in natives.tools() for name in self.packages)
        if natives.tools() & self.linkage.scripts:
            return True
        return any(
            plain is False or (plain is None and bool(natives.tools() & brought))
            for name, brought in self.linkage.possible.items()
            for plain in (self.is_plain(name),)
        )

    def is_plain(self, name: str) -> bool | None:
        """Whether a locked package compiles and links nothing but Rust for Linux; None where nothing tells."""
        from dockerslim_lint.catalog import natives

        plain = natives.is_plain(name)
        return True if plain is False and natives.lookup(name) is None and self.own.get(name) == "" else plain

    def profile(self, name: str, package: str = "") -> dict[str, Any]:
        """The settings of a profile, its ``inherits`` followed; of a `package` only those that its own tables there set."""
        settings: dict[str, Any] = {}
        for one in self.lineage(name):
            table = self.own_settings(one)
            settings = {**(of_package(table, package) if package else table), **settings}
        return settings

    def lineage(self, name: str) -> tuple[str, ...]:
        """A profile and those from which it inherits, the nearest first."""
        seen: dict[str, None] = {}
        current: Any = name
        while isinstance(current, str) and current not in seen:
            seen[current] = None
            current = self.own_settings(current).get("inherits", BUILT_IN_PARENTS.get(current))
        return tuple(seen)

    def own_settings(self, name: str) -> Mapping[str, Any]:
        """What a profile sets itself."""
        table = self.profiles.get(name)
        return table if isinstance(table, Mapping) else {}


def of_package(profile: Mapping[str, Any], package: str) -> dict[str, Any]:
    """What a profile's ``[….package.NAME]`` sets for a package; NAME may have a version behind it, or an address before it.

    Source: cargo book, "Profiles", "Overrides": they come before the profile's own settings, and ``"*"`` is for dependencies alone.
    """
    tables = profile.get("package")
    found: dict[str, Any] = {}
    for name, table in tables.items() if isinstance(tables, Mapping) else ():
        if isinstance(table, Mapping) and name.rpartition("#")[2].replace(":", "@").partition("@")[0] == package:
            found.update(table)
    return found

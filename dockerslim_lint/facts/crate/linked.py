"""Which packages of Cargo.lock a crate's programs link, with the features that a call asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set

from dockerslim_lint.catalog import features as catalog
from dockerslim_lint.catalog import natives
from dockerslim_lint.facts.crate.features import EVERY, Switched, Table, switched
from dockerslim_lint.facts.crate.lock import Node
from dockerslim_lint.facts.crate.members import NORMAL, OLD_RESOLVER, SCRIPT, Dependency, Member, Members
from dockerslim_lint.facts.crate.model import Asked
from dockerslim_lint.facts.crate.reach import Reach
from dockerslim_lint.record import Record

Graph = Mapping[str, Node]
Steps = Mapping[str, Set[str]]

NOTHING = Switched(frozenset(), {}, {}, frozenset())
"""What features switch on in a crate of which nothing is known"""


class Direct(Record):
    """A dependency in the manifest of the one package that a call builds: `key` is its name there.

    `brings` is all that the lock has behind it where another version of the package is locked too; None where there is no other.
    """

    key: str
    package: str
    version: str
    reach: Reach
    brings: frozenset[str] | None = None


class Linkage(Record):
    """What the programs of a call link. `sure` and `possible` lead from each linked package to those that it links in turn.

    YES means: every step there is switched on. Steps between registry crates are known from the catalogue, or from the lock
    where nothing that the call leaves out leads to the crate, so that all of its locked dependencies are there because of
    this call; one that only its build script needs is then taken for linked, unless the catalogue knows better.
    `scripts` are what the build scripts of the local packages among them may use, through whatever other package. `own` are
    the entries of the local packages' manifests that are switched on for sure.
    """

    sure: Steps
    possible: Steps
    direct: tuple[Direct, ...]
    scripts: frozenset[str]
    own: tuple[Dependency, ...] = ()

    @property
    def brought(self) -> frozenset[str]:
        """The packages that the programs may link, without their own."""
        return frozenset(name for names in self.possible.values() for name in names if name in self.possible)

    def reaches(self, name: str) -> Reach:
        """Whether a package is in the programs."""
        return Reach.YES if name in self.sure else Reach.MAYBE if name in self.possible else Reach.NO

    def leads(self, first: str, wanted: str) -> Reach:
        """Whether the linked package `first` brings `wanted`, by itself or through others."""
        if _leads(self.sure, first, wanted):
            return Reach.YES
        return Reach.MAYBE if _leads(self.possible, first, wanted) else Reach.NO

    def depends(self, direct: Direct, wanted: str) -> Reach:
        """As `leads`, for this version of the package."""
        there = direct.brings is None or wanted in direct.brings
        return self.leads(direct.package, wanted) if there else Reach.NO


def read_linkage(
    graph: Graph, members: Members, directories: tuple[str, ...], asked: Asked, of: tuple[str, ...] = ()
) -> Linkage:
    """What the packages in `directories`, built together, link into the programs of those of them that `of` names ("": all).

    dev-dependencies, and what only build scripts and macros need, are left out.
    """
    graph = {**graph, **_unlocked(graph, members)}
    possible = _Walk(graph, members, asked, sure=False)
    possible.start(directories)
    sure = _Walk(graph, members, asked, sure=True)
    sure.start(directories)
    settled = _Walk(graph, members, asked, sure=True, unsettled=_left_out(graph, members, sure))
    settled.start(directories)
    first = [member.name for directory in of or directories if (member := members.get(directory)) is not None]
    direct = tuple(_direct(graph, members, directories, possible, settled))
    may, must = possible.steps, settled.steps
    for name, new in settled.unlocked.items():
        may.setdefault(name, set()).update(new)
        must[name] |= new
    both = {name: names & may.get(name, set()) for name, names in must.items()}
    linked = _from(may, first)
    used = [key for name, keys in possible.scripts.items() if name in linked for key in keys]
    # what is known to compile no C for Linux brings none, whatever it depends on elsewhere
    scripts = _reached({key: node for key, node in graph.items() if not natives.is_plain(node.name)}, used)
    return Linkage(
        _from(both, first),
        linked,
        direct,
        frozenset(graph[key].name for key in scripts),
        tuple(entry for _, entry in settled.used),
    )


class _Walk:
    """One walk from the programs through what is switched on: all of it for sure, or all that may be."""

    def __init__(
        self, graph: Graph, members: Members, asked: Asked, *, sure: bool, unsettled: frozenset[str] | None = None
    ) -> None:
        self._graph = graph
        self._members = members
        self._asked = asked
        self._sure = sure
        # without it nothing that only the lock knows is sure
        self._unsettled = frozenset(graph) if unsettled is None else unsettled
        self._by_name: dict[str, list[str]] = {}
        for key, node in graph.items():
            self._by_name.setdefault(node.name, []).append(key)
        local = [(self.key_of(member), member) for member in members.all]
        self._local = {key: member for key, member in local if key is not None}
        self._wanted: dict[str, set[str]] = {}
        self.steps: dict[str, set[str]] = {}
        """Linked packages by name, each with those that it brings"""
        self.unlocked: dict[str, frozenset[str]] = {}
        self._waiting: list[str] = []
        self.scripts: dict[str, set[str]] = {}
        """What the build scripts of local packages use: keys of the graph, by the package's name"""
        self.used: set[tuple[str, Dependency]] = set()
        self.words: dict[str, frozenset[str]] = {}

    def start(self, directories: Iterable[str]) -> None:
        """Follows everything from the packages in these directories."""
        for directory in directories:
            member = self._members.get(directory)
            key = self.key_of(member) if member is not None else None
            if member is not None and key is not None:
                self._reach(key, asked_of(member, self._asked, self._sure))
        while self._waiting:
            key = self._waiting.pop()
            if key in self._local:
                self._follow_member(key, self._local[key])
            else:
                self._follow_locked(key, self._graph[key])

    def key_of(self, member: Member) -> str | None:
        """A local package's key in the lock."""
        local = [key for key in self._by_name.get(member.name, ()) if self._graph[key].local]
        return next((key for key in local if self._graph[key].version == member.version), local[0] if local else None)

    def targets(self, key: str, dependency: Dependency) -> list[str]:
        """The locked packages that an entry of a manifest stands for: several where it is there in several versions.

        A manifest that is newer than the lock has entries that the lock does not list there.
        """
        listed = [one for one in self._graph[key].dependencies if self._graph[one].name == dependency.package]
        return listed or self.named(dependency.package)

    def named(self, package: str) -> list[str]:
        """The keys of all locked versions of a package."""
        return self._by_name.get(package, [])

    def _reach(self, key: str, wanted: Iterable[str]) -> None:
        known = self._wanted.setdefault(key, set())
        new = set(wanted) - known
        name = self._graph[key].name
        if new or name not in self.steps or key not in self.words:
            known |= new
            self.steps.setdefault(name, set())
            self.words.setdefault(key, frozenset())
            self._waiting.append(key)

    def _step(self, key: str, to: str, wanted: Iterable[str]) -> None:
        self.steps[self._graph[key].name].add(self._graph[to].name)
        self._reach(to, wanted)

    def _ask(self, key: str, wanted: Iterable[str]) -> None:
        """Features alone: whoever reaches the package has them too."""
        new = set(wanted) - self._wanted.setdefault(key, set())
        self._wanted[key] |= new
        if new and key in self.words:
            self._waiting.append(key)

    def _follow_member(self, key: str, member: Member) -> None:
        if member.macro:
            return
        on = switched(member.table, self._wanted[key])
        self.words[key] = on.words
        for dependency in member.dependencies:
            if dependency.optional and dependency.key not in on.optional:
                continue
            wanted = {*dependency.features, *on.of(dependency.key)}
            if dependency.default:
                wanted.add("default")
            if dependency.kind == SCRIPT:
                self.scripts.setdefault(member.name, set()).update(self.targets(key, dependency))
            linked = dependency.kind == NORMAL and dependency.applies >= (Reach.YES if self._sure else Reach.MAYBE)
            for to in self.targets(key, dependency):
                if linked:
                    self.used.add((member.directory, dependency))
                    self._step(key, to, wanted)
                elif not self._sure and self._members.resolver == OLD_RESOLVER:
                    self._ask(to, wanted)

    def _settled(self, key: str) -> bool:
        return self._sure and key not in self._unsettled

    def _follow_locked(self, key: str, node: Node) -> None:
        native = natives.lookup(node.name)
        if node.name in natives.macros() or (native is not None and native.build_only):
            return
        known = catalog.lookup(node.name, node.version)
        on = _switched(known, self._wanted[key])
        self.words[key] = on.words
        there = {self._graph[to].name for to in node.dependencies}
        for to in node.dependencies:
            name = self._graph[to].name
            if known is not None and name in known.build:
                continue
            if known is None or name not in known.dependencies:
                if not self._sure or key not in self._unsettled:
                    self._step(key, to, () if self._sure else (EVERY,))
            elif name not in known.optional or name in on.optional or (self._settled(key) and name not in known.weak):
                any_of = (EVERY,) if EVERY in self._wanted[key] else ()
                self._step(key, to, {*known.dependencies[name], *on.of(name), *any_of})
        if self._sure and known is not None:
            # a feature on the call can bring what the lock does not hold yet
            self.unlocked[node.name] = on.optional & known.optional - there


def _switched(known: catalog.KnownCrate | None, wanted: set[str]) -> Switched:
    return switched(Table(known.features, known.optional), wanted) if known is not None else NOTHING


def asked_of(member: Member, asked: Asked, sure: bool) -> set[str]:
    """The features of a package that a call asks for; of a call that is not known, none or all. What it asks for where nobody
    gives a build argument counts as sure."""
    if not asked.exact and not (sure and asked.awaits):
        return set() if sure else {EVERY, "default"}
    wanted = set(member.table.all()) if asked.everything else set()
    if asked.default:
        wanted.add("default")
    keys = {dependency.key for dependency in member.dependencies}
    for text in asked.features:
        key, slash, feature = text.partition("/")
        if slash and key == member.name:
            wanted.add(feature)
        elif key.rstrip("?") in keys if slash else member.table.names(text):
            wanted.add(text)
    return wanted


def _left_out(graph: Graph, members: Members, sure: _Walk) -> frozenset[str]:
    """The locked packages to which anything leads that the call does not switch on for sure: their features in the lock may
    be those of another call."""
    waiting: list[str] = []
    known: set[str] = set()
    for member in members.all:
        key = sure.key_of(member)
        if key is None:
            continue
        known.add(key)
        words = {word for name, words in member.table.features.items() for word in (name, *words)}
        off = words - sure.words.get(key, frozenset())
        keys = {word.partition("/")[0].removesuffix("?") for word in off if "/" in word}
        for dependency in member.dependencies:
            if (member.directory, dependency) not in sure.used or dependency.key in keys:
                waiting += sure.targets(key, dependency)
    for key, node in graph.items():
        # a local package of which there is no manifest
        if node.local and key not in known:
            waiting += node.dependencies
    return _reached(graph, waiting)


def _reached(graph: Graph, first: Iterable[str]) -> frozenset[str]:
    """Those of these keys that the graph has, and all that they lead to in it."""
    found: set[str] = set()
    waiting = list(first)
    while waiting:
        key = waiting.pop()
        if key not in found and key in graph:
            found.add(key)
            waiting += graph[key].dependencies
    return frozenset(found)


def _direct(
    graph: Graph, members: Members, directories: tuple[str, ...], possible: _Walk, sure: _Walk
) -> Iterable[Direct]:
    """Nothing where a feature of a dependency cannot be named on the call: for several packages, or from a workspace that
    the old resolver reads."""
    if len(directories) != 1 or (members.virtual and members.resolver == OLD_RESOLVER):
        return
    member = members.get(directories[0])
    key = possible.key_of(member) if member is not None else None
    if member is None or key is None:
        return
    for dependency in member.dependencies:
        used = (member.directory, dependency)
        if used in possible.used:
            for to in possible.targets(key, dependency):
                reach = Reach.YES if used in sure.used else Reach.MAYBE
                several = len(possible.named(dependency.package)) > 1
                brings = frozenset(graph[one].name for one in _reached(graph, [to])) if several else None
                yield Direct(dependency.key, dependency.package, graph[to].version, reach, brings)


def _unlocked(graph: Graph, members: Members) -> dict[str, Node]:
    """Packages of the workspace that the lock does not hold yet."""
    local = {node.name for node in graph.values() if node.local}
    return {
        f"{member.name} {member.version}": Node(member.name, member.version, True, ())
        for member in members.all
        if member.name not in local
    }


def _from(steps: Steps, first: Iterable[str]) -> Steps:
    """The part of `steps` that starts at these packages."""
    found: dict[str, Set[str]] = {}
    waiting = list(first)
    while waiting:
        name = waiting.pop()
        if name not in found and name in steps:
            found[name] = steps[name]
            waiting += steps[name]
    return found


def _leads(steps: Steps, first: str, wanted: str) -> bool:
    found = _from(steps, [first])
    return wanted in found or any(wanted in names for names in found.values())

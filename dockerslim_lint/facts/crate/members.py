"""The packages whose manifests are in the context: their dependencies and features, as far as linking is concerned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from functools import cached_property
from typing import Any

from dockerslim_lint.context import BuildContext
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.crate import manifest
from dockerslim_lint.facts.crate.condition import holds
from dockerslim_lint.facts.crate.features import Table
from dockerslim_lint.facts.crate.manifest import BrokenFileError
from dockerslim_lint.facts.crate.reach import Reach
from dockerslim_lint.record import Record

NORMAL = "dependencies"
SCRIPT = "build-dependencies"
KINDS = (NORMAL, "dev-dependencies", SCRIPT)

OLD_RESOLVER = "1"
"""It unifies features over all kinds and platforms (cargo book, "Features", "Feature resolver version 2")."""


class Dependency(Record):
    """One entry of a dependency table. `key` is its name there, `package` that of the package; `directory` is None for one
    that is no path. `applies` says whether its ``[target.X]`` table is for Linux. `requirement` is the version that it asks for, ""
    without one."""

    key: str
    package: str
    kind: str
    optional: bool
    default: bool
    features: tuple[str, ...]
    directory: str | None
    applies: Reach
    requirement: str = ""


class Member(Record):
    """One package with its manifest. `macro` is a procedural macro, which no program links."""

    directory: str
    name: str
    version: str
    macro: bool
    table: Table
    dependencies: tuple[Dependency, ...]


class Members:
    """The packages of the workspace in `root`, read once each, by directory."""

    def __init__(self, context: BuildContext, root: str) -> None:
        self._context = context
        self._root = root
        self._data = self._read(root) or {}
        self._found: dict[str, Member | None] = {}

    @cached_property
    def resolver(self) -> str:
        """``resolver``, or what the root package's edition makes of it; a workspace without a root package has "1" by default."""
        named = manifest.table(self._data, "workspace").get("resolver")
        package = manifest.table(self._data, "package")
        named = named or package.get("resolver")
        if isinstance(named, str):
            return named
        edition = self._inherited(package, "edition")
        return "2" if isinstance(edition, str) and edition >= "2021" else OLD_RESOLVER

    @property
    def virtual(self) -> bool:
        """Whether the root is a workspace without a package of its own."""
        return "package" not in self._data

    @cached_property
    def all(self) -> tuple[Member, ...]:
        """The root package, the workspace's members, and the packages that their paths lead to."""
        waiting = [self._root, *manifest.members(self._context, self._root, self._data, "members")]
        found: dict[str, Member] = {}
        while waiting:
            directory = waiting.pop()
            member = self.get(directory) if directory not in found else None
            if member is not None:
                found[directory] = member
                waiting += [one.directory for one in member.dependencies if one.directory is not None]
        return tuple(found.values())

    def get(self, directory: str) -> Member | None:
        """The package of a directory of the context, None where there is none that can be read."""
        if directory not in self._found:
            data = self._read(directory)
            self._found[directory] = self._member(directory, data) if data is not None and "package" in data else None
        return self._found[directory]

    def native(self, member: Member, tools: Set[str]) -> str:
        """What says that a package compiles or links code that is not Rust: "" where nothing does, not even its sources.

        `tools` are crates that do so for a build script. Source: cargo book, "Build Scripts", "The links Manifest Key".
        """
        package = manifest.table(self._read(member.directory) or {}, "package")
        prefix = f"{member.directory}/" if member.directory else ""
        used = sorted(one.package for one in member.dependencies if one.package in tools)
        build = package.get("build")
        if used:
            return f"builds with {used[0]}"
        if package.get("links") is not None:
            return f"links {package['links']}"
        if build is not False and (build is not None or self._context.read(f"{prefix}build.rs") is not None):
            return "has a build script"
        sources = (self._context.read(path) or b"" for path in self._context.names(f"{prefix}src/**/*.rs"))
        return "links a library" if any(b"#[link(" in source for source in sources) else ""

    def _member(self, directory: str, data: Mapping[str, Any]) -> Member:
        dependencies = tuple(self._dependencies(directory, data))
        package = manifest.table(data, "package")
        library = manifest.table(data, "lib")
        return Member(
            directory,
            _text(package.get("name")),
            _text(self._inherited(package, "version")),
            library.get("proc-macro") is True or library.get("proc_macro") is True,
            table_of(data),
            dependencies,
        )

    def _dependencies(self, directory: str, data: Mapping[str, Any]) -> Iterator[Dependency]:
        for target, kind, key, value in _entries(data):
            yield self._dependency(directory, key, value, kind, holds(target) if target else Reach.YES)

    def _dependency(self, directory: str, key: str, value: object, kind: str, applies: Reach) -> Dependency:
        own = _table(value)
        entry, where = own, directory
        if own.get("workspace") is True:
            shared = manifest.table(self._data, "workspace", "dependencies").get(key)
            entry, where = _table(shared), self._root
        path = entry.get("path")
        named = entry.get("package")
        features = dict.fromkeys((*manifest.texts(entry.get("features")), *manifest.texts(own.get("features"))))
        return Dependency(
            key,
            named if isinstance(named, str) else key,
            kind,
            own.get("optional") is True,
            # what the workspace leaves out a member may ask for again, not the other way round
            _default(entry) is not False or (entry is not own and _default(own) is True),
            tuple(features),
            _place(where, path) if isinstance(path, str) else None,
            applies,
            _text(entry.get("version") if entry else value),
        )

    def _inherited(self, package: Mapping[str, Any], key: str) -> object:
        value = package.get(key)
        if isinstance(value, Mapping) and value.get("workspace") is True:
            return manifest.table(self._data, "workspace", "package").get(key)
        return value

    def _read(self, directory: str) -> dict[str, Any] | None:
        try:
            return manifest.read_toml(
                self._context, f"{directory}/Cargo.toml" if directory not in ("", ".") else "Cargo.toml"
            )
        except BrokenFileError:
            return None


def table_of(data: Mapping[str, Any]) -> Table:
    """The features of the package with this manifest."""
    features = {name: manifest.texts(words) for name, words in manifest.table(data, "features").items()}
    return Table(
        features, frozenset(key for _, _, key, value in _entries(data) if _table(value).get("optional") is True)
    )


def _entries(data: Mapping[str, Any]) -> Iterator[tuple[str, str, str, object]]:
    """The dependencies of a manifest: the name of the ``[target]`` table, "" for none, the kind, the key, what is said there."""
    for target, entries in (("", data), *manifest.table(data, "target").items()):
        for kind in KINDS:
            for key, value in manifest.dependencies(entries, kind).items():
                yield target, kind, key, value


def _place(where: str, path: str) -> str:
    place = patterns.normalise(f"{where}/{path}").strip("/")
    return "" if place == "." else place


def _default(entry: Mapping[str, Any]) -> object:
    return entry.get("default-features", entry.get("default_features"))


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""

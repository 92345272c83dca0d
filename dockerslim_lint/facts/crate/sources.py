"""The Rust sources of a program. Loaded where what they say decides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dockerslim_lint.context import BuildContext
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.crate import manifest
from dockerslim_lint.facts.crate.manifest import BrokenFileError
from dockerslim_lint.facts.crate.members import NORMAL, Dependency, Members
from dockerslim_lint.facts.crate.reach import Reach

MOST_FILES = 2000
"""So many sources are named, and no more."""


class Sources:
    """The workspace's packages that are linked into some programs.

    Each of `packages` is its directory, its dependencies from elsewhere and its Rust files.
    """

    def __init__(self, context: BuildContext, packages: Iterable[tuple[str, list[Dependency], list[str]]]) -> None:
        self.packages = tuple(packages)
        self._context = context

    def texts(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Those of these files that can be read, with what is in them."""
        for path in paths:
            data = self._context.read(path)
            if data is not None:
                yield path, data

    def all_texts(self) -> Iterator[tuple[str, bytes]]:
        """The same for all files of all packages."""
        return (one for _, _, paths in self.packages for one in self.texts(paths))

    def mention(self, *words: bytes) -> bool:
        """Whether one of them holds one of these words."""
        return any(word in data for _, data in self.all_texts() for word in words)


def read_sources(
    context: BuildContext, root: str, programs: Mapping[str, tuple[str, ...]], names: Iterable[str]
) -> Sources:
    """The sources of the programs `names`. `programs` are those of each package, by directory; `root` is the workspace's."""
    return Sources(context, _packages_of(context, root, programs, names))


def _packages_of(
    context: BuildContext, root: str, programs: Mapping[str, tuple[str, ...]], names: Iterable[str]
) -> Iterator[tuple[str, list[Dependency], list[str]]]:
    wanted = set(names)
    members = Members(context, root)
    waiting = [place for place, made in programs.items() if wanted & set(made)] or list(programs)
    seen: set[str] = set()
    left = MOST_FILES
    while waiting:
        place = waiting.pop(0)
        if place in seen:
            continue
        seen.add(place)
        member = members.get(place)
        linked = [
            one
            for one in (member.dependencies if member is not None else ())
            if one.kind == NORMAL and one.applies is not Reach.NO
        ]
        waiting += [one.directory for one in linked if one.directory is not None]
        paths = list(_sources(context, place, wanted))[:left]
        left -= len(paths)
        yield place, [one for one in linked if one.directory is None], paths


def below(place: str, path: str) -> str:
    """A path in a package, from the root of the context."""
    return patterns.normalise(f"{place}/{path}").lstrip("/")


def _sources(context: BuildContext, place: str, wanted: set[str]) -> Iterator[str]:
    """The Rust files of a package, without those of programs that are not wanted."""
    try:
        data = manifest.read_toml(context, below(place, "Cargo.toml")) or {}
    except BrokenFileError:
        return
    programs = dict(_written(data))
    targets = [*programs, str(manifest.table(data, "lib").get("path", "src/lib.rs"))]
    folders = dict.fromkeys(("src", *(path.rpartition("/")[0] for path in targets)))
    found: dict[str, None] = {}
    for folder in folders:
        # beside a Cargo.toml lies much that is no source
        found.update(dict.fromkeys(context.names(below(place, f"{folder}/**/*.rs" if folder else "*.rs"))))
    claimed = {below(place, path): name for path, name in programs.items()}
    start = f"{below(place, 'src/bin')}/"
    for path in found:
        own = path[len(start) :].split("/")[0].removesuffix(".rs") if path.startswith(start) else ""
        name = claimed.get(path, own)
        if (not name or name in wanted) and path != below(place, "build.rs"):
            yield path


def _written(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The paths of ``[[bin]]`` with their names."""
    for entry in manifest.programs(data):
        if isinstance(entry.get("path"), str):
            yield patterns.normalise(entry["path"]), entry["name"]

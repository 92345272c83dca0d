"""What is known of a stage's files: a table from path patterns to entries."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase

from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.model import UNKNOWN, Artifact, CargoCall, ContextTree, Directory, Entry, OpaqueFile, Output

NO_CALL = -1

NOT_PROGRAMS = frozenset({"deps", "build", "examples", "incremental", ".fingerprint", ".cargo-lock"})
"""What cargo keeps beside the programs (cargo book, "Build cache")."""


NO_PROGRAM = "is no program of the crate"
"""What is said of a name in an output directory that cargo does not make."""


BY_PLATFORM = "a stage that the platform chooses"
"""What makes a program that each of several stages has, in a stage that is built on one of them."""


OPEN = frozenset("*?[")
"""In a path they make a pattern of it."""

SMALL = 24
"""So few entries are looked through faster than anything is looked up among them."""

_Key = tuple[str, int]


def _plain_part(path: str) -> str:
    """What stands before the first segment of a pattern that is one."""
    first = min(at for char in OPEN if (at := path.find(char)) >= 0)
    return path[: path.rfind("/", 0, first) + 1]


class _Index:
    """The paths of a large table: in order, and the patterns among them by their plain part."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._ordered = sorted(paths)
        self._heads: dict[str, dict[str, None]] = {}
        for path in self._ordered:
            if OPEN.intersection(path):
                self._heads.setdefault(_plain_part(path), {})[path] = None

    def add(self, path: str) -> None:
        insort(self._ordered, path)
        if OPEN.intersection(path):
            self._heads.setdefault(_plain_part(path), {})[path] = None

    def drop(self, path: str) -> None:
        del self._ordered[bisect_left(self._ordered, path)]
        if OPEN.intersection(path):
            self._heads[_plain_part(path)].pop(path)

    def beginning(self, start: str) -> list[str]:
        """The paths that begin with a text."""
        first = bisect_left(self._ordered, start)
        last = bisect_left(self._ordered, start[:-1] + chr(ord(start[-1]) + 1)) if start else len(self._ordered)
        return self._ordered[first:last]

    def open_above(self, folder: str) -> Iterator[str]:
        """The patterns whose plain part is `folder`, which ends with a slash, or a directory above it."""
        yield from self._heads.get("", ())
        at = folder.find("/") + 1
        while at > 0:
            yield from self._heads.get(folder[:at], ())
            at = folder.find("/", at) + 1


class PathTable:
    """Paths of one stage. Later entries hide earlier ones of the same path."""

    def __init__(
        self,
        calls: list[CargoCall],
        binaries: Callable[[int], tuple[str, ...]],
        base_directories: frozenset[str],
        unmade: Callable[[int, str], str] = lambda call, name: "",
        in_context: Callable[[str], bool] = lambda path: False,
    ) -> None:
        self._entries: dict[_Key, Entry] = {}
        self._at: dict[str, dict[_Key, int]] = {}
        """the keys of each path, with the number of the step that made them"""
        self._index: _Index | None = None
        """of the same paths, from the first question to a table that is not small"""
        self._steps = 0
        self._calls = calls
        self._binaries = binaries
        self._unmade = unmade
        self._in_context = in_context
        self.base_directories = base_directories

    def copy(self) -> PathTable:
        """An independent table with the same entries."""
        table = PathTable(self._calls, self._binaries, self.base_directories, self._unmade, self._in_context)
        table._entries = dict(self._entries)
        table._at = {path: dict(keys) for path, keys in self._at.items()}
        table._steps = self._steps
        return table

    def take_common(self, others: Sequence[PathTable]) -> None:
        """What a stage starts with that is built on one of several: the programs that all of them have, linked alike."""
        for path, entry in others[0].entries():
            programs = self._binaries(entry.call) if isinstance(entry, Output) else ()
            for place in [f"{path}/{name}" for name in programs] or [path]:
                found = [one for table in others if isinstance(one := table.find(place), Artifact)]
                if len(found) == len(others) and len({one.link for one in found}) == 1 and OPEN.isdisjoint(place):
                    stripped = found[0].stripped if len({one.stripped for one in found}) == 1 else UNKNOWN
                    self.put(place, Artifact(None, found[0].name, found[0].link, stripped, BY_PLATFORM))

    def put(self, path: str, entry: Entry) -> None:
        """Make or replace the entry of a path. The output directories of several calls may be one and the same.

        Making a directory (WORKDIR, mkdir -p) where one is already does nothing to what was copied there. A directory of the
        context that is copied over another one is laid over it.
        """
        if isinstance(entry, Directory) and isinstance(self._entries.get((path, NO_CALL)), ContextTree | Directory):
            return
        key = (path, entry.call if isinstance(entry, Output) else NO_CALL)
        if isinstance(entry, ContextTree):
            self._keep_below(path, entry)
        self._entries.pop(key, None)
        self._entries[key] = entry
        self._steps += 1
        keys = self._at.get(path)
        if keys is None:
            keys = self._at[path] = {}
            if self._index is not None:
                self._index.add(path)
        keys[key] = self._steps

    def _keep_below(self, path: str, entry: ContextTree) -> None:
        """Let the files of the context that are at a path stay, under a key of their own, for what `entry` does not have."""
        key, below = (path, NO_CALL), (path, NO_CALL - 1 - self._steps)
        before = self._entries.get(key)
        if isinstance(before, ContextTree) and before.source != entry.source:
            self._entries = {below if one == key else one: value for one, value in self._entries.items()}
            self._at[path][below] = self._at[path].pop(key)

    def remove(self, path: str) -> None:
        """Forget a path and all below it."""
        for known in self._under(path):
            for key in list(self._at[known]):
                if "*" in path and not isinstance(self._entries[key], Artifact):
                    continue
                del self._entries[key]
                del self._at[known][key]
            if not self._at[known]:
                del self._at[known]
                if self._index is not None:
                    self._index.drop(known)

    def hand_over(self, calls: Collection[int], maker: str) -> None:
        """What these calls made may have been made anew by something that is not modelled."""
        for key, entry in self._entries.items():
            if isinstance(entry, Output) and entry.call in calls and not entry.opaque:
                self._entries[key] = entry._replace(opaque=maker)

    def entries(self) -> Iterator[tuple[str, Entry]]:
        """All entries, in the order in which they were made."""
        return iter([(key[0], entry) for key, entry in self._entries.items()])

    def around(self, path: str) -> list[tuple[str, Entry]]:
        """What may stand at `path` or be a directory above it, the newest first; of a small table all that there is."""
        if len(self._entries) <= SMALL:
            return [(key[0], entry) for key, entry in reversed(self._entries.items())]
        paths, found = self._at, dict[_Key, int]()
        place = path
        if OPEN.intersection(path):
            head = _plain_part(path)
            place = head[:-1]
            for known in self._indexed().beginning(head):
                if patterns.below(path, known) is not None:
                    found.update(paths[known])
        for known in self._indexed().open_above(f"{place}/"):
            if patterns.below(path, known) is not None:
                found.update(paths[known])
        at = len(place)
        while at > 0:
            if place in paths:
                found.update(paths[place])
            at = path.rfind("/", 0, at)
            place = path[:at]
        found.update(paths.get("/", {}))
        found.update(paths.get("", {}))
        newest = sorted(found, key=found.__getitem__, reverse=True) if len(found) > 1 else found
        return [(key[0], self._entries[key]) for key in newest]

    def _under(self, directory: str) -> list[str]:
        """The paths at or below a directory."""
        if OPEN.intersection(directory):
            near: Iterable[str] = self._at
            if len(self._at) > SMALL:
                head = _plain_part(directory)
                index = self._indexed()
                near = {*index.beginning(head), *index.open_above(head)}
            return [known for known in near if patterns.below(known, directory) is not None]
        start = f"{directory.rstrip('/')}/"
        if len(self._at) > SMALL:
            index = self._indexed()
            found = index.beginning(start)
            if directory in self._at and not directory.startswith(start):
                found.append(directory)
            others: Iterable[str] = index.open_above(start)
        else:
            found = [known for known in self._at if known.startswith(start) or known == directory]
            others = [known for known in self._at if OPEN.intersection(known)]
        return found + [
            known for known in others if not known.startswith(start) and patterns.below(known, directory) is not None
        ]

    def _indexed(self) -> _Index:
        if self._index is None:
            self._index = _Index(self._at)
        return self._index

    def is_directory(self, path: str) -> bool:
        """Whether something shows that `path` is a directory."""
        if path == "/" or path in self.base_directories:
            return True
        for known in self._under(path):
            if patterns.below(known, path) or any(
                isinstance(self._entries[key], Directory | Output) for key in self._at[known]
            ):
                return True
        return False

    def find(self, path: str) -> Entry | None:
        """What stands at `path` (a pattern): the newest entry that fits, or a program in an output directory."""
        exact = self._entries.get((path, NO_CALL))
        if exact is not None and not isinstance(exact, Directory):
            return exact
        directory, name = patterns.parent(path), patterns.basename(path)
        fallback: Entry | None = exact
        around = self.around(path)
        for known, entry in around:
            if isinstance(entry, Output):
                if patterns.same(known, path):
                    return entry
                if patterns.same(f"{known}/examples", directory) and name in self._calls[entry.call].examples:
                    return _made(entry, name)
                if patterns.same(known, directory):
                    program = self._program(entry, name)
                    if isinstance(program, Artifact):
                        return program
                    fallback = fallback or program
            elif patterns.same(known, path) and not isinstance(entry, Directory):
                return entry
        if fallback is not None:
            return fallback
        above = [
            (entry, rest)
            for known, entry in around
            if isinstance(entry, ContextTree) and (rest := patterns.below(path, known))
        ]
        if len(above) > 1:
            # of directories that lie over one another the uppermost that has it
            for entry, rest in above:
                if self._in_context(patterns.normalise(f"{entry.source}/{rest}")):
                    return entry
        return above[0][0] if above else None

    def layers(self, path: str) -> list[Entry]:
        """The directories of the context that were copied to exactly this path, each over those before it."""
        return [entry for rest, entry in self.below(path) if not rest and isinstance(entry, ContextTree)]

    def part(self, path: str) -> Entry | None:
        """As `find`; of a directory of the context that stands above `path` only what is there."""
        entry = self.find(path)
        if isinstance(entry, ContextTree):
            for known, candidate in self.around(path):
                rest = patterns.below(path, known) if candidate is entry else None
                if rest:
                    return entry._replace(source=patterns.normalise(f"{entry.source}/{rest}"))
        return entry

    def matching(self, path: str) -> list[tuple[str, Entry]]:
        """The files that a pattern with a glob in its last part fits, by name: [] unless all of them are known."""
        directory, name = patterns.parent(path), patterns.basename(path)
        if not any(char in name for char in "*?["):
            return []
        found: dict[str, Entry] = {}
        for known, entry in reversed(self.around(path)):
            if isinstance(entry, Output) and patterns.same(known, directory):
                programs = self._binaries(entry.call)
                if not programs:
                    return []
                for program in programs:
                    made = self._program(entry, program) if fnmatchcase(program, name) else None
                    if isinstance(made, Artifact):
                        found[program] = made
            elif isinstance(entry, Artifact) and "*" not in known and patterns.same(known, path):
                found[patterns.basename(known)] = entry
        return list(found.items())

    def holds(self, path: str) -> bool:
        """Whether something was put at exactly this path."""
        return (path, NO_CALL) in self._entries

    def below(self, directory: str) -> list[tuple[str, Entry]]:
        """All entries under a directory (itself included), with their paths relative to it."""
        found: dict[_Key, int] = {}
        for known in self._under(directory):
            found.update(self._at[known])
        ordered = sorted(found, key=found.__getitem__)
        return [(patterns.below(key[0], directory) or "", self._entries[key]) for key in ordered]

    def _program(self, output: Output, name: str) -> Artifact | OpaqueFile | None:
        """The file `name` of an output directory; None where it cannot be a program of that call."""
        if name in NOT_PROGRAMS or name.endswith((".d", ".rlib", ".rmeta")):
            return None
        known = self._binaries(output.call)
        why = self._unmade(output.call, name)
        if why:
            return OpaqueFile(f"{name} {NO_PROGRAM}: {why}")
        if not known and "." in name and "*" not in name:
            return None  # a man page, an archive: programs have no suffix on Linux
        bins = self._calls[output.call].bins
        asked = "*" in name or any(patterns.same(name, one) for one in bins)
        if known and not asked and name not in known:
            return OpaqueFile(f"{name} {NO_PROGRAM} ({', '.join(known)})")
        if bins and not asked:
            return None
        return _made(output, name)


def _made(output: Output, name: str) -> Artifact:
    if output.opaque:
        return Artifact(None, name, output.link, UNKNOWN, output.opaque)
    return Artifact(output.call, name, output.link, output.stripped, "")

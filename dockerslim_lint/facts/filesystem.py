"""What is known of a stage's files: a table from path patterns to entries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase

from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.model import Artifact, CargoCall, ContextTree, Directory, Entry, OpaqueFile, Output

NO_CALL = -1

NOT_PROGRAMS = frozenset({"deps", "build", "examples", "incremental", ".fingerprint", ".cargo-lock"})
"""What cargo keeps beside the programs (cargo book, "Build cache")."""


class PathTable:
    """Paths of one stage. Later entries hide earlier ones of the same path."""

    def __init__(
        self, calls: list[CargoCall], binaries: Callable[[int], tuple[str, ...]], base_directories: frozenset[str]
    ) -> None:
        self._entries: dict[tuple[str, int], Entry] = {}
        self._calls = calls
        self._binaries = binaries
        self.base_directories = base_directories

    def copy(self) -> PathTable:
        """An independent table with the same entries."""
        table = PathTable(self._calls, self._binaries, self.base_directories)
        table._entries = dict(self._entries)
        return table

    def put(self, path: str, entry: Entry) -> None:
        """Make or replace the entry of a path. The output directories of several calls may be one and the same.

        Making a directory (WORKDIR, mkdir -p) where one is already does nothing to what was copied there.
        """
        if isinstance(entry, Directory) and isinstance(self._entries.get((path, NO_CALL)), ContextTree | Directory):
            return
        key = (path, entry.call if isinstance(entry, Output) else NO_CALL)
        self._entries.pop(key, None)
        self._entries[key] = entry

    def remove(self, path: str) -> None:
        """Forget a path and all below it."""
        for key in [key for key in self._entries if patterns.below(key[0], path) is not None]:
            if "*" in path and not isinstance(self._entries[key], Artifact):
                continue
            del self._entries[key]

    def entries(self) -> Iterator[tuple[str, Entry]]:
        """All entries, in the order in which they were made."""
        return iter([(key[0], entry) for key, entry in self._entries.items()])

    def is_directory(self, path: str) -> bool:
        """Whether something shows that `path` is a directory."""
        if path == "/" or path in self.base_directories:
            return True
        for (known, _), entry in self._entries.items():
            rest = patterns.below(known, path)
            if rest or (rest == "" and isinstance(entry, Directory | Output)):
                return True
        return False

    def find(self, path: str) -> Entry | None:
        """What stands at `path` (a pattern): the newest entry that fits, or a program in an output directory."""
        exact = self._entries.get((path, NO_CALL))
        if exact is not None and not isinstance(exact, Directory):
            return exact
        directory, name = patterns.parent(path), patterns.basename(path)
        fallback: Entry | None = exact
        for (known, _), entry in reversed(self._entries.items()):
            if isinstance(entry, Output):
                if patterns.same(known, path):
                    return entry
                if patterns.same(f"{known}/examples", directory) and name in self._calls[entry.call].examples:
                    return Artifact(entry.call, name, entry.link, entry.stripped, "")
                if patterns.same(known, directory):
                    program = self._program(entry, name)
                    if isinstance(program, Artifact):
                        return program
                    fallback = fallback or program
            elif patterns.same(known, path) and not isinstance(entry, Directory):
                return entry
        if fallback is not None:
            return fallback
        for (known, _), entry in reversed(self._entries.items()):
            if isinstance(entry, ContextTree) and patterns.below(path, known):
                return entry
        return None

    def matching(self, path: str) -> list[tuple[str, Entry]]:
        """The files that a pattern with a glob in its last part fits, by name: [] unless all of them are known."""
        directory, name = patterns.parent(path), patterns.basename(path)
        if not any(char in name for char in "*?["):
            return []
        found: dict[str, Entry] = {}
        for (known, _), entry in self._entries.items():
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
        found = []
        for (known, _), entry in self._entries.items():
            rest = patterns.below(known, directory)
            if rest is not None:
                found.append((rest, entry))
        return found

    def _program(self, output: Output, name: str) -> Artifact | OpaqueFile | None:
        """The file `name` of an output directory; None where it cannot be a program of that call."""
        if name in NOT_PROGRAMS or name.endswith((".d", ".rlib", ".rmeta")):
            return None
        known = self._binaries(output.call)
        if not known and "." in name and "*" not in name:
            return None  # a man page, an archive: programs have no suffix on Linux
        bins = self._calls[output.call].bins
        asked = "*" in name or any(patterns.same(name, one) for one in bins)
        if known and not asked and name not in known:
            return OpaqueFile(f"{name} is no program of the crate ({', '.join(known)})")
        if bins and not asked:
            return None
        return Artifact(output.call, name, output.link, output.stripped, "")

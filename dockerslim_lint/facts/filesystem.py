"""What is known of a stage's files: a table from path patterns to entries."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.model import Artifact, CargoCall, ContextTree, Directory, Entry, OpaqueFile, Output

NOT_PROGRAMS = frozenset({"deps", "build", "examples", "incremental", ".fingerprint", ".cargo-lock"})
"""What cargo keeps beside the programs (cargo book, "Build cache")."""


class PathTable:
    """Paths of one stage. Later entries hide earlier ones of the same path."""

    def __init__(
        self, calls: list[CargoCall], binaries: Callable[[int], tuple[str, ...]], base_directories: frozenset[str]
    ) -> None:
        self._entries: dict[str, Entry] = {}
        self._calls = calls
        self._binaries = binaries
        self.base_directories = base_directories

    def copy(self) -> PathTable:
        """An independent table with the same entries."""
        table = PathTable(self._calls, self._binaries, self.base_directories)
        table._entries = dict(self._entries)
        return table

    def put(self, path: str, entry: Entry) -> None:
        """Make or replace the entry of a path."""
        self._entries.pop(path, None)
        self._entries[path] = entry

    def remove(self, path: str) -> None:
        """Forget a path and all below it."""
        for known in [known for known in self._entries if patterns.below(known, path) is not None]:
            if "*" in path and not isinstance(self._entries[known], Artifact):
                continue
            del self._entries[known]

    def entries(self) -> Iterator[tuple[str, Entry]]:
        """All entries, in the order in which they were made."""
        return iter(tuple(self._entries.items()))

    def is_directory(self, path: str) -> bool:
        """Whether something shows that `path` is a directory."""
        if path == "/" or path in self.base_directories:
            return True
        for known, entry in self._entries.items():
            rest = patterns.below(known, path)
            if rest or (rest == "" and isinstance(entry, Directory | Output)):
                return True
        return False

    def find(self, path: str) -> Entry | None:
        """What stands at `path` (a pattern): the newest entry that fits, or a program in an output directory."""
        for known in reversed(self._entries):
            if patterns.same(known, path):
                return self._entries[known]
        directory, name = patterns.parent(path), patterns.basename(path)
        for known in reversed(self._entries):
            entry = self._entries[known]
            if isinstance(entry, Output) and patterns.same(known, directory):
                return self._program(entry, name)
        for known in reversed(self._entries):
            entry = self._entries[known]
            if isinstance(entry, ContextTree) and patterns.below(path, known):
                return entry
        return None

    def below(self, directory: str) -> list[tuple[str, Entry]]:
        """All entries under a directory (itself included), with their paths relative to it."""
        found = []
        for known, entry in self._entries.items():
            rest = patterns.below(known, directory)
            if rest is not None:
                found.append((rest, entry))
        return found

    def _program(self, output: Output, name: str) -> Artifact | OpaqueFile | None:
        """The file `name` of an output directory; None where it cannot be a program of that call."""
        if name in NOT_PROGRAMS or name.endswith((".d", ".rlib", ".rmeta")):
            return None
        known = self._binaries(output.call)
        if known and "*" not in name and name not in known:
            return OpaqueFile(f"{name} is no program of the crate ({', '.join(known)})")
        asked = self._calls[output.call].bins
        if asked and "*" not in name and name not in asked:
            return None
        return Artifact(output.call, name, output.link, output.stripped, "")

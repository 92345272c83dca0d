"""The files beside a Dockerfile, as the core sees them: a protocol, and two that hold no disk."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Protocol


class BuildContext(Protocol):
    """Read access to a build context. Paths are relative to its root, with ``/``.

    `known` is False when nobody knows what the context holds: a missing file then says nothing.
    """

    @property
    def known(self) -> bool: ...

    def read(self, path: str) -> bytes | None:
        """The file's bytes; None if it is not there, not a regular file, or cannot be read."""

    def names(self, pattern: str) -> list[str]:
        """Sorted paths of files that match `pattern` segment by segment (`*`, `?`, `[…]`; `**` for any depth)."""

    def place(self, path: str) -> str:
        """Where a file that the caller names by `path` lies in the context; "" outside of it."""


class NoContext:
    """Nothing is known of the build context."""

    known = False

    def read(self, path: str) -> bytes | None:
        return None

    def names(self, pattern: str) -> list[str]:
        return []

    def place(self, path: str) -> str:
        return ""


class MemoryContext:
    """A build context held in memory."""

    known = True

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = dict(files)

    def read(self, path: str) -> bytes | None:
        return self._files.get(path)

    def names(self, pattern: str) -> list[str]:
        return sorted(path for path in self._files if path_matches(path, pattern))

    def place(self, path: str) -> str:
        return path


class LaidOverContext:
    """Files that an editor has open, saved or not, over the context that they belong to."""

    def __init__(self, base: BuildContext, files: Mapping[str, bytes]) -> None:
        self._base = base
        self._files = MemoryContext(files)

    @property
    def known(self) -> bool:
        return self._base.known

    def read(self, path: str) -> bytes | None:
        data = self._files.read(path)
        return self._base.read(path) if data is None else data

    def names(self, pattern: str) -> list[str]:
        return sorted({*self._base.names(pattern), *self._files.names(pattern)})

    def place(self, path: str) -> str:
        return self._base.place(path)


def path_matches(path: str, pattern: str) -> bool:
    """Whether a relative path matches a pattern whose ``*`` stays within a segment and whose ``**`` does not."""
    return _match(path.split("/"), pattern.split("/"))


def _match(segments: list[str], patterns: list[str]) -> bool:
    if not patterns:
        return not segments
    head, *rest = patterns
    if head == "**":
        return any(_match(segments[skip:], rest) for skip in range(len(segments) + 1))
    return bool(segments) and fnmatchcase(segments[0], head) and _match(segments[1:], rest)

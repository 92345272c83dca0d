"""Places on disk as strings: pathlib costs as much at import as a quarter of the linting, and more with every path."""

from __future__ import annotations

import os
from collections.abc import Iterator


def above(directory: str) -> Iterator[str]:
    """An absolute directory and all that it lies in, up to the root."""
    while True:
        yield directory
        parent = os.path.dirname(directory)
        if parent == directory:
            return
        directory = parent


def lies_in(path: str, directory: str) -> bool:
    """Whether an absolute path is `directory` or below it; both without links and ``..``."""
    return path == directory or path.startswith(directory.rstrip(os.sep) + os.sep)


def folder_of(path: str) -> str:
    """The directory that a file's path names, without links. Raises OSError where the links lead round in a circle."""
    return os.path.realpath(os.path.dirname(path) or os.curdir)


class Repositories:
    """The roots of repositories; each directory is looked into once."""

    def __init__(self) -> None:
        self._roots: dict[str, str | None] = {}

    def root(self, directory: str) -> str | None:
        """The nearest directory, from an absolute one upwards, that has a ``.git``."""
        passed: list[str] = []
        found = None
        for place in above(directory):
            if place in self._roots:
                found = self._roots[place]
                break
            passed.append(place)
            if os.path.exists(os.path.join(place, ".git")):
                found = place
                break
        self._roots.update(dict.fromkeys(passed, found))
        return found

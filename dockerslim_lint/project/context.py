"""The build context on disk."""

from __future__ import annotations

import os

from dockerslim_lint.context import path_matches
from dockerslim_lint.project.places import folder_of, lies_in
from dockerslim_lint.project.read import CONTEXT_FILE_LIMIT, UnusableError, read_regular


class DirContext:
    """The files below one directory. Nothing outside of it is read, whatever a link or a ``..`` says.

    Reads and listings are cached: what is asked twice is the same both times.
    """

    known = True

    def __init__(self, root: str, *, is_real: bool = False) -> None:
        """`is_real`: `root` is known to be absolute and without links."""
        self.root = root
        self._real = root if is_real else os.path.realpath(root)
        self._files: dict[str, bytes | None] = {}
        self._listings: dict[str, tuple[list[str], list[str]]] = {}

    def read(self, path: str) -> bytes | None:
        if path not in self._files:
            real = self.inside(path)
            data = None
            if real is not None:
                try:
                    data = read_regular(real, CONTEXT_FILE_LIMIT)
                except (OSError, UnusableError):
                    data = None
            self._files[path] = data
        return self._files[path]

    def names(self, pattern: str) -> list[str]:
        found: set[str] = set()
        segments = [segment for segment in pattern.split("/") if segment not in ("", ".")]
        if ".." not in segments:
            self._match("", segments, found)
        return sorted(found)

    def place(self, path: str) -> str:
        try:
            folder = folder_of(path)
        except (OSError, ValueError):
            return ""
        if not lies_in(folder, self._real):
            return ""
        inside = os.path.relpath(os.path.join(folder, os.path.basename(path)), self._real)
        return inside.replace(os.sep, "/")

    def inside(self, path: str) -> str | None:
        """The real path of something that exists in the context, a directory too; None if it is not there or lies outside.

        A leading ``/`` and ``..`` at the top mean the root, as in COPY.
        """
        parts: list[str] = []
        for part in path.split("/"):
            if part == "..":
                parts = parts[:-1]
            elif part not in ("", "."):
                parts.append(part)
        place = os.path.join(self._real, *parts)
        try:
            os.stat(place)  # most of what is asked for is not there: that costs one call, not one for each part
            real = os.path.realpath(place, strict=True)
        except (OSError, ValueError):
            return None
        return real if lies_in(real, self._real) else None

    def _match(self, directory: str, segments: list[str], found: set[str]) -> None:
        if not segments:
            return
        head, *rest = segments
        prefix = f"{directory}/" if directory else ""
        if not any(char in head for char in "*?["):
            if rest:
                self._match(prefix + head, rest, found)
            elif self._is_file(prefix + head):
                found.add(prefix + head)
            return
        files, directories = self._listing(directory)
        if head == "**":
            self._match(directory, rest or ["*"], found)
            for name in directories:
                self._match(prefix + name, segments, found)
            return
        if rest:
            for name in directories:
                if path_matches(name, head):
                    self._match(prefix + name, rest, found)
        else:
            found.update(prefix + name for name in files if path_matches(name, head))

    def _is_file(self, path: str) -> bool:
        real = self.inside(path)
        return real is not None and os.path.isfile(real)

    def _listing(self, directory: str) -> tuple[list[str], list[str]]:
        """Names of files and of directories; a link to a directory is neither, nor are ``.git`` and cargo's output."""
        if directory not in self._listings:
            files: list[str] = []
            directories: list[str] = []
            for entry in _entries(self.inside(directory)):
                if entry.is_dir(follow_symlinks=False):
                    if entry.name != ".git" and not _is_cargo_output(entry):
                        directories.append(entry.name)
                elif entry.is_file(follow_symlinks=False) or self._is_file(f"{directory}/{entry.name}"):
                    files.append(entry.name)
            self._listings[directory] = (sorted(files), sorted(directories))
        return self._listings[directory]


def _entries(directory: str | None) -> list[os.DirEntry[str]]:
    if directory is None:
        return []
    try:
        with os.scandir(directory) as entries:
            return list(entries)
    except OSError:
        return []


def _is_cargo_output(entry: os.DirEntry[str]) -> bool:
    """Whether a directory is a ``target/`` that cargo made: large, and no source."""
    return entry.name == "target" and any(
        os.path.exists(os.path.join(entry.path, mark)) for mark in (".rustc_info.json", "CACHEDIR.TAG")
    )

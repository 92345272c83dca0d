"""What git ignores, without git: ``.gitignore`` files, nested ones included, and ``.git/info/exclude``."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from dockerslim_lint.project.places import Repositories
from dockerslim_lint.project.read import CONTEXT_FILE_LIMIT, UnusableError, read_regular
from dockerslim_lint.record import Record
from dockerslim_lint.source import decode

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec


UNREADABLE = (ValueError, re.error)
"""What pathspec raises for a pattern; the second for a range that runs backwards (``[x-e]``)."""


class Layer(Record):
    """The patterns of one file; they speak of paths relative to `base`."""

    base: str
    spec: GitIgnoreSpec


Layers = tuple[Layer, ...]


def layers_above(directory: str) -> Layers:
    """What the repository says of `directory` (absolute): its exclude file and the ``.gitignore`` files above it.

    Empty where they ignore the directory itself: whoever names it wants it.
    """
    root = Repositories().root(directory)
    if root is None or root == directory:
        return _layer(root, _exclude_file(root)) if root else ()
    layers = _layer(root, _exclude_file(root))
    current = root
    for part in os.path.relpath(directory, root).split(os.sep):
        layers += layer_of(current)
        current = os.path.join(current, part)
        if ignored(current, True, layers):
            return ()
    return layers


def layer_of(directory: str) -> Layers:
    """The patterns of the directory's own ``.gitignore``."""
    return _layer(directory, os.path.join(directory, ".gitignore"))


def ignored(path: str, is_directory: bool, layers: Layers) -> bool:
    """Whether git would ignore `path`; the deepest file with an opinion decides."""
    for base, spec in reversed(layers):
        name = os.path.relpath(path, base).replace(os.sep, "/") + ("/" if is_directory else "")
        verdict = spec.check_file(name).include
        if verdict is not None:
            return verdict
    return False


def _layer(base: str, file: str) -> Layers:
    try:
        text = decode(read_regular(file, CONTEXT_FILE_LIMIT))
    except (OSError, UnusableError):
        return ()
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if not lines:
        return ()
    from pathspec import GitIgnoreSpec

    try:
        return (Layer(base, GitIgnoreSpec.from_lines(lines)),)
    except UNREADABLE:  # git skips a pattern that it cannot read
        return (Layer(base, GitIgnoreSpec.from_lines(line for line in lines if _readable(line))),)


def _readable(line: str) -> bool:
    from pathspec import GitIgnoreSpec

    try:
        GitIgnoreSpec.from_lines([line])
    except UNREADABLE:
        return False
    return True


def _exclude_file(root: str) -> str:
    """The repository's own ``info/exclude``."""
    return os.path.join(_git_directory(root), "info", "exclude")


def _git_directory(root: str) -> str:
    """The directory that holds ``info/exclude``; in a worktree ``.git`` is a file that leads there."""
    marker = os.path.join(root, ".git")
    try:
        text = decode(read_regular(marker, 4096)).strip()
        if text.startswith("gitdir:"):
            own = os.path.join(root, text.removeprefix("gitdir:").strip())
            return os.path.join(own, decode(read_regular(os.path.join(own, "commondir"), 4096)).strip())
    except (OSError, UnusableError):
        pass
    return marker

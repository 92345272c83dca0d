"""What git ignores, without git: ``.gitignore`` files, nested ones included, and ``.git/info/exclude``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dockerslim_lint.project.read import CONTEXT_FILE_LIMIT, UnusableError, read_regular
from dockerslim_lint.source import decode

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec


class Layer(NamedTuple):
    """The patterns of one file; they speak of paths relative to `base`."""

    base: Path
    spec: GitIgnoreSpec


Layers = tuple[Layer, ...]


def repository_root(directory: Path) -> Path | None:
    """The nearest directory, from an absolute one upwards, that has a ``.git``."""
    for candidate in (directory, *directory.parents):
        if (candidate / ".git").exists():
            return candidate
    return None


def layers_above(directory: Path) -> Layers:
    """What the repository says of `directory` (absolute): its exclude file and the ``.gitignore`` files above it.

    Empty where they ignore the directory itself: whoever names it wants it.
    """
    root = repository_root(directory)
    if root is None or root == directory:
        return _layer(root, _git_directory(root) / "info" / "exclude") if root else ()
    layers = _layer(root, _git_directory(root) / "info" / "exclude")
    inner = directory.relative_to(root).parts
    current = root
    for part in inner:
        layers += layer_of(current)
        current = current / part
        if ignored(current, True, layers):
            return ()
    return layers


def layer_of(directory: Path) -> Layers:
    """The patterns of the directory's own ``.gitignore``."""
    return _layer(directory, directory / ".gitignore")


def ignored(path: Path, is_directory: bool, layers: Layers) -> bool:
    """Whether git would ignore `path`; the deepest file with an opinion decides."""
    for base, spec in reversed(layers):
        name = path.relative_to(base).as_posix() + ("/" if is_directory else "")
        verdict = spec.check_file(name).include
        if verdict is not None:
            return verdict
    return False


def _layer(base: Path, file: Path) -> Layers:
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
    except ValueError:  # git skips a pattern that it cannot read
        return (Layer(base, GitIgnoreSpec.from_lines(line for line in lines if _readable(line))),)


def _readable(line: str) -> bool:
    from pathspec import GitIgnoreSpec

    try:
        GitIgnoreSpec.from_lines([line])
    except ValueError:
        return False
    return True


def _git_directory(root: Path) -> Path:
    """The directory that holds ``info/exclude``; in a worktree ``.git`` is a file that leads there."""
    marker = root / ".git"
    try:
        text = decode(read_regular(marker, 4096)).strip()
        if text.startswith("gitdir:"):
            own = root / text.removeprefix("gitdir:").strip()
            return own / decode(read_regular(own / "commondir", 4096)).strip()
    except (OSError, UnusableError):
        pass
    return marker

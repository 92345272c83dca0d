"""Writing a file so that it is never half-written: the new bytes beside it, then a rename."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path


class ChangedError(Exception):
    """Somebody else changed the file since it was read; it was not written."""


def write_atomically(path: Path, data: bytes, *, expected_old: bytes) -> None:
    """Put `data` in the place of `expected_old`. A symbolic link stays one: the file that it leads to is replaced.

    Mode and, where we may, ownership are kept. Hard links to the file keep the old bytes. Raises ChangedError when the
    file does not hold `expected_old`, OSError when it cannot be written; the file is as it was then, and nothing is
    left beside it.
    """
    real = _resolve(path)
    held, status = _read_regular(real)
    _refuse_protected(real)
    if held != expected_old:
        raise ChangedError("changed on disk since it was read")
    with _beside(real, data, status) as temporary:
        if _read_regular(real) != (expected_old, status):
            raise ChangedError("changed on disk while it was being written")
        temporary.replace(real)
    _sync_directory(real.parent)


def write_report(path: Path, data: bytes) -> None:
    """Write a whole file, new or in the place of another, whatever that one holds; never a part of it.

    A pipe or a device gets the bytes as they are. Raises OSError when the file cannot be written; it is as it was then.
    """
    real = _resolve(path, strict=False)
    try:
        found = path.stat()
    except FileNotFoundError:
        with _beside(real, data, None) as temporary:
            temporary.replace(real)
        return
    if not stat.S_ISREG(found.st_mode) or path.is_relative_to("/dev"):
        with path.open("wb") as file:
            file.write(data)
        return
    _, status = _read_regular(real)
    _refuse_protected(real)
    with _beside(real, data, status) as temporary:
        temporary.replace(real)


@contextlib.contextmanager
def _beside(real: Path, data: bytes, status: _Status | None) -> Iterator[Path]:
    """A file with `data` beside `real`, with the status given or that of a new file; gone in the end."""
    handle, name = tempfile.mkstemp(prefix=f".{real.name[:100]}.", suffix=".dockerslim", dir=real.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            if status is not None:
                _take_over(file.fileno(), status)
            elif hasattr(os, "fchmod"):
                os.umask(mask := os.umask(0))
                os.fchmod(file.fileno(), 0o666 & ~mask)
            os.fsync(file.fileno())
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _resolve(path: Path, *, strict: bool = True) -> Path:
    try:
        return path.resolve(strict=strict)
    except RuntimeError:  # before Python 3.13, for links that lead round in a circle
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path)) from None


def _refuse_protected(path: Path) -> None:
    """Raises PermissionError for a file that we may not write: a rename asks only whether the directory may be."""
    if not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, "no permission to write it; check its mode and owner", str(path))


class _Status(tuple[int, int, int, int, int]):
    """mode, user, group, device and inode of a file: what must be kept, and what shows that it is still the same."""

    __slots__ = ()


def _read_regular(path: Path) -> tuple[bytes, _Status]:
    with path.open("rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        status = _Status((stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid, found.st_dev, found.st_ino))
        return file.read(), status


def _take_over(handle: int, status: _Status) -> None:
    """Give the open file the owner and mode of the old one; who may not change the owner keeps what he gets."""
    mode, user, group, _, _ = status
    if hasattr(os, "fchown"):
        own = os.fstat(handle)
        if (own.st_uid, own.st_gid) != (user, group):
            with contextlib.suppress(PermissionError):
                os.fchown(handle, user, group)
        os.fchmod(handle, mode)  # after fchown, which clears set-id bits


def _sync_directory(directory: Path) -> None:
    """Make the rename last; some file systems refuse to sync a directory, and then it lasts as long as it does."""
    with contextlib.suppress(OSError):
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

"""Writing a file so that it is never half-written: the new bytes beside it, then a rename."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
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
    if held != expected_old:
        raise ChangedError("changed on disk since it was read")
    handle, name = tempfile.mkstemp(prefix=f".{real.name[:100]}.", suffix=".dockerslim", dir=real.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            _take_over(file.fileno(), status)
            os.fsync(file.fileno())
        if _read_regular(real) != (expected_old, status):
            raise ChangedError("changed on disk while it was being written")
        temporary.replace(real)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_directory(real.parent)


def _resolve(path: Path) -> Path:
    try:
        return path.resolve(strict=True)
    except RuntimeError:  # before Python 3.13, for links that lead round in a circle
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path)) from None


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

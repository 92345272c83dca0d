"""Reading files that somebody else put there: never hangs on a device, never reads without end."""

from __future__ import annotations

import errno
import os
import stat

DOCKERFILE_LIMIT = 64 * 1024 * 1024
CONTEXT_FILE_LIMIT = 16 * 1024 * 1024
_KINDS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)


class UnusableError(Exception):
    """A file that is there but is nothing to read; the text says what it is."""


def read_regular(path: str, limit: int) -> bytes:
    """The bytes of a regular file (or of what a link leads to). Raises OSError, UnusableError (other kind, over `limit` bytes)."""
    # O_NONBLOCK: opening a FIFO nobody writes to would wait for ever
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        raise UnusableError(kind_of(mode))
    with os.fdopen(descriptor, "rb") as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise UnusableError(f"larger than {limit // (1024 * 1024)} MiB")
    return data


def kind_of(mode: int) -> str:
    """What a file of this mode is, with its article."""
    return next((name for test, name in _KINDS if test(mode)), "not a regular file")


def reason(error: OSError) -> str:
    """An operating system's error in a few words, and what to do about it."""
    advice = {
        errno.EACCES: "no permission to read it; check its mode and owner",
        errno.EPERM: "no permission to read it; check its mode and owner",
        errno.ENOENT: "does not exist",
        errno.ENOTDIR: "does not exist (a part of the path is a file)",
        errno.ELOOP: "a symbolic link that leads to itself; remove it",
        errno.ENAMETOOLONG: "the name is too long",
        errno.ENXIO: "a socket or device, nothing to read",
    }
    return advice.get(error.errno or 0) or (error.strerror or str(error)).lower()

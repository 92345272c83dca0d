"""Blobs of an OCI image layout: found by digest, measured, verified as they are read."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import stat
from pathlib import Path
from typing import Any, Protocol

from dockerslim_lint.record import Record

JSON_LIMIT = 16 * 1024 * 1024
"""No manifest, index or config is larger; registries refuse manifests above 4 MiB."""

_DIGEST = re.compile(r"(sha256):([0-9a-f]{64})|(sha512):([0-9a-f]{128})")
_CHUNK = 1 << 20


class LayoutError(Exception):
    """An image layout is broken, incomplete or hostile; the message is one line for people."""


class Descriptor(Record):
    """A reference to a blob. `platform` is the descriptor's own ``platform`` object as it stands in the index, or None."""

    media_type: str
    digest: str
    size: int
    platform: dict[str, Any] | None
    annotations: dict[str, Any]


class Readable(Protocol):
    """All that is asked of a stream of bytes: short reads are allowed, b"" is the end."""

    def read(self, size: int, /) -> bytes: ...


def read_descriptor(value: object, where: str) -> Descriptor:
    """The descriptor in a parsed JSON `value`; `where` names the place in errors. Raises LayoutError."""
    if not isinstance(value, dict):
        raise LayoutError(f"{where}: a descriptor is no object")
    digest, size, media_type = value.get("digest"), value.get("size"), value.get("mediaType", "")
    if not isinstance(digest, str) or _DIGEST.fullmatch(digest) is None:
        raise LayoutError(f"{where}: no usable digest: {str(digest)[:80]!r}")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise LayoutError(f"{where}: {digest[:19]} has no usable size: {str(size)[:40]!r}")
    if not isinstance(media_type, str):
        raise LayoutError(f"{where}: {digest[:19]} has a media type that is no text")
    platform, annotations = value.get("platform"), value.get("annotations")
    return Descriptor(
        media_type,
        digest,
        size,
        platform if isinstance(platform, dict) else None,
        annotations if isinstance(annotations, dict) else {},
    )


def parse_json(data: bytes, where: str) -> dict[str, Any]:
    """The JSON object in `data`. Raises LayoutError for anything else."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise LayoutError(f"{where}: is not JSON") from None
    if not isinstance(value, dict):
        raise LayoutError(f"{where}: is no JSON object")
    return value


def open_regular(path: Path, name: str) -> io.BufferedReader:
    """`path` opened for reading if it is a regular file (no link, no pipe). Raises LayoutError, calling it `name`."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        raise LayoutError(f"{name}: is missing") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "cannot be opened"
        raise LayoutError(f"{name}: cannot be read: {reason}") from None
    file = os.fdopen(handle, "rb")
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        file.close()
        raise LayoutError(f"{name}: is no regular file")
    return file


class BlobReader:
    """One blob as a stream that is hashed on the way; use as a context manager.

    `finish` reads what is left and raises LayoutError unless the digest is right. Without `finish` nothing was verified.
    """

    def __init__(self, file: io.BufferedReader, descriptor: Descriptor, verified: set[str]) -> None:
        self._file = file
        self._descriptor = descriptor
        self._verified = verified
        self._hash = None if descriptor.digest in verified else hashlib.new(descriptor.digest.partition(":")[0])

    def __enter__(self) -> BlobReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes, b"" at the end."""
        try:
            data = self._file.read(max(size, 0))
        except OSError as error:
            raise LayoutError(f"blob {self._descriptor.digest[:19]}: cannot be read: {error.strerror}") from None
        if self._hash is not None:
            self._hash.update(data)
        return data

    def finish(self) -> None:
        """Read the rest, compare the digest."""
        if self._hash is None:
            return
        while self.read(_CHUNK):
            pass
        digest = self._descriptor.digest
        if self._hash.hexdigest() != digest.partition(":")[2]:
            raise LayoutError(f"blob {digest[:19]}: its bytes do not match its digest")
        self._verified.add(digest)


class Blobs:
    """The blobs of the layout in the directory `root`. Thread-safe as far as different blobs are read."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._verified: set[str] = set()

    def open(self, descriptor: Descriptor) -> BlobReader:
        """A stream of the blob. Raises LayoutError when it is missing or not of the size that was declared."""
        algorithm, _, name = descriptor.digest.partition(":")
        label = f"blob {descriptor.digest[:19]}"
        file = open_regular(self.root / "blobs" / algorithm / name, label)
        size = os.fstat(file.fileno()).st_size
        if size != descriptor.size:
            file.close()
            raise LayoutError(f"{label}: has {size} bytes, its descriptor says {descriptor.size}")
        return BlobReader(file, descriptor, self._verified)

    def json(self, descriptor: Descriptor) -> dict[str, Any]:
        """The verified JSON object in a blob. Raises LayoutError."""
        label = f"blob {descriptor.digest[:19]}"
        if descriptor.size > JSON_LIMIT:
            raise LayoutError(f"{label}: {descriptor.size} bytes are too many for a manifest or a config")
        with self.open(descriptor) as reader:
            data = reader.read(descriptor.size)
            reader.finish()
        return parse_json(data, label)

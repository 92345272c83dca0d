"""Layers: their bytes unpacked, verified, indexed and measured in one pass each, never held in memory."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import IO, cast

import zstandard

from dockerslim_lint.record import Record
from dockerslim_lint.verify.blobs import Blobs, Descriptor, LayoutError, Readable
from dockerslim_lint.verify.tar import TarReader

UNPACKED_LIMIT = 64 * 1024**3
"""Bytes that one layer may unpack to: far above any image, far below for ever."""
ENTRY_LIMIT = 4_000_000
ZSTD_LEVEL = 1
"""The level of our own compression, by which both sides of a comparison are measured. On base images it comes nearer to what
registries hold (gzip at level 6: 2 % more to 9 % less) than gzip at level 1, in a quarter of the time: a fat original holds gigabytes."""

KEPT_ENTRIES = 1_000_000
"""Members of layers that are kept for other images with the same layer (some 500 bytes each)."""

_CHUNK = 1 << 18
_WINDOW_LIMIT = 1 << 27
_KINDS = {"0": "file", "1": "link", "2": "symlink", "3": "character", "4": "block", "5": "directory", "6": "fifo"}


class Kind(Enum):
    """What a path in a layer or an image is; LINK (a hard link) is seen in layers only."""

    FILE = "file"
    DIRECTORY = "directory"
    SYMLINK = "symlink"
    LINK = "link"
    CHARACTER = "character"
    BLOCK = "block"
    FIFO = "fifo"


class LayerEntry(Record):
    """One member of a layer: cleaned path parts, never ``.``, ``..`` or empty. `ordinal` counts the tar's members from 0."""

    parts: tuple[str, ...]
    kind: Kind
    mode: int
    uid: int
    gid: int
    size: int
    target: str
    ordinal: int


class LayerSize(Record):
    """`unpacked`: bytes of the regular files in it; `compressed`: its tar under our own compression."""

    diff_id: str
    unpacked: int
    compressed: int


class Scan(Record):
    """What one pass over a layer tells."""

    size: LayerSize
    entries: tuple[LayerEntry, ...]


def clean_parts(path: str) -> tuple[str, ...]:
    """The components of `path` as seen from the image's root: ``..`` never leads above it."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            if parts:
                parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return tuple(parts)


class _Gunzip:
    """All members of a gzip stream (estargz and pigz write several); zero padding after the last one is let pass."""

    def __init__(self, source: Readable, where: str) -> None:
        self._source = source
        self._where = where
        self._inflate = zlib.decompressobj(31)
        self._pending = b""

    def read(self, size: int, /) -> bytes:
        while True:
            if self._inflate.eof:
                self._pending = self._inflate.unused_data.lstrip(b"\0") or self._next_member()
                if not self._pending:
                    return b""
                self._inflate = zlib.decompressobj(31)
            data = self._pending or self._source.read(_CHUNK)
            if not data:
                raise LayoutError(f"{self._where}: its gzip stream is cut off")
            try:
                unpacked = self._inflate.decompress(data, max(size, 1))
            except zlib.error:
                raise LayoutError(f"{self._where}: its gzip stream is broken") from None
            self._pending = self._inflate.unconsumed_tail
            if unpacked:
                return unpacked

    def _next_member(self) -> bytes:
        while data := self._source.read(_CHUNK):
            if data := data.lstrip(b"\0"):
                return data
        return b""


class _Unzstd:
    """All frames of a zstd stream; skippable ones (the tables of zstd:chunked) hold nothing."""

    def __init__(self, source: Readable, where: str) -> None:
        self._where = where
        decompressor = zstandard.ZstdDecompressor(max_window_size=_WINDOW_LIMIT)
        self._reader = decompressor.stream_reader(cast(IO[bytes], source), read_across_frames=True)

    def read(self, size: int, /) -> bytes:
        try:
            return self._reader.read(size)
        except zstandard.ZstdError:
            raise LayoutError(f"{self._where}: its zstd stream is broken") from None


class _Prefixed:
    """A stream whose first bytes were already taken."""

    def __init__(self, head: bytes, rest: Readable) -> None:
        self._head = head
        self._rest = rest

    def read(self, size: int, /) -> bytes:
        if self._head:
            data, self._head = self._head[:size], self._head[size:]
            return data
        return self._rest.read(size)


def unpack(source: Readable, where: str) -> Readable:
    """`source` without its compression, which its first bytes tell (media types of real layers are not to be trusted)."""
    head = b""
    while len(head) < 4 and (data := source.read(4 - len(head))):
        head += data
    stream = _Prefixed(head, source)
    if head[:2] == b"\x1f\x8b":
        return _Gunzip(stream, where)
    if head == b"\x28\xb5\x2f\xfd" or (head[1:] == b"\x2a\x4d\x18" and head[0] & 0xF0 == 0x50):
        return _Unzstd(stream, where)
    if head[:3] in (b"BZh", b"\xfd7z"):
        raise LayoutError(f"{where}: is compressed in a way that image layers do not use")
    return stream


class _Counted:
    """An unpacked stream that is limited and, where asked, hashed and compressed on its way."""

    def __init__(self, source: Readable, where: str, hash: bool, compress: bool) -> None:
        self._source = source
        self._where = where
        self._hash = hashlib.sha256() if hash else None
        self._compress = zstandard.ZstdCompressor(level=ZSTD_LEVEL).compressobj() if compress else None
        self._total = 0
        self.compressed = 0

    def read(self, size: int, /) -> bytes:
        data = self._source.read(min(size, _CHUNK))
        self._total += len(data)
        if self._total > UNPACKED_LIMIT:
            raise LayoutError(f"{self._where}: unpacks to more than {UNPACKED_LIMIT // 1024**3} GiB")
        if self._hash is not None:
            self._hash.update(data)
        if self._compress is not None:
            self.compressed += len(self._compress.compress(data))
        return data

    def finish(self) -> None:
        """Read the rest; afterwards `diff_id` and `compressed` are final."""
        while self.read(_CHUNK):
            pass
        if self._compress is not None:
            self.compressed += len(self._compress.flush())
            self._compress = None

    @property
    def diff_id(self) -> str:
        return f"sha256:{self._hash.hexdigest()}" if self._hash is not None else ""


_SCANNED: dict[tuple[str, str], Scan] = {}


class Layer:
    """One layer of an image. `diff_id` is what the config says of its tar, "" where the config has none.

    Everything that reads raises LayoutError for a blob that is missing, broken, or not what its digests say.
    """

    def __init__(self, blobs: Blobs, descriptor: Descriptor, diff_id: str) -> None:
        self.descriptor = descriptor
        self.diff_id = diff_id
        self._blobs = blobs
        self._where = f"layer {descriptor.digest[:19]}"

    @contextmanager
    def _open(self) -> Iterator[Readable]:
        with self._blobs.open(self.descriptor) as blob:
            yield _Counted(unpack(blob, self._where), self._where, hash=False, compress=False)

    def scan(self) -> Scan:
        """All members, in order, and its sizes, in one verified pass; kept for other images with the same layer."""
        key = (self.descriptor.digest, self.diff_id)
        known = _SCANNED.get(key)
        if known is not None:
            return known
        with self._blobs.open(self.descriptor) as blob:
            stream = unpack(blob, self._where)
            # an uncompressed blob is what its digest says; that of a large one is not worked out twice
            same = isinstance(stream, _Prefixed) and self.diff_id == self.descriptor.digest
            counted = _Counted(stream, self._where, hash=not same, compress=True)
            entries = tuple(self._entries(TarReader(counted, self._where)))
            counted.finish()
            blob.finish()
        diff_id = self.diff_id if same else counted.diff_id
        if self.diff_id.startswith("sha256:") and diff_id != self.diff_id:
            raise LayoutError(f"{self._where}: does not unpack to the {self.diff_id[:19]} that its config names")
        size = LayerSize(self.diff_id or diff_id, sum(entry.size for entry in entries), counted.compressed)
        if sum(len(one.entries) for one in list(_SCANNED.values())) > KEPT_ENTRIES:
            _SCANNED.clear()
        scan = _SCANNED[key] = Scan(size, entries)
        return scan

    def contents(self, limits: dict[int, int]) -> dict[int, bytes]:
        """The first bytes of the files with these ordinals (ordinal → most bytes wanted), read no further than needed."""
        found: dict[int, bytes] = {}
        with self._open() as stream:
            reader = TarReader(stream, self._where)
            for ordinal, _ in enumerate(reader.members()):
                if ordinal in limits:
                    found[ordinal] = reader.content(limits[ordinal])
                    if len(found) == len(limits):
                        break
        return found

    def _entries(self, reader: TarReader) -> Iterable[LayerEntry]:
        for ordinal, member in enumerate(reader.members()):
            if ordinal >= ENTRY_LIMIT:
                raise LayoutError(f"{self._where}: has more than {ENTRY_LIMIT} entries")
            kind = _KINDS.get(member.type)
            if kind is not None:
                parts = clean_parts(member.name)
                yield LayerEntry(
                    parts, Kind(kind), member.mode, member.uid, member.gid, member.size, member.target, ordinal
                )

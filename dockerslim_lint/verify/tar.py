"""A tar stream read once, front to back, within fixed memory.

The standard library's reader trusts the sizes of extended headers, follows chains of them by recursion and keeps every
member; a layer is somebody else's file, so this one has limits instead. It reads what image builders write: ustar, GNU
long names, pax records.
"""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.record import Record
from dockerslim_lint.source import decode
from dockerslim_lint.verify.blobs import LayoutError, Readable

BLOCK = 512
EXTENDED_LIMIT = 1 << 20
"""Bytes of extended headers (pax, GNU long names) that may stand before one member."""
NAME_LIMIT = 4096
"""PATH_MAX: no system could unpack a longer name."""
_CHUNK = 1 << 18
_HEADER_ONLY = frozenset("123456")
_ZERO = bytes(BLOCK)


class Member(Record):
    """One member. `type` is the tar type flag (``0`` file, ``1`` hard link, ``2`` symlink, ``5`` directory …); a file's is always ``0``."""

    name: str
    type: str
    mode: int
    uid: int
    gid: int
    size: int
    target: str


class TarReader:
    """The members of a tar stream; while a member is current, `data` gives its bytes, what is not read is skipped."""

    def __init__(self, stream: Readable, where: str) -> None:
        self._stream = stream
        self._where = where
        self._left = 0
        self._padding = 0
        self._globals: dict[str, str] = {}

    def members(self) -> Iterator[Member]:
        """Members in the order of the stream. Raises LayoutError for anything that is not a sound tar."""
        while (member := self._next()) is not None:
            yield member

    def data(self) -> Iterator[bytes]:
        """What is left of the current member's bytes, in chunks."""
        while self._left:
            chunk = self._stream.read(min(self._left, _CHUNK))
            if not chunk:
                raise self._error("ends within a file")
            self._left -= len(chunk)
            yield chunk

    def content(self, limit: int) -> bytes:
        """The first `limit` bytes of the current member."""
        parts = bytearray()
        for chunk in self.data():
            parts += chunk
            if len(parts) >= limit:
                break
        return bytes(parts[:limit])

    def _error(self, what: str) -> LayoutError:
        return LayoutError(f"{self._where}: the tar stream {what}")

    def _exact(self, size: int) -> bytes:
        """`size` bytes, fewer only at the end of the stream."""
        parts = bytearray()
        while len(parts) < size:
            chunk = self._stream.read(size - len(parts))
            if not chunk:
                break
            parts += chunk
        return bytes(parts)

    def _skip(self) -> None:
        for _ in self.data():
            pass
        if self._padding and len(self._exact(self._padding)) < self._padding:
            raise self._error("ends within a file")
        self._padding = 0

    def _next(self) -> Member | None:
        extended = 0
        records: dict[str, str] = {}
        while True:
            self._skip()
            header = self._exact(BLOCK)
            if not header or header == _ZERO:
                return None
            if len(header) < BLOCK:
                raise self._error("ends within a header")
            if not _checksum_holds(header):
                raise self._error("has a broken header")
            kind = chr(header[156])
            size = self._number(header[124:136])
            self._left, self._padding = size, -size % BLOCK
            if kind not in "xgLKX":
                return self._member(header, kind, size, records)
            extended += size + BLOCK
            if extended > EXTENDED_LIMIT:
                raise self._error("has an extended header that is too large")
            body = self.content(size)
            if kind == "L":
                records["path"] = decode(body.split(b"\0", 1)[0])
            elif kind == "K":
                records["linkpath"] = decode(body.split(b"\0", 1)[0])
            elif kind == "g":
                self._globals.update((key, value) for key, value in self._pax(body) if key in _USED)
            else:
                records.update((key, value) for key, value in self._pax(body) if key in _USED)

    def _member(self, header: bytes, kind: str, size: int, own: dict[str, str]) -> Member:
        records = {**self._globals, **own}
        if kind == "S" or any(key.startswith("GNU.sparse") for key in records):
            raise self._error("has a sparse file, which image layers do not hold")
        name = _text(header[0:100])
        if header[257:263] == b"ustar\0" and (prefix := _text(header[345:500])):
            name = f"{prefix}/{name}"
        name = records.get("path", name)
        target = records.get("linkpath", _text(header[157:257]))
        if len(name) > NAME_LIMIT or len(target) > NAME_LIMIT:
            raise self._error(f"has a name of more than {NAME_LIMIT} characters")
        if kind in "\x007":
            kind = "0"
        if kind == "0" and name.endswith("/"):
            kind = "5"  # as the oldest tars wrote directories
        if kind in _HEADER_ONLY:
            size = 0
        elif "size" in records:
            size = self._decimal(records["size"])
        self._left, self._padding = size, -size % BLOCK
        uid = self._decimal(records["uid"]) if "uid" in records else self._number(header[108:116])
        gid = self._decimal(records["gid"]) if "gid" in records else self._number(header[116:124])
        return Member(name, kind, self._number(header[100:108]) & 0o7777, uid, gid, size, target)

    def _decimal(self, text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 20):
            raise self._error("has a number that is none")
        return int(text)

    def _number(self, field: bytes) -> int:
        if field[0] & 0x80:
            value = int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
            if field[0] & 0x40 or value >= 1 << 63:
                raise self._error("has a number that is out of range")
            return value
        digits = field.strip(b" \0").split(b"\0", 1)[0].strip()
        if not digits:
            return 0
        if digits.strip(b"01234567"):
            raise self._error("has a number that is none")
        return int(digits, 8)

    def _pax(self, body: bytes) -> Iterator[tuple[str, str]]:
        at = 0
        while at < len(body):
            space = body.find(b" ", at, at + 8)
            digits = body[at:space] if space > 0 else b""
            length = int(digits) if digits.isdigit() else 0
            record = body[space + 1 : at + length]
            if length <= len(digits) + 1 or at + length > len(body) or not record.endswith(b"\n") or b"=" not in record:
                raise self._error("has a broken extended header")
            key, _, value = record[:-1].partition(b"=")
            if key.startswith(b"GNU.sparse"):
                key = b"GNU.sparse"
            yield decode(key), decode(value)
            at += length


_USED = frozenset({"path", "linkpath", "size", "uid", "gid", "GNU.sparse"})


def _text(field: bytes) -> str:
    return decode(field.split(b"\0", 1)[0])


def _checksum_holds(header: bytes) -> bool:
    digits = header[148:156].strip(b" \0")
    if not digits or digits.strip(b"01234567"):
        return False
    return int(digits, 8) == sum(header[:148]) + 8 * 32 + sum(header[156:])

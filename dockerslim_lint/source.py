"""The bytes of one file, and where things are in them."""

from __future__ import annotations

from bisect import bisect_right

from dockerslim_lint.record import Record

UTF8_BOM = b"\xef\xbb\xbf"


class Span(Record):
    """A half-open range of byte offsets into a file: ``data[start:end]``."""

    start: int
    end: int


class Position(Record):
    """A place as people and editors count it: both 1-based, columns in characters."""

    line: int
    column: int


def decode(data: bytes) -> str:
    """UTF-8 text; bytes that are not UTF-8 survive as lone surrogates (`encode` brings them back)."""
    return data.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """The inverse of `decode`."""
    return text.encode("utf-8", "surrogateescape")


class Source:
    """A file's bytes, kept as they are. All offsets are byte offsets into `data`, the BOM included.

    `path` is the name as the user gave it (``-`` for standard input). Lines end with ``\\n``; a ``\\r`` before it
    belongs to the line's end.
    """

    __slots__ = ("_line_starts", "bom", "data", "path")

    def __init__(self, data: bytes, path: str = "Dockerfile") -> None:
        self.data = data
        self.path = path
        self.bom = data.startswith(UTF8_BOM)
        self._line_starts: tuple[int, ...] | None = None

    @property
    def newline(self) -> str:
        """The newline that new lines get: that of the file's first line."""
        end = self.data.find(b"\n")
        return "\r\n" if end > 0 and self.data[end - 1 : end] == b"\r" else "\n"

    @property
    def line_starts(self) -> tuple[int, ...]:
        """Offset of the first byte of each line; a file that ends with a newline has an empty last line."""
        if self._line_starts is None:
            starts = [0]
            find = self.data.find
            at = find(b"\n")
            while at >= 0:
                starts.append(at + 1)
                at = find(b"\n", at + 1)
            self._line_starts = tuple(starts)
        return self._line_starts

    def line_of(self, offset: int) -> int:
        """1-based number of the line that holds the byte at `offset`."""
        return bisect_right(self.line_starts, max(offset, 0))

    def line_span(self, line: int) -> Span:
        """The bytes of a 1-based line without its newline (and without the ``\\r`` before it)."""
        starts = self.line_starts
        start = starts[line - 1]
        end = starts[line] - 1 if line < len(starts) else len(self.data)
        if end > start and self.data[end - 1 : end] == b"\r":
            end -= 1
        return Span(start, end)

    def line_text(self, line: int) -> str:
        """The text of a 1-based line, without newline and BOM."""
        start, end = self.line_span(line)
        if line == 1 and self.bom:
            start += len(UTF8_BOM)
        return decode(self.data[start:end])

    def text(self, span: Span) -> str:
        """The decoded bytes of `span`."""
        return decode(self.data[span.start : span.end])

    def position(self, offset: int) -> Position:
        """Line and column (characters, the BOM not counted) of a byte offset."""
        line = self.line_of(offset)
        start = self.line_starts[line - 1]
        if line == 1 and self.bom:
            start = min(offset, len(UTF8_BOM))
        return Position(line, len(decode(self.data[start:offset])) + 1)

    def offset(self, position: Position) -> int:
        """Byte offset of a 1-based position; a column past the line's end means its end. Raises ValueError for a line that is not there."""
        if not 1 <= position.line <= len(self.line_starts):
            raise ValueError(f"{self.path} has no line {position.line}")
        start, _ = self.line_span(position.line)
        if position.line == 1 and self.bom:
            start += len(UTF8_BOM)
        return start + len(encode(self.line_text(position.line)[: max(position.column - 1, 0)]))

    def utf16(self, offset: int) -> tuple[int, int]:
        """Zero-based line and UTF-16 column of a byte offset, as language servers count."""
        line, column = self.position(offset)
        before = self.line_text(line)[: column - 1]
        return line - 1, len(before.encode("utf-16-le", "surrogatepass")) // 2

    def offset_of_utf16(self, line: int, column: int) -> int:
        """The inverse of `utf16`; a column inside a surrogate pair means the character's start."""
        text = self.line_text(line + 1)
        units = 0
        for index, char in enumerate(text):
            width = 2 if ord(char) > 0xFFFF else 1
            if units + width > column:
                return self.offset(Position(line + 1, index + 1))
            units += width
        return self.offset(Position(line + 1, len(text) + 1))

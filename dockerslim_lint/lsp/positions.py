"""Byte offsets and the positions of the protocol, in whichever unit the client counts."""

from __future__ import annotations

from lsprotocol import types

from dockerslim_lint.edit import Edit
from dockerslim_lint.source import Source, Span, decode, encode

UTF16 = "utf-16"
"""What clients count in that do not say otherwise."""


class Positions:
    """One text with the unit in which the client counts the columns of a line: ``utf-8``, ``utf-16`` or ``utf-32``.

    Lines end with ``\\n``, as in `Source`. The protocol lets a lone ``\\r`` end a line too; Neovim and Emacs do not count it,
    and VS Code never sends one. A byte order mark is a character of the text, if the client sends one.
    """

    def __init__(self, source: Source, unit: str = UTF16) -> None:
        self.source = source
        self.unit = unit

    def position(self, offset: int) -> types.Position:
        """The position of a byte offset."""
        line = self.source.line_of(offset)
        start = self.source.line_starts[line - 1]
        return types.Position(line - 1, self._width(decode(self.source.data[start:offset])))

    def range(self, span: Span) -> types.Range:
        """The range of a span."""
        return types.Range(self.position(span.start), self.position(span.end))

    def offset(self, position: types.Position) -> int:
        """The byte offset of a position; past a line's end is its end, past the last line the end of the text.

        A column inside of a character means the character's start.
        """
        starts = self.source.line_starts
        if position.line >= len(starts):
            return len(self.source.data)
        start, end = self.source.line_span(position.line + 1)
        if self.unit == "utf-8":
            at = min(start + position.character, end)
            while start < at < end and self.source.data[at] & 0xC0 == 0x80:
                at -= 1
            return at
        left, taken = position.character, 0
        text = decode(self.source.data[start:end])
        for char in text:
            left -= self._width(char)
            if left < 0:
                break
            taken += 1
        return start + len(encode(text[:taken]))

    def span(self, given: types.Range) -> Span:
        """The bytes of a range."""
        start, end = self.offset(given.start), self.offset(given.end)
        return Span(min(start, end), max(start, end))

    def text_edit(self, edit: Edit) -> types.TextEdit:
        """An edit as the protocol has it."""
        return types.TextEdit(self.range(Span(edit.start, edit.end)), edit.text)

    def _width(self, text: str) -> int:
        match self.unit:
            case "utf-8":
                return len(encode(text))
            case "utf-32":
                return len(text)
            case _:
                return len(text) + sum(char > "\uffff" for char in text)

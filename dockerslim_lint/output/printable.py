"""Text that came from a file, made safe for a terminal, and how many columns it takes there."""

from __future__ import annotations

from dockerslim_lint.source import encode

TAB = 4
"""Columns between tab stops in the source lines shown."""


def printable(text: str) -> str:
    """`text` with everything that a terminal would not print as itself (controls, escapes, bidi marks) written as ``\\x1b``."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def cells(text: str) -> list[str]:
    """What is shown for each character of a source line: itself, spaces for a tab, or its escape."""
    if text.isprintable():
        return list(text)
    shown: list[str] = []
    column = 0
    for char in text:
        if char == "\t":
            cell = " " * (TAB - column % TAB)
        else:
            cell = char if char.isprintable() else _escaped(char)
        shown.append(cell)
        column += width(cell)
    return shown


def width(text: str) -> int:
    """Terminal columns of printable `text`: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)


def wrap(text: str, columns: int, indent: str = "", hanging: str | None = None) -> list[str]:
    """`text` in lines of at most `columns`, the first behind `indent`, the others behind `hanging`; a longer word stays whole."""
    lines: list[str] = []
    current = indent
    used = width(indent)
    empty = True
    for word in text.split():
        room = width(word)
        if not empty and used + 1 + room > columns:
            lines.append(current)
            current = indent if hanging is None else hanging
            used = width(current)
            empty = True
        current += word if empty else " " + word
        used += room if empty else 1 + room
        empty = False
    lines.append(current)
    return lines


def _escaped(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:
        return "".join(f"\\x{byte:02x}" for byte in encode(char))
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"

"""``--name=value`` in front of an instruction's arguments (BuildKit's ``extractBuilderFlags``)."""

from __future__ import annotations

from dockerslim_lint.syntax.tree import Flag, LogicalText
from dockerslim_lint.syntax.words import Chars, read_word

_BYTE_SPACES = " \t\n\v\f\r\x85\xa0"
"""BuildKit reads flags byte by byte: here, and only here, the bytes 0x85 and 0xA0 are white space to it."""


def read_flags(
    line: LogicalText, raw: str, at: int, end: int, escape: str
) -> tuple[list[tuple[Flag, str, str | None]], int]:
    """The flags at ``raw[at:end]`` (the bytes of `line` as latin-1), and the index where the arguments begin.

    Each flag comes with its text as BuildKit compares it (quotes and escapes removed) and the complaint about its value.
    """
    flags: list[tuple[Flag, str, str | None]] = []
    while True:
        while at < end and raw[at] in _BYTE_SPACES:
            at += 1
        if at >= end or not raw.startswith("--", at, end):
            return flags, at
        chars, behind = _read_flag(line, raw, at, end, escape)
        if chars.text == "--":
            return flags, behind
        flags.append(_flag(chars, at, behind, escape))
        at = behind


def _read_flag(line: LogicalText, raw: str, at: int, end: int, escape: str) -> tuple[Chars, int]:
    text: list[str] = []
    starts: list[int] = []
    quote = ""
    first = at
    while at < end:
        char = raw[at]
        if quote:
            if char == quote:
                quote = ""
                at += 1
                continue
        elif char in _BYTE_SPACES:
            break
        elif char in "'\"":
            quote = char
            at += 1
            continue
        if char == escape:
            at += 1
            if at == end:
                break
            char = raw[at]
        text.append(char)
        starts.append(at)
        at += 1
    return Chars(line, "".join(text), first, starts, [start + 1 for start in starts]), at


def _flag(chars: Chars, start: int, end: int, escape: str) -> tuple[Flag, str, str | None]:
    span = chars.line.span(start, end)
    name, equals, _ = chars.text.partition("=")
    if not equals:
        return Flag(name[2:], None, span), chars.text, None
    value, error = read_word(chars.cut(len(name) + 1, len(chars.text)), escape)
    return Flag(name[2:], value, span), chars.text, error

"""Lines as BuildKit reads them, over text in which one character is one byte.

The parser reads a file decoded as latin-1, so that every index is a byte offset. Go trims *Unicode* white space, which in
such text is a sequence of characters; Python's own `str.strip` would take the bytes 0x85 and 0xA0 for white space.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from dockerslim_lint.syntax.tree import LogicalText

BLANKS = " \t\n\v\f\r"
"""The ASCII white space of Go's ``unicode.IsSpace``."""

SPACES = frozenset(
    BLANKS
    + "\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
"""All characters that Go's ``unicode.IsSpace`` accepts."""

_ASCII_SPACE = re.compile(r"[\t-\r ]*")
# rare, and dear to compile: left to `re`, which keeps it from its first use on
_ANY_SPACE = r"(?:[\t-\r ]|\xc2[\x85\xa0]|\xe1\x9a\x80|\xe2\x80[\x80-\x8a\xa8\xa9\xaf]|\xe2\x81\x9f|\xe3\x80\x80)*"
_ENCODED_SPACES = tuple(space.encode().decode("latin-1") for space in SPACES if space > "\x7f")


def skip_space(text: str, start: int, end: int) -> int:
    """Index of the first character in ``text[start:end]`` (latin-1) that is not UTF-8 encoded white space, else `end`."""
    match = _ASCII_SPACE.match(text, start, end)
    at = match.end() if match else start
    if at < end and text[at] > "\x7f":
        match = re.compile(_ANY_SPACE).match(text, at, end)
        return match.end() if match else at
    return at


def trim(text: str, start: int, end: int) -> tuple[int, int]:
    """``text[start:end]`` (latin-1) without outer white space, as Go's ``strings.TrimSpace`` cuts it."""
    start = skip_space(text, start, end)
    while end > start:
        last = text[end - 1]
        if last in BLANKS:
            end -= 1
        elif last >= "\x80" and (space := _space_before(text, start, end)):
            end -= len(space)
        else:
            break
    return start, end


def _space_before(text: str, start: int, end: int) -> str:
    return next((space for space in _ENCODED_SPACES if text.endswith(space, start, end)), "")


def line_end(text: str, start: int) -> int:
    """Index behind the newline of the line that begins at `start`."""
    return text.find("\n", start) + 1 or len(text)


def content_end(text: str, start: int, end: int) -> int:
    """Index behind the last character of ``text[start:end]`` that is neither ``\\r`` nor ``\\n``."""
    while end > start and text[end - 1] in "\r\n":
        end -= 1
    return end


def continued(text: str, start: int, end: int, escape: str) -> int:
    """Where a line ends that goes on in the next one (its escape character is cut off), else -1.

    An escape character behind another one does not continue the line, even if that one is escaped itself: BuildKit looks at two characters only.
    """
    while end > start and text[end - 1] in " \t":
        end -= 1
    if end > start and text[end - 1] == escape and (end - 1 == start or text[end - 2] != escape):
        return end - 1
    return -1


def logical_line(text: str, start: int, end: int, escape: str) -> tuple[str, list[tuple[int, int]], int]:
    """The logical line whose first line is ``text[start:end]`` (newline included; `start` behind its white space).

    Returns its text, its segments as in `LogicalText`, and the index behind its last line. Comments and empty lines
    between its parts are gone.
    """
    stop = content_end(text, start, end)
    cut = continued(text, start, stop, escape)
    if cut < 0:
        return text[start:stop], [(0, start)], end
    parts = [text[start:cut]]
    segments = [(0, start)]
    size = cut - start
    total = len(text)
    find = text.find
    while end < total:
        start = end
        end = find("\n", start) + 1 or total
        stop = content_end(text, start, end)
        first = skip_space(text, start, stop)
        if first == stop or text[first] == "#":
            continue
        cut = continued(text, start, stop, escape)
        piece = text[start:stop] if cut < 0 else text[start:cut]
        if piece:
            parts.append(piece)
            segments.append((size, start))
            size += len(piece)
        if cut < 0:
            break
    return "".join(parts), segments, end


def cut_text(text: LogicalText, start: int, end: int) -> LogicalText:
    """``text.data[start:end]`` with its places; an empty slice keeps the place where it stands."""
    data = text.data[start:end]
    if not data or len(text.segments) == 1:
        return LogicalText(data, ((0, text.offset(start)),))
    segments = [(0, text.offset(start))]
    starts = [at for at, _ in text.segments]
    for at, offset in text.segments[bisect_right(starts, start) : bisect_right(starts, end - 1)]:
        segments.append((at - start, offset))
    return LogicalText(data, tuple(segments))

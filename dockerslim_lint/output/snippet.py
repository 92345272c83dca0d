"""Source lines with the places of a finding marked under them."""

from __future__ import annotations

from collections.abc import Sequence

from dockerslim_lint.finding import Finding, Severity
from dockerslim_lint.output.interface import Line, Piece
from dockerslim_lint.output.printable import cells, printable, width, wrap
from dockerslim_lint.record import Record
from dockerslim_lint.source import Position, Source, Span

_INDENT = "  "
_CUT = "…"
SEVERITY_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "bold magenta", Severity.INFO: "bold cyan"}
"""gcc's. Plain yellow cannot be read on white, nor blue on black (looked at in an xterm); the word stands beside the colour."""


class _Mark(Record):
    """A marked part of one line: character columns, 1-based, `end` exclusive."""

    start: int
    end: int
    char: str
    note: str
    style: str


def snippet(source: Source, finding: Finding, columns: int) -> list[Line]:
    """The lines of the finding and of its labels, in line order, each mark with its note.

    One line between two marked ones is shown, more become ``...``. Of a place that spans several lines the first is marked.
    """
    style = SEVERITY_STYLES[finding.severity]
    marks: dict[int, list[_Mark]] = {}
    places = [(finding.span, "^", finding.note, style)]
    places += [(label.span, "-", label.text, "bold") for label in finding.labels]
    for span, char, note, mark_style in places:
        line, mark = _mark(source, span, char, note, mark_style)
        if mark not in marks.setdefault(line, []):
            marks[line].append(mark)
    gutter = max(len(str(max(marks))), 2)
    lines: list[Line] = []
    previous = None
    for number in sorted(marks):
        if previous is not None and number - previous == 2:
            lines += _source_line(source, number - 1, [], gutter, columns)
        elif previous is not None and number - previous > 2:
            lines.append((Piece(f"{_INDENT}{'':>{gutter}}...", "dim"),))
        lines += _source_line(source, number, sorted(marks[number]), gutter, columns)
        previous = number
    return lines


def _mark(source: Source, span: Span, char: str, note: str, style: str) -> tuple[int, _Mark]:
    line, column = source.position(min(span.start, len(source.data)))
    end = source.position(max(span.start, span.end))
    text = source.line_text(line)
    last = end.column if end.line == line else len(text.rstrip(" \t\\`")) + 1
    return line, _Mark(column, max(last, column + 1), char, note, style)


def _source_line(source: Source, number: int, marks: list[_Mark], gutter: int, columns: int) -> list[Line]:
    room = columns - len(_INDENT) - gutter - 3
    text = source.line_text(number)
    # a window on a very long line, so that a megabyte is neither measured nor printed
    skipped = 0
    if marks and marks[0].start > room - 10 and len(text) > room:
        skipped = min(marks[0].start - 1, max(len(text) - room, 0) + 2, max(marks[0].start - 1 - room // 3, 0))
    shown, ends = _shown(text, skipped, room)
    prefix = (Piece(f"{_INDENT}{number:>{gutter}} | ", "dim"),)
    lines: list[Line] = [(*prefix, Piece(shown.rstrip()))]
    for mark in marks:
        start = ends[min(max(mark.start - 1 - skipped, 0), len(ends) - 1)]
        end = ends[min(max(mark.end - 1 - skipped, 0), len(ends) - 1)]
        lines += _mark_lines(mark, start, max(end - start, 1), gutter, room)
    return lines


def _shown(text: str, skipped: int, room: int) -> tuple[str, Sequence[int]]:
    """A source line as it fits into `room` columns, and for each of its characters the column where it begins; then the end's."""
    if not skipped and len(text) < room and text.isascii() and text.isprintable():
        return text, range(len(text) + 1)
    window = cells(text[skipped : skipped + room + 1])
    lead = _CUT if skipped else ""
    shown, ends, full = lead, [width(lead)], True
    for cell in window:
        if width(shown) + width(cell) > room - 1 and skipped + len(ends) < len(text):
            full = False
            break
        shown += cell
        ends.append(width(shown))
    if not full or skipped + len(window) < len(text):
        shown += _CUT
    return shown, ends


def _mark_lines(mark: _Mark, start: int, length: int, gutter: int, room: int) -> list[Line]:
    """The row of carets with its note behind it; a note that does not fit stands below."""
    blank = Piece(f"{_INDENT}{'':>{gutter}} | ", "dim")
    row = " " * start + mark.char * length
    note = printable(mark.note)
    if not note:
        return [(blank, Piece(row, mark.style))]
    if len(row) + 1 + width(note) <= room:
        return [(blank, Piece(f"{row} {note}", mark.style))]
    indent = " " * min(start, room // 2)
    below = wrap(note, room, indent)
    return [(blank, Piece(row, mark.style)), *((blank, Piece(text, mark.style)) for text in below)]


def first_position(source: Source, finding: Finding) -> Position:
    """Where a finding starts."""
    return source.position(min(finding.span.start, len(source.data)))

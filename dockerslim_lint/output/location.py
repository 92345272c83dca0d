"""Where a finding is, as programs outside of the working directory want to know it."""

from __future__ import annotations

import os

from dockerslim_lint.linter import Report
from dockerslim_lint.output.interface import Asked
from dockerslim_lint.record import Record
from dockerslim_lint.source import Source, Span

STDIN = "-"


class Region(Record):
    """A place in a file: 1-based lines, 1-based columns in characters; `end_column` is that behind the last character."""

    line: int
    column: int
    end_line: int
    end_column: int


def repository_path(path: str, asked: Asked) -> str:
    """`path` from the root of the repository, with ``/``; absolute where it lies elsewhere, ``-`` for standard input."""
    if path == STDIN:
        return path
    whole = os.path.normpath(os.path.join(asked.directory, path))
    root = asked.root or asked.directory
    if root and whole.startswith(root.rstrip(os.sep) + os.sep):
        whole = os.path.relpath(whole, root)
    return whole.replace(os.sep, "/")


def region(source: Source, span: Span) -> Region:
    """The place of a span."""
    return Region(*source.position(span.start), *source.position(span.end))


def marked(source: Source, span: Span) -> Region:
    """The place of a span for people: without the line's end that a whole line or instruction ends with."""
    end = span.end
    while end > span.start and source.data[end - 1 : end] in (b"\n", b"\r"):
        end -= 1
    return region(source, Span(span.start, end))


def has_places(report: Report) -> bool:
    """Whether findings have a place in the file: not in one that could not be read, or is empty."""
    return bool(report.source.data)

"""What the program says: the only place that prints."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TextIO

from dockerslim_lint.output.exits import Exit
from dockerslim_lint.output.interface import COLUMNS, Line, plain
from dockerslim_lint.output.printable import printable, width, wrap

PROGRAM = "dockerslim-lint"
NARROWEST = 40
"""Columns: on a terminal that has fewer, text is laid out as if it had these."""


def talk(texts: Sequence[str] | dict[str, None]) -> None:
    """Lines for standard error, each with the program's name before it; wrapped on a narrow terminal."""
    columns = columns_of(sys.stderr)
    for text in texts:
        lines = [printable(line) for line in f"{PROGRAM}: {text}".rstrip("\n").split("\n")]
        if columns < COLUMNS and len(lines) == 1 and width(lines[0]) > columns:
            lines = wrap(lines[0], columns, "", "  ")
        write(sys.stderr, "\n".join(lines) + "\n")


def wants_color(stream: TextIO | None, color: str) -> bool:
    """Whether a stream gets colour. `color` is the option; under ``auto`` NO_COLOR comes first, then what forces colour, then the terminal."""
    if color != "auto" or stream is None:
        return color == "always"
    said = os.environ.get
    if said("NO_COLOR"):
        return False
    for name in ("FORCE_COLOR", "CLICOLOR_FORCE"):
        if said(name):
            if said(name) not in ("0", "false"):
                return True
            if name == "FORCE_COLOR":
                return False
    return said("TERM") != "dumb" and said("CLICOLOR") != "0" and stream.isatty()


def columns_of(stream: TextIO | None) -> int:
    """The width for text on a stream: that of a narrow terminal; 80 on any other, and always 80 where there is none."""
    try:
        if stream is None or not stream.isatty():
            return COLUMNS
        return min(max(os.get_terminal_size(stream.fileno()).columns or COLUMNS, NARROWEST), COLUMNS)
    except (OSError, ValueError):
        return COLUMNS


def show(lines: Sequence[Line], stream: TextIO | None, color: str) -> None:
    """Write lines, in colour where that is wanted and possible."""
    if stream is None:  # the user has closed it
        return
    if not lines or not wants_color(stream, color):
        write(stream, plain(lines))
        return
    from dockerslim_lint.output.color import paint

    try:
        paint(lines, stream)
    except OSError as error:
        abandon(stream, error)


def write(stream: TextIO | None, text: str) -> None:
    """Text as it is; to nowhere, where the stream is closed or nobody reads it any more."""
    if stream is None or stream.closed:  # the user or the protocol has closed it
        return
    try:
        stream.write(text)
        stream.flush()
    except OSError as error:
        abandon(stream, error)


def write_bytes(data: bytes) -> None:
    """Bytes for standard output, as they are."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except OSError as error:
        abandon(sys.stdout, error)


def flush() -> None:
    """Nothing is left to be written when the program ends."""
    for stream in (sys.stdout, sys.stderr):
        write(stream, "")


def abandon(stream: TextIO, error: OSError) -> None:
    """What is still to be written goes nowhere.

    Where the reader has gone, the verdict, and so the exit code, stays. Anything else (a full disk) ends the program with 2:
    the report is not there.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    if not isinstance(error, BrokenPipeError):
        if stream is not sys.stderr:
            talk([f"the output cannot be written: {error.strerror}"])
        raise SystemExit(int(Exit.USAGE))

"""What the program says: the only place that prints."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TextIO

from dockerslim_lint.output.exits import Exit
from dockerslim_lint.output.interface import Line, plain
from dockerslim_lint.output.printable import printable

PROGRAM = "dockerslim-lint"


def talk(texts: Sequence[str] | dict[str, None]) -> None:
    """Lines for standard error, each with the program's name before it."""
    for text in texts:
        shown = "\n".join(printable(line) for line in text.rstrip("\n").split("\n"))
        write(sys.stderr, f"{PROGRAM}: {shown}\n")


def show(lines: Sequence[Line], stream: TextIO | None, color: str) -> None:
    """Write lines, in colour where that is wanted and possible."""
    if stream is None:  # the user has closed it
        return
    wanted = color == "always" or (
        color == "auto" and stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    )
    if not wanted or not lines:
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

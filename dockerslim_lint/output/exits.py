"""Exit codes: the one table, and which of several decides."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum


class Exit(IntEnum):
    """The exit codes; the table below says what they mean."""

    CLEAN = 0
    FINDINGS = 1
    USAGE = 2
    NO_INPUT = 3
    UNREADABLE = 4
    BUG = 5
    NOT_PROVEN = 6
    NO_ENGINE = 7
    INTERRUPTED = 130


EXIT_CODES: tuple[tuple[Exit, str], ...] = (
    (Exit.CLEAN, "clean, or all fixed; also a file that is excluded or is no Rust image"),
    (Exit.FINDINGS, "findings at or above --fail-on, held-back fixes included; --diff would change something"),
    (Exit.USAGE, "usage or configuration; a baseline that is none, a revision that git does not know"),
    (Exit.NO_INPUT, "no input: a named file does not exist, a directory has no Dockerfile"),
    (Exit.UNREADABLE, "a file that cannot be read, or that has no instruction list"),
    (Exit.BUG, "our bug, or a fix that did not converge"),
    (Exit.NOT_PROVEN, "not proven: nothing was written"),
    (Exit.NO_ENGINE, "no engine that can prove for the platforms asked"),
    (Exit.INTERRUPTED, "interrupted"),
)

_PRECEDENCE = (
    Exit.INTERRUPTED,
    Exit.BUG,
    Exit.USAGE,
    Exit.UNREADABLE,
    Exit.NO_INPUT,
    Exit.NO_ENGINE,
    Exit.NOT_PROVEN,
    Exit.FINDINGS,
    Exit.CLEAN,
)


def deciding(codes: Iterable[Exit]) -> Exit:
    """The code that the program ends with where several hold; CLEAN for none."""
    return min(codes, key=_PRECEDENCE.index, default=Exit.CLEAN)

"""Standard input: a text that an editor or a pipe hands over, and gets back whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from dockerslim_lint.output.exits import Exit
from dockerslim_lint.output.interface import FileResult, Problem
from dockerslim_lint.project.read import DOCKERFILE_LIMIT, reason
from dockerslim_lint.project.run import judge_text, unjudged
from dockerslim_lint.project.task import Task

if TYPE_CHECKING:
    from dockerslim_lint.project.verify import Prover


def read_stdin(stream: TextIO | None, *, whole: bool) -> bytes | Problem:
    """All that is there; not `whole`: no more of it than any Dockerfile has. None is a stream that the user has closed."""
    if stream is None:
        return Problem(Exit.UNREADABLE, "standard input is closed")
    try:
        return stream.buffer.read(-1 if whole else DOCKERFILE_LIMIT + 1)
    except OSError as error:
        return Problem(Exit.UNREADABLE, f"standard input: {reason(error)}")


def judge_stdin(data: bytes | Problem, name: str, task: Task, prover: Prover | None) -> FileResult:
    """The result for what was read; `name` is the file that it stands for."""
    return unjudged(name, data) if isinstance(data, Problem) else judge_text(data, name, task, prover)


@contextmanager
def giving_back(data: bytes | Problem, write: Callable[[bytes], None]) -> Iterator[Callable[[bytes], None]]:
    """Gives what writes the result of a filter. Where nothing was written in the end, by whatever error, `data` is.

    An editor puts what comes back in the place of its text, whatever the exit code.
    """
    owed = None if isinstance(data, Problem) else data

    def give(result: bytes) -> None:
        nonlocal owed
        owed = None
        write(result)

    try:
        yield give
    finally:
        if owed is not None:
            write(owed)

"""Prove, then write: what `lint --fix --verify` does with one file."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from dockerslim_lint.output.exits import Exit
from dockerslim_lint.project.write import ChangedError, write_atomically
from dockerslim_lint.record import Record
from dockerslim_lint.verify.engines.interface import Engine
from dockerslim_lint.verify.ladder import LadderResult, climb
from dockerslim_lint.verify.progress import Progress
from dockerslim_lint.verify.proof import Outcome
from dockerslim_lint.verify.subject import Candidate, Options, Subject

_EXITS = {
    Outcome.PROVEN: Exit.CLEAN,
    Outcome.NOT_PROVEN: Exit.NOT_PROVEN,
    Outcome.INCONCLUSIVE: Exit.NOT_PROVEN,
    Outcome.NO_ENGINE: Exit.NO_ENGINE,
}


class ProveOutcome(Record):
    """How it ended. `exit`: CLEAN (proven), NOT_PROVEN, NO_ENGINE, or UNREADABLE when what was proven cannot be written.

    `after` are the proven bytes, None if there are none; `written` says that they are in the file. `write_error` is
    one line, "" if nothing went wrong.
    """

    exit: Exit
    result: LadderResult
    after: bytes | None = None
    written: bool = False
    write_error: str = ""


def prove_and_write(
    subject: Subject,
    candidates: tuple[Candidate, ...],
    engine: Engine,
    options: Options,
    progress: Progress,
    *,
    write: bool = True,
) -> ProveOutcome:
    """Try the candidates in order and, with `write`, put the first proven one in the place of the subject's file.

    Nothing is written before the proof; without one the file is as it was. SIGINT, SIGTERM and SIGHUP end whatever is
    under way, remove what is ours, and come out as KeyboardInterrupt. The engine stays open otherwise.
    """
    with interruptible():
        result = climb(engine, subject, candidates, options, progress)
    if result.proven is None:
        return ProveOutcome(_EXITS[result.outcome], result)
    after = result.proven.after
    if not write or subject.dockerfile_path is None:
        return ProveOutcome(Exit.CLEAN, result, after)
    try:
        write_atomically(subject.dockerfile_path, after, expected_old=subject.dockerfile)
    except ChangedError as error:
        return ProveOutcome(Exit.UNREADABLE, result, after, write_error=str(error))
    except OSError as error:
        return ProveOutcome(Exit.UNREADABLE, result, after, write_error=f"cannot be written: {error.strerror}")
    return ProveOutcome(Exit.CLEAN, result, after, written=True)


@contextmanager
def interruptible() -> Iterator[None]:
    """The first of the signals that end a program raises KeyboardInterrupt; further ones do not disturb the clean-up.

    Signals belong to the main thread; in any other nothing is done.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]

    def interrupt(number: int, frame: FrameType | None) -> NoReturn:
        for other in numbers:
            signal.signal(other, signal.SIG_IGN)
        raise KeyboardInterrupt

    # one that is ignored (nohup) stays ignored; None: not set from Python, and not ours to restore
    former = {number: signal.getsignal(number) for number in numbers}
    taken = {number: old for number, old in former.items() if old not in (signal.SIG_IGN, None)}
    for number in taken:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, old in taken.items():
            signal.signal(number, old)

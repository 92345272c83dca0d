"""Work on several platforms at once, interruptible."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

from dockerslim_lint.verify.engines.interface import Engine

_T = TypeVar("_T")


def side_by_side(engine: Engine, calls: Sequence[Callable[[], _T]]) -> list[_T]:
    """The results of all calls, each made in a thread of its own. An interrupt closes the engine, waits, and goes on."""
    with ThreadPoolExecutor(max_workers=max(len(calls), 1)) as pool:
        futures = [pool.submit(call) for call in calls]
        try:
            wait(futures)
        except KeyboardInterrupt:
            engine.close()
            raise
        return [future.result() for future in futures]

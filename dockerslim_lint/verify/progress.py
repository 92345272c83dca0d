"""What a proof tells whoever watches it; the drawing is `output/`'s."""

from __future__ import annotations

from enum import Enum
from typing import Protocol


class State(Enum):
    """How far the work on one image for one platform is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Progress(Protocol):
    """An observer. Its methods are called from several threads, often, and must return quickly."""

    def engine(self, text: str) -> None:
        """The engine was looked at: one line such as ``buildx 0.13.1 · linux/amd64 here, linux/arm64 emulated``."""

    def step(self, candidate: str, platform: str, text: str, state: State) -> None:
        """`candidate` is ``original`` or a choice's name; `text` says what is being done (``step 4/6 RUN cargo build``).

        DONE and FAILED come once for each pair of candidate and platform, after everything else about it.
        """


class NoProgress:
    """Nobody watches."""

    def engine(self, text: str) -> None:
        return

    def step(self, candidate: str, platform: str, text: str, state: State) -> None:
        return

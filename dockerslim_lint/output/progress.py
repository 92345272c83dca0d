"""Telling somebody how a proof is getting on: a line for each event, or a table that lives on the terminal."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TextIO

from dockerslim_lint.output.printable import printable
from dockerslim_lint.record import Record
from dockerslim_lint.verify.progress import State

if TYPE_CHECKING:
    from rich.live import Live
    from rich.text import Text

_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_MARKS = {State.DONE: "✓", State.FAILED: "✗"}
_STYLES = {State.DONE: "green", State.FAILED: "red", State.RUNNING: "cyan"}


class Watch(Protocol):
    """`verify.progress.Progress` with an end: `close` before anything else is written to the same stream."""

    def engine(self, text: str) -> None: ...

    def step(self, candidate: str, platform: str, text: str, state: State) -> None: ...

    def close(self) -> None: ...


class LineWatch:
    """One line for each event, none twice, and none for what every build begins with. `write` gets whole lines."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._lock = threading.Lock()
        self._said: set[str] = set()

    def engine(self, text: str) -> None:
        with self._lock:
            self._write(f"engine   {printable(text)}\n")

    def step(self, candidate: str, platform: str, text: str, state: State) -> None:
        if state is State.RUNNING and text.startswith("[internal] "):
            return  # the Dockerfile is loaded, and its context
        line = f"{candidate:<21}  {platform} {_MARKS.get(state, '·')} {printable(text)}"
        with self._lock:
            if line not in self._said:
                self._said.add(line)
                self._write(line.rstrip() + "\n")

    def close(self) -> None:
        with self._lock:
            self._said = set()  # the next file has an original, too


class _Cell(Record):
    text: str
    state: State
    since: float
    until: float


class LiveWatch:
    """A table on a terminal, a row for each candidate, redrawn ten times a second."""

    def __init__(self, stream: TextIO, *, color: bool = True) -> None:
        self._stream = stream
        self._color = color
        self._lock = threading.Lock()
        self._engine = ""
        self._rows: dict[str, dict[str, _Cell]] = {}
        self._live: Live | None = None

    def engine(self, text: str) -> None:
        with self._lock:
            self._engine = printable(text)
        self._start()

    def step(self, candidate: str, platform: str, text: str, state: State) -> None:
        now = time.monotonic()
        with self._lock:
            row = self._rows.setdefault(candidate, {})
            since = row[platform].since if platform in row else now
            row[platform] = _Cell(printable(text), state, since, now)
        self._start()

    def close(self) -> None:
        with self._lock:
            live, self._live = self._live, None
        if live is not None:
            live.stop()  # it draws once more
        with self._lock:
            self._rows, self._engine = {}, ""

    def _start(self) -> None:
        from rich.console import Console
        from rich.live import Live

        with self._lock:
            if self._live is None:
                console = Console(file=self._stream, highlight=False, no_color=not self._color)
                self._live = Live(get_renderable=self.draw, console=console, refresh_per_second=10, transient=False)
                self._live.start()

    def draw(self) -> Text:
        """The table as it is now."""
        from rich.text import Text

        # no lock: Live's thread draws while `step` may be writing, and a copy is enough
        rows = {candidate: dict(cells) for candidate, cells in list(self._rows.items())}
        text = Text(no_wrap=True, overflow="ellipsis")
        if self._engine:
            text.append(f"engine   {self._engine}\n")
        now = time.monotonic()
        for candidate, cells in rows.items():
            text.append(f"{candidate:<21}", "bold")
            for platform, cell in cells.items():
                text.append(f"  {platform.removeprefix('linux/')} ")
                mark = _MARKS.get(cell.state) or _FRAMES[int(now * 10) % len(_FRAMES)]
                text.append(mark, _STYLES[cell.state])
                if cell.state is State.RUNNING:
                    text.append(f" {cell.text[:40]} ", "dim")
                text.append(f" {duration((now if cell.state is State.RUNNING else cell.until) - cell.since)}")
            text.append("\n")
        text.rstrip()
        return text


def duration(seconds: float) -> str:
    """``41s``, ``3m12s``, ``1h02m``."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02}m"

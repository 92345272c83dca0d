"""Subprocesses that always end: an argument list, a time limit, a process group of their own, a way to kill them all."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence

from dockerslim_lint.record import Record
from dockerslim_lint.verify.engines.interface import EngineError, StoppedError

_GRACE = 5.0
"""Seconds between SIGTERM and SIGKILL: buildx cancels its build in that time."""


class Finished(Record):
    """A process that has ended. `stdout` is what it printed there, at most `Children`'s limit."""

    code: int
    stdout: bytes
    stderr: bytes
    timed_out: bool


class Children:
    """The processes that we have started and that have not ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False

    def run(
        self,
        argv: Sequence[str],
        timeout: float,
        on_stderr: Callable[[bytes], None] | None = None,
        environment: dict[str, str] | None = None,
    ) -> Finished:
        """Run `argv` to its end; `on_stderr` gets its standard error piece by piece (and `Finished.stderr` stays empty).

        `environment` is laid over ours. Raises StoppedError when everything is being stopped, EngineError when the
        program cannot be started.
        """
        child = self._start(argv, environment)
        late = threading.Event()
        timer = threading.Timer(timeout, self._expire, (child, late))
        timer.daemon = True
        timer.start()
        out: list[bytes] = []
        err: list[bytes] = []
        reader = threading.Thread(target=_read_all, args=(child.stdout, out.append), daemon=True)
        reader.start()
        try:
            _read_all(child.stderr, on_stderr or err.append)
            reader.join()
            code = child.wait()
        finally:
            timer.cancel()
            if child.poll() is None:
                _end(child, 0.0)
            reader.join()
            for pipe in (child.stdout, child.stderr):
                if pipe is not None:
                    pipe.close()
            with self._lock:
                self._running.discard(child)
        if self._stopped:
            raise StoppedError("interrupted")
        return Finished(code, b"".join(out), b"".join(err), late.is_set())

    def stop(self) -> None:
        """End all processes, let no further one start. Returns when all of them are gone."""
        with self._lock:
            self._stopped = True
            running = tuple(self._running)
        for child in running:
            _signal_group(child, signal.SIGTERM)
        deadline = time.monotonic() + _GRACE
        for child in running:
            _end(child, deadline - time.monotonic())

    def _start(self, argv: Sequence[str], environment: dict[str, str] | None) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._stopped:
                raise StoppedError("interrupted")
            try:
                child = subprocess.Popen(
                    list(argv),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    start_new_session=True,
                    env={**os.environ, **(environment or {})},
                )
            except OSError as error:
                raise EngineError(f"{argv[0]} cannot be started: {error.strerror}") from None
            self._running.add(child)
            return child

    def _expire(self, child: subprocess.Popen[bytes], late: threading.Event) -> None:
        late.set()
        _signal_group(child, signal.SIGTERM)
        _end(child, _GRACE)


def _read_all(pipe: object, take: Callable[[bytes], None]) -> None:
    read = getattr(pipe, "read1")  # noqa: B009 - BufferedReader, which IO[bytes] does not promise
    while data := read(1 << 16):
        take(data)


def _end(child: subprocess.Popen[bytes], grace: float) -> None:
    """Wait up to `grace` seconds for the process, then kill its whole group."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(max(grace, 0.0))
    _signal_group(child, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(_GRACE)


def _signal_group(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Signal the group that the process leads; it may be gone already."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)

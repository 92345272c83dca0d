"""Subprocesses end, whatever they do."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import pytest

from dockerslim_lint.verify.engines.interface import EngineError, StoppedError
from dockerslim_lint.verify.engines.process import Children

# starts a child that ignores SIGTERM, says its number, and waits for longer than the test does
STUBBORN = (
    "import signal, subprocess, sys, time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import signal, time; "
    "signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(300)'])\n"
    "open(sys.argv[1], 'w').write(str(child.pid))\n"
    "time.sleep(300)\n"
)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def ended(pid: int) -> bool:
    """Whether the process ends: what is killed with its group takes a moment after its leader has gone."""
    deadline = time.monotonic() + 10
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not alive(pid)


def wait_for(path: Path) -> int:
    deadline = time.monotonic() + 60
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return int(path.read_text())


def test_output_and_code_are_returned() -> None:
    script = "import os, sys; print(os.environ['X']); print('e', file=sys.stderr); sys.exit(3)"
    done = Children().run([sys.executable, "-c", script], 60, environment={"X": "y"})
    assert (done.code, done.stdout, done.stderr, done.timed_out) == (3, b"y\n", b"e\n", False)


def test_standard_error_arrives_in_pieces() -> None:
    pieces: list[bytes] = []
    script = "import sys; print('a', file=sys.stderr); print('b', file=sys.stderr)"
    done = Children().run([sys.executable, "-c", script], 60, pieces.append)
    assert b"".join(pieces) == b"a\nb\n" and done.stderr == b""


def test_a_program_that_is_not_there() -> None:
    with pytest.raises(EngineError, match="cannot be started"):
        Children().run(["/no/such/program"], 5)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_the_time_limit_ends_the_whole_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dockerslim_lint.verify.engines.process._GRACE", 0.3)
    done = Children().run([sys.executable, "-c", STUBBORN, str(tmp_path / "pid")], 3)
    assert done.timed_out and done.code < 0
    assert ended(wait_for(tmp_path / "pid"))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_stop_ends_everything_and_lets_nothing_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dockerslim_lint.verify.engines.process._GRACE", 0.3)
    children = Children()
    raised: list[BaseException] = []

    def work() -> None:
        try:
            children.run([sys.executable, "-c", STUBBORN, str(tmp_path / "pid")], 300)
        except StoppedError as error:
            raised.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    grandchild = wait_for(tmp_path / "pid")
    children.stop()
    thread.join(30)
    assert not thread.is_alive() and len(raised) == 1 and ended(grandchild)
    with pytest.raises(StoppedError):
        children.run([sys.executable, "-c", ""], 5)

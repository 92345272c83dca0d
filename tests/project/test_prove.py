"""Proven is written, everything else is not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dockerslim_lint.output.exits import Exit
from dockerslim_lint.project.prove import ProveOutcome, interruptible, prove_and_write
from dockerslim_lint.verify.engines.interface import BuildError, BuildRequest, EngineError
from dockerslim_lint.verify.progress import NoProgress
from dockerslim_lint.verify.subject import Candidate, Options, Subject
from tests.verify.fake_engine import Ended, FakeEngine, FakeImage
from tests.verify.layouts import Item

OLD, NEW = b"FROM old\n", b"FROM new\n"
FAT = FakeImage({"Cmd": ["app"]}, files=(Item("app", bytes(range(256)) * 100),))
SLIM = FakeImage({"Cmd": ["app"]})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "Dockerfile"
    path.write_bytes(OLD)
    return path


def run(file: Path, engine: FakeEngine, *, write: bool = True) -> ProveOutcome:
    subject = Subject("Dockerfile", OLD, file.parent, file)
    return prove_and_write(subject, (Candidate("alpine", NEW),), engine, Options(), NoProgress(), write=write)


def test_a_proven_rewrite_is_written(file: Path) -> None:
    outcome = run(file, FakeEngine({OLD: FAT, NEW: SLIM}))
    assert (outcome.exit, outcome.written, outcome.after, file.read_bytes()) == (Exit.CLEAN, True, NEW, NEW)


def test_without_write_it_is_only_returned(file: Path) -> None:
    outcome = run(file, FakeEngine({OLD: FAT, NEW: SLIM}), write=False)
    assert (outcome.exit, outcome.written, outcome.after, file.read_bytes()) == (Exit.CLEAN, False, NEW, OLD)


def test_nothing_is_written_before_the_proof(file: Path) -> None:
    engine = FakeEngine({OLD: FAT, NEW: SLIM})

    def look(request: BuildRequest) -> None:
        assert file.read_bytes() == OLD and list(file.parent.iterdir()) == [file]

    engine.on_build = look
    assert run(file, engine).written


@pytest.mark.parametrize(
    ("engine", "exit"),
    [
        (FakeEngine({OLD: FAT, NEW: SLIM._replace(program=lambda argv: Ended(b"bye\n"))}), Exit.NOT_PROVEN),
        (FakeEngine({OLD: FAT._replace(fails=BuildError("no")), NEW: SLIM}), Exit.NOT_PROVEN),
        (FakeEngine({OLD: FAT, NEW: SLIM._replace(fails=EngineError("no space"))}), Exit.NOT_PROVEN),
        (FakeEngine({}, missing=EngineError("no Docker")), Exit.NO_ENGINE),
    ],
)
def test_what_is_not_proven_is_not_written(file: Path, engine: FakeEngine, exit: Exit) -> None:
    outcome = run(file, engine)
    assert (outcome.exit, outcome.written, outcome.after, file.read_bytes()) == (exit, False, None, OLD)
    assert outcome.result.reason


def test_a_file_that_changed_during_the_proof_is_left_alone(file: Path) -> None:
    engine = FakeEngine({OLD: FAT, NEW: SLIM})

    def edit(request: BuildRequest) -> None:
        file.write_bytes(b"FROM edited\n")

    engine.on_build = edit
    outcome = run(file, engine)
    assert outcome.exit is Exit.UNREADABLE and "changed on disk" in outcome.write_error and not outcome.written
    assert file.read_bytes() == b"FROM edited\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_interrupt_once_and_are_restored(number: signal.Signals) -> None:
    former = signal.getsignal(number)
    cleaned = False
    with pytest.raises(KeyboardInterrupt), interruptible():
        try:
            os.kill(os.getpid(), number)
        finally:
            os.kill(os.getpid(), number)  # the second does not disturb
            cleaned = True
    assert cleaned and signal.getsignal(number) == former


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    script = (
        "import os, signal\nfrom dockerslim_lint.project.prove import interruptible\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "with interruptible():\n    os.kill(os.getpid(), signal.SIGHUP)\nprint('alive')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout == b"alive\n"

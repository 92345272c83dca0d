"""A signal in the middle of a proof: nothing of ours is left, the file is as it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("engine_environment")]

PROVE = """
import sys
from pathlib import Path
from dockerslim_lint.project.prove import prove_and_write
from dockerslim_lint.verify.engines.buildx import Buildx
from dockerslim_lint.verify.subject import Candidate, Options, Subject

class Progress:
    def engine(self, text):
        print(text, flush=True)
    def step(self, candidate, platform, text, state):
        print(candidate, platform, text, flush=True)

file = Path(sys.argv[1])
subject = Subject("Dockerfile", file.read_bytes(), file.parent, file)
candidates = (Candidate("same", file.read_bytes() + b"\\n"),)
try:
    prove_and_write(subject, candidates, Buildx(), Options(("linux/amd64", "linux/arm64")), Progress())
except KeyboardInterrupt:
    sys.exit(130)
"""
NAP = "4217"
"""Seconds that no other process on the machine sleeps."""
IN_BUILD = f"""FROM busybox:musl
RUN sleep {NAP}
"""
IN_RUN = f"""FROM busybox:musl
RUN touch /{{nonce}}
CMD ["sleep", "{NAP}"]
"""


def processes(*words: str) -> list[str]:
    """Command lines on this machine that hold one of the words, ours aside."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if any(word in line for word in words) and path.parent.name != str(os.getpid()):
            found.append(line)
    return found


@pytest.mark.skipif(not Path("/proc").exists(), reason="needs /proc")
@pytest.mark.parametrize(
    ("dockerfile", "sign", "number"),
    [
        (IN_BUILD, f"RUN sleep {NAP}", signal.SIGINT),
        (IN_RUN, "original linux/amd64 running it", signal.SIGINT),
        (IN_BUILD, f"RUN sleep {NAP}", signal.SIGTERM),
    ],
)
def test_interrupted(tmp_path: Path, dockerfile: str, sign: str, number: signal.Signals) -> None:
    project, temporary = tmp_path / "project", tmp_path / "tmp"
    project.mkdir()
    temporary.mkdir()
    file = project / "Dockerfile"
    file.write_text(dockerfile.replace("{nonce}", str(time.time_ns())))
    before = file.read_bytes()
    former = everything()
    prover = subprocess.Popen(
        [sys.executable, "-c", PROVE, str(file)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": str(ROOT)},
    )
    try:
        assert prover.stdout is not None
        for line in prover.stdout:
            if sign in line:
                break
        else:
            pytest.fail(f"the proof ended before it said {sign!r}")
        time.sleep(2)
        if "RUN sleep" in sign:
            assert any(NAP in line for line in processes(f"sleep {NAP}")), "the step runs"
        prover.send_signal(number)
        began = time.monotonic()
        prover.stdout.read()
        assert prover.wait(60) == 130 and time.monotonic() - began < 30
    finally:
        if prover.poll() is None:
            prover.kill()
            prover.wait()
        if prover.stdout is not None:
            prover.stdout.close()
    assert file.read_bytes() == before and list(project.iterdir()) == [file]
    assert list(temporary.iterdir()) == []
    deadline = time.monotonic() + 60
    while (left := processes(f"sleep {NAP}", str(temporary))) and time.monotonic() < deadline:
        time.sleep(0.5)  # the daemon ends a step when it notices that the client is gone
    assert left == []
    assert everything() <= former


def everything() -> set[str]:
    """All images, containers and builders."""
    found: set[str] = set()
    for words in (["image", "ls", "-aq", "--no-trunc"], ["ps", "-aq", "--no-trunc"], ["buildx", "ls"]):
        found |= set(subprocess.run(["docker", *words], capture_output=True, text=True, check=True).stdout.splitlines())
    return found

"""Health checks and needs on real images: what the original has decides."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from dockerslim_lint.edit import Claim, Need
from dockerslim_lint.verify.commands import checked_command
from dockerslim_lint.verify.engines.buildx import Buildx
from dockerslim_lint.verify.engines.interface import BuildRequest, Output
from dockerslim_lint.verify.ladder import climb
from dockerslim_lint.verify.layout import open_layout
from dockerslim_lint.verify.probe import Command, run_commands
from dockerslim_lint.verify.progress import NoProgress
from dockerslim_lint.verify.proof import Outcome
from dockerslim_lint.verify.subject import Candidate, Options, Subject

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("engine_environment")]

READY = ("sh", "-c", "sleep 1; echo $WORD > /tmp/ready; sleep 100")
LATE = ("sh", "-c", "sleep 12; echo $WORD > /tmp/ready; sleep 100")
FILE = """FROM busybox:musl
WORKDIR /tmp
ENV WORD=yes
USER 1000:1000
"""
CHECKS: tuple[tuple[tuple[str, ...], tuple[str, ...], int, str], ...] = (
    (READY, ("CMD", "grep", "yes", "ready"), 0, ""),
    (READY, ("CMD-SHELL", 'test "$(cat ready)" = "$WORD" && test "$(id -u)" = 1000'), 0, ""),
    (READY, ("CMD-SHELL", "cat ready; exit 3"), 0, "exit 3 (yes)"),
    (READY, ("CMD", "curl", "-f", "http://localhost/"), 0, "no such file: curl"),
    (READY, ("CMD-SHELL", "sleep 50"), 0, "no answer within 1 s"),
    (
        ("sh", "-c", "sleep 1"),
        ("CMD", "cat", "ready"),
        0,
        "exit 1 (cat: can't open 'ready': No such file or directory)",
    ),
    (("sleep", "100"), ("CMD", "true"), 0, ""),
    (LATE, ("CMD", "cat", "ready"), 25, ""),
    (("sleep", "1"), ("CMD", "sleep", "0"), 0, ""),
)


def test_checks_beside_a_command(engine: Buildx, tmp_path: Path) -> None:
    """Each has the image's user, directory and environment, and is tried until it succeeds or its time is over."""
    request = BuildRequest(FILE.encode(), "linux/amd64", Output.OCI, tmp_path / "image")
    layout = engine.build(request, lambda _: None).layout
    image = open_layout(layout, "linux/amd64")
    commands: list[Command] = []
    for command, test, start, _ in CHECKS:
        health = {"Test": list(test), "Timeout": 10**9, "StartPeriod": start * 10**9}
        commands += checked_command({"Cmd": list(command), "Healthcheck": health}, (Command(command, 5),))
    began = time.monotonic()
    [found] = run_commands(engine, layout, image, "linux/amd64", tuple(commands), 1, "busybox:musl", lambda _: None)
    assert time.monotonic() - began < 100, "what succeeds ends the run"
    for one, (_, test, _, why) in zip(found, CHECKS, strict=True):
        assert one.run.started and one.checked is not None
        assert (one.checked.healthy, one.checked.why) == (not why, why), test


OLD = "FROM debian:bookworm-slim\n"
NEW = "FROM alpine:3.24\n"
VOLUMES = Claim((), False, False, (Need("volume", "/config", "VOLUME"), Need("volume", "/data", "VOLUME")))
MADE = "RUN mkdir /data && chown 1000:1000 /data\n"


@pytest.mark.parametrize(
    ("check", "old", "new", "reason"),
    [
        ("test -f /etc/passwd", MADE, MADE, ""),
        ("test -f /no", MADE, MADE, ""),
        ("test -f /etc/debian_version", MADE, MADE, "health check, linux/amd64: succeeds in the original"),
        ("true", "", "", ""),
        ("true", "RUN mkdir /data\n", "", ""),
        ("true", MADE, "", "needs met, linux/amd64: volume /data: is made by Docker, as root's"),
        ("true", MADE, "RUN mkdir /data\n", "needs met, linux/amd64: volume /data: cannot be written"),
    ],
)
def test_what_the_original_has_decides(
    engine: Buildx, tmp_path: Path, check: str, old: str, new: str, reason: str
) -> None:
    settings = f'VOLUME /config /data\nUSER 1000:1000\nHEALTHCHECK CMD {check}\nCMD ["sleep", "100"]\n'
    subject = Subject("Dockerfile", f"{OLD}{old}{settings}".encode(), None, base="debian:bookworm-slim")
    candidate = Candidate("alpine", f"{NEW}{new}{settings}".encode(), VOLUMES, base="alpine:3.24")
    result = climb(engine, subject, (candidate,), Options(("linux/amd64",), ("true",)), NoProgress())
    assert result.outcome is (Outcome.NOT_PROVEN if reason else Outcome.PROVEN), result.reason
    assert result.reason.startswith(reason)

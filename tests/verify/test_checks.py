"""Health checks run for real, beside the image's own command."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockerslim_lint.verify.commands import Limits, checked_command, commands_for
from dockerslim_lint.verify.engines.buildx import Buildx
from dockerslim_lint.verify.engines.interface import BuildRequest, Output
from dockerslim_lint.verify.health import Checked
from dockerslim_lint.verify.layout import open_layout
from dockerslim_lint.verify.probe import run_commands

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("engine_environment")]

READY = 'CMD ["sh", "-c", "sleep 1; echo $WORD > /tmp/ready; sleep 100"]'


@pytest.fixture(scope="module")
def engine() -> Iterator[Buildx]:
    engine = Buildx()
    assert engine.available() is None
    yield engine
    engine.close()


def checked(engine: Buildx, folder: Path, *lines: str) -> Checked | None:
    """What comes of the check in an image of these lines; its user, directory and environment are its own."""
    text = "\n".join(("FROM busybox:musl", "WORKDIR /tmp", "ENV WORD=yes", "USER 1000:1000", *lines, ""))
    request = BuildRequest(text.encode(), "linux/amd64", Output.OCI, folder / "image")
    layout = engine.build(request, lambda _: None).layout
    image = open_layout(layout, "linux/amd64")
    asked = checked_command(image.settings, commands_for(image.settings, (), Limits()))
    [[found]] = run_commands(engine, layout, image, "linux/amd64", asked, 1, "busybox:musl", lambda _: None)
    assert found.run.started
    return found.checked


@pytest.mark.parametrize(
    ("check", "command", "why"),
    [
        ('["grep", "yes", "ready"]', READY, ""),
        ('test "$(cat ready)" = "$WORD" && test "$(id -u)" = 1000', READY, ""),
        ("cat ready; exit 3", READY, "exit 3 (yes)"),
        ("cat lost", READY, "exit 1 (cat: can't open 'lost': No such file or directory)"),
        ('["curl", "-f", "http://localhost/"]', READY, "no such file: curl"),
        (
            '["cat", "ready"]',
            'CMD ["sh", "-c", "sleep 1"]',
            "exit 1 (cat: can't open 'ready': No such file or directory)",
        ),
        ("sleep 50", READY, "no answer within 1 s"),
        ("true", 'CMD ["sleep", "100"]', ""),
    ],
)
def test_a_check_beside_the_command(engine: Buildx, tmp_path: Path, check: str, command: str, why: str) -> None:
    found = checked(engine, tmp_path, f"HEALTHCHECK --timeout=1s CMD {check}", command)
    assert found is not None and (found.healthy, found.why) == (not why, why)


def test_the_start_period_is_waited_for_and_no_longer_than_it_takes(engine: Buildx, tmp_path: Path) -> None:
    began = time.monotonic()
    late = READY.replace("sleep 1", "sleep 8")
    found = checked(engine, tmp_path / "1", "HEALTHCHECK --start-period=25s CMD cat ready", late)
    assert found is not None and found.healthy and time.monotonic() - began < 25
    found = checked(engine, tmp_path / "2", "HEALTHCHECK CMD cat ready", late)
    assert found is not None and not found.healthy

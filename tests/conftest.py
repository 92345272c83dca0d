"""What tests share: a container engine, if there is one."""

from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
_LAB = ROOT / "tests" / "lab" / "lab"


def pytest_configure() -> None:
    """Signals as a user's shell has them: whoever starts the tests in the background, or by nohup, has them ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those that wait for an engine first: on several processes the others fill the time in which they wait."""
    items.sort(key=lambda item: item.get_closest_marker("engine") is None)


@pytest.fixture(scope="session")
def engine_environment() -> Iterator[dict[str, str]]:
    """A Docker that works with the lab's images: the one that is set up, else the lab's, brought up if need be.

    Its variables are in os.environ for the rest of the session. Without one the test is skipped, or fails where
    DOCKERSLIM_REQUIRE_ENGINE is 1.
    """
    values: dict[str, str] = {}
    reason = _reason_against(values)
    if reason and not os.environ.get("DOCKER_HOST"):
        values, reason = _lab()
        reason = reason or _reason_against(values)
    if reason:
        if os.environ.get("DOCKERSLIM_REQUIRE_ENGINE") == "1":
            pytest.fail(f"no container engine: {reason}")
        pytest.skip(f"no container engine: {reason}")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in values.items():
            patch.setenv(name, value)
        yield values


def _reason_against(values: dict[str, str]) -> str:
    """Why the engine that these variables lead to is of no use; "" if it is."""
    command = ["docker", "info", "--format", "{{json .ServerVersion}}"]
    try:
        done = subprocess.run(
            command, env={**os.environ, **values}, capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{' '.join(command[:2])}: {error}"
    if done.returncode != 0 or done.stdout.strip() in ("", '""', "null"):
        return (done.stderr.strip().splitlines() or ["docker info fails"])[-1]
    return ""


def _lab() -> tuple[dict[str, str], str]:
    if not _LAB.exists():
        return {}, "no Docker answers, and there is no lab"
    if os.geteuid() != 0 or not Path("/etc/debian_version").exists() or platform.machine() != "x86_64":
        return {}, "no Docker answers, and the lab needs root on an amd64 Debian"
    up = subprocess.run([sys.executable, str(_LAB), "up"], stdout=subprocess.DEVNULL, check=False)
    if up.returncode != 0:
        return {}, f"the lab does not come up (exit {up.returncode})"
    done = subprocess.run([sys.executable, str(_LAB), "env", "--json"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return {}, done.stderr.strip()
    return {str(name): str(value) for name, value in json.loads(done.stdout).items()}, ""

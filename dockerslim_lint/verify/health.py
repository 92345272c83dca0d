"""An image's health check: what a container runtime would run, and how that went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dockerslim_lint.record import Record

LEAST_PATIENCE, MOST_PATIENCE = 10.0, 30.0
"""Seconds that a check is waited for beyond the time in which the image's command is watched, whatever its start period:
a program that is slow to start on a busy machine is not broken."""

_TIMEOUT = 30.0
"""Docker's own, in seconds, where the image names none."""
_SECOND = 1_000_000_000
_SHELL = ["/bin/sh", "-c"]


class Check(Record):
    """`argv` as a runtime runs it. Seconds: `timeout` of one attempt, `patience` for the first that succeeds, beyond the command's time."""

    argv: tuple[str, ...]
    timeout: float
    patience: float


class Checked(Record):
    """How the check went while the image's command ran: tried again until it succeeded. `why`: one line, "" if it did."""

    argv: tuple[str, ...]
    healthy: bool
    why: str = ""


def read_check(settings: Mapping[str, Any]) -> Check | None:
    """The health check in an image's settings (the ``config`` part of its OCI config), None if it has none."""
    check = settings.get("Healthcheck")
    if not isinstance(check, dict):
        return None
    test = check.get("Test")
    if not isinstance(test, list) or len(test) < 2 or not all(isinstance(word, str) for word in test):
        return None
    kind, *words = test
    if kind == "CMD-SHELL":
        words = [*(settings.get("Shell") or _SHELL), *words]
    elif kind != "CMD":
        return None
    timeout, start = (_seconds(check.get(name)) for name in ("Timeout", "StartPeriod"))
    return Check(tuple(map(str, words)), timeout or _TIMEOUT, min(max(start, LEAST_PATIENCE), MOST_PATIENCE))


def _seconds(value: object) -> float:
    return value / _SECOND if isinstance(value, int) and value > 0 else 0.0

"""What a proof is made of: evidence for one claim on one platform, and what a run of a program left behind."""

from __future__ import annotations

from enum import Enum

from dockerslim_lint.record import Record


class Verdict(Enum):
    """What a piece of evidence says about its claim."""

    HOLDS = "holds"
    FAILS = "fails"
    UNKNOWN = "unknown"
    """Inconclusive: nothing speaks against the claim, but it was not shown either."""
    NOT_APPLICABLE = "not applicable"
    """The claim was not made, or there is nothing that it could be about."""


class Evidence(Record):
    """One claim, judged on one platform.

    `claim` is one of "builds", "right machine", "static", "stripped", "libraries present", "config kept", "starts",
    "same output", "health check", "needs met", "smaller"; `platform` is written ``linux/amd64``. `summary` is one line for people,
    `details` are further lines, `figures` are named numbers (sizes in bytes) or short words for machines.
    """

    claim: str
    platform: str
    verdict: Verdict
    summary: str
    details: tuple[str, ...] = ()
    figures: tuple[tuple[str, float | int | str], ...] = ()


class Run(Record):
    """What one run of one command in an image left behind.

    `command` is the argv as it was run. `started`: the program itself got control; when it did not (no such file, no
    loader, wrong format, a library that is missing) `start_error` says why and the other fields are those of whatever
    tried. `exit_code` is None when the program was killed by `signal` (its number) or was still running at the end of
    its time (`timed_out`; it was then killed by us, and `signal` is None). `truncated`: an output limit cut
    `stdout` or `stderr`.
    """

    command: tuple[str, ...]
    started: bool
    exit_code: int | None
    signal: int | None = None
    timed_out: bool = False
    stdout: bytes = b""
    stderr: bytes = b""
    truncated: bool = False
    start_error: str = ""

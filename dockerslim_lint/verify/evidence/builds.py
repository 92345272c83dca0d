"""Evidence for "builds": whether the engine made the image, and if not, where it stopped."""

from __future__ import annotations

import re

from dockerslim_lint.record import Record
from dockerslim_lint.verify.evidence.interface import Evidence, Verdict

_LINES_SHOWN = 20
_ANSI = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class BuildOutcome(Record):
    """What an engine reported of one build for one platform.

    `exit_code` is that of the engine's process, None when it was killed at the end of its time. `step` is the failing
    instruction's text ("" if unknown), `line` its 1-based line in the Dockerfile (0 if unknown), `log` the end of the
    build's log. `seconds` is how long it took. `reason` is for failures without a step: no space, no such base image.
    """

    exit_code: int | None
    step: str = ""
    line: int = 0
    log: str = ""
    seconds: float = 0.0
    reason: str = ""


def judge_build(platform: str, outcome: BuildOutcome, *, original: bool = False) -> Evidence:
    """The claim for one build. When the `original` does not build there is nothing to compare with: UNKNOWN."""
    which = "the original" if original else "the new file"
    figures: tuple[tuple[str, float | int | str], ...] = (("seconds", round(outcome.seconds, 1)),)
    if outcome.exit_code == 0:
        return Evidence("builds", platform, Verdict.HOLDS, f"{which} builds in {outcome.seconds:.0f} s", (), figures)
    step = _one_line(outcome.step)
    place = f" at line {outcome.line}" if outcome.line > 0 else ""
    place += f": {step}" if step else ""
    how = f"was still building after {outcome.seconds:.0f} s" if outcome.exit_code is None else "does not build"
    reason = _one_line(outcome.reason)
    summary = f"{which} {how}{place}" + (f" ({reason})" if reason else "")
    if outcome.line > 0:
        figures += (("line", outcome.line),)
    if outcome.exit_code is not None:
        figures += (("exit code", outcome.exit_code),)
    verdict = Verdict.UNKNOWN if original else Verdict.FAILS
    return Evidence("builds", platform, verdict, summary, last_lines(outcome.log), figures)


def last_lines(log: str, count: int = _LINES_SHOWN) -> tuple[str, ...]:
    """The last lines of a log that say something, without colours and without what progress bars overwrote."""
    lines = (
        _CONTROL.sub("", _ANSI.sub("", line.rstrip("\r").rpartition("\r")[2])).rstrip() for line in log.split("\n")
    )
    return tuple([line for line in lines if line][-count:])


def _one_line(text: str) -> str:
    words = " ".join(_CONTROL.sub(" ", _ANSI.sub("", text)).split())
    return words if len(words) <= 120 else words[:119] + "…"

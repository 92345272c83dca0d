"""A build's end as evidence."""

from __future__ import annotations

from dockerslim_lint.verify.evidence.builds import BuildOutcome, judge_build, last_lines
from dockerslim_lint.verify.evidence.interface import Verdict


def test_a_build_that_works() -> None:
    evidence = judge_build("linux/amd64", BuildOutcome(0, seconds=41.2))
    assert (evidence.verdict, evidence.summary) == (Verdict.HOLDS, "the new file builds in 41 s")
    assert dict(evidence.figures) == {"seconds": 41.2}


def test_a_step_that_fails() -> None:
    outcome = BuildOutcome(
        1,
        step="RUN  cargo build \\\n  --release",
        line=7,
        log="a\n\n\x1b[31merror\x1b[0m: no\n  10%\r 100%\r\n",
        seconds=3,
        reason="exit code: 101",
    )
    evidence = judge_build("linux/amd64", outcome)
    assert evidence.verdict is Verdict.FAILS
    assert evidence.summary == "the new file does not build at line 7: RUN cargo build \\ --release (exit code: 101)"
    assert evidence.details == ("a", "error: no", " 100%")
    assert dict(evidence.figures) == {"seconds": 3, "line": 7, "exit code": 1}


def test_an_original_that_fails_proves_nothing() -> None:
    evidence = judge_build("linux/amd64", BuildOutcome(1, reason="no such image"), original=True)
    assert (evidence.verdict, evidence.summary) == (Verdict.UNKNOWN, "the original does not build (no such image)")


def test_a_build_that_takes_too_long() -> None:
    assert (
        judge_build("linux/amd64", BuildOutcome(None, seconds=600)).summary
        == "the new file was still building after 600 s"
    )


def test_logs_are_cut_and_cleaned() -> None:
    lines = last_lines("\n".join(f"line {n}\x07" for n in range(100)))
    assert (len(lines), lines[0], lines[-1]) == (20, "line 80", "line 99")
    assert last_lines("") == ()
    assert len(judge_build("linux/amd64", BuildOutcome(1, step="RUN " + "x" * 500)).summary) < 200

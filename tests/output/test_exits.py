"""Which exit code decides."""

from __future__ import annotations

from itertools import pairwise

from dockerslim_lint.linter import Report
from dockerslim_lint.output.exits import EXIT_CODES, Exit, deciding
from dockerslim_lint.output.interface import FileResult, ProofResult
from dockerslim_lint.source import Source


def test_the_order_of_the_design() -> None:
    order = [Exit(code) for code in (5, 2, 4, 3, 7, 6, 1, 0)]
    for stronger, weaker in pairwise(order):
        assert deciding([weaker, stronger]) == deciding([stronger, weaker]) == stronger
    assert deciding([]) == Exit.CLEAN


def test_every_code_is_documented_once() -> None:
    assert [code for code, _ in EXIT_CODES] == list(Exit)


def test_a_file_that_would_change_counts_under_diff_only() -> None:
    result = FileResult("x", report=Report(Source(b""), (), (), None, ()), after=b"y")
    assert (result.exit(), result.exit(diff=True)) == (Exit.CLEAN, Exit.FINDINGS)
    assert result._replace(bug="x").exit(diff=True) == Exit.BUG
    assert result._replace(proof=ProofResult(Exit.NOT_PROVEN, ())).exit() == Exit.NOT_PROVEN

"""Runs compared: how they ended, what they printed, what may differ."""

from __future__ import annotations

import time
from itertools import count
from typing import Any

import pytest

from dockerslim_lint.verify.evidence.interface import Run, Verdict
from dockerslim_lint.verify.evidence.output import Comparison, compare, judge_runs, outcome

HOLDS, FAILS, UNKNOWN, NOT_APPLICABLE = Verdict.HOLDS, Verdict.FAILS, Verdict.UNKNOWN, Verdict.NOT_APPLICABLE
APP = ("/app", "--help")


def ran(stdout: str = "", stderr: str = "", code: int | None = 0, **more: Any) -> Run:
    return Run(APP, True, code, stdout=stdout.encode(), stderr=stderr.encode())._replace(**more)


def running(stdout: str = "", stderr: str = "") -> Run:
    return ran(stdout, stderr, None, timed_out=True)


def unstarted(why: str = "exec /app: no such file or directory") -> Run:
    return Run(APP, False, 127, start_error=why)


def same(old1: str, old2: str, new: str) -> Comparison:
    return compare(ran(old1), ran(old2), ran(new))


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (ran(code=0), "exit 0"),
        (ran(code=101), "exit 101"),
        (ran(code=None, signal=6), "killed by signal 6"),
        (running(), "still running"),
        (unstarted(), "did not start"),
    ],
)
def test_how_a_run_ended(run: Run, words: str) -> None:
    assert outcome(run) == words
    assert compare(ran("x", code=3), ran("x", code=3), run).starts is FAILS
    both = compare(run, run, run)
    assert both.starts is (FAILS if not run.started else HOLDS)


def test_the_same_output() -> None:
    result = same("a\nb\n", "a\nb\n", "a\nb\n")
    assert (result.starts, result.same_output, result.lines, result.summary) == (
        HOLDS,
        HOLDS,
        2,
        "exit 0; 2 lines the same",
    )
    assert compare(ran("a"), None, ran("a")).same_output is HOLDS
    assert compare(ran("a", code=2), None, ran("a", code=2)).same_output is HOLDS


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("a\nb\n", "a\nc\n", "stdout line 2: “b” → “c”"),
        ("a\nb\n", "a\n", "stdout line 2: “b” → nothing"),
        ("a\n", "a\nb\n", "stdout line 2: nothing → “b”"),
        ("a\n", "", "stdout line 1: “a” → nothing"),
        ("", "a\n", "stdout line 1: nothing → “a”"),
        ("x 1\n", "x 2\n", "stdout line 1: “x 1” → “x 2”"),
        ("a b\n", "a  b\n", "stdout line 1: “a b” → “a  b”"),
    ],
)
def test_another_output(old: str, new: str, words: str) -> None:
    result = same(old, old, new)
    assert (result.starts, result.same_output) == (HOLDS, FAILS)
    assert result.summary == f"exit 0, but {words}"


def test_stderr_counts_too() -> None:
    result = compare(ran("a", "warning"), ran("a", "warning"), ran("a", "error"))
    assert result.summary == "exit 0, but stderr line 1: “warning” → “error”"


@pytest.mark.parametrize(
    ("old1", "old2", "new", "verdict"),
    [
        ("took 12 of 5", "took 13 of 5", "took 99 of 5", HOLDS),
        ("took 12 of 5", "took 13 of 5", "took 99 of 6", FAILS),
        ("id a3f9 ok", "id 77 ok", "id zz1 ok", HOLDS),
        ("id a3f9 ok", "id 77 ok", "id zz1 failed", FAILS),
        ("port 1.5 x", "port 17 x", "port 2.5.9 x", HOLDS),
        ("a 1\nb\n", "a 2\nb\n", "a 3\nc\n", FAILS),
        ("a\n1 req\nb\n", "a\n1 req\n2 req\nb\n", "a\n1 req\n7 req\n8 req\nb\n", HOLDS),
        ("a\nb\n", "a\nextra\nb\n", "a\nother\nb\n", HOLDS),
        ("a\nb\n", "a\nextra\nb\n", "a\nother\nc\n", FAILS),
        ("a\nb\nc\n", "c\nb\na\n", "b\na\nc\n", HOLDS),
        ("a\nb\nc\n", "c\nb\na\n", "b\na\nd\n", FAILS),
        ("a\nb\n", "a\nb\n", "b\na\n", HOLDS),
        ("2026-01-01T10:00:00Z INFO up", "2026-01-01T10:00:00Z INFO up", "2026-01-01T10:00:03.5Z INFO up", HOLDS),
        ("2026-01-01T10:00:00Z INFO up", "2026-01-01T10:00:00Z INFO up", "2026-01-01T10:00:00Z WARN up", FAILS),
        ("done in 0.01s", "done in 0.01s", "done in 0.13s", HOLDS),
        ("done in 80ms", "done in 80ms", "done in 1.3 ms", HOLDS),
        ("at 0x7ffe12345678", "at 0x7ffe12345678", "at 0x55aa00000010", HOLDS),
        ("mask 0xff", "mask 0xff", "mask 0xfe", FAILS),
        (
            "id 6ba7b810-9dad-11d1-80b4-00c04fd430c8",
            "id 6ba7b810-9dad-11d1-80b4-00c04fd430c8",
            "id 7ba7b810-9dad-11d1-80b4-00c04fd430c9",
            HOLDS,
        ),
        ("v1.2.3", "v1.2.3", "v1.2.4", FAILS),
        ("retry after 30s", "retry after 30s", "retry after 31s", FAILS),
        ("a\r\nb", "a\r\nb", "a\nb\n\n", HOLDS),
    ],
)
def test_what_differs_from_itself_is_masked(old1: str, old2: str, new: str, verdict: Verdict) -> None:
    result = same(old1, old2, new)
    assert result.same_output is verdict, result


@pytest.mark.parametrize(
    ("glibc", "musl"),
    [
        ("stty: Inappropriate ioctl for device", "stty: Not a tty"),
        ("x: Too many levels of symbolic links (os error 40)", "x: Symbolic link loop (os error 40)"),
        ("read: Input/output error", "read: I/O error"),
        ("bind: Cannot assign requested address", "bind: Address not available"),
        ("lookup failed: Temporary failure in name resolution", "lookup failed: Try again"),
        ("lookup failed: Name or service not known", "lookup failed: Name does not resolve"),
        ("a: Operation not supported; b: Too many open files", "a: Not supported; b: No file descriptors available"),
        ("thread 'main' (12) panicked at src/main.rs:2:5:", "thread 'main' (9341) panicked at src/main.rs:2:5:"),
        ("aborted", "aborted\nqemu: uncaught target signal 6 (Aborted) - core dumped"),
    ],
)
def test_the_words_of_the_c_library(glibc: str, musl: str) -> None:
    result = compare(ran(stderr=glibc, code=1), ran(stderr=glibc, code=1), ran(stderr=musl, code=1))
    assert (result.starts, result.same_output) == (HOLDS, HOLDS), result
    other = (
        musl.replace("os error 40", "os error 2")
        .replace("main.rs:2", "main.rs:3")
        .replace(": ", ": no ")
        .replace("aborted", "gone")
    )
    assert compare(ran(stderr=glibc), ran(stderr=glibc), ran(stderr=other)).same_output is FAILS


def test_one_error_is_not_another() -> None:
    old = ran(stderr="x: Input/output error")
    assert compare(old, old, ran(stderr="x: Not a tty")).same_output is FAILS
    assert compare(old, old, ran(stderr="x: Permission denied")).same_output is FAILS


def test_where_no_output_is_left() -> None:
    silent = compare(ran(), ran(), ran())
    assert (silent.starts, silent.same_output, silent.summary) == (HOLDS, NOT_APPLICABLE, "exit 0; nothing is printed")
    masked = same("a1b2\n", "c3d4\n", "e5f6\n")
    assert (masked.starts, masked.same_output, masked.summary) == (
        HOLDS,
        NOT_APPLICABLE,
        "exit 0; no output is left to compare",
    )
    starts, output = judge_runs("linux/amd64", [masked])
    assert (starts.verdict, output.verdict) == (HOLDS, NOT_APPLICABLE)


def test_programs_that_run_on_are_compared_as_far_as_both_came() -> None:
    log = "listening\n" + "".join(f"tick {n}\n" for n in range(9))
    result = compare(running(log), running(log[:40]), running(log[:25] + "ti"))
    assert (result.starts, result.same_output, result.lines) == (HOLDS, HOLDS, 3)
    assert compare(running(log), running(log), running(log.replace("listening", "failed"))).same_output is FAILS
    late = compare(running(log), running(log), running(""))
    assert (late.starts, late.same_output, late.summary) == (
        HOLDS,
        NOT_APPLICABLE,
        "still running; no output is left to compare",
    )


def test_a_flood_is_compared_as_far_as_it_was_kept() -> None:
    flood = ran("y\n" * 5000 + "y", truncated=True)
    result = compare(flood, flood, ran("y\n" * 4000, truncated=True))
    assert (result.same_output, result.lines) == (HOLDS, 2000)


def test_a_server_that_dies_fails() -> None:
    result = compare(running("up\n"), running("up\n"), ran("up\n", "boom\n", code=1))
    assert result.starts is FAILS
    assert result.summary == "still running → exit 1 (boom)"


def test_a_program_that_ends_now_so_now_so() -> None:
    assert compare(ran("a", code=0), ran("a", code=1), ran("a", code=1)).same_output is HOLDS
    assert compare(ran("a", code=0), ran("b", code=1), ran("zzz q", code=1)).starts is HOLDS
    assert compare(ran("a b", code=0), ran("a c", code=1), ran("d e", code=1)).same_output is UNKNOWN
    assert compare(ran(code=0), ran(code=1), ran(code=2)).starts is FAILS


def test_the_new_image_does_not_start() -> None:
    result = compare(ran("a"), ran("a"), unstarted())
    assert result.starts is FAILS
    assert result.summary == "does not start: exec /app: no such file or directory; the original: exit 0"


@pytest.mark.parametrize(
    ("new", "verdict"),
    [
        (ran("usage", code=0), HOLDS),
        (running(), HOLDS),
        (ran(code=2), UNKNOWN),
        (ran(code=None, signal=11), FAILS),
        (unstarted("no"), FAILS),
    ],
)
def test_an_original_that_cannot_be_started(new: Run, verdict: Verdict) -> None:
    old = unstarted("version `GLIBC_2.39' not found")
    result = compare(old, old, new)
    assert (result.starts, result.same_output) == (verdict, NOT_APPLICABLE)
    starts, output = judge_runs("linux/amd64", [result])
    assert starts.verdict is verdict
    assert output.verdict is NOT_APPLICABLE
    if verdict is HOLDS:
        assert starts.summary == "starts; the original did not"
        assert output.summary == "the original did not run, so there is nothing to compare"


def test_one_good_answer_shows_that_it_starts() -> None:
    old = unstarted()
    bad, good = compare(old, old, ran(code=2)), compare(old, old, running())
    assert judge_runs("linux/amd64", [bad, good])[0].verdict is HOLDS
    assert judge_runs("linux/amd64", [bad, good, compare(old, old, unstarted())])[0].verdict is FAILS


def test_all_commands_together() -> None:
    good, silent, wrong = same("a", "a", "a"), compare(ran(), ran(), ran()), same("a", "a", "b")
    starts, output = judge_runs("linux/arm64", [good, silent])
    assert (starts.summary, output.summary) == ("2 commands ended as in the original", "1 lines the same")
    assert dict(output.figures) == {"lines": 1, "masked": 0}
    starts, output = judge_runs("linux/arm64", [good, wrong])
    assert (starts.verdict, output.verdict) == (HOLDS, FAILS)
    assert output.summary == "/app --help: exit 0, but stdout line 1: “a” → “b”"
    starts, output = judge_runs("linux/arm64", [])
    assert (starts.verdict, output.verdict) == (UNKNOWN, NOT_APPLICABLE)


def test_large_and_odd_outputs_take_no_time() -> None:
    numbers = count()
    started = time.monotonic()
    lines = [f"line {next(numbers)} of {'ab' * (n % 7)} x" for n in range(6000)]
    same("\n".join(lines), "\n".join(lines[::-1][:-7]), "\n".join(lines[5:]))
    same("x " * 100_000, "x y " * 80_000, "y " * 90_000)
    same("a\n" * 3000, "a\n" * 2999 + "b 1\n", "a\n" * 2000)
    same("a\n" * 1500, "a\n" * 1400, "a\n" * 1300)
    compare(ran(stdout="\0\xff" * 9), ran(), ran())
    assert time.monotonic() - started < 30

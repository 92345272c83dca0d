"""Diffs: what `patch` makes of them is the fixed file, byte for byte."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockerslim_lint.output.diff import diff_lines, unified
from dockerslim_lint.output.interface import plain

LINES = st.lists(st.sampled_from([b"a", b"b", b"c\r", b"\xff", b"\r", b""]), max_size=12).map(b"\n".join)


def patched(directory: Path, before: bytes, diff: bytes) -> bytes:
    (directory / "Dockerfile").write_bytes(before)
    subprocess.run(
        ["git", "apply", "-p0", "--whitespace=nowarn", "--unidiff-zero", "-"],
        input=diff,
        cwd=directory,
        check=True,
        capture_output=True,
        timeout=30,
    )
    return (directory / "Dockerfile").read_bytes()


@pytest.mark.skipif(shutil.which("git") is None, reason="no git")
@given(before=LINES.filter(bool), after=LINES.filter(bool))
@settings(max_examples=60, deadline=None)
def test_git_applies_it(tmp_path_factory: pytest.TempPathFactory, before: bytes, after: bytes) -> None:
    if before != after:
        directory = tmp_path_factory.mktemp("diff")
        assert patched(directory, before, unified(before, after, "Dockerfile")) == after


def test_shape() -> None:
    before = b"".join(b"%d\n" % number for number in range(20))
    after = before.replace(b"5\n", b"5x\n", 1).replace(b"\n16\n", b"\n", 1) + b"end"
    assert unified(before, after, "d/Dockerfile") == (
        b"--- d/Dockerfile\n+++ d/Dockerfile\n"
        b"@@ -3,7 +3,7 @@\n 2\n 3\n 4\n-5\n+5x\n 6\n 7\n 8\n"
        b"@@ -14,7 +14,7 @@\n 13\n 14\n 15\n-16\n 17\n 18\n 19\n+end\n\\ No newline at end of file\n"
    )
    assert unified(before, before, "x") == b""


def test_a_long_file_costs_little() -> None:
    before = b"RUN x\n" * 200_000
    after = before[: 6 * 100_000] + b"RUN y\n" + before[6 * 100_000 :]
    start = time.process_time()
    assert unified(before, after, "x").count(b"\n") == 10
    assert time.process_time() - start < 5


def test_on_a_terminal_it_is_escaped() -> None:
    text = plain(diff_lines(b"--- x\n+++ x\n@@ -1 +1 @@\n-a\x1b[0m\r\n+\tb\xff\r\n"))
    assert text == "--- x\n+++ x\n@@ -1 +1 @@\n-a\\x1b[0m\n+\tb\\xff\n"

"""Standard input: linted, fixed to standard output, always whole."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import ORIGIN, Invoke
from tests.cli.fake_linter import SLIM


def test_findings_carry_the_name_given(project: Path, run: Invoke) -> None:
    assert run("lint", "-", stdin=ORIGIN).stdout.startswith("-:6:6: DSL101 ")
    result = run("lint", "-", "--stdin-filename", "docker/Dockerfile", stdin=ORIGIN)
    assert result.exit_code == 1
    assert result.stdout.startswith("docker/Dockerfile:6:6: DSL101 ")


def test_the_whole_file_comes_back_fixed(project: Path, run: Invoke) -> None:
    data = b"\xef\xbb\xbf" + ORIGIN.replace("\n", "\r\n").encode() + b"# \xff"
    result = run("lint", "--fix", "--unsafe-fixes", "-", stdin=data)
    assert result.exit_code == 0
    assert result.stdout_bytes == data.replace(b"ubuntu:22.04", SLIM.encode())
    assert result.stderr.startswith("-: written. 1 fix made:\n")


def test_the_input_comes_back_when_nothing_was_applied(project: Path, run: Invoke) -> None:
    result = run("lint", "--fix", "-", stdin=ORIGIN)
    assert (result.exit_code, result.stdout) == (0, ORIGIN)
    assert "1 fix held back" in result.stderr


def test_the_input_comes_back_unparsable(project: Path, run: Invoke) -> None:
    result = run("lint", "--fix", "-", stdin=b"\x00\xff\r\n")
    assert (result.exit_code, result.stdout_bytes) == (4, b"\x00\xff\r\n")
    assert result.stderr.startswith("-:1:1: DSL901 unparsable  error: file with no instructions\n")


def test_the_input_comes_back_after_a_bug_of_ours(project: Path, run: Invoke) -> None:
    result = run("lint", "--fix", "-", stdin="FROM boom\n")
    assert (result.exit_code, result.stdout) == (5, "FROM boom\n")


def test_the_input_comes_back_under_a_broken_configuration(project: Path, run: Invoke) -> None:
    (project / ".dockerslim.toml").write_text("nonsense = 1\n")
    result = run("lint", "--fix", "-", stdin=ORIGIN)
    assert (result.exit_code, result.stdout) == (2, ORIGIN)


def test_an_excluded_name_comes_back_as_it_is(project: Path, run: Invoke) -> None:
    (project / ".dockerslim.toml").write_text('exclude = ["vendor"]\n')
    arguments = ("lint", "--fix", "--unsafe-fixes", "-", "--stdin-filename", "vendor/Dockerfile")
    result = run(*arguments, stdin=ORIGIN)
    assert (result.exit_code, result.stdout) == (0, ORIGIN)


def test_the_configuration_is_that_of_the_name(project: Path, run: Invoke) -> None:
    (project / "a").mkdir()
    (project / "a" / ".dockerslim.toml").write_text('fail-on = "error"\n')
    source = "FROM x\nRUN nostrip\n"
    assert run("lint", "-", "--stdin-filename", "a/Dockerfile", stdin=source).exit_code == 0
    assert run("lint", "-", stdin=source).exit_code == 1


def test_a_diff_of_standard_input(project: Path, run: Invoke) -> None:
    result = run("lint", "--diff", "--unsafe-fixes", "-", "--stdin-filename", "x/Dockerfile", stdin=ORIGIN)
    assert result.exit_code == 1
    assert result.stdout.startswith("--- x/Dockerfile\n")

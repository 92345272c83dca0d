"""Standard input: linted, fixed to standard output, always whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import ORIGIN, Invoke
from tests.cli.fake_linter import SLIM
from tests.golden.shapes import shapes


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


BUFFERS = {
    "empty": b"",
    "a newline": b"\n",
    "no final newline": ORIGIN.rstrip("\n").encode(),
    "CRLF": ORIGIN.replace("\n", "\r\n").encode(),
    "mixed line ends": ORIGIN.replace("\n", "\r\n", 3).encode(),
    "BOM": b"\xef\xbb\xbf" + ORIGIN.encode(),
    "UTF-16": ORIGIN.encode("utf-16"),
    "not UTF-8": ORIGIN.encode() + b"# \xff\xfe\x80\n",
    "binary": bytes(range(256)) * 40,
    "zero bytes": b"FROM a\0b\n\0",
    "only comments": b"# nothing\n",
    "not closed": b"FROM a\nRUN <<EOF\nx\n",
    "another language": b"FROM node\nRUN npm ci\n",
}


@pytest.mark.parametrize("name", BUFFERS)
def test_whatever_comes_in_a_whole_file_goes_out(name: str, tmp_path: Path) -> None:
    """By the real program: bytes in, bytes out, and 0 or 4."""
    data = BUFFERS[name]
    done = filtered(tmp_path, data)
    assert done.stdout == data
    assert done.returncode == (
        4 if name in ("empty", "a newline", "UTF-16", "binary", "only comments", "not closed") else 0
    )


def test_more_than_any_dockerfile_comes_back_too(tmp_path: Path) -> None:
    data = b"FROM rust\n" + b"#" * (64 * 1024 * 1024)
    done = filtered(tmp_path, data)
    assert (done.returncode, done.stdout == data) == (4, True)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--fixx",), 2),
        (("--platform", "nonsense"), 2),
        (("--verify", "--smoke", "'"), 2),
        (("--select", "DSL999"), 2),
        (("--config", "nowhere.toml"), 2),
        (("--stdin-filename", "a\nb/../c"), 0),
        (("--stdin-filename", "/nowhere/at/all/Dockerfile"), 0),
        (("--stdin-filename", "loop/Dockerfile"), 2),
        (("--stdin-filename", ""), 0),
        (("--format", "json"), 0),
        (("--fail-on", "info"), 0),
        (("-q", "--color", "always"), 0),
    ],
)
def test_the_input_comes_back_whatever_is_asked(arguments: tuple[str, ...], code: int, tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    data = ORIGIN.encode()
    done = filtered(tmp_path, data, *arguments)
    assert (done.returncode, done.stdout) == (code, data)


def test_the_input_comes_back_when_there_is_no_working_directory(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    command = f'rmdir "{gone}"; exec "{sys.executable}" -m dockerslim_lint lint --fix -'
    done = subprocess.run(["sh", "-c", command], cwd=gone, input=ORIGIN.encode(), capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (2, ORIGIN.encode())
    assert done.stderr == b"dockerslim-lint: the working directory: does not exist\n"


def test_the_input_comes_back_when_it_is_interrupted(tmp_path: Path) -> None:
    code = (
        "import os, signal\nfrom dockerslim_lint import linter\nfrom dockerslim_lint.cli import main\n"
        "linter.fix = lambda *_: os.kill(os.getpid(), signal.SIGINT)\nmain()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "lint", "--fix", "-"],
        cwd=tmp_path,
        input=ORIGIN.encode(),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (130, ORIGIN.encode())


@pytest.mark.parametrize(("closed", "back"), [("2>&-", True), (">&-", False), ("<&-", False)])
def test_a_stream_that_is_closed(closed: str, back: bool, tmp_path: Path) -> None:
    command = f'exec "{sys.executable}" -m dockerslim_lint lint --fix - {closed}'
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, input=ORIGIN.encode(), capture_output=True, check=False)
    assert done.returncode == (4 if closed == "<&-" else 0)
    assert done.stdout == (ORIGIN.encode() if back else b"")


def test_the_context_is_that_of_the_name(tmp_path: Path) -> None:
    """The Dockerfile lies in docker/, the crate above: what is known of it shows that it was found from the name."""
    (shape,) = (one for one in shapes() if one.name == "15-context-at-root")
    file = shape.copy_to(tmp_path / "project")
    (tmp_path / "project" / ".git").mkdir()
    name = file.relative_to(tmp_path).as_posix()
    arguments = ("--unsafe-fixes", "--verbose", "--stdin-filename", name)
    done = filtered(tmp_path, shape.dockerfile, *arguments)
    assert (done.returncode, done.stdout) == (0, shape.fixed)
    assert f"{name}: context project (".encode() in done.stderr
    file.unlink()
    assert filtered(tmp_path, shape.dockerfile, *arguments).stdout == shape.fixed  # the file itself need not be there


def filtered(directory: Path, data: bytes, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """The real program as an editor's filter."""
    (directory / ".git").mkdir(exist_ok=True)
    command = [sys.executable, "-m", "dockerslim_lint", "lint", "--fix", *arguments, "-"]
    return subprocess.run(command, cwd=directory, input=data, capture_output=True, timeout=120, check=False)


def test_interrupted_while_it_is_loaded() -> None:
    code = (
        "import os, signal, sys\nclass Finder:\n    def find_spec(self, name, *_):\n"
        "        if name == 'dockerslim_lint.cli': os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Finder())\nfrom dockerslim_lint.__main__ import main\nmain()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (130, b"dockerslim-lint: interrupted\n")

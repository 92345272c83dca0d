"""Bad input: one clear line, the documented exit code, no traceback, and the other files are still judged."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import ORIGIN, Invoke


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


def _huge(path: Path) -> None:
    with path.open("wb") as stream:
        stream.truncate(65 * 1024 * 1024)


CASES: dict[str, tuple[Callable[[Path], object], int]] = {
    "empty": (lambda path: path.write_bytes(b""), 4),
    "binary": (lambda path: path.write_bytes(b"\x7fELF\x00\x00"), 4),
    "dangling": (lambda path: path.symlink_to("nowhere"), 3),
    "loop": (lambda path: path.symlink_to(path.name), 3),
    "missing": (lambda path: None, 3),
    "below a file": (lambda path: path.parent.joinpath("x").write_text(""), 3),
    "directory": (lambda path: path.mkdir(), 3),
    "fifo": (_fifo, 4),
    "socket": (_socket, 4),
    "huge": (_huge, 4),
    "long": (lambda path: None, 3),
    "bug": (lambda path: path.write_text("FROM boom\n"), 5),
}


@pytest.mark.timeout(30)
@pytest.mark.parametrize("case", CASES)
def test_one_line_and_the_others_are_still_judged(project: Path, run: Invoke, case: str) -> None:
    prepare, code = CASES[case]
    (project / "good").write_text(ORIGIN)
    name = {"below a file": "x/Dockerfile", "long": "D" * 300}.get(case, "Dockerfile")
    prepare(project / "Dockerfile")
    result = run("lint", "-q", name, "good")
    lines = [line for line in (result.stderr + result.stdout).split("\n") if name in line]
    assert len(lines) == 1, result.output
    assert result.exit_code == code
    assert "Traceback" not in result.output
    assert "good:6:6: DSL101" in result.stdout


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ("FROM rust\n".encode("utf-16"), "it is saved as UTF-16; save it as UTF-8"),
        ("FROM rust\n".encode("utf-16-le"), "it is saved as UTF-16; save it as UTF-8"),
        ("# a\nfrom rust\n".encode("utf-16-be"), "it is saved as UTF-16; save it as UTF-8"),
        ("FROM rust\n".encode("utf-32"), "it is saved as UTF-32; save it as UTF-8"),
        ("FROM rust\n".encode("utf-32-be"), "it is saved as UTF-32; save it as UTF-8"),
        (b"\x7fELF\0\0" + b"x" * 70000, "it is a binary file, no Dockerfile"),
        (b"\xffRUN x\n", "no build stage: there is no FROM"),
    ],
)
def test_what_is_no_text_is_told_as_what_it_is(tmp_path: Path, run: Invoke, data: bytes, told: str) -> None:
    (tmp_path / "Dockerfile").write_bytes(data)
    result = run("lint", "-q", str(tmp_path / "Dockerfile"))
    assert (result.exit_code, result.stdout) == (
        4,
        f"{tmp_path}/Dockerfile:1:1: DSL901 unparsable  error: {told}\n",
    )


def test_a_zero_byte_in_a_dockerfile_does_not_make_it_binary(tmp_path: Path, run: Invoke) -> None:
    (tmp_path / "Dockerfile").write_bytes(b"# \0\nFROM scratch\n")
    assert run("lint", str(tmp_path / "Dockerfile")).exit_code == 0


def test_a_device_is_named_as_one(project: Path, run: Invoke) -> None:
    result = run("lint", os.devnull)
    assert result.exit_code == 4
    assert "a device, not a file; to lint standard input give -" in result.stdout


def test_a_broken_configuration_is_told_once(project: Path, run: Invoke) -> None:
    (project / "a").mkdir()
    (project / "b").mkdir()
    (project / "a" / ".dockerslim.toml").write_text("prefer = [\n")
    for name in ("a/Dockerfile", "a/Dockerfile.x", "b/Dockerfile"):
        (project / name).write_text(ORIGIN)
    result = run("lint", ".")
    assert result.exit_code == 2
    assert result.stderr.startswith("dockerslim-lint: a/.dockerslim.toml: not valid TOML: ")
    assert result.stderr.count("\n") == 1
    assert result.stdout.startswith("b/Dockerfile:6:6: DSL101")


def test_an_unknown_key_is_told_with_a_suggestion(project: Path, run: Invoke) -> None:
    (project / "Dockerfile").write_text(ORIGIN)
    (project / "pyproject.toml").write_text('[tool.dockerslim]\nprefers = ["alpine"]\n')
    result = run("lint")
    assert result.exit_code == 2
    assert result.stderr == (
        "dockerslim-lint: pyproject.toml: unknown key `tool.dockerslim.prefers`; did you mean `prefer`?\n"
    )


def test_a_configuration_that_is_not_there(project: Path, run: Invoke) -> None:
    (project / "Dockerfile").write_text(ORIGIN)
    result = run("lint", "--config", "nope.toml")
    assert (result.exit_code, result.stderr) == (
        2,
        "dockerslim-lint: nope.toml: does not exist; check --config\n",
    )


def test_a_bug_of_ours_says_where_with_verbose(project: Path, run: Invoke) -> None:
    (project / "Dockerfile").write_text("FROM boom\n")
    assert "Traceback" in run("lint", "--verbose").stderr


def test_the_worst_code_wins(project: Path, run: Invoke) -> None:
    (project / "Dockerfile").write_text("FROM boom\n")
    (project / "empty").write_text("")
    (project / "bad").write_text(ORIGIN)
    assert run("lint", "Dockerfile", "empty", "missing", "bad").exit_code == 5
    assert run("lint", "empty", "missing", "bad").exit_code == 4
    assert run("lint", "missing", "bad").exit_code == 3


def test_text_from_a_file_cannot_speak_to_the_terminal(project: Path, run: Invoke) -> None:
    (project / "Docker\x1b[31mfile").write_text(ORIGIN.replace("FROM ubuntu", "FROM  --x=\x1b]0;hi\x07[red] ubuntu"))
    result = run("lint", "Docker\x1b[31mfile", "--color", "always")
    assert "\x1b]0" not in result.stdout
    assert "\\x1b]0;hi\\x07[red]" in result.stdout
    assert "Docker\\x1b[31mfile" in result.stdout

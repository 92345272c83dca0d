"""Colour and width: what a terminal, the environment and the option say."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from dockerslim_lint import terminal
from dockerslim_lint.output.printable import width
from dockerslim_lint.terminal import columns_of, talk, wants_color
from tests.cli.conftest import ORIGIN, Invoke

NAMES = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "CLICOLOR", "TERM")


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environment", "on_terminal", "elsewhere"),
    [
        ({}, True, False),
        ({"NO_COLOR": "1"}, False, False),
        ({"NO_COLOR": ""}, True, False),
        ({"FORCE_COLOR": "1"}, True, True),
        ({"FORCE_COLOR": "3", "TERM": "dumb"}, True, True),
        ({"FORCE_COLOR": "0"}, False, False),
        ({"FORCE_COLOR": ""}, True, False),
        ({"CLICOLOR_FORCE": "1"}, True, True),
        ({"CLICOLOR_FORCE": "0"}, True, False),
        ({"CLICOLOR": "0"}, False, False),
        ({"CLICOLOR": "1"}, True, False),
        ({"TERM": "dumb"}, False, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1", "CLICOLOR_FORCE": "1"}, False, False),
    ],
)
def test_what_decides_about_colour(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], on_terminal: bool, elsewhere: bool
) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert wants_color(Terminal(), "auto") is on_terminal
    assert wants_color(io.StringIO(), "auto") is elsewhere
    for stream in (Terminal(), io.StringIO()):
        assert wants_color(stream, "always") is True
        assert wants_color(stream, "never") is False


@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1"}, {"TERM": "dumb"}, {"TERM": "dumb", "NO_COLOR": "1"}])
def test_the_option_always_is_stronger_than_the_environment(
    project: Path, run: Invoke, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    (project / "Dockerfile").write_text(ORIGIN)
    assert "\x1b[1;31merror\x1b[0m" in run("lint", "-q", "--color", "always").stdout


def test_forced_colour_reaches_the_diff(project: Path, run: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    (project / "Dockerfile").write_text(ORIGIN)
    assert "\x1b[31m-" in run("lint", "--diff", "--unsafe-fixes").stdout
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in run("lint", "--diff", "--unsafe-fixes").stdout


@pytest.mark.parametrize(("columns", "used"), [(60, 60), (40, 40), (10, 40), (80, 80), (200, 80), (0, 80)])
def test_only_a_narrow_terminal_changes_the_width(columns: int, used: int) -> None:
    pty, termios = pytest.importorskip("pty"), pytest.importorskip("termios")
    leader, follower = pty.openpty()
    with os.fdopen(leader, "rb"), os.fdopen(follower, "w") as stream:
        termios.tcsetwinsize(follower, (24, columns))
        assert columns_of(stream) == used


def test_what_is_no_terminal_has_80_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    with (tmp_path / "log").open("w") as stream:
        assert columns_of(stream) == 80
    assert columns_of(None) == columns_of(Terminal()) == 80


def test_lines_about_the_run_are_wrapped_on_a_narrow_terminal_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a/very/long/path/to/some/configuration.toml: " + "word " * 20
    for columns in (50, 80):
        stream = io.StringIO()
        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setattr(terminal, "columns_of", lambda _, columns=columns: columns)
        talk([text, "Traceback\n  File x" + " y" * 60])
        lines = stream.getvalue().split("\n")
        if columns == 80:
            assert lines[0] == f"dockerslim-lint: {text}"
        else:
            assert max(map(width, lines[:4])) <= 62  # a path is never broken
            assert lines[0] == "dockerslim-lint:"
            assert lines[1].startswith("  a/very/long/path/to/some/configuration.toml:")
        assert "  File x" + " y" * 60 in lines


def test_how_a_proof_ended_is_told_in_colour() -> None:
    from dockerslim_lint.output.interface import plain
    from dockerslim_lint.output.proof import styled

    for first, style in (("PROVEN", "bold green"), ("NOT PROVEN", "bold red")):
        lines = [f"{first}  PROVEN, x", "  PROVEN is a word"]
        shown = styled(lines)
        assert (shown[0][0].text, shown[0][0].style) == (first, style)
        assert {piece.style for piece in (*shown[0][1:], *shown[1])} == {""}
        assert plain(shown) == "\n".join(lines) + "\n"
    assert styled(()) == []

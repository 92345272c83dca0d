"""Completion, by a real shell that has read the script."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent


def complete(*words: str, place: Path | None = None) -> list[str]:
    """What bash offers for the last of the words."""
    line = " ".join(words)
    script = (
        'eval "$(dockerslim-lint completion bash)"\n'
        f"COMP_WORDS=({' '.join(repr(word) for word in words)}); COMP_LINE={line!r}; COMP_POINT={len(line)}\n"
        f"COMP_CWORD={len(words) - 1}; _dockerslim_lint_completion dockerslim-lint\n"
        'printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "--norc", "-c", script], cwd=place, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.skipif(
    shutil.which("bash") is None or not (BIN / "dockerslim-lint").exists(), reason="no bash, or not installed"
)
def test_bash(tmp_path: Path) -> None:
    assert {"lint", "rules", "explain", "config", "completion"} <= set(complete("dockerslim-lint", ""))
    assert complete("dockerslim-lint", "lint", "--uns") == ["--unsafe-fixes"]
    assert complete("dockerslim-lint", "explain", "dsl10") == [f"DSL10{number}" for number in range(1, 10)]
    assert complete("dockerslim-lint", "lint", "--select", "DSL101,not-st") == ["DSL101,not-stripped"]
    assert complete("dockerslim-lint", "lint", "--format", "js") == ["json"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_has_a_script(shell: str) -> None:
    command = [sys.executable, "-m", "dockerslim_lint", "completion", shell]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "_DOCKERSLIM_LINT_COMPLETE" in done.stdout


@pytest.mark.parametrize(
    "words", ["dockerslim-lint lint ", "dockerslim-lint lint --config ", "dockerslim-lint config "]
)
def test_a_path_is_completed_by_the_shell(words: str) -> None:
    asked = {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" ")), "_DOCKERSLIM_LINT_COMPLETE": "bash_complete"}
    command = [sys.executable, "-m", "dockerslim_lint"]
    done = subprocess.run(command, env={**os.environ, **asked}, capture_output=True, text=True, check=False)
    assert done.stdout == "file,\n"

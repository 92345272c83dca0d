"""A runner of composite actions: as much of GitHub's as `action.yml` asks of it.

Scripts run for real, by the shell that a runner takes for ``shell: bash``, with its files and variables. A step that
``uses`` another action is written down, not run: those are not ours.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML

BASH = ("bash", "--noprofile", "--norc", "-eo", "pipefail")
"""https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstepsshell"""
_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}")


class Outcome(NamedTuple):
    """How a job's run of the action ended: `code` is that of the step that failed, or 0."""

    code: int
    log: str
    outputs: dict[str, str]
    summary: str
    used: dict[str, dict[str, str]]


class Runner:
    """Runs one action in one workspace. `done` holds the outputs of steps, those that are there are not run again."""

    def __init__(self, action: Path, workspace: Path, temporary: Path) -> None:
        self.folder = action.parent
        self.action: Any = YAML(typ="safe").load(action.read_text())
        self.workspace = workspace
        self.temporary = temporary
        self.done: dict[str, dict[str, str]] = {}

    def run(self, **inputs: str) -> Outcome:
        """`inputs` by their names, with ``_`` for ``-``; the others have their defaults."""
        given = {name: str(one.get("default", "")) for name, one in self.action["inputs"].items()}
        for name, value in inputs.items():
            assert name.replace("_", "-") in given, name
            given[name.replace("_", "-")] = value
        steps = dict(self.done)
        summary = self.temporary / "summary.md"
        summary.write_text("")
        log, used, code = "", {}, 0
        for number, step in enumerate(self.action["runs"]["steps"]):
            name = step.get("id", f"step-{number}")
            if code or name in self.done or not self._wanted(step, given, steps):
                continue
            if "uses" in step:
                used[step["uses"]] = {
                    key: self._filled(str(value), given, steps) for key, value in step["with"].items()
                }
                continue
            code, said, steps[name] = self._script(step, given, steps, summary)
            log += said
        outputs = {key: self._filled(one["value"], given, steps) for key, one in self.action["outputs"].items()}
        self.steps = steps
        return Outcome(code, log, outputs, summary.read_text(), used)

    def _script(
        self, step: Any, given: dict[str, str], steps: dict[str, dict[str, str]], summary: Path
    ) -> tuple[int, str, dict[str, str]]:
        assert step["shell"] == "bash"
        script, told = self.temporary / "step.sh", self.temporary / "output"
        script.write_text(step["run"])
        told.write_text("")
        own = {key: value for key, value in os.environ.items() if not key.startswith(("GITHUB_", "RUNNER_", "VIRTUAL"))}
        environment = {
            **own,
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(self.folder),
            "GITHUB_OUTPUT": str(told),
            "GITHUB_STEP_SUMMARY": str(summary),
            "GITHUB_WORKSPACE": str(self.workspace),
            "RUNNER_TEMP": str(self.temporary),
            **{key: self._filled(value, given, steps) for key, value in step.get("env", {}).items()},
        }
        done = subprocess.run(
            [*BASH, str(script)],
            cwd=self.workspace,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        outputs = dict(line.split("=", 1) for line in told.read_text().splitlines())
        return done.returncode, done.stdout.decode(), outputs

    def _wanted(self, step: Any, given: dict[str, str], steps: dict[str, dict[str, str]]) -> bool:
        return all(_holds(part, given, steps) for part in step["if"].split("&&")) if "if" in step else True

    def _filled(self, text: str, given: dict[str, str], steps: dict[str, dict[str, str]]) -> str:
        """`text` with its expressions worked out: names with `||` between them are all that there are."""

        def worked_out(match: re.Match[str]) -> str:
            return next(filter(None, (_value(part, given, steps) for part in match[1].split("||"))), "")

        return _EXPRESSION.sub(worked_out, text)


def _holds(comparison: str, given: dict[str, str], steps: dict[str, dict[str, str]]) -> bool:
    match = re.fullmatch(r"\s*(\S+) (==|!=) '(\w*)'\s*", comparison)
    assert match is not None, comparison
    return (_value(match[1], given, steps) == match[3]) is (match[2] == "==")


def _value(name: str, given: dict[str, str], steps: dict[str, dict[str, str]]) -> str:
    match name.strip().split("."):
        case ["inputs", key]:
            return given[key]
        case ["steps", step, "outputs", key]:
            return steps.get(step, {}).get(key, "")
    raise AssertionError(f"the runner does not know {name}")

"""`ci/gitlab.yml`: a valid job whose script leaves a report and fails where it should."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.packaging.test_action import SHAPE, checkout, readme_blocks, validate
from tests.packaging.test_checkout import ROOT

__all__ = ["checkout"]

TEMPLATE = ROOT / "ci" / "gitlab.yml"
JOB: Any = YAML(typ="safe").load(TEMPLATE.read_text())["dockerslim-lint"]
REPORT = JOB["artifacts"]["reports"]["codequality"]
# what a runner puts before the lines: https://gitlab.com/gitlab-org/gitlab-runner/-/blob/main/shells/bash.go
SHELLS = {"bash": ["bash", "-c", "set -eo pipefail\n{}"], "sh": ["sh", "-c", "set -e\n{}"]}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    copy = tmp_path / "project"
    shutil.copytree(SHAPE, copy, ignore=shutil.ignore_patterns("*.toml", "fixed.Dockerfile"))
    (copy / ".git").mkdir()
    return copy


def run(project: Path, checkout: Path, shell: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The job's script in one shell, as a runner runs it, with this checkout for the package."""
    command = [part.replace("{}", "\n".join(JOB["script"])) for part in SHELLS[shell]]
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "CI": "true",
        "CI_PROJECT_DIR": str(project),
        "DOCKERSLIM_LINT_PACKAGE": str(checkout),
        "TMPDIR": str(project.parent),
        **variables,
    }
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)


def test_it_is_a_valid_configuration(tmp_path: Path) -> None:
    done = validate("vendor.gitlab-ci", TEMPLATE)
    assert done.returncode == 0, done.stdout
    (tmp_path / "wrong.yml").write_text(TEMPLATE.read_text().replace("when: always", "when: sometimes"))
    assert validate("vendor.gitlab-ci", tmp_path / "wrong.yml").returncode == 1


def test_what_the_readme_includes_is_valid_and_there(tmp_path: Path) -> None:
    (shown,) = (block for block in readme_blocks() if "include:" in block)
    (tmp_path / ".gitlab-ci.yml").write_text(shown)
    done = validate("vendor.gitlab-ci", tmp_path / ".gitlab-ci.yml")
    assert done.returncode == 0, done.stdout
    document = YAML(typ="safe").load(shown)
    assert document["include"][0]["remote"].endswith(f"/main/{TEMPLATE.relative_to(ROOT)}")
    assert all(f"${{{name}:-" in TEMPLATE.read_text() for name in document["variables"])


def test_findings_fail_the_job_and_are_in_the_report(project: Path, checkout: Path) -> None:
    done = run(project, checkout, "bash", DOCKERSLIM_LINT_ARGS="--select DSL101,DSL103")
    assert done.returncode == 1, done.stderr
    assert "DSL101" in done.stdout and done.stderr == ""
    issues = json.loads((project / REPORT).read_text())
    assert [(one["check_name"], one["location"]["path"]) for one in issues] == [
        ("DSL101", "Dockerfile"),
        ("DSL103", "Dockerfile"),
    ]


def test_a_missing_path_fails_the_job_and_leaves_a_report(project: Path, checkout: Path) -> None:
    (project / "*").mkdir()
    shutil.copy(project / "Dockerfile", project / "*")
    done = run(project, checkout, "sh", DOCKERSLIM_LINT_PATHS="* gone", DOCKERSLIM_LINT_ARGS="--fail-on error")
    assert done.returncode == 3 and "gone: does not exist" in done.stderr
    paths = {one["location"]["path"] for one in json.loads((project / REPORT).read_text())}
    assert paths == {"*/Dockerfile", "gone"}

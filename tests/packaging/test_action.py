"""`action.yml`: a valid action whose scripts do on a runner what its inputs say."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from dockerslim_lint.config import LEVELS
from tests.packaging.github_runner import Runner
from tests.packaging.test_checkout import ROOT, tracked

SHAPE = ROOT / "fixtures" / "shapes" / "01b-multi-stage-ubuntu-copy"
ACTION = YAML(typ="safe").load((ROOT / "action.yml").read_text())


def validate(schema: str, path: Path) -> subprocess.CompletedProcess[bytes]:
    """By the schema that check-jsonschema brings; no network."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(path)]
    return subprocess.run(command, capture_output=True, check=False)


def readme_blocks() -> list[str]:
    """The YAML that the README shows."""
    return re.findall(r"^```yaml\n(.*?)^```$", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of this repository alone, as a runner checks an action out; its path has a space."""
    folder = tmp_path_factory.mktemp("actions") / "dockerslim lint"
    for path in tracked():
        copy = folder / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    return folder


@pytest.fixture(scope="module")
def installed(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """After one whole run on an empty repository: the program is installed."""
    runner = Runner(checkout / "action.yml", tmp_path_factory.mktemp("empty"), tmp_path_factory.mktemp("runner temp"))
    outcome = runner.run(python=sys.executable)
    assert outcome.code == 3, outcome.log
    runner.done = {name: runner.steps[name] for name in ("python", "install")}
    return runner


@pytest.fixture
def runner(installed: Runner, tmp_path: Path) -> Runner:
    """In the workspace of a project with findings."""
    shutil.copytree(SHAPE, tmp_path / "project", ignore=shutil.ignore_patterns("*.toml", "fixed.Dockerfile"))
    (tmp_path / "project" / ".git").mkdir()
    installed.workspace = tmp_path / "project"
    return installed


def test_it_is_a_valid_action(tmp_path: Path) -> None:
    done = validate("vendor.github-actions", ROOT / "action.yml")
    assert done.returncode == 0, done.stdout
    text = (ROOT / "action.yml").read_text()
    (tmp_path / "action.yml").write_text(text.replace("shell: bash", "shel: bash", 1))
    assert validate("vendor.github-actions", tmp_path / "action.yml").returncode == 1


def test_the_workflow_of_the_readme_is_valid(tmp_path: Path) -> None:
    (workflow,) = (block for block in readme_blocks() if "uses: dockerslim/" in block)
    (tmp_path / "lint.yml").write_text(workflow)
    done = validate("vendor.github-workflows", tmp_path / "lint.yml")
    assert done.returncode == 0, done.stdout
    (job,) = YAML(typ="safe").load(workflow)["jobs"].values()
    assert set(job["steps"][-1]["with"]) <= set(ACTION["inputs"])


def test_no_script_holds_an_expression() -> None:
    scripts = [step["run"] for step in ACTION["runs"]["steps"] if "run" in step]
    assert len(scripts) == 4 and not [script for script in scripts if "${{" in script]


def test_what_it_passes_on_is_declared() -> None:
    text = (ROOT / "action.yml").read_text()
    assert set(re.findall(r"inputs\.([a-z-]+)", text)) == set(ACTION["inputs"])
    levels = re.findall(r"`([a-z]+)`", ACTION["inputs"]["fail-on"]["description"])
    assert levels == list(LEVELS)


def test_findings_fail_the_job_and_are_annotations(runner: Runner) -> None:
    outcome = runner.run()
    assert outcome.code == 1 and outcome.outputs == {"exit-code": "1", "sarif-file": ""}
    assert outcome.log.startswith("::error file=Dockerfile,line=8,")
    assert outcome.used == {} and outcome.summary == ""


def test_a_clean_project_passes(runner: Runner) -> None:
    (runner.workspace / "Dockerfile").write_text("FROM scratch\n")
    outcome = runner.run(summary="true", upload_sarif="true")
    assert outcome.code == 0 and outcome.outputs["exit-code"] == "0"
    assert outcome.summary == "**dockerslim-lint**: 1 file builds no Rust: not judged.\n"
    assert list(outcome.used) == ["github/codeql-action/upload-sarif@v4"]


def test_the_report_is_uploaded_before_the_job_fails(runner: Runner) -> None:
    outcome = runner.run(upload_sarif="true", format="text")
    assert outcome.code == 1 and outcome.log.startswith("Dockerfile:8:6: DSL101")
    given = outcome.used["github/codeql-action/upload-sarif@v4"]
    assert given == {"sarif_file": outcome.outputs["sarif-file"], "category": "dockerslim-lint"}
    log = json.loads(Path(given["sarif_file"]).read_text())
    place = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "Dockerfile"


def test_a_report_and_a_summary_without_an_upload(runner: Runner) -> None:
    outcome = runner.run(sarif_file="my report.sarif", summary="true", fail_on="error", args="--select DSL101")
    assert outcome.code == 1 and outcome.used == {}
    assert json.loads((runner.workspace / "my report.sarif").read_text())["version"] == "2.1.0"
    assert "| `Dockerfile:8` |" in outcome.summary


def test_a_report_that_cannot_be_written_fails_the_job(runner: Runner) -> None:
    (runner.workspace / "Dockerfile").write_text("FROM scratch\n")
    outcome = runner.run(sarif_file="no/such/folder/r.sarif", upload_sarif="true")
    assert (outcome.code, outcome.outputs) == (2, {"exit-code": "2", "sarif-file": ""})
    assert "no/such/folder/r.sarif: cannot be written: No such file or directory" in outcome.log
    assert outcome.used == {}


def test_paths_and_options(runner: Runner) -> None:
    (runner.workspace / "a b").mkdir()
    (runner.workspace / "Dockerfile").rename(runner.workspace / "a b" / "Dockerfile")
    (runner.workspace / "other.dockerfile").write_text("FROM scratch\n")
    outcome = runner.run(paths="a b\nother.dockerfile\n", args="--select\n  DSL103   --verbose")
    assert (
        outcome.code == 1 and "::warning file=a b/Dockerfile," in outcome.log and "1 file builds no Rust" in outcome.log
    )
    assert runner.run(paths="a b", args="--select DSL103", fail_on="error").code == 0
    assert runner.run(args="--exit-zero").code == 0


@pytest.mark.parametrize("name", ["paths", "args", "fail_on", "format", "sarif_file"])
def test_inputs_are_never_commands(name: str, runner: Runner) -> None:
    evil = "$(touch pwned) `touch pwned`; touch pwned; \"'; touch pwned #"
    runner.run(**{name: evil, "summary": "true"})
    assert not list(runner.workspace.rglob("pwned")) and "pwned" not in runner.steps["lint"]


def test_an_output_cannot_be_made_up(runner: Runner) -> None:
    outcome = runner.run(sarif_file="r.sarif\nexit-code=0")
    assert outcome.code == 1 and outcome.outputs["exit-code"] == "1"


@pytest.mark.parametrize(
    ("inputs", "code"), [({"format": "nonsense"}, 2), ({"paths": "gone"}, 3), ({"args": "--x"}, 2)]
)
def test_other_exit_codes_are_kept(inputs: dict[str, str], code: int, runner: Runner) -> None:
    outcome = runner.run(summary="true", **inputs)
    assert (outcome.code, outcome.outputs["exit-code"]) == (code, str(code))


def test_a_python_that_is_none(runner: Runner, tmp_path: Path) -> None:
    fresh = Runner(ROOT / "action.yml", runner.workspace, tmp_path)
    outcome = fresh.run(python="/bin/true")
    assert outcome.code == 2 and "names no Python 3.11" in outcome.log and outcome.used == {}


def test_without_a_python_one_is_set_up(runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    for program in ("bash", "env"):
        (tmp_path / "bin" / program).symlink_to(shutil.which(program) or "")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    outcome = Runner(ROOT / "action.yml", runner.workspace, tmp_path).run()
    assert outcome.used == {"actions/setup-python@v6": {"python-version": "3.13", "update-environment": "False"}}
    assert outcome.code != 0  # the runner of these tests sets none up

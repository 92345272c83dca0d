"""Formats for programs, --output-file, --exit-zero and --statistics, as a user calls them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from junitparser import JUnitXml

from dockerslim_lint.output.interface import FORMAT_NAMES
from tests.cli.conftest import ORIGIN, Invoke

CLEAN = "FROM scratch\n"


@pytest.fixture
def origin(project: Path) -> Path:
    (project / "Dockerfile").write_text(ORIGIN)
    return project / "Dockerfile"


@pytest.mark.parametrize("name", FORMAT_NAMES)
def test_a_format_changes_no_exit_code(name: str, origin: Path, run: Invoke) -> None:
    assert run("lint", "--format", name).exit_code == 1
    assert run("lint", "--format", name, "gone").exit_code == 3
    assert run("lint", "--format", name, "--exit-zero").exit_code == 0
    origin.write_text(CLEAN)
    assert run("lint", "--format", name).exit_code == 0


@pytest.mark.parametrize("name", FORMAT_NAMES)
def test_a_file_holds_what_would_be_printed(name: str, origin: Path, run: Invoke) -> None:
    (origin.parent / "other.dockerfile").write_text("")
    printed = run("lint", "--format", name, "Dockerfile", "other.dockerfile", "gone")
    filed = run("lint", "--format", name, "Dockerfile", "other.dockerfile", "gone", "-o", "out/../report")
    assert filed.exit_code == printed.exit_code == 4 and filed.stdout == ""
    assert filed.stderr == printed.stderr
    assert (origin.parent / "report").read_text() == printed.stdout


@pytest.mark.parametrize("name", ["sarif", "gitlab", "github", "markdown", "junit"])
def test_paths_are_those_of_the_repository(
    name: str, origin: Path, run: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = origin.parent / "services" / "api"
    below.mkdir(parents=True)
    origin.rename(below / "Dockerfile")
    monkeypatch.chdir(below)
    assert "services/api/Dockerfile" in run("lint", "--format", name, "./Dockerfile").stdout
    assert "services/api/Dockerfile" in run("lint", "--format", name, str(below)).stdout
    assert str(origin.parent) not in run("lint", "--format", name, str(below)).stdout


def test_machine_formats_have_no_colour(origin: Path, run: Invoke) -> None:
    for name in FORMAT_NAMES:
        assert ("\x1b[" in run("lint", "--format", name, "--color", "always").stdout) is (name in ("text", "concise"))


def test_sarif_has_all_alternatives_and_json_too(origin: Path, run: Invoke) -> None:
    log = json.loads(run("lint", "--format", "sarif").stdout)
    assert [bool(one.get("fixes")) for one in log["runs"][0]["results"]] == [True, True]


def test_what_was_fixed_is_told(origin: Path, run: Invoke) -> None:
    origin.write_text("FROM a\nRUN nostrip\n")
    assert "1 fixed, 0 held back" in run("lint", "--fix", "--format", "github").stdout
    assert origin.read_text() == "FROM a\nRUN strip\n"
    origin.write_text("FROM a\nRUN nostrip\n")
    suite = JUnitXml.fromstring(run("lint", "--fix", "--format", "junit").stdout.encode())
    assert (suite.tests, suite.failures) == (1, 0)


def test_exit_zero_is_about_findings_only(origin: Path, run: Invoke) -> None:
    assert run("lint", "--exit-zero").exit_code == 0
    assert run("lint", "--exit-zero", "--diff", "--unsafe-fixes").exit_code == 0
    assert run("lint", "--exit-zero", "gone").exit_code == 3
    assert run("lint", "--exit-zero", "--nonsense").exit_code == 2
    (origin.parent / "empty.dockerfile").write_text("")
    assert run("lint", "--exit-zero").exit_code == 4
    origin.write_text("FROM boom\n")
    assert run("lint", "--exit-zero", "Dockerfile").exit_code == 5


def test_concise_is_a_line_for_each_finding(origin: Path, run: Invoke) -> None:
    origin.write_text(ORIGIN + "RUN nostrip\n")
    told = run("lint", "--format", "concise")
    assert told.stdout.splitlines() == [
        "Dockerfile:6:6: DSL101 error slice is a glibc program and ships on ubuntu:22.04 (~77 MB of base).",
        "Dockerfile:6:6: DSL103 warning built against glibc 2.41 (rust:latest = trixie), shipped on 2.35.",
        "Dockerfile:9:5: DSL201 warning It has symbols.",
        "1 error, 2 warnings in 1 file.",
    ]
    assert run("lint", "--format", "concise", "-q").stdout.splitlines() == told.stdout.splitlines()[:-1]
    fixed = run("lint", "--format", "concise", "--fix").stdout.splitlines()
    assert [line.split()[1] for line in fixed[:-1]] == ["DSL101", "DSL103"]
    assert fixed[-1] == "1 error, 1 warning in 1 file. 1 fixed, 1 held back."
    origin.write_text(CLEAN)
    assert run("lint", "--format", "concise", "-q").stdout == ""


def test_statistics(origin: Path, run: Invoke) -> None:
    result = run("lint", "--statistics")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[:3] == [
        "count  code    name             severity  fix",
        "    1  DSL101  gnu-on-fat-base  error     1 to prove",
        "    1  DSL103  glibc-too-old    warning   1 to prove",
    ]
    assert "Dockerfile:6:6" not in result.stdout
    counted = json.loads(run("lint", "--statistics", "--format", "json").stdout)["statistics"]
    assert [(row["code"], row["findings"]) for row in counted] == [("DSL101", 1), ("DSL103", 1)]


@pytest.mark.parametrize("name", ["concise", "sarif", "github", "gitlab", "junit"])
def test_statistics_where_there_is_no_place_for_them(name: str, origin: Path, run: Invoke) -> None:
    result = run("lint", "--statistics", "--format", name)
    assert result.exit_code == 2
    assert "--statistics goes with --format text, json, markdown" in result.stderr


def test_an_old_report_is_replaced_and_keeps_its_mode(origin: Path, run: Invoke) -> None:
    report = origin.parent / "r.json"
    report.write_bytes(b"\xff old")
    report.chmod(0o600)
    (origin.parent / "link").symlink_to("r.json")
    assert run("lint", "--format", "json", "-o", "link").exit_code == 1
    assert json.loads(report.read_text())["version"] == 1
    assert report.stat().st_mode & 0o777 == 0o600 and (origin.parent / "link").is_symlink()
    assert sorted(path.name for path in origin.parent.iterdir()) == [".git", "Dockerfile", "link", "r.json"]


def test_a_dash_is_standard_output(origin: Path, run: Invoke) -> None:
    assert run("lint", "-o", "-").stdout == run("lint").stdout


def test_a_new_report_can_be_read_by_others(origin: Path, run: Invoke) -> None:
    os.umask(mask := os.umask(0o022))
    os.umask(0o022)
    try:
        run("lint", "-o", "new.txt")
    finally:
        os.umask(mask)
    assert (origin.parent / "new.txt").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("target", ["no/such/folder/r.json", "folder"])
def test_a_report_that_cannot_be_written(target: str, origin: Path, run: Invoke) -> None:
    (origin.parent / "folder").mkdir()
    result = run("lint", "-o", target)
    assert result.exit_code == 2 and result.stdout == ""
    assert result.stderr.startswith(f"dockerslim-lint: --output-file {target}: cannot be written: ")
    assert sorted(path.name for path in origin.parent.iterdir()) == [".git", "Dockerfile", "folder"]


def test_a_run_that_fails_leaves_the_old_report(origin: Path, run: Invoke) -> None:
    report = origin.parent / "r.json"
    report.write_text("old")
    assert run("lint", "-o", "r.json", "--fail-on", "nonsense").exit_code == 2
    assert report.read_text() == "old"


@pytest.mark.parametrize("name", ["Dockerfile", "./Dockerfile", "link"])
def test_a_report_does_not_replace_what_was_judged(name: str, origin: Path, run: Invoke) -> None:
    (origin.parent / "link").symlink_to("Dockerfile")
    result = run("lint", "--fix", "--unsafe-fixes", "-o", name)
    assert result.exit_code == 2 and "is one of the files to judge" in result.stderr
    assert origin.read_text() == ORIGIN


def test_the_report_of_a_diff_and_of_a_filter_goes_to_the_file(origin: Path, run: Invoke) -> None:
    result = run("lint", "--diff", "--unsafe-fixes", "-o", "r.txt")
    assert result.stdout.startswith("--- Dockerfile") and "Would fix" not in result.output
    assert "Would fix DSL101" in (origin.parent / "r.txt").read_text()
    result = run("lint", "--fix", "-", "--stdin-filename", "Dockerfile", "--format", "json", "-o", "s", stdin=ORIGIN)
    assert (result.exit_code, result.stdout, result.stderr) == (0, ORIGIN, "")
    assert json.loads((origin.parent / "s").read_text())["summary"]["held_back"] == 1


@pytest.mark.parametrize("device", ["/dev/null", "/dev/stdout"])
def test_a_device_is_written_to_and_stays_one(device: str, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(ORIGIN)
    before = Path(device).stat().st_mode
    done = subprocess.run(
        [sys.executable, "-m", "tests.cli.fake_linter", "lint", str(tmp_path), "--format", "json", "-o", device],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert (b'"version": 1' in done.stdout) is (device == "/dev/stdout")
    assert Path(device).stat().st_mode == before


def test_a_pipe_gets_the_report(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(ORIGIN)
    os.mkfifo(tmp_path / "pipe")
    with subprocess.Popen(["cat", tmp_path / "pipe"], stdout=subprocess.PIPE) as reader:
        subprocess.run(
            [sys.executable, "-m", "tests.cli.fake_linter", "lint", str(tmp_path), "-o", str(tmp_path / "pipe")],
            cwd=Path(__file__).parents[2],
            check=False,
        )
        assert b"DSL101" in reader.communicate(timeout=60)[0]

"""`lint`: what it prints, what it writes, how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest

from dockerslim_lint.cli import cli
from dockerslim_lint.output.exits import EXIT_CODES
from tests.cli.conftest import ORIGIN, Invoke
from tests.cli.fake_linter import SLIM

TEXT = """\
Dockerfile:6:6: DSL101 gnu-on-fat-base  error  [fix: needs proof]
  slice is a glibc program and ships on ubuntu:22.04 (~77 MB of base).
   4 | RUN cargo build --release
     |     --------------------- builds for *-linux-gnu, the image's default
   5 | RUN strip /work/target/release/slice -o /slice
   6 | FROM ubuntu:22.04
     |      ^^^^^^^^^^^^ nothing in this file uses it
  fix   static musl build on gcr.io/distroless/static-debian13 (~2 MB base)
  cost  musl's allocator is slow under many threads; DNS search rules differ
  why   https://github.com/dockerslim/dockerslim-lint/blob/main/docs/rules/DSL101.md

Dockerfile:6:6: DSL103 glibc-too-old  warning  [same fix as DSL101]
  built against glibc 2.41 (rust:latest = trixie), shipped on 2.35.

1 error, 1 warning in 1 file. 0 fixed by --fix, 1 fix waits for a proof:
  dockerslim-lint lint --fix --verify Dockerfile     builds and runs both
  dockerslim-lint lint --diff --unsafe-fixes Dockerfile     shows it
"""

HELD = """\
Dockerfile: nothing written. 1 fix held back:
  DSL101 (also settles DSL103)  not proven: changes libc and base image
  prove and write   dockerslim-lint lint --fix --verify Dockerfile
  write unproven    dockerslim-lint lint --fix --unsafe-fixes Dockerfile
"""


@pytest.fixture
def origin(project: Path) -> Path:
    (project / "Dockerfile").write_text(ORIGIN)
    return project / "Dockerfile"


def test_findings_are_shown_as_in_the_mockup(origin: Path, run: Invoke) -> None:
    result = run("lint", "Dockerfile")
    assert result.exit_code == 1
    assert result.stdout == TEXT
    assert result.stderr == ""


def test_no_path_means_the_working_directory(origin: Path, run: Invoke) -> None:
    assert run("lint").stdout == TEXT.replace("fixes Dockerfile", "fixes .").replace("verify Dockerfile", "verify .")


def test_fail_on_decides_about_the_exit_code(project: Path, run: Invoke) -> None:
    (project / "Dockerfile").write_text("FROM x\nRUN nostrip\n")
    assert run("lint").exit_code == 1
    assert run("lint", "--fail-on", "error").exit_code == 0
    (project / ".dockerslim.toml").write_text('fail-on = "error"\n')
    assert run("lint").exit_code == 0
    assert run("lint", "--fail-on", "warning").exit_code == 1


def test_fix_holds_back_what_is_not_proven(origin: Path, run: Invoke) -> None:
    result = run("lint", "--fix", "Dockerfile")
    assert (result.exit_code, result.stdout) == (1, HELD)
    assert origin.read_text() == ORIGIN


def test_diff_shows_what_unsafe_fixes_would_write_and_writes_nothing(origin: Path, run: Invoke) -> None:
    result = run("lint", "--diff", "--unsafe-fixes", "Dockerfile")
    assert result.exit_code == 1
    assert result.stdout.startswith("--- Dockerfile\n+++ Dockerfile\n@@ -3,6 +3,6 @@\n")
    assert f"-FROM ubuntu:22.04\n+FROM {SLIM}\n" in result.stdout
    assert "would be written" in result.stderr
    assert origin.read_text() == ORIGIN


def test_diff_without_a_fix_is_empty_and_says_why(origin: Path, run: Invoke) -> None:
    result = run("lint", "--diff", "Dockerfile")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "held back" in result.stderr


def test_diff_with_fix_writes_nothing(origin: Path, run: Invoke) -> None:
    assert run("lint", "--fix", "--diff", "--unsafe-fixes").stdout.startswith("--- Dockerfile")
    assert origin.read_text() == ORIGIN


def test_a_clean_file_is_said_to_be_clean(project: Path, run: Invoke) -> None:
    (project / "Dockerfile").write_text("FROM scratch\n")
    result = run("lint")
    assert (result.exit_code, result.stdout) == (0, "1 file, nothing to report.\n")
    assert run("lint", "-q").stdout == ""


def test_notes_go_to_stderr_and_leave_the_exit_code(project: Path, run: Invoke) -> None:
    (project / "Dockerfile").write_text("FROM scratch\n# tell\n")
    result = run("lint")
    assert result.exit_code == 0
    assert result.stderr == "dockerslim-lint: Dockerfile: Cargo.toml is broken\n"


def test_verbose_says_which_context(origin: Path, run: Invoke) -> None:
    assert run("lint", "--verbose").stderr == (
        "dockerslim-lint: Dockerfile: context . (the file's own directory; it copies nothing from the context)\n"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("--verify",),
        ("--unsafe-fixes",),
        ("--smoke", "x"),
        ("--diff", "--format", "sarif"),
        ("-", "Dockerfile"),
        ("--stdin-filename", "x"),
        ("--platform", "arm64", "--fix"),
        ("--format", "yaml"),
        ("--nonsense",),
    ],
)
def test_wrong_usage_is_exit_2_with_one_reason(origin: Path, run: Invoke, arguments: tuple[str, ...]) -> None:
    result = run("lint", *arguments)
    assert result.exit_code == 2
    assert result.stderr.count("Error: ") == 1
    assert result.stdout == ""


def test_who_forgets_the_command_is_told_which_one(origin: Path, run: Invoke) -> None:
    (origin.parent / "a b").mkdir()
    for name, line in (("Dockerfile", "lint Dockerfile"), (".", "lint ."), ("a b", "lint 'a b'")):
        result = run(name)
        assert (result.exit_code, f"to judge it: dockerslim-lint {line}\n" in result.stderr) == (2, True)
    assert "to judge it" not in run("nonexist").stderr
    assert "Did you mean" in run("lnt").stderr


def test_a_platform_is_checked_with_a_suggestion(origin: Path, run: Invoke) -> None:
    assert 'did you mean "linux/arm64"?' in run("lint", "--platform", "arm64").stderr


def test_json_goes_to_stdout_alone(origin: Path, run: Invoke) -> None:
    document = json.loads(run("lint", "--format", "json", "--verbose").stdout)
    assert document["summary"] == {
        "files": 1,
        "errors": 1,
        "warnings": 1,
        "infos": 0,
        "fixed": 0,
        "held_back": 0,
    }
    assert document["files"][0]["context"] == "."


def test_help_documents_the_exit_codes(run: Invoke) -> None:
    for text in (run("--help").stdout, run("lint", "--help").stdout):
        for code, meaning in EXIT_CODES:
            assert f"    {int(code):<4} {meaning}\n" in text


def test_the_version_is_that_of_the_package(run: Invoke) -> None:
    import tomllib

    import dockerslim_lint

    pyproject = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert dockerslim_lint.__version__ == pyproject["project"]["version"]
    assert run("--version").stdout == f"dockerslim-lint, version {dockerslim_lint.__version__}\n"


def test_every_option_has_its_place_in_the_help(run: Invoke) -> None:
    from dockerslim_lint.help import EXAMPLES, SECTIONS

    told = run("lint", "--help").output
    placed = [name for _, names in SECTIONS for name in names]
    options = [parameter.name for parameter in cli.all_commands()["lint"].params if isinstance(parameter, click.Option)]
    assert sorted(placed) == sorted(name for name in options if name)
    assert told.index("Fixing:") < told.index("Proving:") < told.index("Examples:") < told.index("Exit codes")
    for line, _ in EXAMPLES:
        arguments = [word for word in line.split()[2:] if word.startswith("-") and word != "-"]
        assert all(word in told for word in arguments)

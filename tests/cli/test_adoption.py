"""`--baseline`, `--changed-since` and `--add-ignore` as a user gives them, on real files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Invoke = Callable[..., Result]
FILE = "known.json"
FAT = """\
FROM rust:1.90 AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked
FROM ubuntu:22.04
COPY --from=build /src/target/release/app /usr/bin/app
USER 1000
CMD ["app"]
"""
GOOD = "FROM node:22\nCOPY . .\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two crates, each with a bad Dockerfile, and one Dockerfile of something else."""
    (tmp_path / ".git").mkdir()
    for crate in ("a", "b"):
        (tmp_path / crate / "src").mkdir(parents=True)
        (tmp_path / crate / "Cargo.toml").write_text('[package]\nname = "app"\nversion = "1.0.0"\nedition = "2021"\n')
        (tmp_path / crate / "Cargo.lock").write_text('version = 3\n\n[[package]]\nname = "app"\nversion = "1.0.0"\n')
        (tmp_path / crate / "src" / "main.rs").write_text("fn main() {}\n")
        (tmp_path / crate / "Dockerfile").write_text(FAT)
    (tmp_path / "node.dockerfile").write_text(GOOD)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def codes(result: Result) -> list[str]:
    document = json.loads(result.stdout)
    return sorted({finding["code"] for file in document["files"] for finding in file["findings"]})


def test_write_then_only_what_is_new(here: Path, run: Invoke) -> None:
    assert run("lint").exit_code == 1
    written = run("lint", "--baseline", FILE, "--write-baseline")
    assert written.exit_code == 0
    assert f"{FILE}: " in written.stderr and "findings of 2 files are known now" in written.stderr
    again = run("lint", "--baseline", FILE)
    assert (again.exit_code, again.stdout) == (0, "2 files, nothing to report. 1 file builds no Rust: not judged.\n")
    assert "known findings not shown" in again.stderr
    assert run("lint", "--baseline", FILE, "-q").output == ""
    assert codes(run("lint", "--baseline", FILE, "--format", "json", "--fail-on", "info")) == []
    (here / "a" / "Dockerfile").write_text("# moved\n\n" + FAT)
    (here / "b" / "new.dockerfile").write_text(FAT)
    new = run("lint", "--baseline", FILE)
    assert new.exit_code == 1
    assert "b/new.dockerfile" in new.stdout and "a/Dockerfile" not in new.stdout and "b/Dockerfile" not in new.stdout


def test_writing_twice_changes_nothing(here: Path, run: Invoke) -> None:
    run("lint", "--baseline", FILE, "--write-baseline")
    first = (here / FILE).read_bytes(), (here / FILE).stat().st_ino
    run("lint", "--baseline", FILE, "--write-baseline")
    assert ((here / FILE).read_bytes(), (here / FILE).stat().st_ino) == first


def test_paths_are_relative_to_the_baseline(here: Path, run: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "ci").mkdir()
    run("lint", "--baseline", f"ci/{FILE}", "--write-baseline")
    assert sorted(json.loads((here / "ci" / FILE).read_text())["files"]) == ["../a/Dockerfile", "../b/Dockerfile"]
    monkeypatch.chdir(here / "a")
    assert run("lint", "--baseline", f"../ci/{FILE}").exit_code == 0
    assert run("lint", "--baseline", f"../ci/{FILE}", str(here / "b" / "Dockerfile")).exit_code == 0
    assert run("lint", "--baseline", f"../ci/{FILE}", "-", "--stdin-filename", "Dockerfile", stdin=FAT).exit_code == 0
    assert run("lint", "--baseline", f"../ci/{FILE}", "-", stdin=FAT).exit_code == 0


def test_writing_for_one_file_or_rule_keeps_the_others(here: Path, run: Invoke) -> None:
    run("lint", "--baseline", FILE, "--write-baseline")
    whole = (here / FILE).read_bytes()
    run("lint", "--baseline", FILE, "--write-baseline", "a")
    run("lint", "--baseline", FILE, "--write-baseline", "--select", "DSL101")
    assert (here / FILE).read_bytes() == whole
    (here / "a" / "Dockerfile").unlink()
    run("lint", "--baseline", FILE, "--write-baseline", "b")
    assert list(json.loads((here / FILE).read_text())["files"]) == ["b/Dockerfile"]


def test_what_matches_nothing_is_counted_and_can_be_dropped(here: Path, run: Invoke) -> None:
    run("lint", "--baseline", FILE, "--write-baseline")
    (here / "a" / "Dockerfile").write_text(GOOD)
    told = run("lint", "--baseline", FILE)
    assert told.exit_code == 0
    assert "match nothing any more; --prune-baseline drops them" in told.stderr
    # neither another file nor another rule was looked at
    assert "match nothing" not in run("lint", "--baseline", FILE, "b").stderr
    assert "match nothing" not in run("lint", "--baseline", FILE, "--select", "DSL405").stderr
    (here / "b" / "new.dockerfile").write_text(FAT)
    pruned = run("lint", "--baseline", FILE, "--prune-baseline")
    assert pruned.exit_code == 1  # the new file stays new
    assert list(json.loads((here / FILE).read_text())["files"]) == ["b/Dockerfile"]
    assert "match nothing" not in run("lint", "--baseline", FILE).stderr


def test_a_fix_is_made_all_the_same(here: Path, run: Invoke) -> None:
    run("lint", "--baseline", FILE, "--write-baseline")
    fixed = run("lint", "--fix", "--baseline", FILE)
    assert fixed.exit_code == 0, fixed.output
    assert (here / "a" / "Dockerfile").read_text() != FAT
    assert "held back" not in fixed.stdout
    again = run("lint", "--baseline", FILE)
    assert again.exit_code == 0
    assert "match nothing any more" in again.stderr


def test_the_count_of_what_fix_writes_has_what_is_known(here: Path, run: Invoke) -> None:
    (here / "b" / "Dockerfile").unlink()
    run("lint", "--baseline", FILE, "--write-baseline")
    assert "--fix" not in run("lint", "--baseline", FILE).stdout
    new = FAT.replace("ubuntu:22.04", "debian:12")
    (here / "a" / "Dockerfile").write_text(new)
    told = run("lint", "--baseline", FILE, "a")
    assert "DSL201" not in told.stdout and "1 fixed by --fix" in told.stdout
    assert "1 fix made:\n  DSL201" in run("lint", "--baseline", FILE, "a", "--fix").stdout
    assert (here / "a" / "Dockerfile").read_text() != new


def test_a_file_that_is_none(here: Path, run: Invoke) -> None:
    before = (here / "node.dockerfile").read_bytes()
    for name, text in (
        ("absent.json", "absent.json: does not exist; --write-baseline makes it"),
        ("node.dockerfile", "node.dockerfile: not a baseline: not valid JSON"),
        ("a", "a: a directory, not a baseline"),
    ):
        for more in ((), ("--fix",)):
            result = run("lint", "--baseline", name, *more)
            assert (result.exit_code, result.stdout) == (2, "")
            assert result.stderr.startswith(f"dockerslim-lint: {text}")
            assert result.stderr.count("\n") == 1
    assert (here / "a" / "Dockerfile").read_text() == FAT
    assert run("lint", "--baseline", "node.dockerfile", "--write-baseline").exit_code == 2
    assert (here / "node.dockerfile").read_bytes() == before
    lost = run("lint", "--baseline", "no/where.json", "--write-baseline")
    assert (lost.exit_code, lost.stderr) == (
        2,
        "dockerslim-lint: no/where.json: cannot be written: No such file or directory\n",
    )


def test_a_link_stays_one(here: Path, run: Invoke) -> None:
    (here / FILE).symlink_to("elsewhere.json")
    for _ in range(2):
        assert run("lint", "--baseline", FILE, "--write-baseline").exit_code == 0
        assert (here / FILE).is_symlink()
        (here / "b" / "Dockerfile").write_text(GOOD)
    assert list(json.loads((here / "elsewhere.json").read_text())["files"]) == ["a/Dockerfile"]


def test_what_cannot_be_read_is_never_known(here: Path, run: Invoke) -> None:
    (here / "a" / "Dockerfile").write_text("# nothing\n")
    assert run("lint", "--baseline", FILE, "--write-baseline").exit_code == 4
    assert list(json.loads((here / FILE).read_text())["files"]) == ["b/Dockerfile"]
    assert run("lint", "--baseline", FILE).exit_code == 4


def test_ignores_are_written_once(here: Path, run: Invoke) -> None:
    done = run("lint", "--add-ignore", "--reason", "until the base moves")
    assert done.exit_code == 0, done.output
    assert "a/Dockerfile: 3 findings ignored by comments" in done.stderr
    text = (here / "a" / "Dockerfile").read_text()
    assert "\n# dockerslim: ignore=DSL101,DSL103; reason=until the base moves\nFROM ubuntu" in text
    assert "\n".join(line for line in text.split("\n") if not line.startswith("#")) == FAT
    again = run("lint", "--add-ignore")
    assert (again.exit_code, again.stderr) == (0, "")
    assert (here / "a" / "Dockerfile").read_text() == text
    assert (here / "node.dockerfile").read_text() == GOOD


def test_advice_gets_a_comment_only_where_it_is_shown(here: Path, run: Invoke) -> None:
    run("lint", "--add-ignore")
    assert "DSL306" not in (here / "a" / "Dockerfile").read_text()
    assert "DSL306" in codes(run("lint", "--format", "json"))
    run("lint", "--add-ignore", "--verbose")
    assert codes(run("lint", "--format", "json")) == []


def test_what_is_known_gets_no_comment(here: Path, run: Invoke) -> None:
    run("lint", "--baseline", FILE, "--write-baseline", "a")
    run("lint", "--baseline", FILE, "--add-ignore")
    assert (here / "a" / "Dockerfile").read_text() == FAT
    assert "ignore=DSL101" in (here / "b" / "Dockerfile").read_text()
    assert run("lint", "--baseline", FILE).exit_code == 0


def test_no_comment_can_be_about_a_directive(here: Path, run: Invoke) -> None:
    (here / "c.dockerfile").write_text("# syntax=acme/frontend\nFROM a\n")
    result = run("lint", "--add-ignore", "--verbose", "c.dockerfile")
    assert "c.dockerfile: 1 left: in no instruction, so no comment can be about it" in result.stderr
    assert (here / "c.dockerfile").read_text() == "# syntax=acme/frontend\nFROM a\n"


def test_a_suppression_that_meets_nothing_is_told(here: Path, run: Invoke) -> None:
    (here / "node.dockerfile").write_text("# dockerslim: ignore=DSL101\n" + GOOD)
    result = run("lint", "node.dockerfile")
    assert result.exit_code == 0
    assert "node.dockerfile: line 1: the suppression of DSL101 matches no finding" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("--write-baseline",),
        ("--prune-baseline",),
        ("--baseline", "x", "--write-baseline", "--prune-baseline"),
        ("--baseline", "x", "--write-baseline", "--diff"),
        ("--reason", "x"),
        ("--add-ignore", "--reason", "a\nb"),
        ("--add-ignore", "--reason", " "),
        ("--add-ignore", "--fix"),
        ("--add-ignore", "-"),
        ("--changed-since", "HEAD", "-"),
    ],
)
def test_usage(here: Path, run: Invoke, arguments: tuple[str, ...]) -> None:
    result = run("lint", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Error: " in result.stderr


def test_a_revision_that_is_none(here: Path, run: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run("lint", "--fix", "--changed-since", "nope")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("dockerslim-lint: --changed-since: ")
    assert (here / "a" / "Dockerfile").read_text() == FAT

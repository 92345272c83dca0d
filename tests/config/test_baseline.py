"""The baseline: what stays known, what is new, and its file."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockerslim_lint import linter
from dockerslim_lint.baseline import BaselineError, counted, dump, fingerprint, gone, load, part
from dockerslim_lint.config import Settings
from dockerslim_lint.context import MemoryContext
from dockerslim_lint.finding import Finding, Severity
from dockerslim_lint.project.context import DirContext
from dockerslim_lint.source import Source, Span

SHAPES = Path(__file__).resolve().parents[2] / "fixtures" / "shapes"
ORIGIN = """\
FROM rust:1.90 AS build
WORKDIR /src
COPY . .
RUN cargo build --release
FROM ubuntu:22.04
COPY --from=build /src/target/release/app /usr/bin/app
CMD ["app"]
"""

CONTEXT = MemoryContext(
    {
        "Cargo.toml": b'[package]\nname = "app"\nversion = "1.0.0"\nedition = "2021"\n',
        "Cargo.lock": b'version = 3\n\n[[package]]\nname = "app"\nversion = "1.0.0"\n',
        "src/main.rs": b"fn main() {}\n",
    }
)


def finding(source: Source, text: str, code: str = "DSL101", after: int = 0) -> Finding:
    start = source.data.index(text.encode(), after)
    return Finding(code, "x", Severity.ERROR, "x", Span(start, start + len(text.encode())))


def findings(text: str) -> tuple[Source, tuple[Finding, ...]]:
    source = Source(text.encode())
    return source, linter.lint(source, CONTEXT, Settings()).findings


KNOWN = counted(*findings(ORIGIN))


def new_codes(text: str) -> list[str]:
    return [one.code for one in part(*findings(text), KNOWN).new]


def test_the_original_is_known() -> None:
    source, found = findings(ORIGIN)
    assert {one.code for one in found} >= {"DSL101", "DSL201", "DSL501"}
    assert part(source, found, KNOWN) == ((), found)


@pytest.mark.parametrize(
    "text",
    [
        "# a comment\n\n" + ORIGIN,
        ORIGIN.replace("\n", "\r\n"),
        "\ufeff" + ORIGIN,
        ORIGIN.replace("WORKDIR /src\n", "WORKDIR /src\nRUN echo one\nRUN echo two\n"),
        ORIGIN.replace("RUN cargo build --release", "RUN cargo build \\\n      --release"),
        ORIGIN.replace("RUN cargo", "RUN echo first && \\\n  cargo"),
        ORIGIN.replace("FROM ubuntu:22.04", "FROM ubuntu:22.04 AS runtime"),
        ORIGIN.replace("FROM ubuntu:22.04", "from   ubuntu:22.04"),
        ORIGIN.replace("RUN cargo", "RUN CARGO_NET_RETRY=9 cargo"),
    ],
    ids=["moved", "crlf", "bom", "more above", "continued", "chained", "named", "spaced", "variable"],
)
def test_what_only_moved_is_known(text: str) -> None:
    assert text != ORIGIN
    assert new_codes(text) == []


def test_a_second_one_is_new() -> None:
    again = 'FROM ubuntu:22.04\nCOPY --from=build /src/target/release/app /usr/bin/app\nCMD ["app"]\n'
    assert "DSL101" in new_codes(ORIGIN + again)


def test_another_base_is_new() -> None:
    assert "DSL101" in new_codes(ORIGIN.replace("ubuntu:22.04", "ubuntu:24.04"))


BEHIND = "ARG BASE=ubuntu:22.04\n" + ORIGIN.replace("FROM ubuntu:22.04", "FROM ${BASE}")


@pytest.mark.parametrize(
    "text",
    [
        BEHIND,
        BEHIND.replace("ARG BASE=ubuntu:22.04", "ARG V=22.04\nARG BASE=ubuntu:$V"),
        ORIGIN.replace("FROM ubuntu:22.04", "FROM ubuntu:22.04 AS base\nFROM base"),
    ],
    ids=["argument", "two arguments", "stage"],
)
def test_the_same_base_behind_a_name_is_known_and_another_one_is_new(text: str) -> None:
    assert new_codes(text) == []
    assert "DSL101" in new_codes(text.replace("22.04", "24.04"))
    assert new_codes("# moved\n" + text.replace("WORKDIR", "\nWORKDIR")) == []


def test_a_base_that_nobody_knows_is_known_by_what_is_written() -> None:
    source = Source(b"ARG BASE\nFROM $BASE\n")
    assert fingerprint(source, finding(source, "$BASE")) == ("DSL101", "$BASE")
    assert fingerprint(source, finding(source, "$BASE")._replace(about="a:1")) == ("DSL101", "a:1")


def test_the_first_ones_of_equals_are_known() -> None:
    source = Source(b"FROM a\nFROM a\nFROM a\n")
    three = [finding(source, "a", after=at) for at in (0, 7, 14)]
    parted = part(source, three, {("DSL101", "a"): 2})
    assert (parted.known, parted.new) == (tuple(three[:2]), (three[2],))


def test_code_and_text_both_count() -> None:
    source = Source(b"FROM a\n")
    assert part(source, [finding(source, "a")], {("DSL102", "a"): 1, ("DSL101", "b"): 1}).known == ()


def test_a_long_text_is_cut_and_stays_itself() -> None:
    source = Source(b"RUN " + b"x" * 5000 + b"\nRUN " + b"x" * 5001 + b"\n")
    first, second = finding(source, "x" * 5000), finding(source, "x" * 5001)
    one, other = fingerprint(source, first)[1], fingerprint(source, second)[1]
    assert len(one) < 200 and one[:100] == other[:100] and one != other


def test_a_finding_without_extent_is_known_by_its_line() -> None:
    source = Source(b"# syntax=acme/frontend\nFROM a\n")
    assert fingerprint(source, Finding("DSL903", "x", Severity.INFO, "x", Span(0, 0))) == (
        "DSL903",
        "# syntax=acme/frontend",
    )


def test_what_is_gone() -> None:
    known = {("A", "x"): 2, ("A", "y"): 1, ("B", "z"): 1}
    assert gone(known, {("A", "x"): 1}, None) == {("A", "x"): 1, ("A", "y"): 1, ("B", "z"): 1}
    assert gone(known, {("A", "x"): 3, ("A", "y"): 1}, {"A"}) == {}


def test_the_file_is_sorted_and_has_one_finding_a_line() -> None:
    known = {"b/Dockerfile": {("DSL201", "z"): 1}, "a": {("DSL201", 'q"ü\udcff'): 2, ("DSL101", "x"): 1}, "c": {}}
    data = dump(known)
    assert data == (
        b'{\n  "version": 1,\n  "files": {\n    "a": [\n      {"code": "DSL101", "text": "x"},\n'
        b'      {"code": "DSL201", "text": "q\\"\\u00fc\\udcff", "count": 2}\n    ],\n'
        b'    "b/Dockerfile": [\n      {"code": "DSL201", "text": "z"}\n    ]\n  }\n}\n'
    )
    del known["c"]
    assert load(data) == known
    assert load(dump({})) == {}


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "not valid JSON"),
        (b"\xff", "not UTF-8"),
        (b"[]", "no `files`"),
        (b'{"version": 1}', "no `files`"),
        (b'{"version": 2, "files": {}}', "a baseline of version 2; this program reads version 1"),
        (b'{"files": {}}', "a baseline of version null"),
        (b'{"version": 1, "files": {"a": {}}}', 'what it says of "a"'),
        (b'{"version": 1, "files": {"a": [{"code": "x"}]}}', 'what it says of "a"'),
        (b'{"version": 1, "files": {"a": [{"code": "x", "text": "y", "count": "2"}]}}', 'what it says of "a"'),
        (b'{"version": 1, "files": {"a": [{"code": "x", "text": "y", "count": 0}]}}', 'what it says of "a"'),
        (b'{\n<<<<<<< HEAD\n  "version": 1,\n', "merge conflicts"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_baseline(data: bytes, text: str) -> None:
    with pytest.raises(BaselineError) as caught:
        load(data)
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("shape", sorted(path.name for path in SHAPES.iterdir() if (path / "Dockerfile").exists()))
def test_what_is_known_stays_known_when_safe_fixes_are_made(shape: str) -> None:
    context = DirContext(str(SHAPES / shape))
    source = Source((SHAPES / shape / "Dockerfile").read_bytes())
    before = linter.lint(source, context, Settings())
    fixed = linter.fix(source, context, Settings())
    known = counted(before.source, before.findings)
    assert part(fixed.report.source, fixed.report.findings, known).new == ()

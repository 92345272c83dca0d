"""The JSON format against its schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from dockerslim_lint.edit import Edit, Fix, Safety, Withheld
from dockerslim_lint.finding import Finding, Label, Severity
from dockerslim_lint.linter import Applied, Held, Report
from dockerslim_lint.output.exits import Exit
from dockerslim_lint.output.interface import Asked, FileResult, Problem, ProofResult, load_format, plain
from dockerslim_lint.source import Source, Span
from dockerslim_lint.verify.evidence.interface import Evidence, Verdict
from dockerslim_lint.verify.ladder import LadderResult
from dockerslim_lint.verify.proof import Outcome, PlatformProof, Proof
from dockerslim_lint.verify.subject import Candidate
from dockerslim_lint.verify.trial import Times

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "json-schema.json").read_text())


def document(*results: FileResult, **asked: bool) -> Any:
    text = plain(load_format("json")(results, Asked(**asked)))  # type: ignore[arg-type]
    assert text.isascii() and "\\ud" not in text.replace("\\ufffd", "")
    parsed = json.loads(text)
    jsonschema.Draft202012Validator(SCHEMA).validate(parsed)
    return parsed


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_everything_at_once() -> None:
    source = Source("\ufeff# é\r\nFROM ubuntu\r\nRUN x \\\r\n y\r\n".encode(), "d/Dockerfile")
    at = source.data.index(b"ubuntu")
    run = source.data.index(b"RUN")
    fix = Fix("slim:0", "alpine", Safety.PROVABLE, "slim it", (Edit(at, at + 6, "alpine"),), "slow")
    finding = Finding(
        "DSL101",
        "gnu-on-fat-base",
        Severity.ERROR,
        "Fat.",
        Span(at, at + 6),
        "note",
        (Label(Span(run, len(source.data) - 2), "label"),),
        (fix,),
    )
    withheld = finding._replace(severity=Severity.INFO, fixes=Withheld("slim:0", "by make"))
    report = Report(source, (finding, withheld), (withheld,), None, ("note",))
    applied = (Applied(fix, ("DSL101",)), Applied(fix, ("DSL102",)))
    held = (Held("strip:0", ("DSL201",), (), "no"),)
    parsed = document(FileResult("d/Dockerfile", report=report, context="d", applied=applied, held=held))
    (file,) = parsed["files"]
    assert parsed["version"] == 1
    assert parsed["summary"] == {"files": 1, "errors": 1, "warnings": 0, "infos": 1, "fixed": 1, "held_back": 1}
    assert (file["path"], file["context"], file["error"]) == ("d/Dockerfile", "d", None)
    first = file["findings"][0]
    assert [first[key] for key in ("line", "column", "end_line", "end_column")] == [2, 6, 2, 12]
    assert first["labels"] == [{"line": 3, "column": 1, "end_line": 4, "end_column": 3, "text": "label"}]
    assert first["url"].endswith("/docs/rules/DSL101.md")
    assert first["withheld"] is None
    assert first["fixes"] == [
        {
            "key": "slim:0",
            "choice": "alpine",
            "safety": "provable",
            "title": "slim it",
            "edits": [{"start": at, "end": at + 6, "text": "alpine"}],
        }
    ]
    assert (file["findings"][1]["fixes"], file["findings"][1]["withheld"]) == ([], "by make")
    assert len(file["suppressed"]) == 1


@pytest.mark.parametrize("exit_code", [Exit.NO_INPUT, Exit.USAGE, Exit.BUG])
def test_files_that_could_not_be_judged(exit_code: Exit) -> None:
    (file,) = document(FileResult("x\udcff", problem=Problem(exit_code, "why \udcff", "trace")))["files"]
    empty: dict[str, object] = {"context": None, "judged": False, "findings": [], "suppressed": []}
    empty |= {"proof": None, "diff": None}
    assert file == {"path": "x\ufffd", "error": "why \ufffd", **empty}


def test_an_unparsable_file_carries_its_finding_and_the_error() -> None:
    source = Source(b"")
    finding = Finding("DSL901", "unparsable", Severity.ERROR, "empty", Span(0, 0))
    (file,) = document(FileResult("x", report=Report(source, (finding,), (), "empty", ())))["files"]
    assert (file["error"], file["findings"][0]["code"], file["findings"][0]["line"]) == ("empty", "DSL901", 1)


def test_a_bug_of_ours_is_an_error() -> None:
    report = Report(Source(b"FROM x\n"), (), (), None, ())
    assert document(FileResult("x", report=report, bug="did not converge"))["files"][0]["error"] == "did not converge"


def test_what_builds_no_rust_is_not_judged() -> None:
    source = Source(b"FROM node\n")
    for report, judged in (
        (Report(source, (), (), None, ()), True),
        (Report(source, (), (), None, (), judged=False), False),
        (Report(source, (), (), "no FROM", ()), False),
    ):
        assert document(FileResult("x", report=report))["files"][0]["judged"] is judged
    assert document(FileResult("excluded"))["files"][0]["judged"] is False


def test_a_proof_has_all_that_was_found() -> None:
    figures = (("old pull", 30), ("new pull", 2), ("old unpacked", 78), ("new unpacked", 3))
    smaller = Evidence("smaller", "linux/amd64", Verdict.HOLDS, "2 bytes", figures=figures)
    starts = Evidence("starts", "linux/amd64", Verdict.FAILS, "exit 127 \udcff", ("its log",))
    failing = PlatformProof("linux/amd64", "here", (starts,), 41.26, 3.0)
    times = Times(41.44, 10.01, 3)
    holding = PlatformProof("linux/amd64", "emulated", (smaller,), original_starts=False, repairs="line 7", times=times)
    failed = Proof("distroless/static", Outcome.NOT_PROVEN, (failing,), reason="starts, linux/amd64: exit 127 \udcff")
    left_out = (("linux/arm64", "no emulator"),)
    proven = Proof(
        "alpine", Outcome.PROVEN, (holding,), left_out, ran=("app --help", "app"), still=(0, 10.04), config="unchanged"
    )
    ladder = LadderResult(Outcome.PROVEN, Candidate("alpine", b""), (failed, proven), engine="buildx 0.26")
    report = Report(Source(b"FROM x\n"), (), (), None, ())
    result = FileResult("x", report=report, proof=ProofResult(Exit.CLEAN, ("P",), ladder=ladder, seconds=51.234))
    proof = document(result)["files"][0]["proof"]
    assert {**proof, "candidates": ...} == {
        "result": "proven",
        "candidate": "alpine",
        "reason": "",
        "engine": "buildx 0.26",
        "seconds": 51.2,
        "candidates": ...,
    }
    first, second = proof["candidates"]
    assert first["result"] == "not proven" and first["reason"] == "starts, linux/amd64: exit 127 \ufffd"
    assert first["platforms"] == [
        {
            "platform": "linux/amd64",
            "how": "here",
            "original_starts": True,
            "repairs": "",
            "original_seconds": 41.3,
            "seconds": 3.0,
            "times": {"build": 0.0, "run": 0.0, "measure": 0.0},
            "sizes": None,
            "checks": [
                {"claim": "starts", "verdict": "fails", "summary": "exit 127 \ufffd", "details": ["its log"]},
            ],
        }
    ]
    assert (second["ran"], second["config"]) == (["app --help", "app"], "unchanged")
    assert second["still_running_after"] == [0, 10.0]
    assert second["platforms"][0]["times"] == {"build": 41.4, "run": 10.0, "measure": 3}
    assert second["left_out"] == [{"platform": "linux/arm64", "reason": "no emulator"}]
    sizes = {"old_pull": 30, "new_pull": 2, "old_unpacked": 78, "new_unpacked": 3}
    assert (second["platforms"][0]["sizes"], second["platforms"][0]["repairs"]) == (sizes, "line 7")


def test_a_proof_that_was_not_possible() -> None:
    report = Report(Source(b"FROM x\n"), (), (), None, ())
    for proof, result, reason in (
        (ProofResult(Exit.NOT_PROVEN, (), reason="no context"), "not proven", "no context"),
        (
            ProofResult(Exit.NO_ENGINE, (), ladder=LadderResult(Outcome.NO_ENGINE, None, (), "no docker", "get it")),
            "no engine",
            "no docker",
        ),
    ):
        told = document(FileResult("x", report=report, proof=proof))["files"][0]["proof"]
        assert (told["result"], told["reason"], told["candidate"], told["candidates"]) == (result, reason, None, [])


def test_a_diff_is_a_text() -> None:
    report = Report(Source(b"FROM y\n"), (), (), None, ())
    result = FileResult("x", report=report, before=b"FROM x\r\n# \xff", after=b"FROM y\r\n# \xff")
    (file,) = document(result, diff=True)["files"]
    head = "--- x\n+++ x\n@@ -1,2 +1,2 @@\n-FROM x\r\n+FROM y\r\n"
    assert file["diff"] == head + " # \ufffd\n\\ No newline at end of file\n"
    assert document(result)["files"][0]["diff"] is None
    assert document(result._replace(after=None), diff=True)["files"][0]["diff"] == ""


def test_nothing() -> None:
    assert document()["files"] == []

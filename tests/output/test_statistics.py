"""Counts for each rule, as a table and in JSON."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema

from dockerslim_lint.output.statistics import statistics
from tests.output.samples import ASKED, broken_bytes, everything, judged, rendered

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "json-schema.json").read_text())
COUNTING = ASKED._replace(statistics=True)


def test_the_most_frequent_rule_comes_first() -> None:
    found = statistics((judged(), broken_bytes(), judged()))
    assert [(row.findings, row.code) for row in found] == [(2, "DSL101"), (2, "DSL104"), (2, "DSL501"), (1, "DSL902")]
    assert [(row.safe, row.provable) for row in found] == [(0, 2), (0, 0), (0, 0), (1, 0)]


def test_text_counts_instead_of_showing() -> None:
    lines = rendered("text", (judged(), judged()), COUNTING).splitlines()
    assert lines[0] == "count  code    name              severity  fix"
    assert lines[1] == "    2  DSL101  gnu-on-fat-base   error     2 to prove"
    assert lines[2] == "    2  DSL104  musl-on-fat-base  warning   -"
    assert lines[3] == "    2  DSL501  not-locked        info      -"
    assert lines[5].startswith("2 errors, 2 warnings, 2 infos in 2 files.")
    assert not [line for line in lines if "6:6" in line]


def test_text_without_findings() -> None:
    assert rendered("text", everything()[-3:-1], COUNTING) == "1 file (1 excluded), nothing to report.\n"


def test_json_counts_and_shows() -> None:
    document = json.loads(rendered("json", (judged(),), COUNTING))
    jsonschema.Draft202012Validator(SCHEMA).validate(document)
    assert document["statistics"][0] == {
        "code": "DSL101",
        "name": "gnu-on-fat-base",
        "severity": "error",
        "findings": 1,
        "safe": 0,
        "provable": 1,
    }
    assert len(document["files"][0]["findings"]) == 3
    assert "statistics" not in json.loads(rendered("json", (judged(),)))


def test_no_findings_no_rows() -> None:
    assert statistics(()) == []

"""GitLab's Code Quality report: the fields that its documentation asks for."""

from __future__ import annotations

import json
from typing import Any

import jsonschema

from dockerslim_lint.output.interface import FileResult
from tests.output.samples import everything, judged, rendered, unreadable

ISSUES = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": r"^(?!\./)"},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {"begin": {"type": "integer", "minimum": 1}},
                    },
                },
            },
        },
    },
}
"""As https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format has it; GitLab gives no schema."""


def issues(*results: FileResult) -> Any:
    text = rendered("gitlab", results)
    assert text.isascii()
    found = json.loads(text)
    jsonschema.Draft202012Validator(ISSUES).validate(found)
    return found


def test_each_finding_is_an_issue() -> None:
    info, fat, copy = issues(judged())
    assert [one["severity"] for one in (info, fat, copy)] == ["info", "major", "minor"]
    assert fat["check_name"] == "DSL101"
    assert fat["description"] == "DSL101 gnu-on-fat-base: x is fat: ${BASE}."
    assert fat["location"] == {"path": "svc/Docker file", "lines": {"begin": 6, "end": 6}}
    # the newline that ends the instruction does not make it two lines long
    assert copy["location"]["lines"] == {"begin": 7, "end": 7}


def test_fingerprints_differ() -> None:
    marks = [one["fingerprint"] for one in issues(*everything())]
    assert len(set(marks)) == len(marks)


def test_what_could_not_be_judged_is_an_issue() -> None:
    found = {one["location"]["path"]: one for one in issues(*everything()) if one["check_name"] == "problem"}
    assert list(found) == ["svc/gone", "svc/one", "svc/two", "svc/ours"]
    assert {one["severity"] for one in found.values()} == {"critical"}
    (one,) = issues(unreadable())
    assert (one["check_name"], one["location"]["lines"]["begin"]) == ("DSL901", 1)


def test_nothing() -> None:
    assert issues() == []

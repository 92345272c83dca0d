"""The GitLab format: a Code Quality report.

Its fields are those of https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format. It has no place for
what was fixed or held back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from hashlib import sha256

from dockerslim_lint.finding import Finding, Severity
from dockerslim_lint.linter import Report
from dockerslim_lint.output.fingerprint import fingerprints
from dockerslim_lint.output.interface import Asked, FileResult, Line, Piece
from dockerslim_lint.output.json import unicode
from dockerslim_lint.output.location import has_places, marked, repository_path
from dockerslim_lint.source import encode

_SEVERITIES = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.INFO: "info"}
_PROBLEM = "critical"


def render(results: Sequence[FileResult], asked: Asked) -> list[Line]:
    """One JSON array, an issue for each finding, and for each file that could not be judged."""
    issues = [issue for result in results for issue in _issues(result, repository_path(result.path, asked))]
    return [(Piece(json.dumps(issues, indent=2)),)]


def _issues(result: FileResult, path: str) -> Iterator[dict[str, object]]:
    text = result.problem.text if result.problem else result.bug
    if text is not None:
        fingerprint = sha256(encode("\0".join(("problem", path, text)))).hexdigest()[:32]
        yield _issue("problem", text, fingerprint, _PROBLEM, path, (1, 1))
    if result.report:
        findings = result.report.findings
        for finding, fingerprint in zip(findings, fingerprints(path, result.report.source, findings), strict=True):
            text = f"{finding.code} {finding.name}: {' '.join(finding.message.split())}"
            lines = _lines(result.report, finding)
            yield _issue(finding.code, text, fingerprint, _SEVERITIES[finding.severity], path, lines)


def _issue(
    check: str, text: str, fingerprint: str, severity: str, path: str, lines: tuple[int, int]
) -> dict[str, object]:
    return {
        "type": "issue",
        "check_name": check,
        "description": unicode(text),
        "fingerprint": fingerprint,
        "severity": severity,
        "location": {"path": unicode(path), "lines": {"begin": lines[0], "end": lines[1]}},
    }


def _lines(report: Report, finding: Finding) -> tuple[int, int]:
    if not has_places(report):
        return 1, 1
    place = marked(report.source, finding.span)
    return place.line, place.end_line

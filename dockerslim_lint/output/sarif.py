"""The SARIF format, version 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/), for code scanning and editors."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Sequence
from inspect import cleandoc
from urllib.parse import quote

from dockerslim_lint import __version__, registry
from dockerslim_lint.edit import Edit, Fix, Withheld
from dockerslim_lint.finding import Finding, Severity
from dockerslim_lint.linter import Report
from dockerslim_lint.output.exits import Exit
from dockerslim_lint.output.fingerprint import fingerprints
from dockerslim_lint.output.interface import SAFETY_WORDS, Asked, FileResult, Line, Piece, count
from dockerslim_lint.output.json import unicode
from dockerslim_lint.output.location import STDIN, region, repository_path
from dockerslim_lint.rule import Rule
from dockerslim_lint.source import Source, Span, encode
from dockerslim_lint.suppress import Suppression, suppressions
from dockerslim_lint.syntax.dockerfile import parse

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT = "dockerslimLint/v1"
_HOME = "https://github.com/dockerslim/dockerslim-lint"
_ROOT = "%SRCROOT%"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_GITHUB_SEVERITIES = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "recommendation"}
"""``problem.severity`` as GitHub's code scanning names them."""

_Object = dict[str, object]


def render(results: Sequence[FileResult], asked: Asked) -> list[Line]:
    """One SARIF log with one run.

    Paths are relative to the repository's root. Suppressed findings are results too, with their suppression. What could
    not be judged, and the notes, are notifications of the invocation. The run's properties hold the summary.
    """
    rules = [_rule(rule) for rule in registry.rules()]
    rules += _foreign(results, {str(rule["id"]) for rule in rules})
    at = {str(rule["id"]): index for index, rule in enumerate(rules)}
    run: _Object = {
        "tool": {
            "driver": {
                "name": "dockerslim-lint",
                "version": __version__,
                "semanticVersion": __version__,
                "informationUri": _HOME,
                "rules": rules,
            }
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The root of the repository."}}},
        "invocations": [_invocation(results, asked)],
        "artifacts": [
            {"location": _artifact(result.path, asked), "roles": ["analysisTarget"]}
            for result in results
            if result.report
        ],
        "results": [one for result in results if result.report for one in _results(result, result.report, asked, at)],
        "properties": {"summary": count(results)._asdict()},
    }
    return [(Piece(json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)),)]


def _rule(rule: Rule) -> _Object:
    page = cleandoc(type(rule).__doc__ or "")
    paragraphs = [" ".join(paragraph.split()) for paragraph in page.split("\n\n")]
    url = registry.url(rule.CODE)
    return {
        "id": rule.CODE,
        "name": rule.NAME,
        "shortDescription": {"text": rule.summary()},
        "fullDescription": {"text": " ".join(paragraphs[:2])},
        "help": {"text": f"{page}\n\n{url}", "markdown": f"{page}\n\n[{rule.CODE} {rule.NAME}]({url})"},
        "helpUri": url,
        "defaultConfiguration": {"enabled": rule.ON_BY_DEFAULT, "level": _LEVELS[rule.SEVERITY]},
        "properties": {
            "tags": ["docker", "rust"],
            "precision": "high",
            "problem.severity": _GITHUB_SEVERITIES[rule.SEVERITY],
        },
    }


def _foreign(results: Sequence[FileResult], known: set[str]) -> list[_Object]:
    """The rules of rule packs, as far as their findings tell of them."""
    found: dict[str, _Object] = {}
    for result in results:
        for finding in (*result.report.findings, *result.report.suppressed) if result.report else ():
            if finding.code not in known:
                url = registry.url(finding.code, finding.url)
                named = {"text": finding.name}
                found[finding.code] = {
                    "id": finding.code,
                    "name": finding.name,
                    "shortDescription": named,
                    "fullDescription": named,
                    "help": {"text": url},
                    "helpUri": url,
                }
    return list(found.values())


def _results(result: FileResult, report: Report, asked: Asked, rules: dict[str, int]) -> Iterator[_Object]:
    path = repository_path(result.path, asked)
    findings = (*report.findings, *report.suppressed)
    comments = suppressions(parse(report.source), report.source) if report.suppressed else ()
    marks = fingerprints(path, report.source, findings)
    for number, (finding, mark) in enumerate(zip(findings, marks, strict=True)):
        one = _finding(report, finding, _artifact(result.path, asked))
        one["ruleIndex"] = rules[finding.code]
        one["partialFingerprints"] = {FINGERPRINT: mark}
        if number >= len(report.findings):
            one["suppressions"] = [_suppression(finding, comments)]
        yield one


def _finding(report: Report, finding: Finding, artifact: _Object) -> _Object:
    source = report.source
    where: _Object = {"physicalLocation": _physical(source, finding.span, artifact)}
    if finding.note:
        where["message"] = _message(finding.note)
    one: _Object = {
        "ruleId": finding.code,
        "level": _LEVELS[finding.severity],
        "message": _message(finding.message),
        "locations": [where],
    }
    if finding.labels:
        one["relatedLocations"] = [
            {"id": number, "physicalLocation": _physical(source, label.span, artifact), "message": _message(label.text)}
            for number, label in enumerate(finding.labels, 1)
        ]
    if isinstance(finding.fixes, Withheld):
        one["properties"] = {"withheld": unicode(finding.fixes.reason)}
    else:
        fixes = [_fix(source, fix, artifact) for fix in finding.fixes if fix.edits]
        if fixes:
            one["fixes"] = fixes
    return one


def _fix(source: Source, fix: Fix, artifact: _Object) -> _Object:
    text = f"{fix.title} ({SAFETY_WORDS[fix.safety]})" + (f"; it costs: {fix.cost}" if fix.cost else "")
    ordered = sorted(fix.edits, key=lambda edit: (edit.start, edit.end))
    return {
        "description": _message(text),
        "artifactChanges": [
            {"artifactLocation": artifact, "replacements": [_replacement(source, edit) for edit in ordered]}
        ],
        "properties": {"key": fix.key, "choice": fix.choice, "safety": fix.safety.name.lower()},
    }


def _replacement(source: Source, edit: Edit) -> _Object:
    replacement: _Object = {"deletedRegion": _region(source, Span(edit.start, edit.end))}
    if edit.text:
        replacement["insertedContent"] = (
            {"text": edit.text}
            if unicode(edit.text) == edit.text
            # a part of the file that is not UTF-8 is carried over as it is
            else {"binary": b64encode(encode(edit.text)).decode("ascii")}
        )
    return replacement


def _suppression(finding: Finding, comments: Sequence[Suppression]) -> _Object:
    suppression: _Object = {"kind": "inSource", "status": "accepted"}
    names = (finding.code.lower(), finding.name.lower())
    for comment in comments:
        covered = comment.covers.start <= finding.span.start < comment.covers.end
        if covered and comment.reason and any(code.lower() in names for code in comment.codes):
            suppression["justification"] = unicode(comment.reason)
    return suppression


def _invocation(results: Sequence[FileResult], asked: Asked) -> _Object:
    execution: list[_Object] = []
    configuration: dict[str, _Object] = {}
    for result in results:
        report = result.report
        where: _Object = {"physicalLocation": {"artifactLocation": _artifact(result.path, asked)}}
        told = [("error", f"our bug; please report it: {result.bug}")] if result.bug is not None else []
        if result.problem is not None and result.problem.exit is Exit.USAGE:
            # it is about the configuration, and the same for many files
            configuration[result.problem.text] = _notification("error", result.problem.text)
        elif result.problem is not None:
            told.append(("error", result.problem.text))
        if report is not None:
            told += [("error", report.error)] if report.error is not None else []
            told += [("note", note) for note in report.notes]
        if result.proof is not None:
            level = "note" if result.proof.exit is Exit.CLEAN else "error"
            told.append((level, "\n".join(result.proof.lines)))
        execution += [_notification(level, text, where) for level, text in told]
    failed = any(result.error is not None for result in results)
    return {
        "executionSuccessful": not failed,
        "toolExecutionNotifications": execution,
        "toolConfigurationNotifications": list(configuration.values()),
    }


def _notification(level: str, text: str, where: _Object | None = None) -> _Object:
    notification: _Object = {"level": level, "message": _message(text)}
    return {**notification, "locations": [where]} if where else notification


def _physical(source: Source, span: Span, artifact: _Object) -> _Object:
    return {"artifactLocation": artifact, "region": _region(source, span)}


def _region(source: Source, span: Span) -> _Object:
    place = region(source, span)
    return {
        "startLine": place.line,
        "startColumn": place.column,
        "endLine": place.end_line,
        "endColumn": place.end_column,
        "byteOffset": span.start,
        "byteLength": span.end - span.start,
    }


def _artifact(path: str, asked: Asked) -> _Object:
    """The location of a file: relative to the repository's root, or absolute where it lies elsewhere."""
    shown = repository_path(path, asked)
    uri = quote(encode(shown), safe="/-._~" if shown != STDIN else "-")
    if shown.startswith("/"):
        return {"uri": f"file://{uri}"}
    return {"uri": uri, "uriBaseId": _ROOT}


def _message(text: str) -> _Object:
    """A message. Braces stand for placeholders (section 3.11.5), and ``[…](…)`` for a link (3.11.6), unless escaped."""
    text = unicode(text).replace("{", "{{").replace("}", "}}")
    if "](" in text:
        text = text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
    return {"text": text}

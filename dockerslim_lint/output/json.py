"""The JSON format, version 1; ``docs/json-schema.json`` is its schema."""

from __future__ import annotations

import json
from collections.abc import Sequence

from dockerslim_lint import registry
from dockerslim_lint.edit import Fix, Withheld
from dockerslim_lint.finding import Finding
from dockerslim_lint.output.interface import Asked, FileResult, Line, Piece, count
from dockerslim_lint.source import Source, Span, decode

VERSION = 1


def render(results: Sequence[FileResult], asked: Asked) -> list[Line]:
    """One JSON document. Bytes that are not UTF-8 appear as U+FFFD."""
    document: dict[str, object] = {
        "version": VERSION,
        "files": [_file(result, asked) for result in results],
        "summary": count(results)._asdict(),
    }
    if asked.statistics:
        from dockerslim_lint.output.statistics import statistics

        document["statistics"] = [{**row._asdict(), "severity": row.severity.label} for row in statistics(results)]
    return [(Piece(json.dumps(document, indent=2)),)]


def _file(result: FileResult, asked: Asked) -> dict[str, object]:
    report = result.report
    error = result.error
    return {
        "path": unicode(result.path),
        "error": None if error is None else unicode(error),
        "context": None if result.context is None else unicode(result.context),
        "judged": report is not None and report.judged and report.error is None,
        "findings": [_finding(report.source, finding) for finding in report.findings] if report else [],
        "suppressed": [_finding(report.source, finding) for finding in report.suppressed] if report else [],
        "proof": _proof(result),
        "diff": _diff(result) if asked.diff else None,
    }


def _proof(result: FileResult) -> dict[str, object] | None:
    if result.proof is None:
        return None
    from dockerslim_lint.output.proof_json import proof_object

    return proof_object(result.proof)


def _diff(result: FileResult) -> str:
    if result.after is None:
        return ""
    from dockerslim_lint.output.diff import unified

    return unicode(decode(unified(result.before, result.after, result.path)))


def _finding(source: Source, finding: Finding) -> dict[str, object]:
    fixes = () if isinstance(finding.fixes, Withheld) else finding.fixes
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity.label,
        "message": unicode(finding.message),
        **_place(source, finding.span),
        "labels": [{**_place(source, label.span), "text": unicode(label.text)} for label in finding.labels],
        "url": registry.url(finding.code, finding.url),
        "fixes": [_fix(fix) for fix in fixes],
        "withheld": unicode(finding.fixes.reason) if isinstance(finding.fixes, Withheld) else None,
    }


def _fix(fix: Fix) -> dict[str, object]:
    return {
        "key": fix.key,
        "choice": fix.choice,
        "safety": fix.safety.name.lower(),
        "title": unicode(fix.title),
        "edits": [{"start": edit.start, "end": edit.end, "text": unicode(edit.text)} for edit in fix.edits],
    }


def _place(source: Source, span: Span) -> dict[str, int]:
    line, column = source.position(span.start)
    end_line, end_column = source.position(span.end)
    return {"line": line, "column": column, "end_line": end_line, "end_column": end_column}


def unicode(text: str) -> str:
    """`text` without lone surrogates, which strict readers of JSON refuse."""
    if text.isascii():
        return text
    return "".join("\ufffd" if 0xD800 <= ord(char) <= 0xDFFF else char for char in text)

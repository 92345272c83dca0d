"""Findings as the protocol's diagnostics."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types

from dockerslim_lint import registry
from dockerslim_lint.edit import Withheld
from dockerslim_lint.finding import Finding, Severity
from dockerslim_lint.linter import Report
from dockerslim_lint.lsp.positions import Positions
from dockerslim_lint.output.interface import FileResult
from dockerslim_lint.source import Span
from dockerslim_lint.suppress import Suppression, split, suppressions
from dockerslim_lint.syntax.dockerfile import parse

SOURCE = "dockerslim-lint"
_SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.INFO: types.DiagnosticSeverity.Information,
}
_TAGS = {"ended-base": [types.DiagnosticTag.Deprecated]}
"""By the rule's name: the editor strikes through what nobody mends any more."""


def diagnostics(result: FileResult, uri: str, positions: Positions) -> list[types.Diagnostic]:
    """All that is to be shown of one file: findings, comments that suppress nothing, what kept it from being judged."""
    if result.problem is not None:
        return [_top(result.problem.text, types.DiagnosticSeverity.Error, positions)]
    if result.report is None:
        return []
    found = [diagnostic(finding, uri, positions) for finding in result.report.findings]
    return [*found, *(_unused(comment, positions) for comment in unused(result.report))]


def diagnostic(finding: Finding, uri: str, positions: Positions) -> types.Diagnostic:
    """One finding; its labels are related places in the same file."""
    message = finding.message + (f"\n{finding.note}" if finding.note else "")
    if isinstance(finding.fixes, Withheld):
        message += f"\nNo fix: {finding.fixes.reason}"
    return types.Diagnostic(
        range=positions.range(_visible(finding.span, positions)),
        severity=_SEVERITIES[finding.severity],
        code=finding.code,
        code_description=types.CodeDescription(registry.url(finding.code)),
        source=SOURCE,
        message=message,
        tags=_TAGS.get(finding.name),
        related_information=[
            types.DiagnosticRelatedInformation(types.Location(uri, positions.range(label.span)), label.text)
            for label in finding.labels
        ]
        or None,
    )


def unused(report: Report) -> Iterator[Suppression]:
    """The comments of a file that suppress nothing, in whole or in part."""
    source = report.source
    if report.error is None:
        yield from split((*report.findings, *report.suppressed), suppressions(parse(source), source)).unused


def _unused(comment: Suppression, positions: Positions) -> types.Diagnostic:
    return types.Diagnostic(
        range=positions.range(comment.comment),
        severity=types.DiagnosticSeverity.Warning if comment.problem else types.DiagnosticSeverity.Information,
        source=SOURCE,
        message=comment.problem or f"The suppression of {', '.join(comment.codes)} matches no finding.",
        tags=None if comment.problem else [types.DiagnosticTag.Unnecessary],
    )


def _top(text: str, severity: types.DiagnosticSeverity, positions: Positions) -> types.Diagnostic:
    place = _visible(Span(0, 0), positions)
    return types.Diagnostic(positions.range(place), text, severity=severity, source=SOURCE)


def _visible(span: Span, positions: Positions) -> Span:
    """`span`, or the whole line where it is empty: nobody sees a mark without width."""
    source = positions.source
    return span if span.end > span.start else source.line_span(source.line_of(span.start))

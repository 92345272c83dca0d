"""The concise format: a line for each finding, for grep and for editors that read a compiler's errors."""

from __future__ import annotations

from collections.abc import Sequence

from dockerslim_lint import registry
from dockerslim_lint.finding import Finding, Severity
from dockerslim_lint.linter import Report
from dockerslim_lint.output.interface import Asked, FileResult, Line, Piece, count, shows_infos
from dockerslim_lint.output.printable import printable
from dockerslim_lint.output.snippet import SEVERITY_STYLES, first_position
from dockerslim_lint.output.text import found


def render(results: Sequence[FileResult], asked: Asked) -> list[Line]:
    """``path:line:column: CODE severity text`` for each finding that is left; then how much there is."""
    lines = [
        _line(result.path, result.report, finding)
        for result in results
        if result.report is not None
        for finding in result.report.findings
        if finding.severity > Severity.INFO or shows_infos(result, asked)
    ]
    if not asked.quiet:
        text = found(results, asked)
        counts = count(results)
        if asked.fix:
            text = f"{text} {counts.fixed} fixed, {counts.held_back} held back.".lstrip()
        lines += [(Piece(text),)] if text else []
    return lines


def _line(path: str, report: Report, finding: Finding) -> Line:
    line, column = first_position(report.source, finding)
    style = SEVERITY_STYLES[finding.severity]
    return (
        Piece(f"{printable(path)}:{line}:{column}: ", "bold"),
        Piece(finding.code, f"{style} link {registry.url(finding.code, finding.url)}"),
        Piece(" "),
        Piece(finding.severity.label, style),
        Piece(f" {printable(' '.join(finding.message.split()))}"),
    )

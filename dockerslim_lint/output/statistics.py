"""How often each rule speaks."""

from __future__ import annotations

from collections.abc import Sequence

from dockerslim_lint.edit import Safety, Withheld
from dockerslim_lint.finding import Finding, Severity
from dockerslim_lint.output.interface import FileResult, Line, Piece
from dockerslim_lint.output.snippet import SEVERITY_STYLES
from dockerslim_lint.record import Record


class Statistic(Record):
    """The findings of one rule: how many there are, the worst severity, and how many have a fix of which safety."""

    code: str
    name: str
    severity: Severity
    findings: int
    safe: int
    provable: int


def statistics(results: Sequence[FileResult]) -> list[Statistic]:
    """One entry for each rule with findings left, the most frequent first."""
    by_code: dict[str, list[Finding]] = {}
    for result in results:
        for finding in result.report.findings if result.report else ():
            by_code.setdefault(finding.code, []).append(finding)
    found = []
    for code, findings in by_code.items():
        best = [_safety(finding) for finding in findings]
        severity = max(finding.severity for finding in findings)
        safe, provable = best.count(Safety.SAFE), best.count(Safety.PROVABLE)
        found.append(Statistic(code, findings[0].name, severity, len(findings), safe, provable))
    return sorted(found, key=lambda row: (-row.findings, row.code))


def table(rows: Sequence[Statistic]) -> list[Line]:
    """The statistics as a table; nothing for none."""
    if not rows:
        return []
    names = max(len(row.name) for row in rows)
    lines: list[Line] = [(Piece(f"{'count':>5}  {'code':<8}{'name':<{names + 2}}{'severity':<10}fix", "dim"),)]
    for row in rows:
        fixes = [f"{number} {what}" for number, what in ((row.safe, "safe"), (row.provable, "to prove")) if number]
        lines.append(
            (
                Piece(f"{row.findings:>5}  "),
                Piece(f"{row.code:<8}", "bold"),
                Piece(f"{row.name:<{names + 2}}"),
                Piece(f"{row.severity.label:<10}", SEVERITY_STYLES[row.severity]),
                Piece(", ".join(fixes) or "-"),
            )
        )
    return lines


def _safety(finding: Finding) -> Safety | None:
    if isinstance(finding.fixes, Withheld) or not finding.fixes:
        return None
    return min(fix.safety for fix in finding.fixes)

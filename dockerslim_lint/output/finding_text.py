"""One finding in the text format: its first line, what it says, the source lines, the fix with its cost and page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dockerslim_lint import registry
from dockerslim_lint.edit import Safety, Withheld
from dockerslim_lint.finding import Finding
from dockerslim_lint.linter import Report
from dockerslim_lint.output.interface import COLUMNS, SAFETY_WORDS, Line, Piece
from dockerslim_lint.output.printable import printable, width, wrap
from dockerslim_lint.output.snippet import SEVERITY_STYLES, first_position, snippet
from dockerslim_lint.source import Span

Tried = Mapping[tuple[str, str], str]
"""Why a choice was not proven, by the fix's key and choice."""


def finding_blocks(
    report: Report, path: str, findings: Sequence[Finding], columns: int, tried: Tried
) -> list[list[Line]]:
    """A block for each finding. Of those that share a fix the gravest tells of it, the first of these where there are several."""
    heads: dict[str, Finding] = {}
    for finding in sorted(findings, key=lambda finding: -finding.severity):
        if finding.key and not isinstance(finding.fixes, Withheld):
            heads.setdefault(finding.key, finding)
    blocks: list[list[Line]] = []
    seen: set[tuple[str, Span]] = set()
    for finding in findings:
        head = None if isinstance(finding.fixes, Withheld) else heads.get(finding.key or "")
        told = head is not None and (finding.key or "", finding.span) in seen and not finding.labels
        blocks.append(_finding_lines(report, path, finding, None if head is finding else head, told, columns, tried))
        if head is not None:
            seen.add((finding.key or "", finding.span))
    return blocks


def _finding_lines(
    report: Report, path: str, finding: Finding, head: Finding | None, told: bool, columns: int, tried: Tried
) -> list[Line]:
    """`head` is another finding that tells of the fix; `told`: the same lines have been shown with it, or like it."""
    line, column = first_position(report.source, finding)
    style = SEVERITY_STYLES[finding.severity]
    first: Line = (
        Piece(f"{printable(path)}:{line}:{column}: ", "bold"),
        Piece(finding.code, f"{style} link {registry.url(finding.code, finding.url)}"),
        Piece(f" {finding.name}  "),
        Piece(finding.severity.label, style),
    )
    if report.error is not None and finding.code == "DSL901":
        return _folded((*first, Piece(f": {printable(report.error)}")), columns)
    status = _status(finding, head, tried)
    if status:
        first = (*first, Piece(f"  [{status}]"))
    lines = _folded(first, columns)
    for paragraph in finding.message.split("\n"):
        lines += unstyled(wrap(printable(paragraph), columns, "  "))
    if not told:
        lines += snippet(report.source, finding, columns)
    return lines + _advice(finding, head, columns, tried)


def _status(finding: Finding, head: Finding | None, tried: Tried) -> str:
    """What there is to fix it, in a few words; `head` is another finding that tells of the same fix."""
    if isinstance(finding.fixes, Withheld):
        return "fix withheld"
    if not finding.fixes:
        return ""
    first = finding.fixes[0].safety
    if first is not Safety.SAFE and any(fix.safety is Safety.SAFE for fix in finding.fixes):
        return f"fix: safe; more with {head.code if head else 'a proof'}"
    if head:
        return f"same fix as {head.code}"
    if finding.allowed and first is Safety.PROVABLE:
        return "fix: allowed"
    return "fix: tried, not proven" if why_not(finding, tried) else f"fix: {SAFETY_WORDS[first]}"


def why_not(finding: Finding, tried: Tried) -> str:
    """Why the fix that a finding would be given was not proven, "" where that was not tried."""
    fix = None if isinstance(finding.fixes, Withheld) or not finding.fixes else finding.fixes[0]
    return tried.get((fix.key, fix.choice), "") if fix else ""


def _advice(finding: Finding, head: Finding | None, columns: int, tried: Tried) -> list[Line]:
    """The fix, its cost and the rule's page; where `head` tells of it, only the fix that this finding has alone."""
    rows: list[tuple[str, str]] = []
    if head is not None and not isinstance(finding.fixes, Withheld):
        finding = finding._replace(fixes=tuple(fix for fix in finding.fixes if fix.key != head.key))
        if not finding.fixes:
            return []
    if isinstance(finding.fixes, Withheld):
        rows.append(("fix", f"none: {finding.fixes.reason}"))
    elif finding.fixes:
        rows.append(("fix", finding.fixes[0].title))
        if why := why_not(finding, tried):
            rows.append(("but", f"tried, not proven: {why}"))
        if finding.fixes[0].cost:
            rows.append(("cost", finding.fixes[0].cost))
        alone = {fix.key: fix for fix in finding.fixes if fix.key != finding.fixes[0].key}
        rows += (("or", f"{fix.title} ({SAFETY_WORDS[fix.safety]})") for fix in alone.values())
    rows.append(("why", registry.url(finding.code, finding.url)))
    lines: list[Line] = []
    for name, value in rows:
        first, *rest = wrap(printable(value), columns, f"  {name:<4}  ", " " * 8)
        lines.append((Piece(first[:8], "dim"), Piece(first[8:], f"link {value}" if name == "why" else "")))
        lines += unstyled(rest)
    return lines


def _folded(head: Line, columns: int) -> list[Line]:
    """The first line of a finding. It is one line, for editors and grep, but on a terminal that is too narrow for it."""
    if columns >= COLUMNS or width("".join(piece.text for piece in head)) <= columns:
        return [head]
    place, *rest = head
    lines: list[Line] = [(place,)]
    used = width(place.text)
    # code and name stay together, and so does each of the others
    for piece in ([rest[0], rest[1]], *([one] for one in rest[2:])):
        room = width("".join(one.text for one in piece).rstrip())
        if used + room > columns:
            first = piece[0]._replace(text=piece[0].text.lstrip(" :"))
            lines += _indented([first, *piece[1:]], columns)
            used = width("".join(one.text for one in lines[-1]))
        else:
            lines[-1] = (*lines[-1], *piece)
            used += width("".join(one.text for one in piece))
    return lines


def _indented(pieces: Sequence[Piece], columns: int) -> list[Line]:
    """Pieces on a line of their own; a single one without style in as many as it takes."""
    if len(pieces) == 1 and not pieces[0].style:
        return unstyled(wrap(pieces[0].text, columns, "  "))
    return [(Piece("  "), *pieces)]


def unstyled(texts: Sequence[str], style: str = "") -> list[Line]:
    """Each text as a line, in one style."""
    return [(Piece(text, style),) for text in texts]

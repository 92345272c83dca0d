"""The Markdown format: a table fit for a comment on a pull request, or a job's summary."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dockerslim_lint import registry
from dockerslim_lint.edit import Withheld
from dockerslim_lint.finding import Finding, Severity
from dockerslim_lint.linter import Report
from dockerslim_lint.output.exits import Exit
from dockerslim_lint.output.interface import SAFETY_WORDS, Asked, FileResult, Line, Piece, count, shows_infos
from dockerslim_lint.output.location import has_places, marked, repository_path
from dockerslim_lint.output.printable import printable
from dockerslim_lint.output.text import found

ROWS = 50
"""More rows than this nobody reads in a comment, and GitHub takes no comment of more than 65,536 characters."""
_PIPE = "\\|"
_LONGEST = 300
"""Characters of one cell."""
_SPECIAL = re.compile(r"[\\`*_\[\]<|~$&]")


def render(results: Sequence[FileResult], asked: Asked) -> list[Line]:
    """A sentence, a table of the findings (the graver first where there are too many), what could not be judged, and the proofs."""
    lines = [f"**dockerslim-lint**: {_sentence(results, asked)}"]
    rows = _rows(results, asked)
    if rows:
        shown = sorted(sorted(range(len(rows)), key=lambda at: -rows[at][0])[:ROWS])
        lines += ["", "| where | rule | what | fix |", "|---|---|---|---|", *(rows[at][1] for at in shown)]
        if len(rows) > ROWS:
            lines += ["", f"{len(rows) - ROWS} more are not shown."]
    problems = list(dict.fromkeys(line for result in results for line in _problem(result, asked)))
    if problems:
        lines += ["", *problems]
    for result in results:
        lines += _proof(result)
    if asked.statistics:
        lines += ["", *_statistics(results)]
    return [(Piece(line),) for line in lines]


def _sentence(results: Sequence[FileResult], asked: Asked) -> str:
    text = found(results, asked)
    counts = count(results)
    if asked.fix:
        text += f" {counts.fixed} fixed, {counts.held_back} held back."
    failed = sum(result.problem is not None or result.bug is not None for result in results)
    if failed:
        text += f" {failed} not judged."
    return text.strip() or "nothing to report."


def _rows(results: Sequence[FileResult], asked: Asked) -> list[tuple[Severity, str]]:
    rows = []
    for result in results:
        path = repository_path(result.path, asked)
        for finding in result.report.findings if result.report else ():
            if result.report and (finding.severity > Severity.INFO or shows_infos(result, asked)):
                rows.append((finding.severity, _row(result.report, path, finding)))
    return rows


def _row(report: Report, path: str, finding: Finding) -> str:
    where = f"{path}:{marked(report.source, finding.span).line}" if has_places(report) else path
    rule = f"[{finding.code}]({registry.url(finding.code, finding.url)}) {finding.severity.label}"
    # a pipe ends a cell even within a code span
    return f"| {_code(where).replace('|', _PIPE)} | {rule} | {_text(finding.message)} | {_fix(finding)} |"


def _fix(finding: Finding) -> str:
    if isinstance(finding.fixes, Withheld):
        return _text(f"none: {finding.fixes.reason}")
    if not finding.fixes:
        return "-"
    return _text(f"{finding.fixes[0].title} ({SAFETY_WORDS[finding.fixes[0].safety]})")


def _problem(result: FileResult, asked: Asked) -> list[str]:
    if result.problem is not None and result.problem.exit is Exit.USAGE:
        return [f"- {_text(result.problem.text)}"]
    if result.problem is None and result.bug is None:
        return []
    text = result.problem.text if result.problem else f"our bug; please report it: {result.bug}"
    return [f"- {_code(repository_path(result.path, asked))}: {_text(text)}"]


def _proof(result: FileResult) -> list[str]:
    """How the proof of a file ended, as it is told on a terminal, in a fence that nothing in it ends."""
    if result.proof is None:
        return []
    longest = max((len(run) for line in result.proof.lines for run in re.findall("`+", line)), default=0)
    fence = "`" * max(longest + 1, 3)
    return ["", f"{fence}text", *result.proof.lines, fence]


def _statistics(results: Sequence[FileResult]) -> list[str]:
    from dockerslim_lint.output.statistics import statistics

    rows = [f"| {row.findings} | {row.code} {row.name} | {row.severity.label} |" for row in statistics(results)]
    return ["| count | rule | severity |", "|---|---|---|", *rows]


def _text(text: str) -> str:
    """`text` as it stands, in one line of a cell: no markup, no mention of somebody."""
    line = printable(" ".join(text.split()))
    if len(line) > _LONGEST:
        line = line[: _LONGEST - 1].rstrip() + "…"
    return _SPECIAL.sub(lambda found: "&amp;" if found[0] == "&" else f"\\{found[0]}", line).replace("@", "@&#8203;")


def _code(text: str) -> str:
    """`text` in a code span."""
    line = printable(" ".join(text.split()))
    fence = "`" * (max(map(len, re.findall("`+", line)), default=0) + 1)
    space = " " if "`" in line else ""
    return f"{fence}{space}{line}{space}{fence}"

"""The text format, for people: 80 columns, source lines with carets, the fix, its cost and its page."""

from __future__ import annotations

from collections.abc import Sequence

from dockerslim_lint import registry
from dockerslim_lint.edit import Safety, Withheld
from dockerslim_lint.finding import Finding, Severity
from dockerslim_lint.linter import Applied, Held, Report
from dockerslim_lint.output.interface import (
    COLUMNS,
    SAFETY_WORDS,
    Asked,
    Counts,
    FileResult,
    Line,
    Piece,
    count,
    shows_infos,
)
from dockerslim_lint.output.printable import printable, width, wrap
from dockerslim_lint.output.snippet import SEVERITY_STYLES, first_position, snippet

_PROGRAM = "dockerslim-lint"


def render(results: Sequence[FileResult], asked: Asked) -> list[Line]:
    """Findings of all files, what was fixed and what was held back, and the summary."""
    lines: list[Line] = []
    if asked.statistics:
        from dockerslim_lint.output.statistics import statistics, table

        lines += table(statistics(results))
    for result in results:
        block = file_lines(result, asked)
        if block and lines:
            lines.append(())
        lines += block
    if not asked.quiet:
        summary = _summary(results, asked)
        if lines and summary:
            lines.append(())
        lines += summary
    return lines


def file_lines(result: FileResult, asked: Asked) -> list[Line]:
    """One file: its findings (but under --statistics, which counts them), without those that a held-back fix would settle, then what was done to it."""
    if result.report is None:
        return []
    changing = asked.fix or asked.diff
    held = {held.key for held in result.held} if changing else set()
    shown = [finding for finding in result.report.findings if finding.key not in held]
    if asked.statistics or (asked.diff and result.report.error is None):
        shown = []
    if not shows_infos(result, asked):
        shown = [finding for finding in shown if finding.severity > Severity.INFO]
    blocks = _finding_blocks(result.report, result.path, shown, asked.columns)
    if changing and not shows_infos(result, asked):
        result = result._replace(held=_without_advice(result))
    if changing and result.proof is None and (result.applied or result.held):
        blocks.append(fix_lines(result, asked))
    lines: list[Line] = []
    for block in blocks:
        lines += [(), *block] if lines else block
    return lines


def _without_advice(result: FileResult) -> tuple[Held, ...]:
    """What was held back for more than an info."""
    findings = result.report.findings if result.report else ()
    graver = {finding.key for finding in findings if finding.severity > Severity.INFO}
    return tuple(held for held in result.held if held.key in graver)


def _without_infos(result: FileResult) -> FileResult:
    """The result as it is shown where infos are not."""
    if result.report is None:
        return result
    findings = tuple(one for one in result.report.findings if one.severity > Severity.INFO)
    return result._replace(held=_without_advice(result), report=result.report._replace(findings=findings))


def fix_lines(result: FileResult, asked: Asked) -> list[Line]:
    """What was fixed and what was held back, and the commands that go on."""
    path = printable(result.path)
    lines: list[Line] = []
    done = {applied.fix.key: applied for applied in result.applied}
    head = f"{path}: {_done(result)}"
    if done:
        head += f" {_number(len(done), 'fix', 'fixes')} made:"
    elif result.held:
        head += f" {_number(len(result.held), 'fix', 'fixes')} held back:"
    lines += _plain(wrap(head, asked.columns, "", "  "), "bold")
    for applied in done.values():
        lines += _plain(_settled(applied, asked.columns))
    if done and result.held:
        lines.append((Piece(f"{_number(len(result.held), 'fix', 'fixes')} held back:", "bold"),))
    for held in result.held:
        lines += _plain(_held(held, asked.columns))
    if any(fix.safety == Safety.PROVABLE for held in result.held for fix in held.fixes) and result.path != "-":
        commands = [
            ("prove and write", f"{_PROGRAM} lint --fix --verify {quoted(result.path)}"),
            ("write unproven", f"{_PROGRAM} lint --fix --unsafe-fixes {quoted(result.path)}"),
        ]
        for what, command in commands:
            line = f"  {what:<17} {command}"
            narrow = asked.columns < COLUMNS and width(line) > asked.columns
            lines += _plain([f"  {what}", f"    {command}"] if narrow else [line], "bold")
    return lines


def quoted(path: str) -> str:
    """`path` as a shell takes it."""
    if path.isascii() and path.replace("/", "").replace(".", "").replace("-", "").replace("_", "").isalnum():
        return path
    from shlex import quote

    return printable(quote(path))


def _done(result: FileResult) -> str:
    if result.after is None:
        return "nothing written." if not result.applied else "unchanged."
    return "written." if result.written else "would be written."


def _settled(applied: Applied, columns: int) -> list[str]:
    head = "  " + ", ".join(applied.codes) + "  "
    return wrap(printable(applied.fix.title), columns, head, "    ")


def _held(held: Held, columns: int) -> list[str]:
    first, *others = held.codes or (held.key,)
    also = f" (also settles {', '.join(others)})" if others else ""
    return wrap(printable(held.reason), columns, f"  {first}{also}  ", "    ")


def _finding_blocks(report: Report, path: str, findings: Sequence[Finding], columns: int) -> list[list[Line]]:
    blocks: list[list[Line]] = []
    by_key: dict[str, Finding] = {}
    for finding in findings:
        earlier = by_key.get(finding.key) if finding.key else None
        blocks.append(_finding_lines(report, path, finding, earlier, columns))
        if finding.key and not isinstance(finding.fixes, Withheld):
            by_key.setdefault(finding.key, finding)
    return blocks


def _finding_lines(report: Report, path: str, finding: Finding, earlier: Finding | None, columns: int) -> list[Line]:
    line, column = first_position(report.source, finding)
    style = SEVERITY_STYLES[finding.severity]
    head: Line = (
        Piece(f"{printable(path)}:{line}:{column}: ", "bold"),
        Piece(finding.code, f"{style} link {registry.url(finding.code, finding.url)}"),
        Piece(f" {finding.name}  "),
        Piece(finding.severity.label, style),
    )
    if report.error is not None and finding.code == "DSL901":
        return _folded((*head, Piece(f": {printable(report.error)}")), columns)
    status = f"same fix as {earlier.code}" if earlier else _status(finding)
    if status:
        head = (*head, Piece(f"  [{status}]"))
    lines = _folded(head, columns)
    for paragraph in finding.message.split("\n"):
        lines += _plain(wrap(printable(paragraph), columns, "  "))
    if earlier is None or earlier.span != finding.span or finding.labels:
        lines += snippet(report.source, finding, columns)
    if earlier is None:
        lines += _advice(finding, columns)
    return lines


def _status(finding: Finding) -> str:
    if isinstance(finding.fixes, Withheld):
        return "fix withheld"
    if not finding.fixes:
        return ""
    return f"fix: {SAFETY_WORDS[finding.fixes[0].safety]}"


def _advice(finding: Finding, columns: int) -> list[Line]:
    rows: list[tuple[str, str]] = []
    if isinstance(finding.fixes, Withheld):
        rows.append(("fix", f"none: {finding.fixes.reason}"))
    elif finding.fixes:
        rows.append(("fix", finding.fixes[0].title))
        if finding.fixes[0].cost:
            rows.append(("cost", finding.fixes[0].cost))
        alone = {fix.key: fix for fix in finding.fixes if fix.key != finding.fixes[0].key}
        rows += (("or", f"{fix.title} ({SAFETY_WORDS[fix.safety]})") for fix in alone.values())
    rows.append(("why", registry.url(finding.code, finding.url)))
    lines: list[Line] = []
    for name, value in rows:
        first, *rest = wrap(printable(value), columns, f"  {name:<4}  ", " " * 8)
        lines.append((Piece(first[:8], "dim"), Piece(first[8:], f"link {value}" if name == "why" else "")))
        lines += _plain(rest)
    return lines


def found(results: Sequence[FileResult], asked: Asked) -> str:
    """How much was found, in a sentence or two; "" where no file was judged and none excluded."""
    counts = count(results)
    hidden = sum(
        finding.severity is Severity.INFO
        for result in results
        if result.report and not shows_infos(result, asked)
        for finding in result.report.findings
    )
    shown = [
        _number(number, name, plural)
        for number, name, plural in (
            (counts.errors, "error", "errors"),
            (counts.warnings, "warning", "warnings"),
            (counts.infos - hidden, "info", "infos"),
        )
        if number
    ]
    judged = sum(result.report is not None for result in results)
    excluded = sum(result.report is None and result.problem is None for result in results)
    files = _number(judged, "file", "files") + (f" ({excluded} excluded)" if excluded else "")
    text = f"{', '.join(shown)} in {files}." if shown else f"{files}, nothing to report."
    if not judged:
        text = f"nothing to judge: {excluded} excluded by the configuration." if excluded else ""
    suppressed = sum(len(result.report.suppressed) for result in results if result.report)
    if suppressed:
        text += f" {suppressed} suppressed."
    if hidden:
        text += f" {_number(hidden, 'info', 'infos')} with --verbose."
    return text


def _summary(results: Sequence[FileResult], asked: Asked) -> list[Line]:
    counts = count(results)
    text = found(results, asked)
    if asked.fix or asked.diff:
        return _fix_summary(text, results, counts, asked)
    safe, waiting = _fixes(results)
    if safe or waiting:
        text += f" {safe} fixed by --fix"
        text += f", {_number(waiting, 'fix waits', 'fixes wait')} for a proof:" if waiting else ":"
    lines = _plain(wrap(text, asked.columns)) if text else []
    paths = " ".join(quoted(path) for path in asked.paths)
    if width(paths) > COLUMNS:
        paths = "…"
    if waiting and asked.paths != ("-",):
        lines += _commands(
            [
                (f"{_PROGRAM} lint --fix --verify {paths}", "builds and runs both"),
                (f"{_PROGRAM} lint --diff --unsafe-fixes {paths}", "shows it"),
            ],
            asked.columns,
        )
    elif safe and asked.paths != ("-",):
        lines += _commands([(f"{_PROGRAM} lint --fix {paths}", "writes it")], asked.columns)
    return lines


def _fix_summary(text: str, results: Sequence[FileResult], counts: Counts, asked: Asked) -> list[Line]:
    """Under --fix: what was fixed, and what is left."""
    if counts.fixed:
        codes = sorted({code for result in results for applied in result.applied for code in applied.codes})
        verb = "Fixed" if any(result.written for result in results) else "Would fix"
        left = (
            "" if any(result.failing for result in results) else " Nothing left at or above " + _levels(results) + "."
        )
        return _plain(wrap(f"{verb} {', '.join(codes)}.{left}", asked.columns))
    graver = [result if shows_infos(result, asked) else _without_infos(result) for result in results]
    held = {(result.path, held.key) for result in graver for held in result.held}
    shown = [(result.path, finding.key) for result in graver if result.report for finding in result.report.findings]
    if held and held.issuperset(shown):
        return []
    return _plain(wrap(text, asked.columns)) if text else []


def _levels(results: Sequence[FileResult]) -> str:
    return " or ".join(dict.fromkeys(result.fail_on for result in results))


def _fixes(results: Sequence[FileResult]) -> tuple[int, int]:
    """How many decisions --fix would apply, and how many wait for a proof."""
    safe = waiting = 0
    for result in results:
        best: dict[str, Safety] = {}
        for finding in result.report.findings if result.report else ():
            for fix in () if isinstance(finding.fixes, Withheld) else finding.fixes:
                best[fix.key] = min(fix.safety, best.get(fix.key, fix.safety))
        safe += sum(safety == Safety.SAFE for safety in best.values())
        waiting += sum(safety == Safety.PROVABLE for safety in best.values())
    return safe, waiting


def _commands(rows: list[tuple[str, str]], columns: int) -> list[Line]:
    lines: list[Line] = []
    for command, what in rows:
        first, second = Piece(f"  {command}", "bold"), Piece(f"     {what}", "dim")
        narrow = columns < COLUMNS and width(first.text + second.text) > columns
        lines += [(first,), (second,)] if narrow else [(first, second)]
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
        return _plain(wrap(pieces[0].text, columns, "  "))
    return [(Piece("  "), *pieces)]


def _number(number: int, singular: str, plural: str) -> str:
    return f"{number} {singular if number == 1 else plural}"


def _plain(texts: Sequence[str], style: str = "") -> list[Line]:
    return [(Piece(text, style),) for text in texts]

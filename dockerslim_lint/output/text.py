"""The text format, for people: 80 columns, source lines with carets, the fix, its cost and its page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dockerslim_lint.edit import Safety, Withheld
from dockerslim_lint.finding import Finding, Severity
from dockerslim_lint.linter import Applied, Held
from dockerslim_lint.output.finding_text import finding_blocks, unstyled, why_not
from dockerslim_lint.output.interface import (
    COLUMNS,
    Asked,
    Counts,
    FileResult,
    Line,
    Piece,
    count,
    shows_infos,
)
from dockerslim_lint.output.printable import printable, width, wrap

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
    held = {held.key for held in result.held} if changing and result.proof is None else set()
    shown = [finding for finding in result.report.findings if finding.key not in held]
    if asked.statistics or (asked.diff and result.report.error is None):
        shown = []
    if not shows_infos(result, asked):
        shown = [finding for finding in shown if finding.severity > Severity.INFO]
    blocks = finding_blocks(result.report, result.path, shown, asked.columns, _tried(result))
    if changing and not shows_infos(result, asked):
        result = result._replace(held=_without_advice(result))
    if changing and result.proof is None and (result.applied or result.held):
        blocks.append(fix_lines(result, asked))
    lines: list[Line] = []
    for block in blocks:
        lines += [(), *block] if lines else block
    return lines


def _tried(result: FileResult) -> dict[tuple[str, str], str]:
    return {(one.key, one.choice): one.reason for one in result.proof.tried} if result.proof else {}


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
    back = [held for held in result.held if held.fixes]
    none = [held for held in result.held if not held.fixes]
    head = f"{path}: {_done(result)}"
    if done:
        head += f" {_number(len(done), 'fix', 'fixes')} made:"
    elif back:
        head += f" {_number(len(back), 'fix', 'fixes')} held back:"
    lines += unstyled(wrap(head, asked.columns, "", "  "), "bold")
    for applied in done.values():
        lines += unstyled(_settled(applied, asked.columns))
    if done and back:
        lines.append((Piece(f"{_number(len(back), 'fix', 'fixes')} held back:", "bold"),))
    for held in back:
        lines += unstyled(_held(held, asked.columns))
    if none:
        lines.append((Piece("No fix for:", "bold"),))
    for held in none:
        lines += unstyled(_held(held, asked.columns))
    if any(fix.safety == Safety.PROVABLE for held in result.held for fix in held.fixes) and result.path != "-":
        commands = [
            ("prove and write", f"{_PROGRAM} lint --fix --verify {quoted(result.path)}"),
            ("write unproven", f"{_PROGRAM} lint --fix --unsafe-fixes {quoted(result.path)}"),
        ]
        for what, command in commands:
            line = f"  {what:<17} {command}"
            narrow = asked.columns < COLUMNS and width(line) > asked.columns
            lines += unstyled([f"  {what}", f"    {command}"] if narrow else [line], "bold")
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
    judged = sum(result.report is not None and result.report.judged for result in results)
    foreign = sum(result.report is not None and not result.report.judged for result in results)
    excluded = sum(result.report is None and result.problem is None for result in results)
    files = _number(judged, "file", "files") + (f" ({excluded} excluded)" if excluded else "")
    text = f"{', '.join(shown)} in {files}." if shown else f"{files}, nothing to report."
    if not judged:
        text = f"nothing to judge: {excluded} excluded by the configuration." if excluded else ""
    if foreign:
        text = f"{text} {_number(foreign, 'file builds', 'files build')} no Rust: not judged.".lstrip()
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
    safe, waiting = _fixes(results, asked)
    if safe or waiting:
        text += f" {safe} fixed by --fix"
        text += f", {_number(waiting, 'fix waits', 'fixes wait')} for a proof:" if waiting else ":"
    lines = unstyled(wrap(text, asked.columns)) if text else []
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
        text = f"{verb} {', '.join(codes)}.{left}"
    else:
        graver = [result if shows_infos(result, asked) else _without_infos(result) for result in results]
        held = {(one.path, held.key) for one in graver if one.proof is None for held in one.held}
        shown = [(one.path, finding.key) for one in graver if one.report for finding in one.report.findings]
        if held and held.issuperset(shown):
            return []
    refuted = [
        (result.path, finding.code)
        for result in results
        for finding in (result.failing if result.proof else ())
        if why_not(finding, _tried(result))
    ]
    if not refuted:
        return unstyled(wrap(text, asked.columns)) if text else []
    codes = list(dict.fromkeys(code for _, code in refuted))
    text += f" What was tried for {', '.join(codes)} is not proven; to accept it:"
    paths = " ".join(quoted(path) for path in dict.fromkeys(path for path, _ in refuted))
    command = f"{_PROGRAM} lint --select {','.join(codes)} --add-ignore --reason WHY {paths}"
    return unstyled(wrap(text, asked.columns)) + _commands([(command, "writes a comment")], asked.columns)


def _levels(results: Sequence[FileResult]) -> str:
    return " or ".join(dict.fromkeys(result.fail_on for result in results))


def _fixes(results: Sequence[FileResult], asked: Asked) -> tuple[int, int]:
    """How many decisions --fix would apply, and how many of those shown wait for a proof.

    --fix applies what a baseline knows, too; but where there is nothing else to fix, nothing is said of it.
    """
    safe = known = waiting = 0
    for result in results:
        findings = result.report.findings if result.report else ()
        shown = [one for one in findings if one.severity > Severity.INFO or shows_infos(result, asked)]
        best = _best((*findings, *result.known))
        safe += sum(safety is Safety.SAFE for safety in _best(findings).values())
        known += sum(safety is Safety.SAFE for safety in best.values())
        waiting += sum(safety is Safety.PROVABLE and best[key] is safety for key, safety in _best(shown).items())
    return known if safe or waiting else 0, waiting


def _best(findings: Iterable[Finding]) -> dict[str, Safety]:
    """The safest fix of each decision."""
    best: dict[str, Safety] = {}
    for finding in findings:
        for fix in () if isinstance(finding.fixes, Withheld) else finding.fixes:
            safety = Safety.SAFE if finding.is_safe(fix) else fix.safety
            best[fix.key] = min(safety, best.get(fix.key, safety))
    return best


def _commands(rows: list[tuple[str, str]], columns: int) -> list[Line]:
    lines: list[Line] = []
    for command, what in rows:
        first, second = Piece(f"  {command}", "bold"), Piece(f"     {what}", "dim")
        narrow = columns < COLUMNS and width(first.text + second.text) > columns
        lines += [(first,), (second,)] if narrow else [(first, second)]
    return lines


def _number(number: int, singular: str, plural: str) -> str:
    return f"{number} {singular if number == 1 else plural}"

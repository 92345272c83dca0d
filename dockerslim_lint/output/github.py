"""The GitHub format: workflow commands, which a runner shows as annotations of the lines.

Commands and their escapes: https://docs.github.com/actions/reference/workflow-commands-for-github-actions and
``packages/core/src/command.ts`` of actions/toolkit. A runner refuses columns that lie in different lines; ``endColumn`` is
the one behind the last character.
"""

from __future__ import annotations

from collections.abc import Sequence

from dockerslim_lint import registry
from dockerslim_lint.edit import Withheld
from dockerslim_lint.finding import Finding, Severity
from dockerslim_lint.linter import Report
from dockerslim_lint.output.exits import Exit
from dockerslim_lint.output.interface import SAFETY_WORDS, Asked, FileResult, Line, Piece, count, shows_infos
from dockerslim_lint.output.location import STDIN, has_places, marked, repository_path
from dockerslim_lint.output.printable import printable
from dockerslim_lint.output.text import found

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
_TOOL = "dockerslim-lint"


def render(results: Sequence[FileResult], asked: Asked) -> list[Line]:
    """A command for each finding and each file that could not be judged; then, for the log, how much there is."""
    lines = list(dict.fromkeys(line for result in results for line in _commands(result, asked)))
    if not asked.quiet:
        text = found(results, asked)
        counts = count(results)
        if asked.fix:
            text = f"{text} {counts.fixed} fixed, {counts.held_back} held back.".lstrip()
        lines += [text] if text else []
    return [(Piece(line),) for line in lines]


def _commands(result: FileResult, asked: Asked) -> list[str]:
    path = repository_path(result.path, asked)
    commands: list[str] = []
    if result.problem is not None and result.problem.exit is Exit.USAGE:
        # it is about the configuration, and the same for many files
        commands.append(_command("error", {"title": _TOOL}, result.problem.text))
    elif result.problem is not None or result.bug is not None:
        text = result.problem.text if result.problem else f"our bug; please report it: {result.bug}"
        commands.append(_command("error", {**_file(path), "title": _TOOL}, f"{result.path}: {text}"))
    for finding in result.report.findings if result.report else ():
        if result.report and (finding.severity > Severity.INFO or shows_infos(result, asked)):
            properties = {
                **_file(path),
                **_place(result.report, finding),
                "title": f"{finding.code} {finding.name}",
            }
            commands.append(_command(_LEVELS[finding.severity], properties, _message(finding)))
    return commands


def _file(path: str) -> dict[str, str]:
    return {} if path == STDIN else {"file": path}


def _place(report: Report, finding: Finding) -> dict[str, str]:
    if not has_places(report):
        return {}
    place = marked(report.source, finding.span)
    lines = {"line": str(place.line), "endLine": str(place.end_line)}
    if place.line != place.end_line:
        return lines
    return {**lines, "col": str(place.column), "endColumn": str(place.end_column)}


def _message(finding: Finding) -> str:
    lines = [finding.message]
    if isinstance(finding.fixes, Withheld):
        lines.append(f"no fix: {finding.fixes.reason}")
    elif finding.fixes:
        lines.append(f"fix ({SAFETY_WORDS[finding.fixes[0].safety]}): {finding.fixes[0].title}")
    return "\n".join((*lines, registry.url(finding.code, finding.url)))


def _command(level: str, properties: dict[str, str], message: str) -> str:
    written = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{level} {written}::{_data(message)}"


def _data(text: str) -> str:
    lines = "\n".join(printable(line) for line in text.split("\n"))
    return lines.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

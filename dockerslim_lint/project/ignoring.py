"""`--add-ignore`: findings become suppression comments in the files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from dockerslim_lint.edit import apply
from dockerslim_lint.finding import Finding
from dockerslim_lint.ignore_comments import ignore_edits
from dockerslim_lint.output.exits import Exit
from dockerslim_lint.output.interface import FileResult, Problem
from dockerslim_lint.project.run import judge_text
from dockerslim_lint.project.task import Task
from dockerslim_lint.project.write import ChangedError, write_atomically
from dockerslim_lint.source import Source
from dockerslim_lint.syntax.dockerfile import parse

Wanted = Callable[[FileResult, Finding], bool]


def add_ignores(
    results: Sequence[FileResult], task: Task, reason: str, wanted: Wanted
) -> tuple[list[FileResult], list[str]]:
    """Write a comment for each finding that is `wanted`; the results of the files as they are then, and a line for each.

    The new bytes are judged before they are written. Nothing is written of a file in which an instruction would change:
    that is a bug of ours.
    """
    after: list[FileResult] = []
    lines: list[str] = []
    for result in results:
        done, line = _of_file(result, task, reason, wanted)
        after.append(done)
        lines += [line] if line else []
    return after, lines


def _of_file(result: FileResult, task: Task, reason: str, wanted: Wanted) -> tuple[FileResult, str]:
    report = result.report
    if report is None or report.error is not None or result.problem is not None:
        return result, ""
    findings = [finding for finding in report.findings if wanted(result, finding)]
    source = report.source
    edits = ignore_edits(source, parse(source), findings, reason)
    if not edits:
        return result, _line(result.path, 0, len(findings))
    data = apply(source.data, edits)
    judged = judge_text(data, result.path, task)
    if judged.problem is not None:
        return judged, ""
    if judged.report is None or _meaning(source) != _meaning(judged.report.source):
        return result._replace(bug="the comments of --add-ignore would change the file's meaning; it is as it was"), ""
    try:
        write_atomically(Path(result.path), data, expected_old=source.data)
    except ChangedError:
        return FileResult(result.path, problem=Problem(Exit.UNREADABLE, "changed while it was judged; run again")), ""
    except OSError as error:
        text = f"cannot be written: {error.strerror}"
        return FileResult(result.path, problem=Problem(Exit.UNREADABLE, text)), ""
    number = len(judged.report.suppressed) - len(report.suppressed)
    return judged, _line(result.path, number, len(findings) - number)


def _line(path: str, ignored: int, left: int) -> str:
    told = [f"{ignored} {'finding' if ignored == 1 else 'findings'} ignored by comments"] if ignored else []
    # a directive, say, or a file without instructions
    told += (
        [f"{left} left: in no instruction, so no comment can be about {'it' if left == 1 else 'them'}"] if left else []
    )
    return f"{path}: {'; '.join(told)}" if told else ""


def _meaning(source: Source) -> list[tuple[object, ...]]:
    """The instructions as BuildKit takes them: comments and places do not matter."""
    return [
        (one.keyword, one.body.data, *(source.text(heredoc.body) for heredoc in one.heredocs))
        for one in parse(source).instructions
    ]

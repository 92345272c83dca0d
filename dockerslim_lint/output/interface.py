"""What a format gets and what it gives: values in, styled lines out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from dockerslim_lint.config import LEVELS
from dockerslim_lint.edit import Safety
from dockerslim_lint.finding import Finding, Severity
from dockerslim_lint.linter import Applied, Held, Report
from dockerslim_lint.output.exits import Exit, deciding
from dockerslim_lint.record import Record

if TYPE_CHECKING:
    from dockerslim_lint.verify.ladder import LadderResult

SAFETY_WORDS = {Safety.SAFE: "safe", Safety.PROVABLE: "needs proof", Safety.DISPLAY: "by hand"}


COLUMNS = 80
"""The width of text for people, but on a narrower terminal."""


class Piece(Record):
    """Printable text in one style (a rich style, "" for none)."""

    text: str
    style: str = ""


Line = tuple[Piece, ...]


class Problem(Record):
    """Why a file could not be judged: the exit code, one line for people, and for our own bugs the traceback.

    The line does not name the file; that of a USAGE problem names the configuration.
    """

    exit: Exit
    text: str
    traceback: str = ""


class Tried(Record):
    """A choice of a decision against which a proof found something, in one line."""

    key: str
    choice: str
    reason: str


class ProofResult(Record):
    """How an attempt to prove ended: CLEAN (proven), NOT_PROVEN or NO_ENGINE, and the text block that says so.

    `ladder` is all that was found, None where it did not come to an attempt, for the `reason`. `seconds` is the time of it all.
    """

    exit: Exit
    lines: tuple[str, ...]
    tried: tuple[Tried, ...] = ()
    ladder: LadderResult | None = None
    reason: str = ""
    seconds: float = 0.0


class FileResult(Record):
    """All that is to be said of one file.

    `path` is as the user gave it, or below a directory as he gave it. `report` is None where there is a `problem`, or
    where the configuration excludes the file. After a fix `report`, `applied` and `held` are about the new bytes,
    which are in `after` where they differ from `before`; `written` says that they are on disk. `known` are findings of
    the same bytes that a baseline knows: they are not shown, but `--fix` fixes them too.
    """

    path: str
    fail_on: str = "warning"
    problem: Problem | None = None
    report: Report | None = None
    context: str | None = None
    context_reason: str = ""
    applied: tuple[Applied, ...] = ()
    held: tuple[Held, ...] = ()
    known: tuple[Finding, ...] = ()
    bug: str | None = None
    before: bytes = b""
    after: bytes | None = None
    written: bool = False
    proof: ProofResult | None = None

    @property
    def failing(self) -> tuple[Finding, ...]:
        """The findings at or above `fail_on`."""
        least = severity_of(self.fail_on)
        return tuple(finding for finding in self.report.findings if finding.severity >= least) if self.report else ()

    @property
    def error(self) -> str | None:
        """Why the file could not be judged, or what went wrong with it."""
        error = self.problem.text if self.problem else self.report.error if self.report else None
        return self.bug if error is None else error

    def exit(self, *, diff: bool = False) -> Exit:
        """This file's exit code; with `diff`, bytes that would change count as a finding."""
        codes = [Exit.CLEAN]
        if self.problem:
            codes.append(self.problem.exit)
        if self.bug:
            codes.append(Exit.BUG)
        if self.report and self.report.error is not None:
            codes.append(Exit.UNREADABLE)
        if self.proof:
            codes.append(self.proof.exit)
        if self.failing or (diff and self.after is not None):
            codes.append(Exit.FINDINGS)
        return deciding(codes)


class Asked(Record):
    """What the user asked for, as far as the output depends on it.

    `paths` are the arguments, for the commands shown. `infos`: advice is shown to people too, not only counted.
    `statistics`: counts for each rule. `directory` is the working directory and `root` that of its repository, both
    absolute; "" where the format does not need them, or there is none. `columns` is the width for people.
    """

    paths: tuple[str, ...] = (".",)
    fix: bool = False
    diff: bool = False
    unsafe: bool = False
    verify: bool = False
    quiet: bool = False
    verbose: bool = False
    infos: bool = True
    statistics: bool = False
    directory: str = ""
    root: str = ""
    columns: int = COLUMNS


class Counts(Record):
    """The summary: findings left, and keys fixed and held back."""

    files: int
    errors: int
    warnings: int
    infos: int
    fixed: int
    held_back: int


Format = Callable[[Sequence[FileResult], Asked], list[Line]]
_FORMATS = {
    "text": "dockerslim_lint.output.text",
    "concise": "dockerslim_lint.output.concise",
    "json": "dockerslim_lint.output.json",
    "sarif": "dockerslim_lint.output.sarif",
    "github": "dockerslim_lint.output.github",
    "gitlab": "dockerslim_lint.output.gitlab",
    "junit": "dockerslim_lint.output.junit",
    "markdown": "dockerslim_lint.output.markdown",
}
FORMAT_NAMES = tuple(_FORMATS)
FOR_PEOPLE = ("text", "concise")
"""The formats that are in colour on a terminal."""
SHOWS_ALTERNATIVES = ("json", "sarif")
"""The formats that list every candidate of a decision."""


def load_format(name: str) -> Format:
    """The function ``render`` of a format; its module is imported only now."""
    render: Format = import_module(_FORMATS[name]).render
    return render


def severity_of(level: str) -> Severity:
    """The severity of a `fail-on` level."""
    return Severity(len(LEVELS) - 1 - LEVELS.index(level))


def count(results: Sequence[FileResult]) -> Counts:
    """The summary of all results."""
    severities = [finding.severity for result in results if result.report for finding in result.report.findings]
    return Counts(
        files=len(results),
        errors=severities.count(Severity.ERROR),
        warnings=severities.count(Severity.WARNING),
        infos=severities.count(Severity.INFO),
        fixed=sum(len({applied.fix.key for applied in result.applied}) for result in results),
        held_back=sum(len({held.key for held in result.held}) for result in results),
    )


def shows_infos(result: FileResult, asked: Asked) -> bool:
    """Whether people are to see advice on this file."""
    return asked.infos or result.fail_on == "info"


def plain(lines: Sequence[Line]) -> str:
    """The lines as text without styles, each ended by a newline."""
    return "".join("".join(piece.text for piece in line) + "\n" for line in lines)

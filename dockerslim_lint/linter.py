"""The two functions that everything else is a shell around: `lint` and `fix`."""

from __future__ import annotations

from typing import NamedTuple

from dockerslim_lint.config import Settings
from dockerslim_lint.context import BuildContext
from dockerslim_lint.edit import Fix, Safety
from dockerslim_lint.finding import Finding
from dockerslim_lint.source import Source


class Report(NamedTuple):
    """What is to be said of one file.

    `error` is set where the file has no instruction list (DSL901 is then among the findings): exit code 4. `notes` are
    single lines for stderr (a broken Cargo.toml, a context that is not known …).
    """

    source: Source
    findings: tuple[Finding, ...]
    suppressed: tuple[Finding, ...]
    error: str | None
    notes: tuple[str, ...]


class Applied(NamedTuple):
    """A fix that was made, and the codes of the findings that it settled."""

    fix: Fix
    codes: tuple[str, ...]


class Held(NamedTuple):
    """A decision that was not made: `codes` of the findings that wait for it, and why in one line.

    `fixes` are its candidates (empty where the plan itself withheld).
    """

    key: str
    codes: tuple[str, ...]
    fixes: tuple[Fix, ...]
    reason: str


class Fixed(NamedTuple):
    """The result of `fix`: `report` is about the new source. `bug` is set where a fix of ours was thrown away (exit code 5)."""

    source: Source
    report: Report
    applied: tuple[Applied, ...]
    held: tuple[Held, ...]
    bug: str | None


class Candidate(NamedTuple):
    """One complete outcome that a proof can be asked for: all SAFE fixes and one choice of the slim decision.

    `codes` are those that `fix` settles; `before_base` and `after_base` name the final stage's base image.
    """

    fix: Fix
    source: Source
    codes: tuple[str, ...]
    before_base: str
    after_base: str


def lint(source: Source, context: BuildContext, settings: Settings) -> Report:
    """All findings of one file, in file order."""
    raise NotImplementedError


def fix(source: Source, context: BuildContext, settings: Settings, allow: Safety = Safety.SAFE) -> Fixed:
    """Apply every fix up to `allow`, again until nothing changes."""
    raise NotImplementedError


def candidates(source: Source, context: BuildContext, settings: Settings) -> tuple[Candidate, ...]:
    """What `--verify` may try, in order; empty where no PROVABLE fix is there."""
    raise NotImplementedError

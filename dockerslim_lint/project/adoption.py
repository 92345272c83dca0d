"""What lets a repository with old findings start today: the baseline, only what has changed, comments for the rest."""

from __future__ import annotations

from dockerslim_lint.baseline import BaselineError
from dockerslim_lint.config import ConfigError
from dockerslim_lint.finding import Finding, Severity
from dockerslim_lint.output.interface import FileResult
from dockerslim_lint.project.discover import Candidate
from dockerslim_lint.project.known import Baseline
from dockerslim_lint.project.task import Task
from dockerslim_lint.record import Record
from dockerslim_lint.registry import chosen


class Wish(Record):
    """What the command line asks for.

    `baseline`: the file; `write` or `prune` it. `since`: a git revision. `ignore`: write suppression comments, with
    `reason` ("" for none). `infos`: advice is shown, so it gets a comment too.
    """

    baseline: str | None = None
    write: bool = False
    prune: bool = False
    since: str | None = None
    ignore: bool = False
    reason: str = ""
    infos: bool = False


class Adoption:
    """One run under a `Wish`. Every method raises ConfigError with one line for the user: exit code 2."""

    def __init__(self, wish: Wish, task: Task) -> None:
        """Reads the baseline: nothing may be judged or written if that cannot be."""
        self._wish = wish
        self._task = task
        self._baseline: Baseline | None = None
        if wish.baseline is not None:
            try:
                self._baseline = Baseline(wish.baseline, may_be_absent=wish.write)
            except BaselineError as error:
                raise ConfigError(str(error)) from None

    def choose(self, candidates: list[Candidate]) -> tuple[list[Candidate], list[str]]:
        """The candidates to judge, and what is to be said of the others."""
        since = self._wish.since
        if since is None:
            return candidates, []
        from dockerslim_lint.project.changed import GitError, only_changed

        try:
            kept = only_changed(candidates, since, self._task)
        except GitError as error:
            raise ConfigError(f"--changed-since: {error}") from None
        left = len(candidates) - len(kept)
        return kept, [f"{_number(left, 'file')} left out, not changed since {since}"] if left else []

    def settle(self, results: list[FileResult]) -> tuple[list[FileResult], list[str]]:
        """The results as they are to be shown, after comments and the baseline are written, and what to say of that."""
        told: list[str] = []
        if self._wish.ignore:
            from dockerslim_lint.project.ignoring import add_ignores

            new = self._compare(results)[0]
            results, told = add_ignores(new, self._task, self._wish.reason, self._is_shown)
        if self._baseline is None:
            return results, told
        if self._wish.write or self._wish.prune:
            try:
                findings, files = self._baseline.write(results, self._codes(), prune=self._wish.prune)
            except BaselineError as error:
                raise ConfigError(str(error)) from None
            what = f"{_number(findings, 'finding')} of {_number(files, 'file')}"
            told.append(f"{self._baseline.path}: {what} {'are' if findings != 1 else 'is'} known now")
            self._baseline = Baseline(self._baseline.path)
        results, known, gone = self._compare(results)
        if known and not self._wish.write:
            told.append(f"{self._baseline.path}: {_number(known, 'known finding')} not shown")
        if gone:
            match = "matches nothing any more" if gone == 1 else "match nothing any more"
            told.append(f"{self._baseline.path}: {_number(gone, 'finding')} {match}; --prune-baseline drops them")
        return results, told

    def _compare(self, results: list[FileResult]) -> tuple[list[FileResult], int, int]:
        if self._baseline is None:
            return results, 0, 0
        compared = self._baseline.compare(results, self._codes())
        return compared.results, compared.known, compared.gone

    def _codes(self) -> frozenset[str] | None:
        """The rules that the command line has run looked for; None: those of the configuration."""
        select, ignore = self._task.overrides.select, self._task.overrides.ignore
        if select is None and ignore is None:
            return None
        return frozenset(rule.CODE for rule in chosen(select or (), ignore or ()))

    def _is_shown(self, result: FileResult, finding: Finding) -> bool:
        return finding.severity > Severity.INFO or self._wish.infos or result.fail_on == "info"


def _number(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"

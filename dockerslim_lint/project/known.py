"""The baseline on disk, and what it makes of the results."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from dockerslim_lint.baseline import BaselineError, counted, dump, gone, load, part
from dockerslim_lint.linter import Report
from dockerslim_lint.output.interface import FileResult
from dockerslim_lint.project.places import folder_of
from dockerslim_lint.project.read import CONTEXT_FILE_LIMIT, UnusableError, read_regular, reason
from dockerslim_lint.project.write import ChangedError, write_atomically
from dockerslim_lint.record import Record


class Compared(Record):
    """The results without what is known. `known` counts the findings left out, `gone` the entries that match nothing."""

    results: list[FileResult]
    known: int
    gone: int


class Baseline:
    """A baseline file. Paths in it are relative to its directory."""

    def __init__(self, path: str, *, may_be_absent: bool = False) -> None:
        """Reads the file. Raises BaselineError, whose text names it."""
        self.path = path
        self._folder = folder_of(path)
        self._old: bytes | None = None
        try:
            self._old = read_regular(path, CONTEXT_FILE_LIMIT)
            self._entries = load(self._old)
        except FileNotFoundError as error:
            if not may_be_absent:
                raise BaselineError(f"{path}: {reason(error)}; --write-baseline makes it") from None
            self._entries = {}
        except OSError as error:
            raise BaselineError(f"{path}: {reason(error)}") from None
        except UnusableError as error:
            raise BaselineError(f"{path}: {error}, not a baseline") from None
        except BaselineError as error:
            raise BaselineError(f"{path}: {error}; remove it and give --write-baseline to start anew") from None

    def compare(self, results: Sequence[FileResult], codes: frozenset[str] | None) -> Compared:
        """What is new in the results of a run that looked for `codes` (None: all)."""
        after: list[FileResult] = []
        known = 0
        for result in results:
            report = _judged(result)
            if report is not None:
                parted = part(report.source, report.findings, self._entries.get(self._key(result.path), {}))
                known += len(parted.known)
                keys = {finding.key for finding in parted.new}
                held = tuple(held for held in result.held if held.key in keys)
                result = result._replace(report=report._replace(findings=parted.new), held=held, known=parted.known)
            after.append(result)
        return Compared(after, known, sum(map(_total, self._gone(results, codes).values())))

    def write(
        self, results: Sequence[FileResult], codes: frozenset[str] | None, *, prune: bool = False
    ) -> tuple[int, int]:
        """Make all findings of the results known; with `prune` only forget what no longer matches.

        What the run did not look at (other files that are still there, rules other than `codes`) stays as it is.
        Returns how many findings of how many files are known now. Raises BaselineError where it cannot be written.
        """
        wanted = {path: dict(entries) for path, entries in self._entries.items()}
        for path, entries in self._gone(results, codes).items():
            for key, number in entries.items():
                wanted[path][key] -= number
        if not prune:
            for result in results:
                report = _judged(result)
                if report is not None:
                    entries = wanted.setdefault(self._key(result.path), {})
                    entries.update(counted(report.source, report.findings))
        data = dump(wanted)
        if data != self._old:
            self._write(data)
        totals = [total for total in map(_total, wanted.values()) if total]
        return sum(totals), len(totals)

    def _gone(
        self, results: Sequence[FileResult], codes: frozenset[str] | None
    ) -> dict[str, dict[tuple[str, str], int]]:
        """By path, the entries that match nothing: of files that were judged, and of files that are no longer there."""
        found = {
            self._key(result.path): counted(report.source, report.findings)
            for result in results
            if (report := _judged(result)) is not None
        }
        lost = {}
        for path, entries in self._entries.items():
            if path in found:
                lost[path] = gone(entries, found[path], codes)
            elif not os.path.lexists(os.path.join(self._folder, path)):
                lost[path] = dict(entries)
        return lost

    def _key(self, path: str) -> str:
        path = "Dockerfile" if path == "-" else path
        place = os.path.join(folder_of(path), os.path.basename(path))
        return os.path.relpath(place, self._folder).replace(os.sep, "/")

    def _write(self, data: bytes) -> None:
        place = Path(os.path.realpath(self.path))
        new = self._old is None
        try:
            if new:
                # a new file has the mode that the user's umask gives it, and write_atomically keeps it
                place.touch(exist_ok=False)
            try:
                write_atomically(place, data, expected_old=self._old or b"")
            except BaseException:
                if new:
                    place.unlink(missing_ok=True)
                raise
        except ChangedError as error:
            raise BaselineError(f"{self.path}: {error}; run again") from None
        except OSError as error:
            raise BaselineError(f"{self.path}: cannot be written: {error.strerror}") from None


def _judged(result: FileResult) -> Report | None:
    """The report of a file that could be judged."""
    report = result.report
    return None if report is None or report.error is not None or result.problem is not None else report


def _total(entries: dict[tuple[str, str], int]) -> int:
    return sum(entries.values())

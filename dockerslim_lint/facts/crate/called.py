"""Which programs the sources of a program start by name. Loaded where they start some."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockerslim_lint.facts.crate.sources import Sources
from dockerslim_lint.facts.crate.starts import DIRECTLY, TESTS, blank
from dockerslim_lint.record import Record

_PROCESS = re.compile(r"\bprocess::(?:Command\b|\{[^}]*\bCommand\b)|\bduct::")
"""Whose ``Command`` starts programs: clap's describes a command line."""


class CalledProgram(Record):
    """A program that a source starts, by the name or path that is written; `place` is the source, `line` counts from 1."""

    word: str
    place: str
    line: int


def called_programs(sources: Sources) -> Iterator[CalledProgram]:
    """The programs that the sources start by a name that is written there, outside of tests; each where it is first."""
    seen: set[str] = set()
    for _, _, paths in sources.packages:
        for path, data in sources.texts(paths):
            if b"ommand" not in data and b"cmd" not in data:
                continue
            text = data.decode("utf-8", "replace")
            if not _PROCESS.search(text):
                continue
            text = TESTS.sub(blank, text)
            for match in DIRECTLY.finditer(text):
                word, start = match[1], text.rfind("\n", 0, match.start()) + 1
                if word not in seen and not text[start : match.start()].lstrip().startswith("//"):
                    seen.add(word)
                    yield CalledProgram(word, path, text.count("\n", 0, match.start()) + 1)

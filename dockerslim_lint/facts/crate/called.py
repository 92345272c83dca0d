"""Which programs the sources of a program start by name. Loaded where they start some."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockerslim_lint.facts.crate.sources import Sources
from dockerslim_lint.facts.crate.starts import DIRECTLY, TESTS, blank
from dockerslim_lint.record import Record

_PROCESS = re.compile(r"\bprocess::(?:Command\b|\{[^}]*\bCommand\b)|\bduct::")
"""Whose ``Command`` starts programs: clap's describes a command line."""

_BY_A_VARIABLE = re.compile(r"\bCommand::new\s*\(\s*(?![&\s]*r?#*\"|(?:std::)?env::current_exe)")
"""A start whose program is not written there."""

_SHELL_CALL = re.compile(r'"((?:[\w.~/-]*/)?(?:ba|da|a|z|k)?sh)"\s*(?:\.\w+\(\))?,\s*"-[a-z]*c"')
"""The words of a call of a shell, as they are handed to what starts it."""


class CalledProgram(Record):
    """A program that a source starts, by the name or path that is written, "" where none is; `place` is the source, `line` counts
    from 1."""

    word: str
    place: str
    line: int


def called_programs(sources: Sources) -> Iterator[CalledProgram]:
    """The programs that the sources start by a name that is written there, outside of tests; each where it is first.

    Where a source starts what a variable names, that is one without a name, and the shells that are called anywhere else count too.
    """
    seen: set[str] = set()
    for path, data in sources.all_texts():
        if b"ommand" not in data and b"cmd" not in data:
            continue
        text = data.decode("utf-8", "replace")
        if _PROCESS.search(text):
            text = TESTS.sub(blank, text)
            yield from _found(DIRECTLY, text, path, seen)
            yield from _found(_BY_A_VARIABLE, text, path, seen)
    for path, data in sources.all_texts() if "" in seen else ():
        if b"sh" in data:
            yield from _found(_SHELL_CALL, TESTS.sub(blank, data.decode("utf-8", "replace")), path, seen)


def _found(pattern: re.Pattern[str], text: str, path: str, seen: set[str]) -> Iterator[CalledProgram]:
    for match in pattern.finditer(text):
        word, start = match[1] if pattern.groups else "", text.rfind("\n", 0, match.start()) + 1
        if word not in seen and not text[start : match.start()].lstrip().startswith("//"):
            seen.add(word)
            yield CalledProgram(word, path, text.count("\n", 0, match.start()) + 1)

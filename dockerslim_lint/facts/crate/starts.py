"""Which programs the sources of a program start. Loaded where an image may lose some."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockerslim_lint.catalog import needs
from dockerslim_lint.facts.crate.sources import Sources, below
from dockerslim_lint.record import Record

_TESTS = re.compile(r"^([ \t]*)#\[cfg\(test\)\]\s+mod\s+\w+\s*\{.*?^\1\}", re.MULTILINE | re.DOTALL)
"""A module of tests as rustfmt writes it."""

_COMMENT = re.compile(r"^[ \t]*//.*", re.MULTILINE)

_STARTS = re.compile(r"\bCommand\b|\bcmd!?\s*\(|\bExec::")
"""std's and its relatives' ``Command``, ``cmd!`` of xshell and duct, ``Exec`` of subprocess: a file without one starts nothing."""

_BY_A_SHELL = re.compile(r'"-[a-z]*c"|\bcmd!\s*\(|\bExec::shell\b')

_NAMED = re.compile(r'"(?:[\w.~/-]*/)?([\w+-]+)(?:"|[ \t](?=[a-z+-]))')
"""A text that is a program's name or path, or begins with one and a word behind it."""

_DIRECTLY = re.compile(r'\b(?:Command::new|cmd!?)\s*\(\s*&?"((?:[\w.~/-]*/)?[\w+-]+)"')

_VARIABLE = re.compile(r'\b(?:var|var_os)\s*\(\s*"(CARGO|RUSTC)"|\benv!\s*\(\s*"(CARGO|RUSTC)"')
"""What cargo sets for its subcommands (cargo book, "Environment variables")."""


_PROCESS = re.compile(r"\bprocess::(?:Command\b|\{[^}]*\bCommand\b)|\bduct::")
"""Whose ``Command`` starts programs: clap's describes a command line."""


class CalledProgram(Record):
    """A program that a source starts, by the name or path that is written; `place` is the source, `line` counts from 1."""

    word: str
    place: str
    line: int


def starts_toolchain(sources: Sources, linked: tuple[str, ...] | None) -> str:
    """What in the sources starts a program of a toolchain; "" where nothing does.

    `linked` are the locked packages that are linked, None where that is not known.
    """
    for place, foreign, paths in sources.packages:
        for one in foreign:
            if needs.needing("toolchain", (one.package,)) and (
                not one.optional or linked is None or one.package in linked
            ):
                return f"{below(place, 'Cargo.toml')} has {one.package}, which starts a toolchain's programs"
        for path, data in sources.texts(paths):
            found = _started(data)
            if found is not None:
                return f"line {found[1]} of {path} starts {found[0]}"
    return ""


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
            text = _TESTS.sub(_blank, text)
            for match in _DIRECTLY.finditer(text):
                word, start = match[1], text.rfind("\n", 0, match.start()) + 1
                if word not in seen and not text[start : match.start()].lstrip().startswith("//"):
                    seen.add(word)
                    yield CalledProgram(word, path, text.count("\n", 0, match.start()) + 1)


def _started(data: bytes) -> tuple[str, int] | None:
    """The first program of a toolchain that a source starts, and the line."""
    text = data.decode("utf-8", "replace")
    if not _STARTS.search(text):
        return None
    text = _TESTS.sub(_blank, text)
    text = _COMMENT.sub("", text)
    shell = _BY_A_SHELL.search(text) is not None
    named = (one for one in _NAMED.finditer(text) if needs.is_of_rust(one[1]) and (shell or one[0].endswith('"')))
    called = (one for one in _DIRECTLY.finditer(text) if needs.is_of_a_toolchain(one[1].rpartition("/")[2]))
    match = next(named, None) or next(called, None) or _VARIABLE.search(text)
    if match is None:
        return None
    return next(filter(None, match.groups())).rpartition("/")[2].lower(), text.count("\n", 0, match.start()) + 1


def _blank(match: re.Match[str]) -> str:
    return "\n" * match[0].count("\n")

"""Which programs the sources of a program start. Loaded where an image may lose some."""

from __future__ import annotations

import re

from dockerslim_lint.catalog import needs
from dockerslim_lint.facts.crate.sources import Sources, below

TESTS = re.compile(r"^([ \t]*)#\[cfg\(test\)\]\s+mod\s+\w+\s*\{.*?^\1\}", re.MULTILINE | re.DOTALL)
"""A module of tests as rustfmt writes it."""

_COMMENT = re.compile(r"^[ \t]*//.*", re.MULTILINE)

_STARTS = re.compile(r"\bCommand\b|\bcmd!?\s*\(|\bExec::")
"""std's and its relatives' ``Command``, ``cmd!`` of xshell and duct, ``Exec`` of subprocess: a file without one starts nothing."""

_BY_A_SHELL = re.compile(r'"-[a-z]*c"|\bcmd!\s*\(|\bExec::shell\b')

_NAMED = re.compile(r'"(?:[\w.~/-]*/)?([\w+-]+)(?:"|[ \t](?=[a-z+-]))')
"""A text that is a program's name or path, or begins with one and a word behind it."""

DIRECTLY = re.compile(r'\b(?:Command::new|cmd!?)\s*\(\s*&?"((?:[\w.~/-]*/)?[\w+-]+)"')

_VARIABLE = re.compile(r'\b(?:var|var_os)\s*\(\s*"(CARGO|RUSTC)"|\benv!\s*\(\s*"(CARGO|RUSTC)"')
"""What cargo sets for its subcommands (cargo book, "Environment variables")."""


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


def _started(data: bytes) -> tuple[str, int] | None:
    """The first program of a toolchain that a source starts, and the line."""
    text = data.decode("utf-8", "replace")
    if not _STARTS.search(text):
        return None
    text = TESTS.sub(blank, text)
    text = _COMMENT.sub("", text)
    shell = _BY_A_SHELL.search(text) is not None
    named = (one for one in _NAMED.finditer(text) if needs.is_of_rust(one[1]) and (shell or one[0].endswith('"')))
    called = (one for one in DIRECTLY.finditer(text) if needs.is_of_a_toolchain(one[1].rpartition("/")[2]))
    match = next(named, None) or next(called, None) or _VARIABLE.search(text)
    if match is None:
        return None
    return next(filter(None, match.groups())).rpartition("/")[2].lower(), text.count("\n", 0, match.start()) + 1


def blank(match: re.Match[str]) -> str:
    return "\n" * match[0].count("\n")

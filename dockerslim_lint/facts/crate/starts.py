"""Whether the sources of a program start cargo, rustc or a C compiler. Loaded where an image may lose its toolchain."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from dockerslim_lint.catalog import needs
from dockerslim_lint.context import BuildContext
from dockerslim_lint.facts.crate.sources import below, packages_of

_TESTS = re.compile(r"^([ \t]*)#\[cfg\(test\)\]\s+mod\s+\w+\s*\{.*?^\1\}", re.MULTILINE | re.DOTALL)
"""A module of tests as rustfmt writes it."""

_COMMENT = re.compile(r"^[ \t]*//.*", re.MULTILINE)

_STARTS = re.compile(r"\bCommand\b|\bcmd!?\s*\(|\bExec::")
"""std's and its relatives' ``Command``, ``cmd!`` of xshell and duct, ``Exec`` of subprocess: a file without one starts nothing."""

_BY_A_SHELL = re.compile(r'"-[a-z]*c"|\bcmd!\s*\(|\bExec::shell\b')

_NAMED = re.compile(r'"(?:[\w.~/-]*/)?([\w+-]+)(?:"|[ \t](?=[a-z+-]))')
"""A text that is a program's name or path, or begins with one and a word behind it."""

_DIRECTLY = re.compile(r'\b(?:Command::new|cmd!?)\s*\(\s*&?"(?:[\w.~/-]*/)?([\w+-]+)"')

_VARIABLE = re.compile(r'\b(?:var|var_os)\s*\(\s*"(CARGO|RUSTC)"|\benv!\s*\(\s*"(CARGO|RUSTC)"')
"""What cargo sets for its subcommands (cargo book, "Environment variables")."""


def starts_toolchain(
    context: BuildContext,
    root: str,
    programs: Mapping[str, tuple[str, ...]],
    names: Iterable[str],
    linked: tuple[str, ...] | None,
) -> str:
    """What in the sources of the programs `names` starts a program of a toolchain; "" where nothing does.

    `programs` are those of each package, by directory; `root` is the workspace's. `linked` are the locked packages that are
    linked, None where that is not known.
    """
    for place, foreign, paths in packages_of(context, root, programs, names):
        for one in foreign:
            if needs.needing("toolchain", (one.package,)) and (
                not one.optional or linked is None or one.package in linked
            ):
                return f"{below(place, 'Cargo.toml')} has {one.package}, which starts a toolchain's programs"
        for path in paths:
            data = context.read(path)
            found = _started(data) if data is not None else None
            if found is not None:
                return f"line {found[1]} of {path} starts {found[0]}"
    return ""


def _started(data: bytes) -> tuple[str, int] | None:
    """The first program of a toolchain that a source starts, and the line."""
    text = data.decode("utf-8", "replace")
    if not _STARTS.search(text):
        return None
    text = _TESTS.sub(_blank, text)
    text = _COMMENT.sub("", text)
    shell = _BY_A_SHELL.search(text) is not None
    named = (one for one in _NAMED.finditer(text) if needs.is_of_rust(one[1]) and (shell or one[0].endswith('"')))
    called = (one for one in _DIRECTLY.finditer(text) if needs.is_of_a_toolchain(one[1]))
    match = next(named, None) or next(called, None) or _VARIABLE.search(text)
    if match is None:
        return None
    return next(filter(None, match.groups())).lower(), text.count("\n", 0, match.start()) + 1


def _blank(match: re.Match[str]) -> str:
    return "\n" * match[0].count("\n")

"""Short ways to parse in a test."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.source import Source, Span
from dockerslim_lint.syntax.dockerfile import parse
from dockerslim_lint.syntax.script import Script, ShellWord
from dockerslim_lint.syntax.shell import parse_shell, run_script
from dockerslim_lint.syntax.tree import Dockerfile, Expansion, Instruction, Literal, LogicalText, Word


def read(text: str | bytes) -> Dockerfile:
    return parse(Source(text if isinstance(text, bytes) else text.encode()))


def only(text: str | bytes) -> Instruction:
    """The one instruction of a file."""
    (instruction,) = read(text).instructions
    return instruction


def shell(script: str) -> Script:
    """A script that stands in a file of its own."""
    data = script.encode()
    return parse_shell(LogicalText(data, ((0, 0),)))


def run_of(text: str) -> tuple[Source, Script]:
    """The script of a file's only instruction, a RUN."""
    source = Source(text.encode())
    script = run_script(parse(source).instructions[-1], source)
    assert script is not None
    return source, parse_shell(script)


def spans(value: object) -> Iterator[Span]:
    """All spans anywhere in a tree."""
    if isinstance(value, Span):
        yield value
    elif isinstance(value, LogicalText):
        yield value.span(0, len(value.data))
    elif isinstance(value, tuple):
        for item in value:
            yield from spans(item)


def literals(value: object) -> Iterator[Literal]:
    """All literals anywhere in a tree."""
    if isinstance(value, Literal):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from literals(item)


def words_of(value: object) -> Iterator[Word | ShellWord]:
    """All words anywhere in a tree, outer ones first."""
    if isinstance(value, Word | ShellWord):
        yield value
    if isinstance(value, tuple):
        for item in value:
            yield from words_of(item)


def expansions(value: object) -> Iterator[Expansion]:
    if isinstance(value, Expansion):
        yield value
    if isinstance(value, tuple):
        for item in value:
            yield from expansions(item)

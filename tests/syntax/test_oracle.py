"""Our tree against the one of BuildKit's own parser (the package `dockerfile`)."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockerslim_lint.source import Source, Span
from dockerslim_lint.syntax.dockerfile import parse
from dockerslim_lint.syntax.tree import Instruction
from tests.syntax.dockerfiles import Maker

dockerfile = pytest.importorskip("dockerfile", reason="built for Linux and macOS only")

FIXTURES = Path(__file__).parents[2] / "fixtures"

# The package holds BuildKit 0.12.5. What BuildKit has changed since then, and we follow:
CHANGED = {
    "text behind a JSON array makes it the shell form (it was dropped)": rb"\]\s*\S",
    "`check` is a parser directive, so one behind it counts, too": rb"(?i)#\s*check\s*=",
    "the escape character, not always a backslash, escapes in flags": rb"(?is)#\s*escape\s*=\s*`.*--",
    "${X#…}, ${X%…} and ${X/…} can be read: on the line of a heredoc they hid it": rb"(?s)\A(?=.*<<).*\$\{[^}]*[#%/*]",
    "`<< EOF` opens a heredoc, too": rb"<<-?\s",
}


def changed(data: bytes) -> str | None:
    """Why the two may differ on this file."""
    return next((reason for reason, pattern in CHANGED.items() if re.search(pattern, data)), None)


def written(instruction: Instruction, span: Span) -> str:
    """The body's text between two places in the file."""
    body = instruction.body
    found = [index for index in range(len(body.data)) if span.start <= body.offset(index) < span.end]
    return body.data[found[0] : found[-1] + 1].decode() if found else ""


def values(instruction: Instruction) -> tuple[str, ...] | None:
    """What the oracle calls `value`, made of our views; None for what it does not parse either."""
    body = instruction.body.data.decode()
    keyword = instruction.keyword
    if instruction.unknown or keyword == "ONBUILD":
        return None
    if keyword == "HEALTHCHECK":
        kind = body.split()[0] if body else ""
        command = body[len(kind) :].strip()
        if instruction.json is not None:
            return (kind, *(string.text for string in instruction.json))
        return tuple(part for part in (kind, command) if part)
    if instruction.json is not None:
        return tuple(string.text for string in instruction.json)
    if keyword in ("FROM", "COPY", "ADD", "VOLUME", "EXPOSE"):
        return tuple(written(instruction, word.span) for word in instruction.words)
    if keyword in ("ENV", "LABEL"):
        return tuple(
            written(instruction, word.span)
            for pair in instruction.pairs
            for word in (pair.key, pair.value)
            if word is not None
        )
    if keyword == "ARG":
        return tuple(
            written(instruction, pair.key.span)
            + ("" if pair.value is None else "=" + written(instruction, pair.value.span))
            for pair in instruction.pairs
        )
    return (body,) if body else ()


def difference(data: bytes) -> str | None:
    """How our tree differs from BuildKit's; None if it does not."""
    source = Source(data)
    tree = parse(source)
    try:
        commands = dockerfile.parse_string(data.decode())
    except dockerfile.GoParseError as error:
        refused = tree.fatal or [node.error for node in tree.instructions if node.error]
        return None if refused else f"BuildKit refuses the file: {error}"
    except UnicodeDecodeError:
        # BuildKit cuts flags byte by byte at 0xA0: half a character is left, and the package cannot tell us of it.
        return None
    if tree.fatal:
        return f"BuildKit reads the file, we say {tree.fatal}"
    if len(commands) != len(tree.instructions):
        return f"{[command.cmd for command in commands]} are {[node.keyword for node in tree.instructions]}"
    for node, command in zip(tree.instructions, commands, strict=True):
        ours, theirs = _ours(node, source), _theirs(command, node)
        if ours != theirs:
            return f"{ours}\n  should be\n{theirs}"
    return None


def _ours(node: Instruction, source: Source) -> tuple[object, ...]:
    inner = node.trigger or node
    bodies = tuple((h.name, int(h.fd or 0), source.text(h.body)) for h in node.heredocs) if node.trigger is None else ()
    lines = (source.line_of(node.span.start), source.line_of(max(node.span.start, node.span.end - 1)))
    flags = tuple(f"--{flag.name}" for flag in node.flags)
    return (
        node.keyword,
        lines,
        flags,
        bodies,
        inner.keyword if node.trigger else None,
        inner.json is not None,
        values(inner),
    )


def _theirs(command: Any, node: Instruction) -> tuple[object, ...]:
    inner = node.trigger or node
    # An instruction that nobody knows has one empty value, a trigger's trigger, too; a trigger's heredocs and flags are not told.
    value = None if inner.unknown or inner.keyword == "ONBUILD" else command.value
    bodies = tuple((h.name, h.file_descriptor, h.content) for h in command.heredocs) if node.trigger is None else ()
    flags = tuple(flag.partition("=")[0] for flag in command.flags)
    sub = (command.sub_cmd or "").upper() if node.trigger else None
    json = command.json if node.trigger is None else inner.json is not None
    return ((command.cmd or "").upper(), (command.start_line, command.end_line), flags, bodies, sub, json, value)


def readable(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


@pytest.mark.parametrize(
    "path", sorted(FIXTURES.rglob("*ockerfile*")), ids=lambda path: str(path.relative_to(FIXTURES))
)
def test_fixture(path: Path) -> None:
    data = path.read_bytes() if path.is_file() else b""
    if path.suffix in ("", ".Dockerfile") and path.is_file() and readable(data) and not changed(data):
        assert difference(data) is None


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.randoms(use_true_random=False))
def test_generated(random: Random) -> None:
    data = Maker(random).file()
    if readable(data) and not changed(data):
        assert difference(data) is None, data


def test_most_generated_files_are_compared() -> None:
    compared = 0
    for seed in range(1000):
        data = Maker(Random(seed)).file()
        if readable(data) and not changed(data):
            compared += 1
            assert difference(data) is None, data
    assert compared > 250


if __name__ == "__main__":
    for seed in range(int(sys.argv[1])):
        data = Maker(Random(seed)).file()
        if readable(data) and not changed(data) and (found := difference(data)):
            print(seed, found, data, sep="\n")

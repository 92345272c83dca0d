"""The generated files hold every construct that the parser promises to read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from random import Random

from dockerslim_lint.source import Source
from dockerslim_lint.syntax.dockerfile import parse
from dockerslim_lint.syntax.tree import Instruction
from tests.syntax.dockerfiles import Maker
from tests.syntax.reading import expansions

EXAMPLES = 1500

CONSTRUCTS = ["syntax directive", "escape directive", "check directive", "escape with a backquote", "continuation"]
CONSTRUCTS += [
    "comment in a continuation",
    "empty line in a continuation",
    "several heredocs",
    "quoted heredoc",
    "unquoted heredoc",
]
CONSTRUCTS += [
    "<<-",
    "heredoc with fd",
    "heredoc in RUN",
    "heredoc in COPY",
    "heredoc in ADD",
    "heredoc in ONBUILD",
    "flag",
    "JSON form",
]
CONSTRUCTS += [
    "shell form",
    "ONBUILD",
    "mixed case",
    "CRLF",
    "BOM",
    "invalid UTF-8",
    "no final newline",
    "legacy ENV",
    "quotes",
    "fatal",
]
CONSTRUCTS += [
    "instruction error",
    "unknown instruction",
    "variable in FROM",
    "ARG before FROM",
    "backslash at the end of the file",
    "tab",
]
CONSTRUCTS += [
    f"operator {operator or 'none'}" for operator in ("", ":-", "-", ":+", "+", ":?", "#", "##", "%", "%%", "/", "//")
]


def constructs(data: bytes) -> Iterator[str]:
    source = Source(data)
    tree = parse(source)
    yield from (f"{directive.name} directive" for directive in tree.directives)
    if tree.escape == "`":
        yield "escape with a backquote"
    if b"\r\n" in data:
        yield "CRLF"
    if source.bom:
        yield "BOM"
    if b"\t" in data:
        yield "tab"
    if data and not data.endswith(b"\n"):
        yield "no final newline"
    if data.rstrip(b" \t\r\n").endswith(b"\\"):
        yield "backslash at the end of the file"
    if tree.fatal:
        yield "fatal"
    try:
        data.decode()
    except UnicodeDecodeError:
        yield "invalid UTF-8"
    keywords = [node.keyword for node in tree.instructions]
    if "FROM" in keywords and "ARG" in keywords[: keywords.index("FROM")]:
        yield "ARG before FROM"
    for node in tree.instructions:
        yield from _instruction(node, source)


def _instruction(node: Instruction, source: Source) -> Iterator[str]:
    keyword = source.text(node.keyword_span)
    if keyword not in (keyword.upper(), keyword.lower()):
        yield "mixed case"
    if node.unknown:
        yield "unknown instruction"
    elif node.error:
        yield "instruction error"
    first, last = source.line_of(node.body_span.start), source.line_of(node.body_span.end)
    if last > first:
        yield "continuation"
        inner = [source.line_text(line).strip() for line in range(first, last)]
        yield from (["comment in a continuation"] if any(line.startswith("#") for line in inner) else [])
        yield from (["empty line in a continuation"] if "" in inner else [])
    for heredoc in node.heredocs:
        yield f"heredoc in {node.keyword}"
        yield "unquoted heredoc" if heredoc.expand else "quoted heredoc"
        yield from (["<<-"] if heredoc.strip_tabs else [])
        yield from (["heredoc with fd"] if heredoc.fd else [])
    if len(node.heredocs) > 1:
        yield "several heredocs"
    yield from ("flag" for _ in node.flags)
    if node.keyword in ("RUN", "CMD", "ENTRYPOINT"):
        yield "shell form" if node.json is None else "JSON form"
    if node.trigger is not None:
        yield "ONBUILD"
    if any(pair.legacy for pair in node.pairs):
        yield "legacy ENV"
    if any(getattr(piece, "quote", "") for word in node.words for piece in word.pieces):
        yield "quotes"
    found = list(expansions((node.words, node.pairs)))
    if node.keyword == "FROM" and found:
        yield "variable in FROM"
    yield from (f"operator {expansion.operator or 'none'}" for expansion in found)


def test_each_construct_is_in_one_of_a_hundred_files() -> None:
    counts: Counter[str] = Counter()
    for seed in range(EXAMPLES):
        counts.update(set(constructs(Maker(Random(seed)).file())))
    rare = {name: counts[name] for name in CONSTRUCTS if counts[name] < EXAMPLES / 100}
    assert rare == {}

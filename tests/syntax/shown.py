"""Trees as text that a person can check: one node a line, its place in front."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.source import Source, Span
from dockerslim_lint.syntax.script import (
    Case,
    Function,
    Group,
    If,
    Loop,
    Negated,
    Node,
    Pipeline,
    Script,
    Sequence,
    ShellWord,
    Simple,
    Substitution,
    Unread,
)
from dockerslim_lint.syntax.tree import Dockerfile, Expansion, Instruction, Literal, Word


def show_word(word: Word | ShellWord) -> str:
    """A word's pieces: text in its quotes, ``‹…›`` round what is replaced."""
    return "+".join(_piece(piece) for piece in word.pieces) or "(empty)"


def _piece(piece: Literal | Expansion | Substitution) -> str:
    if isinstance(piece, Literal):
        return f"{piece.quote}{piece.text}{piece.quote}" if piece.quote else piece.text.replace("\n", "⏎")
    if isinstance(piece, Substitution):
        return f"{piece.quote}‹{piece.text}›{piece.quote}"
    argument = f" {piece.operator} {show_word(piece.argument)}" if piece.argument is not None else ""
    if piece.replacement is not None:
        argument += f" by {show_word(piece.replacement)}"
    return f"{piece.quote}‹${piece.name}{argument}›{piece.quote}"


def show_script(script: Script) -> str:
    """A shell script's commands, nesting as indentation."""
    lines = ["broken"] if script.broken else []
    return "\n".join([*lines, *_node(script.root)])


def _node(node: Node) -> Iterator[str]:
    match node:
        case Simple():
            parts = [f"{a.name}={show_word(a.value) if a.value else ''}" for a in node.assignments]
            parts += [show_word(word) for word in node.words]
            parts += [f"{r.operator} {show_word(r.target) if r.target else '?'}" for r in node.redirects]
            yield "run " + " | ".join(parts)
        case Sequence():
            for operator, item in zip(node.operators, node.items, strict=True):
                yield from _under(operator.replace("\n", "⏎") or "first", [item])
        case Pipeline():
            yield from _under("pipe", node.items)
        case Negated():
            yield from _under("not", [node.item])
        case Group():
            redirects = "".join(f" {r.operator} {show_word(r.target) if r.target else '?'}" for r in node.redirects)
            yield from _under(("subshell" if node.subshell else "group") + redirects, [node.body])
        case If():
            for condition, body in node.branches:
                yield from _under("if", [condition])
                yield from _under("then", [body])
            if node.otherwise is not None:
                yield from _under("else", [node.otherwise])
        case Loop():
            words = " ".join(show_word(word) for word in node.words)
            yield from _under(
                f"{node.kind} {node.variable} {words}".rstrip(), [node.condition] if node.condition else []
            )
            yield from _under("do", [node.body])
        case Case():
            yield f"case {show_word(node.word)}"
            for patterns, body in node.branches:
                yield from _under("  " + " or ".join(show_word(word) for word in patterns), [body])
        case Function():
            yield from _under(f"function {node.name}", [node.body])
        case Unread():
            yield f"unread {node.text!r}"


def _under(title: str, nodes: tuple[Node, ...] | list[Node]) -> Iterator[str]:
    yield title
    depth = len(title) - len(title.lstrip())
    for node in nodes:
        for line in _node(node):
            yield " " * (depth + 2) + line


def show_dockerfile(dockerfile: Dockerfile, source: Source) -> str:
    """All nodes of a file with their lines."""
    lines = [f"fatal: {dockerfile.fatal}"] if dockerfile.fatal else []
    lines += [f"escape: {dockerfile.escape}"] if dockerfile.escape != "\\" else []
    lines += [f"directive {d.name} = {d.value!r} ({source.text(d.value_span)!r})" for d in dockerfile.directives]
    for node in dockerfile.nodes:
        place = _lines(node.span, source)
        if isinstance(node, Instruction):
            lines += [
                f"{place} {line}" if index == 0 else f"     {line}"
                for index, line in enumerate(_instruction(node, source))
            ]
        else:
            lines.append(f"{place} {node.kind} {source.data[node.span.start : node.span.end]!r}")
    return "\n".join(lines) + "\n"


def _lines(span: Span, source: Source) -> str:
    first, last = source.line_of(span.start), source.line_of(max(span.end - 1, span.start))
    return f"{first}-{last}".ljust(4) if first != last else f"{first}".ljust(4)


def _instruction(node: Instruction, source: Source) -> Iterator[str]:
    yield f"{node.keyword}{' (unknown)' if node.unknown else ''} {node.body.data!r}"
    if not node.body.contiguous(0, len(node.body.data)):
        yield f"  written {source.data[node.body_span.start : node.body_span.end]!r}"
    for flag in node.flags:
        yield f"  flag {flag.name}" + (f" = {show_word(flag.value)}" if flag.value is not None else "")
    for word in node.words:
        yield f"  word {show_word(word)}"
    for pair in node.pairs:
        legacy = " (legacy)" if pair.legacy else ""
        yield f"  pair {show_word(pair.key)} = {show_word(pair.value) if pair.value is not None else None}{legacy}"
    if node.json is not None:
        yield f"  json {[string.text for string in node.json]!r}"
    if node.healthcheck:
        yield f"  healthcheck {node.healthcheck}"
    for heredoc in node.heredocs:
        how = (
            ("" if heredoc.expand else " literal")
            + (" strip-tabs" if heredoc.strip_tabs else "")
            + (f" fd {heredoc.fd}" if heredoc.fd else "")
        )
        yield f"  heredoc {heredoc.name}{how} at {source.text(heredoc.marker)!r}: {source.text(heredoc.body)!r}, ends with {source.text(heredoc.terminator)!r}"
    if node.error is not None:
        yield f"  error {node.error}"
    if node.trigger is not None:
        for line in _instruction(node.trigger, source):
            yield f"  trigger {line}"

"""Shell scripts inside a Dockerfile: where they are, and what tree-sitter-bash reads in them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from dockerslim_lint.source import Source, encode
from dockerslim_lint.syntax.heredocs import is_heredoc
from dockerslim_lint.syntax.lines import cut_text
from dockerslim_lint.syntax.script import Redirect, Script
from dockerslim_lint.syntax.tree import Heredoc, Instruction, JsonString, Literal, LogicalText

if TYPE_CHECKING:
    from tree_sitter import Parser

SCRIPT_SHELLS = frozenset(("sh", "bash", "ash", "dash", "ksh", "mksh", "zsh", "busybox"))
"""Shells whose language is read here: POSIX and what has grown from it."""

_parser: Parser | None = None


@lru_cache(maxsize=8)
def parse_shell(text: LogicalText) -> Script:
    """The script that `text` holds, every node with its place in the file. Never raises."""
    from dockerslim_lint.syntax.shell_rewrite import rewrite
    from dockerslim_lint.syntax.shell_tree import TreeReader

    text, raw, operators = rewrite(text)
    tree = bash_parser().parse(raw.encode("latin-1"))
    reader = TreeReader(text, raw, operators)
    root = reader.read(tree.root_node)
    return Script(root, reader.broken)


def bash_parser() -> Parser:
    """The grammar, loaded when it is first asked for."""
    global _parser
    if _parser is None:
        import tree_sitter

        _parser = tree_sitter.Parser(tree_sitter.Language(_grammar()))
    return _parser


def _grammar() -> object:
    """tree-sitter-bash's grammar, without its package's ``__init__``.

    That one imports importlib.resources for query files that nobody asks for here: a fifth of what linting a file costs.
    """
    from importlib import machinery, util

    package = util.find_spec("tree_sitter_bash")
    for folder in package.submodule_search_locations or () if package is not None else ():
        for suffix in machinery.EXTENSION_SUFFIXES:
            spec = util.spec_from_file_location("tree_sitter_bash._binding", f"{folder}/_binding{suffix}")
            if spec is None or spec.loader is None:
                continue
            try:
                module = util.module_from_spec(spec)
                spec.loader.exec_module(module)
            except ImportError:
                continue
            return module.language()
    import tree_sitter_bash

    return tree_sitter_bash.language()


def shell_form(instruction: Instruction) -> LogicalText | None:
    """The command of CMD, ENTRYPOINT or HEALTHCHECK CMD in shell form; None for the exec form, an empty one, or another instruction."""
    if instruction.json is not None or not instruction.body.data:
        return None
    body = instruction.body
    if instruction.keyword in ("CMD", "ENTRYPOINT"):
        return body
    if instruction.keyword != "HEALTHCHECK" or instruction.healthcheck != "CMD":
        return None
    start = len("CMD")
    while start < len(body.data) and body.data[start] in b" \t\v\f\r":
        start += 1
    return cut_text(body, start, len(body.data)) if start < len(body.data) else None


def interpreter(instruction: Instruction, source: Source) -> str:
    """The program that BuildKit starts for a heredoc RUN with a ``#!`` line, as written behind it; "" where the stage's SHELL runs the instruction."""
    heredoc = _script_heredoc(instruction)
    if heredoc is None:
        return ""
    body = source.data[heredoc.body.start : heredoc.body.end]
    if not body.startswith(b"#!"):
        return ""
    return source.text(heredoc.body)[2:].split("\n", 1)[0].strip(" \t\r")


def run_script(instruction: Instruction, source: Source) -> LogicalText | None:
    """The shell script that a RUN instruction runs, with its places in the file.

    None if it runs none: the exec form, another instruction than RUN, or a heredoc whose ``#!`` line names a program that is no
    shell (see `interpreter`). Heredocs that are the input of commands are part of the script.
    """
    if instruction.keyword != "RUN" or instruction.json is not None:
        return None
    heredocs = instruction.heredocs
    if not heredocs:
        return instruction.body
    heredoc = _script_heredoc(instruction)
    if heredoc is None:
        return _with_bodies(instruction.body, heredocs, source)
    words = interpreter(instruction, source).split()
    name = words[0].rsplit("/", 1)[-1] if words else "sh"
    if name == "env":
        name = next((word.rsplit("/", 1)[-1] for word in words[1:] if not word.startswith("-") and "=" not in word), "")
    return _body(heredoc, source) if name in SCRIPT_SHELLS else None


def _script_heredoc(instruction: Instruction) -> Heredoc | None:
    """The heredoc that is the script itself: the one that is all of the command (``RUN <<EOF``)."""
    if instruction.keyword != "RUN" or not instruction.heredocs:
        return None
    return instruction.heredocs[0] if is_heredoc(instruction.body.data.decode("utf-8", "surrogateescape")) else None


def _body(heredoc: Heredoc, source: Source) -> LogicalText:
    start, end = heredoc.body
    data = source.data
    if not heredoc.strip_tabs:
        return LogicalText(data[start:end], ((0, start),))
    parts: list[bytes] = []
    segments: list[tuple[int, int]] = []
    size = 0
    while start < end:
        stop = data.find(b"\n", start, end) + 1 or end
        while start < stop and data[start] == 9:
            start += 1
        segments.append((size, start))
        parts.append(data[start:stop])
        size += stop - start
        start = stop
    return LogicalText(b"".join(parts), tuple(segments) or ((0, heredoc.body.start),))


def _with_bodies(command: LogicalText, heredocs: tuple[Heredoc, ...], source: Source) -> LogicalText:
    """The command, and behind it the bodies and their closing names, each on lines of their own, as BuildKit hands them to the shell."""
    parts = [command.data]
    segments = list(command.segments)
    size = len(command.data)
    for heredoc in heredocs:
        start, end = heredoc.body
        name = encode(heredoc.name)
        closing = heredoc.terminator.end - len(name)
        for data, offset in ((b"\n", start - 1), (source.data[start:end], start), (name, closing)):
            if data:
                segments.append((size, offset))
                parts.append(data)
                size += len(data)
    return LogicalText(b"".join(parts), tuple(segments))


def heredoc_text(heredoc: Heredoc, source: Source) -> bytes:
    """The file that a heredoc of COPY or ADD makes, as written."""
    return _body(heredoc, source).data


def here_text(redirects: Sequence[Redirect], within: LogicalText) -> str | None:
    """What the heredoc of a command holds, as the command reads it; None where that is not certain."""
    found = [one for one in redirects if one.operator.startswith("<<") and one.operator != "<<<"]
    target = found[0].target if len(found) == 1 else None
    at = _index(within, target.span.end - 1) if target is not None else None
    if target is None or target.literal is None or at is None:
        return None
    data = within.data
    line = data[data.rfind(b"\n", 0, at) + 1 : data.find(b"\n", at) + 1]
    if line.count(b"<<") != 1:
        return None
    lines: list[str] = []
    for raw in data[data.find(b"\n", at) + 1 :].split(b"\n"):
        text = raw.decode("utf-8", "replace")
        text = text.lstrip("\t") if found[0].operator == "<<-" else text
        if text == target.literal:
            whole = "".join(f"{one}\n" for one in lines)
            quoted = any(isinstance(piece, Literal) and piece.quote for piece in target.pieces)
            return whole if quoted or not set(whole) & set("$`\\") else None
        lines.append(text)
    return None


def text_of(piece: Literal | JsonString, within: LogicalText) -> LogicalText | None:
    """The text of a shell literal or a JSON string with its places, for reading it as a script of its own.

    `within` is the text that it stands in: the script, or the instruction's body for JSON. Each byte has the place of the
    character that stands for it; a stretch from which escapes were removed is not `contiguous`. None where the text has
    a character that the file has not (``\\u00e9``, ``\\n``).
    """
    start, last = _index(within, piece.span.start), _index(within, piece.span.end - 1)
    data = encode(piece.text)
    if not data:
        return LogicalText(b"", ((0, piece.span.start),))
    if start is None or last is None:
        return None
    if within.data[start : last + 1] == data:
        return cut_text(within, start, last + 1)
    return _unescaped(within, start, last + 1, data)


def _unescaped(within: LogicalText, start: int, end: int, data: bytes) -> LogicalText | None:
    """``within.data[start:end]`` without the backslashes that `data` does not have."""
    segments: list[tuple[int, int]] = []
    written = within.data
    size = 0
    at = start
    fresh = True
    while at < end:
        if (
            written[at] == 92
            and at + 1 < end
            and written[at + 1] in b'"\\/$` \n'
            and data[size : size + 2] != written[at : at + 2]
        ):
            at += 2 if written[at + 1] == 10 else 1
            fresh = True
            continue
        if size >= len(data) or written[at] != data[size]:
            return None
        if fresh or within.offset(at) != within.offset(at - 1) + 1:
            segments.append((size, within.offset(at)))
            fresh = False
        at += 1
        size += 1
    return LogicalText(data, tuple(segments)) if size == len(data) else None


def _index(text: LogicalText, offset: int) -> int | None:
    """Index in `text` of a file offset; None if the byte there is not part of it."""
    ends = [start for start, _ in text.segments[1:]] + [len(text.data)]
    for (start, place), end in zip(text.segments, ends, strict=True):
        if place <= offset < place + end - start:
            return start + offset - place
    return None

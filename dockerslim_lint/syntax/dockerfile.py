"""The parser of record: BuildKit's grammar, without losing a byte."""

from __future__ import annotations

from functools import lru_cache

from dockerslim_lint.source import UTF8_BOM, Source, Span
from dockerslim_lint.syntax.directives import DirectiveReader, frontend_directives
from dockerslim_lint.syntax.heredocs import find_openings, read_bodies
from dockerslim_lint.syntax.instructions import read_instruction, takes_heredocs
from dockerslim_lint.syntax.lines import content_end, line_end, logical_line, skip_space
from dockerslim_lint.syntax.tree import Dockerfile, Instruction, LogicalText, Trivia
from dockerslim_lint.syntax.words import LexError

MAX_LINE = 65535
"""BuildKit reads no line that is longer, its newline not counted."""


def parse(source: Source) -> Dockerfile:
    """The file's tree. Never raises: what BuildKit would refuse is in `fatal` and in `Instruction.error`.

    An instruction's span begins with its first byte that is no white space. That is its keyword, but for a file in
    which a lone escape character stands on the line before it.
    """
    return _parse(source.data)


@lru_cache(maxsize=2)
def _parse(data: bytes) -> Dockerfile:
    """The tree; the last ones are kept, since the search for the context, the linter and the fixer each ask for it."""
    source = Source(data)
    text = data.decode("latin-1")
    at = len(UTF8_BOM) if source.bom else 0
    nodes: list[Instruction | Trivia] = [Trivia("bom", Span(0, at))] if at else []
    frontend = frontend_directives(text, at)
    directives = DirectiveReader(text)
    fatal = None
    empty = True
    size = len(text)
    while at < size:
        end = line_end(text, at)
        stop = content_end(text, at, end)
        first = skip_space(text, at, stop)
        if first == stop:
            directives.end()
            nodes.append(Trivia("blank", Span(at, end)))
            at = end
        elif text[first] == "#":
            kind = "directive" if directives.read(first, end) else "comment"
            nodes.append(Trivia(kind, Span(at, end)))
            at = end
        else:
            directives.end()
            if first > at:
                nodes.append(Trivia("blank", Span(at, first)))
            instruction, at, problem = _instruction(text, first, end, directives.escape)
            nodes.append(instruction)
            fatal = fatal or problem
            empty = False
    fatal = directives.error or _long_line(source) or fatal or ("file with no instructions" if empty else None)
    names = [directive.name for directive in directives.found]
    found = directives.found + [directive for directive in frontend if directive.name not in names]
    return Dockerfile(tuple(nodes), tuple(found), directives.escape, fatal)


def _instruction(text: str, first: int, end: int, escape: str) -> tuple[Instruction, int, str | None]:
    """The instruction whose first line is ``text[first:end]``, the index behind it, and what is fatal about it."""
    raw, segments, end = logical_line(text, first, end, escape)
    line = LogicalText(raw.encode("latin-1"), tuple(segments))
    instruction, failed = read_instruction(line, raw, Span(first, end), escape)
    fatal = None
    heredocs = instruction.heredocs
    if "<<" in raw and not failed and takes_heredocs(instruction):
        try:
            openings = find_openings(line, raw)
        except LexError as error:
            instruction = instruction._replace(error=str(error))
        else:
            heredocs, end, fatal = read_bodies(text, end, openings)
    trigger = instruction.trigger
    if trigger is not None:
        trigger = trigger._replace(span=Span(trigger.span.start, end), heredocs=heredocs)
    if heredocs or trigger is not None:
        instruction = instruction._replace(span=Span(first, end), heredocs=heredocs, trigger=trigger)
    return instruction, end, fatal


def _long_line(source: Source) -> str | None:
    starts = source.line_starts
    longest = max(map(int.__sub__, [*starts[1:], len(source.data) + 1], starts), default=0) - 1
    return f"dockerfile line greater than max allowed size of {MAX_LINE}" if longest > MAX_LINE else None

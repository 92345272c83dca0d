"""Suppression comments: ``# dockerslim: ignore=DSL101,not-stripped; reason=…``."""

from __future__ import annotations

from collections.abc import Iterable

from dockerslim_lint.finding import Finding
from dockerslim_lint.record import Record
from dockerslim_lint.source import Source, Span, decode
from dockerslim_lint.syntax.tree import Dockerfile, Instruction, Trivia

_MARK = b"dockerslim:"


class Suppression(Record):
    """One suppression comment.

    `codes` are codes or names as written; `covers` is the instruction that it is about (empty where none follows);
    `comment` its own place, from ``#`` to the line's end. `problem` says why a malformed comment suppresses nothing, ""
    for a good one.
    """

    codes: tuple[str, ...]
    covers: Span
    comment: Span
    reason: str
    problem: str = ""


class Split(Record):
    """`unused` holds each suppression with those of its codes that met no finding, the malformed ones too."""

    kept: tuple[Finding, ...]
    suppressed: tuple[Finding, ...]
    unused: tuple[Suppression, ...]


def suppressions(tree: Dockerfile, source: Source) -> tuple[Suppression, ...]:
    """All suppression comments of a file, in file order: above an instruction, or inside its continuation."""
    if _MARK not in source.data:
        return ()
    found: list[Suppression] = []
    waiting: list[tuple[str, Span]] = []
    for node in tree.nodes:
        if isinstance(node, Trivia):
            if node.kind == "comment":
                waiting += _marked(source, node.span)
            continue
        for text, comment in (*waiting, *_inner_comments(source, node)):
            found.append(_read(text, node.span, comment))
        waiting = []
    end = Span(len(source.data), len(source.data))
    found += (_read(text, end, comment) for text, comment in waiting)
    return tuple(found)


def split(findings: Iterable[Finding], suppressed_by: Iterable[Suppression]) -> Split:
    """Part findings into those that stay and those that a comment suppresses."""
    comments = tuple(suppressed_by)
    used: set[tuple[int, str]] = set()
    kept: list[Finding] = []
    suppressed: list[Finding] = []
    for finding in findings:
        hits = {
            (index, code)
            for index, comment in enumerate(comments)
            for code in comment.codes
            if comment.covers.start <= finding.span.start < comment.covers.end
            and code.lower() in (finding.code.lower(), finding.name.lower())
        }
        (suppressed if hits else kept).append(finding)
        used |= hits
    unused: list[Suppression] = []
    for index, comment in enumerate(comments):
        left = tuple(code for code in comment.codes if (index, code) not in used)
        if left or comment.problem:
            unused.append(comment._replace(codes=left))
    return Split(tuple(kept), tuple(suppressed), tuple(unused))


def _marked(source: Source, span: Span) -> list[tuple[str, Span]]:
    """The comments within `span` (whole lines) that speak to this program: the text behind the mark, and their places."""
    found = []
    for line in range(source.line_of(span.start), source.line_of(max(span.start, span.end - 1)) + 1):
        start, end = source.line_span(line)
        raw = source.data[start:end]
        stripped = raw.lstrip(b" \t\xef\xbb\xbf")
        if not stripped.startswith(b"#"):
            continue
        text = stripped[1:].strip()
        if text.startswith(_MARK):
            place = Span(end - len(stripped), end - len(raw) + len(raw.rstrip()))
            found.append((decode(text[len(_MARK) :]).strip(), place))
    return found


def _inner_comments(source: Source, node: Instruction) -> list[tuple[str, Span]]:
    """Suppression comments inside an instruction's continuation; a heredoc's body is text of its own."""
    if _MARK not in source.data[node.span.start : node.span.end]:
        return []
    first_line_end = source.data.find(b"\n", node.span.start)
    bodies = [Span(heredoc.body.start, heredoc.terminator.end) for heredoc in node.heredocs]
    return [
        (text, place)
        for text, place in _marked(source, node.span)
        if place.start > first_line_end and not any(body.start <= place.start < body.end for body in bodies)
    ]


def _read(text: str, covers: Span, comment: Span) -> Suppression:
    """`text` is what stands behind ``dockerslim:``."""
    codes: tuple[str, ...] = ()
    reason = ""
    problem = ""
    for part in _parts(text):
        key, equals, value = part.partition("=")
        match key.strip().lower():
            case "ignore" if equals:
                codes = tuple(dict.fromkeys(code.strip() for code in value.split(",") if code.strip()))
            case "reason" if equals:
                reason = value.strip()
            case other:
                problem = f"`{other}` is not understood: write `# dockerslim: ignore=CODE; reason=…`"
    if not codes and not problem:
        problem = "it names no rule: write `# dockerslim: ignore=CODE; reason=…`"
    return Suppression(() if problem else codes, covers, comment, reason, problem)


def _parts(text: str) -> list[str]:
    """The parts between semicolons; a reason runs to the end, whatever it holds."""
    parts: list[str] = []
    rest = text
    while rest.strip():
        if rest.strip().lower().startswith("reason"):
            parts.append(rest.strip())
            break
        part, _, rest = rest.partition(";")
        if part.strip():
            parts.append(part.strip())
    return parts

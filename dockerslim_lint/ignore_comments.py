"""Suppression comments for findings that are to stay as they are: `--add-ignore`."""

from __future__ import annotations

from collections.abc import Iterable

from dockerslim_lint.edit import Edit
from dockerslim_lint.finding import Finding
from dockerslim_lint.source import UTF8_BOM, Source, Span, encode
from dockerslim_lint.suppress import Suppression, suppressions
from dockerslim_lint.syntax.tree import Dockerfile, Instruction


def ignore_edits(
    source: Source, tree: Dockerfile, findings: Iterable[Finding], reason: str | None = ""
) -> tuple[Edit, ...]:
    """The edits that suppress the findings, each by a comment above its instruction.

    A code joins a comment that is about the instruction already and gives the same reason: a reason speaks of what it was
    written for. Else it gets a line of its own, right above the instruction, with that one's indentation and the file's
    newline. Findings outside of instructions (a directive, a file without instructions) cannot be suppressed so and get
    no edit. `reason` is one line; "" writes none. None leaves it to the user: a comment that is there is joined whatever its
    reason, and a new one has an empty place for it.
    """
    codes: dict[Span, set[str]] = {}
    for finding in findings:
        instruction = _instruction(tree, finding)
        if instruction is not None:
            codes.setdefault(instruction.span, set()).add(finding.code)
    comments = suppressions(tree, source)
    edits = []
    for span, wanted in codes.items():
        mine = [one for one in comments if one.covers == span and one.codes and reason in (None, one.reason)]
        edits.append(_joined(source, mine[-1], wanted) if mine else _line(source, span, wanted, reason))
    return tuple(edits)


def _instruction(tree: Dockerfile, finding: Finding) -> Instruction | None:
    place = finding.span.start
    return next((one for one in tree.instructions if one.span.start <= place < one.span.end), None)


def _joined(source: Source, comment: Suppression, codes: set[str]) -> Edit:
    """The codes behind the last one of a comment."""
    text = source.text(comment.comment)
    last = comment.codes[-1]
    # the reason comes last and may hold anything, the code too
    end = text.rindex(last, 0, len(text) - len(comment.reason)) + len(last)
    at = comment.comment.start + len(encode(text[:end]))
    return Edit(at, at, "".join(f",{code}" for code in sorted(codes)))


def _line(source: Source, instruction: Span, codes: set[str], reason: str | None) -> Edit:
    start, _ = source.line_span(source.line_of(instruction.start))
    if start == 0 and source.bom:
        start = len(UTF8_BOM)
    before = source.text(Span(start, instruction.start))
    indent = "" if before.strip() else before
    text = f"# dockerslim: ignore={','.join(sorted(codes))}" + ("" if reason == "" else f"; reason={reason or ''}")
    return Edit(start, start, f"{indent}{text}{source.newline}")

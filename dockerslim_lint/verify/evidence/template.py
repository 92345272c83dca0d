"""What a program prints every time: made of two outputs of it, held against a third."""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from dockerslim_lint.record import Record

LINE_LIMIT = 2000
"""Lines that are compared; programs that flood print the same ones over and over."""
_LENGTH_LIMIT = 2000
_ALIGN_LIMIT = 400
_TOKEN = re.compile(r"\w+|\s+|[^\w\s]")
_DIGITS = re.compile(r"[0-9a-fA-F]*\d[0-9a-fA-F]*")

Pattern = tuple[str | None, ...]
"""Tokens of a line in order; None stands for any tokens."""


class Template(Record):
    """Lines in order; a line of None stands for any lines. `ordered` False: only the set of lines counts, as it is."""

    lines: tuple[Pattern | None, ...]
    ordered: bool
    masked: int
    """Places in which the two outputs differed."""


class Match(Record):
    """`lines`: how many were really compared. `problem`: the first one that differs, "" if none."""

    lines: int
    problem: str


def make_template(first: list[str], second: list[str]) -> Template:
    """What `first` and `second`, two outputs of one program, have in common."""
    first, second = first[:LINE_LIMIT], second[:LINE_LIMIT]
    if first == second:
        return Template(tuple(tuple(_tokens(line)) for line in first), True, 0)
    if len(first) == len(second):
        if sorted(first) == sorted(second):
            return Template(tuple(tuple(_tokens(line)) for line in sorted(first)), False, 1)
        patterns: list[Pattern | None] = [_pattern(a, b) for a, b in zip(first, second, strict=True)]
        return Template(tuple(patterns), True, sum(a != b for a, b in zip(first, second, strict=True)))
    lines: list[Pattern | None] = []
    masked = 0
    matcher = SequenceMatcher(None, [_shape(line) for line in first], [_shape(line) for line in second], autojunk=False)
    for kind, a, a_end, b, b_end in matcher.get_opcodes():
        if kind == "equal":
            pairs = list(zip(first[a:a_end], second[b:b_end], strict=True))
            lines += [_pattern(one, other) for one, other in pairs]
            masked += sum(one != other for one, other in pairs)
        else:
            lines.append(None)
            masked += 1
    return Template(tuple(lines), True, masked)


def match_template(template: Template, output: list[str]) -> Match:
    """Hold `output` against what the program prints every time.

    The same lines in another order are no difference: hash maps and threads may have agreed twice by chance.
    """
    output = output[:LINE_LIMIT]
    if not template.ordered:
        return _match_unordered(template, output)
    match = _match_ordered(template, output)
    whole = [line for line in template.lines if line is not None and None not in line]
    if match.problem and len(whole) == len(template.lines) and not _match_unordered(template, output).problem:
        return Match(match.lines, "")
    return match


def _match_ordered(template: Template, output: list[str]) -> Match:
    compared = sum(1 for line in template.lines if line is not None and _says_something(line))
    chunks: list[list[Pattern]] = [[]]
    for line in template.lines:
        if line is None:
            chunks.append([])
        else:
            chunks[-1].append(line)
    at = 0
    for number, chunk in enumerate(chunks):
        first, last = number == 0, number == len(chunks) - 1
        if first and last and len(output) != len(chunk):
            return Match(compared, _first_difference(chunk, output))
        if first:
            start: int | None = 0 if _fits(chunk, output, 0) else None
        elif last:
            start = len(output) - len(chunk)
            start = start if start >= at and _fits(chunk, output, start) else None
        else:
            start = next((i for i in range(at, len(output) - len(chunk) + 1) if _fits(chunk, output, i)), None)
        if start is None:
            return Match(compared, _first_difference(chunk, output[at:], at))
        at = start + len(chunk)
    return Match(compared, "")


def _match_unordered(template: Template, output: list[str]) -> Match:
    wanted = sorted("".join(token or "" for token in line or ()) for line in template.lines)
    got = sorted(line[:_LENGTH_LIMIT] for line in output)
    compared = sum(1 for line in template.lines if line is not None and _says_something(line))
    if wanted == got:
        return Match(compared, "")
    missing = next((line for line in wanted if line not in got), None)
    extra = next((line for line in got if line not in wanted), None)
    return Match(compared, f"{_quoted(missing)} → {_quoted(extra)}")


def _first_difference(chunk: list[Pattern], output: list[str], offset: int = 0) -> str:
    for number, pattern in enumerate(chunk):
        line = output[number] if number < len(output) else None
        if line is None or not _line_fits(pattern, line):
            text = "".join("…" if token is None else token for token in pattern)
            return f"line {offset + number + 1}: {_quoted(text)} → {_quoted(line)}"
    extra = output[len(chunk)] if len(chunk) < len(output) else None
    return f"line {offset + len(chunk) + 1}: {_quoted(None)} → {_quoted(extra)}"


def _quoted(line: str | None) -> str:
    if line is None:
        return "nothing"
    return f"“{line[:157]}…”" if len(line) > 160 else f"“{line}”"


def _fits(chunk: list[Pattern], output: list[str], start: int) -> bool:
    if start + len(chunk) > len(output):
        return False
    return all(_line_fits(pattern, output[start + number]) for number, pattern in enumerate(chunk))


def _line_fits(pattern: Pattern, line: str) -> bool:
    """A match with any tokens for each None: the first and last pieces are fixed, those between are found leftmost."""
    tokens = _tokens(line)
    if None not in pattern:
        return list(pattern) == tokens
    pieces: list[list[str]] = [[]]
    for token in pattern:
        if token is None:
            pieces.append([])
        else:
            pieces[-1].append(token)
    head, *middle, tail = pieces
    if len(head) + len(tail) > len(tokens) or tokens[: len(head)] != head or (tail and tokens[-len(tail) :] != tail):
        return False
    at, end = len(head), len(tokens) - len(tail)
    for piece in middle:
        found = next((i for i in range(at, end - len(piece) + 1) if tokens[i : i + len(piece)] == piece), None)
        if found is None:
            return False
        at = found + len(piece)
    return True


def _pattern(first: str, second: str) -> Pattern:
    """The tokens that two lines share, None between."""
    if first == second:
        return tuple(_tokens(first))
    one, other = _tokens(first), _tokens(second)
    result: list[str | None] = []
    if len(one) == len(other):
        for a, b in zip(one, other, strict=True):
            if a == b:
                result.append(a)
            elif not result or result[-1] is not None:
                result.append(None)
        return tuple(result)
    if max(len(one), len(other)) > _ALIGN_LIMIT:
        return _ends(one, other)
    for kind, a_start, a_end, _, _ in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if kind == "equal":
            result += one[a_start:a_end]
        elif not result or result[-1] is not None:
            result.append(None)
    return tuple(result)


def _ends(one: list[str], other: list[str]) -> Pattern:
    """The tokens that two lines begin and end with, None between."""
    short = min(len(one), len(other))
    head = next((i for i in range(short) if one[i] != other[i]), short)
    tail = next((i for i in range(short - head) if one[-1 - i] != other[-1 - i]), short - head)
    return (*one[:head], None, *one[len(one) - tail :])


def _tokens(line: str) -> list[str]:
    return _TOKEN.findall(line[:_LENGTH_LIMIT])


def _shape(line: str) -> str:
    """A line without its numbers, by which lines of two outputs find each other."""
    return _DIGITS.sub("0", line[:_LENGTH_LIMIT])


def _says_something(pattern: Pattern) -> bool:
    """Whether a line has a word of its own left, not marks and masks alone."""
    text = "".join(token or " " for token in pattern)
    return re.search(r"\w", re.sub(r"‹\w+›", "", text)) is not None

"""dockerfile-parse as a second opinion on what a fix has changed, and our tree in its format.

dockerfile-parse reads heredoc bodies as instructions, ends a continuation at an empty line and knows no BOM. That does no
harm here: it reads the old and the new file in the same way, and only what differs between the two is of interest.
"""

from __future__ import annotations

from collections.abc import Set
from io import BytesIO
from typing import Any

from dockerslim_lint.source import Source
from dockerslim_lint.syntax.lines import line_end, logical_line, trim
from dockerslim_lint.syntax.tree import Dockerfile, Instruction

Record = dict[str, Any]
"""``instruction`` (upper case), ``startline`` and ``endline`` (0-based), ``content`` (as written), ``value`` (joined)."""


def to_dockerfile_parse(dockerfile: Dockerfile, source: Source) -> list[Record]:
    """The tree as dockerfile-parse's `structure`: instructions, and comments that stand between them (not those inside a continuation)."""
    text = source.data.decode("latin-1")
    found: list[Record] = []
    for node in dockerfile.nodes:
        if isinstance(node, Instruction):
            line, _, _ = logical_line(text, node.span.start, line_end(text, node.span.start), dockerfile.escape)
            start, end = trim(line, 0, len(line))
            start, end = trim(line, start + _keyword_length(line, start, end), end)
            name, value = node.keyword, line[start:end].encode("latin-1").decode("utf-8", "surrogateescape")
        elif node.kind in ("comment", "directive"):
            name, value = "COMMENT", source.text(node.span).lstrip(" \t\v\f\r")[1:].strip(" \t\v\f\r\n")
        else:
            continue
        # An instruction's content begins with its line, as dockerfile-parse has it.
        first = source.line_of(node.span.start)
        last = source.line_of(max(node.span.end - 1, node.span.start))
        content = source.data[source.line_starts[first - 1] : node.span.end]
        found.append(
            {
                "instruction": name,
                "startline": first - 1,
                "endline": last - 1,
                "content": content.decode("utf-8", "surrogateescape"),
                "value": value,
            }
        )
    return found


def _keyword_length(line: str, start: int, end: int) -> int:
    at = start
    while at < end and line[at] not in " \t\v\f\r":
        at += 1
    return at - start


def records(data: bytes) -> list[Record] | None:
    """What dockerfile-parse itself reads in these bytes; None if they are not UTF-8, which it cannot decode."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    from dockerfile_parse import DockerfileParser

    found: list[Record] = DockerfileParser(fileobj=BytesIO(data), env_replace=False).structure
    return found


def changed_outside(old: bytes, new: bytes, edited_old: Set[int], edited_new: Set[int]) -> str | None:
    """The first record of dockerfile-parse that a fix has changed outside of the instructions that it says it edited; None if there is none.

    `edited_old` and `edited_new` are the 1-based lines of those instructions in the old and in the new file. A record that
    lies wholly within them may do as it likes; of any other one, the lines outside must be the same, and begin the same
    instruction. None, too, where one of the files cannot be decoded: then nothing was checked (see `records`).
    """
    before, after = records(old), records(new)
    if before is None or after is None:
        return None
    left, right = _outside(before, edited_old), _outside(after, edited_new)
    for (line, name, lines), (_, new_name, new_lines) in zip(left, right, strict=False):
        if (name, lines) != (new_name, new_lines):
            return f"line {line}: {_shown(name, lines)} became {_shown(new_name, new_lines)}"
    if len(left) > len(right):
        line, name, lines = left[len(right)]
        return f"line {line}: {_shown(name, lines)} is gone"
    if len(right) > len(left):
        line, name, lines = right[len(left)]
        return f"line {line} of the new file: {_shown(name, lines)} was not there"
    return None


def _outside(found: list[Record], edited: Set[int]) -> list[tuple[int, str, tuple[str, ...]]]:
    """Of each record that is not wholly edited: its first line that is not, its instruction ("" if that line is edited), its lines that are not."""
    comments = {record["startline"] for record in found if record["instruction"] == "COMMENT"}
    outside = []
    for record in found:
        number = record["startline"]
        kept: list[tuple[int, str]] = []
        for line in _split_lines(record["content"]):
            # A comment inside a continuation is a record of its own.
            while number in comments and record["instruction"] != "COMMENT":
                number += 1
            number += 1
            if number not in edited:
                kept.append((number, line))
        if kept:
            name = record["instruction"] if kept[0][0] == record["startline"] + 1 else ""
            outside.append((kept[0][0], name, tuple([line for _, line in kept])))
    return outside


def _split_lines(content: str) -> list[str]:
    """Lines with their ``\\n``; `str.splitlines` would take other characters for line ends, too."""
    lines = [line + "\n" for line in content.split("\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def _shown(name: str, lines: tuple[str, ...]) -> str:
    text = "".join(lines).strip()
    return repr(text if len(text) <= 60 else text[:59] + "…") if name else f"the continuation {text[:60]!r}"

"""Unified diffs of bytes: what `patch` reads, and what a terminal may see."""

from __future__ import annotations

from difflib import SequenceMatcher

from dockerslim_lint.output.interface import Line, Piece
from dockerslim_lint.output.printable import printable
from dockerslim_lint.source import decode

_CONTEXT = 3
_NO_NEWLINE = b"\n\\ No newline at end of file\n"


def unified(before: bytes, after: bytes, path: str) -> bytes:
    """A unified diff, byte for byte; empty if nothing differs. Both sides are called `path`."""
    if before == after:
        return b""
    old, new = lines_of(before), lines_of(after)
    name = path.encode("utf-8", "surrogateescape")
    out = [b"--- " + name + b"\n", b"+++ " + name + b"\n"]
    matcher = SequenceMatcher[bytes]()
    matcher.opcodes = opcodes(old, new)  # type: ignore[attr-defined]  # get_grouped_opcodes() reads them from here
    for group in matcher.get_grouped_opcodes(_CONTEXT):
        first, last = group[0], group[-1]
        out.append(b"@@ -%s +%s @@\n" % (_range(first[1], last[2]), _range(first[3], last[4])))
        for tag, old_start, old_end, new_start, new_end in group:
            if tag == "equal":
                out += (_line(b" ", line) for line in old[old_start:old_end])
                continue
            out += (_line(b"-", line) for line in old[old_start:old_end])
            out += (_line(b"+", line) for line in new[new_start:new_end])
    return b"".join(out)


def diff_lines(diff: bytes) -> list[Line]:
    """A diff for a terminal: escaped, coloured, a carriage return at the line's end not shown."""
    styles = {"+": "green", "-": "red", "@": "cyan"}
    lines: list[Line] = []
    for raw in decode(diff).removesuffix("\n").split("\n"):
        text = raw.removesuffix("\r")
        style = "bold" if text.startswith(("--- ", "+++ ")) and len(lines) < 2 else styles.get(text[:1], "")
        lines.append((Piece("\t".join(map(printable, text.split("\t"))), style),))
    return lines


def opcodes(old: list[bytes], new: list[bytes]) -> list[tuple[str, int, int, int, int]]:
    """`SequenceMatcher.get_opcodes`, but only what lies between the common head and tail is compared: that costs little."""
    shorter = min(len(old), len(new))
    head = 0
    while head < shorter and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < shorter - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    middle = SequenceMatcher(None, old[head : len(old) - tail], new[head : len(new) - tail], autojunk=False)
    found = [
        (str(tag), old_start + head, old_end + head, new_start + head, new_end + head)
        for tag, old_start, old_end, new_start, new_end in middle.get_opcodes()
    ]
    if head:
        found.insert(0, ("equal", 0, head, 0, head))
    if tail:
        found.append(("equal", len(old) - tail, len(old), len(new) - tail, len(new)))
    return found


def lines_of(data: bytes) -> list[bytes]:
    """The lines with their ends; only a line feed ends one."""
    *lines, last = data.split(b"\n")
    return [line + b"\n" for line in lines] + ([last] if last else [])


def _range(start: int, end: int) -> bytes:
    length = end - start
    return b"%d" % (start + 1) if length == 1 else b"%d,%d" % (start + 1 if length else start, length)


def _line(mark: bytes, line: bytes) -> bytes:
    return mark + line if line.endswith(b"\n") else mark + line + _NO_NEWLINE

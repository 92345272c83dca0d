"""What tree-sitter-bash cannot read, shown to it in another way.

- It reads one heredoc a command, and puts what follows ``<<EOF`` on its line inside the redirect: ``<<EOF`` is shown as
  ``< EOF``, and the body as empty lines.
- In the idiom `` `# a comment` `` it takes the closing backquote for a part of the comment: the inside is shown as a ``:``.
- ``((a) && b)`` it takes for arithmetic: a space is put between the parentheses.
- A backslash at the end of a line it takes for white space, also inside a word: the two lines are joined.
"""

from __future__ import annotations

from dockerslim_lint.record import Record
from dockerslim_lint.syntax.tree import LogicalText

_WORD_END = " \t\n;&|<>()"


class Rewritten(Record):
    """A script for the grammar: `raw` (latin-1) is as long as ``text.data``, which is the script but for spaces put in and
    lines joined.

    `operators` holds ``<<`` or ``<<-`` for the index of each ``<`` that was one.
    """

    text: LogicalText
    raw: str
    operators: dict[int, str]


def rewrite(text: LogicalText) -> Rewritten:
    """`text` as the grammar can read it."""
    raw = text.data.decode("latin-1")
    if "((" in raw or "\\\n" in raw or "\\\r\n" in raw:
        edits = _Scanner(raw).edits()
        if edits:
            text = _edited(text, edits)
            raw = text.data.decode("latin-1")
    if "<<" not in raw and "`#" not in raw:
        return Rewritten(text, raw, {})
    scanner = _Scanner(raw)
    raw = scanner.scan()
    return Rewritten(text, raw, scanner.operators)


def _edited(text: LogicalText, edits: list[tuple[int, int]]) -> LogicalText:
    """`text` with so many bytes removed at each index; where it is none, a space is put in, with the place of the character behind it."""
    data, known = text.data, text.segments
    parts: list[bytes] = []
    segments: list[tuple[int, int]] = []
    start = size = current = 0
    for at, removed in [*edits, (len(data), 0)]:
        parts.append(data[start:at])
        while start < at:
            while current + 1 < len(known) and known[current + 1][0] <= start:
                current += 1
            stop = min(at, known[current + 1][0]) if current + 1 < len(known) else at
            segments.append((size, known[current][1] + start - known[current][0]))
            size += stop - start
            start = stop
        if not removed and at < len(data):
            segments.append((size, text.offset(at)))
            parts.append(b" ")
            size += 1
        start = at + removed
    return LogicalText(b"".join(parts), tuple(segments) or ((0, text.offset(0)),))


class _Scanner:
    """Goes once through a script, as far as quotes, substitutions and heredocs go."""

    def __init__(self, raw: str) -> None:
        self._raw = raw
        self._out: list[str] = []
        self._copied = 0
        self._pending: list[_Opening] = []
        # What is open: '"', "`", "}", ")" or "))", and where it began.
        self._open: list[tuple[str, int]] = []
        self._edits: list[tuple[int, int]] = []
        self.operators: dict[int, str] = {}

    def edits(self) -> list[tuple[int, int]]:
        """Indices between two parentheses that open one thing each, with 0, and those where lines are joined, with the bytes between them."""
        self.scan()
        return sorted(self._edits)

    def scan(self) -> str:
        """The script with heredocs and comments in backquotes hidden."""
        raw = self._raw
        size = len(raw)
        at = 0
        while at < size:
            char = raw[at]
            inside, began = self._open[-1] if self._open else ("", 0)
            if char == "\\":
                joined = 2 if raw.startswith("\n", at + 1) else 3 if raw.startswith("\r\n", at + 1) else 0
                if joined:
                    self._edits.append((at, joined))
                at += joined or 2
            elif char == "\n":
                at = self._bodies(at + 1) if self._pending else at + 1
            elif raw.startswith("$((", at):
                at = self._enter("))", at, 3)
            elif raw.startswith(("$(", "${"), at):
                at = self._enter(")" if raw[at + 1] == "(" else "}", at, 2)
            elif inside and raw.startswith(inside, at):
                self._open.pop()
                at += len(inside)
            elif inside == "))" and char == ")":
                # Not arithmetic, then: one of the two parentheses is still open.
                self._open[-1] = (")", began)
                self._edits.append((began + (2 if raw[began] == "$" else 1), 0))
                at += 1
            elif inside == '"':
                at = self._enter("`", at, 1) if char == "`" else at + 1
            elif char == "`" and raw.startswith("`#", at):
                at = self._comment(at)
            elif char in '"`':
                at = self._enter(char, at, 1)
            elif char == "'":
                at = raw.find("'", at + 1) + 1 or size
            elif char == "(":
                at = self._enter("))", at, 2) if raw.startswith("((", at) else self._enter(")", at, 1)
            elif char == "#" and inside not in ("}", "))") and (at == 0 or raw[at - 1] in _WORD_END):
                at = raw.find("\n", at)
                at = size if at < 0 else at
            elif raw.startswith("<<<", at):
                at += 3
            elif raw.startswith("<<", at) and inside not in ("))", "}"):
                at = self._opening(at)
            else:
                at += 1
        self._out.append(raw[self._copied :])
        return "".join(self._out)

    def _enter(self, end: str, at: int, width: int) -> int:
        self._open.append((end, at))
        return at + width

    def _comment(self, at: int) -> int:
        end = self._raw.find("`", at + 1)
        if end < 0:
            return len(self._raw)
        self._replace(at + 1, end, ":" + " " * (end - at - 2))
        return end + 1

    def _replace(self, start: int, end: int, text: str) -> None:
        self._out += (self._raw[self._copied : start], text)
        self._copied = end

    def _opening(self, at: int) -> int:
        raw = self._raw
        operator = "<<-" if raw.startswith("<<-", at) else "<<"
        behind = at + len(operator)
        while raw[behind : behind + 1] in (" ", "\t"):
            behind += 1
        name, end = _delimiter(raw, behind)
        if end == behind:
            return behind
        self.operators[at] = operator
        self._replace(at + 1, at + len(operator), " " * (len(operator) - 1))
        self._pending.append(_Opening(name, operator == "<<-"))
        return end

    def _bodies(self, at: int) -> int:
        raw = self._raw
        start = at
        for opening in self._pending:
            while at < len(raw):
                end = raw.find("\n", at)
                end = len(raw) if end < 0 else end
                line = raw[at:end].lstrip("\t") if opening.strip_tabs else raw[at:end]
                at = end + 1
                if line == opening.name:
                    break
        self._pending.clear()
        # The newline of the last terminator stays: it ends nothing that the hidden text had begun.
        stop = min(max(at - 1, start), len(raw))
        self._replace(start, stop, "".join([char if char == "\n" else " " for char in raw[start:stop]]))
        return min(at, len(raw))


class _Opening(Record):
    name: str
    strip_tabs: bool


def _delimiter(raw: str, at: int) -> tuple[str, int]:
    name: list[str] = []
    quote = ""
    while at < len(raw):
        char = raw[at]
        if quote:
            if char == quote:
                quote = ""
            elif char == "\n":
                break
            else:
                name.append(char)
        elif char in "'\"":
            quote = char
        elif char == "\\" and at + 1 < len(raw):
            at += 1
            name.append(raw[at])
        elif char in _WORD_END:
            break
        else:
            name.append(char)
        at += 1
    return "".join(name), at

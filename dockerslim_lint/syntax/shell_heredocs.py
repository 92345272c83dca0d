"""Heredocs inside a shell script, hidden from the grammar.

tree-sitter-bash reads one heredoc a command, and puts what follows the ``<<EOF`` on its line inside the redirect. So
``<<EOF`` is shown to it as ``< EOF`` and the body as empty lines, all of the same length.
"""

from __future__ import annotations

from typing import NamedTuple

_WORD_END = " \t\n;&|<>()"


class Hidden(NamedTuple):
    """A script without heredocs, and the indices of the ``<`` that were ``<<`` or ``<<-``."""

    raw: str
    operators: dict[int, str]


class _Opening(NamedTuple):
    name: str
    strip_tabs: bool


def hide_heredocs(raw: str) -> Hidden:
    """`raw` is the script as latin-1."""
    if "<<" not in raw:
        return Hidden(raw, {})
    return _Scanner(raw).scan()


class _Scanner:
    def __init__(self, raw: str) -> None:
        self._raw = raw
        self._out: list[str] = []
        self._copied = 0
        self._operators: dict[int, str] = {}
        self._pending: list[_Opening] = []
        # What is open: '"', "`", ")" or "))".
        self._open: list[str] = []

    def scan(self) -> Hidden:
        raw = self._raw
        size = len(raw)
        at = 0
        while at < size:
            char = raw[at]
            inside = self._open[-1] if self._open else ""
            if char == "\\":
                at += 2
            elif char == "\n":
                at = self._bodies(at + 1) if self._pending else at + 1
            elif raw.startswith("$((", at):
                self._open.append("))")
                at += 3
            elif raw.startswith("$(", at) or raw.startswith("${", at):
                self._open.append(")" if raw[at + 1] == "(" else "}")
                at += 2
            elif inside and raw.startswith(inside, at):
                self._open.pop()
                at += len(inside)
            elif inside == '"':
                if char == "`":
                    self._open.append(char)
                at += 1
            elif char in '"`':
                self._open.append(char)
                at += 1
            elif char == "'":
                at = raw.find("'", at + 1) + 1 or size
            elif char == "(":
                double = raw.startswith("((", at)
                self._open.append("))" if double else ")")
                at += 2 if double else 1
            elif char == "#" and not inside.startswith(("}", "))")) and (at == 0 or raw[at - 1] in _WORD_END):
                at = raw.find("\n", at)
                at = size if at < 0 else at
            elif raw.startswith("<<<", at):
                at += 3
            elif raw.startswith("<<", at) and inside not in ("))", "}"):
                at = self._opening(at)
            else:
                at += 1
        self._out.append(raw[self._copied :])
        return Hidden("".join(self._out), self._operators)

    def _opening(self, at: int) -> int:
        raw = self._raw
        operator = "<<-" if raw.startswith("<<-", at) else "<<"
        behind = at + len(operator)
        while raw[behind : behind + 1] in (" ", "\t"):
            behind += 1
        name, end = _delimiter(raw, behind)
        if end == behind:
            return behind
        self._operators[at] = operator
        self._out.append(raw[self._copied : at + 1])
        self._out.append(" " * (len(operator) - 1))
        self._copied = at + len(operator)
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
        self._out.append(raw[self._copied : start])
        self._out.append("".join(char if char == "\n" else " " for char in raw[start:stop]))
        self._copied = stop
        return min(at, len(raw))


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

"""What the scripts that an image starts need and its base lacks. Loaded when a rule asks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from dockerslim_lint.catalog import commands as known_commands
from dockerslim_lint.catalog import packages, programs
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.commands import LEAVES, SHELLS
from dockerslim_lint.facts.model import Launch, ScriptNeed
from dockerslim_lint.facts.runs import Start
from dockerslim_lint.facts.scripts import interpreter_of
from dockerslim_lint.source import Span
from dockerslim_lint.syntax import script as sh
from dockerslim_lint.syntax.calls import read_calls
from dockerslim_lint.syntax.shell import parse_shell, shell_form
from dockerslim_lint.syntax.tree import Instruction, LogicalText

if TYPE_CHECKING:
    from dockerslim_lint.facts.inside import Inside
    from dockerslim_lint.facts.walk import StageState

REPLACES = "exec"

BY_NAME = "env"
"""What looks an interpreter up in PATH."""

SETS_PATH = re.compile(rb"(?<![A-Za-z0-9_])PATH=")
"""PATH itself, and no variable whose name ends so."""

READS_MORE = frozenset({".", "source", "eval", "alias"})
"""Words of a shell after which any name may be another thing."""

ENDLESS = frozenset({"true", ":", "false"})
"""Conditions of loops that go on until something in them leaves."""

NOT_RUN = ("[[", "((")
"""Tests of bash: they run no program of their own."""

_Started = tuple[str, int, Span, list[str]]
"""Role, instruction, place of the script's name, what starts with its first arguments."""


def script_needs(
    state: StageState, inside: Inside, instructions: Sequence[Instruction], launch: Launch
) -> Iterator[ScriptNeed]:
    """Interpreters that are not there, and programs that a script surely calls and that are not there.

    Nothing for a script whose text is not known, nor for a program of which it speaks in any other way: it may look for it,
    or install it.
    """
    if inside.base is None:
        return
    for role, index, span, words in (
        *_launched(state, inside, instructions, launch),
        *_checked(state, inside, instructions),
    ):
        by_shell = patterns.basename(words[0]) in SHELLS
        name = next((word for word in words[1:] if word[:1] not in "-+"), "") if by_shell else words[0]
        if not name or (by_shell and any(word[:1] in "-+" and word.endswith("c") for word in words[1:])):
            continue
        path = patterns.join(state.workdir, name) if by_shell or "/" in name else inside.place_of(name)
        data = inside.script(path) if path is not None else None
        if data is None or b"\r" in data:
            continue
        behind = interpreter_of(data)
        lacking = "" if by_shell else _lacking_interpreter(behind, inside)
        if lacking:
            yield ScriptNeed(index, span, role, name, lacking, 1, True)
        elif by_shell or any(patterns.basename(word) in SHELLS for word in behind):
            for program, line in _lacking_programs(data, inside):
                yield ScriptNeed(index, span, role, name, program, line)


def _launched(
    state: StageState, inside: Inside, instructions: Sequence[Instruction], launch: Launch
) -> Iterator[_Started]:
    if launch.from_base or (inside.base is not None and inside.base.entrypoint and state.entrypoint is None):
        return
    start = Start(state, instructions, bool(launch.init))
    if start.script is not None:
        yield from _of_text("launch", *start.script, inside)
    elif start.strings:
        index, string = start.strings[0]
        yield "launch", index, string.span, start.words


def _checked(state: StageState, inside: Inside, instructions: Sequence[Instruction]) -> Iterator[_Started]:
    index = state.healthcheck
    if index is None or instructions[index].healthcheck != "CMD":
        return
    strings, text = instructions[index].json, shell_form(instructions[index])
    if strings:
        yield "health", index, strings[0].span, [string.text for string in strings]
    elif text is not None:
        yield from _of_text("health", index, text, inside)


def _of_text(role: str, index: int, text: LogicalText, inside: Inside) -> Iterator[_Started]:
    """The commands of a shell that the file itself writes out."""
    parsed = parse_shell(text)
    if not inside.shell or parsed.broken:
        return
    for node in _Sure(parsed.root).found:
        words = _behind_wrappers(_words(node))
        if words:
            yield role, index, node.span, words


def _lacking_interpreter(words: list[str], inside: Inside) -> str:
    """The program behind ``#!`` that is not there; "" where it may be."""
    if not words or not words[0].startswith("/"):
        return ""
    if inside.program(words[0], None) is False:
        return words[0]
    named = words[1:2] if patterns.basename(words[0]) == BY_NAME else []
    return next(
        (word for word in named if word[0] != "-" and "=" not in word and inside.program(word, None) is False), ""
    )


def _lacking_programs(data: bytes, inside: Inside) -> Iterator[tuple[str, int]]:
    """Programs with the line that calls them first."""
    calls = read_calls(data)
    parsed = parse_shell(LogicalText(data, ((0, 0),)))
    names = [words[0] for one in calls.called if (words := _behind_wrappers([word or "" for word in one.words]))]
    if calls.broken or parsed.broken or SETS_PATH.search(data) or any(map(packages.family_of, names)):
        return
    spoken = [patterns.basename(part) for text, _ in calls.texts for part in text.split()]
    told = set(calls.functions)
    for node in _Sure(parsed.root).found:
        name = next(iter(_behind_wrappers(_words(node))), "")
        bare = patterns.basename(name)
        if not bare or bare in told or ("/" in name and not name.startswith("/")):
            continue
        told.add(bare)
        known = programs.is_tool(bare) or packages.with_program(bare)
        alone = spoken.count(bare) <= sum(patterns.basename(one) == bare for one in names)
        if known and alone and inside.program(name, None) is False:
            yield name, data.count(b"\n", 0, node.span.start) + 1


def _words(node: sh.Simple) -> list[str]:
    """The words up to the first that only a running shell knows."""
    found: list[str] = []
    for word in node.words:
        text = word.literal
        if not text or word.has_glob:
            break
        found.append(text)
    return found


def _behind_wrappers(words: list[str]) -> list[str]:
    """What ``exec``, ``nohup`` and their like run; [] where options or assignments stand between."""
    while words and known_commands.is_wrapper(words[0]):
        words = words[1:]
        if words and (not words[0] or words[0].startswith("-") or "=" in words[0]):
            return []
    return words


class _Sure:
    """The commands of a script that run whatever the script is given, until it may have ended: `found`, in order.

    A command behind ``&&``, in a condition's branch or in a function may not run. What fails on the way is not thought of,
    nor is an ``exit`` that says so with its number.
    """

    def __init__(self, root: sh.Node) -> None:
        self.found: list[sh.Simple] = []
        self._leaving: set[str] = {REPLACES, *LEAVES, *READS_MORE}
        self._over = False
        self._walk(root)

    def _walk(self, node: sh.Node) -> None:
        if self._over:
            return
        match node:
            case sh.Simple():
                self.found.append(node)
                self._over = self._may_leave(node)
            case sh.Sequence():
                self._sequence(node)
            case sh.Pipeline():
                for item in node.items:
                    self._walk(item)
            case sh.Group():
                self._walk(node.body)
            case sh.Negated():
                self._walk(node.item)
            case sh.Function():
                if self._may_leave(node.body):
                    self._leaving.add(node.name)
            case sh.Loop():
                words = _words(node.condition) if isinstance(node.condition, sh.Simple) else []
                if (node.condition is not None and words[:1] and words[0] not in ENDLESS) or isinstance(
                    node.condition, sh.Negated | sh.Pipeline
                ):
                    self._walk(node.condition)
                self._over = self._over or (words[:1] != [] and words[0] in ENDLESS) or self._may_leave(node)
            case _:
                self._over = self._may_leave(node)

    def _sequence(self, node: sh.Sequence) -> None:
        lists: list[list[tuple[str, sh.Node]]] = []
        for item, operator in zip(node.items, node.operators, strict=True):
            if operator in ("&&", "||") and lists:
                lists[-1].append((operator, item))
            else:
                lists.append([(operator, item)])
        for (_, first), *rest in lists:
            if not any(operator == "||" and not _gives_up(item) for operator, item in rest):
                self._walk(first)
            self._over = self._over or any(map(self._may_leave, (first, *(item for _, item in rest))))

    def _may_leave(self, node: sh.Node) -> bool:
        """Whether the script may end in it with success, go on as another program, or read what nobody sees."""
        match node:
            case sh.Simple():
                words = _words(node)
                return (
                    bool(words)
                    and words[0] in self._leaving
                    and len(node.words) > (words[0] == REPLACES)
                    and not _gives_up(node)
                )
            case sh.Sequence() | sh.Pipeline():
                return any(map(self._may_leave, node.items))
            case sh.Group() | sh.Function():
                return self._may_leave(node.body)
            case sh.Negated():
                return self._may_leave(node.item)
            case sh.If():
                parts = [part for branch in node.branches for part in branch]
                return any(map(self._may_leave, (*parts, *([node.otherwise] if node.otherwise is not None else []))))
            case sh.Case():
                return any(self._may_leave(body) for _, body in node.branches)
            case sh.Loop():
                return self._may_leave(node.body) or (node.condition is not None and self._may_leave(node.condition))
        return not node.text.startswith(NOT_RUN)


def _gives_up(node: sh.Node) -> bool:
    """Whether it ends the script as failed: ``exit 1``, also behind a message."""
    while isinstance(node, sh.Sequence | sh.Group):
        if isinstance(node, sh.Sequence) and not node.items:
            return False
        node = node.items[-1] if isinstance(node, sh.Sequence) else node.body
    words = _words(node) if isinstance(node, sh.Simple) else []
    return len(words) == 2 and words[0] in LEAVES and words[1].isdecimal() and words[1] != "0"

"""The programs that an image starts: by ENTRYPOINT and CMD, and by HEALTHCHECK."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from dockerslim_lint.catalog import commands as known_commands
from dockerslim_lint.catalog import packages, programs
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.commands import CommandReader
from dockerslim_lint.facts.model import Command, Started
from dockerslim_lint.source import Span
from dockerslim_lint.syntax.shell import shell_form
from dockerslim_lint.syntax.tree import Instruction

if TYPE_CHECKING:
    from dockerslim_lint.facts.inside import Inside
    from dockerslim_lint.facts.walk import StageState

_Call = tuple[int, Span, str, str | None]
"""Instruction, place, the program's name as written, the directory in which it is called."""


def started_programs(state: StageState, inside: Inside, instructions: Sequence[Instruction]) -> Iterator[Started]:
    """What starts with the container, and what its health check calls. Nothing for a base that is not known."""
    base = inside.base
    if base is None:
        return
    if not base.entrypoint or state.entrypoint is not None:
        for call in _launched(state, inside, instructions):
            yield _started(call, "launch", state, inside, instructions)
    if state.healthcheck is not None and instructions[state.healthcheck].healthcheck == "CMD":
        for call in _health(state.healthcheck, state, inside, instructions):
            yield _started(call, "health", state, inside, instructions)


def _started(call: _Call, role: str, state: StageState, inside: Inside, instructions: Sequence[Instruction]) -> Started:
    instruction, span, name, directory = call
    if instructions[instruction].json is not None and _is_joined(name, directory, inside):
        return Started(instruction, span, role, name, False, (), False, True)
    bare = patterns.basename(name)
    found = inside.program(name, directory)
    if found is None and role == "launch" and "/" in name:
        meant = inside.respelt(patterns.join(directory or "/*", name))
        if meant:
            return Started(instruction, span, role, name, False, (meant,), False, respelt=True)
    elsewhere = tuple(
        path
        for path, entry in (inside.own_programs if found is False else ())
        if bare in (patterns.basename(path), entry.name)
    )
    tool = found is False and (programs.is_tool(bare) or bool(packages.with_program(bare)))
    return Started(instruction, span, role, name, found, elsewhere, tool)


def _is_joined(name: str, directory: str | None, inside: Inside) -> bool:
    """Whether one string is a program with its arguments, and no file is called so."""
    first, space, rest = name.partition(" ")
    if not space or (directory is not None and inside.holds(patterns.join(directory, name))):
        return False
    if any(word.startswith("-") or "://" in word for word in rest.split()):
        return True
    bare = patterns.basename(first)
    return inside.program(first, directory) is True or programs.is_tool(bare) or bool(packages.with_program(bare))


def _launched(state: StageState, inside: Inside, instructions: Sequence[Instruction]) -> Iterator[_Call]:
    """What the container runtime starts, then what an init program starts in its place."""
    words: list[_Call] = []
    for index in (state.entrypoint, state.cmd):
        if index is None:
            continue
        instruction = instructions[index]
        if instruction.json is None:
            if not words and inside.shell:
                first = next(iter(_commands(index, state, instructions)), None)
                call = _call_of(first) if first is not None and first.certain else None
                if call is not None:
                    yield call
            break
        words += [(index, string.span, string.text, state.workdir) for string in instruction.json]
    if not words:
        return
    yield words[0]
    if len(words) == 1 or inside.program(words[0][2], state.workdir):
        return
    if any(package.role == "init" for package in packages.with_program(patterns.basename(words[0][2]))):
        rest = words[1:]
        at = next((at for at, word in enumerate(rest) if word[2] == "--"), -1) + 1
        following = next((word for word in rest[at:] if not word[2].startswith("-")), None)
        # an option before it may have a value, unless -- ends them
        if following is not None and (at > 0 or following is rest[0]):
            yield following


def health_commands(state: StageState, instructions: Sequence[Instruction]) -> tuple[Command, ...]:
    """All commands of a health check in shell form, those behind ``||`` and inside ``$(…)`` too."""
    return () if state.healthcheck is None else tuple(_commands(state.healthcheck, state, instructions))


def _health(index: int, state: StageState, inside: Inside, instructions: Sequence[Instruction]) -> Iterator[_Call]:
    """What the health check calls first: all of it that surely runs."""
    instruction = instructions[index]
    if instruction.json is not None:
        if instruction.json:
            first = instruction.json[0]
            yield index, first.span, first.text, state.workdir
        return
    if not inside.shell:
        return
    commands = _commands(index, state, instructions)
    if not commands:
        return
    if any(_is_alternative(command, inside) for command in commands[1:]):
        return
    call = _call_of(commands[0])
    if call is not None:
        yield call


def _is_alternative(command: Command, inside: Inside) -> bool:
    """Whether the command may be what is meant where the first one is missing (``curl … || wget …``)."""
    kind = known_commands.classify(command.name)
    if kind != "opaque" and not known_commands.may_bring(command.name):
        return False
    return not programs.is_tool(command.name) or inside.program(command.name, command.directory) is not False


def _commands(index: int, state: StageState, instructions: Sequence[Instruction]) -> list[Command]:
    text = shell_form(instructions[index])
    if text is None:
        return []
    variables = state.environment.environment
    reader = CommandReader(index, state.stage.number, state.workdir, variables, state.environment.known)
    return reader.read_text(text)


def _call_of(command: Command) -> _Call | None:
    """The program of a command; what a wrapper (``exec``) runs for it. None for the shell's own commands."""
    words = list(command.words)
    while words and words[0].exact and known_commands.is_wrapper(words[0].pattern):
        words = words[1:]
        if words and (words[0].pattern.startswith("-") or "=" in words[0].pattern):
            return None
    if not words or not words[0].exact:
        return None
    name = words[0].pattern
    known = known_commands.classify(name) != "opaque" and not known_commands.may_bring(name)
    return None if known else (command.instruction, words[0].span, name, command.directory)

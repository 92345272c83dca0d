"""The text of a script in a stage: from the context, from a heredoc, or written by a step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.model import Command, Transfer
from dockerslim_lint.facts.stages import chain_of
from dockerslim_lint.source import encode
from dockerslim_lint.syntax.shell import heredoc_text
from dockerslim_lint.syntax.tree import Heredoc, Instruction

if TYPE_CHECKING:
    from dockerslim_lint.facts.shared import Shared
    from dockerslim_lint.facts.walk import StageState

MAX_SCRIPT = 64 * 1024
"""A longer file is no start script."""

LEAVE_THE_TEXT = frozenset({"chmod", "chown", "chgrp", "ls", "stat", "test", "[", "mkdir", "touch"})
"""Commands after which a file reads as before."""

WRITERS = frozenset({"echo", "printf", "cat"})


def script_text(path: str, state: StageState, shared: Shared, instructions: Sequence[Instruction]) -> bytes | None:
    """What the file at an absolute path holds when the stage is done; None where that is not known."""
    commands = [command for command in shared.commands if command.stage in chain_of(state.stage, shared.stages)]
    if any(_changes(command, path) for command in commands):
        return None
    transfer = _bringing(path, state, shared, instructions)
    written = state.files.get(path)
    if written is not None and transfer is None:
        # `*` stands for what is not known, and shells do not agree on what echo makes of a backslash
        text = written.text
        return encode(text) if text is not None and "*" not in text and "\\" not in text else None
    if written is not None:
        return None
    data: bytes | None = None
    heredoc = _heredoc(path, transfer, instructions) if transfer is not None else None
    if heredoc is not None:
        data = heredoc_text(heredoc, shared.source)
        if heredoc.expand and b"$" in data:
            return None  # BuildKit puts its own variables into a body whose name is not quoted
    elif transfer is not None and transfer.origin_stage is not None:
        source = source_at(path, transfer)
        origin = shared.states[transfer.origin_stage]
        data = script_text(source, origin, shared, instructions) if source is not None else None
    elif transfer is None or not transfer.origin_image:
        place = state.brought.place_by(path, state.table.find(path))
        if place is not None and "*" not in place and not shared.contents.ignores(place):
            data = shared.context.read(place)
    return None if data is None or len(data) > MAX_SCRIPT or b"\0" in data else data


def interpreter_of(script: bytes) -> list[str]:
    """The words behind ``#!``; [] for a script without."""
    line = script.split(b"\n", 1)[0] if script.startswith(b"#!") else b""
    return line[2:].decode("utf-8", "replace").split()


def _changes(command: Command, path: str) -> bool:
    """Whether a command names the file and may change it."""
    if command.name in LEAVE_THE_TEXT or (command.name in WRITERS and path in command.writes):
        return False
    words = [patterns.join(command.directory or "/*", word.pattern) for word in command.words[1:] if word.pattern]
    return path in words or path in command.writes


def _bringing(path: str, state: StageState, shared: Shared, instructions: Sequence[Instruction]) -> Transfer | None:
    """The last COPY or ADD that names this very file."""
    chain = chain_of(state.stage, shared.stages)
    for transfer in reversed(shared.transfers):
        named = _heredoc(path, transfer, instructions) is not None or source_at(path, transfer) is not None
        if transfer.stage in chain and named:
            return transfer
    return None


def source_at(path: str, transfer: Transfer) -> str | None:
    """Which source a COPY makes this path of; None for none, or for a whole directory."""
    into = transfer.into_directory or transfer.directory_by_base
    for source in transfer.sources:
        target = patterns.join(transfer.destination, patterns.basename(source)) if into else transfer.destination
        if target == path:
            return patterns.join("/", source)
    return None


def _heredoc(path: str, transfer: Transfer, instructions: Sequence[Instruction]) -> Heredoc | None:
    for heredoc in instructions[transfer.instruction].heredocs:
        into = transfer.into_directory or transfer.directory_by_base
        if path == (patterns.join(transfer.destination, heredoc.name) if into else transfer.destination):
            return heredoc
    return None

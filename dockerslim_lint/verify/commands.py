"""Which commands are run in an image to see whether it still does what it did."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from dockerslim_lint.facts.at_start import run_at
from dockerslim_lint.record import Record
from dockerslim_lint.verify.health import read_check
from dockerslim_lint.verify.probe import Command

LEAST_WATCH = 5.0
"""The original command is watched at least this long, in seconds: some programs die late."""


class Limits(Record):
    """Seconds: for ``--version`` and ``--help``, for the user's own commands, for watching the original command."""

    default: float = 10.0
    smoke: float = 30.0
    watch: float = LEAST_WATCH

    def patient(self) -> Limits:
        """For an emulated platform, where a program may need seconds to start: three times as long.

        Without it a program that ends counted as "still running" on a loaded machine (seen: qemu, load 10).
        """
        return Limits(*(3 * seconds for seconds in self))


SHELLS = frozenset({"sh", "bash", "ash", "dash"})
"""As the image's command they are asked nothing themselves: each base has another one."""

SHELL = ("/bin/sh", "-c")
SHELL_ONLY = frozenset("$`\\\"'|&;<>()*?[]#~=%!\n")
DASHES = "--"


def commands_for(
    settings: Mapping[str, Any], smokes: tuple[str, ...], limits: Limits, programs: tuple[str, ...] = ()
) -> tuple[Command, ...]:
    """The commands for an image with these settings (the ``config`` part of its OCI config), in order.

    `smokes`, split as a shell splits words, stand in for the program with ``--version`` and ``--help``; the image's own
    command always comes last. Where that is a shell, the image's `programs` are asked in its place; where it is ``cargo run``,
    what that starts. Raises ValueError for a smoke command with a quote that is never closed.
    """
    entrypoint, cmd = _words(settings.get("Entrypoint")), _words(settings.get("Cmd"))
    program = entrypoint or cmd[:1]
    by_cargo = _quiet_run(entrypoint or cmd)
    if by_cargo and entrypoint:
        entrypoint = program = by_cargo
    elif by_cargo:
        cmd, program = by_cargo, by_cargo[: by_cargo.index(DASHES) + 1]
    commands = [Command(split_smoke(smoke), limits.smoke) for smoke in smokes]
    asked: tuple[tuple[str, ...], ...] = (program,) if program else ()
    if program and program[0].rpartition("/")[2] in SHELLS:
        asked = tuple((path,) for path in programs)
    if not smokes:
        commands += [Command((*one, flag), limits.default) for one in asked for flag in ("--version", "--help")]
    if entrypoint or cmd:
        commands.append(Command((*entrypoint, *cmd), max(limits.watch, LEAST_WATCH)))
    return tuple(commands)


def checked_command(settings: Mapping[str, Any], commands: tuple[Command, ...]) -> tuple[Command, ...]:
    """The image's own command, the last of `commands`, once more with the image's health check beside it; () without one.

    A run of its own: what a server logs of the check is no output to compare, since each image has another client.
    """
    check = read_check(settings)
    if check is None or not (settings.get("Entrypoint") or settings.get("Cmd")):
        return ()
    own = commands[-1]
    return (Command(own.argv, own.limit + check.patience, check),)


def split_smoke(text: str) -> tuple[str, ...]:
    """The argv of a smoke command. Raises ValueError when it is empty or a quote in it is never closed."""
    words = tuple(shlex.split(text))
    if not words:
        raise ValueError("a smoke command without words")
    return words


def _quiet_run(argv: tuple[str, ...]) -> tuple[str, ...]:
    """``cargo run`` without what cargo itself says, so that what follows are the program's arguments; () for another command."""
    if argv[:2] == SHELL and len(argv) == 3:
        argv = () if set(argv[2]) & SHELL_ONLY else tuple(argv[2].split())
    at = run_at(argv)
    if at is None:
        return ()
    return (*argv[: at + 1], "--quiet", *argv[at + 1 :], *(() if DASHES in argv else (DASHES,)))


def _words(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()

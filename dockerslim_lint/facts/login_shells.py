"""Login shells whose profile hides the toolchain. Loaded where a RUN has a login shell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dockerslim_lint.catalog import commands as known_commands
from dockerslim_lint.catalog import packages
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.cargo import behind_wrappers
from dockerslim_lint.facts.model import Command, LoginShell
from dockerslim_lint.facts.shared import Shared
from dockerslim_lint.facts.stages import chain_of
from dockerslim_lint.facts.walk import StageState
from dockerslim_lint.source import Span

PROFILES = ("/etc", "/root", "/home")
"""Where a login shell reads what it does first (bash(1), "INVOCATION")."""

READ_TOO = frozenset({"HOME", "BASH_ENV"})
"""Variables that name other places for that."""

SOURCES = frozenset({".", "source", "eval"})
"""What may set PATH in ways that are not read."""


def login_shells(shared: Shared) -> Iterator[LoginShell]:
    """The first command of each that calls the toolchain by name, where the image has that only in a directory of its own PATH.

    Nothing where a step before may have changed a profile, or put the toolchain where the profile's PATH leads.
    """
    seen: set[Span] = set()
    for at, command in enumerate(shared.commands):
        option = command.login
        words = command.words[behind_wrappers(command.words) :]
        if option is None or option in seen or not words or not known_commands.is_proxy(words[0].pattern):
            continue
        state = shared.states[command.stage]
        image, bound = state.stage.image, command.variables.get("PATH")
        if image is None or not image.understood or not image.login_path or bound is None or bound.origin != option:
            continue
        path = image.login_path.split(":")
        if not command.certain or f"{image.cargo_home}/bin" in path:
            continue
        chain = chain_of(state.stage, shared.stages)
        before = [one for one in shared.commands[:at] if one.stage in chain]
        if not _may_be_found(before, command, state, shared, (*PROFILES, *path)):
            seen.add(option)
            yield LoginShell(command, option, f"{image.cargo_home}/bin")


def _may_be_found(
    before: Sequence[Command], command: Command, state: StageState, shared: Shared, places: Sequence[str]
) -> bool:
    """Whether something may have put the toolchain, or a line of a profile, at one of the places."""

    def met(path: str) -> bool:
        return any(patterns.meet(path, place) for place in places)

    chain = chain_of(state.stage, shared.stages)
    return (
        not READ_TOO.isdisjoint({*state.environment.environment, *state.environment.arguments})
        or any(_may_put(one, places) for one in before)
        or any(one.name in SOURCES for one in before if one.instruction == command.instruction)
        or any(_may_hold(install.manager, name) for install in state.installs for name in install.packages)
        or any(
            met(one.destination)
            for one in shared.transfers
            if one.stage in chain and one.instruction < command.instruction
        )
        or any(met(one.target) for one in shared.mounts if one.instruction == command.instruction)
    )


def _may_put(command: Command, places: Sequence[str]) -> bool:
    if not command.name or known_commands.may_bring(command.name):
        return True
    directory = command.directory or "/*"
    words = [part for word in command.words[1:] for part in (word.pattern, word.pattern.rpartition("=")[2])]
    named = [patterns.join(directory, word) for word in words if word and not word.startswith("-")]
    return (
        any(word.startswith("*") for word in words)
        or any(patterns.below(directory, place) is not None for place in places)
        or any(patterns.meet(path, place) for path in (*named, *command.writes) for place in places)
    )


def _may_hold(manager: str, name: str) -> bool:
    known = packages.lookup(manager, name)
    return known is None or any(map(known_commands.is_proxy, known.programs))

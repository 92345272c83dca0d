"""Whether what an image starts may compile when it runs. Loaded where the image has a toolchain to lose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from dockerslim_lint.catalog import packages
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.model import Artifact, Command
from dockerslim_lint.facts.stages import chain_of

if TYPE_CHECKING:
    from dockerslim_lint.facts.shared import Shared
    from dockerslim_lint.facts.walk import StageState

NOT_FOR_THE_RUN = frozenset({"--version", "-V", "show", "self", "help", "clean"})
"""First words behind cargo or rustup that say nothing of what the image wants of them."""


def why_wanted(
    state: StageState, shared: Shared, chain: Sequence[int], artifacts: Sequence[tuple[str, Artifact]], compiled: bool
) -> str:
    """Why the programs of an image may want its toolchain, as a part of a sentence; "" where nothing says so.

    `compiled`: one of them is made in the image itself, so that its steps are for that.
    """
    if not compiled:
        command = next(filter(_asks_for_it, _own(shared, chain, artifacts)), None)
        if command is not None:
            line = shared.source.line_of(command.span.start)
            return f"the final stage runs {command.name} (line {line}), although it does not compile the program"
    programs = [*(entry for _, entry in artifacts), *_linked_to(state, shared, chain)]
    for number in dict.fromkeys(entry.call for entry in programs if entry.call is not None):
        crate = shared.crate_of_call[number]
        if crate is not None and shared.calls[number].source == "context":
            found = crate.starts_toolchain(tuple(entry.name for entry in programs if entry.call == number))
            if found:
                return found
    return ""


def _linked_to(state: StageState, shared: Shared, chain: Sequence[int]) -> Iterator[Artifact]:
    """The programs to which a step of the image makes a link, where cargo has put them."""
    for command in shared.commands:
        if command.stage in chain and command.name == "ln":
            for word in command.words[1:]:
                entry = state.table.find(patterns.join(command.directory or "/*", word.pattern))
                if isinstance(entry, Artifact):
                    yield entry


def _own(shared: Shared, chain: Sequence[int], artifacts: Sequence[tuple[str, Artifact]]) -> list[Command]:
    """The commands of the image's stages on which no stage is built that makes its programs."""
    builders = {shared.calls[entry.call].command.stage for _, entry in artifacts if entry.call is not None}
    below = {at for number in builders for at in chain_of(shared.stages[number], shared.stages)}
    return [command for command in shared.commands if command.stage in chain and command.stage not in below]


def _asks_for_it(command: Command) -> bool:
    """Whether a step adds to the toolchain, or uses it."""
    if not packages.is_toolchain_command(command.name):
        return False
    words = [word.pattern for word in command.words[1:] if not word.pattern.startswith("+")]
    return bool(words) and words[0] not in NOT_FOR_THE_RUN

"""What all stages of one file have in common while they are walked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dockerslim_lint.context import BuildContext
from dockerslim_lint.facts.contents import Contents
from dockerslim_lint.facts.crate.model import Crate
from dockerslim_lint.facts.crate.reader import CrateReader
from dockerslim_lint.facts.model import (
    CargoCall,
    Command,
    LostOutput,
    Mount,
    OutputUse,
    Stage,
    Stale,
    StepScript,
    Toolchain,
    Transfer,
    Value,
    Warmup,
)
from dockerslim_lint.facts.stages import StageNames
from dockerslim_lint.source import Source

if TYPE_CHECKING:
    from dockerslim_lint.facts.walk import StageState

CONFIG_DIRECTORY = ".cargo"
"""What holds cargo's configuration beside the sources."""


class Shared:
    """What all stages of one file have in common while it is walked."""

    def __init__(
        self,
        source: Source,
        context: BuildContext,
        crates: CrateReader,
        contents: Contents,
        arguments: Mapping[str, str],
    ) -> None:
        self.source = source
        self.context = context
        self.crates = crates
        self.contents = contents
        self.arguments = arguments
        self.speaks_of_config = b"config" in source.data or CONFIG_DIRECTORY.encode() in source.data
        self.scope: Mapping[str, Value] = {}
        self.stages: Sequence[Stage] = ()
        self.names = StageNames()
        """the stages before the one that is walked"""
        self.states: list[StageState] = []
        self.commands: list[Command] = []
        self.calls: list[CargoCall] = []
        self.crate_of_call: list[Crate | None] = []
        self.toolchains: list[Toolchain] = []
        self.transfers: list[Transfer] = []
        self.uses: list[OutputUse] = []
        self.mounts: list[Mount] = []
        self.warmups: list[Warmup] = []
        self.stale: list[Stale] = []
        self.lost: list[LostOutput] = []
        self.scripts: list[StepScript] = []

    def binaries(self, call: int) -> tuple[str, ...]:
        """The programs that a call is known to make; () if that is not known."""
        crate = self.crate_of_call[call]
        if crate is None or self.calls[call].source != "context":
            return ()
        return (*crate.binaries, *self.calls[call].examples)

    def unmade(self, call: int, name: str) -> str:
        """What keeps a call from making a program of its workspace, as a clause; "" where nothing surely does.

        One that it asks for by ``--bin`` is no such program: cargo refuses the call.
        """
        crate = self.crate_of_call[call]
        if crate is None or self.calls[call].source != "context" or name in self.calls[call].bins:
            return ""
        made = name in crate.binaries and name not in crate.conditional
        return "" if made else crate.unmade.get(name, "")

    def settings(self, call: int) -> object:
        """What the files of a call's workspace and its toolchain say to cargo, to be compared with those of another call."""
        crate, toolchain = self.crate_of_call[call], self.toolchains[call]
        files = (crate.root, crate.config) if crate is not None else None
        return files, toolchain.file, toolchain.version, toolchain.changed

"""The musl target is installed before the first call that needs it."""

from __future__ import annotations

from dockerslim_lint.catalog import platforms
from dockerslim_lint.facts.crate.config import ToolchainFile
from dockerslim_lint.facts.model import CargoCall, Command, ImageBuild, Mount, Warmup
from dockerslim_lint.facts.rustup import chooses_toolchain, holds_toolchains
from dockerslim_lint.facts.stages import chain_of
from dockerslim_lint.facts.toolchain import is_installed
from dockerslim_lint.plan.blocks.lines import block_start, cased, insert_line
from dockerslim_lint.plan.model import Draft, NotPossible, Task

TRIPLE = '"$(uname -m)"-unknown-linux-musl'
"""The readable idiom: right on amd64 and arm64 in a stage that runs on the target platform (knowledge §1.2)."""

PATTERN = "*-unknown-linux-musl"


def install_target(task: Task) -> Draft:
    """One RUN line for each builder stage that makes programs. Raises NotPossible."""
    build = task.build
    edits = []
    for first in first_commands(task):
        number = first.stage
        stage = build.stages[number]
        line = build.source.line_of(build.instructions[stage.instruction].span.start)
        if stage.cross:
            raise NotPossible(
                f"the builder (line {line}) runs on the build platform, where `uname -m` is not the target's"
            )
        if stage.image is None:
            raise NotPossible(f"nothing is known of the builder's image (line {line})")
        if not stage.image.toolchain:
            raise NotPossible(f"the builder (line {line}) has no toolchain of its own: it is installed by a step")
        if stage.image.host_libc == "musl":
            continue
        platform = platforms.lookup(stage.platform) if stage.platform else None
        if platform is not None and not platform.uname_idiom:
            raise NotPossible(
                f"the builder (line {line}) runs on {stage.platform}, where `uname -m` is not the target's"
            )
        instruction = build.instructions[first.instruction]
        if is_installed(PATTERN, build.targets[number]):
            continue
        edits.append(
            insert_line(
                build, block_start(build, instruction), cased(build, instruction, f"RUN rustup target add {TRIPLE}")
            )
        )
    return Draft(tuple(edits))


def first_commands(task: Task) -> list[Command]:
    """In each builder stage the first call that needs what is installed; not where a stage below has it from its base.

    Raises NotPossible where a call chooses a toolchain for which nothing would be installed.
    """
    build = task.build
    found: dict[int, Command] = {}
    calls: list[CargoCall | Warmup] = [*(build.calls[at] for at in task.calls), *task.cooks]
    for call in calls:
        command = call.command
        if call.toolchain:
            line = build.source.line_of(command.span.start)
            raise NotPossible(f"the call in line {line} picks the toolchain +{call.toolchain}")
        _check_step(build, command)
        known = found.setdefault(command.stage, command)
        if command.span < known.span:
            found[command.stage] = command
    # what is installed first is installed for the toolchain that is in force there
    chosen: dict[int, ToolchainFile | None] = {cook.command.stage: None for cook in task.cooks}
    for at in task.calls:
        crate, file, command = build.crates[at], build.toolchains[at].file, build.calls[at].command
        if file is not None and any(one.kind == "bind" for one in _mounts(build, command)):
            line = build.source.line_of(command.span.start)
            raise NotPossible(f"{file.path} is only there while the step in line {line} runs")
        if file is not None and file != chosen.setdefault(command.stage, file):
            line = build.source.line_of(command.span.start)
            raise NotPossible(f"{file.path} chooses the toolchain after the first build (line {line})")
        if crate is not None and "/" in crate.toolchain.path:
            raise NotPossible(f"{crate.toolchain.path} chooses the toolchain below the directory of this step")
    inherited = {
        number for number in found if set(chain_of(build.stages[number], build.stages)) & (found.keys() - {number})
    }
    return [found[number] for number in sorted(found) if number not in inherited]


def _check_step(build: ImageBuild, command: Command) -> None:
    """A step of our own before this one installs the target for the toolchain that is in force there."""
    line = build.source.line_of(command.span.start)
    for mount in _mounts(build, command):
        if mount.kind != "bind" and holds_toolchains(mount.target):
            raise NotPossible(f"the step in line {line} has its toolchains in a mount")
    for other in build.commands:
        if other.instruction == command.instruction and other.span < command.span and chooses_toolchain(other):
            raise NotPossible(f"the step in line {line} chooses another toolchain before it builds")


def _mounts(build: ImageBuild, command: Command) -> list[Mount]:
    return [mount for mount in build.mounts if mount.instruction == command.instruction]

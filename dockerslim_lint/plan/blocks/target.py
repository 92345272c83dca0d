"""The musl target is installed before the first call that needs it."""

from __future__ import annotations

from dockerslim_lint.catalog import platforms
from dockerslim_lint.edit import Edit
from dockerslim_lint.facts.crate.config import ToolchainFile
from dockerslim_lint.facts.model import CargoCall, Command, ImageBuild, Mount, Stage, Warmup
from dockerslim_lint.facts.rustup import (
    chooses_toolchain,
    holds_toolchains,
    installed_toolchains,
    is_version,
    same_toolchain,
)
from dockerslim_lint.facts.stages import chain_of
from dockerslim_lint.facts.toolchain import is_installed
from dockerslim_lint.facts.users import is_root
from dockerslim_lint.plan.blocks.lines import block_start, command_behind, insert_line, user_before
from dockerslim_lint.plan.blocks.target_map import UNAME, add_command, installation, pattern
from dockerslim_lint.plan.model import Draft, NotPossible, Task
from dockerslim_lint.source import Span

PLATFORM_NAMES = ("TARGETARCH", "TARGETVARIANT")


def install_target(task: Task) -> Draft:
    """One RUN line for each builder stage that makes programs. Raises NotPossible."""
    build = task.build
    edits = []
    for first in first_commands(task):
        number = first.stage
        stage = build.stages[number]
        line = build.source.line_of(build.instructions[stage.instruction].span.start)
        if stage.cross and not task.cross:
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
        toolchain = _named_toolchains(task).get(first.span, "")
        if not task.platforms and not toolchain and _is_there(task, build.targets[number]):
            continue
        if task.platforms:
            check_mapping(task, first)
        there = _installing(build, first, toolchain) if toolchain else None
        if there is not None and there.instruction == first.instruction:
            edits.append(_within(task, there, toolchain))
            continue
        text = installation(task, instruction, declared_arguments(build, first), toolchain)
        edits.append(insert_line(build, block_start(build, instruction), text))
    return Draft(tuple(edits))


def _named_toolchains(task: Task) -> dict[Span, str]:
    """The toolchain that each call picks itself (``cargo +1.88.0``), "" where it picks none."""
    calls: list[CargoCall | Warmup] = [*(task.build.calls[at] for at in task.calls), *task.cooks]
    return {call.command.span: call.toolchain for call in calls}


def _installing(build: ImageBuild, first: Command, toolchain: str) -> Command | None:
    """The command that installs a toolchain before a call picks it; None for that of the image. Raises NotPossible: rustup adds no target to one that is not there (1.29.0, tried)."""
    line = build.source.line_of(first.span.start)
    stage = build.stages[first.stage]
    if is_version(toolchain):
        if stage.image is not None and same_toolchain(toolchain, stage.image, stage.digest):
            return None
        chain = chain_of(stage, build.stages)
        for command in build.commands:
            ahead = command.stage in chain and command.span < first.span and command.certain
            if ahead and toolchain in installed_toolchains(command):
                mounts = [one for one in build.mounts if one.instruction == command.instruction]
                _check_mounts(build, command, mounts)
                return command
    raise NotPossible(f"the call in line {line} picks the toolchain +{toolchain}")


def _within(task: Task, installing: Command, toolchain: str) -> Edit:
    """The target right behind the toolchain that the step of the call installs itself."""
    if task.platforms or installing.nested or not installing.shell_form:
        line = task.build.source.line_of(installing.span.start)
        raise NotPossible(f"the step in line {line} installs the toolchain +{toolchain} that it picks")
    edit = command_behind(task.build, installing, add_command(UNAME, toolchain))
    if edit is None:
        raise NotPossible(f"what follows the command that installs the toolchain +{toolchain} is not understood")
    return edit


def _is_there(task: Task, installed: tuple[str, ...]) -> bool:
    """Whether the file installs the target of whichever machine builds it: one by name is there on all of them, and of use on one."""
    named = [row.musl for row in platforms.platforms() if row.uname_idiom]
    open_ = tuple(target for target in installed if "*" in target)
    return is_installed(pattern(task), open_) or all(is_installed(target, installed) for target in named)


def check_architectures(task: Task) -> None:
    """Raises NotPossible where the new base, or the builder's image, is not there for a platform that is asked for.

    A final stage asks for its own with ``--platform``.
    """
    build = task.build
    for number in {number: None for image in task.images for number in image.chain} if not task.choice.keep else ():
        _check_namespace(build, build.stages[number])
    fixed = (build.stages[number].platform for image in task.images for number in image.chain)
    for name in dict.fromkeys((*build.platforms, *filter(None, fixed))):
        row = platforms.lookup(name)
        bases = [] if task.choice.keep else [task.choice.base]
        builders = [build.stages[number].image for number in task.stages] if task.retarget and not task.cross else []
        # one that the catalogue does not know has the name that is asked for
        plain = row.name if row is not None else name.lower().partition("linux/")[2]
        for base in (*bases, *filter(None, builders)):
            if base.architectures and plain and not set("*$") & set(plain) and plain not in base.architectures:
                raise NotPossible(f"linux/{plain} is asked for, and {base.title} is not there for it")


def _check_namespace(build: ImageBuild, stage: Stage) -> None:
    """Raises NotPossible where the base's name alone tells the platform of the image (``arm64v8/debian``)."""
    only = stage.image.namespace if stage.image is not None and stage.parent is None else ""
    instruction = build.instructions[stage.instruction]
    flag = instruction.flag("platform")
    said = platforms.lookup(flag.value.literal or "") if flag is not None and flag.value is not None else None
    if only and (said is None or said.name != only or stage.word is None or stage.word.literal is None):
        line = build.source.line_of(instruction.span.start)
        raise NotPossible(
            f"{stage.reference} is linux/{only}'s whatever is asked for; another base is so only with"
            f" `--platform=linux/{only}` (line {line})"
        )


def first_commands(task: Task) -> list[Command]:
    """In each builder stage the first call that needs what is installed; not where a stage below has it from its base.

    Raises NotPossible where a call chooses a toolchain for which nothing would be installed.
    """
    build = task.build
    found: dict[int, Command] = {}
    calls: list[CargoCall | Warmup] = [*(build.calls[at] for at in task.calls), *task.cooks]
    picked = _named_toolchains(task)
    steps: dict[int, list[Command]] = {}
    for other in build.commands:
        steps.setdefault(other.instruction, []).append(other)
    mounts: dict[int, list[Mount]] = {}
    for mount in build.mounts:
        mounts.setdefault(mount.instruction, []).append(mount)
    for call in calls:
        command = call.command
        if call.toolchain and (task.named or set(picked.values()) != {call.toolchain}):
            line = build.source.line_of(command.span.start)
            raise NotPossible(f"the call in line {line} picks the toolchain +{call.toolchain}")
        _check_step(build, command, steps[command.instruction], mounts.get(command.instruction, []))
        known = found.setdefault(command.stage, command)
        if command.span < known.span:
            found[command.stage] = command
    # a stage that is built on another one has the target from there
    place = {
        number: next(one for one in chain_of(build.stages[number], build.stages) if one in found) for number in found
    }
    # what is installed first is installed for the toolchain that is in force there
    chosen: dict[int, ToolchainFile | None] = {place[cook.command.stage]: cook.file for cook in task.cooks}
    for at in task.calls:
        crate, file, command = build.crates[at], build.toolchains[at].file, build.calls[at].command
        first = chosen.setdefault(place[command.stage], file)
        if file is not None and any(one.kind == "bind" for one in mounts.get(command.instruction, ())):
            line = build.source.line_of(command.span.start)
            raise NotPossible(f"{file.path} is only there while the step in line {line} runs")
        if file is not None and file != first and file.channel and build.toolchains[at].same is not True:
            line = build.source.line_of(command.span.start)
            raise NotPossible(f"{file.path} chooses the toolchain after the first build (line {line})")
        if crate is not None and "/" in crate.toolchain.path and file is None and not picked[command.span]:
            raise NotPossible(f"it is not known whether {crate.toolchain.path} chooses the toolchain")
        if file is not None and build.toolchains[at].below and build.toolchains[at].same is not True:
            raise NotPossible(f"{file.path} chooses the toolchain below the directory of this step")
    return [found[number] for number in sorted(found) if place[number] == number]


def check_mapping(task: Task, first: Command) -> None:
    """Raises NotPossible where the step that writes down the target cannot do so, or would not be told the platform."""
    build = task.build
    chain = chain_of(build.stages[first.stage], build.stages)
    user = user_before(build, chain, first.instruction)
    if user is None or not is_root(user):
        line = build.source.line_of(build.instructions[first.instruction].span.start)
        raise NotPossible(f"the steps from line {line} on are not root's, and the target has to be written down at /")
    for number in chain:
        for index in build.stages[number].instructions:
            for pair in build.instructions[index].pairs:
                if pair.key.literal in PLATFORM_NAMES and pair.value is not None and index < first.instruction:
                    line = build.source.line_of(build.instructions[index].span.start)
                    raise NotPossible(
                        f"{pair.key.literal} is set in line {line}, so that it does not tell the platform"
                    )


def declared_arguments(build: ImageBuild, first: Command) -> frozenset[str]:
    """The arguments without a value that the stage asks for before this command."""
    return frozenset(
        pair.key.literal or ""
        for index in build.stages[first.stage].instructions
        if index < first.instruction and build.instructions[index].keyword == "ARG"
        for pair in build.instructions[index].pairs
        if pair.value is None
    )


def _check_step(build: ImageBuild, command: Command, step: list[Command], mounts: list[Mount]) -> None:
    """A step of our own before this one installs the target for the toolchain that is in force there.

    `step` are all commands of its instruction, `mounts` the instruction's.
    """
    line = build.source.line_of(command.span.start)
    _check_mounts(build, command, mounts)
    for other in step:
        if other.span < command.span and chooses_toolchain(other):
            raise NotPossible(f"the step in line {line} chooses another toolchain before it builds")


def _check_mounts(build: ImageBuild, command: Command, mounts: list[Mount]) -> None:
    """What the command's step does to toolchains is there for other steps. Raises NotPossible."""
    for mount in mounts:
        if mount.kind != "bind" and holds_toolchains(mount.target):
            line = build.source.line_of(command.span.start)
            raise NotPossible(f"the step in line {line} has its toolchains in a mount")

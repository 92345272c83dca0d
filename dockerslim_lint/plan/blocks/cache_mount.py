"""cargo's downloads and outputs are kept in cache mounts, from which the programs are copied out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockerslim_lint.catalog import commands as known_commands
from dockerslim_lint.edit import Edit
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.model import ImageBuild, Mount, OutputUse
from dockerslim_lint.facts.rustup import RUSTUP
from dockerslim_lint.facts.stages import chain_of, chosen_by_platform
from dockerslim_lint.facts.users import is_root
from dockerslim_lint.facts.warmups import unseen_steps
from dockerslim_lint.plan.blocks.copy_out import copy_programs, replaced
from dockerslim_lint.plan.blocks.lines import PLAIN
from dockerslim_lint.plan.model import Draft, NotPossible

if TYPE_CHECKING:
    from dockerslim_lint.facts.cold import ColdDownloads

REGISTRY = "registry"
"""Below CARGO_HOME (cargo book, "Cargo Home")."""

MOUNT = "--mount="

PLACES = ("target", "dst", "destination")
"""Options of a mount that name its place (Dockerfile reference, "RUN --mount")."""


def add_cache_mounts(build: ImageBuild, at: int) -> Draft:
    """Two mounts, the copy, and the copy's path wherever the program is asked for later. Raises NotPossible.

    What is installed lies outside of both.
    """
    call = build.calls[at]
    command = call.command
    instruction = build.instructions[command.instruction]
    line = build.source.line_of(command.span.start)
    if not command.certain:
        raise NotPossible(f"the call in line {line} may not run")
    if instruction.json is not None or instruction.heredocs:
        raise NotPossible(f"the step in line {line} is no plain command")
    if len(build.platforms) > 1:
        raise NotPossible("each platform would need a mount of its own")
    target = call.target_directory if call.kind == "build" else _target_of_install(build, at)
    home = _cargo_home(build, at)
    if home is None:
        raise NotPossible(f"CARGO_HOME, below which the call in line {line} keeps what it downloads, is not known")
    if target is None or (set(target) | set(home)) - PLAIN:
        raise NotPossible(f"where the call in line {line} keeps its files is only known when it runs")
    for unseen in unseen_steps(build, at):
        where = build.source.line_of(unseen.span.start)
        raise NotPossible(f"{unseen.name or 'what cannot be read'} (line {where}) may look into {target}")
    _check_stage(build, at)
    if call.kind != "build":
        _check_below(build, at, target)
    edits = []
    names: dict[str, None] = {}
    for use in build.uses:
        if use.call != at or use.instruction == command.instruction:
            continue
        if not use.inside or use.form == "mount" or set(use.inside) - (PLAIN - {"/"}):
            raise NotPossible(f"line {build.source.line_of(use.span.start)} {_asks(use)}")
        if any(one.instruction == use.instruction and one.call == at for one in build.absent):
            raise NotPossible(f"line {build.source.line_of(use.span.start)} asks for a program that is not there")
        if len([word for word in command.words if word.pattern.partition("=")[0] == "--target"]) > 1:
            raise NotPossible(f"the call in line {line} builds for more than one target")
        if call.output is None or "*" in call.output:
            raise NotPossible(f"where the call in line {line} leaves its programs is only known when it runs")
        names[f"{call.output}/{use.inside}"] = None
        edits.append(replaced(build, use.span, f"/usr/local/bin/{use.inside}"))
    if names:
        if any(
            use.call == at and use.instruction == command.instruction and use.span > command.span for use in build.uses
        ):
            raise NotPossible(f"the step in line {line} goes on with the program, and the copy would be made before")
        edits.append(copy_programs(build, at, tuple(names)))
    start = instruction.body_span.start
    mounts = (f"{home}/{REGISTRY}", target)
    flags = "".join(f"--mount=type=cache,target={place} {build.dockerfile.escape}\n    " for place in mounts)
    return Draft((*edits, Edit(start, start, flags)))


def _asks(use: OutputUse) -> str:
    """For what a word that is not one program's name stands."""
    if not use.inside or use.form == "mount":
        return "asks for the directory of the programs"
    if set(use.inside) & set("*?[$"):
        return "asks for more than one program"
    return f"asks for {use.inside}, which is below the directory of the programs"


def _target_of_install(build: ImageBuild, at: int) -> str | None:
    """Where ``cargo install --path`` builds, as ``cargo build`` would there; None where that is not certain.

    Source: cargo book, "cargo install", --target-dir: "defaults to a new temporary folder … unless --path is used".
    """
    call, crate = build.calls[at], build.crates[at]
    named = {"CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR"} & call.command.variables.keys()
    named |= {word.pattern for word in call.command.words if word.pattern.startswith("--target-dir")}
    if (
        call.crate_directory is None
        or named
        or (call.config is not None and (call.config.open or call.config.target_directory))
    ):
        return None
    place = call.crate_directory
    if crate is not None:
        below = patterns.below(f"/{crate.directory}", f"/{crate.root}")
        for _ in (below or "").split("/") if below else ():
            place = patterns.parent(place)
    return patterns.join(place, "target")


def _check_below(build: ImageBuild, at: int, target: str) -> None:
    """Raises NotPossible where a later step looks into a directory that nothing is known to need."""
    call = build.calls[at].command
    for command in build.commands:
        for word in command.words[1:] if command.stage == call.stage else ():
            open_ = word.pattern.startswith("*")
            plain = command == call or known_commands.classify(command.name) == "inert"
            if (open_ and plain) or command.name == RUSTUP:
                continue  # `[ "$A" != "$B" ]`, the call's own `$FLAGS`; and `rustup target add` has no paths
            if patterns.below(patterns.join(command.directory or "/*", word.pattern), target) is not None:
                looks = "may look" if open_ else "looks"
                raise NotPossible(f"line {build.source.line_of(command.span.start)} {looks} into {target}")
    for transfer in build.transfers:
        for source in transfer.sources if transfer.origin_stage == call.stage else ():
            if patterns.meet(source, target):
                line = build.source.line_of(build.instructions[transfer.instruction].span.start)
                raise NotPossible(f"line {line} copies {source}, where the mount would be")


def move_mounts(build: ImageBuild, cold: ColdDownloads) -> Draft:
    """The same mounts at cargo's home: all of them, or none. Raises NotPossible."""
    for command in cold.bare:
        line = build.source.line_of(command.span.start)
        raise NotPossible(f"line {line} has downloads in common with these steps, and not the mount")
    place = f"{cold.home}/{cold.below}" if cold.below else ""
    for transfer in build.transfers:
        brings = transfer.origin_stage is not None or transfer.origin_image
        near = place and patterns.meet(transfer.destination, place)
        if brings and near and transfer.stage in {mount.stage for mount in cold.mounts}:
            line = build.source.line_of(build.instructions[transfer.instruction].span.start)
            raise NotPossible(f"it would hide what line {line} brings")
    return Draft(tuple(_moved(build, mount, place) for mount in cold.mounts))


def _moved(build: ImageBuild, mount: Mount, place: str) -> Edit:
    if not place or set(place) - PLAIN:
        raise NotPossible("it would hide the programs that are there")
    text = build.source.text(mount.span)
    start, written = mount.span.start + len(MOUNT), []
    for option in text.removeprefix(MOUNT).split(","):
        name, _, value = option.partition("=")
        if name in PLACES:
            written.append((start + len(f"{name}="), value))
        start += len(f"{option},".encode())
    if not text.startswith(MOUNT) or len(written) != 1 or not written[0][1] or set(written[0][1]) - PLAIN:
        raise NotPossible("the mount's place is not written in one plain word")
    if any(other.target == place and other.instruction == mount.instruction for other in build.mounts):
        raise NotPossible("a mount is there already")
    _check_root(build, mount.stage)
    at, old = written[0]
    return Edit(at, at + len(old), place)


def _cargo_home(build: ImageBuild, at: int) -> str | None:
    """cargo's own directory for a call: in an image without a toolchain of its own it is in the user's home (cargo book, "Cargo Home")."""
    command = build.calls[at].command
    named = command.variables.get("CARGO_HOME")
    if named is not None:
        return named.text
    image, home = build.stages[command.stage].image, command.variables.get("HOME")
    if image is not None and not image.toolchain and image.understood and home is not None and home.text:
        return f"{home.text}/.cargo"
    return image.cargo_home or None if image is not None else None


def _check_stage(build: ImageBuild, at: int) -> None:
    """Nobody else may need what would be in the mount. Raises NotPossible."""
    call = build.calls[at]
    number = call.command.stage
    chain = chain_of(build.stages[number], build.stages)
    if any(one.stage == number for one in build.images):
        raise NotPossible("the image itself ships target/, which a mount would keep out of it")
    if any(stage.parent == number for stage in build.stages) or any(number in one.chain for one in build.images):
        raise NotPossible("another stage is based on the builder, and would find no target/")
    chosen = chosen_by_platform(number, build.stages)
    if chosen is not None:
        line = build.source.line_of(build.instructions[chosen.instruction].span.start)
        raise NotPossible(f"the platform chooses the stage on which the builder (line {line}) is built")
    _check_root(build, number)
    for other in build.calls:
        same = other.target_directory == call.target_directory is not None and other.command.stage in chain
        if other is not call and same and other.command.instruction != call.command.instruction:
            raise NotPossible("another step builds into the same directory")
    for transfer in build.transfers:
        for source in transfer.sources if transfer.origin_stage in chain else ():
            if patterns.below(call.output or "", patterns.join("/", source)):
                line = build.source.line_of(build.instructions[transfer.instruction].span.start)
                raise NotPossible(f"line {line} copies {source} with all that is in it")


def _check_root(build: ImageBuild, number: int) -> None:
    """Raises NotPossible where a stage may not run as root."""
    image = build.stages[number].image
    users = [
        instruction.words[0].literal
        for stage in chain_of(build.stages[number], build.stages)
        for index in build.stages[stage].instructions
        if (instruction := build.instructions[index]).keyword == "USER" and instruction.words
    ]
    if image is None:
        raise NotPossible("nothing is known of the builder's image, and a new mount is root's")
    if image.user or any(user is None or not is_root(user) for user in users):
        raise NotPossible("the builder does not run as root, and a new mount is root's")

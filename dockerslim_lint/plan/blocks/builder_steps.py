"""What is put right in the builder: a target that is not installed, a mount for each platform, a build that is no release."""

from __future__ import annotations

from dockerslim_lint.edit import Edit
from dockerslim_lint.facts.crate.model import Crate
from dockerslim_lint.facts.model import CargoCall, ImageBuild, Mount, Warmup
from dockerslim_lint.facts.warmups import ahead_of
from dockerslim_lint.plan.blocks.lines import PLAIN, block_start, cased, check_lands, insert_line
from dockerslim_lint.plan.model import Draft, NotPossible

PLATFORM = "TARGETPLATFORM"
DEV_SETTINGS = "CARGO_PROFILE_DEV_"


def add_target(build: ImageBuild, at: int) -> Draft:
    """``RUN rustup target add …`` before the step that builds. Raises NotPossible."""
    call = build.calls[at]
    command = call.command
    instruction = build.instructions[command.instruction]
    line = build.source.line_of(command.span.start)
    image = build.stages[command.stage].image
    if image is None or not image.toolchain:
        raise NotPossible(f"whether the builder (line {line}) has rustup is not known")
    if any(mount.kind == "bind" for mount in build.mounts if mount.instruction == command.instruction):
        raise NotPossible(f"what chooses the toolchain may only be there while the step in line {line} runs")
    if command.nested or not command.shell_form or instruction.heredocs or _changes_directory(build, call):
        raise NotPossible(f"in which directory the call in line {line} runs is not the step's own")
    text = call.target.pattern or ""
    if call.target.origin == "flag" and call.target.span is not None:
        text = build.source.text(call.target.span).partition("--target=")[2] or build.source.text(call.target.span)
    if set(text.replace("$(uname -m)", "").replace('"', "")) - PLAIN:
        raise NotPossible(f"the target {text} may have no value before the step in line {line}")
    chosen = f"--toolchain {call.toolchain} " if call.toolchain else ""
    step = cased(build, instruction, f"RUN rustup target add {chosen}{text}")
    return Draft((insert_line(build, block_start(build, instruction), step),))


def _changes_directory(build: ImageBuild, call: CargoCall) -> bool:
    """Whether a ``cd`` before the call, in its own step, decides where it runs."""
    first = next(one for one in build.commands if one.instruction == call.command.instruction)
    return first.directory != call.command.directory or first.name in ("cd", "pushd")


def mount_per_platform(build: ImageBuild, mount: Mount) -> Draft:
    """The platform in the mount's id, and the ARG that gives it. Raises NotPossible."""
    text = build.source.text(mount.span)
    instruction = build.instructions[mount.instruction]
    if '"' in text or "\n" in text:
        raise NotPossible("the mount is not one plain word")
    before, named, rest = text.partition(",id=")
    if named:
        place = mount.span.start + len((before + named + rest.partition(",")[0]).encode())
        edit = Edit(place, place, f"-${PLATFORM}")
    else:
        edit = Edit(mount.span.end, mount.span.end, f",id={mount.target}-${PLATFORM}")
    declared = any(
        pair.key.literal == PLATFORM
        for index in build.stages[mount.stage].instructions
        if index < mount.instruction and build.instructions[index].keyword == "ARG"
        for pair in build.instructions[index].pairs
    )
    if declared:
        return Draft((edit,))
    line = cased(build, instruction, f"ARG {PLATFORM}")
    return Draft((insert_line(build, block_start(build, instruction), line), edit))


def release_build(build: ImageBuild, at: int) -> Draft:
    """``--release``, and ``target/release`` wherever ``target/debug`` was. Raises NotPossible."""
    call = build.calls[at]
    line = build.source.line_of(call.command.span.start)
    if call.kind == "install":
        raise NotPossible(f"line {line} asks for a debug build itself")
    if call.end is None:
        raise NotPossible(f"the arguments of the call in line {line} do not only ask for a debug build")
    if call.open_profile:
        raise NotPossible(f"a variable may ask for the profile in line {line}")
    if "--profile" in build.source.text(call.command.span):
        raise NotPossible(f"the call in line {line} asks for the profile itself")
    edits = {call.end: Edit(call.end, call.end, " --release")}
    for ahead in ahead_of(build, at):
        edits |= _release_ahead(build, ahead, at)
    for use in build.uses:
        if use.call != at or not use.own:
            continue
        where = build.source.line_of(use.span.start)
        check_lands(build, use.span)
        end = (use.profile_at or 0) + len("debug")
        if use.profile_at is None or build.source.data[use.profile_at : end] != b"debug":
            raise NotPossible(f"the path in line {where} is put together from variables")
        edits[use.profile_at] = Edit(use.profile_at, end, "release")
    edits |= _settings_of_release(build, call)
    for image in build.images:
        started = (image.launch.program or "", *image.launch.runs)
        if any(path.startswith(f"{call.output}/") for path in started):
            raise NotPossible("the program is started from target/debug")
    return Draft(tuple(edits.values()))


def without_assertions(crate: Crate | None) -> tuple[str, ...]:
    """What it costs that a debug build becomes one for release, as clauses."""
    from dockerslim_lint.catalog import needs

    names = (crate.linked or crate.packages or ()) if crate is not None else ()
    return ("debug assertions and overflow checks are left out", *needs.in_release(names))


def _release_ahead(build: ImageBuild, ahead: Warmup, at: int) -> dict[int, Edit]:
    """What cooks the dependencies cooks them for the release too. Raises NotPossible."""
    if ahead.profile == "release":
        return {}
    line = build.source.line_of(ahead.command.span.start)
    others = [number for number in range(len(build.calls)) if number != at and ahead in ahead_of(build, number)]
    if ahead.kind != "cook" or ahead.profile != "dev" or ahead.end is None or others:
        raise NotPossible(f"the dependencies are built ahead (line {line}), as a debug build too")
    return {ahead.end: Edit(ahead.end, ahead.end, " --release"), **_settings_of_release(build, ahead)}


def _settings_of_release(build: ImageBuild, call: CargoCall | Warmup) -> dict[int, Edit]:
    """What the file sets for the dev profile is set for the release. Raises NotPossible."""
    edits = {}
    for name, value in call.command.variables.items():
        if not name.startswith(DEV_SETTINGS):
            continue
        for place in (call.command.span, value.origin):
            at = build.source.data.find(name.encode(), place.start, place.end)
            if at >= 0:
                edits[at] = Edit(at, at + len(DEV_SETTINGS), DEV_SETTINGS.replace("DEV", "RELEASE"))
                break
        else:
            raise NotPossible(f"{name} is set in a place that is not known")
    return edits

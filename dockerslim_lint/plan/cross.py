"""The cross variant: the builder runs on the build platform and compiles for the target's, so that nothing is emulated."""

from __future__ import annotations

from dockerslim_lint.catalog.platforms import Platform
from dockerslim_lint.edit import Edit
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.model import FinalImage, ImageBuild, Transfer
from dockerslim_lint.facts.stages import BUILD_PLATFORM, chain_of
from dockerslim_lint.plan.model import Draft, NotPossible, Task
from dockerslim_lint.plan.native_code import check_crossing

FLAG = f"--platform=${BUILD_PLATFORM}"

TARGET_PLATFORM = "TARGETPLATFORM"

SAME_EVERYWHERE = ("/etc", "/usr/share")
"""Holds no programs, or nothing that depends on the machine (Filesystem Hierarchy Standard 3.0, 3.7.1 and 4.11.1)."""


C_SETTINGS = frozenset({"CC", "CXX", "CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS", "AR", "RANLIB"})
"""What variables for C compilers begin with (cc-rs, "External configuration via environment variables")."""

SIDES = ("TARGET_", "HOST_")
"""What may stand before it there."""


def check_cross(
    build: ImageBuild,
    images: tuple[FinalImage, ...],
    calls: tuple[int, ...],
    asked: tuple[Platform, ...],
    compiler: tuple[str, ...],
) -> None:
    """Raises NotPossible where the programs cannot be made, or more than they would come from the building machine.

    `compiler` are the packages with which C code is compiled on the very machine, () where there is none.
    """
    for at in calls:
        call, crate = build.calls[at], build.crates[at]
        stage = build.stages[call.command.stage]
        line = build.source.line_of(call.command.span.start)
        if stage.image is None or stage.image.host_libc != "glibc":
            raise NotPossible("the builder is not known to have rust-lld and a glibc of its own")
        if crate is None or crate.compiles_c is None:
            raise NotPossible(f"nothing is known of the crates that the call in line {line} compiles")
        if compiler:
            _check_compiler(build, at, asked)
        if any(call.possible_flags):
            raise NotPossible(f"rustc gets flags of its own in line {line}, which may not suit another machine")
    check_crossing(build, calls)
    crossed = _crossed(build, calls)
    for image in images:
        _check_image(build, image, crossed)
    _check_commands(build, images, crossed)


def run_on_build_platform(task: Task) -> Draft:
    """``--platform=$BUILDPLATFORM`` in the FROM that the builder begins with. Raises NotPossible."""
    build = task.build
    edits = []
    for number in sorted({chain_of(build.stages[at], build.stages)[0] for at in task.stages}):
        stage = build.stages[number]
        instruction = build.instructions[stage.instruction]
        flag = instruction.flag("platform")
        if stage.cross:
            continue
        if stage.word is None:
            raise NotPossible("nothing is known of the builder's image")
        if flag is None and not stage.platform:
            start = stage.word.span.start
            edits.append(Edit(start, start, f"{FLAG} "))
        elif flag is not None and f"${TARGET_PLATFORM}" in build.source.text(flag.span).replace("{", "").replace(
            "}", ""
        ):
            edits.append(Edit(*flag.span, FLAG))
        else:
            line = build.source.line_of(instruction.span.start)
            raise NotPossible(f"the builder (line {line}) runs on {stage.platform}, whatever is asked for")
    return Draft(tuple(edits))


def check_final_steps(task: Task, edits: tuple[Edit, ...]) -> None:
    """Raises NotPossible where a RUN is left in a shipped image: that one would be emulated."""
    build = task.build
    gone = [edit for edit in edits if edit.end > edit.start]
    for image in task.images:
        for number in image.chain:
            for index in build.stages[number].instructions:
                instruction = build.instructions[index]
                span = instruction.span
                whole = any(edit.start <= span.start and edit.end >= span.end for edit in gone)
                if instruction.keyword == "RUN" and not whole:
                    line = build.source.line_of(span.start)
                    raise NotPossible(f"the step in line {line} of the final stage would be emulated still")


def _check_compiler(build: ImageBuild, at: int, asked: tuple[Platform, ...]) -> None:
    """The builder's release has a C compiler for each platform, and nothing chooses another one."""
    command = build.calls[at].command
    image = build.stages[command.stage].image
    for row in asked:
        if image is None or image.release not in row.cross_releases:
            raise NotPossible(f"whether the builder's release has a C compiler for {row.docker} has not been tried")
    for name in sorted(command.variables):
        if name.removeprefix(SIDES[0]).removeprefix(SIDES[1]).partition("_")[0] in C_SETTINGS:
            line = build.source.line_of(command.span.start)
            raise NotPossible(f"{name} is set for the C compiler (line {line}), and may not suit another machine")


def _crossed(build: ImageBuild, calls: tuple[int, ...]) -> frozenset[int]:
    """The stages that run on the build platform then: the builders, what they are built on, and all that is built on that."""
    roots = {chain_of(build.stages[build.calls[at].command.stage], build.stages)[0] for at in calls}
    return frozenset(stage.number for stage in build.stages if chain_of(stage, build.stages)[0] in roots)


def _check_image(build: ImageBuild, image: FinalImage, crossed: frozenset[int]) -> None:
    if crossed & set(image.chain):
        raise NotPossible("the image is built on the stage that compiles")
    for transfer in image.transfers:
        if transfer.origin_stage not in crossed:
            continue
        for source in transfer.sources:
            if not _is_for_any_machine(build, image, transfer, source):
                line = build.source.line_of(build.instructions[transfer.instruction].span.start)
                raise NotPossible(f"line {line} ships {source}, which would be the building machine's")


def _is_for_any_machine(build: ImageBuild, image: FinalImage, transfer: Transfer, source: str) -> bool:
    """Programs of the cargo calls, files of the build context, and data."""
    path = patterns.join("/", source)
    if any(patterns.below(path, place) is not None for place in SAME_EVERYWHERE):
        return True
    name = patterns.basename(path)
    into = f"{transfer.destination.rstrip('/')}/{name}" if transfer.into_directory else transfer.destination
    if any(patterns.same(shipped, into) for shipped, _ in image.artifacts):
        return True
    stages = chain_of(build.stages[transfer.origin_stage or 0], build.stages)
    brought = [one for one in build.transfers if one.stage in stages and one.from_context]
    return any(patterns.below(path, one.destination) for one in brought)


def _check_commands(build: ImageBuild, images: tuple[FinalImage, ...], crossed: frozenset[int]) -> None:
    """A program for another machine cannot be run by the builder, nor be stripped by its strip."""
    shipped = [artifact for image in images for _, artifact in image.artifacts]
    for artifact in shipped:
        if artifact.call is not None and artifact.stripped != build.calls[artifact.call].stripped:
            raise NotPossible(
                f"a step strips {artifact.name}, and that tool knows the building machine's programs only"
            )
    names = {artifact.name for artifact in shipped}
    for command in build.commands:
        word = command.words[0].pattern if command.words and command.stage in crossed else ""
        if "/" in word and patterns.basename(word) in names:
            line = build.source.line_of(command.span.start)
            raise NotPossible(f"the step in line {line} runs the program, which is not for the building machine")

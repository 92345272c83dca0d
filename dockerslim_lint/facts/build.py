"""The walk over a Dockerfile that asks the other modules, and returns an `ImageBuild`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dockerslim_lint.context import BuildContext
from dockerslim_lint.facts.cargo import BUILT_IN_PROFILES, TARGET_DIRECTORY
from dockerslim_lint.facts.contents import Contents
from dockerslim_lint.facts.crate.reader import CrateReader
from dockerslim_lint.facts.env import NOWHERE, PLATFORM_ARGUMENTS, global_scope
from dockerslim_lint.facts.filesystem import NO_PROGRAM
from dockerslim_lint.facts.final import final_images, lost_programs
from dockerslim_lint.facts.model import (
    Absent,
    CargoAtStart,
    ContextTree,
    FinalImage,
    GoneVariable,
    ImageBuild,
    LoginShell,
    Misquoted,
    OpaqueFile,
    Problem,
    Refused,
    Stage,
    Started,
    Undeclared,
    Unfound,
    Value,
)
from dockerslim_lint.facts.packages import manager_of
from dockerslim_lint.facts.patterns import basename, join, parent
from dockerslim_lint.facts.shared import Shared
from dockerslim_lint.facts.stages import StageNames, chain_of, read_stages, refused_names
from dockerslim_lint.facts.walk import StageState
from dockerslim_lint.source import Source, Span
from dockerslim_lint.syntax.dockerfile import parse
from dockerslim_lint.syntax.shell import shell_form
from dockerslim_lint.syntax.tree import Dockerfile, Instruction

if TYPE_CHECKING:
    from dockerslim_lint.catalog.own_images import OwnImage

KNOWN_FRONTENDS = ("docker/dockerfile", "docker.io/docker/dockerfile", "docker/dockerfile-upstream")
"""Frontends that read the grammar of Docker's own (Dockerfile reference, "syntax")."""

BY_A_SHELL = frozenset({"RUN", "CMD", "ENTRYPOINT", "HEALTHCHECK"})
"""They take an exec form, and have a shell run anything else."""

STEPS = frozenset({"RUN", "COPY", "ADD"})
"""They bring files into an image."""

_ENCODINGS = (
    # UTF-32 first: its mark begins like that of UTF-16
    ("UTF-32", (b"\xff\xfe\0\0", b"\0\0\xfe\xff", b"F\0\0\0R\0\0\0O\0\0\0M")),
    ("UTF-16", (b"\xff\xfe", b"\xfe\xff", b"F\0R\0O\0M")),
)
"""The marks at the start of a file, and how it writes FROM without one, in either order of bytes."""

BEFORE_FROM = frozenset({"FROM", "ARG"})


def read_build(
    source: Source,
    context: BuildContext,
    arguments: Mapping[str, str],
    target: str | None = None,
    platforms: tuple[str, ...] = (),
    own_images: tuple[OwnImage, ...] = (),
) -> ImageBuild:
    """Everything that can be known of a Dockerfile without running it. Never raises on any input."""
    dockerfile = parse(source)
    instructions = dockerfile.instructions
    frontend = _foreign_frontend(dockerfile)
    problems = _problems(dockerfile, instructions, frontend, source.data)
    crates = CrateReader(context)
    contents = Contents(context, source.path)
    shared = Shared(source, context, crates, contents, arguments)
    empty = ImageBuild(
        source,
        dockerfile,
        instructions,
        problems,
        frontend,
        (),
        (),
        (),
        (),
        (),
        (),
        (),
        contents,
        platforms,
        (),
    )
    if frontend or any(problem.kind == "fatal" for problem in problems):
        return empty
    shared.scope, unset = global_scope(instructions, arguments)
    # a FROM by an ARG without a default is written for somebody who gives one
    scope = {**shared.scope, **dict.fromkeys(unset, Value(None, NOWHERE))}
    problems = (*problems, *refused_names(instructions, scope))
    shared.stages = read_stages(instructions, scope, target, own_images)
    for stage in shared.stages:
        state = StageState(stage, shared, shared.states[stage.parent] if stage.parent is not None else None)
        if stage.one_of:
            possible = [shared.states[number] for number in stage.one_of]
            state.environment.take_common([one.environment for one in possible])
            state.table.take_common([one.table for one in possible])
        shared.states.append(state)
        for index in stage.instructions:
            if instructions[index].error is None:
                state.apply(index, instructions[index])
        shared.names.add(stage)
    # an instruction that is not understood may be the WORKDIR, or the SHELL, that makes it right
    absent = () if problems else _absent(shared, instructions)
    images = final_images(shared, instructions)
    crates.notes += _unknown_target(target, shared.names)
    return empty._replace(
        problems=problems,
        stages=tuple(shared.stages),
        commands=tuple(shared.commands),
        calls=tuple(shared.calls),
        transfers=tuple(shared.transfers),
        uses=tuple(shared.uses),
        images=images,
        crates=tuple(shared.crate_of_call),
        targets=tuple(tuple(state.targets) for state in shared.states),
        opaque=tuple(state.opaque for state in shared.states),
        builders=tuple(state.builder for state in shared.states),
        toolchains=tuple(shared.toolchains),
        users=tuple(
            user for state in shared.states for user in state.users if user.command.stage == state.stage.number
        ),
        mounts=tuple(shared.mounts),
        warmups=tuple(shared.warmups),
        stale=tuple(shared.stale),
        scripts=tuple(shared.scripts),
        lost=(*shared.lost, *lost_programs(shared, instructions)),
        absent=absent,
        refused=() if problems else _refused(shared, instructions),
        misquoted=() if problems else _misquoted(shared.stages, images, instructions),
        cargo_at_start=() if problems else _cargo_at_start(shared, instructions),
        nothing_to_start=() if problems else _nothing_to_start(shared, instructions),
        gone_variables=() if problems else _gone_variables(shared, instructions),
        undeclared=() if problems else _undeclared(shared, instructions),
        login_shells=() if problems else _login_shells(shared),
        unfound=() if problems else _unfound(shared),
        notes=crates.notes,
        own_images=own_images,
    )


def _absent(shared: Shared, instructions: tuple[Instruction, ...]) -> tuple[Absent, ...]:
    """Programs that a COPY takes by name and does not find: rare, hence the import here."""
    directories = {basename(call.target_directory or "*") for call in shared.calls}
    directories |= {TARGET_DIRECTORY} if directories else set()
    installed = {call.output for call in shared.calls if call.kind == "install"}
    for transfer in shared.transfers if directories else ():
        if transfer.origin_stage is None:
            continue
        table = shared.states[transfer.origin_stage].table
        for source in transfer.sources:
            built = directories & set(source.split("/"))
            entry = table.find(join("/", source)) if built or parent(source) in installed else OpaqueFile("")
            misnamed = isinstance(entry, OpaqueFile) and NO_PROGRAM in entry.reason
            if misnamed or (built and isinstance(entry, ContextTree | None)):
                from dockerslim_lint.facts.absent import absent_programs, ship_absent

                found = tuple(absent_programs(shared, instructions))
                ship_absent(shared, found)
                return found
    return ()


def _refused(shared: Shared, instructions: tuple[Instruction, ...]) -> tuple[Refused, ...]:
    """Calls that ask for what the crate is not seen to have are rare, hence the import here."""
    suspects = []
    copies = any(one.from_context for one in shared.transfers)
    for at, call in enumerate(shared.calls):
        crate = shared.crate_of_call[at]
        if call.source != "context" or not shared.crates.known:
            continue
        if crate is None:
            if copies and call.crate_directory is not None:
                suspects.append(at)
            continue
        unknown = [name for name in call.bins if name not in crate.binaries or name in crate.conditional]
        undefined = (
            call.profile is not None and call.profile not in BUILT_IN_PROFILES and call.profile not in crate.profiles
        )
        lacking = call.features and crate.lacking
        unknown_package = call.packages and not crate.binaries
        workspace = call.kind == "install" and crate.members
        unseen = call.left_out or (call.locked and not call.lock)
        if unknown or unknown_package or workspace or undefined or lacking or unseen:
            suspects.append(at)
    if not suspects:
        return ()
    from dockerslim_lint.facts.refused import refused_calls

    return tuple(refused_calls(shared, instructions, suspects))


def _misquoted(
    stages: Sequence[Stage], images: tuple[FinalImage, ...], instructions: tuple[Instruction, ...]
) -> tuple[Misquoted, ...]:
    """Commands in shell form that begin with a bracket are rare, hence the import here."""
    found = {}
    for index, instruction in enumerate(instructions):
        if instruction.keyword in BY_A_SHELL and instruction.json is None and b"[" in instruction.body.data:
            text = instruction.body if instruction.keyword == "RUN" else shell_form(instruction)
            if text is not None and instruction.error is None and text.data.startswith(b"["):
                found[index] = text
    if not found:
        return ()
    from dockerslim_lint.facts.misquoted import misquoted

    return tuple(misquoted(found, instructions, stages, images))


def _cargo_at_start(shared: Shared, instructions: tuple[Instruction, ...]) -> tuple[CargoAtStart, ...]:
    state = shared.states[-1]
    written = [instructions[index].body.data for index in (state.entrypoint, state.cmd) if index is not None]
    image = state.stage.image
    script = image is not None and image.toolchain and any(b".sh" in text for text in written)
    if not script and not any(b"cargo" in text or b"serve" in text for text in written):
        return ()
    from dockerslim_lint.facts.at_start import cargo_at_start

    return tuple(cargo_at_start(shared, instructions))


def _nothing_to_start(shared: Shared, instructions: tuple[Instruction, ...]) -> tuple[Started, ...]:
    """A last stage without a step is rare, hence the import here."""
    state = shared.states[-1]
    chain = chain_of(state.stage, shared.stages)
    steps = (instructions[index].keyword for number in chain for index in shared.stages[number].instructions)
    base, starts = state.stage.image, (state.entrypoint, state.cmd)
    if starts == (None, None) or base is None or base.shell or not shared.calls or not STEPS.isdisjoint(steps):
        return ()
    from dockerslim_lint.catalog import programs
    from dockerslim_lint.facts.inside import Inside

    found = Inside(state, shared, instructions, chain).started if programs.is_empty(base) else ()
    return tuple(one for one in found if one.role == "launch" and one.found is False)


def _gone_variables(shared: Shared, instructions: tuple[Instruction, ...]) -> tuple[GoneVariable, ...]:
    starts = [index for state in shared.states if state.stage.terminal for index in (state.entrypoint, state.cmd)]
    if not any(b"$" in instructions[index].body.data for index in starts if index is not None):
        return ()
    from dockerslim_lint.facts.at_start import gone_variables

    return tuple(gone_variables(shared, instructions))


def _undeclared(shared: Shared, instructions: tuple[Instruction, ...]) -> tuple[Undeclared, ...]:
    """A RUN that names such an argument most often declares it, hence the look at the text before the import."""
    names: dict[str, Span | None] = dict.fromkeys(PLATFORM_ARGUMENTS)
    for instruction in instructions[: shared.stages[0].instruction]:
        names.update((pair.key.literal or "", pair.span) for pair in instruction.pairs)
    data = shared.source.data
    for name in list(names):
        raw = name.encode()
        if b"$" + raw not in data and b"${" + raw + b"}" not in data:
            del names[name]
    for state in shared.states if names else ():
        seen = {*state.environment.variables, *state.environment.unset}
        for index in state.stage.instructions:
            instruction = instructions[index]
            text = data[instruction.span.start : instruction.span.end] if instruction.keyword == "RUN" else b""
            if b"$" in text and any(name.encode() in text for name in names if name not in seen):
                from dockerslim_lint.facts.undeclared import undeclared

                return tuple(undeclared(shared, instructions, names))
    return ()


def _login_shells(shared: Shared) -> tuple[LoginShell, ...]:
    if not any(command.login for command in shared.commands):
        return ()
    from dockerslim_lint.facts.login_shells import login_shells

    return tuple(login_shells(shared))


def _unfound(shared: Shared) -> tuple[Unfound, ...]:
    if b" install " not in shared.source.data or not any(manager_of(command) == "apt" for command in shared.commands):
        return ()
    from dockerslim_lint.facts.unfound import unfound

    return tuple(unfound(shared))


def _unknown_target(target: str | None, names: StageNames) -> tuple[str, ...]:
    if target is None or names.find(target) is not None:
        return ()
    return (f'there is no stage "{target}", which the settings name as the target: the last one is taken',)


def _foreign_frontend(dockerfile: Dockerfile) -> str:
    directive = dockerfile.directive("syntax")
    if directive is None or not directive.value:
        return ""
    name = directive.value.split("@", 1)[0]
    name = name.rsplit(":", 1)[0] if ":" in name.rsplit("/", 1)[-1] else name
    return "" if name in KNOWN_FRONTENDS else directive.value


def _no_text(data: bytes) -> str:
    """What a file that Docker cannot read is instead of text, and what to do about it; "" where it may well be text."""
    head = data[:8000]
    for name, marks in _ENCODINGS:
        if head.startswith(marks[:2]) or marks[2] in head.upper():
            return f"it is saved as {name}; save it as UTF-8"
    return "it is a binary file, no Dockerfile" if b"\0" in head else ""


def _problems(
    dockerfile: Dockerfile, instructions: tuple[Instruction, ...], frontend: str, data: bytes
) -> tuple[Problem, ...]:
    if frontend:
        directive = dockerfile.directive("syntax")
        return (Problem("frontend", directive.value_span, frontend, ""),) if directive else ()
    if dockerfile.fatal is not None or all(instruction.keyword != "FROM" for instruction in instructions):
        kind = _no_text(data)
        if kind:
            return (Problem("fatal", Span(0, 0), kind, ""),)
    if dockerfile.fatal is not None:
        place = instructions[-1].keyword_span if instructions else Span(0, 0)
        return (Problem("fatal", place, dockerfile.fatal, ""),)
    problems = []
    seen_from = False
    for instruction in instructions:
        seen_from = seen_from or instruction.keyword == "FROM"
        if instruction.unknown:
            problems.append(Problem("unknown", instruction.keyword_span, instruction.error or "", instruction.keyword))
        elif instruction.error is not None:
            problems.append(Problem("instruction", instruction.keyword_span, instruction.error, instruction.keyword))
        elif not seen_from and instruction.keyword not in BEFORE_FROM:
            text = f"{instruction.keyword} stands before the first FROM"
            problems.append(Problem("instruction", instruction.keyword_span, text, instruction.keyword))
    if not seen_from:
        first = instructions[0].keyword_span if instructions else Span(0, 0)
        return (Problem("fatal", first, "no build stage: there is no FROM", ""),)
    return tuple(problems)

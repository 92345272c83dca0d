"""Symbols are left out by cargo itself, where nothing strips them yet."""

from __future__ import annotations

from dockerslim_lint.edit import Edit
from dockerslim_lint.facts.cargo import CROSS
from dockerslim_lint.facts.model import STRIPPED_ALL, CargoCall, Command, FinalImage, ImageBuild
from dockerslim_lint.facts.stages import feeding
from dockerslim_lint.facts.transfers import KEEPS_DEBUG
from dockerslim_lint.plan.blocks.lines import insert_line
from dockerslim_lint.plan.model import Draft, NotPossible

STRIP_SINCE = (1, 59)
"""The first cargo with ``profile.strip`` (cargo changelog; 1.51 refuses the variable: tried)."""


def unstripped_calls(images: tuple[FinalImage, ...]) -> tuple[int, ...]:
    """The calls whose programs are shipped with symbols, or with symbols for all that is known."""
    found = {
        artifact.call
        for image in images
        for _, artifact in image.artifacts
        if artifact.stripped != STRIPPED_ALL and artifact.call is not None
    }
    return tuple(sorted(found))


def strip_symbols(build: ImageBuild, images: tuple[FinalImage, ...]) -> Draft:
    """``CARGO_PROFILE_…_STRIP=symbols``: as an ENV where the stage already steers cargo that way, else before the call.

    Source: cargo book, "Environment Variables" (env wins over the manifest: knowledge §7, tried). Raises NotPossible.
    """
    edits: dict[int, Edit] = {}
    blocks: dict[int, int | None] = {}
    makers = unstripped_calls(images)
    for at in makers:
        _check(build, at)
    for call in _sharing_a_cache(build, makers):
        name = _setting(build, call)
        stage = call.command.stage
        if stage not in blocks:
            blocks[stage] = _environment_block(build, stage, call.command.instruction)
        place = blocks[stage]
        if place is not None:
            edits[place] = insert_line(build, place, f"ENV {name}=symbols")
        else:
            edit = _prefix(build, call.command, name)
            edits[edit.start] = edit
            for cook in build.warmups:
                if (
                    cook.kind == "cook"
                    and cook.profile == call.profile
                    and cook.target.pattern == call.target.pattern
                    and cook.command.stage in feeding(build.stages, (stage,))
                ):
                    edit = _prefix(build, cook.command, name)
                    edits[edit.start] = edit
    return Draft(tuple(edits.values()))


def keeps_symbols(build: ImageBuild, images: tuple[FinalImage, ...]) -> bool:
    """Whether a program keeps its symbols: its build asks for debug information, or its cargo has no setting for that yet."""
    makers = unstripped_calls(images)
    versions = [toolchain_version(build, at) for at in makers]
    old = any(version is not None and version < STRIP_SINCE for version in versions)
    return old or any(build.calls[at].debug for at in makers)


def toolchain_version(build: ImageBuild, at: int) -> tuple[int, int] | None:
    """Major and minor version of the toolchain of a call, None where the file names none (``rust:1``, ``stable``)."""
    crate, stage = build.crates[at], build.stages[build.calls[at].command.stage]
    for text in (
        crate.toolchain.channel if crate is not None else "",
        stage.image.version if stage.image is not None else "",
    ):
        parts = text.split("-")[0].split(".")
        if len(parts) >= 2 and parts[0].isdecimal() and parts[1].isdecimal():
            return int(parts[0]), int(parts[1])
        if text:
            return None
    return None


def _check(build: ImageBuild, at: int) -> None:
    call = build.calls[at]
    line = build.source.line_of(call.command.span.start)
    if call.driver == CROSS:
        raise NotPossible(f"cross (line {line}) hands no profile setting to its container")
    if call.debug:
        raise NotPossible(f"the profile or the flags of the call in line {line} ask for debug information")
    for command in build.commands:
        if command.stage == call.command.stage and any(word.pattern == KEEPS_DEBUG for word in command.words):
            aside = build.source.line_of(command.span.start)
            raise NotPossible(f"line {aside} keeps the debug information in a file of its own, which cargo would strip")
    version = toolchain_version(build, at)
    if version is not None and version < STRIP_SINCE:
        raise NotPossible(f"the cargo of line {line} ({version[0]}.{version[1]}) has no strip setting yet")


def _setting(build: ImageBuild, call: CargoCall) -> str:
    # a profile that a variable decides is stripped where the variable has its default; any other is left as it is
    line = build.source.line_of(call.command.span.start)
    if call.profile is None:
        raise NotPossible(f"the profile of the call in line {line} is only known when it runs")
    name = f"CARGO_PROFILE_{call.profile.upper().replace('-', '_')}_STRIP"
    if name in call.command.variables:
        raise NotPossible(f"{name} is set in the file, to another value (line {line})")
    return name


def _prefix(build: ImageBuild, command: Command, name: str) -> Edit:
    line = build.source.line_of(command.span.start)
    if not command.shell_form:
        raise NotPossible(f"line {line} is in exec form: a variable cannot stand before it")
    if command.nested:
        raise NotPossible(f"the call in line {line} stands in a script within the script")
    # behind a word, even one that comes to nothing (`${X:+env A=b} cargo`), an assignment is a word too
    start = command.words[0].span.start if command.prefix else command.span.start
    return Edit(start, start, f"{name}=symbols ")


def _sharing_a_cache(build: ImageBuild, makers: tuple[int, ...]) -> list[CargoCall]:
    """The calls themselves, and the other builds of their stages with the same profile.

    cargo counts ``strip`` in a dependency's fingerprint: a dummy build with another setting would warm nothing.
    """
    wanted = {(build.calls[at].command.stage, build.calls[at].profile) for at in makers}
    return [
        call
        for at, call in enumerate(build.calls)
        if at in makers
        or (call.source == "context" and call.stripped != STRIPPED_ALL and (call.command.stage, call.profile) in wanted)
    ]


def _environment_block(build: ImageBuild, stage: int, before: int) -> int | None:
    """The end of the first run of ENV lines of a stage, if one of them is about cargo and they stand before an instruction."""
    end: int | None = None
    about_cargo = False
    for index in build.stages[stage].instructions:
        instruction = build.instructions[index]
        if index >= before:
            break
        if instruction.keyword == "ENV":
            about_cargo = about_cargo or any(
                (pair.key.literal or "").startswith("CARGO_") for pair in instruction.pairs
            )
            end = instruction.span.end
        elif end is not None:
            break
    return end if about_cargo else None

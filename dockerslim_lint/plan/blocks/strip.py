"""Symbols are left out by cargo itself, where nothing strips them yet."""

from __future__ import annotations

from dockerslim_lint.edit import Edit
from dockerslim_lint.facts.model import STRIPPED_ALL, CargoCall, FinalImage, ImageBuild
from dockerslim_lint.plan.blocks.lines import insert_line
from dockerslim_lint.plan.model import Draft, NotPossible


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
    for call in _sharing_a_cache(build, unstripped_calls(images)):
        line = build.source.line_of(call.command.span.start)
        if call.profile is None:
            raise NotPossible(f"the profile of the call in line {line} is only known when it runs")
        name = f"CARGO_PROFILE_{call.profile.upper().replace('-', '_')}_STRIP"
        if name in call.command.variables:
            raise NotPossible(f"{name} is set in the file, to another value (line {line})")
        place = _environment_block(build, call)
        if place is not None:
            edits[place] = insert_line(build, place, f"ENV {name}=symbols")
            continue
        if not call.command.shell_form:
            raise NotPossible(f"line {line} is in exec form: a variable cannot stand before it")
        start = call.command.words[0].span.start
        edits[start] = Edit(start, start, f"{name}=symbols ")
    return Draft(tuple(edits.values()))


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


def _environment_block(build: ImageBuild, call: CargoCall) -> int | None:
    """The end of the first run of ENV lines of the call's stage, if one of them is about cargo."""
    end: int | None = None
    about_cargo = False
    for index in build.stages[call.command.stage].instructions:
        instruction = build.instructions[index]
        if index >= call.command.instruction:
            break
        if instruction.keyword == "ENV":
            about_cargo = about_cargo or any(
                (pair.key.literal or "").startswith("CARGO_") for pair in instruction.pairs
            )
            end = instruction.span.end
        elif end is not None:
            break
    return end if about_cargo else None

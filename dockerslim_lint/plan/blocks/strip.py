"""Symbols are left out by cargo itself, where nothing strips them yet."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.catalog import commands as known_commands
from dockerslim_lint.edit import Edit
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.cargo import BUILT_IN_PROFILES, CROSS, behind_wrappers
from dockerslim_lint.facts.crate.model import Crate
from dockerslim_lint.facts.model import (
    MUSL_STATIC,
    STRIPPED_ALL,
    STRIPPED_DEBUGINFO,
    STRIPPED_NO,
    Artifact,
    CargoCall,
    Command,
    FinalImage,
    ImageBuild,
)
from dockerslim_lint.facts.stages import chain_of
from dockerslim_lint.facts.transfers import COMPRESSES_DEBUG, KEEPS_DEBUG
from dockerslim_lint.facts.warmups import ahead_of, alike, compiled_beside, warming_calls
from dockerslim_lint.plan.blocks.lines import insert_line
from dockerslim_lint.plan.model import Draft, NotPossible

STRIP_SINCE = (1, 59)
"""The first cargo with ``profile.strip`` (cargo changelog; 1.51 refuses the variable: tried)."""


DROPS_DEBUG_SINCE = (1, 77)
"""The first cargo that leaves debug information out of a release build that asks for none (cargo changelog)."""


PROFILE_KEYS = [
    "opt_level",
    "lto",
    "codegen_units",
    "codegen_backend",
    "debug",
    "debug_assertions",
    "split_debuginfo",
    "strip",
    "rpath",
    "panic",
    "overflow_checks",
    "incremental",
    "inherits",
    "dir_name",
    "rustflags",
    "trim_paths",
]
"""The settings of a profile, as a variable spells them (cargo book, "Profiles" and "Unstable features")."""


WITHOUT_SYMBOLS = "backtraces show addresses instead of names"
"""What it costs."""


def unstripped_calls(build: ImageBuild, images: tuple[FinalImage, ...]) -> tuple[int, ...]:
    """The calls whose programs are shipped with what may go, or with that for all that is known."""
    users = symbol_users(build, images)
    found = {
        artifact.call
        for image in images
        for _, artifact in image.artifacts
        if artifact.call is not None and not is_slim(build, artifact, bool(users))
    }
    return tuple(sorted(found))


def symbol_users(build: ImageBuild, images: tuple[FinalImage, ...]) -> tuple[str, ...]:
    """The crates for which the programs of these images keep their symbols."""
    calls = {artifact.call for image in images for _, artifact in image.artifacts if artifact.call is not None}
    found = {name for at in calls if (crate := build.crates[at]) is not None for name in crate.symbol_users}
    return tuple(sorted(found))


def is_slim(build: ImageBuild, artifact: Artifact, used: bool) -> bool:
    """Whether nothing is left in a program that may go: its symbols may not where they are `used` when it runs."""
    if artifact.stripped == STRIPPED_ALL or not used:
        return artifact.stripped == STRIPPED_ALL
    if artifact.stripped == STRIPPED_NO and artifact.call is not None:
        version = build.toolchains[artifact.call].version
        return build.calls[artifact.call].profile == "release" and (version is None or version >= DROPS_DEBUG_SINCE)
    return artifact.stripped == STRIPPED_DEBUGINFO


def strip_symbols(build: ImageBuild, images: tuple[FinalImage, ...]) -> Draft:
    """``CARGO_PROFILE_…_STRIP=symbols``, or ``=debuginfo`` where a crate uses the symbols: as an ENV where the stage already
    steers cargo that way, else before the call.

    Source: cargo book, "Environment Variables" (env wins over the manifest: knowledge §7, tried). Raises NotPossible.
    """
    edits: dict[int, Edit] = {}
    blocks: dict[int, int | None] = {}
    given: set[tuple[int, str]] = set()
    settings: dict[int, list[str]] = {}
    level = "debuginfo" if symbol_users(build, images) else "symbols"
    makers = _with_alternatives(build, unstripped_calls(build, images))
    _check(build, makers)
    sharing = _sharing_a_cache(build, makers)
    alone = {stage for name in {name for _, name in sharing} for stage in _reaching_others(build, name, sharing)}
    for command, name in sharing:
        stage = command.stage
        if any((number, name) in given for number in chain_of(build.stages[stage], build.stages)[:-1]):
            continue
        if stage not in blocks:
            blocks[stage] = None if stage in alone else _environment_block(build, stage, command.instruction)
        place = blocks[stage]
        if place is not None:
            if (stage, name) not in given:
                settings.setdefault(place, []).append(f"ENV {name}={level}")
            given.add((stage, name))
        else:
            edit = set_before(build, command, f"{name}={level}")
            edits[edit.start] = edit
    lines = [insert_line(build, place, "\n".join(names)) for place, names in settings.items()]
    return Draft((*edits.values(), *lines))


def keeps_symbols(build: ImageBuild, images: tuple[FinalImage, ...]) -> bool:
    """Whether a program keeps its symbols: its build or its image is there for them or for debugging, somebody wrote that they stay,
    its cargo has no setting for that yet or no name for it in a variable, or it is static already and cross hands no setting on."""
    if any(image.symbols for image in images):
        return True
    makers = unstripped_calls(build, images)
    if any(
        image.debugs(build.calls[at]) for image in images for _, one in image.artifacts if (at := one.call) is not None
    ):
        return True
    if _asking(build, makers, COMPRESSES_DEBUG) is not None or _kept_aside(build, makers) is not None:
        return True
    versions = [build.toolchains[at].version for at in makers]
    old = any(version is not None and version < STRIP_SINCE for version in versions)
    calls = [build.calls[at] for at in makers]
    old = old or any(_taken_for(build.calls[at], build.crates[at]) for at in makers)
    apart = any(call.driver == CROSS and call.link == MUSL_STATIC for call in calls)
    return old or apart or any(call.debug or call.kept or call.own_strip or _keeps_relocations(call) for call in calls)


def _keeps_relocations(call: CargoCall) -> bool:
    """``-Wl,-q``, for BOLT: the linker refuses --strip-all beside it (ld(1), --emit-relocs)."""
    words = " ".join(call.possible_flags).replace(",", " ").replace("=", " ").split()
    return bool({"--emit-relocs", "-q"} & set(words))


def _with_alternatives(build: ImageBuild, makers: tuple[int, ...]) -> tuple[int, ...]:
    """The calls, and those that may have run in their place: the other branches of the step's ``if`` or ``case``."""
    steps = {build.calls[at].command.instruction for at in makers if not build.calls[at].command.certain}
    others = {
        at
        for at, call in enumerate(build.calls)
        if call.command.instruction in steps and not call.command.certain and call.stripped != STRIPPED_ALL
    }
    return tuple(sorted({*makers, *others}))


def _check(build: ImageBuild, makers: tuple[int, ...]) -> None:
    for at in makers:
        call = build.calls[at]
        line = build.source.line_of(call.command.span.start)
        if call.driver == CROSS:
            raise NotPossible(f"cross (line {line}) hands no profile setting to its container")
        if call.debug:
            raise NotPossible(f"the profile or the flags of the call in line {line} ask for debug information")
        if call.kept:
            raise NotPossible(f"the profile of the call in line {line} says that the symbols stay")
        if _keeps_relocations(call):
            raise NotPossible(
                f"the flags of the call in line {line} ask for relocations, which the linker keeps only with symbols"
            )
    compressed = _asking(build, makers, COMPRESSES_DEBUG)
    if compressed is not None:
        raise NotPossible(f"line {compressed} compresses the debug information, which is to be kept")
    aside = _kept_aside(build, makers)
    if aside is not None:
        raise NotPossible(f"the stage in line {aside} ships the program for its symbols")
    split = _asking(build, makers, KEEPS_DEBUG)
    if split is not None:
        raise NotPossible(f"line {split} keeps the debug information in a file of its own, which cargo would strip")


def _asking(build: ImageBuild, makers: tuple[int, ...], flag: str) -> int | None:
    """The line of a step of the builders in which a tool is given this flag, of debug information that is wanted."""
    if flag.encode() not in build.source.data:
        return None
    stages = {build.calls[at].command.stage for at in makers}
    for command in build.commands:
        if command.stage in stages and any(word.pattern.partition("=")[0] == flag for word in command.words):
            return build.source.line_of(command.span.start)
    return None


def _kept_aside(build: ImageBuild, makers: tuple[int, ...]) -> int | None:
    """The line of a stage that starts nothing and has the program with its symbols, which another image strips or its name asks for."""
    if len(build.images) < 2:
        return None
    from dockerslim_lint.catalog.symbols import keeps_them

    stripped = {
        one.call
        for image in build.images
        for _, one in image.artifacts
        if one.stripped == STRIPPED_ALL and one.call in makers
    }
    for image in build.images:
        stage = build.stages[image.stage]
        kept = {one.call for _, one in image.artifacts if one.stripped != STRIPPED_ALL and one.call in makers}
        starts = any(path in image.launch.runs for path, _ in image.artifacts)
        names = (stage.name, *(patterns.basename(path) for path, _ in image.artifacts))
        if kept and not starts and (kept & stripped or any(map(keeps_them, names))):
            return build.source.line_of(build.instructions[stage.instruction].span.start)
    return None


def _check_version(build: ImageBuild, command: Command, version: tuple[int, int] | None) -> None:
    if version is None or version >= STRIP_SINCE:
        return
    line = build.source.line_of(command.span.start)
    if version == (0, 0):
        raise NotPossible(f"which cargo the call in line {line} uses is only known when it runs")
    raise NotPossible(
        f"the cargo of line {line} ({version[0]}.{version[1]}) has no strip setting yet; a RUN with binutils' strip would do"
    )


def _taken_for(call: CargoCall, crate: Crate | None) -> str:
    """The profile of whose setting cargo takes the variables of the call's own: ``release-lto`` is below ``release.lto`` to it
    (tried with cargo 1.95: it ends with an error). "" for none.
    """
    profile = (call.profile or "").replace("-", "_")
    profiles: set[str] = {*BUILT_IN_PROFILES, *(crate.profiles if crate is not None else ())}
    for other in sorted(profiles):
        rest = profile.removeprefix(f"{other.replace('-', '_')}_")
        if rest != profile and any(rest == key or rest.startswith(f"{key}_") for key in PROFILE_KEYS):
            return other
    return ""


def _variable(profile: str) -> str:
    return f"CARGO_PROFILE_{profile.upper().replace('-', '_')}_STRIP"


def _setting(build: ImageBuild, at: int) -> str:
    call, crate = build.calls[at], build.crates[at]
    # a profile that a variable decides is stripped where the variable has its default; any other is left as it is
    line = build.source.line_of(call.command.span.start)
    if call.profile is None:
        raise NotPossible(f"the profile of the call in line {line} is only known when it runs")
    if call.own_strip:
        raise NotPossible(f"{call.own_strip} what is stripped, over any variable (line {line})")
    name = _variable(call.profile)
    other = _taken_for(call, crate)
    if other:
        raise NotPossible(
            f"cargo takes {name} for a setting of the profile {other} (line {line}); `strip = true` in Cargo.toml would do"
        )
    if name in call.command.variables:
        raise NotPossible(f"{name} is set in the file, to another value (line {line})")
    return name


def set_before(build: ImageBuild, command: Command, setting: str) -> Edit:
    """A variable (`setting` is ``NAME=value``) for this command alone. Raises NotPossible."""
    line = build.source.line_of(command.span.start)
    if not command.shell_form:
        program = command.words[behind_wrappers(command.words)].json
        if program is None:
            raise NotPossible(f"line {line} is in exec form: a variable cannot stand before it")
        return Edit(program.span.start, program.span.start, f'env", "{setting}", "')
    if command.nested and "\\" in build.source.text(command.span):
        # `sh -c cargo\ build`: a space more would end the script
        raise NotPossible(f"the call in line {line} stands in a script within the script")
    first = command.words[0]
    if first.exact and known_commands.is_wrapper(first.pattern):
        # `sudo` and `env -i` drop what is set before them, and bash knows `time` only where nothing is
        first = command.words[behind_wrappers(command.words)]
        return Edit(first.span.start, first.span.start, f"env {setting} ")
    # behind a word, even one that comes to nothing (`${X:+env A=b} cargo`), an assignment is a word too
    start = first.span.start if command.prefix and not command.optional else command.span.start
    return Edit(start, start, f"{setting} ")


def _sharing_a_cache(build: ImageBuild, makers: tuple[int, ...]) -> list[tuple[Command, str]]:
    """The calls themselves, the other builds of their stages, and of those that they are based on, with the same profile, and
    those that warm them, in any stage; with them tests and checks of that profile. Each with the variable that it gets, in file
    order. Raises NotPossible.

    cargo counts ``strip`` in a dependency's fingerprint: a dummy build with another setting would warm nothing, and a test
    would build all dependencies once more (tried with cargo 1.95; test and bench inherit the setting from dev and release).
    """
    wanted = {
        (stage, build.calls[at].profile)
        for at in makers
        for stage in chain_of(build.stages[build.calls[at].command.stage], build.stages)
    }
    sharing = {
        at
        for at, call in enumerate(build.calls)
        if at in makers
        or (
            call.source == "context"
            and not (call.debug or call.kept or call.stripped == STRIPPED_ALL)
            and (call.command.stage, call.profile) in wanted
        )
    }
    warming = {one for at in sharing for one in warming_calls(build, at) if build.calls[one].stripped != STRIPPED_ALL}
    found = {}
    for at in sorted(sharing | warming):
        call = build.calls[at]
        _check_version(build, call.command, build.toolchains[at].version)
        found[call.command.span] = (call.command, _setting(build, at))
        for cook in ahead_of(build, at):
            name = found[call.command.span][1]
            if cook.kind == "cook" and alike(cook, call) and name not in cook.command.variables:
                _check_version(build, cook.command, cook.version)
                found[cook.command.span] = (cook.command, name)
    for at, command, _ in compiled_beside(build, sorted(sharing | warming)):
        name = found[build.calls[at].command.span][1]
        if name not in command.variables:
            found.setdefault(command.span, (command, name))
    return [found[span] for span in sorted(found)]


def _reaching_others(build: ImageBuild, name: str, sharing: list[tuple[Command, str]]) -> Iterator[int]:
    """The stages in which a variable for the whole stage would reach a build of another program, whose symbols are to stay."""
    given = {command.span for command, _ in sharing}
    for call in build.calls:
        other = call.source == "context" and call.stripped != STRIPPED_ALL and call.command.span not in given
        if other and name == _variable(call.profile or ""):
            yield from chain_of(build.stages[call.command.stage], build.stages)


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

"""The images that ship programs made by cargo, and what those need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from dockerslim_lint.catalog import commands as known_commands
from dockerslim_lint.catalog import packages, symbols
from dockerslim_lint.catalog.buildfiles import is_development
from dockerslim_lint.edit import Need
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.cargo import SUBCOMMAND
from dockerslim_lint.facts.copies import left_at
from dockerslim_lint.facts.inside import Inside
from dockerslim_lint.facts.model import (
    Artifact,
    CargoCall,
    FinalImage,
    Launch,
    LostOutput,
    Output,
    ShippedOutput,
    Stage,
    Transfer,
)
from dockerslim_lint.facts.packages import leftovers
from dockerslim_lint.facts.runs import behind_init, resolve, started
from dockerslim_lint.facts.rustup import stays_installed
from dockerslim_lint.facts.shared import Shared
from dockerslim_lint.facts.stages import chain_of
from dockerslim_lint.facts.walk import StageState
from dockerslim_lint.syntax import script as sh
from dockerslim_lint.syntax.shell import parse_shell
from dockerslim_lint.syntax.tree import Expansion, Instruction


def final_images(shared: Shared, instructions: Sequence[Instruction]) -> tuple[FinalImage, ...]:
    """One value for each terminal stage that receives, or starts, a program made by cargo."""
    found = []
    for state in shared.states:
        if not state.stage.terminal:
            continue
        image = _final_image(state, shared, instructions)
        if image is not None:
            found.append(image)
    beside = [_is_beside(image, shared) for image in found]
    return tuple(
        image._replace(aside=True) if _is_for_development(image, shared) or (one and not all(beside)) else image
        for image, one in zip(found, beside, strict=True)
    )


def _is_for_development(image: FinalImage, shared: Shared) -> bool:
    """Whether it is named so and has what compiles: a toolchain's base, or the step that made its program."""
    base = shared.stages[image.stage].image
    return image.development and (image.single_stage or (base is not None and base.toolchain))


def _is_beside(image: FinalImage, shared: Shared) -> bool:
    """Whether its stage is not the last, and has the toolchain and starts what nobody can read, or starts nothing and packs an archive."""
    stage = shared.stages[image.stage]
    if stage.image is None or stage.number == len(shared.stages) - 1:
        return False
    if not stage.image.toolchain:
        own = (command for command in image.commands if command.stage == stage.number)
        return image.launch.from_base and any(
            known_commands.packs([word.pattern for word in one.words]) for one in own if one.words
        )
    return image.launch.program not in dict(image.artifacts) and "-c" not in image.launch.argv[1:2]


def _final_image(state: StageState, shared: Shared, instructions: Sequence[Instruction]) -> FinalImage | None:
    stage = state.stage
    chain = chain_of(stage, shared.stages)
    launch = read_launch(state, shared, instructions)
    left = left_at(launch.program, state) if launch.program is not None else None
    if left is not None and launch.program is not None:
        state.table.put(launch.program, left)
        launch = launch._replace(runs=(launch.program, *launch.runs))
    artifacts: dict[str, Artifact] = {}
    for path, entry in state.table.entries():
        if isinstance(entry, Artifact) and (entry.call is None or _made_outside(entry, shared, chain)):
            artifacts[path] = entry
    transfers = tuple(transfer for transfer in shared.transfers if transfer.stage in chain)
    outputs: list[ShippedOutput] = []
    for path, entry in state.table.entries():
        # a copied output directory ships what starts from it, or the one program that the crate has
        if isinstance(entry, Output) and shared.calls[entry.call].command.stage not in chain:
            if shared.calls[entry.call].kind == "build":
                outputs += _brought(path, entry.call, shared, transfers)
            for name in shared.binaries(entry.call):
                program = state.table.find(f"{path}/{name}")
                if isinstance(program, Artifact):
                    artifacts[f"{path}/{name}"] = program
    for path in launch.runs:
        program = state.table.find(path)
        if isinstance(program, Artifact):
            artifacts.setdefault(path, program)
            artifacts.update(_made_with(path, program, state, shared, chain))
    for path in [path for path in artifacts if "*" in path]:
        if any(patterns.same(run, path) for run in launch.runs if run != path):
            del artifacts[path]  # what `COPY bin/* /usr/local/bin/` brought has a name after all
    if not artifacts:
        return None
    outputs += _one_by_one(artifacts, shared, transfers, chain, instructions)
    commands = tuple(command for command in shared.commands if command.stage in chain)
    toolchain = stage.image is not None and stage.image.toolchain
    starts_one = any(path in artifacts for path in launch.runs)
    if (
        not starts_one
        and (toolchain or stays_installed(commands))
        and not (launch.from_base and _is_handed_over(stage, artifacts, shared))
    ):
        return None  # the toolchain is the product: a CI image with a tool of its own
    own_shell = any(
        instructions[at].keyword == "SHELL" for number in chain for at in shared.stages[number].instructions
    )
    single = any(
        artifact.call is not None and shared.calls[artifact.call].command.stage in chain
        for artifact in artifacts.values()
    )
    return FinalImage(
        stage.number,
        chain,
        tuple(artifacts.items()),
        launch,
        state.user,
        state.user_instruction,
        state.workdir,
        state.environment.variables,
        tuple(state.installs),
        tuple(state.users),
        commands,
        tuple(state.volumes),
        state.healthcheck,
        transfers,
        _needs(state, single),
        single,
        Inside(state, shared, instructions, chain),
        tuple(outputs),
        () if single else leftovers(state.installs, commands, shared.mounts, transfers, toolchain, own_shell),
        any(map(is_development, (stage.name, *patterns.basename(shared.source.path.lower()).split(".")))),
        symbols=any(map(symbols.keeps_them, (stage.name, patterns.basename(shared.source.path))))
        or any(map(symbols.is_reader, (name for install in state.installs for name in install.packages))),
    )


def _is_handed_over(stage: Stage, artifacts: Mapping[str, Artifact], shared: Shared) -> bool:
    """Whether an image that starts nothing has been given the programs of the context, no tools for cargo, and nothing else is done
    in it: whoever runs it names them."""
    makers = [shared.calls[one.call] for one in artifacts.values() if one.call is not None]
    home = stage.image.cargo_home if stage.image is not None else ""
    return (
        stage.parent is None
        and len(makers) == len(artifacts)
        and all(command.stage != stage.number for command in shared.commands)
        and not any(patterns.basename(path).startswith(SUBCOMMAND) for path in artifacts)
        and not any(home and patterns.below(path, home) is not None for path in artifacts)
        and all(call.kind == "build" and _builds_context(call, shared) for call in makers)
    )


def _builds_context(call: CargoCall, shared: Shared) -> bool:
    """Whether a COPY brings files of the context to the stage of a call."""
    chain = chain_of(shared.stages[call.command.stage], shared.stages)
    return any(one.stage in chain and one.from_context for one in shared.transfers)


def _brought(path: str, number: int, shared: Shared, transfers: Sequence[Transfer]) -> Iterator[ShippedOutput]:
    """Every COPY of the directory or of one above it; else the only one that may bring what a step copied elsewhere first. Of
    a COPY whose source nobody knows nothing is said."""
    output = shared.calls[number].output or ""
    found = False
    for transfer in transfers:
        for source in transfer.sources if transfer.origin_stage is not None else ():
            if source != "*" and patterns.below(output, patterns.join("/", source)) is not None:
                found = True
                if not _thinned(output, number, transfer.origin_stage or 0, shared):
                    yield ShippedOutput(path, number, transfer, source)
                break
    bringing = [one for one in transfers if patterns.below(path, one.destination) is not None]
    if not found and len(bringing) == 1 and len(bringing[0].sources) == 1 and bringing[0].origin_stage is not None:
        source = bringing[0].sources[0]
        if source != "*" and not _thinned(patterns.join("/", source), number, bringing[0].origin_stage, shared):
            yield ShippedOutput(path, number, bringing[0], source)


def _thinned(place: str, number: int, stage: int, shared: Shared) -> bool:
    """Whether a step of the stage takes something away from the place after the call has filled it, or may."""
    from dockerslim_lint.catalog import programs

    chain, filled = chain_of(shared.stages[stage], shared.stages), shared.calls[number].command.span
    return any(
        patterns.below(patterns.join(command.directory or "/*", word.pattern), place) is not None
        for command in shared.commands
        if command.stage in chain
        and command.span > filled
        and (programs.step_kind(command.name) == "removes" or known_commands.classify(command.name) == "opaque")
        for word in command.words[1:]
    )


def _one_by_one(
    artifacts: Mapping[str, Artifact],
    shared: Shared,
    transfers: Sequence[Transfer],
    chain: Sequence[int],
    instructions: Sequence[Instruction],
) -> Iterator[ShippedOutput]:
    """``COPY …/release/* …``: by a pattern that everything fits."""
    calls = dict.fromkeys(one.call for one in artifacts.values() if one.call is not None)
    for number in calls:
        call = shared.calls[number]
        for transfer in transfers if call.kind == "build" and call.command.stage not in chain else ():
            if transfer.origin_stage is None:
                continue
            within = chain_of(shared.stages[transfer.origin_stage], shared.stages)
            words = instructions[transfer.instruction].words
            if instructions[transfer.instruction].keeps_parents:
                continue
            for word, source in zip(words, transfer.sources, strict=False) if call.command.stage in within else ():
                folder, name = patterns.parent(source), patterns.basename(source)
                # an argument in the place of the program's name is no glob
                named = isinstance(word.pieces[-1], Expansion)
                whole = name == "*" and not named and patterns.same(patterns.join("/", folder), call.output or "")
                if whole and not _thinned(patterns.join("/", folder), number, transfer.origin_stage, shared):
                    yield ShippedOutput(transfer.destination, number, transfer, source)


def _made_with(
    path: str, artifact: Artifact, state: StageState, shared: Shared, chain: tuple[int, ...]
) -> dict[str, Artifact]:
    """The other programs that the image's own call puts where it puts the one that starts; not those that a feature decides."""
    if artifact.call is None or _made_outside(artifact, shared, chain):
        return {}
    crate = shared.crate_of_call[artifact.call]
    sure = [name for name in shared.binaries(artifact.call) if crate is not None and name not in crate.conditional]
    paths = (patterns.join(patterns.parent(path), name) for name in sure if "*" not in path and name != artifact.name)
    found = ((one, state.table.find(one)) for one in paths)
    return {one: program for one, program in found if isinstance(program, Artifact) and program.call == artifact.call}


def _made_outside(artifact: Artifact, shared: Shared, chain: tuple[int, ...]) -> bool:
    return artifact.call is not None and shared.calls[artifact.call].command.stage not in chain


NO_ZONE = frozenset({"", "UTC", "Etc/UTC", "UTC0", "GMT", "Etc/GMT", "UCT", "Zulu", "Etc/Zulu"})
"""Values of TZ for which a C library needs no time zone files."""


def _needs(state: StageState, single: bool) -> tuple[Need, ...]:
    needs: dict[tuple[str, str], Need] = {}
    for install in state.installs if not single else ():
        for name in install.packages:
            known = packages.lookup(install.manager, name)
            if known is not None and known.role in ("certificates", "tzdata"):
                needs.setdefault((known.role, ""), Need(known.role, "", f"the file installs {name}"))
    zone = state.environment.environment.get("TZ")
    if zone is not None and zone.text not in NO_ZONE:
        needs.setdefault(("tzdata", ""), Need("tzdata", "", "the file sets TZ"))
    return tuple(needs.values())


def read_launch(state: StageState, shared: Shared, instructions: Sequence[Instruction]) -> Launch:
    """What starts when the image is run."""
    image = state.stage.image
    argv: list[str] = []
    program: str | None = None
    shell_form = False
    for index in (state.entrypoint, state.cmd):
        if index is None or shell_form:
            continue
        instruction = instructions[index]
        if instruction.json is not None:
            argv += [string.text for string in instruction.json]
        elif instruction.body.data:
            shell_form = not argv
            text = instruction.body.data.decode("utf-8", "surrogateescape")
            argv += ["/bin/sh", "-c", text]
            if shell_form:
                program = _program_of_shell_form(instruction)
    from_base = state.entrypoint is None and state.cmd is None
    if state.entrypoint is None and image is not None and image.entrypoint:
        argv = [*image.entrypoint, *argv]
    if state.cmd is None and state.base_cmd and (state.entrypoint is None) and image is not None and image.cmd:
        argv += image.cmd
    first = program if shell_form else argv[0] if argv else None
    init = ""
    if first and len(argv) > 1 and not shell_form and not from_base and not _is_own(first, state, shared):
        init = first if packages.is_init(patterns.basename(first)) else ""
    if init:
        first = next(iter(behind_init(argv)), None)
    path = resolve(first, state, shared) if first and not from_base else None
    runs = started(state, shared, instructions, path, bool(init)) if not from_base else ()
    return Launch(tuple(argv), state.entrypoint, state.cmd, path, shell_form, from_base, runs, init)


def _is_own(name: str, state: StageState, shared: Shared) -> bool:
    path = resolve(name, state, shared)
    return path is not None and isinstance(state.table.find(path), Artifact)


def lost_programs(shared: Shared, instructions: Sequence[Instruction]) -> list[LostOutput]:
    """Programs that a terminal stage starts from a place where only a mount held them."""
    found: list[LostOutput] = []
    for state in shared.states:
        if state.lost and state.stage.terminal:
            launch = read_launch(state, shared, instructions)
            index = launch.entrypoint if launch.entrypoint is not None else launch.cmd
            if launch.program is not None and index is not None:
                before = len(shared.lost)
                state.use_lost(launch.program, instructions[index].body_span)
                found += shared.lost[before:]
                del shared.lost[before:]
    return found


def _program_of_shell_form(instruction: Instruction) -> str | None:
    """The program that a command in shell form starts, where that is all it does."""
    node = parse_shell(instruction.body).root
    while isinstance(node, sh.Sequence) and len(node.items) == 1:
        node = node.items[0]
    if not isinstance(node, sh.Simple) or not node.words:
        return None
    words = node.words[1:] if node.words[0].literal == "exec" and len(node.words) > 1 else node.words
    return words[0].literal

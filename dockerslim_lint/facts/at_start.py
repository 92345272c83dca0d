"""What only goes wrong when the container starts: cargo that compiles there, variables that are gone. Loaded where a command names one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from dockerslim_lint.catalog import commands as known_commands
from dockerslim_lint.catalog import programs as known_programs
from dockerslim_lint.catalog.buildfiles import is_development, is_manifest
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.calls import crate_directory, features_of, read_call, target_directory_of, target_of
from dockerslim_lint.facts.cargo import BUILDS, CARGO, CargoArguments, behind_wrappers, cargo_arguments, profile_of
from dockerslim_lint.facts.commands import SET_BY_THE_SHELL, CommandReader
from dockerslim_lint.facts.crate.model import Crate
from dockerslim_lint.facts.env import NOWHERE
from dockerslim_lint.facts.final import read_launch
from dockerslim_lint.facts.model import (
    Artifact,
    CargoAtStart,
    CargoCall,
    Command,
    CommandWord,
    GoneVariable,
    Output,
    Value,
)
from dockerslim_lint.facts.runs import Start, resolve, script_of
from dockerslim_lint.facts.shared import Shared
from dockerslim_lint.facts.stages import chain_of
from dockerslim_lint.facts.users import is_root
from dockerslim_lint.facts.walk import StageState
from dockerslim_lint.source import Span
from dockerslim_lint.syntax import script as sh
from dockerslim_lint.syntax.tree import Expansion, Instruction

RUNS = frozenset({"run", "r"})
"""cargo's subcommand that compiles what is not yet compiled, and starts it (cargo book, "cargo run")."""

BESIDE = frozenset({"fetch", "update", "clean", "generate-lockfile", "vendor", *BUILDS})
"""Subcommands that may stand beside it. Any other one (test, watch, clippy) is what an image to work with is for."""

CARGO_PREFIX, RUSTFLAGS, TARGET_DIRECTORY = "CARGO_", "RUSTFLAGS", "--target-dir"

_NAME = re.compile(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)[^}]*\})")
_ALONE = re.compile(r"\$(?:[A-Z][A-Z0-9_]*|\{[A-Z][A-Z0-9_]*\})")
"""A string that can hardly be meant as it stands."""


def run_at(words: Sequence[str]) -> int | None:
    """Where ``run`` stands in the words of a plain ``cargo run``, behind a toolchain or not; None for any other command."""
    at = 2 if len(words) > 1 and words[1].startswith("+") else 1
    return at if len(words) > at and words[0] == CARGO and words[at] in RUNS else None


def _start_of(state: StageState, shared: Shared, instructions: Sequence[Instruction]) -> Start:
    return Start(state, instructions, bool(read_launch(state, shared, instructions).init))


def _commands(start: Start, state: StageState, variables: Mapping[str, Value] | None = None) -> list[Command]:
    """What starts; `variables` are those that a shell then sees."""
    if start.script is not None:
        index, text = start.script
        seen = state.environment.variables if variables is None else variables
        reader = CommandReader(index, state.stage.number, state.workdir, seen, state.environment.known)
        return reader.read_text(text)
    if not start.strings:
        return []
    words = tuple(CommandWord(string.text, True, string.span, None, string) for _, string in start.strings)
    index, first = start.strings[0]
    last = [string for at, string in start.strings if at == index][-1]
    span = Span(first.span.start, last.span.end)
    seen = state.environment.environment
    return [Command(index, state.stage.number, words, (), span, state.workdir, seen, True, False)]


def cargo_at_start(shared: Shared, instructions: Sequence[Instruction]) -> Iterator[CargoAtStart]:
    """Where the last stage starts ``cargo run`` or a front-end server, or builds what it starts.

    Nothing for an image to work in: one that is named so, tests or watches, or gets its sources only when it runs.
    """
    state = shared.states[-1]
    parts = patterns.basename(shared.source.path.lower()).split(".")
    if any(map(is_development, (state.stage.name, *parts))) or not _has_sources(state, shared):
        return
    start = _start_of(state, shared, instructions)
    script, commands, place = "", _commands(start, state), None
    if commands and not any(cargo_arguments(command) for command in commands):
        named = script_of(state, shared, instructions, start.words)
        if named is not None:
            script, commands, place = named[0], named[1], (commands[0].instruction, commands[0].span)
    servers = {at: known_commands.server_of(_behind_wrappers(command)) for at, command in enumerate(commands)}
    calls = [
        (at, command, found)
        for at, command in enumerate(commands)
        if (found := cargo_arguments(command)) is not None and not servers[at] and not _is_a_file(command)
    ]
    if any(found.subcommand not in RUNS | BESIDE for _, _, found in calls):
        return
    root = state.stage.image is not None and is_root(state.user)
    for at, command in enumerate(commands):
        if servers[at] and command.certain:
            index, span = place or (command.instruction, command.span)
            yield CargoAtStart(index, span, None, None, None, "", script, servers[at], root, state.user_instruction)
            return
    for at, command, found in calls:
        if found.subcommand not in RUNS and not _starts_what_it_builds(command, found, commands[at + 1 :]):
            continue
        if not command.certain:
            continue
        same, other = _compiled_before(command, found, shared)
        index, span = place or (command.instruction, command.span)
        subcommand = "run" if found.subcommand in RUNS else "build"
        profile = profile_of(found, "build")[0]
        made = same if same is not None else other
        plain = made is None or _is_same(shared.calls[made], command, found, shared)
        known = _program_of(command, found, state) if subcommand == "run" and plain else None
        program, crate = known or (None, None)
        user = state.user_instruction
        yield CargoAtStart(index, span, profile, same, other, subcommand, script, "", root, user, program, crate)
        return


def _behind_wrappers(command: Command) -> list[str]:
    words = command.words[behind_wrappers(command.words) :]
    return [word.pattern for word in words] if words and words[0].exact else []


def _has_sources(state: StageState, shared: Shared) -> bool:
    """Whether sources are in the image, by COPY or as the clone of a repository, and stay: a volume over them is for those of the one
    who runs it."""
    if any(patterns.below(state.workdir, volume) is not None for volume in state.volumes):
        return False
    chain = chain_of(state.stage, shared.stages)
    return any(
        not is_manifest(patterns.basename(source))
        for transfer in shared.transfers
        if transfer.stage in chain
        for source in transfer.sources or ("",)
    ) or any(
        patterns.below(state.workdir, patterns.join(command.directory, place)) is not None
        for command in shared.commands
        if command.stage in chain and command.certain and command.directory is not None and command.name
        if (place := known_commands.cloned_into([word.pattern for word in command.words]))
    )


def _is_a_file(command: Command) -> bool:
    """Whether what is named cargo is a file of the project's own (``./cargo``)."""
    names = [word.pattern for word in command.words if patterns.basename(word.pattern) == "cargo"]
    return bool(names) and "/" in names[0] and patterns.basename(patterns.parent(names[0])) != "bin"


def _program_of(command: Command, found: CargoArguments, state: StageState) -> tuple[str, Crate | None] | None:
    """Where a build for release puts what ``cargo run`` starts, and its crate; None where that is not known. Without a profile it is
    one too."""
    arguments = found._replace(subcommand="build")
    if not found.exact or found.operands or "--example" in found.flags:
        return None  # an operand is the program's
    crate, workspace = state.crate_of(command, arguments, state.config_of(command, arguments))
    call = read_call(command, arguments, state.stage, crate, workspace)
    names = call.bins or ((crate.default_binary,) if crate is not None and crate.default_binary else ())
    if call.output is None or call.open_profile or len(names) != 1:
        return None
    directory = call.output if call.profile != "dev" else patterns.join(patterns.parent(call.output), "release")
    path = f"{directory}/{names[0]}"
    return None if "*" in path else (path, crate)


def _starts_what_it_builds(command: Command, found: CargoArguments, after: Sequence[Command]) -> bool:
    """Whether a later command starts a program from where ``cargo build`` puts it."""
    if BUILDS.get(found.subcommand) != "build":
        return False
    place = target_directory_of(command, found, None, crate_directory(command, found, "build"))
    return place is not None and any(
        "/" in word.pattern and patterns.below(patterns.join(later.directory, word.pattern), place) is not None
        for later in after
        if later.certain and later.directory is not None
        for word in later.words[behind_wrappers(later.words) :][:1]
    )


def _compiled_before(command: Command, found: CargoArguments, shared: Shared) -> tuple[int | None, int | None]:
    """The calls that have compiled the same, and the same otherwise, in what the image holds."""
    state = shared.states[-1]
    chain = chain_of(state.stage, shared.stages)
    directory = crate_directory(command, found, "build")
    placeholders = [warmup.command for warmup in shared.warmups]
    same, other = None, None
    for number, call in enumerate(shared.calls):
        if call.kind != "build" or call.command.stage not in chain or call.command in placeholders:
            continue
        if call.crate_directory != directory or _mounted(number, shared):
            continue
        if not isinstance(state.table.find(call.output or "/"), Output):
            continue  # removed again
        if call.profile == profile_of(found, "build")[0] and _is_same(call, command, found, shared):
            same = number
        else:
            other = number
    return same, other


def _is_same(call: CargoCall, command: Command, found: CargoArguments, shared: Shared) -> bool:
    """Whether a call builds what is started, but for the profile."""

    def named(*flags: str) -> set[str]:
        return {word.pattern for flag in flags for word in found.flags.get(flag, ())}

    target = target_of(found, command.variables, shared.states[-1].stage, None)
    return (
        call.target.pattern == target.pattern
        and call.features == features_of(found)
        and call.toolchain == found.toolchain
        and (not call.bins or named("--bin") <= set(call.bins))
        and (not call.packages or named("-p", "--package") <= set(call.packages))
        and named("--example") <= set(call.examples)
        and _settings(call.command) == _settings(command)
    )


def _settings(command: Command) -> dict[str, str | None]:
    """What steers cargo beside its arguments: variables, and where it builds."""
    names = (name for name in command.variables if name.startswith(CARGO_PREFIX) or name == RUSTFLAGS)
    found: dict[str, str | None] = {name: command.variables[name].text for name in names}
    arguments = cargo_arguments(command)
    for word in arguments.flags.get(TARGET_DIRECTORY, ()) if arguments is not None else ():
        found[TARGET_DIRECTORY] = word.pattern
    return found


def _mounted(number: int, shared: Shared) -> bool:
    """Whether what the call made stayed in a mount."""
    call = shared.calls[number]
    places = [mount.target for mount in shared.mounts if mount.instruction == call.command.instruction]
    return call.output is None or any(patterns.below(call.output, place) is not None for place in places)


def gone_variables(shared: Shared, instructions: Sequence[Instruction]) -> Iterator[GoneVariable]:
    """Variables in the commands of images with programs of cargo's that nothing has replaced when those start.

    Of other images only an exec form that is to start what a variable of the file names: nothing ever replaces that.
    """
    for state in shared.states:
        image = state.stage.image
        inherited = state.entrypoint is None and (image is None or bool(image.entrypoint))
        made = any(isinstance(entry, Artifact | Output) for _, entry in state.table.entries())
        if not state.stage.terminal or inherited:
            continue
        start = _start_of(state, shared, instructions)
        if not made:
            known = {*state.environment.variables, *_arguments(state, shared)}
            found = _literal(start, state, shared) if start.script is None else ()
            yield from (one for one in found if one.program and one.variable in known)
        elif start.script is not None:
            yield from _build_arguments(start, state, shared)
        else:
            yield from _literal(start, state, shared)


def _literal(start: Start, state: StageState, shared: Shared) -> Iterator[GoneVariable]:
    """An exec form knows no variables: the program gets the text."""
    declared = state.environment.variables
    for at, (index, string) in enumerate(start.strings):
        found = _NAME.search(string.text)
        name = (found[1] or found[2]) if found else ""
        if found is None or (at and name not in declared and not _ALONE.fullmatch(string.text)):
            continue
        if not at and state.table.holds(string.text):
            continue  # a file may be called so
        if at and not isinstance(_program(start, state, shared), Artifact):
            return  # a script may well replace it
        yield GoneVariable(index, string.span, string.text, name, not at, True, "", None)


def _program(start: Start, state: StageState, shared: Shared) -> object:
    path = resolve(start.words[0], state, shared)
    return state.table.find(path) if path is not None else None


def _build_arguments(start: Start, state: StageState, shared: Shared) -> Iterator[GoneVariable]:
    """What a shell makes of an ARG, which no container has. One of another stage counts where it is to name the program."""
    environment = state.environment
    if not environment.known:
        return
    if any(known_programs.sets_variables(command.name) for command in _commands(start, state)):
        return  # `. /etc/default/app`
    for name, (value, in_scope) in _arguments(state, shared).items():
        given = known_programs.is_given(name) or name in SET_BY_THE_SHELL
        if name in environment.environment or given:
            continue
        variables = environment.variables
        variables.pop(name, None)
        whole = _commands(start, state, {**variables, name: Value("x", value.origin)})
        without = _commands(start, state, variables)
        if any(_provides(command, name) for command in without):
            continue
        for at, before in enumerate(whole if len(without) == len(whole) else ()):
            pairs = zip(before.words, without[at].words, strict=False)
            place = next((number for number, (one, other) in enumerate(pairs) if one != other), None)
            if place is None:
                continue
            word, left = before.words[place], without[at].words[place]
            program = all(known_commands.is_wrapper(one.pattern) for one in before.words[:place])
            if not program and not in_scope:
                continue
            if not left.exact:
                # a plain `$NAME`: the reader of steps leaves open what the shell may have
                left = _without(_commands(start, state, {**variables, name: Value("", NOWHERE)})[at:], place, word)
            origin = value.origin if value.origin != NOWHERE else None
            yield GoneVariable(
                before.instruction, word.span, _written(word), name, program, False, left.pattern, origin, in_scope
            )
            break


def _arguments(state: StageState, shared: Shared) -> dict[str, tuple[Value, bool]]:
    """The file's ARGs, and whether each is declared in this very stage."""
    found: dict[str, tuple[Value, bool]] = {}
    for other in shared.states:
        found |= {name: (value, False) for name, value in other.environment.arguments.items()}
    found |= {name: (value, False) for name, value in shared.scope.items()}
    found |= {name: (Value(None, NOWHERE), True) for name in state.environment.unset}
    return found | {name: (value, True) for name, value in state.environment.arguments.items()}


def _provides(command: Command, name: str) -> bool:
    """Whether a command that starts sets the variable (``NAME=…``), or says what is to be without it (``${NAME:-…}``)."""
    pieces = (piece for word in command.words if word.shell is not None for piece in word.shell.pieces)
    return name in command.variables or any(
        # an operator that is not modelled (`${NAME:=…}`) leaves the text of the whole
        (piece.name == name and piece.operator)
        if isinstance(piece, Expansion)
        else isinstance(piece, sh.Substitution) and piece.text.startswith((f"${{{name}:", f"${{{name}="))
        for piece in pieces
    )


def _without(commands: Sequence[Command], place: int, word: CommandWord) -> CommandWord:
    """The word that stands there in the first command; an empty one where none is left of it."""
    found = next((one for command in commands[:1] for one in command.words[place : place + 1]), None)
    return found if found is not None and found.span == word.span else word._replace(pattern="")


def _written(word: CommandWord) -> str:
    return word.shell.text if word.shell is not None else word.pattern

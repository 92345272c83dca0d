"""Which programs made by cargo the command of an image starts, be it through a shell, a script or a wrapper."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dockerslim_lint.catalog import commands as known_commands
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.cargo import cargo_arguments
from dockerslim_lint.facts.commands import SHELLS, CommandReader
from dockerslim_lint.facts.inside import DEFAULT_PATH
from dockerslim_lint.facts.model import Artifact, Command, ContextTree, OpaqueFile
from dockerslim_lint.facts.shared import Shared
from dockerslim_lint.facts.walk import StageState
from dockerslim_lint.syntax.shell import shell_form, text_of
from dockerslim_lint.syntax.tree import Instruction, JsonString, LogicalText

PROGRAM_DIRECTORIES = frozenset({"bin", "sbin"})


def behind_init(words: Sequence[str]) -> list[str]:
    """What an init (tini, dumb-init) is told to start: the words behind it and its options."""
    rest = list(words[1:])
    while rest and rest[0].startswith("-"):
        if rest.pop(0) == "--":
            break
    return rest


def started(
    state: StageState, shared: Shared, instructions: Sequence[Instruction], program: str | None, init: bool
) -> tuple[str, ...]:
    """Absolute paths, each once; () where cargo itself runs when the container starts.

    `program` is what starts, behind an init if there is one (`init`). A script that cannot be read stands for all programs of a release build whose names are known.
    """
    if program is not None and isinstance(state.table.find(program), Artifact):
        return (program,)
    start = Start(state, instructions, init)
    words = start.words
    found: list[str] = []
    if start.script is not None:
        return tuple(_of_commands(_commands(start.script[1], state), state, shared))
    at = 1 if words and patterns.basename(words[0]) in SHELLS and len(words) > 1 else 0
    text = _script(words[at], state, shared, instructions) if (at < len(words) and "/" in words[at]) or at else None
    if text is not None:
        commands = _commands(text, state)
        if any(cargo_arguments(command) is not None for command in commands):
            return ()
        found += _of_commands(commands, state, shared)
    if words and known_commands.title(patterns.basename(words[0])) == "cargo":
        return ()
    found += [path for word in words[1:] if (path := _argument(word, state, shared)) is not None]
    if text is None and not found and words and _may_be_script(words[at], state):
        found += _all(state, shared)
    return tuple(dict.fromkeys(found))


def resolve(name: str, state: StageState, shared: Shared, directory: str | None = None) -> str | None:
    """The absolute path of a program as the container runtime looks it up; None where it cannot be told."""
    if "*" in name:
        return None
    if "/" in name:
        path = patterns.join(directory or state.workdir, name)
        tool = not state.table.holds(path) and _is_a_tool(path, state.table.find(path), shared)
        return None if tool else path
    value = state.environment.variables.get("PATH")
    text = value.text if value is not None and value.text else DEFAULT_PATH
    guess = None
    for place in text.split(":"):
        path = f"{place.rstrip('/')}/{name}"
        if not place.startswith("/"):
            continue
        entry = state.table.find(path)
        if _is_a_tool(path, entry, shared):
            continue
        if isinstance(entry, Artifact) and _by_any_name(entry, shared) and not state.table.holds(path):
            guess = guess or (path if _may_make(entry, name, shared) else None)
            continue  # another directory may have a program that is called so for certain
        if isinstance(entry, OpaqueFile) and not state.table.holds(path):
            continue  # a name that a crate does not make
        if isinstance(entry, ContextTree) and not state.table.holds(path):
            place_ = state.brought.place_by(path, entry)
            if place_ is None or shared.context.read(place_) is None:
                continue  # `COPY . /` brings no sh
        if entry is not None:
            return path
    return guess


def _by_any_name(artifact: Artifact, shared: Shared) -> bool:
    """Whether it is not known which programs the call makes, so that any name is one of theirs."""
    return artifact.call is not None and not shared.binaries(artifact.call)


def _may_make(artifact: Artifact, name: str, shared: Shared) -> bool:
    """Whether a call may make a program of that name: with a crate of a registry it shares a word (diesel_cli, diesel)."""
    call = shared.calls[artifact.call or 0]
    arguments = cargo_arguments(call.command) if call.source == "registry" else None
    if arguments is None or any("*" in word.pattern for word in arguments.operands):
        return True
    crates = (word.pattern.partition("@")[0] for word in arguments.operands)
    return any(_words(name) & _words(crate) for crate in crates)


def _words(name: str) -> set[str]:
    return set(name.lower().replace("_", "-").split("-"))


def _is_a_tool(path: str, entry: object, shared: Shared) -> bool:
    """Whether a program of a call of which nothing is known has the name of a tool to build with, or of one that every system has."""
    name = patterns.basename(path)
    known = not isinstance(entry, Artifact) or not _by_any_name(entry, shared)
    return not known and bool(known_commands.title(name)) and not known_commands.is_program(name)


class Start:
    """ENTRYPOINT and CMD of a stage, behind an init: the strings of the exec form, each with its instruction, or the script
    that a shell gets (then the strings are that shell and its options).
    """

    def __init__(self, state: StageState, instructions: Sequence[Instruction], init: bool) -> None:
        self._written: list[tuple[int, JsonString]] = []
        self._init = init
        self.script: tuple[int, LogicalText] | None = None
        for index in (state.entrypoint, state.cmd):
            if index is None:
                continue
            instruction = instructions[index]
            if instruction.json is None:
                text = shell_form(instruction) if not self._written else None
                self.script = (index, text) if text is not None else None
                return
            for string in instruction.json:
                if self._hands_over():
                    text = text_of(string, instruction.body)
                    self.script = (index, text) if text is not None else None
                    return
                self._written.append((index, string))

    @property
    def strings(self) -> list[tuple[int, JsonString]]:
        """The program and its arguments."""
        words = [string.text for _, string in self._written]
        return self._written[len(words) - len(behind_init(words)) :] if self._init and words else self._written

    @property
    def words(self) -> list[str]:
        """The same as plain text."""
        return [string.text for _, string in self.strings]

    def _hands_over(self) -> bool:
        """Whether the strings so far are a shell and its ``-c``, so that the next one is a script."""
        words = self.words
        return len(words) == 2 and patterns.basename(words[0]) in SHELLS and _takes_a_script(words[1])


def script_of(
    state: StageState, shared: Shared, instructions: Sequence[Instruction], words: Sequence[str]
) -> tuple[str, list[Command]] | None:
    """The script that an exec form starts, by the name that is written, and its commands; None if it is not known."""
    words = words[1:] if words and patterns.basename(words[0]) in SHELLS else words
    text = _script(words[0], state, shared, instructions) if words else None
    return None if text is None else (words[0], _commands(text, state))


def _takes_a_script(flag: str) -> bool:
    return flag.startswith("-") and flag.endswith("c")


def _script(name: str, state: StageState, shared: Shared, instructions: Sequence[Instruction]) -> LogicalText | None:
    """The text of a script; None if it is not known."""
    from dockerslim_lint.facts.scripts import script_text

    data = script_text(patterns.join(state.workdir, name), state, shared, instructions)
    return LogicalText(data, ((0, 0),)) if data is not None else None


def _may_be_script(name: str, state: StageState) -> bool:
    """Whether a path that cannot be read is a file of the project's own, not a program of the base."""
    path = patterns.join(state.workdir, name)
    of_base = patterns.basename(patterns.parent(path)) in PROGRAM_DIRECTORIES and not state.table.holds(path)
    return "/" in name and not of_base


def _commands(text: LogicalText, state: StageState) -> list[Command]:
    environment = state.environment
    reader = CommandReader(0, state.stage.number, state.workdir, environment.variables, environment.known)
    return reader.read_text(text)


def _of_commands(commands: Sequence[Command], state: StageState, shared: Shared) -> Iterator[str]:
    """Programs that start as a command or are handed to another one (``gosu app /app``)."""
    if any(cargo_arguments(command) is not None for command in commands):
        return
    for command in commands:
        for at, word in enumerate(command.words):
            bare = at == 0 or all(known_commands.is_wrapper(before.pattern) for before in command.words[:at])
            name = word.pattern
            if bare and "*" in name and "/" in name:
                # `./target/release/$BIN`: whichever it is, it is one of these
                place = patterns.join(command.directory or state.workdir, name)
                yield from (f"{patterns.parent(place)}/{known}" for known, _ in state.table.matching(place))
            elif bare:
                path = resolve(name, state, shared, command.directory)
                if path is not None and isinstance(state.table.find(path), Artifact):
                    yield path
            else:
                path = _argument(name, state, shared, command.directory)
                if path is not None:
                    yield path


def _argument(word: str, state: StageState, shared: Shared, directory: str | None = None) -> str | None:
    """A program that another one is given: by its path, or by a name that the crate is known to make."""
    path = resolve(word, state, shared, directory) if word and not word.startswith("-") else None
    entry = state.table.find(path) if path is not None else None
    if path is None or not isinstance(entry, Artifact):
        return None
    known = shared.binaries(entry.call) if entry.call is not None else ()
    return path if "/" in word or entry.name in known else None


def _all(state: StageState, shared: Shared) -> Iterator[str]:
    """What the release builds of this stage are known to make."""
    for number, call in enumerate(shared.calls):
        if call.output is None or call.profile in (None, "dev") or call.source != "context":
            continue
        known = shared.binaries(number)
        for name in (known if any("*" in name for name in call.bins) else call.bins) or known:
            path = f"{call.output}/{name}"
            if "*" not in path and isinstance(state.table.find(path), Artifact):
                yield path

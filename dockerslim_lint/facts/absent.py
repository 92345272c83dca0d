"""Programs that a COPY takes from where cargo puts none. Loaded where one takes something out of a target directory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dockerslim_lint.catalog import commands as known_commands
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.cargo import BUILDS_NOTHING, SUBCOMMAND, TARGET_DIRECTORY, cargo_arguments
from dockerslim_lint.facts.crate.lock import LOCK
from dockerslim_lint.facts.filesystem import NO_PROGRAM
from dockerslim_lint.facts.model import UNKNOWN, Absent, Artifact, CargoCall, Command, ContextTree, OpaqueFile
from dockerslim_lint.facts.shared import Shared
from dockerslim_lint.facts.stages import chain_of
from dockerslim_lint.facts.transfers import MOVERS
from dockerslim_lint.facts.walk import StageState
from dockerslim_lint.syntax.tree import Expansion, Instruction

PLACEHOLDERS = frozenset({"main.rs", "lib.rs", "build.rs"})
"""Sources whose program, if there is one, is called like the package."""

MANIFEST = "Cargo.toml"
"""In a directory above a crate it may make a workspace of it, which builds elsewhere."""

ELSEWHERE = ("--artifact-dir", "--out-dir")
"""Flags with which cargo puts programs at a second place (cargo book, "cargo build")."""


def absent_programs(shared: Shared, instructions: Sequence[Instruction]) -> Iterator[Absent]:
    """What is surely not there when a stage is built, in file order."""
    for transfer in shared.transfers:
        instruction = instructions[transfer.instruction]
        words = instruction.words[:-1]
        # with --parents a file that is not there was passed over for long (buildkit #4900)
        if transfer.origin_stage is None or len(words) != len(transfer.sources) or instruction.keeps_parents:
            continue
        origin = _Origin(shared.states[transfer.origin_stage], shared, instructions)
        for word, source in zip(words, transfer.sources, strict=True):
            path = patterns.join("/", source)
            call = origin.meant(path)
            if call is not None and not origin.may_hold(path):
                place = f"{shared.calls[call].output}/{patterns.basename(path)}"
                yield Absent(transfer.instruction, word.span, path, call, place)
                continue
            # another build argument may be another program's name
            given = any(isinstance(piece, Expansion) for piece in word.pieces)
            call = origin.nameless(path) if not given else None
            if call is not None and not origin.may_hold(path, named=False):
                why = shared.unmade(call, patterns.basename(path))
                if why:
                    yield Absent(transfer.instruction, word.span, path, call, "", why=why)
                    continue
                made = shared.binaries(call)
                written = patterns.dashless(patterns.basename(path)).lower()
                alike = [name for name in made if patterns.dashless(name).lower() == written]
                one = (alike or list(made))[0] if len(alike) == 1 or len(made) == 1 else ""
                place = f"{shared.calls[call].output}/{one}" if one else ""
                yield Absent(transfer.instruction, word.span, path, call, place, made)


def ship_absent(shared: Shared, absent: Sequence[Absent]) -> None:
    """What a COPY does not find is a program of the image all the same, of which no more is known: its base is the base."""
    for one in absent:
        transfer = next(transfer for transfer in shared.transfers if transfer.instruction == one.instruction)
        name = patterns.basename(one.path)
        path = f"{transfer.destination.rstrip('/')}/{name}" if transfer.into_directory else transfer.destination
        touched = "not where the COPY takes it from"
        if one.made or one.why:
            touched = f"{NO_PROGRAM.removeprefix('is ')} ({one.why or ', '.join(one.made)})"
        taken = shared.states[transfer.origin_stage or 0].table.part(one.path)
        for state in shared.states:
            entry = state.table.find(path)
            misnamed = isinstance(entry, OpaqueFile) and NO_PROGRAM in entry.reason
            # of another profile: which one is meant is not known
            meant = patterns.basename(patterns.parent(one.path)) == shared.calls[one.call].profile_directory
            if misnamed or (meant and entry == taken and transfer.stage in chain_of(state.stage, shared.stages)):
                state.table.put(path, Artifact(one.call, name, shared.calls[one.call].link, UNKNOWN, "", touched))


def respelt(path: str, state: StageState, shared: Shared, instructions: Sequence[Instruction]) -> str:
    """The program of which `path` is a misspelling, ``-`` for ``_`` or the other way: its own path, "" unless nothing is at `path`."""
    name, folder = patterns.basename(path), patterns.parent(path)
    stage = _Origin(state, shared, instructions)
    for at in stage.calls:
        call = shared.calls[at]
        if call.kind != "build" or call.output != folder or not stage.is_clear(at, call):
            continue
        made = call.bins or shared.binaries(at)
        meant = [one for one in made if patterns.dashless(one) == patterns.dashless(name)]
        if name in (*made, *shared.binaries(at)) or len(meant) != 1 or state.table.holds(path):
            return ""
        return "" if stage.may_hold(path, named=False) else f"{folder}/{meant[0]}"
    return ""


def stands_alone(root: str, shared: Shared, chain: tuple[int, ...]) -> bool:
    """Whether the package or workspace in `root` of the context is surely no member of a workspace above the context.

    Where its manifest and its sources are copied by these names, the context is its own directory.
    """
    if shared.crates.stands_alone(root):
        return True
    taken = {
        patterns.normalise(source.lstrip("/") or ".")
        for transfer in shared.transfers
        if transfer.stage in chain and transfer.from_context
        for source in transfer.sources
    }
    prefix = f"{root}/" if root else ""
    return f"{prefix}src" in taken and any(one.startswith(f"{prefix}Cargo.") for one in taken)


class _Origin:
    """The stage that a COPY takes from, with those that it is built on."""

    def __init__(self, state: StageState, shared: Shared, instructions: Sequence[Instruction]) -> None:
        self._state = state
        self._shared = shared
        self._instructions = instructions
        self._chain = chain_of(state.stage, shared.stages)
        self.calls = [at for at, call in enumerate(shared.calls) if call.command.stage in self._chain]

    def meant(self, path: str) -> int | None:
        """The call whose program of that name is in another directory; None where one is not sure of it."""
        name, folder = patterns.basename(path), patterns.parent(path).split("/")
        found: dict[str, int] = {}
        for at in self.calls:
            call = self._shared.calls[at]
            if not self.is_clear(at, call):
                return None
            asked = call.bins or self._shared.binaries(at)
            directory = patterns.basename(call.target_directory or "")
            inside = directory in folder or TARGET_DIRECTORY in folder
            if call.kind == "build" and name in asked and inside and call.output is not None:
                found[call.output] = at
        return next(iter(found.values())) if len(found) == 1 else None

    def nameless(self, path: str) -> int | None:
        """The call into whose output directory the path leads, where it surely makes no program of that name."""
        name, folder = patterns.basename(path), patterns.parent(path)
        entry = self._state.table.find(path)
        if not isinstance(entry, OpaqueFile) or NO_PROGRAM not in entry.reason or "." in name:
            return None
        if known_commands.is_proxy(name) or name.startswith(SUBCOMMAND):
            return None
        calls = [at for at in self.calls if self._shared.calls[at].output == folder]
        crates = [self._shared.crate_of_call[at] for at in calls]
        roots = {crate.root for crate in crates if crate is not None}
        if None in crates or len(roots) != 1 or not all(map(self._is_known, calls)):
            return None
        if not all(self.is_clear(at, self._shared.calls[at]) for at in self.calls):
            return None
        context, left_out = self._shared.crates, all(self._shared.unmade(at, name) for at in calls)
        if not (left_out or (context.lacks(name) and stands_alone(roots.pop(), self._shared, self._chain))):
            return None
        if context.may_copy():
            return None
        last = max((self._shared.calls[at].command.span for at in calls), default=None)
        before = (one for one in self._shared.commands if one.stage in self._chain and last and one.span < last)
        return calls[-1] if calls and not any(map(may_change_sources, before)) else None

    def is_clear(self, at: int, call: CargoCall) -> bool:
        """Whether it is known where the programs of a call are, and that it runs."""
        if not call.command.certain or call.output is None or "*" in call.output:
            return False
        if call.kind != "build":
            return True
        crate = self._shared.crate_of_call[at]
        if crate is None or not self._is_known(at):
            return False
        config = crate.config
        if config.open or ((config.target or config.target_directory) and not config.certain):
            return False
        # a member that is copied without its workspace has a target directory of its own
        manifest = f"{patterns.parent(call.target_directory or '').rstrip('/')}/Cargo.toml"
        there = self._state.brought.place_by(manifest, self._state.table.find(manifest))
        if there != f"{crate.root}/Cargo.toml".lstrip("/"):
            return False
        return not any(word.pattern.startswith(ELSEWHERE) for word in call.command.words)

    def _is_known(self, at: int) -> bool:
        """Whether it is known what a call makes, if only that it is none of these."""
        crate = self._shared.crate_of_call[at]
        return bool(self._shared.binaries(at) or (crate is not None and crate.unmade))

    def may_hold(self, path: str, named: bool = True) -> bool:
        """Whether something may put a file at `path`: the base, a step that is not modelled, the context, another stage.

        Unless `named` it is in an output directory, which is not asked.
        """
        image = self._state.stage.image
        if any(char in path for char in "*?[$") or image is None or not image.toolchain or not image.understood:
            return True
        if image.certainty == "believed" or {"env", "workdir"} & set(image.believed) or self._state.opaque is not None:
            return True
        if any(
            isinstance(entry, ContextTree) and self._from_context(path, entry, known) for known, entry in self._entries
        ):
            return True
        entry = self._state.table.find(path)
        if named and entry is not None and not isinstance(entry, ContextTree):
            return True
        for transfer in self._shared.transfers:
            if transfer.stage in self._chain:
                keyword = self._instructions[transfer.instruction].keyword
                foreign = transfer.origin_stage is not None or transfer.origin_image or keyword == "ADD"
                if foreign and patterns.below(path, transfer.destination) is not None:
                    return True
                if patterns.below(transfer.destination, image.cargo_home or "/") is not None:
                    return True  # cargo's own configuration
        own = [mount for mount in self._shared.mounts if mount.stage in self._chain]
        if any(patterns.below(path, mount.target) is not None for mount in own):
            return True
        known = [self._shared.calls[at].command for at in self.calls]
        known += [warmup.command for warmup in self._shared.warmups]
        commands = (one for one in self._shared.commands if one.stage in self._chain and one not in known)
        return any(may_make(command, path) for command in commands)

    @property
    def _entries(self) -> Iterator[tuple[str, object]]:
        return iter(self._state.table.entries())

    def _from_context(self, path: str, entry: ContextTree, known: str) -> bool:
        if patterns.below(path, known) is None:
            return False
        place = self._state.brought.place_by(path, entry)
        return place is None or not self._shared.crates.known or self._shared.crates.has(place)


def may_change_sources(command: Command) -> bool:
    """Whether a command may give a crate another program: another manifest, or a source that is none of the usual placeholders."""
    words = [word.pattern for word in command.words[1:]]
    named = [*words, *command.writes]
    if any(one.endswith((".toml", ".rs")) and patterns.basename(one) not in PLACEHOLDERS for one in named):
        return True
    mover = known_commands.canonical(command.name) in MOVERS
    return mover and not (words and all(patterns.basename(one) in PLACEHOLDERS for one in words))


def may_make(command: Command, path: str) -> bool:
    """Whether a command may make the file, or a link or a directory above it, or tell cargo to."""
    name = known_commands.canonical(command.name)
    if known_commands.title(name) == "cargo":
        arguments = cargo_arguments(command)
        if arguments is None or arguments.subcommand not in BUILDS_NOTHING or patterns.basename(path) == LOCK:
            return True  # `cargo run`, `cargo test` and others build as well, and all write a lock
    if any("config" in patterns.basename(written) for written in command.writes):
        return True
    brings = known_commands.may_bring(name)
    if command.directory is None:
        return brings or name in MOVERS
    words = [*(word.pattern for word in command.words[1:]), *command.writes]
    if brings and patterns.below(path, command.directory) is not None:
        names = known_commands.downloads([word.pattern for word in command.words])
        if names is None or command.optional or not {"", MANIFEST}.isdisjoint(names):
            return True
        words += names
    places = [patterns.join(command.directory, word) for word in words if word and not word.startswith("-")]
    if known_commands.makes_nothing(name):
        return path in places  # an empty file
    return any(place != "/" and patterns.below(path, place) is not None for place in places)

"""Calls that cargo refuses before it compiles anything. Loaded where one asks for what the crate is not seen to have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.absent import MANIFEST, may_change_sources, may_make, stands_alone
from dockerslim_lint.facts.cargo import BUILT_IN_PROFILES, CARGO, ZIGBUILD, cargo_arguments
from dockerslim_lint.facts.crate.lock import LOCK
from dockerslim_lint.facts.crate.model import Crate
from dockerslim_lint.facts.model import CargoCall, Command, Refused
from dockerslim_lint.facts.rustup import fetches_rustup, stays_installed
from dockerslim_lint.facts.shared import Shared
from dockerslim_lint.facts.stages import chain_of, feeding
from dockerslim_lint.syntax.tree import Instruction

DRIVERS = (CARGO, f"{CARGO}-{ZIGBUILD}", f"{CARGO}-auditable")
"""They read the manifest as cargo does, in the same place."""

SETTINGS = ("--config", "--lockfile-path", "-Z")
"""Flags with which a profile or the lock may be elsewhere."""

OPEN = frozenset("*?[$")


def refused_calls(shared: Shared, instructions: Sequence[Instruction], suspects: Sequence[int]) -> Iterator[Refused]:
    """Those of the `suspects` that surely stop, in file order, with the first reason for each."""
    needed = feeding(shared.stages, [stage.number for stage in shared.stages if stage.terminal])
    for at in suspects:
        call, crate = shared.calls[at], shared.crate_of_call[at]
        if call.command.stage not in needed or not _runs(call, shared):
            continue
        if crate is None:
            if _lacks_manifest(call, shared, instructions):
                yield Refused(at, "project", call.crate_directory or "")
        elif _is_sure(call, crate, shared, instructions):
            found = next(_reasons(at, call, crate, shared), None)
            if found is not None:
                yield found


def _reasons(at: int, call: CargoCall, crate: Crate, shared: Shared) -> Iterator[Refused]:
    context = shared.crates
    if call.kind == "install" and crate.members and not context.package_of(f"{crate.directory}/Cargo.toml"):
        members = sorted(patterns.below(one, crate.root) or one for some in crate.members.values() for one in some)
        yield Refused(at, "manifest", call.crate_directory or "", tuple(members))
    if call.left_out and not _may_bring_member(call, crate, shared):
        manifests = (f"{member}/Cargo.toml" for member in crate.members[call.left_out])
        reason = ".dockerignore" if all(map(shared.contents.ignores, manifests)) else "COPY"
        yield Refused(at, "member", call.left_out, why=reason)
    if call.profile not in crate.profiles and _is_undefined(call, crate, shared):
        yield Refused(at, "profile", call.profile or "", tuple(sorted(crate.profiles)))
    for name in call.packages if not crate.binaries else ():
        if _is_name(name) and not context.mentions(name, crate.root):
            yield Refused(at, "package", name)
    for name in call.bins if crate.binaries or crate.unmade else ():
        why = crate.unmade.get(name, "")
        if _is_name(name) and (why or (name not in crate.binaries and context.lacks(name))):
            yield Refused(at, "program", name, crate.binaries, why)
    for name, packages in crate.lacking.items() if call.features else ():
        yield Refused(at, "feature", name, packages)
    if call.locked and not call.lock and call.kind == "build":
        place = f"{crate.root}/{LOCK}".lstrip("/")
        there = context.has(place)
        if (there or not context.untracked_lock) and not _may_bring_lock(call, crate, shared):
            ignored = there and shared.contents.ignores(place)
            yield Refused(at, "lock", LOCK, why=".dockerignore" if ignored else "COPY" if there else "")


def _is_undefined(call: CargoCall, crate: Crate, shared: Shared) -> bool:
    """Whether neither a variable nor a configuration file may define the profile of a call at the workspace's root."""
    variables = (*call.command.variables, *call.command.prefix, *(word.pattern for word in call.command.words))
    return (
        crate.directory == crate.root
        and call.profile not in BUILT_IN_PROFILES
        and _is_name(call.profile or "")
        and not shared.crates.configurations
        and not crate.config.open
        and not any(one.startswith("CARGO_PROFILE_") for one in variables)
    )


def _runs(call: CargoCall, shared: Shared) -> bool:
    """Whether the call surely runs, in a directory and an image that are known, with nothing unknown ahead of it."""
    state, directory = shared.states[call.command.stage], call.crate_directory
    chain, image = chain_of(state.stage, shared.stages), state.stage.image
    if not call.command.certain or directory is None or "*" in directory or call.driver not in DRIVERS:
        return False
    if image is None or not image.understood or image.certainty == "believed" or state.unread is not None:
        return False
    if any(word.pattern.startswith(SETTINGS) for word in call.command.words):
        return False
    return image.toolchain or stays_installed(one for one in shared.commands if one.stage in chain)


def _lacks_manifest(call: CargoCall, shared: Shared, instructions: Sequence[Instruction]) -> bool:
    """Whether no Cargo.toml of the context, nor any other, is where cargo looks for one: in its directory and above."""
    state = shared.states[call.command.stage]
    chain = chain_of(state.stage, shared.stages)
    directory, image = call.crate_directory or "/", state.stage.image
    if image is None or image.certainty == "configuration":
        return False  # the user's own image may hold the project
    while True:
        manifest = f"{directory.rstrip('/')}/{MANIFEST}"
        entry = state.table.find(manifest)
        place = state.brought.place_by(manifest, entry)
        if entry is not None and (place is None or "*" in place or state.brought.place(manifest) is not None):
            return False
        for transfer in shared.transfers:
            instruction = instructions[transfer.instruction]
            foreign = not transfer.from_context or instruction.keyword == "ADD" or instruction.heredocs
            named = any(patterns.basename(source) == MANIFEST for source in transfer.sources)
            if (
                transfer.stage in chain
                and (foreign or named)
                and patterns.below(manifest, transfer.destination) is not None
            ):
                return False
        mounts = (mount for mount in shared.mounts if mount.instruction == call.command.instruction)
        if any(patterns.below(manifest, mount.target) is not None for mount in mounts):
            return False
        if _may_leave(manifest, call, shared):
            return False
        if directory == "/" or call.kind == "install":
            return True
        directory = patterns.parent(directory)


def _is_sure(call: CargoCall, crate: Crate, shared: Shared, instructions: Sequence[Instruction]) -> bool:
    """Whether the call has the manifests and sources of the context and nothing else."""
    state, command, directory = shared.states[call.command.stage], call.command, call.crate_directory or "/"
    chain = chain_of(state.stage, shared.stages)
    # a member that is copied without its workspace is one by itself
    workspace = _workspace(call, crate)
    manifest = state.brought.place(f"{workspace}/Cargo.toml")
    if crate.directory != crate.root and manifest != f"{crate.root}/Cargo.toml".lstrip("/"):
        return False
    if not stands_alone(crate.root, shared, chain):
        return False
    for transfer in shared.transfers:
        if transfer.stage in chain and transfer.instruction < command.instruction:
            instruction = instructions[transfer.instruction]
            written = instruction.keyword == "ADD" or instruction.heredocs
            foreign = transfer.origin_stage is not None or transfer.origin_image or written
            if foreign and _may_bring_sources(transfer.destination, workspace or "/", call):
                return False
    if any(
        mount.instruction == command.instruction and patterns.below(directory, mount.target) is not None
        for mount in shared.mounts
    ):
        return False
    first = min((one.instruction for one in shared.transfers if one.stage in chain), default=0)
    return not any(may_change_sources(one) or _changes_manifest(one, first) for one in _before(call, shared))


def _changes_manifest(command: Command, first: int) -> bool:
    """Whether cargo itself changes a manifest. A new package adds itself to the workspace; before the `first` COPY there is none."""
    arguments = cargo_arguments(command)
    name = arguments.subcommand if arguments is not None else ""
    return name in ("add", "remove", "rm") or (name in ("new", "init") and command.instruction > first)


def _may_bring_sources(destination: str, directory: str, call: CargoCall) -> bool:
    """Whether what comes from another stage or image to a place may be a manifest or a source of the crate."""
    inside = patterns.below(destination, directory)
    if patterns.below(directory, destination) is not None:
        return True
    if inside is None or patterns.below(destination, call.target_directory or "/*") is not None:
        return False
    name = patterns.basename(inside)
    return "." not in name or bool(OPEN.intersection(name)) or name.endswith((".toml", ".rs", ".lock"))


def _workspace(call: CargoCall, crate: Crate) -> str:
    """The directory of the stage that should have the workspace's manifest and lock."""
    directory = call.crate_directory or "/"
    for _ in range(
        len(crate.directory.removeprefix(crate.root).strip("/").split("/")) if crate.directory != crate.root else 0
    ):
        directory = patterns.parent(directory)
    return directory.rstrip("/")


def _may_bring_lock(call: CargoCall, crate: Crate, shared: Shared) -> bool:
    """Whether a step before the call, or a mount, may leave a Cargo.lock in the workspace."""
    return _may_leave(f"{_workspace(call, crate)}/{LOCK}", call, shared)


def _may_bring_member(call: CargoCall, crate: Crate, shared: Shared) -> bool:
    """The same for the manifest of one of the members that are left out, or for another list of them."""
    workspace = _workspace(call, crate)
    prefix = f"{crate.root}/" if crate.root else ""
    members = (f"{workspace}/{member.removeprefix(prefix)}/Cargo.toml" for member in crate.members[call.left_out])
    return any(_may_leave(place, call, shared) for place in (f"{workspace}/Cargo.toml", *members))


def _may_leave(place: str, call: CargoCall, shared: Shared) -> bool:
    """Whether a step before the call, or a mount, may leave a file at `place`."""
    if any(one.instruction == call.command.instruction and one.kind == "bind" for one in shared.mounts):
        return True
    tools = [one.command for one in shared.calls if one.source != "context"]
    return any(may_make(one, place) for one in _before(call, shared) if one not in tools)


def _before(call: CargoCall, shared: Shared) -> list[Command]:
    """What runs ahead of a call in its stage and those it is built on, without rustup's installer, which makes nothing of a project."""
    chain = chain_of(shared.states[call.command.stage].stage, shared.stages)
    found: list[Command] = []
    fetched = -1
    for one in shared.commands:
        if one.stage not in chain or one.span >= call.command.span:
            continue
        fed, fetched = fetched == one.instruction, one.instruction if fetches_rustup(one) else -1
        if fetched < 0 and not fed:
            found.append(one)
    return found


def _is_name(text: str) -> bool:
    return bool(text) and text.replace("-", "").replace("_", "").isalnum()

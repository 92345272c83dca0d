"""Whether cargo uses what a build ahead has made. Loaded where a file has such a build."""

from __future__ import annotations

from collections.abc import Mapping

from dockerslim_lint.catalog import commands as known_commands
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.cargo import cargo_arguments
from dockerslim_lint.facts.crate.model import Crate
from dockerslim_lint.facts.model import CargoCall, Command, ImageBuild, Mount, Target, Value, Warmup
from dockerslim_lint.facts.stages import chain_of
from dockerslim_lint.facts.toolchain import rust_flags, triple_of
from dockerslim_lint.facts.transfers import MOVERS
from dockerslim_lint.facts.warmups import alike, same_target

FEATURES = "the features"

FLAGS = "the flags for rustc"

FLAG_VARIABLES = "RUSTFLAGS"
"""The end of all names of variables that hold flags for rustc (cargo book, "build.rustflags")."""


def differs(build: ImageBuild, warmup: Warmup, call: CargoCall) -> str:
    """In what the two differ so that cargo builds again, "" where they do not or it cannot be told."""
    words = (*warmup.features, *call.features, warmup.profile or "*", call.profile or "*")
    if call.open_profile and not _same_variable(build, warmup, call):
        return ""
    if not (call.command.certain and warmup.command.certain) or any("*" in word for word in words):
        return ""
    if warmup.profile != call.profile:
        return f"the profile ({warmup.profile}, then {call.profile})"
    ours, theirs = warmup.target, call.target
    if "config" in (ours.origin, theirs.origin):
        return ""
    if _computed(ours, theirs) or _computed(theirs, ours):
        # target/<target> is another place than target, whichever it is
        return f"the target ({_title(ours)}, then {_title(theirs)})"
    if None in (ours.pattern, theirs.pattern):
        return ""
    if not same_target(ours, theirs):
        return f"the target ({_title(ours)}, then {_title(theirs)})"
    if _other_flags(build, warmup, call):
        return FLAGS
    if alike(warmup, call):
        other = other_place(build, warmup, call) or _other_setting(warmup, call)
        if other:
            return other
    if warmup.features == call.features:
        return ""
    crate = _crate_of(build, call)
    return "" if crate is not None and crate.same_dependencies(warmup.features, call.features) else FEATURES


def hidden_by(build: ImageBuild, warmup: Warmup, call: CargoCall) -> Mount | None:
    """The cache mount of the call that lies over the layer in which the build ahead has left its files; None without one."""
    made, output, step = warmup.target_directory, call.output, call.command.instruction
    if made is None or output is None or "*" in made + output or patterns.below(output, made) is None:
        return None
    mounts = [mount for mount in build.mounts if mount.kind != "bind" and "*" not in mount.target]
    over = [mount for mount in mounts if mount.instruction == step and patterns.below(output, mount.target) is not None]
    if not over or over[0].seeded:
        return None
    if any(mount.instruction == warmup.command.instruction and patterns.meet(made, mount.target) for mount in mounts):
        return None  # what it makes is in a mount itself
    before = (one for one in build.commands if one.instruction == step and one.span < call.command.span)
    if any(map(_may_move, before)):
        return None  # which may fill the mount
    return over[0]


def profile_settings(profile: str, variables: Mapping[str, Value]) -> dict[str, str | None]:
    """What variables set for a profile (cargo book, "Environment Variables"): cargo counts it in the fingerprint of each crate."""
    start = f"CARGO_PROFILE_{profile.upper().replace('-', '_')}_"
    return {name: value.text for name, value in variables.items() if name.startswith(start)}


def fingerprinted(profile: str, variables: Mapping[str, Value]) -> dict[str, str | None]:
    """The same, with the variables that hold flags for rustc."""
    flags = {name: value.text for name, value in variables.items() if name.endswith(FLAG_VARIABLES)}
    return {**profile_settings(profile, variables), **flags}


def _other_setting(warmup: Warmup, call: CargoCall) -> str:
    ours, theirs = (profile_settings(call.profile or "", one.command.variables) for one in (warmup, call))
    if any("*" in (value or "*") for value in (*ours.values(), *theirs.values())):
        return ""  # a variable may say anything
    name = next((name for name in sorted({*ours, *theirs}) if ours.get(name) != theirs.get(name)), "")
    return f"{name} ({ours.get(name) or 'not set'}, then {theirs.get(name) or 'not set'})" if name else ""


def other_place(build: ImageBuild, warmup: Warmup, call: CargoCall) -> str:
    """In which target directories the two build, where nothing of the first can get into the second."""
    ours, theirs = warmup.target_directory, call.target_directory
    chain = chain_of(build.stages[call.command.stage], build.stages)
    if ours is None or theirs is None or ours == theirs or "*" in ours + theirs or warmup.command.stage not in chain:
        return ""
    # of a member that is built in its directory the workspace above may say where
    places = [patterns.parent(one) for one in (ours, theirs)]
    if any(patterns.below(one, other) is not None for one, other in (places, places[::-1])):
        return ""
    for transfer in build.transfers:
        place = transfer.destination
        meet = patterns.below(theirs, place) is not None or patterns.below(place, theirs) is not None
        if transfer.stage in chain and meet and not transfer.from_context:
            return ""
    mounted = {mount.instruction for mount in build.mounts if mount.kind != "tmpfs"}
    if mounted & {warmup.command.instruction, call.command.instruction}:
        return ""
    between = (one for one in build.commands if warmup.command.span < one.span < call.command.span)
    if any(one.stage in chain and _may_move(one) for one in between):
        return ""  # which may bring it
    return f"the target directory ({ours}, then {theirs})"


def _may_move(command: Command) -> bool:
    """Whether a command may bring files from one place to another."""
    mover = known_commands.canonical(command.name) in MOVERS
    return mover or known_commands.classify(command.name) == "opaque"


def _same_variable(build: ImageBuild, warmup: Warmup, call: CargoCall) -> bool:
    """Whether the two have their profile by the same words, so that it is one and the same whatever a build argument brings."""
    written = set()
    for command in (warmup.command, call.command):
        arguments = cargo_arguments(command)
        named = arguments.flags.get("--profile", ()) if arguments is not None and not arguments.optional else ()
        if len(named) != 1:
            return False
        written.add((named[0].pattern, build.source.data[named[0].span.start : named[0].span.end]))
    return len(written) == 1


def _crate_of(build: ImageBuild, call: CargoCall) -> Crate | None:
    return next((crate for one, crate in zip(build.calls, build.crates, strict=True) if one is call), None)


def _computed(one: Target, other: Target) -> bool:
    """Whether a target is asked for by a flag and only known when the step runs, and the other has none."""
    return one.pattern is None and one.origin == "flag" and one.span is not None and other.pattern == ""


def _title(target: Target) -> str:
    return "one that is computed" if target.pattern is None else target.pattern or "the default"


def _other_flags(build: ImageBuild, warmup: Warmup, call: CargoCall) -> bool:
    """Whether rustc surely gets other flags: by variables, or by a configuration that comes only after a placeholder's build."""
    stages = [build.stages[one.command.stage] for one in (warmup, call)]
    if len({stage.base_reference for stage in stages}) > 1 and any(stage.image is None for stage in stages):
        return False  # one of the images may set some
    crate = _crate_of(build, call)
    if None not in (warmup.flags, call.flags) and crate is not None and not crate.config.target_flags:
        return "*" not in f"{warmup.flags}{call.flags}" and _split(warmup.flags) != _split(call.flags)
    triple = triple_of(call.target, stages[1])
    ours, theirs = (rust_flags(triple, one.command.variables, None) for one in (warmup, call))
    return None not in (ours, theirs) and "*" not in f"{ours}{theirs}" and _split(ours) != _split(theirs)


def _split(flags: str | None) -> list[str]:
    return (flags or "").replace("-C ", "-C").split()

"""Cache mounts that cargo does not use: it keeps its downloads, or what it builds, elsewhere. Loaded where a RUN has mounts."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.catalog import commands as known_commands
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.cargo import COMPILES, TARGET_DIRECTORY, cargo_arguments, downloads
from dockerslim_lint.facts.env import NOWHERE
from dockerslim_lint.facts.model import Command, ImageBuild, Mount
from dockerslim_lint.facts.stages import chain_of
from dockerslim_lint.record import Record

HOMES = (".cargo", "cargo")
"""What CARGO_HOME is usually called."""

KEPT = ("registry", "git")
"""Below it are the downloads (cargo book, "Cargo Home")."""


class ColdDownloads(Record):
    """Mounts of one place in stages that follow each other, in file order. `below` is what they hold of cargo's home, "" for all.

    `home` is CARGO_HOME; `command` is the first that downloads there. `bare` are those that download without one of the mounts.
    """

    mounts: tuple[Mount, ...]
    home: str
    below: str
    command: Command
    bare: tuple[Command, ...]


class ColdTarget(Record):
    """A mount for what cargo builds, and the directory into which the `command` of its RUN builds instead."""

    mount: Mount
    place: str
    command: Command


def cold_downloads(build: ImageBuild) -> list[ColdDownloads]:
    """The cache mounts that are meant for cargo's downloads and are elsewhere, in file order."""
    found: list[ColdDownloads] = []
    downloading: list[Command] | None = None
    for mount in build.mounts:
        below = _below(mount.target)
        whole = mount.target.endswith(f"/{HOMES[0]}")
        if mount.kind != "cache" or mount.varies or not (whole or below) or "*" in mount.target:
            continue
        downloading = _downloading(build) if downloading is None else downloading
        calls = [command for command in downloading if command.instruction == mount.instruction]
        homes = {_home(build, call) for call in calls}
        home = next(iter(homes)) if len(homes) == 1 else None
        if not home or "*" in home or not home.startswith("/") or patterns.below(mount.target, home) is not None:
            continue
        own = mount.target.removesuffix(f"/{below}")
        if any(_names(command, own, f"~/{HOMES[0]}") for command in build.commands if command.stage == mount.stage):
            continue
        at = next((at for at, one in enumerate(found) if _belongs(build, one, mount, home)), None)
        if at is None:
            found.append(ColdDownloads((mount,), home.rstrip("/"), below, calls[0], ()))
        else:
            found[at] = found[at]._replace(mounts=(*found[at].mounts, mount))
    return [one._replace(bare=_bare(build, one, downloading or [])) for one in found]


def cold_targets(build: ImageBuild) -> Iterator[ColdTarget]:
    """The cache mounts that are meant for what cargo builds, in a RUN whose builds surely go elsewhere, in file order."""
    for mount in build.mounts:
        if (
            mount.kind != "cache"
            or mount.varies
            or patterns.basename(mount.target) != TARGET_DIRECTORY
            or "*" in mount.target
        ):
            continue
        step = [command for command in build.commands if command.instruction == mount.instruction]
        built = [one for command in step if (one := _built_into(build, command)) is not None]
        if not built or any(not place or patterns.meet(place, mount.target) for _, place in built):
            continue
        if not any(_reaches(command, mount.target) for command in build.commands if command.stage == mount.stage):
            command, place = built[0]
            yield ColdTarget(mount, place, command)


def _below(target: str) -> str:
    """What a mount holds of cargo's home: ``registry``, ``git/db``; "" for the whole or none of it."""
    parts = target.split("/")
    at = next((at for at, part in enumerate(parts) if part in HOMES and parts[at + 1 : at + 2]), len(parts))
    rest = parts[at + 1 :]
    return "/".join(rest) if rest and rest[0] in KEPT else ""


def _downloading(build: ImageBuild) -> list[Command]:
    """In file order; with the builds that only an alias tells."""
    built = (*(one.command for one in build.warmups), *(one.command for one in build.calls))
    found = {command.span: command for command in (*build.commands, *built) if downloads(command)}
    found |= {command.span: command for command in built}
    return [found[span] for span in sorted(found)]


def _belongs(build: ImageBuild, one: ColdDownloads, mount: Mount, home: str) -> bool:
    last = one.mounts[-1]
    chain = chain_of(build.stages[mount.stage], build.stages)
    return last.target == mount.target and one.home == home.rstrip("/") and last.stage in chain


def _bare(build: ImageBuild, one: ColdDownloads, downloading: list[Command]) -> tuple[Command, ...]:
    """What has downloads in common with the mounts' steps and none of the mounts: those are in the layers. A tool's are its own."""
    steps = {mount.instruction for mount in one.mounts}
    tools = {call.command.span for call in build.calls if call.source != "context"}
    chain = chain_of(build.stages[one.mounts[-1].stage], build.stages)
    return tuple(
        command
        for command in downloading
        if command.instruction not in steps
        and command.span not in tools
        and (command.stage in chain or chain[-1] in chain_of(build.stages[command.stage], build.stages))
    )


def _home(build: ImageBuild, call: Command) -> str | None:
    """CARGO_HOME where the file sets it, or the image surely does."""
    value = call.variables.get("CARGO_HOME")
    if value is not None and value.origin != NOWHERE:
        return value.text
    image = build.stages[call.stage].image
    if image is None or not image.understood or image.certainty == "believed" or "cargo_home" in image.believed:
        return None
    return image.cargo_home or None


def _names(command: Command, *places: str) -> bool:
    """Whether a command speaks of one of these directories: it may be a link, or somebody looks into it."""
    return any(place in word.pattern for word in command.words for place in places)


def _reaches(command: Command, place: str) -> bool:
    """Whether a word of a command is a path in this directory, or may be a link that leads into it."""
    return any(
        place in word.pattern
        or patterns.below(patterns.join(command.directory or "/*", word.pattern), place) is not None
        for word in command.words[1:]
    )


def _built_into(build: ImageBuild, command: Command) -> tuple[Command, str] | None:
    """Where a command builds, "" where that is not certain; None for one that builds nothing."""
    number = next((at for at, call in enumerate(build.calls) if call.command.span == command.span), None)
    if number is not None:
        call = build.calls[number]
        named = "--target-dir" in {word.pattern.partition("=")[0] for word in command.words}
        named = named or {"CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR"} & command.variables.keys() != set()
        place = call.target_directory or ""
        sure = call.kind == "build" and (named or build.crates[number] is not None) and call.command.certain
        return command, place if sure and "*" not in place else ""
    arguments = cargo_arguments(command)
    compiles = arguments is not None and (arguments.subcommand in COMPILES or arguments.subcommand == "chef")
    unknown = known_commands.classify(command.name) == "opaque" or not command.name
    return (command, "") if compiles or unknown else None

"""Package managers' command lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from dockerslim_lint.catalog import commands as known_commands
from dockerslim_lint.catalog import packages, symbols
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.cargo import cargo_arguments
from dockerslim_lint.facts.model import (
    CargoCall,
    Command,
    CommandWord,
    FinalImage,
    ImageBuild,
    Leftover,
    Mount,
    PackageInstall,
    Transfer,
)

AUTOREMOVE = "autoremove"
"""Of apt and dnf, and the like of it: what was installed for others that are gone."""

INSTALLERS = {
    "apt-get": ("apt", {"install"}),
    "apt": ("apt", {"install"}),
    "aptitude": ("apt", {"install"}),
    "apk": ("apk", {"add"}),
    "dnf": ("dnf", {"install"}),
    "microdnf": ("dnf", {"install"}),
    "yum": ("dnf", {"install"}),
    "tdnf": ("dnf", {"install"}),
    "zypper": ("zypper", {"install", "in"}),
}
"""Program → family of package names, and its words for installing."""

OTHER_SOURCES = (b"/etc/apt", b"sources.list")
"""What a file speaks of that gives apt other places to look."""

VALUE_FLAGS = frozenset(
    [
        "-t",
        "--target-release",
        "-o",
        "--option",
        "-c",
        "--config-file",
        "--virtual",
        "-X",
        "--repository",
        "--setopt",
        "--enablerepo",
        "--disablerepo",
        "--releasever",
        "--installroot",
        "--repo",
        "--repoid",
        "--exclude",
        "-x",
        "--from",
        "--root",
        "-R",
    ]
)
"""Flags whose value is the next word (apt-get(8), apk-add(8), dnf(8), zypper(8))."""


def manager_of(command: Command) -> str:
    """The family of the package manager that is called, "" if none is."""
    return INSTALLERS[command.name][0] if command.name in INSTALLERS else ""


def known_packages(installs: Iterable[PackageInstall]) -> Iterator[packages.Package]:
    """What the catalogue knows of the packages that these steps install."""
    for install in installs:
        for name in install.packages:
            package = packages.lookup(install.manager, name)
            if package is not None:
                yield package


def read_install(command: Command) -> PackageInstall | None:
    """The packages that a command installs, files of packages by their paths; None where it installs none.

    Versions (``=1.2``, ``/suite``) are cut off.
    """
    names = [_without_version(word.pattern) for word in package_words(command)]
    return PackageInstall(command, INSTALLERS[command.name][0], tuple(names)) if names else None


def recommended(install: PackageInstall) -> bool:
    """Whether packages come with those that they recommend: apt's default (apt-get(8), --no-install-recommends)."""
    words = (word.pattern.lower().partition("::install-recommends=") for word in install.command.words)
    return not any(word == "--no-install-recommends" or value in ("0", "false", "no") for word, _, value in words)


def _without_version(word: str) -> str:
    return word if word.startswith((".", "/")) or "://" in word else word.partition("=")[0].partition("/")[0]


def package_words(command: Command) -> list[CommandWord]:
    """The words of a command that name packages to install."""
    if command.name not in INSTALLERS:
        return []
    verb = ""
    found: list[CommandWord] = []
    skip = False
    for word in command.words[1:]:
        text = word.pattern
        if skip:
            skip = False
        elif text.startswith("-"):
            skip = text in VALUE_FLAGS
        elif not verb:
            verb = text
        else:
            found.append(word)
    return found if verb in INSTALLERS[command.name][1] else []


def leftovers(
    installs: Sequence[PackageInstall],
    commands: Sequence[Command],
    mounts: Sequence[Mount],
    transfers: Sequence[Transfer],
    toolchain: bool,
    own_shell: bool = False,
) -> tuple[Leftover, ...]:
    """What the commands of an image leave in it: caches that the same RUN does not empty, and tools for building.

    `toolchain`: the base is a toolchain image. `own_shell`: the steps may be run by another shell than the base's ``/bin/sh``.
    """
    found: list[Leftover] = []
    seen: set[int] = set()
    runs: dict[int, list[Command]] = {}
    for command in commands:
        runs.setdefault(command.instruction, []).append(command)
    for command in commands:
        if command.name not in INSTALLERS or command.instruction in seen or not command.certain:
            continue
        family = INSTALLERS[command.name][0]
        cache = packages.caches(family)
        if cache is None or not _fills(command, cache):
            continue
        seen.add(command.instruction)
        directories = cache["directory"].split()
        mounted = any(
            mount.instruction == command.instruction and patterns.below(directory, mount.target) is not None
            for mount in mounts
            for directory in directories
        )
        braces = own_shell or not cache.get("sh")
        others = runs[command.instruction]
        if not mounted and not any(_empties(other, directories, cache["empty"], braces) for other in others):
            # which of several it is depends on the release
            title = directories[0] if len(directories) == 1 else f"The cache of {command.name}"
            found.append(Leftover("cache", family, (title,), command))
    if any(known_commands.may_compile(command.name) for command in commands):
        return tuple(found)
    for install in installs:
        tools = tuple(name for name in install.packages if packages.only_builds(install.manager, name))
        if not all(map(symbols.symbolizes, tools)) and not _removes(install, runs[install.command.instruction]):
            wanted = "the base has a toolchain" if toolchain else _sign_of_use(installs, commands, transfers)
            found.append(Leftover("tools", install.manager, tools, install.command, wanted))
    return tuple(sorted(found, key=lambda one: one.command.span.start))


def cleaned_too_late(build: ImageBuild, image: FinalImage) -> Iterator[tuple[Command, CargoCall]]:
    """What removes a ``target/`` of the image in a later step than that which filled it, and the call that did, in file order."""
    calls = [call for call in build.calls if call.command.stage in image.chain and call.kind == "build"]
    last = max((call.command.instruction for call in calls), default=-1)
    # who goes on to build has another reason to clean
    for command in image.commands if calls else ():
        removed = _removed(command) if command.certain and command.instruction > last else ()
        made = [call for call in calls if _filled(call) & set(removed)]
        if made and not _in_mount(build, made[-1]):
            yield command, made[-1]


def _removed(command: Command) -> tuple[str, ...]:
    """The directories that a command removes; of ``cargo clean`` the one in which it runs, with a slash behind it."""
    if known_commands.canonical(command.name) == "rm":
        words = [word.pattern for word in command.words[1:] if word.exact and not word.pattern.startswith("-")]
        return tuple(patterns.join(command.directory or "/*", word) for word in words)
    arguments = cargo_arguments(command)
    if arguments is None or arguments.subcommand != "clean" or arguments.flags or "--doc" in arguments.switches:
        return ()
    return (f"{command.directory}/",) if command.directory is not None else ()


def _filled(call: CargoCall) -> set[str]:
    """What `_removed` says of the same directory."""
    cleaned = {f"{call.command.directory}/"} if call.command.certain else set()
    return cleaned | ({call.target_directory} if call.target_directory is not None else set())


def _in_mount(build: ImageBuild, call: CargoCall) -> bool:
    place, step = call.target_directory or "/", call.command.instruction
    return any(mount.instruction == step and patterns.below(place, mount.target) is not None for mount in build.mounts)


def _sign_of_use(installs: Sequence[PackageInstall], commands: Sequence[Command], transfers: Sequence[Transfer]) -> str:
    """What says that something is built, or programs are looked into, when the image runs; "" where nothing does."""
    for install in installs:
        for name in install.packages:
            if packages.is_toolchain(install.manager, name):
                return f"{name} is installed beside it"
            if symbols.is_reader(name):
                return f"the image has {name}, which looks into programs"
    for command in commands:
        if packages.is_toolchain_command(command.name):
            return f"{command.name} is called in the stage"
    for transfer in transfers:
        for path in (*transfer.sources, transfer.destination):
            if packages.is_toolchain_path(path):
                return f"{path} is copied into it"
    return ""


def _fills(command: Command, cache: Mapping[str, str]) -> bool:
    words = [word.pattern for word in command.words[1:]]
    verb = next((word for word in words if word in cache["fill"].split()), "")
    elsewhere = tuple(cache.get("elsewhere", "").split())
    if elsewhere and any("*" in word or word.startswith(elsewhere) for word in words if word[:1] in "-*"):
        return False
    return bool(verb) and not set(words) & set(cache["without"].split())


def _empties(command: Command, directories: Sequence[str], empty: str, braces: bool) -> bool:
    """Whether a command may empty one of the directories; one that is not understood may. `braces`: its shell may expand ``{a,b}``."""
    words = [word.pattern for word in command.words[1:]]
    if command.name in INSTALLERS:
        return bool(set(words) & set(empty.split()))
    if known_commands.classify(command.name) == "opaque":
        return True
    if known_commands.canonical(command.name) != "rm":
        return False
    braces = braces or command.nested
    words = [word for word in words if not word.startswith("-") and (braces or "{" not in word)]
    paths = [patterns.join(command.directory or "/*", word) for word in words]
    return any(
        "{" in path or path.startswith(directory) or directory.startswith(path.rstrip("*").rstrip("/"))
        for path in paths
        for directory in directories
    )


def _removes(install: PackageInstall, commands: Sequence[Command]) -> bool:
    cache = packages.caches(install.manager)
    remove = set(cache["remove"].split()) if cache is not None else set()
    for other in commands if cache is not None else ():
        words = [word.pattern for word in other.words[1:] if not word.pattern.startswith("-")]
        # by itself autoremove takes what nobody has asked for, and what is installed here is asked for
        if other.name in INSTALLERS and remove & set(words) and words != [AUTOREMOVE]:
            return True
    return cache is None

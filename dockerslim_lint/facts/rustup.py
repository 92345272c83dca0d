"""Toolchains of a stage: which targets rustup installed, for which toolchain, and which one a cargo call uses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dockerslim_lint.catalog import commands as known_commands
from dockerslim_lint.catalog import platforms
from dockerslim_lint.catalog.images import BaseImage
from dockerslim_lint.catalog.packages import bare_name
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.cargo import CROSS, OTHER_BUILDERS, XX, CargoArguments
from dockerslim_lint.facts.crate.config import ToolchainFile
from dockerslim_lint.facts.crate.model import Crate
from dockerslim_lint.facts.model import (
    TARGET_ELSEWHERE,
    TARGET_INSTALLED,
    TARGET_MISSING,
    UNKNOWN,
    CargoCall,
    Command,
    PackageInstall,
    Stage,
    Toolchain,
    Value,
)
from dockerslim_lint.facts.toolchain import host_libc, installed_by
from dockerslim_lint.record import Record

RUSTUP = "rustup"
HARMLESS = frozenset(
    {"show", "toolchain list", "target list", "component", "self", "which", "doc", "--version", "-V", "set profile"}
)
"""Subcommands of rustup that neither install a target nor choose a toolchain (rustup 1.29.0, `rustup help`)."""

CHOOSING = frozenset({"default", "override", "set", "toolchain link", "toolchain uninstall"})
"""Subcommands that change which toolchain a call uses."""

VARIABLE = "RUSTUP_TOOLCHAIN"

INSTALLER = "rustup-init"

INSTALLER_FLAG = "--default-toolchain"
"""Of rustup-init, mostly behind a shell that reads it from a pipe."""

HOST_FLAG = "--default-host"
"""The same: the host triple of what it installs."""

HOST_SETTING = "default-host"
"""Of ``rustup set``: the host triple of the toolchains that are named without one from then on."""

STABLE = "stable"
"""What rustup-init installs if nobody says what."""

TRAIN = {"nightly": 0, "beta": 1}
"""By how many versions a channel is behind nightly."""

BUILDERS_WITHOUT_TARGETS = frozenset({"chef", "rustc", "deb"})
"""Subcommands of cargo that build, and install no target."""

PLACES = ("rustup", ".rustup", "rustlib")
"""Directories in which rustup and rustc keep toolchains."""

SYSTEM = ("/", "/usr", "/usr/local", "/root", "/opt")


class Added(Record):
    """A target that a command installed. `toolchain` was named, or else `channel` of a toolchain file was in force; both "": the default."""

    target: str
    toolchain: str
    channel: str
    command: Command


def chooses_toolchain(command: Command) -> bool:
    """Whether a rustup command makes another toolchain the one that cargo uses."""
    words = [word.pattern for word in command.words[1:]]
    return command.name == RUSTUP and ((words[:1] and words[0] in CHOOSING) or " ".join(words[:2]) in CHOOSING)


def fetches_rustup(command: Command) -> bool:
    """Whether a command names the script that installs rustup: the next one of its step runs that."""
    return any(known_commands.is_rustup_installer(word.pattern) for word in command.words)


def stays_installed(commands: Iterable[Command]) -> bool:
    """Whether these commands install rustup and none of them takes it, or its toolchains, away again."""
    there = False
    for command in commands:
        words = [word.pattern for word in command.words]
        if fetches_rustup(command) or patterns.basename(command.name) == INSTALLER:
            there = True
        elif (command.name == RUSTUP and words[1:3] == ["self", "uninstall"]) or (
            command.name == "rm" and any(map(holds_toolchains, words))
        ):
            there = False
    return there


def installed_toolchains(command: Command) -> tuple[str, ...]:
    """The names, as written, of the toolchains that a rustup command installs; () for any other, and where a word is not known."""
    words = [word.pattern for word in command.words[1:] if word.exact]
    if command.name != RUSTUP or len(words) < len(command.words) - 1:
        return ()
    operands = [word for word in words if not word.startswith(("-", "+"))]
    kinds = (["toolchain", "install"], ["toolchain", "add"], ["toolchain", "update"])
    return tuple(operands[2:]) if operands[:2] in kinds else tuple(operands[1:]) if operands[:1] == ["install"] else ()


def is_version(toolchain: str) -> bool:
    """Whether a toolchain is named by its version (``1.88.0``)."""
    parts = toolchain.split(".")
    return len(parts) > 1 and all(part.isascii() and part.isdecimal() for part in parts)


def holds_toolchains(path: str) -> bool:
    """Whether rustup's toolchains or settings may lie at a path, or below it."""
    return path in SYSTEM or any(part in PLACES for part in path.split("/"))


class Toolchains:
    """The state of one stage while it is walked."""

    def __init__(self) -> None:
        self.added: list[Added] = []
        self.unsure = False
        """something that is not modelled may have installed a target"""
        self.changed = False
        """a step may have chosen another toolchain than the image's"""
        self._default = ""
        """what a step has made the default, "" for the image's own"""
        self._overrides: dict[str, str] = {}
        self._host = ""
        """the triple that a step has made the host of toolchains, "" for the image's own"""
        self._maybe: set[str] = set()
        """the names with a host that a step has chosen that may not run"""
        self._packages: frozenset[str] = frozenset()
        """what the distribution's package manager has installed"""

    def child(self) -> Toolchains:
        """What a stage built on this one starts with."""
        copy = Toolchains()
        copy.added, copy.unsure, copy.changed = list(self.added), self.unsure, self.changed
        copy._default, copy._overrides, copy._packages = self._default, dict(self._overrides), self._packages
        copy._host, copy._maybe = self._host, set(self._maybe)
        return copy

    def command(self, command: Command, arguments: CargoArguments | None, file: ToolchainFile | None) -> None:
        """Take in one command; `file` is the toolchain file that rustup finds in its directory."""
        self._default = _value(command, INSTALLER_FLAG) or self._default
        host = _value(command, HOST_FLAG)
        if host:
            self._host = host
            self._default = self._resolved(self._default or STABLE)
        if command.name == RUSTUP:
            self._rustup(command, file)
        elif self.unsure:
            return
        elif arguments is not None:
            name = arguments.subcommand
            self.unsure = name in OTHER_BUILDERS and name not in BUILDERS_WITHOUT_TARGETS
            self.unsure = self.unsure or arguments.driver in (CROSS, XX)  # they add the target that they want
        else:
            kind = known_commands.classify(command.name)
            self.unsure = kind == "opaque" or (kind == "known" and known_commands.title(command.name) == "cargo")

    def place(self, path: str) -> None:
        """Files that are not read arrive at a path, or are mounted there."""
        if holds_toolchains(path):
            self.unsure = self.changed = True

    def _rustup(self, command: Command, file: ToolchainFile | None) -> None:
        words = [word.pattern for word in command.words[1:]]
        toolchain = words.pop(0)[1:] if words and words[0].startswith("+") else ""
        named = next((at for at, word in enumerate(words) if word.startswith("--toolchain")), None)
        if named is not None:
            toolchain = words[named].partition("=")[2] or (words[named + 1] if named + 1 < len(words) else "*")
        targets = installed_by(command)
        if targets:
            channel = file.channel if file is not None and not toolchain else ""
            self.added += [Added(target, toolchain, channel, command) for target in targets]
            return
        first, both = words[0] if words else "", " ".join(words[:2])
        if first in CHOOSING or both in CHOOSING:
            self.changed = True
        operands = [word for word in words if not word.startswith("-")]
        if operands[:1] == ["default"] and len(operands) > 1:
            self._default = self._chosen(operands[1], command)
        elif operands[:2] == ["set", HOST_SETTING] and len(operands) > 2:
            self._host = operands[2] if command.certain else "*"  # the default, if there is one, keeps its own
        elif operands[:2] == ["override", "set"] and len(operands) > 2:
            place = _value(command, "--path") or "."
            self._overrides[patterns.join(command.directory or "/*", place)] = self._chosen(operands[2], command)
        elif self._default == "none" and operands[:1] in (["install"], ["toolchain"]) and len(operands) > 1:
            self._default = self._resolved(operands[-1])  # the first one that is installed is the default
        if (first not in HARMLESS and both not in HARMLESS) or "rust-std" in " ".join(words):
            # toolchain install X --target T, default T of a musl host, a variable …
            self.unsure = self.unsure or any(
                word.startswith(("-t", "--target", "rust-std")) or "*" in word or "musl" in word for word in words
            )

    def packages(self, install: PackageInstall) -> None:
        """Packages are installed."""
        self._packages |= {bare_name(name) for name in install.packages}

    def version(
        self, toolchain: str, command: Command, stage: Stage, file: ToolchainFile | None
    ) -> tuple[int, int] | None:
        """The Rust of a call, as `Toolchain.version`; `toolchain` is what the call itself names. Of several the oldest."""
        names = self._names(toolchain, command, file)
        if names[0]:
            return min((found for name in names if (found := version_of(name)) is not None), default=None)
        image = stage.image
        if image is None:
            return None
        package, _, packaged = image.cargo_package.partition("=")
        if not image.toolchain:
            return version_of(packaged) if package in self._packages else None
        return version_of(image.version)

    def seen_by(self, toolchain: str, command: Command, stage: Stage, file: ToolchainFile | None) -> Stage:
        """The stage of a call with the libc of the host for which its toolchain builds, where a triple says so."""
        return self._with_host(stage, self._names(toolchain, command, file))

    def seen_by_default(self, stage: Stage, variables: Mapping[str, Value]) -> Stage:
        """The same for a call that something else makes, of which these variables are known."""
        variable = variables.get(VARIABLE)
        named = [self._resolved(variable.text or "*")] if variable is not None else [*self._overrides.values()]
        return self._with_host(stage, named or [self._default])

    def _with_host(self, stage: Stage, names: list[str]) -> Stage:
        libcs = {
            UNKNOWN if name in self._maybe or (self._host and name.endswith("*")) else _libc(name) for name in names
        }
        libc = libcs.pop() if len(libcs) == 1 else UNKNOWN
        return stage._replace(host_libc=libc) if libc and stage.image is not None else stage

    def _names(self, toolchain: str, command: Command, file: ToolchainFile | None) -> list[str]:
        """The toolchains of which a call uses one, [""] for the image's own; `toolchain` is what the call itself names.

        Source: rustup book, "Overrides": +toolchain, RUSTUP_TOOLCHAIN, then an override or a file, whichever is nearer, then
        the default.
        """
        variable = command.variables.get(VARIABLE)
        inline = _value(command, VARIABLE)  # env RUSTUP_TOOLCHAIN=… cargo
        named = toolchain or inline or (variable.text or "*" if variable is not None else "")
        if named:
            return [self._resolved(named)]
        here = command.directory or "/*"
        names = [name for place, name in self._overrides.items() if patterns.below(here, place) is not None]
        names += [self._resolved(file.channel)] if file is not None and file.channel else []
        return names or [self._default]

    def _chosen(self, name: str, command: Command) -> str:
        """What a command chooses, as `_resolved`."""
        resolved = self._resolved(name)
        if command.certain:
            self._maybe.discard(resolved)
        elif _libc(resolved):
            self._maybe.add(resolved)
        return resolved

    def _resolved(self, name: str) -> str:
        """A toolchain's name, as rustup resolves it at this place: with the host that was set, where it has none."""
        return f"{name}-{self._host}" if name and self._host and not _libc(name) and "*" not in name else name

    def of(
        self, call: CargoCall, arguments: CargoArguments, stage: Stage, crate: Crate | None, file: ToolchainFile | None
    ) -> Toolchain:
        """What a call is compiled with."""
        image = stage.image
        channel = call.toolchain or (file.channel if file is not None else "")
        open_ = self.changed or VARIABLE in call.command.variables or bool(_value(call.command, VARIABLE))
        open_ = open_ or "--ignore-rust-version" in arguments.switches
        same = None if open_ or image is None else same_toolchain(channel, image, stage.digest)
        state, added = self._target(call, arguments, stage, crate, file)
        if state == TARGET_ELSEWHERE and (open_ or self.unsure):
            state = UNKNOWN
        older = image is not None and crate is not None and is_older(image, crate.rust_version)
        version = self.version(call.toolchain, call.command, stage, file)
        return Toolchain(state, added, file if not call.toolchain else None, same, open_, older, version)

    def _target(
        self, call: CargoCall, arguments: CargoArguments, stage: Stage, crate: Crate | None, file: ToolchainFile | None
    ) -> tuple[str, Command | None]:
        target, image = call.target.pattern, stage.image
        if not target or image is None or not image.toolchain or not image.understood:
            return UNKNOWN, None
        if arguments.driver in (CROSS, XX) or "-Z" in arguments.flags or (crate is not None and crate.config.build_std):
            return UNKNOWN, None
        if _is_host(target, stage, image) or _has(target, image.targets):
            return TARGET_INSTALLED, None
        if file is not None and _has(target, file.targets):
            return TARGET_INSTALLED, None
        wanted = call.toolchain or (file.channel if file is not None else "")
        fitting = [added for added in self.added if patterns.same(target, added.target)]
        for added in fitting:
            if (added.toolchain or added.channel) == wanted:
                return TARGET_INSTALLED, added.command
        if fitting:
            plain = [added for added in fitting if not added.toolchain and not added.channel]
            other = wanted and same_toolchain(wanted, image, stage.digest) is False
            return (TARGET_ELSEWHERE, plain[-1].command) if len(plain) == len(fitting) and other else (UNKNOWN, None)
        if self.unsure or crate is None or _has(target, crate.toolchain.targets):
            return UNKNOWN, None
        return TARGET_MISSING, None


def same_toolchain(channel: str, image: BaseImage, digest: str) -> bool | None:
    """Whether a channel is the toolchain that an image brings; None where that cannot be told.

    Images name theirs by the full version (``1.80.1``), so that ``stable`` and ``1.80`` are always other ones: rustup keeps
    each channel under its name as written.
    """
    if not channel or not image.newest or not image.understood or "*" in channel:
        return None
    if not channel[:1].isdigit():
        return False
    asked = _numbers(channel)
    if len(asked) < 3:
        return False
    if image.moving:
        # a floating tag is never older than it was when the catalogue was written
        return False if not digest and asked[:2] < _numbers(image.newest)[:2] else None
    has = _numbers(image.version)
    length = min(len(asked), len(has))
    if asked[:length] != has[:length]:
        return False
    return True if len(asked) == len(has) == 3 else None


def version_of(channel: str) -> tuple[int, int] | None:
    """Major and minor of a toolchain's name, (0, 0) for one that only the build knows, None for one that names no version.

    A dated nightly or beta is counted by Rust's release train, a version every six weeks: nightly became 1.59 on 2021-12-02.
    A week is left for what is not settled on that day.
    """
    if "*" in channel:
        return 0, 0
    words = channel.split("-")
    numbers = words[0].split(".")
    if len(numbers) >= 2 and numbers[0].isdecimal() and numbers[1].isdecimal():
        return int(numbers[0]), int(numbers[1])
    if words[0] not in TRAIN or len(words) < 4 or not words[1].isdecimal():
        return None
    from datetime import date

    try:
        built = date(*(int(word) for word in words[1:4]))
    except ValueError:
        return 0, 0
    return 1, 59 - TRAIN[words[0]] + (built - date(2021, 12, 9)).days // 42


def _value(command: Command, flag: str) -> str:
    """The value of a flag, "" where the command does not have it."""
    for at, word in enumerate(command.words):
        if word.pattern.startswith(flag):
            name, equals, value = word.pattern.partition("=")
            if name == flag:
                return value if equals else command.words[at + 1].pattern if at + 1 < len(command.words) else "*"
    return ""


def is_older(image: BaseImage, version: str) -> bool:
    """Whether an image's Rust is surely older than a version (``1.80``)."""
    has, asked = _numbers(image.version), _numbers(version)
    if not image.newest or not image.understood or image.moving or len(has) < 2 or len(asked) < 2:
        return False
    length = min(len(has), len(asked))
    return has[:length] < asked[:length]


def _libc(toolchain: str) -> str:
    """The libc of the host triple in a toolchain's name (``stable-x86_64-unknown-linux-musl``), "" where it names none."""
    last = toolchain.rpartition("-")[2]
    return "musl" if last.startswith("musl") else "glibc" if last.startswith("gnu") else ""


def _numbers(version: str) -> tuple[int, ...]:
    parts = version.partition("-")[0].split(".")
    return tuple(int(part) for part in parts if part.isdigit())


def _is_host(target: str, stage: Stage, image: BaseImage) -> bool:
    """Whether the target can be the one of the toolchain itself."""
    libc = host_libc(stage)
    if libc not in ("glibc", "musl"):
        return True
    rows = [platforms.lookup(name) for name in image.architectures]
    hosts = [row.gnu if libc == "glibc" else row.musl for row in rows if row is not None]
    if not hosts:
        return "-gnu" in target if libc == "glibc" else "-musl" in target
    return _has(target, hosts)


def _has(target: str, known: tuple[str, ...] | list[str]) -> bool:
    return any(patterns.same(target, one) for one in known)

"""Toolchains of a stage: which targets rustup installed, for which toolchain, and which one a cargo call uses."""

from __future__ import annotations

from dockerslim_lint.catalog import commands as known_commands
from dockerslim_lint.catalog import platforms
from dockerslim_lint.catalog.images import BaseImage
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
    Stage,
    Toolchain,
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

    def child(self) -> Toolchains:
        """What a stage built on this one starts with."""
        copy = Toolchains()
        copy.added, copy.unsure, copy.changed = list(self.added), self.unsure, self.changed
        return copy

    def command(self, command: Command, arguments: CargoArguments | None, file: ToolchainFile | None) -> None:
        """Take in one command; `file` is the toolchain file that rustup finds in its directory."""
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
        if (first not in HARMLESS and both not in HARMLESS) or "rust-std" in " ".join(words):
            # toolchain install X --target T, default T of a musl host, a variable …
            self.unsure = self.unsure or any(
                word.startswith(("-t", "--target", "rust-std")) or "*" in word or "musl" in word for word in words
            )

    def of(
        self, call: CargoCall, arguments: CargoArguments, stage: Stage, crate: Crate | None, file: ToolchainFile | None
    ) -> Toolchain:
        """What a call is compiled with."""
        image = stage.image
        channel = call.toolchain or (file.channel if file is not None else "")
        open_ = self.changed or "RUSTUP_TOOLCHAIN" in call.command.variables
        open_ = open_ or "--ignore-rust-version" in arguments.switches
        same = None if open_ or image is None else same_toolchain(channel, image, stage.digest)
        state, added = self._target(call, arguments, stage, crate, file)
        if state == TARGET_ELSEWHERE and (open_ or self.unsure):
            state = UNKNOWN
        older = image is not None and crate is not None and is_older(image, crate.rust_version) and not call.packages
        return Toolchain(state, added, file if not call.toolchain else None, same, open_, older)

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


def is_older(image: BaseImage, version: str) -> bool:
    """Whether an image's Rust is surely older than a version (``1.80``)."""
    has, asked = _numbers(image.version), _numbers(version)
    if not image.newest or not image.understood or image.moving or len(has) < 2 or len(asked) < 2:
        return False
    length = min(len(has), len(asked))
    return has[:length] < asked[:length]


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

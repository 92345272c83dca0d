"""cargo's command line: what a call builds, and where it puts it."""

from __future__ import annotations

from collections.abc import Sequence

from dockerslim_lint.catalog import commands as known_commands
from dockerslim_lint.facts.model import Command, CommandWord
from dockerslim_lint.record import Record

BUILDS = {"build": "build", "b": "build", "rustc": "build", "zigbuild": "build", "install": "install"}
"""Subcommands that make programs, with cargo's built-in alias (cargo book, "cargo build", "cargo rustc"; cargo-zigbuild's
README: the files lie where `cargo build` puts them)."""

SUBCOMMAND = "cargo-"
"""How cargo's own subcommands begin, which images for building may bring (cargo book, "Extending Cargo with custom commands")."""

BUILT_IN = frozenset(
    [
        "check",
        "c",
        "clean",
        "doc",
        "d",
        "new",
        "init",
        "add",
        "remove",
        "run",
        "r",
        "test",
        "t",
        "bench",
        "update",
        "search",
        "publish",
        "fetch",
        "vendor",
        "tree",
        "metadata",
        "version",
    ]
)
"""Subcommands that no alias can take (cargo book, "Configuration", [alias])."""

BUILDS_NOTHING = frozenset({"fetch", "vendor", "tree", "metadata", "version", "update", "search"})
"""Those of them that leave the target directory alone."""

CHANGES = frozenset({"clean", "add", "remove", "rm", "update", "generate-lockfile"})
"""Subcommands after which cargo may build again what it has built: they remove outputs, or give a package other dependencies."""

NEXTEST = "nextest"
"""Its ``--profile`` is none of cargo's (nexte.st, "Running tests")."""

COMPILES = frozenset({"test", "t", "bench", "run", "r", "check", "c", "clippy", "doc", "d", "rustdoc", NEXTEST})
"""Subcommands beside `BUILDS` that compile the dependencies, at least their macros and build scripts."""

LINKS = frozenset({"test", "t", "bench", "run", "r"})
"""Those of them that build the dependencies as `cargo build` does (the others only check them)."""

INHERITS = {"test": "dev", "bench": "release"}
"""Profiles that take what they do not set from another one (cargo book, "Profiles")."""

BUILT_IN_PROFILES = frozenset({"release", "dev", "test", "bench", "check"})
"""Those that no manifest need define (cargo book, "Profiles"; check is one of `cargo rustc` alone)."""

DOWNLOADS = frozenset({"fetch", "vendor", "metadata", "tree", *BUILDS, *COMPILES})
"""Subcommands that bring the crates of the lock."""

SOURCES_ONLY = frozenset({"vendor"})
"""Those that print a configuration which says where the crates are, and nothing else (cargo book, "cargo vendor")."""

TARGET_DIRECTORY = "target"
"""What cargo calls its directory for what it builds, where nothing names another, and people their mounts for it."""

NO_PROFILES = frozenset(
    {"doc", "package", "tmp", "site", "front", "wasm-bindgen", "dx", "criterion", "nextest", "llvm-cov"}
)
"""What lies beside the profiles' directories: cargo's own (cargo book, "Build Cache"), and those of cargo-leptos (site, front,
wasm-bindgen), dioxus, criterion, cargo-nextest and cargo-llvm-cov."""

CARGO = "cargo"
CROSS = "cross"
XX = "xx-cargo"
ZIGBUILD = "zigbuild"

DRIVERS = frozenset({CARGO, CROSS, XX, "cargo-zigbuild", "cargo-auditable", "cargo-chef"})
"""Programs that take cargo's command line: cross, xx-cargo (tonistiigi/xx src/xx-cargo), subcommands by their own name."""

RUSTUP_RUN = ("rustup", "run")
"""Behind it a toolchain and a command (rustup book, "rustup run")."""

FORWARDERS = frozenset({"auditable"})
"""Subcommands that hand the rest to cargo itself and build the same files (cargo-auditable's README)."""

OTHER_BUILDERS = {
    "xwin": "cargo xwin",
    "deb": "cargo deb",
    "dist": "cargo dist",
    "make": "cargo make",
    "xtask": "cargo xtask",
    "leptos": "cargo leptos",
    "cross": "cargo cross",
    "pgo": "cargo pgo",
    "run": "cargo run",
    "r": "cargo run",
}
"""Subcommands that may make programs in ways that are not modelled. binstall is none: it fetches tools."""

HELPERS = frozenset({"run", "r"})
"""Those of them that are not there to make the program that is shipped."""

COPIES_TO = ("--artifact-dir", "--out-dir")
"""A directory into which cargo copies the programs that it builds (cargo book, "Unstable features", artifact-dir)."""

VALUE_FLAGS = frozenset(
    [
        "--target",
        "--bin",
        "--example",
        "--test",
        "--bench",
        "--package",
        "--exclude",
        "--jobs",
        "--features",
        "--profile",
        "--target-dir",
        "--manifest-path",
        "--message-format",
        "--color",
        "--config",
        "--root",
        "--path",
        "--git",
        "--branch",
        "--tag",
        "--rev",
        "--version",
        "--vers",
        "--index",
        "--registry",
        "--lockfile-path",
        *COPIES_TO,
        "--recipe-path",
        "-p",
        "-j",
        "-F",
        "-Z",
        "-C",
    ]
)
"""Flags whose value may be the next word (cargo 1.96 `cargo build --help`, `cargo install --help`)."""


class CargoArguments(Record):
    """cargo's words, sorted: `flags` hold every value of a flag, in order; `last` is the index of the last word before ``--``.

    `driver` is the program, `rest` what stands behind ``--``. `exact` is False where a word is open that may be any flag;
    `optional`: there is none, but a build argument may bring some. `targets` are those of which a variable that stands for
    ``--target`` names one, "" for none; () without such a variable.
    """

    toolchain: str
    subcommand: str
    flags: dict[str, tuple[CommandWord, ...]]
    switches: frozenset[str]
    operands: tuple[CommandWord, ...]
    last: int
    exact: bool
    driver: str = CARGO
    rest: tuple[str, ...] = ()
    optional: bool = False
    targets: tuple[str, ...] = ()


def behind_wrappers(words: Sequence[CommandWord]) -> int:
    """The index of the word that names the command which ``env A=b``, ``sudo -E``, ``time``, ``nice -n 5`` … run; 0 without one."""
    at = 0
    while at < len(words) and words[at].exact and known_commands.is_wrapper(words[at].pattern):
        at += 1
        while at < len(words) and (
            words[at].pattern.startswith("-") or "=" in words[at].pattern or _is_number(words[at])
        ):
            at += 1
    return at


def _is_number(word: CommandWord) -> bool:
    """Of ``nice -n 5`` and ``timeout 10m``: no command is called so."""
    return word.pattern[:1].isdigit() and word.pattern.rstrip("smhd").replace(".", "", 1).isdigit()


def cargo_arguments(command: Command) -> CargoArguments | None:
    """The words of a cargo call; None where the command is not cargo."""
    words = command.words
    at = behind_wrappers(words)
    toolchain = subcommand = ""
    if tuple(word.pattern for word in words[at : at + 2]) == RUSTUP_RUN and at + 3 < len(words):
        toolchain = words[at + 2].pattern
        at += 3
    if at >= len(words) or not words[at].exact:
        return None
    driver = known_commands.canonical(words[at].pattern)  # ./cargo is a script of the project
    if driver not in DRIVERS:
        return None
    flags: dict[str, tuple[CommandWord, ...]] = {}
    switches: set[str] = set()
    operands: list[CommandWord] = []
    exact = True
    targets: tuple[str, ...] = ()
    optional = bool(command.optional)
    last = at
    index = at + 1
    while index < len(words):
        word = words[index]
        text = word.pattern
        if text == "--":
            break
        if word.unset:
            optional = True
            index += 1
            continue
        last = index
        index += 1
        if text.startswith("+") and not subcommand:
            toolchain = text[1:]
        elif text.startswith("-"):
            name, equals, _ = text.partition("=")
            if not text.startswith("--") and len(text) > 2 and text[:2] in VALUE_FLAGS:
                flags[text[:2]] = (*flags.get(text[:2], ()), word._replace(pattern=text[2:]))
            elif equals:
                flags[name] = (*flags.get(name, ()), word._replace(pattern=text[len(name) + 1 :]))
            elif text in VALUE_FLAGS and index < len(words):
                flags[text] = (*flags.get(text, ()), words[index])
                last = index
                index += 1
            else:
                switches.add(text)
        elif subcommand and word.one_of and not targets and (named := _targets(word.one_of)):
            targets = named
        elif not subcommand:
            subcommand = text
            if subcommand in FORWARDERS:
                subcommand = ""
        else:
            operands.append(word)
            # `cargo build $FLAGS`: what the variable holds may be any flag
            exact = exact and not text.startswith("*")
    rest = tuple(word.pattern for word in words[index + 1 :])
    return CargoArguments(
        toolchain, subcommand, flags, frozenset(switches), tuple(operands), last, exact, driver, rest, optional, targets
    )


def _targets(values: Sequence[str]) -> tuple[str, ...]:
    """The target that each value asks for, "" where it is empty; () where one of them is anything else than ``--target …``."""
    found = []
    for value in values:
        words = value.replace("--target=", "--target ").split()
        if words and (len(words) > 2 or words[0] != "--target"):
            return ()
        found.append(words[-1] if words else "")
    return tuple(found)


def downloads(command: Command) -> bool:
    """Whether a command brings crates into cargo's home."""
    arguments = cargo_arguments(command)
    if arguments is None:
        return False
    cooks = arguments.subcommand == "chef" and any(word.pattern == "cook" for word in arguments.operands[:1])
    return cooks or arguments.subcommand in DOWNLOADS


def profile_of(arguments: CargoArguments, kind: str) -> tuple[str | None, str]:
    """The profile's name and its directory: install builds for release, unless --debug is given. None, ``*``: not known."""
    named = arguments.flags.get("--profile")
    if named:
        name = named[-1].pattern
        if "*" in name:
            return None, "*"
        return name, {"dev": "debug", "test": "debug", "bench": "release"}.get(name, name)
    release = bool({"--release", "-r"} & arguments.switches)
    if kind == "install":
        release = not ({"--debug"} & arguments.switches)
    elif not release and not arguments.exact:
        return None, "*"
    return ("release", "release") if release else ("dev", "debug")

"""From a cargo command line to a `CargoCall`: target, outputs, linkage, symbols."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.cargo import BUILDS, CROSS, XX, ZIGBUILD, CargoArguments, profile_of
from dockerslim_lint.facts.crate.model import Asked, Crate
from dockerslim_lint.facts.model import (
    STRIPPED_ALL,
    STRIPPED_DEBUGINFO,
    STRIPPED_NO,
    UNKNOWN,
    CargoCall,
    Command,
    CommandWord,
    Stage,
    Target,
    Value,
)
from dockerslim_lint.facts.toolchain import environment_target, link_of, linkers, rust_flags, triple_of

LINKER_STRIPS = frozenset({"-s", "--strip-all"})
"""ld(1)."""

DEFAULT_CARGO_HOME = "/root/.cargo"


def crate_directory(command: Command, arguments: CargoArguments, kind: str) -> str | None:
    """The absolute directory whose Cargo.toml the call uses; None where a registry or git brings it, or nobody knows."""
    flags = arguments.flags
    directory = command.directory
    if "-C" in flags and directory is not None:
        directory = patterns.join(directory, flags["-C"][-1].pattern)
    if kind == "install":
        if "--path" not in flags:
            return directory if _installs_here(arguments) else None
        return patterns.join(directory, flags["--path"][-1].pattern) if directory is not None else None
    if "--manifest-path" in flags and directory is not None:
        return patterns.parent(patterns.join(directory, flags["--manifest-path"][-1].pattern))
    return directory


def read_call(
    command: Command,
    arguments: CargoArguments,
    stage: Stage,
    crate: Crate | None,
    workspace: str | None,
) -> CargoCall:
    """`workspace` is the absolute directory of the crate's workspace root, None if it is not known."""
    kind = BUILDS[arguments.subcommand]
    flags = arguments.flags
    profile, profile_directory = profile_of(arguments, kind)
    target = target_of(arguments, command.variables, stage, crate)
    directory = crate_directory(command, arguments, kind)
    target_directory, output = None, None
    if kind == "build":
        target_directory = target_directory_of(command, arguments, crate, workspace or directory)
        if target_directory is not None:
            triple = f"/{target.pattern or '*'}" if target.pattern != "" else ""
            output = f"{target_directory}{triple}/{profile_directory}"
    else:
        output = f"{_install_root(command, arguments, stage)}/bin"
    config = crate.config if crate is not None else None
    triple = triple_of(target, stage)
    flags_in_force = rust_flags(triple, command.variables, config)
    if flags_in_force is not None and arguments.driver == XX and "XX_RUSTFLAGS" in command.variables:
        added = command.variables["XX_RUSTFLAGS"].text
        flags_in_force = f"{flags_in_force} {added}".strip() if added is not None else None
    if arguments.subcommand == "rustc" and flags_in_force is not None:
        flags_in_force = " ".join((flags_in_force, *arguments.rest)).strip()
    own = _own_settings(arguments, profile)
    source = "context"
    if kind == "install" and "--path" not in flags and not _installs_here(arguments):
        source = "git" if "--git" in flags else "registry"
    return CargoCall(
        command,
        kind,
        source,
        arguments.toolchain,
        profile,
        profile_directory,
        target,
        _texts(arguments, "--bin"),
        _texts(arguments, "-p", "--package"),
        _texts(arguments, "--example"),
        target_directory,
        output,
        directory,
        link_of(target, stage, flags_in_force),
        # cross hands none of the environment's profile settings to its container
        UNKNOWN
        if arguments.driver == CROSS
        else _stripped(command.variables, profile, crate, flags_in_force or "", own),
        _debug(command.variables, profile, crate, flags_in_force or "", own or {}),
        end_of(command, arguments),
        flags_in_force,
        linkers(triple, command.variables, config, flags_in_force),
        _locked(arguments),
        features=features_of(arguments),
        open_profile=_open_profile(arguments),
        driver=arguments.driver,
        foreign_libc=arguments.driver == CROSS or arguments.subcommand == ZIGBUILD,
        own_strip=own is None or "strip" in own,
    )


def _installs_here(arguments: CargoArguments) -> bool:
    """Before Rust 2018 a bare ``cargo install`` built the package of the directory (cargo's changelog, 1.31)."""
    return not arguments.operands and "--git" not in arguments.flags and "--list" not in arguments.switches


def features_of(arguments: CargoArguments) -> tuple[str, ...]:
    """What ``--features`` and its relatives ask for, sorted."""
    asked = {name for text in _texts(arguments, "--features", "-F") for name in text.replace(",", " ").split()}
    return tuple(sorted(asked | (arguments.switches & {"--all-features", "--no-default-features"})))


def asked_of(arguments: CargoArguments) -> Asked:
    """The same, sorted by what it does."""
    names = features_of(arguments)
    plain = tuple(name for name in names if not name.startswith("--"))
    exact = arguments.exact and not arguments.optional and not any("*" in name for name in names)
    return Asked(plain, "--no-default-features" not in names, "--all-features" in names, exact)


def _locked(arguments: CargoArguments) -> bool | None:
    if {"--locked", "--frozen"} & arguments.switches:
        return True
    return False if arguments.exact and not arguments.optional else None


def _open_profile(arguments: CargoArguments) -> bool:
    if arguments.optional and not {"--release", "-r", "--profile"} & {*arguments.switches, *arguments.flags}:
        return True
    words = arguments.flags.get("--profile", ()) or arguments.operands
    return any(word.shell is not None and word.shell.literal is None for word in words)


def target_of(arguments: CargoArguments, variables: Mapping[str, Value], stage: Stage, crate: Crate | None) -> Target:
    """The target that a call builds for."""
    named = arguments.flags.get("--target")
    if arguments.driver == XX:
        return _target_of_xx(variables, stage)
    if named:
        pattern: str | None = named[0].pattern
        for word in named[1:]:
            pattern = patterns.merge(pattern, word.pattern)
        if not pattern or pattern == "*":
            pattern = None
        elif arguments.subcommand == ZIGBUILD:
            pattern = pattern.partition(".")[0]  # the glibc to link against: x86_64-unknown-linux-gnu.2.17
        machine, fixed = any(word.machine for word in named), len(named) == 1 and _is_spelt_out(named[0])
        native = all(word.native for word in named if word.machine)
        return Target(pattern, "flag", named[-1].span, machine, fixed, machine and native)
    from_environment = environment_target(variables)
    if from_environment is not None:
        return from_environment
    if crate is not None and crate.config.target:
        return Target(crate.config.target, "config", None, fixed=True)
    if not arguments.exact or arguments.driver == CROSS:
        return Target(None, "flag", None)
    if stage.image is not None and stage.image.default_target:
        return Target(stage.image.default_target, "image", None, fixed=stage.parent is None and not stage.variable)
    return Target("", "host", None)


def _is_spelt_out(word: CommandWord) -> bool:
    """Whether no variable is in a word, not even one with a default."""
    return word.json is not None or (word.shell is not None and word.shell.literal is not None)


def _target_of_xx(variables: Mapping[str, Value], stage: Stage) -> Target:
    """xx-cargo asks for the target platform's triple, of the libc that the builder has, unless XX_LIBC names another."""
    image, named = stage.image, variables.get("XX_LIBC")
    if image is None or not image.toolchain:
        return Target(None, "xx", None)
    libc = named.text if named is not None else {"musl": "musl", "glibc": "gnu"}.get(image.host_libc)
    return Target(f"*-unknown-linux-{libc}*" if libc in ("musl", "gnu") else None, "xx", None)


def target_directory_of(
    command: Command, arguments: CargoArguments, crate: Crate | None, workspace: str | None
) -> str | None:
    """Where cargo keeps what it builds, an absolute pattern; None where that is not known."""
    named = arguments.flags.get("--target-dir")
    text: str | None = None
    if named:
        text = named[-1].pattern
    elif "CARGO_TARGET_DIR" in command.variables:
        text = command.variables["CARGO_TARGET_DIR"].text or "*"
    elif "CARGO_BUILD_TARGET_DIR" in command.variables:
        text = command.variables["CARGO_BUILD_TARGET_DIR"].text or "*"
    if text is not None:
        return patterns.join(command.directory or "/*", text)
    if workspace is None:
        return None
    return patterns.join(
        workspace, crate.config.target_directory if crate and crate.config.target_directory else "target"
    )


def _install_root(command: Command, arguments: CargoArguments, stage: Stage) -> str:
    named = arguments.flags.get("--root")
    if named:
        return patterns.join(command.directory or "/*", named[-1].pattern)
    for name in ("CARGO_INSTALL_ROOT", "CARGO_HOME"):
        value = command.variables.get(name)
        if value is not None and value.text:
            return patterns.normalise(value.text)
    home = stage.image.cargo_home if stage.image is not None else ""
    return home or DEFAULT_CARGO_HOME


def _own_settings(arguments: CargoArguments, profile: str | None) -> Mapping[str, Any] | None:
    """What ``--config`` sets for the profile, over the environment and the manifest; None where that cannot be read.

    Source: cargo book, "Configuration", command-line overrides: ``KEY=VALUE`` in TOML syntax, or the path of a file.
    """
    found: dict[str, Any] = {}
    for text in _texts(arguments, "--config"):
        import tomllib

        from dockerslim_lint.facts.crate.manifest import table

        if "*" in text or "=" not in text:
            return None
        try:
            profiles = table(tomllib.loads(text), "profile")
        except tomllib.TOMLDecodeError:
            return None
        if profile not in ("release", "dev") and profiles.keys() - {profile}:
            return None  # it may inherit from one of those
        found.update(table(profiles, profile or ""))
    return found


def _stripped(
    variables: Mapping[str, Value], profile: str | None, crate: Crate | None, flags: str, own: Mapping[str, Any] | None
) -> str:
    by_flags = _stripped_by(flags)
    if by_flags == STRIPPED_ALL:
        return STRIPPED_ALL
    if profile is None or own is None:
        return UNKNOWN
    value = variables.get(f"CARGO_PROFILE_{profile.upper().replace('-', '_')}_STRIP")
    setting: object = None
    if "strip" in own:
        setting = own["strip"]
    elif value is not None:
        setting = value.text
    elif crate is None:
        return UNKNOWN
    else:
        setting = crate.profile(profile).get("strip")
    if by_flags and setting not in (True, "true", "symbols"):
        return by_flags
    if setting in (True, "true", "symbols"):
        return STRIPPED_ALL
    if setting == "debuginfo":
        return STRIPPED_DEBUGINFO
    return STRIPPED_NO


def _stripped_by(flags: str) -> str:
    """What rustc's flags strip: ``-C strip=…``, or the linker's ``-s``; "" for nothing said."""
    options = [
        option for word in flags.split() for option in word.removeprefix("-C").removeprefix("--codegen=").split(",")
    ]
    if (
        any(option in LINKER_STRIPS for option in flags.replace("=", " ").replace(",", " ").split())
        and "link-arg" in flags
    ):
        return STRIPPED_ALL
    if "strip=symbols" in options:
        return STRIPPED_ALL
    return STRIPPED_DEBUGINFO if "strip=debuginfo" in options else ""


def _debug(
    variables: Mapping[str, Value], profile: str | None, crate: Crate | None, flags: str, own: Mapping[str, Any]
) -> bool:
    """Whether somebody asked for debug information in a build that has none by itself."""
    if "-g" in flags.split() or "debuginfo=" in flags.replace("debuginfo=0", ""):
        return True
    if profile is None or profile == "dev":
        return False
    value = variables.get(f"CARGO_PROFILE_{profile.upper().replace('-', '_')}_DEBUG")
    setting: object = (
        value.text if value is not None else crate.profile(profile).get("debug") if crate is not None else None
    )
    setting = own.get("debug", setting)
    return setting not in (None, False, 0, "0", "none", "false", "")


def _texts(arguments: CargoArguments, *names: str) -> tuple[str, ...]:
    return tuple(word.pattern for name in names for word in arguments.flags.get(name, ()))


def end_of(command: Command, arguments: CargoArguments) -> int | None:
    """File offset behind the last argument, where further ones can be inserted; None where there is no such place."""
    word = command.words[arguments.last]
    return word.span.end if word.shell is not None and not command.nested else None

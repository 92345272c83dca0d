"""From a cargo command line to a `CargoCall`: target, outputs, linkage, symbols."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.cargo import BUILDS, CROSS, TARGET_DIRECTORY, XX, ZIGBUILD, CargoArguments, profile_of
from dockerslim_lint.facts.crate.config import CargoConfig, with_options
from dockerslim_lint.facts.crate.model import Asked, Crate, asked_by
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
from dockerslim_lint.facts.toolchain import each_rustflags, environment_target, link_of, linkers, rust_flags, triple_of

LINKER_STRIPS = frozenset({"-s", "--strip-all"})
"""ld(1)."""

EXAMPLES = frozenset({"--examples", "--all-targets"})
"""They make every example (cargo book, "cargo build")."""

BY_OPTION = "the --config of the call may set"

DEFAULT_CARGO_HOME = "/root/.cargo"


def crate_directory(command: Command, arguments: CargoArguments, kind: str) -> str | None:
    """The absolute directory whose Cargo.toml the call uses; None where a registry or git brings it, or nobody knows."""
    flags = arguments.flags
    directory = working_directory(command, arguments)
    if kind == "install":
        if "--path" not in flags:
            return directory if _installs_here(arguments) else None
        return patterns.join(directory, flags["--path"][-1].pattern) if directory is not None else None
    if "--manifest-path" in flags and directory is not None:
        return patterns.parent(patterns.join(directory, flags["--manifest-path"][-1].pattern))
    return directory


def working_directory(command: Command, arguments: CargoArguments) -> str | None:
    """The absolute directory in which cargo works; None where that is not known."""
    if "-C" in arguments.flags and command.directory is not None:
        return patterns.join(command.directory, arguments.flags["-C"][-1].pattern)
    return command.directory


def config_directory(command: Command, arguments: CargoArguments, kind: str) -> str | None:
    """The absolute directory from which cargo looks upwards for its configuration; None where it looks into its home alone.

    Source: cargo book, "Configuration", "Hierarchical structure", and "cargo install", "Configuration Discovery".
    """
    if kind == "install":
        return crate_directory(command, arguments, kind) if "--path" in arguments.flags else None
    return working_directory(command, arguments)


def read_call(
    command: Command,
    arguments: CargoArguments,
    stage: Stage,
    crate: Crate | None,
    workspace: str | None,
    config: CargoConfig | None = None,
) -> CargoCall:
    """`workspace` is the absolute directory of the crate's workspace root, None if it is not known. `config` as in `CargoCall`."""
    if config is None and crate is not None:
        config = crate.config
    kind = BUILDS[arguments.subcommand]
    flags = arguments.flags
    profile, profile_directory = profile_of(arguments, kind)
    target = target_of(arguments, command.variables, stage, config)
    directory = crate_directory(command, arguments, kind)
    target_directory, output = None, None
    if kind == "build":
        target_directory = target_directory_of(command, arguments, config, workspace or directory)
        if target_directory is not None:
            triple = f"/{target.pattern or '*'}" if target.pattern != "" else ""
            output = f"{target_directory}{triple}/{profile_directory}"
    else:
        output = f"{_install_root(command, arguments, stage)}/bin"
    triple = triple_of(target, stage)
    options = _options(arguments)
    variants = dict.fromkeys(
        None if options is None else _flags(arguments, triple, variables, with_options(config, options))
        for variables in each_rustflags(command.variables)
    )
    flags_in_force = next(iter(variants)) if len(variants) == 1 else None
    links = {_link(arguments, target, command.variables, stage, config, one) for one in variants}
    own = None if options is None else _own_settings(options, profile)
    settings = _Settings(command.variables, profile, crate, own, config)
    states = {_stripped(settings, one or "") for one in variants}
    stripped, kept = states.pop() if len(states) == 1 else (UNKNOWN, any(kept for _, kept in states))
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
        _examples(arguments, crate),
        target_directory,
        output,
        directory,
        links.pop() if len(links) == 1 else UNKNOWN,
        # cross hands none of the environment's profile settings to its container
        UNKNOWN if arguments.driver == CROSS else stripped,
        any(_debug(settings, one or "") for one in variants),
        end_of(command, arguments),
        flags_in_force,
        () if None in variants else tuple(one for one in variants if one is not None),
        tuple(dict.fromkeys(linker for one in variants for linker in linkers(triple, command.variables, config, one))),
        _locked(arguments),
        features=features_of(arguments),
        open_profile=_open_profile(arguments),
        driver=arguments.driver,
        foreign_libc=arguments.driver == CROSS or arguments.subcommand == ZIGBUILD,
        own_strip=settings.over("strip"),
        kept=kept,
        config=config,
    )


def _flags(
    arguments: CargoArguments, triple: str, variables: Mapping[str, Value], config: CargoConfig | None
) -> str | None:
    """The flags that reach rustc, None where they are not known."""
    found = rust_flags(triple, variables, config)
    if found is not None and arguments.driver == XX and "XX_RUSTFLAGS" in variables:
        added = variables["XX_RUSTFLAGS"].text
        found = f"{found} {added}".strip() if added is not None else None
    if arguments.subcommand == "rustc" and found is not None:
        found = " ".join((found, *arguments.rest)).strip()
    return found


def _link(
    arguments: CargoArguments,
    target: Target,
    variables: Mapping[str, Value],
    stage: Stage,
    config: CargoConfig | None,
    flags: str | None,
) -> str:
    """How the programs are linked; where a variable names one of several targets, what is true of each of them."""
    if target.pattern is not None or not arguments.targets:
        return link_of(target, stage, flags)
    without = target_of(arguments._replace(targets=()), variables, stage, config)
    found = {link_of(Target(name, "flag", None) if name else without, stage, flags) for name in arguments.targets}
    return found.pop() if len(found) == 1 else UNKNOWN


def _installs_here(arguments: CargoArguments) -> bool:
    """Before Rust 2018 a bare ``cargo install`` built the package of the directory (cargo's changelog, 1.31)."""
    return not arguments.operands and "--git" not in arguments.flags and "--list" not in arguments.switches


def features_of(arguments: CargoArguments) -> tuple[str, ...]:
    """What ``--features`` and its relatives ask for, sorted."""
    asked = {name for text in _texts(arguments, "--features", "-F") for name in text.replace(",", " ").split()}
    return tuple(sorted(asked | (arguments.switches & {"--all-features", "--no-default-features"})))


def _examples(arguments: CargoArguments, crate: Crate | None) -> tuple[str, ...]:
    named = _texts(arguments, "--example")
    every = crate.examples if crate is not None and EXAMPLES & arguments.switches else ()
    return tuple(dict.fromkeys((*named, *every)))


def asked_of(arguments: CargoArguments) -> Asked:
    """The same, sorted by what it does."""
    names = features_of(arguments)
    known = arguments.exact and not any("*" in name for name in names)
    examples = "--example" in arguments.flags or bool(EXAMPLES & arguments.switches)
    return asked_by(names, known and not arguments.optional, examples, known and arguments.optional)


def _locked(arguments: CargoArguments) -> bool | None:
    if {"--locked", "--frozen"} & arguments.switches:
        return True
    return False if arguments.exact and not arguments.optional else None


def _open_profile(arguments: CargoArguments) -> bool:
    if arguments.optional and not {"--release", "-r", "--profile"} & {*arguments.switches, *arguments.flags}:
        return True
    words = arguments.flags.get("--profile", ()) or arguments.operands
    return any(word.shell is not None and word.shell.literal is None for word in words)


def target_of(
    arguments: CargoArguments, variables: Mapping[str, Value], stage: Stage, config: CargoConfig | None
) -> Target:
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
    by_option = _target_by_option(arguments)
    if arguments.targets:
        return Target(None, "flag", None)
    if by_option is not None:
        return by_option
    from_environment = environment_target(variables)
    if from_environment is not None:
        return from_environment
    if config is not None and (config.target or config.open):
        certain = config.certain and not config.open
        return Target(config.target if certain else None, "config", None, fixed=certain)
    if not arguments.exact or arguments.driver == CROSS:
        return Target(None, "flag", None)
    if stage.image is not None and stage.image.default_target:
        return Target(stage.image.default_target, "image", None, fixed=stage.parent is None and not stage.variable)
    return Target("", "host", None)


def _target_by_option(arguments: CargoArguments) -> Target | None:
    """``--config 'build.target="…"'``, which counts before the environment; several targets are merged."""
    for word in reversed(arguments.flags.get("--config", ())):
        if "target" not in word.pattern:
            continue
        from dockerslim_lint.facts.crate.manifest import table

        named = table(_option(word.pattern) or {}, "build").get("target")
        texts = [text for text in (named if isinstance(named, list) else [named]) if isinstance(text, str)]
        if texts:
            pattern: str | None = texts[0]
            for text in texts[1:]:
                pattern = patterns.merge(pattern, text)
            pattern = pattern if pattern not in ("", "*") else None
            return Target(pattern, "option", word.span, word.machine, len(texts) == 1 and _is_spelt_out(word))
    return None


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
    command: Command, arguments: CargoArguments, config: CargoConfig | None, workspace: str | None
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
    configured = config.target_directory if config is not None else ""
    if workspace is None or (configured and config is not None and not config.certain):
        return None
    # of an open one it is not known either: who takes a program from the usual place knows that nothing changes it
    return patterns.join(workspace, configured or TARGET_DIRECTORY)


def _install_root(command: Command, arguments: CargoArguments, stage: Stage) -> str:
    named = arguments.flags.get("--root")
    if named:
        return patterns.join(command.directory or "/*", named[-1].pattern)
    value = command.variables.get("CARGO_INSTALL_ROOT")
    return patterns.normalise(value.text) if value is not None and value.text else cargo_home(command, stage)


def cargo_home(command: Command, stage: Stage) -> str:
    """cargo's own directory, a pattern."""
    value = command.variables.get("CARGO_HOME")
    if value is not None and value.text:
        return patterns.normalise(value.text)
    home = stage.image.cargo_home if stage.image is not None else ""
    return home or DEFAULT_CARGO_HOME


def _options(arguments: CargoArguments) -> list[dict[str, Any]] | None:
    """What each ``--config`` says; None where that cannot be read.

    Source: cargo book, "Configuration", command-line overrides: ``KEY=VALUE`` in TOML syntax, or the path of a file.
    """
    found = [None if "*" in text else _option(text) for text in _texts(arguments, "--config")]
    known = [one for one in found if one is not None]
    return known if len(known) == len(found) else None


def _option(text: str) -> dict[str, Any] | None:
    import tomllib

    try:
        return tomllib.loads(text) if "=" in text else None
    except tomllib.TOMLDecodeError:
        return None


def _own_settings(options: list[dict[str, Any]], profile: str | None) -> Mapping[str, Any] | None:
    """What ``--config`` sets for the profile, over the environment and the manifest; None where that cannot be read."""
    from dockerslim_lint.facts.crate.manifest import table

    found: dict[str, Any] = {}
    for option in options:
        profiles = table(option, "profile")
        if profile not in ("release", "dev") and profiles.keys() - {profile}:
            return None  # it may inherit from one of those
        settings = table(profiles, profile or "")
        found = {**found, **settings, "package": {**table(found, "package"), **table(settings, "package")}}
    return found


class _Settings:
    """The profile of a call: what ``--config`` (`own`; None: not known), the environment and the manifest set."""

    def __init__(
        self,
        variables: Mapping[str, Value],
        profile: str | None,
        crate: Crate | None,
        own: Mapping[str, Any] | None,
        config: CargoConfig | None,
    ) -> None:
        self.profile = profile
        self.own = own
        self._crate = crate
        self._config = config
        self._variables = variables

    @property
    def makers(self) -> tuple[str, ...]:
        """The packages that have the programs; of one that is not known the name is ""."""
        return (self._crate.makers if self._crate is not None else ()) or ("",)

    def of(self, name: str, package: str) -> object:
        """A setting as it counts for a package: UNKNOWN where that is not known, None where nobody has set it."""
        over = self._over(name, package)
        if over is not None:
            return over[1]
        if self.own is not None and name in self.own:
            return self.own[name]
        profile, crate = self.profile or "", self._crate
        for one in crate.lineage(profile) if crate is not None else (profile,):
            value = self._variables.get(f"CARGO_PROFILE_{one.upper().replace('-', '_')}_{name.upper()}")
            if value is not None:
                return UNKNOWN if value.text is None or "*" in value.text else value.text
            if crate is not None and name in (given := crate.own_settings(one)):
                return UNKNOWN if self._open else given[name]
        return UNKNOWN if crate is None or self._open else None

    @property
    def _open(self) -> bool:
        """Whether a configuration of which it is not known that it is in force sets profiles."""
        config = self._config
        return config is not None and (config.open or (not config.certain and bool(config.profiles)))

    def over(self, name: str) -> str:
        """What sets it over any variable, or may, as the start of a sentence; "" where nothing does."""
        if self.own is None or name in self.own:
            return BY_OPTION
        return next((over[0] for package in self.makers if (over := self._over(name, package)) is not None), "")

    def _over(self, name: str, package: str) -> tuple[str, object] | None:
        """What a table of the package sets: cargo takes it before anything that is set for the whole profile (tried: 1.95)."""
        if not package or self.profile is None:
            return None
        from dockerslim_lint.facts.crate.model import of_package

        given = of_package(self.own or {}, package)
        if name in given:
            return BY_OPTION, given[name]
        written = self._crate.profile(self.profile, package) if self._crate is not None else {}
        if name not in written:
            return None
        if self._open:
            return "cargo's configuration may set", UNKNOWN
        return f"[profile.{self.profile}.package.{package}] sets", written[name]


def _stripped(settings: _Settings, flags: str) -> tuple[str, bool]:
    """What cargo and rustc strip, and whether somebody wrote that the symbols are to stay."""
    by_flags = _stripped_by(flags)
    if by_flags in (STRIPPED_ALL, STRIPPED_NO):
        return by_flags, by_flags == STRIPPED_NO
    if settings.profile is None or settings.own is None:
        return UNKNOWN, False
    found = {_strip_of(settings.of("strip", package), by_flags) for package in settings.makers}
    # programs of several packages, each with its own setting
    return found.pop() if len(found) == 1 else (UNKNOWN, False)


def _strip_of(setting: object, by_flags: str) -> tuple[str, bool]:
    if setting == UNKNOWN:
        return UNKNOWN, False
    if setting in (True, "true", "symbols"):
        return STRIPPED_ALL, False
    kept = setting in (False, "false", "none", "debuginfo")
    if by_flags:
        return by_flags, kept
    return (STRIPPED_DEBUGINFO if setting == "debuginfo" else STRIPPED_NO), kept


def _stripped_by(flags: str) -> str:
    """What rustc's flags strip: ``-C strip=…``, of which the last counts, over the profile's too, or the linker's ``-s``; "" for nothing said."""
    options = [
        option for word in flags.split() for option in word.removeprefix("-C").removeprefix("--codegen=").split(",")
    ]
    if (
        any(option in LINKER_STRIPS for option in flags.replace("=", " ").replace(",", " ").split())
        and "link-arg" in flags
    ):
        return STRIPPED_ALL
    asked = [option.removeprefix("strip=") for option in options if option.startswith("strip=")]
    named = {"symbols": STRIPPED_ALL, "debuginfo": STRIPPED_DEBUGINFO, "none": STRIPPED_NO}
    return named.get(asked[-1], "") if asked else ""


def _debug(settings: _Settings, flags: str) -> bool:
    """Whether somebody asked for debug information in a build that has none by itself."""
    if "-g" in flags.split() or "debuginfo=" in flags.replace("debuginfo=0", ""):
        return True
    if settings.profile is None or settings.profile == "dev":
        return False
    asked = (settings.of("debug", package) for package in settings.makers)
    return any(one not in (None, UNKNOWN, False, 0, "0", "none", "false", "") for one in asked)


def _texts(arguments: CargoArguments, *names: str) -> tuple[str, ...]:
    return tuple(word.pattern for name in names for word in arguments.flags.get(name, ()))


def end_of(command: Command, arguments: CargoArguments) -> int | None:
    """File offset behind the last argument, where further ones can be inserted; None where there is no such place."""
    word = command.words[arguments.last]
    return word.span.end if word.shell is not None and not command.nested else None

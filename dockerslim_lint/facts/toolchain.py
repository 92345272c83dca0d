"""Which target a cargo call builds for, and what that makes of its programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dockerslim_lint.catalog import platforms
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.crate.config import CargoConfig
from dockerslim_lint.facts.model import (
    GNU_DYNAMIC,
    GNU_STATIC,
    MUSL_DYNAMIC,
    MUSL_STATIC,
    UNKNOWN,
    Command,
    Linker,
    Stage,
    Target,
    Value,
)


def installed_by(command: Command) -> tuple[str, ...]:
    """The targets that ``rustup target add`` installs, as patterns; () for any other command."""
    words = command.words
    if command.name != "rustup" or len(words) < 3:
        return ()
    texts = [word.pattern for word in words[1:]]
    if texts[0].startswith("+"):
        texts = texts[1:]
    if texts[:2] not in (["target", "add"], ["target", "install"]):
        return ()
    return tuple(text for text in texts[2:] if not text.startswith("-"))


def environment_target(variables: Mapping[str, Value]) -> Target | None:
    """CARGO_BUILD_TARGET, wherever it was set."""
    value = variables.get("CARGO_BUILD_TARGET")
    if value is None or value.text == "":
        return None
    return Target(value.text, "env", value.origin, value.machine, native=value.native)


def host_libc(stage: Stage) -> str:
    """The libc of the toolchain's host triple: glibc, musl or unknown."""
    image = stage.image
    if stage.host_libc:
        return stage.host_libc
    if image is not None and not image.toolchain and image.libc == "glibc":
        return "glibc"  # rustup on a glibc distribution installs the gnu host
    return image.host_libc if image is not None and image.toolchain else "unknown"


def link_of(target: Target, stage: Stage, flags: str | None) -> str:
    """How programs for `target` are linked, `flags` being the rustc flags in force (None: unknown).

    The defaults of ``crt-static`` come from the catalogue of platforms.
    """
    if flags is None:
        return UNKNOWN
    forced = crt_static(flags)
    with_glibc = GNU_STATIC if forced else UNKNOWN if _linker_is_told(flags) else GNU_DYNAMIC
    if target.pattern == "":
        libc = host_libc(stage)
        if libc == "glibc":
            return with_glibc
        if libc == "musl":
            return MUSL_DYNAMIC if forced is False else MUSL_STATIC
        return UNKNOWN
    if target.pattern is None:
        return UNKNOWN
    tail = target.pattern.rsplit("-", 1)[-1]
    if tail.startswith("gnu"):
        return with_glibc
    if not tail.startswith("musl"):
        return UNKNOWN
    if forced is not None:
        return MUSL_STATIC if forced else MUSL_DYNAMIC
    platform = platforms.by_target(target.pattern) if "*" not in target.pattern else None
    if platform is not None and not platform.crt_static:
        return MUSL_DYNAMIC
    return MUSL_STATIC


def crt_static(flags: str) -> bool | None:
    """What the flags say of a static C library; None if nothing."""
    on, off = flags.rfind("+crt-static"), flags.rfind("-crt-static")
    if on < 0 and off < 0:
        return None
    return on > off


def _linker_is_told(flags: str) -> bool:
    """Whether the linker is asked for a static program behind rustc's back, which with glibc may do or not."""
    return any(word.rpartition("=")[2] in ("-static", "-static-pie") for word in flags.split())


def triple_of(target: Target, stage: Stage) -> str:
    """The triple of `target` as a pattern, the host's too."""
    if target.pattern == "":
        return {"glibc": "*-linux-gnu*", "musl": "*-linux-musl*"}.get(host_libc(stage), "*")
    return target.pattern or "*"


def rust_flags(triple: str, variables: Mapping[str, Value], config: CargoConfig | None) -> str | None:
    """The flags that reach rustc for programs of `triple` (a pattern), as one text; None where a value is not known.

    Sources exclude each other: RUSTFLAGS, else those of the target, else those of the build (cargo book, "build.rustflags").
    """
    for name in ("CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS"):
        if name in variables and variables[name].text != "":
            return _known(variables[name])
    found: list[str | None] = []
    for name in sorted(variables):
        if _concerns(triple, _between(name, "_RUSTFLAGS")):
            found.append(_known(variables[name]))
    for table, flags in config.target_flags if config is not None else ():
        # which cfg() holds is not worked out: flags that change nothing here are taken as they are
        if table.startswith("cfg(") or _concerns(triple, _variable(table)):
            found.append(flags if config is not None and config.certain else None)
    if config is not None and config.open:
        found.append(None)
    if not found:
        if "CARGO_BUILD_RUSTFLAGS" in variables:
            found.append(_known(variables["CARGO_BUILD_RUSTFLAGS"]))
        if config is not None:
            found.append(config.rustflags if config.certain or not config.rustflags else None)
    return None if None in found else " ".join(text for text in found if text)


def each_rustflags(variables: Mapping[str, Value]) -> Sequence[Mapping[str, Value]]:
    """The variables, once for each value of RUSTFLAGS where it has one of several."""
    value = variables.get("RUSTFLAGS")
    if value is None or not value.one_of:
        return (variables,)
    return [{**variables, "RUSTFLAGS": Value(text, value.origin)} for text in value.one_of]


def linkers(
    triple: str, variables: Mapping[str, Value], config: CargoConfig | None, flags: str | None
) -> tuple[Linker, ...]:
    """The linkers that are set for `triple` (a pattern): by a flag, else by variables and cargo's configuration."""
    rest = (flags or "").replace("+crt-static", "")
    plain = flags is not None and not any(word in rest for word in ("static", "pie", "self-contained"))
    words = rest.replace("-C ", "-C").split()
    by_flag = [word.partition("=")[2] for word in words if word.startswith("-Clinker=")]
    if by_flag:
        where = variables["RUSTFLAGS"].origin if "RUSTFLAGS" in variables else None
        return (Linker(triple, patterns.basename(by_flag[-1]), where, plain),)
    found = {
        _variable(table): Linker(table, patterns.basename(program), None, plain)
        for table, program in (config.linkers if config is not None else ())
        if _concerns(triple, _variable(table))
    }
    for name, value in variables.items():
        own = _between(name, "_LINKER")
        if _concerns(triple, own):
            rows = platforms.platforms()
            full = next((known for row in rows for known in (row.musl, row.gnu) if _variable(known) == own), "")
            found[own] = Linker(full, patterns.basename(value.text or "*"), value.origin, plain)
    return tuple(found.values())


def _variable(triple: str) -> str:
    """How cargo writes a triple in the name of a variable."""
    return triple.upper().replace("-", "_").replace(".", "_")


def _between(name: str, end: str) -> str:
    """The triple in ``CARGO_TARGET_<triple>_LINKER``, "" for any other variable."""
    start = "CARGO_TARGET_"
    return name[len(start) : -len(end)] if name.startswith(start) and name.endswith(end) else ""


def _concerns(triple: str, variable: str) -> bool:
    """Whether a setting for one triple is, or may be, about `triple`."""
    return bool(variable) and patterns.same(_variable(triple), variable)


def _known(value: Value) -> str | None:
    text = value.text
    return None if text is None or text.startswith("*") else text.replace("\x1f", " ")


def is_installed(target: str, installed: tuple[str, ...]) -> bool:
    """Whether one of the installed patterns can be `target`."""
    return any(patterns.same(target, known) for known in installed)

"""Which target a cargo call builds for, and what that makes of its programs."""

from __future__ import annotations

from collections.abc import Mapping

from dockerslim_lint.catalog import platforms
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.model import (
    GNU_DYNAMIC,
    GNU_STATIC,
    MUSL_DYNAMIC,
    MUSL_STATIC,
    UNKNOWN,
    Command,
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
    return Target(value.text, "env", value.origin)


def link_of(target: Target, stage: Stage, flags: str | None) -> str:
    """How programs for `target` are linked, `flags` being the rustc flags in force (None: unknown).

    The defaults of ``crt-static`` come from the catalogue of platforms.
    """
    if flags is None:
        return UNKNOWN
    forced = _crt_static(flags)
    if target.pattern == "":
        image = stage.image
        libc = image.host_libc if image is not None and image.toolchain else "unknown"
        if image is not None and not image.toolchain and image.libc == "glibc":
            libc = "glibc"  # rustup on a glibc distribution installs the gnu host
        if libc == "glibc":
            return GNU_STATIC if forced else GNU_DYNAMIC
        if libc == "musl":
            return MUSL_DYNAMIC if forced is False else MUSL_STATIC
        return UNKNOWN
    if target.pattern is None:
        return UNKNOWN
    tail = target.pattern.rsplit("-", 1)[-1]
    if tail.startswith("gnu"):
        return GNU_STATIC if forced else GNU_DYNAMIC
    if not tail.startswith("musl"):
        return UNKNOWN
    if forced is not None:
        return MUSL_STATIC if forced else MUSL_DYNAMIC
    platform = platforms.by_target(target.pattern) if "*" not in target.pattern else None
    if platform is not None and not platform.crt_static:
        return MUSL_DYNAMIC
    return MUSL_STATIC


def _crt_static(flags: str) -> bool | None:
    on, off = flags.rfind("+crt-static"), flags.rfind("-crt-static")
    if on < 0 and off < 0:
        return None
    return on > off


def rust_flags(variables: Mapping[str, Value]) -> str | None:
    """RUSTFLAGS and its relatives as one text; None where a value is not known."""
    found = []
    for name in sorted(variables):
        if name == "RUSTFLAGS" or name == "CARGO_BUILD_RUSTFLAGS" or name.endswith("_RUSTFLAGS"):  # XX_RUSTFLAGS too
            text = variables[name].text
            if text is None or text.startswith("*"):
                return None
            found.append(text)
    return " ".join(found)


def is_installed(target: str, installed: tuple[str, ...]) -> bool:
    """Whether one of the installed patterns can be `target`."""
    return any(patterns.same(target, known) for known in installed)

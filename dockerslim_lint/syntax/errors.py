"""What BuildKit refuses in a single instruction: the table of ``frontend/dockerfile/instructions/parse.go``."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from dockerslim_lint.syntax.heredocs import is_heredoc
from dockerslim_lint.syntax.mounts import device_error, mount_error, mount_syntax_error
from dockerslim_lint.syntax.words import quoted

_STAGE_NAME = re.compile(r"[a-z][a-z0-9\-_.]*\Z")
_NUMBER = r"([0-9]*)(\.[0-9]*)?([^.0-9]*)"
_NANOSECONDS = {"ns": 1, "us": 1e3, "µs": 1e3, "μs": 1e3, "ms": 1e6, "s": 1e9, "m": 60e9, "h": 3600e9}
_INTERVALS = ("interval", "timeout", "start-period", "start-interval")

# Flags of each instruction: "s" takes one value, "m" may be repeated, "b" is a boolean.
_FLAGS: dict[str, dict[str, str]] = {
    "ADD": {
        "chown": "s",
        "chmod": "s",
        "link": "b",
        "keep-git-dir": "b",
        "checksum": "s",
        "unpack": "b",
        "exclude": "m",
    },
    "COPY": {"chown": "s", "from": "s", "chmod": "s", "link": "b", "exclude": "m", "parents": "b"},
    "FROM": {"platform": "s"},
    "HEALTHCHECK": {**dict.fromkeys(_INTERVALS, "s"), "retries": "s"},
    "RUN": {"mount": "m", "network": "s", "security": "s", "device": "m"},
}
# ARG and STOPSIGNAL never look at their flags.
_FLAGS_UNREAD = frozenset(("ARG", "STOPSIGNAL"))
_ONE_ARGUMENT = frozenset(("MAINTAINER", "WORKDIR", "USER", "STOPSIGNAL"))
_SOME_ARGUMENTS = frozenset(("ENV", "LABEL", "ARG", "EXPOSE", "VOLUME", "HEALTHCHECK", "ONBUILD", "SHELL"))


def refusal(keyword: str, flags: Sequence[str], args: Sequence[str], json: bool) -> str | None:
    """BuildKit's words against an instruction that its parser could split, else None.

    `flags` are the flags as written (quotes removed); `args` what BuildKit's parser made of the rest: names only for
    ENV and LABEL, the type first for HEALTHCHECK, the trigger's keyword first for ONBUILD.
    """
    # The order of the checks is BuildKit's: the first one that fails is the message.
    if keyword in ("ENV", "LABEL", "SHELL"):
        return _flag_error(keyword, flags) or _argument_error(keyword, args, json)
    return _argument_error(keyword, args, json) or _value_error(keyword, flags, args)


def _argument_error(keyword: str, args: Sequence[str], json: bool) -> str | None:
    if keyword in _ONE_ARGUMENT and len(args) != 1:
        return f"{keyword} requires exactly one argument"
    if keyword in _SOME_ARGUMENTS and not args:
        return f"{keyword} requires at least one argument"
    if keyword in ("ENV", "LABEL") and "" in args:
        return f"{keyword} names can not be blank"
    if keyword == "ARG" and any(arg.startswith("=") for arg in args):
        return "ARG names can not be blank"
    if keyword == "SHELL" and not json:
        return "SHELL requires the arguments to be in JSON form"
    if keyword in ("ADD", "COPY") and len(args) < 2:
        return (
            f"{keyword} requires at least two arguments, but only one was provided. Destination could not be determined"
        )
    if keyword == "FROM":
        return _from_error(args)
    return None


def _value_error(keyword: str, flags: Sequence[str], args: Sequence[str]) -> str | None:
    if keyword == "HEALTHCHECK":
        return _healthcheck_error(flags, args)
    error = _flag_error(keyword, flags)
    if error is not None:
        return error
    if keyword in ("ADD", "COPY") and is_heredoc(args[-1]):
        return f"{keyword} cannot accept a heredoc as a destination"
    if keyword == "ONBUILD":
        return _trigger_error(args[0].upper())
    if keyword == "VOLUME" and any(not arg.strip() for arg in args):
        return "VOLUME specified can not be an empty string"
    if keyword == "RUN":
        return _run_error(flags)
    return None


def _from_error(args: Sequence[str]) -> str | None:
    if len(args) == 3 and args[1].lower() == "as":
        if not _STAGE_NAME.match(args[2].lower()):
            return f"invalid name for build stage: {quoted(args[2])}, name can't start with a number or contain symbols"
        return None
    return None if len(args) == 1 else "FROM requires either one or three arguments"


def _trigger_error(trigger: str) -> str | None:
    if trigger == "ONBUILD":
        return "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"
    if trigger in ("MAINTAINER", "FROM"):
        return f"{trigger} isn't allowed as an ONBUILD trigger"
    return None


def _flag_error(keyword: str, flags: Sequence[str]) -> str | None:
    if not flags or keyword in _FLAGS_UNREAD:
        return None
    known = _FLAGS.get(keyword, {})
    seen = set()
    for text in flags:
        flag, equals, value = text.partition("=")
        kind = known.get(flag[2:])
        if kind is None:
            return f"unknown flag: {flag}"
        if flag in seen and kind != "m":
            return f"duplicate flag specified: {flag}"
        seen.add(flag)
        if kind == "b":
            if equals and not value:
                return f"missing a value on flag: {flag}"
            if value.lower() not in ("", "true", "false"):
                return f"expecting boolean value for flag {flag}, not: {value}"
        elif not equals:
            return f"missing a value on flag: {flag}"
    return None


def _flag_values(flags: Sequence[str], name: str) -> list[str]:
    return [flag.partition("=")[2] for flag in flags if flag.startswith(f"--{name}=")]


def _run_error(flags: Sequence[str]) -> str | None:
    for name, check in _RUN_CHECKS:
        for value in _flag_values(flags, name):
            error = check(value)
            if error is not None:
                return error
    return None


def _network_error(value: str) -> str | None:
    return None if value in ("default", "none", "host") else f"invalid network mode {quoted(value)}"


def _security_error(value: str) -> str | None:
    return None if value in ("insecure", "sandbox") else f"security {quoted(value)} is not valid"


# BuildKit looks at mounts twice: before variables are replaced, and after.
_RUN_CHECKS: tuple[tuple[str, Callable[[str], str | None]], ...] = (
    ("device", device_error),
    ("mount", mount_syntax_error),
    ("network", _network_error),
    ("security", _security_error),
    ("mount", mount_error),
)


def _healthcheck_error(flags: Sequence[str], args: Sequence[str]) -> str | None:
    kind = args[0].upper()
    if kind == "NONE":
        return "HEALTHCHECK NONE takes no arguments" if len(args) > 1 else None
    error = _flag_error("HEALTHCHECK", flags)
    if error is not None:
        return error
    if kind != "CMD":
        return f"Unknown type {quoted(kind)} in HEALTHCHECK (try CMD)"
    if len(args) == 1:
        return "Missing command after HEALTHCHECK CMD"
    for name in _INTERVALS:
        for value in _flag_values(flags, name):
            error = _interval_error(name, value)
            if error is not None:
                return error
    for value in _flag_values(flags, "retries"):
        if value and not re.fullmatch(r"[-+]?[0-9]+", value):
            return f"strconv.ParseInt: parsing {quoted(value)}: invalid syntax"
        if value and not -(2**31) <= int(value[:12]) < 2**31:
            return f"strconv.ParseInt: parsing {quoted(value)}: value out of range"
        if value and int(value) < 0:
            return f"--retries cannot be negative ({int(value)})"
    return None


def _interval_error(name: str, value: str) -> str | None:
    if value in ("", "0", "+0", "-0"):
        return None
    # Go's time.ParseDuration: numbers, each with its unit.
    nanoseconds = 0.0
    at = 1 if value[0] in "+-" else 0
    while True:
        match = re.compile(_NUMBER).match(value, at)
        whole, fraction, unit = match.groups("") if match else ("", "", "")
        if not whole and len(fraction) < 2:
            return f"time: invalid duration {quoted(value)}"
        if not unit:
            return f"time: missing unit in duration {quoted(value)}"
        if unit not in _NANOSECONDS:
            return f"time: unknown unit {quoted(unit)} in duration {quoted(value)}"
        nanoseconds += float(f"{whole or 0}{fraction}") * _NANOSECONDS[unit]
        at += len(whole) + len(fraction) + len(unit)
        if nanoseconds >= 2**63:
            return f"time: invalid duration {quoted(value)}"
        if at == len(value):
            break
    if int(nanoseconds) and (value[0] == "-" or nanoseconds < 1e6):
        return f'Interval "{name}" cannot be less than 1ms'
    return None

"""``cargo chef cook`` gets the flags of the build that it warms."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.edit import Edit
from dockerslim_lint.facts.cargo import cargo_arguments
from dockerslim_lint.facts.model import TARGET_INSTALLED, CargoCall, ImageBuild, Warmup
from dockerslim_lint.facts.reused import fingerprinted, other_place
from dockerslim_lint.facts.warmups import ahead_of, same_target
from dockerslim_lint.plan.blocks.lines import PLAIN
from dockerslim_lint.plan.blocks.strip import set_before
from dockerslim_lint.plan.model import Draft, NotPossible

SHELL_ONLY = frozenset("$`\\\n")
"""What makes a text depend on where it stands."""

WHAT = frozenset({"-p", "--package", "--workspace", "--all", "--exclude", "--bin", "--bins"})
"""Flags that choose what is built (cargo-chef, "cook --help"; `-p` since 0.1.16)."""

SWITCHES = ("--all-features", "--no-default-features")


def cook_like_build(build: ImageBuild, cook: Warmup, at: int) -> Draft:
    """What is missing is added; what is there and should not be cannot be taken away. Raises NotPossible."""
    call = build.calls[at]
    line = build.source.line_of(cook.command.span.start)
    if cook.kind != "cook":
        earlier = next(
            (number for number, one in enumerate(build.calls) if one.command.span == cook.command.span), None
        )
        if any(use.call == earlier for use in build.uses):
            raise NotPossible("the steps after the build of the placeholder would look in the wrong place")
        raise NotPossible("whether the placeholder or the program is built as you meant, only you know")
    for number, other in enumerate(build.calls):
        warmed = any(one.command.span == cook.command.span for one in ahead_of(build, number))
        if warmed and _asked(other) != _asked(call):
            also = build.source.line_of(other.command.span.start)
            raise NotPossible(f"cook in line {line} also warms the build in line {also}, which has other flags")
    if cook.end is None:
        raise NotPossible(f"the arguments of cook in line {line} cannot be told from the shell's")
    if other_place(build, cook, call):
        raise NotPossible(f"cook in line {line} works in another directory, and which is meant, only you know")
    text = _profile(cook, call, line) + _target(build, cook, at, line) + _features(cook, call, line)
    return Draft((*_settings(build, cook, call), Edit(cook.end, cook.end, text)))


def _asked(call: CargoCall) -> tuple[object, ...]:
    settings = fingerprinted(call.profile or "", call.command.variables)
    return call.profile, call.target.pattern, call.features, call.packages, settings


def _settings(build: ImageBuild, cook: Warmup, call: CargoCall) -> Iterator[Edit]:
    """What stands before the build for its profile or rustc: cargo counts it in a dependency's fingerprint. Raises NotPossible."""
    line = build.source.line_of(cook.command.span.start)
    ours, theirs = (fingerprinted(call.profile or "", one.variables) for one in (cook.command, call.command))
    for name in sorted({*ours, *theirs}):
        if ours.get(name) == theirs.get(name):
            continue
        if name in ours:
            raise NotPossible(f"cook in line {line} has another {name}, and which is meant, only you know")
        place = call.command.variables[name].origin
        text = build.source.text(place)
        own = build.instructions[call.command.instruction].span
        if not own.start <= place.start < own.end:
            raise NotPossible(f"{name} is set between cook in line {line} and the build")
        readable = text.startswith(f"{name}=") and not set(text) & SHELL_ONLY
        if not readable or call.command.nested or cook.command.nested or not cook.command.shell_form:
            raise NotPossible(f"{name} of the build may be another text where cook runs (line {line})")
        yield set_before(build, cook.command, text)


def _profile(cook: Warmup, call: CargoCall, line: int) -> str:
    if cook.profile == call.profile:
        return ""
    if cook.profile != "dev" or call.profile is None:
        raise NotPossible(f"cook in line {line} asks for another profile, and which is meant, only you know")
    return " --release" if call.profile == "release" else f" --profile {call.profile}"


def _target(build: ImageBuild, cook: Warmup, at: int, line: int) -> str:
    call = build.calls[at]
    if same_target(cook.target, call.target):
        return ""
    if cook.target.pattern != "" or call.target.origin != "flag" or call.target.span is None:
        raise NotPossible(f"cook in line {line} builds for another target, and which is meant, only you know")
    text = build.source.text(call.target.span)
    if "$" in text.replace("$(uname -m)", "") or text.startswith("-") or len(text.split("\n")) > 1:
        raise NotPossible(f"the target of the build, {text}, may have no value where cook runs (line {line})")
    known = build.toolchains[at]
    there = known.target == TARGET_INSTALLED
    if not there or (known.added is not None and known.added.span.start > cook.command.span.start):
        raise NotPossible(f"the target of the build is not installed where cook runs (line {line})")
    return f" --target {text}"


def _features(cook: Warmup, call: CargoCall, line: int) -> str:
    if set(cook.features) - set(call.features):
        raise NotPossible(f"cook in line {line} asks for more features than the build")
    missing = [name for name in call.features if name not in cook.features]
    switches = "".join(f" {name}" for name in missing if name in SWITCHES)
    names = ",".join(name for name in missing if name not in SWITCHES)
    package = f" -p {call.packages[0]}" if missing and _lacks_package(cook, call) else ""
    return package + switches + (f" --features {names}" if names else "")


def _lacks_package(cook: Warmup, call: CargoCall) -> bool:
    """Whether the build is of one package and cook of all, whose features add up to others than the package has alone."""
    arguments = cargo_arguments(cook.command)
    chosen = arguments is None or not arguments.exact or WHAT & {*arguments.flags, *arguments.switches}
    return not chosen and len(call.packages) == 1 and not set(call.packages[0]) - PLAIN

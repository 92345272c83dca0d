"""Programs are copied out of a cache mount in the RUN that builds them, and what asks for them later gets the copy."""

from __future__ import annotations

from dockerslim_lint.edit import ConfigChange, Edit
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.model import Absent, CargoCall, ImageBuild
from dockerslim_lint.plan.blocks.lines import PLAIN, check_lands, start_at
from dockerslim_lint.plan.model import Draft, NotPossible
from dockerslim_lint.source import Span

DIRECTORY = "/usr/local/bin"
"""Where the copy goes: the images that bring a toolchain have it, and nothing is mounted there."""


def copy_lost(build: ImageBuild, call: int) -> Draft:
    """For all that is lost of one call. Raises NotPossible."""
    lost = [one for one in build.lost if one.call == call]
    edits = [copy_programs(build, call, tuple(dict.fromkeys(one.path for one in lost)))]
    changes = []
    for one in lost:
        new = f"{DIRECTORY}/{patterns.basename(one.path)}"
        edit, change = _start(build, one.span, one.path, new) or (replaced(build, one.span, new), None)
        edits.append(edit)
        changes += [change] if change is not None else []
    return Draft(tuple(edits), tuple(changes))


def copy_from_place(build: ImageBuild, found: Absent) -> Draft:
    """The COPY takes the program from where cargo puts it. Raises NotPossible."""
    name = patterns.basename(found.path)
    if found.why:
        raise NotPossible(f"whether {name} is to be made, or is not meant, only you know")
    if found.made and patterns.dashless(patterns.basename(found.place)) != patterns.dashless(name):
        raise NotPossible(f"cargo makes no {name}, and which program is meant, only you know")
    if set(found.place) - PLAIN:
        raise NotPossible(f"the path {found.place} would have to be quoted")
    return Draft((replaced(build, found.span, found.place),))


def copy_programs(build: ImageBuild, at: int, paths: tuple[str, ...]) -> Edit:
    """`` && cp … /usr/local/bin/`` behind the call. Raises NotPossible."""
    call = build.calls[at]
    command = call.command
    line = build.source.line_of(command.span.start)
    if call.end is None or not command.shell_form or not command.certain:
        raise NotPossible(f"another command cannot be put behind the call in line {line}")
    joined = _joined(build, command.instruction, call.end)
    if not joined:
        raise NotPossible(f"the call in line {line} is one part of a larger command")
    image = build.stages[command.stage].image
    if image is None or DIRECTORY not in image.directories:
        raise NotPossible(f"whether the builder (line {line}) has {DIRECTORY} is not known")
    words = [_word(build, call, path) for path in paths]
    to = f"{DIRECTORY}/{patterns.basename(paths[0])}" if len(paths) == 1 else f"{DIRECTORY}/"
    return Edit(call.end, call.end, f"{joined} cp {' '.join(words)} {to}")


def _word(build: ImageBuild, call: CargoCall, path: str) -> str:
    """The path of a program as the step's shell takes it. Raises NotPossible."""
    name = patterns.basename(path)
    if not patterns.same(patterns.parent(path), call.output or "") or set(name) - PLAIN:
        raise NotPossible(f"{path} is more than one program, and what of it is needed is not known")
    target = call.target.pattern or ""
    if "*" in target and call.target.origin == "flag" and call.target.span is not None:
        # a pattern may fit what another platform's build left in the mount: the target as the call has it
        target = build.source.text(call.target.span).partition("--target=")[2] or build.source.text(call.target.span)
        if "$" in target.replace("$(uname -m)", ""):
            target = "*"
    parts = (call.target_directory or "*", target, call.profile_directory, name)
    word = "/".join(part for part in parts if part)
    if call.kind != "build" or set(word.replace('"$(uname -m)"', "").replace("$(uname -m)", "")) - PLAIN:
        raise NotPossible(f"the program's path ({path}) is only known when it is built")
    return word.removeprefix(f"{call.command.directory}/")


def replaced(build: ImageBuild, span: Span, new: str) -> Edit:
    """Another path for a word. Raises NotPossible where a variable stands in it."""
    text = build.source.text(span)
    check_lands(build, span)
    if "$" in text or "\n" in text:
        line = build.source.line_of(span.start)
        raise NotPossible(f"the path {text} in line {line} is put together from variables")
    quote = text[0] if text[:1] in ("'", '"') else ""
    return Edit(span.start, span.end, f"{quote}{new}{quote}")


def _start(build: ImageBuild, span: Span, path: str, new: str) -> tuple[Edit, ConfigChange] | None:
    """The edit where `span` is the body of an ENTRYPOINT or CMD, None where it is a word."""
    for instruction in build.instructions:
        if instruction.keyword in ("ENTRYPOINT", "CMD") and instruction.body_span == span:
            name = patterns.basename(path)
            strings = [one for one in instruction.json or () if patterns.basename(one.text) == name and "/" in one.text]
            if len(strings) != 1:
                raise NotPossible(f"what {instruction.keyword} starts cannot be told from its other words")
            return start_at(build, instruction, strings[0], new, "the program was in a cache mount, and now is a file")
    return None


def _joined(build: ImageBuild, instruction: int, end: int) -> str:
    """How a command is put behind the one that ends at `end`; "" where that one is followed by anything but a separator.

    Under ``set -e`` a shell goes on after ``a && b; c`` although a failed (POSIX, "set"): there it is ``;``.
    """
    data = build.source.data
    last = build.instructions[instruction].span.end
    escape = build.dockerfile.escape.encode()
    at = end if data[end:last].strip() else last
    while at < last:
        byte = data[at : at + 1]
        if byte == escape and data[at + 1 : last].lstrip(b" \t\r").startswith(b"\n"):
            at = data.index(b"\n", at) + 1
        elif byte in (b" ", b"\t", b"\r"):
            at += 1
        else:
            alone = byte in (b"\n", b";") and not data.startswith(b";;", at)
            return ";" if alone else " &&" if data.startswith(b"&&", at) else ""
    return " &&"

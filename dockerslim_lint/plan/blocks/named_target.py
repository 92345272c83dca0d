"""A file that names its glibc targets itself, in a ``case`` or word for word: they become the musl targets of the same machines."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockerslim_lint.catalog import platforms
from dockerslim_lint.edit import Edit
from dockerslim_lint.facts.model import CargoCall
from dockerslim_lint.facts.stages import feeding
from dockerslim_lint.facts.toolchain import is_installed
from dockerslim_lint.plan.blocks.lines import block_start, cased, insert_line
from dockerslim_lint.plan.blocks.retarget import check_configuration
from dockerslim_lint.plan.blocks.target import first_commands
from dockerslim_lint.plan.model import Draft, NotPossible, Task
from dockerslim_lint.syntax.tree import Expansion, Instruction

GNU = re.compile(rb"(?<=unknown)([-_])(linux)([-_])gnu(?![_x])|(?<=UNKNOWN)_LINUX_GNU(?!X)")
"""The part in which the targets differ, also as cargo and cc write it in names of variables. All rows of the catalogue do."""


def swap_targets(task: Task) -> Draft:
    """``gnu`` becomes ``musl`` wherever a stage of these images names a target. Raises NotPossible."""
    build = task.build
    for at in task.calls:
        _check_call(task, build.calls[at])
    if len(task.images) != len(build.images):
        raise NotPossible("the file names its targets itself, for other images too")
    edits = list(_edits(task))
    if not edits:
        raise NotPossible("the file puts the name of its target together")
    for first in first_commands(task):
        call = next(build.calls[at] for at in task.calls if build.calls[at].command.stage == first.stage)
        wanted = call.target.pattern or ""
        if is_installed(wanted, build.targets[first.stage]):
            continue
        if "*" in wanted:
            raise NotPossible("no step installs the targets that the file names")
        instruction = build.instructions[first.instruction]
        text = cased(build, instruction, f"RUN rustup target add {wanted.replace('-gnu', '-musl')}")
        edits.append(insert_line(build, block_start(build, instruction), text))
    return Draft(tuple(edits))


def _check_call(task: Task, call: CargoCall) -> None:
    build = task.build
    line = build.source.line_of(call.command.span.start)
    stage = build.stages[call.command.stage]
    if call.driver != "cargo" or call.foreign_libc:
        raise NotPossible(f"the call in line {line} has {call.target.pattern} linked by a tool of its own")
    if call.target.origin not in ("flag", "option", "env"):
        raise NotPossible(f"the call in line {line} gets {call.target.pattern} from elsewhere")
    if call.target.machine and stage.cross:
        raise NotPossible(f"the target of the call in line {line} is the building machine's")
    if stage.image is None:
        raise NotPossible(f"nothing is known of the image of the builder of the call in line {line}")
    if not stage.image.toolchain:
        raise NotPossible(f"the builder of the call in line {line} has no toolchain of its own")
    if task.compiler:
        raise NotPossible("the crates bring C code, and the file names its targets and their compilers itself")
    if any(call.possible_flags):
        raise NotPossible(f"rustc gets flags of its own for {call.target.pattern} (line {line})")
    check_configuration(call, line, named=True)


def passed_arguments(task: Task) -> list[str]:
    """The build arguments whose default is one of the targets that change: who passes another keeps what he passes."""
    return list(
        dict.fromkeys(
            pair.key.literal or ""
            for instruction in _instructions(task)
            if instruction.keyword == "ARG"
            for pair in instruction.pairs
            if pair.value is not None and GNU.search((pair.value.literal or "").encode("utf-8", "surrogateescape"))
        )
    )


def _instructions(task: Task) -> Iterator[Instruction]:
    """Those of the images' stages, and the ARG before the first FROM that no FROM uses."""
    build = task.build
    first = min((stage.instruction for stage in build.stages), default=0)
    bases = {
        piece.name
        for stage in build.stages
        if stage.word is not None
        for piece in stage.word.pieces
        if isinstance(piece, Expansion)
    }
    for instruction in build.instructions[:first]:
        if bases.isdisjoint(pair.key.literal for pair in instruction.pairs):
            yield instruction
    for number in sorted(feeding(build.stages, (image.stage for image in task.images))):
        yield from (build.instructions[index] for index in build.stages[number].instructions)


def _edits(task: Task) -> Iterator[Edit]:
    data = task.build.source.data
    named = b""
    for instruction in _instructions(task):
        span = instruction.span
        at = span.start
        for line in data[span.start : span.end].splitlines(keepends=True):
            if not line.lstrip().startswith(b"#"):
                named += line
                for found in GNU.finditer(line):
                    end = at + found.end()
                    upper = found.group().endswith(b"GNU")
                    yield Edit(end - 3, end, "MUSL" if upper else "musl")
            at += len(line)
    text = named.decode("utf-8", "surrogateescape").lower().replace("_", "-")
    for row in platforms.platforms():
        if row.gnu.replace("_", "-") in text and not (row.std and row.crt_static):
            why = "is not static by itself" if row.std else "is no target of rustup's"
            raise NotPossible(f"{row.gnu} is named too, and {row.musl} {why}")

"""The program itself instead of ``cargo run`` as what the container starts."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence

from dockerslim_lint.edit import ConfigChange, Edit
from dockerslim_lint.facts.at_start import RUNS, run_at
from dockerslim_lint.facts.model import CargoAtStart, ImageBuild
from dockerslim_lint.plan.blocks.builder_steps import release_build
from dockerslim_lint.plan.blocks.exec_form import plain_words
from dockerslim_lint.plan.blocks.lines import block_start, cased, comments_within, insert_line
from dockerslim_lint.plan.model import Draft, NotPossible
from dockerslim_lint.syntax.shell import parse_shell, shell_form
from dockerslim_lint.syntax.tree import Instruction

CHANGES_FILES = frozenset({"RUN", "COPY", "ADD", "ENV", "ARG", "WORKDIR", "USER", "SHELL", "VOLUME"})
"""What would come after a step that compiles where the command stands, and may be for it."""


def start_program(build: ImageBuild, found: CargoAtStart) -> Draft:
    """A RUN compiles what ``cargo run`` would, for release, where none has; CMD or ENTRYPOINT names what it makes. Raises NotPossible."""
    if found.server or found.script or found.subcommand not in RUNS:
        raise NotPossible("what the program needs beside it, only you know")
    if found.program is None:
        raise NotPossible("which program cargo would start is not known")
    instruction = build.instructions[found.instruction]
    flags, arguments = _parts(_words(instruction), build, instruction)
    made = found.same if found.same is not None else found.other
    wanted = "release" if found.profile == "dev" else found.profile
    edits: tuple[Edit, ...] = ()
    if made is None:
        placeholders = [warmup.command for warmup in build.warmups]
        if any(
            call.command.stage == len(build.stages) - 1 and call.command not in placeholders for call in build.calls
        ):
            raise NotPossible("a step compiles another program, or where the image does not keep it")
        edits = (_compile(build, found, flags),)
    elif build.calls[made].profile != wanted:
        if build.calls[made].profile != "dev" or wanted != "release":
            raise NotPossible("a step compiles it otherwise, and which is meant, only you know")
        edits = release_build(build, made).edits
    if comments_within(build, instruction):
        raise NotPossible(f"there are comments between the lines of {instruction.keyword}")
    old = instruction.body.data.decode("utf-8", "surrogateescape")
    written = json.dumps([found.program, *arguments], ensure_ascii=False)
    change = ConfigChange(instruction.keyword.capitalize(), old, written, "a step compiles it")
    return Draft((*edits, Edit(*instruction.body_span, written)), (change,))


def _words(instruction: Instruction) -> list[str]:
    if instruction.json is not None:
        return [string.text for string in instruction.json]
    text = shell_form(instruction)
    words = plain_words(parse_shell(text)) if text is not None else None
    if not words:
        raise NotPossible(f"what a shell would make of the words of {instruction.keyword} is not certain")
    return words


def _parts(words: Sequence[str], build: ImageBuild, instruction: Instruction) -> tuple[list[str], list[str]]:
    """The words between ``run`` and ``--``, and those behind it, which the program gets."""
    run = run_at(words)
    if run is None:
        raise NotPossible(f"{instruction.keyword} does more than to call cargo run")
    end = words.index("--") if "--" in words else len(words)
    both = {"ENTRYPOINT", "CMD"} <= {build.instructions[at].keyword for at in build.stages[-1].instructions}
    if both and (end == len(words) or instruction.keyword != "ENTRYPOINT" or instruction.json is None):
        raise NotPossible("ENTRYPOINT and CMD make the call together")
    return [*words[1:run], *words[run + 1 : end]], list(words[end + 1 :])


def _compile(build: ImageBuild, found: CargoAtStart, flags: Sequence[str]) -> Edit:
    instruction = build.instructions[found.instruction]
    later = (build.instructions[at] for at in build.stages[-1].instructions if at > found.instruction)
    if any(one.keyword in CHANGES_FILES for one in later):
        raise NotPossible(f"steps follow {instruction.keyword}, and may be for what is to be compiled")
    toolchain = [word for word in flags if word.startswith("+")]
    plain = [word for word in flags if not word.startswith("+")]
    words = ["cargo", *toolchain, "build", *(["--release"] if found.profile == "dev" else []), *plain]
    return insert_line(build, block_start(build, instruction), cased(build, instruction, f"RUN {shlex.join(words)}"))

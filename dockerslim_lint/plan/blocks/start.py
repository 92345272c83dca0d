"""ENTRYPOINT and CMD name what is there."""

from __future__ import annotations

from dockerslim_lint.edit import ConfigChange, Edit
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.model import FinalImage, GoneVariable, ImageBuild, Started
from dockerslim_lint.plan.blocks.lines import PLAIN, cased, insert_line, start_at
from dockerslim_lint.plan.model import Draft, NotPossible


def start_where_it_is(build: ImageBuild, image: FinalImage, started: Started) -> Draft:
    """The program's own path; or a slash behind a COPY that made a file of a directory's name. Raises NotPossible."""
    if len(started.elsewhere) != 1:
        raise NotPossible("which program is meant, only you know")
    path = started.elsewhere[0]
    instruction = build.instructions[started.instruction]
    string = next((one for one in instruction.json or () if one.span == started.span), None)
    if string is None or set(path) - PLAIN or set(started.name) - PLAIN:
        raise NotPossible(f"{instruction.keyword} is not in exec form, or a variable stands in it")
    name = patterns.basename(started.name)
    if patterns.basename(path) == name:
        edit, change = start_at(build, instruction, string, path, "nothing is at the path that was written")
        return Draft((edit,), (change,))
    if started.respelt:
        new = started.name[: -len(name)] + patterns.basename(path)
        edit, change = start_at(build, instruction, string, new, "cargo makes the program by this name")
        return Draft((edit,), (change,))
    if "/" not in started.name:
        for transfer in image.transfers:
            word = transfer.destination_word
            if transfer.destination == path and word is not None and word.literal is not None:
                return Draft((Edit(word.span.end, word.span.end, "/"),))
    raise NotPossible(f"the program is there by another name, {path}")


def keep_argument(build: ImageBuild, found: GoneVariable) -> Draft:
    """``ENV NAME=$NAME`` below the ARG, which the image keeps. Raises NotPossible."""
    name = found.variable
    if found.exec_form or not found.program:
        raise NotPossible(f"what {name} is to be when the container starts, only you know")
    stage = next(stage for stage in build.stages if found.instruction in stage.instructions)
    declared = [
        build.instructions[index]
        for index in stage.instructions
        if build.instructions[index].keyword == "ARG"
        and any(pair.key.literal == name for pair in build.instructions[index].pairs)
    ]
    if not declared or found.argument is None:
        raise NotPossible(f"the stage of the image has no ARG {name} with a value")
    line = cased(build, declared[-1], f"ENV {name}=${name}")
    change = ConfigChange(f"Env:{name}", "", f"${name}", "the command names it, and an ARG is gone by then")
    return Draft((insert_line(build, declared[-1].span.end, line),), (change,))

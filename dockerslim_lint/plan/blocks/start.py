"""ENTRYPOINT and CMD name what is there."""

from __future__ import annotations

from dockerslim_lint.edit import Edit
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.model import FinalImage, ImageBuild, Started
from dockerslim_lint.plan.blocks.lines import PLAIN, start_at
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
    if "/" not in started.name:
        for transfer in image.transfers:
            word = transfer.destination_word
            if transfer.destination == path and word is not None and word.literal is not None:
                return Draft((Edit(word.span.end, word.span.end, "/"),))
    raise NotPossible(f"the program is there by another name, {path}")

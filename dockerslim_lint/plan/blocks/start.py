"""ENTRYPOINT, CMD and HEALTHCHECK name what is there, in a form that needs no shell."""

from __future__ import annotations

import json

from dockerslim_lint.edit import ConfigChange, Edit
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.model import FinalImage, ImageBuild, ShellUse, Started
from dockerslim_lint.plan.blocks.lines import PLAIN, start_at
from dockerslim_lint.plan.model import Draft, NotPossible

WORDS = PLAIN | frozenset(":=,@%+ ")
"""What a shell hands on as it is."""

UNHEALTHY = "|| exit 1"
"""Docker takes any code but 0 for unhealthy (Dockerfile reference, HEALTHCHECK)."""

FIELDS = {"ENTRYPOINT": "Entrypoint", "CMD": "Cmd", "HEALTHCHECK": "Healthcheck"}


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


def exec_form(build: ImageBuild, image: FinalImage, use: ShellUse) -> Draft:
    """The words as a JSON array, where a shell would change nothing of them. Raises NotPossible."""
    instruction = build.instructions[use.instruction]
    if use.role == "run":
        raise NotPossible("what the step makes has to be made in the builder")
    text = instruction.body.data.decode("utf-8", "surrogateescape")
    start, end = instruction.body_span
    health = instruction.keyword == "HEALTHCHECK"
    if health:
        kept = len(text) - len(text[len("CMD") :].lstrip())
        start, text = start + kept, text[kept:].strip()
    if not instruction.body.contiguous(0, len(instruction.body.data)):
        raise NotPossible(f"{instruction.keyword} is written over several lines")
    old = text
    if health:
        text = text.removesuffix(UNHEALTHY).strip()
    words = text.removeprefix("exec ").split()
    if not words or set(text) - WORDS:
        raise NotPossible(f"what a shell would make of `{old}` is not certain")
    if instruction.keyword == "ENTRYPOINT" and image.launch.cmd is not None:
        raise NotPossible("CMD, which a shell never sees, would become its arguments")
    programs = [path for path, _ in image.artifacts]
    first = words[0]
    if first not in programs and ("/" in first or first not in map(patterns.basename, programs)):
        raise NotPossible(f"{first} is none of the programs of the image")
    new = json.dumps(words)
    field = FIELDS[instruction.keyword]
    prefix = "CMD " if health else ""
    reason = "there is no shell that could run it"
    return Draft((Edit(start, end, new),), (ConfigChange(field, prefix + old, prefix + new, reason),))

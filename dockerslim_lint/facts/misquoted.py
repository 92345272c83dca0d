"""Exec forms that are no JSON, which Docker hands to a shell as they stand. Loaded where a command begins with a bracket."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from dockerslim_lint.facts.model import FinalImage, Misquoted, Stage
from dockerslim_lint.facts.stages import chain_of, feeding
from dockerslim_lint.syntax.tree import Instruction, LogicalText

_QUOTED = r"'[^'\"\\]*'|“[^”\"\\]*”|‘[^’\"\\]*’|\"(?:[^\"\\]|\\.)*\""
_ITEM = rf"{_QUOTED}|[\w./:=@%+-]+"
_LIST = re.compile(rf"\[\s*(?:{_ITEM})(?:\s*,\s*(?:{_ITEM}))*\s*,?\s*\]")
_ALL_QUOTED = re.compile(rf"\[\s*(?:{_QUOTED})(?:\s*,\s*(?:{_QUOTED}))*\s*,?\s*\]")


def misquoted(
    candidates: Mapping[int, LogicalText],
    instructions: Sequence[Instruction],
    stages: Sequence[Stage],
    images: Sequence[FinalImage],
) -> Iterator[Misquoted]:
    """Those of `candidates` (commands in shell form, by instruction) that matter to one of the images, in file order.

    Nothing for a stage with a SHELL of its own, which may take such a text for something else.
    """
    roles: dict[int, str] = {}
    for image in images:
        roles.update(_launched(image, candidates, instructions))
        if image.healthcheck is not None:
            roles.setdefault(image.healthcheck, "health")
    for number in feeding(stages, (image.stage for image in images)):
        for index in stages[number].instructions:
            if instructions[index].keyword == "RUN":
                roles[index] = "run"
    for index, text in sorted(candidates.items()):
        stage = next((stage for stage in stages if index in stage.instructions), None)
        if index not in roles or stage is None or _own_shell(stage, stages, instructions):
            continue
        raw = text.data.decode("utf-8", "surrogateescape").strip()
        if _is_meant(raw, roles[index]):
            yield Misquoted(index, roles[index], text.span(0, len(text.data)), _items(raw), text)


def _launched(
    image: FinalImage, candidates: Mapping[int, LogicalText], instructions: Sequence[Instruction]
) -> Iterator[tuple[int, str]]:
    """What starts with the image, and what it is to be for: ENTRYPOINT in shell form leaves no use for CMD."""
    entrypoint, cmd = image.launch.entrypoint, image.launch.cmd
    if entrypoint is not None and entrypoint in candidates:
        yield entrypoint, "launch"
    elif entrypoint is not None and instructions[entrypoint].json is None:
        return
    if cmd is not None:
        yield cmd, "launch" if entrypoint is None and image.launch.shell_form else "arguments"


def _own_shell(stage: Stage, stages: Sequence[Stage], instructions: Sequence[Instruction]) -> bool:
    chain = chain_of(stage, stages)
    return any(instructions[index].keyword == "SHELL" for number in chain for index in stages[number].instructions)


def _is_meant(text: str, role: str) -> bool:
    """Whether no shell can make sense of it: ``[x`` is the name of no program, and ``[ 'x', 'y' ]`` no test."""
    if not text[1:2].isspace():
        return text[1:2] not in ("", "[")
    return _ALL_QUOTED.fullmatch(text) is not None and ("," in text or role == "launch")


def _items(text: str) -> tuple[str, ...] | None:
    """The strings that are meant; None where that is not certain."""
    if not _LIST.fullmatch(text):
        return None
    found = []
    for item in re.findall(_ITEM, text[1:-1]):
        if item[0] == '"':
            try:
                found.append(str(json.loads(item)))
            except ValueError:
                return None
        else:
            found.append(item[1:-1] if item[0] in "'“‘" else item)
    return tuple(found)

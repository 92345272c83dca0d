"""The final stage's base image, and the destinations that only the old base's directories explained."""

from __future__ import annotations

from dockerslim_lint.edit import Edit
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.model import FinalImage, ImageBuild
from dockerslim_lint.plan.model import Choice, Draft, NotPossible


def replace_base(build: ImageBuild, image: FinalImage, choice: Choice) -> Draft:
    """The reference in FROM. Raises NotPossible."""
    stage = build.stages[image.stage]
    line = build.source.line_of(build.instructions[stage.instruction].span.start)
    if stage.parent is not None:
        name = build.stages[stage.parent].name or str(stage.parent)
        raise NotPossible(f"the final stage (line {line}) is built on the stage {name}")
    if stage.variable:
        raise NotPossible(f"the final base (line {line}) comes from the variable {stage.variable}")
    if stage.word is None:
        raise NotPossible(f"the FROM in line {line} cannot be read")
    return Draft((Edit(stage.word.span.start, stage.word.span.end, choice.base.reference),))


def full_destinations(build: ImageBuild, image: FinalImage, choice: Choice) -> Draft:
    """``COPY x /usr/local/bin`` makes a *file* of that name where the base has no such directory: write the whole path."""
    edits = []
    for transfer in image.transfers:
        if not transfer.directory_by_base or choice.base.has_directory(transfer.destination):
            continue
        word = transfer.destination_word
        if word is None or len(transfer.sources) != 1:
            continue
        name = patterns.basename(transfer.sources[0])
        quote = build.source.data[word.span.end - 1 : word.span.end] in (b'"', b"'")
        end = word.span.end - 1 if quote else word.span.end
        tail = "/" if "*" in name or _is_tree(transfer.sources[0]) else f"/{name}"
        edits.append(Edit(end, end, tail))
    return Draft(tuple(edits))


def _is_tree(source: str) -> bool:
    return source in (".", "/") or source.endswith("/")

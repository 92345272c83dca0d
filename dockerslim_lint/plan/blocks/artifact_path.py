"""Words that name the old output directory get the segment of the target."""

from __future__ import annotations

from collections.abc import Sequence

from dockerslim_lint.edit import Edit
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.model import FinalImage, ImageBuild, OutputUse
from dockerslim_lint.facts.stages import chain_of
from dockerslim_lint.plan.blocks.lines import check_lands
from dockerslim_lint.plan.blocks.target_map import triple, wildcard
from dockerslim_lint.plan.model import Draft, NotPossible, Task
from dockerslim_lint.source import Span


def move_paths(task: Task) -> Draft:
    """One insertion for each word, whatever the command. Raises NotPossible."""
    build = task.build
    moved = {
        at
        for at in task.calls
        if build.calls[at].kind == "build" and build.stages[build.calls[at].command.stage].image is not None
    }
    edits = {}
    for use in build.uses:
        if use.call in moved and use.own:
            edit = _edit(task, use)
            edits[edit.start] = edit
    _check_texts(task, moved)
    for image in task.images:
        _check_folders(task, image, moved)
    return Draft(tuple(edits.values()))


def _check_texts(task: Task, moved: set[int]) -> None:
    """What stands in a script within the script, behind ``<``, in the middle of a word, still leads to the old place."""
    build = task.build
    first: dict[tuple[int, bytes], int] = {}
    for at in sorted(moved):
        call = build.calls[at]
        if call.target_directory is not None and call.output is not None:
            tail = f"{patterns.basename(call.target_directory)}/{patterns.basename(call.output)}/".encode()
            first.setdefault((call.command.stage, tail), call.command.span.end)
    known: dict[int, list[Span]] = {}
    for use in build.uses:
        known.setdefault(use.instruction, []).append(use.span)
    for (number, tail), end in first.items():
        for stage in build.stages if tail in build.source.data[end:] else ():
            if number not in chain_of(stage, build.stages):
                continue
            for index in stage.instructions:
                instruction = build.instructions[index]
                if instruction.keyword == "RUN" and instruction.span.end > end:
                    place = Span(max(instruction.span.start, end), instruction.span.end)
                    _check_text(build, tail, place, known.get(index, ()))


def _check_text(build: ImageBuild, tail: bytes, within: Span, known: Sequence[Span]) -> None:
    """`known` are the words in which it is moved."""
    at = build.source.data.find(tail, *within)
    while at >= 0:
        line = build.source.line_of(at)
        comment = build.source.line_text(line).lstrip().startswith("#")
        if not comment and not any(span.start <= at < span.end for span in known):
            raise NotPossible(f"line {line} names {tail.decode()} in a text that cannot be moved")
        at = build.source.data.find(tail, at + 1, within.end)


def _check_folders(task: Task, image: FinalImage, moved: set[int]) -> None:
    """A folder above the output directory that is shipped whole would hold the program at another path."""
    build = task.build
    outputs = dict.fromkeys(output for at in sorted(moved) if (output := build.calls[at].output) is not None)
    for transfer in image.transfers:
        for source in transfer.sources if transfer.origin_stage is not None else ():
            for output in outputs:
                inside = patterns.below(output, patterns.join("/", source))
                if not inside:
                    continue
                place = patterns.join(transfer.destination, inside)
                if any(patterns.below(path, place) for path, _ in image.artifacts):
                    line = build.source.line_of(build.instructions[transfer.instruction].span.start)
                    raise NotPossible(f"line {line} ships {source} whole, in which the program would have another path")


def _edit(task: Task, use: OutputUse) -> Edit:
    source = task.build.source
    line = source.line_of(use.span.start)
    if use.form in ("workdir", "mount"):
        raise NotPossible(f"line {line} leads into the output directory, and takes no pattern")
    check_lands(task.build, use.span)
    if use.profile_at is None:
        raise NotPossible(f"the path {source.text(use.span)} in line {line} is put together from variables")
    if use.form == "copy":
        if task.build.contents.brings_musl_outputs:
            raise NotPossible("the build context holds target/*-linux-musl, and .dockerignore does not leave it out")
        return Edit(use.profile_at, use.profile_at, f"{wildcard(task)}/")
    if use.form == "json" or use.quote == "'":
        raise NotPossible(f"the path in line {line} is not expanded by a shell")
    text = triple(task).replace('"', "") if use.quote else triple(task)
    return Edit(use.profile_at, use.profile_at, f"{text}/")

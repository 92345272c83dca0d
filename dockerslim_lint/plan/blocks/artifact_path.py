"""Words that name the old output directory get the segment of the target."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dockerslim_lint.catalog import commands as known_commands
from dockerslim_lint.edit import Edit
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.model import Command, FinalImage, ImageBuild, OutputUse
from dockerslim_lint.facts.stages import chain_of
from dockerslim_lint.facts.transfers import MOVERS
from dockerslim_lint.plan.blocks.lines import check_lands
from dockerslim_lint.plan.blocks.target_map import triple, wildcard
from dockerslim_lint.plan.model import Draft, NotPossible, Task
from dockerslim_lint.source import Span


def move_paths(task: Task) -> Draft:
    """One insertion for each word, whatever the command. Raises NotPossible."""
    build = task.build
    moved = _moved(task)
    edits = {}
    for use in build.uses:
        if use.call in moved and use.own:
            edit = _edit(task, use)
            edits[edit.start] = edit
    _check_texts(task, moved)
    _check_branches(build, moved)
    tails = [tail.rstrip(b"/") for _, tail in _first(build, moved)]
    for command, text in _steps_after(task):
        if any(tail in text for tail in tails):
            line = build.source.line_of(command.span.start)
            raise NotPossible(f"what `{command.title}` in line {line} runs looks for the programs at their old place")
    for image in task.images:
        _check_folders(task, image, moved)
    return Draft(tuple(edits.values()))


def steps_not_read(task: Task) -> Iterator[str]:
    """What steps after the build cost that nobody can read: they may look for the programs."""
    for command, text in _steps_after(task) if task.retarget else ():
        if not text:
            line = task.build.source.line_of(command.span.start)
            yield f"fails if `{command.title}` (line {line}) looks for the programs at their old place"


def _moved(task: Task) -> set[int]:
    """The calls whose output directory gets another name."""
    build = task.build
    return {
        at
        for at in task.calls
        if build.calls[at].kind == "build" and build.stages[build.calls[at].command.stage].image is not None
    }


def _first(build: ImageBuild, moved: set[int]) -> dict[tuple[int, bytes], int]:
    """The end of the output directories of `moved`, with the stage in which they are, and where the first call that fills them ends."""
    first: dict[tuple[int, bytes], int] = {}
    for at in sorted(moved):
        call = build.calls[at]
        if call.target_directory is not None and call.output is not None:
            tail = f"{patterns.basename(call.target_directory)}/{patterns.basename(call.output)}/".encode()
            first.setdefault((call.command.stage, tail), call.command.span.end)
    return first


def _steps_after(task: Task) -> Iterator[tuple[Command, bytes]]:
    """What builds behind the calls, in their stages or on top of them: build tools and scripts, with their texts as far as known."""
    build = task.build
    texts = {one.command.span: one.text.encode() or build.contents.text(one.place) for one in build.scripts}
    ends: dict[int, int] = {}
    for (number, _), end in _first(build, _moved(task)).items():
        ends[number] = min(end, ends.get(number, end))
    own = {use.span.start for use in build.uses}
    for command in build.commands if ends else ():
        behind = [at for number in chain_of(build.stages[command.stage], build.stages) if (at := ends.get(number))]
        if not behind or command.span.start < min(behind) or not command.words:
            continue
        text = texts.get(command.span, b"")
        program = command.words[0]
        if text or (known_commands.may_build(program.pattern) and program.span.start not in own):
            yield command, text


def _check_texts(task: Task, moved: set[int]) -> None:
    """What stands in a script within the script, behind ``<``, in the middle of a word, still leads to the old place."""
    build = task.build
    first = _first(build, moved)
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


def _check_branches(build: ImageBuild, moved: set[int]) -> None:
    """What a condition copies for another profile than the default one, of a call that takes its profile from a variable, would move too."""
    known = {use.span.start for use in build.uses}
    for at in sorted(moved):
        call = build.calls[at]
        if not call.open_profile or call.target_directory is None:
            continue
        for command in build.commands:
            if command.certain or known_commands.canonical(command.name) not in MOVERS:
                continue
            if call.command.stage not in chain_of(build.stages[command.stage], build.stages):
                continue
            for word in command.words[1:]:
                path = patterns.join(command.directory or "/*", word.pattern)
                inside = patterns.below(path, call.target_directory)
                if inside and word.span.start not in known and "-linux-" not in inside:
                    line = build.source.line_of(word.span.start)
                    raise NotPossible(
                        f"line {line} copies what another profile makes, from a path that is not moved along"
                    )


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

"""The final stage's base image, and the destinations that only the old base's directories explained."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dockerslim_lint.edit import Edit
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.model import FinalImage, ImageBuild, Stage
from dockerslim_lint.plan.blocks.final_steps import why_needed
from dockerslim_lint.plan.blocks.lines import insert_line
from dockerslim_lint.plan.chains import carried, own_chain, shared_base
from dockerslim_lint.plan.model import Choice, Draft, NotPossible
from dockerslim_lint.source import Span
from dockerslim_lint.syntax.expand import variables
from dockerslim_lint.syntax.tree import Expansion, Pair


def replace_base(build: ImageBuild, image: FinalImage, choice: Choice) -> Draft:
    """The reference in FROM: the stage's own, or that of the stage below that only images are built on. Raises NotPossible."""
    stage = build.stages[own_chain(build, image)[0]]
    line = build.source.line_of(build.instructions[stage.instruction].span.start)
    if stage.word is None or stage.image is None:
        raise NotPossible(f"nothing is known of the final base (line {line})")
    if stage.parent is not None:
        return _leave(build, image, choice, stage)
    place = _only_default(build, stage) if stage.variable else None
    start, end = place or stage.word.span
    return Draft((Edit(start, end, choice.base.reference),))


def _leave(build: ImageBuild, image: FinalImage, choice: Choice, stage: Stage) -> Draft:
    """The base goes on without the image: what the image took from it is nothing, or is repeated."""
    assert stage.word is not None
    shared = shared_base(build, image)
    for command in image.commands:
        reason = why_needed(command, choice.base) if command.stage in shared else ""
        if reason:
            line = build.source.line_of(command.span.start)
            name = build.stages[command.stage].name or str(command.stage)
            raise NotPossible(
                f"the final stage is built on the stage {name}, as a builder is, and {reason} (line {line})"
            )
    first = build.instructions[stage.instruction]
    edits = [Edit(*stage.word.span, choice.base.reference)]
    lines = [build.source.text(build.instructions[at].span).rstrip("\r\n") for at in carried(build, image)]
    if lines:
        text = "\n".join(lines).replace("\r\n", "\n")
        edits.append(insert_line(build, first.span.end, text))
    return Draft(tuple(edits))


def _only_default(build: ImageBuild, stage: Stage) -> Span | None:
    """The default of the ARG that this FROM, and nothing else, takes its whole reference from; None where it is not so."""
    assert stage.word is not None
    piece = stage.word.pieces[0]
    whole = len(stage.word.pieces) == 1 and isinstance(piece, Expansion) and not piece.operator
    default = next((pair.value for pair in reversed(_defaults(build, stage.variable))), None)
    if not whole or default is None or default.literal != stage.reference:
        return None
    if _used(build, stage.variable, frozenset({stage.instruction}), frozenset()):
        return None
    return Span(default.pieces[0].span.start, default.pieces[-1].span.end)


def unfollowed(build: ImageBuild, edits: Iterable[Edit]) -> Iterator[str]:
    """What is to be said of each ARG from which a FROM took its base, where the edits write another base in its place."""
    places = {(edit.start, edit.end) for edit in edits}
    words = {stage.instruction: stage.word for stage in build.stages if stage.word and stage.word.span in places}
    pending = [name for word in words.values() for name in sorted(variables(word))]
    told: dict[str, bool] = {}
    while pending:
        name = pending.pop(0)
        pairs = _defaults(build, name)
        if not pairs or name in told:
            continue
        unused = frozenset(one for one, used in told.items() if not used)
        told[name] = _used(build, name, frozenset(words), unused)
        line = build.source.line_of(pairs[-1].span.start)
        yield f"ARG {name} (line {line}) no longer chooses the base{'' if told[name] else ', and nothing else uses it'}"
        if not told[name]:
            pending += [inner for pair in pairs if pair.value for inner in sorted(variables(pair.value))]


def _defaults(build: ImageBuild, variable: str) -> list[Pair]:
    """The declarations of an ARG above the first FROM."""
    first = build.stages[0].instruction
    above = [instruction for instruction in build.instructions[:first] if instruction.keyword == "ARG"]
    return [pair for instruction in above for pair in instruction.pairs if pair.key.literal == variable]


def _used(build: ImageBuild, variable: str, replaced: frozenset[int], unused: frozenset[str]) -> bool:
    """Whether anything reads an ARG but the references in the FROMs `replaced` and the defaults of the ARGs `unused`."""
    for index, instruction in enumerate(build.instructions):
        words = []
        if instruction.keyword == "FROM":
            words = [flag.value for flag in instruction.flags if flag.value]
            words += instruction.words if index not in replaced else ()
        for pair in instruction.pairs if instruction.keyword == "ARG" else ():
            if pair.key.literal == variable and index > build.stages[0].instruction:
                return True  # a stage asks for it too
            if pair.value and pair.key.literal not in unused:
                words.append(pair.value)
        if any(variable in variables(word) for word in words):
            return True
    return False


def full_destinations(build: ImageBuild, image: FinalImage, choice: Choice) -> Draft:
    """``COPY x /usr/local/bin`` makes a *file* of that name where the base has no such directory.

    A program's whole path is written, and a final slash for all else: it is right for a file, for a directory, of which
    a COPY takes what is in it, and for an archive that ADD unpacks.
    """
    edits = []
    programs = {path for path, _ in image.artifacts}
    for transfer in image.transfers:
        if not transfer.directory_by_base or choice.base.has_directory(transfer.destination):
            continue
        word = transfer.destination_word
        if word is None or len(transfer.sources) > 1:
            continue
        name = patterns.basename(transfer.sources[0]) if transfer.sources else ""
        quote = build.source.data[word.span.end - 1 : word.span.end] in (b'"', b"'")
        end = word.span.end - 1 if quote else word.span.end
        # a name from a variable is another one with another build argument
        spelt = bool(name) and build.instructions[transfer.instruction].words[0].literal is not None
        program = spelt and patterns.join(transfer.destination, name) in programs
        edits.append(Edit(end, end, f"/{name}" if program else "/"))
    return Draft(tuple(edits))

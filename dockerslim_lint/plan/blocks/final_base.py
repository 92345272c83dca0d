"""The final stage's base image, and the destinations that only the old base's directories explained."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dockerslim_lint.catalog import images
from dockerslim_lint.catalog.images import BaseImage
from dockerslim_lint.edit import Edit
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.model import FinalImage, ImageBuild, Stage
from dockerslim_lint.facts.stages import chain_of
from dockerslim_lint.plan.blocks.final_steps import why_needed
from dockerslim_lint.plan.blocks.lines import comments_above, insert_line
from dockerslim_lint.plan.chains import carried, own_chain, shared_base
from dockerslim_lint.plan.model import Choice, Draft, NotPossible, Task
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
    following = following_edit(build, stage, choice.base) if stage.variable and place is None else None
    start, end = place or stage.word.span
    return Draft((following or Edit(start, end, choice.base.reference),))


def following_edit(build: ImageBuild, stage: Stage, base: BaseImage) -> Edit | None:
    """What stands behind the variable in FROM, where that names the release that the new base is of, so that it may go on to choose it."""
    word, reference = stage.word, stage.reference or ""
    places = [piece for piece in word.pieces if isinstance(piece, Expansion)] if word is not None else []
    end = base.reference.removeprefix(f"{base.repository}:{base.release}")
    if word is None or len(places) != 1 or end == base.reference:
        return None
    before = build.source.text(Span(word.span.start, places[0].span.start))
    after = build.source.text(Span(places[0].span.end, word.span.end))
    if not reference.startswith(before) or not reference.endswith(after):
        return None  # with quotes, or an escape
    found = images.lookup(f"{reference[: len(reference) - len(after)]}{end}")
    if found is None or not found.understood:
        return None
    same = (found.repository, found.release, found.slim) == (base.repository, base.release, base.slim)
    return Edit(places[0].span.end, word.span.end, end) if same else None


def check_release(task: Task, image: FinalImage) -> None:
    """Raises NotPossible where an ARG chooses the release of a builder too, and the new base would no longer follow it."""
    build, new = task.build, task.choice.base
    stage = build.stages[own_chain(build, image)[0]]
    shared = _of_builders(task) & _choosing(build, stage)
    if stage.parent is not None or not shared or following_edit(build, stage, new) is not None:
        return
    name = sorted(shared)[0]
    pair = _defaults(build, name)[-1]
    release = stage.image.release if stage.image is not None else ""
    advice = f": set it to {new.release}" if pair.value is not None and pair.value.literal == release else ""
    line = build.source.line_of(pair.span.start)
    raise NotPossible(
        f"ARG {name} (line {line}) chooses the builder's base too, and {new.reference} would not follow it{advice}"
    )


def _of_builders(task: Task) -> frozenset[str]:
    """The ARGs from which the bases of the builders come."""
    stages = task.build.stages
    roots = {chain_of(stages[number], stages)[0] for number in task.stages}
    return frozenset().union(*(_choosing(task.build, stages[root]) for root in roots))


def _choosing(build: ImageBuild, stage: Stage) -> frozenset[str]:
    """The ARGs from which a FROM takes its base, by way of others too."""
    pending = list(variables(stage.word)) if stage.word is not None else []
    found = set()
    while pending:
        name = pending.pop()
        pairs = _defaults(build, name)
        if pairs and name not in found:
            found.add(name)
            pending += [inner for pair in pairs if pair.value for inner in variables(pair.value)]
    return frozenset(found)


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


def unfollowed(task: Task, edits: Iterable[Edit]) -> Iterator[str]:
    """What is to be said of each ARG from which a FROM took its base, where the edits write another base in its place.

    Nothing where it goes on to choose the release of the builder of a static program, which may be any.
    """
    build = task.build
    places = {(edit.start, edit.end) for edit in edits}
    words = {stage.instruction: stage.word for stage in build.stages if stage.word and stage.word.span in places}
    pending = [name for word in words.values() for name in sorted(variables(word))]
    whole = {piece.name for word in words.values() for piece in word.pieces[:1] if isinstance(piece, Expansion)}
    builders = _of_builders(task) if pending else frozenset()
    told: dict[str, bool] = {}
    while pending:
        name = pending.pop(0)
        pairs = _defaults(build, name)
        if not pairs or name in told:
            continue
        unused = frozenset(one for one, used in told.items() if not used)
        told[name] = _used(build, name, frozenset(words), unused)
        line = build.source.line_of(pairs[-1].span.start)
        shared = told[name] and name in builders
        if shared and task.glibc:
            newest = task.choice.base.libc_version
            yield f"ARG {name} (line {line}) chooses the builder's base alone, which must not have a newer glibc than {newest}"
        elif not shared or name in whole:
            yield f"ARG {name} (line {line}) no longer chooses the base{'' if told[name] else ', and nothing else uses it'}"
        if not told[name]:
            pending += [inner for pair in pairs if pair.value for inner in sorted(variables(pair.value))]


def old_comments(task: Task, edits: Iterable[Edit]) -> Iterator[str]:
    """What is to be said of a comment above a FROM that names the base, or its release, where the edits write another one."""
    places = {(edit.start, edit.end) for edit in edits}
    new = task.choice.base
    for stage in task.build.stages:
        old = stage.image
        if old is None or stage.word is None or stage.word.span not in places:
            continue
        names = {patterns.basename(old.repository), old.release} - {"", patterns.basename(new.repository), new.release}
        for text, line in comments_above(task.build, task.build.instructions[stage.instruction]):
            words = "".join(char if char.isalnum() or char == "." else " " for char in text.lower()).split()
            if names & {word.rstrip(".") for word in words}:
                yield f"the comment in line {line} tells of the old base"


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

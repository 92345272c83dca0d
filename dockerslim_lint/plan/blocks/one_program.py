"""A COPY of cargo's output directory becomes a COPY of the programs in it that are started."""

from __future__ import annotations

from dockerslim_lint.catalog import commands as known_commands
from dockerslim_lint.edit import Edit
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.model import MUSL_STATIC, Artifact, CargoCall, Command, FinalImage, ImageBuild, Transfer
from dockerslim_lint.facts.stages import chain_of
from dockerslim_lint.plan.blocks.lines import PLAIN
from dockerslim_lint.plan.model import Draft, NotPossible
from dockerslim_lint.source import Span


def copy_programs_only(build: ImageBuild, image: FinalImage, transfer: Transfer, call: int) -> Draft:
    """Narrow insertions behind source and destination; in the place of ``*`` where all that is in it is copied. Raises NotPossible."""
    instruction = build.instructions[transfer.instruction]
    line = build.source.line_of(instruction.span.start)
    if instruction.json is not None or len(instruction.words) != 2 or instruction.keeps_parents:
        raise NotPossible(f"line {line} copies more than that one directory")
    made = build.calls[call]
    source, target = transfer.sources[0].rstrip("/"), (made.target_directory or made.output or "")
    each = patterns.basename(source) == "*" and patterns.same(patterns.parent(source), made.output or "")
    if patterns.below(source, target) is None:
        raise NotPossible(f"what else of {source} is needed, only you know")
    crate = build.crates[call]
    if made.kind == "build" and made.link != MUSL_STATIC and crate is not None and crate.shared_library:
        raise NotPossible("the crate's shared library lies there too")
    beside = put_beside(build, transfer, made)
    if beside is not None:
        at = build.source.line_of(build.instructions[beside].span.start)
        raise NotPossible(f"line {at} puts something else there, which may be needed when the image runs")
    inside = programs_inside(image, transfer)
    if not inside:
        raise NotPossible("which of the programs in it is needed, only you know")
    folders = {path.rpartition("/")[0] for path in inside}
    if len(folders) > 1 or any(set(path) - PLAIN for path in inside):
        raise NotPossible("the programs in it are in more than one place")
    first, second = instruction.words
    texts = [build.source.text(word.span) for word in (first, second)]
    if set(texts[0]) - PLAIN - set("${}*") or set(texts[1]) - PLAIN - set("${}") or texts[0].endswith("*/"):
        raise NotPossible(f"the paths in line {line} are not plain words")
    folder = folders.pop()
    begin = texts[0].removesuffix("*") if each else texts[0]
    ends = ["" if text.endswith("/") else "/" for text in (begin, texts[1])]
    more = "".join(f" {begin}{ends[0]}{path}" for path in inside[1:])
    edits = [Edit(first.span.end - each, first.span.end, ends[0] + inside[0] + more)]
    if len(inside) == 1:
        edits.append(_behind(second.span, ends[1] + inside[0]))
    else:
        edits.append(_behind(second.span, ends[1] + (f"{folder}/" if folder else "")))
    return Draft(tuple(edit for edit in edits if edit.text))


def put_beside(build: ImageBuild, transfer: Transfer, made: CargoCall) -> int | None:
    """The first instruction that puts something where a call puts its programs, other than cargo itself; None where none does.

    What comes to the target directory as a whole (``COPY --from=cacher /app/target target``) is cargo's.
    """
    place = made.output or ""
    chain = chain_of(build.stages[transfer.origin_stage or 0], build.stages)
    copies = (
        one.instruction
        for one in build.transfers
        if one.stage in chain and patterns.below(one.destination, place) is not None
    )
    steps = (one.instruction for one in build.commands if one.stage in chain and _puts_into(one, place))
    return min((*copies, *steps), default=None)


def _puts_into(command: Command, place: str) -> bool:
    if known_commands.title(command.name) == "cargo" or not command.words:
        return False
    words = [word.pattern for word in command.words[1:]]
    if known_commands.has_destination(command.name):
        words = words[-1:]
    elif known_commands.may_bring(command.name):
        words.append(".")
    else:
        words = []
    paths = (patterns.join(command.directory or "/*", word) for word in (*words, *command.writes))
    return any(patterns.below(path, place) is not None for path in paths)


def programs_inside(image: FinalImage, transfer: Transfer) -> list[str]:
    """The started programs that the transfer brings, relative to its destination."""
    held = {path for path, entry in image.artifacts if isinstance(entry, Artifact) and entry.call is not None}
    started = [image.launch.program or "", *image.launch.runs]
    found = [patterns.below(path, patterns.join("/", transfer.destination)) for path in started if path in held]
    return list(dict.fromkeys(path for path in found if path))


def _behind(span: Span, text: str) -> Edit:
    return Edit(span.end, span.end, text)

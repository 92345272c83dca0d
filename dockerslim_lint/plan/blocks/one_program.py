"""A COPY of cargo's output directory becomes a COPY of the programs in it that are started."""

from __future__ import annotations

from dockerslim_lint.edit import Edit
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.model import MUSL_STATIC, Artifact, FinalImage, ImageBuild, Transfer
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


def programs_inside(image: FinalImage, transfer: Transfer) -> list[str]:
    """The started programs that the transfer brings, relative to its destination."""
    held = {path for path, entry in image.artifacts if isinstance(entry, Artifact) and entry.call is not None}
    started = [image.launch.program or "", *image.launch.runs]
    found = [patterns.below(path, patterns.join("/", transfer.destination)) for path in started if path in held]
    return list(dict.fromkeys(path for path in found if path))


def _behind(span: Span, text: str) -> Edit:
    return Edit(span.end, span.end, text)

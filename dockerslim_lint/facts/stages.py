"""FROM lines: which stage is built on what, and which stages are images of their own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from dockerslim_lint.catalog import images
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.env import PLATFORM_ARGUMENTS, pattern_of
from dockerslim_lint.facts.model import Problem, Stage, Value
from dockerslim_lint.facts.toolchain import host_libc
from dockerslim_lint.syntax.tree import Expansion, Instruction, Word

if TYPE_CHECKING:
    from dockerslim_lint.catalog.images import BaseImage
    from dockerslim_lint.catalog.own_images import OwnImage

BUILD_PLATFORM = "BUILDPLATFORM"

_NO_REFERENCE = (":-", ":.", ":/", ":@", "//")
"""In no reference of an image: a tag begins with a letter, a digit or `_`, and no part is empty (distribution/reference)."""


class StageNames:
    """Which stage a name or a number means at a place in the file: the stages that were added so far."""

    def __init__(self) -> None:
        self._names: dict[str, int] = {}
        self._count = 0

    def add(self, stage: Stage) -> None:
        """The next stage of the file begins; a later one of the same name hides the earlier, as in BuildKit."""
        if stage.name:
            self._names[stage.name] = stage.number
        self._count += 1

    def find(self, name: str | None) -> int | None:
        """The stage's number, None for an image."""
        if not name:
            return None
        found = self._names.get(name.lower())
        if found is None and name.isdecimal() and int(name) < self._count:
            return int(name)
        return found


def read_stages(
    instructions: Sequence[Instruction],
    scope: Mapping[str, Value],
    final: str | None,
    own_images: tuple[OwnImage, ...] = (),
) -> tuple[Stage, ...]:
    """All stages in file order. `final` names the stage asked for (--target), None for the last one."""
    starts = [at for at, instruction in enumerate(instructions) if instruction.keyword == "FROM"]
    stages: list[Stage] = []
    names = StageNames()
    for number, start in enumerate(starts):
        end = starts[number + 1] if number + 1 < len(starts) else len(instructions)
        stage = _read_stage(number, start, range(start + 1, end), instructions, stages, names, scope, own_images)
        stages.append(stage)
        names.add(stage)
    used = {use for stage in stages for use in (*stage.uses, *stage.one_of)} | {stage.parent for stage in stages}
    last = names.find(final)
    chosen = last if last is not None else len(stages) - 1
    return tuple(stage._replace(terminal=stage.number not in used or stage.number == chosen) for stage in stages)


def _read_stage(
    index: int,
    start: int,
    body: range,
    instructions: Sequence[Instruction],
    before: Sequence[Stage],
    names: StageNames,
    scope: Mapping[str, Value],
    own_images: tuple[OwnImage, ...],
) -> Stage:
    instruction = instructions[start]
    word = instruction.words[0] if instruction.words else None
    name = ""
    if len(instruction.words) == 3 and (instruction.words[1].literal or "").lower() == "as":
        name = (instruction.words[2].literal or "").lower()
    reference: str | None = None
    variable = ""
    if word is not None:
        text, exact = pattern_of(word, scope, True)
        reference = text if exact and text else None
        variable = next((piece.name for piece in word.pieces if isinstance(piece, Expansion)), "")
    parent = names.find(reference)
    flag = instruction.flag("platform")
    platform, cross = "", False
    if flag is not None and flag.value is not None:
        platform = pattern_of(flag.value, scope, True)[0]
        cross = any(isinstance(piece, Expansion) and piece.name == BUILD_PLATFORM for piece in flag.value.pieces)
    if parent is not None:
        image, base_reference = before[parent].image, before[parent].base_reference
        cross = cross or before[parent].cross
    else:
        image, base_reference = (_base_image(reference, own_images) if reference else None), reference
        if image is not None and image.namespace:
            chosen = word is not None and isinstance(word.pieces[0], Expansion)
            platform, cross = "*" if chosen else f"linux/{image.namespace}", False
    uses = [names.find(source) for at in body for source in sources_of(instructions[at], scope)]
    one_of = _dispatched(word, before) if reference is None else ()
    below = [before[number] for number in (one_of if parent is None else (parent,))]
    # one whose image names a target itself has another libc than its host's
    libcs = {host_libc(one) if one.image is None or not one.image.default_target else "" for one in below}
    return Stage(
        index,
        name,
        reference,
        word,
        variable,
        parent,
        image,
        base_reference,
        platform,
        cross,
        start,
        tuple(body),
        tuple(sorted({use for use in uses if use is not None})),
        terminal=False,
        digest=reference.partition("@")[2] if reference and parent is None else "",
        one_of=one_of,
        host_libc=libcs.pop() if image is None and len(libcs) == 1 else "",
    )


def _dispatched(word: Word | None, before: Sequence[Stage]) -> tuple[int, ...]:
    """The earlier stages of which one is taken by the platform (``FROM build-${TARGETARCH}``); () for any other FROM."""
    if word is None:
        return ()
    variables = [piece for piece in word.pieces if isinstance(piece, Expansion)]
    by_platform = all(piece.name in PLATFORM_ARGUMENTS and not piece.operator for piece in variables)
    if not variables or not by_platform or len(word.pieces) == len(variables):
        return ()
    text = "".join("*" if isinstance(piece, Expansion) else piece.text for piece in word.pieces)
    return tuple(one.number for one in before if one.name and patterns.same(one.name, text.lower()))


def _base_image(reference: str, own_images: tuple[OwnImage, ...]) -> BaseImage | None:
    if not own_images:
        return images.lookup(reference)
    from dockerslim_lint.catalog.own_images import find_image

    return find_image(reference, own_images)


def sources_of(instruction: Instruction, scope: Mapping[str, Value]) -> list[str]:
    """The names in ``COPY --from=`` and ``RUN --mount=…,from=``."""
    names = []
    for flag in instruction.flags:
        if flag.value is None:
            continue
        text = pattern_of(flag.value, scope, True)[0]
        if flag.name == "from":
            names.append(text)
        elif flag.name == "mount":
            names += [part[5:] for part in text.split(",") if part.startswith("from=")]
    return names


def refused_names(instructions: Sequence[Instruction], scope: Mapping[str, Value]) -> Iterator[Problem]:
    """The bases and the ``COPY --from=`` for which BuildKit ends the build, whichever stage is asked for.

    `scope` has each ARG from above the first FROM; where its value is not known, nothing is said.
    """
    count = sum(instruction.keyword == "FROM" for instruction in instructions)
    for instruction in instructions:
        text, span = "", instruction.keyword_span
        if instruction.keyword == "FROM" and instruction.words:
            span = instruction.words[0].span
            text = _empty_base(instruction.words[0], scope)
        elif instruction.keyword == "COPY":
            flag = instruction.flag("from")
            if flag is not None and flag.value is not None:
                span = flag.span
                text = _no_source(flag.value, count)
        if text and instruction.error is None:
            yield Problem("instruction", span, text, instruction.keyword)


def _empty_base(word: Word, scope: Mapping[str, Value]) -> str:
    names = [piece.name for piece in word.pieces if isinstance(piece, Expansion) and piece.name not in scope]
    base, exact = pattern_of(word, scope, True) if names else ("", False)
    # only what no reference can look like: `alpine:3.24$SUFFIX` is one without the suffix, too
    refused = not base or base[0] == "/" or base[-1] in ":@/" or any(part in base for part in _NO_REFERENCE)
    if not exact or not refused:
        return ""
    return f"no ARG above the first FROM declares {names[0]}, so that the base is {base or 'empty'}"


def _no_source(source: Word, count: int) -> str:
    if any(isinstance(piece, Expansion) for piece in source.pieces):
        return "--from takes no variables; give the name to a FROM (`FROM … AS source`), and copy from that stage"
    number = source.literal or ""
    if not (number.isascii() and number.isdecimal()) or int(number) < count:
        return ""
    return f"there is no stage {number}, the last one is {count - 1}"


def chain_of(stage: Stage, stages: Sequence[Stage]) -> tuple[int, ...]:
    """The stage and those that it is built on, the lowest first."""
    chain = [stage.number]
    while stage.parent is not None:
        stage = stages[stage.parent]
        chain.append(stage.number)
    return tuple(reversed(chain))


def chosen_by_platform(number: int, stages: Sequence[Stage]) -> Stage | None:
    """The stage at or below this one that is built on one of several, whichever the platform names; None where none is."""
    return next((stages[one] for one in chain_of(stages[number], stages) if stages[one].one_of), None)


def feeding(stages: Sequence[Stage], numbers: Iterable[int]) -> frozenset[int]:
    """These stages, all that they are based on, or may be, and all that they copy from."""
    pending, found = list(numbers), set[int]()
    while pending:
        number = pending.pop()
        if number not in found:
            found.add(number)
            stage = stages[number]
            pending += [*stage.uses, *stage.one_of, *([stage.parent] if stage.parent is not None else [])]
    return frozenset(found)

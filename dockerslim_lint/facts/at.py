"""What stands at one place of a Dockerfile: the question of an editor's cursor."""

from __future__ import annotations

from fnmatch import fnmatchcase

from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.model import Artifact, ImageBuild, Stage, Transfer, Warmup
from dockerslim_lint.record import Record
from dockerslim_lint.source import Span
from dockerslim_lint.syntax.tree import Instruction

Programs = tuple[tuple[str, Artifact], ...]
"""Programs with their paths in a final image."""


class Thing(Record):
    """One of the four is set: the `stage` that a FROM opens, a cargo `call` (index into ``ImageBuild.calls``), a `warmup`
    (``cargo chef cook``), a COPY or ADD.

    `programs` are those that the call makes, or the transfer brings, with their paths in the final images. `made` are the
    calls in whose output the transfer's sources lie, with the place in it.
    """

    span: Span
    stage: Stage | None = None
    call: int | None = None
    warmup: Warmup | None = None
    transfer: Transfer | None = None
    programs: Programs = ()
    made: tuple[tuple[int, str], ...] = ()


def thing_at(build: ImageBuild, offset: int) -> Thing | None:
    """What the byte at `offset` belongs to, None where nothing is known of it."""
    for index, instruction in enumerate(build.instructions):
        if instruction.span.start <= offset < instruction.span.end:
            return _in_instruction(build, index, instruction, offset)
    return None


def _in_instruction(build: ImageBuild, index: int, instruction: Instruction, offset: int) -> Thing | None:
    for stage in build.stages:
        if stage.instruction == index:
            return Thing(instruction.span, stage=stage)
    for transfer in build.transfers:
        if transfer.instruction == index:
            made = tuple(dict.fromkeys((use.call, use.inside) for use in build.uses if use.instruction == index))
            return Thing(instruction.span, transfer=transfer, programs=_brought(build, transfer), made=made)
    return _call(build, index, offset)


def _call(build: ImageBuild, index: int, offset: int) -> Thing | None:
    """The cargo call under the cursor; anywhere else in a RUN its only one."""
    own = [at for at, call in enumerate(build.calls) if call.command.instruction == index]
    around = [at for at in own if build.calls[at].command.span.start <= offset < build.calls[at].command.span.end]
    cooks = [one for one in build.warmups if one.command.instruction == index and one.kind == "cook"]
    for one in cooks:
        if not around and one.command.span.start <= offset < one.command.span.end:
            return Thing(one.command.span, warmup=one)
    found = around[-1:] or (own if len(own) == 1 else [])
    if not found:
        return Thing(cooks[0].command.span, warmup=cooks[0]) if len(cooks) == 1 else None
    call = found[0]
    programs = tuple(
        dict.fromkeys(
            (path, artifact) for image in build.images for path, artifact in image.artifacts if artifact.call == call
        )
    )
    return Thing(build.calls[call].command.span, call=call, programs=programs)


def _brought(build: ImageBuild, transfer: Transfer) -> Programs:
    """The programs of final images that come by this transfer: those at its destination that its sources name."""
    found: dict[tuple[str, Artifact], None] = {}
    if transfer.from_context:
        return ()  # what stands there in the end was built there
    for image in build.images:
        if transfer not in image.transfers:
            continue
        for path, artifact in image.artifacts:
            rest = patterns.below(path, transfer.destination)
            named = any(fnmatchcase(patterns.basename(path), patterns.basename(one)) for one in transfer.sources)
            if rest == "" or (rest is not None and (named or _only(image.transfers, transfer))):
                found[path, artifact] = None
    return tuple(found)


def _only(transfers: tuple[Transfer, ...], transfer: Transfer) -> bool:
    """Whether no other transfer goes to the same directory, so that what is in it came by this one."""
    return all(
        other is transfer or patterns.below(transfer.destination, other.destination) is None for other in transfers
    )

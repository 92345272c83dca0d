"""A final stage that is built on another stage of the file: which stages are the image's own, and what it would lose."""

from __future__ import annotations

from dockerslim_lint.facts.model import FinalImage, ImageBuild
from dockerslim_lint.facts.users import read_user
from dockerslim_lint.plan.model import NotPossible

CARRIED = frozenset(
    [
        "ARG",
        "ENV",
        "LABEL",
        "WORKDIR",
        "EXPOSE",
        "VOLUME",
        "STOPSIGNAL",
        "HEALTHCHECK",
        "ENTRYPOINT",
        "CMD",
        "MAINTAINER",
    ]
)
"""Instructions of a shared base that can be repeated in the final stage, in their order."""


def own_chain(build: ImageBuild, image: FinalImage) -> tuple[int, ...]:
    """The stages that can be changed with the image, the lowest first: all that it is built on, if nothing but images is built on
    them or copies from them; else its last stage alone.
    """
    finals = {one.stage for one in build.images}
    below = set(image.chain[:-1])
    for stage in build.stages:
        leans_on = {*stage.uses, *([stage.parent] if stage.parent is not None else [])}
        if below & leans_on and stage.number not in finals | below:
            return (image.stage,)
    return image.chain


def shared_base(build: ImageBuild, image: FinalImage) -> tuple[int, ...]:
    """The stages below that the image shares with builders; () for an image that has its stages for itself."""
    return tuple(number for number in image.chain if number not in own_chain(build, image))


def carried(build: ImageBuild, image: FinalImage) -> list[int]:
    """The instructions of the shared base that have to be repeated where the image leaves it. Raises NotPossible."""
    found = []
    for number in shared_base(build, image):
        stage = build.stages[number]
        name = stage.name or str(number)
        for index in stage.instructions:
            instruction = build.instructions[index]
            if instruction.keyword in CARRIED:
                found.append(index)
            elif instruction.keyword != "RUN":
                line = build.source.line_of(instruction.span.start)
                raise NotPossible(
                    f"the final stage is built on the stage {name}, as a builder is, and needs its"
                    f" {instruction.keyword} (line {line})"
                )
        if any(command.stage == number and read_user(command) is not None for command in image.commands):
            raise NotPossible(f"the final stage is built on the stage {name}, as a builder is, and needs its user")
    return found

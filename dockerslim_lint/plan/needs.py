"""What an image needs of its base, and whether a base has it."""

from __future__ import annotations

from dockerslim_lint.edit import Need
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.model import FinalImage, ImageBuild
from dockerslim_lint.plan.model import Choice, NotPossible

LOADER_VARIABLES = ("LD_LIBRARY_PATH", "LD_PRELOAD", "LD_AUDIT")


def check_base(build: ImageBuild, image: FinalImage, choice: Choice) -> None:
    """Raises NotPossible with the first thing that the base lacks."""
    launch = image.launch
    base = choice.base
    if not launch.argv or launch.from_base:
        if not base.shell:
            raise NotPossible("the file sets neither ENTRYPOINT nor CMD: the base's shell is the command")
    elif launch.shell_form and not base.shell:
        line = build.source.line_of(launch.program_span.start) if launch.program_span else 0
        raise NotPossible(f"the command in line {line} is in shell form, and {choice.name} has no shell")
    if launch.argv and not launch.from_base and launch.program not in dict(image.artifacts):
        raise NotPossible(f"what starts is not the program but {' '.join(launch.argv[:2])}")
    for name in LOADER_VARIABLES:
        if name in image.variables:
            raise NotPossible(f"{name} is set: the program loads libraries when it runs")
    if image.healthcheck is not None:
        _check_health(build, image, choice)
    for transfer in image.transfers:
        for source in transfer.sources:
            name = patterns.basename(source)
            if ".so" in name:
                line = build.source.line_of(build.instructions[transfer.instruction].span.start)
                raise NotPossible(f"line {line} brings the shared library {name}")
    for need in image.needs:
        if (need.kind == "certificates" and not base.certificates) or (need.kind == "tzdata" and not base.tzdata):
            raise NotPossible(f"{choice.name} has no {need.kind}, and {need.reason}")


def _check_health(build: ImageBuild, image: FinalImage, choice: Choice) -> None:
    instruction = build.instructions[image.healthcheck or 0]
    if instruction.healthcheck == "NONE":
        return
    line = build.source.line_of(instruction.span.start)
    programs = {path for path, _ in image.artifacts} | {patterns.basename(path) for path, _ in image.artifacts}
    if instruction.json is None or not instruction.json or instruction.json[0].text not in programs:
        raise NotPossible(f"HEALTHCHECK (line {line}) runs another program, which {choice.name} may lack")


def claimed_needs(image: FinalImage, user: str) -> tuple[Need, ...]:
    """What a proof has to find in the new image."""
    needs = list(image.needs)
    if user and user not in ("0", "root", "0:0"):
        needs.append(Need("user", user, "USER"))
    needs += [Need("directory", volume, "VOLUME") for volume in image.volumes if "*" not in volume]
    if image.workdir != "/" and "*" not in image.workdir:
        needs.append(Need("directory", image.workdir, "WORKDIR"))
    return tuple(needs)

"""What the programs of an image start themselves: `Command::new("sh")` in their sources."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from dockerslim_lint.catalog import packages, programs
from dockerslim_lint.catalog.images import BaseImage
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.commands import SHELLS
from dockerslim_lint.facts.model import FinalImage, ImageBuild
from dockerslim_lint.facts.packages import known_packages
from dockerslim_lint.plan.model import Choice, NotPossible, Task

if TYPE_CHECKING:
    from dockerslim_lint.facts.crate.called import CalledProgram


def check_called(build: ImageBuild, image: FinalImage, choice: Choice) -> None:
    """Raises NotPossible where the image's base has what its programs start, and the new base surely has not.

    A proof need not come that way: the program answers, and fails when it is asked for what another one does.
    """
    for one in _had(build, image) if not choice.keep else ():
        if not _has(choice.base, patterns.basename(one.word), known_packages(image.installs)):
            raise NotPossible(f"line {one.line} of {one.place} starts {one.word}, which {choice.name} does not have")


def _has(base: BaseImage, name: str, installed: Iterable[packages.Package]) -> bool:
    if name in SHELLS and name not in ("sh", "ash"):
        return base.bash or any(name in package.programs and package.alpine for package in installed)
    if name in SHELLS or programs.is_of_every_system(name):
        return bool(base.shell)
    return name in base.tools or any(name in package.programs for package in installed)


def called_cost(task: Task) -> Iterator[str]:
    """What the programs start that nobody knows, or that is busybox's on the new base, and may take other options there."""
    if task.choice.keep:
        return
    for image in task.images:
        unnamed = next((one for one in _called(task.build, image) if not one.word), None)
        if unnamed is not None:
            yield f"what line {unnamed.line} of {unnamed.place} starts is only known when it runs"
        if task.choice.base.package_manager != "apk":
            continue
        brought = {name for package in known_packages(image.installs) if package.alpine for name in package.programs}
        for one in _had(task.build, image):
            name = patterns.basename(one.word)
            if name not in SHELLS | brought and (name in task.choice.base.tools or programs.is_of_every_system(name)):
                yield f"{one.word}, which line {one.line} of {one.place} starts, is busybox's there"


def _had(build: ImageBuild, image: FinalImage) -> Iterator[CalledProgram]:
    """The programs of a system that the image's programs start, and that are in it today."""
    base = build.stages[image.stage].image
    more = {
        *(base.tools if base is not None else ()),
        *(name for one in known_packages(image.installs) for name in one.programs),
    }
    for one in _called(build, image):
        name = patterns.basename(one.word)
        common = name in SHELLS or name in more or programs.is_of_every_system(name)
        own = image.inside.place_of(one.word) in dict(image.artifacts)
        if common and not own and image.inside.program(one.word, image.workdir) is not False:
            yield one


def _called(build: ImageBuild, image: FinalImage) -> Iterator[CalledProgram]:
    for number in dict.fromkeys(entry.call for _, entry in image.artifacts if entry.call is not None):
        crate = build.crates[number]
        if crate is not None and build.calls[number].source == "context":
            yield from crate.called_programs(tuple(entry.name for _, entry in image.artifacts if entry.call == number))

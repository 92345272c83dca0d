"""What a health check needs on a new base: its programs, and which of them that base has to be given."""

from __future__ import annotations

from collections.abc import Sequence

from dockerslim_lint.catalog import packages, programs
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.inside import DEFAULT_PATH
from dockerslim_lint.facts.model import FinalImage, ImageBuild
from dockerslim_lint.plan.model import Choice, NotPossible, Unsure
from dockerslim_lint.plan.needs import moved_packages, static_programs
from dockerslim_lint.record import Record
from dockerslim_lint.syntax.script import Substitution

ENDS_A_CHECK = frozenset({"exit", "false", "true", ":"})
"""The shell's own words around what a health check calls."""


class Health(Record):
    """What is done for a health check: Alpine's packages that no step of the file installs, and what is to be said of it."""

    packages: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def read_health(build: ImageBuild, image: FinalImage, choice: Choice) -> Health:
    """Follows HEALTHCHECK to the programs that it calls. Raises NotPossible where the new base cannot run it."""
    if image.healthcheck is None or choice.keep:
        return Health()
    instruction = build.instructions[image.healthcheck]
    if instruction.healthcheck == "NONE":
        return Health()
    line = build.source.line_of(instruction.span.start)
    own = {path for path, _ in image.artifacts} | {patterns.basename(path) for path, _ in image.artifacts}
    if instruction.json:
        words = [string.text for string in instruction.json]
        return Health() if words[0] in own else _together([_of_call(build, image, choice, line, words)])
    found = []
    for command in image.inside.health_commands:
        if any(isinstance(piece, Substitution) for word in command.words if word.shell for piece in word.shell.pieces):
            raise _refusal(line)
        # a word that only the shell knows is an address; what is called has to be written out
        texts = [word.pattern if word.exact else None for word in command.words]
        if not texts or texts[0] is None:
            raise _refusal(line)
        if texts[0] not in ENDS_A_CHECK | own:
            found.append(_of_call(build, image, choice, line, texts))
    if not choice.base.shell:
        raise _refusal(line, NotPossible)
    if not image.inside.health_commands:
        raise _refusal(line)
    return _together(found)


def _refusal(line: int, kind: type[NotPossible] = Unsure) -> NotPossible:
    """For a check that is not understood; `kind` is NotPossible itself where the new base has nothing to run it with."""
    return kind(f"HEALTHCHECK (line {line}) runs another program, which the new base may lack")


def _together(found: Sequence[Health]) -> Health:
    return Health(
        tuple(dict.fromkeys(name for one in found for name in one.packages)),
        tuple(dict.fromkeys(note for one in found for note in one.notes)),
    )


def _of_call(build: ImageBuild, image: FinalImage, choice: Choice, line: int, words: Sequence[str | None]) -> Health:
    """One program and its words, None for those that nobody knows."""
    name = words[0] or ""
    if any(name in package.programs for package in moved_packages(image, choice)):
        return Health()
    if _places(image, name) & static_programs(build, image):
        return Health()
    base = choice.base
    there = image.inside.program(name, image.workdir)
    alpine = bool(base.shell) and base.package_manager == "apk"
    if there is False and programs.is_tool(name):
        if alpine and not programs.lacks(base, name) and programs.checks_with_busybox(name, words[1:]):
            return Health(
                notes=(f"the {name} of HEALTHCHECK (line {line}), which the image lacks today, is busybox's",)
            )
        lacks = f"HEALTHCHECK (line {line}) runs {name}, which the image lacks today"
        raise NotPossible(f"{lacks}: install it, or let the program check itself")
    if not alpine or "/" in name:
        raise _refusal(line, Unsure if alpine else NotPossible)
    known = next((package for package in packages.with_program(name) if package.alpine), None)
    if known is None:
        raise _refusal(line)
    return Health((known.alpine,), (f"{known.alpine} is installed for HEALTHCHECK",))


def _places(image: FinalImage, name: str) -> set[str]:
    """The absolute paths at which a program may stand that is called by `name`."""
    if "/" in name:
        return {patterns.join(image.workdir, name)}
    value = image.variables.get("PATH")
    text = (value.text if value is not None else None) or DEFAULT_PATH
    return {f"{folder.rstrip('/')}/{name}" for folder in text.split(":")}

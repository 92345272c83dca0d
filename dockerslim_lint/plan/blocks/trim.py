"""What only installing or compiling needed leaves a final stage that keeps its base."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from dockerslim_lint.catalog import packages
from dockerslim_lint.edit import Edit
from dockerslim_lint.facts.model import Command, CommandWord, FinalImage, ImageBuild, Leftover, Stage
from dockerslim_lint.facts.packages import manager_of, package_words
from dockerslim_lint.facts.stages import chain_of
from dockerslim_lint.plan.blocks.lines import command_behind, removal
from dockerslim_lint.plan.model import Draft, NotPossible


def trim_leftovers(build: ImageBuild, image: FinalImage, kinds: Collection[str]) -> Draft:
    """Tools for building are not installed, and caches emptied in the step that fills them, of `kinds` of leftovers alone. Raises
    NotPossible."""
    edits: list[Edit] = []
    gone: set[int] = set()
    kept = [one for one in image.leftovers if one.wanted]
    if len(kept) == len(image.leftovers):
        raise NotPossible(f"they may be used when the image runs: {kept[0].wanted}")
    for one in image.leftovers:
        if one.kind == "tools" and one.kind in kinds and not one.wanted:
            index = one.command.instruction
            commands = commands_of(image, index)
            if any(one.command.stage in chain_of(other, build.stages) for other in _others(build, image)):
                line = build.source.line_of(one.command.span.start)
                raise NotPossible(f"the step in line {line} is of a stage on which others are built")
            words = package_words(one.command)
            needless = [word for word in words if packages.bare_name(word.pattern) in one.names]
            if not all(is_written(build, word) for word in needless):
                line = build.source.line_of(one.command.span.start)
                raise NotPossible(f"the packages in line {line} come from a variable")
            if len(needless) < len(words):
                edits += without_words(one.command, needless)
            elif only_installs(commands) and sum(len(package_words(other)) for other in commands) == len(words):
                if leaned_on(build, index, one.manager) and not ("cache" in kinds and _without(one.manager)):
                    raise NotPossible(fetched_for_later(build, one.command))
                span = removal(build, build.instructions[index])
                edits.append(Edit(span.start, span.end, ""))
                gone.add(index)
            else:
                line = build.source.line_of(one.command.span.start)
                raise NotPossible(f"the step in line {line} does more than to install {', '.join(one.names)}")
    for one in image.leftovers:
        if one.kind == "cache" and one.kind in kinds and one.command.instruction not in gone:
            edits += _emptied(build, image, one)
    return Draft(tuple(edits))


def _emptied(build: ImageBuild, image: FinalImage, one: Leftover) -> Iterator[Edit]:
    rule = packages.caches(one.manager)
    filling = [
        command
        for command in commands_of(image, one.command.instruction)
        if manager_of(command) == one.manager and package_words(command)
    ]
    without = _without(one.manager)
    if without and one.command in filling and all(command.shell_form for command in filling):
        for command in filling:
            if without not in {word.pattern for word in command.words}:
                yield Edit(command.words[1].span.end, command.words[1].span.end, f" {without}")
        return
    clean = rule.get("clean") if rule is not None else None
    emptying = f"{filling[-1].name} {clean}" if clean else f"rm -rf {one.names[0]}/*"
    edit = after_installs(build, image, one.command.instruction, one.manager, emptying)
    if edit is None:
        raise NotPossible(fetched_for_later(build, one.command))
    yield edit


def _others(build: ImageBuild, image: FinalImage) -> Iterator[Stage]:
    """The stages that are not the image's own."""
    return (stage for stage in build.stages if stage.number not in image.chain)


def _without(manager: str) -> str:
    """The flag with which a package manager fetches what it needs and keeps nothing; "" where it has none."""
    return str((packages.caches(manager) or {}).get("without", ""))


def fetched_for_later(build: ImageBuild, command: Command) -> str:
    """Why what a command fetches has to stay."""
    return f"a later step may need what the one in line {build.source.line_of(command.span.start)} fetches"


def leaned_on(build: ImageBuild, index: int, manager: str) -> bool:
    """Whether a later step, of this stage or of one that is built on it, may install from what this one fetches."""
    if "clean" in (packages.caches(manager) or {}):
        return False  # it is fetched again by itself
    below = next((stage.number for stage in build.stages if index in stage.instructions), -1)
    above = {stage.number for stage in build.stages if below in chain_of(stage, build.stages)}
    steps = [one for one in build.commands if one.instruction > index and one.stage in above]
    for later in sorted({one.instruction for one in steps}):
        commands = [one for one in steps if one.instruction == later and manager_of(one) == manager]
        fetches = any(word.pattern == "update" for one in commands for word in one.words[1:])
        if any(package_words(one) for one in commands) and not fetches:
            return True
    return False


def after_installs(build: ImageBuild, image: FinalImage, index: int, manager: str, emptying: str) -> Edit | None:
    """A step empties its package manager's cache behind its last install. None where a later step may lean on it."""
    installs = [one for one in commands_of(image, index) if manager_of(one) == manager and package_words(one)]
    if not installs or leaned_on(build, index, manager):
        return None
    last = installs[-1]
    return command_behind(build, last, emptying) if last.shell_form and last.certain and not last.nested else None


def commands_of(image: FinalImage, index: int) -> list[Command]:
    """The commands of one RUN."""
    return [command for command in image.commands if command.instruction == index]


def only_installs(commands: Sequence[Command]) -> bool:
    """Whether a step does nothing but install, and clean up behind it."""
    return all(manager_of(one) or one.name in ("rm", "true", "set") for one in commands)


def is_written(build: ImageBuild, word: CommandWord) -> bool:
    """Whether a word's value stands in the file as it is, and comes from no variable."""
    return build.source.text(word.span).strip("'\"") == word.pattern


def without_words(command: Command, words: Sequence[CommandWord]) -> Iterator[Edit]:
    """Words go, with the space and the line break before them."""
    for word in words:
        before = command.words[command.words.index(word) - 1]
        yield Edit(before.span.end, word.span.end, "")

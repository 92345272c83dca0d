"""The apt steps of a final stage: packages that a build needed go, names follow the release, what is missing is added."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from dockerslim_lint.catalog import commands as known_commands
from dockerslim_lint.catalog import debian, packages
from dockerslim_lint.edit import Edit
from dockerslim_lint.facts.model import Command, CommandWord, FinalImage, ImageBuild, Unfound
from dockerslim_lint.facts.packages import manager_of, package_words
from dockerslim_lint.plan.blocks.lines import cased, insert_line, removal
from dockerslim_lint.plan.blocks.trim import (
    after_installs,
    commands_of,
    fetched_for_later,
    is_written,
    leaned_on,
    only_installs,
    without_words,
)
from dockerslim_lint.plan.model import Draft, NotPossible

EMPTY_LISTS = "rm -rf /var/lib/apt/lists/*"

ALONE = " --no-install-recommends"


def install_line(names: Iterable[str], alone: bool = True) -> str:
    """One RUN that installs packages and leaves no lists (Dockerfile best practices, apt-get); `alone`: without recommended ones."""
    return f"RUN apt-get update && apt-get install -y{ALONE if alone else ''} {' '.join(names)} && {EMPTY_LISTS}"


def renamed(build: ImageBuild, one: Unfound) -> Draft:
    """A package that the base's release does not have, by the name that it has there. Raises NotPossible."""
    line = build.source.line_of(one.span.start)
    new = debian.present_name(one.name, one.release)
    if new in ("", one.name):
        raise NotPossible(f"what {one.release} has in the place of {one.name} (line {line}) is not known")
    if build.source.text(one.span) != one.name:
        raise NotPossible(f"line {line} asks for a version of {one.name} that another release may not have")
    for image in build.images if debian.library(one.name) is not None else ():
        for path, artifact in image.artifacts if one.command.stage in image.chain else ():
            builder = build.stages[build.calls[artifact.call].command.stage] if artifact.call is not None else None
            if builder is None or builder.release != one.release:
                raise NotPossible(f"which release's {one.name} {path} links is not known to be that of {one.release}")
    return Draft((Edit(one.span.start, one.span.end, new),))


class PackageSteps:
    """The apt steps of one image's own stage. `same`: the packages come from the release that the file was written for."""

    def __init__(self, build: ImageBuild, image: FinalImage, same: bool) -> None:
        self._build = build
        self._image = image
        self._same = same
        self._own = [
            index for index in build.stages[image.stage].instructions if build.instructions[index].keyword == "RUN"
        ]
        self._commands = {index: commands_of(image, index) for index in self._own}
        self._written = {name for install in image.installs for name in install.packages}
        self._compiles = any(known_commands.may_compile(command.name) for command in image.commands)
        self.left: dict[str, str] = {}
        """the kinds of leftovers that `edits` could not take out, each with the reason"""

    def edits(self, missing: Mapping[str, str], release: str) -> Iterator[Edit]:
        """What changes in the steps, `missing` packages installed. Raises NotPossible where a name of `release` is not known."""
        names = list(missing)
        for index in self._own:
            found = []
            for command in self._commands[index]:
                words = package_words(command) if manager_of(command) == "apt" else []
                if words:
                    found.append((command, words, *self._names(command, words, release)))
            takers = [command for command, *_ in found if names and _takes_more(command)]
            needless = bool(found) and not takers and not any(kept for _, _, kept, _ in found)
            if needless and self._can_go(index):
                span = removal(self._build, self._build.instructions[index])
                yield Edit(span.start, span.end, "")
                continue
            for command, words, kept, changes in found:
                takes = command in takers[:1]
                if kept:
                    yield from changes
                    yield from without_words(command, [word for word in words if word not in kept])
                    if takes:
                        yield _behind(self._build, command, kept[-1], names)
                elif takes:
                    yield from without_words(command, words[1:])
                    yield Edit(words[0].span.start, words[0].span.end, " ".join(names))
            if takers:
                names = []
            yield from self._emptied(index)
        if names:
            first = self._build.instructions[self._build.stages[self._image.stage].instruction]
            text = cased(self._build, first, install_line(names))
            yield insert_line(self._build, first.span.end, text)

    def _can_go(self, index: int) -> bool:
        """Whether a step that installs nothing needed goes as a whole."""
        command = self._commands[index][0]
        if not only_installs(self._commands[index]):
            line = self._build.source.line_of(command.span.start)
            self.left["tools"] = f"the step in line {line} does more than to install what only the build needs"
        elif leaned_on(self._build, index, "apt"):
            self.left["tools"] = fetched_for_later(self._build, command)
        else:
            return True
        return False

    def _names(self, command: Command, words: list[CommandWord], release: str) -> tuple[list[CommandWord], list[Edit]]:
        """The words that stay, and what else is written for some of them."""
        kept, changes = [], []
        for word in words:
            name = packages.bare_name(word.pattern)
            if not is_written(self._build, word):
                if not self._same:
                    line = self._build.source.line_of(word.span.start)
                    raise NotPossible(f"the packages in line {line} come from a variable")
                kept.append(word)
                continue
            if self._needless(command, name):
                new = " ".join(self._alone(release, word, name))
                if not new:
                    continue
            else:
                new = self.name_in(release, word, name)
            if new != name:
                changes.append(Edit(word.span.start, word.span.end, new))
            kept.append(word)
        return kept, changes

    def _alone(self, release: str, word: CommandWord, name: str) -> tuple[str, ...]:
        """The packages that hold a -dev package's library alone, those that stand in the file already left out. Raises NotPossible."""
        library = debian.library(name)
        if library is None or library.present:
            return ()
        runtime = library.runtime.get(release, ())
        if not runtime:
            line = self._build.source.line_of(word.span.start)
            raise NotPossible(f"the package of {name}'s library (line {line}) in {release} is not known")
        new = tuple(one for one in runtime if one not in self._written)
        self._written.update(new)
        return new

    def name_in(self, release: str, word: CommandWord, name: str) -> str:
        """The package's name in the release. Raises NotPossible where that is not known."""
        line = self._build.source.line_of(word.span.start)
        if self._same:
            return name
        if name != word.pattern:
            raise NotPossible(f"line {line} asks for a version of {name} that another release may not have")
        new = debian.present_name(name, release)
        listed = debian.library(name) is not None or packages.lookup("apt-get", name) is not None
        if not new or (new == name and not listed):
            raise NotPossible(f"whether {release} has {name} (line {line}) is not known")
        return new

    def _needless(self, command: Command, name: str) -> bool:
        """Whether only a build needs the package."""
        if self._compiles or any("purge" in words or "remove" in words for words in self._words(command.instruction)):
            return False
        return packages.only_builds("apt", name)

    def _words(self, index: int) -> Iterator[list[str]]:
        for command in self._commands[index]:
            if manager_of(command):
                yield [word.pattern for word in command.words]

    def _emptied(self, index: int) -> Iterator[Edit]:
        """The lists of apt go in the step that fetches them, where no later step leans on them."""
        for one in self._image.leftovers:
            if one.kind == "cache" and one.command.instruction == index:
                edit = after_installs(self._build, self._image, index, "apt", EMPTY_LISTS)
                if edit is not None:
                    yield edit
                else:
                    self.left["cache"] = fetched_for_later(self._build, one.command)


def _takes_more(command: Command) -> bool:
    """Whether further packages can be written behind those of the command."""
    flags = [word.pattern for word in command.words if word.pattern.startswith(("-t", "--target-release"))]
    return command.certain and command.shell_form and not command.nested and not flags


def _behind(build: ImageBuild, command: Command, word: CommandWord, names: list[str]) -> Edit:
    """Names behind a word, each on a line of its own where the file has it so."""
    words = command.words[: command.words.index(word) + 1]
    between = [build.source.data[one.span.end : other.span.start] for one, other in pairwise(words)]
    lines = [text.decode("ascii") for text in between if b"\n" in text and not text.replace(b"\\", b"").strip()]
    space = lines[-1].replace("\r\n", "\n") if lines else " "
    return Edit(word.span.end, word.span.end, "".join(f"{space}{name}" for name in names))


def carried_packages(build: ImageBuild, image: FinalImage, release: str) -> Iterator[str]:
    """The packages of a single stage that the run may need, by their names in the release. Raises NotPossible."""
    old = build.stages[image.stage].image
    steps = PackageSteps(build, image, old is not None and old.package_manager == "apt" and old.release == release)
    for install in image.installs:
        for word in package_words(install.command):
            name = packages.bare_name(word.pattern)
            known = packages.lookup(install.manager, name)
            if packages.only_builds(install.manager, name) or packages.is_rust(install.manager, name):
                continue  # that the program does not want its toolchain is known by now
            if known is not None and known.role == "housekeeping":
                continue
            if install.manager != "apt" or not is_written(build, word):
                line = build.source.line_of(word.span.start)
                raise NotPossible(f"{name} (line {line}) may be needed when the image runs")
            yield from steps.name_in(release, word, name).split()

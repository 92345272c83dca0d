"""RUN steps of the final stage in Alpine's words: its package names, busybox's adduser, and what busybox does as GNU does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from dockerslim_lint.catalog import packages, programs
from dockerslim_lint.catalog.images import BaseImage
from dockerslim_lint.edit import Edit
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.env import pattern_of
from dockerslim_lint.facts.model import Command, FinalImage, ImageBuild
from dockerslim_lint.facts.packages import manager_of, read_install
from dockerslim_lint.facts.scripts import WRITERS
from dockerslim_lint.facts.users import ROOT, come_along, read_user
from dockerslim_lint.plan.blocks.final_steps import check_own_certificates, needless_package, steps_of, why_needed
from dockerslim_lint.plan.blocks.lines import cased, comments_within, insert_line, removal
from dockerslim_lint.plan.chains import own_chain
from dockerslim_lint.plan.model import Choice, Draft, NotPossible, Unsure
from dockerslim_lint.plan.needs import missing_zones
from dockerslim_lint.plan.start import Start
from dockerslim_lint.record import Record
from dockerslim_lint.syntax.tree import Expansion, Instruction, Word

EVERYWHERE = frozenset({"/", "/tmp", "/var/tmp"})

_CONTINUATION = re.compile(r"[ \t]*\\\r?\n[ \t]*")


def translate_steps(build: ImageBuild, image: FinalImage, choice: Choice, start: Start) -> Draft:
    """Each RUN of the final image goes, stays, or is written anew in one line. Raises NotPossible for what has no equal.

    What has to be there for the container to `start` is installed with the first packages, or by a step of its own.
    """
    stage = build.stages[image.stage]
    if stage.image is None or stage.image.package_manager == "apk":
        raise Unsure("the steps of the final stage cannot be told from Alpine's own")
    _check_names(build, image, choice)
    check_own_certificates(build, image)
    _check_shell(build, image, choice)
    edits = []
    wanted = dict.fromkeys(start.packages)
    links = " ".join(f"&& ln -s {program} {path}" for program, path in start.links)
    for index in steps_of(build, image):
        instruction = build.instructions[index]
        commands = [command for command in image.commands if command.instruction == index]
        if (
            commands
            and all(_stays(build, image, command, choice.base) for command in commands)
            and not instruction.flags
            and not any(command.nested for command in commands)
            and not _by_another_shell(build, instruction)
        ):
            continue
        added, words = _translated(build, image, instruction, commands, choice)
        if added.text:
            names = list(dict.fromkeys((*added.text.split(), *wanted)))
            text = f"apk add --no-cache {' '.join(names)}{f' {links}' if links else ''}"
            words.insert(0, added._replace(text=text))
            wanted, links = {}, ""
        if words:
            edits.append(Edit(*instruction.body_span, _chained(words, build.dockerfile.escape)))
        else:
            span = removal(build, instruction)
            edits.append(Edit(span.start, span.end, ""))
    if wanted:
        edits.append(insert_line(build, _behind_from(build, image), _install(build, image, wanted, links)))
    return Draft(tuple(edits))


def _check_shell(build: ImageBuild, image: FinalImage, choice: Choice) -> None:
    """Raises Unsure where SHELL names a program that the new base lacks, for every RUN and command behind it."""
    for number in own_chain(build, image):
        for index in build.stages[number].instructions:
            instruction = build.instructions[index]
            if instruction.keyword != "SHELL":
                continue
            shell = patterns.basename(instruction.json[0].text) if instruction.json else ""
            if not shell or programs.lacks(choice.base, shell):
                line = build.source.line_of(instruction.span.start)
                raise Unsure(f"SHELL (line {line}) names {shell or 'a program'}, which Alpine does not have")


def _by_another_shell(build: ImageBuild, instruction: Instruction) -> bool:
    """Whether a heredoc says on its first line which program reads it."""
    return any(build.source.text(heredoc.body).startswith("#!") for heredoc in instruction.heredocs)


def install_zones(build: ImageBuild, image: FinalImage, choice: Choice) -> Draft:
    """For a base that stays: the step that installs the time zones which the file names and nobody brings."""
    wanted = dict.fromkeys(missing_zones(image, choice))
    return Draft((insert_line(build, _behind_from(build, image), _install(build, image, wanted, "")),))


def install_line(start: Start) -> str:
    """The step that installs what has to be there for the container to start; "" for nothing."""
    links = "".join(f" && ln -s {program} {path}" for program, path in start.links)
    return f"RUN apk add --no-cache {' '.join(start.packages)}{links}" if start.packages else ""


def _install(build: ImageBuild, image: FinalImage, wanted: dict[str, None], links: str) -> str:
    first = build.instructions[build.stages[own_chain(build, image)[0]].instruction]
    return cased(build, first, f"RUN apk add --no-cache {' '.join(wanted)}{f' {links}' if links else ''}")


def _behind_from(build: ImageBuild, image: FinalImage) -> int:
    return build.instructions[build.stages[own_chain(build, image)[0]].instruction].span.end


def _stays(build: ImageBuild, image: FinalImage, command: Command, base: BaseImage) -> bool:
    """Whether a command that is needed does the same on Alpine, so that its step can stay as it is written."""
    if not command.name or manager_of(command) or read_user(command) is not None or not why_needed(command, base):
        return False
    return not _only_removes_debians(image, command) and not _other_on_alpine(build, image, command, base)


def _other_on_alpine(build: ImageBuild, image: FinalImage, command: Command, base: BaseImage) -> str:
    """Why a command may do something else on Alpine, or not be there; "" where it does the same."""
    if command.name in WRITERS and command.writes:
        # shells do not agree on what echo makes of a backslash
        escaped = any("\\" in word.pattern for word in command.words)
        return f"the final stage runs {command.name}" if escaped else ""
    kind = programs.step_kind(command.name)
    if not kind:
        return f"the final stage runs {command.name}"
    words = [word.pattern for word in command.words[1:]]
    for word in words:
        if word.startswith("-") and not programs.same_in_busybox(command.name, [word]):
            return f"{command.name} {word} may mean something else on Alpine"
    for account, name in _owners(command):
        if not _is_same_owner(build, image, command, account, name, base):
            return f"{command.name} names the {account} {name}, whom the file does not create"
    if kind == "makes" and not (command.name == "install" and not _makes_directories(words)):
        return ""
    silent = command.name == "rm" and any(word[:1] == "-" and "f" in word for word in words)
    named = programs.operands(command.name, words)
    if command.name == "install":
        named = named[:-1]
    for word in named if not silent else ():
        path = patterns.join(command.directory or "/*", word)
        if not _is_own(image, path, command):
            return f"{command.name} is for {word}, which may be Debian's own"
    return ""


def _only_removes_debians(image: FinalImage, command: Command) -> bool:
    """Whether a command takes away only what the old base has and Alpine has not."""
    paths = [
        patterns.join(command.directory or "/*", word)
        for word in programs.operands(command.name, [word.pattern for word in command.words[1:]])
    ]
    return (
        programs.step_kind(command.name) == "removes"
        and bool(paths)
        and all(_is_debians(path) and not _is_own(image, path, command) for path in paths)
    )


def _is_debians(path: str) -> bool:
    return programs.lacked_by_alpine(path) or programs.other_in_alpine(path)


def _makes_directories(words: Sequence[str]) -> bool:
    return any(word[:1] == "-" and "d" in word for word in words)


def _owners(command: Command) -> Iterator[tuple[str, str]]:
    """The accounts that chown, chgrp and install -o -g give files to: user or group, and the name."""
    words = [word for word in command.words[1:] if command.name != "install"]
    first = next((word for word in words if not word.pattern.startswith("-")), None)
    if command.name == "chown" and first is not None and first.exact:
        user, colon, group = first.pattern.partition(":")
        yield from (
            (kind, name) for kind, name in (("user", user), ("group", group or (user if colon else ""))) if name
        )
    if command.name == "chgrp" and first is not None and first.exact:
        yield "group", first.pattern
    if command.name == "install":
        for flag, word in pairwise(command.words[1:]):
            if flag.pattern in ("-o", "-g") and word.exact:
                yield ("user" if flag.pattern == "-o" else "group"), word.pattern


def _is_same_owner(
    build: ImageBuild, image: FinalImage, command: Command, account: str, name: str, base: BaseImage
) -> bool:
    """Whether a name that stands in a command is there on Alpine, and the same account."""
    if name.isdecimal() or name in ROOT or any(name == user.name for user in image.users):
        return True
    return come_along(image, f"{name}:{name}", command.instruction) or _same_number(build, image, account, name, base)


def _same_number(build: ImageBuild, image: FinalImage, account: str, name: str, base: BaseImage) -> bool:
    """Whether the base that is there and Alpine have a user, or a group, with one number."""
    find = BaseImage.user_id if account == "user" else BaseImage.group_id
    old = build.stages[image.stage].image
    number = find(old, name) if old is not None else None
    return number is not None and number == find(base, name)


def _is_own(image: FinalImage, path: str, command: Command) -> bool:
    """Whether an earlier step of the file puts something there, or it is a place that every system has."""
    places = [transfer.destination for transfer in image.transfers if transfer.instruction < command.instruction]
    for earlier in image.commands:
        if earlier.span.start >= command.span.start:
            break
        places += earlier.writes
        if programs.step_kind(earlier.name) == "makes":
            named = programs.operands(earlier.name, [word.pattern for word in earlier.words[1:]])
            places += [patterns.join(earlier.directory or "/*", word) for word in named]
    places = [place.rstrip("/") for place in places if place.strip("/")]
    return path in EVERYWHERE or any(path == place or patterns.below(path, place) is not None for place in places)


class _Part(Record):
    """One command of a step that is written anew, and the comment lines `above` it."""

    text: str
    above: tuple[str, ...] = ()


def _chained(parts: Sequence[_Part], escape: str) -> str:
    """The commands as one RUN has them: in one line, and in several where comments stand between them."""
    written = ""
    for part in parts:
        written += " && " if written else ""
        if part.above:
            lines = "".join(f"{line}\n" for line in part.above)
            last = part.above[-1]
            written += f"{escape}\n{lines}{last[: len(last) - len(last.lstrip())]}"
        written += part.text
    return written


def _translated(
    build: ImageBuild, image: FinalImage, instruction: Instruction, commands: list[Command], choice: Choice
) -> tuple[_Part, list[_Part]]:
    """Alpine's packages that a step has to install (their names as one text), and its other commands."""
    line = build.source.line_of(instruction.span.start)
    if instruction.flags or instruction.heredocs or instruction.json is not None or not commands:
        raise Unsure(f"the step in line {line} cannot be written anew")
    for name in _set_by_the_step(image, commands):
        raise Unsure(f"the step in line {line} sets {name} for itself")
    wanted: dict[str, None] = {}
    words: list[_Part] = []
    comments = comments_within(build, instruction)
    above: list[str] = []
    start = instruction.body_span.start
    between = [build.source.data[one.span.end : other.span.start] for one, other in pairwise(commands)]
    if any(b"|" in text for text in between):
        raise Unsure(f"the step in line {line} cannot be written anew")
    for command in commands:
        if not command.certain or command.nested:
            raise Unsure(f"the step in line {line} cannot be written anew")
        here = tuple(text for at, text in comments if start <= at < command.span.start)
        start = command.span.end
        found: list[str] = []
        if manager_of(command):
            names = _alpine_packages(command, choice, line)
            above += here if names else ()
            wanted.update(dict.fromkeys(names))
        elif read_user(command) is not None:
            from dockerslim_lint.plan.blocks.accounts import in_busybox

            found = in_busybox(build, image, command, choice, line)
        elif why_needed(command, choice.base) and not _only_removes_debians(image, command):
            found = [_kept(build, image, command, choice.base, line)]
        words += [_Part(text, () if number else here) for number, text in enumerate(found)]
    return _Part(" ".join(wanted), tuple(above)), words


def _set_by_the_step(image: FinalImage, commands: list[Command]) -> Iterator[str]:
    """The variables of which the step itself makes what its words take from them."""
    for command in commands:
        for word in command.words:
            for piece in word.shell.pieces if word.shell is not None else ():
                if isinstance(piece, Expansion):
                    here, before = command.variables.get(piece.name), image.variables.get(piece.name)
                    if here is not None and (before is None or before.text != here.text):
                        yield piece.name


def _alpine_packages(command: Command, choice: Choice, line: int) -> list[str]:
    if any(word.shell is not None and word.shell.literal is None for word in command.words):
        raise Unsure(f"what the final stage installs (line {line}) comes from a variable")
    install = read_install(command)
    found = []
    for name in install.packages if install is not None else ():
        known = packages.lookup(manager_of(command), name)
        if known is not None and needless_package(known, choice.base):
            continue
        if known is None or not known.alpine:
            raise NotPossible(f"the final stage installs {name} (line {line}), whose name on Alpine is not known")
        if known.role in ("library", "database-client-library", "plugin-library"):
            raise NotPossible(f"the final stage installs {name} (line {line})")
        found.append(known.alpine)
    return found


def _check_names(build: ImageBuild, image: FinalImage, choice: Choice) -> None:
    """Every name in USER and --chown is created by the file, or means the same account on both bases."""
    created = {user.name for user in image.users}
    named: list[tuple[Word | None, int | None]] = []
    own = [at for number in own_chain(build, image) for at in build.stages[number].instructions]
    for index in own:
        instruction = build.instructions[index]
        chown = instruction.flag("chown")
        words = instruction.words[:1] if instruction.keyword == "USER" else [chown.value] if chown else []
        named += [(word, index if chown else None) for word in words]
    for word, before in named:
        text, exact = pattern_of(word, image.variables, True) if word is not None else ("", False)
        if not exact or "*" in text or not text:
            raise Unsure("USER or --chown comes from a variable")
        if text[:1].isdecimal() and before is None:
            from dockerslim_lint.plan.blocks import accounts

            text = accounts.by_name(build, image, text, choice.base, again=True)
        if come_along(image, text, before):
            continue
        user, _, group = text.partition(":")
        for kind, name in (("user", user), ("group", group)):
            known = not name or name.isdecimal() or name in created
            if not known and not _same_number(build, image, kind, name, choice.base):
                raise Unsure(f"nothing in the file creates the {kind} {name}")


def _kept(build: ImageBuild, image: FinalImage, command: Command, base: BaseImage, line: int) -> str:
    other = _other_on_alpine(build, image, command, base)
    if other:
        raise Unsure(f"{other} (line {line})")
    text = _CONTINUATION.sub(" ", build.source.text(command.span))
    if "\n" in text:
        raise Unsure(f"the step in line {line} cannot be written anew")
    return text

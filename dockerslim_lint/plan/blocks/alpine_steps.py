"""RUN steps of the final stage in Alpine's words: its package names, busybox's adduser, and what busybox does as GNU does."""

from __future__ import annotations

import re

from dockerslim_lint.catalog import packages
from dockerslim_lint.catalog.images import BaseImage
from dockerslim_lint.edit import Edit
from dockerslim_lint.facts.env import pattern_of
from dockerslim_lint.facts.model import Command, FinalImage, ImageBuild
from dockerslim_lint.facts.packages import manager_of, read_install
from dockerslim_lint.facts.scripts import WRITERS
from dockerslim_lint.facts.users import come_along, read_user
from dockerslim_lint.plan.blocks.final_steps import needless_package, steps_of, why_needed
from dockerslim_lint.plan.blocks.lines import cased, insert_line, removal
from dockerslim_lint.plan.chains import own_chain
from dockerslim_lint.plan.model import Choice, Draft, NotPossible
from dockerslim_lint.plan.start import Start
from dockerslim_lint.syntax.tree import Instruction, Word

SAME_IN_BUSYBOX = {
    "mkdir": frozenset({"-p", "-m", "-v", "-pv"}),
    "chown": frozenset({"-R", "-v", "-h"}),
    "chmod": frozenset({"-R", "-v"}),
    "touch": frozenset[str](),
    "ln": frozenset({"-s", "-f", "-sf", "-fs", "-n", "-sfn"}),
}
"""Commands, and those of their flags, that mean the same in GNU coreutils and in busybox (busybox --help)."""

USER_FLAGS = {
    "-u": "-u",
    "--uid": "-u",
    "-d": "-h",
    "--home": "-h",
    "--home-dir": "-h",
    "-s": "-s",
    "--shell": "-s",
    "-c": "-g",
    "--comment": "-g",
    "--gecos": "-g",
    "-g": "-G",
    "--gid": "-G",
    "--ingroup": "-G",
}
"""Flags with a value of useradd(8) and Debian's adduser(8), and busybox adduser's for the same."""

USER_SWITCHES = {
    "-r": "-S",
    "--system": "-S",
    "-M": "-H",
    "--no-create-home": "-H",
    "-m": "",
    "--create-home": "",
    "-U": "",
    "--user-group": "",
    "--disabled-password": "",
    "--disabled-login": "",
    "-l": "",
    "--no-log-init": "",
}

SHELLS = {
    "/bin/bash": "/bin/sh",
    "/usr/bin/bash": "/bin/sh",
    "/usr/sbin/nologin": "/sbin/nologin",
    "/bin/nologin": "/sbin/nologin",
}
"""Alpine has no bash and keeps nologin in /sbin."""

_CONTINUATION = re.compile(r"[ \t]*\\\r?\n[ \t]*")


def translate_steps(build: ImageBuild, image: FinalImage, choice: Choice, start: Start) -> Draft:
    """Each RUN of the final image goes, stays, or is written anew in one line. Raises NotPossible for what has no equal.

    What has to be there for the container to `start` is installed with the first packages, or by a step of its own.
    """
    stage = build.stages[image.stage]
    if stage.image is None or stage.image.package_manager == "apk":
        raise NotPossible("the steps of the final stage cannot be told from Alpine's own")
    _check_names(build, image, choice)
    edits = []
    wanted = dict.fromkeys(start.packages)
    links = " ".join(f"&& ln -s {program} {path}" for program, path in start.links)
    for index in steps_of(build, image):
        instruction = build.instructions[index]
        commands = [command for command in image.commands if command.instruction == index]
        if commands and all(_stays(command, choice.base) for command in commands) and not instruction.flags:
            continue
        added, words = _translated(build, instruction, commands, choice)
        if added:
            added = list(dict.fromkeys((*added, *wanted)))
            words.insert(0, f"apk add --no-cache {' '.join(added)}{f' {links}' if links else ''}")
            wanted, links = {}, ""
        if words:
            body = instruction.body_span
            edits.append(Edit(body.start, body.end, " && ".join(words)))
        else:
            span = removal(build, instruction)
            edits.append(Edit(span.start, span.end, ""))
    if wanted:
        edits.append(insert_line(build, _behind_from(build, image), _install(build, image, wanted, links)))
    return Draft(tuple(edits))


def install_line(start: Start) -> str:
    """The step that installs what has to be there for the container to start; "" for nothing."""
    links = "".join(f" && ln -s {program} {path}" for program, path in start.links)
    return f"RUN apk add --no-cache {' '.join(start.packages)}{links}" if start.packages else ""


def _install(build: ImageBuild, image: FinalImage, wanted: dict[str, None], links: str) -> str:
    first = build.instructions[build.stages[own_chain(build, image)[0]].instruction]
    return cased(build, first, f"RUN apk add --no-cache {' '.join(wanted)}{f' {links}' if links else ''}")


def _behind_from(build: ImageBuild, image: FinalImage) -> int:
    return build.instructions[build.stages[own_chain(build, image)[0]].instruction].span.end


def _stays(command: Command, base: BaseImage) -> bool:
    """Whether a command that is needed does the same on Alpine, so that its step can stay as it is written."""
    if not command.name or manager_of(command) or read_user(command) is not None or not why_needed(command, base):
        return False
    words = [word.pattern for word in command.words[1:]]
    if command.name in SAME_IN_BUSYBOX:
        return all(word in SAME_IN_BUSYBOX[command.name] for word in words if word.startswith("-"))
    return _stays_written(command)


def _stays_written(command: Command) -> bool:
    """Whether it writes a file with the same text; shells do not agree on what echo makes of a backslash."""
    return command.name in WRITERS and bool(command.writes) and not any("\\" in word.pattern for word in command.words)


def _translated(
    build: ImageBuild, instruction: Instruction, commands: list[Command], choice: Choice
) -> tuple[list[str], list[str]]:
    """Alpine's packages that a step has to install, and its other commands."""
    line = build.source.line_of(instruction.span.start)
    if instruction.flags or instruction.heredocs or instruction.json is not None or not commands:
        raise NotPossible(f"the step in line {line} cannot be written anew")
    wanted: dict[str, None] = {}
    words: list[str] = []
    for command in commands:
        if not command.certain or command.nested:
            raise NotPossible(f"the step in line {line} cannot be written anew")
        if manager_of(command):
            wanted.update(dict.fromkeys(_alpine_packages(command, choice, line)))
        elif read_user(command) is not None:
            words += _account(build, command, choice, line)
        elif not why_needed(command, choice.base):
            continue
        else:
            words.append(_kept(build, command, line))
    return list(wanted), words


def _alpine_packages(command: Command, choice: Choice, line: int) -> list[str]:
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
    old = build.stages[image.stage].image
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
            raise NotPossible("USER or --chown comes from a variable")
        if come_along(image, text, before):
            continue
        for name in filter(None, text.split(":")):
            number = old.user_id(name) if old is not None else None
            if not name.isdecimal() and name not in created and (number is None or number != choice.base.user_id(name)):
                raise NotPossible(f"nothing in the file creates the user {name}")


def _account(build: ImageBuild, command: Command, choice: Choice, line: int) -> list[str]:
    """busybox's ``adduser`` and ``addgroup`` for the same account."""
    creation = read_user(command)
    assert creation is not None
    name = _written(build, command, creation.name)
    switches = {word.pattern for word in command.words}
    number = creation.uid
    if number and (not number.isdecimal() or int(number) in dict(choice.base.users).values()):
        raise NotPossible(f"the id of {creation.name} (line {line}) cannot be taken on Alpine")
    if creation.kind == "group":
        system = "-S " if {"-r", "--system", "-S"} & switches else ""
        return [f"addgroup {system}{f'-g {_written(build, command, number)} ' if number else ''}{name}"]
    words = ["adduser", "-D"]
    first = []
    if command.name == "useradd":
        # useradd makes no home by itself, and a group of the user's name also for a system account (Debian's login.defs)
        if not {"-m", "--create-home", "-M", "--no-create-home"} & switches:
            words.append("-H")
        if {"-r", "--system"} & switches and not {"-g", "--gid"} & switches:
            first = [f"addgroup -S {f'-g {_written(build, command, number)} ' if number else ''}{name}"]
            words += ["-G", name]
    rest = list(command.words[1:])
    while rest:
        word = rest.pop(0)
        flag, equals, value = word.pattern.partition("=")
        if not flag.startswith("-"):
            continue
        if flag in USER_FLAGS:
            if not equals and rest:
                word = rest.pop(0)
                value = word.pattern
            if word.shell is not None and word.shell.literal is None:
                raw = build.source.text(word.span)
                words += [USER_FLAGS[flag], raw.partition("=")[2] if equals else raw]
                continue
            value = SHELLS.get(value, value)
            if "*" in value or "'" in value or (USER_FLAGS[flag] == "-G" and value.isdecimal()):
                raise NotPossible(f"the user in line {line} cannot be made in the same way on Alpine")
            words += [USER_FLAGS[flag], value if value.replace("/", "").isalnum() else f"'{value}'"]
        elif flag in USER_SWITCHES:
            words += [USER_SWITCHES[flag]] if USER_SWITCHES[flag] else []
        else:
            raise NotPossible(f"{command.name} {flag} (line {line}) has no equal on Alpine")
    return [*first, " ".join([*words, name])]


def _written(build: ImageBuild, command: Command, value: str) -> str:
    """A word of the command as it is written, where a variable gives it this value; else the value."""
    for word in command.words:
        if word.pattern == value and word.shell is not None and word.shell.literal is None:
            return build.source.text(word.span)
    return value


def _kept(build: ImageBuild, command: Command, line: int) -> str:
    flags = SAME_IN_BUSYBOX.get(command.name)
    if flags is None and _stays_written(command):
        flags = frozenset[str](("-n", "-e"))
    if flags is None:
        raise NotPossible(f"the final stage runs {command.name} (line {line})")
    for word in command.words[1:]:
        if word.pattern.startswith("-") and word.pattern not in flags:
            raise NotPossible(f"{command.name} {word.pattern} (line {line}) may mean something else on Alpine")
    text = _CONTINUATION.sub(" ", build.source.text(command.span))
    if "\n" in text:
        raise NotPossible(f"the step in line {line} cannot be written anew")
    return text

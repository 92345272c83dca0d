"""What the accounts are that a file makes: the home, the first group, the numbers, and how they are written."""

from __future__ import annotations

from dockerslim_lint.catalog import accounts
from dockerslim_lint.catalog.images import BaseImage
from dockerslim_lint.facts.model import AccountOption, Command, FinalImage, ImageBuild, UserCreation
from dockerslim_lint.facts.users import read_user
from dockerslim_lint.plan.model import Choice, NotPossible, Unsure
from dockerslim_lint.syntax.tree import Expansion, Literal

USER_OPTIONS = {"uid": "-u", "home": "-h", "shell": "-s", "comment": "-g", "system": "-S"}
"""Options of a user by their common names, and busybox adduser's for the same."""

SHELLS = {
    "/bin/bash": "/bin/sh",
    "/usr/bin/bash": "/bin/sh",
    "/usr/sbin/nologin": "/sbin/nologin",
    "/bin/nologin": "/sbin/nologin",
}
"""Alpine has no bash and keeps nologin in /sbin."""

PEOPLE = range(1000, 60000)
"""The numbers that useradd and adduser give to users who are no system accounts (login.defs, UID_MIN and UID_MAX)."""

SYSTEM = range(100, 1000)


def has_home(user: UserCreation, base: BaseImage | None) -> bool:
    """Whether the user gets a home, or may."""
    if user.option("without_home"):
        return False
    if user.option("with_home") or user.option("home"):
        return True
    return accounts.makes_home(user.command.name, base, user.option("system") is not None)


def first_group(user: UserCreation) -> str:
    """The name or number of the user's first group; "" is one of its own, with its own name."""
    given = user.option("group")
    if given is not None:
        return given.value
    own = (
        True if user.option("own_group") or user.option("group_too") else False if user.option("no_own_group") else None
    )
    return accounts.default_group(user.command.name, user.option("system") is not None, own)


def group_number(
    image: FinalImage, base: BaseImage | None, group: str, user: UserCreation | None
) -> tuple[str, AccountOption | None]:
    """The number of a group, and the option that says it; of the group of the user's own for "". Raises NotPossible."""
    made = [one for one in image.users if one.kind == "group"]
    if group.isdecimal():
        given = user.option("group") if user is not None else None
        return group, given if given is not None and given.value == group else None
    for one in made:
        if one.name == group and one.uid.isdecimal() and not one.unread:
            return one.uid, one.option("uid")
    known = base.group_id(group) if base is not None else None
    if known is not None and not any(one.name == group for one in made):
        return str(known), None
    if user is None or group not in ("", user.name) or any(one.name == group for one in made) or first_group(user):
        raise NotPossible(f"the group {group} has no number of its own")
    taken = {one.uid for one in made} | {str(number) for _, number in (base.groups if base is not None else ())}
    if user.uid in taken:
        raise NotPossible(f"the group {user.name} cannot get the number of the user")
    return user.uid, user.option("uid")


def by_name(build: ImageBuild, image: FinalImage, user: str, base: BaseImage, again: bool = False) -> str:
    """A USER value with the name of the account that it means by a number: Docker takes that account's first group and home, which
    the new base has not. Any other value as it is. `again`: the file's steps make its accounts there anew. Raises Unsure.
    """
    number, colon, group = user.partition(":")
    if not number.isdecimal():
        return user
    made = [one for one in image.users if one.kind == "user"]
    for one in made:
        if one.uid.isdecimal() and int(one.uid) == int(number):
            return f"{one.name}{colon}{group}"
    old = build.stages[image.stage].image
    people = old is None or any(known in PEOPLE for _, known in old.users)
    for one in made:
        system = one.option("system") is not None
        chosen = SYSTEM if system else range(PEOPLE.start, PEOPLE.start + len(made) + people)
        if one.uid.isdecimal() or (not one.uid and int(number) not in chosen):
            continue
        if not again or system or people or one.uid:
            line = build.source.line_of(one.command.span.start)
            raise Unsure(f"{number} may be the user {one.name} (line {line}), who has no number of its own")
    for name, known in old.users if old is not None and not (again and group) else ():
        if old is None or known != int(number) or known == base.user_id(name):
            continue
        if accounts.own_account(old, name):
            return f"{name}{colon}{group}"
        if known in PEOPLE and not group:
            raise Unsure(f"{number} is the base's own user {name}, whose group and home the program may use")
    return user


def own_number(image: FinalImage, base: BaseImage | None, user: str) -> tuple[str, str] | None:
    """The numbers of a user that the base brings and of its first group; None where they are not known, or the image uses its home."""
    own = accounts.own_account(base, user) if base is not None else None
    if own is None:
        return None
    number, group, home = own
    named = [image.workdir, *image.volumes, *(transfer.destination for transfer in image.transfers)]
    named += [word.pattern for command in image.commands for word in command.words]
    named += [value.text or "" for name, value in image.variables.items() if name != "PATH"]
    return None if any(home in text for text in named) else (str(number), str(group))


def in_user(image: FinalImage, value: str, option: AccountOption | None) -> str | None:
    """How a number is written in USER and --chown: as the variable that it comes from, since another build argument makes it
    another one. None where it cannot be written."""
    name = _variable(option)
    if name is None:
        return value
    known = image.variables.get(name) if name else None
    return f"${{{name}}}" if known is not None and known.text == value else None


def in_shell(build: ImageBuild, option: AccountOption) -> str | None:
    """How a value that holds a variable is written in another command; None for one that holds none. Raises NotPossible."""
    name = _variable(option)
    if name is None:
        return None
    assert option.word is not None
    raw = build.source.text(option.word.span)
    if not option.before:
        return raw
    if name:
        return f'"${{{name}}}"' if '"' in raw else f"${name}" if f"${name}" in raw else f"${{{name}}}"
    raise NotPossible(f"the value of {option.flag} in {raw} is of several parts")


def _variable(option: AccountOption | None) -> str | None:
    """The variable that is an option's whole value, "" for more than a variable; None for a plain word."""
    word = option.word if option is not None else None
    if option is None or word is None or word.shell is None or word.shell.literal is not None:
        return None
    *ahead, last = word.shell.pieces
    before = "".join(piece.text for piece in ahead if isinstance(piece, Literal))
    plain = before == option.before and all(isinstance(piece, Literal) for piece in ahead)
    return last.name if plain and isinstance(last, Expansion) and not last.operator else ""


def in_busybox(build: ImageBuild, image: FinalImage, command: Command, choice: Choice, line: int) -> list[str]:
    """busybox's ``adduser`` and ``addgroup`` for the same account. Raises NotPossible."""
    creation = read_user(command)
    assert creation is not None
    name = _written(build, command, creation.name)
    number = _value(build, creation.option("uid"), line)
    system = "-S " if creation.option("system") else ""
    old = build.stages[image.stage].image
    group = first_group(creation)
    grouped = creation.kind == "group" or not group
    taken = dict(choice.base.groups if grouped else ()).values(), dict(choice.base.users).values()
    if creation.uid and (not creation.uid.isdecimal() or any(int(creation.uid) in numbers for numbers in taken)):
        raise Unsure(f"the id of {creation.name} (line {line}) cannot be taken on Alpine")
    if creation.unread or creation.option("groups"):
        odd = creation.unread or creation.options[-1].flag
        raise Unsure(f"{command.name} {odd} (line {line}) has no equal on Alpine")
    if creation.kind == "group":
        return [f"addgroup {system}{f'-g {number} ' if number else ''}{name}"]
    words = ["adduser", "-D"]
    first = []
    if not has_home(creation, old) and not creation.option("without_home"):
        words.append("-H")
    if system and not group:
        # a system account of busybox has no group of its own
        first = [f"addgroup -S {f'-g {number} ' if number else ''}{name}"]
        words += ["-G", name]
    for option in creation.options:
        if option.name in USER_OPTIONS:
            words += [USER_OPTIONS[option.name], *([_value(build, option, line)] if option.word is not None else [])]
        elif option.name == "without_home":
            words.append("-H")
        elif option.name == "group":
            words += ["-G", _group(build, image, creation, choice, line)]
    if group and not creation.option("group"):
        if creation.uid and (old is None or old.group_id(group) != choice.base.group_id(group)):
            raise Unsure(f"the user in line {line} cannot be made in the same way on Alpine")
        words += ["-G", group]
    return [*first, " ".join([*words, name])]


def _group(build: ImageBuild, image: FinalImage, user: UserCreation, choice: Choice, line: int) -> str:
    """The name of the group that a user is given. Raises NotPossible where Alpine has none that is the same."""
    option = user.option("group")
    assert option is not None
    for made in image.users:
        if made.kind == "group" and made.command.span < user.command.span:
            if made.name == option.value:
                return _value(build, option, line)
            number = made.option("uid")
            if number is not None and number.value == option.value and made.name:
                same = _value(build, number, line) == _value(build, option, line)
                if same and option.value.isdecimal():
                    return _written(build, made.command, made.name)
    old = build.stages[image.stage].image
    known = old.group_id(option.value) if old is not None else None
    if known is None or known != choice.base.group_id(option.value):
        raise NotPossible(f"the user in line {line} cannot be made in the same way on Alpine")
    return _value(build, option, line)


def _value(build: ImageBuild, option: AccountOption | None, line: int) -> str:
    """An option's value for a shell; "" where there is no such option."""
    if option is None:
        return ""
    written = in_shell(build, option)
    if written is not None:
        return written
    value = SHELLS.get(option.value, option.value)
    if "*" in value or "'" in value:
        raise NotPossible(f"the user in line {line} cannot be made in the same way on Alpine")
    return value if value.replace("/", "").replace("-", "").replace("_", "").isalnum() else f"'{value}'"


def _written(build: ImageBuild, command: Command, value: str) -> str:
    """A word of the command as it is written, where a variable gives it this value; else the value."""
    for word in command.words:
        if word.pattern == value and word.shell is not None and word.shell.literal is None:
            return build.source.text(word.span)
    return value

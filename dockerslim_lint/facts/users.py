"""useradd, adduser and their groups."""

from __future__ import annotations

from dockerslim_lint.facts.model import Command, FinalImage, UserCreation

ACCOUNT_FILES = ("/etc/passwd", "/etc/group")
"""Where the parts of ``user:group`` are looked up."""

KINDS = {"useradd": "user", "adduser": "user", "groupadd": "group", "addgroup": "group"}

ID_FLAGS = {
    "useradd": {"-u", "--uid"},
    "adduser": {"-u", "--uid"},
    "groupadd": {"-g", "--gid"},
    "addgroup": {"-g", "--gid"},
}

ROOT = frozenset({"", "0", "root"})
"""Spellings of root, as a user or as a group; nothing said is root too."""

VALUE_FLAGS = frozenset(
    [
        "-u",
        "--uid",
        "-g",
        "--gid",
        "-G",
        "--groups",
        "-d",
        "--home",
        "--home-dir",
        "-h",
        "-s",
        "--shell",
        "-c",
        "--comment",
        "--gecos",
        "-k",
        "--skel",
        "-K",
        "--key",
        "-b",
        "--base-dir",
        "-e",
        "--expiredate",
        "-f",
        "--inactive",
        "-p",
        "--password",
        "--ingroup",
        "-G",
    ]
)
"""Flags with a value: useradd(8), Debian's adduser(8), busybox adduser (where -D, -S, -H take none)."""


def is_root(user: str) -> bool:
    """Whether a USER value is root, in whatever group."""
    return user.partition(":")[0] in ROOT


def is_plain_root(user: str) -> bool:
    """Whether a USER value is root in root's own group."""
    return all(part in ROOT for part in user.split(":", 1))


def come_along(image: FinalImage, account: str, before: int | None = None) -> bool:
    """Whether the names in ``user[:group]`` mean on any base what they mean in the image: it copies an /etc/passwd of its own, and an
    /etc/group for a group. `before` is the instruction that asks, where that is not the end of the stage."""
    from dockerslim_lint.facts.scripts import source_at

    copies = [one for one in image.transfers if before is None or one.instruction < before]
    named = [place for place, name in zip(ACCOUNT_FILES, account.split(":"), strict=False) if not name.isdecimal()]
    return all(any(source_at(place, transfer) is not None for transfer in copies) for place in named)


def read_user(command: Command) -> UserCreation | None:
    """The user or group that a command makes; None for any other command."""
    kind = KINDS.get(command.name)
    if kind is None:
        return None
    identifier = name = ""
    names: list[str] = []
    words = [word.pattern for word in command.words[1:]]
    at = 0
    while at < len(words):
        text = words[at]
        at += 1
        flag, equals, value = text.partition("=")
        if not text.startswith("-"):
            names.append(text)
            continue
        if flag in VALUE_FLAGS:
            if not equals and at < len(words):
                value = words[at]
                at += 1
            if flag in ID_FLAGS[command.name]:
                identifier = value
    # `adduser user group` only puts a user into a group
    if not names or (command.name == "adduser" and len(names) > 1):
        return None
    name = names[-1]
    return UserCreation(command, kind, name, identifier)

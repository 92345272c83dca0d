"""useradd, adduser and their groups."""

from __future__ import annotations

from dockerslim_lint.facts.model import AccountOption, Command, CommandWord, FinalImage, UserCreation
from dockerslim_lint.syntax.tree import Literal

ACCOUNT_FILES = ("/etc/passwd", "/etc/group")
"""Where the parts of ``user:group`` are looked up."""

KINDS = {"useradd": "user", "adduser": "user", "groupadd": "group", "addgroup": "group"}

ROOT = frozenset({"", "0", "root"})
"""Spellings of root, as a user or as a group; nothing said is root too."""


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
    options, names, unread = _read(command)
    # `adduser user group` only puts a user into a group
    if not names or (command.name.startswith("add") and len(names) > 1):
        return None
    if len(names) > 1:
        unread = unread or names[0].pattern
    found = UserCreation(command, kind, names[-1].pattern, "", tuple(options), unread)
    number = found.option("uid")
    if found.option("group_too") and not found.option("system"):
        found = found._replace(kind="group", unread=unread or "--group")
    return found._replace(uid=number.value) if number is not None else found


def _read(command: Command) -> tuple[list[AccountOption], list[CommandWord], str]:
    """The options, the words that are none, and the first word that is not understood."""
    from dockerslim_lint.catalog import accounts

    options: list[AccountOption] = []
    names: list[CommandWord] = []
    unread = ""
    rest = list(command.words[1:])

    def take(flag: str, attached: tuple[CommandWord, str] | None) -> bool:
        """Reads one option; `attached` is the word that may hold its value, with what stands before it. Whether it had a value."""
        nonlocal unread
        known = accounts.option(command.name, flag)
        valued = known[2] if known is not None else accounts.takes_value(flag)
        word, before = attached if attached is not None else (None, "")
        if valued and word is None and rest:
            word, before = rest.pop(0), ""
        if known is None or known[1] == accounts.UNREAD or (valued and word is None):
            unread = unread or flag
        else:
            value = word.pattern[len(before) :] if valued and word is not None else ""
            options.append(AccountOption(known[1], flag, value, word if valued else None, before))
        return valued

    while rest:
        word = rest.pop(0)
        text = word.pattern
        if text == "--":
            names += rest
            break
        if _is_several(word):
            unread = unread or text
        if not text.startswith("-") or text == "-":
            names.append(word)
        elif text.startswith("--"):
            flag, equals, _ = text.partition("=")
            if not take(flag, (word, flag + equals) if equals else None) and equals:
                unread = unread or text
        else:
            for at in range(1, len(text)):
                if take(f"-{text[at]}", (word, text[: at + 1]) if at + 1 < len(text) else None):
                    break
    return options, names, unread


def _is_several(word: CommandWord) -> bool:
    """Whether a word may be options, or more words than one, once a shell has replaced the variables in it."""
    if word.shell is None or word.shell.literal is not None:
        return False
    bare = [piece for piece in word.shell.pieces if not isinstance(piece, Literal) and not piece.quote]
    return (word.pattern.startswith("-") and not isinstance(word.shell.pieces[0], Literal)) or bool(
        bare and " " in word.pattern
    )

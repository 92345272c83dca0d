"""What the accounts are that a file makes: the home, the first group, the numbers, and how they are written."""

from __future__ import annotations

from dockerslim_lint.catalog import accounts
from dockerslim_lint.catalog.images import BaseImage
from dockerslim_lint.facts.model import AccountOption, FinalImage, ImageBuild, UserCreation
from dockerslim_lint.plan.model import NotPossible
from dockerslim_lint.syntax.tree import Expansion, Literal


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

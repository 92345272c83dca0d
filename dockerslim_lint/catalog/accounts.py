"""Programs that make users and groups: their options, and what they do where nothing is said."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from dockerslim_lint.catalog.images import BaseImage
from dockerslim_lint.catalog.tables import table

UNREAD = "other"
"""The name of options that change the account in a way that nobody follows."""


def option(tool: str, text: str) -> tuple[str, str, bool] | None:
    """An option's spelling, its common name, and whether a value follows; of a long one a beginning is enough. None: unknown."""
    known = _options(tool)
    found = known.get(text)
    if found is None and text.startswith("--"):
        meant = {spelling: one for spelling, one in known.items() if spelling.startswith(text)}
        if len(set(meant.values())) == 1:
            text, found = next(iter(meant.items()))
    return (text, *found) if found is not None else None


def takes_value(text: str) -> bool:
    """Whether an option that a tool does not have takes a value with some other one."""
    return any(_options(tool).get(text, ("", False))[1] for tool in _rows())


def makes_home(tool: str, base: BaseImage | None, system: bool) -> bool:
    """Whether a user gets a home that nothing asks for or forbids; True where that is not known."""
    row = _rows()[tool]
    if base is None or (system and base.release in row.get("system_without_home", "").split()):
        return base is None
    return base.package_manager in row.get("home", "").split()


def default_group(tool: str, system: bool, own: bool | None) -> str:
    """The first group of a user who is given none; "" is one of its own. `own` is what an option says of it."""
    row = _rows()[tool]
    if own is not None:
        return "" if own else str(row.get("plain_group", "nogroup"))
    return str(row.get("system_group", "")) if system else ""


def own_account(base: BaseImage, name: str) -> tuple[int, int, str] | None:
    """The number, the first group's number and the home, which is not there, of an account that the base brings; None where one is not known."""
    for row in table("accounts")["own"]:
        if row["name"] == name and base.package_manager in row["managers"].split():
            return (row["number"], row["group"], row["home"]) if base.user_id(name) == row["number"] else None
    return None


@cache
def _options(tool: str) -> Mapping[str, tuple[str, bool]]:
    row = _rows()[tool]
    return {
        spelling: (name, valued)
        for kind, valued in (("values", True), ("switches", False))
        for name, spellings in row.get(kind, {}).items()
        for spelling in spellings.split()
    }


@cache
def _rows() -> Mapping[str, Mapping[str, Any]]:
    return {row["name"]: row for row in table("accounts")["row"]}

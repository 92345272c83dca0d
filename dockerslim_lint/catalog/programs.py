"""Which programs a base image surely lacks. Loaded when something is to start that no step of the file puts there."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from dockerslim_lint.catalog.images import BaseImage
from dockerslim_lint.catalog.tables import table


def is_empty(base: BaseImage) -> bool:
    """Whether the base holds no program at all."""
    return not base.shell and any(row.get("empty", False) for row in _rows(base.family, ""))


def lacks(base: BaseImage, program: str) -> bool:
    """Whether the base is known to be without a program that others have; False where nobody knows."""
    if is_empty(base):
        return True
    if program in base.tools or base.cxx_compiler:
        return False  # a whole build environment brings more than is listed
    return any(program in _words(row.get("lacks", "")) for row in _rows(base.family, base.package_manager))


def is_tool(program: str) -> bool:
    """Whether it is one of the programs that some base is known to lack."""
    return any(program in _words(row.get("lacks", "")) for row in table("programs")["base"])


def _rows(family: str, manager: str) -> tuple[Mapping[str, Any], ...]:
    rows = table("programs")["base"]
    return tuple(row for row in rows if family in row["families"].split() and row.get("manager", "") == manager)


@cache
def _words(text: str) -> frozenset[str]:
    sets = table("programs")["set"]
    found: set[str] = set()
    for word in text.split():
        found |= _words(sets[word[1:]]) if word[0] == "@" else {word}
    return frozenset(found)

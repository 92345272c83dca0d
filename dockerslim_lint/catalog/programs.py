"""Which programs a base image surely lacks. Loaded when something is to start that no step of the file puts there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


def is_builtin(program: str, bash: bool) -> bool:
    """Whether it is a word of the shell's own: of any POSIX shell, or with `bash` of bash too."""
    shell = table("programs")["shell"]
    return program in _words(shell["posix"]) or (bash and program in _words(shell["bash"]))


def same_in_busybox(program: str, arguments: Sequence[str | None]) -> bool | None:
    """Whether Alpine's busybox does the same for these arguments as Debian's program; None where it has no such program.

    An argument that nobody knows (None) is taken for no option.
    """
    row = next((row for row in table("programs")["applet"] if program in row["options"]), None)
    if row is None:
        return None
    options, operand = row["options"][program], row.get("operands", {}).get(program, "")
    for argument in arguments:
        if argument == "--":
            break
        if argument is None or argument == "-":
            continue
        if argument.startswith("-"):
            letters = argument[1:].rstrip("0123456789")
            if not all(letter in options for letter in letters):
                return False
        elif not argument.startswith(operand):
            return False
    return True


def own_words(program: str) -> int | None:
    """How many words of its own a program has before the command that it runs; None for one that runs none."""
    return next((row["words"][program] for row in table("programs")["wrapper"] if program in row["words"]), None)


def lacked_by_alpine(path: str) -> bool:
    """Whether a path is one that Debian has and Alpine has not."""
    return "-linux-gnu" in path or _is_below(path, table("programs")["only_debian"]["lacks"])


def other_in_alpine(path: str) -> bool:
    """Whether what stands at a path, if anything, is another thing in Alpine than in Debian."""
    return _is_below(path, table("programs")["only_debian"]["other"])


def _is_below(path: str, places: str) -> bool:
    return any(path == place or path.startswith(f"{place}/") for place in places.split())

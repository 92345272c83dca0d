"""Which programs a base image surely lacks. Loaded when something is to start that no step of the file puts there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
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


def left_out(base: BaseImage, program: str) -> str:
    """The package of a program that the distribution's image no longer has from this release on; "" for any other."""
    for row in table("programs")["left_out"] if not base.tools and base.release else ():
        known = base.family in row["families"].split() and base.release in row["releases"].split()
        if known and program in row["programs"].split():
            return str(row["package"])
    return ""


def is_tool(program: str) -> bool:
    """Whether it is one of the programs that some base is known to lack."""
    return any(program in _words(row.get("lacks", "")) for row in table("programs")["base"])


def is_of_every_system(program: str) -> bool:
    """Whether every distribution's image has such a program, small or not."""
    return program in _words(table("programs")["system"]["programs"])


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


def sets_variables(program: str) -> bool:
    """Whether it is a word of the shell that may give any variable a value."""
    return program in _words(table("programs")["shell"]["sets"])


def is_given(variable: str) -> bool:
    """Whether platforms that run containers give them a variable of this name."""
    return variable in _words(table("programs")["given"]["variables"])


def has_locale(base: BaseImage, name: str) -> bool | None:
    """Whether a base has a locale, by whatever spelling of its character set; None where nobody knows."""
    known = table("programs")["locales"]
    if base.family not in known["families"].split():
        return None
    return _spelt(name) in {_spelt(one) for one in known["has"].split()}


def _spelt(locale: str) -> str:
    """glibc takes ``C.UTF-8``, ``C.utf8`` and ``C.UTF8`` for one."""
    area, dot, characters = locale.partition(".")
    return area + dot + characters.lower().replace("-", "")


def brings_locales(package: str) -> bool:
    """Whether a package brings locales."""
    return any(fnmatchcase(package, one) for one in table("programs")["locales"]["packages"].split())


def locale_hints() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Words in a step that may make locales, and variables that name another place for them."""
    known = table("programs")["locales"]
    return tuple(known["words"].split()), tuple(known["variables"].split())


def complains_of_locale(program: str, variable: str) -> bool:
    """Whether a program that starts says so when the locale of this variable is not there."""
    return any(
        row["program"] == program and any(fnmatchcase(variable, one) for one in row["variables"].split())
        for row in table("programs")["complains"]
    )


def same_in_busybox(program: str, arguments: Sequence[str | None]) -> bool | None:
    """Whether Alpine's busybox does the same for these arguments as Debian's program; None where it has no such program.

    An argument that nobody knows (None) is taken for no option.
    """
    row = next((row for row in table("programs")["applet"] if program in row["options"]), None)
    if row is None:
        return None
    options, operand = row["options"][program], row.get("operands", {}).get(program, "")
    whole = row.get("words", {}).get(program, "").split()
    for argument in arguments:
        if argument == "--":
            break
        if argument is None or argument == "-":
            continue
        if argument in whole:
            continue
        if argument.startswith("-") and whole and argument[1:].isdecimal():
            continue  # a value: `-perm -4000`, `-mtime -1`
        if argument.startswith("-"):
            letters = argument[1:].rstrip("0123456789")
            if not all(letter in options for letter in letters):
                return False
        elif not argument.startswith(operand):
            return False
    return True


def checks_with_busybox(program: str, arguments: Sequence[str | None]) -> bool:
    """Whether a health check that calls the program with these arguments can do with Alpine's busybox.

    An argument that nobody knows (None) is taken for an address.
    """
    row = table("programs")["health"]
    short, long = row["options"].get(program), row["long"].get(program, "").split()
    if short is None:
        return False
    rest = iter(arguments)
    for argument in rest:
        if argument is None or not argument.startswith("-") or argument == "-":
            continue
        if argument.startswith("--"):
            if argument[2:].partition("=")[0] not in long:
                return False
            continue
        for at, letter in enumerate(argument[1:], 2):
            place = short.find(letter)
            if place < 0 or letter == ":":
                return False
            if short[place + 1 : place + 2] == ":":
                if at == len(argument) and letter != "n":
                    next(rest, None)
                break
    return True


def step_kind(program: str) -> str:
    """What a program does in a RUN of a final stage: needless, makes, removes or alters; "" for any other."""
    return _kinds().get(program, "")


@cache
def _kinds() -> Mapping[str, str]:
    steps = table("programs")["steps"]
    return {name: kind for kind in ("alters", "removes", "makes", "needless") for name in steps[kind].split()}


def lists_libraries(program: str) -> bool:
    """Whether a program prints which shared libraries another one loads."""
    return program in _listing()


@cache
def _listing() -> frozenset[str]:
    return frozenset(table("programs")["libraries"]["lists"].split())


def trusts(program: str) -> tuple[str, ...]:
    """The directories whose certificates a program makes trusted in the whole image; () for any other program."""
    return tuple(table("programs")["trusts"].get(program, "").split())


def only_cleans(program: str, arguments: Sequence[str]) -> bool:
    """Whether a command only takes away what the base's packages left behind."""
    cleaning, places = _cleaning()
    if program not in cleaning:
        return False
    named = operands(program, arguments)
    return bool(named) and all(_is_left_behind(path, places) for path in named)


@cache
def _cleaning() -> tuple[frozenset[str], tuple[str, ...]]:
    steps = table("programs")["steps"]
    return frozenset(steps["cleans"].split()), tuple(steps["places"].split())


def _is_left_behind(path: str, places: Sequence[str]) -> bool:
    return ".." not in path and any(path.startswith(place.rstrip("/") + "/") or path == place for place in places)


def operands(program: str, arguments: Sequence[str]) -> list[str]:
    """The words of a command of a RUN that name files: not its options, nor a value that stands behind one."""
    values = table("programs")["values"]
    found: list[str] = []
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word.startswith("-") and len(word) > 1:
            if word[-1] in values["letters"].get(program, ""):
                del rest[:1]
            if program in values["ends"].split():
                break
        elif program in values["ends"].split() and word in ("!", "(", "\\("):
            break
        else:
            found.append(word)
    return found[values["first"].get(program, 0) :]


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

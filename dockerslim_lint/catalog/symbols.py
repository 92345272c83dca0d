"""Who uses a program's symbols: crates when it runs, tools, stages that keep them."""

import re
from collections.abc import Mapping
from functools import cache

from dockerslim_lint.catalog.tables import table


def why_wanted(crate: str, features: tuple[str, ...] = ()) -> str:
    """What a crate does with symbols, with these features, "" if it does nothing that is known."""
    row = _rows().get(crate)
    if row is None or ("features" in row and not set(row["features"].split()) & set(features)):
        return ""
    return str(row["why"])


def is_reader(name: str) -> bool:
    """Whether a program, or the package that has it, is there to read the symbols of another one."""
    return name in _readers()


def symbolizes(package: str) -> bool:
    """Whether a package is of use to a program that reports its own addresses."""
    return package in _symbolizers()


def may_name_a_reader(data: bytes) -> bool:
    """Whether the name of such a program stands anywhere in a file."""
    return any(name.encode() in data for name in _readers())


def names_a_reader(script: bytes) -> bool:
    """Whether a script has the name of such a program as a word, with a target before it too (``aarch64-linux-gnu-nm``)."""
    words = re.findall(rb"[\w-]+", script) if may_name_a_reader(script) else ()
    names = {name.encode() for name in _readers()}
    return any(word in names or word.rpartition(b"-")[2] in names for word in words)


def keeps_them(name: str) -> bool:
    """Whether a stage or a file is named after the symbols that are kept in it: ``symbols``, ``app-symbols``, ``app.debug``."""
    words = name.lower().replace("-", " ").replace("_", " ").replace(".", " ").split()
    return not _keeping().isdisjoint(words)


@cache
def _keeping() -> frozenset[str]:
    return frozenset(table("symbols")["stages"]["names"].split())


@cache
def _symbolizers() -> frozenset[str]:
    return frozenset(table("symbols")["symbolizers"]["names"].split())


@cache
def _readers() -> tuple[str, ...]:
    return tuple(table("symbols")["tools"]["names"].split())


@cache
def _rows() -> dict[str, Mapping[str, str]]:
    return {crate: row for row in table("symbols")["user"] for crate in row["crates"].split()}

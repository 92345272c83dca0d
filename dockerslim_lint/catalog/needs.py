"""What crates need beside the program when it runs. Loaded when a Cargo.lock is looked at."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from dockerslim_lint.catalog.tables import table


def needing(need: str, crates: Iterable[str]) -> tuple[str, ...]:
    """Those of `crates` that need it, none if one of them brings it along. `need` is certificates, tzdata, toolchain or threads."""
    names = tuple(crates)
    return () if brings(need, names) else leaning(need, names)


def leaning(need: str, crates: Iterable[str]) -> tuple[str, ...]:
    """The same, whatever another brings along: beside Mozilla's roots for one client there is the system's OpenSSL for another."""
    return tuple(name for name in crates if name in _crates(need, False))


def brings(need: str, crates: Iterable[str]) -> bool:
    """Whether one of `crates` brings it along."""
    return not _crates(need, True).isdisjoint(crates)


def in_release(crates: Iterable[str]) -> tuple[str, ...]:
    """What crates do otherwise in a build without debug assertions, as clauses."""
    names = set(crates)
    return tuple(row["does"] for row in table("needs")["release"] if not names.isdisjoint(row["crates"].split()))


def is_of_rust(program: str) -> bool:
    """Whether a program comes with Rust's toolchain."""
    return program in table("needs")["starts"]["rust"].split()


def is_of_a_toolchain(program: str) -> bool:
    """The same, a C compiler and what stands beside it too."""
    return is_of_rust(program) or program in table("needs")["starts"]["compilers"].split()


@cache
def _crates(need: str, own: bool) -> frozenset[str]:
    rows = table("needs")["crate"]
    return frozenset(
        crate for row in rows if row["need"] == need and row.get("own", False) is own for crate in row["crates"].split()
    )

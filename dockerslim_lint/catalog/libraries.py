"""Which shared libraries a base image surely lacks. Loaded when a crate wants one."""

from __future__ import annotations

from collections.abc import Iterable

from dockerslim_lint.catalog.images import BaseImage
from dockerslim_lint.catalog.tables import table


def lacks(base: BaseImage, packages: Iterable[str]) -> bool:
    """Whether the base is known to have none of the Debian packages that may hold a library; none named: one that nobody knows."""
    wanted, missing = set(packages), set[str]()
    for row in table("libraries")["base"]:
        releases = row.get("releases", base.release).split()
        meant = base.title in row["titles"].split() if "titles" in row else base.family in row["families"].split()
        if meant and (base.release in releases or not releases):
            if "has" in row:
                return wanted.isdisjoint(row["has"].split())
            missing.update(row["lacks"].split())
    return bool(wanted) and missing.issuperset(wanted)


def unwinder() -> tuple[str, tuple[str, ...]]:
    """The library that every Rust program for glibc links beside it, and the Debian packages that may hold it."""
    row = table("libraries")["unwinder"]
    return row["library"], tuple(row["packages"].split())


def has_own_unwinder(flags: str) -> bool:
    """Whether rustc's flags may take that library into the program."""
    return any(word in flags for word in table("libraries")["unwinder"]["without"].split())

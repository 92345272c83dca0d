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
        if base.family in row["families"].split() and (base.release in releases or not releases):
            if "has" in row:
                return wanted.isdisjoint(row["has"].split())
            missing.update(row["lacks"].split())
    return bool(wanted) and missing.issuperset(wanted)

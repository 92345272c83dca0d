"""glibc from version to version: what a program linked on a newer one asks of an older one."""

from __future__ import annotations

from dockerslim_lint.catalog.tables import table
from dockerslim_lint.record import Record


class Step(Record):
    """A version in which functions got a new version. `when`: what a program does that needs it ("starts other programs")."""

    version: str
    when: str
    every: bool = False
    """Every program needs it."""
    certainty: str = "believed"
    source: str = ""


def is_newer(first: str, second: str) -> bool:
    """Whether the glibc `first` is newer than `second` (``2.36``)."""
    return _numbers(first) > _numbers(second)


def steps(built: str, base: str) -> tuple[Step, ...]:
    """What a program that was linked on `built` may ask for and `base` does not have, the oldest first."""
    rows = (Step(**row) for row in table("glibc")["step"])
    return tuple(row for row in rows if is_newer(row.version, base) and not is_newer(row.version, built))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())

"""Crates that use a program's symbols at run time."""

from functools import cache

from dockerslim_lint.catalog.tables import table


def why_wanted(crate: str) -> str:
    """What a crate does with symbols, "" if it does nothing that is known."""
    return _rows().get(crate, "")


@cache
def _rows() -> dict[str, str]:
    return {crate: row["why"] for row in table("symbols")["user"] for crate in row["crates"].split()}

"""Editions and lock formats: since which Rust cargo reads them."""

from __future__ import annotations

from dockerslim_lint.catalog.tables import table


def since(kind: str, name: str) -> str:
    """The first version (``1.85``) that reads an edition or lock of this name; "" for one that no row has, or that all read."""
    return next((row["since"] for row in table("formats")["row"] if (row["kind"], row["name"]) == (kind, name)), "")

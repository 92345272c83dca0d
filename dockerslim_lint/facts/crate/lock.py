"""Cargo.lock: which packages may be in the build."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def package_names(lock: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of all locked packages, sorted, each once (lock formats 1 to 4)."""
    packages = lock.get("package", [])
    if not isinstance(packages, list):
        return ()
    packages = [*packages, lock.get("root")]  # format 1 of cargo before 0.18 kept the root package apart
    return tuple(sorted({entry["name"] for entry in packages if isinstance(entry, Mapping) and _named(entry)}))


def _named(entry: Mapping[str, Any]) -> bool:
    return isinstance(entry.get("name"), str)

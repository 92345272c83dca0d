"""Cargo.lock: which packages may be in the build."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dockerslim_lint.record import Record


class Locked(Record):
    """A locked package: its `versions`, as written, and the names of all that any of them depends on."""

    versions: tuple[str, ...]
    dependencies: tuple[str, ...]


def locked_packages(lock: Mapping[str, Any]) -> dict[str, Locked]:
    """All locked packages by name, sorted (lock formats 1 to 4)."""
    packages = lock.get("package", [])
    found: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
    # format 1 of cargo before 0.18 kept the root package apart
    for entry in (*packages, lock.get("root")) if isinstance(packages, list) else ():
        name = entry.get("name") if isinstance(entry, Mapping) else None
        if not isinstance(name, str):
            continue
        versions, dependencies = found.setdefault(name, ({}, {}))
        version, wanted = entry.get("version"), entry.get("dependencies")
        if isinstance(version, str):
            versions[version] = None
        # "name", or "name version" where there are several, or with the source behind it
        for text in wanted if isinstance(wanted, list) else ():
            if isinstance(text, str) and text:
                dependencies[text.split(" ", 1)[0]] = None
    return {
        name: Locked(tuple(versions), tuple(dependencies)) for name, (versions, dependencies) in sorted(found.items())
    }


def leads_to(locked: Mapping[str, Locked], first: str, wanted: str) -> bool:
    """Whether the package `first` depends on `wanted`, directly or through others."""
    seen: set[str] = set()
    pending = [first]
    while pending:
        name = pending.pop()
        if name == wanted:
            return True
        if name in seen or name not in locked:
            continue
        seen.add(name)
        pending += locked[name].dependencies
    return False

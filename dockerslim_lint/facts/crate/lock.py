"""Cargo.lock: which packages may be in the build."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def package_names(lock: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of all locked packages, sorted, each once (lock formats 1 to 4)."""
    packages = lock.get("package")
    if not isinstance(packages, list):
        return ()
    return tuple(sorted({entry["name"] for entry in packages if isinstance(entry, Mapping) and _named(entry)}))


def dependency_graph(lock: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Each locked package with the names that it depends on; the versions of one name are taken together."""
    packages = lock.get("package")
    graph: dict[str, tuple[str, ...]] = {}
    for entry in packages if isinstance(packages, list) else ():
        if isinstance(entry, Mapping) and _named(entry):
            names = entry.get("dependencies", ())
            needed = [text.partition(" ")[0] for text in names if isinstance(text, str)]
            graph[entry["name"]] = (*graph.get(entry["name"], ()), *needed)
    return graph


def _named(entry: Mapping[str, Any]) -> bool:
    return isinstance(entry.get("name"), str)

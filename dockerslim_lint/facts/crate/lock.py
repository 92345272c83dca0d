"""Cargo.lock: which packages may be in the build."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dockerslim_lint.record import Record

LOCK = "Cargo.lock"


def version(data: bytes) -> str:
    """The format that a lock says it has, "" for the first two, which do not. Only its head is read."""
    head = data.partition(b"[[")[0].decode("utf-8", "replace").splitlines()
    found = (line.partition("=")[2].strip() for line in head if line.partition("=")[0].strip() == "version")
    return next(found, "")


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


class Node(Record):
    """One version of a locked package: `local` where it comes from a path; `dependencies` are keys of the graph."""

    name: str
    version: str
    local: bool
    dependencies: tuple[str, ...]


def lock_graph(lock: Mapping[str, Any]) -> dict[str, Node]:
    """Every locked package under ``name version``, with what it depends on (lock formats 1 to 4).

    Two sources of one version are one node. The lock does not tell normal dependencies from those of build scripts or of
    another platform; an optional one is listed where some feature in the workspace brings it, used or not (knowledge §4.1).
    """
    packages = lock.get("package", [])
    entries = (
        [
            entry
            for entry in (*packages, lock.get("root"))
            if isinstance(entry, Mapping) and isinstance(entry.get("name"), str)
        ]
        if isinstance(packages, list)
        else []
    )
    versions: dict[str, list[str]] = {}
    for entry in entries:
        versions.setdefault(entry["name"], []).append(_key(entry))
    known = {key for keys in versions.values() for key in keys}
    found: dict[str, Node] = {}
    for entry in entries:
        key, wanted = _key(entry), entry.get("dependencies")
        needed = dict.fromkeys(found[key].dependencies) if key in found else {}
        for text in wanted if isinstance(wanted, list) else ():
            words = text.split(" ") if isinstance(text, str) else [""]
            named = [f"{words[0]} {words[1]}"] if len(words) > 1 else versions.get(words[0], ())
            needed.update(dict.fromkeys(one for one in named if one in known))
        found[key] = Node(entry["name"], _version(entry), "source" not in entry, tuple(needed))
    return found


def _key(entry: Mapping[str, Any]) -> str:
    return f"{entry['name']} {_version(entry)}"


def _version(entry: Mapping[str, Any]) -> str:
    version = entry.get("version")
    return version if isinstance(version, str) else ""

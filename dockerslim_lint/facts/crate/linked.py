"""Which packages of Cargo.lock a crate's programs can link."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dockerslim_lint.context import BuildContext
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.crate import manifest
from dockerslim_lint.facts.crate.manifest import BrokenFileError

ELSEWHERE = ("windows", "macos", "ios", "wasm", "android", "wasi")
"""Words of a ``cfg`` that is not about Linux, unless it says ``not``."""


def linked_packages(
    context: BuildContext, graph: Mapping[str, tuple[str, ...]], directories: tuple[str, ...], root: str
) -> tuple[str, ...]:
    """What the normal dependencies of the packages in `directories` reach; dev-, build- and optional ones are left out.

    `graph` holds the locked packages with those that they depend on. `root` is the workspace's directory. A package that a
    feature brings, or only another platform needs, may be among them; what is not among them is hardly linked.
    """
    inherited = _dependencies(_read(context, root) or {}, "workspace")
    found: set[str] = set()
    waiting: list[str] = []
    seen: set[str] = set()
    local = list(directories)
    while local:
        directory = local.pop()
        if directory in seen:
            continue
        seen.add(directory)
        data = _read(context, directory)
        if data is None:
            continue
        for name, table in _normal(data):
            if table.get("workspace") is True:
                where, table = root, {**_table(inherited.get(name)), "optional": table.get("optional", False)}
            else:
                where = directory
            if table.get("optional") is True:
                continue
            path = table.get("path")
            if isinstance(path, str):
                local.append(patterns.normalise(f"{where}/{path}" if where else path).replace("./", ""))
                found.add(_package(name, table))
            else:
                waiting.append(_package(name, table))
    while waiting:
        name = waiting.pop()
        if name not in found and name in graph:
            found.add(name)
            waiting += graph[name]
    return tuple(sorted(found))


def _normal(data: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    tables = [_dependencies(data)]
    for condition, table in manifest.table(data, "target").items():
        foreign = any(word in condition for word in ELSEWHERE) and "not(" not in condition
        if isinstance(table, Mapping) and not foreign:
            tables.append(_dependencies(table))
    for table in tables:
        for name, value in table.items():
            yield name, _table(value)


def _dependencies(data: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return manifest.table(data, *names, "dependencies")


def _table(value: object) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}


def _package(name: str, table: Mapping[str, Any]) -> str:
    renamed = table.get("package")
    return renamed if isinstance(renamed, str) else name


def _read(context: BuildContext, directory: str) -> dict[str, Any] | None:
    try:
        return manifest.read_toml(context, f"{directory}/Cargo.toml" if directory not in ("", ".") else "Cargo.toml")
    except BrokenFileError:
        return None

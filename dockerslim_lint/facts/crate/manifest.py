"""Cargo.toml: the programs of a crate, and its profiles."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from dockerslim_lint.context import BuildContext

if TYPE_CHECKING:
    from dockerslim_lint.facts.crate.model import Asked

SHARED = frozenset({"cdylib", "dylib"})
"""Crate types of which cargo makes a shared library; for a static musl target it drops them."""


MAIN = "src/main.rs"
"""The source of the program that is called like the package."""


class BrokenFileError(Exception):
    """A TOML file of the crate that cannot be read; the text says where and why."""


def read_toml(context: BuildContext, path: str) -> dict[str, Any] | None:
    """The parsed file, None if it is not there; shared, so not to be changed. Raises BrokenFileError."""
    data = context.read(path)
    if data is None:
        return None
    try:
        return parsed_once(data)
    except (ValueError, RecursionError) as error:
        raise BrokenFileError(f"{path}: {error}") from None


@lru_cache(maxsize=1024)
def parsed_once(data: bytes) -> dict[str, Any]:
    """As `parsed`, of a file's bytes; shared, so not to be changed. A rewrite reads the same crate many times."""
    return parsed(data.decode("utf-8-sig"))


def parsed(text: str) -> dict[str, Any]:
    """TOML 1.1, as cargo reads it since 1.94 (rust-lang/cargo#16415). Raises ValueError, RecursionError."""
    import tomllib

    if sys.version_info >= (3, 15):
        return tomllib.loads(text)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        # Python's own reads TOML 1.1 from 3.15 on (python/cpython#144243)
        import tomli

        return tomli.loads(text)


def table(data: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """A nested table; {} where it is absent or something else."""
    current: Any = data
    for name in names:
        current = current.get(name) if isinstance(current, Mapping) else None
    return dict(current) if isinstance(current, Mapping) else {}


def leans_on_workspace(value: Any) -> bool:
    """Whether a manifest, or a part of one, takes something from its workspace, names where that is, or is one itself."""
    tables = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return (isinstance(value, Mapping) and "workspace" in value) or any(map(leans_on_workspace, tables))


def dependencies(data: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The entries of one dependency table, which cargo takes under its old name with ``_`` too."""
    return {**table(data, kind.replace("-", "_")), **table(data, kind)}


def binaries(context: BuildContext, directory: str, manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the programs of the package in `directory` ("" for the context's root), as cargo finds them.

    Source: cargo book, "Cargo Targets" (auto-discovery: src/main.rs, src/bin/*.rs, src/bin/*/main.rs).
    """
    name = table(manifest, "package").get("name")
    if not isinstance(name, str):
        return ()
    found: list[str] = [entry["name"] for entry in programs(manifest)]
    if finds_programs(manifest):
        found += _found(context, directory, manifest, name)
    return tuple(dict.fromkeys(found))


def passed_over(context: BuildContext, directory: str, manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of what cargo would find as further programs of a package if it looked for them."""
    name = table(manifest, "package").get("name")
    if not isinstance(name, str) or finds_programs(manifest):
        return ()
    declared = {entry["name"] for entry in programs(manifest)}
    return tuple(one for one in _found(context, directory, manifest, name) if one not in declared)


def _found(context: BuildContext, directory: str, manifest: Mapping[str, Any], name: str) -> Iterator[str]:
    """The programs of the package `name` whose sources no ``[[bin]]`` claims."""
    prefix = f"{directory}/" if directory else ""
    claimed = {f"{prefix}{path}" for path in _claimed(manifest)}
    main = f"{prefix}{MAIN}"
    if main not in claimed and context.read(main) is not None:
        yield name
    for path in context.names(f"{prefix}src/bin/*.rs"):
        if path not in claimed:
            yield path.rsplit("/", 1)[-1].removesuffix(".rs")
    for path in context.names(f"{prefix}src/bin/*/main.rs"):
        if path not in claimed:
            yield path.split("/")[-2]


def examples(context: BuildContext, directory: str, manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """The same for the package's examples (examples/*.rs, examples/*/main.rs, ``[[example]]``)."""
    prefix = f"{directory}/" if directory else ""
    listed = programs(manifest, "example")
    found = {entry["name"]: None for entry in listed}
    if table(manifest, "package").get("autoexamples", True) is not False:
        claimed = {f"{prefix}{path}" for path in _claimed(manifest, "example")}
        places = (*context.names(f"{prefix}examples/*.rs"), *context.names(f"{prefix}examples/*/main.rs"))
        for path in (path for path in places if path not in claimed):
            found[path.removeprefix(f"{prefix}examples/").removesuffix(".rs").partition("/")[0]] = None
    return tuple(found)


def is_settled(manifest: Mapping[str, Any]) -> bool:
    """Whether no source that a step may add makes a program that is called like the package."""
    return not finds_programs(manifest) or MAIN in _claimed(manifest)


def finds_programs(manifest: Mapping[str, Any]) -> bool:
    """Whether cargo looks for programs that are in no ``[[bin]]``: in the edition 2015 only where there is none (rust-lang/cargo#5330)."""
    package = table(manifest, "package")
    return package.get("autobins", "edition" in package or not programs(manifest)) is not False


def conditional(manifest: Mapping[str, Any], asked: Asked) -> tuple[str, ...]:
    """The programs that a call which asks for these features may not make (cargo book, "required-features").

    Only what the call or the list ``default`` names itself counts as there.
    """
    there = set(asked.features) | set(texts(table(manifest, "features").get("default")) if asked.default else ())
    return tuple(
        one["name"]
        for one in programs(manifest)
        if not asked.everything and not set(texts(one.get("required-features"))) <= there
    )


def programs(manifest: Mapping[str, Any], kind: str = "bin") -> list[Mapping[str, Any]]:
    """Its ``[[bin]]`` tables, those that have a name; or those of another `kind`."""
    entries = manifest.get(kind)
    listed = entries if isinstance(entries, list) else ()
    return [entry for entry in listed if isinstance(entry, Mapping) and isinstance(entry.get("name"), str)]


def _claimed(manifest: Mapping[str, Any], kind: str = "bin") -> set[str]:
    """The sources that its ``[[bin]]`` tables name, which make no other program."""
    paths = (entry.get("path") for entry in programs(manifest, kind))
    return {path.removeprefix("./") for path in paths if isinstance(path, str)}


def makes_shared_library(manifest: Mapping[str, Any]) -> bool:
    """Whether the package's library is a file of its own that a program loads (Rust reference, "Linkage")."""
    library = table(manifest, "lib")
    return not SHARED.isdisjoint(texts(library.get("crate-type", library.get("crate_type"))))


def makes_only_a_shared_library(manifest: Mapping[str, Any]) -> bool:
    """Whether cargo refuses the package for a target that has no shared libraries; of a library of several kinds it drops that one."""
    library = table(manifest, "lib")
    kinds = set(texts(library.get("crate-type", library.get("crate_type"))))
    return bool(kinds) and kinds <= SHARED


def members(context: BuildContext, directory: str, manifest: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Directories of a workspace's member packages; `key` is members or default-members."""
    groups = members_by_entry(context, directory, manifest, key).values()
    return tuple(dict.fromkeys(member for group in groups for member in group))


def members_by_entry(
    context: BuildContext, directory: str, manifest: Mapping[str, Any], key: str
) -> dict[str, tuple[str, ...]]:
    """The same, for each entry of the list, which may be a glob."""
    workspace = table(manifest, "workspace")
    prefix = f"{directory}/" if directory else ""
    excluded = {f"{prefix}{name}".rstrip("/") for name in texts(workspace.get("exclude"))}
    found: dict[str, tuple[str, ...]] = {}
    for pattern in texts(workspace.get(key)):
        if pattern in (".", "./"):
            found[pattern] = (directory,)
        else:
            paths = context.names(f"{prefix}{_plain(pattern)}/Cargo.toml")
            places = (path.rsplit("/", 1)[0] for path in paths)
            found[pattern] = tuple(place for place in places if place not in excluded)
    return found


def excluded(directory: str, manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """Directories that a workspace in `directory` surely does not have as members: each is in ``exclude``, in so many words."""
    prefix = f"{directory}/" if directory else ""
    places = (f"{prefix}{_plain(name)}" for name in texts(table(manifest, "workspace").get("exclude")))
    return tuple(place for place in places if is_excluded(directory, manifest, place))


def is_excluded(directory: str, manifest: Mapping[str, Any], place: str) -> bool:
    """Whether ``exclude`` of the workspace in `directory` keeps out the package in `place`, which lies below.

    A path that ``members`` spells out is a member all the same, and so is what lies below it (cargo's `is_excluded`).
    """
    inside = place[len(f"{directory}/") :] if directory else place
    workspace = table(manifest, "workspace")

    def has(key: str) -> bool:
        names = map(_plain, texts(workspace.get(key)))
        return any(name in ("", ".") or inside == name or inside.startswith(f"{name}/") for name in names)

    return has("exclude") and not has("members")


def _plain(name: str) -> str:
    return name.removeprefix("./").rstrip("/")


def texts(value: object) -> tuple[str, ...]:
    """The texts of an array; () for anything else that somebody may have written."""
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()

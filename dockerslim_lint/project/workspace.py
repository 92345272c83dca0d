"""Where the context must be larger than the nearest directory with a Cargo.toml: the package there is part of a workspace."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from dockerslim_lint.context import BuildContext, path_matches
from dockerslim_lint.facts.crate.manifest import BrokenFileError, dependencies, read_toml, table, texts
from dockerslim_lint.facts.crate.members import KINDS
from dockerslim_lint.facts.patterns import join
from dockerslim_lint.project.context import DirContext
from dockerslim_lint.project.locate import MANIFEST, Sources, has_all
from dockerslim_lint.project.places import above


def meant(context: DirContext, sources: Sources, repository: str | None) -> tuple[DirContext, str] | None:
    """The directory above `context`, up to the repository's root, that must be the build context, and in a few words why.

    None where `context`, the nearest directory that has all that the file copies, can be it. It cannot where cargo is called
    in a directory below the copy that is a package only as seen from above, or where its package cannot be built there.
    """
    shown = _shown(context, sources, repository)
    found = shown[0] if shown is not None else context
    # what another build context brings may be what the package lacks
    if found.root != repository and not any(_is_plain(name) for name in sources.others):
        lacking = [(place, why) for place in _used(found, sources) if (why := _lacks(found, place))]
        workspace = _workspace_above(found, lacking[0][0], sources, repository) if lacking else None
        if workspace is not None:
            place, why = lacking[0]
            member = join(_below(found, workspace), place)
            return workspace, f"the workspace's directory: {_file(member)} {why}"
    return shown


def _shown(context: DirContext, sources: Sources, repository: str | None) -> tuple[DirContext, str] | None:
    """A larger context by the directory in which cargo is called: ``COPY . /src``, ``WORKDIR /src/cli``."""
    missing = [places[0] for places in sources.manifests if not _has(context, places[0])]
    for larger in _larger(context, repository) if missing else ():
        there = next((place for place in missing if _has(larger, place)), None)
        if there is not None and has_all(larger, sources):
            return larger, f"nearest directory that has {_file(there)}"
    return None


def _workspace_above(context: DirContext, place: str, sources: Sources, repository: str | None) -> DirContext | None:
    """The directory of the workspace that cargo looks for above the context, if the package in `place` can be built there."""
    for larger in _larger(context, repository):
        data = _manifest(larger, ".")
        if "workspace" not in data:
            continue
        member = _below(context, larger)
        excluded = (pattern.removeprefix("./").strip("/") for pattern in texts(table(data, "workspace").get("exclude")))
        if any(_lies_in(member, pattern) for pattern in excluded) or not has_all(larger, sources):
            return None
        return larger if not _lacks(larger, join(member, place)) else None
    return None


def _larger(context: DirContext, repository: str | None) -> Iterator[DirContext]:
    for directory in above(context.root):
        if directory != context.root:
            yield DirContext(directory, is_real=True)
        if directory == repository:
            return


def _below(context: DirContext, larger: DirContext) -> str:
    return context.root[len(larger.root) :].replace(os.sep, "/").strip("/")


def _used(context: BuildContext, sources: Sources) -> list[str]:
    """The directories of the manifests that the cargo calls find."""
    found = (next((place for place in places if _has(context, place)), None) for places in sources.manifests)
    return list(dict.fromkeys(place for place in found if place is not None))


def _lacks(context: BuildContext, place: str) -> str:
    """Why the package in `place` cannot be built in this context, as far as its manifest shows; "" where it can.

    Sources: cargo book, "Workspaces" (inheritance; cargo looks upwards for the ``[workspace]``), "Specifying dependencies".
    """
    data = _manifest(context, place)
    parts = [part for part in place.split("/") if part not in ("", ".")]
    needed = list(_dependencies(data))
    paths = [value["path"] for value in needed if isinstance(value, Mapping) and isinstance(value.get("path"), str)]
    outside = next((path for path in paths if _leaves(len(parts), path)), None)
    if outside is not None:
        return f"needs {outside}"
    if any("workspace" in _manifest(context, "/".join(parts[:count])) for count in range(len(parts), -1, -1)):
        return ""
    shared = (*table(data, "package").values(), *needed, table(data, "lints"))
    inherits = any(isinstance(value, Mapping) and value.get("workspace") is True for value in shared)
    return "inherits from it" if inherits else ""


def _dependencies(data: Mapping[str, Any]) -> Iterator[Any]:
    tables = [data, *(entry for entry in table(data, "target").values() if isinstance(entry, Mapping))]
    for entry in tables:
        for kind in KINDS:
            yield from dependencies(entry, kind).values()


def _leaves(depth: int, path: str) -> bool:
    """Whether a relative path leads above the directory that lies `depth` levels below the context."""
    if path.startswith("/"):
        return False
    for part in path.split("/"):
        depth += -1 if part == ".." else part not in ("", ".")
        if depth < 0:
            return True
    return False


def _lies_in(path: str, pattern: str) -> bool:
    return path_matches(path, pattern) or path_matches(path, f"{pattern}/**")


def _is_plain(name: str) -> bool:
    """Of ``--from=NAME``: whether it may be a build context with a name; an address or a tag is an image's."""
    return not any(char in name for char in "/:@.")


def _has(context: BuildContext, place: str) -> bool:
    return context.read(_file(place)) is not None


def _file(place: str) -> str:
    return f"{place}/{MANIFEST}" if place not in ("", ".") else MANIFEST


def _manifest(context: BuildContext, place: str) -> dict[str, Any]:
    """The parsed manifest; {} where there is none or it cannot be read."""
    try:
        return read_toml(context, _file(place)) or {}
    except BrokenFileError:
        return {}

"""Programs of a workspace that a cargo call does not make. Loaded where it leaves out a package or a program wants a feature."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dockerslim_lint.context import BuildContext
from dockerslim_lint.facts.crate import manifest
from dockerslim_lint.facts.crate.features import switched
from dockerslim_lint.facts.crate.members import Members
from dockerslim_lint.facts.crate.model import Asked


def unmade(
    context: BuildContext,
    directory: str,
    data: Mapping[str, Any],
    workspace: tuple[str, Mapping[str, Any]],
    found: Mapping[str, Mapping[str, Any]],
    of: Mapping[str, tuple[str, ...]],
    asked: Asked,
) -> dict[str, str]:
    """Each with what keeps it from being made, as a clause.

    `data` is the manifest in the `directory` of the call, `workspace` the workspace's directory and manifest, `found` those of the
    packages that a call there may build, by directory, and `of` the programs of those that this one does build.
    """
    why: dict[str, str] = {}
    for place, member in _not_by_default(context, directory, workspace, found):
        text = f"its package, {_name(member)}, is not among [workspace] default-members"
        if directory != workspace[0] or "default-members" not in manifest.table(data, "workspace"):
            text = f"its package is {_name(member)}, and the call builds {_name(data)} alone"
        why.update(dict.fromkeys(manifest.binaries(context, place, member), text))
    for place, member in found.items():
        if place not in of:
            text = f"the call leaves out its package, {_name(member)}"
            why.update(dict.fromkeys(manifest.binaries(context, place, member), text))
    if not asked.exact:
        why.clear()  # a variable may hold -p or --workspace
    for place in manifest.excluded(directory, data):
        prefix = f"{place}/" if place else ""
        member = manifest.read_toml(context, f"{prefix}Cargo.toml") or {}
        text = f"[workspace] excludes its package, {_name(member)}"
        why.update(dict.fromkeys(manifest.binaries(context, place, member), text))
    for place in of:
        text = f"autobins is off in {_name(found[place])}, and no [[bin]] names it"
        why.update(dict.fromkeys(manifest.passed_over(context, place, found[place]), text))
    for names in of.values():
        for name in names:
            why.pop(name, None)
    if len(of) == 1 and asked.exact:
        (place,) = of
        for name, lacking in _without_features(context, place, found[place], asked):
            one = len(lacking) == 1
            text = f"it wants the feature{'' if one else 's'} {', '.join(lacking)}"
            why[name] = f"{text}, and the call does not ask for {'it' if one else 'them'}"
    return why


def _not_by_default(
    context: BuildContext,
    directory: str,
    workspace: tuple[str, Mapping[str, Any]],
    found: Mapping[str, Mapping[str, Any]],
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The packages of the workspace that cargo passes over in a `directory` unless it is asked for them, with their manifests.

    Source: cargo book, "Workspaces", "The default-members field", "Package selection".
    """
    root, data = workspace
    if not all(manifest.members_by_entry(context, root, data, "default-members").values()):
        return  # an entry that is not understood
    places = (root, *manifest.members(context, root, data, "members"))
    for place in dict.fromkeys(places):
        if place not in found:
            member = data if place == root else manifest.read_toml(context, f"{place}/Cargo.toml")
            if member is not None and "package" in member:
                yield place, member


def _without_features(
    context: BuildContext, place: str, data: Mapping[str, Any], asked: Asked
) -> list[tuple[str, list[str]]]:
    """The programs of a package with the features that they want (``required-features``) and that nothing switches on."""
    member = Members(context, place).get(place)
    if member is None or asked.everything or any("/" in name for name in asked.features):
        return []
    if any(one.package == member.name for one in member.dependencies):
        return []  # it asks itself for features
    on = switched(member.table, [*asked.features, *(("default",) if asked.default else ())])
    found = []
    for one in manifest.programs(data):
        lacking = [name for name in manifest.texts(one.get("required-features")) if name not in on.words]
        if lacking and all(member.table.names(name) and name not in on.optional for name in lacking):
            found.append((one["name"], lacking))
    return found


def _name(data: Mapping[str, Any]) -> str:
    name = manifest.table(data, "package").get("name")
    return name if isinstance(name, str) else ""

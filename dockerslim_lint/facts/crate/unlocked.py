"""What a crate without a Cargo.lock brings, as far as its manifests and the catalogue tell. Loaded where there is none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dockerslim_lint.catalog import features as catalog
from dockerslim_lint.facts.crate.features import Table, switched
from dockerslim_lint.facts.crate.members import Dependency


def brought(entries: Iterable[Dependency]) -> Mapping[str, tuple[str, ...]]:
    """The packages that these entries of manifests name, and those that the features they ask for surely bring, each with the
    features that it is asked for."""
    waiting = [
        (entry.package, entry.requirement, frozenset((*entry.features, *(["default"] if entry.default else []))))
        for entry in entries
    ]
    seen: set[tuple[str, str, frozenset[str]]] = set()
    while waiting:
        asked = waiting.pop()
        package, requirement, features = asked
        known = catalog.usual(package, requirement) if asked not in seen else None
        seen.add(asked)
        if known is None:
            continue
        on = switched(Table(known.features, known.optional), features)
        waiting += [
            (name, "", frozenset((*always, *on.of(name))))
            for name, always in known.dependencies.items()
            if name not in known.build and (name not in known.optional or name in on.optional)
        ]
    found: dict[str, set[str]] = {}
    for package, _, features in seen:
        found.setdefault(package, set()).update(features)
    return {package: tuple(sorted(features)) for package, features in sorted(found.items())}

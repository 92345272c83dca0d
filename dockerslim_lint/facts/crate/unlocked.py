"""What a crate without a Cargo.lock brings, as far as its manifests and the catalogue tell. Loaded where there is none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dockerslim_lint.catalog import features as catalog
from dockerslim_lint.facts.crate.features import Table, switched
from dockerslim_lint.facts.crate.members import Dependency


def brought(entries: Iterable[Dependency]) -> Mapping[str, tuple[str, ...]]:
    """The packages that these entries of manifests name, and those that the features they ask for surely bring, each with the
    features that it is asked for."""
    found: dict[str, tuple[str, ...]] = {}
    waiting = []
    for entry in entries:
        wanted = (*entry.features, *(["default"] if entry.default else []))
        found[entry.package] = (*found.get(entry.package, ()), *entry.features)
        waiting.append((entry.package, entry.requirement, wanted))
    while waiting:
        package, requirement, wanted = waiting.pop()
        known = catalog.usual(package, requirement)
        if known is None:
            continue
        on = switched(Table(known.features, known.optional), wanted)
        for name, always in known.dependencies.items():
            if name in known.build or (name in known.optional and name not in on.optional):
                continue
            asked = (*always, *sorted(on.of(name)))
            if name not in found or not set(asked) <= {*found[name], "default"}:
                found[name] = tuple(dict.fromkeys((*found.get(name, ()), *asked)))
                waiting.append((name, "", found[name]))
    return found

"""OpenSSL compiled from source by a feature on the cargo call, where the builder's own cannot be linked for musl."""

from __future__ import annotations

from dockerslim_lint.catalog import features
from dockerslim_lint.facts.crate.model import Crate
from dockerslim_lint.facts.crate.reach import Reach
from dockerslim_lint.facts.model import CargoCall, ImageBuild
from dockerslim_lint.plan.model import Vendored

TITLE = "vendored OpenSSL"

BINDING = "openssl-sys"

SOURCES = frozenset({"openssl-src"})
"""What the feature adds to the build. It need not be in the lock: cargo takes it, ``--locked`` too (knowledge §4.2)."""


def openssl(build: ImageBuild, calls: tuple[int, ...]) -> Vendored | None:
    """The feature of a direct dependency that does it for all calls; None where there is none, or no network to fetch it.

    A dependency of a dependency has no name on the command line (cargo book, "Features", "Command-line feature options").
    """
    common: list[str] | None = None
    version = ""
    for at in calls:
        call, crate = build.calls[at], build.crates[at]
        if call.source != "context":
            continue
        if crate is None or _offline(call):
            return None
        found = _features(crate)
        common = found if common is None else [name for name in common if name in found]
        version = (crate.locked or {})[BINDING].versions[0] if found else version
    if not common:
        return None
    series = features.openssl_series(version)
    return Vendored(common[0], series.name, series.note)


def _features(crate: Crate) -> list[str]:
    """What can be named on the call, in the manifest's order."""
    linkage = crate.linkage
    if linkage is None or BINDING not in (crate.locked or {}):
        return []
    found = []
    for direct in linkage.direct:
        known = features.lookup(direct.package, direct.version)
        leads = direct.reach is Reach.YES and linkage.depends(direct, BINDING) is not Reach.NO
        if known is not None and known.vendored_openssl and leads:
            found.append(f"{direct.key}/{known.vendored_openssl}")
    return found


def _offline(call: CargoCall) -> bool:
    words = {word.pattern for word in call.command.words}
    return bool({"--offline", "--frozen"} & words) or "CARGO_NET_OFFLINE" in call.command.variables

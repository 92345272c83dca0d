"""What the locked crates ask of a static build, or of the base where they keep glibc."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.catalog import debian, natives, packages
from dockerslim_lint.catalog.images import BaseImage
from dockerslim_lint.facts.crate.lock import leads_to
from dockerslim_lint.facts.crate.model import Crate
from dockerslim_lint.facts.model import ImageBuild
from dockerslim_lint.plan.model import NotPossible

PROVEN_OR_READ = frozenset({"tried", "read"})
"""What is only believed of a crate steers no edit."""


def compiler_packages(build: ImageBuild, calls: tuple[int, ...]) -> tuple[str, ...]:
    """Debian packages with which the native code of all locked crates is compiled for musl. Raises NotPossible."""
    wanted: dict[str, None] = {}
    for crate in _crates(build, calls):
        for name, native in _native_crates(crate):
            if native is None:
                raise NotPossible(f"the locked crate {name} may need C code, and the catalogue does not know it")
            if native.build_only or (native.verdict == "static-ok" and not native.needs):
                continue
            _check_static(crate, native)
            wanted.update(dict.fromkeys(native.apt))
    return tuple(sorted(wanted))


def check_shared_libraries(build: ImageBuild, calls: tuple[int, ...], base: BaseImage) -> None:
    """Raises NotPossible where a locked crate may link a library that a glibc base lacks."""
    releases = {image.release for at in calls if (image := build.stages[build.calls[at].command.stage].image)}
    for crate in _crates(build, calls):
        for name, native in _native_crates(crate):
            if native is None:
                raise NotPossible(f"the locked crate {name} may link a library, and the catalogue does not know it")
            _check_versions(native, crate, releases, base)
            if native.build_only:
                continue
            if native.verdict != "static-ok" and not native.runtime_apt and (native.needs or native.system):
                if native.verdict == "static-ok-with" and not native.system:
                    continue  # it compiles its own code, whatever the libc
                raise NotPossible(f"it is not known which libraries the locked crate {name} needs at run time")
            lacking = [package for package in native.runtime_apt if not _has(base, package)]
            if lacking and len(lacking) == len(native.runtime_apt):
                raise NotPossible(f"the locked crate {name} may need {lacking[0]}, which {base.title} does not have")


def _check_versions(native: natives.Native, crate: Crate, releases: set[str], base: BaseImage) -> None:
    """The base has the version of the library that the builder's release links. Raises NotPossible."""
    if native.vendored_by and leads_to(crate.locked or {}, native.crate, native.vendored_by):
        return
    for library in filter(None, map(debian.library, native.runtime_apt)):
        for release in sorted(releases):
            if library.differs(release, base.release):
                raise NotPossible(
                    f"the locked crate {native.crate} links {library.runtime[release][0]} of {release}, and {base.title} has"
                    f" {library.runtime[base.release][0]}"
                )


def _crates(build: ImageBuild, calls: tuple[int, ...]) -> Iterator[Crate]:
    for at in calls:
        call, crate = build.calls[at], build.crates[at]
        if crate is not None:
            yield crate
        elif call.source == "context" and build.contents.has_manifest:
            line = build.source.line_of(call.command.span.start)
            raise NotPossible(f"the Cargo.toml that the call in line {line} builds cannot be told from this file")


def _native_crates(crate: Crate) -> Iterator[tuple[str, natives.Native | None]]:
    """The locked crates that the catalogue lists, and those of which only the name says that they wrap something."""
    for name in crate.packages or ():
        native = natives.lookup(name)
        if native is not None or name.endswith("-sys"):
            yield name, native


def _check_static(crate: Crate, native: natives.Native) -> None:
    what = f"the locked crate {native.crate}"
    why = f": {native.why}" if native.why else ""
    if native.verdict not in ("static-ok", "static-ok-with"):
        raise NotPossible(f"{what} does not go with a static musl build{why}")
    if native.needs_cxx:
        raise NotPossible(f"{what} needs a C++ compiler for musl, which Debian's musl-tools lacks")
    locked = crate.locked or {}
    if native.verdict == "static-ok-with":
        if native.bad_versions:
            bad = [version for version in locked[native.crate].versions if version in native.bad_versions]
            if bad:
                raise NotPossible(f"{what} {bad[0]} does not compile for musl{why}")
        elif native.vendored_by:
            if not leads_to(locked, native.crate, native.vendored_by):
                raise NotPossible(f"{what} links the system's library; a static build needs {native.condition}")
        elif native.features or not native.apt:
            raise NotPossible(f"{what} goes with a static build only with {native.condition}")
    if native.certainty not in PROVEN_OR_READ:
        raise NotPossible(f"{what} may compile C code, and that it does so for musl has not been tried")


def _has(base: BaseImage, package: str) -> bool:
    known = packages.lookup("apt-get", package)
    return known is not None and (known.in_cc if base.libc == "glibc" else False)

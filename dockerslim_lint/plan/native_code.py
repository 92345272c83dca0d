"""What the locked crates ask of a static build, or of the base where they keep glibc."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dockerslim_lint.catalog import debian, natives, packages
from dockerslim_lint.catalog.commands import links_libraries
from dockerslim_lint.catalog.images import BaseImage
from dockerslim_lint.facts.cargo import cargo_arguments
from dockerslim_lint.facts.crate.model import Crate
from dockerslim_lint.facts.crate.reach import Reach
from dockerslim_lint.facts.model import FinalImage, ImageBuild
from dockerslim_lint.facts.transfers import has_manifest
from dockerslim_lint.plan.model import NotPossible, Unsure
from dockerslim_lint.record import Record

PROVEN_OR_READ = frozenset({"tried", "read"})
"""What is only believed of a crate steers no edit."""

STATIC = ("static-ok", "static-ok-with")
"""The verdicts under which a crate is compiled into a static program."""


class NativeCode(Record):
    """What a static musl build asks of the builder: `packages` of Debian. `doubts` are why it may fail nevertheless: crates of
    which it is not known whether this call links them, or links them so, or whether they compile for musl."""

    packages: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


def native_code(
    build: ImageBuild,
    images: tuple[FinalImage, ...],
    calls: tuple[int, ...],
    compiled: frozenset[str] = frozenset(),
) -> NativeCode:
    """What the linked crates need to be compiled for musl. Raises NotPossible where one surely does not go, and Unsure where the
    file installs the library of one that may be linked.

    `compiled` are source crates (openssl-src) that are taken for switched on.
    """
    wanted: dict[str, None] = {}
    doubts: dict[tuple[str, str], str] = {}
    unsure: list[Unsure] = []
    for crate in _crates(build, calls):
        if crate.packages is None and crate.named:
            wanted.update(dict.fromkeys(_without_lock(build, calls, crate)))
            doubts["", ""] = "may fail if a crate needs more than a C compiler: there is no Cargo.lock"
        for name, native, reach in _native_crates(crate):
            if native is not None and (native.build_only or not native.native_code):
                continue
            trouble, holds = _trouble(crate, name, native, compiled)
            if min(reach, holds) is Reach.YES:
                if _is_known(native):
                    raise NotPossible(trouble)
                unsure.append(Unsure(trouble))
            try:
                if native is None and natives.may_link(name, _dependencies(crate, name)):
                    _check_unexplained(build, images, unknown(crate, name, "link it"))
                elif native is not None and holds:
                    _check_pair(build, images, calls, native, native.vendored_by in (crate.locked or {}))
            except Unsure as reason:
                unsure.append(reason)
            if holds:
                # crates of one row are in the way for one reason: the last of them, the binding, stands for all
                row = (native.why, native.condition) if native is not None else (name, "")
                doubts[row] = f"{'fails if a feature brings it' if holds is Reach.YES else 'may fail'}: {trouble}"
            # another fails with its tools too, should a feature bring it
            if native is None or native.verdict in STATIC:
                wanted.update(dict.fromkeys(native.apt if native is not None else (natives.compiler(),)))
    if unsure:  # a reason that is sure, of a later crate, would have come first
        raise unsure[0]
    return NativeCode(tuple(sorted(wanted)), tuple(doubts.values()))


def _check_pair(
    build: ImageBuild, images: tuple[FinalImage, ...], calls: tuple[int, ...], native: natives.Native, compiled: bool
) -> None:
    """Raises Unsure where the builder has the headers of a crate's library and the image installs the library: who writes that links
    it. `compiled`: the crate may compile its own, and headers that merely come with the builder's image say nothing."""
    known = {found.build: found for name in (*native.runtime_apt, *native.system) if (found := debian.library(name))}
    if not known or all(image.single_stage or not image.installs for image in images):
        return
    from dockerslim_lint.plan.debian_slim import brought_headers, build_packages

    stages = dict.fromkeys(build.calls[at].command.stage for at in calls)
    own = {name: f" (line {line})" for at in stages for name, line in build_packages(build, at).items()}
    if not compiled:
        own = {**{name: "" for at in stages for name in brought_headers(build, at)}, **own}
    for image in images:
        for install in image.installs if not image.single_stage else ():
            for name in install.packages:
                library = debian.library(packages.bare_name(name))
                if library is not None and library.build in own and library.build in known and name != library.build:
                    line = build.source.line_of(install.command.span.start)
                    raise Unsure(
                        f"{name} (line {line}) may be linked: the builder has {library.build}{own[library.build]},"
                        f" and the locked crate {native.crate} wraps it"
                    )


def _check_unexplained(build: ImageBuild, images: tuple[FinalImage, ...], why: str) -> None:
    """Raises Unsure where an image installs a library that no crate of the catalogue links: what links it is then a crate of which
    nothing is known, as `why` says."""
    for image in images:
        for install in image.installs if not image.single_stage else ():
            for name in install.packages if install.manager == "apt" else ():
                known, library = packages.lookup("apt", name), debian.library(name)
                # whose TLS, database or compression it is says that it is listed
                linked = known.role in ("library", "plugin-library") if known is not None else name.startswith("lib")
                explained = natives.wrapped(name) or (library is not None and natives.wrapped(library.build))
                if linked and not explained:
                    line = build.source.line_of(install.command.span.start)
                    raise Unsure(f"{name} (line {line}) may be linked: {why}")


def _without_lock(build: ImageBuild, calls: tuple[int, ...], crate: Crate) -> Iterator[str]:
    """What the crates that the manifests name ask of the builder, and a C compiler for those that they bring, where the builder
    can install one. Raises Unsure."""
    for name, features in crate.named.items():
        native = natives.lookup(name) or natives.lookup(f"{name}-sys")
        if native is None or native.build_only or not native.native_code:
            continue
        if native.verdict != "static-ok" and not set(native.features) & set(features):
            raise Unsure(
                f"what Cargo.toml asks for brings {name}, and there is no Cargo.lock to tell whether it goes with musl"
            )
        yield from native.apt
    images = [build.stages[build.calls[at].command.stage].image for at in calls]
    if all(image is not None and image.package_manager == "apt" and not image.archived for image in images):
        yield natives.compiler()


def linking_tools(build: ImageBuild, calls: Iterable[int]) -> Iterator[tuple[str, int]]:
    """The crates of a registry that these calls install and that link libraries of the builder, each with the call."""
    for at in calls:
        call = build.calls[at]
        arguments = cargo_arguments(call.command) if build.crates[at] is None and call.source == "registry" else None
        for word in arguments.operands if arguments is not None else ():
            name = word.pattern.partition("@")[0]
            if links_libraries(name, call.features):
                yield f"{name} (line {build.source.line_of(call.command.span.start)})", at


def check_crossing(build: ImageBuild, calls: tuple[int, ...]) -> None:
    """Raises NotPossible where a crate that may be linked has native code, and was not built for another machine."""
    for at in calls:
        if build.crates[at] is None and build.calls[at].source != "context":
            line = build.source.line_of(build.calls[at].command.span.start)
            raise NotPossible(f"nothing is known of the crates that line {line} installs")
    for crate in _crates(build, calls):
        for name, native, _ in _native_crates(crate):
            if native is None or (native.native_code and not native.crossed):
                raise NotPossible(
                    f"the locked crate {name} may compile C, and that it does so for another machine has not been tried"
                )


def check_shared_libraries(
    build: ImageBuild, images: tuple[FinalImage, ...], calls: tuple[int, ...], base: BaseImage
) -> None:
    """Raises NotPossible where a locked crate may link a library that a glibc base lacks, and that the images have now."""
    from dockerslim_lint.plan.debian_slim import may_link

    releases = {image.release for at in calls if (image := build.stages[build.calls[at].command.stage].image)}
    for crate in _crates(build, calls):
        made = [one for image in images for _, one in image.artifacts]
        programs = {one.name for one in made if one.call is not None and build.crates[one.call] is crate}
        for name, native, reach in _native_crates(crate):
            if not any(crate.may_link(one, name) for one in programs):
                continue  # another program of the call does
            if native is None:
                if _absent(images, ()) or not natives.may_link(name, _dependencies(crate, name)):
                    continue
                raise Unsure(unknown(crate, name, "link a library"))
            if native.loads and reach is Reach.YES:
                raise NotPossible(f"the locked crate {name} loads libraries when the program runs")
            if not native.shared and not any(may_link(build, at, native) for at in calls if build.crates[at] is crate):
                continue
            _check_versions(native, crate, releases, base)
            if native.build_only or _compiles(crate, native) is Reach.YES:
                continue
            if native.verdict != "static-ok" and not native.runtime_apt and (native.needs or native.system):
                if native.verdict == "static-ok-with" and not native.system:
                    continue  # it compiles its own code, whatever the libc
                raise NotPossible(f"it is not known which libraries the locked crate {name} needs at run time")
            lacking = [package for package in native.runtime_apt if not _has(base, package)]
            if not native.shared and _absent(images, native.runtime_apt):
                continue
            if lacking and len(lacking) == len(native.runtime_apt):
                raise NotPossible(f"the locked crate {name} may need {lacking[0]}, which {base.title} does not have")


def _dependencies(crate: Crate, name: str) -> tuple[str, ...]:
    return (crate.locked or {})[name].dependencies


def _absent(images: tuple[FinalImage, ...], packages: tuple[str, ...]) -> bool:
    """Whether the images surely have no such library today, so that no program in them can need it."""
    return all(not image.single_stage and image.inside.library(packages) is False for image in images)


def _check_versions(native: natives.Native, crate: Crate, releases: set[str], base: BaseImage) -> None:
    """The base has the version of the library that the builder's release links. Raises NotPossible."""
    if _compiles(crate, native) is Reach.YES:
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
        elif call.source == "context" and has_manifest(build, at):
            line = build.source.line_of(call.command.span.start)
            raise Unsure(f"the Cargo.toml that the call in line {line} builds cannot be told from this file")


def _native_crates(crate: Crate) -> Iterator[tuple[str, natives.Native | None, Reach]]:
    """The crates that the programs may link and that the catalogue lists, and those of which only the name, or a tool that they
    build with, says that they bring something."""
    for name in crate.locked or {}:
        native = natives.lookup(name)
        if native is None and not may_bring(crate, name):
            continue
        reach = crate.linkage.reaches(name) if crate.linkage is not None else Reach.MAYBE
        if reach:
            yield name, native, reach


def may_bring(crate: Crate, name: str) -> bool:
    """Whether a locked crate that the catalogue does not list may compile or link native code, as far as its name, its manifest
    and its locked dependencies tell."""
    return natives.may_bring(name, _dependencies(crate, name)) and crate.own.get(name) != ""


def unknown(crate: Crate, name: str, may: str) -> str:
    """Why nothing is known of such a crate, which may do what `may` says."""
    why = crate.own.get(name)
    if why:
        return f"the workspace's own crate {name} {why}, and may {may}"
    return f"the locked crate {name} may {may}, and the catalogue does not know it"


def _is_known(native: natives.Native | None) -> bool:
    """Whether what stands against a crate is known of it."""
    tried = native is not None and (native.verdict != "static-ok" or native.certainty in PROVEN_OR_READ)
    return native is not None and native.verdict != "unknown" and (tried or native.needs_cxx)


def _trouble(crate: Crate, name: str, native: natives.Native | None, compiled: frozenset[str]) -> tuple[str, Reach]:
    """Why a crate does not go with a static musl build, and whether that is so."""
    if native is None:
        own = crate.own.get(name) or ""
        dependencies = _dependencies(crate, name)
        if natives.may_be_cxx(dependencies):
            return unknown(crate, name, "need a C++ compiler for musl, which Debian's musl-tools lacks"), Reach.YES
        finds = natives.only_finds(dependencies) or own.startswith("links")
        return (
            unknown(crate, name, "link a library" if finds else "need C code"),
            Reach.YES if finds else Reach.MAYBE,
        )
    what = f"the locked crate {native.crate}"
    why = f": {native.why}" if native.why else ""
    if native.verdict not in STATIC:
        return f"{what} does not go with a static musl build{why}", Reach.YES
    if native.needs_cxx:
        return f"{what} needs a C++ compiler for musl, which Debian's musl-tools lacks", Reach.YES
    text, holds = _condition(crate, native, compiled) if native.verdict == "static-ok-with" else ("", Reach.NO)
    if holds is not Reach.YES and native.certainty not in PROVEN_OR_READ:
        return f"{what} may compile C code, and that it does so for musl has not been tried", Reach.MAYBE
    return f"{what} {text}{why if native.bad_versions else ''}", holds


def _condition(crate: Crate, native: natives.Native, compiled: frozenset[str]) -> tuple[str, Reach]:
    """In what a crate that is static only on a condition falls short of it, and whether it does."""
    if native.bad_versions:
        versions = (crate.locked or {})[native.crate].versions
        bad = [version for version in versions if version in native.bad_versions]
        return f"{' '.join(bad)} does not compile for musl", Reach.YES if bad else Reach.NO
    if native.vendored_by:
        system = Reach.NO if native.vendored_by in compiled else Reach(Reach.YES - _compiles(crate, native))
        return f"links the system's library; a static build needs {native.condition}", system
    only = native.features or not native.apt
    return f"goes with a static build only with {native.condition}", Reach.YES if only else Reach.NO


def _compiles(crate: Crate, native: natives.Native) -> Reach:
    """Whether the crate that compiles the library from source is switched on under this one."""
    if not native.vendored_by or crate.linkage is None:
        return Reach.NO
    return crate.linkage.leads(native.crate, native.vendored_by)


def _has(base: BaseImage, package: str) -> bool:
    known = packages.lookup("apt-get", package)
    return known is not None and (known.in_cc if base.libc == "glibc" else False)

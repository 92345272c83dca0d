"""Debian slim as the base of a program that keeps glibc: which release, and which packages it needs there."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.catalog import debian, images, natives, packages
from dockerslim_lint.catalog.glibc import is_newer
from dockerslim_lint.catalog.images import BaseImage
from dockerslim_lint.facts.crate.model import Crate
from dockerslim_lint.facts.crate.reach import Reach
from dockerslim_lint.facts.model import FinalImage, ImageBuild, PackageInstall
from dockerslim_lint.facts.packages import read_install, recommended
from dockerslim_lint.facts.stages import chain_of
from dockerslim_lint.plan.model import Choice, NotPossible
from dockerslim_lint.plan.native_code import linking_tools, may_bring, unknown
from dockerslim_lint.plan.needs import certificate_readers

SLIGHTLY = 1.1
"""A base that is bigger by less than this factor is not worth leaving."""


def choice(name: str, build: ImageBuild, shipped: tuple[FinalImage, ...], stages: tuple[int, ...]) -> Choice:
    """Debian slim in the release that the images have, where their programs run on it; else in the builders' own, or the next one.

    A base whose glibc is older than a builder's is the choice only where there is no other; `check_glibc` then says so.
    """
    builders = [image for number in stages if (image := build.stages[number].image) is not None]
    bases = [base for release in debian.releases() if (base := images.lookup(f"debian:{release}-slim")) is not None]
    fit = [base for base in bases if not any(is_newer(one.libc_version, base.libc_version) for one in builders)]
    there = {(base.family, base.release) for one in shipped if (base := build.stages[one.stage].image) is not None}
    for base in fit[1:]:
        if there == {(base.family, base.release)} and _runs_on(build, shipped, base):
            return Choice(name, base, keep=False, installs=True)
    return Choice(name, (fit or bases)[0], keep=False, installs=True)


def _runs_on(build: ImageBuild, shipped: tuple[FinalImage, ...], base: BaseImage) -> bool:
    try:
        return all(wanted_packages(build, image, base) is not None for image in shipped)
    except NotPossible:
        return False


def wanted_packages(build: ImageBuild, image: FinalImage, base: BaseImage) -> dict[str, str]:
    """The packages that the image's programs need on a Debian slim, each with who needs it. Raises NotPossible."""
    found: dict[str, str] = {}
    for at in dict.fromkeys(artifact.call for _, artifact in image.artifacts if artifact.call is not None):
        crate = build.crates[at]
        for library, why, sure in _libraries(build, image, at, crate):
            if not sure and _starts_without(build, image, at, library, base):
                continue
            for package in _runtime(build, at, library, base, why):
                found.setdefault(package, why)
        if needs_certificates(image, crate):
            found["ca-certificates"] = "certificates"
    return found


def needs_certificates(image: FinalImage, crate: Crate | None) -> bool:
    """Whether the program may read certificate authorities that nothing but a package of the new base can bring."""
    if crate is None or crate.linked is None:
        return image.inside.certificates is True
    return bool(certificate_readers(image, crate))


def missing_packages(build: ImageBuild, image: FinalImage, base: BaseImage) -> dict[str, str]:
    """Those of `wanted_packages` that neither the base nor a step of the image brings."""
    written: set[str] = set()
    brought: set[str] = set()
    for install in image.installs:
        # SUSE's libpq5 has the name of Debian's, and goes with zypper
        for name in install.packages if install.manager == base.package_manager else ():
            known = packages.lookup(install.manager, name)
            # of a -dev package its library stays; what else it brings goes, unless it is of a stage below, which is left as it is
            own = install.command.stage == image.stage
            stays = debian.library(name)
            written |= {name, *(stays.names if stays is not None else ())}
            if known is not None and not (own and name.endswith("-dev")):
                brought.update(known.brings, known.recommends if recommended(install) else ())
    found = {}
    if _speaks_for_itself(build, image) and any(".so" in name for one in image.transfers for name in one.sources):
        return {}  # it copies its libraries by hand
    for package, why in wanted_packages(build, image, base).items():
        library = debian.library(package)
        names = library.names if library is not None else {package}
        if not (library is not None and library.present) and (written | brought).isdisjoint(names):
            found[package] = why
    return found


def builds_for(install: PackageInstall) -> Iterator[str]:
    """The -dev packages among those that a command installs."""
    yield from (name for name in install.packages if install.manager == "apt" and name.endswith("-dev"))


def _libraries(
    build: ImageBuild, image: FinalImage, at: int, crate: Crate | None
) -> Iterator[tuple[debian.Library, str, bool]]:
    """The libraries that the programs of a call link, or may link, with who does so, and whether that is sure. Raises
    NotPossible."""
    builder = build.calls[at].command.stage
    own, given = build_packages(build, builder), brought_headers(build, builder)
    if image.single_stage or not own:
        own |= {name: 0 for install in image.installs for name in builds_for(install)}
    if crate is None or crate.locked is None:
        if given and not (own and "--no-default-features" in build.calls[at].features):
            for name, _ in linking_tools(build, (at,)):
                raise NotPossible(f"which libraries of its builder {name} links is not known")
        for name, line in own.items():
            yield from _of_package(name, line)
        return
    programs = {artifact.name for _, artifact in image.artifacts if artifact.call == at}
    for name, package in crate.locked.items():
        native = natives.lookup(name)
        if (native is None and not may_bring(crate, name)) or not any(crate.may_link(one, name) for one in programs):
            continue  # the features of the call leave it out, or only other programs of the call have it
        if native is None:
            links = natives.may_link(name, package.dependencies)
            if links and not _speaks_for_itself(build, image):
                raise NotPossible(unknown(crate, name, "link a library"))
            continue
        if native.build_only:
            continue
        yield from _of_crate(build, image, native, crate, {*own}, given)
    for name, line in own.items():
        if not natives.with_system(name):
            yield from _of_package(name, line)


def may_link(build: ImageBuild, at: int, native: natives.Native) -> bool:
    """Whether the builder has the headers of a library that a crate wraps: without them the crate compiles its own, or is not
    built at all. Some crates always link it."""
    libraries = [found for name in (*native.runtime_apt, *native.system) if (found := debian.library(name)) is not None]
    builder = build.calls[at].command.stage
    own, given = build_packages(build, builder), brought_headers(build, builder)
    return bool(native.shared) or not libraries or any(one.build in own or one.build in given for one in libraries)


def _of_crate(
    build: ImageBuild,
    image: FinalImage,
    native: natives.Native,
    crate: Crate,
    own: set[str],
    given: frozenset[str],
) -> Iterator[tuple[debian.Library, str, bool]]:
    known = [found for name in (*native.runtime_apt, *native.system) if (found := debian.library(name)) is not None]
    libraries = list({one.build: one for one in known}.values())
    linkage = crate.linkage
    own_code = Reach.MAYBE if native.vendored_by else Reach.NO
    if native.vendored_by and linkage is not None:
        own_code = linkage.leads(native.crate, native.vendored_by)
    reached = linkage.reaches(native.crate) if linkage is not None else Reach.MAYBE
    # of what is linked wherever the crate is, DSL108 says so
    sure = own_code is Reach.NO and (bool(native.shared) or reached is Reach.YES)
    asked = [one for one in libraries if one.build in own]
    if asked:
        yield from ((one, native.crate, sure) for one in asked)
        return
    if own_code is Reach.YES or native.verdict == "static-ok":
        return  # it compiles its own where the builder has no package for it
    yield from ((one, native.crate, sure) for one in libraries if native.shared or one.build in given)
    if libraries or native.verdict != "not-on-musl" or _speaks_for_itself(build, image):
        return
    if all(natives.with_system(name) for name in own):
        raise NotPossible(f"it is not known which libraries the locked crate {native.crate} needs at run time")


def _speaks_for_itself(build: ImageBuild, image: FinalImage) -> bool:
    """Whether the image is a Debian already: then it installs whatever its programs link, known or not."""
    base = build.stages[image.stage].image
    return base is not None and base.family == "debian" and not image.single_stage


def _starts_without(build: ImageBuild, image: FinalImage, at: int, library: debian.Library, new: BaseImage) -> bool:
    """Whether an image that is a Debian already has its programs started without a library, and will: it surely lacks the library,
    or no step of it brings one and the new base is of the same release."""
    builder, base = build.stages[build.calls[at].command.stage].image, build.stages[image.stage].image
    if not _speaks_for_itself(build, image) or builder is None or base is None:
        return False
    if not builder.libc_version or is_newer(builder.libc_version, base.libc_version):
        return False  # it may not start at all
    there = image.inside.library(sorted(library.names), builder.release)
    return there is False or (there is None and (new.family, new.release) == (base.family, base.release))


def _of_package(name: str, line: int) -> Iterator[tuple[debian.Library, str, bool]]:
    library = debian.library(name)
    if library is not None:
        yield library, f"{name} (line {line})" if line else name, False
        return
    known = packages.lookup("apt-get", name)
    if known is None or known.may_be_linked:
        raise NotPossible(
            f"{name}{f' (line {line})' if line else ''} may be linked, and its runtime package is not known"
        )


def _runtime(build: ImageBuild, at: int, library: debian.Library, base: BaseImage, why: str) -> tuple[str, ...]:
    """The packages that hold a library in the release of the base. Raises NotPossible."""
    if library.present:
        return ()
    stage = build.stages[build.calls[at].command.stage]
    builder = stage.image
    line = build.source.line_of(build.instructions[stage.instruction].span.start)
    apt = builder is not None and builder.package_manager == "apt"
    released = builder is not None and (builder.release == base.release or builder.release in library.runtime)
    same = library.same_everywhere or (builder is not None and not library.differs(builder.release, base.release))
    if not apt or not (released or library.same_everywhere) or not same:
        raise NotPossible(
            f"{why} links the {library.build} of the builder (line {line}), and whether {base.title} of {base.release}"
            " has that version is not known"
        )
    runtime = library.runtime.get(base.release, ())
    if not runtime:
        raise NotPossible(f"the package of {library.build}'s library in {base.release} is not known ({why})")
    return runtime


def build_packages(build: ImageBuild, number: int) -> dict[str, int]:
    """The -dev packages that the steps of a builder install, with their lines."""
    chain = chain_of(build.stages[number], build.stages)
    own: dict[str, int] = {}
    for command in build.commands:
        install = read_install(command) if command.stage in chain else None
        if install is not None:
            own.update(dict.fromkeys(builds_for(install), build.source.line_of(command.span.start)))
    return own


def brought_headers(build: ImageBuild, number: int) -> frozenset[str]:
    """The -dev packages that the image of a builder brings."""
    image = build.stages[number].image
    whole = image is not None and image.cxx_compiler and image.package_manager == "apt"
    return debian.headers() if whole else frozenset()

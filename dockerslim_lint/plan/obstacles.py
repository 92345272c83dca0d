"""What stands in the way of musl, or of any rewrite, with the reason that the finding gives."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.catalog import packages, platforms
from dockerslim_lint.facts.model import Artifact, FinalImage, ImageBuild
from dockerslim_lint.facts.packages import read_install
from dockerslim_lint.facts.stages import chain_of
from dockerslim_lint.facts.transfers import MAY_NOT_RUN, has_manifest
from dockerslim_lint.plan.blocks.lines import comments_above
from dockerslim_lint.plan.blocks.target_map import asked_platforms
from dockerslim_lint.plan.model import NotPossible, Unsure

WORDS_OF_A_DECISION = ("alpine", "musl", "glibc", "allocator", "jemalloc", "mimalloc")
"""In a comment beside FROM or cargo they say that somebody chose."""


OTHER_REASONS = ("alpine", "musl", "allocator", "malloc", "need", "require", "must", "because", "only")
"""With one of these a comment about glibc says more than that two releases match."""


def check_accepted(build: ImageBuild) -> None:
    """Raises NotPossible for a file in which BuildKit refuses a line: no fix can be tried before it is mended."""
    for problem in build.problems:
        raise NotPossible(f"line {build.source.line_of(problem.span.start)} is refused, so that nothing can be built")


def check_untouched(path: str, artifact: Artifact) -> None:
    """Raises NotPossible for a program that a step changes in a way that is not modelled."""
    if artifact.touched == MAY_NOT_RUN:
        raise NotPossible(f"{path} comes from {MAY_NOT_RUN}")
    if artifact.touched:
        how = f"is {artifact.touched}" if " " in artifact.touched else f"may be changed by {artifact.touched}"
        raise NotPossible(f"{path} {how}")


def check_musl(
    build: ImageBuild, images: tuple[FinalImage, ...], calls: tuple[int, ...], compiled: frozenset[str] = frozenset()
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What a build for musl adds to the builder (Debian packages), and why it may fail. Raises NotPossible.

    `compiled` are source crates that are taken for switched on.
    """
    _check_path(build, calls)
    _check_shared_libraries(build, calls)
    _check_collected(build, images)
    if not all(crate is not None and crate.packages for crate in (build.crates[at] for at in calls)):
        for library, line in installed_libraries(build, images, calls):
            raise Unsure(f"{library.name} (line {line}) may be linked, and nothing is known of the crates")
    _check_comments(build, images, calls)
    compiler: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    if any(build.crates[at] is not None or has_manifest(build, at) for at in calls):
        from dockerslim_lint.plan.native_code import native_code

        compiler, doubts = native_code(build, images, calls, compiled)
    if any(build.crates[at] is None and build.calls[at].source != "context" for at in calls):
        from dockerslim_lint.plan.native_code import linking_tools

        for name, _ in linking_tools(build, calls):
            raise NotPossible(f"{name} links libraries of the system")
        # a tool of a registry: next to all that are shipped bring C code (ring, zstd, SQLite), and no lock says so
        compiler = tuple(
            sorted({*compiler, *(name for row in platforms.platforms() if row.uname_idiom for name in row.apt)})
        )
    _check_platforms(build, calls, compiler)
    return compiler, doubts


def check_opaque(build: ImageBuild, opaque: tuple[str, int]) -> None:
    """Raises NotPossible where the first command of a stage that is not modelled is another builder of cargo's."""
    title, instruction = opaque
    if title.startswith("cargo "):
        line = build.source.line_of(build.instructions[instruction].span.start)
        raise NotPossible(f"{title} in line {line} builds too, and would not get the target")


def behind(build: ImageBuild, title: str, path: str) -> str:
    """The reason for a program that a step makes which does not show its cargo call."""
    named = title if title.startswith(("a command ", "a stage ")) else f"`{title}`"
    for opaque in (*build.builders, *build.opaque):
        if opaque is not None and opaque[0] == title:
            line = build.source.line_of(build.instructions[opaque[1]].span.start)
            return f"the build is behind {named} (line {line}): how it calls cargo is not in this file"
    return f"the build of {path} is behind {named}"


def _check_path(build: ImageBuild, calls: tuple[int, ...]) -> None:
    """PATH that leads into an output directory: what is found there would not be found any more."""
    outputs = {build.calls[at].output for at in calls if build.calls[at].kind == "build"}
    for command in build.commands:
        value = command.variables.get("PATH")
        for directory in (value.text or "").split(":") if value is not None else ():
            if directory in outputs:
                raise NotPossible(f"PATH leads into {directory}")


def _check_shared_libraries(build: ImageBuild, calls: tuple[int, ...]) -> None:
    """Shared libraries: for musl cargo makes none. Of a package that makes nothing else it refuses the call; another may be taken
    from the output directory too.
    """
    for at in calls:
        crate, call = build.crates[at], build.calls[at]
        apart = call.bins or any(word.pattern == "--bins" for word in call.command.words)
        if crate is not None and crate.only_shared and not apart and call.kind == "build":
            line = build.source.line_of(call.command.span.start)
            name = crate.only_shared[0]
            raise NotPossible(
                f"{name}, which line {line} builds too, is only a shared library, and cargo makes none for musl"
            )
    making = {at for at in calls if (crate := build.crates[at]) is not None and crate.shared_library}
    for use in build.uses:
        if use.call in making and (not use.inside or "*" in use.inside or ".so" in use.inside):
            line = build.source.line_of(use.span.start)
            raise NotPossible(f"line {line} takes the crate's shared library too, which cargo does not make for musl")


def _check_collected(build: ImageBuild, images: tuple[FinalImage, ...]) -> None:
    """The libraries that a step finds by ldd, and that the image gets: a static program has none, so that nothing is collected."""
    from dockerslim_lint.catalog import programs

    listing = [command for command in build.commands if programs.lists_libraries(command.name)]
    if listing and any(image.inside.own_libc for image in images):
        line = build.source.line_of(listing[0].span.start)
        raise NotPossible(f"the image gets the libraries that {listing[0].name} (line {line}) lists")


def _check_comments(build: ImageBuild, images: tuple[FinalImage, ...], calls: tuple[int, ...]) -> None:
    """A comment that says why it is not musl stands: nobody but its author may overrule it."""
    places = {build.stages[image.stage].instruction for image in images}
    for at in calls:
        command = build.calls[at].command
        places |= {command.instruction, build.stages[command.stage].instruction}
    for index in sorted(places):
        for text, line in comments_above(build, build.instructions[index]):
            if any(word in text.lower() for word in WORDS_OF_A_DECISION) and not _only_matches(text.lower()):
                raise NotPossible(f"a comment in line {line} says that somebody chose: {text}")


def _only_matches(comment: str) -> bool:
    """Whether a comment is only about the builder's glibc and the image's being alike, which no static program asks for."""
    words = comment.replace(",", " ").replace(".", " ").split()
    alike = any(word.startswith("match") for word in words) or {"in", "sync"} <= set(words)
    return alike and "glibc" in words and not any(word in comment for word in OTHER_REASONS)


def _check_platforms(build: ImageBuild, calls: tuple[int, ...], compiler: tuple[str, ...]) -> None:
    for row in asked_platforms(build):
        if compiler and not row.uname_idiom:
            raise NotPossible(f"the crates bring C code, and a compiler for it on {row.docker} has not been tried")
        if not row.crt_static and any(flags for at in calls for flags in build.calls[at].possible_flags):
            raise NotPossible(
                f"{row.docker} needs rustc flags of its own, and the file has others, which would not add up"
            )
        for at in calls if row.min_rust else ():
            has = build.toolchains[at].version
            if has is not None and has < tuple(int(part) for part in row.min_rust.split(".")):
                raise NotPossible(
                    f"{row.docker} is asked for, and rustup has {row.musl} from Rust {row.min_rust} on, "
                    f"not for {has[0]}.{has[1]}"
                )


def installed_libraries(
    build: ImageBuild, images: tuple[FinalImage, ...], calls: tuple[int, ...]
) -> Iterator[tuple[packages.Package, int]]:
    """The libraries that the file installs and that a program of it may link, each with its line."""
    stages = {build.calls[at].command.stage for at in calls} | {image.stage for image in images}
    chains = {number for at in stages for number in chain_of(build.stages[at], build.stages)}
    for command in build.commands:
        install = read_install(command) if command.stage in chains else None
        for name in install.packages if install is not None else ():
            known = packages.lookup(install.manager, name) if install is not None else None
            if known is not None and known.may_be_linked:
                yield known, build.source.line_of(command.span.start)

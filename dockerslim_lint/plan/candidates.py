"""Which images belong to one decision, and which bases are possible for it."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.catalog import images as catalog
from dockerslim_lint.catalog import packages, platforms
from dockerslim_lint.catalog.platforms import Platform
from dockerslim_lint.facts.model import GNU_DYNAMIC, MUSL_STATIC, UNKNOWN, Artifact, FinalImage, ImageBuild, Warmup
from dockerslim_lint.facts.packages import read_install
from dockerslim_lint.facts.stages import chain_of, chosen_by_platform
from dockerslim_lint.facts.transfers import MAY_NOT_RUN
from dockerslim_lint.facts.warmups import ahead_of, warming_calls
from dockerslim_lint.plan.blocks.lines import comments_above
from dockerslim_lint.plan.blocks.retarget import names_its_targets
from dockerslim_lint.plan.blocks.target_map import asked_platforms
from dockerslim_lint.plan.chains import own_chain
from dockerslim_lint.plan.model import Choice, NotPossible, Task, Unsure

DEBIAN_SLIM = "debian-slim"

CHOICES = ("distroless/static", "alpine", "distroless/cc", DEBIAN_SLIM)
"""In the order of preference; `prefer` in the configuration puts others first."""

ON_REQUEST = ("scratch",)
"""Only where `prefer` names them."""

WORDS_OF_A_DECISION = ("alpine", "musl", "glibc", "allocator", "jemalloc", "mimalloc")
"""In a comment beside FROM or cargo they say that somebody chose."""


OTHER_REASONS = ("alpine", "musl", "allocator", "malloc", "need", "require", "must", "because", "only")
"""With one of these a comment about glibc says more than that two releases match."""


def groups(build: ImageBuild) -> list[tuple[FinalImage, ...]]:
    """The images that share a cargo call, a build ahead of it, or a stage that they are built on, together; in file order."""
    found: list[tuple[set[object], list[FinalImage]]] = []
    for image in build.images:
        calls = {artifact.call for _, artifact in image.artifacts if artifact.call is not None}
        common: set[object] = set(calls)
        for at in calls:
            common |= {("ahead", one.command.span) for one in ahead_of(build, at)}
        if len(image.chain) > 1:
            common |= {("stage", number) for number in own_chain(build, image)}
        joined = [group for group in found if group[0] & common]
        images = [one for group in joined for one in group[1]]
        found = [group for group in found if group not in joined]
        found.append((common.union(*(group[0] for group in joined)), [*images, image]))
    return [tuple(sorted(images, key=lambda one: one.stage)) for _, images in found]


def key_of(build: ImageBuild, images: tuple[FinalImage, ...]) -> str:
    """``slim:`` and the lowest builder stage."""
    stages = [
        build.calls[artifact.call].command.stage
        for image in images
        for _, artifact in image.artifacts
        if artifact.call is not None
    ]
    return f"slim:{min(stages, default=images[0].stage)}"


def check_accepted(build: ImageBuild) -> None:
    """Raises NotPossible for a file in which BuildKit refuses a line: no fix can be tried before it is mended."""
    for problem in build.problems:
        raise NotPossible(f"line {build.source.line_of(problem.span.start)} is refused, so that nothing can be built")


def tasks(build: ImageBuild, images: tuple[FinalImage, ...], prefer: tuple[str, ...]) -> Iterator[Task]:
    """What can be tried for one group, preferred first. Raises NotPossible at once where nothing can, whatever the base.

    A task whose `why_glibc` is set says why there is none for musl.
    """
    check_accepted(build)
    calls = _calls(build, images)
    links = {artifact.link for image in images for _, artifact in image.artifacts}
    if UNKNOWN in links:
        raise NotPossible("how the program is linked is only known when it is built")
    for image in images:
        base = build.stages[image.stage].image
        if base is not None and base.chosen_for and _kept(build, images) is None:
            raise NotPossible(f"{base.reference} is chosen for {base.chosen_for}, which another base does not have")
        for one in image.leftovers if base is None or not base.toolchain else ():
            if one.wanted:
                raise Unsure(f"{', '.join(one.names)} may be used when the image runs: {one.wanted}")
        if image.wants_toolchain:
            raise NotPossible(f"the image may want its toolchain: {image.wants_toolchain}")
    retarget = links != {MUSL_STATIC}
    compiler: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    why_glibc = ""
    unsure = False
    stages = tuple(sorted({build.calls[at].command.stage for at in calls}))
    named = False
    ways: list[tuple[tuple[Platform, ...], bool]] = [((), False)]
    for number in stages if retarget else ():
        chosen = chosen_by_platform(number, build.stages)
        if chosen is not None:
            line = build.source.line_of(build.instructions[chosen.instruction].span.start)
            raise NotPossible(f"the platform chooses the stage on which the builder (line {line}) is built")
    if retarget:
        try:
            compiler, doubts = _check_musl(build, images, calls)
            named = names_its_targets(build, calls)
            ways = ways if named else _ways(build, images, calls, stages, compiler)
        except NotPossible as reason:
            if links != {GNU_DYNAMIC}:
                raise
            why_glibc, unsure = str(reason), isinstance(reason, Unsure)
    cooks = cooks_of(build, calls) if retarget else ()

    def of(choice: Choice) -> Iterator[Task]:
        if choice.base.libc == "glibc":
            if links == {GNU_DYNAMIC}:
                asked = choice.name in prefer
                yield Task(build, images, calls, stages, choice, False, why_glibc=why_glibc, asked=asked, unsure=unsure)
        elif not why_glibc:
            for mapped, cross in ways:
                yield Task(
                    build,
                    images,
                    calls if retarget else (),
                    stages,
                    choice,
                    retarget,
                    compiler,
                    cooks,
                    platforms=mapped,
                    cross=cross,
                    named=named,
                    doubts=doubts,
                )

    def possible() -> Iterator[Task]:
        for choice in _choices(build, images, stages, prefer):
            if choice.base.libc != "glibc" and (why_glibc or doubts):
                # before the plain one, which fails where the library is not compiled in yet
                task = Task(build, images, calls, stages, choice, True, cooks=cooks, platforms=ways[-1][0], named=named)
                yield from _vendored(task)
            yield from of(choice)

    return possible()


def _vendored(task: Task) -> Iterator[Task]:
    """The same with OpenSSL compiled from source, where a feature on the calls does that and nothing else is in the way."""
    from dockerslim_lint.plan import vendored

    try:
        compiler, doubts = _check_musl(task.build, task.images, task.calls, vendored.SOURCES)
    except NotPossible:
        return
    found = vendored.openssl(task.build, task.calls) if not doubts else None
    if found is not None:
        choice = task.choice._replace(name=f"{task.choice.name}, {vendored.TITLE}")
        yield task._replace(choice=choice, compiler=compiler, vendored=found)


def _ways(
    build: ImageBuild,
    images: tuple[FinalImage, ...],
    calls: tuple[int, ...],
    stages: tuple[int, ...],
    compiler: tuple[str, ...],
) -> list[tuple[tuple[Platform, ...], bool]]:
    """How a call can be told its target: the platforms of a ``case``, and whether the builder runs on the build platform.

    Raises NotPossible where it does already, and cannot make the programs for musl. Crossing comes first where it can: it is proven in a tenth of the time. () stands for ``uname -m``.
    """
    asked = asked_platforms(build)
    emulated = () if all(row.uname_idiom for row in asked) else asked
    crossing = any(build.stages[number].cross for number in stages)
    if not crossing and len(asked) < 2:
        return [(emulated, False)]
    from dockerslim_lint.plan.cross import check_cross

    mapped = asked or tuple(row for row in platforms.platforms() if row.uname_idiom)
    try:
        check_cross(build, images, calls, mapped, compiler)
    except NotPossible:
        if crossing:
            raise
        return [(emulated, False)]
    return [(mapped, True)] if crossing else [(mapped, True), (emulated, False)]


def _choices(
    build: ImageBuild, images: tuple[FinalImage, ...], stages: tuple[int, ...], prefer: tuple[str, ...]
) -> Iterator[Choice]:
    """The bases in the order in which they are tried; each is looked up when it is its turn."""
    kept = _kept(build, images)
    if kept is not None:
        yield kept
    bases = {build.stages[image.stage].image for image in images}
    if any(one is not None and one.chosen_for for one in bases):
        return
    own = {one.reference: one.image for one in build.own_images}
    base = bases.pop() if len(bases) == 1 else None
    for name in dict.fromkeys((*(name for name in prefer if name in (*CHOICES, *ON_REQUEST, *own)), *CHOICES)):
        if name == DEBIAN_SLIM:
            from dockerslim_lint.plan import debian_slim

            yield debian_slim.choice(name, build, images, stages)
        elif kept is None or name != kept.name:
            yield Choice(name, own[name] if name in own else catalog.choice(name, base), keep=False)


def cooks_of(build: ImageBuild, calls: tuple[int, ...]) -> tuple[Warmup, ...]:
    """Every ``cargo chef cook`` that warms these calls."""
    found = {one.command.span: one for at in calls for one in ahead_of(build, at) if one.kind == "cook"}
    return tuple(found[span] for span in sorted(found))


def _check_musl(
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
    if any(build.crates[at] is not None for at in calls) or build.contents.has_manifest:
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


def _calls(build: ImageBuild, images: tuple[FinalImage, ...]) -> tuple[int, ...]:
    """All calls that make the group's programs, the other builds of the same stages, which share its cache, and those that
    warm it in other stages.
    """
    makers = set()
    for image in images:
        for path, artifact in image.artifacts:
            if artifact.call is None:
                raise NotPossible(_behind(build, artifact.opaque, path))
            check_untouched(path, artifact)
            makers.add(artifact.call)
    stages = {build.calls[at].command.stage for at in makers}
    for number in sorted(stages):
        opaque = build.opaque[number]
        if opaque is not None:
            _check_opaque(build, opaque, makers)
    warming = {one for at in makers for one in warming_calls(build, at)}
    found = []
    for at, call in enumerate(build.calls):
        beside = call.command.stage in stages and (call.source == "context" or at in makers)
        if not beside and at not in warming:
            continue
        if not call.command.words or call.output is None:
            raise NotPossible(
                f"the directory of the call in line {build.source.line_of(call.command.span.start)} is not known"
            )
        found.append(at)
    return tuple(found)


def check_untouched(path: str, artifact: Artifact) -> None:
    """Raises NotPossible for a program that a step changes in a way that is not modelled."""
    if artifact.touched == MAY_NOT_RUN:
        raise NotPossible(f"{path} comes from {MAY_NOT_RUN}")
    if artifact.touched:
        how = f"is {artifact.touched}" if " " in artifact.touched else f"may be changed by {artifact.touched}"
        raise NotPossible(f"{path} {how}")


def _check_opaque(build: ImageBuild, opaque: tuple[str, int], makers: set[int]) -> None:
    """A command that is not modelled spoils what comes after it only if it builds with cargo or names the outputs."""
    title, instruction = opaque
    if title.startswith("cargo "):
        line = build.source.line_of(build.instructions[instruction].span.start)
        raise NotPossible(f"{title} in line {line} builds too, and would not get the target")


def _behind(build: ImageBuild, title: str, path: str) -> str:
    named = title if title.startswith(("a command ", "a stage ")) else f"`{title}`"
    for opaque in build.opaque:
        if opaque is not None and opaque[0] == title:
            line = build.source.line_of(build.instructions[opaque[1]].span.start)
            return f"the build is behind {named} (line {line}): how it calls cargo is not in this file"
    return f"the build of {path} is behind {named}"


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


def _kept(build: ImageBuild, images: tuple[FinalImage, ...]) -> Choice | None:
    """The base that is there, where it is small and fits every image of the group."""
    bases = {build.stages[image.stage].base_reference for image in images}
    if len(bases) != 1 or any(image.single_stage for image in images):
        return None
    base = build.stages[images[0].stage].image
    if base is None or not base.understood or base.fat or base.libc in ("glibc", "unknown"):
        return None
    name = base.family if base.family in CHOICES else base.title
    return Choice(name, base, keep=True)

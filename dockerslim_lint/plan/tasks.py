"""Which images belong to one decision, and what can be tried for them."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.catalog import images as catalog
from dockerslim_lint.catalog import platforms
from dockerslim_lint.catalog.platforms import Platform
from dockerslim_lint.facts.model import GNU_DYNAMIC, MUSL_STATIC, UNKNOWN, FinalImage, ImageBuild, Warmup
from dockerslim_lint.facts.stages import chosen_by_platform
from dockerslim_lint.facts.warmups import ahead_of, warming_calls
from dockerslim_lint.plan.blocks.retarget import names_its_targets
from dockerslim_lint.plan.blocks.target_map import asked_platforms
from dockerslim_lint.plan.chains import own_chain
from dockerslim_lint.plan.model import Choice, NotPossible, Task, Unsure
from dockerslim_lint.plan.obstacles import behind, check_accepted, check_musl, check_opaque, check_untouched

DEBIAN_SLIM = "debian-slim"

CHOICES = ("distroless/static", "alpine", "distroless/cc", DEBIAN_SLIM)
"""In the order of preference; `prefer` in the configuration puts others first."""

ON_REQUEST = ("scratch",)
"""Only where `prefer` names them."""


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
            compiler, doubts = check_musl(build, images, calls)
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
        compiler, doubts = check_musl(task.build, task.images, task.calls, vendored.SOURCES)
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


def _calls(build: ImageBuild, images: tuple[FinalImage, ...]) -> tuple[int, ...]:
    """All calls that make the group's programs, the other builds of the same stages, which share its cache, and those that
    warm it in other stages.
    """
    makers = set()
    for image in images:
        for path, artifact in image.artifacts:
            if artifact.call is None:
                raise NotPossible(behind(build, artifact.opaque, path))
            check_untouched(path, artifact)
            makers.add(artifact.call)
    stages = {build.calls[at].command.stage for at in makers}
    for number in sorted(stages):
        opaque = build.opaque[number]
        if opaque is not None:
            check_opaque(build, opaque)
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

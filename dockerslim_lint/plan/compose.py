"""From a task to a complete fix, read again before anybody sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from dockerslim_lint.edit import Claim, ConfigChange, Edit, Fix, OverlapError, Safety, apply
from dockerslim_lint.facts.model import GNU_DYNAMIC, MUSL_STATIC, STRIPPED_ALL, FinalImage, ImageBuild
from dockerslim_lint.facts.users import is_plain_root
from dockerslim_lint.plan.blocks.artifact_path import move_paths
from dockerslim_lint.plan.blocks.final_base import full_destinations, replace_base
from dockerslim_lint.plan.blocks.final_steps import number_user, remove_steps
from dockerslim_lint.plan.blocks.retarget import add_target
from dockerslim_lint.plan.blocks.strip import strip_symbols, too_old_to_strip
from dockerslim_lint.plan.blocks.target import install_target
from dockerslim_lint.plan.model import Choice, Draft, NotPossible, Task
from dockerslim_lint.plan.needs import check_base, claimed_needs

Reread = Callable[[bytes], ImageBuild]

COST = "musl's allocator is slow under many threads; DNS search rules differ"
"""knowledge §5, rows malloc and DNS"""

CONFIGURES = frozenset(
    ["ENV", "LABEL", "WORKDIR", "EXPOSE", "VOLUME", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD", "ONBUILD"]
)


class OurBug(Exception):  # noqa: N818 - reported to the user in these words
    """What was composed does not say what was meant."""


def compose(task: Task, key: str, reread: Reread | None) -> Fix:
    """All edits of one candidate. Raises NotPossible; OurBug where the second reading disagrees.

    Without `reread` the result is not read again and claims nothing: fit to be counted, not to be applied.
    """
    if task.glibc:
        from dockerslim_lint.plan.glibc import check_glibc

        check_glibc(task)
    for image in task.images:
        check_base(task.build, image, task.choice)
    drafts = list(_drafts(task))
    edits = with_newlines(task.build, tuple(edit for draft in drafts for edit in draft.edits))
    if not edits:
        raise NotPossible("nothing is left to change")
    changes = tuple(change for draft in drafts for change in draft.changes)
    claim = None
    if reread is not None:
        try:
            after = reread(apply(task.build.source.data, edits))
        except OverlapError as error:
            raise OurBug(f"two blocks edit the same bytes ({error})") from None
        images = _matching(task, after)
        _check(task, images, after, changes)
        stripped = all(artifact.stripped == STRIPPED_ALL for image in images for _, artifact in image.artifacts)
        claim = _claim(images, static=not task.glibc, stripped=stripped)
    return Fix(key, task.choice.name, Safety.PROVABLE, _title(task), edits, _cost(task), changes, claim)


def _drafts(task: Task) -> Iterator[Draft]:
    """What each block contributes; the seldom blocks are imported when it is their turn."""
    build = task.build
    if task.retarget:
        if task.compiler:
            from dockerslim_lint.plan.blocks.compiler import install_compiler

            yield install_compiler(task)
        yield install_target(task)
        yield add_target(task)
        yield move_paths(task)
    if not too_old_to_strip(build, task.images):
        yield strip_symbols(build, task.images)
    for image in task.images:
        if image.single_stage:
            from dockerslim_lint.plan.blocks.split_stage import split

            yield split(task, image)
            continue
        if task.choice.keep:
            continue
        yield replace_base(build, image, task.choice)
        yield full_destinations(build, image, task.choice)
        yield from _final_steps(build, image, task.choice)


def _final_steps(build: ImageBuild, image: FinalImage, choice: Choice) -> list[Draft]:
    """What becomes of the RUN steps: they go and users become numbers, or else they are written in Alpine's words."""
    try:
        return [remove_steps(build, image, choice), number_user(build, image, choice)]
    except NotPossible:
        if choice.base.package_manager != "apk" or not choice.base.shell:
            raise
    from dockerslim_lint.plan.blocks.alpine_steps import translate_steps

    return [translate_steps(build, image, choice)]


def with_newlines(build: ImageBuild, edits: tuple[Edit, ...]) -> tuple[Edit, ...]:
    """The edits with the file's own newlines."""
    newline = build.source.newline
    if newline == "\n":
        return edits
    return tuple(edit._replace(text=edit.text.replace("\n", newline)) for edit in edits)


def _matching(task: Task, after: ImageBuild) -> tuple[FinalImage, ...]:
    """The images of the new build that stand where the task's images stood."""
    if len(after.images) != len(task.build.images):
        raise OurBug(f"{len(task.build.images)} images became {len(after.images)}")
    places = [task.build.images.index(image) for image in task.images]
    return tuple(after.images[place] for place in places)


def _check(task: Task, images: tuple[FinalImage, ...], after: ImageBuild, changes: tuple[ConfigChange, ...]) -> None:
    if len(after.problems) > len(task.build.problems):
        raise OurBug(after.problems[-1].text)
    for old, new in zip(task.images, images, strict=True):
        if len(old.artifacts) != len(new.artifacts):
            raise OurBug(f"{len(old.artifacts)} programs became {len(new.artifacts)}")
        for path, artifact in new.artifacts:
            if artifact.link != (GNU_DYNAMIC if task.glibc else MUSL_STATIC):
                raise OurBug(f"{path} would be {artifact.link}")
            if artifact.stripped != STRIPPED_ALL and not too_old_to_strip(task.build, task.images):
                raise OurBug(f"{path} would keep its symbols")
        if old.launch.program in dict(old.artifacts) and new.launch.program not in dict(new.artifacts):
            raise OurBug(f"{' '.join(old.launch.argv[:1])} would not be found")
        declared = next((change.new for change in changes if change.field == "User"), old.user)
        if new.user != declared and not (is_plain_root(new.user) and is_plain_root(declared)):
            raise OurBug(f"the user would be {new.user or 'root'}")
        if old.launch.argv != new.launch.argv and not old.launch.from_base:
            raise OurBug("the command would change")
        if old.workdir != new.workdir:
            raise OurBug(f"the working directory would be {new.workdir}")
        before, now = configuration(task.build, old), configuration(after, new)
        if [line for line in before if not _for_cargo(line)] != [line for line in now if not _for_cargo(line)]:
            raise OurBug("the image's configuration would change")


def configuration(build: ImageBuild, image: FinalImage) -> list[str]:
    """The instructions that describe an image, as written, in order."""
    found = []
    for number in image.chain:
        for index in build.stages[number].instructions:
            instruction = build.instructions[index]
            if instruction.keyword in CONFIGURES:
                found.append(f"{instruction.keyword} {instruction.body.data.decode('utf-8', 'surrogateescape')}")
    return found


def _for_cargo(line: str) -> bool:
    return line.startswith(("ENV CARGO_", "ENV RUST"))


def _title(task: Task) -> str:
    reference = task.choice.base.reference
    size = f" (~{task.choice.base.unpacked_mb:.0f} MB base)" if task.choice.base.unpacked_mb else ""
    what = "static musl build" if task.retarget else "the glibc program" if task.glibc else "the static program"
    return f"{what} on {reference}{size}"


def _cost(task: Task) -> str:
    if task.glibc:
        return f"keeps glibc: {task.why_glibc}" if task.why_glibc else ""
    return COST if task.retarget else ""


def _claim(images: tuple[FinalImage, ...], *, static: bool, stripped: bool) -> Claim:
    binaries = tuple(dict.fromkeys(path for image in images for path, _ in image.artifacts))
    needs = tuple(dict.fromkeys(need for image in images for need in claimed_needs(image, image.user)))
    return Claim(binaries, static, stripped, needs)

"""From a task to a complete fix, read again before anybody sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dockerslim_lint.catalog import packages
from dockerslim_lint.edit import Claim, ConfigChange, Edit, Fix, ImageClaim, OverlapError, Safety, apply
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.model import GNU_DYNAMIC, MUSL_STATIC, STRIPPED_ALL, FinalImage, ImageBuild
from dockerslim_lint.facts.users import is_plain_root
from dockerslim_lint.plan.blocks.artifact_path import move_paths, steps_not_read
from dockerslim_lint.plan.blocks.final_base import full_destinations, old_comments, replace_base, unfollowed
from dockerslim_lint.plan.blocks.final_steps import number_user, remove_steps
from dockerslim_lint.plan.blocks.retarget import add_target, not_retargeted
from dockerslim_lint.plan.blocks.strip import (
    WITHOUT_SYMBOLS,
    is_slim,
    keeps_symbols,
    strip_symbols,
    symbol_users,
    unstripped_calls,
)
from dockerslim_lint.plan.blocks.target import check_architectures, install_target
from dockerslim_lint.plan.model import AtBest, Choice, Draft, NotPossible, Task
from dockerslim_lint.plan.needs import check_base, claimed_needs, missing_zones

if TYPE_CHECKING:
    from dockerslim_lint.plan.start import Start

COMMANDS = frozenset({"Entrypoint", "Cmd"})
"""Fields of a declared change whose values are the instruction's text."""

Reread = Callable[[bytes], ImageBuild]

COST = ("musl's allocator is slow under many threads", "DNS search rules differ")
"""knowledge §5, rows malloc and DNS"""

CONFIGURES = frozenset(
    ["ENV", "LABEL", "WORKDIR", "EXPOSE", "VOLUME", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD", "ONBUILD"]
)


class OurBug(Exception):  # noqa: N818 - reported to the user in these words
    """What was composed does not say what was meant."""


def compose(task: Task, key: str, reread: Reread, checked: bool = True) -> Fix:
    """All edits of one candidate. Raises NotPossible; OurBug where the second reading disagrees.

    Unless `checked` the result is not read again and claims nothing: fit to be counted, not to be applied. Where the file
    names its targets itself only the second reading tells whether it is possible at all.
    """
    if task.glibc:
        from dockerslim_lint.plan.glibc import check_glibc

        check_glibc(task)
    check_architectures(task)
    for image in task.images:
        with _told_of(task, image):
            check_base(task.build, image, task.choice)
    drafts = list(_drafts(task))
    # two images on one stage of the file ask for the same edits in it
    edits = with_newlines(task.build, tuple(dict.fromkeys(edit for draft in drafts for edit in draft.edits)))
    if not edits:
        raise NotPossible("nothing is left to change")
    if task.cross:
        from dockerslim_lint.plan.cross import check_final_steps

        check_final_steps(task, edits)
    changes = tuple(dict.fromkeys(change for draft in drafts for change in draft.changes))
    claim = None
    each: tuple[ImageClaim, ...] = ()
    try:
        data = apply(task.build.source.data, edits)
    except OverlapError as error:
        if len(task.images) > 1:
            raise NotPossible("the images ask for different changes of a stage that they share") from None
        if task.named:
            raise NotPossible(
                "the file names its targets itself, in an instruction that is to be written anew"
            ) from None
        raise OurBug(f"two blocks edit the same bytes ({error})") from None
    if data == task.build.source.data:
        raise AtBest(f"the image is on {task.choice.base.title} already")
    if checked or task.named:
        after = reread(data)
        images = _matching(task, after)
        try:
            _check(task, images, after, changes)
        except OurBug as wrong:
            if task.named:  # the names of a file's own script are text, of which not every part need be understood
                raise NotPossible(f"the file names its targets itself: with others {wrong}") from None
            raise
        stripped = all(artifact.stripped == STRIPPED_ALL for image in images for _, artifact in image.artifacts)
        claim = _claim(images, static=not task.glibc, stripped=stripped)
        each = tuple(
            _claim_of_one(task.build, after, old, new, claim) for old, new in zip(task.images, images, strict=True)
        )
    told = (
        *_cost(task),
        *lost_tools(task.images),
        *_symbols(task, edits),
        *_unpinned(task, edits),
        *unfollowed(task, edits),
        *old_comments(task, edits),
        *_other_user(changes),
        *_renumbered(task, edits),
    )
    cost = "; ".join(dict.fromkeys(told))
    return Fix(
        key,
        _name(task),
        Safety.PROVABLE,
        _title(task, edits),
        edits,
        cost,
        changes,
        claim,
        each,
        retargets=task.retarget,
    )


def _drafts(task: Task) -> Iterator[Draft]:
    """What each block contributes; the seldom blocks are imported when it is their turn."""
    build = task.build
    if task.named:
        from dockerslim_lint.plan.blocks.named_target import swap_targets

        yield swap_targets(task)
    elif task.retarget:
        if task.cross:
            from dockerslim_lint.plan.cross import run_on_build_platform

            yield run_on_build_platform(task)
            yield install_target(task)  # which also asks for TARGETARCH
        if task.compiler:
            from dockerslim_lint.plan.blocks.compiler import install_compiler

            yield install_compiler(task)
        if not task.cross:
            yield install_target(task)
        yield add_target(task)
        yield move_paths(task)
    if not keeps_symbols(build, task.images):
        yield strip_symbols(build, task.images)
    if task.choice.installs:
        from dockerslim_lint.plan.blocks.debian_steps import move

        yield from move(task)
    for image in task.images:
        with _told_of(task, image):
            yield from _drafts_of(task, image)


def _drafts_of(task: Task, image: FinalImage) -> Iterator[Draft]:
    """What becomes of the stages of one image."""
    build = task.build
    if any(crate is not None for crate in build.crates):
        from dockerslim_lint.plan.called import check_called

        check_called(build, image, task.choice)
    if image.launch.shell_form and not task.choice.base.shell:
        from dockerslim_lint.plan.blocks.exec_form import exec_form

        yield exec_form(build, image, task.choice)
    if image.single_stage:
        from dockerslim_lint.plan.blocks.split_stage import split

        yield split(task, image, _start(build, image, task.choice))
        return
    if task.choice.keep and missing_zones(image, task.choice):
        from dockerslim_lint.plan.blocks.alpine_steps import install_zones

        yield install_zones(build, image, task.choice)
    if task.choice.keep or task.choice.installs:
        return
    yield replace_base(build, image, task.choice)
    yield full_destinations(build, image, task.choice)
    yield from _final_steps(task, image)


@contextmanager
def _told_of(task: Task, image: FinalImage) -> Iterator[None]:
    """The reason of one image among several says which: all of them are told it."""
    try:
        yield
    except NotPossible as reason:
        if len(task.images) < 2:
            raise
        stage = task.build.stages[image.stage]
        line = task.build.source.line_of(task.build.instructions[stage.instruction].span.start)
        raise type(reason)(f"the image of line {line}, which the same build makes: {reason}") from None


def _final_steps(task: Task, image: FinalImage) -> list[Draft]:
    """What becomes of the RUN steps: they go and users become numbers, or else they are written in Alpine's words."""
    build, choice = task.build, task.choice
    start = _start_of_all(task, image)
    translated = choice.base.package_manager == "apk" and bool(choice.base.shell)
    if not (translated and start is not None and (start.scripted or start.packages)):
        try:
            return [remove_steps(build, image, choice), number_user(build, image, choice)]
        except NotPossible:
            if not translated:
                raise
    from dockerslim_lint.plan.blocks.alpine_steps import translate_steps
    from dockerslim_lint.plan.start import Start

    return [translate_steps(build, image, choice, start or Start())]


def _start_of_all(task: Task, image: FinalImage) -> Start | None:
    """What is needed to start the image, and those that have a stage with it in common: its steps are theirs."""
    from dockerslim_lint.plan.chains import own_chain

    own = set(own_chain(task.build, image))
    sharing = [one for one in task.images if one is image or own & set(own_chain(task.build, one))]
    found = [start for one in sharing if (start := _start(task.build, one, task.choice)) is not None]
    if len(found) < 2:
        return found[0] if found else None
    return found[0]._replace(
        packages=tuple(dict.fromkeys(name for start in found for name in start.packages)),
        links=tuple(dict.fromkeys(link for start in found for link in start.links)),
        scripted=any(start.scripted for start in found),
    )


def _start(build: ImageBuild, image: FinalImage, choice: Choice) -> Start | None:
    """What is needed to start the program; None where nothing stands before it."""
    launch = image.launch
    wanted = missing_zones(image, choice)
    if image.healthcheck is not None and choice.base.package_manager == "apk":
        from dockerslim_lint.plan.health import read_health

        wanted += read_health(build, image, choice).packages
    plain = launch.program in dict(image.artifacts) and not launch.init and not launch.shell_form
    if not wanted and (plain or not launch.argv or launch.from_base or not choice.base.shell):
        return None
    from dockerslim_lint.plan.start import Start, read_start

    start = Start() if plain or not launch.argv or launch.from_base else read_start(build, image, choice)
    return start._replace(packages=tuple(dict.fromkeys((*start.packages, *wanted))))


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
    used = bool(symbol_users(task.build, task.images))
    for old, new in zip(task.images, images, strict=True):
        if len(old.artifacts) != len(new.artifacts):
            raise OurBug(f"{len(old.artifacts)} programs became {len(new.artifacts)}")
        for path, artifact in new.artifacts:
            if artifact.link != (GNU_DYNAMIC if task.glibc else MUSL_STATIC):
                raise OurBug(f"{path} would be {artifact.link}")
            if not is_slim(after, artifact, used) and not keeps_symbols(task.build, task.images):
                raise OurBug(f"{path} would keep its symbols")
        if old.launch.program in dict(old.artifacts) and new.launch.program not in dict(new.artifacts):
            raise OurBug(f"{' '.join(old.launch.argv[:1])} would not be found")
        declared = next((change.new for change in changes if change.field == "User"), old.user)
        if new.user != declared and not (is_plain_root(new.user) and is_plain_root(declared)):
            raise OurBug(f"the user would be {new.user or 'root'}")
        commands = {(change.field.upper(), change.old): change.new for change in changes if change.field in COMMANDS}
        if old.launch.argv != new.launch.argv and not old.launch.from_base and not commands:
            raise OurBug("the command would change")
        if old.workdir != new.workdir:
            raise OurBug(f"the working directory would be {new.workdir}")
        if task.choice.installs:
            _check_packages(after, new, task.choice)
        before = [_declared(line, commands) for line in configuration(task.build, old)]
        now = configuration(after, new)
        if [line for line in before if not _for_cargo(line)] != [line for line in now if not _for_cargo(line)]:
            raise OurBug("the image's configuration would change")


def _check_packages(after: ImageBuild, image: FinalImage, choice: Choice) -> None:
    """Every library that the image's programs need is installed in it, or is there."""
    from dockerslim_lint.plan.debian_slim import missing_packages

    base = after.stages[image.stage].image
    lacking = missing_packages(after, image, base) if base is not None and base.family == choice.base.family else {}
    if lacking:
        raise OurBug(f"{', '.join(lacking)} would not be installed")


BACKTRACES = "RUST_BACKTRACE"
"""The variable that has a program print where it panics (std::backtrace)."""


def configuration(build: ImageBuild, image: FinalImage) -> list[str]:
    """The instructions that describe an image, as written, in order."""
    found = []
    for number in image.chain:
        for index in build.stages[number].instructions:
            instruction = build.instructions[index]
            if instruction.keyword in CONFIGURES:
                found.append(f"{instruction.keyword} {instruction.body.data.decode('utf-8', 'surrogateescape')}")
    return found


def _declared(line: str, commands: dict[tuple[str, str], str]) -> str:
    """A line of the configuration as a declared change makes it."""
    keyword, _, text = line.partition(" ")
    return f"{keyword} {commands.get((keyword, text), text)}"


def _for_cargo(line: str) -> bool:
    return line.startswith(("ENV CARGO_", "ENV RUST"))


def _name(task: Task) -> str:
    return f"{task.choice.name} cross" if task.cross else task.choice.name


USUAL = 1000
"""The number of the first user that is no system account, in Debian and in Alpine; Ubuntu has one of its own there."""


def _other_user(changes: tuple[ConfigChange, ...]) -> Iterator[str]:
    """What a new number means for files that the old user owns."""
    for change in changes:
        if change.field == "User" and change.new.startswith("65532"):
            yield f"{change.old} becomes user {change.new.partition(':')[0]}: what it owns in volumes keeps the old number"


def _renumbered(task: Task, edits: tuple[Edit, ...]) -> Iterator[str]:
    """Whose number the new base's tools choose otherwise, where a volume may have files of the old one."""
    for image in task.images:
        old = task.build.stages[image.stage].image
        for user in image.users if old is not None else ():
            taken = USUAL in dict(old.users).values() if old is not None else False
            system = user.option("system") is not None
            if not (image.volumes or _given(image, user.name)) or user.kind != "user" or user.uid:
                continue
            if (system or taken) and any("adduser -D" in edit.text for edit in edits):
                # Debian's adduser counts system users up from 100 as Alpine's does, useradd down from 999 (tried)
                gets = "may get" if system and user.command.name == "adduser" else "gets"
                yield f"{user.name} {gets} another number on {task.choice.base.title}: what it owns in volumes keeps the old one"


def _given(image: FinalImage, user: str) -> bool:
    """Whether a step gives the user a place that is none of the programs: it is often where a volume comes."""
    programs = {path for path, _ in image.artifacts}
    for command in image.commands:
        words = [word.pattern for word in command.words[1:] if not word.pattern.startswith("-")]
        if command.name == "chown" and words[:1] and words[0].replace(".", ":").partition(":")[0] == user:
            places = {patterns.join(command.directory or "/", word) for word in words[1:]}
            if places - programs:
                return True
    return False


def changes_base(task: Task, edits: tuple[Edit, ...]) -> bool:
    """Whether an image of the task gets another base than it has."""
    stages = task.build.stages
    words = [word.span for image in task.images for number in image.chain if (word := stages[number].word) is not None]
    return any(
        task.choice.base.reference in edit.text
        or any(span.start <= edit.start and edit.end <= span.end for span in words)
        for edit in edits
    )


def _unpinned(task: Task, edits: tuple[Edit, ...]) -> Iterator[str]:
    """That a base which was named by its digest is followed by one that is not."""
    pinned = any("@" in (task.build.stages[image.stage].base_reference or "") for image in task.images)
    if pinned and changes_base(task, edits):
        yield not_pinned(task.choice.base.reference)


def not_pinned(reference: str) -> str:
    return f"{reference} is not pinned by digest, as the base was"


def _title(task: Task, edits: tuple[Edit, ...]) -> str:
    reference = task.choice.base.reference
    if task.glibc and not changes_base(task, edits):
        return _title_of_the_same_base(task, edits)
    size = f" (~{task.choice.base.unpacked_mb:.0f} MB base)" if task.choice.base.unpacked_mb else ""
    musl = f"static musl build with {task.vendored.library} compiled in," if task.vendored else "static musl build"
    what = musl if task.retarget else "the glibc program" if task.glibc else "the static program"
    how = ", cross-compiled: no emulation" if task.cross else ""
    return f"{what} on {reference}{size}{how}"


def _title_of_the_same_base(task: Task, edits: tuple[Edit, ...]) -> str:
    build, stage = task.build, task.build.stages[task.images[0].stage]
    final = build.instructions[stage.instruction].span.start
    strips = unstripped_calls(build, task.images) and not keeps_symbols(build, task.images)
    done = [
        *(["leave the symbols out"] if strips else []),
        *(["trim its packages"] if any(edit.start > final for edit in edits) else []),
    ]
    return f"{' and '.join(done) or 'a smaller image'}: {stage.base_reference} stays"


def _cost(task: Task) -> tuple[str, ...]:
    health = []
    if any(image.healthcheck is not None for image in task.images):
        from dockerslim_lint.plan.health import read_health

        health = [note for image in task.images for note in read_health(task.build, image, task.choice).notes]
    if task.glibc:
        texts = [f"keeps glibc: {task.why_glibc}"] if task.why_glibc else []
        if task.choice.installs:
            from dockerslim_lint.plan.debian_slim import wanted_packages

            for image in task.images:
                wanted = wanted_packages(task.build, image, task.choice.base)
                for reason in dict.fromkeys(wanted.values()):
                    texts.append(f"needs {', '.join(name for name in wanted if wanted[name] == reason)} ({reason})")
            return tuple(texts)
        return (*texts, *_called(task))
    if not task.retarget:
        return (*health, *_called(task))
    passed = []
    if task.named:
        from dockerslim_lint.plan.blocks.named_target import passed_arguments

        passed = [
            f"builds that pass {name}=… keep what they pass: pass a musl target" for name in passed_arguments(task)
        ]
    cost = COST[1:] if _bring_an_allocator(task) else COST
    doubts = (*task.doubts, *_unknown_crates(task), *steps_not_read(task))
    return (*cost, *_vendored_cost(task), *passed, *health, *_called(task), *doubts, *not_retargeted(task))


def lost_tools(images: Iterable[FinalImage]) -> Iterator[str]:
    """What it costs that an image no longer has the tools of a build."""
    for image in images:
        for one in image.leftovers:
            if (
                one.kind == "tools"
                and not one.wanted
                and not all(packages.holds_headers(one.manager, name) for name in one.names)
            ):
                yield "a program that compiles when it runs lacks its tools"


def _called(task: Task) -> Iterator[str]:
    if any(crate is not None for crate in task.build.crates):
        from dockerslim_lint.plan.called import called_cost

        yield from called_cost(task)


def _unknown_crates(task: Task) -> Iterator[str]:
    """That nobody can tell whether C code has to be compiled for musl, where nothing is there to do it."""
    crates = [task.build.crates[at] for at in task.calls]
    if not task.compiler and any(crate is None or crate.packages is None for crate in crates):
        yield "fails if a crate has C code: nothing is known of the crates"


def _bring_an_allocator(task: Task) -> bool:
    """Whether every program is known to have an allocator of its own."""
    from dockerslim_lint.catalog import needs

    crates = [task.build.crates[at] for at in task.calls]
    return all(crate is not None and needs.brings("threads", crate.linked or ()) for crate in crates)


def _symbols(task: Task, edits: tuple[Edit, ...]) -> Iterator[str]:
    """For whom they stay; what goes with them, where an image asks for it."""
    users = symbol_users(task.build, task.images)
    if users and not keeps_symbols(task.build, task.images):
        yield f"symbols stay, for {', '.join(users)}"
    asked = [value.text for image in task.images if (value := image.variables.get(BACKTRACES)) is not None]
    if any(text not in ("0", "") for text in asked) and any("_STRIP=symbols" in edit.text for edit in edits):
        yield WITHOUT_SYMBOLS


def _vendored_cost(task: Task) -> Iterator[str]:
    vendored = task.vendored
    if vendored is not None:
        note = f", {vendored.note}," if vendored.note else ""
        yield f"{vendored.library}{note} becomes part of the program ({vendored.feature}): its fixes need a new build"


def _claim(images: tuple[FinalImage, ...], *, static: bool, stripped: bool) -> Claim:
    binaries = tuple(dict.fromkeys(path for image in images for path, _ in image.artifacts))
    needs = tuple(dict.fromkeys(need for image in images for need in claimed_needs(image, image.user)))
    return Claim(binaries, static, stripped, needs)


def _claim_of_one(build: ImageBuild, after: ImageBuild, old: FinalImage, new: FinalImage, whole: Claim) -> ImageClaim:
    """What a proof has to show of one of the images."""
    return ImageClaim(
        after.stages[new.stage].name,
        new.stage == len(after.stages) - 1,
        _claim((new,), static=whole.static, stripped=whole.stripped),
        build.stages[old.stage].base_reference or "",
        after.stages[new.stage].base_reference or "",
        tuple(path for path, _ in old.artifacts),
    )

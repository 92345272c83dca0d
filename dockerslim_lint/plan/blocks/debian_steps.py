"""A final stage moves to debian slim: its steps stay as written, its packages are trimmed, and what its programs need is added."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from dockerslim_lint.catalog import commands as known_commands
from dockerslim_lint.catalog import debian, packages, programs
from dockerslim_lint.catalog.glibc import is_newer
from dockerslim_lint.catalog.images import BaseImage
from dockerslim_lint.edit import Edit
from dockerslim_lint.facts.model import Command, FinalImage, ImageBuild
from dockerslim_lint.facts.packages import manager_of, read_install
from dockerslim_lint.facts.users import come_along, read_user
from dockerslim_lint.plan.blocks.debian_packages import PackageSteps
from dockerslim_lint.plan.blocks.final_base import check_release, full_destinations, replace_base
from dockerslim_lint.plan.blocks.final_steps import needless_package, why_needed
from dockerslim_lint.plan.blocks.lines import removal
from dockerslim_lint.plan.debian_slim import SLIGHTLY, missing_packages
from dockerslim_lint.plan.model import AtBest, Draft, NotPossible, Task, Unsure

OTHER_FLAGS = frozenset({"adduser", "addgroup"})
"""Programs that are others in Debian than elsewhere: busybox's, and shadow's under another name."""


def move(task: Task) -> Iterator[Draft]:
    """The final stages of a task that are stages of their own. Raises NotPossible; AtBest where none would change."""
    _check_release(task)
    drafts = [_move(task, image) for image in task.images if not image.single_stage]
    if not any(draft.edits for draft in drafts) and not any(image.single_stage for image in task.images):
        base = task.build.stages[task.images[0].stage].base_reference
        raise AtBest(f"{base} is no bigger than {task.choice.base.title}, and has what the program needs")
    yield from drafts


def _check_release(task: Task) -> None:
    """Another release has libraries of other versions: not for programs of whose crates nothing is known. Raises Unsure."""
    build, new = task.build, task.choice.base
    crates = [build.crates[one.call] for image in task.images for _, one in image.artifacts if one.call is not None]
    known = all(crate is not None and crate.packages is not None for crate in crates)
    releases = {image.release for number in task.stages if (image := build.stages[number].image) is not None}
    for release in sorted(releases - {new.release, ""}) if not known else ():
        raise Unsure(
            f"nothing is known of the crates, and they are linked with {release}'s libraries, not {new.release}'s"
        )


def _move(task: Task, image: FinalImage) -> Draft:
    build, new = task.build, task.choice.base
    stage = build.stages[image.stage]
    old = stage.image
    if not _leaves(task, image):
        assert old is not None
        return in_place(build, image) if old.family == new.family else Draft()
    check_release(task, image)
    moved = [replace_base(build, image, task.choice), full_destinations(build, image, task.choice)]
    missing = missing_packages(build, image, new)
    edits = [edit for draft in moved for edit in draft.edits]
    assert old is not None
    if old.package_manager == "apt":
        same = old.release == new.release
        _check_commands(build, image, task, same)
        edits += PackageSteps(build, image, same).edits(missing, new.release)
    else:
        edits += _without_other_packages(build, image, new, missing)
        edits += PackageSteps(build, image, False).edits(missing, new.release)
    _check_users(build, image, task)
    return Draft(tuple(edits))


def in_place(build: ImageBuild, image: FinalImage, kinds: Collection[str] = ()) -> Draft:
    """The packages of a final stage on Debian that keeps its base: without what only a build needs, and with what that brought.
    Raises NotPossible, also where leftovers of these `kinds` would stay."""
    base = build.stages[image.stage].image
    if base is None or base.family != "debian":
        raise NotPossible("which packages hold the libraries alone is not known")
    steps = PackageSteps(build, image, True)
    edits = tuple(steps.edits(missing_packages(build, image, base), base.release))
    for kind in kinds:
        if kind in steps.left:
            raise NotPossible(steps.left[kind])
    return Draft(edits)


def trim_headers(build: ImageBuild, image: FinalImage, kinds: Collection[str]) -> Draft:
    """The same for leftovers of these `kinds` alone, all of them. Raises NotPossible."""
    for one in image.leftovers:
        if one.kind in kinds and not one.wanted and one.command.stage != image.stage:
            line = build.source.line_of(one.command.span.start)
            raise NotPossible(f"the step in line {line} is of a stage below, which others may be built on")
    return in_place(build, image, kinds)


def _leaves(task: Task, image: FinalImage) -> bool:
    """Whether the image gains by another base than its own."""
    old, new = task.build.stages[image.stage].image, task.choice.base
    if old is None or not old.understood:
        return True
    for number in task.stages:
        builder = task.build.stages[number].image
        if builder is not None and old.libc_version and is_newer(builder.libc_version, old.libc_version):
            return True
    if old.ended or old.libc != new.libc:
        return True
    if (old.family, old.slim) == (new.family, new.slim):
        return False
    if task.asked or old.unpacked_mb is None or old.unpacked_mb > SLIGHTLY * (new.unpacked_mb or 0):
        return True
    missing = (debian.library(name) for name in missing_packages(task.build, image, new))
    return any(image.inside.library(tuple(one.names)) is False for one in missing if one is not None)


def _check_commands(build: ImageBuild, image: FinalImage, task: Task, same: bool) -> None:
    """Every command of the final stage does on the new base what it does on the old one. Raises NotPossible."""
    stage = build.stages[image.stage]
    old, new = stage.image, task.choice.base
    assert old is not None
    brought = {program for name in _installed(image) for program in name.programs}
    named = {name for install in image.installs for name in install.packages}
    for command in image.commands:
        line = build.source.line_of(command.span.start)
        if not same and _of_an_archive(command):
            raise NotPossible(f"line {line} adds a package source of another release")
        package = programs.left_out(new, command.name)
        if package and not programs.left_out(old, command.name) and package not in named:
            raise NotPossible(f"{new.reference} has no {command.name} (line {line}): it is a package of its own there")
        if old.family == new.family or manager_of(command):
            continue
        name = known_commands.canonical(command.name)
        if known_commands.owner(name) == old.family and command.words[1:]:
            raise NotPossible(f"{name} takes other arguments on {new.title} (line {line})")
        unknown = known_commands.classify(name) == "opaque" and not known_commands.title(name)
        if not name or unknown or (programs.lacks(new, name) and name not in brought):
            raise NotPossible(f"the final stage runs {command.name or 'what cannot be read'} (line {line})")


def _of_an_archive(command: Command) -> bool:
    words = " ".join(word.pattern for word in command.words)
    return command.name in ("add-apt-repository", "apt-key") or "sources.list" in " ".join((words, *command.writes))


def _installed(image: FinalImage) -> Iterator[packages.Package]:
    for install in image.installs:
        for name in install.packages:
            known = packages.lookup(install.manager, name)
            if known is not None:
                yield known


def _check_users(build: ImageBuild, image: FinalImage, task: Task) -> None:
    """Every name in USER and --chown means the same account on both bases. Raises NotPossible."""
    stage = build.stages[image.stage]
    old, new = stage.image, task.choice.base
    if old is None or old.family == new.family:
        return
    from dockerslim_lint.plan.blocks import accounts

    created = {user.name for user in image.users}
    for index in stage.instructions:
        instruction = build.instructions[index]
        chown = instruction.flag("chown")
        word = instruction.words[0] if instruction.keyword == "USER" else chown.value if chown is not None else None
        account = (word.literal or "") if word is not None else ""
        if chown is None:
            account = accounts.by_name(build, image, account, new, again=True)
        if come_along(image, account, index if chown is not None else None):
            continue
        for name in filter(None, account.split(":")):
            number = old.user_id(name)
            if not name.isdecimal() and name not in created and (number is None or number != new.user_id(name)):
                raise NotPossible(f"nothing in the file creates the user {name}")
    people = [name for name, number in old.users if number in accounts.PEOPLE]
    for user in image.users:
        system = user.option("system")
        if user.kind == "user" and accounts.has_home(user, old) and not accounts.has_home(user, new):
            raise NotPossible(f"the user {user.name} has a home that the new base would not make")
        if people and user.kind == "user" and not user.uid and not system:
            raise NotPossible(f"the user {user.name} would get another number than beside {people[0]}")


def _without_other_packages(
    build: ImageBuild, image: FinalImage, base: BaseImage, missing: dict[str, str]
) -> Iterator[Edit]:
    """The steps of another package manager go, where all that they install is needless or has a Debian name. Raises NotPossible."""
    for index in build.stages[image.stage].instructions:
        commands = [command for command in image.commands if command.instruction == index]
        if not any(manager_of(command) for command in commands):
            unknown = [
                command
                for command in commands
                if known_commands.classify(command.name) == "opaque" or command.name in OTHER_FLAGS
            ]
            if unknown:
                line = build.source.line_of(unknown[0].span.start)
                raise NotPossible(f"the final stage runs {unknown[0].name or 'what cannot be read'} (line {line})")
            continue
        line = build.source.line_of(build.instructions[index].span.start)
        for command in commands:
            if manager_of(command) == "apt":
                raise NotPossible(f"the final stage calls {command.name} (line {line}), which its base does not have")
            install = read_install(command)
            for name in install.packages if install is not None else ():
                known = packages.lookup(manager_of(command), name)
                if known is not None and known.role == "certificates":
                    missing["ca-certificates"] = known.role
                elif known is not None and known.role.endswith("library"):
                    continue  # what is linked is among `missing`
                elif known is None or not needless_package(known, base):
                    raise NotPossible(f"the final stage installs {name} (line {line}), whose Debian name is not known")
            if install is None and why_needed(command, base):
                raise NotPossible(f"{why_needed(command, base)} (line {line})")
        span = removal(build, build.instructions[index])
        yield Edit(span.start, span.end, "")


def carried_steps(build: ImageBuild, image: FinalImage) -> frozenset[int]:
    """The RUN instructions of a single stage that only make accounts and places for them: they go along to the new stage."""
    found = set()
    for index in build.stages[image.stage].instructions:
        commands = [command for command in image.commands if command.instruction == index]
        if any(read_user(command) is not None for command in commands) and all(
            read_user(command) is not None or command.name in ("mkdir", "chown", "chmod", "true", "set")
            for command in commands
        ):
            found.add(index)
    return frozenset(found)

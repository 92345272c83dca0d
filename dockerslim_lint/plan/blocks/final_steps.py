"""RUN steps of the final stage: packages that the new base makes needless, users that become numbers."""

from __future__ import annotations

from dockerslim_lint.catalog import commands as known_commands
from dockerslim_lint.catalog import packages
from dockerslim_lint.catalog.images import BaseImage
from dockerslim_lint.edit import ConfigChange, Edit
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.model import Command, FinalImage, ImageBuild, UserCreation
from dockerslim_lint.facts.packages import manager_of, read_install
from dockerslim_lint.facts.users import come_along, read_user
from dockerslim_lint.plan.blocks.lines import removal
from dockerslim_lint.plan.chains import own_chain
from dockerslim_lint.plan.model import Choice, Draft, NotPossible, Unsure

NONROOT = "65532:65532"
"""distroless's own nonroot user (knowledge §6.1); by number it works on any base, and Kubernetes' runAsNonRoot wants numbers."""

LINKED = frozenset({"tls-library", "compression-library", "build-only", "library", "database-client-library"})
"""Roles of packages that only programs linked with them need. Which crates do was asked before the program became static."""

PREPARES_A_PLACE = frozenset({"mkdir", "chown", "install"})


def remove_steps(build: ImageBuild, image: FinalImage, choice: Choice) -> Draft:
    """Every RUN of the final stage whose commands are all needless on the new base goes. Raises NotPossible for any other."""
    check_own_certificates(build, image)
    by_instruction: dict[int, list[Command]] = {}
    for command in image.commands:
        by_instruction.setdefault(command.instruction, []).append(command)
    edits = []
    for index in steps_of(build, image):
        instruction = build.instructions[index]
        line = build.source.line_of(instruction.span.start)
        for command in by_instruction.get(index, ()):
            reason = why_needed(command, choice.base)
            if reason:
                raise (NotPossible if manager_of(command) else Unsure)(f"{reason} (line {line})")
        if index not in by_instruction:
            raise Unsure(f"the step in line {line} cannot be read")
        span = removal(build, instruction)
        edits.append(Edit(span.start, span.end, ""))
    return Draft(tuple(edits))


def check_own_certificates(build: ImageBuild, image: FinalImage) -> None:
    """Raises NotPossible where a step puts certificates that the file brings among those that programs trust."""
    from dockerslim_lint.catalog import programs

    for command in image.commands:
        places = programs.trusts(known_commands.canonical(command.name))
        brought = [one.destination for one in image.transfers] + [path for one in image.commands for path in one.writes]
        if any(patterns.below(path, place) is not None for path in brought for place in places):
            line = build.source.line_of(command.span.start)
            raise NotPossible(f"{command.name} (line {line}) makes certificates of the file's own trusted")


def steps_of(build: ImageBuild, image: FinalImage) -> list[int]:
    """The RUN instructions of the image's own stages, in order."""
    return [
        at
        for number in own_chain(build, image)
        for at in build.stages[number].instructions
        if build.instructions[at].keyword == "RUN"
    ]


def why_needed(command: Command, base: BaseImage) -> str:
    """Why a command of the final stage cannot go; "" if it can."""
    from dockerslim_lint.catalog import programs

    name = known_commands.canonical(command.name)
    if not command.name:
        return "a step of the final stage cannot be read"
    if manager_of(command):
        install = read_install(command)
        for package in install.packages if install else ():
            known = packages.lookup(manager_of(command), package)
            if known is None or not needless_package(known, base):
                return f"the final stage installs {package}"
        return ""
    if programs.only_cleans(name, [word.pattern for word in command.words[1:]]):
        return ""
    if command.writes:
        return f"the final stage writes {command.writes[0]}"
    if programs.step_kind(name) == "needless":
        return ""
    if read_user(command) is not None:
        return ""
    return f"the final stage runs {command.name}"


def needless_package(package: packages.Package, base: BaseImage) -> bool:
    """Whether the base has what the package brings, or the program does not need it there."""
    if package.role == "certificates":
        return base.certificates
    if package.role == "tzdata":
        return base.tzdata
    if package.role == "housekeeping":
        return True
    if base.libc == "glibc":
        return package.in_cc or package.role == "build-only"
    if package.role == "c-library":
        return True
    return package.static_needless and package.role in LINKED


def number_user(build: ImageBuild, image: FinalImage, choice: Choice) -> Draft:
    """A user that the file creates becomes a number, in USER and in --chown; one named by its number gets its group's. Raises NotPossible."""
    created = {user.name: user for user in image.users if user.kind == "user"}
    edits: list[Edit] = []
    changes: list[ConfigChange] = []
    own = [
        at
        for number in own_chain(build, image)
        for at in build.stages[number].instructions
        if build.instructions[at].keyword == "USER"
    ]
    for index in own:
        word = build.instructions[index].words[0]
        name = word.literal
        if name is None:
            raise Unsure(f"USER in line {build.source.line_of(word.span.start)} comes from a variable")
        meant = _meant(build, image, name, choice.base)
        if come_along(image, meant):
            continue
        found = _number(build, image, meant, created, choice)
        if found is None or found[1] in (name, f"{name}:0"):  # who has no account is in root's group
            continue
        text, number = found
        if meant != name and text != number:
            raise Unsure(f"the number of the user {meant.partition(':')[0]} comes from a variable")
        edits.append(Edit(word.span.start, word.span.end, text))
        if index == image.user_instruction:
            maker = created.get(meant.partition(":")[0])
            why = "its id as a number" if maker is None or maker.uid else "not root, by number"
            why = why if meant == name else "with the number of its group"
            what = "group of" if maker is None and number.partition(":")[0] == meant.partition(":")[0] else "user"
            changes.append(ConfigChange("User", name, number, f"the new base has no {what} {name}: {why}"))
    for transfer in image.transfers:
        flag = build.instructions[transfer.instruction].flag("chown")
        if flag is None or flag.value is None or transfer.stage not in image.chain:
            continue
        name = flag.value.literal
        if name is None:
            raise Unsure(f"--chown in line {build.source.line_of(flag.span.start)} comes from a variable")
        if come_along(image, name, transfer.instruction):
            continue
        found = _number(build, image, name, created, choice)
        if found is not None:
            edits.append(Edit(flag.value.span.start, flag.value.span.end, found[0]))
    return Draft(tuple(edits), tuple(changes))


def _meant(build: ImageBuild, image: FinalImage, user: str, base: BaseImage) -> str:
    if not user[:1].isdecimal():
        return user
    from dockerslim_lint.plan.blocks import accounts

    return accounts.by_name(build, image, user, base)


def _same_group(image: FinalImage, old: BaseImage | None, new: BaseImage, group: str) -> bool:
    """Whether both bases have the group with one number, and the image makes none of that name."""
    number = old.group_id(group) if old is not None else None
    made = any(one.kind == "group" and one.name == group for one in image.users)
    return number is not None and number == new.group_id(group) and not made


def _number(
    build: ImageBuild, image: FinalImage, name: str, created: dict[str, UserCreation], choice: Choice
) -> tuple[str, str] | None:
    """What to write for ``user[:group]``, and its value; None where it can stay as it is. Raises NotPossible."""
    from dockerslim_lint.plan.blocks import accounts

    user, _, group = name.partition(":")
    if all(part.isdecimal() for part in (user, group) if part):
        return None
    creation = created.get(user)
    old = build.stages[image.stage].image
    if creation is None:
        number = old.user_id(user) if old is not None else None
        if not user.isdecimal() and (number is None or number != choice.base.user_id(user)):
            own = accounts.own_number(image, old, user)
            if own is None:
                raise Unsure(f"nothing in the file creates the user {user}")
            user, group = own[0], group or own[1]
            if group.isdecimal():
                return f"{user}:{group}", f"{user}:{group}"
        elif not group or group.isdecimal() or _same_group(image, old, choice.base, group):
            return None
        gid, option = accounts.group_number(image, old, group, None)
        written = accounts.in_user(image, gid, option)
        if written is None:
            raise Unsure(f"the number of the group {group} comes from a variable")
        return f"{user}:{written}", f"{user}:{gid}"
    line = build.source.line_of(creation.command.span.start)
    if accounts.has_home(creation, old) or image.workdir.startswith(f"/home/{user}"):
        raise Unsure(f"the user {user} (line {line}) has a home that the image may use")
    if creation.unread:
        raise Unsure(f"{creation.unread} of the user {user} (line {line}) is not understood")
    if creation.option("groups"):
        raise Unsure(f"the user {user} (line {line}) is in further groups")
    first = group or accounts.first_group(creation)
    if creation.uid:
        if not creation.uid.isdecimal():
            raise Unsure(f"the number of the user {user} (line {line}) is not known")
        gid, option = accounts.group_number(image, old, first, creation)
        written = accounts.in_user(image, creation.uid, creation.option("uid"))
        group_written = accounts.in_user(image, gid, option) if first != group or not group.isdecimal() else gid
        if written is None or group_written is None:
            raise Unsure(f"the number of the user {user} (line {line}) comes from a variable")
        return f"{written}:{group_written}", f"{creation.uid}:{gid}"
    if image.volumes:
        raise Unsure(f"the user {user} (line {line}) has no number of its own, and the image has volumes")
    if first and (
        first.isdecimal() or any(one.name == first and one.kind == "group" and one.uid for one in image.users)
    ):
        raise Unsure(f"the user {user} (line {line}) has no number of its own, and its group has one")
    for command in image.commands:
        if command.name in PREPARES_A_PLACE and command.stage in image.chain:
            raise Unsure(
                f"the user {user} (line {line}) has no number of its own, and {command.name} prepares files for it"
            )
    return NONROOT, NONROOT

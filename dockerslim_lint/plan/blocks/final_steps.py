"""RUN steps of the final stage: packages that the new base makes needless, users that become numbers."""

from __future__ import annotations

from dockerslim_lint.catalog import commands as known_commands
from dockerslim_lint.catalog import packages
from dockerslim_lint.catalog.images import BaseImage
from dockerslim_lint.edit import ConfigChange, Edit
from dockerslim_lint.facts.model import Command, FinalImage, ImageBuild, UserCreation
from dockerslim_lint.facts.packages import manager_of, read_install
from dockerslim_lint.facts.users import come_along, read_user
from dockerslim_lint.plan.blocks.lines import removal
from dockerslim_lint.plan.chains import own_chain
from dockerslim_lint.plan.model import Choice, Draft, NotPossible, Unsure
from dockerslim_lint.syntax.tree import Expansion

NONROOT = "65532:65532"
"""distroless's own nonroot user (knowledge §6.1); by number it works on any base, and Kubernetes' runAsNonRoot wants numbers."""

MAKES_A_HOME = frozenset({"-m", "--create-home", "-d", "--home", "--home-dir"})

MAKES_NO_HOME = frozenset({"-M", "--no-create-home", "-H"})

LINKED = frozenset({"tls-library", "compression-library", "build-only", "library", "database-client-library"})
"""Roles of packages that only programs linked with them need. Which crates do was asked before the program became static."""

PREPARES_A_PLACE = frozenset({"mkdir", "chown", "install"})


def remove_steps(build: ImageBuild, image: FinalImage, choice: Choice) -> Draft:
    """Every RUN of the final stage whose commands are all needless on the new base goes. Raises NotPossible for any other."""
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
        return (
            package.in_cc or package.role == "build-only" or (package.name.endswith("-dev") and package.role in LINKED)
        )
    if package.role == "c-library":
        return True
    return package.static_needless and package.role in LINKED


def number_user(build: ImageBuild, image: FinalImage, choice: Choice) -> Draft:
    """A user that the file creates becomes a number, in USER and in --chown. Raises NotPossible."""
    created = {user.name: user for user in image.users if user.kind == "user"}
    groups = {user.name: user for user in image.users if user.kind == "group"}
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
        if come_along(image, name):
            continue
        found = _number(build, image, name, created, groups, choice)
        if found is None:
            continue
        text, number = found
        edits.append(Edit(word.span.start, word.span.end, text))
        if index == image.user_instruction:
            why = "its id as a number" if created[name.partition(":")[0]].uid else "not root, by number"
            changes.append(ConfigChange("User", name, number, f"the new base has no user {name}: {why}"))
    for transfer in image.transfers:
        flag = build.instructions[transfer.instruction].flag("chown")
        if flag is None or flag.value is None or transfer.stage not in image.chain:
            continue
        name = flag.value.literal
        if name is None:
            raise Unsure(f"--chown in line {build.source.line_of(flag.span.start)} comes from a variable")
        if come_along(image, name, transfer.instruction):
            continue
        found = _number(build, image, name, created, groups, choice)
        if found is not None:
            edits.append(Edit(flag.value.span.start, flag.value.span.end, found[0]))
    return Draft(tuple(edits), tuple(changes))


def _number(
    build: ImageBuild,
    image: FinalImage,
    name: str,
    created: dict[str, UserCreation],
    groups: dict[str, UserCreation],
    choice: Choice,
) -> tuple[str, str] | None:
    """What to write for ``user[:group]``, and its value; None where it can stay as it is. Raises NotPossible."""
    user, _, group = name.partition(":")
    if all(part.isdecimal() for part in (user, group) if part):
        return None
    creation = created.get(user)
    if creation is None:
        stage = build.stages[image.stage]
        old = stage.image.user_id(user) if stage.image is not None else None
        if user.isdecimal() or (old is not None and old == choice.base.user_id(user) and not group):
            return None
        raise Unsure(f"nothing in the file creates the user {user}")
    line = build.source.line_of(creation.command.span.start)
    words = {word.pattern.partition("=")[0] for word in creation.command.words}
    homeless = words & MAKES_NO_HOME or not words & MAKES_A_HOME
    if not homeless or image.workdir.startswith(f"/home/{user}"):
        raise Unsure(f"the user {user} (line {line}) has a home that the image may use")
    if creation.uid:
        gid = group if group.isdecimal() else _group_id(creation, group, groups)
        written = _variable(creation.uid, creation.command)
        value = image.variables.get(written[2:-1]) if written else None
        if not creation.uid.isdecimal() or (written and (value is None or value.text != creation.uid)):
            raise NotPossible(f"the number of the user {user} (line {line}) is only known to that step")
        if written is None:
            return f"{creation.uid}:{gid}", f"{creation.uid}:{gid}"
        if not written or gid != creation.uid:
            raise Unsure(f"the number of the user {user} (line {line}) comes from a variable")
        return f"{written}:{written}", f"{creation.uid}:{gid}"
    if image.volumes:
        raise Unsure(f"the user {user} (line {line}) has no number of its own, and the image has volumes")
    for command in image.commands:
        if command.name in PREPARES_A_PLACE and command.stage in image.chain:
            raise Unsure(
                f"the user {user} (line {line}) has no number of its own, and {command.name} prepares files for it"
            )
    return NONROOT, NONROOT


def _variable(value: str, command: Command) -> str | None:
    """The variable that a word with this value is written as, "" for more than a variable; None for a plain word.

    Another build argument makes it another value.
    """
    for word in command.words:
        if word.shell is None or word.shell.literal is not None:
            continue
        if word.pattern == value or word.pattern.endswith(f"={value}"):
            pieces = [piece for piece in word.shell.pieces if isinstance(piece, Expansion)]
            plain = len(pieces) == 1 and not pieces[0].operator
            return f"${{{pieces[0].name}}}" if plain else ""
    return None


def _group_id(creation: UserCreation, group: str, groups: dict[str, UserCreation]) -> str:
    """The group's number: as created, else that of the user (useradd gives a user a group of its own: login.defs USERGROUPS_ENAB)."""
    words = [word.pattern for word in creation.command.words]
    for flag in ("-g", "--gid", "--ingroup", "-G"):
        if flag in words and not group:
            group = words[words.index(flag) + 1] if words.index(flag) + 1 < len(words) else ""
            if group.isdecimal():
                return group
    known = groups.get(group)
    if known is not None and known.uid:
        return known.uid
    if group and group != creation.name:
        raise Unsure(f"the group {group} has no number of its own")
    return creation.uid

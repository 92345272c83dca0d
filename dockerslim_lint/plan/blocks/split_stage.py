"""A single stage becomes two: what builds, and what is shipped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from dockerslim_lint.catalog import commands as known_commands
from dockerslim_lint.catalog import packages, programs
from dockerslim_lint.edit import Edit
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.cargo import cargo_arguments
from dockerslim_lint.facts.inside import DEFAULT_PATH
from dockerslim_lint.facts.model import Artifact, CargoCall, Command, FinalImage, ImageBuild, Transfer
from dockerslim_lint.facts.packages import manager_of
from dockerslim_lint.plan import chains
from dockerslim_lint.plan.blocks.final_steps import needless_package
from dockerslim_lint.plan.blocks.lines import PLAIN
from dockerslim_lint.plan.blocks.target_map import wildcard
from dockerslim_lint.plan.model import Choice, Draft, NotPossible, Task
from dockerslim_lint.plan.needs import missing_zones
from dockerslim_lint.syntax.tree import Expansion, Instruction

if TYPE_CHECKING:
    from dockerslim_lint.plan.start import Start

STAGE_NAME = "builder"

OF_THE_BUILD = frozenset(
    ["rustup", "rustc", "cd", "pushd", "popd", "set", "true", ":", "exit", "test", "[", "ls", "update-ca-certificates"]
)
"""Commands that leave nothing behind for the run."""

MOVES_PROGRAMS = frozenset({"cp", "mv", "install", "strip", "chmod"})

DUMMY_SOURCES = frozenset({"src", "target", "benches", "tests", "examples", "build.rs", "Cargo.lock"})

CARRIED = chains.CARRIED | {"USER", "SHELL", "ONBUILD"}
"""Instructions that describe the image and so are repeated in the new stage, in their order."""

DESTINATION = "/usr/local/bin"
"""Where a program goes that lived in the toolchain's own directory: on PATH in every base."""


def split(task: Task, image: FinalImage, start: Start | None = None) -> Draft:
    """Names the stage, and opens a second one behind its last step, with what has to be there to `start`. Raises NotPossible."""
    build = task.build
    stage = build.stages[image.stage]
    if stage.parent is not None or len(image.chain) > 1:
        raise NotPossible("the final stage is built on another stage that compiles")
    if stage.word is None or stage.image is None:
        raise NotPossible("nothing is known of the base")
    if image.stage != len(build.stages) - 1:
        raise NotPossible("another stage follows the one that is shipped")
    carried, packages_line = frozenset[int](), ""
    if task.choice.installs:
        carried, packages_line = _brought_along(task, image)
    steps = [at for at in stage.instructions if build.instructions[at].keyword == "RUN"]
    last = max((at for at in steps if at not in carried), default=steps[-1])
    scripts = start.files if start is not None else ()
    _check_steps(task, image, carried, scripts)
    _check_arguments(build, image)
    _check_environment(task, image)
    user = image.user.partition(":")[0]
    if user.isdecimal() and image.users:
        from dockerslim_lint.plan.blocks import accounts

        user = accounts.by_name(build, image, user, task.choice.base, again=True)
    _check_account(task, image, carried, user, task.choice.base.user_id)
    name = stage.name or _free_name(build)
    edits = []
    if not stage.name:
        edits.append(Edit(stage.word.span.end, stage.word.span.end, f" AS {name}"))
    # a platform that is written out is the image's, not only the builder's
    platform = build.instructions[stage.instruction].flag("platform")
    flag = f"{build.source.text(platform.span)} " if platform is not None else ""
    lines = [f"FROM {flag}{task.choice.base.reference}", *([packages_line] if packages_line else [])]
    if start is not None and start.packages:
        from dockerslim_lint.plan.blocks.alpine_steps import install_line

        lines.append(install_line(start))
    workdir = "/"
    for index in stage.instructions:
        instruction = build.instructions[index]
        if index > last:
            break
        if instruction.keyword == "WORKDIR":
            workdir = patterns.join(workdir, instruction.words[0].literal or "*")
        if index in carried:
            lines.append(_as_written(build, instruction))
        if instruction.keyword in CARRIED and not _is_for_cargo(instruction):
            lines.append(_as_written(build, instruction))
    if "*" in workdir:
        raise NotPossible("WORKDIR comes from a variable")
    for path, artifact in image.artifacts:
        bare = patterns.basename(path)
        if path not in image.launch.runs:
            lines.append(_copy_program(task, name, path, artifact, workdir, True))
            continue
        by_name = start.called == (bare,) if start is not None and start.called else _bare_name(build, path)
        if start is not None and bare in start.called and not by_name and not _on_path(task.choice, path):
            raise NotPossible(f"{bare} is started by its name, which the new stage would not find")
        lines.append(_copy_program(task, name, path, artifact, workdir, by_name))
    for owner, source, target in dict.fromkeys(_run_time_files(build, image, last, workdir, scripts)):
        for account, known in zip(
            owner.split(":"), (task.choice.base.user_id, task.choice.base.group_id), strict=False
        ):
            _check_account(task, image, carried, account, known)
        lines.append(f"COPY --from={name} {f'--chown={owner} ' if owner else ''}{_words(source, target)}")
    place = build.instructions[last].span.end
    text = "\n" + "\n".join(lines) + "\n"
    if build.source.data[place - 1 : place] != b"\n":
        text = f"\n{text.rstrip()}"
    edits.append(Edit(place, place, text))
    return Draft(tuple(edits))


def _check_account(
    task: Task, image: FinalImage, carried: frozenset[int], name: str, known: Callable[[str], int | None]
) -> None:
    """Raises NotPossible for a user or group of which nothing is known in the new stage."""
    made = {one.name for one in image.users if one.command.instruction in carried}
    if name and not name.isdecimal() and name not in made and known(name) is None:
        raise NotPossible(f"nothing makes the user {name} in the new stage")


def _brought_along(task: Task, image: FinalImage) -> tuple[frozenset[int], str]:
    """The steps that the new stage has too, and the one that installs its packages ("" for none)."""
    from dockerslim_lint.plan.blocks.debian_packages import ALONE, carried_packages, install_line
    from dockerslim_lint.plan.blocks.debian_steps import carried_steps
    from dockerslim_lint.plan.debian_slim import wanted_packages

    base = task.choice.base
    names = dict.fromkeys(carried_packages(task.build, image, base.release))
    # what the file takes along with its own packages may be needed too
    flags = {word.pattern for install in image.installs for word in install.command.words}
    alone = not names or ALONE.strip() in flags
    names.update(dict.fromkeys(wanted_packages(task.build, image, base)))
    steps = carried_steps(task.build, image)
    called = (command.name for command in image.commands if command.instruction in steps)
    names.update(dict.fromkeys(filter(None, (programs.left_out(base, name) for name in called))))
    return steps, install_line(names, alone) if names else ""


def _check_steps(task: Task, image: FinalImage, carried: frozenset[int], scripts: tuple[str, ...]) -> None:
    """Every step but those of the build itself may make something that the run needs; `scripts` go along as they are."""
    build, choice = task.build, task.choice
    programs = {patterns.basename(path) for path, _ in image.artifacts}
    makers = {build.calls[artifact.call].command.span for _, artifact in image.artifacts if artifact.call is not None}
    for command in image.commands:
        name = known_commands.canonical(command.name)
        if command.instruction in carried:
            continue
        tool = _installed_tool(command, programs, command.span in makers)
        if tool:
            line = build.source.line_of(command.span.start)
            raise NotPossible(f"{tool} (line {line}) may be needed when the image runs")
        if cargo_arguments(command) is not None or manager_of(command) or name in OF_THE_BUILD:
            continue
        if name in MOVES_PROGRAMS and programs & {patterns.basename(word.pattern) for word in command.words[1:]}:
            continue
        if _of_dummy_sources(command) or _makes_workdir(command, image.workdir):
            continue
        if name == "chmod" and set(_files_of(command)) <= set(scripts):
            continue
        line = build.source.line_of(command.span.start)
        raise NotPossible(f"{command.name or 'a step'} (line {line}) may make something that the run needs")
    there = {"build-only", "housekeeping", "certificates", "tls-library"}
    if choice.base.tzdata or missing_zones(image, choice):
        there.add("tzdata")
    for install in image.installs if not choice.installs else ():
        for package in install.packages:
            known = packages.lookup(install.manager, package)
            if packages.is_rust(install.manager, package):
                continue  # that the program does not want its toolchain is known by now
            if known is None or not (known.role in there or needless_package(known, choice.base)):
                line = build.source.line_of(install.command.span.start)
                raise NotPossible(f"{package} (line {line}) may be needed when the image runs")


def _installed_tool(command: Command, programs: set[str], shipped: bool) -> str:
    """A program of others that cargo installs and that is not cargo's own; "" for none. `shipped`: it makes one of `programs`."""
    arguments = cargo_arguments(command)
    if arguments is None or not arguments.subcommand.endswith("install") or "--path" in arguments.flags:
        return ""
    if shipped and len(arguments.operands) == 1:
        return ""  # a crate need not be called like its program
    for word in (*arguments.operands, *(() if arguments.operands else arguments.flags.get("--git", ()))):
        name = patterns.basename(word.pattern).partition("@")[0].removesuffix(".git")
        if name not in programs and not name.startswith("cargo-"):
            return name
    return ""


def _files_of(command: Command) -> list[str]:
    """The files of a chmod: its words without options and mode."""
    words = [word.pattern for word in command.words[1:]]
    if words[:1] == ["-R"]:
        return words
    return [patterns.join(command.directory or "/*", word) for word in words[1:]]


def _of_dummy_sources(command: Command) -> bool:
    """The dummy-main trick and its cleaning: mkdir, echo, touch and rm of sources, outputs and package caches."""
    if command.name in ("echo", "printf"):
        return "main" in command.words[-1].pattern
    if command.name not in ("mkdir", "touch", "rm"):
        return False
    places = [word.pattern for word in command.words[1:] if not word.pattern.startswith("-")]
    return all(
        place.startswith("/var/") or patterns.normalise(place).split("/")[0] in DUMMY_SOURCES for place in places
    )


def _makes_workdir(command: Command, workdir: str) -> bool:
    """A mkdir of the directory that WORKDIR makes in the new stage, or of those above it."""
    words = [word.pattern for word in command.words[1:] if word.pattern != "-p"]
    places = [patterns.join(command.directory or "/*", word) for word in words]
    return command.name == "mkdir" and all(patterns.below(workdir, place) is not None for place in places)


def _check_arguments(build: ImageBuild, image: FinalImage) -> None:
    """A file of the build's own sources that the command or a variable names would stay behind."""
    for text in image.launch.argv[1:]:
        if _is_of_the_build(build, image, text):
            raise NotPossible(f"the command reads {text}, which only the build brings")
    for index in build.stages[image.stage].instructions:
        instruction = build.instructions[index]
        for pair in instruction.pairs if instruction.keyword == "ENV" and not _is_for_cargo(instruction) else ():
            value = pair.value.literal if pair.value is not None else None
            if value and _is_of_the_build(build, image, value):
                raise NotPossible(f"{pair.key.literal} names {value}, which only the build brings")


def _is_of_the_build(build: ImageBuild, image: FinalImage, text: str) -> bool:
    """Whether a path names something in the context that does not go along."""
    inside = patterns.below(patterns.join(image.workdir, text), image.workdir)
    firsts = {path.split("/", 1)[0] for path in (inside, patterns.normalise(text.lstrip("/"))) if path}
    return any(first in build.contents.top_level and build.contents.only_builds(first) for first in firsts)


def _check_environment(task: Task, image: FinalImage) -> None:
    """What is repeated may lean on a variable that only the old base, or a line for cargo, sets. Raises NotPossible."""
    build, stage = task.build, task.build.stages[image.stage]
    lost = {name for name, _ in (stage.image.env if stage.image is not None else ())}
    lost -= {name for name, _ in task.choice.base.env}
    for index in stage.instructions:
        instruction = build.instructions[index]
        names = {pair.key.literal or "" for pair in instruction.pairs}
        if instruction.keyword not in CARRIED:
            continue
        if _is_for_cargo(instruction):
            lost |= names
            continue
        values = [pair.value for pair in instruction.pairs if pair.value is not None]
        for word in (*values, *(instruction.words if not instruction.pairs else ())):
            for piece in word.pieces:
                if isinstance(piece, Expansion) and piece.name in lost:
                    line = build.source.line_of(instruction.span.start)
                    raise NotPossible(f"line {line} takes {piece.name}, which the new stage would not have")
        lost -= names


def _words(source: str, target: str) -> str:
    """Two paths as the words of a COPY. Raises NotPossible for one that COPY would take for a pattern or a variable."""
    plain = PLAIN | {" "}
    for path in (source, target):
        if any(char.isascii() and char not in plain and char not in "+@=,:~%" for char in path):
            raise NotPossible(f"{path} cannot be written in a COPY")
    return f'["{source}", "{target}"]' if " " in f"{source}{target}" else f"{source} {target}"


def _free_name(build: ImageBuild) -> str:
    taken = {stage.name for stage in build.stages}
    name, number = STAGE_NAME, 1
    while name in taken:
        number += 1
        name = f"{STAGE_NAME}{number}"
    return name


def _is_for_cargo(instruction: Instruction) -> bool:
    """ENV and ARG lines that only cargo and rustc read."""
    return instruction.keyword in ("ENV", "ARG") and all(
        (pair.key.literal or "").startswith(("CARGO_", "RUSTFLAGS", "RUSTC", "RUSTUP_")) for pair in instruction.pairs
    )


def _as_written(build: ImageBuild, instruction: Instruction) -> str:
    return build.source.text(instruction.span).replace("\r\n", "\n").rstrip("\n")


def _on_path(choice: Choice, path: str) -> bool:
    """Whether a program that keeps its place is found by its name in the new base."""
    return patterns.parent(path) in (choice.base.path or DEFAULT_PATH).split(":")


def _copy_program(task: Task, stage: str, path: str, artifact: Artifact, workdir: str, by_name: bool) -> str:
    build = task.build
    call = build.calls[artifact.call] if artifact.call is not None else None
    source, target = path, _shown(path, workdir)
    if call is not None and call.kind == "build" and call.output is not None and task.retarget:
        source = _moved(call, path, task)
    elif call is not None and call.kind == "install" and by_name:
        target = f"{DESTINATION}/{patterns.basename(path)}"
    return f"COPY --from={stage} {source} {target}"


def _moved(call: CargoCall, path: str, task: Task) -> str:
    """The path of a program once its call has a target; as it is where it was copied out of the output directory."""
    inside = patterns.below(path, call.output or "")
    if inside is None:
        return path
    if task.build.contents.brings_musl_outputs:
        raise NotPossible("the build context holds target/*-linux-musl, and .dockerignore does not leave it out")
    return f"{call.target_directory}/{wildcard(task)}/{call.profile_directory}/{inside}"


def _bare_name(build: ImageBuild, path: str) -> bool:
    """Whether the program is started by its name alone, so that any directory of PATH will do."""
    return all(_first_word(image) == patterns.basename(path) for image in build.images)


def _first_word(image: FinalImage) -> str:
    """What is started, as it is written; of a command in shell form without the ``exec`` before it."""
    words = image.launch.argv[2].split() if image.launch.shell_form else list(image.launch.argv)
    if image.launch.shell_form and words[:1] == ["exec"]:
        del words[0]
    return words[0] if words else ""


def _shown(path: str, workdir: str) -> str:
    inside = patterns.below(path, workdir) if workdir != "/" else None
    return f"./{inside}" if inside else path


def _run_time_files(
    build: ImageBuild, image: FinalImage, last: int, workdir: str, scripts: tuple[str, ...]
) -> Iterator[tuple[str, str, str]]:
    """What the steps' COPY brought from the context and no build needs, `scripts` too: the owner as written, "" for root, the path
    there and the word for it. Raises NotPossible where that is not known.
    """
    for transfer in image.transfers:
        if transfer.instruction > last:
            continue
        instruction = build.instructions[transfer.instruction]
        line = build.source.line_of(instruction.span.start)
        if instruction.flag("exclude") or instruction.keeps_parents:
            raise NotPossible(f"which files line {line} brings is not known")
        if transfer.origin_stage is not None or transfer.origin_image:
            raise NotPossible(f"line {line} brings files of another image")
        if not transfer.sources:
            raise NotPossible(f"line {line} writes a file of its own")
        flag = instruction.flag("chown")
        owner = flag.value.literal if flag is not None and flag.value is not None else ""
        found = _brought(build, transfer, line, scripts)
        if found and owner is None:
            raise NotPossible(f"--chown in line {line} comes from a variable")
        for path in _left(build, image, transfer, found):
            yield owner or "", path, _shown(path, workdir)


def _brought(build: ImageBuild, transfer: Transfer, line: int, scripts: tuple[str, ...]) -> list[str]:
    """The paths of what one COPY from the context brings for the run."""
    contents = build.contents
    found: list[str] = []
    for source in transfer.sources:
        plain = patterns.normalise(source.lstrip("/")) if source.strip("/") else "."
        first = plain.split("/", 1)[0]
        if plain == ".":
            if not contents.known:
                raise NotPossible(f"nothing is known of the files that line {line} brings")
            for name in contents.top_level:
                among_sources = _among_sources(build, name, line) if contents.only_builds(name) else (name,)
                found += [patterns.join(transfer.destination, one) for one in among_sources]
        elif (path := _target(transfer, source)) in scripts:
            found.append(path)
        elif _brings_sources_alone(build, build.instructions[transfer.instruction], plain, line):
            continue
        elif not (contents.only_builds(first) or contents.data_among_sources(first)):
            names = contents.inside(plain) if not set(plain) & set("*?[") else None
            among = any(patterns.below(call.output or "/", transfer.destination) is not None for call in build.calls)
            if names is None or (among and len(names) > MANY):
                raise NotPossible(f"{plain} (line {line}) may be needed when the image runs")
            if names and among:
                found += [patterns.join(transfer.destination, name) for name in names]
            else:
                found.append(transfer.destination if names else path)
        else:
            data = _among_sources(build, first, line)
            below = [(one, inside) for one in data if (inside := patterns.below(one, plain))]
            if below and set(plain) & set("*?["):
                raise NotPossible(f"{below[0][0]} (line {line}) may be needed when the image runs")
            found += [patterns.join(transfer.destination, inside) for _, inside in below]
    return found


def _brings_sources_alone(build: ImageBuild, instruction: Instruction, pattern: str, line: int) -> bool:
    """Whether a pattern as it is written names files of the context, and only such as no run needs (``Cargo*``). Raises NotPossible."""
    if "/" in pattern or not set(pattern) & set("*?[") or any(word.literal is None for word in instruction.words):
        return False
    names = build.contents.named_by(pattern)
    return bool(names) and all(
        build.contents.only_builds(name) and not _among_sources(build, name, line) for name in names
    )


MANY = 8
"""More files than that among the sources are no data that somebody put there for the run."""


def _among_sources(build: ImageBuild, name: str, line: int) -> tuple[str, ...]:
    """What goes along from a directory of sources. Raises NotPossible."""
    found = build.contents.data_among_sources(name)
    if len(found) > MANY:
        raise NotPossible(
            f"{found[0]} and {len(found) - 1} more in {name}/ (line {line}) may be needed when the image runs"
        )
    return found


def _left(build: ImageBuild, image: FinalImage, transfer: Transfer, brought: list[str]) -> list[str]:
    """What is still there of `brought` once the steps behind its COPY have cleaned up. Raises NotPossible where that is not known."""
    removals = [one for one in image.commands if one.name == "rm" and one.instruction > transfer.instruction]
    for command in removals:
        places = [word.pattern for word in command.words[1:] if not word.pattern.startswith("-")]
        removed = [patterns.join(command.directory or "/*", place) for place in places]
        gone = [path for path in brought if any(patterns.below(path, place) is not None for place in removed)]
        if gone and not (command.certain and command.directory):
            line = build.source.line_of(command.span.start)
            name = patterns.below(gone[0], transfer.destination) or gone[0]
            raise NotPossible(f"line {line} may remove {name}, which may be needed when the image runs")
        brought = [path for path in brought if path not in gone]
    return brought


def _target(transfer: Transfer, source: str) -> str:
    into = transfer.into_directory or transfer.directory_by_base
    return patterns.join(transfer.destination, patterns.basename(source)) if into else transfer.destination

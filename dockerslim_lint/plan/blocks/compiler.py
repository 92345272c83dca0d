"""A C compiler for musl, where a crate brings C code."""

from __future__ import annotations

from dockerslim_lint.facts.model import Command
from dockerslim_lint.facts.packages import read_install
from dockerslim_lint.facts.stages import chain_of
from dockerslim_lint.facts.users import is_root
from dockerslim_lint.plan.blocks.lines import block_start, cased, insert_line, user_before
from dockerslim_lint.plan.blocks.target import first_commands
from dockerslim_lint.plan.model import Draft, NotPossible, Task


def install_compiler(task: Task) -> Draft:
    """One RUN line for each builder stage that has not all of `Task.compiler` yet. Raises NotPossible.

    musl-tools is all that cc needs on amd64 and arm64: it looks for ``x86_64-linux-musl-gcc``, ``musl-gcc`` and
    ``aarch64-linux-musl-gcc`` by itself (knowledge §3.3). A builder on the build platform gets the compiler of the platform
    that is asked for, whichever machine it is; an older cc, and one on a foreign machine, has to be told its name.
    """
    build = task.build
    edits = []
    wanted = (*_of_any_machine(task), *_for_target(task)) if task.cross else task.compiler
    prepared = 'dpkg --add-architecture "$TARGETARCH" && ' if task.cross else ""
    for first in first_commands(task) if task.compiler else ():
        stage = build.stages[first.stage]
        if stage.image is not None and stage.image.host_libc == "musl":
            continue
        chain = chain_of(stage, build.stages)
        here = {name for command in build.commands if command.stage in chain for name in _installed(command)}
        there = here.union(stage.image.tools if stage.image is not None else ())
        missing = [name for name in wanted if name not in there]
        if not missing:
            continue
        line = build.source.line_of(build.instructions[stage.instruction].span.start)
        if stage.image is None or stage.image.package_manager != "apt":
            raise NotPossible(f"the crates bring C code, and the builder (line {line}) has no apt for {missing[0]}")
        if stage.image.archived and not here:
            raise NotPossible(
                f"the crates bring C code, and the package lists of the builder's {stage.image.release} (line {line}) are "
                f"off the mirrors: there is no {missing[0]} to install"
            )
        user = user_before(build, chain, first.instruction)
        if user is None or not is_root(user):
            raise NotPossible(f"the builder (line {line}) is not root, who alone may install {missing[0]}")
        broken = f"{build.dockerfile.escape}\n " if task.cross else ""
        install = f"apt-get install -y --no-install-recommends {' '.join(missing)}"
        text = f"RUN {prepared}apt-get update {broken}&& {install}"
        instruction = build.instructions[first.instruction]
        edits.append(insert_line(build, block_start(build, instruction), cased(build, instruction, text)))
    return Draft(tuple(edits))


def _of_any_machine(task: Task) -> tuple[str, ...]:
    """What runs on the builder itself (perl, make)."""
    return tuple(name for name in task.compiler if not any(name in row.apt for row in task.platforms))


def _for_target(task: Task) -> tuple[str, ...]:
    """The packages of the platform that is asked for: where they were tried, Debian names it as Docker does."""
    names = {package.partition(":")[0] for row in task.platforms for package in row.cross_apt}
    return tuple(f'{name}:"$TARGETARCH"' for name in sorted(names))


def _installed(command: Command) -> tuple[str, ...]:
    install = read_install(command)
    return install.packages if install is not None else ()

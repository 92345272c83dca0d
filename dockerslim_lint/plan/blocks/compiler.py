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
    ``aarch64-linux-musl-gcc`` by itself (knowledge §3.3).
    """
    build = task.build
    edits = []
    for first in first_commands(task) if task.compiler else ():
        stage = build.stages[first.stage]
        if stage.image is not None and stage.image.host_libc == "musl":
            continue
        chain = chain_of(stage, build.stages)
        here = {name for command in build.commands if command.stage in chain for name in _installed(command)}
        there = here.union(stage.image.tools if stage.image is not None else ())
        missing = [name for name in task.compiler if name not in there]
        if not missing:
            continue
        line = build.source.line_of(build.instructions[stage.instruction].span.start)
        if stage.image is None or stage.image.package_manager != "apt":
            raise NotPossible(f"the crates bring C code, and the builder (line {line}) has no apt for {missing[0]}")
        user = user_before(build, chain, first.instruction)
        if user is None or not is_root(user):
            raise NotPossible(f"the builder (line {line}) is not root, who alone may install {missing[0]}")
        text = f"RUN apt-get update && apt-get install -y --no-install-recommends {' '.join(missing)}"
        instruction = build.instructions[first.instruction]
        edits.append(insert_line(build, block_start(build, instruction), cased(build, instruction, text)))
    return Draft(tuple(edits))


def _installed(command: Command) -> tuple[str, ...]:
    install = read_install(command)
    return install.packages if install is not None else ()

"""The musl target is installed before the first call that needs it."""

from __future__ import annotations

from dockerslim_lint.catalog import platforms
from dockerslim_lint.facts.toolchain import is_installed
from dockerslim_lint.plan.blocks.lines import block_start, cased, insert_line
from dockerslim_lint.plan.model import Draft, NotPossible, Task

TRIPLE = '"$(uname -m)"-unknown-linux-musl'
"""The readable idiom: right on amd64 and arm64 in a stage that runs on the target platform (knowledge §1.2)."""

PATTERN = "*-unknown-linux-musl"


def install_target(task: Task) -> Draft:
    """One RUN line for each builder stage that makes programs. Raises NotPossible."""
    build = task.build
    edits = []
    for number in task.stages:
        stage = build.stages[number]
        calls = [at for at in task.calls if build.calls[at].command.stage == number]
        line = build.source.line_of(build.instructions[stage.instruction].span.start)
        if stage.cross:
            raise NotPossible(
                f"the builder (line {line}) runs on the build platform, where `uname -m` is not the target's"
            )
        if stage.image is None:
            raise NotPossible(f"nothing is known of the builder's image (line {line})")
        if not stage.image.toolchain:
            raise NotPossible(f"the builder (line {line}) has no toolchain of its own: it is installed by a step")
        if stage.image.host_libc == "musl":
            continue
        platform = platforms.lookup(stage.platform) if stage.platform else None
        if platform is not None and not platform.uname_idiom:
            raise NotPossible(
                f"the builder (line {line}) runs on {stage.platform}, where `uname -m` is not the target's"
            )
        first = build.calls[calls[0]]
        instruction = build.instructions[first.command.instruction]
        chosen = build.toolchains[calls[0]].file
        for at in calls:
            call, crate = build.calls[at], build.crates[at]
            call_line = build.source.line_of(call.command.span.start)
            if call.toolchain:
                raise NotPossible(f"the call in line {call_line} picks the toolchain +{call.toolchain}")
            file = build.toolchains[at].file
            if file is not None and file != chosen:
                raise NotPossible(f"{file.path} chooses the toolchain after the first build (line {call_line})")
            if crate is not None and "/" in crate.toolchain.path:
                raise NotPossible(f"{crate.toolchain.path} chooses the toolchain below the directory of this step")
        if is_installed(PATTERN, build.targets[number]):
            continue
        edits.append(
            insert_line(
                build, block_start(build, instruction), cased(build, instruction, f"RUN rustup target add {TRIPLE}")
            )
        )
    return Draft(tuple(edits))

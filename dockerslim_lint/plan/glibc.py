"""Whether a program that keeps glibc runs on a smaller base that has one."""

from __future__ import annotations

from dockerslim_lint.catalog import packages
from dockerslim_lint.facts.packages import read_install
from dockerslim_lint.facts.stages import chain_of
from dockerslim_lint.plan.candidates import MAY_BE_LINKED
from dockerslim_lint.plan.model import NotPossible, Task
from dockerslim_lint.plan.native_code import check_shared_libraries


def check_glibc(task: Task) -> None:
    """The base's glibc is not older than the builder's, and it has what may be linked. Raises NotPossible.

    A program asks for the versions of the glibc that it was linked with; an older one refuses to load it (knowledge §2.5).
    """
    build, base = task.build, task.choice.base
    for number in task.stages:
        stage = build.stages[number]
        line = build.source.line_of(build.instructions[stage.instruction].span.start)
        if stage.image is None or stage.image.libc != "glibc" or not stage.image.libc_version:
            raise NotPossible(f"it is not known which glibc the builder (line {line}) links")
        if _version(stage.image.libc_version) > _version(base.libc_version):
            raise NotPossible(
                f"the builder (line {line}) links glibc {stage.image.libc_version}, {base.title} has {base.libc_version}"
            )
    if any(crate.packages for at in task.calls if (crate := build.crates[at]) is not None):
        check_shared_libraries(build, task.calls, base)
    else:
        _check_installed_libraries(task)


def _check_installed_libraries(task: Task) -> None:
    """Nothing is known of the crates: whatever library the file installs may be linked."""
    build, base = task.build, task.choice.base
    stages = {*task.stages, *(image.stage for image in task.images)}
    chains = {number for at in stages for number in chain_of(build.stages[at], build.stages)}
    for command in build.commands:
        install = read_install(command) if command.stage in chains else None
        for name in install.packages if install is not None else ():
            known = packages.lookup(install.manager, name) if install is not None else None
            if known is not None and known.role in MAY_BE_LINKED and not known.in_cc:
                line = build.source.line_of(command.span.start)
                raise NotPossible(f"{name} (line {line}) may be linked, and {base.title} does not have it")


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdecimal())

"""Whether a program that keeps glibc runs on a smaller base that has one."""

from __future__ import annotations

from dockerslim_lint.catalog.glibc import is_newer
from dockerslim_lint.plan.model import NotPossible, Task
from dockerslim_lint.plan.native_code import check_shared_libraries, linking_tools
from dockerslim_lint.plan.obstacles import installed_libraries


def check_glibc(task: Task) -> None:
    """The base's glibc is not older than the builder's, and it has what may be linked. Raises NotPossible.

    A program asks for the versions of the glibc that it was linked with; an older one refuses to load it (knowledge §2.5).
    """
    build, base = task.build, task.choice.base
    for image in task.images:
        old = build.stages[image.stage].image
        if old is not None and old.libc == "none" and image.inside.own_libc:
            raise NotPossible(f"the image brings a C library of its own, which {old.title} is smaller with")
    for number in task.stages:
        stage = build.stages[number]
        line = build.source.line_of(build.instructions[stage.instruction].span.start)
        if stage.image is None or stage.image.libc != "glibc" or not stage.image.libc_version:
            raise NotPossible(f"it is not known which glibc the builder (line {line}) links")
        if is_newer(stage.image.libc_version, base.libc_version):
            raise NotPossible(
                f"the builder (line {line}) links glibc {stage.image.libc_version}, {base.title} has {base.libc_version}"
            )
    if task.choice.installs:
        return  # what its programs link is installed there
    for name, _ in linking_tools(build, task.calls):
        raise NotPossible(f"{name} links libraries of the system")
    if any(crate.packages for at in task.calls if (crate := build.crates[at]) is not None):
        check_shared_libraries(build, task.images, task.calls, base)
    else:
        _check_installed_libraries(task)


def _check_installed_libraries(task: Task) -> None:
    """Nothing is known of the crates: whatever library the file installs may be linked, in the version of the builder's release."""
    builders = [image for number in task.stages if (image := task.build.stages[number].image) is not None]
    old = next((image for image in builders if image.ended and image.release != task.choice.base.release), None)
    for library, line in installed_libraries(task.build, task.images, task.calls):
        if not library.in_cc or old is not None:
            lacks = f"need not have what {old.release} has of it" if old and library.in_cc else "does not have it"
            raise NotPossible(f"{library.name} (line {line}) may be linked, and {task.choice.base.title} {lacks}")

"""Words that name the old output directory get the segment of the target."""

from __future__ import annotations

from dockerslim_lint.edit import Edit
from dockerslim_lint.facts.model import OutputUse
from dockerslim_lint.plan.blocks.target import TRIPLE
from dockerslim_lint.plan.model import Draft, NotPossible, Task


def move_paths(task: Task) -> Draft:
    """One insertion for each word, whatever the command. Raises NotPossible."""
    build = task.build
    moved = {
        at
        for at in task.calls
        if build.calls[at].kind == "build" and build.stages[build.calls[at].command.stage].image is not None
    }
    edits = {}
    for use in build.uses:
        if use.call in moved and use.own:
            edit = _edit(task, use)
            edits[edit.start] = edit
    return Draft(tuple(edits.values()))


def _edit(task: Task, use: OutputUse) -> Edit:
    source = task.build.source
    line = source.line_of(use.span.start)
    if use.profile_at is None:
        raise NotPossible(f"the path {source.text(use.span)} in line {line} is put together from variables")
    if use.form == "copy":
        if task.build.contents.brings_musl_outputs:
            raise NotPossible("the build context holds target/*-linux-musl, and .dockerignore does not leave it out")
        return Edit(use.profile_at, use.profile_at, "*-linux-musl/")
    if use.form == "json" or use.quote == "'":
        raise NotPossible(f"the path in line {line} is not expanded by a shell")
    text = TRIPLE.replace('"', "") if use.quote else TRIPLE
    return Edit(use.profile_at, use.profile_at, f"{text}/")

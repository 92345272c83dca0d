"""A login shell as a plain one."""

from __future__ import annotations

from dockerslim_lint.edit import Edit
from dockerslim_lint.facts.model import ImageBuild, LoginShell
from dockerslim_lint.plan.blocks.lines import instruction_of
from dockerslim_lint.plan.model import Draft, NotPossible


def without_profile(build: ImageBuild, found: LoginShell) -> Draft:
    """``bash -lc`` as ``bash -c``, whether a command or SHELL has it. Raises NotPossible."""
    start, end = found.option
    text = build.source.text(found.option)
    if text.startswith("-") and text[1:].isalpha() and text != "-l":
        return Draft((Edit(start, end, text.replace("l", "")),))
    strings = [string.span.start for string in instruction_of(build, found.option).json or ()]
    behind = build.source.data[end:].lstrip(b" \t")
    following = next((at for at in strings if at > start), len(build.source.data) - len(behind))
    if text not in ("-l", "--login") or following == end:
        raise NotPossible("the option that makes it a login shell cannot be taken out")
    return Draft((Edit(start, following, ""),))

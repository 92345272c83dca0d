"""A login shell as a plain one."""

from __future__ import annotations

import re

from dockerslim_lint.edit import Edit
from dockerslim_lint.facts.model import ImageBuild, LoginShell
from dockerslim_lint.plan.model import Draft, NotPossible


def without_profile(build: ImageBuild, found: LoginShell) -> Draft:
    """``bash -lc`` as ``bash -c``, whether a command or SHELL has it. Raises NotPossible."""
    start, end = found.option
    text, data = build.source.text(found.option), build.source.data
    if re.fullmatch(r"-[a-z]{2,}", text):
        return Draft((Edit(start, end, text.replace("l", "")),))
    gap = re.compile(rb'"[ \t]*,[ \t]*"' if data[start - 1 : start] == b'"' else rb"[ \t]+").match(data, end)
    if text not in ("-l", "--login") or gap is None:
        raise NotPossible("the option that makes it a login shell cannot be taken out")
    return Draft((Edit(start, gap.end(), ""),))

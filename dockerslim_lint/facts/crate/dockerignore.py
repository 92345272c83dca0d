""".dockerignore: what of the context never reaches the builder."""

from __future__ import annotations

import re
from functools import cache

from dockerslim_lint.context import BuildContext


class IgnoreFile:
    """The patterns of one file, by the rules of moby's patternmatcher: anchored at the root, the last match decides."""

    def __init__(self, text: str) -> None:
        self._rules: list[tuple[re.Pattern[str], bool]] = []
        for line in text.splitlines():
            pattern = line.strip()
            if not pattern or line.startswith("#"):
                continue
            keep = pattern.startswith("!")
            pattern = pattern.lstrip("!").strip().strip("/")
            while pattern.startswith("./"):
                pattern = pattern[2:]
            if pattern and pattern != ".":
                self._rules.append((_compiled(pattern), keep))

    @property
    def has_exceptions(self) -> bool:
        """Whether a directory that is left out may have files that are not."""
        return any(keep for _, keep in self._rules)

    def ignores(self, path: str) -> bool:
        """Whether a relative path, or a directory that holds it, is left out."""
        parts = path.split("/")
        parents = ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]
        ignored = False
        for pattern, keep in self._rules:
            if ignored == keep and any(pattern.fullmatch(parent) for parent in parents):
                ignored = not keep
        return ignored


def read_ignore_file(context: BuildContext, dockerfile: str) -> IgnoreFile:
    """``<Dockerfile>.dockerignore`` beside the Dockerfile if it is there, else ``.dockerignore`` (BuildKit's order)."""
    place = context.place(dockerfile)
    data = context.read(f"{place}.dockerignore") if place else None
    if data is None:
        data = context.read(".dockerignore")
    return IgnoreFile((data or b"").decode("utf-8-sig", "replace"))


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    expression = ""
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if pattern.startswith("**", at - 1):
            at += 1
            if pattern.startswith("/", at):
                at += 1
                expression += "(?:.*/)?"
            else:
                expression += ".*"
        elif char == "*":
            expression += "[^/]*"
        elif char == "?":
            expression += "[^/]"
        elif char == "[" and "]" in pattern[at + 1 :]:
            end = pattern.index("]", at + 1)
            inner = pattern[at:end].replace("\\", "\\\\")
            expression += f"[{'^' + inner[1:] if inner[0] in '!^' else inner}]"
            at = end + 1
        elif char == "\\" and at < len(pattern):
            expression += re.escape(pattern[at])
            at += 1
        else:
            expression += re.escape(char)
    try:
        return re.compile(expression)
    except re.error:
        return re.compile(re.escape(pattern))

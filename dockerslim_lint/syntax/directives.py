"""Parser directives: ``# syntax=``, ``# escape=``, ``# check=`` at the top of a file."""

from __future__ import annotations

import re

from dockerslim_lint.source import Span
from dockerslim_lint.syntax.lines import content_end, line_end, skip_space
from dockerslim_lint.syntax.tree import Directive

_NAMES = ("syntax", "escape", "check")
# Go's \s has no vertical tab.
_DIRECTIVE = r"([a-zA-Z][a-zA-Z0-9]*)[\t\n\f\r ]*=[\t\n\f\r ]*(.+?)[\t\n\f\r ]*\Z"


class DirectiveReader:
    """Reads directives line by line, until the first line that is none. Collects them, and what BuildKit would say (`error`)."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._done = False
        self.found: list[Directive] = []
        self.error: str | None = None
        self.escape = "\\"

    def end(self) -> None:
        """An instruction or an empty line was met: no directive counts any more."""
        self._done = True

    def read(self, start: int, end: int, prefix: str = "#") -> bool:
        """Whether the line ``text[start:end]``, which begins with `prefix`, is a directive."""
        if self._done:
            return False
        text = self._text
        stop = content_end(text, start, end)
        match = re.compile(_DIRECTIVE).match(text, skip_space(text, start + len(prefix), stop), stop)
        name = match[1].lower() if match else ""
        if match is None or name not in _NAMES:
            self._done = True
            return False
        if any(directive.name == name for directive in self.found):
            self.error = self.error or f"only one {name} parser directive can be used"
            return True
        value = match[2].encode("latin-1").decode("utf-8", "surrogateescape")
        self.found.append(Directive(name, value, Span(start, end), Span(match.start(2), match.end(2))))
        if name == "escape":
            if value in ("\\", "`"):
                self.escape = value
            else:
                self.error = self.error or f"invalid escape token '{value}' does not match ` or \\"
        return True


def frontend_directives(text: str, start: int) -> list[Directive]:
    """Directives that only choose the frontend and that the parser itself takes for comments or nonsense.

    BuildKit looks for ``# syntax=`` also behind a ``#!`` line, and for ``// syntax=``.
    """
    if text.startswith("#!", start):
        start = line_end(text, start)
    found = _leading(text, start, "#")
    if not any(directive.name == "syntax" for directive in found):
        found = _leading(text, start, "//")
    return found


def _leading(text: str, start: int, prefix: str) -> list[Directive]:
    reader = DirectiveReader(text)
    while text.startswith(prefix, start):
        end = line_end(text, start)
        if not reader.read(start, end, prefix):
            break
        start = end
    return [directive for directive in reader.found if directive.name != "escape"]

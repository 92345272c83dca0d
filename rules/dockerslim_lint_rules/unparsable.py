"""DSL901."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.rule import Finding, ImageBuild, Invalid, Plan, Rule, Severity, Valid


class Unparsable(Rule):
    """The file holds no list of instructions.

    It is empty, holds only comments, has no FROM, opens a heredoc that never ends, or is no Dockerfile at all. Docker
    would refuse it as a whole, so nothing else is said of it. The exit code is 4.

    **Fix safety.** There is no fix.
    """

    CODE = "DSL901"
    NAME = "unparsable"
    SEVERITY = Severity.ERROR

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        for problem in build.problems:
            if problem.kind == "fatal":
                yield self.finding(f"Docker cannot read this file: {problem.text}.", problem.span)

    INVALID = (Invalid("RUN echo hello\n", line=1), Invalid("FROM rust:1\nRUN <<EOF\necho hello\n", line=2))
    VALID = (
        Valid(near=0, text="FROM scratch\nRUN echo hello\n"),
        Valid(near=1, text="FROM rust:1\nRUN <<EOF\necho hello\nEOF\n"),
    )

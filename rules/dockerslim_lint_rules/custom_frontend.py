"""DSL903."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.rule import Finding, ImageBuild, Invalid, Plan, Rule, Severity, Valid


class CustomFrontend(Rule):
    """The file is written for a frontend other than Docker's own.

    `# syntax=` names the program that reads the file. Any but `docker/dockerfile` may read another language, so nothing
    can be said of what follows, and nothing is.

    **Fix safety.** There is no fix.
    """

    CODE = "DSL903"
    NAME = "custom-frontend"
    SEVERITY = Severity.INFO

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        for problem in build.problems:
            if problem.kind == "frontend":
                yield self.finding(f"Not judged: the file is written for the frontend {problem.text}.", problem.span)

    INVALID = (Invalid("# syntax=example.com/mine:1\nFROM rust:1\n", line=1),)
    VALID = (
        Valid(near=0, text="# syntax=docker/dockerfile:1\nFROM rust:1\n"),
        Valid(near=0, text="# syntax=docker/dockerfile-upstream:master\nFROM rust:1\n"),
        Valid(near=0, text="# not syntax=example.com/mine:1\nFROM rust:1\n"),
    )

"""DSL902."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.rule import Finding, ImageBuild, Invalid, Plan, Rule, Severity, Valid

KEYWORDS = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
]


class BadInstruction(Rule):
    """BuildKit would refuse this instruction.

    The word is not an instruction (a typing error: the message says what it may have been), or its arguments are not
    what the instruction takes. The build would stop here, so no fix is offered for the rest of the file either.

    **Fix safety.** There is no fix.
    """

    CODE = "DSL902"
    NAME = "bad-instruction"
    SEVERITY = Severity.ERROR

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        for problem in build.problems:
            if problem.kind == "unknown":
                near = _nearest(problem.keyword)
                hint = f" Did you mean {near}?" if near else ""
                yield self.finding(f"{problem.keyword} is not an instruction.{hint}", problem.span)
            elif problem.kind == "instruction":
                yield self.finding(f"BuildKit refuses this instruction: {problem.text}.", problem.span)

    INVALID = (Invalid("FROM rust:1\nRNU cargo build\n", line=2), Invalid("FROM rust:1\nCOPY app\n", line=2))
    VALID = (
        Valid(near=0, text="FROM rust:1\nRUN cargo build\n"),
        Valid(near=0, text="FROM rust:1\nrun cargo build\n"),
        Valid(near=1, text="FROM rust:1\nCOPY app /\n"),
    )


def _nearest(word: str) -> str:
    from difflib import get_close_matches

    return next(iter(get_close_matches(word.upper(), KEYWORDS, 1, 0.6)), "")

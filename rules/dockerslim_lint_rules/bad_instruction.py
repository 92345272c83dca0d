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


BASE = """\
ARG TAG=3.24
FROM alpine:$TAG
COPY app /
"""

SOURCE = """\
FROM rust:1 AS build
FROM debian
COPY --from=1 /app /app
"""


class BadInstruction(Rule):
    """BuildKit would refuse this instruction.

    The word is not an instruction (a typing error: the message says what it may have been), or its arguments are not
    what the instruction takes. It also speaks of

    - a FROM whose variable no ARG above the first FROM declares, if no name of
      an image is left without it (an ARG in a stage holds for that stage);
    - a variable in `COPY --from=`;
    - the number of a stage that the file does not have.

    The build would stop here, so no fix is offered for the rest of the file either.

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

    INVALID = (
        Invalid("FROM rust:1\nRNU cargo build\n", line=2),
        Invalid("FROM rust:1\nCOPY app\n", line=2),
        Invalid(BASE.replace("ARG TAG=3.24\n", ""), line=1),
        Invalid(BASE.replace("ARG TAG=3.24", "FROM rust:1\nARG TAG=3.24"), line=3),
        Invalid(BASE.replace("ARG TAG", "ARG VERSION").replace("alpine:$TAG", "$TAG"), line=2),
        Invalid(SOURCE.replace("=1", "=2"), line=3),
        Invalid(SOURCE.replace("=1", "=$STAGE"), line=3),
    )
    VALID = (
        Valid(near=0, text="FROM rust:1\nRUN cargo build\n"),
        Valid(near=0, text="FROM rust:1\nrun cargo build\n"),
        Valid(near=1, text="FROM rust:1\nCOPY app /\n"),
        Valid(near=2, text=BASE),
        Valid(near=2, text=BASE.replace("=3.24", "")),
        Valid(near=2, text=BASE.replace("ARG TAG=3.24\n", "").replace("$TAG", "${TAG:-3.24}")),
        Valid(near=2, text=BASE.replace("ARG TAG=3.24\n", "").replace(":$TAG", ":3.24$TAG")),
        Valid(near=2, text=BASE.replace("ARG TAG=3.24\n", "").replace("alpine:$TAG", "${TAG}alpine:3.24")),
        Valid(near=2, text=BASE.replace("ARG TAG=3.24\n", "").replace("$TAG", "$TARGETARCH")),
        Valid(near=4, text=BASE.replace("alpine:$TAG", "$TAG")),
        Valid(near=5, text=SOURCE.replace("=1", "=0")),
        Valid(near=5, text=SOURCE.replace("=1", "=2.0")),
        Valid(near=5, text=SOURCE.replace("COPY --from=1", "ONBUILD COPY --from=9")),
        Valid(near=6, text=SOURCE.replace("=1", "=build").replace("/app /app", "/app/$STAGE /app")),
    )


def _nearest(word: str) -> str:
    from difflib import get_close_matches

    return next(iter(get_close_matches(word.upper(), KEYWORDS, 1, 0.6)), "")

"""DSL904."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.catalog.buildfiles import is_usual_stage
from dockerslim_lint.facts.env import PLATFORM_ARGUMENTS
from dockerslim_lint.facts.model import Stage
from dockerslim_lint.facts.stages import chain_of
from dockerslim_lint.rule import Finding, ImageBuild, Invalid, Label, Plan, Rule, Severity, Span, Valid
from dockerslim_lint.syntax.tree import Expansion, Instruction

STAGE = """\
FROM rust:1-alpine AS builder
WORKDIR /app
COPY . .
RUN cargo build --release
FROM scratch
COPY --from=buidler /app/target/release/app /app
CMD ["/app"]
"""

ARGUMENT = """\
ARG PROFILE=release
FROM rust:1-alpine AS builder
ARG PROFILE
WORKDIR /app
COPY . .
RUN cargo build --profile $PROFILE
FROM scratch
COPY --from=builder /app/target/$PROFILE/app /app
CMD ["/app"]
"""
RUN = STAGE.replace("buidler", "builder").replace("FROM r", "ARG BIN=app\nFROM r").replace("--release", "--bin $BIN")

PATHS = frozenset(["COPY", "ADD", "WORKDIR"])
"""Instructions in which the builder, not a shell, puts in the value."""


class UnknownName(Rule):
    """A name stands for nothing here: a stage that the file does not have, or an argument that the stage does not declare.

    `COPY --from=buidler` is no error of its own: the builder looks for an *image* of that name, in a registry. It is said only
    where a stage has nearly that name, and of names such as `builder` that people give to stages and nobody to images.

    An ARG holds for the stage in which it stands, and one before the first FROM for FROM alone. Elsewhere it is empty
    until it is declared again (`ARG PROFILE` without a value is enough), so that `/app/target/$PROFILE/app` becomes
    `/app/target//app`. It is said of COPY, ADD and WORKDIR, of variables that another place of the file declares, and
    on bases whose own variables are known. In a RUN only two kinds are reported: the ARGs before the first FROM, and the
    platform's own (`case "$TARGETARCH"`). And only if the step does not set the variable, does not ask whether it is empty,
    and gives no default (`${TARGETARCH:-amd64}`).

    **Fix safety.** There is no fix.
    """

    CODE = "DSL904"
    NAME = "unknown-name"
    SEVERITY = Severity.WARNING

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        names = [stage.name for stage in build.stages if stage.name]
        for stage in build.stages:
            for index in stage.instructions:
                instruction = build.instructions[index]
                if instruction.error is not None:
                    continue
                yield from self._stage(instruction, names)
                if instruction.keyword in PATHS:
                    yield from self._arguments(build, stage, index)
        for one in build.undeclared:
            yield self._empty(one.name, one.span, one.place)

    def _stage(self, instruction: Instruction, names: list[str]) -> Iterator[Finding]:
        flag = instruction.flag("from") if instruction.keyword in ("COPY", "ADD") else None
        name = flag.value.literal if flag is not None and flag.value is not None else None
        if flag is None or not name or name.lower() in names or name.isdecimal() or set(name) & set("/:@."):
            return
        from difflib import get_close_matches

        near = get_close_matches(name.lower(), names, 1, 0.75)
        if near or is_usual_stage(name.lower()):
            known = f"Did you mean {near[0]}?" if near else f"The stages are {', '.join(names) or 'without names'}."
            text = f"No stage is called {name}: the builder would look for an image of that name. {known}"
            yield self.finding(text, flag.span)

    def _arguments(self, build: ImageBuild, stage: Stage, index: int) -> Iterator[Finding]:
        if stage.image is None or not stage.image.understood:
            return
        pieces = [piece for word in build.instructions[index].words for piece in word.pieces]
        asked = [piece for piece in pieces if isinstance(piece, Expansion) and not piece.operator]
        if not asked:
            return
        known = {name for name, _ in stage.image.env}
        for number in chain_of(stage, build.stages):
            known.update(name for at, name, _ in _declared(build, number) if at < index)
        for piece in (one for one in asked if one.name not in known):
            place = self._elsewhere(build, piece.name, index)
            if place is not None or piece.name in PLATFORM_ARGUMENTS:
                yield self._empty(piece.name, piece.span, place)
                return

    def _empty(self, name: str, span: Span, place: Span | None) -> Finding:
        text = f"${name} is empty here: this stage does not declare it (`ARG {name}`)."
        labels = (Label(place, "declared here, for another place"),) if place is not None else ()
        return self.finding(text, span, labels=labels)

    @staticmethod
    def _elsewhere(build: ImageBuild, name: str, index: int) -> Span | None:
        """The last place before an instruction that declares a variable, None if there is none."""
        numbers = (None, *range(len(build.stages)))
        found = [(at, span) for number in numbers for at, one, span in _declared(build, number) if one == name]
        return next((span for at, span in sorted(found, reverse=True) if at < index), None)

    INVALID = (
        Invalid(STAGE, line=6),
        Invalid(ARGUMENT, line=8),
        Invalid(ARGUMENT.replace("ARG PROFILE=release\n", ""), line=7),
        Invalid(ARGUMENT.replace("target/$PROFILE", "target/$TARGETARCH"), line=8),
        Invalid(STAGE.replace("AS builder", "AS b").replace("buidler", "builder"), line=6),
        Invalid(RUN, line=5),
        Invalid(RUN.replace("$BIN", "${TARGETARCH}"), line=5),
    )
    VALID = (
        Valid(near=0, text=STAGE.replace("buidler", "builder")),
        Valid(near=0, text=STAGE.replace("buidler", "Builder")),
        Valid(near=0, text=STAGE.replace("buidler", "0")),
        Valid(near=0, text=STAGE.replace("buidler", "busybox")),
        Valid(near=0, text=STAGE.replace("buidler", "example.com/builder")),
        Valid(near=1, text=ARGUMENT.replace("FROM scratch", "FROM scratch\nARG PROFILE")),
        Valid(near=1, text=ARGUMENT.replace("FROM scratch", "FROM scratch\nENV PROFILE=release")),
        Valid(near=1, text=ARGUMENT.replace("FROM scratch", "FROM example.com/base:1")),
        Valid(near=1, text=ARGUMENT.replace("$PROFILE/app", "${PROFILE:-release}/app")),
        Valid(near=1, text=ARGUMENT.replace("target/$PROFILE/app", "target/$UNHEARD_OF/app")),
        Valid(near=5, text=RUN.replace("COPY . .", "ARG BIN\nCOPY . .")),
        Valid(near=5, text=RUN.replace("COPY . .", "ENV BIN=app\nCOPY . .")),
        Valid(near=5, text=RUN.replace("RUN", "RUN BIN=app;")),
        Valid(near=5, text=RUN.replace("$BIN", "${BIN:-app}")),
        Valid(near=5, text=RUN.replace("RUN", "RUN . ./env;")),
        Valid(near=5, text=RUN.replace("rust:1-alpine", "example.com/rust:1")),
    )


def _declared(build: ImageBuild, number: int | None) -> Iterator[tuple[int, str, Span]]:
    """The variables that a stage (None: the place before the first FROM) sets or declares: instruction, name, place."""
    indexes = build.stages[number].instructions if number is not None else range(build.stages[0].instruction)
    for index in indexes:
        instruction = build.instructions[index]
        for pair in instruction.pairs if instruction.keyword in ("ARG", "ENV") else ():
            yield index, pair.key.literal or "", pair.span

"""DSL206."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.facts.packages import OTHER_SOURCES, manager_of
from dockerslim_lint.facts.stages import chain_of
from dockerslim_lint.rule import Finding, ImageBuild, Invalid, Label, Plan, Rule, Severity, Valid

OLD = """\
FROM rust:1-alpine AS builder
WORKDIR /app
COPY . .
RUN cargo build --release
FROM alpine:3.14
COPY --from=builder /app/target/release/app /app
CMD ["/app"]
"""


LISTS = OLD.replace("rust:1-alpine", "rust:1.66-buster").replace("COPY . .", "RUN apt-get update\nCOPY . .")

COMPILES = """\
FROM alpine:3.14
RUN apk add --no-cache rust cargo
COPY . .
CMD ["cargo", "run", "--release"]
"""


class EndedBase(Rule):
    """The final base is a release that nobody mends any more.

    What is found in its packages from now on stays in the image, and its package lists are taken off the mirrors sooner
    or later, so that the build fails one day. Take the release of today, or a base with nothing in it to mend. Whether a
    release has ended is noted in the catalogue that comes with this program, so the answer does not change with the day;
    paid extensions of a vendor do not count.

    Of Debian, the lists up to buster are gone from the mirrors (tried in November 2026): `apt-get update` fails there, in the
    builder too, and so does the build. That is an error, unless the file speaks of other sources of packages.

    **Fix safety.** There is no fix of its own: the program may need the libraries of that very release.
    """

    CODE = "DSL206"
    NAME = "ended-base"
    SEVERITY = Severity.WARNING

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        seen: set[int] = set()
        compiling = [chain_of(build.stages[-1], build.stages)] if build.cargo_at_start else []
        for chain in (*(image.chain for image in build.images), *compiling):
            first = build.stages[chain[0]]
            base = first.image
            if base is None or not base.ended or base.toolchain or first.word is None or first.number in seen:
                continue
            seen.add(first.number)
            when = f" ({base.eol})" if base.eol else ""
            yield self.finding(
                f"{first.base_reference} has come to its end{when}: it gets no more security fixes.", first.word.span
            )
        yield from self._without_lists(build)

    def _without_lists(self, build: ImageBuild) -> Iterator[Finding]:
        """The first step of each stage that asks for package lists which no mirror has."""
        if any(word in build.source.data for word in OTHER_SOURCES):
            return
        told: set[int] = set()
        for command in build.commands:
            stage = build.stages[command.stage]
            update = manager_of(command) == "apt" and any(word.pattern == "update" for word in command.words)
            if stage.image is None or not stage.image.archived or not update or not command.certain:
                continue
            if stage.number not in told:
                told.add(stage.number)
                release = stage.release or stage.image.title
                text = f"{command.name} update fails: the package lists of {release} are off the mirrors."
                label = () if stage.word is None else (Label(stage.word.span, f"is {release}"),)
                yield self.finding(text, command.span, note="no Release file", labels=label, severity=Severity.ERROR)

    INVALID = (
        Invalid(OLD, line=5),
        Invalid(OLD.replace("alpine:3.14", "debian:buster-slim"), line=5),
        Invalid(OLD.replace("alpine:3.14", "gcr.io/distroless/static-debian11"), line=5),
        Invalid(OLD.replace("alpine:3.14", "fedora:42"), line=5),
        Invalid(COMPILES, line=1),
        Invalid(LISTS.replace("alpine:3.14", "alpine:3.24"), line=3),
    )
    VALID = (
        Valid(near=0, text=OLD.replace("alpine:3.14", "alpine:3.24")),
        Valid(near=0, text=OLD.replace("alpine:3.14", "alpine")),
        Valid(near=0, text=OLD.replace("alpine:3.14", "example.com/alpine:3.14")),
        Valid(near=0, text=OLD.replace("alpine:3.14", "alpine:$VERSION")),
        Valid(near=0, text=OLD.replace("1-alpine", "1-alpine3.14").replace("alpine:3.14", "scratch")),
        Valid(near=0, text=OLD.replace("alpine:3.14", "alpine:3.99")),
        Valid(near=1, text=OLD.replace("alpine:3.14", "debian:trixie-slim")),
        Valid(near=2, text=OLD.replace("alpine:3.14", "gcr.io/distroless/static-debian13")),
        Valid(near=3, text=OLD.replace("alpine:3.14", "fedora:43")),
        Valid(near=4, text=COMPILES.replace("3.14", "3.24")),
        *(
            Valid(near=5, text=LISTS.replace("alpine:3.14", "alpine:3.24").replace(old, new))
            for old, new in (
                ("buster", "bullseye"),
                ("apt-get update", "apt-get update || true"),
                ("apt-get update", "apt-get clean"),
                ("RUN apt", "COPY buster.list /etc/apt/sources.list.d/\nRUN apt"),
                ("RUN apt", "RUN sed -i s/main/old/ /etc/apt/sources.list && apt"),
            )
        ),
        Valid(near=4, text=COMPILES.replace('"run"', '"test"')),
    )

"""DSL206."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.facts.stages import chain_of
from dockerslim_lint.rule import Finding, ImageBuild, Invalid, Plan, Rule, Severity, Valid

OLD = """\
FROM rust:1-alpine AS builder
WORKDIR /app
COPY . .
RUN cargo build --release
FROM alpine:3.14
COPY --from=builder /app/target/release/app /app
CMD ["/app"]
"""


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

    INVALID = (
        Invalid(OLD, line=5),
        Invalid(OLD.replace("alpine:3.14", "debian:buster-slim"), line=5),
        Invalid(OLD.replace("alpine:3.14", "gcr.io/distroless/static-debian11"), line=5),
        Invalid(OLD.replace("alpine:3.14", "fedora:42"), line=5),
        Invalid(COMPILES, line=1),
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
        Valid(near=4, text=COMPILES.replace('"run"', '"test"')),
    )

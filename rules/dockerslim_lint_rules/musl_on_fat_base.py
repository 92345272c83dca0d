"""DSL104."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.facts.model import MUSL_STATIC
from dockerslim_lint.rule import Finding, ImageBuild, Invalid, Plan, Rule, Severity, Valid, labels_of_calls, names_of

UBUNTU = """\
FROM rust:1 AS builder
WORKDIR /app
COPY . .
RUN rustup target add x86_64-unknown-linux-musl
RUN cargo build --release --target x86_64-unknown-linux-musl
RUN strip target/x86_64-unknown-linux-musl/release/app -o /app.bin
FROM ubuntu:22.04
COPY --from=builder /app.bin /usr/local/bin/app
CMD ["app"]
"""

CROSS = """\
FROM rust:1 AS builder
RUN cargo install cross --locked
WORKDIR /app
COPY . .
RUN cross build --locked --release --target x86_64-unknown-linux-musl
FROM ubuntu:22.04
COPY --from=builder /app/target/x86_64-unknown-linux-musl/release/app /usr/local/bin/app
CMD ["app"]
"""


class MuslOnFatBase(Rule):
    """A static program is shipped on a whole Linux distribution that it does not use.

    The musl target alone gains nothing: measured, a program of half a megabyte makes an image of 78.9 MB on ubuntu,
    8.4 MB on alpine and 3.5 MB on distroless/static. A static program needs a kernel, and perhaps certificates and time
    zones, which distroless/static has.

    **Fix safety.** The fix changes the base image: it needs a proof (`--fix --verify`) or your word (`--unsafe-fixes`).
    """

    CODE = "DSL104"
    NAME = "musl-on-fat-base"
    SEVERITY = Severity.WARNING

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        for image in build.images:
            stage = build.stages[image.stage]
            base = stage.image
            if base is None or not base.fat or base.toolchain or stage.word is None:
                continue
            if any(artifact.link != MUSL_STATIC for _, artifact in image.artifacts):
                continue
            size = f" ({base.size})" if base.unpacked_mb else ""
            verb = "is static and needs" if len(image.artifacts) == 1 else "are static and need"
            yield self.finding(
                f"{names_of(image.artifacts)} {verb} nothing of {stage.base_reference}{size}.",
                stage.word.span,
                note="not used by the program",
                labels=labels_of_calls(build, image.artifacts, "builds a static musl program"),
                fixes=plan.slim(image),
            )

    INVALID = (
        Invalid(UBUNTU, line=7, fixed=UBUNTU.replace("ubuntu:22.04", "gcr.io/distroless/static-debian13")),
        Invalid(CROSS, line=6, fixed=CROSS.replace("ubuntu:22.04", "gcr.io/distroless/static-debian13")),
    )

    VALID = (
        Valid(near=0, text=UBUNTU.replace("ubuntu:22.04", "alpine:3.22")),
        Valid(near=0, text=UBUNTU.replace("ubuntu:22.04", "scratch")),
        Valid(near=0, text=UBUNTU.replace("ubuntu:22.04", "postgres:17")),
        Valid(near=1, text=CROSS.replace("linux-musl", "linux-gnu")),
    )

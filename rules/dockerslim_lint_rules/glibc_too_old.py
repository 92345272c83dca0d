"""DSL103."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.catalog import glibc
from dockerslim_lint.facts.model import GNU_DYNAMIC, FinalImage, Stage
from dockerslim_lint.rule import Finding, ImageBuild, Invalid, Label, Plan, Programs, Rule, Severity, Valid, names_of

OLD = """\
FROM rust:1-bookworm AS builder
WORKDIR /app
COPY . .
RUN cargo build --release && strip target/release/app
FROM debian:bullseye-slim
COPY --from=builder /app/target/release/app /usr/local/bin/app
CMD ["app"]
"""
FIXED = """\
FROM rust:1-bookworm AS builder
WORKDIR /app
COPY . .
RUN rustup target add "$(uname -m)"-unknown-linux-musl
RUN cargo build --release --target "$(uname -m)"-unknown-linux-musl && strip target/"$(uname -m)"-unknown-linux-musl/release/app
FROM gcr.io/distroless/static-debian13
COPY --from=builder /app/target/*-linux-musl/release/app /usr/local/bin/app
CMD ["app"]
"""


class GlibcTooOld(Rule):
    """The builder's glibc is newer than the one of the final image.

    A glibc program runs on the glibc that it was linked on, and on later ones. On an older one its loader may refuse it:
    ``version `GLIBC_2.39' not found``. The build is green all the same. It often comes by itself, when a tag like
    `rust:latest` moves to the next Debian.

    How bad it is depends on the two versions. Linked on 2.34 or later, on a base with less than 2.34: no program starts, an
    error. From 2.34 on it depends on the program: one that starts other programs may need 2.39, and C code (`strtol`) may
    need 2.38. If one of these lies between the two versions it is a warning, otherwise information.

    Build on the release that you ship on (`rust:1-bookworm` for bookworm), or build a static program.

    **Fix safety.** The fix builds a static musl program and changes the base: it needs a proof (`--fix --verify`) or your
    word (`--unsafe-fixes`).
    """

    CODE = "DSL103"
    NAME = "glibc-too-old"
    SEVERITY = Severity.WARNING

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        for image in build.images:
            stage = build.stages[image.stage]
            has = _version(stage)
            if not has or stage.word is None:
                continue
            programs, builder = _newer(build, image, has)
            if builder is None or not programs or image.inside.own_libc:
                continue
            built = _version(builder)
            steps = glibc.steps(built, has)
            names = names_of(programs)
            several = ", " in names
            each = "each" if several else "it"
            severity, result = Severity.INFO, f"{each} starts only if it needs no function that is newer"
            if any(step.every for step in steps):
                severity, result = Severity.ERROR, "none of them starts" if several else "it does not start"
            elif steps:
                reasons = " or ".join(step.when for step in reversed(steps))
                severity, result = Severity.WARNING, f"{each} may not start, if it {reasons}"
            text = f"{names} {'are' if several else 'is'} linked on glibc {built} ({builder.base_reference}), and {stage.base_reference} has {has}"
            yield self.finding(
                f"{text}: {result}.",
                stage.word.span,
                note=f"glibc {has}",
                labels=(Label(builder.word.span, f"glibc {built}"),) if builder.word is not None else (),
                fixes=plan.slim(image),
                severity=severity,
            )

    INVALID = (
        Invalid(OLD, line=5, fixed=FIXED),
        Invalid(
            OLD.replace("debian:bullseye-slim", "ubuntu:22.04").replace("rust:1-bookworm", "rust:latest"),
            line=5,
            fixed=FIXED.replace("rust:1-bookworm", "rust:latest"),
        ),
        Invalid(OLD.replace("debian:bullseye-slim", "gcr.io/distroless/cc-debian11"), line=5, fixed=FIXED),
        Invalid(OLD.replace("debian:bullseye-slim", "ubuntu:22.04"), line=5, fixed=FIXED),
    )

    VALID = (
        Valid(near=0, text=OLD.replace("RUN cargo", "RUN RUSTFLAGS=-Ctarget-feature=+crt-static cargo")),
        Valid(near=0, text=OLD.replace("bullseye", "bookworm")),
        Valid(near=0, text=OLD.replace("bullseye", "trixie")),
        Valid(near=0, text=OLD.replace("rust:1-bookworm", "rust:1.60")),
        Valid(near=0, text=OLD.replace("rust:1-bookworm", "rust:alpine")),
        Valid(near=0, text=OLD.replace("rust:1-bookworm", "rust:1@sha256:" + "0" * 64)),
        Valid(near=0, text="ARG RUST\n" + OLD.replace("rust:1-bookworm", "rust:${RUST}-slim")),
        Valid(near=0, text=OLD.replace("debian:bullseye-slim", "debian:testing-slim")),
        Valid(near=0, text=OLD.replace("debian:bullseye-slim", "python:3.12-slim")),
        Valid(near=0, text=OLD.replace("cargo build --release &&", "cargo zigbuild --release;")),
        Valid(near=0, text=OLD.replace("CMD", "COPY --from=builder /lib/x86_64-linux-gnu /lib/x86_64-linux-gnu\nCMD")),
    )


def _version(stage: Stage) -> str:
    """The glibc of a stage's image, "" where it is not known for sure."""
    image = stage.image
    if image is None or image.libc != "glibc" or (image.moving and stage.digest):
        return ""
    return image.libc_version


def _newer(build: ImageBuild, image: FinalImage, has: str) -> tuple[Programs, Stage | None]:
    """The glibc programs that were linked on a newer glibc than `has`, and the stage with the newest."""
    programs = []
    newest: Stage | None = None
    for path, artifact in image.artifacts:
        if artifact.link != GNU_DYNAMIC or artifact.call is None:
            continue
        call = build.calls[artifact.call]
        if call.foreign_libc:
            continue
        builder = build.stages[call.command.stage]
        built = _version(builder)
        if built and glibc.is_newer(built, has):
            programs.append((path, artifact))
            if newest is None or glibc.is_newer(built, _version(newest)):
                newest = builder
    return programs, newest

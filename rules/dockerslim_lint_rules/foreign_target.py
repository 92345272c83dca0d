"""DSL110."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.catalog import platforms
from dockerslim_lint.facts.model import FinalImage
from dockerslim_lint.rule import Finding, ImageBuild, Invalid, Label, Plan, Rule, Severity, Valid, varies

BOTH = ("linux/amd64", "linux/arm64")

MUSL = """\
FROM rust:1 AS build
WORKDIR /app
RUN rustup target add x86_64-unknown-linux-musl
COPY . .
RUN cargo build --release --target x86_64-unknown-linux-musl
FROM scratch
COPY --from=build /app/target/x86_64-unknown-linux-musl/release/app /app
CMD ["/app"]
"""
IMAGE = """\
FROM messense/rust-musl-cross:x86_64-musl AS build
COPY . .
RUN cargo install --path . --root /out
FROM alpine:3.24
COPY --from=build /out/bin/app /bin/app
CMD ["app"]
"""
CROSS = """\
FROM --platform=$BUILDPLATFORM rust:1-alpine AS build
WORKDIR /app
COPY . .
RUN cargo build --release --target $(uname -m)-unknown-linux-musl && cp target/*/release/app /app.bin
FROM --platform=$BUILDPLATFORM scratch
COPY --from=build /app.bin /app
CMD ["/app"]
"""
EACH = MUSL.replace("RUN cargo", "RUN cargo build --release --target aarch64-unknown-linux-musl\nRUN cargo")


class ForeignTarget(Rule):
    """The target is the same for every platform, and not that of a platform that is asked for.

    `cargo build --target x86_64-unknown-linux-musl` makes a program for amd64, whatever the image is built for. Where
    linux/arm64 is asked for too (`--platform`, the configuration), its image gets that program, and the container ends with
    `exec format error`; in a builder of that very platform the build stops sooner, as its linker is no cross linker.

    Choose the target by `TARGETARCH`: `case "$TARGETARCH" in amd64) … ;; arm64) … ;; esac`; where the builder stage runs on
    the target platform, `"$(uname -m)"-unknown-linux-musl` is enough for amd64 and arm64.

    It is said only of a target in which no variable stands, in a file that builds for no other target.

    The last stage on `FROM --platform=$BUILDPLATFORM` is no better: that of every platform is the building machine's own, and
    the image for linux/arm64 that an amd64 machine builds is one for amd64. Only builders belong there. This is a warning
    unless several platforms are asked for, and is not said of a stage that starts nothing, whose files are taken out.

    **Fix safety.** There is no fix.
    """

    CODE = "DSL110"
    NAME = "foreign-target"
    SEVERITY = Severity.ERROR

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        for image in build.images:
            yield from self._on_build_platform(build, image)
        seen: set[int] = set()
        for image in build.images if build.platforms else ():
            for _, artifact in image.artifacts if varies(build, image) else ():
                if artifact.call is None or artifact.call in seen:
                    continue
                seen.add(artifact.call)
                call = build.calls[artifact.call]
                target = call.target.pattern or ""
                own = platforms.by_target(target)
                if own is None or not call.target.fixed or not call.command.certain:
                    continue
                if any(other.target.pattern != target and other.source == "context" for other in build.calls):
                    continue  # one for each platform, it seems
                asked = [row for row in map(platforms.lookup, build.platforms) if row is not None]
                wrong = [row.docker for row in asked if not platforms.starts_on(own, row)]
                if wrong:
                    base = build.stages[image.chain[0]].word
                    yield self.finding(
                        f"{target} is for {own.docker}, and {' and '.join(wrong)} is asked for: there the program does not"
                        " start, if it is built at all.",
                        call.target.span or call.command.span,
                        note=f"for {own.docker}, on every platform",
                        labels=(Label(base.span, f"built for {', '.join(build.platforms)}"),) if base else (),
                    )

    def _on_build_platform(self, build: ImageBuild, image: FinalImage) -> Iterator[Finding]:
        stage = build.stages[image.stage]
        flag = build.instructions[stage.instruction].flag("platform")
        last = stage.number == len(build.stages) - 1 and stage.parent is None
        if flag is None or not stage.cross or not last or image.launch.program not in dict(image.artifacts):
            return
        yield self.finding(
            "This stage is the building machine's, whichever platform is asked for, and so is the image.",
            flag.span,
            note="the machine that builds",
            severity=Severity.ERROR if len(build.platforms) > 1 else Severity.WARNING,
        )

    INVALID = (
        Invalid(MUSL, line=5, platforms=BOTH),
        Invalid(MUSL.replace("musl", "gnu"), line=5, platforms=BOTH),
        Invalid(MUSL.replace("FROM rust", "FROM --platform=$BUILDPLATFORM rust"), line=5, platforms=BOTH[1:]),
        Invalid(MUSL.replace("FROM scratch", "FROM --platform=$TARGETPLATFORM scratch"), line=5, platforms=BOTH),
        Invalid(IMAGE, line=3, platforms=BOTH),
        Invalid(CROSS, line=5),
        Invalid(CROSS, line=5, platforms=BOTH),
        Invalid(CROSS.replace("$BUILDPLATFORM scratch", "${BUILDPLATFORM:-linux/amd64} debian"), line=5),
        Invalid(MUSL.replace("FROM scratch", "FROM --platform=$BUILDPLATFORM scratch"), line=6, platforms=BOTH),
    )
    VALID = (
        Valid(near=0, text=MUSL),
        Valid(near=0, text=MUSL, platforms=BOTH[:1]),
        Valid(near=0, text=MUSL, platforms=("linux/x86_64", "amd64/v3")),
        Valid(near=0, text=MUSL.replace("FROM scratch", "FROM --platform=linux/amd64 scratch"), platforms=BOTH),
        Valid(near=0, text=MUSL.replace("--target x86_64", '--target "$(uname -m)"'), platforms=BOTH),
        Valid(
            near=0,
            text=MUSL.replace("--target x86_64-unknown-linux-musl", "--target ${T:-x86_64-unknown-linux-musl}"),
            platforms=BOTH,
        ),
        Valid(near=0, text=MUSL.replace("RUN cargo", "RUN test $TARGETARCH != amd64 || cargo"), platforms=BOTH),
        Valid(near=0, text=EACH, platforms=BOTH),
        Valid(near=4, text=IMAGE, platforms=BOTH[:1]),
        Valid(near=4, text=IMAGE.replace("x86_64-musl", "$TARGETARCH-musl"), platforms=BOTH),
        Valid(near=4, text=IMAGE.replace("messense/rust-musl-cross:x86_64-musl", "clux/muslrust"), platforms=BOTH),
        Valid(near=4, text="ARG T=x86_64\n" + IMAGE.replace(":x86_64", ":$T"), platforms=BOTH),
        *(
            Valid(near=5, text=CROSS.replace("$BUILDPLATFORM scratch", f"{platform} scratch"))
            for platform in ("$TARGETPLATFORM", "linux/amd64", "${TARGETPLATFORM:-linux/amd64}")
        ),
        Valid(near=5, text=CROSS.replace("--platform=$BUILDPLATFORM scratch", "scratch")),
        Valid(near=5, text=CROSS.replace('CMD ["/app"]\n', "")),
        Valid(near=5, text=CROSS.replace('CMD ["/app"]', "FROM alpine:3.24")),
        Valid(near=5, text=CROSS.replace('CMD ["/app"]', 'CMD ["/other"]')),
        Valid(near=5, text=CROSS.replace("$BUILDPLATFORM scratch", "$BUILDPLATFORM arm64v8/alpine")),
        Valid(near=5, text=CROSS.replace("COPY --from=build /app.bin", "COPY app.sh")),
    )

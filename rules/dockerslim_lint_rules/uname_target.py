"""DSL106."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.catalog import platforms
from dockerslim_lint.facts.model import Stage
from dockerslim_lint.rule import Finding, ImageBuild, Invalid, Label, Plan, Rule, Severity, Valid

CROSS = """\
FROM --platform=$BUILDPLATFORM rust:1 AS build
WORKDIR /app
RUN rustup target add "$(uname -m)-unknown-linux-musl"
COPY . .
RUN cargo build --release --target "$(uname -m)-unknown-linux-musl"
RUN cp target/*/release/app /app.bin
FROM gcr.io/distroless/static-debian13
COPY --from=build /app.bin /usr/local/bin/app
CMD ["app"]
"""
ARM = CROSS.replace("$BUILDPLATFORM", "linux/arm/v7")
BRANCHES = "if [ $TARGETARCH = arm64 ]; then T=aarch64-unknown-linux-musl; else T=$(uname -m)-unknown-linux-musl; fi"
CHOSEN = CROSS.replace("cargo build", f"{BRANCHES} && cargo build").replace(
    'se --target "$(uname -m)-unknown-linux-musl"', "se --target $T"
)


class UnameTarget(Rule):
    """The target is made of `uname -m` where that is not the machine that the image is for.

    `uname -m` asks the kernel. In a stage with `--platform=$BUILDPLATFORM` that is the machine that builds: an image for
    arm64 that is built on amd64 gets an amd64 program, the build is green, and the container ends with `exec format error`.

    Elsewhere it is right on amd64 and arm64, but not where Rust has other names than the kernel: arm/v7 is `armv7l` to
    the one and `armv7-unknown-linux-musleabihf` to the other, and riscv64, ppc64le and 386 are no better. This is said only
    if such a platform is asked for (`--platform`, the configuration, or the FROM), and is an error.

    Nothing is said if a `case` or `if` has compared the platforms before: of `uname -m` in a branch behind tests of
    `TARGETPLATFORM` and `BUILDPLATFORM`, or in the last branch if amd64 and arm64 each have their own.

    Choose the target by `TARGETARCH` and `TARGETVARIANT` instead: `case "$TARGETARCH" in amd64) … ;; arm64) … ;; esac`.

    **Fix safety.** There is no fix.
    """

    CODE = "DSL106"
    NAME = "uname-target"
    SEVERITY = Severity.WARNING

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        seen: set[int] = set()
        for image in build.images:
            for _, artifact in image.artifacts:
                if artifact.call is None or artifact.call in seen:
                    continue
                seen.add(artifact.call)
                call = build.calls[artifact.call]
                bare = call.target.machine and not call.target.native
                if not bare or not call.target.pattern or not call.command.certain:
                    continue
                stage = build.stages[call.command.stage]
                span = call.target.span or call.command.span
                labels = (Label(stage.word.span, "the builder"),) if stage.word is not None else ()
                if stage.cross and not build.stages[image.stage].cross:
                    yield self.finding(
                        "`uname -m` is the machine that builds, not the one that the image is for.",
                        span,
                        note="this stage runs on $BUILDPLATFORM",
                        labels=labels,
                    )
                    continue
                wrong = None if stage.cross else _wrong(build, stage, call.target.pattern)
                if wrong is not None:
                    names = " or ".join(filter(None, (wrong.uname, wrong.uname_kernel)))
                    right = wrong.gnu if "gnu" in call.target.pattern else wrong.musl
                    yield self.finding(
                        f"On {wrong.docker} `uname -m` prints {names}, and the target is {right}.",
                        span,
                        labels=labels,
                        severity=Severity.ERROR,
                    )

    INVALID = (
        Invalid(CROSS, line=5),
        Invalid(ARM, line=5),
        Invalid(ARM.replace("musl", "gnu"), line=5),
        Invalid(CHOSEN, line=5),
        Invalid(CHOSEN.replace("if [ $TARGETARCH = arm64 ]", "if [ -n $GNU ]"), line=5),
        Invalid(CHOSEN.replace("if [ $TARGETARCH = arm64 ]", "if [ $BUILDARCH = arm64 ]"), line=5),
        Invalid(
            CHOSEN.replace(
                BRANCHES, "if [ $TARGETARCH != $BUILDARCH ]; then apt-get update; fi; T=$(uname -m)-unknown-linux-musl"
            ),
            line=5,
        ),
    )

    VALID = (
        Valid(near=0, text=CROSS.replace("--platform=$BUILDPLATFORM ", "")),
        Valid(near=0, text=CROSS.replace("$BUILDPLATFORM", "$TARGETPLATFORM")),
        Valid(near=0, text=CROSS.replace("$BUILDPLATFORM", "linux/arm64")),
        Valid(near=0, text=CROSS.replace("$(uname -m)", "$(cat /arch)")),
        Valid(near=0, text=CROSS.replace("$(uname -m)", "x86_64")),
        Valid(near=0, text=CROSS.replace("FROM gcr", "FROM --platform=$BUILDPLATFORM gcr")),
        Valid(near=0, text=CROSS.replace('--target "$(uname -m)-unknown-linux-musl"', "&& uname -m")),
        Valid(near=1, text=ARM.replace("linux/arm/v7", "linux/amd64")),
        *(
            Valid(near=3, text=CHOSEN.replace("if [ $TARGETARCH = arm64 ]", test))
            for test in (
                'if [ "$TARGETARCH" != "$BUILDARCH" ]',
                "if [ $TARGETPLATFORM = linux/arm64 ] && [ $BUILDPLATFORM != linux/arm64 ]",
                "if [[ $TARGETARCH != $BUILDARCH ]]",
                "if [ $TARGETARCH = amd64 ]; then T=x86_64-unknown-linux-musl; elif [ $TARGETARCH = arm64 ]",
            )
        ),
        Valid(
            near=3,
            text=CHOSEN.replace(
                BRANCHES,
                'case "$BUILDARCH-$TARGETARCH" in amd64-arm64) T=aarch64-unknown-linux-musl;; '
                "*) T=$(uname -m)-unknown-linux-musl;; esac",
            ),
        ),
        Valid(
            near=3,
            text=CHOSEN.replace(
                BRANCHES,
                "if [ $TARGETARCH = $BUILDARCH ]; then T=$(uname -m)-unknown-linux-musl; "
                "else T=aarch64-unknown-linux-musl; fi",
            ),
        ),
    )


def _wrong(build: ImageBuild, stage: Stage, pattern: str) -> platforms.Platform | None:
    """The first platform that is asked for and on which the pattern with `uname -m` in it is another target."""
    fixed = bool(stage.platform) and "*" not in stage.platform
    for name in (stage.platform,) if fixed else build.platforms:
        row = platforms.lookup(name)
        if row is None or row.uname_idiom or pattern.count("*") != 1:
            continue
        printed = [pattern.replace("*", text) for text in (row.uname, row.uname_kernel) if text]
        if any(triple not in (row.musl, row.gnu) for triple in printed):
            return row
    return None

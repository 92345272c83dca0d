"""DSL112."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.facts.model import GNU_DYNAMIC, CargoCall
from dockerslim_lint.rule import Finding, ImageBuild, Invalid, Label, Plan, Rule, Severity, Valid, names_of, varies

BOTH = ("linux/amd64", "linux/arm64")

CROSS = """\
FROM --platform=$BUILDPLATFORM rust:1-bookworm AS builder
WORKDIR /app
COPY . .
RUN cargo build --release
FROM gcr.io/distroless/cc-debian13
COPY --from=builder /app/target/release/app /app
CMD ["/app"]
"""
SLIM = """\
FROM --platform=$BUILDPLATFORM rust:1-bookworm AS builder
WORKDIR /app
COPY . .
ARG TARGETARCH
ENV CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER=rust-lld \\
    CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER=rust-lld
RUN case "$TARGETARCH" in \\
      amd64) echo x86_64-unknown-linux-musl ;; \\
      arm64) echo aarch64-unknown-linux-musl ;; \\
      *) echo "no Rust target for $TARGETARCH" >&2; exit 1 ;; \\
    esac > /rust-target \\
 && rustup target add "$(cat /rust-target)"
RUN CARGO_PROFILE_RELEASE_STRIP=symbols cargo build --release --target "$(cat /rust-target)"
FROM gcr.io/distroless/static-debian13
COPY --from=builder /app/target/*-linux-musl/release/app /app
CMD ["/app"]
"""
FILES = {
    "Cargo.toml": '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n',
    "Cargo.lock": 'version = 4\n[[package]]\nname = "app"\nversion = "0.1.0"\n',
    "src/main.rs": "fn main() {}\n",
}


class HostTarget(Rule):
    """The builder runs on the build platform, and nothing tells cargo to build for another one.

    `FROM --platform=$BUILDPLATFORM` keeps the compiler from being emulated. A `cargo build` without a target then makes a
    program for the machine that builds, and puts it into the image of every platform: one for linux/arm64 that is built on
    amd64 ends with `exec format error`. On a machine of the image's own platform nothing is seen of it.

    Choose the target by `TARGETARCH`, or leave `--platform` out of the builder's FROM. With two platforms or more asked for
    (`--platform`, the configuration) one of them gets the wrong program for sure: an error. Nothing is said if the stage takes
    `TARGETARCH`, `TARGETPLATFORM` or `TARGETVARIANT`, uses xx, has a step that is not understood, or writes cargo's configuration.

    **Fix safety.** The fix is that of DSL101, a static musl program whose target is that of the platform, where that can be;
    it needs a proof. None for a program that is static already.
    """

    CODE = "DSL112"
    NAME = "host-target"
    SEVERITY = Severity.WARNING

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        seen: set[int] = set()
        for image in build.images:
            for path, artifact in image.artifacts if varies(build, image) else ():
                number = artifact.call
                if number is None or number in seen or artifact.touched or not _for_the_builder(build, number):
                    continue
                seen.add(number)
                several = len(set(build.platforms)) > 1
                base = build.stages[image.chain[0]].word
                whose = f"and {' and '.join(build.platforms)} are asked for" if several else "whatever the image is for"
                yield self.finding(
                    f"{names_of([(path, artifact)])} is built for the machine that builds, {whose}.",
                    build.calls[number].command.span,
                    note="no target, in a stage on $BUILDPLATFORM",
                    labels=(Label(base.span, "the image of each platform gets it"),) if base is not None else (),
                    fixes=plan.slim(image) if artifact.link == GNU_DYNAMIC else (),
                    severity=Severity.ERROR if several else None,
                )

    INVALID = (
        Invalid(CROSS, line=4, fixed=SLIM, files=FILES),
        Invalid(CROSS, line=4, fixed=SLIM, files=FILES, platforms=BOTH),
    )
    VALID = (
        Valid(near=0, text=CROSS.replace("FROM --platform=$BUILDPLATFORM rust", "FROM rust"), files=FILES),
        Valid(near=0, text=CROSS.replace("$BUILDPLATFORM", "$TARGETPLATFORM"), files=FILES),
        Valid(near=0, text=CROSS.replace("$BUILDPLATFORM", "linux/amd64"), files=FILES),
        Valid(near=0, text=CROSS.replace("FROM gcr", "FROM --platform=$BUILDPLATFORM gcr"), files=FILES),
        Valid(near=0, text=CROSS.replace("COPY . .", "COPY . .\nARG TARGETARCH"), files=FILES),
        Valid(near=0, text=CROSS.replace("--release\n", "--release --target $(cat /target)\n"), files=FILES),
        Valid(near=0, text=CROSS.replace("COPY . .", "COPY . .\nARG CARGO_BUILD_TARGET"), files=FILES),
        Valid(near=0, text=CROSS.replace("cargo build", "cargo zigbuild"), files=FILES),
        Valid(near=0, text=CROSS.replace("cargo build", "xx-cargo build"), files=FILES),
        Valid(near=0, text=CROSS.replace("cargo build", "xx-apt-get install -y gcc && cargo build"), files=FILES),
        Valid(near=0, text=CROSS.replace("cargo build", "./setup.sh && cargo build"), files=FILES),
        Valid(near=0, text=CROSS.replace("RUN cargo", "RUN echo >.cargo/config.toml; cargo"), files=FILES),
        Valid(near=0, text=CROSS.replace("COPY . .", "COPY . .\nCOPY x /x/.cargo/config.toml"), files=FILES),
        Valid(near=0, text=CROSS, files={**FILES, ".cargo/config.toml": 'build.target = "x86_64-unknown-linux-gnu"'}),
        Valid(near=0, text=CROSS.replace("RUN cargo", "RUN test $(uname -m) = x86_64 && cargo || cargo"), files=FILES),
        Valid(near=0, text=CROSS),  # a configuration of cargo's that nobody sees may choose
    )


CHOOSERS = ("TARGETARCH", "TARGETPLATFORM", "TARGETVARIANT", "TARGETOS", "CARGO_BUILD_TARGET")
"""Variables that say it: what BuildKit tells a stage that asks for it, and what cargo reads (an ARG may be given)."""
CONFIGURATION = ("config", "config.toml", ".cargo")


def _for_the_builder(build: ImageBuild, number: int) -> bool:
    """Whether a call surely builds for the platform that its stage runs on, which is the build platform."""
    call, toolchain = build.calls[number], build.toolchains[number]
    stage = build.stages[call.command.stage]
    host = call.target.origin == "host" and call.target.pattern == "" and not call.foreign_libc
    if not host or not stage.cross or not call.command.certain or toolchain.changed or call.toolchain:
        return False
    if build.crates[number] is None and call.source == "context":
        return False  # its configuration may name a target
    return not _may_choose(build, call)


def _may_choose(build: ImageBuild, call: CargoCall) -> bool:
    """Whether something in the stage, or in one that it is based on, may say for which platform to build."""
    if any(name in call.command.variables for name in CHOOSERS):
        return True
    chain, at = set[int](), build.stages[call.command.stage]
    while True:
        chain.add(at.number)
        taken = [build.instructions[index] for index in at.instructions if build.instructions[index].keyword == "ARG"]
        if build.opaque[at.number] is not None or any(
            pair.key.literal in CHOOSERS for one in taken for pair in one.pairs
        ):
            return True
        if at.parent is None:
            break
        at = build.stages[at.parent]
    for command in build.commands:
        written = any(path.rsplit("/", 1)[-1] in CONFIGURATION for path in command.writes)
        if command.stage in chain and (command.name.startswith("xx-") or written):
            return True
    return any(
        path.rstrip("/").rsplit("/", 1)[-1] in CONFIGURATION
        for transfer in build.transfers
        if transfer.stage in chain
        for path in (*transfer.sources, transfer.destination)
    )

"""DSL205."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.facts.packages import cleaned_too_late
from dockerslim_lint.rule import Finding, Fixes, ImageBuild, Invalid, Label, Plan, Rule, Severity, Valid, Withheld

APT = """\
FROM rust:1-bookworm AS builder
WORKDIR /app
COPY . .
RUN cargo build --release
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y ca-certificates
COPY --from=builder /app/target/release/app /app
CMD ["/app"]
"""

TOOLS = APT.replace("ca-certificates", "ca-certificates pkg-config && rm -rf /var/lib/apt/lists/*")
HEADERS = TOOLS.replace("pkg-config", "libssl-dev")
APK = APT.replace("1-bookworm", "1-alpine").replace("debian:bookworm-slim", "alpine:3.24")
APK = APK.replace("apt-get update && apt-get install -y", "apk add")
SLIM = """\
FROM rust:1-bookworm AS builder
WORKDIR /app
COPY . .
RUN rustup target add "$(uname -m)"-unknown-linux-musl
RUN CARGO_PROFILE_RELEASE_STRIP=symbols cargo build --release --target "$(uname -m)"-unknown-linux-musl
FROM gcr.io/distroless/static-debian13
COPY --from=builder /app/target/*-linux-musl/release/app /app
CMD ["/app"]
"""
CC = SLIM.replace(' --target "$(uname -m)"-unknown-linux-musl', "").replace("*-linux-musl/", "").replace("static", "cc")
CC = CC.replace('RUN rustup target add "$(uname -m)"-unknown-linux-musl\n', "")
RPM = APK.replace("alpine:3.24", "fedora:43").replace("apk add ca-certificates", "dnf install -y nginx")
BUILD_BASE = APK.replace("ca-certificates", "--no-cache ca-certificates build-base")
CLEAN = """\
FROM ubuntu:22.04
RUN curl -sSf https://sh.rustup.rs | sh -s -- -y
WORKDIR /work
COPY . .
RUN cargo build --release
RUN cp target/release/app /app
RUN cargo clean
CMD ["/app"]
"""
ONLY_BUILDS = "The image holds what only a build needs"
KEPT = "they may be used when the image runs"


class Leftovers(Rule):
    """What only installing or compiling needed stays in the final image.

    A package manager's lists and caches stay in the layer unless the same RUN removes them: a later RUN hides them and
    saves nothing. With apt, end the RUN with `rm -rf /var/lib/apt/lists/*`; with apk, write `apk add --no-cache`; with dnf,
    microdnf, yum and tdnf, end it with `dnf clean all`, and with zypper with `zypper clean --all`.

    A compiler, make, pkg-config or a library's headers (`libssl-dev`) have done their work in the builder stage; the program
    needs the library at most (`libssl3`). A `cargo clean` or `rm -rf target` in a RUN of its own saves nothing either: that is
    a warning. Build in a stage of its own, or copy the program out and clean in the RUN that builds.

    If the image is also the builder, such a `cargo clean` is all that is reported. Nothing is said of a RUN with a step that is not
    understood, or of a tool that something in the stage may call. Beside a toolchain, a container engine or headers the program
    may compile when it runs, and beside a debugger somebody looks into it: then the finding is a question, without a fix.

    **Fix safety.** The fix empties the cache in the RUN that fills it and no longer installs the tools. A program may call
    what it removes, so it needs a proof (`--fix --verify`) or your word (`--unsafe-fixes`). Where the image is being
    slimmed anyway, that fix comes first.
    """

    CODE = "DSL205"
    NAME = "leftovers"
    SEVERITY = Severity.INFO

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        seen: set[tuple[int, str]] = set()
        for image in build.images:
            base = build.stages[image.stage].image
            slim = plan.slim(image) if image.leftovers and base is not None and base.fat else ()
            for one in image.leftovers:
                if (one.command.span.start, one.kind) in seen:
                    continue
                seen.add((one.command.span.start, one.kind))
                names = ", ".join(one.names)
                if one.kind == "cache":
                    text, note = f"{names} stays in the image.", "only the RUN that fills it can empty it"
                elif one.wanted:
                    text, note = f"{ONLY_BUILDS}, unless it is used when the image runs: {names}.", one.wanted
                else:
                    text, note = f"{ONLY_BUILDS}: {names}.", "nothing is compiled in this stage"
                if one.wanted:
                    fixes: Fixes = Withheld(f"tools:{one.command.span.start}", KEPT)
                else:
                    step = build.instructions[one.command.instruction].span
                    reach = () if isinstance(slim, Withheld) else tuple(fix for fix in slim if fix.touches(step))
                    trim = plan.trim(image, one.kind)
                    fixes = reach or trim if isinstance(trim, Withheld) else (*reach, *trim)
                yield self.finding(text, one.command.span, note=note, fixes=fixes)
            for command, call in cleaned_too_late(build, image):
                if (command.span.start, "target") not in seen:
                    seen.add((command.span.start, "target"))
                    line = build.source.line_of(call.command.span.start)
                    yield self.finding(
                        f"This frees nothing: {call.target_directory} stays in the layer of line {line}.",
                        command.span,
                        note="only the RUN that fills it can empty it, once the program is copied out",
                        labels=(Label(call.command.span, "fills it"),),
                        severity=Severity.WARNING,
                    )

    INVALID = (
        Invalid(APT, line=6, fixed=SLIM),
        Invalid(TOOLS, line=6, fixed=SLIM),
        Invalid(APK, line=6, fixed=APK.replace("add", "add --no-cache")),
        Invalid(BUILD_BASE.replace("base", "base docker-cli"), line=6),
        Invalid(BUILD_BASE, line=6, fixed=BUILD_BASE.replace(" build-base", "")),
        Invalid(CLEAN, line=7),
        Invalid(RPM, line=6, fixed=RPM.replace("nginx", "nginx && dnf clean all")),
        Invalid(HEADERS, line=6, fixed=CC),
    )
    VALID = (
        Valid(near=0, text=APT.replace("ca-certificates", "ca-certificates && rm -rf /var/lib/apt/lists/*")),
        Valid(near=0, text=APT.replace("ca-certificates", "tini; bash -c 'rm -rf /var/lib/{apt,cache,log}'")),
        Valid(near=0, text=APT.replace("RUN apt-get", "RUN --mount=type=cache,target=/var/lib/apt apt-get")),
        Valid(near=0, text=APT.replace("ca-certificates", "tini && find /var/lib/apt/lists -type f -delete")),
        Valid(near=0, text=APT.replace("ca-certificates", "tini && ./clean.sh")),
        Valid(near=0, text=APT.replace("RUN apt-get update && apt-get install -y ca-certificates\n", "")),
        Valid(near=1, text=TOOLS.replace(" pkg-config", "")),
        Valid(near=1, text=TOOLS.replace("pkg-config", "pkg-config && apt-get purge -y pkg-config")),
        Valid(near=1, text=TOOLS.replace("pkg-config", "pkg-config && pip install wheels")),
        Valid(near=2, text=APK.replace("apk add", "apk add --no-cache")),
        Valid(near=2, text=APK.replace("ca-certificates", "ca-certificates && rm -rf /var/cache/apk/*")),
        Valid(near=2, text=APK.replace("RUN apk", "RUN --mount=type=cache,target=/var/cache/apk apk")),
        Valid(near=3, text=BUILD_BASE.replace("build-base", "docker-cli")),
        Valid(near=4, text=BUILD_BASE.replace(" build-base", " libgcc")),
        Valid(near=5, text=CLEAN.replace("clean", "fetch")),
        Valid(near=5, text=CLEAN.replace("clean", "clean && cargo build")),
        Valid(near=5, text=CLEAN.replace("RUN cargo clean\n", "")),
        Valid(near=5, text=CLEAN.replace("cargo clean", "test -e x || cargo clean")),
        Valid(near=6, text=RPM.replace("nginx", "nginx && dnf clean all")),
        Valid(near=6, text=RPM.replace("nginx", "nginx && rm -rf /var/cache/dnf")),
        Valid(near=6, text=RPM.replace("dnf", "dnf --setopt=cachedir=/tmp/dnf")),
        Valid(near=6, text=RPM.replace("RUN dnf", "RUN --mount=type=cache,target=/var/cache/libdnf5 dnf")),
        Valid(near=6, text=RPM.replace("dnf install -y", "rpm -i")),
        Valid(near=7, text=HEADERS.replace("libssl-dev", "libssl3")),
        Valid(near=7, text=HEADERS.replace("libssl-dev", "libssl-dev && pip install wheels")),
        Valid(near=7, text=HEADERS.replace("libssl-dev", "libof-our-own-dev")),
    )

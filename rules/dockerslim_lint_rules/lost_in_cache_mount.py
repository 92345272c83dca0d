"""DSL301."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.rule import Finding, Fixes, ImageBuild, Invalid, Label, Plan, Rule, Severity, Valid

CACHED = """\
FROM rust:1-alpine AS builder
WORKDIR /app
COPY . .
RUN --mount=type=cache,target=/app/target cargo build --release
FROM gcr.io/distroless/static-debian13
COPY --from=builder /app/target/release/app /app
CMD ["/app"]
"""

LATER = """\
FROM rust:1-alpine AS builder
WORKDIR /app
COPY . .
RUN --mount=type=cache,target=target cargo build --release
RUN cp target/release/app /app.bin
FROM gcr.io/distroless/static-debian13
COPY --from=builder /app.bin /app
CMD ["/app"]
"""

SINGLE = """\
FROM rust:1
WORKDIR /app
COPY . .
RUN --mount=type=cache,target=/app/target cargo build --release
CMD ["./target/release/app"]
"""

UNKNOWN = """\
FROM example.com/rust:builder AS builder
ADD . /src
RUN --mount=type=cache,target=/src/target cargo build --release
RUN cp /src/target/release/app /app.bin
FROM gcr.io/distroless/static-debian13
COPY --from=builder /app.bin /app
CMD ["/app"]
"""

COPIED = "/usr/local/bin/app"
MACHINE = CACHED.replace("--release", "--release --target $(uname -m)-unknown-linux-musl").replace(
    "target/release/app", "target/*-linux-musl/release/app"
)
OUT_OF_MACHINE = f"&& cp target/$(uname -m)-unknown-linux-musl/release/app {COPIED}"
COPY_OUT = f"&& cp target/release/app {COPIED}"


class LostInCacheMount(Rule):
    """The program stays in a cache mount, and what asks for it later does not find it.

    A `--mount=type=cache` is there for one RUN. What cargo writes below it is no part of the image: neither a later RUN
    nor `COPY --from` sees it, and the build stops with "not found". If the program was to start from there, the container does.
    Copy the program out in the same RUN: `cargo build --release && cp target/release/app /app.bin`. It is only a warning if the
    build's directory is not certain, as it comes from an image of which nothing is known.

    **Fix safety.** Needs a proof, which has the new image alone to look at where the file as it is cannot be built.
    The copy goes to /usr/local/bin.
    """

    CODE = "DSL301"
    NAME = "lost-in-cache-mount"
    SEVERITY = Severity.ERROR

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        for lost in build.lost:
            yield self.finding(
                f"{lost.path.rsplit('/', 1)[-1]} is not there: it was built into a cache mount, which ends with its RUN.",
                lost.span,
                note="copy the program out of the mount in the RUN that builds it",
                labels=(Label(lost.mount.span, "holds what cargo builds, for this RUN alone"),),
                fixes=self._copy_out(build, plan, lost.call),
                severity=None if lost.sure else Severity.WARNING,
            )

    @staticmethod
    def _copy_out(build: ImageBuild, plan: Plan, call: int) -> Fixes:
        from dockerslim_lint.plan.blocks.copy_out import copy_lost

        return plan.alone(
            f"copy-out:{build.calls[call].command.instruction}",
            "copy the program out of the mount in the RUN that builds it",
            lambda: copy_lost(build, call),
            lambda after: not any(lost.call == call for lost in after.lost),
            repairs="build",
        )

    INVALID = (
        Invalid(
            CACHED,
            line=6,
            fixed=CACHED.replace("--release", f"--release {COPY_OUT}").replace("/app/target/release/app", COPIED),
        ),
        Invalid(
            LATER,
            line=5,
            fixed=LATER.replace("cp target/release/app", f"cp {COPIED}").replace("--release", f"--release {COPY_OUT}"),
        ),
        Invalid(
            SINGLE,
            line=5,
            fixed=SINGLE.replace("./target/release/app", COPIED).replace("--release", f"--release {COPY_OUT}"),
        ),
        Invalid(
            MACHINE,
            line=6,
            fixed=MACHINE.replace(
                " $(uname -m)-unknown-linux-musl", f" $(uname -m)-unknown-linux-musl {OUT_OF_MACHINE}"
            ).replace("/app/target/*-linux-musl/release/app", COPIED),
        ),
        Invalid(CACHED.replace("--release", "--release 2>&1 | tee log"), line=6),
        Invalid(CACHED.replace("release/app /", "release/app* /"), line=6),
        Invalid(UNKNOWN, line=4),
    )
    VALID = (
        Valid(
            near=0,
            text=CACHED.replace("--release\n", "--release && cp target/release/app /out\n").replace(
                "builder /app/target/release/app", "builder /out"
            ),
        ),
        Valid(near=0, text=CACHED.replace("target=/app/target", "target=/usr/local/cargo/registry")),
        Valid(
            near=0, text=CACHED.replace("cargo build", "CARGO_TARGET_DIR=/out cargo build").replace("/app/t", "/out/t")
        ),
        Valid(
            near=0, text=CACHED.replace("COPY --from=builder /app/target/release/app", "COPY --from=builder /app/app")
        ),
        Valid(near=0, text=CACHED, files={"Cargo.toml": "", "target/release/app": "an old one"}),
        Valid(near=1, text=LATER.replace("RUN cp", "RUN --mount=type=cache,target=target cp")),
        Valid(near=1, text=LATER.replace("RUN cp", "RUN cargo build --release && cp")),
        Valid(near=1, text=LATER.replace("RUN cp", "RUN make app && cp")),
        Valid(near=6, text=UNKNOWN.replace("/src/target ", "/root/.cargo/registry ")),
        Valid(near=6, text=UNKNOWN.replace("RUN cp", "RUN --mount=type=cache,target=/src/target cp")),
        Valid(near=6, text=UNKNOWN.replace("cargo build", "cargo fetch")),
        Valid(near=6, text=UNKNOWN.replace("/src/target/release/app", "/src/target/share/app")),
        Valid(near=6, text=UNKNOWN.replace("ADD . /src", "ADD . /src\nWORKDIR /other")),
        Valid(near=2, text=SINGLE.replace("--mount=type=cache,target=/app/target ", "")),
        Valid(near=2, text=SINGLE.replace('["./target/release/app"]', '["cargo", "run", "--release"]')),
    )

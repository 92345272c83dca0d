"""DSL101."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.facts.model import GNU_DYNAMIC
from dockerslim_lint.rule import Finding, ImageBuild, Invalid, Plan, Rule, Severity, Valid, labels_of_calls, names_of

CLASSIC = """\
FROM rust:1-bookworm AS builder
WORKDIR /work
COPY . .
RUN cargo build --release
RUN strip /work/target/release/slice -o /slice
FROM ubuntu:22.04
COPY --from=builder /slice /usr/local/bin/
ENTRYPOINT ["slice"]
"""

FIXED = """\
FROM rust:1-bookworm AS builder
WORKDIR /work
COPY . .
RUN rustup target add "$(uname -m)"-unknown-linux-musl
RUN cargo build --release --target "$(uname -m)"-unknown-linux-musl
RUN strip /work/target/"$(uname -m)"-unknown-linux-musl/release/slice -o /slice
FROM gcr.io/distroless/static-debian13
COPY --from=builder /slice /usr/local/bin/
ENTRYPOINT ["slice"]
"""


class GnuOnFatBase(Rule):
    """A program linked to glibc is shipped on a whole Linux distribution.

    cargo builds for the toolchain image's own target unless it is told otherwise, and in the official `rust` images
    that is `*-unknown-linux-gnu`. Such a program needs glibc when it starts, so it is put on debian or ubuntu: 30 MB to
    download and 80 MB to store of which it uses one library, and some eighty packages to patch.

    A static musl build of the same program needs nothing of the base at all. It runs on distroless/static (2 MB) or
    alpine (8 MB), on any host kernel, and cannot fail because the builder's glibc is newer than the final image's.

    What it costs: musl's allocator is slow where many threads allocate, and its resolver treats DNS search domains
    differently. Programs that load libraries at run time (plugins, CUDA, PAM) must stay on glibc.

    If a crate or a comment beside FROM says that the program must keep glibc, it goes to distroless/cc, or to debian slim of the
    builder's release with the libraries that its crates link. If the image is on such a base already, the finding is information
    only, and gives the reason. It stays a warning if the base is not slim, or if a smaller one may well do: where all that stands
    in its way is something that is not known or not understood.

    Nothing is said of an image for debugging or profiling (by its name or its packages), or to work in (see DSL202).

    **Fix safety.** The fix changes the libc and the base image, so it is never applied on its word alone:
    `lint --fix --verify` builds and runs both images and writes what it could prove; `--unsafe-fixes` writes unproven.
    """

    CODE = "DSL101"
    NAME = "gnu-on-fat-base"
    SEVERITY = Severity.ERROR

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        for image in build.images:
            stage = build.stages[image.stage]
            base = stage.image
            gnu = [(path, artifact) for path, artifact in image.artifacts if artifact.link == GNU_DYNAMIC]
            if base is None or not base.fat or not gnu or stage.word is None or image.aside or image.symbols:
                continue
            if image.wants_toolchain:
                continue  # DSL202 speaks of it
            size = f" ({base.size} of base)" if base.unpacked_mb else ""
            one = len({path.rsplit("/", 1)[-1] for path, _ in gnu}) == 1
            kind = "is a glibc program and ships" if one else "are glibc programs and ship"
            note = "a whole distribution under one program"
            if base.toolchain or image.single_stage:
                note = "the toolchain's own image" if base.toolchain else "the image in which it was compiled"
            settled, known = plan.settled(image)
            why = f", and {'nothing smaller fits' if known else 'whether a smaller one fits is not known'}: {settled}"
            calls = [build.calls[artifact.call] for _, artifact in gnu if artifact.call is not None]
            default = ", the image's default" if all(call.target.pattern == "" for call in calls) else ""
            text = f"{names_of(gnu)} {kind} on {stage.base_reference}{size}"
            yield self.finding(
                f"{text}{why if settled else ''}.",
                stage.word.span,
                note=note,
                labels=labels_of_calls(build, gnu, f"builds for *-linux-gnu{default}"),
                fixes=() if settled else plan.rebase(image),
                severity=(Severity.INFO if base.slim and known else Severity.WARNING) if settled else None,
            )

    INVALID = (
        Invalid(
            CLASSIC,
            line=6,
            fixed=FIXED,
        ),
        Invalid(
            """\
FROM rust:1 AS build
WORKDIR /app
COPY . .
RUN make release
FROM debian:bookworm-slim
COPY --from=build /app/target/release/app /app
CMD ["/app"]
""",
            line=5,
        ),
        Invalid(
            CLASSIC.replace("RUN cargo build --release", "ARG FLAGS\nRUN cargo build --release $FLAGS"),
            line=7,
            fixed=FIXED.replace("RUN rustup", "ARG FLAGS\nRUN rustup").replace(
                "-musl\nRUN strip", "-musl $FLAGS\nRUN strip"
            ),
        ),
    )

    VALID = (
        Valid(near=0, text=CLASSIC.replace("RUN cargo", "RUN RUSTFLAGS=-Ctarget-feature=+crt-static cargo")),
        Valid(near=0, text=CLASSIC.replace("ubuntu:22.04", "gcr.io/distroless/cc-debian13")),
        Valid(near=0, text=CLASSIC.replace("ubuntu:22.04", "registry.example.com/runtime:7")),
        Valid(
            near=0,
            text=CLASSIC.replace("--release\n", "--release --target x86_64-unknown-linux-musl\n").replace(
                "target/release", "target/x86_64-unknown-linux-musl/release"
            ),
        ),
        Valid(near=0, text=CLASSIC.replace("rust:1-bookworm", "rust:1-alpine")),
        Valid(near=0, text=CLASSIC.replace("ubuntu:22.04", "ubuntu:22.04 AS profiling")),
        Valid(near=0, text=CLASSIC.replace("cargo build --release", "cargo fetch")),
        Valid(
            near=0,
            text=CLASSIC.replace("--release", "--release $FLAGS").replace(
                "target/release", "target/x86_64-unknown-linux-musl/release"
            ),
        ),
        Valid(
            near=1,
            text="""\
FROM rust:1 AS build
WORKDIR /app
COPY . .
RUN make release
FROM debian:bookworm-slim
COPY --from=build /app/dist/app /app
CMD ["/app"]
""",
        ),
    )

"""DSL111."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.catalog import libraries
from dockerslim_lint.facts.model import GNU_DYNAMIC, CargoCall
from dockerslim_lint.rule import Finding, ImageBuild, Invalid, Plan, Rule, Severity, Valid, labels_of_calls, names_of

BUSYBOX = """\
FROM rust:1-bookworm AS builder
WORKDIR /app
COPY . .
RUN cargo build --release
FROM busybox:glibc
COPY --from=builder /app/target/release/app /bin/app
CMD ["app"]
"""
BASE = BUSYBOX.replace("busybox:glibc", "gcr.io/distroless/base-debian12")

STATIC = """\
FROM rust:1-bookworm AS builder
WORKDIR /app
COPY . .
RUN rustup target add "$(uname -m)"-unknown-linux-musl
RUN CARGO_PROFILE_RELEASE_STRIP=symbols cargo build --release --target "$(uname -m)"-unknown-linux-musl
FROM gcr.io/distroless/static-debian13
COPY --from=builder /app/target/*-linux-musl/release/app /bin/app
CMD ["app"]
"""


class NoLibgcc(Rule):
    """A program linked to glibc is shipped on a base that has glibc and no libgcc_s: it does not start.

    Each Rust program for a `*-linux-gnu` target links `libgcc_s.so.1` too, which unwinds the stack. busybox:glibc,
    distroless/base and distroless/base-nossl have glibc alone, and the container ends with `error while loading shared
    libraries: libgcc_s.so.1`. distroless/cc has it, and so has any Debian or Ubuntu; a static program needs neither.

    It is said only where the base's libraries are known and nothing is copied or installed that may be one.

    **Fix safety.** The fix is that of DSL101: a static musl program where that can be, which needs a proof. The old image
    never started, so there is nothing to compare with.
    """

    CODE = "DSL111"
    NAME = "no-libgcc"
    SEVERITY = Severity.ERROR

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        library, packages = libraries.unwinder()
        for image in build.images:
            base, word = image.inside.base, build.stages[image.chain[0]].word
            if base is None or base.libc != "glibc" or "libc" in base.believed or word is None:
                continue
            if not libraries.lacks(base, packages):
                continue
            linking = [
                (path, artifact)
                for path, artifact in image.artifacts
                if artifact.link == GNU_DYNAMIC
                and artifact.call is not None
                and path in image.launch.runs
                and _links_it(build.calls[artifact.call])
            ]
            if linking and image.inside.library(packages) is False:
                yield self.finding(
                    f"{names_of(linking)} links {library}, as each glibc program of Rust's does, and"
                    f" {build.stages[image.stage].base_reference} has none: the image does not start.",
                    word.span,
                    note="glibc, and no libgcc",
                    labels=labels_of_calls(build, linking, "builds for *-linux-gnu, the image's default"),
                    fixes=plan.slim(image),
                )

    INVALID = (
        Invalid(BUSYBOX, line=5, fixed=STATIC),
        Invalid(BASE, line=5, fixed=STATIC),
        Invalid(BASE.replace("base-", "base-nossl-"), line=5, fixed=STATIC),
    )
    VALID = (
        Valid(near=0, text=BUSYBOX.replace("busybox:glibc", "busybox")),
        Valid(near=0, text=BUSYBOX.replace("busybox:glibc", "busybox:musl")),
        Valid(near=0, text=BUSYBOX.replace("busybox:glibc", "debian:bookworm-slim")),
        Valid(near=0, text=BUSYBOX.replace("busybox:glibc", "example.com/busybox:glibc")),
        Valid(near=0, text=BUSYBOX.replace("rust:1-bookworm", "rust:1-alpine")),
        Valid(near=0, text=BUSYBOX.replace("RUN cargo", "RUN RUSTFLAGS=-Clink-arg=-static-libgcc cargo")),
        Valid(near=0, text=BUSYBOX.replace("RUN cargo", "RUN RUSTFLAGS=-Ctarget-feature=+crt-static cargo")),
        Valid(near=0, text=BUSYBOX.replace("cargo build", "cargo zigbuild")),
        Valid(near=0, text=BUSYBOX.replace("CMD", "COPY --from=builder /lib/*/libgcc_s.so.1 /lib/\nCMD")),
        Valid(near=0, text=BUSYBOX.replace("CMD", "COPY libs/ /opt/\nENV LD_LIBRARY_PATH=/opt\nCMD")),
        Valid(near=0, text=BUSYBOX.replace('CMD ["app"]\n', "")),
        Valid(near=1, text=BASE.replace("base-", "cc-")),
        Valid(near=1, text=BASE.replace("/base-debian12", "/static-debian12")),
        Valid(near=1, text=BASE.replace("debian12", "debian12@sha256:0123").replace("base-", "cc-")),
    )


def _links_it(call: CargoCall) -> bool:
    return call.flags is not None and not libraries.has_own_unwinder(call.flags) and not call.foreign_libc

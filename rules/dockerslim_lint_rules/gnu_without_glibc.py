"""DSL102."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.facts.model import GNU_DYNAMIC
from dockerslim_lint.rule import Finding, ImageBuild, Invalid, Plan, Rule, Severity, Valid, labels_of_calls, names_of

ALPINE = """\
FROM rust:1 AS builder
WORKDIR /app
COPY . .
RUN cargo build --release && strip target/release/queue
FROM alpine:3.22
COPY --from=builder /app/target/release/queue /usr/local/bin/queue
CMD ["queue"]
"""
HOST = "x86_64-unknown-linux-musl"
GATHERED = ALPINE.replace(
    "FROM alpine:3.22", "RUN cp --parents /lib*/ld-linux* /r\nFROM alpine:3.22\nCOPY --from=builder /r /"
)


class GnuWithoutGlibc(Rule):
    """A program linked to glibc is shipped on a base that has no glibc: it does not start.

    The build is green, the image is small, and every container ends at once with `exec queue: no such file or
    directory`: the file that is missing is not the program but its loader, `ld-linux-*.so`. alpine has musl, scratch and
    distroless/static have no libc at all.

    **Fix safety.** The fix builds a static musl program, which changes the libc: it needs a proof (`--fix --verify`) or
    your word (`--unsafe-fixes`). Since the old image never started, there is nothing to compare with: the proof says
    "starts; the original did not".
    """

    CODE = "DSL102"
    NAME = "gnu-without-glibc"
    SEVERITY = Severity.ERROR

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        for image in build.images:
            stage = build.stages[image.stage]
            base = stage.image
            gnu = [(path, artifact) for path, artifact in image.artifacts if artifact.link == GNU_DYNAMIC]
            if base is None or base.libc not in ("musl", "none") or not gnu or stage.word is None:
                continue
            if not image.launch.argv or image.inside.own_libc:
                continue  # without a command nothing is started there: others take the program out of it
            has = "musl, not glibc" if base.libc == "musl" else "no libc"
            kind = "is a glibc program" if len(gnu) == 1 else "are glibc programs"
            yield self.finding(
                f"{names_of(gnu)} {kind} and {stage.base_reference} has {has}: the image does not start.",
                stage.word.span,
                note="no ld-linux loader here",
                labels=labels_of_calls(build, gnu, "builds for *-linux-gnu, the image's default"),
                fixes=plan.slim(image),
            )

    INVALID = (
        Invalid(
            ALPINE,
            line=5,
            fixed="""\
FROM rust:1 AS builder
WORKDIR /app
COPY . .
RUN rustup target add "$(uname -m)"-unknown-linux-musl
RUN cargo build --release --target "$(uname -m)"-unknown-linux-musl && strip target/"$(uname -m)"-unknown-linux-musl/release/queue
FROM alpine:3.22
COPY --from=builder /app/target/*-linux-musl/release/queue /usr/local/bin/queue
CMD ["queue"]
""",
        ),
    )

    VALID = (
        Valid(near=0, text=ALPINE.replace("RUN cargo", "RUN RUSTFLAGS=-Ctarget-feature=+crt-static cargo")),
        Valid(near=0, text=ALPINE.replace("rust:1 ", "rust:1-alpine ")),
        Valid(near=0, text=ALPINE.replace("RUN cargo", f"RUN rustup default stable-{HOST} && cargo")),
        Valid(near=0, text=ALPINE.replace("WORKDIR", f"ENV RUSTUP_TOOLCHAIN=stable-{HOST}\nWORKDIR")),
        Valid(near=0, text=ALPINE.replace("cargo build", f"cargo +stable-{HOST} build")),
        Valid(near=0, text=ALPINE.replace("alpine:3.22", "scratch").replace('CMD ["queue"]\n', "")),
        Valid(near=0, text=ALPINE.replace("alpine:3.22", "alpine:3.22\nRUN apk add --no-cache gcompat libgcc")),
        Valid(near=0, text=ALPINE.replace("alpine:3.22", "gcr.io/distroless/cc-debian12")),
        Valid(near=0, text=GATHERED),
    )

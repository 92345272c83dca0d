"""DSL109."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.facts.model import GNU_STATIC, MUSL_DYNAMIC, FinalImage
from dockerslim_lint.rule import (
    Finding,
    ImageBuild,
    Invalid,
    Label,
    Plan,
    Rule,
    Severity,
    Valid,
    labels_of_calls,
    names_of,
)

DYNAMIC = """\
FROM rust:1-alpine AS build
WORKDIR /app
COPY . .
ENV RUSTFLAGS="-C target-feature=-crt-static"
RUN cargo build --release
RUN cp target/release/app /app.bin
FROM scratch
COPY --from=build /app.bin /app
CMD ["/app"]
"""
HOST = DYNAMIC.replace("rust:1-alpine", "rust:1").replace("-crt-static", "+crt-static")
RISCV = """\
FROM rust:1 AS build
WORKDIR /app
COPY . .
RUN rustup target add riscv64gc-unknown-linux-musl
RUN cargo build --release --target riscv64gc-unknown-linux-musl
RUN cp target/riscv64gc-unknown-linux-musl/release/app /app.bin
FROM gcr.io/distroless/static-debian13
COPY --from=build /app.bin /app
CMD ["/app"]
"""
FILES = {
    "Cargo.toml": '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n',
    "Cargo.lock": 'version = 4\n[[package]]\nname = "serde_derive"\nversion = "1.0.228"\n',
    "src/main.rs": "fn main() {}\n",
}
PLAIN = {**FILES, "Cargo.lock": 'version = 4\n[[package]]\nname = "itoa"\nversion = "1.0.0"\n'}


class CrtStatic(Rule):
    """`crt-static` contradicts the target, or the image that is shipped.

    A musl program is static by default, and looks for musl's loader with `-C target-feature=-crt-static`. On riscv64,
    loongarch64 and s390x that is the default. Only a base with musl has this loader: elsewhere the container
    ends with `no such file or directory`.

    `+crt-static` for glibc, without `--target`, is also used for procedural macros, which have to be shared libraries:
    the build stops with `cannot produce proc-macro`. With `--target x86_64-unknown-linux-gnu` it goes through. This is said
    only if Cargo.lock has a crate of such macros.

    **Fix safety.** There is no fix: only the author knows which of the two was meant.
    """

    CODE = "DSL109"
    NAME = "crt-static"
    SEVERITY = Severity.ERROR

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        seen: set[int] = set()
        for image in build.images:
            stage = build.stages[image.stage]
            dynamic = [one for one in image.artifacts if one[1].link == MUSL_DYNAMIC and one[1].call is not None]
            base = stage.image
            without = bool(dynamic) and base is not None and base.libc in ("glibc", "none")
            if without and stage.word is not None and not image.inside.own_libc:
                verb = "looks" if len(dynamic) == 1 else "look"
                yield self.finding(
                    f"{names_of(dynamic)} {verb} for musl's loader, and {stage.base_reference} has none: the image does not start.",
                    stage.word.span,
                    note="no ld-musl loader here",
                    labels=labels_of_calls(build, dynamic, "builds without +crt-static"),
                )
            yield from self._macros(build, image, seen)

    def _macros(self, build: ImageBuild, image: FinalImage, seen: set[int]) -> Iterator[Finding]:
        for _, artifact in image.artifacts:
            if artifact.call is None or artifact.link != GNU_STATIC or artifact.call in seen:
                continue
            seen.add(artifact.call)
            call, crate = build.calls[artifact.call], build.crates[artifact.call]
            if call.target.pattern != "" or crate is None:
                continue
            from dockerslim_lint.catalog import natives

            macro = next((name for name in crate.packages or () if name in natives.macros()), None)
            if macro is not None:
                value = call.command.variables.get("RUSTFLAGS")
                yield self.finding(
                    f"+crt-static without --target is used for {macro} too, and a macro cannot be static: the build may stop.",
                    call.command.span,
                    labels=(Label(value.origin, "for everything"),) if value is not None else (),
                    severity=Severity.WARNING,
                )

    INVALID = (
        Invalid(DYNAMIC, line=7),
        Invalid(HOST, line=5, files=FILES),
        Invalid(RISCV, line=7),
    )

    VALID = (
        Valid(near=0, text=DYNAMIC.replace("-crt-static", "+crt-static")),
        Valid(near=0, text=DYNAMIC.replace("FROM scratch", "FROM alpine:3.22\nRUN apk add --no-cache libgcc")),
        Valid(near=0, text=DYNAMIC.replace("FROM scratch", "FROM example.com/base:1")),
        Valid(near=0, text=DYNAMIC.replace("COPY --from", "COPY --from=build /lib/ld-musl-*.so.1 /lib/\nCOPY --from")),
        Valid(near=0, text=DYNAMIC.replace("RUSTFLAGS", "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS")),
        Valid(near=1, text=HOST, files=PLAIN),
        Valid(near=1, text=HOST.replace("--release\n", "--release --target x86_64-unknown-linux-gnu\n"), files=FILES),
        Valid(near=1, text=HOST.replace("RUSTFLAGS", "CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_RUSTFLAGS"), files=FILES),
        Valid(near=2, text=RISCV.replace("RUN cargo", "RUN RUSTFLAGS=-Ctarget-feature=+crt-static cargo")),
        Valid(near=2, text=RISCV.replace("RUN cargo", 'RUN RUSTFLAGS="$(cat flags)" cargo')),
    )

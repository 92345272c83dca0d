"""DSL107."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.catalog import platforms
from dockerslim_lint.facts.model import CargoCall, Linker
from dockerslim_lint.rule import Finding, ImageBuild, Invalid, Label, Plan, Rule, Severity, Span, Valid

MUSL = """\
FROM rust:1-bookworm AS builder
RUN apt-get update && apt-get install -y musl-tools && rustup target add x86_64-unknown-linux-musl
ENV CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER=musl-gcc
WORKDIR /app
COPY . .
RUN cargo build --release --target x86_64-unknown-linux-musl
FROM scratch
COPY --from=builder /app/target/x86_64-unknown-linux-musl/release/app /app
CMD ["/app"]
"""
BARE = MUSL.replace("CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER", "CC")
FILES = {
    "Cargo.toml": '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n',
    "src/main.rs": "fn main() {}\n",
    ".cargo/config.toml": '[target.x86_64-unknown-linux-musl]\nlinker = "musl-gcc"\n',
}


class MuslGccLinker(Rule):
    """musl-gcc is the linker of a static x86_64 program, or the C compiler of everything.

    rustc brings all that it needs to link for musl, and calls `cc` with `-static-pie`. The wrapper musl-gcc does not know that
    option: what it links asks for musl's loader, which scratch, distroless and Debian do not have, or crashes at once. On
    other architectures rustc does not use `-static-pie`. Leave the linker as it is; only C code needs a C compiler.

    That one belongs in `CC_x86_64_unknown_linux_musl`. A bare `CC` is also used for what build scripts compile for
    the builder itself, which has glibc: this is an info, as few crates do that.

    **Fix safety.** There is no fix yet: whoever set a linker may have had a reason that is not in the file. With
    `-C relocation-model=static` musl-gcc does link a static program.
    """

    CODE = "DSL107"
    NAME = "musl-gcc-linker"
    SEVERITY = Severity.WARNING

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        seen: set[Span] = set()
        shipped = {artifact.call for image in build.images for _, artifact in image.artifacts}
        for at in sorted(call for call in shipped if call is not None):
            call = build.calls[at]
            for finding in (*self._linkers(call), *self._compiler(build, call)):
                if finding.span not in seen:
                    seen.add(finding.span)
                    yield finding

    def _linkers(self, call: CargoCall) -> Iterator[Finding]:
        for linker in call.linkers:
            triple = _unfit(linker)
            if not triple:
                continue
            text = "does not know rustc's -static-pie: the program asks for musl's loader, or crashes"
            where = "is set here" if linker.span is not None else "is set in cargo's configuration"
            yield self.finding(
                f"{linker.program} is the linker for {triple}, and {text}.",
                linker.span or call.command.span,
                note=where,
                labels=(Label(call.command.span, "links with it"),) if linker.span is not None else (),
            )

    def _compiler(self, build: ImageBuild, call: CargoCall) -> Iterator[Finding]:
        image, value = build.stages[call.command.stage].image, call.command.variables.get("CC")
        if image is None or image.host_libc != "glibc" or value is None or not value.origin.end or not value.text:
            return
        if value.text == dict(image.env).get("CC"):
            return  # the image is made for it
        program = value.text.rsplit("/", 1)[-1]
        row = next((row for row in platforms.platforms() if row.cc == program), None)
        if row is not None:
            triple = call.target.pattern or row.musl
            name = "CC_<target>" if "*" in triple else f"CC_{triple.replace('-', '_')}"
            yield self.finding(
                f"CC={program} is also used for the C code of build scripts, which run on glibc: name it {name}.",
                value.origin,
                severity=Severity.INFO,
            )

    INVALID = (
        Invalid(MUSL, line=3),
        Invalid(BARE, line=3),
        Invalid(MUSL.replace("ENV CARGO", "ENV OTHER"), line=6, files=FILES),
        Invalid(
            MUSL.replace(
                "CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER=musl-gcc", 'RUSTFLAGS="-C linker=/usr/bin/musl-gcc"'
            ),
            line=3,
        ),
    )

    VALID = (
        Valid(near=0, text=MUSL.replace("=musl-gcc", "=x86_64-linux-gnu-gcc")),
        Valid(
            near=0, text=MUSL.replace("CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER", "CC_x86_64_unknown_linux_musl")
        ),
        Valid(near=0, text=MUSL.replace("WORKDIR", "ENV RUSTFLAGS=-Crelocation-model=static\nWORKDIR")),
        Valid(near=0, text=MUSL.replace("WORKDIR", 'ENV RUSTFLAGS="-C target-feature=-crt-static"\nWORKDIR')),
        Valid(near=0, text=MUSL.replace("LINUX_MUSL_LINKER", "LINUX_GNU_LINKER")),
        Valid(
            near=0,
            text=MUSL.replace("X86_64_UNKNOWN", "AARCH64_UNKNOWN").replace(
                "build --release --target x86", "build --release --target aarch64-unknown-linux-musl # x86"
            ),
        ),
        Valid(near=1, text=BARE.replace("CC=", "TARGET_CC=")),
        Valid(near=1, text=BARE.replace("rust:1-bookworm", "rust:1-alpine")),
        Valid(near=1, text=BARE.replace("rust:1-bookworm", "clux/muslrust:stable")),
        Valid(near=2, text=MUSL.replace("ENV CARGO", "ENV OTHER").replace("COPY . .", "COPY src src"), files=FILES),
    )


def _unfit(linker: Linker) -> str:
    """The triple for which the linker is unfit, "" where it may do."""
    for row in platforms.of_pattern(linker.target) if linker.plain else ():
        if linker.program in row.unfit_linkers:
            return row.musl
    return ""

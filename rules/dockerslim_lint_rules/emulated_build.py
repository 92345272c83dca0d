"""DSL304."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.rule import Finding, ImageBuild, Invalid, Label, Plan, Rule, Severity, Valid

BOTH = ("linux/amd64", "linux/arm64")

LOCK = 'version = 4\n[[package]]\nname = "app"\nversion = "0.1.0"\n[[package]]\nname = "{}"\nversion = "1.0.0"\n'

CRATES = 'source = "registry+https://example.com/index"\n'

FILES = {
    "Cargo.toml": '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n',
    "Cargo.lock": LOCK.format("itoa"),
    "src/main.rs": "fn main() {}\n",
}

NATIVE = """\
FROM rust:1-alpine AS builder
WORKDIR /app
COPY . .
RUN cargo build --release
FROM gcr.io/distroless/static-debian13
COPY --from=builder /app/target/release/app /app
CMD ["/app"]
"""


def of(crate: str, brings: str, more: str = "", kind: str = "dependencies") -> dict[str, str]:
    """The files of a program that depends on `crate`, and that on `brings`."""
    lock = LOCK.format(crate).replace('"0.1.0"\n[', f'"0.1.0"\ndependencies = ["{crate}"]\n[')
    needs = (
        f'dependencies = ["{brings}"]\n[[package]]\nname = "{brings}"\nversion = "1.0.0"\n{CRATES}' if brings else ""
    )
    return {
        **FILES,
        "Cargo.toml": f'{FILES["Cargo.toml"]}[{kind}]\n{crate} = {{ version = "1", {more} }}\n'.replace(",  }", " }"),
        "Cargo.lock": lock + CRATES + needs,
    }


class EmulatedBuild(Rule):
    """The compiler is emulated for each platform that the building machine is not.

    Several platforms are asked for, and the builder stage runs on the target platform: where the builder has no machine
    of that kind, rustc runs under qemu, many times slower and at times out of memory. A program without C crosses easily:
    `FROM --platform=$BUILDPLATFORM` for the builder, `rustup target add`, and `--target` by `TARGETARCH`. A builder with a
    native node for each platform is as good; then this is not for you.

    Nothing is said where the locked packages are not known, or one that the call builds with its features compiles C, which
    needs more than that.

    **Fix safety.** There is no fix of its own. Where the image is rewritten for another reason (DSL101), the rewrite makes
    the builder cross by itself if nothing stands against it.
    """

    CODE = "DSL304"
    NAME = "emulated-build"
    SEVERITY = Severity.INFO

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        seen: set[int] = set()
        for image in build.images if len(build.platforms) > 1 else ():
            for _, artifact in image.artifacts:
                if artifact.call is None:
                    continue
                call, crate = build.calls[artifact.call], build.crates[artifact.call]
                stage = build.stages[call.command.stage]
                first = stage
                while first.parent is not None:
                    first = build.stages[first.parent]
                if stage.cross or stage.platform or first.platform or first.word is None or first.number in seen:
                    continue
                if image.single_stage or crate is None or crate.compiles_c is not False:
                    continue
                seen.add(first.number)
                yield self.finding(
                    f"The compiler runs on each of {len(build.platforms)} platforms, emulated on all but the machine's own.",
                    first.word.span,
                    note="nothing that it links compiles C: crossing needs no more than a target and a linker",
                    labels=(Label(call.command.span, "runs under emulation"),),
                )

    INVALID = (
        Invalid(NATIVE, line=1, files=FILES, platforms=BOTH),
        Invalid(NATIVE, line=1, files={**FILES, "Cargo.lock": LOCK.format("ring")}, platforms=BOTH),
        Invalid(NATIVE, line=1, files=of("mio", "windows-sys"), platforms=BOTH),
        Invalid(NATIVE, line=1, files=of("mio", "ring", "optional = true"), platforms=BOTH),
    )
    VALID = (
        Valid(near=0, text=NATIVE, files=FILES),
        Valid(near=0, text=NATIVE, files=FILES, platforms=BOTH[1:]),
        Valid(
            near=0, text=NATIVE.replace("FROM rust", "FROM --platform=$BUILDPLATFORM rust"), files=FILES, platforms=BOTH
        ),
        Valid(
            near=0, text=NATIVE.replace("FROM rust", "FROM --platform=linux/arm64 rust"), files=FILES, platforms=BOTH
        ),
        Valid(near=0, text=NATIVE, files=of("tls", "ring"), platforms=BOTH),
        Valid(near=0, text=NATIVE, files=of("tls", "unheard-of-sys"), platforms=BOTH),
        Valid(near=0, text=NATIVE, files=of("hash", "cc"), platforms=BOTH),
        Valid(near=0, text=NATIVE, files=of("cc", "", kind="build-dependencies"), platforms=BOTH),
        Valid(
            near=0,
            text=NATIVE.replace("cargo build", "cargo build -F mio"),
            files=of("mio", "ring", "optional = true"),
            platforms=BOTH,
        ),
        Valid(near=0, text=NATIVE, files={k: v for k, v in FILES.items() if k != "Cargo.lock"}, platforms=BOTH),
        Valid(near=0, text=NATIVE, platforms=BOTH),
    )

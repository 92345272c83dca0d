"""DSL202."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.facts.model import FinalImage
from dockerslim_lint.rule import Finding, ImageBuild, Invalid, Label, Plan, Rule, Severity, Span, Valid

FILES = {
    "Cargo.toml": '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n[profile.release]\nstrip = true\n',
    "src/main.rs": "fn main() {}\n",
    ".dockerignore": "target\n",
}
STARTS_CARGO = {**FILES, "src/main.rs": 'fn main() { std::process::Command::new("cargo").status().unwrap(); }\n'}

SINGLE = """\
FROM rust:1
WORKDIR /app
COPY . .
RUN cargo build --release
CMD ["./target/release/app"]
"""

INSTALLED = """\
FROM ubuntu:24.04
RUN apt-get update && apt-get install -y curl gcc && rm -rf /var/lib/apt/lists/*
RUN curl https://sh.rustup.rs -sSf | sh -s -- -y
ENV PATH=/root/.cargo/bin:$PATH
WORKDIR /app
COPY . .
RUN cargo build --release
CMD ["./target/release/app"]
"""

LEAF = """\
FROM rust:1 AS base
WORKDIR /app
COPY . .
RUN cargo build --release
FROM base AS tools
CMD ["./target/release/app"]
FROM example.com/base:1
COPY --from=base /app/target/release/app /app
CMD ["/app"]
"""

REMOVERS = ("rm", "rustup", "apt-get", "apt", "find")
"""After the build they may take the toolchain away."""


class ToolchainShipped(Rule):
    """The image that runs is the image that compiled.

    A `rust` image holds the compiler, a C toolchain and the headers of a distribution: some 1.5 GB to store, and
    everything an intruder could wish for. Only the program is needed when the container starts.

    Nothing is said of an image to work in. That is one whose stage or file is named for development (`dev`, `test`, `ci`); or a
    stage beside the shipped image that is not the last and starts a script that cannot be read.

    A program may compile when it runs: its sources start cargo or rustc (`Command::new("cargo")`, `cargo_metadata`), or the final
    stage calls rustup or cargo for something else than the program. Then this is information only, and the toolchain stays.

    **Fix safety.** The fix splits the stage in two: the build stays as it is, and a second stage takes the program to
    the path that it had, with the instructions that describe the image. It also changes libc and base, so it needs a
    proof (`--fix --verify`) or your word (`--unsafe-fixes`).
    """

    CODE = "DSL202"
    NAME = "toolchain-shipped"
    SEVERITY = Severity.ERROR

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        for image in build.images:
            stage = build.stages[image.stage]
            base = stage.image
            first = build.stages[image.chain[0]]
            if base is None or first.word is None or image.aside:
                continue
            if not base.toolchain:
                yield from self._installed(build, plan, image, first.word.span)
                continue
            size = f" ({base.size})" if base.unpacked_mb else ""
            path, artifact = image.artifacts[0]
            labels = []
            if artifact.call is not None:
                labels.append(Label(build.calls[artifact.call].command.span, f"makes {path.rsplit('/', 1)[-1]}"))
            text = f"The toolchain image {stage.base_reference}{size} is shipped with the program"
            yield self._said(plan, image, text, first.word.span, "needed to compile, not to run", labels)

    def _installed(self, build: ImageBuild, plan: Plan, image: FinalImage, base: Span) -> Iterator[Finding]:
        """The cargo that made the program came by a step, and no step of this image takes it away again."""
        calls = {artifact.call for _, artifact in image.artifacts if artifact.call is not None}
        own = [build.calls[at].command for at in sorted(calls) if build.calls[at].command.stage in image.chain]
        mounted = {mount.instruction for mount in build.mounts}
        if not own or any(command.instruction in mounted or not command.certain for command in own):
            return
        if any(command.name in REMOVERS for command in image.commands if command.span > own[0].span):
            return
        text = "The Rust toolchain that a step installs is shipped with the program"
        label = Label(own[0].span, "compiles it here")
        yield self._said(plan, image, text, base, "the image in which it was compiled", [label])

    def _said(self, plan: Plan, image: FinalImage, text: str, span: Span, note: str, labels: list[Label]) -> Finding:
        wanted = image.wants_toolchain
        if not wanted:
            return self.finding(f"{text}.", span, note=note, labels=tuple(labels), fixes=plan.slim(image))
        text = f"{text}, and may be wanted there: {wanted}."
        return self.finding(text, span, note="to compile at run time", labels=tuple(labels), severity=Severity.INFO)

    INVALID = (
        Invalid(
            SINGLE,
            line=1,
            fixed="""\
FROM rust:1 AS builder
WORKDIR /app
COPY . .
RUN rustup target add "$(uname -m)"-unknown-linux-musl
RUN cargo build --release --target "$(uname -m)"-unknown-linux-musl

FROM gcr.io/distroless/static-debian13
WORKDIR /app
COPY --from=builder /app/target/*-linux-musl/release/app ./target/release/app
CMD ["./target/release/app"]
""",
            files=FILES,
        ),
        Invalid(INSTALLED, line=1, files=FILES),
        Invalid(LEAF, line=1, files=FILES, fixed=None),
        Invalid(SINGLE, line=1, files=STARTS_CARGO, fixed=None),
        Invalid(SINGLE.replace("cargo build --release", "make"), line=1, files=FILES, fixed=None),
    )

    VALID = (
        Valid(near=0, text=SINGLE.replace('["./target/release/app"]', '["cargo", "run", "--release"]'), files=FILES),
        Valid(near=0, text=SINGLE.replace("cargo build --release", "cargo test"), files=FILES),
        Valid(near=0, text=SINGLE.replace("rust:1", "rust:1 AS dev"), files=FILES),
        Valid(near=0, text=SINGLE.replace('CMD ["./target/release/app"]\n', ""), files=FILES),
        Valid(near=0, text=SINGLE.replace("rust:1", "example.com/base:1"), files=FILES),
        Valid(near=2, text=LEAF.replace("AS tools", "AS dev"), files=FILES),
        Valid(near=2, text=LEAF.replace('CMD ["./target/release/app"]', 'CMD ["./start.sh"]'), files=FILES),
        Valid(
            near=1,
            text=INSTALLED.replace("--release\n", "--release && rm -rf /root/.cargo /root/.rustup\n"),
            files=FILES,
        ),
        Valid(near=1, text=INSTALLED.replace("--release\n", "--release && rustup self uninstall -y\n"), files=FILES),
        Valid(near=1, text=INSTALLED.replace("CMD", "FROM debian:bookworm-slim\nCMD"), files=FILES),
    )

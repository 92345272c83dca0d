"""DSL105."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.catalog import platforms
from dockerslim_lint.facts.model import TARGET_ELSEWHERE, TARGET_MISSING
from dockerslim_lint.rule import Finding, Fixes, ImageBuild, Invalid, Label, Plan, Rule, Severity, Valid

FILES = {
    "Cargo.toml": '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n',
    "src/main.rs": "fn main() {}\n",
}
PINNED = {**FILES, "rust-toolchain.toml": '[toolchain]\nchannel = "1.80.1"\n'}
SHORT = {**FILES, "rust-toolchain.toml": '[toolchain]\nchannel = "1.80"\n'}
LISTED = {**FILES, "rust-toolchain.toml": '[toolchain]\ntargets = ["x86_64-unknown-linux-musl"]\n'}

MISSING = """\
FROM rust:1-slim AS build
WORKDIR /app
COPY . .
RUN cargo build --release --target x86_64-unknown-linux-musl
RUN cp target/x86_64-unknown-linux-musl/release/app /app.bin
FROM scratch
COPY --from=build /app.bin /app
CMD ["/app"]
"""
EARLY = MISSING.replace("WORKDIR", "RUN rustup target add x86_64-unknown-linux-musl\nWORKDIR")
AFTER = MISSING.replace("RUN cargo", "RUN rustup target add x86_64-unknown-linux-musl\nRUN cargo")


class TargetNotInstalled(Rule):
    """cargo builds for a target that is not installed for the toolchain that it uses.

    Only the host's own target comes with a toolchain. Any other has to be added (`rustup target add`), in the stage that
    builds or in one that it is based on; else the build stops with ``can't find crate for `std` ``.

    The usual trap is a `rust-toolchain.toml`: the target was added to the image's toolchain before the file was copied, and the
    build uses the toolchain that the file names. Add the target after the COPY, or list it in the file: `targets = ["…"]`.

    It is said only where the crate is known (its toolchain file may list the target), and no step may install it in a
    way that is not read, such as a script.

    **Fix safety.** Needs a proof, which has the new image alone to look at, as the file as it is cannot be built:
    `rustup target add` is written before the step that builds.
    """

    CODE = "DSL105"
    NAME = "target-not-installed"
    SEVERITY = Severity.ERROR

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        shipped = {artifact.call for image in build.images for _, artifact in image.artifacts}
        for at in sorted(call for call in shipped if call is not None):
            call, toolchain = build.calls[at], build.toolchains[at]
            target = call.target.pattern or ""
            if not call.command.certain or not platforms.of_pattern(target):
                continue
            span = call.target.span or call.command.span
            text = "the build stops, as it finds no standard library"
            name = target.replace("*", "<machine>")
            if toolchain.target == TARGET_MISSING:
                yield self.finding(
                    f"{name} is not installed in this stage: {text}.", span, fixes=self._add(build, plan, at)
                )
            elif toolchain.target == TARGET_ELSEWHERE and toolchain.added is not None:
                why = f"the call uses +{call.toolchain}" if call.toolchain else ""
                if toolchain.file is not None:
                    why = f"{toolchain.file.path} chooses {toolchain.file.channel}"
                yield self.finding(
                    f"{name} was added to the image's own toolchain, and {why}: {text}.",
                    span,
                    labels=(Label(toolchain.added.span, "adds it to the image's toolchain"),),
                    fixes=self._add(build, plan, at),
                )

    @staticmethod
    def _add(build: ImageBuild, plan: Plan, at: int) -> Fixes:
        from dockerslim_lint.plan.blocks.builder_steps import add_target

        return plan.alone(
            f"target:{build.calls[at].command.instruction}",
            "add the target before the step that builds",
            lambda: add_target(build, at),
            lambda after: after.toolchains[at].target not in (TARGET_MISSING, TARGET_ELSEWHERE),
            repairs="build",
        )

    INVALID = (
        Invalid(MISSING, line=4, fixed=AFTER, files=FILES),
        Invalid(
            EARLY,
            line=5,
            fixed=EARLY.replace("RUN cargo", "RUN rustup target add x86_64-unknown-linux-musl\nRUN cargo"),
            files=PINNED,
        ),
        Invalid(
            EARLY.replace("rust:1-slim", "rust:1.80-slim"),
            line=5,
            fixed=EARLY.replace("rust:1-slim", "rust:1.80-slim").replace(
                "RUN cargo", "RUN rustup target add x86_64-unknown-linux-musl\nRUN cargo"
            ),
            files=SHORT,
        ),
        Invalid(
            EARLY.replace("cargo build", "cargo +nightly build"),
            line=5,
            fixed=EARLY.replace(
                "RUN cargo build",
                "RUN rustup target add --toolchain nightly x86_64-unknown-linux-musl\nRUN cargo +nightly build",
            ),
            files=FILES,
        ),
        Invalid(
            MISSING.replace("x86_64", "$(uname -m)"),
            line=4,
            fixed=AFTER.replace("x86_64", "$(uname -m)"),
            files=FILES,
        ),
        Invalid(MISSING.replace("RUN cargo", "RUN cd /app && cargo"), line=4, files=FILES),
    )

    VALID = (
        Valid(near=0, text=AFTER, files=FILES),
        Valid(near=0, text=MISSING, files=LISTED),
        Valid(near=0, text=MISSING),
        Valid(near=0, text=MISSING.replace("rust:1-slim", "rust:1-alpine"), files=FILES),
        Valid(near=0, text=MISSING.replace("rust:1-slim", "clux/muslrust:stable"), files=FILES),
        Valid(near=0, text=MISSING.replace("rust:1-slim", "example.com/rust:1"), files=FILES),
        Valid(near=0, text=MISSING.replace("WORKDIR", "RUN ./setup.sh\nWORKDIR"), files=FILES),
        Valid(near=0, text=MISSING.replace("WORKDIR", "COPY --from=x /usr/local/rustup /r\nWORKDIR"), files=FILES),
        Valid(near=0, text=MISSING.replace("x86_64-unknown-linux-musl\n", "thumb.json\n", 1), files=FILES),
        Valid(
            near=0, text=MISSING.replace("RUN cargo", "RUN if true; then rustup target add $T; fi; cargo"), files=FILES
        ),
        Valid(near=0, text=MISSING.replace("musl\n", "musl -Z build-std=std\n", 1), files=FILES),
        Valid(near=1, text=EARLY, files=FILES),
        Valid(near=1, text=AFTER, files=PINNED),
        Valid(near=2, text=AFTER.replace("rust:1-slim", "rust:1.80-slim"), files=SHORT),
        Valid(near=1, text=EARLY, files={**PINNED, ".dockerignore": "rust-toolchain.toml\n"}),
        Valid(near=1, text=EARLY, files={**FILES, "rust-toolchain.toml": '[toolchain]\nchannel = "1.99.0"\n'}),
        Valid(near=1, text=EARLY.replace("COPY . .", "COPY Cargo.toml src ./"), files=PINNED),
        Valid(near=1, text=EARLY.replace("WORKDIR", "ENV RUSTUP_TOOLCHAIN=1.80.1\nWORKDIR"), files=PINNED),
        Valid(near=1, text=EARLY.replace("target add", "target add --toolchain 1.80.1"), files=PINNED),
        Valid(
            near=3, text=EARLY.replace("cargo build", "cargo +nightly build").replace("rustup t", "rustup +nightly t")
        ),
    )

"""DSL502."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.facts.model import CargoCall, Stage, Toolchain
from dockerslim_lint.rule import Finding, ImageBuild, Invalid, Label, Plan, Rule, Severity, Valid

MANIFEST = '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n'
FILES = {"Cargo.toml": MANIFEST, "src/main.rs": "fn main() {}\n"}
NEWER = {**FILES, "Cargo.toml": MANIFEST + 'rust-version = "1.85"\n'}
SHARED = {f"app/{name}": text.replace(' = "1.85"', ".workspace = true") for name, text in NEWER.items()}
SHARED["Cargo.toml"] = '[workspace]\nmembers = ["app"]\n[workspace.package]\nrust-version = "1.85"\n'
EDITION = {**FILES, "Cargo.toml": MANIFEST.replace("2021", "2024")}
LOCKED = {**FILES, "Cargo.lock": "# made by cargo\nversion = 4\n\n[[package]]\n"}
LOCK_3 = {
    "Cargo.toml": MANIFEST.replace("2021", "2018"),
    "Cargo.lock": "version = 3\n",
    "src/main.rs": "fn main() {}\n",
}
PINNED = {**FILES, "rust-toolchain.toml": '[toolchain]\nchannel = "1.80.1"\n'}

LATEST = """\
FROM rust:latest AS build
WORKDIR /app
COPY . .
RUN cargo build --release
FROM gcr.io/distroless/cc-debian13
COPY --from=build /app/target/release/app /app
CMD ["/app"]
"""
OLD = LATEST.replace("rust:latest", "rust:1.79-bookworm")


class UnpinnedToolchain(Rule):
    """The image's Rust is whatever is the newest, or not the one that the project asks for.

    `rust:latest`, `rust:slim` and `rust` name no version: one day the same file builds with another compiler, on another
    Debian. `rust:1.90-bookworm` says which.

    A toolchain file wins over the image. If it asks for another toolchain, rustup downloads that one beside the one
    that the image has: name the same version in both. A `rust-version` in Cargo.toml that is newer than the image's Rust is an
    error, as cargo refuses to build. So are an `edition` and a format of Cargo.lock that this cargo cannot read yet: edition 2024
    needs 1.85 and 2021 needs 1.56, `version = 4` of the lock 1.78.

    **Fix safety.** There is no fix: which version is right is for you to say.
    """

    CODE = "DSL502"
    NAME = "unpinned-toolchain"
    SEVERITY = Severity.INFO

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        shipped = {artifact.call for image in build.images for _, artifact in image.artifacts}
        seen: set[int] = set()
        for at in sorted(call for call in shipped if call is not None):
            call, toolchain = build.calls[at], build.toolchains[at]
            root = build.stages[call.command.stage]
            while root.parent is not None:
                root = build.stages[root.parent]
            if root.number not in seen:
                crate = build.crates[at]
                wanted = crate.rust_version if crate is not None and toolchain.older else ""
                unread = "" if wanted or not root.image or not root.image.version else build.unreadable(at)
                for finding in self._judge(root, call, toolchain, wanted, unread):
                    seen.add(root.number)
                    yield finding

    def _judge(
        self, stage: Stage, call: CargoCall, toolchain: Toolchain, wanted: str, unread: str
    ) -> Iterator[Finding]:
        image, file = stage.image, toolchain.file
        if image is None or stage.word is None or call.toolchain or toolchain.changed:
            return
        if not image.toolchain or not image.understood or not image.newest:
            return
        name = stage.base_reference
        if file is not None and file.channel:
            if toolchain.same is False:
                yield self.finding(
                    f"{file.path} asks for Rust {file.channel}, which {name} does not have: rustup downloads it as well.",
                    stage.word.span,
                    labels=(Label(call.command.span, f"builds with {file.channel}"),),
                )
        elif wanted or unread:
            asks = unread or f"Cargo.toml asks for Rust {wanted}"
            yield self.finding(
                f"{asks}, and {name} has {image.version}: cargo refuses to build.",
                stage.word.span,
                labels=(Label(call.command.span, "stops here"),),
                severity=Severity.ERROR,
            )
        elif not image.version and not stage.digest:
            what = "the compiler and the distribution below it change" if image.moving else "the compiler changes"
            yield self.finding(f"{name} names no version of Rust: {what} when the image does.", stage.word.span)

    INVALID = (
        Invalid(LATEST, line=1, files=FILES),
        Invalid(LATEST.replace("rust:latest", "rust"), line=1),
        Invalid(OLD, line=1, files=PINNED),
        Invalid(OLD, line=1, files=NEWER),
        Invalid(OLD, line=1, files=EDITION),
        Invalid(OLD.replace("1.79", "1.77"), line=1, files=LOCKED),
        Invalid(OLD.replace("1.79", "1.46").replace("bookworm", "buster"), line=1, files=LOCK_3),
        Invalid(OLD, line=1, files=SHARED),
    )

    VALID = (
        Valid(near=0, text=LATEST.replace("rust:latest", "rust:1.90"), files=FILES),
        Valid(near=0, text=LATEST.replace("rust:latest", "rust:1"), files=FILES),
        Valid(near=0, text=LATEST.replace("rust:latest", "rust@sha256:" + "0" * 64), files=FILES),
        Valid(near=0, text=LATEST.replace("rust:latest", "rustlang/rust:nightly"), files=FILES),
        Valid(near=0, text=LATEST.replace("RUN cargo", "RUN rustup default 1.80 && cargo"), files=FILES),
        Valid(near=0, text=LATEST.replace("cargo build", "cargo +1.80 build"), files=FILES),
        Valid(near=2, text=OLD, files=FILES),
        Valid(near=2, text=OLD.replace("1.79", "1.80.1"), files=PINNED),
        Valid(near=2, text=OLD.replace("1.79", "1.80"), files=PINNED),
        Valid(near=2, text=OLD.replace("COPY . .", "COPY Cargo.toml src ./"), files=PINNED),
        Valid(near=4, text=OLD.replace("1.79", "1.85"), files=EDITION),
        Valid(near=4, text=OLD.replace("1.79", "1"), files=EDITION),
        Valid(near=4, text=OLD.replace("cargo build", "cargo +1.85 build"), files=EDITION),
        Valid(near=4, text=OLD.replace("WORKDIR", "ENV RUSTUP_TOOLCHAIN=1.85\nWORKDIR"), files=EDITION),
        Valid(near=4, text=OLD.replace("RUN cargo", "RUN sed -i s/2024/2021/ Cargo.toml && cargo"), files=EDITION),
        Valid(near=4, text=OLD.replace("RUN cargo", "RUN ./prepare.sh && cargo"), files=EDITION),
        Valid(near=4, text=OLD.replace("RUN cargo", "RUN rustup default 1.85 && cargo"), files=EDITION),
        Valid(near=4, text=OLD.replace("WORKDIR", "ENV RUSTC_BOOTSTRAP=1\nWORKDIR"), files=EDITION),
        Valid(near=5, text=OLD.replace("1.79", "1.78"), files=LOCKED),
        Valid(
            near=5,
            text=OLD.replace("1.79", "1.77").replace("COPY . .", "COPY Cargo.toml .\nCOPY src src"),
            files=LOCKED,
        ),
        Valid(near=5, text=OLD.replace("1.79", "1.77"), files={**LOCKED, ".dockerignore": "*.lock\n"}),
        Valid(near=5, text=OLD.replace("1.79", "1.77").replace("RUN", "RUN rm Cargo.lock\nRUN"), files=LOCKED),
        Valid(
            near=5, text=OLD.replace("1.79", "1.77").replace("RUN", "RUN sed -i s/4/3/ Cargo.lock\nRUN"), files=LOCKED
        ),
        Valid(
            near=5,
            text=OLD.replace("1.79", "1.77").replace("--release", "--release -Znext-lockfile-bump"),
            files=LOCKED,
        ),
        Valid(near=5, text=OLD.replace("1.79", "1.77"), files={**LOCKED, "Cargo.lock": "version = 3\n"}),
        Valid(near=6, text=OLD.replace("1.79", "1.47").replace("bookworm", "buster"), files=LOCK_3),
        Valid(near=7, text=OLD.replace("1.79", "1.85"), files=SHARED),
        Valid(near=3, text=OLD.replace("1.79", "1.85"), files=NEWER),
        Valid(near=3, text=OLD.replace("--release", "--release --ignore-rust-version"), files=NEWER),
        Valid(near=3, text=OLD.replace("WORKDIR", "ENV RUSTUP_TOOLCHAIN=1.90\nWORKDIR"), files=NEWER),
    )

"""DSL306."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.rule import Finding, ImageBuild, Invalid, Plan, Rule, Severity, Valid

FILES = {
    "Cargo.toml": '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n',
    "src/main.rs": "fn main() {}\n",
}

ALL = """\
FROM rust:1-alpine AS builder
WORKDIR /app
COPY . .
RUN cargo build --release
FROM gcr.io/distroless/static-debian13
COPY --from=builder /app/target/release/app /app
CMD ["/app"]
"""


class ContextNotIgnored(Rule):
    """The whole context is copied, and no .dockerignore keeps `target/` out of it.

    Your own `target/` is sent to the builder each time, often gigabytes, and its files land where the build in the image
    writes: cargo may take them for its own. Each of your builds also changes the context, so the layer is made anew.
    `.git` is the same in small. A `.dockerignore` with the lines `target` and `.git` is enough; leave `.git` in where the
    build asks git for its version.

    **Fix safety.** There is no fix: it is another file.
    """

    CODE = "DSL306"
    NAME = "context-not-ignored"
    SEVERITY = Severity.INFO

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        contents = build.contents
        if not build.images or not contents.known or not contents.has_manifest:
            return
        if contents.ignores("target") or (contents.ignores("target/debug") and contents.ignores("target/release")):
            return
        for transfer in build.transfers:
            if transfer.origin_stage is not None or transfer.origin_image:
                continue
            if any(source in (".", "./", "/", "") for source in transfer.sources):
                both = "" if contents.ignores(".git") else " and .git"
                yield self.finding(
                    f"No .dockerignore keeps target/{both} out of what is copied here.",
                    build.instructions[transfer.instruction].body_span,
                )
                return

    INVALID = (
        Invalid(ALL, line=3, files=FILES),
        Invalid(ALL, line=3, files={**FILES, ".dockerignore": "target/debug\n"}),
    )
    VALID = (
        Valid(near=0, text=ALL, files={**FILES, ".dockerignore": "target\n"}),
        Valid(near=0, text=ALL, files={**FILES, ".dockerignore": "**/target/\n.git\n"}),
        Valid(near=0, text=ALL, files={**FILES, ".dockerignore": "target/*\n"}),
        Valid(near=0, text=ALL, files={**FILES, ".dockerignore": "*\n!src\n!Cargo.*\n"}),
        Valid(near=0, text=ALL, files={**FILES, "Dockerfile.dockerignore": "/target\n"}),
        Valid(near=0, text=ALL.replace("COPY . .", "COPY Cargo.toml ./\nCOPY src src"), files=FILES),
        Valid(near=0, text=ALL.replace("COPY . .", "COPY --from=code . ."), files=FILES),
        Valid(near=0, text=ALL, files={"README.md": "no crate here\n"}),
        Valid(near=0, text=ALL),
    )

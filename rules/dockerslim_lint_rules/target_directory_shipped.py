"""DSL203."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.facts.model import Transfer
from dockerslim_lint.rule import Finding, ImageBuild, Invalid, Label, Plan, Rule, Severity, Valid

WHOLE = """\
FROM rust:1-alpine AS builder
WORKDIR /src
COPY . .
RUN cargo build --release
FROM gcr.io/distroless/static-debian13
COPY --from=builder /src/target/release /app
CMD ["/app/server"]
"""


class TargetDirectoryShipped(Rule):
    """cargo's whole output directory is copied into the image.

    Beside the program, `target/` holds every dependency's objects and libraries, build scripts and fingerprints: many
    times the program's size, and nothing of it is read when the container starts. It comes in by a COPY of `target/`, of
    a profile's directory in it, or of the project's directory. Copy the program alone.

    **Fix safety.** There is no fix: which files beside the program are needed, only you know.
    """

    CODE = "DSL203"
    NAME = "target-directory-shipped"
    SEVERITY = Severity.WARNING

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        seen: set[int] = set()
        for image in build.images:
            for _, number in image.outputs:
                call = build.calls[number]
                for transfer in image.transfers:
                    source = self._source(transfer, call.output or "")
                    if not source or transfer.instruction in seen:
                        continue
                    seen.add(transfer.instruction)
                    yield self.finding(
                        f"{source} is copied with all that cargo keeps there: objects, libraries, build scripts.",
                        build.instructions[transfer.instruction].body_span,
                        note="the program alone is needed",
                        labels=(Label(call.command.span, "builds into it"),),
                    )

    @staticmethod
    def _source(transfer: Transfer, output: str) -> str:
        """The source that holds the output directory, "" if none does."""
        if transfer.origin_stage is None:
            return ""
        return next((source for source in transfer.sources if f"{output}/".startswith(f"{source.rstrip('/')}/")), "")

    INVALID = (
        Invalid(WHOLE, line=6),
        Invalid(
            WHOLE.replace("/src/target/release /app", "/src /src").replace("/app/", "/src/target/release/"),
            line=6,
        ),
    )
    VALID = (
        Valid(near=0, text=WHOLE.replace("release /app", "release/server /app/server")),
        Valid(near=0, text=WHOLE.replace("release /app", "release/server* /app/")),
        Valid(
            near=0,
            text=WHOLE.replace("--release", "--release && mv target/release/server /out/").replace(
                "/src/target/release /app", "/out /app"
            ),
        ),
        Valid(near=0, text=WHOLE.replace("cargo build --release", "cargo install --path . --root /src/target/release")),
        Valid(near=0, text=WHOLE.replace("/src/target/release /app", "/src/assets /app/assets")),
        Valid(
            near=1,
            text=WHOLE.replace("--release", "--release && mv target/release/server . && rm -rf target")
            .replace("/src/target/release /app", "/src /src")
            .replace("/app/", "/src/target/release/"),
        ),
    )

"""DSL307."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.edit import Edit, Fix, Safety, Withheld
from dockerslim_lint.facts.model import Stale
from dockerslim_lint.rule import Finding, ImageBuild, Invalid, Label, Plan, Rule, Severity, Valid

FILES = {
    "Cargo.toml": '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n[profile.release]\nstrip = true\n',
    "src/main.rs": "fn main() {}\n",
}

PLACEHOLDER = """\
FROM rust:1-alpine AS builder
WORKDIR /app
COPY Cargo.toml ./
RUN mkdir src && echo "fn main() {}" > src/main.rs
RUN cargo build --release && rm -rf src
COPY src ./src
RUN cargo build --release
FROM gcr.io/distroless/static-debian13
COPY --from=builder /app/target/release/app /app
CMD ["/app"]
"""

USER = PLACEHOLDER.replace("WORKDIR /app\n", "RUN adduser -D b && mkdir /app && chown b /app\nUSER b\nWORKDIR /app\n")
OWNED = USER.replace("COPY src", "COPY --chown=b:b src")


class StalePlaceholder(Rule):
    """The empty program that only warmed the cache is shipped in the real one's place.

    To have the dependencies in a layer of their own, a placeholder (`fn main() {}`) is built first and the real source is
    copied over it. But cargo compares times, and COPY keeps the times of your files: they are older than the placeholder's
    build, so cargo takes them for built. The image then starts, does nothing and ends with 0. It comes and goes with the
    builder's cache: where the first layers come from there, a fresh checkout may be newer.

    `touch src/main.rs` before the real build is enough. It is not needed where a lib.rs or build.rs comes in only with
    the real source, where something removes what the placeholder left, or where flags, a manifest, cargo's configuration or the
    toolchain change in between. A build.rs that was there before is run again for any other time in the package, unless it prints
    `cargo:rerun-if-changed=build.rs`: with that line alone the placeholder stays.

    **Fix safety.** Safe: the file is in the build context, and a newer time can only make cargo build it. None where the
    step runs as a user who may not own the file: COPY without `--chown` makes it root's.
    """

    CODE = "DSL307"
    NAME = "stale-placeholder"
    SEVERITY = Severity.WARNING

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        shipped = {artifact.call for image in build.images for _, artifact in image.artifacts}
        for stale in build.stale:
            if stale.call not in shipped:
                continue
            call = build.calls[stale.call].command
            names = ", ".join(source.removeprefix(f"{call.directory}/") for source in stale.sources)
            yield self.finding(
                f"cargo takes {names} for built and may ship the placeholder: the copied file is older than its build.",
                call.span,
                note="COPY keeps the time of a file, and cargo looks at nothing else",
                labels=(
                    Label(build.calls[stale.earlier].command.span, "builds the placeholder"),
                    Label(build.instructions[stale.copy].keyword_span, "brings the real source, with its old time"),
                ),
                fixes=self._touch(build, stale),
            )

    @staticmethod
    def _touch(build: ImageBuild, stale: Stale) -> tuple[Fix, ...] | Withheld:
        command = build.calls[stale.call].command
        key = f"touch:{command.instruction}"
        if build.problems:
            return Withheld(key, "BuildKit refuses a line of this file, so that nothing can be built")
        if not stale.owned:
            return Withheld(
                key, "who runs the step may not give the file another time: it is not known to be its owner"
            )
        if not command.shell_form or command.nested:
            return Withheld(key, "another command cannot be put before this call")
        here = f"{command.directory}/"
        words = [source.removeprefix(here) for source in stale.sources]
        if any(set(word) - SAFE for word in words):
            return Withheld(key, "the file's name is not known in full")
        start = command.span.start
        edit = Edit(start, start, f"touch {' '.join(words)} && ")
        return (Fix(key, "", Safety.SAFE, "make the real source newer than the placeholder's build", (edit,)),)

    INVALID = (
        Invalid(
            PLACEHOLDER,
            line=7,
            fixed=PLACEHOLDER.replace("./src\nRUN cargo", "./src\nRUN touch src/main.rs && cargo"),
            files=FILES,
        ),
        Invalid(USER, line=9, files=FILES),
        Invalid(
            OWNED, line=9, fixed=OWNED.replace("./src\nRUN cargo", "./src\nRUN touch src/main.rs && cargo"), files=FILES
        ),
    )

    VALID = (
        Valid(near=0, text=PLACEHOLDER.replace("./src\nRUN cargo", "./src\nRUN touch src/main.rs; cargo"), files=FILES),
        Valid(
            near=0,
            text=PLACEHOLDER.replace("./src\nRUN cargo", "./src\nRUN find src -exec touch {} + && cargo"),
            files=FILES,
        ),
        Valid(near=0, text=PLACEHOLDER.replace("rm -rf src", "rm -rf src target/release/deps/app*"), files=FILES),
        Valid(near=0, text=PLACEHOLDER.replace("rm -rf src", "rm -f target/release/.fingerprint/app-*"), files=FILES),
        Valid(near=0, text=PLACEHOLDER.replace("rm -rf src", "cargo clean --release -p app"), files=FILES),
        Valid(near=0, text=PLACEHOLDER.replace("build --release &&", "build &&"), files=FILES),
        Valid(near=0, text=PLACEHOLDER.replace("COPY src ./src\n", "COPY . .\nRUN cp -r src /tmp\n"), files=FILES),
        Valid(
            near=0, text=PLACEHOLDER.replace("COPY src ./src", "RUN git clone https://example.com/a src"), files=FILES
        ),
        Valid(near=0, text=PLACEHOLDER, files={**FILES, "src/lib.rs": "pub fn run() {}\n"}),
        Valid(near=0, text=PLACEHOLDER, files={**FILES, "build.rs": "fn main() {}\n"}),
        Valid(near=0, text=PLACEHOLDER),
    )


SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./")
"""What needs no quotes in a shell."""

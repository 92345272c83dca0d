"""DSL504."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.rule import Finding, ImageBuild, Invalid, Plan, Rule, Severity, Valid

FILES = {
    "Cargo.toml": '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n',
    "Cargo.lock": "version = 4\n",
    "src/main.rs": "fn main() {}\n",
}
IGNORED = {**FILES, ".dockerignore": "target\n*.lock\n"}
NONE = {**{name: text for name, text in FILES.items() if name != "Cargo.lock"}, ".git/HEAD": "ref: refs/heads/main\n"}

MEMBER = {
    "Cargo.toml": '[workspace]\nmembers = ["api"]\n',
    "Cargo.lock": "version = 4\n",
    "api/Cargo.toml": FILES["Cargo.toml"],
    "api/src/main.rs": "fn main() {}\n",
}

BUILD = """\
FROM rust:1-alpine AS build
WORKDIR /app
COPY . .
RUN cargo build --release --locked
FROM scratch
COPY --from=build /app/target/release/app /app
CMD ["/app"]
"""
PARTS = BUILD.replace("COPY . .", "COPY Cargo.toml ./\nCOPY src src")

REASONS = {
    ".dockerignore": ".dockerignore leaves it out",
    "COPY": "no COPY brings it",
    "": "the build context has none",
}


class MissingLock(Rule):
    """`--locked` is given and there is no Cargo.lock in the builder: cargo stops before it compiles.

    With `--locked` (or `--frozen`) cargo may not write a lock, not even the first one: `cannot create the lock file because
    --locked was passed`. The lock is not there where `.dockerignore` leaves it out, where only Cargo.toml and the sources are
    copied, or where it was never committed.

    Nothing is said where a step before may write one (`cargo fetch`, a build without `--locked`, `cargo chef cook`), where it
    may come from another stage or a mount, or where git ignores the lock that is not here. `cargo install --path --locked`
    goes on without one.

    **Fix safety.** There is no fix: bring the lock, or leave `--locked` out.
    """

    CODE = "DSL504"
    NAME = "missing-lock"
    SEVERITY = Severity.ERROR

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        for one in build.refused:
            if one.kind == "lock":
                words = {word.pattern for word in build.calls[one.call].command.words}
                flag = "--frozen" if "--frozen" in words else "--locked"
                yield self.finding(
                    f"cargo stops: with {flag} it needs a Cargo.lock, and {REASONS[one.why]}.",
                    build.calls[one.call].command.span,
                    note="writes no Cargo.lock",
                )

    INVALID = (
        Invalid(BUILD, line=4, files=IGNORED),
        Invalid(PARTS, line=5, files=FILES),
        Invalid(PARTS, line=5, files={name: text for name, text in FILES.items() if name != "Cargo.lock"}),
        Invalid(BUILD, line=4, files=NONE),
        Invalid(BUILD.replace("--locked", "--frozen"), line=4, files=IGNORED),
    )

    VALID = (
        Valid(near=0, text=BUILD, files=FILES),
        Valid(near=0, text=BUILD),
        Valid(near=0, text=BUILD, files={**IGNORED, ".dockerignore": "*.lock\n!Cargo.lock\n"}),
        Valid(near=0, text=BUILD.replace(" --locked", ""), files=IGNORED),
        Valid(near=0, text=BUILD.replace("--locked", "$FLAGS"), files=IGNORED),
        Valid(near=0, text=BUILD.replace("build --release", "install --path ."), files=IGNORED),
        Valid(near=0, text=BUILD.replace("RUN cargo", "RUN cargo generate-lockfile && cargo"), files=IGNORED),
        Valid(near=0, text=BUILD.replace("RUN cargo", "RUN cargo fetch\nRUN cargo"), files=IGNORED),
        Valid(near=0, text=BUILD.replace("RUN cargo", "RUN cargo build --release\nRUN cargo"), files=IGNORED),
        Valid(near=0, text=BUILD.replace("RUN cargo", "RUN mv my.lock Cargo.lock && cargo"), files=IGNORED),
        Valid(
            near=0,
            text=BUILD.replace("RUN cargo", "RUN curl -O https://example.com/Cargo.lock && cargo"),
            files=IGNORED,
        ),
        Valid(near=0, text=BUILD.replace("RUN cargo", "RUN ./prepare.sh && cargo"), files=IGNORED),
        Valid(near=0, text=BUILD.replace("RUN cargo", "RUN test -f Cargo.lock && cargo build || cargo"), files=IGNORED),
        Valid(near=0, text=BUILD.replace("COPY . .", "COPY . .\nCOPY --from=plan /Cargo.lock ./"), files=IGNORED),
        Valid(near=0, text=BUILD.replace("RUN", "RUN --mount=type=bind,from=plan,target=/app"), files=IGNORED),
        Valid(near=1, text=PARTS.replace("Cargo.toml", "Cargo.*"), files=FILES),
        Valid(
            near=1, text=PARTS.replace("RUN", "RUN --mount=type=bind,source=Cargo.lock,target=Cargo.lock"), files=FILES
        ),
        Valid(near=1, text=PARTS.replace("Cargo.toml", "api").replace("src src", "Cargo.lock ./"), files=MEMBER),
        Valid(near=3, text=BUILD, files={**NONE, ".gitignore": "/target\n/Cargo.lock\n"}),
        Valid(near=3, text=BUILD, files={name: text for name, text in NONE.items() if name != ".git/HEAD"}),
    )

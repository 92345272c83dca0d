"""DSL303."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.edit import Withheld
from dockerslim_lint.facts.model import Mount, Warmup
from dockerslim_lint.facts.reused import FEATURES, differs, hidden_by
from dockerslim_lint.facts.warmups import ahead_of
from dockerslim_lint.rule import Finding, Fixes, ImageBuild, Invalid, Label, Plan, Rule, Severity, Valid, shipped_calls

CHEF = """\
FROM rust:1-alpine AS builder
RUN cargo install cargo-chef
WORKDIR /app
COPY recipe.json .
RUN cargo chef cook --recipe-path recipe.json
COPY . .
RUN cargo build --release
FROM gcr.io/distroless/static-debian13
COPY --from=builder /app/target/release/app /app
CMD ["/app"]
"""

COOK = "cook --recipe-path recipe.json"
DIST = CHEF.replace("build --release", "build --profile dist --no-default-features -F a,b").replace(
    "t/rel", "t/dist/rel"
)
DIST = DIST.replace("dist/release", "dist")

TRICK = """\
FROM rust:1-alpine AS builder
WORKDIR /app
COPY Cargo.toml Cargo.lock ./
RUN mkdir src && echo "fn main() {}" > src/main.rs && cargo build --release
COPY . .
RUN cargo build --release --target x86_64-unknown-linux-musl
FROM gcr.io/distroless/static-debian13
COPY --from=builder /app/target/x86_64-unknown-linux-musl/release/app /app
CMD ["/app"]
"""
COOKED = CHEF.replace("chef cook", "chef cook --release")
FLAGS = "RUSTFLAGS='-C target-cpu=native'"
NATIVE = COOKED.replace("cargo build", f"{FLAGS} cargo build")
MOUNT = "--mount=type=cache,target=/app/target"
MOUNTED = COOKED.replace("RUN cargo build --release", f"RUN {MOUNT} cargo build --release && cp target/release/app /a")
MOUNTED = MOUNTED.replace("/app/target/release/app /app", "/a /app")


class BuiltTwice(Rule):
    """The dependencies are built ahead with other settings than the program, so they are built twice.

    `cargo chef cook`, or a build of placeholder sources, makes a layer of built dependencies. cargo uses it only if directory,
    profile (with `CARGO_PROFILE_*`), target and flags for rustc (RUSTFLAGS, or a `.cargo/config.toml` that comes in between) are
    those of the real build. Otherwise it builds all of them again, and the layer only costs time and space. The same happens if the
    real build has a cache mount over that layer: give both builds the mount, or neither.

    If only the features differ, cargo builds again the crates that now have other features, and all that depends on them. That may
    be one crate or most, so it is information only. Nothing is said if the manifests show that no dependency gets other features.

    **Fix safety.** Needs a proof: `cook` gets the settings of the build that it lacks. There is no fix if the two contradict each
    other, if flags are set between them, or for placeholders and mounts: only you know which of the two is meant.
    """

    CODE = "DSL303"
    NAME = "built-twice"
    SEVERITY = Severity.WARNING

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        for number in shipped_calls(build):
            call = build.calls[number]
            warmups = ahead_of(build, number)
            reasons = [differs(build, warmup, call) for warmup in warmups]
            hiding = [hidden_by(build, warmup, call) for warmup in warmups]
            if not warmups or not all(map(any, zip(reasons, hiding, strict=True))):
                continue
            if hiding[-1] is not None:
                yield self._hidden(build, number, warmups[-1], hiding[-1])
                continue
            partly = FEATURES in reasons
            yield self.finding(
                "Some dependencies may be built twice: the build ahead has other features."
                if partly
                else f"The dependencies are built twice: the build ahead differs in {reasons[-1]}.",
                call.command.span,
                note="what has other features is built again" if partly else "cargo shares nothing between them",
                labels=(Label(warmups[-1].command.span, f"builds them ahead{'' if partly else ', for nothing'}"),),
                fixes=self._alike(build, plan, warmups[-1], number),
                severity=Severity.INFO if partly else None,
            )

    def _hidden(self, build: ImageBuild, number: int, warmup: Warmup, mount: Mount) -> Finding:
        line = build.source.line_of(warmup.command.span.start)
        return self.finding(
            f"The dependencies are built twice: the mount hides what line {line} has built ahead.",
            build.calls[number].command.span,
            note="cargo finds the files of the mount, not those of the layer",
            labels=(
                Label(warmup.command.span, "builds them into the layer"),
                Label(mount.span, "lies over them"),
            ),
            fixes=Withheld(f"cook:{warmup.command.instruction}", "whether layer or mount is meant, only you know"),
        )

    def _alike(self, build: ImageBuild, plan: Plan, cook: Warmup, number: int) -> Fixes:
        from dockerslim_lint.plan.blocks.cook_flags import cook_like_build

        def settled(after: ImageBuild) -> bool:
            warmups = ahead_of(after, number)
            return not all(differs(after, warmup, after.calls[number]) for warmup in warmups)

        return plan.alone(
            f"cook:{cook.command.instruction}",
            "give cook the flags of the build",
            lambda: cook_like_build(build, cook, number),
            settled,
        )

    INVALID = (
        Invalid(CHEF, line=7, fixed=CHEF.replace(COOK, COOK + " --release")),
        Invalid(TRICK, line=6),
        Invalid(DIST, line=7, fixed=DIST.replace(COOK, COOK + " --profile dist --no-default-features --features a,b")),
        Invalid(CHEF.replace("chef cook", "chef cook --release --features a"), line=7),
        Invalid(MOUNTED, line=7),
        Invalid(NATIVE, line=7, fixed=NATIVE.replace("cargo chef", f"{FLAGS} cargo chef")),
    )
    VALID = (
        *(
            Valid(near=0, text=CHEF.replace("chef cook", call))
            for call in (
                "chef cook --release",
                "chef cook --profile release",
                "chef cook $FLAGS",
                "chef cook --profile $PROFILE",
                "chef prepare",
            )
        ),
        Valid(
            near=0, text=CHEF.replace("COPY . .", "RUN cargo chef cook --release --recipe-path recipe.json\nCOPY . .")
        ),
        Valid(near=0, text=CHEF.replace("build --release", "build --release || cargo build")),
        Valid(near=1, text=TRICK.replace("&& cargo", "&& CARGO_BUILD_TARGET=x86_64-unknown-linux-musl cargo")),
        Valid(near=1, text=TRICK.replace("&& cargo build --release", "&& cargo fetch")),
        Valid(near=1, text=TRICK.replace("--target x86_64-unknown-linux-musl\n", "$TRIPLE\n")),
        Valid(near=4, text=MOUNTED.replace("RUN cargo chef", f"RUN {MOUNT} cargo chef")),
        Valid(near=4, text=MOUNTED.replace("target=/app/target", "target=/usr/local/cargo/registry")),
        Valid(near=5, text=NATIVE.replace("cargo chef", f"{FLAGS} cargo chef")),
    )

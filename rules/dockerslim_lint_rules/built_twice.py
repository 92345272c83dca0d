"""DSL303."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.facts.model import CargoCall, Warmup
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

FEATURES = "the features"


class BuiltTwice(Rule):
    """The dependencies are built ahead with other settings than the program, so they are built twice.

    `cargo chef cook`, or a build of placeholder sources, makes a layer of built dependencies. cargo uses it only where
    profile and target are those of the real build; else it builds all of them again, and the layer only costs time and
    space. Where the features differ, cargo builds again what has other features then, and all that depends on that: it may
    be one crate or most of them, so that is a remark and no warning.

    **Fix safety.** Needs a proof: `cook` gets what the build has and it has not. None where the two contradict each other,
    and none for placeholders: which of the two is meant, only you know.
    """

    CODE = "DSL303"
    NAME = "built-twice"
    SEVERITY = Severity.WARNING

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        for number in shipped_calls(build):
            call = build.calls[number]
            warmups = ahead_of(build, number)
            reasons = [self._differs(warmup, call) for warmup in warmups]
            if not warmups or not all(reasons):
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

    def _alike(self, build: ImageBuild, plan: Plan, cook: Warmup, number: int) -> Fixes:
        from dockerslim_lint.plan.blocks.cook_flags import cook_like_build

        def settled(after: ImageBuild) -> bool:
            warmups = ahead_of(after, number)
            return not all(self._differs(warmup, after.calls[number]) for warmup in warmups)

        return plan.alone(
            f"cook:{cook.command.instruction}",
            "give cook the flags of the build",
            lambda: cook_like_build(build, cook, number),
            settled,
        )

    @staticmethod
    def _differs(warmup: Warmup, call: CargoCall) -> str:
        """In what, "" where it does not or cannot be told."""
        words = (*warmup.features, *call.features, warmup.profile or "*", call.profile or "*")
        if (
            call.open_profile
            or not (call.command.certain and warmup.command.certain)
            or any("*" in word for word in words)
        ):
            return ""
        if warmup.profile != call.profile:
            return f"the profile ({warmup.profile}, then {call.profile})"
        ours, theirs = warmup.target, call.target
        if None not in (ours.pattern, theirs.pattern) and "config" not in (ours.origin, theirs.origin):
            if ours.pattern != theirs.pattern:
                return f"the target ({ours.pattern or 'the default'}, then {theirs.pattern or 'the default'})"
            if warmup.features != call.features:
                return FEATURES
        return ""

    INVALID = (
        Invalid(CHEF, line=7, fixed=CHEF.replace(COOK, COOK + " --release")),
        Invalid(TRICK, line=6),
        Invalid(DIST, line=7, fixed=DIST.replace(COOK, COOK + " --profile dist --no-default-features --features a,b")),
        Invalid(CHEF.replace("chef cook", "chef cook --release --features a"), line=7),
    )
    VALID = (
        Valid(near=0, text=CHEF.replace("chef cook", "chef cook --release")),
        Valid(near=0, text=CHEF.replace("chef cook", "chef cook --profile release")),
        Valid(near=0, text=CHEF.replace("chef cook", "chef cook $FLAGS")),
        Valid(near=0, text=CHEF.replace("chef cook", "chef cook --profile $PROFILE")),
        Valid(
            near=0, text=CHEF.replace("COPY . .", "RUN cargo chef cook --release --recipe-path recipe.json\nCOPY . .")
        ),
        Valid(near=0, text=CHEF.replace("chef cook", "chef prepare")),
        Valid(near=0, text=CHEF.replace("build --release", "build --release || cargo build")),
        Valid(near=1, text=TRICK.replace("&& cargo", "&& CARGO_BUILD_TARGET=x86_64-unknown-linux-musl cargo")),
        Valid(near=1, text=TRICK.replace("&& cargo build --release", "&& cargo fetch")),
        Valid(near=1, text=TRICK.replace("--target x86_64-unknown-linux-musl\n", "--target $TRIPLE\n")),
    )

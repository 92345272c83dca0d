"""DSL204."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.facts.model import STRIPPED_ALL, STRIPPED_DEBUGINFO, CargoCall
from dockerslim_lint.facts.outputs import copied_from
from dockerslim_lint.rule import Finding, Fixes, ImageBuild, Invalid, Label, Plan, Rule, Severity, Valid

MANIFEST = '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n'
FILES = {"Cargo.toml": MANIFEST, "src/main.rs": "fn main() {}\n"}

DEBUG = """\
FROM rust:1-alpine AS builder
WORKDIR /app
COPY . .
RUN cargo build
FROM gcr.io/distroless/static-debian13
COPY --from=builder /app/target/debug/app /app
CMD ["/app"]
"""
FLAGS = DEBUG.replace("RUN", "ARG FLAGS\nRUN").replace("cargo build", "cargo build $FLAGS")
RELEASE = DEBUG.replace("cargo build", "cargo build --release").replace("debug", "release")


class DebugBuildShipped(Rule):
    """A debug build is shipped.

    Without `--release` cargo does not optimise and adds debug information: the program is many times larger and slower.
    `cargo build --release` writes to `target/release/`, so what copies the program from `target/debug/` changes with it.
    It also leaves out debug assertions and overflow checks.

    Nothing is said where the profile comes from a variable and the path leaves it open (`target/$PROFILE/`), where the manifest
    or the environment optimises the dev profile, and where the stage or the file is named for development.

    **Fix safety.** Needs a proof: `--release`, and the program from `target/release`. Debug assertions and overflow checks
    are gone then, which a proof sees only where the program runs into them. None for `cargo install --debug`, or where a
    variable may ask for a profile.
    """

    CODE = "DSL204"
    NAME = "debug-build-shipped"
    SEVERITY = Severity.WARNING

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        seen: set[int] = set()
        for image in build.images:
            for path, artifact in image.artifacts:
                number = artifact.call
                if number is None or number in seen or image.development:
                    continue
                seen.add(number)
                call = build.calls[number]
                chosen = call.profile == "dev" and call.command.certain
                if not chosen or self._optimised(build, number, call):
                    continue
                if call.open_profile and not copied_from(build, number, call.profile_directory):
                    continue
                word = build.stages[image.stage].word
                yield self.finding(
                    f"{path.rsplit('/', 1)[-1]} is a debug build: not optimised"
                    f"{'' if self._lean(build, number, call) else ', and with debug information'}.",
                    call.command.span,
                    note=self._note(call),
                    labels=(Label(word.span, "ships it"),) if word is not None else (),
                    fixes=self._release(build, plan, number),
                )

    @staticmethod
    def _note(call: CargoCall) -> str:
        if call.open_profile:
            return f"what is copied from {call.profile_directory}/ is one, whatever the variable says"
        return "--release is missing" if call.kind == "build" else "--debug asks for it"

    @staticmethod
    def _release(build: ImageBuild, plan: Plan, number: int) -> Fixes:
        from dockerslim_lint.plan.blocks.builder_steps import release_build, without_assertions

        paths = [[path for path, _ in image.artifacts] for image in build.images]
        return plan.alone(
            f"release:{build.calls[number].command.instruction}",
            "build for release",
            lambda: release_build(build, number),
            lambda after: (
                after.calls[number].profile == "release"
                and [[path for path, _ in image.artifacts] for image in after.images] == paths
            ),
            "; ".join(without_assertions(build.crates[number])),
            smaller=True,
        )

    @staticmethod
    def _optimised(build: ImageBuild, number: int, call: CargoCall) -> bool:
        """Whether somebody made the dev profile what a release is elsewhere."""
        if "CARGO_PROFILE_DEV_OPT_LEVEL" in call.command.variables:
            return True
        crate = build.crates[number]
        return crate is not None and crate.profile("dev").get("opt-level", 0) not in (0, "0")

    @staticmethod
    def _lean(build: ImageBuild, number: int, call: CargoCall) -> bool:
        """Whether somebody left the debug information out of the dev profile, or may have."""
        if call.stripped in (STRIPPED_ALL, STRIPPED_DEBUGINFO) or "debuginfo=0" in (call.flags or ""):
            return True
        value, crate = call.command.variables.get("CARGO_PROFILE_DEV_DEBUG"), build.crates[number]
        if value is not None:
            return value.text in (None, "0", "none", "false") or "*" in (value.text or "")
        return crate is not None and crate.profile("dev").get("debug", 2) in (0, "none")

    INVALID = (
        Invalid(DEBUG, line=4, fixed=RELEASE),
        Invalid(DEBUG, line=4, fixed=RELEASE, files=FILES),
        Invalid(
            DEBUG.replace("cargo build", "cargo install --debug --path .").replace(
                "/app/target/debug", "/usr/local/cargo/bin"
            ),
            line=4,
        ),
        Invalid(DEBUG.replace("build\n", "build --profile dev\n"), line=4),
        Invalid(FLAGS, line=5),
    )
    VALID = (
        Valid(near=0, text=DEBUG.replace("cargo build", "cargo build --release").replace("debug", "release")),
        Valid(near=0, text=DEBUG.replace("cargo build", "cargo b -r").replace("debug", "release")),
        Valid(near=0, text=DEBUG.replace("cargo build", "cargo build --profile dist").replace("debug", "dist")),
        Valid(near=4, text=FLAGS.replace("target/debug", "target/*")),
        Valid(near=4, text=FLAGS.replace("$FLAGS", "--profile ${FLAGS:-dev}").replace("target/debug", "target/*")),
        Valid(near=4, text=FLAGS.replace("FLAGS\n", 'FLAGS="--profile dist"\n', 1)),
        Valid(near=0, text=DEBUG.replace("cargo build", "if $FAST; then cargo build; else cargo build --release; fi")),
        Valid(near=0, text=DEBUG.replace("COPY . .", "ENV CARGO_PROFILE_DEV_OPT_LEVEL=3\nCOPY . .")),
        Valid(near=0, text=DEBUG.replace("static-debian13", "static-debian13 AS dev")),
        Valid(near=1, text=DEBUG, files={**FILES, "Cargo.toml": MANIFEST + "[profile.dev]\nopt-level = 2\n"}),
        Valid(
            near=2,
            text=DEBUG.replace("cargo build", "cargo install --path .").replace(
                "/app/target/debug", "/usr/local/cargo/bin"
            ),
        ),
    )

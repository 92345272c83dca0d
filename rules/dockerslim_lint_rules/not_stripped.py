"""DSL201."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.edit import Withheld
from dockerslim_lint.facts.model import GNU_DYNAMIC, MUSL_STATIC, STRIPPED_DEBUGINFO, STRIPPED_NO
from dockerslim_lint.rule import Finding, Fixes, ImageBuild, Invalid, Label, Plan, Rule, Severity, Valid

MANIFEST = '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n'
DEBUG_ONLY = '[profile.release]\nstrip = "debuginfo"\n'
OF_THE_PACKAGE = "[profile.release.package.app]\nstrip = true\n"
FILES = {"Cargo.toml": MANIFEST, "Cargo.lock": "version = 4\n", "src/main.rs": "fn main() {}\n"}

LOCK = """\
version = 4

[[package]]
name = "app"
version = "0.1.0"
dependencies = ["sentry"]

[[package]]
name = "sentry"
version = "0.48.0"
source = "registry+https://github.com/rust-lang/crates.io-index"
"""
SENTRY = {**FILES, "Cargo.toml": f'{MANIFEST}[dependencies]\nsentry = "0.48"\n', "Cargo.lock": LOCK}

DISTROLESS = """\
FROM rust:1-alpine AS builder
WORKDIR /app
COPY . .
RUN cargo build --release
FROM gcr.io/distroless/static-debian13
COPY --from=builder /app/target/release/app /usr/local/bin/app
CMD ["app"]
"""

OPEN = DISTROLESS.replace("COPY . .", "ARG OPTION=--release\nCOPY . .").replace("build --release", "build ${OPTION}")

DEBUGINFO = '[profile.release]\nstrip = "debuginfo"\n'
SET = "ENV CARGO_PROFILE_RELEASE_STRIP=symbols\nCOPY . ."
GDB = "alpine:3.24\nRUN apk add --no-cache gdb"


class NotStripped(Rule):
    """The shipped program carries its symbols.

    Symbols are a tenth to a third of a Rust program, and nothing reads them while it runs, but for backtraces and
    profilers. cargo leaves them out with `strip = true` under `[profile.release]` of Cargo.toml, or with
    `CARGO_PROFILE_RELEASE_STRIP=symbols` in the environment, which is what the fix writes. Either works for every target.

    Where the manifest itself asks for a crate that reads the symbols when the program runs (sentry, pprof, color-eyre, backtrace,
    jemalloc's profiling), they stay, and only debug information goes, as cargo does by itself in a release since 1.77.

    Nothing is said of an image that is there for the symbols: its stage or file is named `debug` or `profiling`, or it installs a
    debugger or profiler. Nor of one to work in (see DSL202), of a build that asks for debug information or is meant as a debug
    build (a build argument's default, `cargo install --debug`, `Dockerfile.dev`), or if somebody wrote that the symbols stay
    (`strip = false` or `"debuginfo"`, `-C strip=none`).

    **Fix safety.** Safe where the crate graph is known, has no user of symbols (sentry, pprof, color-eyre, backtrace …),
    and neither the file nor the sources ask for backtraces (RUST_BACKTRACE, `force_capture`); else it needs a proof. There is
    no fix for a profile like `release-lto`: cargo takes its variables for settings of `release`. Where the image is being
    slimmed anyway, the slim fix strips too.
    """

    CODE = "DSL201"
    NAME = "not-stripped"
    SEVERITY = Severity.WARNING

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        seen: set[int] = set()
        for image in build.images:
            for path, artifact in image.artifacts if not (image.symbols or image.aside) else ():
                if artifact.call is None or artifact.call in seen:
                    continue
                if artifact.stripped not in (STRIPPED_NO, STRIPPED_DEBUGINFO):
                    continue
                seen.add(artifact.call)
                call = build.calls[artifact.call]
                users = plan.symbol_users(image)
                name = path.rsplit("/", 1)[-1]
                if call.debug or call.kept or (users and plan.is_slim(artifact)):
                    continue
                if image.debugs(call):
                    continue
                stage = build.stages[image.stage]
                strip = plan.strip(image)
                fixes: Fixes = strip
                if not isinstance(strip, Withheld) and stage.image is not None and self._slimmed(build, image.stage):
                    slim = plan.slim(image)
                    fixes = strip if isinstance(slim, Withheld) else (*slim, *strip)
                labels = (Label(stage.word.span, "ships it with its symbols"),) if stage.word is not None else ()
                what = "symbols, a tenth to a third of its size"
                if call.profile == "dev":
                    what = "symbols and debug information, more than half of its size"
                if users:
                    what = f"debug information; its symbols stay, for {', '.join(users)}"
                yield self.finding(
                    f"{name} is shipped with its {what}.",
                    call.command.span,
                    note="nothing strips what this builds",
                    labels=labels,
                    fixes=fixes,
                )

    @staticmethod
    def _slimmed(build: ImageBuild, number: int) -> bool:
        """Whether another rule asks for the slim decision of this image."""
        base = build.stages[number].image
        image = next(image for image in build.images if image.stage == number)
        links = {artifact.link for _, artifact in image.artifacts}
        if base is None or GNU_DYNAMIC not in links:
            return base is not None and base.fat and links == {MUSL_STATIC}
        return base.fat or base.libc == "musl" or (base.libc == "none" and not image.inside.own_libc)

    INVALID = (
        Invalid(
            DISTROLESS,
            line=4,
            fixed=DISTROLESS.replace("RUN cargo", "RUN CARGO_PROFILE_RELEASE_STRIP=symbols cargo"),
            files=FILES,
        ),
        Invalid(
            DISTROLESS.replace("rust:1-alpine", "rust:1.75-alpine"),
            line=4,
            fixed=DISTROLESS.replace("rust:1-alpine", "rust:1.75-alpine").replace(
                "RUN cargo", "RUN CARGO_PROFILE_RELEASE_STRIP=debuginfo cargo"
            ),
            files=SENTRY,
        ),
        Invalid(OPEN, line=5, fixed=OPEN.replace("RUN ", "RUN CARGO_PROFILE_RELEASE_STRIP=symbols "), files=FILES),
    )

    VALID = (
        Valid(near=0, text=DISTROLESS, files={**FILES, "Cargo.toml": MANIFEST + "[profile.release]\nstrip = true\n"}),
        Valid(near=0, text=DISTROLESS.replace("--release\n", "--release && strip target/release/app\n"), files=FILES),
        Valid(near=0, text=DISTROLESS.replace("COPY . .", SET), files=FILES),
        Valid(near=0, text=DISTROLESS, files={**FILES, "Cargo.toml": MANIFEST + "[profile.release]\nstrip = false\n"}),
        Valid(near=0, text=DISTROLESS, files={**FILES, "Cargo.toml": MANIFEST + DEBUG_ONLY}),
        Valid(near=0, text=DISTROLESS, files={**FILES, "Cargo.toml": MANIFEST + OF_THE_PACKAGE}),
        Valid(near=0, text=DISTROLESS, files={**FILES, ".cargo/config.toml": "[profile.release]\nstrip = true\n"}),
        Valid(near=0, text=DISTROLESS),
        Valid(near=0, text=DISTROLESS, files=SENTRY),
        Valid(near=0, text=DISTROLESS.replace("static-debian13", "static-debian13 AS debug"), files=FILES),
        Valid(near=2, text=OPEN.replace("=--release", "=").replace("target/release", "target/debug"), files=FILES),
        Valid(near=0, text=DISTROLESS.replace("gcr.io/distroless/static-debian13", GDB), files=FILES),
    )

"""DSL308."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.facts.model import Absent
from dockerslim_lint.rule import Finding, Fixes, ImageBuild, Invalid, Label, Plan, Rule, Severity, Valid

FILES = {
    "Cargo.toml": '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n',
    "src/main.rs": "fn main() {}\n",
}

ROOT = """\
FROM rust:1-alpine AS builder
COPY . .
RUN cargo build --release
FROM alpine:3.24
COPY --from=builder /app/target/release/app /usr/local/bin/app
CMD ["app"]
"""
TARGET = """\
FROM rust:1-alpine AS builder
WORKDIR /app
COPY . .
RUN cargo build --release --target x86_64-unknown-linux-musl
FROM scratch
COPY --from=builder /app/target/release/app /app
CMD ["/app"]
"""
INSTALLED = TARGET.replace("build --release", "install --path .").replace(
    "/app/target/release/app", "/usr/local/cargo/bin/server"
)
TRIPLE = "x86_64-unknown-linux-musl"
OTHER = TARGET.replace("app/target/release/app", f"app/target/{TRIPLE}/release/server")
LOCKED = {**FILES, "Cargo.lock": "version = 4\n"}
WANTS = 'autobins = false\n[[bin]]\nname = "server"\npath = "src/main.rs"\nrequired-features = ["cli"]\n[features]\ncli = []\n'
FEATURE = {**LOCKED, "Cargo.toml": FILES["Cargo.toml"] + WANTS}
MINE = {**LOCKED, "Cargo.toml": FILES["Cargo.toml"].replace('"app"', '"my_app"')}


class MissingArtifact(Rule):
    """A COPY takes the program from where cargo does not put it: the build stops with "not found".

    cargo writes into `target/<profile>` of the workspace, seen from the WORKDIR in which it runs, and into
    `target/<target>/<profile>` where a target is named. A builder without WORKDIR works in `/`; `cargo build` without
    `--release` writes `target/debug`. A program is called like its package, dashes and all, unless `[[bin]]` or a file in
    `src/bin` names it: what no package of the context makes is not found either. Nor is what the call leaves out: packages not in
    `-p`, in `--exclude`, not in `default-members` (or beside the root package), programs whose `required-features` nobody asks for.

    It is said only where the crate and the base are known, each call has a place of its own, and nothing else may put a
    file there: no script, no copy, no mount, nothing of the context.

    **Fix safety.** Needs a proof, which has the new image alone to look at, as the file as it is cannot be built: the
    path of the program is written. If the name is wrong, it is mended only where dashes are all that differs.
    """

    CODE = "DSL308"
    NAME = "missing-artifact"
    SEVERITY = Severity.ERROR

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        for found in build.absent:
            writes = f"writes {found.place}" if found.place else f"makes {', '.join(found.made)}"
            yield self.finding(
                f"{found.path} is not there: {found.why or f'cargo {writes}'}. The build stops here.",
                found.span,
                note="not found",
                labels=(Label(build.calls[found.call].command.span, "leaves it out" if found.why else writes),),
                fixes=self._from_its_place(build, plan, found),
            )

    @staticmethod
    def _from_its_place(build: ImageBuild, plan: Plan, found: Absent) -> Fixes:
        from dockerslim_lint.plan.blocks.copy_out import copy_from_place

        return plan.alone(
            f"copy-from:{found.span.start}",
            "copy the program from where it is",
            lambda: copy_from_place(build, found),
            lambda after: len(after.absent) < len(build.absent),
            repairs="build",
        )

    INVALID = (
        Invalid(ROOT, line=5, fixed=ROOT.replace("/app/target", "/target"), files=FILES),
        Invalid(TARGET, line=6, fixed=TARGET.replace("app/target", f"app/target/{TRIPLE}"), files=FILES),
        Invalid(
            ROOT.replace(" --release", "").replace("/app/target", "/target"),
            line=5,
            fixed=ROOT.replace(" --release", "").replace("/app/target/release", "/target/debug"),
            files=FILES,
        ),
        Invalid(
            TARGET.replace(f"--target {TRIPLE}", "").replace("app/target", f"app/target/{TRIPLE}"),
            line=6,
            fixed=TARGET.replace(f"--target {TRIPLE}", ""),
            files=FILES,
        ),
        Invalid(OTHER, line=6, files=LOCKED),
        Invalid(
            OTHER.replace("/server /app", "/my-app /app"),
            line=6,
            fixed=OTHER.replace("/server /app", "/my_app /app"),
            files=MINE,
        ),
        Invalid(INSTALLED, line=6, files=LOCKED),
        Invalid(OTHER, line=6, files=FEATURE),
        Invalid(OTHER.replace("/server /app", "/app /app"), line=6, files=FEATURE),
    )
    VALID = (
        Valid(near=0, text=ROOT),
        Valid(near=0, text=ROOT.replace("/app/target", "/target"), files=FILES),
        Valid(near=0, text=ROOT.replace("COPY . .", "WORKDIR /app\nCOPY . ."), files=FILES),
        Valid(near=0, text=ROOT, files={**FILES, "app/target/release/app": "an old one"}),
        Valid(near=0, text=ROOT, files={**FILES, ".cargo/config.toml": '[build]\ntarget-dir = "/app/target"\n'}),
        Valid(near=0, text=ROOT.replace("rust:1-alpine", "example.com/rust:1"), files=FILES),
        Valid(near=0, text=ROOT.replace("rust:1-alpine", "$BASE"), files=FILES),
        Valid(near=0, text=ROOT.replace("COPY . .", "ENV CARGO_TARGET_DIR=/app/target\nCOPY . ."), files=FILES),
        Valid(near=0, text=ROOT.replace("--release\n", "--release --target-dir /app/target\n"), files=FILES),
        Valid(near=0, text=ROOT.replace("--release\n", "--release && cp -r /target /app/target\n"), files=FILES),
        Valid(near=0, text=ROOT.replace("--release\n", "--release && ln -s / /app\n"), files=FILES),
        Valid(near=0, text=ROOT.replace("--release\n", "--release && mv target app/\n"), files=FILES),
        Valid(near=0, text=ROOT.replace("--release\n", "--release && ./collect.sh\n"), files=FILES),
        Valid(near=0, text=ROOT.replace("RUN cargo", "RUN --mount=type=cache,target=/app/target cargo"), files=FILES),
        Valid(near=0, text=ROOT.replace("COPY . .", "COPY . .\nCOPY --from=tool /app /app"), files=FILES),
        Valid(near=0, text=ROOT.replace("RUN cargo", "RUN cd $DIR && cargo"), files=FILES),
        Valid(near=0, text=ROOT.replace("RUN cargo", "RUN test -d x || cargo"), files=FILES),
        Valid(near=0, text=ROOT.replace("release/app", "release/*"), files=FILES),
        Valid(near=4, text=OTHER, files=FILES),
        Valid(near=4, text=OTHER, files={**LOCKED, "src/bin/server.rs": "fn main() {}\n"}),
        Valid(near=7, text=OTHER.replace("--release", "--release --features cli"), files=FEATURE),
        Valid(near=7, text=OTHER, files={**LOCKED, "Cargo.toml": FEATURE["Cargo.toml"] + "default = ['cli']\n"}),
        Valid(near=7, text=OTHER, files={**FEATURE, "build.rs": 'fn main() { std::fs::copy("a", "b").unwrap(); }\n'}),
        Valid(near=4, text=OTHER.replace("RUN cargo", "RUN sed -i s/app/server/ Cargo.toml && cargo"), files=LOCKED),
        Valid(near=0, text=ROOT.replace("RUN cargo build", "RUN cargo run --release; cargo build"), files=FILES),
        Valid(
            near=0,
            text=ROOT.replace("rust:1-alpine", "ekidd/rust-musl-builder")
            .replace("/app/t", "/home/rust/src/t")
            .replace("target/", f"target/{TRIPLE}/"),
            files=FILES,
        ),
        Valid(near=1, text=TARGET.replace("app/target", f"app/target/{TRIPLE}"), files=FILES),
        Valid(near=1, text=TARGET.replace("app/target", "app/target/*"), files=FILES),
        Valid(near=1, text=TARGET.replace("--target", "--target $T --target"), files=FILES),
        Valid(near=1, text=TARGET.replace(f"{TRIPLE}\n", f"{TRIPLE} && mv target/*/release target\n"), files=FILES),
        Valid(near=1, text=TARGET.replace("RUN cargo", "RUN cargo build --release\nRUN cargo"), files=FILES),
    )

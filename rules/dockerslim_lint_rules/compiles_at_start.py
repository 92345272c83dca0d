"""DSL410."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.facts.model import CargoAtStart
from dockerslim_lint.rule import Finding, Fixes, ImageBuild, Invalid, Label, Plan, Rule, Severity, Valid

FILES = {
    "Cargo.toml": '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n',
    "src/main.rs": "fn main() {}\n",
}

RUN = """\
FROM rust:1
WORKDIR /app
COPY . .
CMD ["cargo", "run", "--release"]
"""
BUILT = RUN.replace("CMD", "RUN cargo build --release\nCMD")
FIXED = BUILT.replace('["cargo", "run", "--release"]', '["/app/target/release/app"]')
STARTED = BUILT.replace('["cargo", "run", "--release"]', '["./target/release/app"]')
SERVED = RUN.replace("WORKDIR", "RUN cargo install trunk\nWORKDIR").replace(
    '"cargo", "run", "--release"', '"trunk", "serve"'
)

SCRIPT = {**FILES, "start.sh": "#!/bin/sh\nset -e\ncargo build --release\nexec ./target/release/app\n"}
BY_SCRIPT = RUN.replace('"cargo", "run", "--release"', '"./start.sh"')

COST = "cargo run also sets CARGO_MANIFEST_DIR and its relatives for the program"


class CompilesAtStart(Rule):
    """`cargo run` is what the container starts, or a `cargo build` before the program: by itself or in a start script.

    It compiles the program, and downloads its dependencies, each time that a container is made: minutes before the service
    answers, and no start at all without a network. Without `--release` it is a debug build too.

    Where a RUN has compiled the same before, `cargo run` compiles nothing more, but looks at every source first; the
    image has to keep the toolchain, the sources and `target/`. Start the program itself, and it can ship without them. Where
    that is a toolchain's own image, this is an error, as in DSL202.

    Front-end tools compile when they are started too: `trunk serve`, `dx serve`, `cargo leptos serve` are for the one who
    writes the code. `trunk build` makes files for any web server; `cargo leptos build` a program and a directory.

    Nothing is said of an image to work in: one whose stage or file is named for development, one that starts `cargo test`
    or `cargo watch`, one beside the last stage, one that has no sources until somebody mounts them.

    **Fix safety.** Needs a proof: a RUN compiles it for release where none has, and CMD or ENTRYPOINT names the program. The
    toolchain and the sources are still there then: DSL101's fix takes them out. None for scripts and front-end tools.
    """

    CODE = "DSL410"
    NAME = "compiles-at-start"
    SEVERITY = Severity.WARNING

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        for found in build.cargo_at_start:
            number = found.same if found.same is not None else found.other
            labels = []
            if number is not None:
                profile = build.calls[number].profile or "another"
                said = "has compiled it" if found.same is not None else f"compiles for the {profile} profile"
                labels.append(Label(build.calls[number].command.span, said))
            stage = next(stage for stage in build.stages if found.instruction in stage.instructions)
            ships = stage.image is not None and stage.image.toolchain and not found.server
            text = self._message(found) + (f" {stage.base_reference} is shipped for that." if ships else "")
            note, severity = self._advice(found), Severity.ERROR if ships else None
            fixes = self._program(build, plan, found)
            yield self.finding(text, found.span, note=note, labels=tuple(labels), fixes=fixes, severity=severity)

    @staticmethod
    def _program(build: ImageBuild, plan: Plan, found: CargoAtStart) -> Fixes:
        from dockerslim_lint.plan.blocks.builder_steps import without_assertions
        from dockerslim_lint.plan.blocks.start_program import start_program

        return plan.alone(
            f"start:{found.instruction}",
            CompilesAtStart._advice(found),
            lambda: start_program(build, found),
            lambda after: not after.cargo_at_start and any(found.program in one.launch.runs for one in after.images),
            "; ".join((COST, *(without_assertions(found.crate) if found.profile == "dev" else ()))),
            repairs="program",
        )

    @staticmethod
    def _advice(found: CargoAtStart) -> str:
        if found.server:
            return "build it in a RUN, serve what that makes"
        return "start the program itself" if found.same is not None else "compile it in a RUN, start the program"

    @staticmethod
    def _message(found: CargoAtStart) -> str:
        name = (found.server or f"cargo {found.subcommand}") + (f" in {found.script}" if found.script else "")
        if found.same is not None:
            does = "starts" if found.subcommand == "run" else "looks again at"
            return f"{name} {does} what a step has compiled: toolchain, sources and target/ stay for nothing."
        if found.server:
            return f"{name} compiles the application each time that a container is made."
        what = "a debug build" if found.profile == "dev" else "the program"
        again = ", although a step has compiled it otherwise" if found.other is not None else ""
        return f"{name} compiles {what} each time that a container is made{again}."

    INVALID = (
        Invalid(RUN, line=4, files=FILES, fixed=FIXED),
        Invalid(RUN.replace('["cargo", "run", "--release"]', "cargo run"), line=4, files=FILES, fixed=FIXED),
        Invalid(
            RUN.replace("CMD", "ENTRYPOINT").replace('"]', '", "--"]\nCMD ["-v"]'),
            line=4,
            files=FILES,
            fixed=FIXED.replace("CMD", "ENTRYPOINT") + 'CMD ["-v"]\n',
        ),
        Invalid(RUN.replace('["cargo", "run", "--release"]', '["sh", "-c", "cargo run -r"]'), line=4, files=FILES),
        Invalid(BUILT, line=5, files=FILES, fixed=FIXED),
        Invalid(BUILT.replace(', "--release"', ""), line=5, files=FILES, fixed=FIXED),
        Invalid(BUILT.replace('"run"', '"run", "--bin", "b"').replace("build", "build --bin a"), line=5, files=FILES),
        Invalid(RUN.replace('["cargo", "run", "--release"]', "cargo build && ./target/debug/app"), line=4, files=FILES),
        Invalid(BY_SCRIPT, line=4, files=SCRIPT),
        Invalid(SERVED, line=5, files=FILES),
        Invalid(SERVED.replace('"trunk"', '"cargo", "leptos"'), line=5, files=FILES),
        Invalid(BUILT.replace("RUN cargo", "RUN --mount=type=cache,target=/app/target cargo"), line=5, files=FILES),
        Invalid(BUILT.replace(" --release\n", "\n"), line=5, files=FILES, fixed=FIXED),
    )
    VALID = (
        Valid(near=0, text=RUN.replace('"run", "--release"', '"test"'), files=FILES),
        Valid(near=0, text=RUN.replace('"run", "--release"', '"watch", "-x", "run"'), files=FILES),
        Valid(near=0, text=RUN.replace("rust:1", "rust:1 AS dev"), files=FILES),
        Valid(near=0, text=RUN.replace("CMD", "RUN") + 'CMD ["bash"]\n', files=FILES),
        Valid(near=0, text=RUN + 'FROM debian:bookworm-slim\nCMD ["true"]\n', files=FILES),
        Valid(near=1, text=RUN.replace('["cargo", "run", "--release"]', "cargo test && cargo run"), files=FILES),
        Valid(near=1, text=RUN.replace('["cargo", "run", "--release"]', "cargo-run"), files=FILES),
        Valid(near=1, text=RUN.replace('["cargo", "run", "--release"]', "echo cargo run"), files=FILES),
        Valid(near=3, text=RUN.replace('["cargo", "run", "--release"]', '["sh", "-c", "cargo bench"]'), files=FILES),
        Valid(near=0, text=RUN.replace("COPY . .\n", ""), files=FILES),
        Valid(near=0, text=RUN.replace("COPY . .", "COPY Cargo.toml Cargo.lock ./"), files=FILES),
        Valid(near=0, text=RUN.replace("CMD", "VOLUME /app\nCMD"), files=FILES),
        Valid(near=0, text=RUN.replace('"cargo"', '"./cargo"'), files=FILES),
        Valid(near=1, text=RUN.replace('["cargo", "run", "--release"]', "test -f a || cargo run"), files=FILES),
        Valid(near=8, text=BY_SCRIPT, files={**SCRIPT, "start.sh": "#!/bin/sh\n[ -z $A ] || cargo run\n"}),
        Valid(near=8, text=BY_SCRIPT, files={**SCRIPT, "start.sh": "#!/bin/sh\nexec ./app\n"}),
        Valid(near=9, text=SERVED.replace('"serve"', '"watch"'), files=FILES),
        Valid(near=9, text=SERVED.replace('"trunk"', '"app"'), files=FILES),
        Valid(near=9, text=SERVED.replace("COPY . .\n", ""), files=FILES),
        Valid(near=9, text=SERVED.replace('["trunk", "serve"]', "cargo test && trunk serve"), files=FILES),
        Valid(near=10, text=SERVED.replace('"trunk", "serve"', '"cargo", "leptos", "watch"'), files=FILES),
        Valid(near=4, text=STARTED.replace("FROM rust:1\n", "FROM example.com/base:1\n"), files=FILES),
    )

"""DSL203."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.facts.model import FinalImage, Transfer
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

STALE = WHOLE.replace("RUN", "RUN rm -f target/release/deps/server*;")
ANY = WHOLE.replace("/src/target", "/src/t*")
EACH = WHOLE.replace("release /app", "release/* /app/")
TOOLS = WHOLE.replace("build --release", "install --path .").replace("/app/server", "server")
TOOLS = TOOLS.replace("/src/target/release /app", "/usr/local/cargo/bin/ /usr/local/bin/")
TOOL = TOOLS.replace("/bin/ ", "/bin/server ").replace("/bin/\n", "/bin/server\n")
FILES = {
    "Cargo.toml": '[package]\nname = "server"\nversion = "0.1.0"\nedition = "2021"\n[profile.release]\nstrip = true\n',
    "src/main.rs": "fn main() {}\n",
}
NAMED = EACH.replace("release/*", "release/$A")


class TargetDirectoryShipped(Rule):
    """cargo's whole output directory is copied into the image.

    Beside the program, `target/` holds every dependency's objects and libraries, build scripts and fingerprints: many
    times its size, and nothing of it is read at start. It comes in by a COPY of `target/`, of a profile's directory in it
    (`release/*` is no less), or of the project's. So do cargo and rustup with `bin/` of CARGO_HOME. Copy the program alone.

    **Fix safety.** Needs a proof: the programs that the image starts are copied alone, to where they were. None for the
    project's directory, or where nothing in it is started: which files are needed then, only you know.
    """

    CODE = "DSL203"
    NAME = "target-directory-shipped"
    SEVERITY = Severity.WARNING

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        seen: set[int] = set()
        for image in build.images:
            yield from self._with_cargo(build, plan, image)
            for output in image.outputs:
                transfer = output.transfer
                if transfer.instruction in seen:
                    continue
                seen.add(transfer.instruction)
                text = f"{output.source} is copied with all that cargo keeps there: objects, libraries, build scripts."
                yield self._copied(text, "builds into it", build, plan, image, transfer, output.call)

    def _with_cargo(self, build: ImageBuild, plan: Plan, image: FinalImage) -> Iterator[Finding]:
        """The directory in which `cargo install` puts programs is where cargo itself is."""
        made = {artifact.call for _, artifact in image.artifacts if artifact.call is not None}
        installs = [number for number in sorted(made) if build.calls[number].kind == "install"]
        for transfer in image.transfers:
            for number in installs:
                call = build.calls[number]
                builder = build.stages[call.command.stage]
                home = builder.image.cargo_home if builder.image is not None and builder.image.toolchain else ""
                if transfer.origin_stage != builder.number or not home or call.output != f"{home}/bin":
                    continue
                words = {word.literal for word in build.instructions[transfer.instruction].words}
                each = f"{call.output}/*" in words
                if each or any(source.rstrip("/") in (home, call.output) for source in transfer.sources):
                    text = f"{transfer.sources[0]} is copied with cargo, rustup and all other tools that are there."
                    yield self._copied(text, "installs into it", build, plan, image, transfer, number)
                    break

    def _copied(
        self, text: str, label: str, build: ImageBuild, plan: Plan, image: FinalImage, transfer: Transfer, number: int
    ) -> Finding:
        from dockerslim_lint.plan.blocks.one_program import copy_programs_only, put_beside

        call, place = build.calls[number], build.images.index(image)
        return self.finding(
            text,
            build.instructions[transfer.instruction].body_span,
            note="the program alone is needed" if put_beside(build, transfer, call) is None else "",
            labels=(Label(call.command.span, label),),
            fixes=plan.alone(
                f"programs:{transfer.instruction}",
                "copy only what the image starts",
                lambda: copy_programs_only(build, image, transfer, number),
                lambda after: after.images[place].launch == image.launch,
                place=place,
                smaller=True,
            ),
        )

    INVALID = (
        Invalid(TOOLS, line=6, fixed=TOOL, files=FILES),
        Invalid(WHOLE, line=6, fixed=WHOLE.replace("release /app", "release/server /app/server")),
        Invalid(
            WHOLE.replace("/src/target/release /app", "/src/target/ ./t/").replace("/app/", "/t/release/"),
            line=6,
            fixed=WHOLE.replace("/src/target/release /app", "/src/target/release/server ./t/release/server").replace(
                "/app/", "/t/release/"
            ),
        ),
        Invalid(
            WHOLE.replace("/src/target/release /app", "/src /src").replace("/app/", "/src/target/release/"),
            line=6,
        ),
        Invalid(EACH, line=6, fixed=EACH.replace("/* /app/", "/server /app/server"), files=FILES),
        Invalid(STALE, line=6, fixed=STALE.replace("release /app", "release/server /app/server")),
        Invalid(WHOLE.replace("FROM g", "COPY assets/ target/release/assets/\nFROM g"), line=7),
        Invalid(WHOLE.replace("FROM g", "RUN cp -r assets target/release/\nFROM g"), line=7),
        Invalid(ANY, line=6, fixed=ANY.replace("release /app", "release/server /app/server")),
    )
    VALID = (
        Valid(near=4, text=EACH.replace("/* /app/", "/s* /app/"), files=FILES),
        Valid(near=4, text=EACH.replace("--release", "--release && rm -r target/release/deps"), files=FILES),
        Valid(near=4, text=EACH.replace("/src/target/release/*", "/src/assets/*"), files=FILES),
        Valid(near=4, text=NAMED.replace("COPY --f", "ARG A\nCOPY --f"), files=FILES),
        Valid(near=4, text=NAMED.replace("COPY --f", "ARG A=\nCOPY --f"), files=FILES),
        Valid(near=0, text=TOOLS.replace("/bin/ ", "/bin/server "), files=FILES),
        Valid(
            near=0,
            text=TOOLS.replace("--path .", "--path . --root /out").replace("/usr/local/cargo/bin/", "/out/bin/"),
            files=FILES,
        ),
        Valid(near=1, text=WHOLE.replace("release /app", "release/server /app/server")),
        Valid(
            near=1,
            text=WHOLE.replace("FROM g", "WORKDIR /src/target/release\nRUN rm -rf ./build && rm -rf ./deps\nFROM g"),
        ),
        Valid(near=1, text=WHOLE.replace("release /app", "release/server* /app/")),
        Valid(
            near=1,
            text=WHOLE.replace("--release", "--release && mv target/release/server /out/").replace(
                "/src/target/release /app", "/out /app"
            ),
        ),
        Valid(near=1, text=WHOLE.replace("cargo build --release", "cargo install --path . --root /src/target/release")),
        Valid(
            near=3,
            text=WHOLE.replace("--release", "--release && mv target/release/server . && rm -rf target")
            .replace("/src/target/release /app", "/src /src")
            .replace("/app/", "/src/target/release/"),
        ),
    )

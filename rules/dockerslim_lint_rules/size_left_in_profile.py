"""DSL207."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.facts.model import CargoCall
from dockerslim_lint.rule import Finding, ImageBuild, Invalid, Plan, Rule, Severity, Valid

MANY = 20
"""A program of fewer locked packages is small as it is."""

SETTINGS = ("lto", "codegen-units", "opt-level", "panic")
"""Who has set one of these has thought of it."""

MANIFEST = '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n'
LOCK = "version = 4\n" + "".join(f'[[package]]\nname = "p{at}"\nversion = "1.0.0"\n' for at in range(MANY + 1))
FILES = {"Cargo.toml": MANIFEST, "Cargo.lock": LOCK, "src/main.rs": "fn main() {}\n"}

PLAIN = """\
FROM rust:1-alpine AS builder
WORKDIR /app
COPY . .
RUN cargo build --release
FROM gcr.io/distroless/static-debian13
COPY --from=builder /app/target/release/app /app
CMD ["/app"]
"""


class SizeLeftInProfile(Rule):
    """The release profile has its defaults, which are chosen for the time of the build.

    With `lto = "fat"` and `codegen-units = 1` under `[profile.release]` the linker sees the whole program and leaves out
    what nobody calls. A program of clap, regex and serde_json (33 locked packages, stripped, cargo 1.95 on amd64) went from
    2.66 MB to 2.17 MB: 19 % less. Yours may gain more or less. The build takes longer. `opt-level = "z"` and `panic = "abort"`
    may save more, but they change how fast the program is and what happens after a panic: not advised here.

    Nothing is said where the manifest or the lock is not known, where one of these settings is there, and of a program of
    few packages.

    **Fix safety.** There is no fix: it is advice for Cargo.toml.
    """

    CODE = "DSL207"
    NAME = "size-left-in-profile"
    SEVERITY = Severity.INFO

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        seen: set[int] = set()
        for image in build.images:
            for path, artifact in image.artifacts:
                number = artifact.call
                if number is None or number in seen:
                    continue
                seen.add(number)
                call, crate = build.calls[number], build.crates[number]
                if crate is None or call.profile in (None, "dev") or call.source != "context":
                    continue
                if crate.packages is None or len(crate.packages) <= MANY:
                    continue
                if set(SETTINGS) & set(crate.profile(call.profile or "")) or self._steered(call):
                    continue
                yield self.finding(
                    f"{path.rsplit('/', 1)[-1]} is built of {len(crate.packages)} packages without link-time optimisation.",
                    call.command.span,
                    note=f'lto = "fat" and codegen-units = 1 under [profile.{call.profile}] made a program of ours a fifth smaller',
                )

    @staticmethod
    def _steered(call: CargoCall) -> bool:
        prefix = f"CARGO_PROFILE_{(call.profile or '').upper().replace('-', '_')}_"
        names = {prefix + setting.upper().replace("-", "_") for setting in SETTINGS}
        return bool(names & set(call.command.variables)) or "RUSTFLAGS" in call.command.variables

    INVALID = (Invalid(PLAIN, line=4, files=FILES),)
    VALID = (
        Valid(near=0, text=PLAIN, files={**FILES, "Cargo.toml": MANIFEST + "[profile.release]\nlto = true\n"}),
        Valid(near=0, text=PLAIN, files={**FILES, "Cargo.toml": MANIFEST + "[profile.release]\nlto = false\n"}),
        Valid(near=0, text=PLAIN, files={**FILES, "Cargo.toml": MANIFEST + '[profile.release]\npanic = "abort"\n'}),
        Valid(near=0, text=PLAIN, files={**FILES, ".cargo/config.toml": "[profile.release]\nlto = true\n"}),
        Valid(near=0, text=PLAIN.replace("COPY . .", "ENV CARGO_PROFILE_RELEASE_LTO=thin\nCOPY . ."), files=FILES),
        Valid(near=0, text=PLAIN, files={**FILES, "Cargo.lock": "version = 4\n"}),
        Valid(near=0, text=PLAIN, files={"Cargo.toml": MANIFEST, "src/main.rs": "fn main() {}\n"}),
        Valid(near=0, text=PLAIN.replace("--release", "").replace("release/", "debug/"), files=FILES),
        Valid(near=0, text=PLAIN),
    )

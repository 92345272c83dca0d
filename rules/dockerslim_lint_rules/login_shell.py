"""DSL311."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.edit import Fix, Safety, Withheld
from dockerslim_lint.facts.model import LoginShell
from dockerslim_lint.finding import Label
from dockerslim_lint.rule import Finding, Fixes, ImageBuild, Invalid, Plan, Rule, Severity, Valid

COMMAND = """\
FROM rust:1-bookworm AS build
WORKDIR /app
COPY . .
RUN bash -lc "cargo build --release"
"""
SHELL = COMMAND.replace('bash -lc "cargo build --release"', "cargo build --release").replace(
    "WORKDIR", 'SHELL ["/bin/bash", "-o", "pipefail", "-lc"]\nWORKDIR'
)
APART = SHELL.replace('"-lc"', '"--login", "-c"')
EXEC = COMMAND.replace('bash -lc "cargo build --release"', '["sh", "-lc", "cargo build --release"]')
TWO = COMMAND.replace('bash -lc "cargo', 'bash --login -c "rustup target add wasm32-wasip1 && cargo')


class LoginShellHidesToolchain(Rule):
    """cargo is called in a login shell, which does not find it.

    `bash -lc` (`--login -c`, `sh -lc`, `SHELL ["/bin/bash", "-lc"]`) reads /etc/profile first, and Debian's sets PATH anew. The
    `rust` images name `/usr/local/cargo/bin` in `ENV PATH` alone, so the step ends with `cargo: command not found`. A plain shell
    (`bash -c`) keeps the PATH that it is given.

    A toolchain that rustup installs in a step is found: rustup-init writes its directory into the user's profile. Nothing is
    said either where a step may have changed a profile or put cargo into a directory such as /usr/local/bin, on Alpine and
    Ubuntu, whose profiles keep PATH, and where the command sets PATH itself.

    **Fix safety.** Safe: the step cannot be built as it is, and a plain shell gives it the PATH of the image.
    """

    CODE = "DSL311"
    NAME = "login-shell"
    SEVERITY = Severity.ERROR

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        for found in build.login_shells:
            base = build.stages[found.command.stage].base_reference
            yield self.finding(
                f"{found.command.name} is not found: the profile that this shell reads first sets PATH anew, without {found.directory}.",
                found.command.span,
                note=f"in {base} only ENV PATH names that directory",
                labels=(Label(found.option, "makes it a login shell"),),
                fixes=self._plain(build, found),
            )

    @staticmethod
    def _plain(build: ImageBuild, found: LoginShell) -> Fixes:
        from dockerslim_lint.plan.blocks.login_shell import without_profile
        from dockerslim_lint.plan.model import NotPossible

        key = f"login-shell:{found.option.start}"
        try:
            edits = without_profile(build, found).edits
        except NotPossible as reason:
            return Withheld(key, str(reason))
        return (Fix(key, "", Safety.SAFE, "start a plain shell, which keeps PATH", edits, repairs="build"),)

    INVALID = (
        Invalid(COMMAND, line=4, fixed=COMMAND.replace("-lc", "-c")),
        Invalid(SHELL, line=5, fixed=SHELL.replace("-lc", "-c")),
        Invalid(APART, line=5, fixed=APART.replace('"--login", ', "")),
        Invalid(EXEC, line=4, fixed=EXEC.replace("-lc", "-c")),
        Invalid(TWO, line=4, fixed=TWO.replace("--login ", "")),
    )

    VALID = (
        Valid(near=0, text=COMMAND.replace("-lc", "-c")),
        Valid(near=0, text=COMMAND.replace("bookworm AS", "alpine AS")),
        Valid(near=0, text=COMMAND.replace("rust:1-bookworm", "clux/muslrust:stable")),
        Valid(near=0, text=COMMAND.replace("rust:1-bookworm", "mcr.microsoft.com/devcontainers/rust:1")),
        Valid(near=0, text=COMMAND.replace("rust:1-bookworm", "example.com/rust:1")),
        Valid(near=0, text=COMMAND.replace("rust:1-bookworm", "debian:bookworm-slim")),
        Valid(near=0, text=COMMAND.replace("WORKDIR", "RUN curl -sSf https://sh.rustup.rs | sh -s -- -y\nWORKDIR")),
        Valid(near=0, text=COMMAND.replace("WORKDIR", "RUN rustup-init -y\nWORKDIR")),
        Valid(near=0, text=COMMAND.replace("WORKDIR", "RUN echo '. $CARGO_HOME/env' >> ~/.profile\nWORKDIR")),
        Valid(near=0, text=COMMAND.replace("WORKDIR", "COPY rust.sh /etc/profile.d/\nWORKDIR")),
        Valid(near=0, text=COMMAND.replace("WORKDIR", "RUN ln -s $CARGO_HOME/bin/* /usr/local/bin\nWORKDIR")),
        Valid(near=0, text=COMMAND.replace("WORKDIR", "RUN ./setup.sh\nWORKDIR")),
        Valid(near=0, text=COMMAND.replace("WORKDIR", "RUN apt-get install -y cargo\nWORKDIR")),
        Valid(near=0, text=COMMAND.replace("WORKDIR", "ENV HOME=/app\nWORKDIR")),
        Valid(near=0, text=COMMAND.replace("/app", "/root/app")),
        Valid(near=0, text=COMMAND.replace("cargo build", "export PATH=/usr/local/cargo/bin:/bin && cargo build")),
        Valid(near=0, text=COMMAND.replace("cargo build", ". /usr/local/cargo/env && cargo build")),
        Valid(near=0, text=COMMAND.replace("cargo build", "/usr/local/cargo/bin/cargo build")),
        Valid(near=0, text=COMMAND.replace('cargo build --release"', 'cargo build --release" || cargo build -r')),
        Valid(near=0, text=COMMAND.replace('"cargo build --release"', '"make release"')),
        Valid(near=0, text=COMMAND.replace('bash -lc "cargo build --release"', "bash -l build.sh")),
        Valid(near=1, text=SHELL.replace("-lc", "-ec")),
        Valid(near=1, text=SHELL.replace("-lc", "-ilc")),
        Valid(near=1, text=SHELL.replace("RUN cargo build --release", "RUN bash -c 'PATH=/opt cargo build'")),
        Valid(near=2, text=APART.replace('"--login", ', "")),
        Valid(near=3, text=EXEC.replace('"sh", "-lc", "', '"sh", "-c", "')),
    )

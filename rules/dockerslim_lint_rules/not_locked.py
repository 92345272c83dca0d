"""DSL501."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.edit import Edit, Fix, Safety
from dockerslim_lint.rule import Finding, ImageBuild, Invalid, Plan, Rule, Severity, Valid

FILES = {
    "Cargo.toml": '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n',
    "Cargo.lock": "version = 4\n",
    "src/main.rs": "fn main() {}\n",
}
UNLOCKED = {name: text for name, text in FILES.items() if name != "Cargo.lock"}

BUILD = """\
FROM rust:1-alpine AS build
WORKDIR /app
COPY . .
RUN cargo build --release
FROM scratch
COPY --from=build /app/target/release/app /app
CMD ["/app"]
"""
INSTALL = BUILD.replace("cargo build --release", "cargo install --path .").replace(
    "/app/target/release", "/usr/local/cargo/bin"
)


class NotLocked(Rule):
    """cargo is called without `--locked`, though the project has a Cargo.lock.

    `cargo install` does not even look at Cargo.lock without `--locked`: it takes the newest versions that fit, so that
    an image of tomorrow has other dependencies than the one that was tested. `cargo build` does use it, but when it does not fit
    Cargo.toml (somebody forgot to commit it) it picks newer versions in silence. With `--locked` the build stops instead.

    **Fix safety.** `--locked` is shown and never written: it makes a build fail whose Cargo.lock is out of date, and whether
    yours is cannot be told from here.
    """

    CODE = "DSL501"
    NAME = "not-locked"
    SEVERITY = Severity.INFO

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        shipped = {artifact.call for image in build.images for _, artifact in image.artifacts}
        for at in sorted(call for call in shipped if call is not None):
            call = build.calls[at]
            if call.source != "context" or not call.lock or call.locked is not False:
                continue
            text = "takes newer dependencies if Cargo.lock does not fit Cargo.toml"
            if call.kind == "install":
                text = "ignores Cargo.lock and takes the newest dependencies that fit"
            fixes: tuple[Fix, ...] = ()
            if call.end is not None:
                key, edit = f"locked:{call.command.instruction}", Edit(call.end, call.end, " --locked")
                cost = "a Cargo.lock that is out of date stops the build"
                fixes = (Fix(key, "", Safety.DISPLAY, "add --locked", (edit,), cost),)
            yield self.finding(f"Without --locked, cargo {call.kind} {text}.", call.command.span, fixes=fixes)

    INVALID = (Invalid(BUILD, line=4, files=FILES), Invalid(INSTALL, line=4, files=FILES))

    VALID = (
        Valid(near=0, text=BUILD.replace("--release\n", "--release --locked\n"), files=FILES),
        Valid(near=0, text=BUILD.replace("--release\n", "--release --frozen\n"), files=FILES),
        Valid(near=0, text=BUILD.replace("--release\n", "--release $FLAGS\n"), files=FILES),
        Valid(near=0, text=BUILD.replace("COPY . .", "COPY Cargo.toml ./\nCOPY src src"), files=FILES),
        Valid(near=0, text=BUILD, files=UNLOCKED),
        Valid(near=0, text=BUILD, files={**FILES, ".dockerignore": "*.lock\n"}),
        Valid(near=0, text=BUILD),
        Valid(near=1, text=INSTALL.replace("--path .", "--locked --path ."), files=FILES),
        Valid(near=1, text=INSTALL.replace("--path .", "app"), files=FILES),
    )

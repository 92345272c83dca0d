"""DSL310."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.facts.model import Refused
from dockerslim_lint.rule import Finding, ImageBuild, Invalid, Plan, Rule, Severity, Valid

MANIFEST = '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n'
OPTIONAL = '{ version = "1", optional = true }'
FILES = {"Cargo.toml": MANIFEST, "Cargo.lock": "version = 4\n", "src/main.rs": "fn main() {}\n"}
LONE = {**{name: text for name, text in FILES.items() if name != "Cargo.lock"}, ".dockerignore": "target\n"}
TOOL = {**FILES, "src/bin/tool.rs": "fn main() {}\n"}
HIDDEN = {**FILES, "Cargo.toml": f"{MANIFEST}autobins = false\n", "src/bin/server.rs": "fn main() {}\n"}
MEMBERS = {
    "Cargo.toml": '[workspace]\nmembers = ["api"]\n',
    "api/Cargo.toml": MANIFEST.replace("app", "api"),
    "api/src/main.rs": "fn main() {}\n",
}

BUILD = """\
FROM rust:1-alpine AS build
WORKDIR /app
COPY . .
RUN cargo build --release --bin server
FROM scratch
COPY --from=build /app/target/release/server /server
CMD ["/server"]
"""
PACKAGE = BUILD.replace("--bin server", "-p server").replace("release/server", "release/api")
WORKSPACE = {**MEMBERS, "Cargo.toml": MEMBERS["Cargo.toml"].replace('"api"', '"api", "tool"')}
WORKSPACE |= {"tool/Cargo.toml": MANIFEST.replace("app", "tool"), "tool/src/main.rs": "fn main() {}\n"}
PART = PACKAGE.replace("-p server", "-p api").replace("COPY . .", "COPY Cargo.toml ./\nCOPY api api")
INSTALL = BUILD.replace("build --release --bin server", "install --path .").replace("target/release/server", "bin/api")
FEATURE = BUILD.replace("--bin server", "--features cli").replace("release/server", "release/app")
PROFILE = BUILD.replace("--release --bin server", "--profile dist").replace("release/server", "dist/app")


class RefusedCall(Rule):
    """cargo is asked for what the project, or the part of it in the builder, does not have: it stops before it compiles.

    `--bin` names a program, `-p` a package, and they need not be called alike; `--profile` names one of cargo's own (`release`,
    `dev`, `test`, `bench`) or a `[profile.NAME]` of the workspace's Cargo.toml; `--features` names one that at least one of the packages
    has that the call builds. A name that was changed in Cargo.toml stays as it was in the Dockerfile, and the build ends
    with `no bin target named`, `did not match any packages` or `does not contain this feature`.

    A workspace is read whole, whatever `-p` says: where a COPY leaves out a member, cargo ends with `failed to load manifest
    for workspace member`. Its Cargo.toml and an empty source are enough for the packages that the call does not build.

    `cargo install --path` wants the directory of a package: one that only has a `[workspace]` is `a virtual manifest` to it.

    Where no COPY brings a Cargo.toml at all, cargo ends with `could not find Cargo.toml`.

    It is said only where the whole project is known and is what reaches the builder: no step before the call that may change a
    manifest or add a source, no script, nothing from another image; for a profile, no configuration file and no variable
    that may define it.

    **Fix safety.** There is no fix: which name is meant is for you to say.
    """

    CODE = "DSL310"
    NAME = "refused-call"
    SEVERITY = Severity.ERROR

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        for one in build.refused:
            span = build.calls[one.call].command.span
            if one.kind == "member":
                why = ".dockerignore leaves it out" if one.why == ".dockerignore" else "no COPY has brought it"
                text = f"cargo stops: [workspace] members names {one.name}, and {why}."
                yield self.finding(text, span, note="no manifest of a member")
            elif one.kind == "manifest":
                text = (
                    f"cargo stops: {one.name} is a workspace without a package of its own, and --path wants a package."
                )
                yield self.finding(text, span, note=f"its members: {', '.join(one.there)}" if one.there else "")
            elif one.kind == "project":
                text = f"cargo stops: no Cargo.toml is in {one.name} or above it."
                yield self.finding(text, span, note="no COPY has brought it")
            elif one.kind != "lock":
                text = f"cargo stops: there is no {one.kind} {one.name}{self._there(one)}."
                yield self.finding(text, span, note="no such name in Cargo.toml")

    @staticmethod
    def _there(one: Refused) -> str:
        if one.kind == "package":
            return " in the workspace, and none among what it depends on"
        if one.kind == "feature":
            return f" in {one.there[0]}" if len(one.there) == 1 else f" in any of {', '.join(one.there)}"
        if one.kind == "program" and one.why:
            return f" here: {one.why}"
        if one.kind == "program":
            return f"; what this builds is {', '.join(one.there)}"
        return f"; Cargo.toml defines {', '.join(one.there)}" if one.there else "; Cargo.toml defines none"

    INVALID = (
        Invalid(BUILD, line=4, files=FILES),
        Invalid(PACKAGE, line=4, files=MEMBERS),
        Invalid(PROFILE, line=4, files=FILES),
        Invalid(BUILD.replace("build --release", "install --path ."), line=4, files=FILES),
        Invalid(PART, line=5, files=WORKSPACE),
        Invalid(INSTALL, line=4, files=MEMBERS),
        Invalid(FEATURE, line=4, files=FILES),
        Invalid(BUILD, line=4, files=HIDDEN),
        Invalid(BUILD.replace("COPY . .", "COPY src src"), line=4, files=FILES),
    )

    VALID = (
        Valid(near=0, text=BUILD),
        Valid(near=0, text=BUILD, files={**FILES, "src/bin/server.rs": "fn main() {}\n"}),
        Valid(near=0, text=BUILD.replace("--bin server", "--bin tool"), files=TOOL),
        Valid(near=0, text=BUILD.replace("--bin server", "--bin $NAME"), files=FILES),
        Valid(near=0, text=BUILD.replace("--bin server", '--bin "a*"'), files=FILES),
        Valid(
            near=0, text=BUILD.replace("RUN cargo", "RUN echo 'fn main(){}' > src/bin/server.rs && cargo"), files=FILES
        ),
        Valid(near=0, text=BUILD.replace("RUN cargo", "RUN sed -i s/app/server/ Cargo.toml && cargo"), files=FILES),
        Valid(near=0, text=BUILD.replace("RUN cargo", "RUN ./configure && cargo"), files=FILES),
        Valid(near=0, text=BUILD.replace("RUN cargo", "RUN test -d x && cargo build || cargo"), files=FILES),
        Valid(near=0, text=BUILD.replace("COPY . .", "COPY . .\nCOPY --from=more /src src"), files=FILES),
        Valid(near=0, text=BUILD.replace("rust:1-alpine", "example.com/rust:1"), files=FILES),
        Valid(near=0, text=BUILD, files=LONE),
        Valid(near=1, text=PACKAGE, files=LONE),
        Valid(near=1, text=PACKAGE.replace("-p server", "-p api"), files=MEMBERS),
        Valid(near=1, text=PACKAGE.replace("-p server", "-p api@0.1.0"), files=MEMBERS),
        Valid(near=1, text=PACKAGE, files={**MEMBERS, "tools/Cargo.toml": MANIFEST.replace("app", "server")}),
        Valid(
            near=1, text=PACKAGE, files={**MEMBERS, "Cargo.lock": '[[package]]\nname = "server"\nversion = "1.0.0"\n'}
        ),
        Valid(near=2, text=PROFILE, files={**FILES, "Cargo.toml": f'{MANIFEST}[profile.dist]\ninherits = "release"\n'}),
        Valid(near=2, text=PROFILE, files={**FILES, ".cargo/config.toml": '[profile.dist]\ninherits = "release"\n'}),
        Valid(near=2, text=PROFILE.replace("RUN cargo", "RUN CARGO_PROFILE_DIST_INHERITS=release cargo"), files=FILES),
        Valid(near=2, text=PROFILE.replace("WORKDIR", "ENV CARGO_PROFILE_DIST_INHERITS=release\nWORKDIR"), files=FILES),
        Valid(near=2, text=PROFILE.replace("--profile dist", "--profile release"), files=FILES),
        Valid(near=2, text=PROFILE.replace("--profile", "--config extra.toml --profile"), files=FILES),
        Valid(near=6, text=FEATURE, files={**FILES, "Cargo.toml": f"{MANIFEST}[features]\ncli = []\n"}),
        Valid(near=6, text=FEATURE, files={**FILES, "Cargo.toml": f"{MANIFEST}[dependencies]\ncli = {OPTIONAL}\n"}),
        Valid(near=6, text=FEATURE.replace("features cli", "features clap/cli"), files=FILES),
        Valid(near=6, text=FEATURE.replace("features cli", "features $FEATURES"), files=FILES),
        Valid(near=7, text=BUILD, files={**HIDDEN, "Cargo.toml": MANIFEST}),
        Valid(near=5, text=INSTALL.replace("--path .", "--path api"), files=MEMBERS),
        Valid(near=5, text=INSTALL.replace("install --path .", "build --release"), files=MEMBERS),
        Valid(near=5, text=INSTALL, files={**MEMBERS, "Cargo.toml": MEMBERS["Cargo.toml"] + MANIFEST}),
        Valid(near=8, text=BUILD.replace("COPY . .", "COPY src src\nCOPY Car* /"), files=TOOL),
        Valid(near=4, text=PART, files=MEMBERS),
        Valid(near=4, text=PART.replace("COPY api api", "COPY api api\nCOPY tool tool"), files=WORKSPACE),
        Valid(near=4, text=PART.replace("RUN cargo", "RUN sed -i s/tool// Cargo.toml && cargo"), files=WORKSPACE),
        Valid(near=4, text=PART.replace("RUN cargo", "RUN cargo init tool && cargo"), files=WORKSPACE),
    )

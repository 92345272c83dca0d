"""What somebody found who judged real Dockerfiles without knowing the code, the fifth time; each in a few lines of our own."""

from __future__ import annotations

import pytest

from dockerslim_lint import linter
from dockerslim_lint.config import Settings
from dockerslim_lint.context import MemoryContext
from dockerslim_lint.edit import Fix, Withheld, apply
from dockerslim_lint.source import Source
from tests.facts.reading import CRATE, locked, read
from tests.plan.test_fresh_eyes_l import said
from tests.plan.test_withheld import CLASSIC, LOCK, fix

MANIFEST = '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n'
FILES = {"Cargo.toml": MANIFEST, "Cargo.lock": "version = 4\n", "src/main.rs": "fn main() {}\n"}


def offered(code: str, text: str, files: dict[str, str]) -> Fix:
    """The only fix of the only finding of a rule."""
    context = MemoryContext({path: body.encode() for path, body in files.items()})
    (one,) = (one for one in linter.lint(Source(text.encode()), context, Settings()).findings if one.code == code)
    assert not isinstance(one.fixes, Withheld)
    return one.fixes[0]


LOST = """\
FROM rust:1-slim
WORKDIR /app
COPY src ./src
RUN useradd -m app && chown -R app /app
COPY Cargo.lock ./
RUN cargo build --release
CMD ["./target/release/app"]
"""


@pytest.mark.parametrize(
    ("old", "new", "stops"),
    [
        ("", "", True),
        ("COPY Cargo.lock ./", "COPY Cargo.lock Cargo.tom /", True),
        ("COPY Cargo.lock ./", "COPY Cargo.lock Cargo.toml /", False),
        ("COPY Cargo.lock ./", "COPY Cargo.* ./", False),
        ("COPY Cargo.lock ./", "COPY --from=other /app /app", False),
        ("COPY Cargo.lock ./", "COPY --from=other /bin/tool /bin/", True),
        ("COPY Cargo.lock ./", "ADD https://example.com/Cargo.toml ./", False),
        ("COPY Cargo.lock ./", "COPY <<EOF Cargo.toml\n[package]\nEOF", False),
        ("RUN useradd", "RUN cargo init && useradd", False),
        ("RUN useradd", "RUN ./make-project && useradd", False),
        ("RUN useradd", "RUN git clone https://example.com/app . && useradd", False),
        ("RUN useradd", "RUN printf '[package]' > Cargo.toml && useradd", False),
        ("RUN useradd", "RUN mv src/Project.toml Cargo.toml && useradd", False),
        ("RUN cargo", "RUN --mount=type=bind,target=. cargo", False),
        ("RUN cargo", "RUN test -f Cargo.toml && cargo", False),
        ("RUN cargo", "RUN test ! -f x || cargo", False),
        ("build --release", "build --release --manifest-path $WHERE/Cargo.toml", False),
        ("FROM rust:1-slim", "FROM example.com/rust", False),
        ("FROM rust:1-slim", "FROM debian:12\nRUN curl https://sh.rustup.rs | sh -s -- -y", True),
        ("FROM rust:1-slim", "FROM debian:12", False),
    ],
)
def test_a_project_whose_manifest_no_copy_brings(old: str, new: str, stops: bool) -> None:
    refused = read(LOST.replace(old, new, 1), FILES).refused
    assert [(one.kind, one.name) for one in refused] == ([("project", "/app")] if stops else [])


@pytest.mark.parametrize(
    ("copied", "files", "stops"),
    [
        ("./backend ./", {"backend/go.mod": "module x\n"}, True),
        ("./backend ./", {"backend/Cargo.toml": MANIFEST, "backend/src/main.rs": ""}, False),
        ("./backend ./", {"backend/go.mod": "", "Cargo.toml": MANIFEST, "src/main.rs": ""}, True),
        ("backend/go.mod Cargo.toml ./", {"backend/go.mod": "module x\n"}, False),
    ],
)
def test_a_project_that_is_none(copied: str, files: dict[str, str], stops: bool) -> None:
    text = LOST.replace("COPY src ./src", f"COPY {copied}").replace("COPY Cargo.lock ./\n", "")
    assert [one.kind for one in read(text, files).refused] == ["project"] * stops


WORKSPACE = {
    "Cargo.toml": '[workspace]\nmembers = ["api", "tool"]\n',
    "Cargo.lock": "version = 4\n",
    **{f"{name}/Cargo.toml": MANIFEST.replace("app", name) for name in ("api", "tool")},
    **{f"{name}/src/main.rs": "fn main() {}\n" for name in ("api", "tool")},
}

BY_SCRIPT = """\
FROM debian:bookworm-slim AS build
RUN apt-get update && apt-get install -y curl build-essential
RUN curl --proto '=https' -sSf https://sh.rustup.rs | sh -s -- -y
ENV PATH="/root/.cargo/bin:$PATH"
WORKDIR /build
COPY Cargo.toml Cargo.lock ./
COPY api api
RUN cargo build --release -p api
FROM debian:bookworm-slim
COPY --from=build /build/target/release/api /usr/local/bin/api
CMD ["api"]
"""


@pytest.mark.parametrize(
    ("old", "new", "stops"),
    [
        ("", "", True),
        ("sh -s -- -y\n", "sh -s -- -y && ./more\n", False),
        ("RUN cargo", "RUN ./prepare && cargo", False),
        (
            "RUN curl --proto '=https' -sSf https://sh.rustup.rs | sh",
            "RUN curl https://example.com/members | sh",
            False,
        ),
        ("COPY api api", "COPY api api\nCOPY tool tool", False),
        ("| sh -s -- -y", "> /tmp/rustup.sh && sh /tmp/rustup.sh -y", True),
    ],
)
def test_the_installer_of_rustup_adds_no_member(old: str, new: str, stops: bool) -> None:
    refused = read(BY_SCRIPT.replace(old, new, 1), WORKSPACE).refused
    assert [(one.kind, one.name) for one in refused] == ([("member", "tool")] if stops else [])


BRACES = CLASSIC.replace("COPY --from", "RUN apt-get update && rm -rf /var/lib/{apt,dpkg,cache,log}/\nCOPY --from")


@pytest.mark.parametrize(
    ("old", "new", "left"),
    [
        ("", "", True),
        ("/var/lib/{apt,dpkg,cache,log}/", "/var/lib/apt/lists/{apt,dpkg}", True),
        ("RUN apt-get update", 'SHELL ["/bin/bash", "-c"]\nRUN apt-get update', False),
        ("rm -rf /var/lib/{apt,dpkg,cache,log}/", "bash -c 'rm -rf /var/lib/{apt,dpkg,cache,log}/'", False),
        ("/var/lib/{apt,dpkg,cache,log}/", "/var/lib/apt/lists/*", False),
    ],
)
def test_sh_leaves_braces_as_they_stand(old: str, new: str, left: bool) -> None:
    image = read(BRACES.replace(old, new, 1)).images[0]
    assert [one.kind for one in image.leftovers] == (["cache"] if left else [])


def test_a_shell_that_knows_braces_empties_what_they_name() -> None:
    text = BRACES[: BRACES.rindex("FROM")] + BRACES[BRACES.rindex("FROM") :].replace("apt-get update", "dnf makecache")
    for base in ("debian:trixie-slim", "ubuntu:22.04"):
        text = text.replace(f"FROM {base}", "FROM fedora:43")
    assert not read(text.replace("/var/lib/{apt,dpkg,cache,log}/", "/var/cache/{dnf,libdnf5}")).images[0].leftovers


COOKED = """\
FROM lukemathwalker/cargo-chef:latest-rust-1 AS build
WORKDIR /app
COPY recipe.json .
RUN cargo chef cook --release --recipe-path recipe.json
COPY . .
RUN cargo build --release -p api --features cli
FROM debian:trixie-slim
COPY --from=build /app/target/release/api /usr/local/bin/api
CMD ["api"]
"""
"""What DSL303 mends."""


@pytest.mark.parametrize(
    ("old", "new", "added"),
    [
        ("", "", " -p api --features cli"),
        ("chef cook", "chef cook -p api", " --features cli"),
        ("chef cook", "chef cook --workspace", " --features cli"),
        (" -p api", " -p api -p tool", " --features cli"),
        (" -p api", "", " --features cli"),
    ],
)
def test_features_are_those_of_the_package_that_is_built(old: str, new: str, added: str) -> None:
    files = {**WORKSPACE, "api/Cargo.toml": MANIFEST.replace("app", "api") + "[features]\ncli = ['dep:clap']\n"}
    files["api/Cargo.toml"] += '[dependencies]\nclap = { version = "4", optional = true }\n'
    text = COOKED.replace(old, new, 1)
    mended = offered("DSL303", text, files)
    cook = next(line for line in text.splitlines() if "chef cook" in line)
    assert apply(text.encode(), mended.edits).decode() == text.replace(cook, cook + added)


def test_rocket_takes_its_other_profile_in_a_release_build() -> None:
    text = CLASSIC.replace(" --release", "").replace("target/release", "target/debug")
    for crates, told in (({"rocket": "=0.5.1"}, True), ({"axum": "=0.8.0"}, False)):
        release = offered("DSL204", text, locked(**crates))
        assert ("rocket" in release.cost) is told


CLONED = """\
FROM rust:1.67
RUN git clone https://example.com/me/webapp.git
WORKDIR /webapp
RUN cargo install --locked cargo-leptos && cargo leptos build --release
CMD ["cargo", "leptos", "serve", "--release"]
"""


@pytest.mark.parametrize(
    ("old", "new", "compiles"),
    [
        ("", "", True),
        ("webapp.git\n", "other.git /webapp\n", True),
        ("RUN git clone", "RUN git clone --depth 1 -b main", True),
        ("RUN git clone", "WORKDIR /src\nRUN git clone", False),
        ("webapp.git", "tools.git", False),
        ("git clone", "git fetch", False),
        ("RUN git", "RUN test -d x || git", False),
        ("WORKDIR /webapp", "WORKDIR /webapp\nVOLUME /webapp", False),
        ("FROM rust:1.67", "FROM rust:1.67 AS dev", False),
    ],
)
def test_the_clone_of_a_repository_has_sources(old: str, new: str, compiles: bool) -> None:
    assert [one.server for one in read(CLONED.replace(old, new, 1), {}).cargo_at_start] == [
        "cargo leptos serve"
    ] * compiles


OUT_OF_SIGHT = """\
FROM rust:1 AS builder
WORKDIR /src
COPY . .
RUN cd kbs && make ARCH=x86_64 && make install
FROM ubuntu:24.04
COPY --from=builder /usr/local/bin/kbs /usr/local/bin/kbs
CMD ["kbs"]
"""


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("", "", True),
        ("FROM rust:1 ", "FROM golang:1 ", False),
        ("make ARCH=x86_64 && make install", "npm install", False),
        ("COPY --from=builder /usr/local/bin/kbs ", "COPY kbs ", False),
        ("FROM ubuntu:24.04\nCOPY --from=builder /usr/local/bin/kbs /usr/local/bin/kbs\n", "", False),
    ],
)
def test_a_build_out_of_sight_is_one_all_the_same(old: str, new: str, told: bool) -> None:
    report = linter.lint(Source(OUT_OF_SIGHT.replace(old, new, 1).encode()), MemoryContext({}), Settings())
    assert report.judged is told
    assert any("behind `make ARCH=x86_64` (line 4)" in note for note in report.notes) is told


@pytest.mark.parametrize(
    ("base", "user", "told"),
    [
        ("ubuntu:24.04", "1000", "1000 is the base's own user ubuntu, whose group and home the program may use"),
        ("ubuntu:24.04", "1000:1000", ""),
        ("ubuntu:24.04", "1001", ""),
        ("ubuntu:22.04", "1000", ""),
        ("debian:bookworm-slim", "1000", ""),
    ],
)
def test_a_number_that_is_an_account_of_the_base(base: str, user: str, told: str) -> None:
    text = CLASSIC.replace("rust:1 ", "rust:1-bookworm ").replace("debian:bookworm-slim", base)
    text = text.replace("CMD", f"USER {user}\nCMD")
    assert told in " ".join(said("DSL101", text, {**CRATE, "Cargo.lock": LOCK.format("itoa")}))
    fixed = fix(text).source.data.decode()
    assert f"\nUSER {user}\n" in fixed
    assert ("distroless/static" in fixed) == (told == "")


@pytest.mark.parametrize(
    ("crates", "tools"),
    [
        ({"audiopus_sys": "=0.2.2"}, "cmake musl-tools"),
        ({"pcre2__sys": "=0.2.10"}, "musl-tools"),
        ({"libwebp__sys": "=0.9.6"}, "musl-tools"),
        ({"mlua__sys": "=0.8.3 lua-src", "lua__src": "=548.1.2"}, "musl-tools"),
        ({"near__sys": "=0.2.14"}, ""),
        ({"mlua__sys": "=0.8.3"}, None),
    ],
)
def test_crates_with_c_that_were_tried(crates: dict[str, str], tools: str | None) -> None:
    """`tools` are what is installed for a static build, None where there is none: which Lua is linked is not known."""
    fixed = fix(CLASSIC.replace("rust:1 ", "rust:1-bookworm "), locked(**crates)).source.data.decode()
    assert ("distroless" in fixed) == (tools is not None)
    installed = [line for line in fixed.splitlines() if "apt-get install" in line]
    assert [set(tools.split()) <= {*line.split()} for line in installed if tools] == ([True] if tools else [])
    assert bool(installed) == bool(tools)


@pytest.mark.parametrize(
    ("comment", "base", "told"),
    [
        ("# Use Debian Slim as the\n# final image.", "debian:bookworm-slim", True),
        ("# the final stage, on bookworm.", "debian:bookworm-slim", True),
        ("# Ubuntu: small enough", "ubuntu:22.04", True),
        ("# the final image", "debian:bookworm-slim", False),
        ("# nothing of Ubuntu is left here", "debian:bookworm-slim", False),
        ("# debianish", "debian:bookworm-slim", False),
    ],
)
def test_a_comment_that_tells_of_the_old_base(comment: str, base: str, told: bool) -> None:
    text = CLASSIC.replace("FROM debian:bookworm-slim", f"{comment}\nFROM {base}")
    files = {**CRATE, "Cargo.lock": LOCK.format("itoa")}
    assert ("tells of the old base" in offered("DSL101", text, files).cost) is told
    above = CLASSIC.replace("FROM rust", f"{comment}\nFROM rust")
    assert "tells of the old base" not in offered("DSL101", above, files).cost


BY_A_VARIABLE = (
    "use std::process::Command;\nfn run(a: &[&str]) { Command::new(a[0]).args(&a[1..]).status().unwrap(); }\n"
)
"""What starts is handed over: its name stands elsewhere."""


@pytest.mark.parametrize(
    ("source", "static", "unnamed"),
    [
        (BY_A_VARIABLE + 'fn main() { run(&["bash", "-c", "date"]); }\n', False, False),
        (BY_A_VARIABLE + 'fn main() { run(&["/bin/sh".into(), "-ec".into()]); }\n', False, False),
        (BY_A_VARIABLE + 'fn main() { run(&["fetch", "now"]); }\n', True, True),
        (BY_A_VARIABLE + 'fn main() { println!("bash"); }\n', True, True),
        ('use clap::Command;\nfn main() { Command::new(name()); run(&["bash", "-c"]); }\n', True, False),
        ("use std::process::Command;\nfn main() { Command::new(std::env::current_exe().unwrap()); }\n", True, False),
        ("use std::process::Command;\nfn main() {\n    // Command::new(a[0])\n}\n", True, False),
    ],
)
def test_what_a_variable_names_may_be_a_shell(source: str, static: bool, unnamed: bool) -> None:
    files = {**CRATE, "Cargo.lock": LOCK.format("itoa"), "src/main.rs": source}
    text = CLASSIC.replace("rust:1 ", "rust:1-bookworm ")
    assert ("distroless/static" in fix(text, files).source.data.decode()) is static
    if static:
        assert ("is only known when it runs" in offered("DSL101", text, files).cost) is unnamed


@pytest.mark.parametrize(
    ("printed", "read"),
    [
        (r"echo '[net]\ngit-fetch-with-cli = true'", True),
        (r"echo -e '[net]\ngit-fetch-with-cli = true'", True),
        (r"printf '[net]\ngit-fetch-with-cli = true\n'", True),
        (r"echo '[net] git-fetch-with-cli = $(cat x)'", False),
        (r"./settings", False),
    ],
)
def test_echo_of_several_lines_is_a_file_of_them(printed: str, read: bool) -> None:
    text = CLASSIC.replace("COPY . .", f"RUN mkdir -p .cargo && {printed} > .cargo/config.toml\nCOPY . .")
    text = text.replace("debian:bookworm-slim", "alpine:3.23")
    assert bool(said("DSL102", text, {**CRATE, "Cargo.lock": LOCK.format("itoa")})) is read


def test_openssl_of_an_ended_release_is_not_that_of_today() -> None:
    install = "RUN apt-get update && apt-get install -y openssl ca-certificates\nCOPY --from"
    text = CLASSIC.replace("COPY --from", install)
    for release, moves in (("bullseye", False), ("bookworm", True)):
        old = text.replace("rust:1 ", f"rust:1-{release} ").replace("bookworm-slim", f"{release}-slim")
        assert ("distroless/cc" in fix(old).source.data.decode()) is moves


@pytest.mark.parametrize(
    ("entry", "brings"),
    [
        ('reqwest = "0.12"', True),
        ('reqwest = "=0.11.27"', True),
        ('reqwest = { version = "0.12", default-features = false, features = ["rustls-tls"] }', False),
        ('reqwest = "0.13"', False),
        ('teloxide = "0.13"', True),
        ('teloxide = { version = "0.13", default-features = false, features = ["rustls"] }', False),
        ('sqlx = { version = "0.8", features = ["runtime-tokio-native-tls"] }', True),
        ('sqlx = { version = "0.8", features = ["runtime-tokio-rustls"] }', False),
        ('axum = "0.8"', False),
        ('[dev-dependencies]\nreqwest = "0.12"', False),
        ("[target.'cfg(windows)'.dependencies]\nreqwest = \"0.12\"", False),
    ],
)
def test_without_a_lock_features_are_followed_from_the_manifest(entry: str, brings: bool) -> None:
    files = {**CRATE, "Cargo.toml": f"{CRATE['Cargo.toml']}[dependencies]\n{entry}\n"}
    text = CLASSIC.replace("rust:1 ", "rust:1-bookworm ")
    assert ("distroless/static" in fix(text, files).source.data.decode()) is not brings
    if brings:
        assert "what Cargo.toml asks for brings native-tls" in offered("DSL101", text, files).cost


def test_what_only_the_build_script_of_aws_lc_uses_is_not_linked() -> None:
    files = locked(aws__lc__sys="=0.32.1 libloading cc", libloading="=0.8.8", cc="=1.2.0")
    assert "distroless/static" in fix(CLASSIC.replace("rust:1 ", "rust:1-bookworm "), files).source.data.decode()
    files = locked(other="libloading", libloading="=0.8.8")
    assert "distroless" not in fix(CLASSIC.replace("rust:1 ", "rust:1-bookworm "), files).source.data.decode()


HEALTH = CLASSIC.replace("CMD", 'COPY check.sh /check.sh\nHEALTHCHECK CMD ["sh", "/check.sh"]\nCMD')


@pytest.mark.parametrize(
    ("line", "found"),
    [("HEALTH_PATH=/health", True), ("PATH=/opt:$PATH", False), ("export PATH=/opt", False), ("", True)],
)
def test_path_is_path_alone(line: str, found: bool) -> None:
    files = {**CRATE, "check.sh": f"#!/bin/sh\n{line}\nwget -q http://localhost:80\n"}
    assert bool(said("DSL404", HEALTH, files)) is found

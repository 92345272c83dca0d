"""Toolchains: what is installed for whom."""

from __future__ import annotations

import pytest

from dockerslim_lint.catalog import images
from dockerslim_lint.facts.rustup import is_older, same_toolchain, version_of
from tests.facts.reading import CRATE, read

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("channel", "reference", "digest", "same"),
    [
        ("1.80.1", "rust:1.80.1", "", True),
        ("1.80.1", "rust:1.80.1-slim-bookworm", "", True),
        ("1.80.1-x86_64-unknown-linux-gnu", "rust:1.80.1", "", True),
        ("1.80.0", "rust:1.80.1", "", False),
        ("1.80.1", "rust:1.80", "", None),
        ("1.80", "rust:1.80", "", False),
        ("1.80", "rust:1.80.1", "", False),
        ("1.80-x86_64-unknown-linux-gnu", "rust:1.80.0", "", False),
        ("1.80", "rustlang/rust:nightly", "", None),
        ("1.80", "rust:${V}", "", None),
        ("1.79", "rust:1.80", "", False),
        ("stable", "rust:1.80", "", False),
        ("nightly-2025-01-01", "rust:latest", "", False),
        ("nightly", "rustlang/rust:nightly", "", None),
        ("1.90.0", "ghcr.io/rust-cross/cargo-zigbuild", "", None),
        ("1.80.1", "rust:latest", "", False),
        ("1.80.1", "rust:1-slim", "", False),
        ("1.80.1", "rust:1-slim", DIGEST, None),
        ("1.98.0", "rust:latest", "", None),
        ("1.80.1", "rust:${V}", "", None),
        ("", "rust:1.80", "", None),
        ("stable", "debian:12", "", None),
    ],
)
def test_whether_a_channel_is_the_images_own(channel: str, reference: str, digest: str, same: bool | None) -> None:
    image = images.lookup(reference)
    assert image is not None
    assert same_toolchain(channel, image, digest) is same


@pytest.mark.parametrize(
    ("reference", "version", "older"),
    [
        ("rust:1.79", "1.80", True),
        ("rust:1.79.3-slim", "1.79.4", True),
        ("rust:1.80", "1.80", False),
        ("rust:1.80", "1.80.1", False),
        ("rust:1.80.2", "1.80", False),
        ("rust:1", "1.99", False),
        ("rust:latest", "1.99", False),
        ("rustlang/rust:nightly", "1.99", False),
        ("rust:1.79", "", False),
    ],
)
def test_whether_an_image_is_older(reference: str, version: str, older: bool) -> None:
    image = images.lookup(reference)
    assert image is not None
    assert is_older(image, version) is older


@pytest.mark.parametrize(
    ("before", "state"),
    [
        ("RUN rustup target add x86_64-unknown-linux-musl", "installed"),
        ("RUN rustup target add aarch64-unknown-linux-musl", "missing"),
        ("RUN rustup target add $(uname -m)-unknown-linux-musl", "installed"),
        ("RUN rustup component add clippy", "missing"),
        ("RUN cargo install cargo-chef && cargo chef prepare", "missing"),
        ("RUN apt-get update && apt-get install -y musl-tools", "missing"),
        ("RUN rustup toolchain install nightly", "missing"),
        ("RUN rustup toolchain install nightly --target x86_64-unknown-linux-musl", "unknown"),
        ("RUN rustup default stable-x86_64-unknown-linux-musl", "installed"),
        ("RUN rustup default stable-$(uname -m)-unknown-linux-$LIBC", "unknown"),
        ("RUN make setup", "unknown"),
        ("RUN cross build", "unknown"),
        ("RUN cargo make", "unknown"),
        ("COPY --from=x / /", "unknown"),
        ("RUN --mount=type=cache,target=/usr/local/rustup true", "unknown"),
    ],
)
def test_whether_a_target_is_installed(before: str, state: str) -> None:
    text = f"FROM rust:1\nWORKDIR /app\n{before}\nCOPY . .\nRUN cargo build --target x86_64-unknown-linux-musl\n"
    assert read(text, CRATE).toolchains[-1].target == state


def test_the_toolchain_file_that_a_call_sees() -> None:
    files = {**CRATE, "rust-toolchain": "1.80.1\n", "Cargo.lock": "version = 4\n"}
    text = "FROM rust:1\nWORKDIR /app\nCOPY Cargo.toml .\nRUN cargo build\nCOPY . .\nRUN cargo build\n"
    first, second = read(text, files).toolchains
    assert first.file is None
    assert second.file is not None and (second.file.channel, second.same) == ("1.80.1", False)
    assert [call.lock for call in read(text, files).calls] == [False, True]


@pytest.mark.parametrize(
    ("channel", "version"),
    [
        ("1.50.0", (1, 50)),
        ("1.50", (1, 50)),
        ("1.50.0-x86_64-unknown-linux-gnu", (1, 50)),
        ("*", (0, 0)),
        ("1.*", (0, 0)),
        ("nightly-*", (0, 0)),
        ("stable", None),
        ("nightly", None),
        ("nightly-x86_64-unknown-linux-gnu", None),
        ("esp", None),
        ("", None),
        ("nightly-2020-06-01", (1, 45)),
        ("nightly-2021-11-20-x86_64-unknown-linux-gnu", (1, 58)),
        ("nightly-2021-12-20", (1, 59)),
        ("nightly-2025-01-20", (1, 86)),
        ("beta-2022-01-20", (1, 59)),
        ("beta-2022-01-10", (1, 58)),
        ("nightly-2020-13-01", (0, 0)),
    ],
)
def test_which_version_a_name_is(channel: str, version: tuple[int, int] | None) -> None:
    assert version_of(channel) == version


PIPED = "FROM debian:12\nRUN curl -sSf https://sh.rustup.rs | sh -s -- -y --default-toolchain"


@pytest.mark.parametrize(
    ("before", "call", "version"),
    [
        ("FROM rust:1", "cargo build", None),
        ("FROM rust:1.50", "cargo build", (1, 50)),
        ("FROM rust:1", "cargo +1.50.0 build", (1, 50)),
        ("FROM rust:1.50", "cargo +1.70.0 build", (1, 70)),
        ("FROM rust:1.50", "cargo +stable build", None),
        ("FROM rust:1\nRUN rustup default 1.50.0", "cargo build", (1, 50)),
        ("FROM rust:1.50\nRUN rustup default stable", "cargo build", None),
        ("FROM rust:1.50\nRUN rustup default", "cargo build", (1, 50)),
        ("FROM rust:1\nRUN rustup default $V", "cargo build", (0, 0)),
        ("FROM rust:1\nRUN rustup default $(cat v)", "cargo build", (0, 0)),
        ("FROM rust:1\nARG V=1.50.0\nRUN rustup default $V", "cargo build", (1, 50)),
        ("FROM rust:1 AS base\nRUN rustup default 1.50.0\nFROM base", "cargo build", (1, 50)),
        ("FROM rust:1\nRUN rustup toolchain install 1.50.0", "cargo build", None),
        ("FROM rust:1\nENV RUSTUP_TOOLCHAIN=1.50.0", "cargo build", (1, 50)),
        ("FROM rust:1\nENV RUSTUP_TOOLCHAIN=1.50.0", "cargo +stable build", None),
        ("FROM rust:1", "RUSTUP_TOOLCHAIN=1.50.0 cargo build", (1, 50)),
        ("FROM rust:1", "env RUSTUP_TOOLCHAIN=1.50.0 cargo build", (1, 50)),
        ("FROM rust:1", "env A=1 RUSTUP_TOOLCHAIN=$(cat v) cargo build", (0, 0)),
        ("FROM rust:1", "export RUSTUP_TOOLCHAIN=1.50.0 && cargo build", (1, 50)),
        ("FROM rust:1", "rustup run 1.50.0 cargo build", (1, 50)),
        ("FROM rust:1\nWORKDIR /a\nRUN rustup override set 1.50.0", "cargo build", (1, 50)),
        ("FROM rust:1\nWORKDIR /a\nRUN rustup override set 1.50.0", "cd b && cargo build", (1, 50)),
        ("FROM rust:1\nWORKDIR /b\nRUN rustup override set 1.50.0\nWORKDIR /a", "cargo build", None),
        ("FROM rust:1\nRUN rustup override set 1.50.0 --path /a\nWORKDIR /a", "cargo build", (1, 50)),
        ("FROM rust:1\nRUN rustup override set --path=/b 1.50.0\nWORKDIR /a", "cargo build", None),
        (f"{PIPED} 1.50.0", "cargo build", (1, 50)),
        (f"{PIPED}=1.50.0 --profile minimal", "cargo build", (1, 50)),
        (f"{PIPED} stable", "cargo build", None),
        (f"{PIPED} none && rustup toolchain install 1.50.0", "cargo build", (1, 50)),
        (f"{PIPED} stable && rustup toolchain install 1.50.0", "cargo build", None),
        ("FROM debian:bullseye\nRUN apt-get update && apt-get install -y cargo", "cargo build", (1, 48)),
        ("FROM debian:11-slim\nRUN apt-get install -y cargo=0.47.0-3", "cargo build", (1, 48)),
        ("FROM debian:bullseye\nRUN apt-get install -y curl", "cargo build", None),
        ("FROM debian:bookworm\nRUN apt-get install -y cargo", "cargo build", None),
        ("FROM ubuntu:24.04\nRUN apt-get install -y cargo", "cargo build", None),
        ("FROM example.com/rust:1.50", "cargo build", None),
    ],
)
def test_which_version_a_call_uses(before: str, call: str, version: tuple[int, int] | None) -> None:
    assert read(f"{before}\nRUN {call}\n", CRATE).toolchains[-1].version == version


@pytest.mark.parametrize(
    ("step", "file", "version"),
    [
        ("RUN true", "1.50.0", (1, 50)),
        ("RUN true", "nightly-2020-06-01", (1, 45)),
        ("RUN rustup default 1.60.0", "1.50.0", (1, 50)),
        ("RUN rustup override set 1.70.0", "1.50.0", (1, 50)),
        ("RUN rustup override set 1.40.0", "1.50.0", (1, 40)),
        ("ENV RUSTUP_TOOLCHAIN=1.70.0", "1.50.0", (1, 70)),
        ("RUN rustup default 1.50.0", "stable", None),
    ],
)
def test_a_file_and_a_step(step: str, file: str, version: tuple[int, int] | None) -> None:
    text = f"FROM rust:1\nWORKDIR /a\n{step}\nCOPY . .\nRUN cargo build\n"
    assert read(text, {**CRATE, "rust-toolchain": f"{file}\n"}).toolchains[-1].version == version


def test_the_version_that_cooks() -> None:
    files = {**CRATE, "rust-toolchain": "1.50.0\n"}
    text = "FROM rust:1\nWORKDIR /a\n{}RUN cargo {}chef cook\n"
    assert read(text.format("", ""), files).warmups[0].version is None
    assert read(text.format("COPY . .\n", ""), files).warmups[0].version == (1, 50)
    assert read(text.format("", "+1.50.0 "), files).warmups[0].version == (1, 50)


MEMBERS = ("a", "b", "c")
VIRTUAL = {f"{name}/src/main.rs": "fn main() {}\n" for name in MEMBERS}
VIRTUAL |= {f"{name}/Cargo.toml": CRATE["Cargo.toml"].replace("app", name) for name in MEMBERS}
VIRTUAL |= {
    "Cargo.toml": '[workspace]\nmembers = ["a", "b", "c"]\n[workspace.package]\nrust-version = "1.85"\n',
    "b/Cargo.toml": VIRTUAL["b/Cargo.toml"] + "rust-version.workspace = true\n",
    "c/Cargo.toml": VIRTUAL["c/Cargo.toml"] + 'rust-version = "1.9"\n',
}


def older(call: str, image: str = "rust:1.79", files: dict[str, str] = VIRTUAL) -> bool:
    text = f"FROM {image}\nWORKDIR /src\nCOPY . .\nRUN {call}\n"
    toolchain = read(text, files).toolchains[-1]
    return toolchain.older and not toolchain.changed


@pytest.mark.parametrize(
    "call",
    [
        "cargo build",
        "cargo build --workspace",
        "cargo build -p b",
        "cargo build -p a -p b",
        "cargo build -p c -p b",
        "cargo build --bin b",
        "cargo build --manifest-path b/Cargo.toml",
        "cd b && cargo build",
        "cargo install --path b",
    ],
)
def test_a_rust_version_of_the_workspace(call: str) -> None:
    assert older(call)
    assert not older(call, "rust:1.85")
    assert not older(call, "rust:1")
    assert not older(f"{call} --ignore-rust-version")


@pytest.mark.parametrize(
    "call",
    [
        "cargo build -p a",
        "cargo build -p c",
        "cargo build -p 'a*'",
        "cargo build -p $WHICH",
        "cargo build --workspace --exclude b",
        "cargo build --bin a",
        "cargo build --bin $WHICH",
        "cargo build --example shown",
        "cd a && cargo build",
        "cargo install --path a",
    ],
)
def test_a_rust_version_of_another_package(call: str) -> None:
    assert not older(call)


def test_a_rust_version_of_what_is_not_compiled() -> None:
    default = {**VIRTUAL, "Cargo.toml": VIRTUAL["Cargo.toml"].replace("]\n[w", ']\ndefault-members = ["a"]\n[w')}
    assert not older("cargo build", files=default)
    assert older("cargo build --workspace", files=default)
    # it is a wish of the workspace that no package takes over
    assert not older("cargo build", files={**VIRTUAL, "b/Cargo.toml": VIRTUAL["a/Cargo.toml"].replace('"a"', '"b"')})
    wants = '[[bin]]\nname = "b"\npath = "src/main.rs"\nrequired-features = ["x"]\n[features]\nx = []\n'
    feature = {**VIRTUAL, "b/Cargo.toml": VIRTUAL["b/Cargo.toml"] + wants}
    assert not older("cargo build", files=feature)
    assert older("cargo build --features x", files=feature)


MUSL = "x86_64-unknown-linux-musl"
GNU = "x86_64-unknown-linux-gnu"


def link(before: str, call: str = "cargo build", image: str = "rust:1") -> str:
    return read(f"FROM {image}\nWORKDIR /src\n{before}\nCOPY . .\nRUN {call}\n", CRATE).calls[-1].link


@pytest.mark.parametrize(
    ("before", "call"),
    [
        (f"RUN rustup default stable-{MUSL}", "cargo build"),
        (f"RUN rustup toolchain install stable-{MUSL} && rustup default stable-{MUSL}", "cargo build"),
        ("RUN rustup default stable-$(uname -m)-unknown-linux-musl", "cargo build"),
        ("RUN rustup default stable-musl", "cargo build"),
        (f"RUN rustup set default-host {MUSL} && rustup default 1.80", "cargo build"),
        (f"RUN rustup set default-host {MUSL}", "cargo +stable build"),
        (f"RUN rustup set default-host {MUSL}\nENV RUSTUP_TOOLCHAIN=1.80.1", "cargo build"),
        (f"RUN rustup override set nightly-2025-01-01-{MUSL}", "cargo build"),
        (f"ENV RUSTUP_TOOLCHAIN=stable-{MUSL}", "cargo build"),
        ("", f"RUSTUP_TOOLCHAIN=stable-{MUSL} cargo build"),
        ("", f"export RUSTUP_TOOLCHAIN=stable-{MUSL} && cargo build"),
        ("", f"env RUSTUP_TOOLCHAIN=stable-{MUSL} cargo build"),
        ("", f"cargo +stable-{MUSL} build"),
        ("", f"rustup run stable-{MUSL} cargo build"),
    ],
)
def test_a_toolchain_with_another_host(before: str, call: str) -> None:
    assert link(before, call) == "musl-static"
    assert link(before, call, "debian:13") == "musl-static"
    # a target that is named is that target
    assert link(before, f"{call} --target {GNU}") == "gnu-dynamic"


def test_an_installer_with_another_host() -> None:
    piped = "RUN curl -sSf https://sh.rustup.rs | sh -s -- -y"
    assert link(f"{piped} --default-host {MUSL}", image="debian:13") == "musl-static"
    assert link(f"{piped} --default-host={MUSL} --default-toolchain 1.80", image="debian:13") == "musl-static"
    assert link(f"{piped} --default-host {GNU}", image="debian:13") == "gnu-dynamic"
    assert link(piped, image="debian:13") == "gnu-dynamic"
    assert link(f"{piped} --default-toolchain stable-{MUSL}", image="debian:13") == "musl-static"


@pytest.mark.parametrize(
    ("before", "call"),
    [
        # the default has its host in its name
        (f"RUN rustup set default-host {MUSL}", "cargo build"),
        (f"RUN rustup default stable && rustup set default-host {MUSL}", "cargo build"),
        (f"RUN rustup set default-host {MUSL}", f"cargo +stable-{GNU} build"),
        (f"RUN rustup toolchain install stable-{MUSL}", "cargo build"),
        (f"RUN rustup target add {MUSL}", "cargo build"),
        (f"RUN rustup override set stable-{MUSL} --path /other", "cargo build"),
        (f"RUN rustup default stable-{MUSL}", f"cargo +stable-{GNU} build"),
        (f"RUN rustup default stable-{MUSL} && rustup default stable-{GNU}", "cargo build"),
        ("RUN rustup default nightly", "cargo build"),
        (f"RUN export RUSTUP_TOOLCHAIN=stable-{MUSL}", "cargo build"),
    ],
)
def test_a_toolchain_with_the_hosts_own(before: str, call: str) -> None:
    assert link(before, call) == "gnu-dynamic"


def test_the_host_of_alpine() -> None:
    assert link("RUN rustup default stable", image="rust:1-alpine") == "musl-static"
    assert link(f"RUN rustup set default-host {GNU}", image="rust:1-alpine") == "musl-static"
    assert link(f"RUN rustup default stable-{GNU}", image="rust:1-alpine") == "gnu-dynamic"


def test_a_target_of_a_toolchain_with_another_host() -> None:
    def state(call: str) -> str:
        return read(f"FROM rust:1\nWORKDIR /src\nCOPY . .\nRUN {call}\n", CRATE).toolchains[-1].target

    assert state(f"cargo +stable-{MUSL} build --target {MUSL}") == "installed"
    assert state(f"cargo +nightly build --target {MUSL}") == "missing"


def test_the_host_behind_a_build_tool() -> None:
    text = f"""\
    FROM rust:1 AS build
    WORKDIR /src
    RUN rustup default stable-{MUSL}
    COPY . .
    RUN make
    FROM alpine:3.22
    COPY --from=build /src/target/release/app /app
    CMD ["/app"]
    """
    assert read(text).images[0].artifacts[0][1].link == "musl-static"
    assert read(text.replace(f"-{MUSL}", "")).images[0].artifacts[0][1].link == "gnu-dynamic"


@pytest.mark.parametrize(
    ("before", "call"),
    [
        (f'RUN [ "$STATIC" = 1 ] && rustup default stable-{MUSL} || true', "cargo build"),
        (f'RUN if [ "$STATIC" = 1 ]; then rustup default stable-{MUSL}; fi', "cargo build"),
        (f'RUN if [ "$STATIC" = 1 ]; then rustup set default-host {MUSL}; fi', "cargo +stable build"),
        (f"RUN rustup set default-host {MUSL}\nARG RUST\nENV RUSTUP_TOOLCHAIN=$RUST", "cargo build"),
        (f"RUN rustup override set stable-{MUSL} && rustup override set stable-{GNU} --path /", "cargo build"),
    ],
)
def test_a_host_that_nobody_knows(before: str, call: str) -> None:
    assert link(before, call) == "unknown"
    assert link(before, f"cargo +stable-{GNU} build") == "gnu-dynamic"

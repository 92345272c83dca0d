"""Toolchains: what is installed for whom."""

from __future__ import annotations

import pytest

from dockerslim_lint.catalog import images
from dockerslim_lint.facts.rustup import is_older, same_toolchain
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
        ("RUN rustup default stable-x86_64-unknown-linux-musl", "unknown"),
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

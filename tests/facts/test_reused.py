"""Whether cargo uses what a build ahead has made: flags, targets, mounts."""

from __future__ import annotations

import pytest

from dockerslim_lint.facts.model import ImageBuild
from dockerslim_lint.facts.reused import FEATURES, FLAGS, differs, hidden_by
from tests.facts.reading import read

COOKED = """\
FROM rust:1-alpine AS builder
WORKDIR /app
COPY recipe.json .
RUN cargo chef cook --release
COPY . .
RUN cargo build --release
"""
NATIVE = "RUSTFLAGS='-C target-cpu=native' "
MOUNT = "--mount=type=cache,target=/app/target "
MOUNTED = COOKED.replace("RUN cargo build", f"RUN {MOUNT}cargo build")


def reason(text: str) -> str:
    build = read(text)
    return differs(build, build.warmups[0], build.calls[-1])


@pytest.mark.parametrize(
    "text",
    [
        COOKED.replace("cargo build", f"{NATIVE}cargo build"),
        COOKED.replace("cargo build", f"env {NATIVE}cargo build"),
        COOKED.replace("cargo build", f"export {NATIVE}&& cargo build"),
        COOKED.replace("COPY . .", "COPY . .\nENV RUSTFLAGS=-Ctarget-cpu=native"),
        COOKED.replace("COPY . .", "COPY . .\nENV CARGO_BUILD_RUSTFLAGS=-Ctarget-cpu=native"),
        COOKED.replace("COPY . .", "COPY . .\nENV CARGO_ENCODED_RUSTFLAGS=-Ctarget-cpu=native"),
        COOKED.replace("cargo chef", f"{NATIVE}cargo chef"),
        COOKED.replace("cargo chef", f"{NATIVE}cargo chef").replace("cargo build", "RUSTFLAGS=-g cargo build"),
        COOKED.replace("COPY . .", "COPY . .\nENV CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_RUSTFLAGS=-Cstrip=symbols"),
    ],
)
def test_other_flags(text: str) -> None:
    assert reason(text) == FLAGS


@pytest.mark.parametrize(
    "text",
    [
        COOKED,
        COOKED.replace("cargo build", f"{NATIVE}cargo build").replace("cargo chef", f"{NATIVE}cargo chef"),
        COOKED.replace("WORKDIR", "ENV RUSTFLAGS=-g\nWORKDIR"),
        COOKED.replace("cargo chef", "RUSTFLAGS='-Ca  -Cb' cargo chef").replace(
            "cargo build", "RUSTFLAGS='-C a -C b' cargo build"
        ),
        COOKED.replace("cargo build", 'RUSTFLAGS="$(cat /flags)" cargo build'),
        COOKED.replace("cargo build", "RUSTFLAGS= cargo build"),
        COOKED.replace("COPY . .", "COPY . .\nARG RUSTFLAGS"),
        COOKED.replace("COPY . .", "COPY . .\nENV RUSTDOCFLAGS=-g"),
        COOKED.replace("COPY . .", "COPY . .\nENV CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS=-g"),
        COOKED.replace("cargo build", f"test -n x || {NATIVE}cargo build"),
        # an image of which nothing is known may set them
        COOKED.replace("COPY . .", "FROM $BASE AS later\nWORKDIR /app\nCOPY . .").replace(
            "cargo build", f"{NATIVE}cargo build"
        ),
    ],
)
def test_the_same_flags_or_nobody_knows(text: str) -> None:
    assert reason(text) == ""


@pytest.mark.parametrize(
    ("cook", "build", "said"),
    [
        ("", "--target $(rustc -vV | sed -n 's/host: //p')", "the target (the default, then one that is computed)"),
        ("", '--target "$TRIPLE"', "the target (the default, then one that is computed)"),
        ("--target $(cat /t)", "", "the target (one that is computed, then the default)"),
        ("--target $(cat /t)", "--target $(cat /t)", ""),
        ("--target $(cat /t)", "--target x86_64-unknown-linux-musl", ""),
        ("", "$TRIPLE", ""),
    ],
)
def test_targets_that_are_computed(cook: str, build: str, said: str) -> None:
    text = COOKED.replace("cook --release", f"cook --release {cook}")
    assert reason(text.replace("build --release", f"build --release {build}")) == said


MANIFEST = """\
[package]
name = "app"
version = "0.1.0"
edition = "2021"
[dependencies]
log = "0.4"
tls = { version = "1", optional = true }
[features]
default = ["plain"]
plain = []
both = ["plain"]
vendored = ["tls?/vendored"]
secure = ["dep:tls"]
loud = ["log/std"]
"""


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        ("", "-F plain", ""),
        ("", "-F both", ""),
        ("--no-default-features", "", ""),
        ("-F secure", "--all-features --no-default-features -F plain", FEATURES),
        ("-F secure", "-F secure,plain", ""),
        ("", "-F secure", FEATURES),
        ("", "-F loud", FEATURES),
        ("", "-F vendored", FEATURES),
        ("", "-F log/std", FEATURES),
        ("", "-F $FEATURES", ""),
        ("-p other", "-p other -F plain", FEATURES),
    ],
)
def test_features_count_where_a_dependency_gets_them(first: str, second: str, said: str) -> None:
    text = COOKED.replace("cook --release", f"cook --release {first}")
    build = read(text.replace("build --release", f"build --release {second}"), {"Cargo.toml": MANIFEST})
    assert differs(build, build.warmups[0], build.calls[-1]) == said


def hides(build: ImageBuild) -> bool:
    return hidden_by(build, build.warmups[0], build.calls[-1]) is not None


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        (MOUNTED, True),
        (MOUNTED.replace("target=/app/target", "target=/app"), True),
        (MOUNTED.replace("target=/app/target", "target=target"), True),
        (MOUNTED.replace("target=/app/target", "target=/app/target/release"), True),
        (MOUNTED.replace("type=cache", "type=cache,id=$TARGETARCH"), True),
        (MOUNTED.replace("type=cache", "type=tmpfs"), True),
        (MOUNTED.replace("cargo build", "cargo fetch && cargo build"), True),
        (COOKED, False),
        (MOUNTED.replace("RUN cargo chef", f"RUN {MOUNT}cargo chef"), False),
        (MOUNTED.replace("target=/app/target", "target=/usr/local/cargo/registry"), False),
        (MOUNTED.replace("target=/app/target", "target=/app/target/debug"), False),
        (MOUNTED.replace("type=cache", "type=cache,from=deps,source=/app/target"), False),
        (MOUNTED.replace("cargo build", "cp -r /cooked/. target && cargo build"), False),
        (MOUNTED.replace("cargo build", "./fill.sh && cargo build"), False),
        (MOUNTED.replace("cargo build", "CARGO_TARGET_DIR=/t cargo build"), False),
        (MOUNTED.replace("WORKDIR", "ARG T\nWORKDIR").replace("build --release", "build --target-dir $T"), False),
    ],
)
def test_a_mount_over_the_layer(text: str, hidden: bool) -> None:
    assert hides(read(text)) is hidden


VARIABLE = COOKED.replace("COPY recipe", "ARG P=dist Q=dist\nCOPY recipe").replace("--release", "--profile $P")
VARIABLE = VARIABLE.replace("cargo build", f"{NATIVE}cargo build")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("", "", FLAGS),
        ("P=dist", "P=release", FLAGS),
        ("build --profile $P", "build --profile $Q", ""),
        ("build --profile $P", "build --profile $P $MORE", ""),
        ("COPY . .", "COPY . .\nARG P=other", ""),
        ("P=dist ", "P ", ""),
        (NATIVE, "", ""),
    ],
)
def test_a_profile_by_the_same_variable(old: str, new: str, said: str) -> None:
    assert old in VARIABLE and reason(VARIABLE.replace(old, new) if old else VARIABLE) == said


PLACEHOLDER = """\
FROM rust:1
WORKDIR /app
COPY Cargo.toml ./
RUN mkdir src && echo "fn main() {}" > src/main.rs && cargo build
COPY . .
RUN cargo build
"""
NATIVE_CONFIG = "[build]\nrustflags = ['-C', 'target-cpu=native']\n"


@pytest.mark.parametrize(
    ("old", "new", "config", "said"),
    [
        ("", "", NATIVE_CONFIG, FLAGS),
        ("COPY . .", "COPY . .\nENV RUSTFLAGS=-g", NATIVE_CONFIG, FLAGS),
        ("COPY Cargo.toml ./", "COPY .cargo .cargo\nCOPY Cargo.toml ./", NATIVE_CONFIG, ""),
        ("WORKDIR", "ENV RUSTFLAGS=-g\nWORKDIR", NATIVE_CONFIG, ""),
        ("COPY . .", "COPY . .\nRUN rm .cargo/config.toml", NATIVE_CONFIG, ""),
        ("COPY . .", "COPY src src", NATIVE_CONFIG, ""),
        ("", "", "[target.'cfg(windows)']\nrustflags = ['-g']\n", ""),
        ("", "", "[target.aarch64-unknown-linux-gnu]\nrustflags = ['-g']\n", ""),
        ("", "", "[net]\nretry = 3\n", ""),
    ],
)
def test_a_configuration_that_comes_behind_a_placeholder(old: str, new: str, config: str, said: str) -> None:
    files = {"Cargo.toml": '[package]\nname = "app"\nversion = "0.1.0"\n', ".cargo/config.toml": config}
    build = read(PLACEHOLDER.replace(old, new) if old else PLACEHOLDER, {**files, "src/main.rs": ""})
    assert differs(build, build.warmups[0], build.calls[-1]) == said

"""FROM lines, variables, users, packages: what the stages are made of."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockerslim_lint.context import MemoryContext, NoContext
from dockerslim_lint.facts.build import read_build
from dockerslim_lint.facts.model import GNU_DYNAMIC, MUSL_STATIC, UNKNOWN
from dockerslim_lint.source import Source
from tests.facts.reading import only_artifact, only_image, read
from tests.syntax.dockerfiles import Maker


def test_from_by_argument() -> None:
    build = read("ARG V=1\nARG BASE=debian:bookworm-slim\nFROM rust:${V} AS b\nFROM ${BASE}\nFROM $BASE\n")
    assert [stage.reference for stage in build.stages] == ["rust:1", "debian:bookworm-slim", "debian:bookworm-slim"]
    assert [stage.variable for stage in build.stages] == ["V", "BASE", "BASE"]
    given_ = read("ARG V=1\nFROM rust:${V}\n", V="1-alpine")
    assert given_.stages[0].reference == "rust:1-alpine"


def test_from_without_a_value_is_unknown() -> None:
    (stage,) = read("ARG BASE\nFROM ${BASE}\n").stages
    assert stage.reference is None
    assert stage.image is None
    (stage,) = read("ARG V\nFROM rust:${V}-slim\n").stages
    assert stage.reference is None


@pytest.mark.parametrize(
    ("base", "platform", "cross"),
    [
        ("arm64v8/debian", "linux/arm64", False),
        ("--platform=$BUILDPLATFORM arm64v8/debian", "linux/arm64", False),
        ("--platform=linux/amd64 arm64v8/debian", "linux/arm64", False),
        ("$A/debian", "*", False),
        ("--platform=$BUILDPLATFORM debian", "*", True),
        ("debian", "", False),
    ],
)
def test_a_base_of_one_platform(base: str, platform: str, cross: bool) -> None:
    (stage,) = read(f"ARG A=arm64v8\nFROM {base}\n").stages
    assert (stage.platform, stage.cross) == (platform, cross)


DISPATCHED = """\
FROM rust:1 AS build-amd64
ENV T=x86_64-unknown-linux-musl
FROM rust:1 AS build-arm64
ENV T=aarch64-unknown-linux-musl
FROM build-${TARGETARCH}
RUN cargo build --release --target $T
"""


@pytest.mark.parametrize(
    ("old", "new", "link"),
    [
        ("x", "x", MUSL_STATIC),
        ("FROM build-", "ARG TARGETARCH\nFROM build-", MUSL_STATIC),
        ("FROM build-$", "FROM other AS build-386\nENV T=i686-unknown-linux-musl\nFROM build-$", MUSL_STATIC),
        ("ENV T=", "ENV RUSTFLAGS=-Copt-level=3 T=", MUSL_STATIC),
        ("linux-musl", "linux-gnu", GNU_DYNAMIC),
        ("ENV T=aarch64-unknown-linux-musl", "ENV T=aarch64-unknown-linux-gnu", UNKNOWN),
        ("ENV T=aarch64-unknown-linux-musl", "ENV T=riscv64gc-unknown-linux-musl", UNKNOWN),
        ("ENV T=aarch64-unknown-linux-musl", "ENV U=1", UNKNOWN),
        ("ENV T=x", 'ENV RUSTFLAGS="-C target-feature=-crt-static" T=x', UNKNOWN),
        ("FROM build-$", "FROM rust AS build-386\nFROM build-$", UNKNOWN),
        ("FROM build-${TARGETARCH}", "FROM builder-${TARGETARCH}", UNKNOWN),
        ("FROM build-${TARGETARCH}", "FROM ${TARGETARCH}", UNKNOWN),
        ("FROM build-${TARGETARCH}", "FROM build-${TARGETARCH:-amd64}", UNKNOWN),
        ("FROM build-${TARGETARCH}", "FROM build-${KIND}", UNKNOWN),
        (" --target $T", "", GNU_DYNAMIC),
    ],
)
def test_a_stage_by_platform_has_what_all_of_them_set(old: str, new: str, link: str) -> None:
    text = DISPATCHED.replace(old, new).replace("ARG TARGETARCH\n", "")
    if "KIND" in text:
        text = f"ARG KIND\n{text}"
    (call,) = read(text, {}).calls
    assert call.link == link


@pytest.mark.parametrize(
    ("first", "second", "link"),
    [
        ("rust:1", "rust:1-bookworm", GNU_DYNAMIC),
        ("rust:1-alpine", "rust:1-alpine", MUSL_STATIC),
        ("rust:1", "rust:1-alpine", UNKNOWN),
        ("rust:1", "example.com/rust", UNKNOWN),
        ("rust:1", "clux/muslrust", UNKNOWN),
    ],
)
def test_a_stage_by_platform_has_the_libc_and_the_programs_of_all(first: str, second: str, link: str) -> None:
    build = "WORKDIR /a\nRUN cargo build -r && cp target/release/app /app\n"
    bases = f"FROM {first} AS build-amd64\n@FROM {second} AS build-arm64\n@FROM build-${{TARGETARCH}} AS builder\n"
    last = "FROM debian\nCOPY --from=builder /app /\nCMD /app\n"
    (call,) = read(f"{bases.replace('@', '')}{build}{last}", {}).calls
    assert call.link == link
    ahead = read(f"{bases.replace('@', build)}{last}", {})
    assert [stage.terminal for stage in ahead.stages] == [False, False, False, True]
    assert (only_artifact(ahead)[1].link if ahead.images else UNKNOWN) == link


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("FROM debian\nARG T=1\nFROM alpine:${T}\n", 3),
        ("FROM $BASE AS unused\nFROM debian\n", 1),
        ("FROM ${REGISTRY}/debian\n", 1),
        ("FROM debian@${DIGEST}\n", 1),
        ("FROM alpine:${T}-x\n", 1),
        ("FROM alpine:${T:+3.24}\n", 1),
        ("FROM debian AS a\nFROM debian\nCOPY --from=${S:-a} /x /\n", 3),
        ("FROM debian\nARG V=1\nCOPY --from=busybox:$V /bin/sh /\n", 3),
        ("FROM debian AS a\nCOPY --from=7 /x /\nFROM debian\n", 2),
    ],
)
def test_buildkit_refuses_the_name(text: str, line: int) -> None:
    build = read(text)
    assert [(one.kind, build.source.line_of(one.span.start)) for one in build.problems] == [("instruction", line)]


@pytest.mark.parametrize(
    "text",
    [
        "ARG T\nFROM alpine:$T\n",
        "ARG T=1\nFROM debian\nARG T\nFROM alpine:$T\n",
        "FROM ${REGISTRY}alpine:3.24\n",
        "FROM alpine:3.24$SUFFIX\n",
        "FROM alpine:${T:-3.24}\n",
        "FROM alpine:${T:?which}\n",
        "FROM alpine:$TARGETARCH\n",
        "FROM debian AS a\nFROM debian\nCOPY --from=00 /x /\n",
        "FROM debian\nONBUILD COPY --from=$S /x /\n",
        "FROM debian\nONBUILD COPY --from=9 /x /\n",
    ],
)
def test_buildkit_takes_the_name(text: str) -> None:
    assert read(text).problems == ()


def test_a_value_does_not_declare_the_argument() -> None:
    assert read("FROM alpine:$T\n", T="3.24").problems
    assert not read("ARG T\nFROM alpine:$T\n", T="3.24").problems


def test_inheritance() -> None:
    build = read("FROM debian:bookworm-slim AS base\nENV A=1\nWORKDIR /x\nUSER 7\nFROM BASE AS final\n")
    assert build.stages[1].parent == 0
    assert build.stages[1].image is not None
    assert build.stages[1].base_reference == "debian:bookworm-slim"
    assert [stage.terminal for stage in build.stages] == [False, True]


def test_build_platform() -> None:
    build = read("FROM --platform=$BUILDPLATFORM rust:1 AS b\nFROM b\nFROM --platform=linux/amd64 debian\n")
    assert [stage.cross for stage in build.stages] == [True, True, False]
    assert build.stages[2].platform == "linux/amd64"


def test_target_stage_is_terminal() -> None:
    build = read("FROM rust:1 AS a\nFROM debian AS b\nCOPY --from=a /x /x\n", target="a")
    assert [stage.terminal for stage in build.stages] == [True, True]


def test_mounts_use_a_stage() -> None:
    build = read("FROM rust:1 AS a\nFROM debian\nRUN --mount=type=bind,from=a,target=/m true\n")
    assert build.stages[1].uses == (0,)
    assert not build.stages[0].terminal


@pytest.mark.parametrize(
    ("step", "name", "uid"),
    [
        ("useradd app", "app", ""),
        ("useradd -r -u 1001 -s /bin/false app", "app", "1001"),
        ("useradd --uid=5 app", "app", "5"),
        ("adduser --disabled-password --gecos '' --uid 10 app", "app", "10"),
        ("adduser -D -H -u 10 app", "app", "10"),
        ("adduser -S app -G users", "app", ""),
    ],
)
def test_users(step: str, name: str, uid: str) -> None:
    build = read(
        f"FROM rust:1 AS b\nRUN cargo build\nFROM debian\nRUN {step}\nCOPY --from=b /target/debug/app /x\nUSER app\n"
    )
    (user,) = only_image(build).users
    assert (user.name, user.uid) == (name, uid)


@pytest.mark.parametrize(
    ("step", "packages"),
    [
        ("apt-get install -y curl", ("curl",)),
        (
            "apt-get update && apt-get install -y --no-install-recommends ca-certificates=20230311 libssl3/stable",
            ("ca-certificates", "libssl3"),
        ),
        ("apt-get -t testing install curl", ("curl",)),
        ("apk add --no-cache --virtual .deps curl", ("curl",)),
        ("dnf -y install openssl", ("openssl",)),
    ],
)
def test_packages(step: str, packages: tuple[str, ...]) -> None:
    build = read(f"FROM rust:1 AS b\nRUN cargo build\nFROM debian\nRUN {step}\nCOPY --from=b /target/debug/app /x\n")
    assert [install.packages for install in only_image(build).installs] == [packages]


def test_variable_only_the_builder_sets_is_empty_in_another_stage() -> None:
    build = read(
        "FROM rust:1 AS b\nENV BIN=app\nRUN cargo build -r\nFROM debian\nCOPY --from=b /target/release/$BIN /opt/\n"
    )
    (transfer,) = build.transfers
    assert transfer.sources == ("/target/release/",)


def test_environment_wins_over_argument() -> None:
    build = read("FROM debian\nARG D=/a\nENV D=/b\nARG D=/c\nWORKDIR $D\nFROM rust:1 AS b\n")
    assert build.stages[0].image is not None
    workdir = read("FROM rust:1 AS b\nARG D=/a\nENV D=/b\nARG D=/c\nWORKDIR $D\nRUN cargo build\n")
    assert workdir.calls[0].output == "/b/target/debug"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "fatal"),
        ("# only\n", "fatal"),
        ("RUN x\n", "fatal"),
        ("FROM a\nRNU x\n", "unknown"),
        ("FROM a\nCOPY x\n", "instruction"),
        ("RUN x\nFROM a\n", "instruction"),
        ("# syntax=example.com/x\nFROM a\nRNU\n", "frontend"),
    ],
)
def test_problems(text: str, kind: str) -> None:
    assert [problem.kind for problem in read(text).problems] == [kind]


@settings(max_examples=150, deadline=None, derandomize=True)
@given(seed=st.integers(0, 1_000_000))
def test_any_dockerfile_can_be_read(seed: int) -> None:
    read_build(Source(Maker(Random(seed)).file()), NoContext(), {})


@settings(max_examples=150, deadline=None, derandomize=True)
@given(data=st.binary(max_size=200))
def test_any_bytes_can_be_read(data: bytes) -> None:
    files = {
        "Cargo.toml": data,
        "Cargo.lock": data,
        ".dockerignore": data,
        ".cargo/config.toml": data,
        "rust-toolchain": data,
    }
    text = b'FROM rust:1\nWORKDIR /a\nCOPY . .\nRUN cargo build --release\nCMD ["./target/release/x"]\n'
    build = read_build(Source(text), MemoryContext(files), {})
    assert build.contents.top_level is not None
    for crate in build.crates:
        assert crate is None or crate.packages is None or isinstance(crate.packages, tuple)
    read_build(Source(b"FROM rust:1\nRUN " + data), NoContext(), {})

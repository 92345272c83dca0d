"""Platforms where ``uname -m`` is no target, and builders that compile for another machine than their own."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from dockerslim_lint.candidates import find_candidates
from dockerslim_lint.catalog import platforms
from dockerslim_lint.config import Settings
from dockerslim_lint.context import MemoryContext
from dockerslim_lint.edit import Fix
from dockerslim_lint.facts.build import read_build
from dockerslim_lint.facts.model import MUSL_STATIC
from dockerslim_lint.source import Source
from tests.facts.reading import CRATE, locked
from tests.plan.test_withheld import CLASSIC, LOCK, SINGLE, fix, reason

BOTH = ("linux/amd64", "linux/arm64")

LOCKED = {**CRATE, "Cargo.lock": LOCK.format("itoa")}

CROSSING = CLASSIC.replace("FROM rust", "FROM --platform=$BUILDPLATFORM rust")


def candidates(
    text: str,
    asked: tuple[str, ...] = BOTH,
    files: dict[str, str] | None = None,
    prefer: tuple[str, ...] = (),
) -> dict[str, str]:
    """The text that each choice makes, preferred first."""
    context = MemoryContext({path: body.encode() for path, body in (LOCKED if files is None else files).items()})
    source = Source(text.encode())
    found = find_candidates(source, context, Settings(platforms=asked, prefer=prefer))
    return {one.fix.choice: one.source.data.decode() for one in found if isinstance(one.fix, Fix)}


def first(text: str, asked: tuple[str, ...] = BOTH, files: dict[str, str] | None = None) -> str:
    return next(iter(candidates(text, asked, files).values()))


def scripts(text: str) -> list[str]:
    """The steps that choose the target, as the shell gets them."""
    build = read_build(Source(text.encode()), MemoryContext({}), {})
    steps = [one for one in build.instructions if one.keyword == "RUN" and "case" in build.source.text(one.span)]
    return [one.body.data.decode() for one in steps]


def chosen(script: str, place: Path, architecture: str, variant: str = "") -> tuple[int, str, str]:
    """Exit code, chosen target and messages of the step under /bin/sh, its file at `place` and rustup a program that prints."""
    place.mkdir(exist_ok=True)
    rustup = place / "rustup"
    rustup.write_text('#!/bin/sh\necho "$@"\n')
    rustup.chmod(0o755)
    done = subprocess.run(
        [shutil.which("sh") or "/bin/sh", "-c", script.replace("/rust-target", str(place / "rust-target"))],
        env={"PATH": f"{place}:/usr/bin:/bin", "TARGETARCH": architecture, "TARGETVARIANT": variant},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.strip(), done.stderr


def test_the_step_chooses_the_target_of_each_platform(tmp_path: Path) -> None:
    names = ["amd64", "arm64", "arm/v7", "arm/v6", "arm/v5", "386", "ppc64le", "riscv64", "loong64", "ppc64"]
    text = candidates(CLASSIC, tuple(f"linux/{name}" for name in names), prefer=("scratch",))["scratch cross"]
    (script,) = scripts(text)
    assert "ARG TARGETARCH TARGETVARIANT\n" in text
    for name in names:
        row = platforms.lookup(name)
        assert row is not None
        assert chosen(script, tmp_path, row.architecture, row.variant) == (0, f"target add {row.musl}", "")
    assert chosen(script, tmp_path, "amd64", "v3")[1] == "target add x86_64-unknown-linux-musl"
    code, printed, message = chosen(script, tmp_path, "s390x")
    assert (code, printed, message) == (1, "", "no Rust target for s390x\n")


def test_without_arm_the_variant_is_not_asked_for(tmp_path: Path) -> None:
    text = first(CLASSIC)
    (script,) = scripts(text)
    assert "ARG TARGETARCH\n" in text
    assert "TARGETVARIANT" not in text
    assert chosen(script, tmp_path, "arm64")[1] == "target add aarch64-unknown-linux-musl"
    assert chosen(script, tmp_path, "amd64", "v2")[1] == "target add x86_64-unknown-linux-musl"
    assert chosen(script, tmp_path, "")[0] == 1


def test_crossing_comes_first_and_the_emulated_build_behind_it() -> None:
    found = candidates(CLASSIC)
    assert [*found][:4] == ["distroless/static cross", "distroless/static", "alpine cross", "alpine"]
    assert "FROM --platform=$BUILDPLATFORM rust:1 AS builder\n" in found["distroless/static cross"]
    assert "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER=rust-lld" in found["distroless/static cross"]
    assert "uname" not in found["distroless/static cross"]
    assert '--target "$(uname -m)"-unknown-linux-musl' in found["distroless/static"]
    assert "BUILDPLATFORM" not in found["distroless/static"]


@pytest.mark.parametrize("asked", [(), BOTH[:1], BOTH[1:]])
def test_one_platform_needs_no_crossing(asked: tuple[str, ...]) -> None:
    assert not any(name.endswith("cross") for name in candidates(CLASSIC, asked))


def test_what_is_written_is_static() -> None:
    files = MemoryContext({path: body.encode() for path, body in LOCKED.items()})
    for asked in (BOTH, ("linux/arm/v7",), ("linux/riscv64",), ("linux/amd64", "linux/arm/v6", "linux/riscv64")):
        for name, text in candidates(CLASSIC, asked, prefer=("scratch",)).items():
            build = read_build(Source(text.encode()), files, {}, None, asked)
            ((path, artifact),) = build.images[0].artifacts
            assert path == "/usr/local/bin/app"
            assert artifact.link == MUSL_STATIC or name in ("distroless/cc", "debian-slim")


def test_where_the_target_is_not_static_by_itself_it_is_told() -> None:
    setting = 'CARGO_TARGET_RISCV64GC_UNKNOWN_LINUX_MUSL_RUSTFLAGS="-C target-feature=+crt-static"'
    assert setting in first(CLASSIC, ("linux/riscv64",))
    assert "RUSTFLAGS" not in first(CLASSIC, ("linux/arm/v7",))
    with_flags = CLASSIC.replace("RUN cargo", 'ENV RUSTFLAGS="-C opt-level=3"\nRUN cargo')
    assert "flags" in reason(with_flags, LOCKED, settings=Settings(platforms=("linux/riscv64",)))


def test_paths_follow_the_target() -> None:
    text = CLASSIC.replace("--release\n", "--release && cp target/release/app /app.bin && ls 'target'\n")
    text = text.replace("/app/target/release/app", "/app.bin")
    assert 'cp target/"$(cat /rust-target)"/release/app /app.bin' in first(text)
    assert "/app/target/*-linux-musl/release/app" in first(CLASSIC)
    assert "/app/target/*-linux-musleabihf/release/app" in first(CLASSIC, ("linux/arm/v7",))
    assert "/app/target/*-linux-musl*/release/app" in first(CLASSIC, ("linux/amd64", "linux/arm/v7"))


def test_arguments_are_declared_once() -> None:
    declared = CLASSIC.replace("WORKDIR /app\n", "ARG TARGETARCH\nWORKDIR /app\n")
    assert first(declared).count("ARG TARGETARCH") == 1
    assert "\nARG TARGETVARIANT\n" in first(declared, ("linux/arm/v7",))
    fixed = CLASSIC.replace("WORKDIR /app\n", "ARG TARGETARCH=amd64\nWORKDIR /app\n")
    assert not any("/rust-target" in text for text in candidates(fixed).values())


def test_other_escape_and_lower_case() -> None:
    text = f"# escape=`\n{CLASSIC}".replace("RUN", "run").replace("COPY . .", "copy . .")
    written = first(text)
    assert 'run case "$TARGETARCH" in `\n' in written
    assert "arg TARGETARCH\n" in written
    assert "\\" not in written


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("RUN cargo build --release", "RUN cargo build --release && strip target/release/app"),
        ("RUN cargo build --release", "RUN cargo build --release && ./target/release/app --version"),
        ("FROM debian", "FROM builder AS x\nFROM debian"),
        ("COPY --from", "COPY --from=builder /usr/bin/tini /usr/bin/tini\nCOPY --from"),
        ("FROM rust:1 AS", "FROM --platform=linux/amd64 rust:1 AS"),
        ("RUN cargo", "ENV RUSTFLAGS=-Ctarget-cpu=native\nRUN cargo"),
        ("RUN cargo", "USER 1000\nRUN cargo"),
        ("FROM rust:1 AS", "FROM clux/muslrust:stable AS"),
        ("FROM rust:1 AS", "FROM --platform=$OTHER rust:1 AS"),
    ],
)
def test_no_crossing(old: str, new: str) -> None:
    text = CLASSIC.replace(old, new)
    assert text != CLASSIC
    found = [name for name in candidates(text) if name.endswith("cross")]
    assert bool(found) is new.startswith("FROM builder AS x")  # near miss: a stage of its own that ships nothing


def test_files_for_any_machine_go_along() -> None:
    for line in (
        "COPY --from=builder /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/",
        "COPY --from=builder /usr/share/zoneinfo /usr/share/zoneinfo",
        "COPY --from=builder /app/static ./static",
    ):
        assert "distroless/static cross" in candidates(CLASSIC.replace("COPY --from", f"{line}\nCOPY --from"))


RING = locked(ring="=0.17.14 cc", cc="")


def crosses(text: str, files: dict[str, str] = RING, asked: tuple[str, ...] = BOTH) -> bool:
    return any(name.endswith("cross") for name in candidates(text, asked, files))


@pytest.mark.parametrize(
    "files",
    [
        locked(aws__lc__sys="=0.37.0 cc", cc=""),  # compiles for musl, was never crossed
        locked(ring="=0.17.14 cc libmimalloc-sys", cc="", libmimalloc__sys=""),
        locked(openssl="openssl-sys", openssl__sys="openssl-src", openssl__src=""),
        locked(unheard__of__sys=""),
    ],
)
def test_c_code_that_was_not_crossed_is_emulated(files: dict[str, str]) -> None:
    assert not crosses(CLASSIC, files)


def test_unknown_crates_are_emulated() -> None:
    assert not any(name.endswith("cross") for name in candidates(SINGLE))
    assert not crosses(CLASSIC, CRATE)


def test_bindings_of_another_system_are_no_c_code() -> None:
    text = candidates(CLASSIC, files=locked(windows__sys=""))["distroless/static cross"]
    assert "musl-dev" not in text
    assert "CC_" not in text


def test_c_code_gets_a_compiler_for_the_platform() -> None:
    text = candidates(CLASSIC, files=RING)["distroless/static cross"]
    install = """\
RUN dpkg --add-architecture "$TARGETARCH" && apt-get update \\
 && apt-get install -y --no-install-recommends musl-dev:"$TARGETARCH"
"""
    assert text.index("ARG TARGETARCH\n") < text.index(install) < text.index("cargo build")
    assert "CC_x86_64_unknown_linux_musl=x86_64-linux-musl-gcc" in text
    assert "CC_aarch64_unknown_linux_musl=aarch64-linux-musl-gcc" in text
    assert "musl-tools" not in text
    assert "dpkg" not in candidates(CLASSIC, files=RING)["distroless/static"]
    assert "linux/arm/v7" in reason(CLASSIC, RING, Settings(platforms=("linux/arm/v7",)))


def test_c_code_in_an_escaped_file_and_one_in_lower_case() -> None:
    text = f"# escape=`\n{CLASSIC}".replace("RUN", "run").replace("COPY . .", "copy . .")
    written = candidates(text, files=RING)["distroless/static cross"]
    assert 'run dpkg --add-architecture "$TARGETARCH" && apt-get update `\n && apt-get install' in written


def test_a_builder_on_the_build_platform_gets_the_compiler_too() -> None:
    for asked in ((), BOTH, BOTH[1:]):
        assert 'musl-dev:"$TARGETARCH"' in first(CROSSING, asked, RING)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("FROM rust:1 ", "FROM rust:1-bullseye "),
        ("FROM rust:1 ", "FROM rust:1-bookworm "),
        ("RUN cargo", "ENV CC=gcc\nRUN cargo"),
        ("RUN cargo", "ENV CFLAGS_x86_64_unknown_linux_musl=-O3\nRUN cargo"),
        ("RUN cargo build", "RUN TARGET_CC=musl-gcc cargo build"),
        ("RUN cargo", "ENV ARCH=x CCACHE_DIR=/x TARGET_FLAG=\nRUN cargo"),
    ],
)
def test_what_chooses_a_c_compiler(old: str, new: str) -> None:
    text = CLASSIC.replace(old, new)
    assert text != CLASSIC
    assert crosses(text) is ("bookworm" in new or "CCACHE" in new)
    assert crosses(text, LOCKED)  # near miss: nothing compiles C


def test_steps_of_the_final_stage_would_be_emulated() -> None:
    text = CLASSIC.replace('CMD ["app"]', 'RUN apt-get update && apt-get install -y curl\nCMD ["app"]')
    found = candidates(text)
    assert "alpine" in found
    assert "alpine cross" not in found


def test_a_builder_on_the_build_platform_gets_both_targets() -> None:
    for asked in ((), BOTH, BOTH[1:]):
        text = first(CROSSING, asked)
        assert ("amd64) echo" in text) is (asked != BOTH[1:])
        assert "arm64) echo aarch64-unknown-linux-musl ;;" in text
        assert "LINKER=rust-lld" in text
    assert "$BUILDPLATFORM" in first(CLASSIC.replace("FROM rust", "FROM --platform=$TARGETPLATFORM rust"))


def test_images_that_are_not_there_for_a_platform() -> None:
    assert next(iter(candidates(CLASSIC, ("linux/386",)))) == "alpine"
    assert "distroless/static is not there" in reason(CLASSIC, LOCKED, settings=Settings(platforms=("linux/loong64",)))
    old = CLASSIC.replace("rust:1 ", "rust:1.70 ")
    assert "from Rust 1.82 on" in reason(old, LOCKED, settings=Settings(platforms=("linux/riscv64",)))


def test_chef_cooks_for_the_same_target() -> None:
    text = """\
FROM rust:1 AS chef
RUN cargo install cargo-chef --locked
WORKDIR /app
FROM chef AS planner
COPY . .
RUN cargo chef prepare --recipe-path recipe.json
FROM chef AS builder
COPY --from=planner /app/recipe.json recipe.json
RUN cargo chef cook --release --recipe-path recipe.json
COPY . .
RUN cargo build --release --bin app
FROM debian:bookworm-slim
COPY --from=builder /app/target/release/app /usr/local/bin/app
CMD ["app"]
"""
    written = candidates(text)["distroless/static cross"]
    assert written.startswith("FROM --platform=$BUILDPLATFORM rust:1 AS chef\n")
    assert written.count('--target "$(cat /rust-target)"') == 2
    assert written.count("RUN case") == 1
    assert written.index("RUN case") < written.index("cargo chef cook")


NAMED = """\
FROM --platform=$BUILDPLATFORM rust:1 AS builder
ARG TARGETARCH
WORKDIR /app
# for x86_64-unknown-linux-gnu
RUN case "$TARGETARCH" in \\
      amd64) echo x86_64-unknown-linux-gnu > /target ;; \\
      arm64) echo aarch64-unknown-linux-gnu > /target ;; \\
    esac && rustup target add $(cat /target)
ENV CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
COPY . .
RUN cargo build --release --target $(cat /target) && cp target/$(cat /target)/release/app /app.bin
FROM debian:bookworm-slim
COPY --from=builder /app.bin /usr/local/bin/app
CMD ["app"]
"""


def test_named_targets_become_musl_ones() -> None:
    text = candidates(NAMED)["distroless/static"]
    assert "amd64) echo x86_64-unknown-linux-musl > /target ;;" in text
    assert "arm64) echo aarch64-unknown-linux-musl > /target ;;" in text
    assert "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER=aarch64-linux-gnu-gcc" in text
    assert "# for x86_64-unknown-linux-gnu\n" in text
    assert "/rust-target" not in text


def test_a_named_target_without_a_step_that_installs_it() -> None:
    text = CLASSIC.replace("--release\n", "--release --target x86_64-unknown-linux-gnu\n")
    text = text.replace("/app/target/release", "/app/target/x86_64-unknown-linux-gnu/release")
    written = first(text, BOTH[:1])
    assert "RUN rustup target add x86_64-unknown-linux-musl\nRUN" in written
    assert "cargo build --release --target x86_64-unknown-linux-musl\n" in written
    assert "/app/target/x86_64-unknown-linux-musl/release/app" in written


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("arm64) echo aarch64-", "s390x) echo s390x-", "s390x-unknown-linux-musl is no target"),
        ("arm64) echo aarch64-", "riscv64) echo riscv64gc-", "is not static by itself"),
        ("ENV CARGO", "ENV RUSTFLAGS=-Ctarget-cpu=native\nENV CARGO", "flags"),
        ("cargo build", "cargo +nightly build", "+nightly"),
        ("--target $(cat /target)", '--target "$(uname -m)-unknown-linux-gnu"', "building machine's"),
    ],
)
def test_named_targets_that_stay(old: str, new: str, said: str) -> None:
    text = NAMED.replace(old, new)
    assert text != NAMED
    assert said in reason(text, LOCKED)


def test_named_targets_with_c_code_stay() -> None:
    assert "C code" in reason(NAMED, locked(ring="=0.17.14 cc", cc=""))


ARGUMENT = """\
ARG TARGET=x86_64-unknown-linux-gnu
FROM rust:1-bookworm AS builder
ARG TARGET
WORKDIR /app
COPY . .
RUN rustup target add ${TARGET} && cargo build --release --target ${TARGET}
FROM debian:bookworm-slim
ARG TARGET
COPY --from=builder /app/target/${TARGET}/release/app /usr/local/bin/app
CMD ["app"]
"""


@pytest.mark.parametrize(
    "text", [ARGUMENT, ARGUMENT.replace("\nARG TARGET\nWORKDIR", "\nARG TARGET=x86_64-unknown-linux-gnu\nWORKDIR")]
)
def test_a_default_becomes_a_musl_target_and_the_cost_says_who_keeps_theirs(text: str) -> None:
    fixed = fix(text, LOCKED)
    (slim,) = [one.fix for one in fixed.applied if one.fix.key.startswith("slim:")]
    after = fixed.source.data.decode()
    assert slim.choice == "distroless/static"
    assert slim.cost.count("builds that pass TARGET=… keep what they pass: pass a musl target") == 1
    assert "-gnu" not in after
    assert "COPY --from=builder /app/target/${TARGET}/release/app" in after


def test_an_argument_that_also_names_a_base_stays() -> None:
    text = ARGUMENT.replace(
        "FROM debian:bookworm-slim", "FROM debian:bookworm-slim AS x86_64-unknown-linux-gnu\nFROM ${TARGET}"
    )
    assert "ARG TARGET=x86_64-unknown-linux-gnu\n" in fix(text, LOCKED).source.data.decode()


def test_a_target_that_nobody_can_pass_costs_nothing_more() -> None:
    text = CLASSIC.replace("--release\n", "--release --target x86_64-unknown-linux-gnu\n")
    text = text.replace("/app/target/release", "/app/target/x86_64-unknown-linux-gnu/release")
    (slim,) = [one.fix for one in fix(text, LOCKED).applied if one.fix.key.startswith("slim:")]
    assert slim.choice == "distroless/static"
    assert "builds that pass" not in slim.cost

"""Platforms, commands, packages, native crates and build inputs by the spellings that Dockerfiles use."""

from __future__ import annotations

import subprocess
import sys

import pytest

from dockerslim_lint.catalog import buildfiles, commands, glibc, natives, packages, platforms


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("linux/amd64", "amd64"),
        ("linux/amd64/v1", "amd64"),
        ("linux/amd64/v3", "amd64"),
        ("amd64", "amd64"),
        ("linux/x86_64", "amd64"),
        ("linux/arm64", "arm64"),
        ("linux/arm64/v8", "arm64"),
        ("aarch64", "arm64"),
        ("linux/arm", "arm/v7"),
        ("linux/armhf", "arm/v7"),
        ("linux/armel", "arm/v6"),
        ("linux/arm/v6", "arm/v6"),
        ("linux/386", "386"),
        ("Linux/AMD64", "amd64"),
    ],
)
def test_platforms_are_normalised_as_a_builder_does(text: str, name: str) -> None:
    found = platforms.lookup(text)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("text", ["linux", "windows/amd64", "linux/mips64le", "", "$TARGETPLATFORM", "linux/arm64/v9"])
def test_unknown_platforms(text: str) -> None:
    assert platforms.lookup(text) is None


def test_the_uname_idiom_is_right_on_two_platforms_only() -> None:
    idiom = [row for row in platforms.platforms() if row.uname_idiom]
    assert [row.name for row in idiom] == ["amd64", "arm64"]
    assert all(row.musl == f"{row.uname}-unknown-linux-musl" and row.crt_static for row in idiom)


def test_targets_and_machines() -> None:
    arm = platforms.by_target("armv7-unknown-linux-musleabihf")
    assert arm is not None
    assert (arm.name, arm.architecture, arm.variant, arm.bits) == ("arm/v7", "arm", "v7", 32)
    assert platforms.by_target("wasm32-unknown-unknown") is None
    assert [row.name for row in platforms.by_machine(62, 64)] == ["amd64"]
    assert [row.name for row in platforms.by_machine(40, 32)] == ["arm/v7", "arm/v6", "arm/v5"]
    assert [row.name for row in platforms.by_machine(21, 64)] == ["ppc64le"]
    assert [row.name for row in platforms.by_machine(21, 64, big_endian=True)] == ["ppc64"]
    s390x = platforms.lookup("linux/s390x")
    assert s390x is not None
    assert not s390x.std and s390x.tier == 3


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("cargo", "known"),
        ("/usr/local/cargo/bin/cargo", "known"),
        ("/root/.cargo/bin/cargo", "known"),
        ("cp", "known"),
        ("/bin/mv", "known"),
        ("aarch64-linux-gnu-strip", "known"),
        ("llvm-objcopy", "known"),
        ("sudo", "known"),
        ("mkdir", "inert"),
        ("git", "inert"),
        ("curl", "inert"),
        ("apt", "inert"),
        ("apt-get", "inert"),
        ("apk", "inert"),
        ("rustup", "inert"),
        ("useradd", "inert"),
        ("[", "inert"),
        (":", "inert"),
        ("make", "opaque"),
        ("just", "opaque"),
        ("sh", "opaque"),
        ("./build.sh", "opaque"),
        ("./cargo", "opaque"),
        ("/app/cp", "opaque"),
        ("scripts/install", "opaque"),
        ("tar", "opaque"),
        ("never-heard-of", "opaque"),
        ("$CARGO", "opaque"),
        ("", "opaque"),
    ],
)
def test_commands(name: str, kind: str) -> None:
    assert commands.classify(name) == kind


def test_command_names_and_titles() -> None:
    assert commands.canonical("/usr/bin/x86_64-linux-gnu-strip") == "strip"
    assert commands.canonical("./strip") == "./strip"
    assert commands.canonical("apt") == "apt-get"
    assert commands.is_wrapper("env") and commands.is_wrapper("/usr/bin/time") and not commands.is_wrapper("sh")
    assert commands.title("make") == "a build tool that may call cargo"
    assert commands.title("./build.sh") == ""


@pytest.mark.parametrize(
    ("manager", "name", "role", "static_needless", "in_static", "alpine"),
    [
        ("apt-get", "ca-certificates", "certificates", False, True, "ca-certificates"),
        ("apk", "ca-certificates", "certificates", False, True, "ca-certificates"),
        ("apt-get", "tzdata", "tzdata", False, True, "tzdata"),
        ("apt-get", "openssl", "tls-library", True, False, "openssl"),
        ("apt-get", "libssl-dev", "tls-library", True, False, "libssl3"),
        ("apt-get", "libssl3", "tls-library", True, False, "libssl3"),
        ("apt-get", "libssl3t64", "tls-library", True, False, "libssl3"),
        ("apt-get", "libssl1.1", "tls-library", True, False, "libssl1.1"),
        ("apk", "libgcc", "c-library", True, False, "libgcc"),
        ("apt-get", "libgcc-s1", "c-library", True, False, "libgcc"),
        ("apt-get", "libc6", "c-library", True, False, "gcompat"),
        ("apt-get", "libstdc++6", "c-library", True, False, "libstdc++"),
        ("apt-get", "zlib1g", "compression-library", True, False, ""),
        ("apt-get", "libpq5", "database-client-library", True, False, "libpq"),
        ("apt-get", "libpq-dev", "database-client-library", True, False, "libpq-dev"),
        ("apt-get", "curl", "tool", False, False, "curl"),
        ("apt-get", "wget", "tool", False, False, "wget"),
        ("apt-get", "git", "tool", False, False, "git"),
        ("apt-get", "jq", "tool", False, False, "jq"),
        ("apt-get", "procps", "tool", False, False, "procps"),
        ("apt-get", "postgresql-client", "tool", False, False, "postgresql-client"),
        ("apt-get", "postgresql-client-16", "tool", False, False, "postgresql-client"),
        ("apt-get", "libcap2-bin", "tool", False, False, "libcap-utils"),
        ("apt-get", "iproute2", "tool", False, False, "iproute2"),
        ("apt-get", "iputils-ping", "tool", False, False, "iputils-ping"),
        ("apt-get", "bash", "shell", False, False, "bash"),
        ("apt-get", "tini", "init", False, False, "tini"),
        ("apt-get", "dumb-init", "init", False, False, "dumb-init"),
        ("apt-get", "gnupg", "housekeeping", True, False, "gnupg"),
        ("apt-get", "pkg-config", "build-only", True, False, ""),
        ("apt-get", "build-essential", "build-only", True, False, ""),
        ("apt-get", "protobuf-compiler", "build-only", True, False, ""),
        ("apt-get", "libudev1", "library", True, False, ""),
        ("apt-get", "cuda-compat-12-9", "plugin-library", False, False, ""),
        ("dnf", "openssl-libs", "tls-library", True, False, "libssl3"),
        ("zypper", "libpq5", "database-client-library", True, False, "libpq"),
        ("zypper", "libsqlite3-0", "database-client-library", True, False, "sqlite-libs"),
        ("zypper", "libz1", "compression-library", True, False, ""),
        ("dnf", "ffmpeg-free", "tool", False, False, "ffmpeg"),
        ("yum", "glibc-all-langpacks", "c-library", True, False, "gcompat"),
        ("microdnf", "libcurl-minimal", "library", True, False, ""),
        ("microdnf", "shadow-utils", "housekeeping", True, False, ""),
    ],
)
def test_packages(manager: str, name: str, role: str, static_needless: bool, in_static: bool, alpine: str) -> None:
    found = packages.lookup(manager, name)
    assert found is not None
    assert found[:4] == (name, role, static_needless, in_static)
    assert found.alpine == alpine


@pytest.mark.parametrize(
    "text", ["curl=7.88.1-10", "curl:arm64", "curl/bookworm-backports", "curl@edge", "curl>8", "curl~=8.5"]
)
def test_a_pinned_package_is_the_package(text: str) -> None:
    found = packages.lookup("apt", text)
    assert found is not None
    assert (found.name, found.programs) == ("curl", ("curl",))


def test_package_near_misses() -> None:
    assert packages.lookup("apt-get", "libcurl") is None
    assert packages.lookup("apt-get", "my-own-package") is None
    assert packages.lookup("pacman", "curl") is None
    assert packages.lookup("apk", "libgcc-s1") is None
    tini = packages.lookup("apt", "tini")
    assert tini is not None
    assert (tini.path, tini.alpine_path) == ("/usr/bin/tini", "/sbin/tini")
    assert [package.name for package in packages.with_program("psql")] == ["postgresql-client"]
    assert packages.with_program("nothing") == ()


def test_natives() -> None:
    openssl = natives.lookup("openssl-sys")
    assert openssl is not None
    assert (openssl.verdict, openssl.vendored_by, openssl.needs_c, openssl.needs_cxx) == (
        "static-ok-with",
        "openssl-src",
        True,
        False,
    )
    rocksdb = natives.lookup("librocksdb-sys")
    assert rocksdb is not None and rocksdb.needs_cxx
    bindgen = natives.lookup("bindgen")
    assert bindgen is not None and bindgen.build_only and not bindgen.needs_c
    torch = natives.lookup("torch-sys")
    assert torch is not None and torch.verdict == "not-on-musl"
    jemalloc = natives.lookup("tikv-jemalloc-sys")
    assert jemalloc is not None and jemalloc.allocator
    aws = natives.lookup("aws-lc-sys")
    assert aws is not None and aws.bad_versions == ("0.32.0",)
    assert natives.lookup("serde") is None
    assert natives.lookup("openssl_sys") is None


INPUTS = (
    "src tests benches examples target Cargo.toml Cargo.lock build.rs .cargo rust-toolchain rust-toolchain.toml .git"
)
INPUTS += " .gitignore .github Dockerfile Dockerfile.dev .dockerignore README.md LICENSE-MIT crates"
INPUTS += (
    " Jenkinsfile .hadolint.yaml .prettierrc.json typos.toml flake.nix Procfile .env.example .sqlx xtask ROADMAP.md"
)
READ_AT_RUN_TIME = (
    "static templates migrations config config.toml assets public data .env Rocket.toml entrypoint.sh Srcs"
)
READ_AT_RUN_TIME += (
    " docs docs.md about.md k8s deploy release.toml default.toml scripts proto charts package.json nginx.conf"
)
READ_AT_RUN_TIME += " vendor diesel.toml log4rs.yaml openapi.yaml source cargo"


@pytest.mark.parametrize("name", INPUTS.split())
def test_build_inputs(name: str) -> None:
    assert buildfiles.is_build_input(name)


@pytest.mark.parametrize("name", READ_AT_RUN_TIME.split())
def test_what_a_program_may_read_is_no_build_input(name: str) -> None:
    assert not buildfiles.is_build_input(name)


@pytest.mark.parametrize(
    ("built", "base", "versions"),
    [
        ("2.36", "2.31", ["2.34"]),
        ("2.41", "2.36", ["2.38", "2.39"]),
        ("2.36", "2.35", []),
        ("2.31", "2.28", ["2.29"]),
        ("2.41", "2.41", []),
        ("2.31", "2.41", []),
    ],
)
def test_steps_of_glibc(built: str, base: str, versions: list[str]) -> None:
    assert [step.version for step in glibc.steps(built, base)] == versions
    assert glibc.is_newer(built, base) == (float(built) > float(base))


def test_importing_the_views_reads_no_table() -> None:
    code = (
        "from dockerslim_lint.catalog import buildfiles, commands, images, natives, packages, platforms, tables\n"
        "assert tables.table.cache_info().currsize == 0\n"
        "images.lookup('rust:1'); images.lookup('debian:bookworm-slim'); images.choice('distroless/static')\n"
        "assert tables.table.cache_info().currsize == 1, 'the usual images must not load the seldom ones'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)

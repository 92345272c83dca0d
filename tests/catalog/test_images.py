"""Base images by many spellings, and the near misses that must stay unknown."""

from __future__ import annotations

import pytest

from dockerslim_lint.catalog import images
from dockerslim_lint.catalog.images import BaseImage, choice, choices, lookup
from dockerslim_lint.catalog.references import parse_reference


def found(reference: str) -> BaseImage:
    """The image, which has to be known."""
    image = lookup(reference)
    assert image is not None, reference
    return image


@pytest.mark.parametrize(
    "reference",
    [
        "rust",
        "rust:latest",
        "rust:1",
        "library/rust",
        "docker.io/rust:1",
        "docker.io/library/rust:1",
        "index.docker.io/library/rust",
        "registry-1.docker.io/library/rust",
        "public.ecr.aws/docker/library/rust:latest",
        "mirror.gcr.io/library/rust:1",
        "rust:1@sha256:" + "0" * 64,
        "rust:trixie",
        "rust:1-trixie",
        "rust:1.98.1-trixie",
    ],
)
def test_spellings_of_the_official_rust_image(reference: str) -> None:
    image = found(reference)
    assert (image.repository, image.family, image.title) == ("rust", "rust", "rust")
    assert (image.release, image.libc, image.libc_version, image.host_libc) == ("trixie", "glibc", "2.41", "glibc")
    assert image.toolchain and image.fat and image.understood and not image.slim
    assert image.cargo_home == "/usr/local/cargo"
    assert image.path.startswith("/usr/local/cargo/bin:")
    assert image.reference == reference


@pytest.mark.parametrize(
    "reference",
    [
        "rusty/rust",
        "rust-lang/rust",
        "myregistry.com/rust:1",
        "myregistry.com/library/rust:1",
        "localhost:5000/rust",
        "localhost/rust",
        "registry.example.com:5000/docker.io/library/debian",
        "gcr.io/rust",
        "quay.io/debian",
        "ghcr.io/lukemathwalker/cargo-chef",
        "mcr.microsoft.com/dotnet/runtime-deps:8.0",
        "mcr.microsoft.com/rust",
        "public.ecr.aws/lambda/provided:al2023",
        "paritytech/polkadot",
        "rust-slim",
        "debian-slim",
        "debian-trixie",
        "arm64v8/rustlang/rust",
        "arm64v8/haproxy",
        "arm64/debian",
        "aarch64/debian",
        "myregistry.com/arm64v8/debian",
        "quay.io/amd64/debian",
        "debian/arm64v8",
        "arm64v8",
        "gcr.io/distroless/java-debian12",
        "gcr.io/distroless/static-debian99",
        "gcr.io/other/static",
        "distroless/static",
        "ruby:3.3-slim-bookworm",
        "golang:1.25-alpine",
        "haproxy",
        "mysql:8",
        "rocm/dev-ubuntu-22.04:6.0",
        "builder",
        "",
        "RUST",
        "rust:",
        "$BASE",
        "${REGISTRY}/rust:1",
        "rust$SUFFIX:1",
        "rust/",
        "-rust",
    ],
)
def test_near_misses_are_unknown(reference: str) -> None:
    assert lookup(reference) is None


@pytest.mark.parametrize(
    ("reference", "release", "libc_version", "slim"),
    [
        ("rust:1.98", "trixie", "2.41", False),
        ("rust:1.89", "trixie", "2.41", False),
        ("rust:1.88.0", "bookworm", "2.36", False),
        ("rust:1.71", "bookworm", "2.36", False),
        ("rust:1.71.0", "bullseye", "2.31", False),
        ("rust:1.70", "bullseye", "2.31", False),
        ("rust:1.54", "buster", "2.28", False),
        ("rust:1.20", "", "", False),
        ("rust:1.80-slim-bookworm", "bookworm", "2.36", True),
        ("rust:slim", "trixie", "2.41", True),
        ("rust:slim-bullseye", "bullseye", "2.31", True),
        ("rust:1-slim-buster", "buster", "2.28", True),
        ("rustlang/rust:nightly", "trixie", "2.41", False),
        ("rustlang/rust:nightly-bookworm-slim", "bookworm", "2.36", True),
        ("lukemathwalker/cargo-chef:latest-rust-1", "trixie", "2.41", False),
        ("lukemathwalker/cargo-chef:latest-rust-1.80-slim-bookworm", "bookworm", "2.36", True),
        ("lukemathwalker/cargo-chef:0.1.67-rust-1.80", "bookworm", "2.36", False),
        ("lukemathwalker/cargo-chef:0.1-rust-1.83-slim", "bookworm", "2.36", True),
        ("lukemathwalker/cargo-chef:latest", "trixie", "2.41", False),
        ("docker.io/lukemathwalker/cargo-chef:latest-rust-slim-bullseye", "bullseye", "2.31", True),
        ("debian", "trixie", "2.41", False),
        ("debian:12.5", "bookworm", "2.36", False),
        ("debian:bookworm-slim", "bookworm", "2.36", True),
        ("debian:bookworm-20240101-slim", "bookworm", "2.36", True),
        ("debian:bookworm-20240101", "bookworm", "2.36", False),
        ("debian:stable-20240110-slim", "trixie", "2.41", True),
        ("debian:stable-slim", "trixie", "2.41", True),
        ("debian:13-slim", "trixie", "2.41", True),
        ("debian:bullseye-slim", "bullseye", "2.31", True),
        ("debian:99", "", "", False),
        ("debian:sid-slim", "sid", "", True),
        ("ubuntu:22.04", "22.04", "2.35", False),
        ("ubuntu:jammy-20240101", "22.04", "2.35", False),
        ("ubuntu:focal", "20.04", "2.31", False),
        ("ubuntu:jammy-20231004@sha256:" + "0" * 64, "22.04", "2.35", False),
        ("ubuntu:noble", "24.04", "2.39", False),
        ("ubuntu", "26.04", "2.43", False),
        ("ubuntu:22.10", "22.10", "2.36", False),
        ("ubuntu:rolling", "26.10", "", False),
        ("buildpack-deps:bookworm", "bookworm", "2.36", False),
        ("fedora:41", "41", "2.40", False),
        ("registry.fedoraproject.org/fedora:41", "41", "2.40", False),
        ("registry.fedoraproject.org/fedora-minimal:41", "41", "2.40", True),
        ("quay.io/fedora/fedora-minimal", "", "", True),
        ("quay.io/centos/centos:stream9-minimal", "9", "2.34", True),
        ("registry.access.redhat.com/ubi10/ubi-minimal:10.1", "10", "2.39", True),
        ("redhat/ubi9-micro", "", "2.34", False),
        ("mcr.microsoft.com/azurelinux/base/core:3.0", "3.0", "2.38", False),
        ("mcr.microsoft.com/cbl-mariner/base/core:2.0.20240112", "2.0", "2.35", False),
        ("mcr.microsoft.com/mirror/docker/library/ubuntu:22.04", "22.04", "2.35", False),
        ("mcr.microsoft.com/oss/mirror/docker.io/library/debian:bookworm-slim", "bookworm", "2.36", True),
        ("mcr.microsoft.com/devcontainers/rust:1-bookworm", "bookworm", "2.36", False),
        ("mcr.microsoft.com/devcontainers/rust:1", "", "", False),
        ("public.ecr.aws/debian/debian:bookworm-slim", "bookworm", "2.36", True),
        ("public.ecr.aws/docker/library/rust:1.80-slim", "bookworm", "2.36", True),
        ("docker.io/library/rust:1.80-slim-bullseye", "bullseye", "2.31", True),
        ("bitnami/minideb:bookworm", "bookworm", "2.36", True),
        ("bitnami/minideb", "", "", True),
        ("archlinux:base-devel", "", "", False),
        ("paritytech/ci-linux:production", "", "", False),
        ("instrumentisto/rust:nightly-bookworm-slim-2024-01-01", "bookworm", "2.36", True),
        ("cgr.dev/chainguard/cc-dynamic", "", "", False),
        ("rockylinux:9.3-minimal", "9", "2.34", True),
        ("centos:7", "7", "2.17", False),
        ("centos:7.9.2009", "7", "2.17", False),
        ("centos:8", "8", "2.28", False),
        ("quay.io/centos/centos:stream8", "stream8", "2.28", False),
        ("opensuse/leap:15", "15.6", "2.38", False),
        ("opensuse/leap:15.1", "15.1", "2.26", False),
        ("quay.io/centos/centos:stream9", "9", "2.34", False),
        ("amazonlinux:2", "2", "2.26", False),
        ("amazonlinux:2023", "2023", "2.34", False),
        ("gcr.io/distroless/cc", "trixie", "2.41", False),
        ("gcr.io/distroless/cc-debian12:nonroot", "bookworm", "2.36", False),
        ("gcr.io/distroless/base-nossl-debian13", "trixie", "2.41", False),
    ],
)
def test_release_and_glibc(reference: str, release: str, libc_version: str, slim: bool) -> None:
    image = found(reference)
    assert (image.libc, image.release, image.libc_version, image.slim) == ("glibc", release, libc_version, slim)


@pytest.mark.parametrize(
    ("reference", "release"),
    [
        ("rust:alpine", "3.24"),
        ("rust:1-alpine", "3.24"),
        ("rust:1.80-alpine", ""),
        ("rust:1.80-alpine3.20", "3.20"),
        ("rust:alpine3.22", "3.22"),
        ("lukemathwalker/cargo-chef:latest-rust-1-alpine", "3.24"),
        ("lukemathwalker/cargo-chef:latest-rust-1.80.0-alpine3.20", "3.20"),
        ("rustlang/rust:nightly-alpine", "3.24"),
    ],
)
def test_rust_on_alpine_builds_for_musl(reference: str, release: str) -> None:
    image = found(reference)
    assert (image.family, image.title, image.fat) == ("rust", "rust alpine", True)
    assert (image.libc, image.host_libc, image.package_manager, image.bash) == ("musl", "musl", "apk", False)
    assert (image.release, image.default_target, image.unpacked_mb) == (release, "", 1030)
    assert image.architectures == ("amd64", "arm64", "ppc64le")
    assert not image.replacement and not image.cxx_compiler


@pytest.mark.parametrize(
    ("reference", "release"),
    [
        ("alpine:3", "3.24"),
        ("alpine:3.24.1", "3.24"),
        ("alpine:3.20.9", "3.20"),
        ("alpine:3.99", ""),
        ("alpine:3.2", "3.2"),
        ("alpine:2.7", ""),
    ],
)
def test_releases_of_alpine(reference: str, release: str) -> None:
    assert found(reference).release == release


@pytest.mark.parametrize(
    "reference", ["rust@sha256:" + "0" * 64, "rust:${VERSION}", "rust:1.80${SUFFIX}", "rust:my-tag"]
)
def test_an_unknown_tag_keeps_the_family_alone(reference: str) -> None:
    image = found(reference)
    assert (image.family, image.fat, image.toolchain) == ("rust", True, True)
    assert (image.libc, image.host_libc, image.release, image.libc_version) == ("unknown", "unknown", "", "")
    assert not image.understood
    assert image.unpacked_mb is None


def test_a_tag_wins_over_its_digest() -> None:
    assert found("alpine:3.20@sha256:" + "1" * 64).release == "3.20"


def test_a_suffix_names_the_release_of_distroless_even_by_digest() -> None:
    image = found("gcr.io/distroless/cc-debian12@sha256:" + "1" * 64)
    assert (image.release, image.libc_version, image.understood) == ("bookworm", "2.36", False)


FAT = [
    "debian",
    "debian:bookworm-slim",
    "ubuntu:22.04",
    "buildpack-deps",
    "rust",
    "rust:slim",
    "rust:alpine",
    "fedora",
    "redhat/ubi9",
]
FAT += [
    "registry.access.redhat.com/ubi9/ubi-minimal",
    "centos:7",
    "rockylinux:9",
    "almalinux",
    "amazonlinux",
    "oraclelinux:9",
]
FAT += ["opensuse/leap:15.6", "photon:5.0"]
LEAN = [
    "alpine",
    "busybox",
    "scratch",
    "gcr.io/distroless/static",
    "gcr.io/distroless/cc-debian12",
    "cgr.dev/chainguard/static",
]
LEAN += [
    "cgr.dev/chainguard/wolfi-base",
    "cgr.dev/chainguard/glibc-dynamic",
    "clux/muslrust",
    "messense/rust-musl-cross:x86_64-musl",
]


def test_fat_families_are_those_of_the_design() -> None:
    assert all(found(reference).fat for reference in FAT)
    assert not any(found(reference).fat for reference in LEAN)
    assert {found(reference).family for reference in FAT} == {"debian", "ubuntu", "rust", "buildpack-deps", "rpm"}


def test_every_image_of_a_fat_family_is_fat_and_no_other() -> None:
    for repositories in (images._common_repositories(), images._other_repositories()):
        for repository in repositories:
            image = found(repository)
            assert image.fat == (image.family in ("debian", "ubuntu", "rust", "buildpack-deps", "rpm")), repository


def test_distroless_static() -> None:
    image = found("gcr.io/distroless/static-debian13")
    assert (image.libc, image.shell, image.package_manager, image.cmd, image.entrypoint) == ("none", "", "", None, None)
    assert image.certificates and image.tzdata
    assert dict(image.env)["SSL_CERT_FILE"] == "/etc/ssl/certs/ca-certificates.crt"
    assert image.user_id("nonroot") == 65532
    assert image.user_id("app") is None
    assert image.has_directory("/tmp") and image.has_directory("/usr/bin/") and image.has_directory("/")
    assert (
        not image.has_directory("/usr/local/bin")
        and not image.has_directory("/usr/local")
        and not image.has_directory("/app")
    )
    assert (image.user, image.workdir) == ("0", "/")
    nonroot = found("gcr.io/distroless/static:nonroot")
    assert (nonroot.user, nonroot.workdir, nonroot.entrypoint) == ("65532", "/home/nonroot", None)
    debug = found("gcr.io/distroless/static-debian12:debug-nonroot")
    assert (debug.user, debug.entrypoint, debug.shell) == ("65532", ("/busybox/sh",), "/busybox/sh")
    assert debug.path.endswith(":/busybox")
    assert found("gcr.io/distroless/static-debian13:nonroot-arm64").architectures == ("arm64",)
    assert not found("gcr.io/distroless/static-debian12").replacement


def test_scratch_has_nothing_but_a_path() -> None:
    image = found("scratch")
    assert (image.libc, image.users, image.directories, image.shell, image.unpacked_mb) == ("none", (), (), "", 0)
    assert image.path == "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@pytest.mark.parametrize(
    ("reference", "platform", "same"),
    [
        ("arm64v8/debian:12", "arm64", "debian:12"),
        ("docker.io/arm64v8/debian:12", "arm64", "debian:12"),
        ("amd64/ubuntu:22.04", "amd64", "ubuntu:22.04"),
        ("arm32v7/rust:1.80-slim", "arm/v7", "rust:1.80-slim"),
        ("i386/alpine", "386", "alpine"),
        ("riscv64/debian:sid-slim", "riscv64", "debian:sid-slim"),
    ],
)
def test_an_official_image_in_the_namespace_of_a_platform(reference: str, platform: str, same: str) -> None:
    image = found(reference)
    assert (image.namespace, image.architectures) == (platform, (platform,))
    plain = found(same)
    assert plain.namespace == ""
    assert image._replace(namespace="", architectures=plain.architectures, reference=same) == plain


def test_alpine() -> None:
    image = found("alpine:3.24.2")
    assert (image.libc, image.release, image.shell, image.bash, image.package_manager) == (
        "musl",
        "3.24",
        "/bin/sh",
        False,
        "apk",
    )
    assert image.certificates and not image.tzdata and image.has_directory("/usr/local/bin")
    assert (image.cmd, image.unpacked_mb) == (("/bin/sh",), 8.42)
    assert found("alpine:3").release == "3.24"
    assert "riscv64" not in found("alpine:3.18").architectures


def test_debian_slim_has_no_certificates() -> None:
    image = found("debian:trixie-slim")
    assert (image.certificates, image.tzdata, image.package_manager, image.bash) == (False, True, "apt", True)
    assert (image.unpacked_mb, image.download_mb, image.title) == (78.6, 29.8, "debian slim")
    assert image.user_id("www-data") == 33
    assert image.tools == ()


def test_builders_with_a_target_of_their_own() -> None:
    assert found("clux/muslrust:stable").default_target == "*-unknown-linux-musl"
    assert found("clux/muslrust").workdir == "/volume"
    assert found("messense/rust-musl-cross:aarch64-musl").default_target == "aarch64-unknown-linux-musl"
    assert found("ghcr.io/rust-cross/rust-musl-cross:386-musl").default_target == "i686-unknown-linux-musl"
    assert found("blackdex/rust-musl:x86_64-musl-stable-1.80.0").default_target == "x86_64-unknown-linux-musl"
    assert found("ghcr.io/rust-cross/rust-musl-cross:${TARGETARCH}-musl").default_target == "unknown"
    assert found("ekidd/rust-musl-builder").default_target == "x86_64-unknown-linux-musl"
    zig = found("ghcr.io/rust-cross/cargo-zigbuild:latest")
    assert zig.default_target == "" and "aarch64-unknown-linux-musl" in zig.targets
    for reference in ("clux/muslrust", "blackdex/rust-musl:x86_64-musl", "ekidd/rust-musl-builder"):
        assert found(reference).toolchain and found(reference).host_libc == "glibc"


def test_choices_are_replacements() -> None:
    assert choices() == ("distroless/static", "alpine", "distroless/cc", "debian slim", "scratch")
    assert all(choice(name).replacement and choice(name).understood for name in choices())
    assert choice("distroless/static").reference == "gcr.io/distroless/static-debian13"
    assert choice("alpine").reference == "alpine:3.24"
    assert [choice(name).title for name in choices()] == list(choices())
    with pytest.raises(KeyError):
        choice("fedora")


def test_replacements_are_lean_or_debian_slim() -> None:
    assert not found("debian").replacement
    assert not found("busybox").replacement
    assert not found("ubuntu").replacement


@pytest.mark.parametrize(
    ("text", "repository", "tag", "digest"),
    [
        ("debian", "debian", "", ""),
        ("debian:12@sha256:ab", "debian", "12", "sha256:ab"),
        ("localhost:5000/a/b:c", "localhost:5000/a/b", "c", ""),
        ("Registry.Example.com/a", "registry.example.com/a", "", ""),
        ("docker.io/clux/muslrust:stable", "clux/muslrust", "stable", ""),
        ("alpine:${V:-3.20}", "alpine", "${V:-3.20}", ""),
    ],
)
def test_references(text: str, repository: str, tag: str, digest: str) -> None:
    parsed = parse_reference(text)
    assert parsed is not None
    assert parsed == (repository, tag, digest)


@pytest.mark.parametrize(
    ("reference", "version"),
    [
        ("rust:buster", "1.79"),
        ("rust:1-slim-buster", "1.79"),
        ("rust:alpine3.13", "1.57"),
        ("rust:1-alpine3.19", "1.83"),
        ("rust:1.70-alpine3.18", "1.70"),
        ("rust:alpine", ""),
        ("rust:1-bookworm", "1"),
        ("rust:buster$X", ""),
    ],
)
def test_a_tag_of_a_release_that_is_given_up_stays_at_its_last_version(reference: str, version: str) -> None:
    assert found(reference).version == version


def test_sizes_for_people() -> None:
    for reference, size in (("debian:bookworm-slim", "~75 MB"), ("rust:1", "~1.5 GB"), ("scratch", "")):
        image = lookup(reference)
        assert image is not None and image.size == size

"""What stays in a final image, and which releases have ended."""

from __future__ import annotations

import pytest

from dockerslim_lint.catalog import images
from dockerslim_lint.facts.packages import cleaned_too_late
from tests.facts.reading import CRATE, only_image, read

TWO = """\
FROM rust:1 AS build
WORKDIR /a
RUN cargo build --release
FROM debian:trixie-slim
{}
COPY --from=build /a/target/release/x /x
CMD ["/x"]
"""


def left(step: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(one.kind, one.names) for one in only_image(read(TWO.format(step))).leftovers]


def test_caches_and_tools() -> None:
    assert left("RUN apt-get update && apt-get install -y gcc make libpq5") == [
        ("cache", ("/var/lib/apt/lists",)),
        ("tools", ("gcc", "make")),
    ]
    assert left("RUN apk add --no-cache llvm clang") == [("tools", ("llvm", "clang"))]
    assert left("RUN apk add curl") == [("cache", ("/var/cache/apk",))]
    assert left("RUN microdnf install -y libpq gcc") == [
        ("cache", ("The cache of microdnf",)),
        ("tools", ("gcc",)),
    ]
    assert left("RUN yum -y update") == [("cache", ("The cache of yum",))]
    assert left("RUN zypper -n in libpq5 make") == [("cache", ("/var/cache/zypp",)), ("tools", ("make",))]
    assert left("RUN dnf install --setopt install_weak_deps=0 -y make && dnf clean all") == [("tools", ("make",))]


@pytest.mark.parametrize(
    "step",
    [
        "RUN apt-get update && rm -rf /var/lib/apt",
        "RUN apt-get update && cd /var/lib/apt && rm -rf lists",
        "RUN apt-get update && apt-get distclean",
        "RUN apt-get install -y curl",
        "RUN apk add --no-cache curl",
        "RUN apk --no-cache add curl",
        "RUN apk add curl && apk cache clean",
        "RUN apk add --no-cache --virtual .deps gcc && apk del .deps",
        "RUN dnf install -y curl && dnf clean all",
        "RUN dnf -y install curl && yum clean all",
        "RUN microdnf install curl && rm -rf /var/cache/yum",
        "RUN dnf install -y curl; rm -rf /var/cache",
        "RUN dnf --installroot /mnt install -y curl",
        "RUN dnf --setopt=cachedir=/tmp/c install -y curl",
        "RUN dnf $OPTIONS install -y curl && ./clean.sh",
        "RUN dnf list installed",
        "RUN dnf install -y gcc && make && dnf remove -y gcc && dnf clean all",
        "RUN zypper -n in curl && zypper cc -a",
        "RUN apt-get update && apt-get install -y dpkg-dev && rm -rf /var/lib/apt/lists/*",
        "RUN zypper --cache-dir /tmp/c in curl",
        "RUN apt-get update && apt-get install -y ca-certificates llvm && rm -rf /var/lib/apt/lists/*",
        "RUN if true; then apt-get update; fi",
    ],
)
def test_nothing_is_left(step: str) -> None:
    assert left(step) == []


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (TWO.format("RUN apt-get install -y make"), ""),
        (TWO.format("RUN apt-get install -y make git curl"), ""),
        (TWO.format("COPY --from=build /usr/local/cargo/bin/x /y\nRUN apt-get install -y make"), ""),
        (TWO.format("COPY include.txt /etc/\nRUN apt-get install -y make"), ""),
        (
            TWO.format("COPY --from=build /src/report.pl /usr/bin/\nRUN apt-get install -y perl"),
            "/src/report.pl is copied into it",
        ),
        (TWO.format("COPY Makefile /work/\nRUN apt-get install -y make"), "Makefile is copied into it"),
        (TWO.format("COPY Makefile.md /work/\nRUN apt-get install -y make"), ""),
        (TWO.format("RUN apt-get install -y make llvm gdb"), "the image has gdb, which looks into programs"),
        (
            TWO.replace("slim\n", "slim AS run\n").format("RUN apt-get install -y make")
            + "FROM run\nRUN apt-get install -y gdb\n",
            "the image has gdb, which looks into programs",
        ),
        (
            TWO.format("RUN apt-get install -y make") + "FROM debian:trixie-slim\nRUN apt-get install -y gdb\n",
            "",
        ),
        (TWO.format("RUN apt-get install -y make docker.io"), "docker.io is installed beside it"),
        (TWO.format("RUN apt-get install -y make\nRUN apt-get install -y rustc"), "rustc is installed beside it"),
        (
            TWO.format("COPY --from=build /usr/local/cargo /cargo\nRUN apt-get install -y make"),
            "/usr/local/cargo is copied into it",
        ),
        (
            TWO.format("COPY --from=build /x/google /usr/local/include/google\nRUN apt-get install -y make"),
            "/usr/local/include/google is copied into it",
        ),
        (TWO.format("RUN apt-get install -y make && rustup default stable"), "rustup is called in the stage"),
        (
            TWO.format("RUN apt-get install -y make").replace("debian:trixie-slim", "rust:slim"),
            "the base has a toolchain",
        ),
    ],
)
def test_signs_that_the_program_compiles(text: str, wanted: str) -> None:
    tools = [one for one in only_image(read(text)).leftovers if one.kind == "tools"]
    assert [one.wanted for one in tools][:1] == [wanted]


def test_whole_outputs_and_development() -> None:
    image = only_image(read(TWO.format("COPY --from=build /a /b")))
    assert [(one.path, one.call) for one in image.outputs] == [("/b/target/release", 0)]
    assert not image.development
    assert only_image(read(TWO.replace("slim", "slim AS dev").format(""))).development


@pytest.mark.parametrize(
    ("reference", "ended"),
    [
        ("debian:11-slim", True),
        ("debian:bookworm", False),
        ("debian", False),
        ("ubuntu:focal", True),
        ("ubuntu:24.04", False),
        ("alpine:3.19.1", True),
        ("alpine:3", False),
        ("gcr.io/distroless/cc-debian12", True),
        ("gcr.io/distroless/cc", False),
        ("centos:7", True),
        ("centos", True),
        ("centos:latest", True),
        ("quay.io/centos/centos", False),
        ("centos@sha256:" + "0" * 64, False),
        ("fedora:31", True),
        ("fedora:44", False),
        ("fedora", False),
        ("debian:wheezy", True),
        ("ubuntu:18.10", True),
        ("ubuntu:cosmic", True),
        ("alpine:3.3", True),
        ("alpine:3.3.3", True),
        ("alpine:3.30", False),
        ("opensuse/leap:15.3", True),
        ("opensuse/leap:15", True),
        ("opensuse/leap:16.0", False),
        ("amazonlinux:1", True),
        ("amazonlinux:2018.03.0.20230725.0", True),
        ("amazonlinux:2017.12", False),
        ("amazonlinux", False),
        ("quay.io/bitnami/minideb:buster", True),
        # nothing goes there since 2022
        ("quay.io/bitnami/minideb:bullseye", True),
        ("bitnami/minideb:bookworm", False),
        ("quay.io/bitnami/minideb:bookworm", False),
        ("rockylinux:8", False),
    ],
)
def test_ended(reference: str, ended: bool) -> None:
    image = images.lookup(reference)
    assert image is not None
    assert image.ended is ended


def test_every_ended_release_is_a_release() -> None:
    for name in ("images", "images_other"):
        from dockerslim_lint.catalog.tables import table

        for row in [*table(name)["family"].values(), *table(name)["image"]]:
            assert set(row.get("ended", "").split()) <= set(images._inherit(row).get("releases", {}))
            assert bool(row.get("ended")) == bool(row.get("ended_source"))


CLEANED = """\
FROM rust:1
WORKDIR /work
COPY . .
RUN cargo build --release
RUN cp target/release/app /app
RUN {}
CMD ["/app"]
"""
MOUNTED = CLEANED.replace("RUN cargo", "RUN --mount=type=cache,target=/work/target cargo")
STAGED = CLEANED.replace("RUN cp", "FROM debian\nWORKDIR /work\nCOPY --from=0 /work/target target\nRUN cp")


def too_late(text: str) -> bool:
    build = read(text)
    return bool(list(cleaned_too_late(build, build.images[0]))) if build.images else False


@pytest.mark.parametrize(
    "step",
    [
        "cargo clean",
        "cargo clean --release",
        "rm -rf target",
        "rm -rf /work/target /tmp/x",
        "cd / && rm -r work/target",
    ],
)
def test_target_is_removed_in_a_layer_of_its_own(step: str) -> None:
    assert too_late(CLEANED.format(step))
    assert not too_late(
        CLEANED.replace("release\nRUN cp", "release && cp").replace("/app\nRUN", "/app &&").format(step)
    )
    assert not too_late(MOUNTED.format(step))
    assert not too_late(STAGED.format(step))
    assert not too_late(CLEANED.format(f"{step} && cargo build --release && cp target/release/app /app"))


@pytest.mark.parametrize(
    "step",
    [
        "cargo clean -p app",
        "cargo clean --doc",
        "cargo clean --target-dir /t",
        "cd /other && cargo clean",
        "rm -rf src",
        "rm -rf target/release/deps",
        "rm -rf $DIR",
        "test -e x || cargo clean",
    ],
)
def test_nothing_is_said_of_what_may_be_something_else(step: str) -> None:
    assert not too_late(CLEANED.format(step))


@pytest.mark.parametrize(
    ("step", "copy", "found"),
    [
        ("true", "/app/target/release/app /srv/", ""),
        ("true", "/app/target/release/app* /srv/", ""),
        ("true", "/app/assets/* /srv/", ""),
        ("true", "/app/src/* /srv/", ""),
        ("cp target/release/app /out", "/out /srv/app", ""),
        ("cp -r target/release /out && rm -rf /out/deps", "/out /srv", ""),
        ("cp -r target/release /out && find /out -type d -delete", "/out /srv", ""),
        ("rm -rf target/release/deps", "/app/target/release/* /srv/", ""),
        ("true", "/app/target/release/* /srv/", "/app/target/release/*"),
        ("true", "/app/target/*/ /srv/", "/app/target/*/"),
        ("true", "/app/* /srv/", "/app/*"),
        ("true", "/app/targ?t /srv/", "/app/targ?t"),
        ("cp -r target/release /out", "/out /srv", "/out"),
        ("mkdir /out && cp -r target/release /out", "/out/ /srv/", "/out/"),
    ],
)
def test_which_copy_brings_the_output_directory(step: str, copy: str, found: str) -> None:
    start = f"FROM rust:1 AS b\nWORKDIR /app\nCOPY . .\nRUN cargo build --release\nRUN {step}\nFROM debian\n"
    text = f'{start}COPY --from=b {copy}\nCMD ["/srv/app", "/srv/release/app"]\n'
    outputs = [one.source for image in read(text, {**CRATE, "assets/a": ""}).images for one in image.outputs]
    assert outputs == ([found] if found else [])

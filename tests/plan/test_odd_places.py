"""Places that no pattern fits, and numbers that only one step knows: withheld, and never our bug."""

from __future__ import annotations

import pytest

from dockerslim_lint.facts.model import OutputUse
from tests.facts.reading import CRATE, read
from tests.plan.test_withheld import CLASSIC, SINGLE, fix

USER = CLASSIC.replace("COPY --from", "RUN useradd -u 1001 app\nCOPY --from").replace("CMD", "USER app\nCMD")
INSIDE = CLASSIC.replace("--release\n", "--release\nWORKDIR /app/target/release\nRUN cp app /out\n").replace(
    "/app/target/release/app", "/out"
)
MOUNT = CLASSIC.replace(
    "COPY --from=builder /app/target/release/app /usr",
    "RUN --mount=from=builder,source=/app/target/release/app,target=/b cp /b /usr",
)


def static(text: str) -> bool:
    """Whether the program becomes a static one on distroless."""
    fixed = fix(text, CRATE)
    assert fixed.bug is None and not any("our bug" in held.reason for held in fixed.held)
    return "FROM gcr.io/distroless/static" in fixed.source.data.decode()


@pytest.mark.parametrize(
    ("old", "new", "fits"),
    [
        ("app", "app", True),
        ("RUN useradd -u 1001", "ARG UID=1001\nRUN useradd -u $UID", True),
        ("RUN useradd -u 1001", "ENV UID=1001\nRUN useradd -u ${UID}", True),
        ("RUN useradd -u 1001", "ARG UID\nRUN useradd -u $UID", False),
        ("RUN useradd -u 1001", 'RUN U=1001 && useradd -u "$U"', False),
        ("RUN useradd -u 1001 app", "ENV U=1001\nRUN useradd -u $U app\nENV U=5", False),
        ("-u 1001", "-u 0x3e9", False),
        ("-u 1001", "-u app", False),
        ("-u 1001", "-u $(id -u)", False),
    ],
)
def test_a_number_that_only_one_step_knows(old: str, new: str, fits: bool) -> None:
    assert static(USER.replace(old, new)) == fits


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        (INSIDE, False),
        (INSIDE.replace("WORKDIR /app/target/release\nRUN cp", "WORKDIR target/release\nRUN cp"), False),
        (INSIDE.replace("WORKDIR /app/target/release\nRUN cp app", "WORKDIR /app\nRUN cp target/release/app"), True),
        (INSIDE.replace("WORKDIR /app/target/release\nRUN cp app", "RUN cd target/release && cp app"), True),
        (MOUNT, False),
        (MOUNT.replace("debian:bookworm-slim", "alpine:3.24"), False),
        (MOUNT.replace("debian:bookworm-slim", "gcr.io/distroless/static-debian13"), False),
    ],
)
def test_places_that_take_no_pattern(text: str, fits: bool) -> None:
    assert static(text) == fits
    assert ("-linux-musl" in fix(text, CRATE).source.data.decode()) == fits


def test_a_mount_from_above_is_a_path_in_the_shell() -> None:
    text = MOUNT.replace("/app/target/release/app,", "/app,").replace("cp /b ", "cp /b/target/release/app ")
    after = fix(text.replace("debian:bookworm-slim", "alpine:3.24"), CRATE).source.data.decode()
    assert 'cp /b/target/"$(uname -m)"-unknown-linux-musl/release/app /usr' in after


def test_what_is_known_of_them() -> None:
    def uses(text: str) -> list[OutputUse]:
        return [one for one in read(text, CRATE).uses if one.form in ("workdir", "mount")]

    (inside,), (mount,) = uses(INSIDE), uses(MOUNT)
    assert (inside.form, inside.inside, inside.own) == ("workdir", "", True)
    assert (mount.form, mount.inside, mount.profile_at) == ("mount", "app", None)
    assert not uses(CLASSIC) and not uses(MOUNT.replace("/app/target/release/app,", "/app,"))
    assert not uses(INSIDE.replace("WORKDIR /app/target/release", "WORKDIR /app/target"))


def test_a_debug_build_in_a_working_directory() -> None:
    text = (
        INSIDE.replace(" --release", "").replace("target/release", "target/debug").replace("rust:1 ", "rust:1-alpine ")
    )
    after = fix(text.replace("debian:bookworm-slim", "scratch"), CRATE).source.data.decode()
    assert "WORKDIR /app/target/release" in after and "cargo build --release" in after


@pytest.mark.parametrize("text", [SINGLE, CLASSIC])
def test_a_file_that_cannot_be_built(text: str) -> None:
    fixed = fix(text.replace("FROM rust:1", "FROM rust:1 # text", 1), CRATE)
    reasons = [held.reason for held in fixed.held if held.key.startswith("slim:")]
    assert fixed.bug is None and reasons in ([], ["line 1 is refused, so that nothing can be built"])
    assert "musl" not in fixed.source.data.decode()


CHAINGUARD = CLASSIC.replace("debian:bookworm-slim", "cgr.dev/chainguard/static").replace(
    "FROM cgr", "# we need glibc because of NSS\nFROM cgr"
)
NONROOT = CLASSIC.replace("debian:bookworm-slim", "gcr.io/distroless/cc-debian12:nonroot")
DEBUG = NONROOT.replace(":nonroot", ":debug").replace("CMD", "ENTRYPOINT")


@pytest.mark.parametrize(
    ("text", "base"),
    [
        (CHAINGUARD, ""),
        (CHAINGUARD.replace("CMD", "USER 65532\nCMD"), "gcr.io/distroless/cc-debian13"),
        (CHAINGUARD.replace("# we need glibc because of NSS\n", ""), "cgr.dev/chainguard/static"),
        (NONROOT, "gcr.io/distroless/static-debian13:nonroot"),
        (NONROOT.replace("12:nonroot", "12:nonroot-amd64"), "gcr.io/distroless/static-debian13:nonroot"),
        (NONROOT.replace("CMD", "USER nonroot\nCMD"), "gcr.io/distroless/static-debian13:nonroot"),
        (
            NONROOT.replace("FROM gcr", "# we need glibc because of NSS\nFROM gcr"),
            "gcr.io/distroless/cc-debian13:nonroot",
        ),
        (NONROOT.replace("COPY", "COPY --chown=nonroot:nonroot"), "gcr.io/distroless/static-debian13:nonroot"),
        (NONROOT.replace("CMD", "USER nonroot:nonroot\nCMD"), "gcr.io/distroless/static-debian13:nonroot"),
        (NONROOT.replace(":nonroot", ""), "gcr.io/distroless/static-debian13\n"),
        (NONROOT.replace(":nonroot", ":debug-nonroot"), ""),  # its shell is what starts
        (DEBUG, "gcr.io/distroless/static-debian13:debug\n"),
        (DEBUG.replace(":debug", ":debug-nonroot"), "gcr.io/distroless/static-debian13:debug-nonroot\n"),
        (DEBUG.replace(":debug", ":debug-nonroot-arm64"), "gcr.io/distroless/static-debian13:debug-nonroot\n"),
        (DEBUG.replace(":debug", ":debug-arm64"), "gcr.io/distroless/static-debian13:debug\n"),
        (DEBUG.replace(":debug", ":latest-amd64"), "gcr.io/distroless/static-debian13\n"),
        (
            DEBUG.replace("FROM gcr", "# we need glibc because of NSS\nFROM gcr"),
            "gcr.io/distroless/cc-debian13:debug\n",
        ),
        (
            NONROOT.replace(":nonroot", ":$TAG").replace("FROM rust", "ARG TAG=nonroot\nFROM rust"),
            "gcr.io/distroless/static-debian13:nonroot",
        ),
        (CLASSIC.replace("debian:bookworm-slim", "debian:bookworm-slim"), "gcr.io/distroless/static-debian13"),
    ],
)
def test_a_base_with_a_user_of_its_own(text: str, base: str) -> None:
    fixed = fix(text, CRATE)
    assert fixed.bug is None and not any("our bug" in held.reason for held in fixed.held)
    assert any(one.fix.key.startswith("slim:") for one in fixed.applied) == bool(base)
    assert f"FROM {base}" in fixed.source.data.decode()
    # what both bases have under one number stays as it is written
    assert fixed.source.data.count(b"nonroot:nonroot") == text.count("nonroot:nonroot")


@pytest.mark.parametrize(
    ("platform", "base"),
    [
        ("linux/386", "alpine:3.24"),
        ("linux/amd64", "gcr.io/distroless/static-debian13"),
        ("$TARGETPLATFORM", "gcr.io/distroless/static-debian13"),
        ("linux/arm64", "gcr.io/distroless/static-debian13"),
    ],
)
def test_the_platform_of_the_final_stage(platform: str, base: str) -> None:
    after = fix(CLASSIC.replace("FROM debian", f"FROM --platform={platform} debian"), CRATE).source.data.decode()
    assert f"FROM --platform={platform} {base}" in after


@pytest.mark.parametrize(
    ("base", "trigger", "after"),
    [
        ("debian:bookworm-slim", "ONBUILD RUN apt-get update", "debian:trixie-slim"),
        ("debian:bookworm", "ONBUILD RUN apt-get update", "debian:trixie-slim"),
        ("debian:bookworm-slim", "ONBUILD COPY a /a", "gcr.io/distroless/static-debian13"),
        ("debian:bookworm-slim", "ONBUILD ENV A=RUN", "gcr.io/distroless/static-debian13"),
        ("alpine:3.24", "ONBUILD RUN apk add curl", "alpine:3.24"),
        ("ubuntu:22.04", "onbuild run true", "ubuntu:22.04"),
    ],
)
def test_steps_of_images_that_are_built_on_this_one(base: str, trigger: str, after: str) -> None:
    text = CLASSIC.replace("debian:bookworm-slim", base).replace("CMD", f"{trigger}\nCMD")
    fixed = fix(text, CRATE)
    assert fixed.bug is None and f"FROM {after}\n" in fixed.source.data.decode()

"""The shapes, through the command line, built and run for real: what is written is what the golden file says."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.golden.shapes import Shape, shapes

BOTH = (
    "01-multi-stage-ubuntu-clone",
    "02-single-stage",
    "03-cargo-install-slim",
    "23-alpine-account",
    "62-two-platforms-cross",
    "73-whole-target-copied",
)
"""Proven on both platforms; their twins differ in what no architecture changes, and are proven on the machine's own."""

BROKEN_DOWNLOADS = (
    "failed to download",
    "failed to get `",
    "unable to update registry",
    "failed to load source",
    "spurious network error",
)
"""Under emulation a download of cargo's now and then breaks off: no verdict on the rewrite, which rightly is not proven then."""

NO_IMAGE = ("10-chef-four-stages", "60-three-platforms")
"""Built with what the lab lacks: cargo-chef's image (22-cargo-chef is the same with what is there), images for linux/arm/v7."""

TOO_LONG = (
    "33-rdkafka-with-build-tools",
    "41-openssl-vendored-on-the-call",
    "42-openssl-vendored-instead",
    "43-reqwest-native-tls",
    "44-rusqlite-bundled",
    "45-axum-rustls",
    "76-cook-without-release",
    "84-clap-cli",
    "88-library-comes-with-curl",
)
"""A C library, a hundred crates or cargo-chef itself are compiled in each, twice mostly: minutes."""

TWINS = (
    "01b-multi-stage-ubuntu-copy",
    "03b-cargo-install-env",
    "04b-bin-without-slash",
    "04c-numeric-user",
    "11b-dummy-main-in-a-stage",
    "31-alsa-in-one-stage",
    "32-comment-why-not-alpine",
    "34-pyo3-embeds-python",
    "40-openssl-left-out-by-features",
    "51-sh-entrypoint",
    "55-final-from-base-stage",
    "56-no-cmd",
    "61-cross-builder-gnu-case",
    "71-debug-build",
    "72-builder-newer-than-runtime",
    "75-shell-form-without-shell",
    "80-names-in-variables",
    "81-profile-in-variable",
    "83-assets-and-templates",
    "85-flags-for-the-gnu-target",
    "86-linker-for-the-musl-target",
    "87-cargo-b-r",
)
"""Each is built and run as one of the others is, which are proven here: they would take two slow cores ten minutes more."""

CROSSED = ("63-native-code-cross",)
"""As written its C code and cc are compiled under emulation, for half an hour on a busy machine; `test_c_code_is_crossed` has the
rewrite."""

NOT_BUILT = ("70-cache-mount-without-copy-out",)
"""As written it cannot be built, so that there is nothing to compare with; `test_what_could_not_be_built_is_proven` has the rewrite."""

NOT_STARTED = ("05-gnu-on-alpine", "74-entrypoint-not-on-path", "75-shell-form-without-shell")
"""As written it does not start, so that there is no output to compare."""

ON_RECORD = TOO_LONG + TWINS + CROSSED
"""bench/prove has proven them, and its record is held to what is written today (tests/docs/test_proofs.py)."""

LEFT_OUT = NO_IMAGE + NOT_BUILT + ON_RECORD

REWRITTEN = [shape for shape in shapes() if shape.fixed is not None and shape.name not in LEFT_OUT]


def lint(place: Path, environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """`dockerslim-lint lint` in a project, as its owner would call it."""
    command = [sys.executable, "-m", "dockerslim_lint", "lint", *arguments]
    return subprocess.run(
        command, cwd=place, env={**os.environ, **environment}, capture_output=True, text=True, check=False, timeout=1700
    )


@pytest.mark.engine
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("shape", [pytest.param(shape, id=shape.name) for shape in REWRITTEN])
def test_proven(shape: Shape, tmp_path: Path, engine_environment: Mapping[str, str]) -> None:
    place = tmp_path / "project"
    dockerfile = shape.copy_to(place)
    platforms = "linux/amd64,linux/arm64" if shape.name in BOTH else "linux/amd64"
    expected = shape.crossed if shape.name in BOTH and shape.crossed is not None else shape.fixed
    for _ in range(3):
        done = lint(place, engine_environment, "--fix", "--verify", "--platform", platforms, shape.file)
        if done.returncode != 6 or not any(text in done.stderr for text in BROKEN_DOWNLOADS):
            break
    assert done.returncode == 0, done.stderr[-4000:] + done.stdout
    assert dockerfile.read_bytes() == expected
    (headline,) = [line for line in done.stderr.splitlines() if line.startswith("PROVEN")]
    assert shape.expect["choice"] in headline
    for platform in platforms.split(","):
        (row,) = [line for line in done.stderr.splitlines() if line.strip().startswith(platform) and "→" in line]
        # an original that never started has no output to compare; a program that keeps glibc is not claimed to be static
        not_asked = (shape.name in NOT_STARTED) + ((shape.facts or {}).get("link") == "gnu-dynamic")
        assert row.count("✓") >= 4 - not_asked, row
    again = lint(place, engine_environment, "--fix", "--verify", "--platform", platforms, shape.file)
    assert again.returncode == 0
    assert dockerfile.read_bytes() == expected


@pytest.mark.engine
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", NOT_BUILT)
def test_what_could_not_be_built_is_proven(name: str, tmp_path: Path, engine_environment: Mapping[str, str]) -> None:
    """The new image alone is looked at; what is written builds, and its program answers."""
    shape = next(one for one in shapes() if one.name == name)
    dockerfile = shape.copy_to(tmp_path / "project")
    arguments = ("--fix", "--verify", "--platform", "linux/amd64", shape.file)
    done = lint(tmp_path / "project", engine_environment, *arguments)
    assert done.returncode == 0, done.stderr
    assert "repairs  linux/amd64: the original does not build at line" in done.stderr
    assert dockerfile.read_bytes() == shape.fixed
    out = tmp_path / "image"
    command = ["docker", "buildx", "build", "--output", f"type=local,dest={out}", "-f", str(dockerfile), "."]
    environment = {**os.environ, **engine_environment}
    built = subprocess.run(
        command, cwd=tmp_path / "project", env=environment, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stderr
    assert subprocess.check_output([out / "usr/local/bin/tally", "1", "2"], text=True) == "3\n"


@pytest.mark.engine
@pytest.mark.timeout(900)
@pytest.mark.parametrize("platform", ["linux/amd64", "linux/arm64"])
@pytest.mark.parametrize("name", CROSSED)
def test_c_code_is_crossed(name: str, platform: str, tmp_path: Path, engine_environment: Mapping[str, str]) -> None:
    """What is written builds for either machine on this one, and its program answers."""
    shape = next(one for one in shapes() if one.name == name)
    dockerfile = shape.copy_to(tmp_path / "project")
    dockerfile.write_bytes(shape.fixed or b"")
    environment = {**os.environ, **engine_environment}
    image = f"dockerslim-test-crossed-{platform.rpartition('/')[2]}"

    def docker(*command: str) -> subprocess.CompletedProcess[str]:
        words = ["docker", *command]
        return subprocess.run(
            words, cwd=tmp_path / "project", env=environment, capture_output=True, text=True, check=False
        )

    built = docker("buildx", "build", "--load", "--provenance=false", "--platform", platform, "-t", image, ".")
    assert built.returncode == 0, built.stderr
    try:
        ran = docker("run", "--rm", "--platform", platform, image, "a" * 40, "hello")
        assert ran.stdout == "40 -> 12\n5 -> 13\n", ran.stderr
    finally:
        docker("rmi", "-f", image)


@pytest.mark.engine
@pytest.mark.parametrize("name", ["06-already-musl-static", "08-build-behind-make"])
def test_nothing_to_prove(name: str, tmp_path: Path, engine_environment: Mapping[str, str]) -> None:
    shape = next(one for one in shapes() if one.name == name)
    dockerfile = shape.copy_to(tmp_path / "project")
    done = lint(tmp_path / "project", engine_environment, "--fix", "--verify", shape.file)
    assert done.returncode == shape.expect["exit"]
    assert dockerfile.read_bytes() == shape.dockerfile
    assert "PROVEN" not in done.stderr

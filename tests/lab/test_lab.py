"""The lab keeps what its README promises: run on the engine that is up, whichever it is, if its images are the lab's."""

import json
import os
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import clones, debian, engine, store

docker = pytest.importorskip("docker")

pytestmark = pytest.mark.engine

LAB = Path(__file__).parent / "lab"
ARCHES = {"amd64": "x86_64", "arm64": "aarch64"}
MAIN = """
fn main() {
    let caught = std::panic::catch_unwind(|| panic!("unwinds")).is_err();
    println!("{} musl={} caught={caught} {}", std::env::consts::ARCH, cfg!(target_env = "musl"), itoa::Buffer::new().format(42));
}
"""


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    shown = subprocess.run([LAB, "env", "--json"], capture_output=True, text=True, check=False)
    if shown.returncode:
        pytest.skip(f"the lab is down ({shown.stderr.strip()})")
    return {**os.environ, **json.loads(shown.stdout)}


class Project:
    """A folder to build in, and the images that were made there."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder, self.environment = folder, environment
        self.images: list[str] = []

    def docker(self, *command: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            ["docker", *command],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0 or not check, done.stdout + done.stderr
        return done

    def build(self, dockerfile: str, *, arch: str = "amd64") -> str:
        name = f"lab-test-{len(self.images)}"
        (self.folder / "Dockerfile").write_text(textwrap.dedent(dockerfile))
        self.docker("buildx", "build", "--platform", f"linux/{arch}", "--provenance=false", "-t", name, ".")
        self.images.append(name)
        return name

    def run(self, *words: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        return self.docker("run", "--rm", *words, check=check)


@pytest.fixture
def project(tmp_path: Path, environment: dict[str, str]) -> Iterator[Project]:
    project = Project(tmp_path, environment)
    (tmp_path / "src").mkdir()
    (tmp_path / "src/main.rs").write_text(MAIN)
    (tmp_path / "Cargo.toml").write_text(
        '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n[dependencies]\nitoa = "1"\n'
    )
    yield project
    if project.images:
        project.docker("rmi", "-f", *project.images)


MUSL = """\
    # syntax=docker/dockerfile:1
    FROM rust:latest AS build
    WORKDIR /src
    COPY . .
    RUN rustup target add "$(uname -m)"-unknown-linux-musl
    RUN cargo build --release --target "$(uname -m)"-unknown-linux-musl
    RUN strip target/"$(uname -m)"-unknown-linux-musl/release/app -o /app
    FROM gcr.io/distroless/static-debian13
    COPY --from=build /app /usr/local/bin/app
    ENTRYPOINT ["app"]
"""


@pytest.mark.parametrize("arch", ARCHES)
def test_a_musl_program_with_a_crate_is_built_and_runs(project: Project, arch: str) -> None:
    image = project.build(MUSL, arch=arch)
    assert project.run("--platform", f"linux/{arch}", image).stdout == f"{ARCHES[arch]} musl=true caught=true 42\n"


CROSSED = """\
    # syntax=docker/dockerfile:1
    FROM --platform=$BUILDPLATFORM rust:slim AS build
    WORKDIR /src
    COPY . .
    ENV CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER=rust-lld \\
        CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER=rust-lld
    ARG TARGETARCH
    RUN case $TARGETARCH in amd64) echo x86_64;; arm64) echo aarch64;; esac > /cpu
    RUN --network=none rustup target add "$(cat /cpu)"-unknown-linux-musl
    RUN cargo build --release --target "$(cat /cpu)"-unknown-linux-musl
    FROM gcr.io/distroless/static-debian13
    COPY --from=build /src/target/*-linux-musl/release/app /usr/local/bin/app
    ENTRYPOINT ["app"]
"""


@pytest.mark.parametrize("arch", ARCHES)
def test_one_builder_links_for_both_machines(project: Project, arch: str) -> None:
    image = project.build(CROSSED, arch=arch)
    assert project.run("--platform", f"linux/{arch}", image).stdout == f"{ARCHES[arch]} musl=true caught=true 42\n"


@pytest.mark.parametrize("arch", ARCHES)
def test_the_toolchain_has_a_rust_lld_of_its_own(project: Project, arch: str) -> None:
    look = 'cd "$(rustc --print sysroot)/lib/rustlib/$(uname -m)-unknown-linux-gnu/bin" && ./rust-lld -flavor gnu --version'
    assert "LLD" in project.run("--platform", f"linux/{arch}", "rust:slim", "sh", "-c", look).stdout


@pytest.mark.parametrize("arch", ARCHES)
def test_alpines_accounts_are_made_on_both_machines(project: Project, arch: str) -> None:
    """busybox's shell starts itself under the names of its applets, which an emulator has to hand on."""
    make = "addgroup -g 1234 app && adduser -D -u 1234 -G app app && grep app /etc/passwd | cut -d: -f3,4"
    assert project.run("--platform", f"linux/{arch}", "alpine", "sh", "-c", make).stdout == "1234:1234\n"


def test_both_platforms_go_into_one_oci_file(project: Project) -> None:
    (project.folder / "Dockerfile").write_text("FROM alpine:3.20\nRUN uname -m > /machine\n")
    platforms = "linux/amd64,linux/arm64"
    project.docker("buildx", "build", "--platform", platforms, "-o", "type=oci,dest=x.tar", "--provenance=false", ".")
    subprocess.run(["tar", "xf", "x.tar"], cwd=project.folder, check=True)

    def blob(digest: str) -> dict[str, list[dict[str, object]]]:
        content = json.loads((project.folder / "blobs" / digest.replace(":", "/")).read_text())
        assert isinstance(content, dict)
        return content

    top = json.loads((project.folder / "index.json").read_text())["manifests"][0]
    assert [m["platform"] for m in blob(top["digest"])["manifests"]] == [
        {"architecture": "amd64", "os": "linux"},
        {"architecture": "arm64", "os": "linux"},
    ]


@pytest.mark.parametrize("base", ["alpine", "gcr.io/distroless/static-debian13", "busybox:musl"])
def test_a_gnu_program_does_not_start_without_glibc(project: Project, base: str) -> None:
    gnu = """\
        FROM rust:1-slim AS build
        WORKDIR /src
        COPY . .
        RUN cargo build --release
        FROM {base}
        COPY --from=build /src/target/release/app /app
        ENTRYPOINT ["/app"]
    """
    ended = project.run(project.build(gnu.format(base=base)), check=False)
    assert ended.returncode != 0
    assert "no such file or directory" in ended.stderr
    assert project.run(project.build(gnu.format(base="gcr.io/distroless/cc-debian13"))).stdout.startswith(
        "x86_64 musl=false"
    )


@pytest.mark.parametrize("arch", ARCHES)
def test_a_final_stage_can_install_debian_packages(project: Project, arch: str) -> None:
    image = project.build(
        """\
        FROM debian:bookworm-slim
        RUN test ! -e /etc/ssl/certs/ca-certificates.crt && test ! -e /usr/bin/openssl
        RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
        RUN grep -q BEGIN /etc/ssl/certs/ca-certificates.crt && ls /etc/ssl/certs/*.0
        """,
        arch=arch,
    )
    assert project.run("--platform", f"linux/{arch}", image, "uname", "-m").stdout.strip() == ARCHES[arch]


def test_slim_has_only_what_slim_has(project: Project) -> None:
    look = "for p in gcc cc ld strip cargo rustc rustup git curl wget make g++ pkg-config python3; do command -v $p; done; true"
    here = project.run("rust:slim", "sh", "-c", look).stdout.split()
    assert [Path(p).name for p in here] == ["gcc", "cc", "ld", "strip", "cargo", "rustc", "rustup"]
    full = project.run(
        "rust:latest", "sh", "-c", "for p in git curl make g++ pkg-config musl-gcc; do command -v $p; done; true"
    ).stdout.split()
    assert [Path(p).name for p in full] == ["git", "curl", "make", "g++", "pkg-config"]


def test_distroless_has_no_usr_local_and_no_shell(project: Project) -> None:
    made = project.docker("create", "gcr.io/distroless/static-debian13:nonroot", "x").stdout.strip()
    try:
        project.docker("export", "-o", "root.tar", made)
    finally:
        project.docker("rm", made)
    listed = subprocess.run(["tar", "tf", "root.tar"], cwd=project.folder, capture_output=True, text=True, check=True)
    paths = {line.rstrip("/") for line in listed.stdout.splitlines()}
    assert {"etc/ssl/certs/ca-certificates.crt", "etc/passwd", "tmp", "home/nonroot", "usr/share/zoneinfo/UTC"} <= paths
    assert not {p for p in paths if p.startswith("usr/local") or p.endswith(("/sh", "/busybox", "libc.so.6"))}


def test_alpine_makes_accounts_and_its_apk_says_what_it_is(project: Project) -> None:
    image = project.build(
        """\
        FROM alpine
        RUN addgroup -S web && adduser -S -D -H -u 4242 -G web web && adduser -D joe
        RUN apk add --no-cache ca-certificates tzdata && ls /usr/share/zoneinfo/Europe/Paris
        USER web
        """
    )
    assert project.run(image, "id", "-u").stdout == "4242\n"
    refused = project.run(image, "apk", "add", "libpq", check=False)
    assert refused.returncode == 1
    assert "stand-in" in refused.stderr


def test_clone_addresses_of_fixtures_are_inside(project: Project) -> None:
    if not clones.folders():
        pytest.skip("no folder in fixtures/clones")
    owner, name = clones.folders()[0].name.split("__", 1)
    for address in (f"https://github.com/{owner}/{name}", f"https://github.com/{owner}/{name}.git"):
        listed = project.run("rust:latest", "sh", "-c", f"git clone -q --depth 1 {address} /x && ls /x").stdout
        assert "Cargo.toml" in listed


def test_the_python_sdk_reaches_it_and_every_image_says_what_it_is(environment: dict[str, str]) -> None:
    client = docker.from_env(environment=environment)
    try:
        assert int(client.version()["Version"].split(".")[0]) >= 26
        for name in (
            "rust:latest",
            "rust:slim",
            "debian:bookworm-slim",
            "debian:trixie-slim",
            "ubuntu:22.04",
            "ubuntu:24.04",
            "alpine:latest",
            "busybox:musl",
        ):
            assert "stand-in" in client.images.get(name).labels["dockerslim.stand-in"]
        assert client.containers.run("alpine", ["echo", "hello"], remove=True) == b"hello\n"
    finally:
        client.close()


def test_a_pid_file_of_another_process_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKERSLIM_LAB_DIR", str(tmp_path))
    (tmp_path / "run").mkdir()
    (tmp_path / "run/pid").write_text(f"{os.getpid()} 1\n")
    assert engine.running() is None
    (tmp_path / "run/pid").write_text("no number")
    assert engine.running() is None


def test_a_docker_that_the_user_chose_is_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKERSLIM_LAB_DIR", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    assert "DOCKER_HOST is set" in (engine.others() or "")
    refused = subprocess.run([LAB, "up"], capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "not starting the lab" in refused.stderr


def test_no_mirror_is_written_in_the_lab() -> None:
    main, security = debian.mirrors()
    for file in Path(__file__).parent.rglob("*"):
        if file.is_file() and file.suffix != ".pyc":
            text = file.read_text()
            assert main not in text, file
            assert security not in text, file


def test_a_key_follows_code_not_its_layout() -> None:
    namespace = store.digest(store.say), store.digest(store.say, "x"), store.digest(store.run)
    assert len(set(namespace)) == 3
    assert store.digest("a", "b") != store.digest("ab")

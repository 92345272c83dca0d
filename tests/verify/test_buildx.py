"""What is asked of buildx, seen by a stand-in for the docker command line."""

from __future__ import annotations

import base64
import json
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from dockerslim_lint.verify.engines.buildx import Buildx, read_inspect
from dockerslim_lint.verify.engines.daemon import Daemon
from dockerslim_lint.verify.engines.interface import BuildError, BuildRequest, EngineError, Output, StoppedError

INSPECT = """Name:   default
Driver: docker

Nodes:
Name:      default
Endpoint:  default
Status:    running
Platforms: linux/amd64, linux/amd64/v2, linux/arm64
"""
FAKE = """#!{python}
import json, os, pathlib, shutil, sys
here = pathlib.Path({here!r})
if sys.argv[2] == "version":
    print((here / "version").read_text())
elif sys.argv[2] == "inspect":
    print((here / "inspect").read_text())
    sys.exit(int((here / "inspect-code").read_text()))
else:
    with (here / "calls").open("a") as file:
        file.write(json.dumps(sys.argv[1:]) + "\\n")
    dockerfile = pathlib.Path(sys.argv[sys.argv.index("--file") + 1])
    shutil.rmtree(here / "seen", ignore_errors=True)
    shutil.copytree(dockerfile.parent, here / "seen")
    (here / "context").write_text(" ".join(sorted(os.listdir(sys.argv[-1]))))
    sys.stderr.write((here / "stderr").read_text())
    code = int((here / "code").read_text())
    if (here / "then").exists():
        (here / "then").rename(here / "stderr")
        (here / "code").write_text("1" if "ERROR" in (here / "stderr").read_text() else "0")
    sys.exit(code)
"""


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that steers and records the stand-in."""
    here = tmp_path / "docker"
    (here / "bin").mkdir(parents=True)
    program = here / "bin" / "docker"
    program.write_text(FAKE.format(python=sys.executable, here=str(here)))
    program.chmod(0o755)
    answers = {"version": "github.com/docker/buildx v0.13.1 788433953", "inspect": INSPECT, "inspect-code": "0"}
    for name, text in {**answers, "stderr": "", "code": "0"}.items():
        (here / name).write_text(text)
    monkeypatch.setenv("PATH", str(here / "bin"))
    monkeypatch.setattr(
        "dockerslim_lint.verify.engines.buildx.find_daemon", lambda context: Daemon("26.1", True, "x86_64")
    )
    return here


def calls(docker: Path) -> list[list[str]]:
    return [json.loads(line) for line in (docker / "calls").read_text().splitlines()]


def usable(builder: str | None = None) -> Buildx:
    engine = Buildx(builder)
    assert engine.available() is None
    return engine


def test_available(docker: Path) -> None:
    assert usable().name == "buildx 0.13.1"


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("version", "docker: 'buildx' is not a docker command.", "not installed"),
        ("version", "github.com/docker/buildx v0.11.2 9872040", "too old"),
        ("inspect-code", "1", "the selected builder cannot be used"),
        ("inspect", INSPECT.replace("Status:    running", "Error: Cannot connect"), "no Docker daemon answers"),
    ],
)
def test_unavailable(docker: Path, file: str, text: str, told: str) -> None:
    (docker / file).write_text(text)
    error = Buildx().available()
    assert error is not None and told in str(error) and error.remedy and "\n" not in str(error)


def test_a_classic_store_cannot_export(docker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "dockerslim_lint.verify.engines.buildx.find_daemon", lambda context: Daemon("20.10", False, "x86_64")
    )
    error = Buildx().available()
    assert error is not None and "classic store" in str(error)
    assert "containerd image store" in error.remedy and "docker-container" in error.remedy
    (docker / "inspect").write_text(INSPECT.replace("Driver: docker", "Driver: docker-container"))
    assert Buildx("slim").available() is None, "a builder of its own exports whatever the daemon's store is"


def test_no_daemon(docker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(context: str) -> Daemon:
        raise EngineError("no Docker daemon answers: refused", "start Docker")

    monkeypatch.setattr("dockerslim_lint.verify.engines.buildx.find_daemon", fails)
    error = Buildx().available()
    assert error is not None and error.remedy == "start Docker"


def test_a_build(docker: Path, tmp_path: Path) -> None:
    context = tmp_path / "project"
    context.mkdir()
    (context / "Dockerfile.web").write_text("FROM disk\n")
    (context / "Dockerfile.web.dockerignore").write_text("target\n")
    request = BuildRequest(
        dockerfile=b"FROM memory\n",
        platform="linux/arm64",
        output=Output.OCI,
        dest=tmp_path / "out",
        context=context,
        dockerfile_path=context / "Dockerfile.web",
        target="web",
        args=(("A", "b c"), ("D", "")),
        named_contexts=(("base", "docker-image://x"),),
        no_cache_filter=("one", "two"),
    )
    assert usable("mine").build(request, lambda _: None).platform == "linux/arm64"
    [argv] = calls(docker)
    assert argv[:4] == ["buildx", "build", "--builder", "mine"]
    pairs = list(pairwise(argv))
    for pair in (
        ("--progress", "rawjson"),
        ("--platform", "linux/arm64"),
        ("--target", "web"),
        ("--build-arg", "A=b c"),
        ("--build-arg", "D="),
        ("--build-context", "base=docker-image://x"),
        ("--no-cache-filter", "one,two"),
    ):
        assert pair in pairs
    assert "--provenance=false" in argv and "--sbom=false" in argv and "--no-cache" not in argv
    assert f"type=oci,tar=false,compression=uncompressed,dest={tmp_path / 'out'}" in argv
    assert argv[-2:] == ["--", str(context)]
    seen = docker / "seen"
    assert (seen / "Dockerfile.web").read_bytes() == b"FROM memory\n"
    assert (seen / "Dockerfile.web.dockerignore").read_text() == "target\n"
    assert not Path(argv[argv.index("--file") + 1]).exists(), "the temporary Dockerfile is gone"


def test_a_build_without_context(docker: Path) -> None:
    usable().build(BuildRequest(b"FROM x\n", "linux/amd64", Output.NOTHING), lambda _: None)
    [argv] = calls(docker)
    assert "type=cacheonly" in argv and (docker / "context").read_text() == ""
    assert sorted(p.name for p in (docker / "seen").iterdir()) == ["Dockerfile"]


def test_a_failing_build(docker: Path) -> None:
    (docker / "code").write_text("1")
    (docker / "stderr").write_text("Dockerfile:2\n-----\n 2 | >>> RUN x\n-----\nERROR: failed to solve: exit code: 1\n")
    with pytest.raises(BuildError, match="exit code: 1") as raised:
        usable().build(BuildRequest(b"", "linux/amd64", Output.NOTHING), lambda _: None)
    assert raised.value.line == 2
    (docker / "stderr").write_text("ERROR: Cannot connect to the Docker daemon at unix:///x\n")
    with pytest.raises(EngineError, match="the engine was lost") as lost:
        usable().build(BuildRequest(b"", "linux/amd64", Output.NOTHING), lambda _: None)
    assert not isinstance(lost.value, BuildError)


LOST = "runc run failed: unable to start container process: "
PIPES = (
    "waiting for init preliminary setup: read init-p: connection reset by peer",
    "can't copy bootstrap data to pipe: write init-p: broken pipe",
    "can't get final child's PID from pipe: EOF",
)


def printed(log: str) -> str:
    """What buildx writes of a build whose step printed `log` and ended with code 1."""
    step = {"digest": "sha256:1", "name": "[2/2] RUN strip app", "started": "x", "completed": "y", "error": "code: 1"}
    data = base64.b64encode(log.encode()).decode("ascii")
    logs = {"logs": [{"vertex": "sha256:1", "data": data}]}
    return f"{json.dumps({'vertexes': [step]})}\n{json.dumps(logs)}\nERROR: failed to solve: exit code: 1\n"


@pytest.mark.parametrize("pipe", PIPES)
def test_a_container_that_the_runtime_lost_is_tried_once_more(docker: Path, pipe: str) -> None:
    """It says nothing about the Dockerfile: a proof must not fail, and no original be called broken, because of it."""
    (docker / "code").write_text("1")
    (docker / "stderr").write_text(printed(f"{LOST}{pipe}\n"))
    (docker / "then").write_text("")
    steps: list[str] = []
    engine = usable()
    assert engine.build(BuildRequest(b"", "linux/amd64", Output.NOTHING), steps.append).platform == "linux/amd64"
    assert len(calls(docker)) == 2 and steps == ["the engine could not start a container: built once more"]


def test_a_runtime_that_starts_no_container(docker: Path) -> None:
    (docker / "code").write_text("1")
    (docker / "stderr").write_text(printed(f"{LOST}{PIPES[0]}\n"))
    with pytest.raises(EngineError, match=r"cannot start a container: unable to .* reset by peer") as raised:
        usable().build(BuildRequest(b"", "linux/amd64", Output.NOTHING), lambda _: None)
    assert not isinstance(raised.value, BuildError) and "memory" in raised.value.remedy
    assert len(calls(docker)) == 2, "once more, not for ever"


def test_what_the_second_attempt_says_counts(docker: Path) -> None:
    (docker / "code").write_text("1")
    (docker / "stderr").write_text(printed(f"{LOST}{PIPES[0]}\n"))
    (docker / "then").write_text(printed("strip: 'app': No such file\n"))
    with pytest.raises(BuildError, match="exit code: 1") as raised:
        usable().build(BuildRequest(b"", "linux/amd64", Output.NOTHING), lambda _: None)
    assert raised.value.log == ("strip: 'app': No such file",)


@pytest.mark.parametrize(
    "log",
    [
        f'{LOST}exec: "strip": executable file not found in $PATH',
        f"{LOST}exec /bin/sh: exec format error",
        f'{LOST}error during container init: chdir to cwd ("/nowhere") set in config.json failed: not a directory',
        "error: could not read init-p: no such module",
    ],
)
def test_what_the_dockerfile_is_to_blame_for_is_not_tried_again(docker: Path, log: str) -> None:
    (docker / "code").write_text("1")
    (docker / "stderr").write_text(printed(log + "\n"))
    with pytest.raises(BuildError):
        usable().build(BuildRequest(b"", "linux/amd64", Output.NOTHING), lambda _: None)
    assert len(calls(docker)) == 1


@pytest.mark.parametrize(
    ("platform", "message", "reason", "remedy"),
    [
        ("linux/arm64", "exec /.dockerslim/busybox: exec format error", "cannot run", "binfmt"),
        ("linux/s390x", "busybox:musl: no match for platform in manifest: not found", "no busybox:musl", "--append"),
        ("linux/arm64", "busybox:musl: pull access denied", "no busybox:musl", "probe-image"),
    ],
)
def test_a_platform_that_cannot_be_run(docker: Path, platform: str, message: str, reason: str, remedy: str) -> None:
    (docker / "code").write_text("1")
    (docker / "stderr").write_text(f"ERROR: failed to solve: {message}\n")
    check = usable().check(platform, "busybox:musl")
    assert not check.usable and reason in check.reason and remedy in check.remedy


def test_a_platform_is_checked_once(docker: Path) -> None:
    engine = usable()
    assert engine.check("linux/amd64", "busybox:musl").how == "here"
    assert engine.check("linux/amd64", "busybox:musl").usable
    assert engine.check("linux/arm64", "busybox:musl").how == "emulated"
    assert len(calls(docker)) == 2
    assert b"from=busybox:musl" in (docker / "seen" / "Dockerfile").read_bytes()


def test_after_close_nothing_is_built(docker: Path) -> None:
    engine = usable()
    engine.close()
    with pytest.raises(StoppedError):
        engine.build(BuildRequest(b"", "linux/amd64", Output.NOTHING), lambda _: None)


def test_nodes_of_a_builder() -> None:
    text = INSPECT.replace("docker\n\n", "remote\n\n", 1) + "Name: other\nPlatforms: linux/arm64*, linux/arm/v7\n"
    builder = read_inspect(text)
    assert builder.driver == "remote" and builder.endpoint == "default"
    assert builder.platforms[1] == ("linux/arm64", "linux/arm/v7") and builder.platforms[0][0] == "linux/amd64"


def test_the_daemon_is_found_by_docker_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dockerslim_lint.verify.engines import daemon

    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(EngineError, match="no Docker daemon answers") as raised:
        daemon.find_daemon()
    assert "DOCKER_HOST" in raised.value.remedy

"""The docker CLI's buildx: BuildKit in a daemon with the containerd image store, or in a builder of its own."""

from __future__ import annotations

import re
import shutil
import tempfile
import threading
import time
from pathlib import Path

from dockerslim_lint.record import Record
from dockerslim_lint.verify.engines.daemon import find_daemon
from dockerslim_lint.verify.engines.interface import (
    BuildError,
    BuildRequest,
    BuiltImage,
    EngineError,
    OnStep,
    Output,
    PlatformCheck,
)
from dockerslim_lint.verify.engines.process import Children
from dockerslim_lint.verify.engines.rawjson import Failure, ProgressReader
from dockerslim_lint.verify.platforms import native_to

_SHORT = 60.0
_CHECK_TIMEOUT = 300.0
_CLI = (("docker", "buildx"), ("docker-buildx",), ("buildx",))
_STORE_REMEDY = (
    "switch on Docker's containerd image store, or give a builder of its own: "
    "docker buildx create --name slim --driver docker-container, then --builder slim"
)
_PLATFORM_REMEDY = (
    "register an emulator (docker run --privileged --rm tonistiigi/binfmt --install {architecture}) "
    "or add a node of that architecture (docker buildx create --append --platform {platform} …)"
)
_CONTAINER_REMEDY = "give the engine more memory, or try again when it has less to do"
_UNSTARTED = re.compile(r"unable to start container process: .*(?:init-p\b|init preliminary setup|final child's PID).*")
"""runc lost its own child before the command was executed: seen at random on busy machines (opencontainers/runc#2662,
earthly#3937), while BuildKit reports the command's exit code as 1. What the command itself lacks reads otherwise:
``unable to start container process: exec: …``."""
_CHECK = """FROM scratch
RUN --network=none --mount=type=bind,from={image},source=/bin/busybox,target=/.dockerslim/busybox \
["/.dockerslim/busybox", "true"]
"""


class _Builder(Record):
    """What ``buildx inspect`` says. `platforms` has a tuple for each node; its first one is what the node itself is.

    `endpoint` is the first node's: with the driver ``docker`` the name of a docker context.
    """

    driver: str
    endpoint: str
    platforms: tuple[tuple[str, ...], ...]


class Buildx:
    """`Engine` by ``docker buildx``; `builder` is the builder's name, None for the one that is selected."""

    def __init__(self, builder: str | None = None) -> None:
        self._builder_name = builder
        self._children = Children()
        self._lock = threading.Lock()
        self._cli: tuple[str, ...] = ()
        self._version = ""
        self._platforms: tuple[tuple[str, ...], ...] = ()
        self._asked = False
        self._unavailable: EngineError | None = None
        self._checks: dict[tuple[str, str], PlatformCheck] = {}

    @property
    def name(self) -> str:
        return f"buildx {self._version}".rstrip()

    def available(self) -> EngineError | None:
        with self._lock:
            if not self._asked:
                try:
                    self._find()
                except EngineError as error:
                    self._unavailable = error
                self._asked = True
            return self._unavailable

    def check(self, platform: str, probe_image: str) -> PlatformCheck:
        key = (platform, probe_image)
        known = self._checks.get(key)
        if known is None:
            known = self._checks[key] = self._check(platform, probe_image)
        return known

    def build(self, request: BuildRequest, on_step: OnStep) -> BuiltImage:
        began = time.monotonic()
        failure = self._attempt(request, on_step, request.timeout)
        if failure is not None and _unstarted(failure):
            on_step("the engine could not start a container: built once more")
            failure = self._attempt(request, on_step, max(request.timeout - (time.monotonic() - began), 1.0))
        if failure is not None:
            unstarted = _unstarted(failure)
            if unstarted:
                raise EngineError(f"the engine cannot start a container: {unstarted}", _CONTAINER_REMEDY)
            if _is_connection(failure.message) and not failure.step:
                raise EngineError(f"the engine was lost: {failure.message}")
            raise BuildError(failure.message, failure.step, failure.line, failure.log)
        return BuiltImage(request.dest or Path(), request.platform, time.monotonic() - began)

    def _attempt(self, request: BuildRequest, on_step: OnStep, timeout: float) -> Failure | None:
        """One run of the build, None if it succeeds. Raises EngineError when it takes longer than `timeout` seconds."""
        with tempfile.TemporaryDirectory(prefix="dockerslim-build-") as folder:
            argv = self._arguments(request, Path(folder))
            reader = ProgressReader(on_step)
            done = self._children.run(argv, timeout, reader.feed, {"BUILDKIT_PROGRESS": "rawjson"})
            reader.finish()
        if done.timed_out:
            raise EngineError(f"the build for {request.platform} did not end within {request.timeout:.0f} s")
        return reader.failure() if done.code != 0 else None

    def close(self) -> None:
        self._children.stop()

    def _find(self) -> None:
        """Fill in the command line, the version and the builder. Raises EngineError."""
        for cli in _CLI:
            path = shutil.which(cli[0])
            if path is None:
                continue
            done = self._children.run([path, *cli[1:], "version"], _SHORT)
            match = re.search(rb"\bv?(\d+\.\d+\.\d+)", done.stdout)
            if done.code == 0 and match is not None and b"buildx" in done.stdout:
                self._cli = (path, *cli[1:])
                self._version = match[1].decode("ascii")
                break
        else:
            raise EngineError("docker buildx is not installed", "install Docker with its buildx plugin")
        if tuple(int(part) for part in self._version.split(".")[:2]) < (0, 13):
            raise EngineError(f"buildx {self._version} is too old", "install buildx 0.13 or newer")
        builder = self._inspect()
        self._platforms = builder.platforms
        if builder.driver == "docker":
            daemon = find_daemon(builder.endpoint)
            if not daemon.containerd_store:
                raise EngineError(
                    f"Docker {daemon.version} keeps its images in the classic store, which cannot export OCI layouts",
                    _STORE_REMEDY,
                )

    def _inspect(self) -> _Builder:
        name = [self._builder_name] if self._builder_name else []
        done = self._children.run([*self._cli, "inspect", *name], _SHORT)
        text = done.stdout.decode("utf-8", "replace")
        builder = read_inspect(text)
        if done.code != 0 or done.timed_out or not builder.driver:
            said = _first_error(done.stderr.decode("utf-8", "replace") + text) or "no answer"
            which = f"builder {self._builder_name!r}" if self._builder_name else "the selected builder"
            raise EngineError(f"{which} cannot be used: {said}", "start Docker, or name another builder with --builder")
        if builder.driver == "docker":
            error = re.search(r"^Error:\s*(.+)$", text, re.MULTILINE)
            if error is not None:
                raise EngineError(f"no Docker daemon answers: {error[1].strip()}", "start Docker, or set DOCKER_HOST")
        return builder

    def _check(self, platform: str, probe_image: str) -> PlatformCheck:
        natives = tuple(row[0] for row in self._platforms)
        how = "here" if not natives or native_to(platform, natives) else "emulated"
        request = BuildRequest(
            dockerfile=_CHECK.format(image=probe_image).encode(),
            platform=platform,
            output=Output.NOTHING,
            no_cache=True,
            timeout=_CHECK_TIMEOUT,
        )
        try:
            self.build(request, lambda _: None)
        except BuildError as error:
            reason, remedy = str(error).removeprefix("failed to solve: "), ""
            if "exec format error" in " ".join((str(error), *error.log)).lower():
                reason = "the engine cannot run its programs"
            elif probe_image in reason:
                reason = f"the engine has no {probe_image} for it ({reason})"
                remedy = f"make {probe_image} reachable for {platform}, or set probe-image"
            offered = {offer for row in self._platforms for offer in row}
            if platform not in offered or not remedy:
                other = _PLATFORM_REMEDY.format(architecture=platform.split("/")[-1], platform=platform)
                remedy = f"{other}; {remedy}".removesuffix("; ")
            return PlatformCheck(platform, False, how, reason, remedy)
        return PlatformCheck(platform, True, how)

    def _arguments(self, request: BuildRequest, folder: Path) -> list[str]:
        """The command line of a build, and the files that it needs, in `folder`."""
        original = request.dockerfile_path or Path("Dockerfile")
        dockerfile = folder / "dockerfile" / original.name
        dockerfile.parent.mkdir()
        dockerfile.write_bytes(request.dockerfile)
        ignore = original.with_name(original.name + ".dockerignore")
        if request.dockerfile_path is not None and ignore.is_file():
            # BuildKit looks for it beside the Dockerfile; where it has none the context's own .dockerignore applies
            shutil.copyfile(ignore, dockerfile.with_name(ignore.name))
        context = request.context
        if context is None:
            context = folder / "context"
            context.mkdir()
        argv = [*self._cli, "build"]
        if self._builder_name:
            argv += ["--builder", self._builder_name]
        argv += ["--progress", "rawjson", "--platform", request.platform, "--provenance=false", "--sbom=false"]
        argv += ["--file", str(dockerfile), "--output", _output(request)]
        if request.target:
            argv += ["--target", request.target]
        for name, value in request.args:
            argv += ["--build-arg", f"{name}={value}"]
        for name, value in request.named_contexts:
            argv += ["--build-context", f"{name}={value}"]
        if request.no_cache_filter:
            argv += ["--no-cache-filter", ",".join(request.no_cache_filter)]
        if request.no_cache:
            argv.append("--no-cache")
        return [*argv, "--", str(context)]


def _output(request: BuildRequest) -> str:
    if request.output is Output.NOTHING:
        return "type=cacheonly"
    if request.dest is None:
        raise EngineError("our bug: a build with a result and no place for it")
    destination = f'"dest={request.dest}"' if "," in str(request.dest) else f"dest={request.dest}"
    if request.output is Output.LOCAL:
        return f"type=local,{destination}"
    # new layers are read once and thrown away: compressing them would only cost time
    return f"type=oci,tar=false,compression=uncompressed,{destination}"


def read_inspect(text: str) -> _Builder:
    """``docker buildx inspect``'s output; fields that it lacks are empty. A ``*`` marks a platform that create named."""
    driver = re.search(r"^Driver:\s*(\S+)", text, re.MULTILINE)
    rows = re.findall(r"^Platforms:[ \t]*(\S.*)$", text, re.MULTILINE)
    platforms = tuple(tuple(word.strip().rstrip("*") for word in row.split(",")) for row in rows)
    endpoint = re.search(r"^Endpoint:[ \t]*(\S+)", text, re.MULTILINE)
    return _Builder(driver[1] if driver else "", endpoint[1] if endpoint else "", platforms)


def _first_error(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    marked = [line for line in lines if line.upper().startswith("ERROR")]
    chosen = (marked or lines or [""])[0]
    return re.sub(r"^ERROR:\s*", "", chosen, flags=re.IGNORECASE)[:300]


def _unstarted(failure: Failure) -> str:
    """The runtime's word that it could not set a container up, "" where it said no such thing."""
    found = (_UNSTARTED.search(line) for line in (failure.message, *failure.log))
    return next((match[0] for match in found if match is not None), "")


def _is_connection(message: str) -> bool:
    return any(
        sign in message
        for sign in ("Cannot connect to the Docker daemon", "connection refused", "error reading from server: EOF")
    )

"""An engine without containers: images are made up, programs are Python functions."""

from __future__ import annotations

import json
import re
import shlex
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from dockerslim_lint.verify.engines.interface import (
    BuildError,
    BuildRequest,
    BuiltImage,
    EngineError,
    OnStep,
    Output,
    PlatformCheck,
    StoppedError,
)
from tests.verify.layouts import Item, Writer, tar_of


class Ended(NamedTuple):
    """How a made-up program ends; `end` and the rest as `probe.sh` writes them."""

    stdout: bytes = b""
    stderr: bytes = b""
    code: int = 0
    end: str = "ended"
    status: str = ""
    left: int = 0
    error: str = ""
    health: str = ""
    check: bytes = b""


_MARK = "Fake"
"""A key of a config that nobody compares; it says which image it is."""

Program = Callable[[tuple[str, ...]], Ended]


class FakeImage(NamedTuple):
    """What building a Dockerfile gives."""

    settings: dict[str, Any]
    program: Program = lambda argv: Ended(b"hello\n")
    files: tuple[Item, ...] = (Item("app", b"x" * 1000, 0o755),)
    fails: EngineError | None = None
    fails_on: str = ""
    unknown_user: bool = False


class FakeEngine:
    """`Engine` over a table of Dockerfile bytes. `requests` are all builds asked for."""

    name = "fake 1.0"

    def __init__(
        self,
        images: dict[bytes, FakeImage],
        platforms: tuple[str, ...] = ("linux/amd64", "linux/arm64"),
        missing: EngineError | None = None,
    ) -> None:
        self.images = images
        self.platforms = platforms
        self.missing = missing
        self.requests: list[BuildRequest] = []
        self.closed = False
        self.on_build: Callable[[BuildRequest], None] = lambda request: None
        self._lock = threading.Lock()
        self._by_name = {str(index): image for index, image in enumerate(images.values())}
        self._names = {data: str(index) for index, data in enumerate(images)}

    def available(self) -> EngineError | None:
        return self.missing

    def check(self, platform: str, probe_image: str) -> PlatformCheck:
        if platform in self.platforms:
            return PlatformCheck(platform, True, "here" if platform == self.platforms[0] else "emulated")
        return PlatformCheck(platform, False, "emulated", "nothing runs it", "install binfmt")

    def build(self, request: BuildRequest, on_step: OnStep) -> BuiltImage:
        if self.closed:
            raise StoppedError("closed")
        with self._lock:
            self.requests.append(request)
        self.on_build(request)
        on_step("step 1/1")
        assert request.dest is not None
        if request.output is Output.LOCAL:
            self._probe(request)
        else:
            self._make(request)
        return BuiltImage(request.dest, request.platform, 1.0)

    def close(self) -> None:
        self.closed = True

    def originals(self) -> list[BuildRequest]:
        """The requests for images, not for probes."""
        return [request for request in self.requests if request.output is Output.OCI]

    def _make(self, request: BuildRequest) -> None:
        image = self.images.get(request.dockerfile)
        if image is None:
            raise BuildError("no such image")
        if image.fails is not None and image.fails_on in ("", request.platform):
            raise image.fails
        assert request.dest is not None
        if (request.dest / "blobs").is_symlink():
            (request.dest / "blobs").unlink()  # shared with another layout, which the writer of layouts cannot
        writer = Writer(request.dest)
        settings = {**image.settings, _MARK: self._names[request.dockerfile]}
        descriptor = writer.image(tar_of(*image.files), platform=request.platform, config=settings)
        index = {"schemaVersion": 2, "manifests": [descriptor]}
        (request.dest / "index.json").write_text(json.dumps(index))

    def _probe(self, request: BuildRequest) -> None:
        assert request.dest is not None and request.context is not None
        ((_, reference),) = request.named_contexts
        folder, _, digest = reference.removeprefix("oci-layout://").partition("@")
        settings = _settings(Path(folder), digest)
        image = next((i for i in self._by_name.values() if not settings), None)
        if settings:
            image = self._by_name[settings[_MARK]]
            if image.unknown_user:
                raise BuildError("process did not complete successfully: unable to find user app")
        assert image is not None
        for job in sorted(request.context.glob("*/.dockerslim/job.sh")):
            text = job.read_text()
            argv = tuple(shlex.split(re.findall(r"^set -- (.*)^launch", text, re.MULTILINE | re.DOTALL)[0]))
            checked = "\ncheck=" in text
            ended = image.program(argv)
            _write(request.dest / job.parts[-3], ended if checked else ended._replace(health=""), checked)


def _settings(layout: Path, digest: str) -> dict[str, Any]:
    blobs = layout / "blobs" / "sha256"
    manifest = json.loads((blobs / digest.removeprefix("sha256:")).read_bytes())
    config = json.loads((blobs / manifest["config"]["digest"].removeprefix("sha256:")).read_bytes())
    assert isinstance(config["config"], dict)
    return config["config"]


def _write(folder: Path, ended: Ended, checked: bool) -> None:
    folder.mkdir(parents=True)
    (folder / "stdout").write_bytes(ended.stdout)
    (folder / "stderr").write_bytes(ended.stderr)
    status = ended.status or (f"Command exited with non-zero status {ended.code}\n" if ended.code else "")
    (folder / "status").write_text(f"{status}real\t0m 0.00s\n")
    lines: dict[str, object] = {
        "end": ended.end,
        "code": ended.code,
        "left": ended.left,
        "stdout": len(ended.stdout),
        "stderr": len(ended.stderr),
    }
    if ended.health and checked:
        lines["health"] = ended.health
        (folder / "check").write_bytes(ended.check)
    if ended.error:
        lines["error"] = ended.error
    (folder / "result").write_text("".join(f"{key}={value}\n" for key, value in lines.items()))

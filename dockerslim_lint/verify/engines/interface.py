"""What a proof asks of a container engine, and all that it may assume about one."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Protocol

from dockerslim_lint.record import Record


class EngineError(Exception):
    """The engine could not do what it was asked for; says nothing about the Dockerfile.

    The message is one line. `remedy` says what the user can do about it, "" if nobody knows.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


class StoppedError(EngineError):
    """The work was cut off because the engine was closed (the user interrupted)."""


class BuildError(EngineError):
    """A build ran and failed: a fact about the Dockerfile, or about what the build reaches.

    `step` is the engine's name for the failed step ("" if it named none), `line` its first line in the Dockerfile as
    the engine counted it (None if unknown), `log` the last lines that the step printed.
    """

    def __init__(self, message: str, step: str = "", line: int | None = None, log: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.step = step
        self.line = line
        self.log = log


class Output(Enum):
    """What becomes of a build's result."""

    OCI = "oci"
    """An OCI image layout in `dest`."""
    LOCAL = "local"
    """The files of the final stage in `dest`."""
    NOTHING = "nothing"
    """The build is all that is wanted."""


class BuildRequest(Record):
    """One build for one platform.

    `dockerfile` are the bytes to build, whatever lies on disk. `context` is the build context, None for an empty one.
    `dockerfile_path` is where the Dockerfile has its place: its name and the ``<name>.dockerignore`` beside it apply,
    the file itself need not exist. `named_contexts` are ``(name, value)`` as ``--build-context`` takes them.
    `no_cache_filter` names stages that must not come from the cache; `no_cache` means all.
    """

    dockerfile: bytes
    platform: str
    output: Output
    dest: Path | None = None
    context: Path | None = None
    dockerfile_path: Path | None = None
    target: str | None = None
    args: tuple[tuple[str, str], ...] = ()
    named_contexts: tuple[tuple[str, str], ...] = ()
    no_cache_filter: tuple[str, ...] = ()
    no_cache: bool = False
    timeout: float = 3600.0


class BuiltImage(Record):
    """A finished build: `layout` is the directory that was asked for, `seconds` how long it took."""

    layout: Path
    platform: str
    seconds: float


class PlatformCheck(Record):
    """Whether an engine builds and runs a platform: tried, not believed.

    `how` is ``here`` or ``emulated``; when not `usable`, `reason` says why and `remedy` what can be done.
    """

    platform: str
    usable: bool
    how: str
    reason: str = ""
    remedy: str = ""


OnStep = Callable[[str], None]
"""Called with the name of each step as it starts."""


class Engine(Protocol):
    """Builds images. All methods may be called from several threads at once; after `close` they raise StoppedError."""

    @property
    def name(self) -> str:
        """Name and version for people: ``buildx 0.13.1``; the bare name before `available` was asked."""

    def available(self) -> EngineError | None:
        """None if the engine can be used, else why not (with the remedy); asked once per process, remembered."""

    def check(self, platform: str, probe_image: str) -> PlatformCheck:
        """Whether `platform` can be built and run, found by running `probe_image`'s busybox; remembered."""

    def build(self, request: BuildRequest, on_step: OnStep) -> BuiltImage:
        """Build. Raises BuildError, EngineError when the engine itself fails, StoppedError after `close`."""

    def close(self) -> None:
        """End everything that is still under way and leave nothing behind; the engine is of no use afterwards."""

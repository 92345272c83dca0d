"""One image on trial: built for one platform, run, measured."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from dockerslim_lint.record import Record
from dockerslim_lint.verify.commands import checked_command, commands_for
from dockerslim_lint.verify.engines.interface import BuildRequest, Engine, EngineError, OnStep, Output, StoppedError
from dockerslim_lint.verify.evidence.config import BaseConfig
from dockerslim_lint.verify.evidence.interface import Run
from dockerslim_lint.verify.evidence.needs import Answer, look_up
from dockerslim_lint.verify.evidence.size import Size, measure
from dockerslim_lint.verify.health import Checked
from dockerslim_lint.verify.layout import Image, LayoutError, open_layout
from dockerslim_lint.verify.probe import (
    DEFAULT_PATH,
    Command,
    NotRunnableError,
    Observed,
    image_environment,
    run_commands,
)
from dockerslim_lint.verify.progress import Progress, State
from dockerslim_lint.verify.subject import Options, Subject

ORIGINAL = "original"
"""The name under which the old file's work is reported."""

_SCRATCH = BaseConfig((f"PATH={DEFAULT_PATH}",), (), (), (), "", "")


class Times(Record):
    """Seconds that somebody waited: for the build with its export, for the commands, and then for what is read and measured."""

    build: float = 0.0
    run: float = 0.0
    measure: float = 0.0

    def __str__(self) -> str:
        """``68s (build 14s, run 13s, measure 41s)``."""
        parts = ", ".join(f"{name} {seconds:.0f}s" for name, seconds in zip(self._fields, self, strict=True))
        return f"{sum(self):.0f}s ({parts})"

    def plus(self, other: Times) -> Times:
        return Times(*map(sum, zip(self, other, strict=True)))


class Trial(Record):
    """What was found about one image; of an original `image` has only the configuration. `runs` has a tuple for each repetition, in the order of `commands`.

    `base` is its base image's configuration, None if not known; `seconds` what the build took; `needs` what was found of them;
    `health` how the health check went in each repetition, () for an image without one; `times` where the time went.
    """

    image: Image
    commands: tuple[Command, ...]
    runs: tuple[tuple[Observed, ...], ...]
    size: Size
    base: BaseConfig | None
    seconds: float
    needs: tuple[Answer, ...] = ()
    health: tuple[Checked | None, ...] = ()
    times: Times = Times()

    @property
    def starts(self) -> bool:
        """Whether any command got as far as running, or there was none to try."""
        return not self.commands or any(observed.run.started for observed in self.runs[0])


class Originals:
    """The old file's trials by platform, made when first asked for, under `folder`. Failures are kept too."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._known: dict[tuple[str, str | None], Trial | EngineError | LayoutError] = {}

    def get(
        self, engine: Engine, subject: Subject, platform: str, options: Options, progress: Progress
    ) -> Trial | EngineError | LayoutError:
        """The trial on `platform`, or why there is none. Raises StoppedError."""
        key = (platform, subject.target)
        with self._lock:
            lock = self._locks.setdefault(platform, threading.Lock())
        with lock:
            if key not in self._known:
                self._known[key] = self._make(engine, subject, platform, options, progress)
            return self._known[key]

    def _make(
        self, engine: Engine, subject: Subject, platform: str, options: Options, progress: Progress
    ) -> Trial | EngineError | LayoutError:
        def on_step(text: str) -> None:
            progress.step(ORIGINAL, platform, text, State.RUNNING)

        def attempt(no_cache: bool) -> Trial:
            folder = self._folder / f"original-{platform.replace('/', '-')}"
            try:
                return try_image(
                    engine,
                    subject,
                    subject.dockerfile,
                    subject.base,
                    platform,
                    options,
                    2,
                    folder,
                    on_step,
                    no_cache,
                )
            finally:
                shutil.rmtree(folder, ignore_errors=True)  # large, and of the original all has been read by now

        try:
            trial = attempt(no_cache=False)
            if not trial.starts:
                # BuildKit was seen to take a cached layer without the file that its RUN had made (moby 26, builds side
                # by side): the new image is only freed from a comparison if a clean build does not start either
                on_step("does not start: built once more, without the cache")
                again = attempt(no_cache=True)
                trial = again._replace(times=again.times.plus(trial.times))
        except StoppedError:
            raise
        except (EngineError, LayoutError) as error:
            progress.step(ORIGINAL, platform, str(error), State.FAILED)
            return error
        progress.step(ORIGINAL, platform, str(trial.times), State.DONE)
        return trial


def try_image(
    engine: Engine,
    subject: Subject,
    dockerfile: bytes,
    base: str | None,
    platform: str,
    options: Options,
    repeats: int,
    folder: Path,
    on_step: OnStep,
    no_cache: bool = False,
) -> Trial:
    """Build `dockerfile` in the subject's place, run its commands, measure it. `folder` is made, for what is exported.

    `subject.programs` are those of the image that is tried.

    Raises BuildError, EngineError, LayoutError.
    """
    folder.mkdir(parents=True)
    request = BuildRequest(
        dockerfile=dockerfile,
        platform=platform,
        output=Output.OCI,
        dest=folder / "image",
        context=subject.context,
        dockerfile_path=subject.dockerfile_path,
        target=subject.target,
        args=subject.args,
        no_cache=no_cache,
        timeout=options.build_timeout,
    )
    built = engine.build(request, on_step)
    image = open_layout(built.layout, platform)
    with ThreadPoolExecutor(max_workers=2) as pool:  # the probe mostly waits
        size = pool.submit(measure, image)
        config = pool.submit(read_base, engine, base, platform, folder / "base", built.layout)
        emulated = engine.check(platform, options.probe_image).how == "emulated"
        limits = options.limits.patient() if emulated else options.limits
        commands = commands_for(image.settings, options.smokes, limits, subject.programs)
        on_step("running it")
        began = time.monotonic()
        try:
            asked = (*commands, *checked_command(image.settings, commands))
            found = run_commands(
                engine, built.layout, image, platform, asked, repeats, options.probe_image, lambda _: None
            )
            runs = tuple(one[: len(commands)] for one in found)
            health = tuple(last.checked for one in found for last in one[len(commands) :])
        except NotRunnableError as error:
            unstarted = tuple(Observed(Run(c.argv, False, None, start_error=str(error)), 0) for c in commands)
            runs, health = (unstarted,) * repeats, ()
        on_step("measuring")
        ran = time.monotonic()
        measured = size.result()
        user = str(image.settings.get("User") or "")
        needs = look_up(image.filesystem(), subject.needs, user=user, env=image_environment(image.settings))
        base_config = config.result()
        times = Times(built.seconds, ran - began, time.monotonic() - ran)
        return Trial(image, commands, runs, measured, base_config, built.seconds, needs, health, times)


def read_base(engine: Engine, base: str | None, platform: str, dest: Path, derived: Path) -> BaseConfig | None:
    """The configuration of the image that `base` names, None if it cannot be had. Raises StoppedError.

    `derived` is the layout of an image made from it: its blobs are shared, so that none has to be exported again.
    """
    if base is None or not base.strip() or set(base) & set("$ \t\r\n"):
        return None
    if base == "scratch":
        return _SCRATCH
    dest.mkdir()
    (dest / "blobs").symlink_to((derived / "blobs").resolve(), target_is_directory=True)
    request = BuildRequest(f"FROM {base}\n".encode(), platform, Output.OCI, dest, timeout=600.0)
    try:
        engine.build(request, lambda _: None)
        settings = open_layout(dest, platform).settings
    except StoppedError:
        raise
    except (EngineError, LayoutError):
        return None
    return _base_config(settings)


def _base_config(settings: dict[str, Any]) -> BaseConfig:
    labels = settings.get("Labels")
    words: Callable[[str], tuple[str, ...]] = lambda key: tuple(map(str, settings.get(key) or ()))  # noqa: E731
    return BaseConfig(
        env=words("Env"),
        labels=tuple((str(k), str(v)) for k, v in labels.items()) if isinstance(labels, dict) else (),
        cmd=words("Cmd"),
        entrypoint=words("Entrypoint"),
        workdir=str(settings.get("WorkingDir") or ""),
        user=str(settings.get("User") or ""),
    )

"""Running commands inside an image by building on top of it: no local container runtime, no shell in the image needed.

Each command gets a stage of its own (a fresh file system, no network), in which `probe.sh` supervises it with a
bind-mounted static busybox; a last stage from scratch carries the results out as files.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dockerslim_lint.record import Record
from dockerslim_lint.source import decode, encode
from dockerslim_lint.verify.engines.interface import BuildError, BuildRequest, Engine, EngineError, OnStep, Output
from dockerslim_lint.verify.evidence.interface import Run
from dockerslim_lint.verify.health import Check, Checked
from dockerslim_lint.verify.layout import Image
from dockerslim_lint.verify.runnable import runnable_reference

KEPT_BYTES = 1 << 20
"""What is kept of each of a command's two streams."""
FLOOD_BYTES = 64 << 20
"""No file that a command writes may grow larger: what prints without end is ended."""

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_CONTEXT = "dockerslim-image"
_SCRIPT = Path(__file__).with_name("probe.sh")
_SIGXFSZ = 25
_OVERHEAD = 240.0
"""Seconds beyond the commands' own time: starting steps, under emulation, several at once."""

_NO_PASSWD = "unable to find user"
"""BuildKit (0.13) says so of a USER that is only a number where there is no /etc/passwd. A container runtime starts that
with group 0, so the probe asks for it in full."""

_EXEC_ERROR = re.compile(rb"env: can't execute '(.*)': (.+)\n", re.DOTALL)
_LOADER_ERRORS = re.compile(
    rb"(?:.+: error while loading shared libraries: .+"
    rb"|.+: .+: version `[^']+' not found \(required by .+\)"
    rb"|Error loading shared library .+|Error relocating .+)"
)
_QEMU_ERROR = re.compile(rb"qemu-\S+: (?:Could not open '[^']*'.*|.*: Invalid ELF image.*|.*: Exec format error)\n")
_STATUS = re.compile(r"Command (exited with non-zero status|terminated by signal|stopped by signal) (\d+)")


class Command(Record):
    """One command for a probe: its argv, and the seconds after which it is ended.

    With a `check` that is run beside it, again and again; the command is ended as soon as one succeeds.
    """

    argv: tuple[str, ...]
    limit: float
    check: Check | None = None


class Observed(Record):
    """One run. `left_behind`: processes that outlived the program itself. `checked`: how its check went, None without."""

    run: Run
    left_behind: int
    checked: Checked | None = None


class NotRunnableError(Exception):
    """Nothing can be started in the image because of the image's own settings (a USER that it does not know …)."""


def run_commands(
    engine: Engine,
    layout: Path,
    image: Image,
    platform: str,
    commands: tuple[Command, ...],
    repeats: int,
    probe_image: str,
    on_step: OnStep,
) -> tuple[tuple[Observed, ...], ...]:
    """Run every command `repeats` times, each time in a fresh copy of the image; a tuple of runs for each repeat.

    Raises NotRunnableError when the image is at fault, EngineError when the probe is.
    """
    if not commands:
        return tuple(() for _ in range(repeats))
    with tempfile.TemporaryDirectory(prefix="dockerslim-probe-") as name:
        folder = Path(name)
        stages = [(f"r{repeat}c{index}", repeat, c) for repeat in range(repeats) for index, c in enumerate(commands)]
        request = _request(folder, stages, image, runnable_reference(layout, image), platform, probe_image)
        try:
            _build(engine, request, layout, image, on_step)
        except BuildError as error:
            _blame(engine, request, layout, image, error)
        results = folder / "results"
        observed = iter([_read_run(results / stage, command) for stage, _, command in stages])
        return tuple(tuple(next(observed) for _ in commands) for _ in range(repeats))


def _build(engine: Engine, request: BuildRequest, layout: Path, image: Image, on_step: OnStep) -> None:
    try:
        engine.build(request, on_step)
    except BuildError as error:
        user = image.settings.get("User")
        if not (isinstance(user, str) and user.isdecimal() and _NO_PASSWD in str(error)):
            raise
        reference = runnable_reference(layout, image, user=f"{user}:0")
        engine.build(request._replace(named_contexts=((_CONTEXT, reference),)), on_step)


def _blame(engine: Engine, request: BuildRequest, layout: Path, image: Image, error: BuildError) -> None:
    """A probe's step failed, which a command's failure never does: find out whose fault it is, and raise."""
    control = request._replace(named_contexts=((_CONTEXT, runnable_reference(layout, image, control=True)),))
    try:
        engine.build(control, lambda _: None)
    except BuildError as other:
        raise EngineError(f"the probe does not run: {other}") from None
    raise NotRunnableError(_reason(str(error))) from None


def _reason(message: str) -> str:
    """What the runtime said, without the command line of ours that the engine quotes around it."""
    _, _, said = message.rpartition("did not complete successfully: ")
    return (said or message).removeprefix("failed to solve: ")


def _request(
    folder: Path,
    stages: list[tuple[str, int, Command]],
    image: Image,
    reference: str,
    platform: str,
    probe_image: str,
) -> BuildRequest:
    context = folder / "context"
    lines = []
    for stage, repeat, command in stages:
        _write_job(context / stage / ".dockerslim", image.settings, command, repeat)
        lines += [
            f"FROM {_CONTEXT} AS {stage}",
            f"COPY {stage}/ /",
            "RUN --network=none"
            f" --mount=type=bind,from={probe_image},source=/bin/busybox,target=/.dockerslim/busybox"
            f" {json.dumps(['/.dockerslim/busybox', 'sh', '/.dockerslim/probe.sh', stage])}",
        ]
    lines.append("FROM scratch")
    lines += [f"COPY --from={stage} /.dockerslim/out /{stage}" for stage, _, _ in stages]
    return BuildRequest(
        dockerfile="\n".join([*lines, ""]).encode(),
        platform=platform,
        output=Output.LOCAL,
        dest=folder / "results",
        context=context,
        named_contexts=((_CONTEXT, reference),),
        no_cache_filter=tuple(stage for stage, _, _ in stages),
        timeout=sum(command.limit for _, _, command in stages) + _OVERHEAD,
    )


def _write_job(folder: Path, settings: dict[str, Any], command: Command, repeat: int = 0) -> None:
    """The tree that is copied into the image; ``out`` keeps its mode 1777 because it lies inside of it.

    Each repetition has process ids of its own: who prints one (tini does) is then seen to differ from itself.
    """
    out = folder / "out"
    out.mkdir(parents=True)
    for directory, mode in ((folder.parent, 0o755), (folder, 0o755), (out, 0o1777)):
        directory.chmod(mode)
    shutil.copyfile(_SCRIPT, folder / "probe.sh")
    environment = image_environment(settings)
    words = [_quote(word) for word in environment]
    if not any(word.startswith("HOME=") for word in environment):
        words.append('"HOME=$HOME"')  # the engine sets it for the image's user, as a container runtime does
    path = next(word for word in environment if word.startswith("PATH=")).partition("=")[2]
    start = f"$bb env -i {' '.join(words)}"
    check = command.check
    lines = [
        f"limit={round(command.limit * 100)}",
        f"flood={FLOOD_BYTES // 512}",
        f"keep={KEPT_BYTES}",
        f"burn={repeat * 7}",
        f"path={_quote(path)}",
        f"set -- {' '.join(map(_quote, command.argv))}",
        # time tells how the program ended; env hands it the image's environment and nothing of the build's
        f'launch() {{ exec $bb setsid $bb time -o $out/status {start} "$@"; }}',
    ]
    if check is not None:
        rest = " ".join(map(_quote, check.argv[1:]))
        lines += [
            f"check={_quote(check.argv[0])}",
            f"check_limit={round(check.timeout * 100)}",
            f'inspect() {{ exec $bb setsid $bb time -o $out/checked {start} "$check" {rest}; }}',
        ]
    (folder / "job.sh").write_bytes(encode("\n".join([*lines, ""])))
    for file in ("probe.sh", "job.sh"):
        (folder / file).chmod(0o644)


def image_environment(settings: dict[str, Any]) -> tuple[str, ...]:
    """The environment, ``NAME=value``, that a container runtime gives to a program of the image, HOME aside."""
    listed = settings.get("Env")
    words = [word for word in listed if isinstance(word, str) and "=" in word] if isinstance(listed, list) else []
    if not any(word.startswith("PATH=") for word in words):
        words.append(f"PATH={DEFAULT_PATH}")
    return tuple(words)


def _quote(word: str) -> str:
    return "'" + word.replace("'", "'\"'\"'") + "'"


def _read_run(folder: Path, command: Command) -> Observed:
    """What `probe.sh` wrote about one run."""
    result = dict(_pairs(decode(_read(folder / "result", 1 << 16)).splitlines()))
    if "end" not in result:
        raise EngineError(f"the probe left no result for {command.argv[0]}")
    code = _number(result.get("code", ""))
    if result["end"] == "refused":
        return Observed(Run(command.argv, False, code, start_error=result.get("error", "not started")), 0)
    stdout, stderr = (_read(folder / name, KEPT_BYTES) for name in ("stdout", "stderr"))
    sizes = [_number(result.get(name, "")) for name in ("stdout", "stderr")]
    exit_code, signal = _ending(code, decode(_read(folder / "status", 1 << 12)))
    run = Run(
        command=command.argv,
        started=True,
        exit_code=exit_code,
        signal=signal,
        stdout=stdout,
        stderr=stderr,
        truncated=any(size > KEPT_BYTES for size in sizes),
    )
    if result["end"] == "late" or (signal == _SIGXFSZ and any(size >= FLOOD_BYTES for size in sizes)):
        # a flood is ended by us too, only for its size: how soon it reaches that is no property of the program
        run = run._replace(exit_code=None, signal=None, timed_out=True)
    elif error := start_error(exit_code, stdout, stderr):
        run = run._replace(started=False, start_error=error)
    return Observed(run, _number(result.get("left", "")), _read_check(folder, command, result) if run.started else None)


def _read_check(folder: Path, command: Command, result: dict[str, str]) -> Checked | None:
    check = command.check
    if check is None:
        return None
    health = result.get("health", "")
    if health == "ok":
        return Checked(check.argv, True)
    if health == "late":
        why = f"no answer within {check.timeout:.0f} s"
    elif health.isdigit():
        said = decode(_read(folder / "check", 1 << 12)).split("\n")
        last = next((" ".join(line.split()) for line in reversed(said) if line.strip()), "")
        why = f"exit {health}" + (f" ({last[:120]})" if last else "")
    else:
        ended = "the command ended" if result["end"] == "ended" else "the time was over"
        why = health or f"{ended} before it had answered"
    return Checked(check.argv, False, why)


def _ending(code: int, status: str) -> tuple[int | None, int | None]:
    """Exit code and signal, by busybox time's report; without one, by the shell's convention."""
    match = _STATUS.search(status)
    if match is not None:
        number = int(match[2])
        return (number, None) if match[1].startswith("exited") else (None, number)
    if status:
        return code, None
    return (None, code - 128) if 128 < code <= 192 else (code, None)


def start_error(exit_code: int | None, stdout: bytes, stderr: bytes) -> str:
    """Why the program never got control, "" if it did, as far as whoever tried to start it tells.

    Exit 126 or 127 with the tool's own complaint and nothing else is an exec() that failed: the file is there, so its
    loader or interpreter is not. The loaders of glibc and musl and qemu complain in their own words.
    """
    if stdout:
        return ""
    match = _EXEC_ERROR.fullmatch(stderr)
    if exit_code in (126, 127) and match is not None:
        name, reason = decode(match[1]), decode(match[2])
        if "No such file" in reason:
            return f"exec {name}: its loader or interpreter is not in the image"
        return f"exec {name}: {reason}"
    lines = [line for line in stderr.splitlines() if line.strip()]
    if exit_code in (1, 127) and lines and all(_LOADER_ERRORS.fullmatch(line) for line in lines):
        return decode(lines[0])
    if exit_code in (1, 126, 127, 255) and _QEMU_ERROR.fullmatch(stderr):
        return decode(stderr.strip())
    return ""


def _pairs(lines: Iterable[str]) -> Iterable[tuple[str, str]]:
    for line in lines:
        key, equals, value = line.partition("=")
        if equals:
            yield key, value


def _number(text: str) -> int:
    return int(text) if text.strip().isdigit() else 0


def _read(path: Path, limit: int) -> bytes:
    """At most `limit` bytes of a regular file, b"" if there is none: what lies there was written inside the image."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return b""
    with os.fdopen(handle, "rb") as file:
        return file.read(limit) if stat.S_ISREG(os.fstat(handle).st_mode) else b""

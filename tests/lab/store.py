"""Where the lab keeps what it makes: outside the checkout, each thing under a key of what it is made from."""

import ast
import fcntl
import hashlib
import inspect
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

_started = time.monotonic()
_locks: dict[str, threading.Lock] = {}
_locks_lock = threading.Lock()
_children: set[int] = set()


class LabError(Exception):
    """Something a person has to know or do; its text is the whole message."""


def lab_dir() -> Path:
    named = os.environ.get("DOCKERSLIM_LAB_DIR")
    return Path(named) if named else Path(os.environ.get("XDG_CACHE_HOME") or "/var/cache") / "dockerslim-lab"


def say(text: str) -> None:
    print(f"[{time.monotonic() - _started:5.1f} s] {text}", file=sys.stderr, flush=True)


def digest(*parts: object) -> str:
    """A short hash of the parts; a function or class stands for its own code, however it is laid out."""
    h = hashlib.sha256()
    for part in parts:
        text = ast.dump(ast.parse(textwrap.dedent(inspect.getsource(part)))) if callable(part) else repr(part)
        h.update(f"{len(text)}:{text}".encode())
    return h.hexdigest()[:16]


def run(
    *command: str | Path, env: dict[str, str] | None = None, cwd: Path | None = None, feed: str | None = None
) -> str:
    """Run a command, give back its standard output; LabError with the end of its output if it fails."""
    child = subprocess.Popen(
        [str(c) for c in command],
        stdin=subprocess.DEVNULL if feed is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env=None if env is None else {**os.environ, **env},
        cwd=cwd,
        start_new_session=True,
    )
    _children.add(child.pid)
    try:
        out, err = child.communicate(feed)
    finally:
        _children.discard(child.pid)
    if child.returncode:
        words = " ".join(str(c) for c in command)
        raise LabError(f"{words[:400]}: exit code {child.returncode}\n{(out + err)[-3000:]}")
    return out


def end_with_children(number: int, _: object) -> None:
    """A signal's handler: nothing that we started goes on without us, writing into the cache."""
    for pid in list(_children):
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
    os._exit(128 + number)


def in_root(
    root: Path, *command: str | Path, env: dict[str, str] | None = None, binds: Sequence[tuple[Path, str]] = ()
) -> str:
    """Run a command chrooted into `root`, with /proc and /dev there and nothing left mounted afterwards."""
    script = 'root=$1; shift; mount -t proc proc "$root/proc"; mount --rbind /dev "$root/dev"; '
    script += 'while [ "$1" != -- ]; do mkdir -p "$root$2"; mount --bind "$1" "$root$2"; shift 2; done; shift; exec env -i "${@:2:$1}" chroot "$root" "${@:$1+2}"'
    pairs = [str(word) for bind in binds for word in bind]
    plain = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root",
        "LC_ALL": "C.UTF-8",
        **(env or {}),
    }
    settings = [f"{name}={value}" for name, value in plain.items()]
    unshare = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"]
    return run(*unshare, "bash", "-ec", script, "_", root, *pairs, "--", str(len(settings)), *settings, *command)


def made(name: str, key: str, make: Callable[[Path], None]) -> Path:
    """The folder `made/NAME-KEY`, filled by `make` if it isn't there yet.

    Of older keys of the same name the last used one stays: two checkouts may share the cache.
    """
    with _locks_lock:
        lock = _locks.setdefault(name, threading.Lock())
    with lock:
        home = lab_dir() / "made"
        place = home / f"{name}-{key}"
        if place.is_dir():
            os.utime(place)
            return place
        home.mkdir(parents=True, exist_ok=True)
        began = time.monotonic()
        say(f"{name}: making")
        fresh = home / f".{name}.new"
        remove(fresh)
        fresh.mkdir()
        make(fresh)
        others = sorted(home.glob(f"{name}-{'[0-9a-f]' * 16}"), key=lambda p: p.stat().st_mtime)
        for old in others[:-1]:
            remove(old)
        fresh.rename(place)
        say(f"{name}: made in {time.monotonic() - began:.0f} s")
        return place


def remove(folder: Path) -> None:
    """Remove a tree of ours, never across a mount: a bind mount left in it would be the machine's own files."""
    if not folder.exists():
        return
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    if inside := [m for m in mounts if m.startswith(f"{folder.resolve()}/")]:
        raise LabError(f"{folder} has something mounted in it ({inside[0]}); not removing it")
    shutil.rmtree(folder)


@contextmanager
def only_one() -> Iterator[None]:
    """One lab command at a time on a cache."""
    lab_dir().mkdir(parents=True, exist_ok=True)
    with (lab_dir() / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another lab command is at work; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield

"""What the probe's files mean; `probe.sh` itself runs in test_rascal.py."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dockerslim_lint.verify.commands import LEAST_WATCH, Limits, checked_command, commands_for
from dockerslim_lint.verify.engines.interface import EngineError
from dockerslim_lint.verify.health import LEAST_PATIENCE, MOST_PATIENCE, Check, Checked, read_check
from dockerslim_lint.verify.probe import DEFAULT_PATH, Command, _read_run, _write_job, image_environment, start_error


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def test_commands_without_smokes() -> None:
    limits = Limits(default=7, watch=6)
    both = {"Entrypoint": ["/app"], "Cmd": ["serve", "--port=1"]}
    assert commands_for(both, (), limits) == (
        Command(("/app", "--version"), 7),
        Command(("/app", "--help"), 7),
        Command(("/app", "serve", "--port=1"), 6),
    )
    only_cmd = {"Entrypoint": None, "Cmd": ["app", "serve"]}
    assert [c.argv for c in commands_for(only_cmd, (), limits)] == [
        ("app", "--version"),
        ("app", "--help"),
        ("app", "serve"),
    ]
    assert commands_for({}, (), limits) == ()


@pytest.mark.parametrize(
    ("settings", "asked", "own"),
    [
        ({"Cmd": ["cargo", "run", "-r"]}, "cargo run --quiet -r --", "cargo run --quiet -r --"),
        ({"Cmd": ["cargo", "r", "--", "-v"]}, "cargo r --quiet --", "cargo r --quiet -- -v"),
        ({"Entrypoint": ["cargo", "run", "--"], "Cmd": ["a"]}, "cargo run --quiet --", "cargo run --quiet -- a"),
        ({"Cmd": ["/bin/sh", "-c", "cargo run"]}, "cargo run --quiet --", "cargo run --quiet --"),
        ({"Cmd": ["cargo", "watch"]}, "cargo", "cargo watch"),
        ({"Cmd": ["run", "cargo"]}, "run", "run cargo"),
    ],
)
def test_what_cargo_runs_is_asked(settings: dict[str, list[str]], asked: str, own: str) -> None:
    said = [" ".join(command.argv) for command in commands_for(settings, (), Limits())]
    assert said == [f"{asked} --version", f"{asked} --help", own]
    piped = commands_for({"Cmd": ["/bin/sh", "-c", "cargo run | cat"]}, (), Limits())
    assert [command.argv for command in piped] == [("/bin/sh", "-c", "cargo run | cat")]


def test_commands_with_smokes() -> None:
    assert [c.argv for c in commands_for({"Cmd": ["app"]}, ("app 'a b' c",), Limits())] == [
        ("app", "a b", "c"),
        ("app",),
    ]
    for wrong in ("app 'a", " "):
        with pytest.raises(ValueError):
            commands_for({}, (wrong,), Limits())


def test_the_original_command_is_watched_for_five_seconds_at_least() -> None:
    assert commands_for({"Cmd": ["app"]}, (), Limits(watch=0.1))[-1].limit == LEAST_WATCH >= 5


def test_the_environment_has_a_path() -> None:
    assert image_environment({"Env": ["A=b", "PATH=/x"]}) == ("A=b", "PATH=/x")
    assert image_environment({"Env": None}) == (f"PATH={DEFAULT_PATH}",)


@pytest.mark.parametrize("word", ["plain", "it's", 'a"b$HOME`x`\\', "two\nlines", "ü", "", "-e", "!x"])
def test_words_reach_the_program_as_they_are(tmp_path: Path, word: str) -> None:
    _write_job(tmp_path / "r0" / ".dockerslim", {"Env": [f"X={word}", "odd.name=1"]}, Command((word, word), 1))
    folder = tmp_path / "r0" / ".dockerslim"
    assert oct((folder / "out").stat().st_mode & 0o7777) == "0o1777"
    job = (folder / "job.sh").read_text()
    shown = 'bb="printf %s\\\\0"; setsid() { :; }; exec() { "$@"; }; launch "$@"'
    done = subprocess.run(["bash", "-c", f"{job}\n{shown}"], capture_output=True, check=True)
    words = done.stdout.split(b"\0")
    assert f"X={word}".encode() in words and words[-3:] == [word.encode(), word.encode(), b""]
    assert shlex.split(job.split("set -- ")[1].split("\nlaunch")[0]) == [word, word]


CHECKED = {
    "Cmd": ["app"],
    "Healthcheck": {"Test": ["CMD", "curl", "it's"], "Timeout": 3 * 10**9, "StartPeriod": 20 * 10**9},
}


@pytest.mark.parametrize(
    ("settings", "check"),
    [
        (CHECKED, Check(("curl", "it's"), 3, 20)),
        ({"Healthcheck": {"Test": ["CMD-SHELL", "a || b"]}}, Check(("/bin/sh", "-c", "a || b"), 30, LEAST_PATIENCE)),
        (
            {"Healthcheck": {"Test": ["CMD-SHELL", "a"]}, "Shell": ["/bin/bash", "-lc"]},
            Check(("/bin/bash", "-lc", "a"), 30, LEAST_PATIENCE),
        ),
        ({"Healthcheck": {"Test": ["CMD", "a"], "StartPeriod": 3600 * 10**9}}, Check(("a",), 30, MOST_PATIENCE)),
        ({"Healthcheck": {"Test": ["NONE"]}}, None),
        ({"Healthcheck": {"Test": ["CMD"]}}, None),
        ({"Healthcheck": {"Test": []}}, None),
        ({"Healthcheck": {"Interval": 5}}, None),
        ({"Healthcheck": None}, None),
        ({}, None),
    ],
)
def test_the_check_of_an_image(settings: dict[str, Any], check: Check | None) -> None:
    assert read_check(settings) == check


def test_the_check_is_run_beside_the_images_own_command() -> None:
    commands = commands_for(CHECKED, (), Limits(watch=6))
    assert checked_command(CHECKED, commands) == (Command(("app",), 26, Check(("curl", "it's"), 3, 20)),)
    assert checked_command({"Cmd": ["app"]}, commands) == ()
    only_a_check = {"Healthcheck": CHECKED["Healthcheck"]}
    assert checked_command(only_a_check, commands_for(only_a_check, ("app x",), Limits())) == ()


def test_the_words_of_a_check_are_kept(tmp_path: Path) -> None:
    _write_job(tmp_path / "r0" / ".dockerslim", CHECKED, Command(("app",), 1, read_check(CHECKED)))
    job = (tmp_path / "r0" / ".dockerslim" / "job.sh").read_text()
    assert "\ncheck='curl'\ncheck_limit=300\n" in job
    shown = 'bb="printf %s\\0"; setsid() { :; }; exec() { "$@"; }; check=/bin/curl; inspect'
    done = subprocess.run(["bash", "-c", f"{job}\n{shown}"], capture_output=True, check=True)
    assert done.stdout.split(b"\0")[-3:] == [b"/bin/curl", b"it's", b""]


@pytest.mark.parametrize(
    ("end", "health", "healthy", "why"),
    [
        ("late", "ok", True, ""),
        ("late", "7", False, "exit 7 (refused)"),
        ("late", "late", False, "no answer within 3 s"),
        ("late", "", False, "the time was over before it had answered"),
        ("ended", "", False, "the command ended before it had answered"),
        ("ended", "no such file: curl", False, "no such file: curl"),
    ],
)
def test_checks_are_read(tmp_path: Path, end: str, health: str, healthy: bool, why: str) -> None:
    write(tmp_path, result=f"end={end}\ncode=0\nhealth={health}\n", check="connecting\n refused \n\n", stdout="x")
    assert _read_run(tmp_path, Command(("app",), 5, read_check(CHECKED))).checked == Checked(
        ("curl", "it's"), healthy, why
    )
    assert _read_run(tmp_path, Command(("app",), 5)).checked is None


def test_what_did_not_start_was_not_checked(tmp_path: Path) -> None:
    write(tmp_path, result="end=refused\ncode=127\nerror=no such file: app\n")
    assert _read_run(tmp_path, Command(("app",), 5, read_check(CHECKED))).checked is None


def test_runs_are_read(tmp_path: Path) -> None:
    command = Command(("app",), 5)
    write(tmp_path, result="end=ended\ncode=3\nleft=2\nstdout=2\nstderr=0\n", stdout="hi", stderr="")
    write(tmp_path, status="Command exited with non-zero status 3\nreal\t0m 0.00s\n")
    run, left, _ = _read_run(tmp_path, command)
    assert (run.started, run.exit_code, run.signal, run.stdout, run.truncated, left) == (True, 3, None, b"hi", False, 2)

    write(tmp_path, result="end=ended\ncode=6\nstdout=2\nstderr=0\n", status="Command terminated by signal 6\n")
    run, *_ = _read_run(tmp_path, command)
    assert (run.exit_code, run.signal, run.timed_out) == (None, 6, False)

    write(tmp_path, result="end=ended\ncode=134\nstdout=2\nstderr=0\n", status="")
    run, *_ = _read_run(tmp_path, command)
    assert (run.exit_code, run.signal) == (None, 6), "without time's report the shell's convention counts"

    write(tmp_path, result="end=late\ncode=137\nstdout=2\nstderr=0\n", status="")
    run, *_ = _read_run(tmp_path, command)
    assert run.started and run.timed_out and run.exit_code is None and run.signal is None

    write(
        tmp_path, result=f"end=ended\ncode=25\nstdout={64 << 20}\nstderr=0\n", status="Command terminated by signal 25"
    )
    run, *_ = _read_run(tmp_path, command)
    assert run.timed_out and run.truncated and run.signal is None

    write(tmp_path, result="end=refused\ncode=127\nerror=no such file: app\n")
    run, *_ = _read_run(tmp_path, command)
    assert (run.started, run.start_error, run.exit_code) == (False, "no such file: app", 127)


def test_no_result_is_an_error_of_the_probe(tmp_path: Path) -> None:
    (tmp_path / "result").symlink_to("/etc/hostname")
    with pytest.raises(EngineError, match="no result"):
        _read_run(tmp_path, Command(("app",), 5))


@pytest.mark.parametrize(
    ("code", "stdout", "stderr", "told"),
    [
        (127, b"", b"env: can't execute 'app': No such file or directory\n", "loader or interpreter"),
        (126, b"", b"env: can't execute '/app': Permission denied\n", "exec /app: Permission denied"),
        (
            127,
            b"",
            b"app: error while loading shared libraries: libssl.so.3: cannot open shared object file\n",
            "libssl",
        ),
        (1, b"", b"app: /lib/libc.so.6: version `GLIBC_2.38' not found (required by app)\n", "GLIBC_2.38"),
        (
            127,
            b"",
            b"Error loading shared library a.so: No such file (needed by /x)\nError relocating /x: f: ?\n",
            "a.so",
        ),
        (255, b"", b"qemu-aarch64: Could not open '/lib/ld.so.1': No such file or directory\n", "Could not open"),
        (127, b"out", b"env: can't execute 'app': No such file or directory\n", ""),
        (1, b"", b"env: can't execute 'app': No such file or directory\n", ""),
        (127, b"", b"sh: app: not found\n", ""),
        (1, b"", b"first\nError loading shared library a.so\n", ""),
        (0, b"", b"", ""),
    ],
)
def test_start_errors(code: int, stdout: bytes, stderr: bytes, told: str) -> None:
    said = start_error(code, stdout, stderr)
    assert told in said and bool(said) == bool(told)

"""The program as a process: permissions, signals, closed pipes, what it imports, and many files."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import ORIGIN

ROOT = Path(__file__).parents[2]
PROGRAM = [sys.executable, "-m", "tests.cli.fake_linter"]
HEAVY = (
    "rich docker libcst difflib json pathspec concurrent.futures importlib.metadata dockerfile_parse "
    "multiprocessing asyncio subprocess requests elftools zstandard pygls lsprotocol attrs cattrs dockerslim_lint.lsp"
)


def run(
    directory: Path, *arguments: str, prefix: tuple[str, ...] = (), stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*prefix, *PROGRAM, *arguments],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "rules")))},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "Dockerfile").write_text(ORIGIN)
    return tmp_path


def _unprivileged(path: Path) -> tuple[str, ...]:
    """What to put before a command so that permissions count; `path` and what leads to it becomes reachable."""
    if os.geteuid() != 0:
        return ()
    if shutil.which("setpriv") is None:
        pytest.skip("root, and no setpriv to become somebody else")
    for part in (path, *path.parents):
        if part != Path("/") and str(part).startswith("/tmp/"):
            part.chmod(0o755)
    prefix = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
    probe = subprocess.run([*prefix, sys.executable, "-c", "pass"], cwd=path, capture_output=True, check=False)
    if probe.returncode != 0:
        pytest.skip("an unprivileged user cannot run this interpreter")
    return prefix


def test_a_file_without_permission(project: Path) -> None:
    (project / "closed").write_text(ORIGIN)
    (project / "closed").chmod(0)
    result = run(project, "lint", "-q", "closed", "Dockerfile", prefix=_unprivileged(project))
    assert result.returncode == 4, result.stderr
    first = result.stdout.split("\n")[0]
    assert first == "closed:1:1: DSL901 unparsable  error: no permission to read it; check its mode and owner"
    assert "Dockerfile:6:6: DSL101" in result.stdout
    assert result.stderr == ""


def test_a_directory_without_permission(project: Path) -> None:
    (project / "closed").mkdir(mode=0)
    (project / "closed").chmod(0)
    try:
        result = run(project, "lint", "-q", ".", "closed/Dockerfile", prefix=_unprivileged(project))
        assert result.returncode == 4, result.stderr
        assert "closed:1:1: DSL901 unparsable  error: no permission" in result.stdout
        assert "closed/Dockerfile:1:1: DSL901 unparsable  error: no permission" in result.stdout
        assert "Dockerfile:6:6: DSL101" in result.stdout
        assert result.stderr == ""
    finally:
        (project / "closed").chmod(0o755)


def test_a_configuration_without_permission(project: Path) -> None:
    (project / ".dockerslim.toml").write_text("")
    (project / ".dockerslim.toml").chmod(0)
    result = run(project, "lint", prefix=_unprivileged(project))
    assert result.returncode == 2
    assert result.stderr == ("dockerslim-lint: .dockerslim.toml: no permission to read it; check its mode and owner\n")


@pytest.mark.parametrize("install", ["from tests.cli.fake_linter import install; install()", "pass"])
def test_a_plain_run_imports_nothing_heavy(project: Path, install: str) -> None:
    check = (
        f"import sys; {install}\n"
        "from dockerslim_lint import cli\n"
        "sys.argv = ['x', 'lint', 'Dockerfile']\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        f"print([name for name in {HEAVY!r}.split() if name in sys.modules], file=sys.stderr)"
    )
    result = subprocess.run(
        [sys.executable, "-c", check],
        cwd=project,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "rules")))},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "Dockerfile:6:6: DSL101" in result.stdout
    assert result.stderr == "[]\n"


def test_many_files_in_worker_processes_come_in_order(project: Path) -> None:
    names = []
    for number in range(64):
        directory = project / f"d{number:02}"
        directory.mkdir()
        (directory / "Dockerfile").write_text("FROM boom\n" if number == 7 else ORIGIN)
        names.append(f"d{number:02}/Dockerfile")
    first = run(project, "lint", "--format", "json")
    document = json.loads(first.stdout)
    assert [file["path"] for file in document["files"]] == ["Dockerfile", *names]
    assert first.returncode == 5
    assert first.stderr.count("\n") == 1
    assert run(project, "lint", "--format", "json").stdout == first.stdout


def test_a_reader_that_goes_away_does_not_change_the_verdict(project: Path) -> None:
    for number in range(15):
        (project / f"Dockerfile.{number}").write_text(ORIGIN * 40)
    process = subprocess.Popen(
        [*PROGRAM, "lint"],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(60) == 1


def test_an_interrupt_is_one_line(project: Path) -> None:
    process = subprocess.Popen(
        [*PROGRAM, "lint", "-"],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    process.stdin.write(b"# more than a pipe holds\n" * 10_000)  # so that it reads, and waits for the rest
    process.stdin.flush()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (130, b"")
    assert err.strip() == b"dockerslim-lint: interrupted"


def test_an_ascii_terminal_gets_escapes_not_an_error(project: Path) -> None:
    (project / "Dockerfile").write_text(ORIGIN.replace("FROM ubuntu", "FROM --platform=日本 ubuntu"))
    result = subprocess.run(
        [*PROGRAM, "lint"],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 1
    assert b"\\u65e5" in result.stdout


def test_the_installed_program_with_the_real_linter(project: Path) -> None:
    program = Path(sys.executable).with_name("dockerslim-lint")
    if not program.exists():
        pytest.skip("not installed into this environment")

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(program), *arguments], cwd=project, capture_output=True, text=True, timeout=60, check=False
        )

    found = call("lint", "Dockerfile")
    assert (found.returncode, found.stderr) == (1, "")
    assert found.stdout.startswith("Dockerfile:6:6: DSL101 gnu-on-fat-base  error  [fix: needs proof]\n")
    assert call("lint", "--fix").returncode == 1
    assert (project / "Dockerfile").read_text() == ORIGIN
    shown = call("lint", "--diff", "--unsafe-fixes")
    assert shown.returncode == 1
    assert call("lint", "--fix", "--unsafe-fixes").returncode == 0
    fixed = (project / "Dockerfile").read_text()
    assert {f"+{line}" for line in fixed.split("\n")} - {f"+{line}" for line in ORIGIN.split("\n")} <= set(
        shown.stdout.split("\n")
    )
    again = call("lint", "--fix", "--unsafe-fixes")
    assert again.returncode == 0
    assert re.findall(r"DSL\d+ .*", again.stdout) == []
    advice = call("lint", "--verbose")
    assert re.findall(r"DSL\d+ .*", advice.stdout) == ["DSL502 unpinned-toolchain  info"]
    for name, data in (
        ("empty", b""),
        ("binary", b"\x7fELF\x00\xff\x00"),
        ("comments", b"# only\n"),
        ("no-from", b"RUN x\n"),
    ):
        (project / name).write_bytes(data)
        bad = call("lint", "-q", name)
        assert (bad.returncode, bad.stdout.count("\n"), bad.stderr) == (4, 1, ""), (name, bad)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_one_line(project: Path) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "dockerslim_lint", "lint"]
        done = subprocess.run(command, cwd=project, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "dockerslim-lint: the output cannot be written: No space left on device\n"

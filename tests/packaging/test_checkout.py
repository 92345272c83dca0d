"""The files around the program: scripts that parse, and nothing of the machine on which they were written."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = ("PIP_", "UV_", "NPM_CONFIG_", "CARGO_", "GOPROXY")


@pytest.mark.parametrize(("shell", "script"), [("sh", "docs/demo.sh"), ("bash", ".ci/run")])
def test_scripts_parse_and_may_be_run(shell: str, script: str) -> None:
    path = ROOT / script
    subprocess.run([shell, "-n", str(path)], check=True)
    assert os.access(path, os.X_OK)


def tracked() -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("no git checkout")
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    return [path for name in done.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]


def hosts() -> set[str]:
    """The hosts that this machine's package tools are set up to ask."""
    told = [value for name, value in os.environ.items() if name.upper().startswith(SETTINGS) or "PROXY" in name.upper()]
    places = [*Path("/etc/apt").glob("sources.list*"), *Path("/etc/apt/sources.list.d").glob("*")]
    places += [Path("/etc/pip.conf"), *(Path.home() / name for name in (".pip/pip.conf", ".config/pip/pip.conf"))]
    places += [Path.home() / ".cargo/config.toml", Path.home() / ".npmrc"]
    told += [path.read_text(errors="replace") for path in places if path.is_file()]
    found = re.findall(r"://(?:[^/@\s\"']*@)?([A-Za-z0-9.-]+\.[a-z]{2,})", "\n".join(told))
    return set(found)


def test_no_host_of_this_machine_is_in_a_file() -> None:
    private = hosts()
    for path in tracked():
        text = path.read_bytes().decode("utf-8", "replace")
        assert not [host for host in private if host in text], path

"""A real editor: a headless Neovim opens a file, shows what is wrong, and applies the fix.

Debian bookworm has Neovim 0.7, trixie 0.10; the script is written for both. Where there is none the test is skipped, or
fails where DOCKERSLIM_REQUIRE_ENGINE is 1 (CI installs it).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.golden.shapes import Shape, shapes
from tests.lsp.conftest import PROGRAM

SCRIPT = Path(__file__).with_name("neovim.lua")
SHAPES = {shape.name: shape for shape in shapes()}


@pytest.fixture
def neovim() -> str:
    found = shutil.which("nvim")
    if found is None:
        reason = "no nvim here; on Debian and Ubuntu: apt-get install neovim"
        if os.environ.get("DOCKERSLIM_REQUIRE_ENGINE") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest.mark.parametrize(
    ("name", "code", "place"),
    [
        ("01b-multi-stage-ubuntu-copy", "DSL101", b"ubuntu:22.04"),
        ("03-cargo-install-slim", "DSL101", b"debian:"),
    ],
)
def test_it_shows_and_fixes(name: str, code: str, place: bytes, neovim: str, tmp_path: Path) -> None:
    shape = SHAPES[name]
    assert shape.fixed is not None
    seen = _run(neovim, shape, tmp_path, code, place, b"\n")
    assert seen["fixed"] == shape.fixed.decode().rstrip("\n").split("\n")
    line = shape.dockerfile[: shape.dockerfile.index(place)].count(b"\n")
    lines = shape.dockerfile.decode().rstrip("\n").split("\n")
    assert seen["suppressed"] == [*lines[:line], f"# dockerslim: ignore={code}; reason=", *lines[line:]]
    assert seen["offered"][0].endswith("(needs proof)")
    assert any(title == f"Suppress {code} here" for title in seen["offered"])
    assert f"### {code} " in seen["hover"]


def test_a_file_with_windows_line_ends(neovim: str, tmp_path: Path) -> None:
    shape = SHAPES["01b-multi-stage-ubuntu-copy"]
    assert shape.fixed is not None
    seen = _run(neovim, shape, tmp_path, "DSL101", b"ubuntu:22.04", b"\r\n")
    assert seen["fixed"] == shape.fixed.decode().rstrip("\n").split("\n")


def _run(neovim: str, shape: Shape, tmp_path: Path, code: str, place: bytes, newline: bytes) -> dict[str, Any]:
    """What the editor saw; that the diagnostics are those expected is checked here."""
    file = shape.copy_to(tmp_path / "project")
    (tmp_path / "project" / ".git").mkdir()
    file.write_bytes(shape.dockerfile.replace(b"\n", newline))
    before = shape.dockerfile[: shape.dockerfile.rindex(place)]
    asked = {
        "command": [*PROGRAM, "lsp"],
        "file": str(file),
        "report": str(tmp_path / "report.json"),
        "code": code,
        "fix": "static musl build on",
        "line": before.count(b"\n") + 1,
        "column": len(before) - before.rfind(b"\n"),
    }
    environment = {**os.environ, "DSL_TEST": json.dumps(asked), "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)}
    done = subprocess.run(
        [neovim, "--headless", "--clean", "-n", "-c", f"luafile {SCRIPT}"],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    report = tmp_path / "report.json"
    assert report.exists(), done.stderr
    seen: dict[str, Any] = json.loads(report.read_text())
    print(seen["version"], done.stderr)
    assert not seen.get("problem"), seen
    found = sorted((one["line"], one["code"]) for one in seen["diagnostics"])
    assert found == sorted((one["line"], one["code"]) for one in shape.expect["findings"])
    return seen

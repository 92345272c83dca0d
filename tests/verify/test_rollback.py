"""Rewrites that the program makes and the proof refuses, through the command line: the Dockerfile stays byte for byte."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.verify.test_pairs import ABOUT, FOLDERS

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("engine_environment")]

EXPECT = {folder.name: tomllib.loads((folder / "expect.toml").read_text()) for folder in sorted(FOLDERS.iterdir())}


@pytest.mark.parametrize("name", [name for name, expect in EXPECT.items() if "after" not in expect])
def test_rolled_back(name: str, tmp_path: Path) -> None:
    expect, context = EXPECT[name], tmp_path / "project"
    shutil.copytree(FOLDERS / name, context, ignore=shutil.ignore_patterns(*ABOUT))
    before = {path: path.read_bytes() for path in context.rglob("*") if path.is_file()}
    command = ["lint", "--fix", "--verify", "--platform", ",".join(expect["platforms"]), str(context / "Dockerfile")]
    done = subprocess.run(
        [sys.executable, "-m", "dockerslim_lint", *command], capture_output=True, text=True, check=False
    )
    assert done.returncode == expect["exit"], done.stdout + done.stderr
    assert "NOT PROVEN" in done.stderr
    told = " ".join(done.stderr.split())
    for platform in expect.get("fails_on", expect["platforms"]):
        assert f"✗ {expect['claim']}, {platform}" in told
    assert {path: path.read_bytes() for path in context.rglob("*") if path.is_file()} == before

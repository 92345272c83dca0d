"""The parsed copy of a table: never stale, never needed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dockerslim_lint.catalog.tables import read


@pytest.fixture(autouse=True)
def _bytecode_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)


def write(path: Path, text: str) -> str:
    """Writes a table, always with the same time, as installers may; returns its path."""
    path.write_text(text, encoding="utf-8")
    os.utime(path, (1_000_000_000, 1_000_000_000))
    return str(path)


def copies(folder: Path) -> list[Path]:
    """What is kept beside the bytecode."""
    return sorted((folder / "__pycache__").glob("*")) if (folder / "__pycache__").exists() else []


def test_the_copy_is_read_and_says_the_same(tmp_path: Path) -> None:
    path = write(tmp_path / "a.toml", 'x = 1\ny = ["é", 2.5, true]\n[z]\nk = "v"\n')
    first = read(path)
    assert first == {"x": 1, "y": ["é", 2.5, True], "z": {"k": "v"}}
    assert len(copies(tmp_path)) == 1
    assert read(path) == first


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path = write(tmp_path / "a.toml", "x = 1\n")
    assert read(path) == {"x": 1}
    write(tmp_path / "a.toml", "x = 2\n")
    assert read(path) == {"x": 2}
    write(tmp_path / "a.toml", "x = 34\n")
    assert read(path) == {"x": 34}
    assert len(copies(tmp_path)) == 1


@pytest.mark.parametrize("rubbish", [b"", b"\x00", b"not a copy at all", b"\xe9\x00", b"("])
def test_a_broken_copy_is_ignored_and_mended(tmp_path: Path, rubbish: bytes) -> None:
    path = write(tmp_path / "a.toml", "x = 1\n")
    read(path)
    copies(tmp_path)[0].write_bytes(rubbish)
    assert read(path) == {"x": 1}
    assert copies(tmp_path)[0].read_bytes() != rubbish


def test_nothing_is_written_where_bytecode_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert read(write(tmp_path / "a.toml", "x = 1\n")) == {"x": 1}
    assert copies(tmp_path) == []


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "__pycache__").write_text("in the way", encoding="utf-8")
    assert read(write(tmp_path / "a.toml", "x = 1\n")) == {"x": 1}


def test_a_second_process_needs_no_toml_parser() -> None:
    code = "import sys\nfrom dockerslim_lint.catalog import images\nimages.lookup('rust:1')\nprint('tomllib' in sys.modules)\n"
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    said = [
        subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment, timeout=60
        ).stdout
        for _ in range(2)
    ]
    assert said[1].strip() == "False"

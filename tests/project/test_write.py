"""A file is replaced whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from dockerslim_lint.project.write import ChangedError, write_atomically, write_report

OLD, NEW = b"FROM a\r\n", b"FROM b\r\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "Dockerfile"
    path.write_bytes(OLD)
    return path


def test_bytes_and_mode(file: Path) -> None:
    file.chmod(0o640)
    write_atomically(file, NEW, expected_old=OLD)
    assert file.read_bytes() == NEW and stat.S_IMODE(file.stat().st_mode) == 0o640
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
def test_owner(file: Path) -> None:
    os.chown(file, 1234, 4321)
    write_atomically(file, NEW, expected_old=OLD)
    assert (file.stat().st_uid, file.stat().st_gid) == (1234, 4321)


def test_an_owner_that_cannot_be_kept(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "fchown", refuse)
    status = os.stat_result((0o100600, 1, 1, 1, 99, 99, len(OLD), 0, 0, 0))
    monkeypatch.setattr(os, "fstat", lambda handle: status)
    write_atomically(file, NEW, expected_old=OLD)
    assert file.read_bytes() == NEW


def test_symbolic_links_stay(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    first, second = tmp_path / "first", other / "second"
    second.symlink_to("../Dockerfile")
    first.symlink_to("other/second")
    write_atomically(first, NEW, expected_old=OLD)
    assert first.is_symlink() and second.is_symlink() and not file.is_symlink()
    assert file.read_bytes() == NEW and list(other.iterdir()) == [second]


def test_a_file_that_somebody_changed(file: Path) -> None:
    file.write_bytes(b"FROM c\n")
    with pytest.raises(ChangedError):
        write_atomically(file, NEW, expected_old=OLD)
    assert file.read_bytes() == b"FROM c\n" and list(file.parent.iterdir()) == [file]


def test_a_file_that_somebody_replaces_meanwhile(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def replace(handle: int) -> None:
        file.write_bytes(b"FROM c\n")

    monkeypatch.setattr(os, "fsync", replace)
    with pytest.raises(ChangedError):
        write_atomically(file, NEW, expected_old=OLD)
    assert file.read_bytes() == b"FROM c\n" and list(file.parent.iterdir()) == [file]


def test_a_full_disk(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(file, NEW, expected_old=OLD)
    assert file.read_bytes() == OLD and list(file.parent.iterdir()) == [file]


def test_an_interrupt(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(handle: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(file, NEW, expected_old=OLD)
    assert file.read_bytes() == OLD and list(file.parent.iterdir()) == [file]


def test_what_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "folder").mkdir()
    for name in ("loop", "folder", "missing"):
        with pytest.raises(OSError):
            write_atomically(tmp_path / name, NEW, expected_old=OLD)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "loop"]


def test_a_write_protected_file_stays_as_it_is(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.chmod(0o444)
    if os.access(file, os.W_OK):  # root may write everything
        monkeypatch.setattr(os, "access", lambda path, mode: (path, mode) != (file, os.W_OK))
    with pytest.raises(PermissionError, match="no permission to write it"):
        write_atomically(file, NEW, expected_old=OLD)
    with pytest.raises(PermissionError, match="no permission to write it"):
        write_report(file, NEW)
    assert file.read_bytes() == OLD and list(file.parent.iterdir()) == [file]


def test_a_name_of_the_greatest_length(tmp_path: Path) -> None:
    file = tmp_path / ("D" * 255)
    file.write_bytes(OLD)
    write_atomically(file, NEW, expected_old=OLD)
    assert file.read_bytes() == NEW

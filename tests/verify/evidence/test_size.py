"""Sizes and numbers of packages."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from dockerslim_lint.verify.evidence.interface import Verdict
from dockerslim_lint.verify.evidence.size import Packages, count_packages, judge_size, measure, megabytes
from dockerslim_lint.verify.layout import open_layout
from tests.verify.layouts import Item, layout_of, tar_of

DPKG = b"""Package: a
Status: install ok installed
Version: 1

Package: removed
Status: deinstall ok config-files

Package: b
Status: hold ok installed
Description: x
 Package: no

Package: half
Status: install ok half-installed
"""


def packages(tmp_path: Path, *items: Item) -> Packages:
    return count_packages(open_layout(layout_of(tmp_path / "l", tar_of(*items)), "linux/amd64").filesystem())


def test_packages(tmp_path: Path) -> None:
    assert packages(tmp_path / "1") == ("", 0)
    assert packages(tmp_path / "2", Item("var/lib/dpkg/status", DPKG)) == ("dpkg", 2)
    parts = [
        Item(f"var/lib/dpkg/status.d/{name}", b"Package: x\nVersion: 1\n") for name in ("base", "tz", "base.md5sums")
    ]
    assert packages(tmp_path / "3", *parts) == ("dpkg", 2)
    assert packages(tmp_path / "4", Item("lib/apk/db/installed", b"C:Q1\nP:musl\nV:1\n\nP:busybox\n")) == ("apk", 2)
    assert packages(tmp_path / "5", Item("usr/lib/apk/db/installed", b"P:musl\n")) == ("apk", 1)
    assert packages(tmp_path / "6", Item("var/lib/rpm/Packages", b"\0\x05berkeley")) == ("rpm", None)
    assert packages(tmp_path / "7", Item("var/lib/rpm/rpmdb.sqlite", b"broken")) == ("rpm", None)
    database = tmp_path / "db"
    connection = sqlite3.connect(database)
    connection.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB)")
    connection.executemany("INSERT INTO Packages (blob) VALUES (?)", [(b"1",), (b"2",), (b"3",)])
    connection.commit()
    connection.close()
    assert packages(tmp_path / "8", Item("usr/lib/sysimage/rpm/rpmdb.sqlite", database.read_bytes())) == ("rpm", 3)


def test_smaller(tmp_path: Path) -> None:
    base = tar_of(Item("var/lib/dpkg/status", DPKG), Item("big", bytes(range(256)) * 4000))
    app = tar_of(Item("app", b"x" * 1000))
    old = measure(open_layout(layout_of(tmp_path / "1", base, app), "linux/amd64"))
    new = measure(open_layout(layout_of(tmp_path / "2", app, pack="zstd"), "linux/amd64"))
    assert old.unpacked == 1_024_000 + len(DPKG) + 1000
    assert old.layers[1] == new.layers[0]
    assert old.pull == sum(compressed for compressed, _ in old.layers)
    evidence = judge_size("linux/amd64", old, new)
    assert evidence.verdict is Verdict.HOLDS
    assert evidence.details[-1] == "packages: 2 dpkg packages → no packages"
    assert dict(evidence.figures)["old packages"] == 2
    assert dict(evidence.figures)["new pull"] == new.pull
    assert judge_size("linux/amd64", new, old).verdict is Verdict.FAILS
    assert judge_size("linux/amd64", old, old).verdict is Verdict.FAILS


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1530, "1.53 kB"),
        (999_499, "999 kB"),
        (999_600, "1 MB"),
        (3_520_000, "3.52 MB"),
        (78_080_000, "78.1 MB"),
        (1_234_000_000, "1234 MB"),
    ],
)
def test_sizes_for_people(size: int, text: str) -> None:
    assert megabytes(size) == text

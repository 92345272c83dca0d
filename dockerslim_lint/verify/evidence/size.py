"""Evidence for "smaller": what there is to pull and to store, layer by layer, and how many packages there are to patch."""

from __future__ import annotations

import sqlite3
import tempfile
from pathlib import Path

from dockerslim_lint.record import Record
from dockerslim_lint.verify.evidence.interface import Evidence, Verdict
from dockerslim_lint.verify.filesystem import Filesystem
from dockerslim_lint.verify.layout import Image, download_size, layer_sizes, unpacked_size

_APK = ("/lib/apk/db/installed", "/usr/lib/apk/db/installed")
_DPKG = "/var/lib/dpkg/status"
_DPKG_PARTS = "/var/lib/dpkg/status.d"
_RPM_SQLITE = ("/usr/lib/sysimage/rpm/rpmdb.sqlite", "/var/lib/rpm/rpmdb.sqlite")
_RPM_OTHER = (
    "/var/lib/rpm/Packages",
    "/var/lib/rpm/Packages.db",
    "/usr/lib/sysimage/rpm/Packages.db",
    "/usr/lib/sysimage/rpm/Packages",
)
_DATABASE_LIMIT = 512 * 1024 * 1024


class Packages(Record):
    """The packages of an operating system in an image: `number` None where there is a database that cannot be read."""

    kind: str
    number: int | None

    def __str__(self) -> str:
        if not self.kind:
            return "no packages"
        return f"{'an unknown number of' if self.number is None else self.number} {self.kind} packages"


def count_packages(files: Filesystem) -> Packages:
    """dpkg's (Debian, Ubuntu; distroless keeps one file a package), apk's or rpm's packages; kind "" if there is no database."""
    parts = [name for name in files.names(_DPKG_PARTS) if not name.endswith(".md5sums")]
    status = files.read(_DPKG, _DATABASE_LIMIT)
    if status is not None or parts:
        texts = files.read_many([f"{_DPKG_PARTS}/{name}" for name in parts]).values()
        return Packages("dpkg", sum(map(_installed, (status or b"", *texts))))
    for path in _APK:
        database = files.read(path, _DATABASE_LIMIT)
        if database is not None:
            return Packages("apk", sum(line.startswith(b"P:") for line in database.splitlines()))
    for path in _RPM_SQLITE:
        database = files.read(path, _DATABASE_LIMIT)
        if database is not None:
            return Packages("rpm", _rows(database))
    if any(files.stat(path) is not None for path in _RPM_OTHER):
        return Packages("rpm", None)
    return Packages("", 0)


def _installed(status: bytes) -> int:
    """Stanzas that name a package which is not removed. Those of status.d have no Status at all."""
    count = 0
    for stanza in status.replace(b"\r\n", b"\n").split(b"\n\n"):
        lines = stanza.split(b"\n")
        states = [line.split() for line in lines if line.startswith(b"Status:")]
        if any(line.startswith(b"Package:") for line in lines) and all(
            words[-1:] == [b"installed"] for words in states
        ):
            count += 1
    return count


def _rows(database: bytes) -> int | None:
    """The rows of rpm's table of packages; None if the database cannot be read. The keys of trust are packages there, too."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rpmdb.sqlite"
        path.write_bytes(database)
        try:
            connection = sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True)
            try:
                row = connection.execute("SELECT count(*) FROM Packages").fetchone()
            finally:
                connection.close()
        except sqlite3.Error:
            return None
    return int(row[0])


class Size(Record):
    """The measures of one image; `layers` are (compressed, unpacked) pairs from the base upwards."""

    pull: int
    unpacked: int
    layers: tuple[tuple[int, int], ...]
    packages: Packages


def measure(image: Image) -> Size:
    """All figures of an image; compressed sizes are those of our own compression. Raises LayoutError."""
    layers = tuple((size.compressed, size.unpacked) for size in layer_sizes(image))
    return Size(download_size(image), unpacked_size(image), layers, count_packages(image.filesystem()))


def judge_size(platform: str, old: Size, new: Size) -> Evidence:
    """HOLDS when there is less to pull than before."""
    smaller = new.pull < old.pull
    summary = f"pull {megabytes(old.pull)} → {megabytes(new.pull)}, unpacked {megabytes(old.unpacked)} → {megabytes(new.unpacked)}"
    details = (*_layer_lines("old", old), *_layer_lines("new", new), f"packages: {old.packages} → {new.packages}")
    figures: list[tuple[str, float | int | str]] = [
        ("old pull", old.pull),
        ("new pull", new.pull),
        ("old unpacked", old.unpacked),
        ("new unpacked", new.unpacked),
    ]
    for name, packages in (("old packages", old.packages), ("new packages", new.packages)):
        if packages.number is not None:
            figures.append((name, packages.number))
    if new.pull:
        figures.append(("times less", round(old.pull / new.pull, 2)))
    verdict = Verdict.HOLDS if smaller else Verdict.FAILS
    return Evidence("smaller", platform, verdict, summary, details, tuple(figures))


def _layer_lines(name: str, size: Size) -> list[str]:
    return [
        f"{name} layer {number}: pull {megabytes(compressed)}, unpacked {megabytes(unpacked)}"
        for number, (compressed, unpacked) in enumerate(size.layers, start=1)
    ]


def megabytes(size: int) -> str:
    """``78.1 MB`` (of a million bytes, as Docker counts), ``1.53 MB``, ``12.4 kB``, ``17 B``."""
    if size < 1000:
        return f"{size} B"
    value, unit = (size / 1e3, "kB") if size < 999_500 else (size / 1e6, "MB")
    return f"{value:.3g} {unit}" if value < 100 else f"{value:.0f} {unit}"

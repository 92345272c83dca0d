"""Feature tables of registry crates, as far as they decide what native code is linked. Loaded when a Cargo.lock is followed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from dockerslim_lint.catalog.tables import table
from dockerslim_lint.record import Record


class KnownCrate(Record):
    """What is known of one crate's manifest.

    `features` are the words behind each feature, in cargo's own syntax, with dependencies by their package's name;
    `dependencies` hold the features that each is asked for wherever it is there. One that some feature names as ``dep:x``
    is optional, and all features that bring it are listed. `build` are dependencies of its build script alone.
    `vendored_openssl` is the feature by which OpenSSL is compiled and nothing else changes, "" if there is none. `weak` are
    optional dependencies that a lock may hold although nothing brings them.
    """

    features: Mapping[str, tuple[str, ...]]
    dependencies: Mapping[str, tuple[str, ...]]
    build: frozenset[str]
    vendored_openssl: str
    weak: frozenset[str]

    @property
    def optional(self) -> frozenset[str]:
        """Packages of optional dependencies."""
        return frozenset(word[4:] for words in self.features.values() for word in words if word.startswith("dep:"))


def lookup(crate: str, version: str) -> KnownCrate | None:
    """A crate of crates.io in one version; None where the catalogue does not know that version."""
    for lines, known in _lines(crate):
        if not lines or any(version == line or version.startswith(f"{line}.") for line in lines):
            return known
    return None


def usual(crate: str, requirement: str) -> KnownCrate | None:
    """A crate as a version requirement brings it (cargo book, "Specifying Dependencies"), without one in its newest known line; None
    where that is not known."""
    version = requirement.partition(",")[0].lstrip("^~= ")
    rows = _lines(crate)
    if version and version[:1].isdecimal():
        return lookup(crate, version)
    return max(rows, key=lambda row: max((_numbers(line) for line in row[0]), default=()), default=((), None))[1]


def _numbers(line: str) -> tuple[int, ...]:
    return tuple(int(part) for part in line.split(".") if part.isdecimal())


def crates() -> tuple[str, ...]:
    """The names of all crates that the catalogue lists."""
    return tuple(_rows())


class Series(Record):
    """A series of OpenSSL, and what is to be said of it."""

    name: str
    note: str


def openssl_series(sys_version: str) -> Series:
    """The OpenSSL that openssl-sys in this version compiles when it is asked to."""
    parts = tuple(int(part) if part.isdigit() else 0 for part in sys_version.split("."))
    for row in table("features")["openssl"]:
        before = row.get("before", "")
        if not before or parts < tuple(int(part) for part in before.split(".")):
            return Series(row["series"], row.get("note", ""))
    return Series("OpenSSL", "")


@cache
def _rows() -> Mapping[str, list[Mapping[str, Any]]]:
    """The rows of each crate as they stand in the file: few of them are asked for in a run."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in table("features")["crate"]:
        for name in row["name"].split():
            found.setdefault(name, []).append(row)
    return found


@cache
def _lines(crate: str) -> tuple[tuple[tuple[str, ...], KnownCrate], ...]:
    return tuple(
        (
            tuple(row.get("versions", "").split()),
            KnownCrate(
                _words(row.get("features", {})),
                _words(row.get("dependencies", {})),
                frozenset(row.get("build", "").split()),
                row.get("vendored_openssl", ""),
                frozenset(row.get("weak", "").split()),
            ),
        )
        for row in _rows().get(crate, ())
    )


def _words(entries: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(words.split()) for name, words in entries.items()}

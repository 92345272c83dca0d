"""Debian's releases as final bases: which packages hold a library there, and which names are gone. Loaded when one is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from dockerslim_lint.catalog.tables import table
from dockerslim_lint.record import Record


class Library(Record):
    """What a -dev package links."""

    build: str
    """The -dev package."""
    runtime: Mapping[str, tuple[str, ...]]
    """Release → the packages that hold the library when the program runs."""
    names: frozenset[str]
    """The runtime packages of all releases and of other distributions."""
    present: bool
    """debian slim has it."""
    files: Mapping[str, str] = {}
    """Package → the name of the library's file, where it changes with the release."""

    @property
    def same_everywhere(self) -> bool:
        """Whether it has one name in all releases."""
        return len(set(self.runtime.values())) == 1

    def of(self, release: str) -> tuple[str, ...]:
        """The packages that hold the version of a release, under all names that it has (t64); () where that is not known."""
        own = {name.removesuffix("t64") for name in self.runtime.get(release, ())}
        return tuple(sorted(name for name in self.names if name.removesuffix("t64") in own))

    def file(self, release: str, name: str) -> str:
        """What the file is called in a release, for a library that is called `name` today; without its version if that is not known."""
        if len({tuple(one.removesuffix("t64") for one in names) for names in self.runtime.values()}) == 1:
            return name
        known = [self.files[package] for package in self.of(release) if package in self.files]
        return known[0] if known else f"{name.partition('.so')[0]}.so"

    def differs(self, first: str, second: str) -> bool:
        """Whether it is known to have another version, and so another file name, in two releases; t64 is a name only."""
        names = [[name.removesuffix("t64") for name in self.runtime.get(one, ())] for one in (first, second)]
        return bool(names[0] and names[1]) and names[0] != names[1]


def releases() -> tuple[str, ...]:
    """The releases that are mended, the oldest first."""
    return tuple(table("debian")["releases"].split())


def headers() -> frozenset[str]:
    """The -dev packages that an image with a whole build environment has."""
    return frozenset(table("debian")["headers"].split())


def library(package: str) -> Library | None:
    """By its -dev package, or by a runtime package of any release; None if it is not known."""
    return _by_name().get(package)


def present_name(package: str, release: str) -> str:
    """What to install in a release for the name of another one, several names with spaces between; the same where nothing else
    is known, "" where the release has none."""
    known = library(package)
    if known is not None and package in known.names:
        runtime = known.runtime.get(release, ())
        return package if package in runtime else " ".join(runtime)
    place = _gone().get(package, {}).get(release)
    return package if place is None else str(place)


@cache
def _by_name() -> Mapping[str, Library]:
    found: dict[str, Library] = {}
    files = {name: file for group in table("debian")["group"] for name, file in group.get("files", {}).items()}
    for group in table("debian")["group"]:
        rows: dict[str, Mapping[str, str]] = dict(group.get("changed", {}))
        rows.update({build: dict.fromkeys(releases(), names) for build, names in group.get("same", {}).items()})
        for build, row in rows.items():
            runtime = {release: tuple(words.split()) for release, words in row.items() if release != "others"}
            names = frozenset(word for words in row.values() for word in words.split())
            one = Library(build, runtime, names, group.get("present", False), files)
            found[build] = one
            for name in names:
                found.setdefault(name, one)
    return found


@cache
def _gone() -> Mapping[str, Mapping[str, Any]]:
    return {name: row for group in table("debian")["group"] for name, row in group.get("gone", {}).items()}

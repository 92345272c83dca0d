"""OS packages of final stages: what they are for, and whether a static program or a smaller base still needs them."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from dockerslim_lint.catalog.tables import table
from dockerslim_lint.record import Record

LIBRARIES = frozenset({"tls-library", "database-client-library", "library", "compression-library", "plugin-library"})
"""Roles of packages that say: a program of this file links the library."""

_LISTS = ("programs", "brings", "recommends")


class Package(Record):
    """What is known of one package."""

    name: str
    """The name without version, architecture and source."""
    role: str
    """certificates, tzdata, tls-library, c-library, compression-library, database-client-library, library,
    plugin-library (loads modules at run time), tool, shell, init, housekeeping or build-only."""
    static_needless: bool = False
    """A program that links statically does not need it. For a library: once the crate does link it in."""
    in_static: bool = False
    """distroless/static has what the package brings."""
    in_cc: bool = False
    """distroless/cc has it."""
    alpine: str = ""
    """Alpine's package for the same purpose, "" if there is none or it is not known."""
    programs: tuple[str, ...] = ()
    """Commands that the package, or one of its row's, brings."""
    brings: tuple[str, ...] = ()
    """Debian packages that come with it and that other programs lean on."""
    recommends: tuple[str, ...] = ()
    """Those that apt installs with it unless it is told not to."""
    path: str = ""
    """Where Debian puts the program of an init, or of a wrapper that Alpine has under another name."""
    alpine_path: str = ""
    certainty: str = "believed"
    source: str = ""

    @property
    def may_be_linked(self) -> bool:
        """Whoever installs it may have a program that links it."""
        return self.role in LIBRARIES


def lookup(manager: str, name: str) -> Package | None:
    """A package by the manager that installs it (``apt-get``, ``apk``, ``dnf`` …) and its name as written; None if not known.

    A pinned version, an architecture or a source (``curl=8.*``, ``libc6:arm64``, ``curl@edge``) is looked through.
    """
    family = family_of(manager)
    return _lookup(family, bare_name(name)) if family else None


def only_builds(manager: str, name: str) -> bool:
    """Whether nothing but a build needs a package: it is a tool of builds, or holds a library's headers."""
    known = lookup(manager, name)
    return (known is not None and known.role == "build-only") or holds_headers(manager, name)


def holds_headers(manager: str, name: str) -> bool:
    """Whether it is a library's -dev package, and what programs need of it is known to be in others that it brings."""
    if not name.endswith(("-dev", "-devel")):
        return False
    if family_of(manager) == "apt":
        from dockerslim_lint.catalog import debian

        return debian.library(name) is not None
    known = lookup(manager, name)
    return known is not None and known.role != "build-only"


def family_of(manager: str) -> str:
    """``apt``, ``apk`` or ``rpm``: whose package names a manager uses; "" if it is not known."""
    for family, managers in table("packages")["managers"].items():
        if manager in managers.split():
            return str(family)
    return ""


@cache
def absent(release: str) -> frozenset[str]:
    """The names that apt does not find in a release of Debian, as far as they are known; none for another release."""
    return frozenset(table("packages")["absent"].get(release, "").split())


def is_toolchain(manager: str, name: str) -> bool:
    """Whether a package lets a program build something when it runs: a compiler with its libraries, a container engine."""
    words = table("packages")["toolchain"].get(family_of(manager), "").split()
    return any(fnmatchcase(bare_name(name), word) for word in words)


def is_rust(manager: str, name: str) -> bool:
    """Whether a package brings cargo or Rust's compiler."""
    words = table("packages")["rust"].get(family_of(manager), "").split()
    return any(fnmatchcase(bare_name(name), word) for word in words)


def is_toolchain_command(name: str) -> bool:
    """The same of a command that a stage calls."""
    return name in table("packages")["toolchain"]["commands"].split()


def is_toolchain_path(path: str) -> bool:
    """The same of a path that is copied: a toolchain's own directory, one with headers, what make or perl reads."""
    row, parts = table("packages")["toolchain"], path.rstrip("/").split("/")
    listed = parts[-1] in row["directories"].split() or not set(parts).isdisjoint(row["parts"].split())
    return listed or any(fnmatchcase(parts[-1], name) for name in row["files"].split())


def caches(manager: str) -> Mapping[str, str] | None:
    """What a manager, or all of its family, leaves behind, and the words about it; None if that is not known."""
    rows: Mapping[str, Mapping[str, str]] = table("packages")["caches"]
    return rows.get(manager) or rows.get(family_of(manager))


@cache
def with_program(program: str) -> tuple[Package, ...]:
    """Debian's packages that bring a command."""
    rows = (row for row in table("packages")["package"] if program in row.get("programs", "").split())
    return tuple(_package("apt", row["apt"].split()[0], row) for row in rows if "apt" in row)


@cache
def of_alpine(role: str) -> tuple[str, ...]:
    """Alpine's package for a purpose that one row of the catalogue has."""
    return tuple(row["apk"].split()[0] for row in table("packages")["package"] if row["role"] == role)[:1]


@cache
def is_init(program: str) -> bool:
    """Whether a program only starts another one and waits for it (tini, dumb-init)."""
    return any(row["role"] == "init" and program in row["programs"].split() for row in table("packages")["package"])


@cache
def inits() -> tuple[str, ...]:
    """Names of programs that only start another one and wait for it."""
    rows = (row for row in table("packages")["package"] if row["role"] == "init")
    return tuple(name for row in rows for name in row["programs"].split())


@cache
def _lookup(family: str, name: str) -> Package | None:
    row = _exact(family).get(name)
    if row is None:
        rows = (row for pattern, row in _patterns(family) if fnmatchcase(name, pattern))
        row = next(rows, None)
    return _package(family, name, row) if row is not None else None


def _package(family: str, name: str, row: Mapping[str, Any]) -> Package:
    return Package(
        name,
        row["role"],
        alpine=_alpine_name(family, name, row),
        programs=tuple(row.get("programs", "").split()),
        brings=tuple(row.get("brings", "").split()),
        recommends=tuple(row.get("recommends", "").split()),
        **{key: row[key] for key in Package._fields if key in row and key not in ("role", *_LISTS)},
    )


def _alpine_name(family: str, name: str, row: Mapping[str, Any]) -> str:
    """Alpine's name: the same one where Alpine has it, else its row's first, but not for a row of unlike packages."""
    names = row.get("apk", "").split()
    if family == "apk" or name in names:
        return name
    return names[0] if names and (row.get("same_name", True) or len(names) == 1) and row["role"] not in _MANY else ""


_MANY = ("library", "plugin-library", "compression-library", "build-only", "housekeeping")
"""Roles whose rows hold many packages, so that the first of one list says nothing of another's."""


def bare_name(name: str) -> str:
    """A package's name without version, architecture and source."""
    for mark in "=<>~@/:":
        name = name.partition(mark)[0]
    return name


@cache
def _exact(family: str) -> Mapping[str, Mapping[str, Any]]:
    return {
        name: row for row in table("packages")["package"] for name in row.get(family, "").split() if "*" not in name
    }


@cache
def _patterns(family: str) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    rows = table("packages")["package"]
    return tuple((name, row) for row in rows for name in row.get(family, "").split() if "*" in name)

"""Crates that bring or need native code, and what a static musl build makes of them. Loaded when a Cargo.lock is looked at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from dockerslim_lint.catalog.tables import table
from dockerslim_lint.record import Record

BINDINGS = ("-sys", "_sys")
"""How the names of crates end that bind a library."""

VERDICTS = ("static-ok", "static-ok-with", "not-on-musl", "unknown")


class Native(Record):
    """What is known of one crate, for a Debian builder with a musl target."""

    crate: str
    verdict: str
    """static-ok, static-ok-with (see `condition`), not-on-musl or unknown."""
    why: str
    condition: str = ""
    """What makes it link statically, for a message."""
    features: tuple[str, ...] = ()
    """Cargo features that do so."""
    vendored_by: str = ""
    """A crate whose presence under this one in Cargo.lock says that such a feature may be on already."""
    bad_versions: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    """What the build needs: c, c++, libclang, cmake, make, perl, protoc, gfortran."""
    apt: tuple[str, ...] = ()
    """Debian packages for the static build on rust:slim."""
    apk: tuple[str, ...] = ()
    """Alpine packages for the static build on rust:alpine."""
    system: tuple[str, ...] = ()
    """Debian packages for the build against the system's library."""
    system_apk: tuple[str, ...] = ()
    """The same on rust:alpine; static there as well where a ``-static`` package is among them."""
    runtime_apt: tuple[str, ...] = ()
    """Debian packages that hold that library; names of several releases."""
    shared: str = ""
    """The library that it links dynamically on a glibc target wherever no crate of `vendored_by` is in Cargo.lock; "" where that is
    not the rule."""
    runtime_apk: tuple[str, ...] = ()
    loads: bool = False
    """It loads libraries when the program runs, of which nothing says which they are."""
    allocator: bool = False
    """It replaces malloc, so that musl's does not matter."""
    crossed: bool = False
    """Built on amd64 for arm64 and for amd64 with what `Platform.cross_apt` brings, linked by rust-lld, and both run."""
    build_only: bool = False
    """No program for Linux links it, or what it brings: only build scripts, tests or other platforms use it."""
    certainty: str = "believed"
    source: str = ""

    @property
    def native_code(self) -> bool:
        """It compiles or links code that is not Rust; False for bindings of another system, and for declarations alone."""
        return bool(self.needs) or self.verdict != "static-ok"

    @property
    def needs_c(self) -> bool:
        """A C compiler for the target."""
        return "c" in self.needs or self.needs_cxx

    @property
    def needs_cxx(self) -> bool:
        """A C++ compiler for the target, which Debian's musl-tools does not have."""
        return "c++" in self.needs and not self.build_only


def lookup(crate: str) -> Native | None:
    """A crate by its name on crates.io; None if the catalogue does not list it, which for a ``*-sys`` crate is no all-clear."""
    row = _rows().get(crate)
    if row is None:
        return None
    facts = {key: _typed(key, value) for key, value in row.items() if key not in ("crates", "with")}
    return Native(crate=crate, condition=row.get("with", ""), **facts)


def crates() -> tuple[str, ...]:
    """The names of all crates that the catalogue lists."""
    return tuple(_rows())


def may_bring(crate: str, dependencies: Iterable[str]) -> bool:
    """Whether a crate that the catalogue does not list may compile or link native code: its name says so, or one of its locked
    dependencies does, a tool for build scripts."""
    return crate not in tools() and (crate.endswith(BINDINGS) or not tools().isdisjoint(dependencies))


def may_link(crate: str, dependencies: Iterable[str]) -> bool:
    """Whether such a crate may link a library of the system: not where it only compiles its own."""
    return crate.endswith(BINDINGS) or not _tools()[1].isdisjoint(dependencies)


def may_be_cxx(dependencies: Iterable[str]) -> bool:
    """Whether such a crate may compile C++."""
    return not frozenset(table("natives")["tools"]["cxx"].split()).isdisjoint(dependencies)


def only_finds(dependencies: Iterable[str]) -> bool:
    """Whether such a crate looks for a library of the system and has no tool to compile one itself."""
    compile_, find = _tools()
    return not find.isdisjoint(dependencies) and compile_.isdisjoint(dependencies)


def compiler() -> str:
    """The Debian package of the C compiler for musl."""
    return str(table("natives")["tools"]["apt"])


@cache
def tools() -> frozenset[str]:
    """Names of crates with which build scripts compile C or C++, or find a library of the system."""
    compile_, find = _tools()
    return compile_ | find


@cache
def _tools() -> tuple[frozenset[str], frozenset[str]]:
    row = table("natives")["tools"]
    return frozenset(row["compile"].split()), frozenset(row["find"].split())


@cache
def with_system(package: str) -> tuple[str, ...]:
    """The crates that link the library of a Debian -dev package."""
    return tuple(crate for crate, row in _rows().items() if package in row.get("system", "").split())


@cache
def wrapped(package: str) -> bool:
    """Whether a listed crate links the library of a Debian package."""
    return any(package in f"{row.get('system', '')} {row.get('runtime_apt', '')}".split() for row in _rows().values())


@cache
def macros() -> frozenset[str]:
    """Names of crates that are procedural macros: a shared library for the machine that compiles."""
    return frozenset(table("natives")["macros"]["crates"].split())


def is_plain(crate: str) -> bool | None:
    """Whether a crate compiles and links nothing but Rust for Linux; None where neither the catalogue nor its name tells."""
    native = lookup(crate)
    if native is None:
        return False if crate.endswith(BINDINGS) else None
    if native.build_only:
        return crate not in tools()
    return native.verdict == "static-ok" and not native.needs


_WORDS = ("features", "bad_versions", "needs", "apt", "apk", "system", "system_apk", "runtime_apt", "runtime_apk")


def _typed(key: str, value: Any) -> Any:
    return tuple(value.split()) if key in _WORDS else value


@cache
def _rows() -> Mapping[str, Mapping[str, Any]]:
    return {crate: row for row in table("natives")["native"] for crate in row["crates"].split()}

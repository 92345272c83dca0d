"""Docker platforms and the Rust targets that belong to them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from dockerslim_lint.catalog.tables import table
from dockerslim_lint.record import Record


class Platform(Record):
    """One Linux platform of an image."""

    name: str
    """As a builder normalises it, without ``linux/``: ``amd64``, ``arm/v7``."""
    musl: str
    """The Rust target that makes a static program for it."""
    gnu: str
    tier: int
    """Support of the musl target by Rust: 1 to 3."""
    machine: int
    """``e_machine`` of an ELF header."""
    bits: int
    """32 or 64, the ELF class."""
    uname: str
    """What ``uname -m`` prints on such a machine or under qemu; not to be trusted where `uname_idiom` is False."""
    uname_kernel: str = ""
    """What it prints instead where the kernel is a 64-bit one, "" if the same."""
    std: bool = False
    """``rustup target add`` has the musl target's standard library."""
    host_toolchain: bool = False
    """rustup has a toolchain that runs on the musl target itself."""
    crt_static: bool = False
    """The musl target links statically by default; where it does not, ``-C target-feature=+crt-static`` is needed."""
    static_form: str = "exec"
    """ELF type of a static program: ``exec`` (ET_EXEC) or ``static-pie`` (ET_DYN)."""
    big_endian: bool = False
    runs: tuple[str, ...] = ()
    """Other platforms whose programs start on its machines, on some of them at least."""
    uname_idiom: bool = False
    """``"$(uname -m)"-unknown-linux-musl`` is right in a stage of this platform."""
    min_rust: str = ""
    """The first Rust whose rustup has the musl target; "" where any in use has."""
    debian: str = ""
    """Debian's name of the architecture, "" if it has none."""
    cc: str = ""
    """C compiler for the musl target on Debian, "" if there is none."""
    unfit_linkers: tuple[str, ...] = ()
    """Compilers that make no working program when rustc links with them."""
    apt: tuple[str, ...] = ()
    """Debian packages that bring `cc` on a builder of this very architecture."""
    cross_apt: tuple[str, ...] = ()
    """Debian packages that bring `cc`, and a linker, on a builder of another architecture."""
    gnu_gcc: str = ""
    """Debian's gcc for this architecture on another one; it links pure Rust for musl as well."""
    certainty: str = "believed"
    source: str = ""

    @property
    def docker(self) -> str:
        """``linux/arm/v7``."""
        return f"linux/{self.name}"

    @property
    def architecture(self) -> str:
        """What TARGETARCH is: ``arm``."""
        return self.name.partition("/")[0]

    @property
    def variant(self) -> str:
        """What TARGETVARIANT is: ``v7``; "" where builders leave it empty."""
        return self.name.partition("/")[2]


def lookup(platform: str) -> Platform | None:
    """The platform of a ``--platform`` value (``linux/amd64``, ``arm64/v8``, ``armhf``), None if it is not known."""
    name = platform.lower()
    if name == "linux":
        return None
    name = name.removeprefix("linux/")
    return _platforms().get(table("platforms")["aliases"].get(name, name))


def by_target(triple: str) -> Platform | None:
    """The platform of a musl or gnu Rust target."""
    return next((row for row in _platforms().values() if triple in (row.musl, row.gnu)), None)


def starts_on(program: Platform, machine: Platform) -> bool:
    """Whether a program of one platform may start on a machine of another; the versions of ARM are not told apart."""
    same = (program.machine, program.bits, program.big_endian) == (machine.machine, machine.bits, machine.big_endian)
    return same or program.name in machine.runs


def of_pattern(pattern: str) -> tuple[Platform, ...]:
    """The platforms whose musl target a pattern can be (``*-unknown-linux-musl``)."""
    from fnmatch import fnmatchcase

    return tuple(row for row in _platforms().values() if fnmatchcase(row.musl, pattern))


def by_machine(machine: int, bits: int, *, big_endian: bool = False) -> tuple[Platform, ...]:
    """The platforms whose programs have this ELF header; ARM's versions cannot be told apart by it."""
    return tuple(
        row for row in _platforms().values() if (row.machine, row.bits, row.big_endian) == (machine, bits, big_endian)
    )


def platforms() -> tuple[Platform, ...]:
    """All known platforms."""
    return tuple(_platforms().values())


@cache
def _platforms() -> Mapping[str, Platform]:
    found = {}
    for row in table("platforms")["platform"]:
        lists = {key: tuple(row.get(key, "").split()) for key in ("apt", "cross_apt", "runs", "unfit_linkers")}
        found[row["name"]] = Platform(**{**row, **lists})
    return found

"""What an ELF file says of itself: for which machine, how it is linked, what it needs."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import Any, TypeVar

from elftools.common.exceptions import ELFError
from elftools.construct.core import ConstructError
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerDefSection, GNUVerNeedSection

from dockerslim_lint.record import Record

_NOTHING_TO_RESOLVE = {
    3: {0, 8, 42},  # 386: NONE, RELATIVE, IRELATIVE; the others alike
    21: {0, 22, 248},  # ppc64
    22: {0, 12, 61},  # s390x
    40: {0, 23, 160},  # arm
    62: {0, 8, 37, 38},  # x86-64; 38 is RELATIVE64
    183: {0, 1024, 1027, 1032},  # aarch64; 1024 is its other NONE
    243: {0, 3, 58},  # riscv
    258: {0, 3, 12},  # loongarch
}
"""Relocations by e_machine that a static-pie program does by itself (the processors' psABI documents)."""

_TABLES = (("DT_RELA", "DT_RELASZ", True), ("DT_REL", "DT_RELSZ", False), ("DT_JMPREL", "DT_PLTRELSZ", None))
_DT_RELA = 7
_TAG_LIMIT = 100_000
_TABLE_LIMIT = 65_535
_VERSION_LIMIT = 10_000
_WEAK = 2
_Item = TypeVar("_Item")
_BROKEN = (
    ELFError, ConstructError, struct.error, ValueError, KeyError, IndexError, TypeError, AttributeError, AssertionError, OverflowError, EOFError,
    RecursionError, MemoryError,
)  # fmt: skip
"""What the reader raises for files that are not sound."""


class NotElfError(Exception):
    """The bytes are no ELF file that could be run; the message completes "/app …"."""


class ElfFile(Record):
    """The facts of one file.

    `type` is "exec", "dyn" or another ET_ name; `interpreter` None without PT_INTERP; `needed` the DT_NEEDED names,
    `search` DT_RUNPATH's (else DT_RPATH's) directories; `dynamic`: there is a PT_DYNAMIC; `foreign_relocations`: how
    many relocations need a loader; `symbols`: there is a .symtab; `wants`: (library, version) pairs that must be there,
    `gives`: versions that it defines; `arm_arch`: Tag_CPU_arch of .ARM.attributes.
    """

    machine: int
    bits: int
    big_endian: bool
    type: str
    interpreter: str | None
    needed: tuple[str, ...]
    search: tuple[str, ...]
    dynamic: bool
    foreign_relocations: int
    symbols: bool
    wants: tuple[tuple[str, str], ...]
    gives: frozenset[str]
    arm_arch: int | None


def read_elf(data: bytes) -> ElfFile:
    """The facts of the file `data`. Raises NotElfError for a script, for anything else that is no ELF, and for a broken one."""
    if data[:2] == b"#!":
        line = data[2:200].split(b"\n", 1)[0].decode("utf-8", "replace").strip()
        raise NotElfError(f"is a script (#!{line[:80]}), not a program")
    if not data:
        raise NotElfError("is empty")
    if data[:4] != b"\x7fELF":
        raise NotElfError("is no ELF file")
    try:
        return _read(data)
    except _BROKEN as error:
        raise NotElfError(f"is a broken ELF file ({type(error).__name__})") from None


def _read(data: bytes) -> ElfFile:
    elf = ELFFile(io.BytesIO(data))
    _check_tables(elf)
    machine = struct.unpack_from("<H" if elf.little_endian else ">H", data, 18)[0]
    interpreter: str | None = None
    dynamic: DynamicSegment | None = None
    for segment in elf.iter_segments():
        if segment["p_type"] == "PT_INTERP":
            at = segment["p_offset"]
            interpreter = data[at : at + min(segment["p_filesz"], 4096)].split(b"\0", 1)[0].decode("utf-8", "replace")
        elif segment["p_type"] == "PT_DYNAMIC" and isinstance(segment, DynamicSegment):
            dynamic = segment
    needed: list[str] = []
    paths: dict[str, str] = {}
    tags: dict[str, int] = {}
    if dynamic is not None:
        for count, tag in enumerate(dynamic.iter_tags()):
            if count > _TAG_LIMIT:
                raise NotElfError("is a broken ELF file (its dynamic section has no end)")
            name = tag.entry.d_tag
            if name == "DT_NEEDED":
                needed.append(str(getattr(tag, "needed", "")))
            elif name in ("DT_RUNPATH", "DT_RPATH"):
                paths[name] = str(getattr(tag, name.removeprefix("DT_").lower(), ""))
            else:
                tags[str(name)] = tag.entry.d_val
    search = paths.get("DT_RUNPATH") or paths.get("DT_RPATH") or ""
    return ElfFile(
        machine,
        elf.elfclass,
        not elf.little_endian,
        str(elf["e_type"]).removeprefix("ET_").lower(),
        interpreter,
        tuple(needed),
        tuple(filter(None, search.split(":"))),
        dynamic is not None,
        sum(1 for kind in _relocations(elf, data, tags) if kind not in _NOTHING_TO_RESOLVE.get(machine, {0})),
        any(section["sh_type"] == "SHT_SYMTAB" for section in elf.iter_sections()),
        tuple(pair for pair in _bounded(_wants(elf)) if pair[1]),
        frozenset(_bounded(_gives(elf))) - {""},
        _arm_arch(elf) if machine == 40 else None,
    )


def _check_tables(elf: ELFFile) -> None:
    """Refuse tables whose declared counts and sizes would be walked for ever."""
    sizes = (56, 64) if elf.elfclass == 64 else (32, 40)
    counts = elf.num_segments(), elf.num_sections()
    for count, size, right in zip(counts, (elf["e_phentsize"], elf["e_shentsize"]), sizes, strict=True):
        if count > _TABLE_LIMIT or (count and size != right):
            raise NotElfError("is a broken ELF file (its tables cannot be right)")


def _bounded(items: Iterator[_Item]) -> Iterator[_Item]:
    """`items`, refused where a count in the file lets them go on and on."""
    for number, item in enumerate(items):
        if number >= _VERSION_LIMIT:
            raise NotElfError("is a broken ELF file (its versions have no end)")
        yield item


def _relocations(elf: ELFFile, data: bytes, tags: dict[str, int]) -> Iterator[int]:
    """The types of all dynamic relocations (those of DT_RELR are relative by nature)."""
    order = "<" if elf.little_endian else ">"
    for table, size_tag, addend in _TABLES:
        address, size = tags.get(table), tags.get(size_tag, 0)
        if address is None or not size:
            continue
        with_addend = tags.get("DT_PLTREL") == _DT_RELA if addend is None else addend
        if elf.elfclass == 64:
            record, mask = struct.Struct(order + ("QQq" if with_addend else "QQ")), 0xFFFFFFFF
        else:
            record, mask = struct.Struct(order + ("IIi" if with_addend else "II")), 0xFF
        offset = next(iter(elf.address_offsets(address, size)), None)
        if offset is None or offset + size > len(data) or size % record.size:
            raise NotElfError("is a broken ELF file (its relocations lie outside of it)")
        for fields in record.iter_unpack(data[offset : offset + size]):
            yield fields[1] & mask


def _wants(elf: ELFFile) -> Iterator[tuple[str, str]]:
    """(library, version) of every version asked for; version "" where it may be missing."""
    for section in elf.iter_sections():
        if isinstance(section, GNUVerNeedSection):
            for need, versions in section.iter_versions():
                for version in versions:
                    yield str(need.name), "" if version["vna_flags"] & _WEAK else str(version.name)


def _gives(elf: ELFFile) -> Iterator[str]:
    for section in elf.iter_sections():
        if isinstance(section, GNUVerDefSection):
            for _, names in section.iter_versions():
                first = next(iter(names), None)
                yield "" if first is None else str(first.name)


def _arm_arch(elf: ELFFile) -> int | None:
    section: Any = elf.get_section_by_name(".ARM.attributes")
    if section is None:
        return None
    for subsection in section.iter_subsections():
        for part in subsection.iter_subsubsections():
            for attribute in part.iter_attributes():
                if attribute.tag == "TAG_CPU_ARCH":
                    return int(attribute.value)
    return None

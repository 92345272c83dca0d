"""ELF files made by hand: headers, a dynamic section, relocations and symbol tables for any machine."""

from __future__ import annotations

import struct
from collections.abc import Sequence

EXEC, DYN, REL = 2, 3, 1
_BASE = 0x10000


def make_elf(
    *,
    machine: int = 62,
    bits: int = 64,
    big_endian: bool = False,
    type: int = EXEC,
    interpreter: str = "",
    needed: Sequence[str] = (),
    runpath: str = "",
    dynamic: bool | None = None,
    relocations: Sequence[int] = (),
    addend: bool = True,
    symbols: bool = False,
    wants: Sequence[tuple[str, str]] = (),
    gives: Sequence[str] = (),
    arm_arch: int | None = None,
) -> bytes:
    """One file whose addresses are its offsets plus a base."""
    order = ">" if big_endian else "<"
    word = "Q" if bits == 64 else "I"
    half = {64: 64, 32: 52}[bits]
    ph_size, sh_size = (56, 64) if bits == 64 else (32, 40)
    if dynamic is None:
        dynamic = bool(needed or relocations or runpath or type == DYN)
    programs = 1 + bool(interpreter) + dynamic
    body = bytearray()
    start = half + programs * ph_size

    def place(data: bytes) -> int:
        """The offset at which `data` now stands."""
        body.extend(bytes(-(start + len(body)) % 8))
        at = start + len(body)
        body.extend(data)
        return at

    strings = bytearray(b"\0")

    def string(text: str) -> int:
        at = len(strings)
        strings.extend(text.encode() + b"\0")
        return at

    tags = [(1, string(name)) for name in needed]
    if runpath:
        tags.append((29, string(runpath)))
    need_bytes = b""
    for number, (library, version) in enumerate(wants):
        last = number == len(wants) - 1
        need_bytes += struct.pack(order + "HHIII", 1, 1, string(library), 16, 0 if last else 32)
        need_bytes += struct.pack(order + "IHHII", 0, 0, 2 + number, string(version), 0)
    give_bytes = b""
    for number, version in enumerate(gives):
        last = number == len(gives) - 1
        give_bytes += struct.pack(order + "HHHHIII", 1, 0, number + 1, 1, 0, 20, 0 if last else 28)
        give_bytes += struct.pack(order + "II", string(version), 0)
    strings_at = place(bytes(strings))
    tags += [(5, _BASE + strings_at), (10, len(strings))]
    if relocations:
        record = order + (word + word + (word.lower() if addend else ""))
        shift = 1
        table = b"".join(
            struct.pack(record, _BASE + 8 * shift, kind, *((0,) if addend else ())) for kind in relocations
        )
        at = place(table)
        tags += (
            [(7, _BASE + at), (8, len(table)), (9, struct.calcsize(record))]
            if addend
            else [(17, _BASE + at), (18, len(table))]
        )
    dynamic_bytes = b"".join(struct.pack(order + word * 2, *tag) for tag in (*tags, (0, 0)))
    dynamic_at = place(dynamic_bytes) if dynamic else 0
    interpreter_at = place(interpreter.encode() + b"\0") if interpreter else 0

    sections: list[tuple[str, int, int, int, int, int]] = []  # name, type, offset, size, link, entry size
    if wants or gives:
        sections.append((".dynstr", 3, strings_at, len(strings), 0, 0))
        if wants:
            sections.append((".gnu.version_r", 0x6FFFFFFE, place(need_bytes), len(need_bytes), 1, len(wants)))
        if gives:
            sections.append((".gnu.version_d", 0x6FFFFFFD, place(give_bytes), len(give_bytes), 1, len(gives)))
    if symbols:
        size = 24 if bits == 64 else 16
        sections.append((".symtab", 2, place(bytes(size)), size, len(sections) + 2, size))
        sections.append((".strtab", 3, place(b"\0"), 1, 0, 0))
    if arm_arch is not None:
        attributes = bytes([6, arm_arch])
        file_part = bytes([1]) + struct.pack(order + "I", 5 + len(attributes)) + attributes
        vendor = b"aeabi\0" + file_part
        data = b"A" + struct.pack(order + "I", 4 + len(vendor)) + vendor
        sections.append((".ARM.attributes", 0x70000003, place(data), len(data), 0, 0))
    section_at = 0
    names = bytearray(b"\0")
    headers = bytes(sh_size) if sections else b""
    if sections:
        rows = []
        for name, *rest in (*sections, (".shstrtab", 3, 0, 0, 0, 0)):
            rows.append((len(names), rest))
            names.extend(name.encode() + b"\0")
        names_at = place(bytes(names))
        for number, (name_at, (kind, at, length, link, entries)) in enumerate(rows):
            if number == len(rows) - 1:
                at, length = names_at, len(names)
            info = entries if kind >= 0x6FFFFFF0 and kind < 0x70000000 else 0
            size = entries if kind == 2 else 0
            headers += struct.pack(
                order + "II" + word * 4 + "II" + word * 2, name_at, kind, 0, 0, at, length, link, info, 8, size
            )
        section_at = place(headers)

    total = start + len(body)
    segments = [(1, 0, total)]
    if interpreter:
        segments.append((3, interpreter_at, len(interpreter) + 1))
    if dynamic:
        segments.append((2, dynamic_at, len(dynamic_bytes)))
    table = b""
    for kind, at, length in segments:
        if bits == 64:
            table += struct.pack(order + "IIQQQQQQ", kind, 5, at, _BASE + at, _BASE + at, length, length, 8)
        else:
            table += struct.pack(order + "IIIIIIII", kind, at, _BASE + at, _BASE + at, length, length, 5, 8)
    count = len(sections) + 2 if sections else 0
    head = b"\x7fELF" + bytes([bits // 32, 2 if big_endian else 1, 1, 0]) + bytes(8)
    head += struct.pack(
        order + "HHI" + word * 3 + "IHHHHHH",
        type,
        machine,
        1,
        _BASE,
        half,
        section_at,
        0,
        half,
        ph_size,
        programs,
        sh_size,
        count,
        max(count - 1, 0),
    )
    return head + table + bytes(body)

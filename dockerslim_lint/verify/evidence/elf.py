"""Evidence from the shipped programs themselves: "right machine", "static", "stripped"."""

from __future__ import annotations

from dockerslim_lint.catalog.platforms import lookup
from dockerslim_lint.edit import Claim
from dockerslim_lint.record import Record
from dockerslim_lint.verify.elf import ElfFile, NotElfError, read_elf
from dockerslim_lint.verify.evidence.interface import Evidence, Verdict
from dockerslim_lint.verify.filesystem import Filesystem
from dockerslim_lint.verify.layers import Kind

PROGRAM_LIMIT = 1 << 29
"""Bytes of a program that are read; a larger one stays unjudged."""

_NAMES = {
    3: "386",
    20: "ppc",
    21: "ppc64",
    22: "s390",
    40: "arm",
    62: "amd64",
    183: "arm64",
    243: "riscv",
    258: "loong64",
}
_ARM_ARCH_LIMIT = {"v5": 5, "v6": 9, "v7": 13}
"""The last Tag_CPU_arch that a variant runs (5 is v5TEJ, 9 v6K, 10 v7, 14 v8)."""


class MachineFacts(Record):
    """What the ELF header of a program for a platform says; `arm` is the variant where the platform is an ARM's."""

    machine: int
    bits: int
    big_endian: bool
    arm: str = ""


class Program(Record):
    """A shipped binary: what is at its path (`elf`), or why nothing can be said of it (`problem`, completing "/app …").

    `readable` is False where it is there, but too large to be looked at.
    """

    path: str
    elf: ElfFile | None
    problem: str = ""
    readable: bool = True


def machine_of(platform: str) -> MachineFacts | None:
    """The catalogue's facts for ``linux/arm/v7``, None for a platform that it does not know."""
    row = lookup(platform)
    return (
        None
        if row is None
        else MachineFacts(row.machine, row.bits, row.big_endian, row.variant if row.architecture == "arm" else "")
    )


def read_programs(files: Filesystem, paths: tuple[str, ...]) -> tuple[Program, ...]:
    """The programs at `paths` in an image, links followed."""
    small = [path for path in paths if (entry := files.stat(path)) is not None and entry.size <= PROGRAM_LIMIT]
    contents = files.read_many(small, PROGRAM_LIMIT)
    return tuple(_program(files, path, contents.get(path)) for path in paths)


def _program(files: Filesystem, path: str, data: bytes | None) -> Program:
    if data is not None:
        try:
            return Program(path, read_elf(data))
        except NotElfError as error:
            return Program(path, None, str(error))
    entry = files.stat(path)
    if entry is None:
        link = files.stat(path, follow=False)
        return Program(
            path,
            None,
            "is not in the image" if link is None else f"is a link to {link.target}, which is not in the image",
        )
    if entry.kind is Kind.FILE:
        return Program(path, None, f"has {entry.size} bytes, too many to look at", readable=False)
    return Program(path, None, f"is no file but a {entry.kind.value}")


def judge_programs(
    programs: tuple[Program, ...], platform: str, claim: Claim, expected: MachineFacts | None
) -> tuple[Evidence, ...]:
    """The three claims about `programs` (those at the claim's binaries); what is not claimed is NOT_APPLICABLE, its facts told."""
    if not programs:
        return tuple(
            Evidence(name, platform, Verdict.NOT_APPLICABLE, "no program is shipped")
            for name in ("right machine", "static", "stripped")
        )
    return (
        _evidence("right machine", platform, [(p, *_machine(p, expected)) for p in programs], True),
        _evidence("static", platform, [(p, *_static(p)) for p in programs], claim.static),
        _evidence("stripped", platform, [(p, *_stripped(p)) for p in programs], claim.stripped),
    )


def judge(files: Filesystem, platform: str, claim: Claim, expected: MachineFacts | None = None) -> tuple[Evidence, ...]:
    """`judge_programs` for the programs in an image; `expected` defaults to what the catalogue says of the platform."""
    return judge_programs(read_programs(files, claim.binaries), platform, claim, expected or machine_of(platform))


def _evidence(name: str, platform: str, judged: list[tuple[Program, Verdict, str]], claimed: bool) -> Evidence:
    """One piece of evidence about all programs: as good as the worst of them, which the summary names."""
    order = (Verdict.FAILS, Verdict.UNKNOWN, Verdict.HOLDS)
    _, verdict, text = worst = min(judged, key=lambda item: order.index(item[1]))
    summary = f"{worst[0].path} {text}"
    if verdict is Verdict.HOLDS and len(judged) > 1:
        summary += f" and {len(judged) - 1} more"
    if not claimed:
        verdict, summary = Verdict.NOT_APPLICABLE, f"not claimed; {summary}"
    return Evidence(name, platform, verdict, summary, tuple(f"{program.path} {line}" for program, _, line in judged))


def _problem(program: Program) -> tuple[Verdict, str]:
    return (Verdict.FAILS if program.readable else Verdict.UNKNOWN), program.problem


def _machine(program: Program, expected: MachineFacts | None) -> tuple[Verdict, str]:
    elf = program.elf
    if elf is None:
        return _problem(program)
    found = _describe(elf.machine, elf.bits, elf.big_endian)
    if expected is None:
        return Verdict.UNKNOWN, f"is for {found}; what this platform needs is not known"
    if elf.type not in ("exec", "dyn"):
        return Verdict.FAILS, f"is no program (ELF type {elf.type})"
    if (elf.machine, elf.bits, elf.big_endian) != (expected.machine, expected.bits, expected.big_endian):
        return (
            Verdict.FAILS,
            f"is for {found}, not for {_describe(expected.machine, expected.bits, expected.big_endian)}",
        )
    limit = _ARM_ARCH_LIMIT.get(expected.arm)
    if limit is not None and elf.arm_arch is not None and elf.arm_arch > limit:
        return (
            Verdict.UNKNOWN,
            f"is for {found}, but says that it uses instructions newer than {expected.arm} (Tag_CPU_arch {elf.arm_arch})",
        )
    return Verdict.HOLDS, f"is for {found}"


def _describe(machine: int, bits: int, big_endian: bool) -> str:
    return f"{_NAMES.get(machine, f'machine {machine}')} ({bits} bit, {'big' if big_endian else 'little'} endian)"


def _static(program: Program) -> tuple[Verdict, str]:
    elf = program.elf
    if elf is None:
        return _problem(program)
    if elf.interpreter is not None:
        return Verdict.FAILS, f"is dynamic: it asks for the loader {elf.interpreter}" + _needs(elf)
    if elf.needed:
        return Verdict.FAILS, "is dynamic" + _needs(elf)
    if elf.type == "exec":
        if elf.dynamic:
            return Verdict.FAILS, "is linked at a fixed address but has a dynamic section"
        return Verdict.HOLDS, "is static"
    if elf.type != "dyn":
        return Verdict.FAILS, f"is no program (ELF type {elf.type})"
    if not elf.dynamic:
        return Verdict.FAILS, "is position-independent but has no dynamic section to relocate itself by"
    if elf.foreign_relocations:
        return Verdict.FAILS, f"names no loader, yet {elf.foreign_relocations} of its relocations need one"
    return Verdict.HOLDS, "is static (static-pie)"


def _needs(elf: ElfFile) -> str:
    return f", needs {', '.join(elf.needed[:6])}{' …' if len(elf.needed) > 6 else ''}" if elf.needed else ""


def _stripped(program: Program) -> tuple[Verdict, str]:
    elf = program.elf
    if elf is None:
        return _problem(program)
    return (Verdict.FAILS, "still has its symbol table") if elf.symbols else (Verdict.HOLDS, "has no symbol table")

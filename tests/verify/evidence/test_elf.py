"""Programs judged by their ELF headers: handmade ones for every machine, and what a real compiler makes."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from functools import partial
from pathlib import Path

import pytest

from dockerslim_lint.catalog.platforms import Platform, platforms
from dockerslim_lint.edit import Claim
from dockerslim_lint.verify.elf import NotElfError, read_elf
from dockerslim_lint.verify.evidence.elf import MachineFacts, judge, machine_of
from dockerslim_lint.verify.evidence.interface import Evidence, Verdict
from dockerslim_lint.verify.layout import open_layout
from tests.verify.elf_files import DYN, EXEC, REL, make_elf
from tests.verify.layouts import Item, folder, layout_of, symlink, tar_of

HOLDS, FAILS, UNKNOWN, NOT_APPLICABLE = Verdict.HOLDS, Verdict.FAILS, Verdict.UNKNOWN, Verdict.NOT_APPLICABLE
RELATIVE = {3: 8, 21: 22, 22: 12, 40: 23, 62: 8, 183: 1027, 243: 3, 258: 3}
IRELATIVE = {3: 42, 21: 248, 22: 61, 40: 160, 62: 37, 183: 1032, 243: 58, 258: 12}


def judged(
    tmp_path: Path,
    *items: Item,
    platform: str = "linux/amd64",
    static: bool = True,
    stripped: bool = True,
    paths: tuple[str, ...] = ("/app",),
) -> dict[str, Evidence]:
    files = open_layout(layout_of(tmp_path / "l", tar_of(*items)), "linux/amd64").filesystem()
    return {evidence.claim: evidence for evidence in judge(files, platform, Claim(paths, static, stripped, ()))}


def verdicts(tmp_path: Path, data: bytes, platform: str = "linux/amd64") -> tuple[Verdict, Verdict, Verdict]:
    found = judged(tmp_path, Item("app", data, 0o755), platform=platform)
    return found["right machine"].verdict, found["static"].verdict, found["stripped"].verdict


@pytest.mark.parametrize("row", platforms(), ids=lambda row: row.name)
def test_every_platform_of_the_catalogue(tmp_path: Path, row: Platform) -> None:
    platform = row.docker
    facts = machine_of(platform)
    assert facts is not None
    make = partial(make_elf, machine=facts.machine, bits=facts.bits, big_endian=facts.big_endian)
    assert verdicts(tmp_path / "1", make(type=EXEC), platform) == (HOLDS, HOLDS, HOLDS)
    own = [RELATIVE[facts.machine], IRELATIVE[facts.machine], 0]
    assert verdicts(tmp_path / "2", make(type=DYN, relocations=own), platform) == (HOLDS, HOLDS, HOLDS)
    assert verdicts(tmp_path / "3", make(type=DYN, relocations=[*own, 1]), platform) == (
        HOLDS,
        FAILS,
        HOLDS,
    )
    if facts.bits == 32:
        assert verdicts(tmp_path / "4", make(type=DYN, relocations=own, addend=False), platform) == (
            HOLDS,
            HOLDS,
            HOLDS,
        )
    assert verdicts(tmp_path / "5", make(symbols=True), platform) == (HOLDS, HOLDS, FAILS)
    for other in platforms():
        same = (other.machine, other.bits, other.big_endian) == (facts.machine, facts.bits, facts.big_endian)
        wrong = make_elf(machine=other.machine, bits=other.bits, big_endian=other.big_endian)
        assert verdicts(tmp_path / other.name.replace("/", "-"), wrong, platform)[0] is (HOLDS if same else FAILS)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (make_elf(type=DYN, interpreter="/lib/ld-musl-x86_64.so.1"), "asks for the loader /lib/ld-musl-x86_64.so.1"),
        (
            make_elf(interpreter="/lib64/ld-linux-x86-64.so.2", needed=["libc.so.6", "libssl.so.3"]),
            "needs libc.so.6, libssl.so.3",
        ),
        (make_elf(type=DYN, needed=["libc.so"]), "is dynamic, needs libc.so"),
        (make_elf(dynamic=True), "linked at a fixed address but has a dynamic section"),
        (make_elf(type=DYN, dynamic=False), "no dynamic section"),
        (make_elf(type=DYN, relocations=[8, 6, 7]), "2 of its relocations need one"),
        (make_elf(type=REL), "is no program"),
    ],
)
def test_what_is_not_static(tmp_path: Path, data: bytes, words: str) -> None:
    evidence = judged(tmp_path, Item("app", data))["static"]
    assert evidence.verdict is FAILS
    assert words in evidence.summary


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (Item("app", b"#!/bin/sh -e\nexec x\n"), "/app is a script (#!/bin/sh -e), not a program"),
        (Item("app", b""), "/app is empty"),
        (Item("app", b"MZ..."), "/app is no ELF file"),
        (Item("app", make_elf()[:70]), "/app is a broken ELF file"),
        (Item("app", b"\x7fELF"), "/app is a broken ELF file"),
        (folder("app"), "/app is no file but a directory"),
        (symlink("app", "gone"), "/app is a link to gone, which is not in the image"),
        (Item("other"), "/app is not in the image"),
    ],
)
def test_what_is_no_program(tmp_path: Path, item: Item, words: str) -> None:
    for evidence in judged(tmp_path, item).values():
        assert evidence.verdict is FAILS
        assert evidence.summary.startswith(words)


def test_several_programs_and_links(tmp_path: Path) -> None:
    items = [Item("opt/app-1", make_elf(), 0o755), symlink("app", "/opt/app-1"), Item("b", make_elf(symbols=True))]
    found = judged(tmp_path, *items, paths=("/app", "/b"))
    assert found["static"].verdict is HOLDS
    assert found["static"].summary == "/app is static and 1 more"
    assert found["stripped"].verdict is FAILS
    assert found["stripped"].summary == "/b still has its symbol table"
    assert found["stripped"].details == ("/app has no symbol table", "/b still has its symbol table")


def test_what_is_not_claimed_is_told_but_not_judged(tmp_path: Path) -> None:
    found = judged(tmp_path, Item("app", make_elf(interpreter="/lib/x", symbols=True)), static=False, stripped=False)
    assert [found[name].verdict for name in ("right machine", "static", "stripped")] == [
        HOLDS,
        NOT_APPLICABLE,
        NOT_APPLICABLE,
    ]
    assert "asks for the loader /lib/x" in found["static"].summary
    assert {e.verdict for e in judged(tmp_path / "2", paths=()).values()} == {NOT_APPLICABLE}


def test_a_platform_that_nobody_knows(tmp_path: Path) -> None:
    found = judged(tmp_path, Item("app", make_elf()), platform="linux/vax")
    assert found["right machine"].verdict is UNKNOWN
    assert found["static"].verdict is HOLDS


def test_versions_of_arm(tmp_path: Path) -> None:
    for number, (platform, arch, verdict) in enumerate(
        [
            ("linux/arm/v6", 6, HOLDS),
            ("linux/arm/v6", 10, UNKNOWN),
            ("linux/arm/v7", 10, HOLDS),
            ("linux/arm/v5", 4, HOLDS),
            ("linux/arm/v5", 6, UNKNOWN),
        ]
    ):
        data = make_elf(machine=40, bits=32, arm_arch=arch)
        assert read_elf(data).arm_arch == arch
        assert verdicts(tmp_path / str(number), data, platform)[0] is verdict


def test_expected_facts_can_be_given(tmp_path: Path) -> None:
    files = open_layout(
        layout_of(tmp_path, tar_of(Item("app", make_elf(machine=2, bits=32, big_endian=True)))), "linux/amd64"
    ).filesystem()
    found = judge(files, "linux/sparc", Claim(("/app",), True, True, ()), MachineFacts(2, 32, True))
    assert [evidence.verdict for evidence in found] == [HOLDS, HOLDS, HOLDS]


def test_the_facts_of_a_dynamic_program() -> None:
    elf = read_elf(
        make_elf(
            needed=["a.so", "b.so"],
            runpath="$ORIGIN/../lib:/x",
            wants=[("a.so", "V_1"), ("b.so", "W_2")],
            gives=["me", "V_1"],
        )
    )
    assert (elf.type, elf.needed, elf.search) == ("exec", ("a.so", "b.so"), ("$ORIGIN/../lib", "/x"))
    assert elf.wants == (("a.so", "V_1"), ("b.so", "W_2"))
    assert elf.gives == {"me", "V_1"}


def test_broken_files_never_raise_anything_else() -> None:
    sound = make_elf(
        type=DYN, needed=["a"], relocations=[8, 8], symbols=True, wants=[("a", "v")], interpreter="/lib/ld"
    )
    for at in range(0, len(sound), 3):
        for value in (0x00, 0x7F, 0xFF):
            data = sound[:at] + bytes([value]) + sound[at + 1 :]
            with contextlib.suppress(NotElfError):
                read_elf(data)
    for end in range(0, len(sound), 7):
        with contextlib.suppress(NotElfError):
            read_elf(sound[:end])


GCC = shutil.which("gcc")


@pytest.mark.skipif(GCC is None, reason="no gcc here; the handmade files cover the logic")
@pytest.mark.parametrize(
    ("flags", "static", "stripped"),
    [
        (["-static", "-no-pie", "-s"], HOLDS, HOLDS),
        (["-static-pie", "-fPIE", "-s"], HOLDS, HOLDS),
        (["-static-pie", "-fPIE", "-Wl,-z,pack-relative-relocs"], HOLDS, FAILS),
        (["-pie", "-fPIE"], FAILS, FAILS),
        (["-no-pie", "-s"], FAILS, HOLDS),
    ],
)
def test_what_a_compiler_makes(tmp_path: Path, flags: list[str], static: Verdict, stripped: Verdict) -> None:
    source = tmp_path / "a.c"
    source.write_text(
        '#include <stdio.h>\n#include <string.h>\nint main(int n, char **v) { return printf("%s %zu\\n", v[0], strlen(v[n - 1])); }\n'
    )
    built = subprocess.run(
        [GCC or "gcc", *flags, "-o", tmp_path / "a", source], capture_output=True, text=True, check=False
    )
    if built.returncode:
        pytest.skip(f"this gcc cannot: {built.stderr.splitlines()[-1:]}")
    elf = read_elf((tmp_path / "a").read_bytes())
    platform = next(
        row for row in platforms() if (row.machine, row.bits, row.big_endian) == (elf.machine, elf.bits, elf.big_endian)
    )
    assert verdicts(tmp_path, (tmp_path / "a").read_bytes(), platform.docker) == (HOLDS, static, stripped)

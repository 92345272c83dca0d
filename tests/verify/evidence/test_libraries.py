"""Programs that stay dynamic: does the image have what their loader looks for?"""

from __future__ import annotations

from pathlib import Path

from dockerslim_lint.verify.evidence.elf import read_programs
from dockerslim_lint.verify.evidence.interface import Evidence, Verdict
from dockerslim_lint.verify.evidence.libraries import judge_libraries
from dockerslim_lint.verify.layout import open_layout
from tests.verify.elf_files import DYN, make_elf
from tests.verify.layouts import Item, layout_of, symlink, tar_of

LOADER = "/lib64/ld-linux-x86-64.so.2"
MUSL = "/lib/ld-musl-x86_64.so.1"


def judged(tmp_path: Path, *items: Item, library_path: str = "") -> Evidence:
    files = open_layout(layout_of(tmp_path / "l", tar_of(*items)), "linux/amd64").filesystem()
    return judge_libraries(files, "linux/amd64", read_programs(files, ("/app",)), library_path)


def library(needed: list[str] | None = None, gives: list[str] | None = None) -> bytes:
    return make_elf(type=DYN, needed=needed or [], gives=gives or [])


APP = Item(
    "app",
    make_elf(type=DYN, interpreter=LOADER, needed=["libssl.so.3", "libc.so.6"], wants=[("libc.so.6", "GLIBC_2.38")]),
)
LIBC = Item("usr/lib/x86_64-linux-gnu/libc.so.6", library(gives=["libc.so.6", "GLIBC_2.2.5", "GLIBC_2.38"]))
SSL = Item("usr/lib/x86_64-linux-gnu/libssl.so.3", library(["libcrypto.so.3"]))
CRYPTO = Item("usr/lib/x86_64-linux-gnu/libcrypto.so.3", library(["libc.so.6"]))
LD = Item("usr/lib64/ld-linux-x86-64.so.2", library())
LINKS = [symlink("lib", "usr/lib"), symlink("lib64", "usr/lib64")]


def test_all_is_there(tmp_path: Path) -> None:
    evidence = judged(tmp_path, *LINKS, LD, LIBC, SSL, CRYPTO, APP)
    assert (evidence.verdict, evidence.summary) == (Verdict.HOLDS, "loader and 3 libraries found")
    assert "libcrypto.so.3 → /lib/x86_64-linux-gnu/libcrypto.so.3" in evidence.details


def test_a_library_of_a_library_is_missing(tmp_path: Path) -> None:
    evidence = judged(tmp_path, *LINKS, LD, LIBC, SSL, APP)
    assert evidence.verdict is Verdict.FAILS
    assert evidence.summary == "/lib/x86_64-linux-gnu/libssl.so.3 needs libcrypto.so.3, which is not in the image"


def test_no_loader(tmp_path: Path) -> None:
    evidence = judged(tmp_path, LIBC, SSL, CRYPTO, APP)
    assert evidence.summary == f"/app asks for the loader {LOADER}, which is not in the image"


def test_a_glibc_that_is_too_old(tmp_path: Path) -> None:
    old = Item(LIBC.name, library(gives=["libc.so.6", "GLIBC_2.2.5", "GLIBC_2.36"]))
    evidence = judged(tmp_path, *LINKS, LD, old, SSL, CRYPTO, APP)
    assert evidence.verdict is Verdict.FAILS
    assert "/app needs GLIBC_2.38 of libc.so.6; /lib/x86_64-linux-gnu/libc.so.6 does not have it" in evidence.summary


def test_a_library_for_another_machine(tmp_path: Path) -> None:
    wrong = Item(SSL.name, make_elf(machine=183, type=DYN))
    evidence = judged(tmp_path, *LINKS, LD, LIBC, wrong, APP)
    assert "is not in the image for this machine" in evidence.summary


def test_where_else_a_loader_looks(tmp_path: Path) -> None:
    app = Item(
        "opt/bin/app", make_elf(type=DYN, interpreter=LOADER, needed=["a.so", "b.so", "c.so"], runpath="$ORIGIN/../own")
    )
    conf = [
        Item("etc/ld.so.conf", b"include /etc/ld.so.conf.d/*.conf\n"),
        Item("etc/ld.so.conf.d/x.conf", b"# comment\n/extra\n"),
    ]
    items = [
        symlink("app", "/opt/bin/app"),
        app,
        *conf,
        LD,
        *LINKS,
        Item("opt/own/a.so", library()),
        Item("extra/b.so", library()),
        Item("over/c.so", library()),
    ]
    assert judged(tmp_path / "1", *items, library_path="/over:").verdict is Verdict.HOLDS
    assert judged(tmp_path / "2", *items).summary == "/app needs c.so, which is not in the image"


def test_musl_answers_for_its_own_names(tmp_path: Path) -> None:
    app = Item("app", make_elf(type=DYN, interpreter=MUSL, needed=["libc.musl-x86_64.so.1", "libgcc_s.so.1"]))
    assert (
        judged(tmp_path / "1", app, Item(MUSL, library()), Item("usr/lib/libgcc_s.so.1", library(["libc.so"]))).verdict
        is Verdict.HOLDS
    )
    missing = judged(tmp_path / "2", app, Item(MUSL, library()))
    assert missing.summary == "/app needs libgcc_s.so.1, which is not in the image"


def test_static_programs_need_nothing(tmp_path: Path) -> None:
    assert judged(tmp_path, Item("app", make_elf())).verdict is Verdict.NOT_APPLICABLE

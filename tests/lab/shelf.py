"""What the stand-in of alpine can install: programs of Debian packages, each packed with all that it needs."""

import shutil
from pathlib import Path

from tests.lab.debian import fetch, merged_usr, unpack
from tests.lab.store import run

PLACE = "usr/share/stand-in"
PRIVATE = "usr/libexec/stand-in"
"""Programs of glibc lie here with their own loader and libraries, so that no other program of glibc finds one."""

STATIC = {"bash": ("bash-static", "bash-static", "bin/bash"), "tini": ("tini", "tini-static", "sbin/tini")}
"""Alpine's package: Debian's package, its program, the place on Alpine."""

DYNAMIC = ("curl", "jq")
"""Packages and programs of one name in both; on Alpine in /usr/bin."""


def shelve(arch: str, root: Path) -> None:
    """An archive for each package in `PLACE`, which `apk add` unpacks."""
    for name, (package, program, place) in STATIC.items():
        home = root / "shelf" / name
        debs = root / "shelf-debs"
        merged(debs, arch)
        unpack(fetch("trixie", arch, package), debs, keep=[package].__contains__)
        (home / place).parent.mkdir(parents=True)
        shutil.copy(debs / "usr/bin" / program, home / place)
        shutil.rmtree(debs)
        _pack(home, root, name)
    for name in DYNAMIC:
        home = root / "shelf" / name
        debs = root / "shelf-debs"
        merged(debs, arch)
        unpack(fetch("trixie", arch, name, "libc6"), debs)
        private = home / PRIVATE / name
        private.mkdir(parents=True)
        shutil.copy(debs / "usr/bin" / name, private / name)
        loader = _closure(private / name, debs, private)
        script = home / "usr/bin" / name
        script.parent.mkdir(parents=True)
        script.write_text(
            f'#!/bin/sh\nexec /{PRIVATE}/{name}/{loader} --library-path /{PRIVATE}/{name} /{PRIVATE}/{name}/{name} "$@"\n'
        )
        script.chmod(0o755)
        shutil.rmtree(debs)
        _pack(home, root, name)
    shutil.rmtree(root / "shelf")


def merged(debs: Path, arch: str) -> None:
    debs.mkdir()
    merged_usr(debs, arch)


def _closure(program: Path, root: Path, into: Path) -> str:
    """Copies the libraries that a program needs, and theirs; returns the name of its loader, which is copied too."""
    # only making an image needs the environment of the tests; up, status and down do without
    from dockerslim_lint.verify.elf import read_elf

    loader, pending, known = "", [program], set[str]()
    while pending:
        elf = read_elf(pending.pop().read_bytes())
        loader = loader or (Path(elf.interpreter).name if elf.interpreter else "")
        names = elf.needed
        for name in [*names, *([loader] if loader else [])]:
            if name not in known:
                known.add(name)
                found = next(path for path in sorted((root / "usr").rglob(name)) if path.exists())
                shutil.copy(found, into / name)
                pending.append(into / name)
    return loader


def _pack(home: Path, root: Path, name: str) -> None:
    (root / PLACE).mkdir(parents=True, exist_ok=True)
    options = ["--sort=name", "--mtime=@1767225600", "--owner=0", "--group=0", "--numeric-owner"]
    run("tar", *options, "-C", home, "-cJf", root / PLACE / f"{name}.tar.xz", ".")

"""Evidence for programs that stay dynamic: their loader and every shared library, in the versions asked for, are in the image."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockerslim_lint.verify.elf import ElfFile, NotElfError, read_elf
from dockerslim_lint.verify.evidence.elf import PROGRAM_LIMIT, Program
from dockerslim_lint.verify.evidence.interface import Evidence, Verdict
from dockerslim_lint.verify.filesystem import Filesystem
from dockerslim_lint.verify.layers import Kind

_LIBRARY_LIMIT = 500
_DIRECTORIES = ("/lib", "/usr/lib", "/lib64", "/usr/lib64", "/lib32", "/usr/lib32", "/usr/local/lib")
_MUSL_ITSELF = re.compile(r"lib(c|pthread|rt|m|dl|util|xnet)\.(so|musl)")
"""Names that musl's loader answers for by itself (ldso/dynlink.c, load_library)."""


def judge_libraries(
    files: Filesystem, platform: str, programs: tuple[Program, ...], library_path: str = ""
) -> Evidence:
    """Whether the loader finds all that `programs` need; `library_path` is the image's LD_LIBRARY_PATH.

    FAILS names what is missing. Libraries that a program opens while it runs cannot be seen.
    """
    dynamic = [
        (p.path, p.elf) for p in programs if p.elf is not None and (p.elf.needed or p.elf.interpreter is not None)
    ]
    if not dynamic:
        return Evidence("libraries present", platform, Verdict.NOT_APPLICABLE, "no dynamic program is shipped")
    problems: list[str] = []
    found: dict[str, str] = {}
    for path, elf in dynamic:
        found |= _Search(files, path, elf, library_path, problems).run()
    lines = tuple(f"{name} → {place}" for name, place in sorted(found.items()))
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        return Evidence("libraries present", platform, Verdict.FAILS, problems[0] + more, tuple(problems) + lines)
    return Evidence("libraries present", platform, Verdict.HOLDS, f"loader and {len(found)} libraries found", lines)


class _Search:
    """The loader's work for one program, breadth first, without running anything."""

    def __init__(self, files: Filesystem, path: str, elf: ElfFile, library_path: str, problems: list[str]) -> None:
        self._files = files
        self._path = path
        self._elf = elf
        self._problems = problems
        self._musl = "ld-musl" in (elf.interpreter or "")
        self._override = tuple(filter(None, library_path.split(":")))
        self._standard = tuple(dict.fromkeys(self._standard_directories()))

    def run(self) -> dict[str, str]:
        """Name → path of each library found; what is missing is added to the problems."""
        loader = self._elf.interpreter
        if loader is not None:
            entry = self._files.stat(loader)
            if entry is None or entry.kind is not Kind.FILE:
                self._problems.append(f"{self._path} asks for the loader {loader}, which is not in the image")
        found: dict[str, str] = {}
        known: dict[str, ElfFile] = {}
        level = [(self._path, self._elf)]
        wants: list[tuple[str, str, str]] = []
        while level and len(found) < _LIBRARY_LIMIT:
            asked = {
                name: (path, elf)
                for path, elf in level
                for name in elf.needed
                if name not in found and not self._is_musl(name)
            }
            wants += [(path, library, version) for path, elf in level for library, version in elf.wants]
            choices = {name: self._candidates(name, path, elf) for name, (path, elf) in asked.items()}
            read = self._read({c for places in choices.values() for c in places})
            level = []
            for name, (path, _) in asked.items():
                place = next((c for c in choices[name] if c in read), None)
                if place is None:
                    self._problems.append(f"{path} needs {name}, which is not in the image{_other(choices[name])}")
                    continue
                found[name], known[name] = place, read[place]
                level.append((place, read[place]))
        for path, library, version in dict.fromkeys(wants):
            gives = known[library].gives if library in known else None
            if gives and version not in gives:
                self._problems.append(f"{path} needs {version} of {library}; {found[library]} does not have it")
        return found

    def _is_musl(self, name: str) -> bool:
        return self._musl and (_MUSL_ITSELF.match(name) is not None or name.startswith("ld-musl"))

    def _read(self, places: set[str]) -> dict[str, ElfFile]:
        """Those of `places` that are libraries for the program's machine."""
        result = {}
        for place, data in self._files.read_many(sorted(places), PROGRAM_LIMIT).items():
            try:
                elf = read_elf(data)
            except NotElfError:
                continue
            if (elf.machine, elf.bits, elf.big_endian) == (self._elf.machine, self._elf.bits, self._elf.big_endian):
                result[place] = elf
        return result

    def _candidates(self, name: str, path: str, elf: ElfFile) -> tuple[str, ...]:
        """The files that the loader would try for `name`, as far as they exist."""
        if "/" in name:
            places: Iterator[str] = iter((name,))
        else:
            resolved = self._files.resolve(path) or path
            origin = resolved.rpartition("/")[0] or "/"
            own = [d.replace("${ORIGIN}", origin).replace("$ORIGIN", origin) for d in elf.search]
            places = (f"{directory.rstrip('/')}/{name}" for directory in (*self._override, *own, *self._standard))
        return tuple(
            dict.fromkeys(p for p in places if (entry := self._files.stat(p)) is not None and entry.kind is Kind.FILE)
        )

    def _standard_directories(self) -> Iterator[str]:
        if self._musl:
            for name in self._files.names("/etc"):
                if name.startswith("ld-musl-") and name.endswith(".path"):
                    text = (self._files.read(f"/etc/{name}", 1 << 16) or b"").decode("utf-8", "replace")
                    yield from filter(None, re.split(r"[:\n]", text))
            yield from ("/lib", "/usr/local/lib", "/usr/lib")
            return
        yield from self._configured("/etc/ld.so.conf", 4)
        for directory in _DIRECTORIES:
            yield directory
            for name in self._files.names(directory):
                if "-linux-" in name and "." not in name:
                    yield f"{directory}/{name}"

    def _configured(self, path: str, depth: int) -> Iterator[str]:
        """The directories of ld.so.conf and of what it includes."""
        text = (self._files.read(path, 1 << 16) or b"").decode("utf-8", "replace")
        for line in text.splitlines():
            line = line.partition("#")[0].strip()
            if line.startswith("include ") and depth:
                directory, _, pattern = line.removeprefix("include ").strip().rpartition("/")
                end = pattern.removeprefix("*")
                for name in self._files.names(directory or "/etc"):
                    if name.endswith(end) if pattern.startswith("*") else name == pattern:
                        yield from self._configured(f"{directory or '/etc'}/{name}", depth - 1)
            elif line.startswith("/"):
                yield line


def _other(candidates: tuple[str, ...]) -> str:
    return f" for this machine ({candidates[0]} is for another)" if candidates else ""

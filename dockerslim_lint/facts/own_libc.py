"""Whether an image has a C library that its base has not: by a package, or by files that a step collects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dockerslim_lint.catalog import commands as known_commands
from dockerslim_lint.catalog import packages
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.model import Artifact, Command, PackageInstall, Transfer
from dockerslim_lint.facts.packages import manager_of
from dockerslim_lint.facts.stages import chain_of
from dockerslim_lint.facts.transfers import MOVERS
from dockerslim_lint.syntax.tree import Instruction

if TYPE_CHECKING:
    from dockerslim_lint.facts.shared import Shared
    from dockerslim_lint.facts.walk import StageState

LIBC_FILES = ("libc.so.6", "ld-linux*", "ld-musl-*")
"""The C libraries and their loaders."""

LIBRARY_DIRECTORIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64")
"""Where a program looks for its loader."""

ARCHIVES = (".tar", ".tgz", ".txz", ".tbz")
"""ADD unpacks them (Dockerfile reference, "ADD")."""


def own_libc(state: StageState, shared: Shared, instructions: Sequence[Instruction]) -> bool:
    """Whether a package or a copied file may stand in for the base's C library."""
    for install in state.installs:
        for name in install.packages:
            known = packages.lookup(install.manager, name)
            if known is not None and known.role == "c-library" and not _of_the_release(install, state):
                return True
    chain = chain_of(state.stage, shared.stages)
    foreign = state.stage.image is not None and state.stage.image.libc != "glibc"
    for transfer in shared.transfers:
        if transfer.stage not in chain:
            continue
        if _names_libc(transfer, foreign, shared):
            return True
        keyword = instructions[transfer.instruction].keyword
        if _reaches_libraries(transfer.destination) and _brings_libc(transfer, shared, keyword):
            return True
    return False


def _of_the_release(install: PackageInstall, state: StageState) -> bool:
    """Whether a glibc package is the one that a glibc base has already: no other suite, version or source is named."""
    image = state.stage.image
    if image is None or image.libc != "glibc" or install.manager != "apt":
        return False
    words = [word.pattern for word in install.command.words]
    foreign = any(word.startswith(("-t", "--target-release", "-o")) or "=" in word or "/" in word for word in words)
    return not foreign and not state.opaque


def _is_libc(path: str) -> bool:
    """Whether a path may name a C library, its loader or a whole directory of libraries."""
    name = patterns.basename(path.rstrip("/"))
    return (name.startswith("lib") and "." not in name) or name.endswith("-linux-gnu") or _is_libc_file(name)


def _is_libc_file(name: str) -> bool:
    return any(patterns.same(name, file) for file in LIBC_FILES)


def _names_libc(transfer: Transfer, any_library: bool, shared: Shared) -> bool:
    """`any_library`: who copies a library to where no glibc is knows that one is wanted."""
    origin = shared.states[transfer.origin_stage] if transfer.origin_stage is not None else None
    return any(
        (_is_libc(source) or (any_library and "/lib" in source))
        and not (origin is not None and "*" not in source and _is_program(origin, patterns.join("/", source)))
        for source in transfer.sources
    )


def _is_program(state: StageState, path: str) -> bool:
    """Whether a path is a program of cargo's, whatever it is called, and nothing lies below it."""
    return isinstance(state.table.find(path), Artifact) and not any(rest for rest, _ in state.table.below(path))


def _reaches_libraries(destination: str) -> bool:
    return any(patterns.meet(place, destination) for place in LIBRARY_DIRECTORIES)


def _brings_libc(transfer: Transfer, shared: Shared, keyword: str) -> bool:
    """Whether a source is a directory, or an archive, that may hold a C library."""
    if transfer.origin_image:
        return True
    for source in transfer.sources:
        if transfer.origin_stage is not None:
            if _collects(shared.states[transfer.origin_stage], patterns.join("/", source), shared):
                return True
        elif _in_context(source, shared) or (
            keyword == "ADD" and "://" not in source and any(map(source.count, ARCHIVES))
        ):
            return True
    return False


def _in_context(source: str, shared: Shared) -> bool:
    place = patterns.normalise(source.lstrip("/")) if source.strip("/") else "."
    if not shared.context.known:
        return place == "." or "." not in patterns.basename(place)
    names = shared.context.names("**" if place == "." else f"{place}/**")
    return any(_is_libc_file(patterns.basename(name)) for name in names)


def _collects(state: StageState, path: str, shared: Shared) -> bool:
    """Whether a step may have put a C library at or below a path of a stage."""
    if _is_program(state, path) or ".so" in patterns.basename(path):
        return False  # one file, and another
    if path == "/" or state.opaque is not None:
        return True
    chain = chain_of(state.stage, shared.stages)
    for transfer in shared.transfers:
        inside = patterns.below(transfer.destination, path) is not None
        if transfer.stage not in chain or not (inside or patterns.below(path, transfer.destination) is not None):
            continue
        if _names_libc(transfer, inside, shared):
            return True
        if (inside or not transfer.from_context) and _brings_libc(transfer, shared, ""):
            return True
    return any(command.stage in chain and _puts_libc(command, path) for command in shared.commands)


def _puts_libc(command: Command, path: str) -> bool:
    """Whether a command may put a C library at or below a path: it copies one there, or installs packages there."""
    name = known_commands.canonical(command.name)
    copies = name in MOVERS or known_commands.is_wrapper(name)
    if not copies and not known_commands.may_bring(name) and not manager_of(command):
        return False
    words = [word.pattern.rpartition("=")[2] for word in command.words[1:]]
    paths = [patterns.join(command.directory or "/*", word) for word in words if copies or word.startswith("/")]
    there = any(
        patterns.below(one, path) is not None or (one != "/" and patterns.below(path, one) is not None) for one in paths
    )
    return there and (not copies or any(map(_may_be_library, paths)))


def _may_be_library(path: str) -> bool:
    name = patterns.basename(path)
    return "/lib" in path or ".so" in name or "*" in name or name.startswith("ld-")

"""How files move: cp, mv, install, ln, strip, objcopy, rm, mkdir, and COPY."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dockerslim_lint.catalog import commands as known_commands
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.crate.config import TOOLCHAIN_FILES
from dockerslim_lint.facts.filesystem import PathTable
from dockerslim_lint.facts.model import (
    STRIPPED_ALL,
    STRIPPED_DEBUGINFO,
    Artifact,
    Command,
    CommandWord,
    Directory,
    Entry,
    ImageBuild,
    OpaqueFile,
    Output,
    Transfer,
)
from dockerslim_lint.facts.stages import chain_of

SOURCES = "src"
"""Where a crate has its sources (cargo book, "Package Layout")."""

MAY_NOT_RUN = "a step that may not run"

MOVERS = frozenset({"cp", "mv", "install", "ln", "strip", "objcopy", "upx"})
"""Commands that leave files where their words say (see `apply_command`)."""

KEEPS_DEBUG = "--only-keep-debug"
"""objcopy's flag that writes a program's debug information to another file and leaves the program as it is."""

LINKS_DEBUG = "--add-gnu-debuglink"
"""objcopy's flag that only names that file in the program (objcopy(1))."""

COMPRESSES_DEBUG = "--compress-debug-sections"
"""objcopy's flag for debug information that is to be kept, only smaller."""

PACKED = "packed by upx"

DEBUGINFO_FLAGS = frozenset({"-g", "-S", "-d", "--strip-debug"})
INSTALL_VALUE_FLAGS = frozenset({"-m", "--mode", "-o", "--owner", "-g", "--group", "-S", "--suffix"})


def apply_command(command: Command, table: PathTable) -> None:
    """Move what the command moves. Anything not modelled taints the artifacts that its words name."""
    match known_commands.canonical(command.name):
        case "cp" | "mv" | "install" | "ln":
            _move(command, table)
        case "strip" | "objcopy":
            _strip(command, table)
        case "upx":
            _pack(command, table)
        case "mkdir":
            for path in _paths(command, command.words[1:]):
                table.put(path, Directory("mkdir"))
        case "rm":
            for path in _paths(command, command.words[1:]):
                table.remove(path)
        case name:
            if known_commands.classify(name) == "opaque":
                _taint(command, table, name or "a command that could not be read")


def _paths(command: Command, words: tuple[CommandWord, ...]) -> list[str]:
    directory = command.directory
    return [
        patterns.join(directory or "/*", word.pattern)
        for word in words
        if word.pattern and not word.pattern.startswith("-")
    ]


def _move(command: Command, table: PathTable) -> None:
    name = known_commands.canonical(command.name)
    words: list[CommandWord] = []
    into: str | None = None
    flags: set[str] = set()
    rest = iter(command.words[1:])
    for word in rest:
        text = word.pattern
        if text in ("-t", "--target-directory"):
            following = next(rest, None)
            into = following.pattern if following else None
        elif text.startswith("--target-directory="):
            into = text.partition("=")[2]
        elif name == "install" and text in INSTALL_VALUE_FLAGS:
            next(rest, None)
        elif text.startswith("-") and len(text) > 1:
            flags.add(text)
        elif text:
            words.append(word)
    paths = _paths(command, tuple(words))
    if name == "install" and flags & {"-d", "--directory"}:
        for path in paths:
            table.put(path, Directory("install -d"))
        return
    if into is not None:
        sources, destination, directory = paths, patterns.join(command.directory or "/*", into), True
    elif len(paths) >= 2:
        sources, destination = paths[:-1], paths[-1]
        directory = len(sources) > 1 or words[-1].pattern.endswith(("/", "/.")) or table.is_directory(destination)
    else:
        return
    if name == "ln" and any(map(_symbolic, flags)):
        # a relative link target is seen from the link's own directory
        base = destination if directory else patterns.parent(destination)
        sources = [patterns.join(base, word.pattern) for word in words[: len(sources)]]
    directory = directory or any(len(table.matching(source)) > 1 for source in sources)
    strips = name == "install" and any(map(_strips, flags))
    for source, word in zip(sources, words, strict=False):
        # `cp -r target/release/. /out` copies what is in the directory (cp(1): as `target/release/` in a COPY)
        contents = name == "cp" and word.pattern.split("/")[-1] == "."
        place(table, table, source, destination, directory, command.certain, contents)
        placed = f"{destination.rstrip('/')}/{patterns.basename(source)}" if directory else destination
        program = table.find(placed) if strips else None
        if isinstance(program, Artifact):
            table.put(placed, program._replace(stripped=STRIPPED_ALL))
        if name == "mv":
            table.remove(source)


def _symbolic(flag: str) -> bool:
    """``-s`` of ln, in a bundle too (``-sfn``): a hard link is a file like any other."""
    return flag.startswith("--sy") or (not flag.startswith("--") and "s" in flag.partition("t")[0])


def _strips(flag: str) -> bool:
    """``-s`` of install, in a bundle too (``-Dsm755``): what follows a letter with a value is its value."""
    if flag.startswith("--"):
        return flag == "--strip"
    for letter in flag[1:]:
        if letter == "s":
            return True
        if f"-{letter}" in INSTALL_VALUE_FLAGS or letter == "t":
            return False
    return False


def place(
    origin: PathTable, table: PathTable, source: str, destination: str, directory: bool, certain: bool, contents: bool
) -> bool:
    """Copy what stands at `source` of `origin` to `destination`; True where an artifact or an output directory went.

    With `contents` a directory's contents go to the destination (COPY), else the directory goes into it (cp, mv).
    """
    matching = origin.matching(source)
    if matching and (directory or len(matching) == 1):
        for name, program in matching:
            target = f"{destination.rstrip('/')}/{name}" if directory else destination
            table.put(target, _uncertain(program, certain))
        return True
    entry = origin.part(source)
    path = f"{destination.rstrip('/')}/{patterns.basename(source)}" if directory else destination
    if entry is not None and not isinstance(entry, Directory | Output) and not _is_tree(origin, source):
        layers = origin.layers(source)
        if len(layers) > 1:
            for one in layers:
                table.put(destination if contents else path, one)
        else:
            open_ = not certain and not isinstance(entry, Artifact) and "*" not in path
            before = table.find(path) if open_ else None
            # `cp target/release/app /app || cp target/debug/app /app`: the program may well be there still
            table.put(path, _uncertain(before if isinstance(before, Artifact) else entry, certain))
        return isinstance(entry, Artifact)
    if contents:
        path = destination
    found = False
    for rest, below in origin.below(source):
        if not rest and isinstance(below, Output):
            below = below._replace(copied=True)
        table.put(f"{path.rstrip('/')}/{rest}" if rest else path, _uncertain(below, certain))
        found = found or not isinstance(below, Directory)
    return found


def with_parents(source: str) -> tuple[str, str]:
    """A source of ``COPY --parents``: the directory that is left out, and what is kept below the destination.

    Source: Dockerfile reference, "COPY --parents": all of the path, or what stands behind ``/./``.
    """
    left_out, pivot, kept = source.partition("/./")
    root = patterns.join("/", left_out) if pivot else "/"
    return root, patterns.join("/", kept if pivot else source).lstrip("/")


def _is_tree(table: PathTable, path: str) -> bool:
    return any(rest for rest, _ in table.below(path))


def _uncertain(entry: Entry, certain: bool) -> Entry:
    if not certain and isinstance(entry, Artifact):
        return entry._replace(touched=MAY_NOT_RUN)
    return entry


def _read_output(command: Command) -> tuple[list[str], set[str], str | None]:
    """The paths that a command names, its flags, and what it writes to instead (``-o``), as written."""
    output: str | None = None
    flags: set[str] = set()
    names: list[CommandWord] = []
    rest = iter(command.words[1:])
    for word in rest:
        text = word.pattern
        if text in ("-o", "--output"):
            following = next(rest, None)
            output = following.pattern if following else None
        elif text.startswith("--output="):
            output = text.partition("=")[2]
        elif text.startswith("-o") and len(text) > 2:
            output = text[2:]
        elif text.startswith("-") and len(text) > 1:
            flags.add(text)
        else:
            names.append(word)
    return _paths(command, tuple(names)), flags, output


def _pack(command: Command, table: PathTable) -> None:
    """upx, in place or to another file (upx(1), ``-o``)."""
    paths, _, output = _read_output(command)
    entry = table.find(paths[0]) if output is not None and len(paths) == 1 else None
    if isinstance(entry, Artifact):
        table.put(patterns.join(command.directory or "/*", output or ""), entry._replace(touched=PACKED))
    elif output is None:
        _taint(command, table, PACKED)


def _strip(command: Command, table: PathTable) -> None:
    paths, flags, output = _read_output(command)
    if known_commands.canonical(command.name) == "objcopy":
        if not flags & ({"-g", "-S", "--strip-all", "--strip-debug"}):
            if KEEPS_DEBUG in flags and len(paths) == 2:
                table.put(paths[1], OpaqueFile("debug information"))
            elif flags and all(flag.startswith(COMPRESSES_DEBUG) for flag in flags) and len(paths) == 2:
                place(table, table, paths[0], paths[1], False, command.certain, contents=False)
            elif not all(flag.startswith((LINKS_DEBUG, COMPRESSES_DEBUG)) for flag in flags) or len(paths) != 1:
                _taint(command, table, "changed by objcopy")
            return
        if len(paths) == 2:
            paths, output = paths[:1], paths[1]
        debuginfo = bool(flags & {"-g", "--strip-debug"})
    else:
        debuginfo = bool(flags & DEBUGINFO_FLAGS)
    for path in paths:
        entry = table.find(path)
        if not isinstance(entry, Artifact):
            continue
        state = STRIPPED_DEBUGINFO if debuginfo and entry.stripped != STRIPPED_ALL else STRIPPED_ALL
        after = _uncertain(entry._replace(stripped=state), command.certain)
        table.put(patterns.join(command.directory or "/*", output) if output else path, after)


def _taint(command: Command, table: PathTable, reason: str) -> None:
    for path in _paths(command, command.words[1:]):
        entry = table.find(path)
        if isinstance(entry, Artifact):
            table.put(path, entry._replace(touched=reason))
        elif isinstance(entry, OpaqueFile):
            table.put(path, OpaqueFile(reason))


def brought_before(build: ImageBuild, number: int) -> Iterator[Transfer]:
    """Every COPY and ADD from the build context in the stages of a call that builds the project, ahead of it."""
    call = build.calls[number]
    chain = chain_of(build.stages[call.command.stage], build.stages)
    for transfer in build.transfers if call.source == "context" else ():
        if transfer.from_context and transfer.stage in chain and transfer.instruction < call.command.instruction:
            yield transfer


def has_manifest(build: ImageBuild, number: int) -> bool:
    """Whether a Cargo.toml stands at the root of the context, or a COPY ahead of a call brings one, whichever the call then reads."""
    brought = (source for transfer in brought_before(build, number) for source in transfer.sources)
    return build.contents.has_manifest or any(map(build.contents.manifest_below, brought))


def brings_sources(build: ImageBuild, number: int, transfer: Transfer) -> bool:
    """Whether a COPY from the build context brings the sources of the crate that a call builds: as far as the context tells, or by convention."""
    crate = build.crates[number]
    if crate is not None:
        place = patterns.join(f"/{crate.directory}", SOURCES)
        return any(patterns.below(place, patterns.join("/", source)) is not None for source in transfer.sources)
    name = patterns.basename(transfer.destination)
    return name == SOURCES and any(patterns.normalise(source) == SOURCES for source in transfer.sources)


def project_files(build: ImageBuild, chain: Sequence[int]) -> int:
    """The first instruction in some stages that brings files of the build context, toolchain files aside; behind the last where none does."""
    brought = [mount.instruction for mount in build.mounts if mount.stage in chain and mount.kind == "bind"]
    for transfer in build.transfers:
        names = {patterns.basename(source) for source in transfer.sources}
        if transfer.stage in chain and transfer.from_context:
            brought += [transfer.instruction] if names - {*TOOLCHAIN_FILES} else []
    return min(brought, default=len(build.instructions))

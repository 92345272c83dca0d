"""Which build context belongs to a Dockerfile."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence

from dockerslim_lint.config import ImageSettings
from dockerslim_lint.context import BuildContext, LaidOverContext, NoContext
from dockerslim_lint.facts.cargo import BUILDS, CROSS, DRIVERS, OTHER_BUILDERS, cargo_arguments
from dockerslim_lint.facts.crate.lock import LOCK
from dockerslim_lint.facts.patterns import basename, below, join, parent
from dockerslim_lint.project.context import DirContext
from dockerslim_lint.project.places import above, lies_in
from dockerslim_lint.record import Record
from dockerslim_lint.source import Source
from dockerslim_lint.syntax.dockerfile import parse
from dockerslim_lint.syntax.tree import Instruction

_BUILDS = frozenset(
    ("c", "check", "t", "test", "bench", "clippy", "doc", "fetch", "chef", *BUILDS, *OTHER_BUILDERS)
) - {"make"}
"""Subcommands that look for a Cargo.toml; cargo-make looks for a file of its own."""
MANIFEST = "Cargo.toml"
_NEEDED = frozenset({MANIFEST, "src"})
"""Without these there is no crate of which anything could be said."""
_GLOB = frozenset("*?[")
_NAMES = (b"cargo", CROSS.encode())
_TOOLS = (b"make", b"just")
"""What a step names that calls a build tool with a file of its own (`commands.build_files`)."""


class Located(Record):
    """A context, its directory (None: unknown), and in a few words how it was found."""

    context: BuildContext
    root: str | None
    reason: str

    def under(self, buffers: Mapping[str, bytes]) -> Located:
        """The same with the files that an editor has open (by their absolute paths without links) over those on disk."""
        if self.root is None or not buffers:
            return self
        root = os.path.realpath(self.root)
        files = {
            os.path.relpath(path, root).replace(os.sep, "/"): data
            for path, data in buffers.items()
            if lies_in(path, root)
        }
        return self._replace(context=LaidOverContext(self.context, files)) if files else self


class Sources(Record):
    """What a file takes from its context.

    `paths`: literal sources of COPY, ADD and bind mounts, relative to the context. `whole`: some source is the context's root.
    `manifests`: with `whole`, for each cargo call the directories in one of which its Cargo.toml must be, the call's own
    first; `unplaced`: there are none, and the Cargo.toml of some call lies where nothing tells what was copied there. `others`:
    what ``--from`` names that is no stage of the file: an image, or a context of its own. `tools`: with `whole` alone, for each build tool
    the files of which it needs one (``Makefile``).
    """

    paths: tuple[str, ...]
    whole: bool
    manifests: tuple[tuple[str, ...], ...]
    others: frozenset[str] = frozenset()
    unplaced: bool = False
    tools: tuple[tuple[str, ...], ...] = ()


def locate(
    directory: str,
    source: Source | None,
    image: ImageSettings | None,
    config_root: str | None,
    repository: str | None,
) -> Located:
    """The context of a Dockerfile in `directory` (absolute, without links), which lies in a `repository` or in none.

    The configuration's word first; else the nearest directory, up to the repository's root, that has all that the file
    copies, or one above it where only that can be meant (`workspace.meant`); a file that copies nothing (or has no `source`:
    nothing in it says COPY, ADD or mount) takes its own.
    """
    if image is not None and image.context is not None and config_root is not None:
        root = os.path.join(config_root, image.context)
        return Located(DirContext(root), root, "[[image]] in the configuration")
    sources = sources_of(source) if source is not None else Sources((), False, ())
    if not sources.paths and not sources.whole:
        return Located(
            DirContext(directory, is_real=True),
            directory,
            "the file's own directory; it copies nothing from the context",
        )
    found = _search(directory, sources, repository)
    if found is not None:
        unlocked = sources._replace(paths=tuple(path for path in sources.paths if path != LOCK))
        if found.root == directory or not _is_own_crate(directory, unlocked):
            return found
        nearer = _search(directory, unlocked, repository)
        return nearer._replace(reason=f"{nearer.reason}; {LOCK} is not there") if nearer is not None else found
    there = _most(directory, sources, repository)
    if there is not None:
        missing = _some([path for path in sources.paths if path not in there])
        found = _search(directory, sources._replace(paths=there), repository)
        assert found is not None
        return found._replace(reason=f"{found.reason}; {missing} is not there")
    own = DirContext(directory, is_real=True)
    missing = _some([path for path in sources.paths if own.inside(path) is None]) or "Cargo.toml"
    return Located(
        NoContext(),
        None,
        f"unknown: no directory up to {'the repository' if repository else 'the file system'}'s root has {missing}",
    )


def _search(directory: str, sources: Sources, repository: str | None) -> Located | None:
    """The nearest directory that has all that is copied, or one above it where only that can be meant."""
    for candidate in above(directory):
        context = DirContext(candidate, is_real=True)
        if has_all(context, sources):
            larger = _above(context, sources, repository)
            if larger is not None:
                return larger
            what = _some(sources.paths)
            if not sources.paths and not sources.manifests:
                built = _with_build_files(context, sources, repository)
                if built is not None:
                    return built
                if sources.unplaced and _may_be_above(context, repository):
                    return Located(NoContext(), None, "unknown: nothing tells from where it copies its Cargo.toml")
                return Located(context, candidate, "the file's own directory; it copies whatever is there")
            return Located(context, candidate, f"nearest directory that has {what or 'the Cargo.toml'}")
        if candidate == repository:
            break
    return None


def _is_own_crate(directory: str, sources: Sources) -> bool:
    """Whether the file's own directory has the manifest and the sources that it copies by name."""
    named = {basename(path) for path in sources.paths} >= _NEEDED
    return named and has_all(DirContext(directory, is_real=True), sources)


def _most(directory: str, sources: Sources, repository: str | None) -> tuple[str, ...] | None:
    """What the directory has of the copied paths that has most of them, where some are generated, or forgotten; None for none.

    It has the manifests and the sources that are copied by name, and no more is missing than is there.
    """
    most: tuple[str, ...] | None = None
    for candidate in above(directory):
        context = DirContext(candidate, is_real=True)
        there = tuple(path for path in sources.paths if context.inside(path) is not None)
        needed = all(path in there for path in sources.paths if basename(path) in _NEEDED)
        crate = any(basename(path) == MANIFEST or context.inside(f"{path}/{MANIFEST}") is not None for path in there)
        enough = 2 * len(there) + len(sources.manifests) >= len(sources.paths)
        whole = has_all(context, sources._replace(paths=there))
        if needed and whole and (crate or sources.manifests) and enough and (most is None or len(there) > len(most)):
            most = there
        if candidate == repository:
            break
    return most


def _above(context: DirContext, sources: Sources, repository: str | None) -> Located | None:
    """The context where a directory above the nearest one that fits is meant."""
    if not sources.manifests or context.root == repository:
        return None
    from dockerslim_lint.project.workspace import meant

    found = meant(context, sources, repository)
    return Located(found[0], found[0].root, found[1]) if found is not None else None


def _with_build_files(own: DirContext, sources: Sources, repository: str | None) -> Located | None:
    """The nearest directory that has what the build tools need, where the file's own has not."""
    for directory in above(own.root) if sources.tools else ():
        context = own if directory == own.root else DirContext(directory, is_real=True)
        found = [next((path for path in paths if context.inside(path) is not None), None) for paths in sources.tools]
        if None not in found:
            reason = f"nearest directory that has {found[0]}"
            return Located(context, directory, reason) if context is not own else None
        if directory == repository:
            break
    return None


def _may_be_above(own: DirContext, repository: str | None) -> bool:
    """Whether the file's own directory is no crate, and one above it is."""
    for directory in above(own.root):
        context = own if directory == own.root else DirContext(directory, is_real=True)
        if context.inside("Cargo.toml") is not None:
            return context is not own
        if directory == repository:
            break
    return False


def _some(paths: Sequence[str]) -> str:
    """The first few of the paths, and how many more there are."""
    more = len(paths) - 3
    return ", ".join(paths[:3] if more > 1 else paths) + (f" and {more} more" if more > 1 else "")


def sources_of(source: Source) -> Sources:
    """The literal context sources of all COPY, ADD and RUN instructions; globs, variables, addresses and heredocs are none."""
    paths: dict[str, None] = {}
    manifests: list[tuple[str, ...]] = []
    whole = False
    stages: dict[str, tuple[str, list[str]]] = {}
    workdir, name = "/", ""
    roots: list[str] = []
    origins: dict[str, None] = {}
    elsewhere: list[tuple[Instruction, str]] = []
    steps: list[tuple[Instruction, str, list[str]]] = []
    for instruction in parse(source).instructions:
        origin = instruction.flag("from")
        if origin is not None and origin.value is not None:
            origins[(origin.value.literal or "").lower()] = None
        match instruction.keyword:
            case "FROM":
                stages[name] = (workdir, roots)
                words = [(word.literal or "").lower() for word in instruction.words]
                workdir, copied = stages.get(words[0], ("/", [])) if words else (workdir, [])
                name, roots = words[2] if len(words) == 3 else "", list(copied)
            case "WORKDIR" if instruction.words and instruction.words[0].literal:
                workdir = join(workdir, instruction.words[0].literal)
            case "COPY" | "ADD":
                for path, destination in _copied(instruction):
                    if path == "":
                        whole = True
                        roots.append(join(workdir, destination))
                    else:
                        paths[path] = None
            case "RUN":
                here = list(roots)
                for path, target, context in _bound(instruction):
                    if context:
                        origins[context.lower()] = None
                    elif path == "":
                        whole = True
                        here.append(join(workdir, target))
                    else:
                        paths[path] = None
                text = source.data[instruction.span.start : instruction.span.end]
                if here and any(name in text for name in _TOOLS):
                    steps.append((instruction, workdir, here))
                if any(name in text for name in _NAMES):
                    found = [
                        place
                        for directory, exact in (_cargo_directories(instruction, source, workdir) if here else ())
                        if directory is not None
                        for place in _places((directory, exact), here)
                    ]
                    manifests += found
                    if not found:
                        elsewhere.append((instruction, workdir))
    others = {
        origin for origin in origins if origin and origin not in stages and origin != name and not origin.isdigit()
    }
    if not whole or paths or manifests:
        return Sources(tuple(paths), whole, tuple(dict.fromkeys(manifests)), frozenset(others))
    unplaced = any(True for step, directory in elsewhere for _ in _cargo_directories(step, source, directory))
    tools = dict.fromkeys(found for step in steps for found in _build_files(*step, source))
    return Sources((), True, (), frozenset(others), unplaced, tuple(tools))


def _copied(instruction: Instruction) -> Iterator[tuple[str, str]]:
    """Literal context sources, normalized ("" for the root), each with its destination."""
    if instruction.flag("from") is not None or len(instruction.words) < 2:
        return
    *sources, destination = instruction.words
    markers = {heredoc.marker for heredoc in instruction.heredocs}
    for word in sources:
        text = word.literal
        if text is None or word.span in markers or "://" in text or text.startswith("git@") or _GLOB & set(text):
            continue
        yield _within(text), destination.literal or "."


def _bound(instruction: Instruction) -> Iterator[tuple[str, str, str]]:
    """Of each ``RUN --mount=type=bind`` without a variable: its source, normalized ("" for the root), its target, and what ``from``
    names ("": the context)."""
    for flag in instruction.flags:
        text = flag.value.literal if flag.name == "mount" and flag.value is not None else None
        options = dict(part.partition("=")[::2] for part in text.split(",")) if text else {}
        target = options.get("target") or options.get("dst") or options.get("destination")
        if target and options.get("type", "bind") == "bind":
            yield _within(options.get("source") or options.get("src") or ""), target, options.get("from", "")


def _within(path: str) -> str:
    """A path of the context without ``.`` and ``..``, which at the top mean the root; "" for the root."""
    return join("/", path)[1:]


def _cargo_directories(instruction: Instruction, source: Source, workdir: str) -> Iterator[tuple[str | None, bool]]:
    """Where the cargo calls of a RUN look for their Cargo.toml, None if that is not known; True where they look only there."""
    from dockerslim_lint.facts.calls import crate_directory
    from dockerslim_lint.facts.commands import CommandReader

    for command in CommandReader(0, 0, workdir, {}, False).read(instruction, source):
        at = next((at for at, word in enumerate(command.words) if basename(word.pattern) in DRIVERS), None)
        arguments = cargo_arguments(command._replace(words=command.words[at:])) if at is not None else None
        if arguments is None or arguments.subcommand not in _BUILDS:
            continue
        if arguments.subcommand == "install" and "--path" not in arguments.flags:
            continue
        if arguments.subcommand == "chef" and all(word.pattern != "prepare" for word in arguments.operands):
            continue
        exact = bool({"--manifest-path", "--path"} & arguments.flags.keys())
        place = crate_directory(command, arguments, BUILDS.get(arguments.subcommand, "build"))
        if not exact and place is None:
            place = workdir
        if place is not None and "*" in place:
            place = None if exact else parent(place.partition("*")[0])
        yield place, exact


def _build_files(instruction: Instruction, workdir: str, roots: list[str], source: Source) -> Iterator[tuple[str, ...]]:
    """For each build tool of a RUN that works in a copy of the whole context: the files of which it needs one there."""
    from dockerslim_lint.catalog.commands import build_files
    from dockerslim_lint.facts.commands import CommandReader

    for command in CommandReader(0, 0, workdir, {}, False).read(instruction, source):
        files = build_files(command.name)
        # another directory, or another file
        if command.directory is None or any(word.pattern.startswith(("-C", "-f", "--")) for word in command.words[1:]):
            continue
        for root in roots if files else ():
            inner = below(command.directory, root)
            if inner is not None:
                yield tuple(join("/", f"{inner}/{file}")[1:] for file in files)
                break


def _places(manifest: tuple[str, bool], roots: list[str]) -> Iterator[tuple[str, ...]]:
    """For each copy of the whole context that holds the directory: where in the context the Cargo.toml can be."""
    directory, exact = manifest
    for root in roots:
        inner = below(directory, root)
        if inner is None:
            continue
        chain = [inner or "."]
        while not exact and chain[-1] != ".":
            chain.append(chain[-1].rpartition("/")[0] or ".")
        yield tuple(chain)


def has_all(context: DirContext, sources: Sources) -> bool:
    """Whether a directory has what is copied, and a Cargo.toml for each cargo call."""
    return all(context.inside(path) is not None for path in sources.paths) and all(
        any(context.inside(f"{place}/Cargo.toml") is not None for place in places) for places in sources.manifests
    )

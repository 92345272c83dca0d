"""COPY and ADD, as a stage takes them in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockerslim_lint.catalog import commands as known_commands
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.cargo import NO_PROFILES, TARGET_DIRECTORY
from dockerslim_lint.facts.filesystem import OPEN
from dockerslim_lint.facts.model import UNKNOWN, Artifact, ContextTree, OpaqueFile, Target, Transfer
from dockerslim_lint.facts.outputs import word_use
from dockerslim_lint.facts.toolchain import link_of
from dockerslim_lint.facts.transfers import place, with_parents
from dockerslim_lint.syntax.shell import heredoc_text
from dockerslim_lint.syntax.tree import Expansion, Instruction, Word

if TYPE_CHECKING:
    from dockerslim_lint.facts.shared import Shared
    from dockerslim_lint.facts.walk import StageState


def copy(state: StageState, shared: Shared, index: int, instruction: Instruction) -> None:
    """Take in one COPY or ADD."""
    if len(instruction.words) < 2 and not instruction.heredocs:
        return
    markers = {heredoc.marker for heredoc in instruction.heredocs}
    words = [word for word in instruction.words[:-1] if word.span not in markers]
    target_word = instruction.words[-1] if instruction.words else None
    target = state.environment.pattern(target_word)[0] if target_word else "/"
    destination = patterns.join(state.workdir, target)
    slash = target.endswith("/") or patterns.basename(target) == "." or len(words) + len(instruction.heredocs) > 1
    own = state.table.is_directory(destination)
    by_base = not slash and destination in state.table.base_directories
    flag = instruction.flag("from")
    origin_name = state.environment.pattern(flag.value)[0] if flag and flag.value else ""
    origin = shared.names.find(origin_name)
    owning = instruction.flag("chown")
    owner = state.environment.pattern(owning.value)[0] if owning and owning.value else ""
    for heredoc in instruction.heredocs:
        text = heredoc_text(heredoc, shared.source)
        path = f"{destination.rstrip('/')}/{heredoc.name}" if slash or own else destination
        state.heredocs[path] = None if heredoc.expand and b"$" in text else text.decode("utf-8", "replace")
    sources = tuple(_source(state, word) for word in words)
    if origin is not None:
        # the root is where a relative source is seen from (Dockerfile reference, "COPY --from")
        sources = tuple(one if one.startswith(("/", "*")) else patterns.join("/", one) for one in sources)
    for path in (destination, *sources) if origin_name or instruction.keyword == "ADD" else ():
        state.rustup.place(path)
    foreign = origin_name if origin is None else ""
    if instruction.keeps_parents:
        for word, source in zip(words, sources, strict=True):
            _with_parents(state, shared, index, origin, foreign, word, source, destination, owner)
        return
    number = state.stage.number
    shared.transfers.append(
        Transfer(index, number, origin, foreign, sources, destination, target_word, slash or own, by_base)
    )
    for word, source in zip(words, sources, strict=True):
        if origin is not None:
            _from_stage(state, shared, index, shared.states[origin], word, source, destination, slash or own)
        elif not origin_name:
            _from_context(state, shared, index, source, destination, slash or own, owner)
        else:
            path = f"{destination}/{patterns.basename(source)}" if slash or own else destination
            state.table.put(path, OpaqueFile(f"comes from the image {origin_name}"))
        if origin is not None or origin_name:
            state.placeholders.brought(destination)


def _with_parents(
    state: StageState,
    shared: Shared,
    index: int,
    origin: int | None,
    image: str,
    word: Word,
    source: str,
    destination: str,
    owner: str,
) -> None:
    """One source of a ``COPY --parents``, as a COPY of its own to where it lands."""
    left_out, kept = with_parents(source)
    path, target = patterns.join(left_out, kept), patterns.join(destination, kept)
    local = origin is None and not image
    named = (path.lstrip("/") or ".") if local else path
    shared.transfers.append(Transfer(index, state.stage.number, origin, image, (named,), target, None, False, False))
    if not local:
        state.placeholders.brought(target)
    if "**" in path.split("/") and not local:
        return  # what fits it, only the build knows
    if origin is not None:
        several = not OPEN.isdisjoint(patterns.basename(kept))
        into = patterns.parent(target) if several else target
        _from_stage(state, shared, index, shared.states[origin], word, path, into, several)
    elif image:
        state.table.put(target, OpaqueFile(f"comes from the image {image}"))
    elif OPEN.isdisjoint(path):
        _from_context(state, shared, index, named, target, False, owner)
    else:
        depth = len([part for part in left_out.split("/") if part])
        for found in shared.crates.fitting(named) or () if "**" not in left_out else ():
            below = "/".join(found.split("/")[depth:])
            _from_context(state, shared, index, found, patterns.join(destination, below), False, owner)


def _source(state: StageState, word: Word) -> str:
    """What a COPY names. An argument without a value in the place of a file's name is written for somebody who gives one."""
    text = state.environment.pattern(word)[0]
    last = word.pieces[-1] if word.pieces else None
    awaited = isinstance(last, Expansion) and not last.operator and last.name in state.environment.awaited
    return f"{text}*" if awaited and text.endswith("/") else text


def _from_context(
    state: StageState, shared: Shared, index: int, source: str, destination: str, directory: bool, owner: str
) -> None:
    source = patterns.normalise(source.lstrip("/")) if source.strip("/") else "."
    is_tree = source == "." or ("*" not in source and shared.crates.is_directory(source))
    path = f"{destination.rstrip('/')}/{patterns.basename(source)}" if directory and not is_tree else destination
    state.table.put(path, ContextTree(source, index))
    plain = "*" not in source and "://" not in source
    state.placeholders.copied(index, path, source if plain else None, owner)


def _from_stage(
    state: StageState,
    shared: Shared,
    index: int,
    origin: StageState,
    word: Word,
    source: str,
    destination: str,
    directory: bool,
) -> None:
    path = patterns.join("/", source)
    state.use(word_use(word, path, "copy", origin.stage.number, index, origin.table, shared.calls))
    if place(origin.table, state.table, path, destination, directory, True, contents=True):
        return
    if origin.use_lost(path, word.span):
        return
    program = left_at(path, origin)
    if program is not None:
        state.table.put(f"{destination.rstrip('/')}/{program.name}" if directory else destination, program)


def left_at(path: str, origin: StageState) -> Artifact | None:
    """The program that an opaque command may have left at a path like cargo's; None where the path is not like that."""
    name = patterns.basename(path)
    if not origin.maker or "." in name or not isinstance(origin.table.find(path), ContextTree | None):
        return None  # with a dot: a man page, a library
    link = _link_by_path(path, origin)
    return Artifact(None, name, link, UNKNOWN, origin.maker) if link is not None else None


def _link_by_path(path: str, origin: StageState) -> str | None:
    parts = path.split("/")
    host = link_of(
        Target("", "host", None), origin.rustup.seen_by_default(origin.stage, origin.environment.variables), ""
    )
    home = origin.environment.variables.get("CARGO_HOME")
    installed = patterns.parent(path) == f"{home.text}/bin" if home is not None else parts[-3:-1] == [".cargo", "bin"]
    if origin.builder is not None and installed:
        # `make install`; what rustup and other tools put there is no program of the project
        return None if known_commands.title(parts[-1]) else host
    if TARGET_DIRECTORY not in parts[:-1]:
        return None
    middle = parts[parts.index(TARGET_DIRECTORY) + 1 : -1]
    if not middle or middle[0] in NO_PROFILES:
        return None
    if len(middle) == 1:
        return host
    if len(middle) == 2:
        return link_of(Target(middle[0], "flag", None), origin.stage, "")
    return None

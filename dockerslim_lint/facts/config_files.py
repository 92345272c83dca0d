"""cargo's configuration: where a call finds it, what a step writes, what one file includes. Loaded where there may be any."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dockerslim_lint.catalog import commands as known_commands
from dockerslim_lint.catalog import programs
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.calls import cargo_home
from dockerslim_lint.facts.cargo import SOURCES_ONLY, cargo_arguments
from dockerslim_lint.facts.crate.config import CONFIG_FILES, ConfigFiles
from dockerslim_lint.facts.crate.manifest import parsed
from dockerslim_lint.facts.crate.reader import NO_CONFIG
from dockerslim_lint.facts.model import Command, OpaqueFile
from dockerslim_lint.facts.shared import CONFIG_DIRECTORY, Shared
from dockerslim_lint.facts.stages import chain_of
from dockerslim_lint.facts.walk import StageState
from dockerslim_lint.source import encode

OPEN = ConfigFiles(open=True)
"""There is a file, and nobody knows what it says."""

INCLUDES_SINCE = (1, 94)
"""Since then ``include`` counts without an option of nightly's (cargo's changelog)."""

MAX_DEPTH = 4
"""of files that include files"""


def config_files(
    state: StageState, shared: Shared, command: Command, directory: str | None, toolchain: str
) -> ConfigFiles:
    """The files of cargo's configuration that a call reads: from a directory of the stage upwards, and in cargo's home."""
    home = cargo_home(command, state.stage)
    touching = _touching(state, shared, command, home) if shared.speaks_of_config else []
    if not shared.crates.known and not touching and not state.heredocs:
        return NO_CONFIG
    found = NO_CONFIG
    at = home if directory is None else directory
    folders = [f"{at.rstrip('/')}/.cargo"]
    while at not in ("/", ""):
        at = patterns.parent(at)
        folders.append(f"{at.rstrip('/')}/.cargo")
    for folder in (*folders, home):
        for name in CONFIG_FILES:
            path = f"{folder}/{name}"
            place_ = state.brought.place(path)
            includes = place_ is not None and b"include" in (shared.context.read(place_) or b"")
            if touching or state.heredocs or includes:
                version = state.rustup.version(
                    toolchain, command, state.stage, state.brought.toolchain_file(command.directory)
                )
                own = ConfigLookup(state, shared, command, touching, version).file(path, place_)
                if own is None:
                    continue
                found = joined(found, own)
            elif place_ is None:
                continue
            else:
                found = found._replace(paths=tuple(dict.fromkeys((*found.paths, place_))))
            if place_ is not None and ("*" in path or _may_change(state, shared, path)):
                found = found._replace(certain=False)
            break
    return found


def _touching(state: StageState, shared: Shared, command: Command, home: str) -> list[Command]:
    """The commands before another one that may name a place of cargo's configuration."""
    names = {*CONFIG_FILES, CONFIG_DIRECTORY, patterns.basename(home)}
    chain = chain_of(state.stage, shared.stages)
    return [
        one
        for one in shared.commands
        if one.stage in chain
        and one.span < command.span
        and any(
            patterns.basename(word.rstrip("/")) in names or word.endswith(".toml")
            for word in (*(word.pattern for word in one.words[1:]), *one.writes)
        )
    ]


def _may_change(state: StageState, shared: Shared, path: str) -> bool:
    """Whether a command names a file of the configuration, or the directory that is there for it alone."""
    names, chain = (path, patterns.parent(path)), chain_of(state.stage, shared.stages)
    return any(
        patterns.basename(word) in (*CONFIG_FILES, patterns.basename(names[1]))
        and any(patterns.same(patterns.join(command.directory or "/*", word), name) for name in names)
        for command in shared.commands
        if command.stage in chain
        for word in (*(one.pattern for one in command.words[1:]), *command.writes)
    )


class ConfigLookup:
    """What is at the places of the configuration when a command of a stage runs.

    `touching` are the earlier commands that may name one of them, `version` is the toolchain's (see `Toolchain.version`).
    """

    def __init__(
        self,
        state: StageState,
        shared: Shared,
        command: Command,
        touching: Sequence[Command],
        version: tuple[int, int] | None,
    ) -> None:
        self._state = state
        self._shared = shared
        self._command = command
        self._touching = touching
        self._version = version

    def file(self, path: str, place: str | None, depth: int = 0) -> ConfigFiles | None:
        """The file at a path, with what it includes; None where there is none. `place` is where the context has it."""
        writers = [one for one in self._touching if path in one.writes]
        if place is not None:
            data = self._shared.context.read(place) or b""
            return OPEN if writers else self._with_included(path, ConfigFiles((place,)), data, depth)
        text = self._written(path, writers)
        if text == "":
            return None
        if text is None:
            return OPEN
        return self._with_included(path, ConfigFiles((path,), written=((path, text),)), encode(text), depth)

    def _written(self, path: str, writers: Sequence[Command]) -> str | None:
        """The text that steps give a file; "" for none, or where it only says where crates come from, None where it is not known."""
        value, heredoc = self._state.files.get(path), self._state.heredocs.get(path, "")
        there = value is not None or bool(writers) or heredoc != ""
        named = any(_names(one, path, there) for one in self._touching if one not in writers)
        if named or isinstance(self._state.table.find(path), OpaqueFile):
            return None
        if value is None and not writers:
            return heredoc
        if writers and all(map(_only_sources, writers)):
            return heredoc
        surely = writers and all(one.certain for one in writers)
        if value is None or value.text is None or heredoc != "" or not surely or value.origin > self._command.span:
            return None
        # `*` stands for what is not known, and shells do not agree on what echo makes of a backslash
        return None if "*" in value.text or "\\" in value.text else value.text

    def _with_included(self, path: str, files: ConfigFiles, data: bytes, depth: int) -> ConfigFiles:
        """Source: cargo book, "Configuration", "Including extra configuration files"."""
        if b"include" not in data:
            return files
        try:
            named = parsed(data.decode("utf-8-sig")).get("include", [])
        except (ValueError, RecursionError):
            return files  # whoever reads it says so
        if not named:
            return files
        if not isinstance(named, list) or depth >= MAX_DEPTH:
            return OPEN
        for one in reversed(named):
            found = self._included(patterns.parent(path), one, depth)
            if found is None or found.open:
                return OPEN
            files = joined(files, found)
        known = self._version is None or self._version >= INCLUDES_SINCE
        return files._replace(certain=files.certain and known)

    def _included(self, folder: str, entry: Any, depth: int) -> ConfigFiles | None:
        path = entry.get("path") if isinstance(entry, dict) else entry
        if not isinstance(path, str) or "*" in folder:
            return None
        full = patterns.join(folder, path)
        found = self.file(full, self._state.brought.place(full), depth + 1)
        optional = isinstance(entry, dict) and entry.get("optional") is True
        return ConfigFiles() if found is None and optional else found


def joined(nearer: ConfigFiles, farther: ConfigFiles) -> ConfigFiles:
    """Both, the nearer ones first."""
    return ConfigFiles(
        tuple(dict.fromkeys((*nearer.paths, *farther.paths))),
        nearer.certain and farther.certain,
        (*nearer.written, *farther.written),
        nearer.open or farther.open,
    )


def _names(command: Command, path: str, there: bool) -> bool:
    """Whether a command that may make files, or take away one that is `there`, names it or the directory that is there for it."""
    if known_commands.makes_nothing(command.name) or (not there and programs.step_kind(command.name) == "removes"):
        return False
    words = (patterns.join(command.directory or "/*", word.pattern) for word in command.words[1:] if word.pattern)
    return any(patterns.same(word, one) for word in words for one in (path, patterns.parent(path)))


def _only_sources(command: Command) -> bool:
    arguments = cargo_arguments(command)
    return arguments is not None and arguments.subcommand in SOURCES_ONLY

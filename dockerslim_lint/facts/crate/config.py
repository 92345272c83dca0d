""".cargo/config.toml and the toolchain file: what they say about targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dockerslim_lint.context import BuildContext
from dockerslim_lint.facts.crate.manifest import BrokenFileError, parsed, read_toml, table
from dockerslim_lint.record import Record

TOOLCHAIN_FILES = ("rust-toolchain", "rust-toolchain.toml")

CONFIG_FILES = ("config", "config.toml")
"""In a ``.cargo`` or cargo's home; with both there the first counts (cargo book, "Configuration")."""


class CargoConfig(Record):
    """`target_tables` are the ``[target.X]`` tables that hold flags, a linker or a runner; `rustflags` ``build.rustflags``.

    `target_flags` and `linkers` are pairs of a table's X (a triple or ``cfg(…)``) and what it sets. `build_std`: the
    standard library is built, not installed. `aliases` are the words of each ``[alias]``. `certain` is False where what is said may not be in force.
    `profiles` are the ``[profile]`` tables, which stand over the manifest's. `open`: there is a file of which nobody knows what it
    says, so that anything may be set.
    """

    target: str
    target_directory: str
    target_tables: tuple[str, ...]
    rustflags: str
    target_flags: tuple[tuple[str, str], ...] = ()
    linkers: tuple[tuple[str, str], ...] = ()
    build_std: bool = False
    aliases: Mapping[str, tuple[str, ...]] = {}
    certain: bool = True
    profiles: Mapping[str, Any] = {}
    open: bool = False


class ConfigFiles(Record):
    """The files that a cargo call reads, as paths of the context, the nearest first; not `certain`: it may read them.

    `written` are the texts of those that a step writes, by their path in the stage. `open` as in `CargoConfig`.
    """

    paths: tuple[str, ...] = ()
    certain: bool = True
    written: tuple[tuple[str, str], ...] = ()
    open: bool = False


class ToolchainFile(Record):
    """rust-toolchain(.toml): `path` "" where there is none."""

    path: str
    channel: str
    targets: tuple[str, ...]


def read_config(context: BuildContext, files: ConfigFiles) -> CargoConfig:
    """What the files say together. Raises BrokenFileError.

    Source: cargo book, "Configuration" (hierarchical; the nearer file wins).
    """
    target = target_directory = ""
    rustflags: Any = None
    tables: list[str] = []
    flags: list[tuple[str, str]] = []
    linkers: dict[str, str] = {}
    build_std = False
    aliases: dict[str, tuple[str, ...]] = {}
    profiles: dict[str, Any] = {}
    open_, written = files.open, dict(files.written)
    for path in files.paths:
        try:
            data = parsed(written[path]) if path in written else read_toml(context, path) or {}
        except (ValueError, RecursionError):
            data, open_ = {}, True
        build = table(data, "build")
        target = target or _text(build.get("target"))
        target_directory = target_directory or _text(build.get("target-dir"))
        rustflags = _joined(build.get("rustflags"), rustflags)
        aliases = {**_aliases(table(data, "alias")), **aliases}
        profiles = laid_over(table(data, "profile"), profiles)
        build_std = build_std or "build-std" in table(data, "unstable")
        for name, entry in table(data, "target").items():
            if not isinstance(entry, Mapping) or not entry:
                continue
            tables.append(name)
            if "rustflags" in entry:
                flags.append((name, _flags(entry["rustflags"])))
            if "linker" in entry:
                linkers.setdefault(name, _text(entry["linker"]))
    return CargoConfig(
        target,
        target_directory,
        tuple(dict.fromkeys(tables)),
        _flags(rustflags),
        tuple(flags),
        tuple(linkers.items()),
        build_std,
        aliases,
        files.certain,
        profiles,
        open_,
    )


def with_options(config: CargoConfig | None, options: Sequence[Mapping[str, Any]]) -> CargoConfig | None:
    """The same with the rustc flags that each ``--config`` adds: lists are joined (cargo book, "Configuration", hierarchical
    structure, command-line overrides)."""
    for option in options:
        build, targets = _flags(table(option, "build").get("rustflags")), table(option, "target")
        own = [(name, _flags(table(targets, name).get("rustflags"))) for name in targets]
        found = config or CargoConfig("", "", (), "")
        config = found._replace(
            rustflags=f"{found.rustflags} {build}".strip(),
            target_flags=(*found.target_flags, *((name, flags) for name, flags in own if flags)),
        )
    return config


def laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Tables within tables; what stands in `above` counts first."""
    found = {**below, **above}
    for name in below.keys() & above.keys():
        if isinstance(below[name], Mapping) and isinstance(above[name], Mapping):
            found[name] = laid_over(below[name], above[name])
    return found


def read_toolchain_file(context: BuildContext, directory: str) -> ToolchainFile:
    """The toolchain file that rustup finds from `directory` upwards. Raises BrokenFileError.

    Source: rustup book, "Overrides": a file without ``.toml`` may hold just the channel's name.
    """
    for place in _upwards(directory):
        for name in TOOLCHAIN_FILES:
            path = f"{place}{name}"
            data = context.read(path)
            if data is None:
                continue
            if name == "rust-toolchain" and b"[" not in data:
                return ToolchainFile(path, data.decode("utf-8", "replace").strip(), ())
            toolchain = table(read_toml(context, path) or {}, "toolchain")
            targets = toolchain.get("targets")
            return ToolchainFile(
                path,
                _text(toolchain.get("channel")),
                tuple(item for item in targets if isinstance(item, str)) if isinstance(targets, list) else (),
            )
    return ToolchainFile("", "", ())


def _upwards(directory: str) -> list[str]:
    parts = [part for part in directory.split("/") if part]
    return ["".join(f"{part}/" for part in parts[:count]) for count in range(len(parts), -1, -1)]


def _aliases(entries: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Cargo book, "Configuration", [alias]: a text with spaces between the words, or a list of them."""
    found = {}
    for name, value in entries.items():
        words = value.split() if isinstance(value, str) else value
        if isinstance(words, list) and all(isinstance(word, str) for word in words):
            found[name] = tuple(words)
    return found


def _text(value: Any) -> str:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, str) else ""


def _joined(farther: Any, nearer: Any) -> Any:
    """Of two files: lists are joined, what is nearer stands last; else the nearer counts (cargo book, "Configuration")."""
    if isinstance(farther, list) and isinstance(nearer, list):
        return [*farther, *nearer]
    return farther if nearer is None else nearer


def _flags(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(item for item in value if isinstance(item, str))
    return value if isinstance(value, str) else ""


__all__ = ["BrokenFileError", "CargoConfig", "ToolchainFile", "read_config", "read_toolchain_file"]

"""What a COPY of the whole context brings, asked only when a plan needs it."""

from __future__ import annotations

from functools import cached_property

from dockerslim_lint.context import BuildContext, path_matches
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.crate.dockerignore import IgnoreFile, read_ignore_file

SOURCES = frozenset({"src", "crates"})
"""Directories in which cargo's sources lie by convention."""


class Contents:
    """The build context seen through its .dockerignore; read-only, read when first asked."""

    def __init__(self, context: BuildContext, dockerfile: str) -> None:
        self._context = context
        self._dockerfile = dockerfile

    @property
    def known(self) -> bool:
        """Whether anything is known at all."""
        return self._context.known

    @cached_property
    def _ignored(self) -> IgnoreFile:
        return read_ignore_file(self._context, self._dockerfile)

    @property
    def has_manifest(self) -> bool:
        """Whether a Cargo.toml stands at the root."""
        return self._context.read("Cargo.toml") is not None

    def manifest_below(self, directory: str) -> bool:
        """Whether a Cargo.toml is somewhere in a directory."""
        place = patterns.normalise(directory.strip("/"))
        prefix = f"{place}/" if place not in ("", ".") else ""
        return bool(self._context.names(f"{prefix}Cargo.toml") or self._context.names(f"{prefix}**/Cargo.toml"))

    def ignores(self, path: str) -> bool:
        """Whether the .dockerignore keeps a file or directory from the builder."""
        return self._ignored.ignores(path)

    def text(self, path: str) -> bytes:
        """What a file of the context holds; nothing where there is none."""
        return self._context.read(path) or b""

    def is_data(self, path: str) -> bool:
        """Whether a file of the context is known and is no program: neither ELF nor a script that names its interpreter."""
        content = self.text(path)
        return bool(content) and not content.startswith((b"\x7fELF", b"#!"))

    @cached_property
    def top_level(self) -> tuple[str, ...]:
        """Names of the files and directories at the root that reach the builder, sorted."""
        paths = (*self._context.names("*"), *self._context.names("*/**"))
        names = {path.split("/", 1)[0] for path in paths}
        kept = {name for name in names if not self._ignored.ignores(name)}
        if self._ignored.has_exceptions and kept != names:
            kept |= {name for path in paths if (name := path.split("/", 1)[0]) not in kept and not self.ignores(path)}
        return tuple(sorted(kept))

    def inside(self, path: str) -> tuple[str, ...] | None:
        """The names in a directory of the context that reach the builder, sorted; () for a file, None where there is neither."""
        if self._context.read(path) is not None:
            return ()
        found = (*self._context.names(f"{path}/*"), *self._context.names(f"{path}/**"))
        names = {one[len(path) + 1 :].split("/", 1)[0] for one in found if not self._ignored.ignores(one)}
        return tuple(sorted(names)) or None

    def named_by(self, pattern: str) -> tuple[str, ...]:
        """Those of `top_level` that a pattern of one segment names, as COPY takes it."""
        return tuple(name for name in self.top_level if path_matches(name, pattern))

    def only_builds(self, name: str) -> bool:
        """Whether a top-level name is for building alone: by itself, or a directory of packages in which there is nothing else."""
        from dockerslim_lint.catalog.buildfiles import is_build_input

        if is_build_input(name):
            return True
        paths = [path for path in self._context.names(f"{name}/**") if not self._ignored.ignores(path)]
        packages = {path.rpartition("/")[0] for path in paths if path.endswith("/Cargo.toml")}
        above = {package[:at] for package in packages for at, char in enumerate(package) if char == "/"}
        return bool(packages) and all(
            any(
                "/".join(parts[:at]) in packages | above
                and (is_build_input(parts[at]) or (path.endswith(".rs") and at == len(parts) - 1))
                for at in range(1, len(parts))
            )
            for path in paths
            for parts in [path.split("/")]
        )

    def data_among_sources(self, name: str) -> tuple[str, ...]:
        """What stands below a top-level directory of sources and is none, sorted: the directories without any, and files beside a Cargo.toml.

        Templates, migrations and assets of a package lie there; whether the program reads them when it runs, or the compiler did,
        nobody can tell.
        """
        from dockerslim_lint.catalog.buildfiles import is_build_input

        files = [path for path in self._context.names(f"{name}/**") if not self._ignored.ignores(path)]
        packages = {path.rpartition("/")[0] for path in files if path.endswith("/Cargo.toml")}
        if name not in SOURCES and not packages:
            return ()
        sources = {path for path in files if path.endswith((".rs", "/Cargo.toml"))}
        above = {path[:at] for path in sources for at, char in enumerate(path) if char == "/"}
        found = set()
        for path in files:
            parts = path.split("/")
            if any(is_build_input(part) and part not in SOURCES for part in parts[1:]):
                continue
            directories = ("/".join(parts[:at]) for at in range(1, len(parts)))
            place = next((directory for directory in directories if directory not in above), "")
            if place or path.rpartition("/")[0] in packages:
                found.add(place or path)
        return tuple(sorted(found))

    def shared_library(self, path: str) -> str:
        """A shared library at or below a path of the context that reaches the builder; "" for none. `path` "." is all of it."""
        names = ("*", "*/**") if path == "." else (f"{path}/**",)
        for found in (found for name in names for found in self._context.names(name)):
            library = found.endswith(".so") or ".so." in found.rpartition("/")[2]
            if library and not self._ignored.ignores(found):
                return found
        return ""

    @cached_property
    def brings_musl_outputs(self) -> bool:
        """Whether files of a ``target/*-linux-musl/`` on the user's machine reach the builder."""
        return any(not self._ignored.ignores(path) for path in self._context.names("target/*-linux-musl*/**"))

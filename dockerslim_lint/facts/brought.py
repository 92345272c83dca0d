"""The build context as a stage sees it: by way of the COPY that brought a file, and perhaps under another name."""

from __future__ import annotations

from functools import partial

from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.crate.config import CONFIG_FILES, TOOLCHAIN_FILES, ConfigFiles, ToolchainFile
from dockerslim_lint.facts.crate.model import Asked, Crate
from dockerslim_lint.facts.crate.reader import ALL, NO_CONFIG
from dockerslim_lint.facts.filesystem import PathTable
from dockerslim_lint.facts.model import ContextTree, Stage
from dockerslim_lint.facts.shared import Shared
from dockerslim_lint.facts.stages import chain_of


class Brought:
    """What the context gave to a stage, whose paths are in `table`."""

    def __init__(self, stage: Stage, table: PathTable, shared: Shared) -> None:
        self._stage = stage
        self._table = table
        self._shared = shared

    def place(self, path: str) -> str | None:
        """Where in the context a file of the stage came from, None if it did not or is not there."""
        if not isinstance(self._table.find(path), ContextTree):
            return None
        for known, entry in self._table.around(path):
            place = self._brought_by(entry, known, path) if isinstance(entry, ContextTree) else None
            if place is not None and self._reaches(place):
                return place
        return None

    def place_by(self, path: str, entry: object) -> str | None:
        """Where in the context the file came from; a glob (``COPY Cargo.* ./``) keeps the file's own name."""
        if not isinstance(entry, ContextTree):
            return None
        for known, candidate in self._table.around(path):
            place = self._brought_by(entry, known, path) if candidate is entry else None
            if place is not None:
                return place
        return None

    def text(self, path: str) -> bytes:
        """What the context's file has that is at a path of the stage; nothing where there is none."""
        place = self.place(path)
        return self._shared.contents.text(place) if place is not None else b""

    def toolchain_file(self, directory: str | None) -> ToolchainFile | None:
        """The toolchain file that rustup finds from a directory of the stage upwards (rustup book, "Overrides")."""
        if not self._shared.crates.known:
            return None
        while directory is not None and "*" not in directory:
            for name in TOOLCHAIN_FILES:
                place = self.place(f"{directory.rstrip('/')}/{name}")
                if place is not None and patterns.basename(place) == name:
                    return self._shared.crates.toolchain_in(patterns.parent(f"/{place}").strip("/"))
            directory = patterns.parent(directory) if directory != "/" else None
        return None

    def crate(
        self,
        directory: str | None,
        packages: tuple[str, ...],
        everything: bool = False,
        asked: Asked = ALL,
        bins: tuple[str, ...] = (),
        config: ConfigFiles = NO_CONFIG,
        excluded: tuple[str, ...] = (),
        alone: bool = False,
        sure: bool = False,
    ) -> tuple[Crate | None, str | None]:
        """The crate of a directory in the stage, by way of the COPY that brought its manifest.

        `alone`: of a workspace the package of the directory is meant, not the default members. `sure`: whatever put files into the
        stage is known, so that a workspace whose manifest no COPY brought is not there.
        """
        if directory is None:
            return None, None
        manifest = f"{directory.rstrip('/')}/Cargo.toml"
        place = self.place_by(manifest, self._table.find(manifest))
        if place is None:
            return None, None
        inside = patterns.parent(f"/{place}").strip("/")
        below, one_of = inside, "*" in inside
        if one_of:
            some = self._shared.crates.some_of_a_workspace(inside)
            if some is None:
                return None, None
            inside, packages, bins = some[0], packages or some[1], bins or ("*",)
        elif alone and not packages:
            own = self._shared.crates.package_of(f"{inside}/Cargo.toml")
            packages = (own,) if own else ()
        files = config if config != NO_CONFIG else self._cooked(inside)
        read = partial(
            self._shared.crates.read, inside, packages, everything, asked, bins, files, excluded, one_of=one_of
        )
        crate = read()
        if crate is None:
            return None, None
        ours, theirs = ([part for part in path.split("/") if part] for path in (below, crate.root))
        above = ours[: len(theirs)] == theirs
        workspace = directory
        for _ in range(len(ours) - (len(theirs) if above else 0)):
            workspace = patterns.parent(workspace)
        inner = above and len(theirs) < len(ours) and not one_of
        absent = inner and sure and self._lacks(f"{workspace.rstrip('/')}/Cargo.toml")
        if absent and not self._shared.crates.needs_workspace(inside):
            return read(own_root=True), directory
        if not above:  # `[package] workspace = "../ws"`
            workspace = patterns.join(workspace, crate.root)
        return crate, workspace

    def _lacks(self, path: str) -> bool:
        """Whether no COPY brought the file, nor has a command written it."""
        chain = chain_of(self._stage, self._shared.stages)
        written = (one for one in self._shared.commands if one.stage in chain and path in one.writes)
        return self._table.find(path) is None and not any(written)

    def _reaches(self, path: str) -> bool:
        """Whether the context has a file, and the builder gets it."""
        return self._shared.crates.has(path) and not self._shared.contents.ignores(path)

    def _cooked(self, directory: str) -> ConfigFiles:
        """What `cargo chef cook` may have written from its recipe: the configuration beside a crate of the context."""
        chain = chain_of(self._stage, self._shared.stages)
        if not any(one.kind == "cook" and one.command.stage in chain for one in self._shared.warmups):
            return NO_CONFIG
        prefix = f"{directory}/" if directory else ""
        paths = (f"{prefix}.cargo/{name}" for name in CONFIG_FILES)
        return ConfigFiles(tuple(path for path in paths if self._reaches(path)), False)

    def _brought_by(self, entry: ContextTree, known: str, path: str) -> str | None:
        """Where in the context a file comes from if a COPY to `known` brought it; None if it did not."""
        if patterns.same(known, path):
            name = patterns.basename(path)
            if name != patterns.basename(entry.source) and self._shared.crates.holds(entry.source):
                return entry.source  # under another name
            return patterns.normalise(f"{patterns.parent(f'/{entry.source}')}/{name}").strip("/")
        rest = patterns.below(path, known)
        return patterns.normalise(f"{entry.source}/{rest}") if rest else None

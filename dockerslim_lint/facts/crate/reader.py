"""From the files of a context to a `Crate`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from dockerslim_lint.context import BuildContext
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.crate import lock, manifest
from dockerslim_lint.facts.crate.config import (
    CargoConfig,
    ConfigFiles,
    ToolchainFile,
    laid_over,
    read_config,
    read_toolchain_file,
)
from dockerslim_lint.facts.crate.manifest import BrokenFileError
from dockerslim_lint.facts.crate.model import Asked, Crate

if TYPE_CHECKING:
    from dockerslim_lint.facts.crate.linked import Linkage
    from dockerslim_lint.facts.crate.sources import Sources

ALL = Asked()
"""A call that says nothing of features: the default ones."""

NO_CONFIG = ConfigFiles()


MAX_FITTING = 500
"""So many files of a pattern are told apart."""

COPIES = (b"copy", b"rename", b"link(", b"Command")
"""In a build script: it may put a file where cargo puts none."""


@lru_cache(maxsize=16)
def _graph_of(data: bytes) -> Mapping[str, lock.Node]:
    return lock.lock_graph(manifest.parsed_once(data))


def _lock_of(root: str) -> str:
    return f"{root}/{lock.LOCK}" if root else lock.LOCK


class CrateReader:
    """Reads each crate of one context once. What cannot be read becomes one line in `notes`."""

    def __init__(self, context: BuildContext) -> None:
        self._context = context
        self._crates: dict[tuple[object, ...], Crate | None] = {}
        self._locks: dict[str, dict[str, Any] | None] = {}
        self.notes: list[str] = []

    def read(
        self,
        directory: str,
        packages: tuple[str, ...] = (),
        everything: bool = False,
        asked: Asked = ALL,
        bins: tuple[str, ...] = (),
        config: ConfigFiles = NO_CONFIG,
        excluded: tuple[str, ...] = (),
        one_of: bool = False,
        own_root: bool = False,
    ) -> Crate | None:
        """The crate whose Cargo.toml is in `directory` (relative, "" is the root); None where there is none.

        `packages` are those asked for with ``-p``; with none, and not `everything` (``--workspace``), a workspace's default
        members, its root package or all its members count (cargo book, "Workspaces"). `asked` are the features and `bins` the
        programs (none: all) of the call; they decide what is linked. `config` are the files of cargo's configuration in force,
        `excluded` the packages of ``--exclude``. `one_of`: only one of the `packages` is built, and nobody knows which; a pattern
        among them says so too. `own_root`: no workspace above it is there, whatever the context has.
        """
        one_of = one_of or any("*" in name for name in packages)
        key = (directory, packages, everything, asked, bins, config, excluded, one_of, own_root)
        if key not in self._crates:
            try:
                self._crates[key] = self._read(
                    directory, packages, everything, asked, bins, config, excluded, one_of, own_root
                )
            except BrokenFileError as error:
                self._note(str(error))
                self._crates[key] = None
        return self._crates[key]

    def some_of_a_workspace(self, pattern: str) -> tuple[str, tuple[str, ...]] | None:
        """The workspace to which the packages in all directories that fit a pattern belong, and their names; None where they do not."""
        found: dict[str, str] = {}
        roots: set[str] = set()
        try:
            for path in self._context.names(f"{pattern}/Cargo.toml"):
                place = path.rpartition("/")[0]
                data = manifest.read_toml(self._context, path) or {}
                root, root_data = self._workspace_root(place, data)
                if place not in manifest.members(self._context, root, root_data, "members"):
                    return None
                roots.add(root)
                found[place] = self._package_name(data)
        except BrokenFileError:
            return None
        return (roots.pop(), tuple(found.values())) if len(roots) == 1 and all(found.values()) else None

    def has(self, path: str) -> bool:
        """Whether the context is known to have a file."""
        return bool(self._context.names(path))

    def brings(self, path: str) -> bool:
        """Whether the context is known to have a file or a directory."""
        return self.known and (self.has(path) or self.is_directory(path))

    def fitting(self, pattern: str) -> list[str] | None:
        """The files and directories of the context that a pattern with ``*`` fits; None where they are not known, or too many."""
        if not self.known:
            return None
        depth = pattern.count("/") + 1
        found = dict.fromkeys(self._context.names(pattern))
        if "**" not in pattern.split("/"):
            found |= dict.fromkeys("/".join(path.split("/")[:depth]) for path in self._context.names(f"{pattern}/**"))
        return list(found) if len(found) <= MAX_FITTING else None

    @property
    def known(self) -> bool:
        """Whether anything is known of the context."""
        return self._context.known

    def toolchain_in(self, directory: str) -> ToolchainFile:
        """The toolchain file of a directory; without a channel if it cannot be read."""
        return self._toolchain(directory)

    def is_directory(self, path: str) -> bool:
        """Whether `path` is a directory of the context, as far as that is known: a name without a dot counts as one."""
        if not self._context.known:
            return "." not in path.rsplit("/", 1)[-1] and not path.rsplit("/", 1)[-1].startswith("Cargo")
        return self._context.read(path) is None and bool(
            self._context.names(f"{path}/*") or self._context.names(f"{path}/**")
        )

    def holds(self, path: str) -> bool:
        """Whether the context is known to have a file."""
        return self._context.read(path) is not None

    def package_of(self, path: str) -> str:
        """The package whose manifest is the nearest above a file of the context; "" where that is not known."""
        place = path
        while place:
            place = place.rpartition("/")[0]
            try:
                data = manifest.read_toml(self._context, f"{place}/Cargo.toml" if place else "Cargo.toml")
            except BrokenFileError:
                return ""
            if data is not None:
                return self._package_name(data)
        return ""

    def lacks(self, name: str) -> bool:
        """Whether surely no package of the context, wherever it is, makes a program of this name."""
        context = self._context
        if not self.known:
            return False
        sources = [*context.names(f"**/bin/{name}.rs"), *context.names(f"**/bin/{name}/main.rs")]
        try:
            for path in context.names("**/Cargo.toml"):
                data = manifest.read_toml(context, path) or {}
                place = path.rpartition("/")[0]
                if name in manifest.binaries(context, place, data):
                    return False
                if self._package_name(data) == name and not manifest.is_settled(data):
                    return False  # a step may write its src/main.rs
                own = f"{place}/src/bin/{name}" if place else f"src/bin/{name}"
                sources = [one for one in sources if one not in (f"{own}.rs", f"{own}/main.rs")]
        except BrokenFileError:
            return False
        return not sources

    def needs_workspace(self, directory: str) -> bool:
        """Whether the package in `directory` cannot be built without the workspace above it."""
        try:
            return manifest.leans_on_workspace(manifest.read_toml(self._context, f"{directory}/Cargo.toml"))
        except BrokenFileError:
            return True

    def stands_alone(self, root: str) -> bool:
        """Whether the package or workspace in `root` surely belongs to no workspace above it.

        So it is where there is what stands at a workspace's root, or at that of a repository: a lock, .git.
        """
        prefix = f"{root}/" if root else ""
        try:
            if "workspace" in (manifest.read_toml(self._context, f"{prefix}Cargo.toml") or {}):
                return True
        except BrokenFileError:
            return False
        return any(map(self.holds, (f"{prefix}{lock.LOCK}", ".git", ".git/HEAD")))

    def mentions(self, name: str, root: str) -> bool:
        """Whether a manifest of the context, or the lock in `root`, has the name in it, in whatever role."""
        paths = (*self._context.names("**/Cargo.toml"), _lock_of(root))
        return any(name.encode() in (self._context.read(path) or b"") for path in paths)

    @property
    def untracked_lock(self) -> bool:
        """Whether git leaves locks out, so that another checkout may have the one that is not here."""
        lines = (
            line.strip()
            for path in self._context.names("**/.gitignore")
            for line in (self._context.read(path) or b"").splitlines()
        )
        return any(line in (b"*", b"/*") or line.endswith(b".lock") for line in lines)

    def may_copy(self) -> bool:
        """Whether a build script of the context may put files into an output directory: it copies or starts something."""
        context = self._context
        scripts = context.names("**/build.rs")
        for path in context.names("**/Cargo.toml"):
            try:
                named = manifest.table(manifest.read_toml(context, path) or {}, "package").get("build")
            except BrokenFileError:
                return True
            if isinstance(named, str):
                scripts.append(patterns.normalise(f"{path.rpartition('/')[0]}/{named}").lstrip("/"))
        return any(word in (context.read(path) or b"") for path in scripts for word in COPIES)

    @property
    def configurations(self) -> tuple[str, ...]:
        """cargo's configuration files in the context, wherever they are."""
        return tuple(path for name in ("config", "config.toml") for path in self._context.names(f"**/.cargo/{name}"))

    def _read(
        self,
        directory: str,
        packages: tuple[str, ...],
        everything: bool,
        asked: Asked,
        bins: tuple[str, ...],
        config: ConfigFiles,
        excluded: tuple[str, ...],
        one_of: bool,
        own_root: bool,
    ) -> Crate | None:
        prefix = f"{directory}/" if directory else ""
        data = manifest.read_toml(self._context, f"{prefix}Cargo.toml")
        if data is None:
            return None
        found: dict[str, dict[str, Any]] = {}
        default_members = manifest.members(self._context, directory, data, "default-members")
        if "package" in data and (packages or everything or not default_members):
            found[directory] = data
        if "workspace" in data and (packages or everything or "package" not in data or default_members):
            by_default = default_members if default_members and not packages and not everything else ()
            for member in by_default or manifest.members(self._context, directory, data, "members"):
                member_data = data if member == directory else manifest.read_toml(self._context, f"{member}/Cargo.toml")
                if member_data is not None:
                    found[member] = member_data
        named = {name.rsplit("#", 1)[-1].partition("@")[0] for name in packages}
        chosen = {
            place: member
            for place, member in found.items()
            if (not named or any(patterns.same(self._package_name(member), name) for name in named))
            and self._package_name(member) not in excluded
        }
        of = {place: manifest.binaries(self._context, place, member) for place, member in chosen.items()}
        binaries = tuple(dict.fromkeys(name for names in of.values() for name in names))
        makers = [member for place, member in chosen.items() if (set(of[place]) & set(bins) if bins else of[place])]
        compiled = [one for place, one in chosen.items() if _is_compiled(one, of[place], bins, asked)]
        some = one_of or asked.examples or any("*" in name for name in bins)
        runs = [manifest.table(member, "package").get("default-run") for member in chosen.values()]
        default = runs[0] if len(runs) == 1 else None
        root, root_data = (directory, data) if own_root else self._workspace_root(directory, data)
        configured = self.configured(config)
        profiles = manifest.table(root_data, "profile")
        return Crate(
            directory,
            root,
            binaries,
            default if isinstance(default, str) else binaries[0] if len(binaries) == 1 else "",
            laid_over(profiles, configured.profiles) if configured.profiles else profiles,
            configured,
            self._toolchain(directory),
            lambda: self._packages(root),
            lambda: self._linkage(
                root, tuple(chosen), asked, tuple(place for place, names in of.items() if set(names) & set(bins))
            ),
            _oldest_rust([_inherited(one, root_data, "rust-version") for one in compiled], some),
            any(map(manifest.makes_shared_library, chosen.values())),
            frozenset(name for member in chosen.values() for name in manifest.conditional(member, asked)),
            lambda: self._own(root),
            tuple(map(self._package_name, makers)),
            lambda names: self._sources(root, of, names),
            lambda: self._unmade(directory, data, (root, root_data), found, of, asked),
            max((_inherited(member, root_data, "edition") for member in chosen.values()), default=""),
            lambda: lock.version(self._context.read(_lock_of(root)) or b""),
            lambda: tuple(
                name for place, member in chosen.items() for name in manifest.examples(self._context, place, member)
            ),
            lambda asked: self._switches(root, tuple(chosen), asked),
            lambda: self._named(root),
            lambda program: self._linkages(root, of, asked, program, one_of) if len(of) > 1 else (),
            one_of,
            tuple(self._package_name(one) for one in chosen.values() if manifest.makes_only_a_shared_library(one)),
            lambda: manifest.members_by_entry(self._context, root, root_data, "members"),
            # with the old resolver they are those of the directory's package, whatever -p says
            lambda: dict.fromkeys(
                _lacking((data, *chosen.values()), asked) if chosen and not one_of else (),
                tuple(map(self._package_name, chosen.values())),
            ),
        )

    def _unmade(
        self,
        directory: str,
        data: dict[str, Any],
        workspace: tuple[str, dict[str, Any]],
        found: dict[str, dict[str, Any]],
        of: dict[str, tuple[str, ...]],
        asked: Asked,
    ) -> Mapping[str, str]:
        wanting = any("required-features" in one for place in of for one in manifest.programs(found[place]))
        hidden = not all(manifest.finds_programs(found[place]) for place in of)
        if not of or not (len(found) > len(of) or wanting or hidden or "workspace" in workspace[1]):
            return {}
        from dockerslim_lint.facts.crate.unmade import unmade

        try:
            return unmade(self._context, directory, data, workspace, found, of, asked)
        except BrokenFileError as error:
            self._note(str(error))
            return {}

    def _workspace_root(self, directory: str, data: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """The directory whose lock and profiles count, and its manifest."""
        if "workspace" in data:
            return directory, data
        named = manifest.table(data, "package").get("workspace")
        if isinstance(named, str):
            place = patterns.normalise(f"/{directory}/{named}").strip("/")
            there = manifest.read_toml(self._context, f"{place}/Cargo.toml".lstrip("/"))
            return (place, there) if there is not None else (directory, data)
        parts = directory.split("/") if directory else []
        while parts:
            parts.pop()
            place = "".join(f"{part}/" for part in parts)
            above = manifest.read_toml(self._context, f"{place}Cargo.toml")
            root = "/".join(parts)
            if above is not None and "workspace" in above and not manifest.is_excluded(root, above, directory):
                return root, above
        return directory, data

    def _packages(self, root: str) -> dict[str, lock.Locked] | None:
        data = self._lock(root)
        return lock.locked_packages(data) if data is not None else None

    def _linkage(self, root: str, directories: tuple[str, ...], asked: Asked, of: tuple[str, ...]) -> Linkage | None:
        data = self._lock(root)
        if data is None or not directories or asked.examples:
            return None
        from dockerslim_lint.facts.crate.linked import read_linkage
        from dockerslim_lint.facts.crate.members import Members

        return read_linkage(self._graph(root), Members(self._context, root), directories, asked, of)

    def _linkages(
        self, root: str, of: dict[str, tuple[str, ...]], asked: Asked, program: str, one_of: bool
    ) -> Iterator[Linkage | None]:
        """What a program links, once for each package that may make it. `of` are the programs of each package of the call."""
        makers = [place for place, names in of.items() if any(patterns.same(name, program) for name in names)]
        for place in makers or of:
            yield self._linkage(root, (place,) if one_of else tuple(of), asked, (place,))

    def _switches(self, root: str, directories: tuple[str, ...], asked: Asked) -> frozenset[tuple[str, ...]] | None:
        """What the features of a call switch on in the dependencies of these packages; None where a manifest cannot be read."""
        from dockerslim_lint.facts.crate.features import switched
        from dockerslim_lint.facts.crate.linked import asked_of
        from dockerslim_lint.facts.crate.members import Members

        members = Members(self._context, root)
        chosen = [members.get(directory) for directory in directories]
        found: set[tuple[str, ...]] = set()
        for member in chosen:
            if member is None:
                return None
            on = switched(member.table, asked_of(member, asked, sure=True))
            found |= {(member.directory, key) for key in on.optional}
            for asks in (on.strong, on.weak):
                found |= {(member.directory, key, name) for key, names in asks.items() for name in names}
        return frozenset(found) if chosen else None

    def _sources(self, root: str, of: dict[str, tuple[str, ...]], names: tuple[str, ...]) -> Sources:
        from dockerslim_lint.facts.crate.sources import read_sources

        return read_sources(self._context, root, of, names)

    def _named(self, root: str) -> Mapping[str, tuple[str, ...]]:
        from dockerslim_lint.facts.crate.members import NORMAL, SCRIPT, Members
        from dockerslim_lint.facts.crate.unlocked import brought

        entries = (entry for one in Members(self._context, root).all for entry in one.dependencies)
        return brought(
            entry
            for entry in entries
            if entry.kind in (NORMAL, SCRIPT) and not entry.optional and entry.directory is None and entry.applies
        )

    def _own(self, root: str) -> dict[str, str]:
        from dockerslim_lint.catalog import natives
        from dockerslim_lint.facts.crate.members import Members

        members = Members(self._context, root)
        nodes = self._graph(root).values()
        foreign = {node.name for node in nodes if not node.local}
        return {
            one.name: members.native(one, natives.tools())
            for one in members.all
            if one.name not in foreign and natives.may_bring(one.name, [entry.package for entry in one.dependencies])
        }

    def _lock(self, root: str) -> dict[str, Any] | None:
        if root not in self._locks:
            try:
                self._locks[root] = manifest.read_toml(self._context, _lock_of(root))
            except BrokenFileError as error:
                self._note(str(error))
                self._locks[root] = None
        return self._locks[root]

    def _graph(self, root: str) -> Mapping[str, lock.Node]:
        """What each locked package depends on; {} without a lock that can be read."""
        return _graph_of(self._context.read(_lock_of(root)) or b"") if self._lock(root) else {}

    def configured(self, files: ConfigFiles) -> CargoConfig:
        """What cargo's configuration says; nothing if a file of the context cannot be read."""
        try:
            return read_config(self._context, files)
        except BrokenFileError as error:
            self._note(str(error))
            return CargoConfig("", "", (), "")

    def _toolchain(self, directory: str) -> ToolchainFile:
        try:
            return read_toolchain_file(self._context, directory)
        except BrokenFileError as error:
            self._note(str(error))
            return ToolchainFile("", "", ())

    def _note(self, text: str) -> None:
        line = f"{text}; nothing is known of the crate"
        if line not in self.notes:
            self.notes.append(line)

    @staticmethod
    def _package_name(data: dict[str, Any]) -> str:
        name = manifest.table(data, "package").get("name")
        return name if isinstance(name, str) else ""


def _lacking(packages: tuple[dict[str, Any], ...], asked: Asked) -> tuple[str, ...]:
    """What is asked for and none of the packages has as a feature, of its own or for an optional dependency."""
    names = [name for name in asked.features if name != "default" and not set(name) & set("*/:?[")]
    if not names or not asked.exact or asked.everything:
        return ()
    from dockerslim_lint.facts.crate.members import table_of

    tables = [table_of(one) for one in packages]
    return tuple(name for name in names if not any(one.names(name) for one in tables))


def _is_compiled(package: dict[str, Any], made: tuple[str, ...], bins: tuple[str, ...], asked: Asked) -> bool:
    """Whether a call for these `bins` (none: all) compiles a package whose programs are `made`; not one that only wants features."""
    if bins:
        return any(patterns.same(name, one) for name in made for one in bins)
    return not made or not set(made) <= set(manifest.conditional(package, asked))


def _oldest_rust(versions: list[str], some: bool) -> str:
    """The newest of the packages' rust-versions, as all are compiled; of packages of which only `some` may be the oldest."""
    found = sorted(versions, key=lambda text: [int(part) for part in text.split(".") if part.isdecimal()])
    return (found[0] if some else found[-1]) if found else ""


def _inherited(data: dict[str, Any], root: dict[str, Any], key: str) -> str:
    """A text of ``[package]``, which may be the workspace's; "" without."""
    value = manifest.table(data, "package").get(key)
    if isinstance(value, dict) and value.get("workspace") is True:
        value = manifest.table(root, "workspace", "package").get(key)
    return value if isinstance(value, str) else ""

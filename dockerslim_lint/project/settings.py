"""Which configuration belongs to a file: the nearest one, from its directory up to the repository's root."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from dockerslim_lint.config import ConfigError, Settings, parse_config, suggestion
from dockerslim_lint.context import path_matches
from dockerslim_lint.project.read import CONTEXT_FILE_LIMIT, UnusableError, read_regular, reason

_OWN = ".dockerslim.toml"
_SHARED = "pyproject.toml"


class Overrides(NamedTuple):
    """What the command line decides over every configuration; None leaves the configuration's word."""

    platforms: tuple[str, ...] | None = None
    fail_on: str | None = None
    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] | None = None

    def over(self, settings: Settings) -> Settings:
        """`settings` with these decisions."""
        return settings._replace(**{name: value for name, value in self._asdict().items() if value is not None})


class Configuration(NamedTuple):
    """Settings, the directory that their paths are relative to, and the file that they come from (None: the defaults)."""

    settings: Settings
    root: Path | None = None
    name: str | None = None


class ConfigFinder:
    """Finds and reads configurations; each file is read once. `explicit` replaces the search."""

    def __init__(self, explicit: str | None = None, overrides: Overrides = Overrides()) -> None:  # noqa: B008
        self._explicit = explicit
        self._overrides = overrides
        self._by_directory: dict[Path, Configuration | ConfigError] = {}
        self._by_file: dict[Path, Configuration | ConfigError | None] = {}

    def find(self, directory: Path) -> Configuration:
        """The configuration for the files of an absolute directory. Raises ConfigError."""
        if directory not in self._by_directory:
            try:
                found: Configuration | ConfigError = self._search(directory)
            except ConfigError as error:
                found = error
            self._by_directory[directory] = found
        found = self._by_directory[directory]
        if isinstance(found, ConfigError):
            raise ConfigError(str(found))
        return found

    def _search(self, directory: Path) -> Configuration:
        if self._explicit is not None:
            path = Path(self._explicit).absolute()
            configuration = self._read(path, must_exist=True)
            if configuration is None:
                raise ConfigError(f"{self._explicit}: has no table [tool.dockerslim]")
            return configuration
        for candidate in (directory, *directory.parents):
            for name in (_OWN, _SHARED):
                configuration = self._read(candidate / name)
                if configuration is not None:
                    return configuration
            if (candidate / ".git").exists():
                break
        return self._checked(Configuration(self._overrides.over(Settings())), "command line")

    def _read(self, path: Path, *, must_exist: bool = False) -> Configuration | None:
        if path not in self._by_file:
            try:
                self._by_file[path] = self._load(path, must_exist)
            except ConfigError as error:
                self._by_file[path] = error
        found = self._by_file[path]
        if isinstance(found, ConfigError):
            raise ConfigError(str(found))
        return found

    def _load(self, path: Path, must_exist: bool) -> Configuration | None:
        shown = _relative(path)
        try:
            data = read_regular(path, CONTEXT_FILE_LIMIT)
        except FileNotFoundError as error:
            if must_exist:
                raise ConfigError(f"{shown}: {reason(error)}; check --config") from None
            return None
        except OSError as error:
            if not must_exist and isinstance(error, NotADirectoryError):
                return None
            raise ConfigError(f"{shown}: {reason(error)}") from None
        except UnusableError as error:
            if not must_exist and path.name == _SHARED:
                return None
            raise ConfigError(f"{shown}: {error}, not a configuration file") from None
        pyproject = path.name == _SHARED
        if pyproject and b"dockerslim" not in data:
            return None
        settings = parse_config(data, shown, pyproject=pyproject)
        if settings is None:
            return None
        return self._checked(Configuration(self._overrides.over(settings), path.parent, shown), shown)

    def _checked(self, configuration: Configuration, where: str) -> Configuration:
        """Refuse names of rules that do not exist."""
        settings = configuration.settings
        if settings.select or settings.ignore:
            from dockerslim_lint.registry import resolve, rules

            for key, names in (("select", settings.select), ("ignore", settings.ignore)):
                source = "command line" if getattr(self._overrides, key) is not None else where
                for name in names:
                    if resolve(name) is None:
                        known = tuple(word for rule in rules() for word in (rule.CODE, rule.NAME))
                        hint = suggestion_of_rule(name, known)
                        raise ConfigError(f'{source}: `{key}`: there is no rule "{name}"{hint}')
        return configuration


def suggestion_of_rule(name: str, known: tuple[str, ...]) -> str:
    """What a wrong rule name may have meant."""
    folded = {word.lower(): word for word in known}
    hint = suggestion(name, tuple(folded), '"')
    for lower, word in folded.items():
        hint = hint.replace(f'"{lower}"', f'"{word}"')
    return hint or "; `dockerslim-lint rules` lists them"


def is_excluded(relative: str, patterns: tuple[str, ...]) -> bool:
    """Whether `exclude` names a path (relative to the configuration file) or a directory above it.

    A pattern without a slash is a name at any depth; with one it is a path from the configuration file's directory.
    """
    parts = relative.split("/")
    for pattern in patterns:
        anchored = "/" in pattern.rstrip("/")
        pattern = pattern.strip("/") if anchored else "**/" + pattern.strip("/")
        if any(path_matches("/".join(parts[:depth]), pattern) for depth in range(1, len(parts) + 1)):
            return True
    return False


def _relative(path: Path) -> str:
    """A path as people want to read it: relative to the working directory where it lies below."""
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)

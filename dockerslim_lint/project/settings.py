"""Which configuration belongs to a file: the nearest one, from its directory up to the repository's root."""

from __future__ import annotations

import os

from dockerslim_lint.config import ConfigError, Settings, parse_config, suggestion
from dockerslim_lint.context import path_matches
from dockerslim_lint.project.places import Repositories, above, lies_in
from dockerslim_lint.project.read import CONTEXT_FILE_LIMIT, UnusableError, read_regular, reason
from dockerslim_lint.record import Record

_OWN = ".dockerslim.toml"
_SHARED = "pyproject.toml"


class Overrides(Record):
    """What the command line decides over every configuration; None leaves the configuration's word."""

    platforms: tuple[str, ...] | None = None
    fail_on: str | None = None
    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] | None = None

    def over(self, settings: Settings) -> Settings:
        """`settings` with these decisions."""
        return settings._replace(**{name: value for name, value in self._asdict().items() if value is not None})


class Configuration(Record):
    """Settings, the directory that their paths are relative to, and the file that they come from (None: the defaults)."""

    settings: Settings
    root: str | None = None
    name: str | None = None


class ConfigFinder:
    """Finds and reads configurations; each file is read once. `explicit` replaces the search."""

    def __init__(self, explicit: str | None = None, overrides: Overrides = Overrides()) -> None:  # noqa: B008
        self._explicit = explicit
        self._overrides = overrides
        self._by_directory: dict[str, Configuration | ConfigError] = {}
        self.repositories = Repositories()
        self._by_file: dict[str, Configuration | ConfigError | None] = {}

    def find(self, directory: str) -> Configuration:
        """The configuration for the files of an absolute directory. Raises ConfigError."""
        passed: list[str] = []
        found: Configuration | ConfigError | None = None
        for place in above(directory):
            found = self._by_directory.get(place)
            if found is not None:
                break
            passed.append(place)
            found = self._own(place)
            if found is not None or self.repositories.root(place) == place:
                break
        if found is None:
            found = self._default()
        self._by_directory.update(dict.fromkeys(passed, found))
        if isinstance(found, ConfigError):
            raise ConfigError(str(found))
        return found

    def _own(self, directory: str) -> Configuration | ConfigError | None:
        """What the files of one directory say, or the explicit one."""
        try:
            if self._explicit is not None:
                configuration = self._read(os.path.abspath(self._explicit), must_exist=True)
                if configuration is None:
                    raise ConfigError(f"{self._explicit}: has no table [tool.dockerslim]")
                return configuration
            for name in (_OWN, _SHARED):
                configuration = self._read(os.path.join(directory, name))
                if configuration is not None:
                    return configuration
        except ConfigError as error:
            return error
        return None

    def _default(self) -> Configuration | ConfigError:
        try:
            return self._checked(Configuration(self._overrides.over(Settings())), "command line")
        except ConfigError as error:
            return error

    def _read(self, path: str, *, must_exist: bool = False) -> Configuration | None:
        if path not in self._by_file:
            try:
                self._by_file[path] = self._load(path, must_exist)
            except ConfigError as error:
                self._by_file[path] = error
        found = self._by_file[path]
        if isinstance(found, ConfigError):
            raise ConfigError(str(found))
        return found

    def _load(self, path: str, must_exist: bool) -> Configuration | None:
        pyproject = os.path.basename(path) == _SHARED
        try:
            data = read_regular(path, CONTEXT_FILE_LIMIT)
        except FileNotFoundError as error:
            if must_exist:
                raise ConfigError(f"{_relative(path)}: {reason(error)}; check --config") from None
            return None
        except OSError as error:
            if not must_exist and isinstance(error, NotADirectoryError):
                return None
            raise ConfigError(f"{_relative(path)}: {reason(error)}") from None
        except UnusableError as error:
            if not must_exist and pyproject:
                return None
            raise ConfigError(f"{_relative(path)}: {error}, not a configuration file") from None
        if pyproject and b"dockerslim" not in data:
            return None
        shown = _relative(path)
        settings = parse_config(data, shown, pyproject=pyproject)
        if settings is None:
            return None
        return self._checked(Configuration(self._overrides.over(settings), os.path.dirname(path), shown), shown)

    def _checked(self, configuration: Configuration, where: str) -> Configuration:
        """Refuse names of rules that do not exist."""
        settings = configuration.settings
        if settings.select or settings.ignore:
            from dockerslim_lint.registry import DEFAULT, resolve, rules

            for key, names in (("select", settings.select), ("ignore", settings.ignore)):
                source = "command line" if getattr(self._overrides, key) is not None else where
                for name in names:
                    if resolve(name) is None and not (key == "select" and name.strip().lower() == DEFAULT):
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


def _relative(path: str) -> str:
    """A path as people want to read it: relative to the working directory where it lies below."""
    try:
        here = os.getcwd()
    except OSError:  # it was removed
        return path
    return os.path.relpath(path, here) if lies_in(path, here) else path

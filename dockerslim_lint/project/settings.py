"""Which configuration belongs to a file: the nearest one, from its directory up to the repository's root."""

from __future__ import annotations

import os

from dockerslim_lint.config import ConfigError, ImageSettings, Settings, suggestion
from dockerslim_lint.project.places import Repositories, above, lies_in
from dockerslim_lint.project.read import CONTEXT_FILE_LIMIT, UnusableError, read_regular, reason
from dockerslim_lint.record import Record

OWN = ".dockerslim.toml"
SHARED = "pyproject.toml"
_BY_RULE = ("select", "ignore", "severity", "fix")
"""The settings that name rules."""
_BEGINNINGS = ("select", "ignore")
"""Those that take the beginning of a code for all rules that have it."""

_LETTERS = "abcdefghijklmnopqrstuvwxyz"  # `string` would compile an expression that nobody asks for here


class Overrides(Record):
    """What the command line decides over every configuration; None leaves the configuration's word."""

    platforms: tuple[str, ...] | None = None
    fail_on: str | None = None
    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] | None = None

    @property
    def changes(self) -> dict[str, object]:
        """What was decided, by the fields of `Settings`."""
        return {name: value for name, value in self._asdict().items() if value is not None}


class Configuration(Record):
    """Settings as a file has them, the directory that their paths are relative to, and the file (None: the defaults).

    `overrides` are the command line's; they win over everything. `absent` are the Dockerfiles of ``[[image]]`` tables that
    are not there, each with what to say of it.
    """

    settings: Settings
    root: str | None = None
    name: str | None = None
    overrides: Overrides = Overrides()
    absent: tuple[tuple[str, str], ...] = ()

    def for_file(self, dockerfile: str) -> Settings:
        """The settings for one Dockerfile (its path relative to the configuration file)."""
        settings = self.settings.for_file(dockerfile)
        changes = self.overrides.changes
        return settings._replace(**changes) if changes else settings  # type: ignore[arg-type]

    def image(self, dockerfile: str) -> ImageSettings | None:
        """Its own table, if it has one."""
        return self.settings.image(dockerfile)

    def refuse_absent(self, dockerfile: str) -> None:
        """Raises ConfigError for an ``[[image]]`` whose Dockerfile is not there, and for `dockerfile`'s own context likewise.

        `dockerfile` itself may be a file that an editor has not saved yet.
        """
        for name, text in self.absent:
            if name != dockerfile:
                raise ConfigError(text)
        image = self.image(dockerfile)
        if image is None or image.context is None or self.root is None:
            return
        if not os.path.isdir(os.path.join(self.root, image.context)):
            key = f"image[{self.settings.images.index(image) + 1}].context"
            raise ConfigError(_absent(self.root, self.name or "", key, image.context))


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
            for name in (OWN, SHARED):
                configuration = self._read(os.path.join(directory, name))
                if configuration is not None:
                    return configuration
        except ConfigError as error:
            return error
        return None

    def _default(self) -> Configuration | ConfigError:
        try:
            return self._checked(Configuration(Settings(), overrides=self._overrides), "command line")
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
        pyproject = os.path.basename(path) == SHARED
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
        from dockerslim_lint.config_file import parse_config

        settings = parse_config(data, shown, pyproject=pyproject)
        if settings is None:
            return None
        root = os.path.dirname(path)
        absent = tuple(
            (image.dockerfile, _absent(root, shown, f"image[{number}].dockerfile", image.dockerfile))
            for number, image in enumerate(settings.images, start=1)
            if not os.path.exists(place := os.path.join(root, image.dockerfile)) or os.path.isdir(place)
        )
        return self._checked(Configuration(settings, root, shown, self._overrides, absent), shown)

    def _checked(self, configuration: Configuration, where: str) -> Configuration:
        """Refuse rule packs that are not installed, and names of rules that do not exist."""
        settings, given = configuration.settings, self._overrides.changes
        named = [(where, "", settings._asdict()), ("command line", "", given)]
        for number, override in enumerate(settings.overrides, start=1):
            named.append((where, f"override[{number}].", dict(override.changes)))
        if not settings.rule_packs and not any(values.get(key) for _, _, values in named for key in _BY_RULE):
            return configuration
        from dockerslim_lint.registry import DEFAULT, RulePackError, is_called, resolve, rules

        try:
            known = tuple(word for rule in rules(settings.rule_packs) for word in (rule.CODE, rule.NAME))
        except RulePackError as error:
            raise ConfigError(f"{where}: `rule-packs`: {error}") from None
        for source, prefix, values in named:
            for key in _BY_RULE:
                for entry in values.get(key) or ():
                    name = entry if isinstance(entry, str) else entry[0]
                    if key == "select" and name.strip().lower() == DEFAULT:
                        continue
                    known_as = is_called if key in _BEGINNINGS else resolve
                    if not known_as(name, settings.rule_packs):
                        hint = suggestion_of_rule(name, known)
                        raise ConfigError(f'{source}: `{prefix}{key}`: there is no rule "{name}"{hint}')
        return configuration


def suggestion_of_rule(name: str, known: tuple[str, ...]) -> str:
    """What a wrong rule name may have meant."""
    folded = {word.lower(): word for word in known}
    beginning = [word for lower, word in folded.items() if lower.startswith(name.strip().lower())]
    if len(beginning) > 1:
        return f'; rules are named in full, such as "{beginning[0]}"'
    word = name.strip().lower()
    if word.isalnum() and any(char.isdigit() for char in word):
        # of a code that is none, only one of the same hundred that is nearly the same can have been meant
        digits = word.lstrip(_LETTERS)
        hint = suggestion(word, tuple(one for one in folded if one.lstrip(_LETTERS)[:1] == digits[:1]), '"', 0.75)
    else:
        hint = suggestion(name, tuple(folded), '"')
    for lower, known_word in folded.items():
        hint = hint.replace(f'"{lower}"', f'"{known_word}"')
    return hint or "; `dockerslim-lint rules` lists them"


def _absent(root: str, config: str, key: str, path: str) -> str:
    """What to say of a path in the configuration file `config`, relative to its directory `root`, where nothing is."""
    prefix = "tool.dockerslim." if os.path.basename(config) == SHARED else ""
    what = "directory" if key.endswith("context") else "file"
    inside = f"{path}/Dockerfile"
    if what == "file" and os.path.isfile(os.path.join(root, inside)):
        hint = f'; did you mean "{inside}"?'
    else:
        folder, name = os.path.split(path)
        try:
            beside = tuple(os.listdir(os.path.join(root, folder)))
        except OSError:
            beside = ()
        is_one = os.path.isdir if what == "directory" else os.path.isfile
        hint = suggestion(name, tuple(one for one in beside if is_one(os.path.join(root, folder, one))), '"')
        hint = hint.replace('"', f'"{folder}/', 1) if folder else hint
    hint = hint or "; correct the path, which starts at this file's directory, or remove the table"
    return f'{config}: `{prefix}{key}`: there is no {what} "{path}"{hint}'


def _relative(path: str) -> str:
    """A path as people want to read it: relative to the working directory where it lies below."""
    try:
        here = os.getcwd()
    except OSError:  # it was removed
        return path
    return os.path.relpath(path, here) if lies_in(path, here) else path

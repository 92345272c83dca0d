"""How the text of a configuration file is read. Only loaded where there is one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dockerslim_lint.catalog.own_images import FACTS, OwnImage, own_image
from dockerslim_lint.config import (
    LEVELS,
    PERMISSIONS,
    PREFER_CHOICES,
    ConfigError,
    ImageSettings,
    Override,
    Settings,
    checked_platforms,
    suggestion,
)


def parse_config(data: bytes, name: str, *, pyproject: bool) -> Settings | None:
    """The settings in a configuration file called `name`. Raises ConfigError.

    With `pyproject` they are its table ``[tool.dockerslim]``; None if there is no such table.
    """
    import tomllib

    try:
        table: object = tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigError(f"{name}: not UTF-8 at byte {error.start}; save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name}: not valid TOML: {error}") from None
    except RecursionError:
        raise ConfigError(f"{name}: not valid TOML: nested too deeply") from None
    prefix = ""
    if pyproject:
        prefix = "tool.dockerslim."
        for key in ("tool", "dockerslim"):
            if not isinstance(table, dict) or key not in table:
                return None
            table = table[key]
        if not isinstance(table, dict):
            raise ConfigError(f"{name}: [tool.dockerslim] must be a table")
    assert isinstance(table, dict)
    return _Reader(table, name, prefix).settings()


class _Reader:
    """One TOML table; every error that it raises names the file and the key in full."""

    def __init__(self, table: Mapping[str, object], name: str, prefix: str) -> None:
        self.table = table
        self.name = name
        self.prefix = prefix

    def settings(self) -> Settings:
        known: dict[str, Callable[[str, object], object]] = {
            **self.for_files(),
            "probe-image": self.text,
            "exclude": self.texts,
            "image": self.images,
            "base-image": self.base_images,
            "override": self.overrides,
            "rule-packs": self.texts,
        }
        values = self.read(known)
        for key, field in (("image", "images"), ("base_image", "base_images"), ("override", "overrides")):
            if key in values:
                values[field] = values.pop(key)
        settings = Settings(**values, given=tuple(values))  # type: ignore[arg-type]
        self.check_prefer(settings)
        return settings

    def for_files(self) -> dict[str, Callable[[str, object], object]]:
        """The keys that an ``[[override]]`` takes too."""
        return {
            "prefer": self.texts,
            "platforms": self.platforms,
            "target": self.text,
            "args": self.args,
            "fail-on": self.level,
            "select": self.texts,
            "ignore": self.texts,
            "severity": self.severity,
            "fix": self.permissions,
        }

    def check_prefer(self, settings: Settings) -> None:
        own = tuple(image.reference for image in settings.base_images)
        overrides = [dict(override.changes).get("prefer", ()) for override in settings.overrides]
        for number, names in enumerate((settings.prefer, *overrides)):
            key = f"{self.prefix}override[{number}].prefer" if number else f"{self.prefix}prefer"
            for name in names:  # type: ignore[attr-defined]
                if name not in PREFER_CHOICES + own:
                    known = PREFER_CHOICES + own
                    hint = suggestion(name, known, '"') or "; the choices are " + ", ".join(known)
                    raise ConfigError(f'{self.name}: `{key}`: there is no choice "{name}"{hint}')

    def override(self) -> Override:
        values = self.read({"files": self.texts, **self.for_files()})
        files = values.pop("files", ())
        if not files:
            raise ConfigError(
                f"{self.name}: `{self.prefix.rstrip('.')}` needs the key `files`, with at least one pattern"
            )
        return Override(files, tuple(values.items()))  # type: ignore[arg-type]

    def base_image(self) -> OwnImage:
        values = self.read({"image": self.text, "like": self.text, **dict.fromkeys(FACTS, self.fact)})
        place = self.prefix.rstrip(".")
        if "image" not in values:
            raise ConfigError(f"{self.name}: `{place}` needs the key `image`")
        facts = {FACTS[key][0]: values[name] for key in FACTS if (name := key.replace("-", "_")) in values}
        try:
            return own_image(str(values["image"]), str(values.get("like", "")), facts)
        except ValueError as error:
            raise ConfigError(f"{self.name}: `{place}`: {error}") from None

    def fact(self, key: str, value: object) -> object:
        """One fact of a base image, of the type that `FACTS` says."""
        kind = FACTS[key.removeprefix(self.prefix)][1]
        if isinstance(kind, tuple):
            if value not in kind:
                raise self.wrong(key, "one of " + ", ".join(f'"{word}"' for word in kind), value)
        elif kind is list:
            return self.texts(key, value)
        elif kind is float:
            if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
                raise self.wrong(key, "a number of megabytes", value)
            return float(value)
        elif kind is dict:
            numbers = value.values() if isinstance(value, dict) else (None,)
            if not all(isinstance(number, int) and not isinstance(number, bool) and number >= 0 for number in numbers):
                raise self.wrong(key, "a table of names and ids such as { app = 1000 }", value)
            return tuple(value.items())  # type: ignore[attr-defined]
        elif type(value) is not kind:
            raise self.wrong(key, "true or false" if kind is bool else "a text", value)
        return value

    def severity(self, key: str, value: object) -> tuple[tuple[str, str], ...]:
        return self.by_rule(key, value, LEVELS)

    def permissions(self, key: str, value: object) -> tuple[tuple[str, str], ...]:
        return self.by_rule(key, value, PERMISSIONS)

    def by_rule(self, key: str, value: object, words: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        """A table of rules, each with one of `words`."""
        if not isinstance(value, dict):
            raise self.wrong(key, f'a table such as {{ DSL402 = "{words[0]}" }}', value)
        for rule, word in value.items():
            if word not in words:
                raise self.wrong(f"{key}.{rule}", "one of " + ", ".join(f'"{one}"' for one in words), word)
        return tuple(sorted(value.items()))

    def image(self) -> ImageSettings:
        values = self.read(
            {
                "dockerfile": self.relative,
                "context": self.relative,
                "target": self.text,
                "args": self.args,
                "platforms": self.platforms,
            }
        )
        if "dockerfile" not in values:
            raise ConfigError(f"{self.name}: `{self.prefix.rstrip('.')}` needs the key `dockerfile`")
        return ImageSettings(**values)  # type: ignore[arg-type]

    def read(self, known: Mapping[str, Callable[[str, object], object]]) -> dict[str, object]:
        values: dict[str, object] = {}
        for key, value in self.table.items():
            if key not in known:
                raise ConfigError(
                    f"{self.name}: unknown key `{self.prefix}{key}`{suggestion(key, tuple(known)) or '; the keys are ' + ', '.join(known)}"
                )
            values[key.replace("-", "_")] = known[key](f"{self.prefix}{key}", value)
        return values

    def wrong(self, key: str, wanted: str, value: object) -> ConfigError:
        return ConfigError(f"{self.name}: `{key}` must be {wanted}, not {_shown(value)}")

    def text(self, key: str, value: object) -> str:
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(key, "a text", value)
        return value

    def texts(self, key: str, value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            raise self.wrong(key, 'a list of texts such as ["a", "b"]', value)
        return tuple(value)

    def level(self, key: str, value: object) -> str:
        if value not in LEVELS:
            raise self.wrong(key, "one of " + ", ".join(f'"{level}"' for level in LEVELS), value)
        return str(value)

    def platforms(self, key: str, value: object) -> tuple[str, ...]:
        return checked_platforms(list(self.texts(key, value)), f"{self.name}: `{key}`")

    def args(self, key: str, value: object) -> tuple[tuple[str, str], ...]:
        if not isinstance(value, dict):
            raise self.wrong(key, 'a table such as { VERSION = "1" }', value)
        for name, item in value.items():
            if not isinstance(item, str):
                raise self.wrong(f"{key}.{name}", "a text (in quotes)", item)
        return tuple(sorted(value.items()))

    def relative(self, key: str, value: object) -> str:
        path = self.text(key, value).replace("\\", "/")
        parts = [part for part in path.split("/") if part not in ("", ".")]
        if path.startswith("/") or ".." in parts:
            raise self.wrong(key, "a path inside the configuration file's directory", value)
        return "/".join(parts) or "."

    def images(self, key: str, value: object) -> tuple[ImageSettings, ...]:
        images = tuple(table.image() for table in self.tables(key, value))
        self.once([image.dockerfile for image in images], key)
        return images

    def base_images(self, key: str, value: object) -> tuple[OwnImage, ...]:
        images = tuple(table.base_image() for table in self.tables(key, value))
        self.once([image.reference for image in images], key)
        return images

    def overrides(self, key: str, value: object) -> tuple[Override, ...]:
        return tuple(table.override() for table in self.tables(key, value))

    def tables(self, key: str, value: object) -> list[_Reader]:
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.wrong(key, f"a list of tables, each under [[{key}]]", value)
        return [_Reader(item, self.name, f"{key}[{number}].") for number, item in enumerate(value, start=1)]

    def once(self, names: list[str], key: str) -> None:
        for name in names:
            if names.count(name) > 1:
                raise ConfigError(f'{self.name}: two [[{key}]] tables are about "{name}"; keep one')


def _shown(value: object) -> str:
    """A TOML value in a few words."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"' if len(value) < 40 else "a long text"
    if isinstance(value, (int, float)):
        return str(value)
    return "this list" if isinstance(value, list) else "a table" if isinstance(value, dict) else "a date or time"

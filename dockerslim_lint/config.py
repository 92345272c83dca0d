"""What the user has decided: the settings, and how they are read from a configuration file's text."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dockerslim_lint.record import Record

PREFER_CHOICES = ("distroless/static", "alpine", "distroless/cc", "debian-slim", "scratch")
"""The names that `prefer` takes."""
LEVELS = ("error", "warning", "info")
"""The values of `fail-on`, worst first."""
_ARCHITECTURES = frozenset(
    ("386", "amd64", "arm", "arm64", "loong64", "mips64", "mips64le", "ppc64", "ppc64le", "riscv64", "s390x")
)


class ImageSettings(Record):
    """One ``[[image]]`` table. `dockerfile` and `context` are relative to the configuration file's directory, with ``/``."""

    dockerfile: str
    context: str | None = None
    target: str | None = None
    args: tuple[tuple[str, str], ...] = ()
    platforms: tuple[str, ...] = ()


class Settings(Record):
    """Everything that steers a run, with its defaults.

    `prefer`: choices in the order of preference ("distroless/static", "alpine", "scratch" …). `platforms`: docker
    platforms asked for; empty means nobody asked. `args`: build arguments. `select`/`ignore`: codes or names; an empty
    `select`, and ``default`` in it, means the rules that are on by default. `images`: the ``[[image]]`` tables, which `for_image` folds into the fields above.
    """

    prefer: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    target: str | None = None
    args: tuple[tuple[str, str], ...] = ()
    probe_image: str = "busybox:musl"
    fail_on: str = "warning"
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    images: tuple[ImageSettings, ...] = ()

    def for_image(self, dockerfile: str) -> tuple[Settings, ImageSettings | None]:
        """The settings for one Dockerfile (its path relative to the configuration file), and its own table if it has one.

        An image's target and platforms replace the general ones; its args are added to them, and win.
        """
        for image in self.images:
            if image.dockerfile == dockerfile:
                settings = self._replace(
                    target=image.target or self.target,
                    platforms=image.platforms or self.platforms,
                    args=tuple(sorted({**dict(self.args), **dict(image.args)}.items())),
                )
                return settings, image
        return self, None


class ConfigError(ValueError):
    """A configuration that cannot be used; the text names file and key, in one line."""


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


def parse_platforms(text: str) -> tuple[str, ...]:
    """The platforms in a comma-separated list, as `--platform` takes it. Raises ConfigError."""
    return _platforms([part.strip() for part in text.split(",") if part.strip()], "--platform")


def suggestion(word: str, known: tuple[str, ...], quote: str = "`") -> str:
    """``; did you mean `x`?`` or an empty text."""
    import difflib

    close = difflib.get_close_matches(word.lower(), known, 1, 0.6)
    return f"; did you mean {quote}{close[0]}{quote}?" if close else ""


class _Reader:
    """One TOML table; every error that it raises names the file and the key in full."""

    def __init__(self, table: Mapping[str, object], name: str, prefix: str) -> None:
        self.table = table
        self.name = name
        self.prefix = prefix

    def settings(self) -> Settings:
        known: dict[str, Callable[[str, object], object]] = {
            "prefer": self.prefer,
            "platforms": self.platforms,
            "target": self.text,
            "args": self.args,
            "probe-image": self.text,
            "fail-on": self.level,
            "select": self.texts,
            "ignore": self.texts,
            "exclude": self.texts,
            "image": self.images,
        }
        values = self.read(known)
        if "image" in values:
            values["images"] = values.pop("image")
        return Settings(**values)  # type: ignore[arg-type]

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

    def prefer(self, key: str, value: object) -> tuple[str, ...]:
        names = self.texts(key, value)
        for name in names:
            if name not in PREFER_CHOICES:
                hint = suggestion(name, PREFER_CHOICES, '"') or "; the choices are " + ", ".join(PREFER_CHOICES)
                raise ConfigError(f'{self.name}: `{key}`: there is no choice "{name}"{hint}')
        return names

    def platforms(self, key: str, value: object) -> tuple[str, ...]:
        return _platforms(list(self.texts(key, value)), f"{self.name}: `{key}`")

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
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.wrong(key, f"a list of tables, each under [[{key}]]", value)
        images = tuple(
            _Reader(item, self.name, f"{key}[{number}].").image() for number, item in enumerate(value, start=1)
        )
        seen: set[str] = set()
        for image in images:
            if image.dockerfile in seen:
                raise ConfigError(f'{self.name}: two [[{key}]] tables are about "{image.dockerfile}"; keep one')
            seen.add(image.dockerfile)
        return images


def _platforms(names: list[str], where: str) -> tuple[str, ...]:
    """`names` without repetitions; each must be ``linux/<architecture>`` with an optional variant."""
    for name in names:
        parts = name.split("/")
        if len(parts) == 1 and name in _ARCHITECTURES:
            raise ConfigError(f'{where}: "{name}" is no platform; did you mean "linux/{name}"?')
        if not (2 <= len(parts) <= 3 and parts[0] == "linux" and parts[1] in _ARCHITECTURES and parts[-1].isalnum()):
            known = tuple(f"linux/{architecture}" for architecture in sorted(_ARCHITECTURES))
            hint = suggestion(name, known, '"') or '; write it like "linux/amd64" or "linux/arm/v7"'
            raise ConfigError(f'{where}: "{name}" is no platform{hint}')
    return tuple(dict.fromkeys(names))


def _shown(value: object) -> str:
    """A TOML value in a few words."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"' if len(value) < 40 else "a long text"
    if isinstance(value, (int, float)):
        return str(value)
    return "this list" if isinstance(value, list) else "a table" if isinstance(value, dict) else "a date or time"

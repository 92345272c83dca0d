"""What the user has decided: the settings, and which of them hold for a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from dockerslim_lint.context import path_matches
from dockerslim_lint.record import Record

if TYPE_CHECKING:
    from dockerslim_lint.catalog.own_images import OwnImage

PREFER_CHOICES = ("distroless/static", "alpine", "distroless/cc", "debian-slim", "scratch")
"""The names that `prefer` takes, beside those of the user's own base images."""
LEVELS = ("error", "warning", "info")
"""The values of `fail-on` and of `severity`, worst first."""
PERMISSIONS = ("always", "never")
"""The values of `fix`: as if it were safe, or not at all."""
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

    @property
    def changes(self) -> dict[str, object]:
        """What it decides, by the fields of `Settings`."""
        own = {"target": self.target, "args": self.args, "platforms": self.platforms}
        return {name: value for name, value in own.items() if value}


class Override(Record):
    """One ``[[override]]`` table: `changes`, by the fields of `Settings`, for the files that the patterns `files` name."""

    files: tuple[str, ...]
    changes: tuple[tuple[str, object], ...]


class Settings(Record):
    """Everything that steers a run, with its defaults.

    `prefer`: choices in the order of preference ("distroless/static", "alpine", "scratch" …). `platforms`: docker
    platforms asked for; empty means nobody asked. `args`: build arguments. `select`/`ignore`: codes, their beginnings, or names; an empty
    `select`, and ``default`` in it, means the rules that are on by default. `severity` and `fix` are pairs of a rule and one of
    `LEVELS` or `PERMISSIONS`. `base_images` are the user's own. `rule_packs` are names of entry points. `images` and `overrides`
    are about some files only; `for_file` folds them into the other fields. `given` names the fields that the file sets.
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
    severity: tuple[tuple[str, str], ...] = ()
    fix: tuple[tuple[str, str], ...] = ()
    base_images: tuple[OwnImage, ...] = ()
    rule_packs: tuple[str, ...] = ()
    overrides: tuple[Override, ...] = ()
    given: tuple[str, ...] = ()

    def image(self, dockerfile: str) -> ImageSettings | None:
        """The ``[[image]]`` table of a Dockerfile (its path relative to the configuration file)."""
        return next((image for image in self.images if image.dockerfile == dockerfile), None)

    def layers(self, dockerfile: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """What is decided for one Dockerfile alone, in the order in which it wins: the table, and its changes."""
        for number, override in enumerate(self.overrides, start=1):
            if is_named(dockerfile, override.files):
                yield f"[[override]] {number}", dict(override.changes)
        image = self.image(dockerfile)
        if image is not None:
            yield "[[image]]", image.changes

    def with_changes(self, changes: Mapping[str, Any]) -> Settings:
        """These settings and `changes` over them: ignored rules are added, tables are laid over each other, the rest is replaced."""
        values = dict(changes)
        for name in ("args", "severity", "fix"):
            if name in values:
                values[name] = tuple(sorted({**dict(getattr(self, name)), **dict(values[name])}.items()))
        if "ignore" in values:
            values["ignore"] = tuple(dict.fromkeys((*self.ignore, *values["ignore"])))
        return self._replace(**values)

    def for_file(self, dockerfile: str) -> Settings:
        """The settings for one Dockerfile (its path relative to the configuration file)."""
        settings = self
        for _, changes in self.layers(dockerfile):
            settings = settings.with_changes(changes)
        return settings


class ConfigError(ValueError):
    """A configuration that cannot be used; the text names file and key, in one line."""


def is_named(relative: str, patterns: tuple[str, ...]) -> bool:
    """Whether `exclude` or `files` names a path (relative to the configuration file) or a directory above it.

    A pattern without a slash is a name at any depth; with one it is a path from the configuration file's directory.
    """
    parts = relative.split("/")
    for pattern in patterns:
        anchored = "/" in pattern.rstrip("/")
        pattern = pattern.strip("/") if anchored else "**/" + pattern.strip("/")
        if any(path_matches("/".join(parts[:depth]), pattern) for depth in range(1, len(parts) + 1)):
            return True
    return False


def parse_platforms(text: str) -> tuple[str, ...]:
    """The platforms in a comma-separated list, as `--platform` takes it. Raises ConfigError."""
    names = [part.strip() for part in text.split(",") if part.strip()]
    if not names:
        raise ConfigError('--platform: no platform is given; write it like "linux/amd64,linux/arm64"')
    return checked_platforms(names, "--platform")


def suggestion(word: str, known: tuple[str, ...], quote: str = "`", least: float = 0.6) -> str:
    """``; did you mean `x`?`` or an empty text. `least` is how alike they must be, of 1."""
    import difflib

    close = difflib.get_close_matches(word.lower(), known, 1, least)
    return f"; did you mean {quote}{close[0]}{quote}?" if close else ""


def checked_platforms(names: list[str], where: str) -> tuple[str, ...]:
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

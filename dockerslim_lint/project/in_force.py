"""Which settings hold for one Dockerfile, and where each of them comes from."""

from __future__ import annotations

import os

from dockerslim_lint.output.settings import Shown
from dockerslim_lint.project.read import DOCKERFILE_LIMIT, UnusableError, read_regular, reason
from dockerslim_lint.project.run import Place, configuration_of, context_of
from dockerslim_lint.project.settings import ConfigFinder, Configuration
from dockerslim_lint.record import Record
from dockerslim_lint.source import Source

DEFAULT = "default"

_ORDER = (
    *("prefer", "platforms", "target", "args", "probe_image", "fail_on"),
    *("select", "ignore", "severity", "fix", "exclude", "rule_packs"),
)
_TABLES = ("args", "severity", "fix")


class InForce(Record):
    """`about` are pairs of a word and what it says of the file, `rows` its settings. `exists` is False where the path asked for leads nowhere."""

    about: tuple[tuple[str, str], ...]
    rows: tuple[Shown, ...]
    exists: bool = True


def settings_in_force(path: str, explicit: str | None = None) -> InForce:
    """For a Dockerfile, or for one called ``Dockerfile`` in the directory `path`. It need not exist. Raises ConfigError.

    `explicit` is a configuration file that replaces the search.
    """
    exists = os.path.lexists(path)
    if os.path.isdir(path):
        path = os.path.normpath(os.path.join(path, "Dockerfile"))
    where = Place.of(path)
    finder = ConfigFinder(explicit)
    configuration = configuration_of(where, finder)
    name = where.from_root(configuration)
    about = [("file", path), ("configuration", configuration.name or "none: the defaults")]
    if where.is_excluded(configuration):
        about.append(("excluded", "by `exclude`: it is not judged"))
    try:
        source = Source(read_regular(path, DOCKERFILE_LIMIT), path)
    except FileNotFoundError:
        about[0] = ("file", f"{path} (does not exist)")
    except (OSError, UnusableError) as error:
        about[0] = ("file", f"{path} (cannot be read: {reason(error) if isinstance(error, OSError) else error})")
    else:
        located = context_of(source, where, configuration, finder)
        root = "-" if located.root is None else os.path.relpath(located.root).replace(os.sep, "/")
        about.append(("context", f"{root} ({located.reason})"))
    return InForce(tuple(about), tuple(_rows(configuration, name)), exists)


def _rows(configuration: Configuration, name: str) -> list[Shown]:
    file = configuration.name or ""
    sources = dict.fromkeys(configuration.settings.given, file)
    for where, changes in configuration.settings.layers(name):
        for field in changes:
            added = field in ("ignore", *_TABLES) and field in sources
            sources[field] = f"{sources[field]}, {where}" if added else f"{where} of {file}"
    settings = configuration.for_file(name)
    rows = []
    for field in _ORDER:
        value = getattr(settings, field)
        rows.append(
            Shown(field.replace("_", "-"), dict(value) if field in _TABLES else value, sources.get(field, DEFAULT))
        )
    for image in settings.base_images:
        rows.append(Shown(f"base-image {image.reference}", None, file))
    return rows

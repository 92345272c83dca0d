"""Which top-level entries of a build context only the build needs."""

from fnmatch import fnmatchcase
from functools import cache

from dockerslim_lint.catalog.tables import table


def is_build_input(name: str) -> bool:
    """Whether a top-level entry of a context is for the build alone; anything not listed may be read at run time."""
    return any(fnmatchcase(name, pattern) for pattern in _patterns())


def is_development(name: str) -> bool:
    """Whether a stage or a part of a Dockerfile's name says that the image is not to be released."""
    return name in table("buildfiles")["development"]["names"].split() if name else False


def is_usual_stage(name: str) -> bool:
    """Whether people call stages so, and no official image is."""
    return name in table("buildfiles")["stages"]["names"].split()


def is_manifest(name: str) -> bool:
    """Whether a file that is copied tells cargo what to build, and is no source (``Cargo.*`` too, as written)."""
    return any(fnmatchcase(name, pattern) for pattern in table("buildfiles")["manifests"]["names"].split())


@cache
def _patterns() -> tuple[str, ...]:
    return tuple(pattern for row in table("buildfiles")["inputs"] for pattern in row["names"].split())

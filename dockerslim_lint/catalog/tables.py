"""The catalogue's TOML files, read once each and only when something is looked up.

Reading TOML costs more than everything else that linting one small file does with the catalogue, importing ``tomllib``
included. So a parsed table is kept beside the bytecode of this package, with the bytes that it was made of: it cannot be stale.
It is not written where Python may not write bytecode, and without it all is the same, but slower.
"""

import marshal
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Any

CERTAINTIES = ("tried", "read", "believed")

_FOLDER = os.path.dirname(os.path.abspath(__file__))


@cache
def table(name: str) -> Mapping[str, Any]:
    """The content of ``<name>.toml`` beside this module; shared, so not to be changed."""
    return read(os.path.join(_FOLDER, f"{name}.toml"))


def read(path: str) -> Mapping[str, Any]:
    """A TOML file's content, from its parsed copy if that is there and was made of the very same bytes."""
    with open(path, "rb") as file:
        source = file.read()
    copy = _copy_of(path)
    with suppress(OSError, ValueError, EOFError, TypeError), open(copy, "rb") as file:
        parsed_source, content = marshal.loads(file.read())  # load() asks the file for each value
        if parsed_source == source:
            return dict(content)
    content = _parse(source)
    if not sys.dont_write_bytecode:
        _keep(copy, source, content)
    return content


def _copy_of(path: str) -> str:
    folder, name = os.path.split(path)
    return os.path.join(folder, "__pycache__", f"{name}.{sys.implementation.cache_tag}")


def _parse(source: bytes) -> dict[str, Any]:
    import tomllib

    return tomllib.loads(source.decode("utf-8"))


def _keep(copy: str, source: bytes, content: dict[str, Any]) -> None:
    """Writes the copy in one step, so that a process beside this one never reads half of it; does nothing where it may not."""
    unfinished = f"{copy}.{os.getpid()}"
    with suppress(OSError):
        os.makedirs(os.path.dirname(copy), exist_ok=True)
        with open(unfinished, "wb") as file:
            marshal.dump((source, content), file)
        os.replace(unfinished, copy)

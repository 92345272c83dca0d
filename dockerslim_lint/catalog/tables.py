"""The catalogue's TOML files, read once each and only when something is looked up."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

CERTAINTIES = ("tried", "read", "believed")


@cache
def table(name: str) -> Mapping[str, Any]:
    """The parsed content of ``<name>.toml`` beside this module; shared, so not to be changed."""
    return tomllib.loads((Path(__file__).parent / f"{name}.toml").read_text(encoding="utf-8"))

"""The settings in force, as a configuration file would write them, each with where it comes from."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from dockerslim_lint.output.interface import Line, Piece
from dockerslim_lint.record import Record

_BARE = re.compile(r"[A-Za-z0-9_-]+")


class Shown(Record):
    """One key with its value (a text, a tuple of texts, a dictionary for a table, None where it is not set) and its source."""

    key: str
    value: object
    source: str


def settings_lines(about: Sequence[tuple[str, str]], rows: Sequence[Shown]) -> list[Line]:
    """TOML with comments. `about` are pairs of a word and what it says, told first; what is not set is a comment too."""
    lines: list[Line] = [(Piece(f"# {word:<14} {text}"),) for word, text in about]
    written = [(f"# {row.key}" if row.value is None else f"{row.key} = {_toml(row.value)}", row.source) for row in rows]
    width = min(max((len(text) for text, _ in written), default=0), 48)
    lines += [(Piece(f"{text:<{width}}  "), Piece(f"# {source}")) for text, source in written]
    return lines


def _toml(value: object) -> str:
    if isinstance(value, dict):
        pairs = [f"{key if _BARE.fullmatch(key) else _toml(key)} = {_toml(item)}" for key, item in value.items()]
        return "{ " + ", ".join(pairs) + " }" if pairs else "{}"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)

"""The JSON arrays of exec forms, as Go's ``encoding/json`` accepts them."""

from __future__ import annotations

from dockerslim_lint.syntax.tree import JsonString
from dockerslim_lint.syntax.words import Chars

NOT_STRINGS = "when using JSON array syntax, arrays must be comprised of strings only"

_SPACE = " \t\r\n"
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def read_json_array(chars: Chars) -> tuple[list[tuple[JsonString, Chars]] | None, str | None]:
    """The strings of a JSON array, each with its characters and their places; None where the text is not an array of strings.

    The second value is BuildKit's complaint about a valid array that holds something else. Text that is no JSON at
    all is the shell form, without a complaint.
    """
    text = chars.text
    size = len(text)
    if not text.startswith("["):
        return None, None
    at = _skip(text, 1)
    strings: list[tuple[JsonString, Chars]] = []
    if text[at : at + 1] == "]":
        return (strings, None) if _skip(text, at + 1) == size else (None, None)
    while text[at : at + 1] == '"':
        content, end = _read_string(chars, at + 1)
        if content is None:
            return None, None
        strings.append((JsonString(content.text, chars.span(at + 1, end)), content))
        at = _skip(text, end + 1)
        separator = text[at : at + 1]
        if separator == "]":
            return (strings, None) if _skip(text, at + 1) == size else (None, None)
        if separator != ",":
            return None, None
        at = _skip(text, at + 1)
    return None, NOT_STRINGS if _is_json(text) else None


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at


def _read_string(chars: Chars, at: int) -> tuple[Chars | None, int]:
    """The string that begins at ``text[at:]``, behind its quote, and the index of its closing quote; None if it is no JSON string."""
    text = chars.text
    end = text.find('"', at)
    if end < 0:
        return None, at
    if "\\" not in text[at:end]:
        return (chars.cut(at, end) if _printable(text[at:end]) else None), end
    out: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    while at < len(text):
        char = text[at]
        if char == '"':
            return Chars(chars.line, "".join(out), chars.index(at), starts, ends), at
        if char < " ":
            return None, at
        behind = at + 1
        if char == "\\":
            char, behind = _read_escape(text, behind)
            if not char:
                return None, at
        out.append(char)
        starts.append(chars.index(at))
        ends.append(chars.index(behind))
        at = behind
    return None, at


def _printable(text: str) -> bool:
    return text.isprintable() or not any(char < " " for char in text)


def _read_escape(text: str, at: int) -> tuple[str, int]:
    char = text[at : at + 1]
    if char != "u":
        return _ESCAPES.get(char, ""), at + 1
    unit = _hex(text, at + 1)
    if unit < 0:
        return "", at
    at += 5
    if 0xD800 <= unit < 0xDC00 and text.startswith("\\u", at):
        low = _hex(text, at + 2)
        if 0xDC00 <= low < 0xE000:
            return chr(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00)), at + 6
    # Go puts the replacement character for a surrogate that stands alone.
    return ("\ufffd" if 0xD800 <= unit < 0xE000 else chr(unit)), at


def _hex(text: str, at: int) -> int:
    digits = text[at : at + 4]
    if len(digits) < 4 or any(digit not in "0123456789abcdefABCDEF" for digit in digits):
        return -1
    return int(digits, 16)


def _is_json(text: str) -> bool:
    """Whether Go would accept an array that is not one of strings only. Rare, hence the import here."""
    import json

    def finite(number: str) -> float:
        value = float(number)
        if value in (float("inf"), float("-inf")):
            raise ValueError(number)
        return value

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        json.loads(text, parse_float=finite, parse_int=finite, parse_constant=refuse)
    except (ValueError, RecursionError):
        return False
    return True

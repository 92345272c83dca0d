"""What BuildKit refuses in ``RUN --mount=…`` and ``RUN --device=…``."""

from __future__ import annotations

import re

_TYPES = ("bind", "cache", "tmpfs", "secret", "ssh")
_SHARING = ("shared", "private", "locked")
_BOOLEANS = frozenset(("1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"))
_SIZE = r"[0-9]+(?:\.[0-9]*)? ?(?:[kKmMgGtTpP]i?)?[bB]?\Z"
_ALIASES = {"src": "source", "dst": "target", "destination": "target"}
_FREE = frozenset(("source", "target", "id", "env", "from"))


class CsvError(Exception):
    """What Go's csv reader says about a line."""


def csv_fields(value: str) -> list[str]:
    """The fields of one line of CSV. Raises CsvError."""
    if not value:
        raise CsvError("EOF")
    if '"' not in value:
        return value.split(",")
    fields = []
    at = 0
    while True:
        if not value.startswith('"', at):
            end = value.find(",", at)
            end = len(value) if end < 0 else end
            quote = value.find('"', at, end)
            if quote >= 0:
                raise CsvError(f'parse error on line 1, column {_column(value, quote)}: bare " in non-quoted-field')
            fields.append(value[at:end])
        else:
            end = _closing_quote(value, at + 1)
            fields.append(value[at + 1 : end].replace('""', '"'))
            end += 1
        if end >= len(value):
            return fields
        at = end + 1


def _closing_quote(value: str, at: int) -> int:
    while True:
        end = value.find('"', at)
        if end < 0 or value[end + 1 : end + 2] not in ("", ",", '"'):
            place = len(value) if end < 0 else end
            raise CsvError(
                f'parse error on line 1, column {_column(value, place)}: extraneous or missing " in quoted-field'
            )
        if value[end + 1 : end + 2] != '"':
            return end
        at = end + 2


def _column(value: str, at: int) -> int:
    return len(value[:at].encode("utf-8", "surrogateescape")) + 1


def mount_syntax_error(value: str) -> str | None:
    """BuildKit's words against the value of ``--mount`` before it replaces variables."""
    try:
        fields = csv_fields(value)
    except CsvError as problem:
        return f"failed to parse csv mounts: {problem}"
    for field in fields:
        key, _, text = field.partition("=")
        if key.lower() == "from" and "$" in text[:-1]:
            return f"'{key.lower()}' doesn't support variable expansion, define alias stage instead"
    return None


def mount_error(value: str) -> str | None:
    """BuildKit's words against the fields of a ``--mount`` that `mount_syntax_error` lets pass; what depends on a variable is taken to be right."""
    kind = "bind"
    seen: dict[str, str] = {}
    for field in csv_fields(value):
        key, equals, text = field.partition("=")
        key = key.lower()
        if key == "type" and equals:
            if "$" in text:
                return None
            kind = text.lower()
            if kind not in _TYPES:
                return f'unsupported mount type "{text}"'
            continue
        error = _field_error(kind, key, text if equals else None, field)
        if error is not None:
            return error
        seen[_ALIASES.get(key, key)] = text
    return _combination_error(kind, seen)


def _field_error(kind: str, key: str, text: str | None, field: str) -> str | None:
    if key == "required" and kind not in ("secret", "ssh"):
        return f"unexpected key '{key}' for mount type '{kind}'"
    if text is None:
        if key in ("readonly", "ro", "readwrite", "rw", "required"):
            return None
        return f"invalid field '{field}' must be a key=value pair"
    if key == "size" and kind != "tmpfs":
        return f"unexpected key '{key}' for mount type '{kind}'"
    if "$" in text or _ALIASES.get(key, key) in _FREE:
        return None
    if key in ("readonly", "ro", "readwrite", "rw", "required"):
        return None if text in _BOOLEANS else f"invalid value for {key}: {text}"
    if key == "size":
        return None if re.match(_SIZE, text) else f"invalid value for {key}: {text}"
    if key == "sharing":
        return None if text.lower() in _SHARING else f'unsupported sharing value "{text}"'
    if key in ("mode", "uid", "gid"):
        digits = "01234567" if key == "mode" else "0123456789"
        good = text and all(digit in digits for digit in text) and int(text[:40], len(digits)) < 2**32
        return None if good else f"invalid value {text} for {key}"
    return f"unexpected key '{key}' in '{field}'"


def _combination_error(kind: str, seen: dict[str, str]) -> str | None:
    for key in ("mode", "uid", "gid"):
        if key in seen and kind not in ("secret", "ssh", "cache"):
            return f'{key} not allowed for "{kind}" type mounts'
    if kind == "secret":
        if seen.get("from"):
            return "secret mount should not have a from"
        if "sharing" in seen:
            return "secret mount should not define sharing"
        if not any(seen.get(key) for key in ("source", "target", "id")):
            return "invalid secret mount. one of source, target required"
        if seen.get("source") and seen.get("id"):
            return "both source and id can't be set"
    if "sharing" in seen and kind != "cache":
        return f"invalid cache sharing set for {kind} mount"
    return None


def device_error(value: str) -> str | None:
    """BuildKit's words against the value of ``--device``."""
    try:
        fields = csv_fields(value)
    except CsvError as problem:
        return f"failed to parse csv devices: {problem}"
    name = ""
    for field in fields:
        key, equals, text = field.partition("=")
        key = key.lower()
        if not equals:
            if key == "required":
                continue
            if name:
                return f"invalid field '{field}' must be a key=value pair"
            name = field
        elif key == "name":
            if name:
                return f"device name already set to {name}"
            name = text
        elif key == "required":
            if text not in _BOOLEANS:
                return f"invalid value for {key}: {text}"
        elif name:
            return f"unexpected key '{key}' in '{field}'"
        else:
            name = field
    return None

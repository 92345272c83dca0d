"""buildx's ``--progress=rawjson``: a stream of objects (not of lines), mixed with plain text when a build fails."""

from __future__ import annotations

import base64
import binascii
import codecs
import json
import re
from collections import deque
from typing import Any

from dockerslim_lint.record import Record
from dockerslim_lint.verify.engines.interface import OnStep

_LOG_LINES = 40
_LOG_BYTES = 1 << 14
_TEXT_LIMIT = 200
_PLACE = re.compile(r"^\S.*:(\d+)$")
_DECODER = json.JSONDecoder()


class Failure(Record):
    """What a failed build said of itself; see `BuildError`."""

    message: str
    step: str
    line: int | None
    log: tuple[str, ...]


class ProgressReader:
    """Reads the stream as it arrives; `feed` never raises, whatever the bytes are."""

    def __init__(self, on_step: OnStep) -> None:
        self._on_step = on_step
        self._decode = codecs.getincrementaldecoder("utf-8")("replace")
        self._pending = ""
        self._names: dict[str, str] = {}
        self._logs: dict[str, bytes] = {}
        """the end of what each step printed: a line may come in pieces"""
        self._seen: set[str] = set()
        self._failed: list[tuple[str, str]] = []
        self._text: deque[str] = deque(maxlen=_TEXT_LIMIT)

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        self._pending += self._decode.decode(data)
        self._drain(final=False)

    def finish(self) -> None:
        """No more bytes will come."""
        self._pending += self._decode.decode(b"", final=True)
        self._drain(final=True)

    def failure(self) -> Failure:
        """Why the build failed, as far as the stream tells; asked after `finish`."""
        text = list(self._text)
        errors = [line.removeprefix("ERROR:").strip() for line in text if line.startswith("ERROR:")]
        step, step_error = self._failed[0] if self._failed else ("", "")
        message = errors[-1] if errors else step_error or (text[-1] if text else "the build failed without a word")
        digest = next((digest for digest, name in self._names.items() if name == step), "")
        log = [
            line.rstrip()
            for line in self._logs.get(digest, b"").decode("utf-8", "replace").splitlines()
            if line.strip()
        ]
        return Failure(message, step, _line(text), tuple(log[-_LOG_LINES:]))

    def _drain(self, final: bool) -> None:
        while self._pending:
            text = self._pending.lstrip()
            if text.startswith("{"):
                try:
                    value, end = _DECODER.raw_decode(text)
                except ValueError:
                    if not final:
                        self._pending = text
                        return
                else:
                    self._pending = text[end:]
                    self._take(value)
                    continue
            line, newline, rest = self._pending.partition("\n")
            if not newline and not final:
                return
            self._pending = rest
            if line.strip():
                self._text.append(line.rstrip())

    def _take(self, value: Any) -> None:
        for vertex in _objects(value, "vertexes"):
            digest, name = str(vertex.get("digest", "")), str(vertex.get("name", ""))
            self._names[digest] = name
            if vertex.get("started") and not vertex.get("completed") and digest not in self._seen:
                self._seen.add(digest)
                self._on_step(name)
            error = str(vertex.get("error") or "")
            if error and "context canceled" not in error and (name, error) not in self._failed:
                self._failed.append((name, error))
        for log in _objects(value, "logs"):
            try:
                printed = base64.b64decode(str(log.get("data", "")))
            except binascii.Error:
                continue
            digest = str(log.get("vertex", ""))
            self._logs[digest] = (self._logs.get(digest, b"") + printed)[-_LOG_BYTES:]


def _objects(value: Any, key: str) -> list[dict[str, Any]]:
    found = value.get(key) if isinstance(value, dict) else None
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _line(text: list[str]) -> int | None:
    """The first line that the excerpt under ``Dockerfile:7`` and a rule of dashes marks with ``>>>``, else that 7."""
    for index, line in enumerate(text[:-1]):
        match = _PLACE.match(line)
        if match is None or not text[index + 1].startswith("-----"):
            continue
        for shown in text[index + 2 :]:
            if shown.startswith("-----"):
                break
            number, marked, _ = shown.partition("| >>>")
            if marked and number.strip().isdigit():
                return int(number)
        return int(match[1])
    return None

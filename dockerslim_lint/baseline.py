"""The baseline: findings that are known already. Only new ones are shown and fail.

A finding is known by its file, its code, the text that it points at, and how many of these there are: not by its line. So
it stays known when lines move, and a second one like it is new. The text is that of the finding's own span, with white
space and continuations made one blank, and without variables set before a command (a fix puts such there): what else
stands on the line may change. Of a FROM it is the image, whether written there or behind an ARG or a stage's name: another
base is another finding.

A baseline is about what is told and about the exit code, no more. `--fix` fixes known findings too: who asks for fixes
wants them, the safe ones cannot hurt, and that is how a baseline gets shorter. What is to be left alone for good has
another means, the suppression comment. A file that has no instruction list is never known, since nobody can say what
else is wrong with it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from dockerslim_lint.finding import Finding
from dockerslim_lint.record import Record
from dockerslim_lint.source import Source

VERSION = 1
_LONGEST = 160
"""Characters of a text that are kept; a longer one ends in the hash of the whole."""

Known = Mapping[str, Mapping[tuple[str, str], int]]
"""Paths relative to the baseline's directory, with ``/``; for each (code, text) how many findings are known."""


class BaselineError(ValueError):
    """Bytes that are no baseline; the text says why, in one line without the file's name."""


class Parted(Record):
    """The findings of one file: those that are new and those that are known, each in the order of the file."""

    new: tuple[Finding, ...]
    known: tuple[Finding, ...]


def fingerprint(source: Source, finding: Finding) -> tuple[str, str]:
    """What a finding is known by within its file: code and text."""
    text = finding.about or source.text(finding.span) or source.line_text(source.line_of(finding.span.start))
    words = [word for word in text.split() if word not in ("\\", "`")]
    while len(words) > 1 and words[0].partition("=")[0].isidentifier() and "=" in words[0]:
        del words[0]
    text = " ".join(words)
    if len(text) > _LONGEST:
        from hashlib import sha256

        text = f"{text[:_LONGEST]}… {sha256(text.encode('utf-8', 'surrogateescape')).hexdigest()[:12]}"
    return finding.code, text


def part(source: Source, findings: Iterable[Finding], known: Mapping[tuple[str, str], int]) -> Parted:
    """Part one file's findings; of several with one fingerprint the first ones, as many as are known, are known."""
    left = Counter(known)
    new: list[Finding] = []
    old: list[Finding] = []
    for finding in findings:
        key = fingerprint(source, finding)
        (old if left[key] > 0 else new).append(finding)
        left[key] -= 1
    return Parted(tuple(new), tuple(old))


def counted(source: Source, findings: Iterable[Finding]) -> dict[tuple[str, str], int]:
    """The entry of one file that makes all of these findings known."""
    return dict(Counter(fingerprint(source, finding) for finding in findings))


def gone(
    known: Mapping[tuple[str, str], int], found: Mapping[tuple[str, str], int], codes: Collection[str] | None
) -> dict[tuple[str, str], int]:
    """What of `known` no longer matches a finding; only `codes` were looked for (None: all)."""
    left = {key: number - found.get(key, 0) for key, number in known.items() if codes is None or key[0] in codes}
    return {key: number for key, number in left.items() if number > 0}


def dump(known: Known) -> bytes:
    """The baseline's file: JSON, sorted, one finding a line, so that changes are easy to read and to merge."""
    files = []
    for path in sorted(known):
        lines = [
            json.dumps({"code": code, "text": text, **({"count": number} if number > 1 else {})})
            for (code, text), number in sorted(known[path].items())
            if number > 0
        ]
        if lines:
            files.append(f"    {json.dumps(path)}: [\n      " + ",\n      ".join(lines) + "\n    ]")
    body = "{\n" + ",\n".join(files) + "\n  }" if files else "{}"
    return f'{{\n  "version": {VERSION},\n  "files": {body}\n}}\n'.encode("ascii")


def load(data: bytes) -> dict[str, dict[tuple[str, str], int]]:
    """The inverse of `dump`. Raises BaselineError."""
    try:
        document = json.loads(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise BaselineError("not a baseline: not UTF-8") from None
    except ValueError as error:
        conflict = b"\n<<<<<<< " in b"\n" + data
        raise BaselineError("has merge conflicts" if conflict else f"not a baseline: not valid JSON: {error}") from None
    except RecursionError:
        raise BaselineError("not a baseline: nested too deeply") from None
    if not isinstance(document, dict) or not isinstance(document.get("files"), dict):
        raise BaselineError("not a baseline: it has no `files`")
    version = document.get("version")
    if version != VERSION:
        raise BaselineError(f"a baseline of version {json.dumps(version)}; this program reads version {VERSION}")
    return {path: _entries(path, entries) for path, entries in document["files"].items()}


def _entries(path: str, entries: object) -> dict[tuple[str, str], int]:
    found: Counter[tuple[str, str]] = Counter()
    for entry in entries if isinstance(entries, list) else (None,):
        match entry:
            case {"code": str(code), "text": str(text), **more} if (
                isinstance(number := more.get("count", 1), int) and number > 0
            ):
                found[code, text] += number
            case _:
                raise BaselineError(f'not a baseline: what it says of "{path}" is no list of findings')
    return dict(found)

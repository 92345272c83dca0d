"""Paths in which ``*`` stands for what only the build knows."""

from __future__ import annotations

from fnmatch import fnmatchcase


def join(directory: str, path: str) -> str:
    """`path` seen from `directory`, both POSIX; the result is normalised and absolute if `directory` is."""
    return normalise(path if path.startswith("/") else f"{directory}/{path}")


def normalise(path: str) -> str:
    """Without ``.``, ``..``, double and final slashes; ``/`` for the root."""
    if path[:1] not in ("", ".") and path[-1] != "/" and "//" not in path and "/." not in path:
        return path
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            if parts:
                parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts) if path.startswith("/") else "/".join(parts) or "."


def parent(path: str) -> str:
    """The directory that holds `path`."""
    return path.rsplit("/", 1)[0] or "/"


def basename(path: str) -> str:
    """The last segment."""
    return path.rsplit("/", 1)[-1]


def same(first: str, second: str) -> bool:
    """Whether two patterns can name the same path, segment by segment."""
    if first == second:
        return True
    if "*" not in first and "*" not in second and "?" not in first + second and "[" not in first + second:
        return False
    ours, theirs = first.split("/"), second.split("/")
    return len(ours) == len(theirs) and all(
        a == b or _fits(a, b) or _fits(b, a) for a, b in zip(ours, theirs, strict=True)
    )


def _fits(name: str, pattern: str) -> bool:
    """``fnmatchcase``, without a regular expression for what needs none: to compile one costs more than all else here."""
    if "?" in pattern or "[" in pattern:
        return fnmatchcase(name, pattern)
    first, *rest = pattern.split("*")
    if not rest:
        return name == pattern
    last = rest.pop()
    if len(name) < len(first) + len(last) or not name.startswith(first) or not name.endswith(last):
        return False
    at, end = len(first), len(name) - len(last)
    for piece in rest:
        at = name.find(piece, at, end)
        if at < 0:
            return False
        at += len(piece)
    return True


def below(path: str, directory: str) -> str | None:
    """The part of `path` under `directory` ("" for the directory itself), None if it is not there."""
    if directory == "/":
        return path.lstrip("/")
    if "*" not in path and "?" not in path and "[" not in path and path.startswith(directory):
        if len(path) == len(directory):
            return ""
        if path[len(directory)] == "/":
            return path[len(directory) + 1 :]
    depth = directory.count("/") + 1
    parts = path.split("/")
    if len(parts) < depth or not same("/".join(parts[:depth]), directory):
        return None
    return "/".join(parts[depth:])


def meet(first: str, second: str) -> bool:
    """Whether one of two directories holds the other, or may."""
    return below(first, second) is not None or below(second, first) is not None


def dashless(name: str) -> str:
    """A crate's name as Rust writes it: cargo lets ``-`` and ``_`` be mixed up, a path does not."""
    return name.replace("-", "_")


def merge(first: str | None, second: str | None) -> str | None:
    """A pattern that both values fit: their common start and end around a ``*``; None where one is unknown.

    Values of as many parts between dashes (target triples) are merged part by part: ``*-unknown-linux-musl*``.
    """
    if first is None or second is None:
        return None
    if first == second:
        return first
    ours, theirs = first.split("-"), second.split("-")
    if len(ours) == len(theirs) > 1:
        return "-".join(_around(one, other) for one, other in zip(ours, theirs, strict=True))
    return _around(first, second)


def _around(first: str, second: str) -> str:
    if first == second:
        return first
    shorter = min(len(first), len(second))
    head = 0
    while head < shorter and first[head] == second[head]:
        head += 1
    tail = 0
    while tail < shorter - head and first[-1 - tail] == second[-1 - tail]:
        tail += 1
    return f"{first[:head].rstrip('*')}*{first[len(first) - tail :].lstrip('*') if tail else ''}"

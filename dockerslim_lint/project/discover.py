"""From the arguments of the command line to the Dockerfiles that they mean."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from dockerslim_lint.output.exits import Exit
from dockerslim_lint.output.interface import Problem
from dockerslim_lint.project.read import kind_of, reason
from dockerslim_lint.record import Record

if TYPE_CHECKING:
    from dockerslim_lint.project.gitignore import Layers

_STEMS = ("dockerfile", "containerfile")
_NOT_DOCKERFILES = (".dockerignore", ".md", ".txt", ".bak", ".j2", ".tmpl")
_SOURCES = (".py", ".go", ".rs", ".rb", ".js", ".ts", ".java")
"""Behind a stem in lower case: a module about Dockerfiles. ``Dockerfile.go`` may well be one."""


class Candidate(Record):
    """A file to judge, or the reason why an argument led to none. `path` is as given, or below a directory as given."""

    path: str
    problem: Problem | None = None


def is_dockerfile_name(name: str) -> bool:
    """Whether a file of this name is taken for a Dockerfile when a directory is searched; any case."""
    if name.startswith(_STEMS) and name.endswith(_SOURCES):
        return False
    name = name.lower()
    if name.endswith(_NOT_DOCKERFILES):
        return False
    if name.endswith(tuple(f".{stem}" for stem in _STEMS)):
        return True
    return any(name == stem or (name.startswith(stem) and name[len(stem)] in "._-") for stem in _STEMS)


def discover(paths: Iterable[str]) -> list[Candidate]:
    """The files meant by `paths`, each once: arguments in order, a directory's files sorted by path."""
    found: list[Candidate] = []
    seen: set[str] = set()
    for path in paths:
        for candidate in _of_argument(path):
            # abspath does not look whether a/.. leads back to where it started; with links it need not
            key = candidate.path if ".." in candidate.path else os.path.abspath(candidate.path)
            if key not in seen:
                seen.add(key)
                found.append(candidate)
    return found


def _of_argument(path: str) -> Iterator[Candidate]:
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        if isinstance(error, PermissionError):
            yield Candidate(path, Problem(Exit.UNREADABLE, reason(error)))
        else:
            why = "a symbolic link that leads nowhere" if os.path.islink(path) else reason(error)
            yield Candidate(path, Problem(Exit.NO_INPUT, f"{why}; check the path"))
        return
    if stat.S_ISDIR(mode):
        files = list(_walk(path))
        if not files:
            text = "no Dockerfile or Containerfile in this directory; name the file if it is called otherwise"
            files = [Candidate(path, Problem(Exit.NO_INPUT, text))]
        yield from files
    elif stat.S_ISREG(mode):
        yield Candidate(path)
    else:
        text = f"{kind_of(mode)}, not a file; to lint standard input give -"
        yield Candidate(path, Problem(Exit.UNREADABLE, text))


def _walk(given: str) -> Iterator[Candidate]:
    """The Dockerfiles below a directory. Links to directories are not followed, so there is no way to walk in a circle."""
    from dockerslim_lint.project.gitignore import layers_above

    top = os.path.realpath(given)
    links: list[str] = []
    files: list[Candidate] = []
    _walk_into(top, "" if given in (".", "./") else given.rstrip("/") + "/", layers_above(top), files, links)
    if links:
        known = {os.path.realpath(file.path) for file in files}
        files += [Candidate(link) for link in links if os.path.realpath(link) not in known]
    yield from sorted(files, key=lambda candidate: candidate.path.split("/"))


def _walk_into(directory: str, prefix: str, layers: Layers, files: list[Candidate], links: list[str]) -> None:
    from dockerslim_lint.project.gitignore import ignored, layer_of

    pending = [(directory, prefix, layers)]
    while pending:
        directory, prefix, layers = pending.pop()
        try:
            with os.scandir(directory) as entries:
                listing = list(entries)
        except OSError as error:
            name = prefix.rstrip("/") or "."
            files.append(Candidate(name, Problem(Exit.UNREADABLE, reason(error))))
            continue
        if any(entry.name == ".gitignore" for entry in listing):
            layers += layer_of(directory)
        for entry in listing:
            is_directory = entry.is_dir(follow_symlinks=False)
            if not is_directory and not is_dockerfile_name(entry.name):
                continue
            if entry.name == ".git" or (layers and ignored(entry.path, is_directory, layers)):
                continue
            path = prefix + entry.name
            if is_directory:
                pending.append((entry.path, path + "/", layers))
            elif not entry.is_symlink():
                if entry.is_file(follow_symlinks=False):
                    files.append(Candidate(path))
            elif not os.path.exists(entry.path):
                text = "a symbolic link that leads nowhere; remove it or restore its target"
                files.append(Candidate(path, Problem(Exit.UNREADABLE, text)))
            elif os.path.isfile(entry.path):
                links.append(path)

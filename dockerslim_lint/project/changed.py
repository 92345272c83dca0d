"""`--changed-since`: what git says has changed, and which Dockerfiles that concerns."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence

from dockerslim_lint.config import ConfigError
from dockerslim_lint.project.discover import Candidate
from dockerslim_lint.project.locate import sources_of
from dockerslim_lint.project.places import above, lies_in
from dockerslim_lint.project.read import DOCKERFILE_LIMIT, UnusableError, read_regular
from dockerslim_lint.project.run import Place, configuration_of, context_of
from dockerslim_lint.project.settings import OWN, SHARED, ConfigFinder, Configuration
from dockerslim_lint.project.task import Task
from dockerslim_lint.source import Source
from dockerslim_lint.syntax.dockerfile import parse
from dockerslim_lint.syntax.tree import Dockerfile

_TIMEOUT = 120.0
"""Seconds for one call of git."""
_CONTEXT_NAMES = frozenset(("cargo.toml", "cargo.lock", "rust-toolchain", "rust-toolchain.toml"))


class GitError(Exception):
    """git cannot say what has changed; the text is one line that says why and what to do."""


class Changes:
    """The paths that differ between the working directory and the commit where it parted from a revision.

    What is committed, staged, not staged, or new and not ignored all counts; so do deleted files.
    """

    def __init__(self, revision: str) -> None:
        """Asks git. Raises GitError."""
        top = _git("rev-parse", "--show-toplevel", failed="this is no working tree of git").rstrip("\n")
        self.root = os.path.realpath(top)
        unknown = f'there is no commit "{revision}"'
        if not revision or revision.startswith("-"):
            raise GitError(unknown)
        commit = _git("rev-parse", "--verify", "--quiet", revision + "^{commit}", failed=unknown)
        advice = "in a shallow clone fetch more of the history (actions/checkout: fetch-depth: 0)"
        failed = f'"{revision}" and HEAD have no commit in common; {advice}'
        base = _git("merge-base", commit.strip(), "HEAD", failed=failed).strip()
        names: set[str] = set()
        for extra in ((), ("--cached",)):
            listed = _git("-C", top, "diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", *extra, base, "--")
            names.update(listed.split("\0"))
        names.update(_git("-C", top, "ls-files", "--others", "--exclude-standard", "-z").split("\0"))
        self.paths = frozenset(os.path.join(self.root, name) for name in names - {""})
        self._inputs = [path for path in self.paths if _is_input(path)]

    def has(self, path: str) -> bool:
        """Whether an absolute path has changed, or lies in a repository of its own (a submodule) that has."""
        return path in self.paths or any(
            place in self.paths for place in above(os.path.dirname(path)) if lies_in(place, self.root)
        )

    def concern(self, path: str, finder: ConfigFinder) -> bool:
        """Whether the findings in the Dockerfile `path` may differ: it has changed, or something that they depend on.

        That is its configuration, and of its context the files of cargo, the ignore file, and what is copied by name.
        Where the context is not known, every changed file of cargo counts, if the file speaks of cargo or rust at all.
        """
        where = Place.of(path)
        if not lies_in(where.path, self.root):
            raise GitError(f"{path}: outside of the repository {self.root}")
        if self.has(where.path) or self.has(os.path.realpath(where.path)):
            return True
        if not self.paths:
            return False
        try:
            configuration = configuration_of(where, finder)
            source = Source(read_regular(path, DOCKERFILE_LIMIT), path)
        except (ConfigError, OSError, UnusableError):
            return True  # it will be told why it cannot be judged
        if self._configured(where, configuration):
            return True
        tree = parse(source)
        if not _takes_context(tree):
            return False
        located = context_of(source, where, configuration, finder)
        if located.root is None:
            text = source.data.lower()
            return bool(self._inputs) and (b"cargo" in text or b"rust" in text)
        root = os.path.realpath(located.root)
        copied = [os.path.join(root, name) for name in sources_of(source).paths]
        return any(self.has(name) for name in copied) or any(lies_in(name, root) for name in self._inputs)

    def _configured(self, where: Place, configuration: Configuration) -> bool:
        """Whether a configuration file has changed that is in force, or was."""
        places = {os.path.join(up, OWN) for up in above(where.directory)}
        if configuration.root is not None:
            places.add(os.path.join(os.path.realpath(configuration.root), SHARED))
        return not places.isdisjoint(self.paths)


def only_changed(candidates: Sequence[Candidate], revision: str, task: Task) -> list[Candidate]:
    """Those of the candidates that the changes since a revision concern. Raises GitError."""
    changes = Changes(revision)
    finder = ConfigFinder(task.config, task.overrides)
    return [one for one in candidates if one.problem is not None or changes.concern(one.path, finder)]


def _takes_context(tree: Dockerfile) -> bool:
    """Whether any instruction can bring something of the build context in."""
    return any(
        (one.keyword in ("COPY", "ADD") and one.flag("from") is None)
        or one.flag("mount") is not None
        or one.trigger is not None
        for one in tree.instructions
    )


def _is_input(path: str) -> bool:
    folder, name = os.path.split(path.lower())
    if name in ("config", "config.toml"):
        return os.path.basename(folder) == ".cargo"
    return name in _CONTEXT_NAMES or name.endswith(".dockerignore")


def _git(*arguments: str, failed: str = "") -> str:
    """What git prints. Raises GitError with `failed`, or else with what git says."""
    environment = {**os.environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run(
            ["git", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT,
            check=False,
            env=environment,
        )
    except FileNotFoundError:
        raise GitError("there is no git on the PATH") from None
    except subprocess.TimeoutExpired:
        raise GitError(f"git {arguments[0]} did not end within {_TIMEOUT:.0f} seconds") from None
    except OSError as error:
        raise GitError(f"git cannot be run: {error.strerror}") from None
    if done.returncode != 0:
        said = (done.stderr.decode("utf-8", "replace").strip().splitlines() or [""])[0].removeprefix("fatal: ")
        raise GitError("; git says: ".join(filter(None, (failed, said))) or f"git {arguments[0]} failed")
    return os.fsdecode(done.stdout)

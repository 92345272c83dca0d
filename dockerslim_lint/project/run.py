"""From files to results."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dockerslim_lint import linter
from dockerslim_lint.config import ConfigError, is_named
from dockerslim_lint.edit import Safety
from dockerslim_lint.finding import Finding, Severity
from dockerslim_lint.linter import Report
from dockerslim_lint.output.exits import Exit
from dockerslim_lint.output.interface import FileResult, Problem
from dockerslim_lint.project.discover import Candidate
from dockerslim_lint.project.guard import attempt
from dockerslim_lint.project.locate import Located, locate
from dockerslim_lint.project.places import folder_of, lies_in
from dockerslim_lint.project.read import DOCKERFILE_LIMIT, UnusableError, read_regular, reason
from dockerslim_lint.project.settings import ConfigFinder, Configuration
from dockerslim_lint.project.task import Task
from dockerslim_lint.record import Record
from dockerslim_lint.source import Source, Span

if TYPE_CHECKING:
    from dockerslim_lint.facts.model import ImageBuild
    from dockerslim_lint.project.verify import Prover

_MAY_COPY = re.compile(rb"^[ \t]*(?:copy|add)\b(?!.*--from)|--mount=", re.IGNORECASE | re.MULTILINE)
"""Not one hit: nothing is copied from the context, and no tree is needed to know that."""
_NO_BUFFERS: Mapping[str, bytes] = {}
_MANY = 20
"""More files than this are shared out to worker processes."""


class Place(Record):
    """Where a Dockerfile is: its `directory`, absolute and without links, and its `name` there."""

    directory: str
    name: str

    @classmethod
    def of(cls, path: str) -> Place:
        return cls(folder_of(path), os.path.basename(path))

    @property
    def path(self) -> str:
        return os.path.join(self.directory, self.name)

    def from_root(self, configuration: Configuration) -> str:
        """The file's path as the configuration file writes it; where the file lies elsewhere, its name."""
        if configuration.root is None:
            return self.name
        root = os.path.realpath(configuration.root)
        return os.path.relpath(self.path, root).replace(os.sep, "/") if lies_in(self.path, root) else self.name

    def is_excluded(self, configuration: Configuration) -> bool:
        """Whether the configuration's `exclude` names the file."""
        patterns = configuration.settings.exclude
        return configuration.root is not None and bool(patterns) and is_named(self.from_root(configuration), patterns)


def judge_all(candidates: Sequence[Candidate], task: Task, prover: Prover | None = None) -> list[FileResult]:
    """The results in the order of the candidates, whoever computed them. With a `prover`: one after the other."""
    workers = min(_processors(), len(candidates) // _MANY + 1)
    if len(candidates) > _MANY and workers > 1 and prover is None:
        return _judge_in_workers(candidates, task, workers)
    finder = ConfigFinder(task.config, task.overrides)
    return [judge(candidate, task, finder, prover) for candidate in candidates]


def judge(candidate: Candidate, task: Task, finder: ConfigFinder, prover: Prover | None = None) -> FileResult:
    """One file's result. Never raises: our own bug is a Problem too."""
    path = candidate.path
    if candidate.problem is not None:
        return unjudged(path, candidate.problem)
    result = attempt(lambda: _judge_file(path, task, finder, prover))
    return unjudged(path, result) if isinstance(result, Problem) else result


def judge_text(
    data: bytes,
    path: str,
    task: Task,
    prover: Prover | None = None,
    buffers: Mapping[str, bytes] = _NO_BUFFERS,
) -> FileResult:
    """The result for bytes that stand for the file `path`, which need not exist ("-": a file in the working directory).

    Never raises, and the result holds the bytes whatever happens. `buffers` are the context's files that an editor has
    open, by their absolute paths without links.
    """
    if len(data) > DOCKERFILE_LIMIT:
        return unjudged(path, Problem(Exit.UNREADABLE, "larger than any Dockerfile"))._replace(before=data)
    result = attempt(lambda: _judge_text(Source(data, path), task, prover, buffers))
    return (unjudged(path, result) if isinstance(result, Problem) else result)._replace(before=data)


def _judge_text(source: Source, task: Task, prover: Prover | None, buffers: Mapping[str, bytes]) -> FileResult:
    finder = ConfigFinder(task.config, task.overrides)
    try:
        where = Place.of("Dockerfile" if source.path == "-" else source.path)
        configuration = configuration_of(where, finder)
    except ConfigError as error:
        return unjudged(source.path, Problem(Exit.USAGE, str(error)))
    except ValueError:  # a zero byte in the name
        return unjudged(source.path, Problem(Exit.USAGE, f"{source.path!r} is no name for a file"))
    except OSError as error:
        name = "the working directory" if source.path == "-" else source.path
        return unjudged(source.path, Problem(Exit.USAGE, f"{name}: {reason(error)}"))
    if where.is_excluded(configuration):
        return FileResult(source.path, fail_on=configuration.for_file(where.from_root(configuration)).fail_on)
    return _judge_source(source, where, task, finder, configuration, prover, None, buffers)


def facts_of_text(data: bytes, path: str, buffers: Mapping[str, bytes]) -> ImageBuild | None:
    """What is known of the bytes that stand for the file `path`, in its surroundings; None where those are broken."""
    from dockerslim_lint.facts.build import read_build

    source = Source(data, path)
    finder = ConfigFinder()
    try:
        where = Place.of("Dockerfile" if path == "-" else path)
        configuration = configuration_of(where, finder)
    except (ConfigError, OSError, ValueError):
        return None
    settings = configuration.for_file(where.from_root(configuration))
    context = context_of(source, where, configuration, finder).under(buffers).context
    return read_build(source, context, dict(settings.args), settings.target, settings.platforms)


def unjudged(path: str, problem: Problem) -> FileResult:
    """The result for a file that could not be judged; one that cannot be read carries DSL901."""
    if problem.exit != Exit.UNREADABLE:
        return FileResult(path, problem=problem)
    finding = Finding("DSL901", "unparsable", Severity.ERROR, problem.text, Span(0, 0))
    return FileResult(path, report=Report(Source(b"", path), (finding,), (), problem.text, ()))


def _judge_file(path: str, task: Task, finder: ConfigFinder, prover: Prover | None) -> FileResult:
    where = Place.of(path)
    try:
        configuration = configuration_of(where, finder)
        if where.is_excluded(configuration):
            return FileResult(path, fail_on=configuration.for_file(where.from_root(configuration)).fail_on)
        source = Source(read_regular(path, DOCKERFILE_LIMIT), path)
    except ConfigError as error:
        return unjudged(path, Problem(Exit.USAGE, str(error)))
    except OSError as error:
        return unjudged(path, Problem(Exit.UNREADABLE, reason(error)))
    except UnusableError as error:
        return unjudged(path, Problem(Exit.UNREADABLE, f"{error}, no Dockerfile"))
    return _judge_source(source, where, task, finder, configuration, prover, path)


def _judge_source(
    source: Source,
    where: Place,
    task: Task,
    finder: ConfigFinder,
    configuration: Configuration,
    prover: Prover | None,
    target: str | None,
    buffers: Mapping[str, bytes] = _NO_BUFFERS,
) -> FileResult:
    """Lint or fix; `target` is the file that a fix may be written to."""
    settings = configuration.for_file(where.from_root(configuration))
    located = context_of(source, where, configuration, finder).under(buffers)
    result = FileResult(
        source.path,
        fail_on=settings.fail_on,
        context=None if located.root is None else os.path.relpath(located.root).replace(os.sep, "/"),
        context_reason=located.reason,
        before=source.data,
    )
    if not task.fix:
        return result._replace(report=linter.lint(source, located.context, settings, task.alternatives))
    if prover is not None:
        proven = prover.prove(result, source, where.path, located, settings)
        if proven is not None:
            return proven
    allow = Safety.PROVABLE if task.unsafe else Safety.SAFE
    fixed = linter.fix(source, located.context, settings, allow)
    if fixed.bug is not None:
        # what a bug of ours had a hand in is not written, not even in part
        return result._replace(report=linter.lint(source, located.context, settings), bug=fixed.bug)
    after = fixed.source.data if fixed.source.data != source.data else None
    held = fixed.held if task.write else fixed.unwritten
    result = result._replace(report=fixed.report, applied=fixed.applied, held=held, after=after)
    if after is None or target is None or not task.write:
        return result
    return _written(result, target, after)


def configuration_of(where: Place, finder: ConfigFinder) -> Configuration:
    """The configuration of a Dockerfile. Raises ConfigError, also where it speaks of files that are not there."""
    configuration = finder.find(where.directory)
    if configuration.settings.images:
        configuration.refuse_absent(where.from_root(configuration))
    return configuration


def context_of(source: Source, where: Place, configuration: Configuration, finder: ConfigFinder) -> Located:
    """The build context of a Dockerfile."""
    read = source if _MAY_COPY.search(source.data) else None
    image = configuration.image(where.from_root(configuration))
    return locate(where.directory, read, image, configuration.root, finder.repositories.root(where.directory))


def _written(result: FileResult, target: str, data: bytes) -> FileResult:
    from pathlib import Path

    from dockerslim_lint.project.write import ChangedError, write_atomically

    try:
        write_atomically(Path(target), data, expected_old=result.before)
    except ChangedError:
        return FileResult(result.path, problem=Problem(Exit.UNREADABLE, "changed while it was judged; run again"))
    except OSError as error:
        return FileResult(result.path, problem=Problem(Exit.UNREADABLE, f"cannot be written: {error.strerror}"))
    return result._replace(written=True)


def _processors() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


def _judge_in_workers(candidates: Sequence[Candidate], task: Task, workers: int) -> list[FileResult]:
    from concurrent.futures import ProcessPoolExecutor

    executor = ProcessPoolExecutor(workers, initializer=_start_worker, initargs=(task,))
    try:
        chunk = max(len(candidates) // (workers * 4), 1)
        return list(executor.map(_judge_in_worker, candidates, chunksize=chunk))
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


class _Worker:
    """What a worker process keeps between files."""

    task = Task()
    finder = ConfigFinder()


def _start_worker(task: Task) -> None:
    import signal

    # Ctrl-C reaches the whole process group; the parent tells the user, once
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _Worker.task = task
    _Worker.finder = ConfigFinder(task.config, task.overrides)


def _judge_in_worker(candidate: Candidate) -> FileResult:
    return judge(candidate, _Worker.task, _Worker.finder)

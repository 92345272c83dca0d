"""Value types of the slim decision."""

from __future__ import annotations

from dockerslim_lint.catalog.images import BaseImage
from dockerslim_lint.edit import ConfigChange, Edit
from dockerslim_lint.facts.model import FinalImage, ImageBuild
from dockerslim_lint.record import Record


class NotPossible(Exception):  # noqa: N818 - no error: the answer of a block that must not guess
    """A choice cannot be composed; the text is the reason, for people, without a final stop."""


class Choice(Record):
    """A final base. `keep` is True where the base that is there stays."""

    name: str
    base: BaseImage
    keep: bool


class Task(Record):
    """What one candidate has to do: the images of one decision, and the calls that make their programs.

    `calls` are all indexes into ``ImageBuild.calls`` that need the new target (also those that only warm the cache);
    `stages` are the builder stages, in order. `retarget` is False where all programs are static musl already.
    """

    build: ImageBuild
    images: tuple[FinalImage, ...]
    calls: tuple[int, ...]
    stages: tuple[int, ...]
    choice: Choice
    retarget: bool


class Draft(Record):
    """What a block contributes."""

    edits: tuple[Edit, ...] = ()
    changes: tuple[ConfigChange, ...] = ()

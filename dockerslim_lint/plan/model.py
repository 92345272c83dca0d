"""Value types of the slim decision."""

from __future__ import annotations

from dockerslim_lint.catalog.images import BaseImage
from dockerslim_lint.catalog.platforms import Platform
from dockerslim_lint.edit import ConfigChange, Edit
from dockerslim_lint.facts.model import FinalImage, ImageBuild, Warmup
from dockerslim_lint.record import Record


class NotPossible(Exception):  # noqa: N818 - no error: the answer of a block that must not guess
    """A choice cannot be composed; the text is the reason, for people, without a final stop."""


class Unsure(NotPossible):
    """Nothing is known that speaks against the choice: something is not known, or not understood."""


class AtBest(NotPossible):
    """Nothing is to be gained by the choice: the image is as it would make it."""


class Choice(Record):
    """A final base. `keep` is True where the base that is there stays; `installs` where packages of its distribution stay or are added."""

    name: str
    base: BaseImage
    keep: bool
    installs: bool = False


class Vendored(Record):
    """`feature` for ``--features``, what it compiles, and what is to be said of that."""

    feature: str
    library: str
    note: str


class Task(Record):
    """What one candidate has to do: the images of one decision, and the calls that make their programs.

    `cooks` are those that warm it with dependencies. `calls` are all indexes into ``ImageBuild.calls`` that need the new target (also those that only warm the cache);
    `stages` are the builder stages, in order. `retarget` is False where the programs keep their libc: all are static
    musl already, or `choice` has glibc (`why_glibc` then says why not musl, "" if musl is possible too). `compiler` are
    the Debian packages with which the crates' C code is compiled for musl. `platforms` are those of which a ``case`` tells
    the target; () where ``uname -m`` does. `cross`: the builder runs on the build platform, whatever the target.
    `named`: the file names its glibc targets, and these become musl ones. `asked`: the user's settings name the
    choice. `unsure`: `why_glibc` is only that something is not known. `doubts` are why a build for musl may fail. `vendored` is set where the calls also get a feature by which OpenSSL
    is compiled from source.
    """

    build: ImageBuild
    images: tuple[FinalImage, ...]
    calls: tuple[int, ...]
    stages: tuple[int, ...]
    choice: Choice
    retarget: bool
    compiler: tuple[str, ...] = ()
    cooks: tuple[Warmup, ...] = ()
    why_glibc: str = ""
    platforms: tuple[Platform, ...] = ()
    cross: bool = False
    named: bool = False
    asked: bool = False
    unsure: bool = False
    doubts: tuple[str, ...] = ()
    vendored: Vendored | None = None

    @property
    def glibc(self) -> bool:
        """Whether the programs stay glibc programs."""
        return self.choice.base.libc == "glibc"


class Draft(Record):
    """What a block contributes."""

    edits: tuple[Edit, ...] = ()
    changes: tuple[ConfigChange, ...] = ()

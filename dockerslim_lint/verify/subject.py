"""What is to be proven, and how."""

from __future__ import annotations

from pathlib import Path

from dockerslim_lint.edit import Claim, ConfigChange, Need
from dockerslim_lint.record import Record
from dockerslim_lint.verify.commands import Limits


class Subject(Record):
    """The Dockerfile on trial. `path` is shown to people.

    `dockerfile_path` is where it lies (None: nowhere), `base` its final stage's FROM resolved to a reference (None:
    not known), `context` the directory to build in (None: an empty one). `programs` are paths of the shipped programs, `needs` what is looked up in the image.
    """

    path: str
    dockerfile: bytes
    context: Path | None
    dockerfile_path: Path | None = None
    target: str | None = None
    args: tuple[tuple[str, str], ...] = ()
    base: str | None = None
    programs: tuple[str, ...] = ()
    needs: tuple[Need, ...] = ()


class Other(Record):
    """Another image of the same file, built with ``--target``; `old_base` and `old_programs` are the original's."""

    target: str
    claim: Claim
    old_base: str | None
    base: str | None
    old_programs: tuple[str, ...]


class Candidate(Record):
    """One rewrite, complete: the new bytes and what is claimed of them. `base` as in Subject, for the new file.

    `others` are the images that it changes besides the one of `Subject.target`: each is built and run too. `repaired` are
    the first lines of the steps at which the original cannot be built, and which it mends.
    """

    choice: str
    after: bytes
    claim: Claim | None = None
    config_changes: tuple[ConfigChange, ...] = ()
    base: str | None = None
    others: tuple[Other, ...] = ()
    repaired: tuple[int, ...] = ()


class Options(Record):
    """How to prove. `platforms` are those that were named (empty: none were); limits and timeouts in seconds."""

    platforms: tuple[str, ...] = ()
    smokes: tuple[str, ...] = ()
    limits: Limits = Limits()
    probe_image: str = "busybox:musl"
    build_timeout: float = 3600.0

"""What is to be done with each file."""

from __future__ import annotations

from dockerslim_lint.project.settings import Overrides
from dockerslim_lint.record import Record


class Task(Record):
    """`fix`: compute fixes, not only findings. `write`: put the result into the file. `unsafe`: without a proof.

    `alternatives`: the output shows all candidates of a decision, not only the preferred one. `verify`: take only what
    is proven, with `smoke` commands, on the engine's `builder`. `config`: a configuration file instead of the nearest ones.
    """

    fix: bool = False
    unsafe: bool = False
    write: bool = False
    alternatives: bool = True
    verify: bool = False
    smoke: tuple[str, ...] = ()
    builder: str | None = None
    config: str | None = None
    overrides: Overrides = Overrides()

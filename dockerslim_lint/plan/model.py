"""The slim decision's value types."""

from __future__ import annotations

from typing import NamedTuple

from dockerslim_lint.edit import Fix, Withheld


class Plan(NamedTuple):
    """How the build could be slimmed.

    `slim` holds one decision for each connected group of builder stages and terminal stages, by the index of the
    terminal stage: its candidates (each a complete fix, preferred first) or why there is none.
    """

    slim: dict[int, tuple[Fix, ...] | Withheld]

"""Whether a program's own sources ask for backtraces. Loaded where its symbols may go."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from dockerslim_lint.context import BuildContext
from dockerslim_lint.facts.crate.sources import packages_of

_ASKS = re.compile(rb'force_capture\s*\(|set_var\s*\(\s*"RUST_(?:LIB_)?BACKTRACE"')
"""std prints no function's name without one of these or the variable itself (std::backtrace, "Environment Variables")."""


def asks_for_backtraces(
    context: BuildContext, root: str, programs: Mapping[str, tuple[str, ...]], names: Iterable[str]
) -> bool:
    """Whether the programs `names`, or what they link of the workspace, ask std for backtraces by themselves."""
    return any(
        _ASKS.search(context.read(path) or b"") is not None
        for _, _, paths in packages_of(context, root, programs, names)
        for path in paths
    )

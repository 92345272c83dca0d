"""Whether a program's own sources ask for backtraces. Loaded where its symbols may go."""

from __future__ import annotations

import re

from dockerslim_lint.facts.crate.sources import Sources

_ASKS = re.compile(rb'force_capture\s*\(|set_var\s*\(\s*"RUST_(?:LIB_)?BACKTRACE"')
"""std prints no function's name without one of these or the variable itself (std::backtrace, "Environment Variables")."""


def asks_for_backtraces(sources: Sources) -> bool:
    """Whether the sources ask std for backtraces by themselves."""
    return any(_ASKS.search(data) for _, data in sources.all_texts())

"""The one place where an error that nobody foresaw is caught."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from dockerslim_lint.output.exits import Exit
from dockerslim_lint.output.interface import Problem

ISSUES_URL = "https://github.com/dockerslim/dockerslim-lint/issues"

_T = TypeVar("_T")


def attempt(call: Callable[[], _T]) -> _T | Problem:
    """The result of `call`, or the Problem (our bug) that stands for whatever it raised."""
    try:
        return call()
    # One file's bug must not cost the others their result, and nobody wants a traceback: whatever the reason, it is ours.
    except Exception as error:  # noqa: BLE001
        from traceback import format_exception

        text = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        return Problem(
            Exit.BUG,
            f"our bug; please report it with this file at {ISSUES_URL} ({text}); --verbose shows where",
            "".join(format_exception(error)),
        )

"""The language server: a shell around `lint`, `fix` and the facts. Needs the extra ``lsp`` (pygls 2)."""

from __future__ import annotations


class MissingExtraError(Exception):
    """The extra is not installed; the text says in one line how to get it."""


def serve() -> int:
    """Speak with an editor over standard input and output until it says exit. Raises MissingExtraError."""
    try:
        from dockerslim_lint.lsp import server
    except ImportError as error:
        if (error.name or "").startswith("dockerslim_lint"):
            raise
        text = f"the language server needs pygls 2 ({error}): python3 -m pip install 'dockerslim-lint[lsp]'"
        raise MissingExtraError(text) from None
    return server.serve()

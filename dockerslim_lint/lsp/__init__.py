"""The language server: a shell around `lint`, `fix` and the facts. Needs the extra ``lsp`` (pygls 2)."""

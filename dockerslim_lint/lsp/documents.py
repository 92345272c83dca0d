"""What the editor has open: texts that are newer than the files on disk."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from lsprotocol import types
from pygls.uris import to_fs_path

from dockerslim_lint.lsp.positions import UTF16, Positions
from dockerslim_lint.project.discover import is_dockerfile_name
from dockerslim_lint.record import Record
from dockerslim_lint.source import Source

_LANGUAGES = ("dockerfile", "containerfile")


class Document(Record):
    """One open text. `path` is its file, "-" where it has none yet; `is_dockerfile`: it is one to judge."""

    uri: str
    path: str
    is_dockerfile: bool
    version: int
    source: Source

    def changed(self, version: int, changes: Sequence[types.TextDocumentContentChangeEvent], unit: str) -> Document:
        """The text after the client's changes, made in their order."""
        source = self.source
        for change in changes:
            data = _bytes(change.text)
            if isinstance(change, types.TextDocumentContentChangePartial):
                start, end = Positions(source, unit).span(change.range)
                data = source.data[:start] + data + source.data[end:]
            source = Source(data, self.path)
        return self._replace(version=version, source=source)


class Documents:
    """All open texts by their address. `unit` is what the client counts columns in."""

    def __init__(self) -> None:
        self.unit = UTF16
        self._open: dict[str, Document] = {}

    def open(self, item: types.TextDocumentItem) -> Document:
        """Take up a text."""
        path = to_fs_path(item.uri) if item.uri.startswith("file:") else None
        is_dockerfile = item.language_id.lower() in _LANGUAGES or is_dockerfile_name(Path(path or "").name)
        source = Source(_bytes(item.text), path or "-")
        document = Document(item.uri, source.path, is_dockerfile, item.version, source)
        self._open[item.uri] = document
        return document

    def change(self, params: types.DidChangeTextDocumentParams) -> Document | None:
        """Change a text; None where it was never opened."""
        known = params.text_document
        document = self._open.get(known.uri)
        if document is not None:
            document = self._open[known.uri] = document.changed(known.version, params.content_changes, self.unit)
        return document

    def close(self, uri: str) -> Document | None:
        """Forget a text."""
        return self._open.pop(uri, None)

    def get(self, uri: str) -> Document | None:
        """An open text."""
        return self._open.get(uri)

    def dockerfiles(self) -> list[Document]:
        """The open texts that are to be judged."""
        return [document for document in self._open.values() if document.is_dockerfile]

    def buffers(self) -> dict[str, bytes]:
        """What is open beside Dockerfiles (Cargo.toml, .dockerignore …), by the real paths of the files."""
        return {
            os.path.realpath(document.path): document.source.data
            for document in self._open.values()
            if not document.is_dockerfile and document.path != "-"
        }


def _bytes(text: str) -> bytes:
    """UTF-8; half a surrogate pair, which is no character, becomes a question mark as wide as it was."""
    return text.encode("utf-8", "replace")

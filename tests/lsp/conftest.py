"""The server as a process, and a client that remembers what it was told."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest_asyncio
from lsprotocol import types
from pygls.lsp.client import LanguageClient as BaseClient
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities
from pytest_lsp.client import DEFAULT_CLIENT_FEATURES

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = (sys.executable, "-m", "dockerslim_lint")
PATIENCE = 30.0


class Editor(LanguageClient):
    """A client with what a person does in an editor. `published` is all that the server has said, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.published: list[types.PublishDiagnosticsParams] = []
        self.watched: list[str] = []
        self.texts: dict[str, str] = {}
        self.versions: dict[str, int] = {}
        features = {**DEFAULT_CLIENT_FEATURES, types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS: _published}
        for method, handler in {**features, types.CLIENT_REGISTER_CAPABILITY: _registered}.items():
            self.feature(method)(handler)

    @property
    def pid(self) -> int:
        """The server's process."""
        assert self._server is not None
        return self._server.pid

    def open(self, uri: str, text: str, language: str = "dockerfile") -> None:
        """Open a text."""
        self.texts[uri], self.versions[uri] = text, 1
        self.text_document_did_open(
            types.DidOpenTextDocumentParams(types.TextDocumentItem(uri, language, 1, text)),
        )

    def close(self, uri: str) -> None:
        """Close a text."""
        if self.texts.pop(uri, None) is not None:
            self.text_document_did_close(types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(uri)))

    def change(self, uri: str, *changes: types.TextDocumentContentChangeEvent) -> int:
        """Send changes; the new version."""
        self.versions[uri] += 1
        version = self.versions[uri]
        identifier = types.VersionedTextDocumentIdentifier(version, uri)
        self.text_document_did_change(types.DidChangeTextDocumentParams(identifier, list(changes)))
        return version

    def replace(self, uri: str, text: str) -> int:
        """Put another text in the place of the whole."""
        return self.change(uri, types.TextDocumentContentChangeWholeDocument(text))

    def type(self, uri: str, line: int, column: int, text: str) -> int:
        """Insert a text at a place."""
        at = types.Position(line, column)
        return self.change(uri, types.TextDocumentContentChangePartial(types.Range(at, at), text))

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait for something to come true; raises TimeoutError."""
        async with asyncio.timeout(PATIENCE):
            while not true():
                await asyncio.sleep(0.005)

    def last(self, uri: str) -> types.PublishDiagnosticsParams | None:
        """The newest diagnostics of a text."""
        return next((one for one in reversed(self.published) if one.uri == uri), None)

    async def told(self, uri: str, version: int = 1) -> list[types.Diagnostic]:
        """The diagnostics of one version of a text, once they are there."""

        def there() -> bool:
            last = self.last(uri)
            return last is not None and last.version == version

        await self.until(there)
        last = self.last(uri)
        assert last is not None
        return list(last.diagnostics)

    async def actions(
        self, uri: str, line: int, column: int = 0, only: list[types.CodeActionKind | str] | None = None
    ) -> list[types.CodeAction]:
        """What is offered at a place."""
        at = types.Position(line, column)
        params = types.CodeActionParams(
            types.TextDocumentIdentifier(uri), types.Range(at, at), types.CodeActionContext([], only)
        )
        found = await self.text_document_code_action_async(params)
        actions = [one for one in found or [] if isinstance(one, types.CodeAction)]
        assert len(actions) == len(found or [])
        return actions

    async def hovered(self, uri: str, line: int, column: int) -> str:
        """The text under the cursor, "" for none."""
        params = types.HoverParams(types.TextDocumentIdentifier(uri), types.Position(line, column))
        found = await self.text_document_hover_async(params)
        assert found is None or isinstance(found.contents, types.MarkupContent)
        return found.contents.value if found and isinstance(found.contents, types.MarkupContent) else ""


def _published(client: Editor, params: types.PublishDiagnosticsParams) -> None:
    client.published.append(params)
    client.diagnostics[params.uri] = params.diagnostics


def _registered(client: Editor, params: types.RegistrationParams) -> None:
    client.watched += [registration.method for registration in params.registrations]


async def start(
    *command: str, editor: str = "visual-studio-code", encodings: list[str] | None = None, folder: Path = ROOT
) -> tuple[Editor, types.InitializeResult]:
    """A session with a server of its own."""
    client = await ClientServerConfig(list(command or (*PROGRAM, "lsp")), client_factory=Editor).start()
    assert isinstance(client, Editor) and isinstance(client, BaseClient)
    capabilities = client_capabilities(editor)
    if encodings is not None:
        capabilities.general = types.GeneralClientCapabilities(position_encodings=encodings)
    result = await client.initialize_session(
        types.InitializeParams(capabilities=capabilities, root_uri=folder.as_uri(), process_id=None)
    )
    return client, result


async def stop(client: Editor) -> int | None:
    """End a session as an editor does; the server's exit code."""
    await client.shutdown_session()
    assert client._server is not None
    code = client._server.returncode
    await client.stop()  # type: ignore[no-untyped-call]
    return code


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def session() -> AsyncIterator[Editor]:
    """One server for all tests of a module: it must bear that too."""
    client, _ = await start()
    yield client
    assert client.error is None
    assert await stop(client) == 0


@pytest_asyncio.fixture(loop_scope="module")
async def editor(session: Editor) -> AsyncIterator[Editor]:
    """An editor with nothing open."""
    session.log_messages.clear()
    yield session
    for uri in [*session.texts]:
        session.close(uri)
    await session.hovered("file:///nothing", 0, 0)  # answered after all that was sent before it
    session.published.clear()


def applied(text: str, action: types.CodeAction, uri: str) -> str:
    """The text after an action, for positions counted in UTF-16."""
    assert action.edit is not None
    if action.edit.document_changes is not None:
        (change,) = action.edit.document_changes
        assert isinstance(change, types.TextDocumentEdit) and change.text_document.uri == uri
        edits = [edit for edit in change.edits if isinstance(edit, types.TextEdit)]
        assert len(edits) == len(change.edits)
    else:
        edits = list((action.edit.changes or {})[uri])
    for edit in reversed(edits):
        start, end = (_index(text, place) for place in (edit.range.start, edit.range.end))
        text = text[:start] + edit.new_text + text[end:]
    return text


def _index(text: str, place: types.Position) -> int:
    lines = text.split("\n")
    before = sum(len(line) + 1 for line in lines[: place.line])
    units = lines[place.line].encode("utf-16-le")[: place.character * 2]
    return before + len(units.decode("utf-16-le"))

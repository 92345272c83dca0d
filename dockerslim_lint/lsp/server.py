"""The server: which message of the client leads to what. It judges nothing itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, TypeVar

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol, lsp_method

from dockerslim_lint import __version__
from dockerslim_lint.lsp.actions import FIX_ALL, KINDS, Offers, wanted
from dockerslim_lint.lsp.diagnostics import SOURCE, diagnostics
from dockerslim_lint.lsp.documents import Document, Documents
from dockerslim_lint.lsp.hover import hover
from dockerslim_lint.lsp.positions import Positions
from dockerslim_lint.output.interface import FileResult, Problem
from dockerslim_lint.project.guard import attempt
from dockerslim_lint.project.run import facts_of_text, judge_text
from dockerslim_lint.project.task import Task
from dockerslim_lint.record import Record

if TYPE_CHECKING:
    from pygls.server import ServerErrors

DELAY = 0.17
"""Seconds without a change before a text is judged."""
WATCHED = (
    "**/Cargo.toml",
    "**/Cargo.lock",
    "**/*.dockerignore",
    "**/rust-toolchain",
    "**/rust-toolchain.toml",
    "**/.cargo/config",
    "**/.cargo/config.toml",
    "**/.dockerslim.toml",
    "**/pyproject.toml",
)
"""The files beside a Dockerfile that a verdict depends on."""

_FIRST = Task(alternatives=False)
"""What a keystroke asks: each finding with its preferred fix."""
_ALL = Task()
_FIX = Task(fix=True)
"""What ``lint --fix`` would write."""
_T = TypeVar("_T")


class _Judged(Record):
    """A result, with the document and the state of its surroundings that it is about."""

    document: Document
    surroundings: int
    result: FileResult


class _Protocol(LanguageServerProtocol):
    """The protocol of pygls, without its own copy of each change.

    That one breaks lines at form feeds and the like (``str.splitlines``), and then moves the positions of the change
    before anyone else sees them. `Documents` keeps the texts.
    """

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: types.DidChangeTextDocumentParams) -> Generator[Any, Any, None]:
        yield self.fm.features[types.TEXT_DOCUMENT_DID_CHANGE], (params,), None


class Server(LanguageServer):
    """One editor's server: what is open, what was said of it, what waits to be judged."""

    def __init__(self) -> None:
        super().__init__(SOURCE, __version__, protocol_cls=_Protocol)
        self.documents = Documents()
        self.ended_well = False
        self._surroundings = 0
        self._judged: dict[tuple[str, Task], _Judged] = {}
        self._waiting: dict[str, asyncio.TimerHandle] = {}
        self._noted: dict[str, tuple[str, ...]] = {}

    def report_server_error(self, error: Exception, source: ServerErrors) -> None:
        """Into the editor's log; the request that failed has its own answer."""
        self.log(types.MessageType.Error, f"{source.__name__}: {error}")

    def log(self, kind: types.MessageType, text: str) -> None:
        """A line or more in the editor's log."""
        self.window_log_message(types.LogMessageParams(kind, text))

    def attempt(self, call: Callable[[], _T]) -> _T | None:
        """The result of `call`; whatever it raises is a bug of ours that goes to the log, and the server stays."""
        outcome = attempt(call)
        if isinstance(outcome, Problem):
            self.log(types.MessageType.Error, f"{outcome.text}\n{outcome.traceback}")
            return None
        return outcome

    def judge_soon(self, uri: str, delay: float = DELAY) -> None:
        """Judge a text once nothing has changed in it for a while."""
        self._forget(uri)
        self._waiting[uri] = asyncio.get_running_loop().call_later(delay, self._publish, uri)

    def judge_all(self) -> None:
        """Judge all open Dockerfiles again: something beside them has changed."""
        self._surroundings += 1
        for document in self.documents.dockerfiles():
            self.judge_soon(document.uri)

    def result(self, document: Document, task: Task) -> FileResult:
        """What comes of a task for a text as it is now; nothing is done twice."""
        key = (document.uri, task)
        known = self._judged.get(key)
        if known is None or known.document is not document or known.surroundings != self._surroundings:
            result = judge_text(document.source.data, document.path, task, buffers=self.documents.buffers())
            if result.problem is not None and result.problem.traceback:
                self.log(types.MessageType.Error, f"{document.path}: {result.problem.text}\n{result.problem.traceback}")
            known = self._judged[key] = _Judged(document, self._surroundings, result)
        return known.result

    def withdraw(self, uri: str) -> None:
        """Say nothing more of a text."""
        self._forget(uri)
        self._noted.pop(uri, None)
        for task in (_FIRST, _ALL, _FIX):
            self._judged.pop((uri, task), None)
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))

    def _publish(self, uri: str) -> None:
        self._waiting.pop(uri, None)
        document = self.documents.get(uri)
        if document is None:
            return

        def found() -> list[types.Diagnostic]:
            result = self.result(document, _FIRST)
            self._note(document, result.report.notes if result.report is not None else ())
            return diagnostics(result, uri, Positions(document.source, self.documents.unit))

        shown = self.attempt(found) or []
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, shown, document.version))

    def _note(self, document: Document, notes: tuple[str, ...]) -> None:
        """Log what is to be said besides the findings, such as a Cargo.toml that is broken; each once while it lasts."""
        now = tuple(note for note in notes if not note.startswith("line "))  # those are diagnostics
        for note in now:
            if note not in self._noted.get(document.uri, ()):
                self.log(types.MessageType.Warning, f"{document.path}: {note}")
        self._noted[document.uri] = now

    def _forget(self, uri: str) -> None:
        waiting = self._waiting.pop(uri, None)
        if waiting is not None:
            waiting.cancel()


def _initialize(ls: Server, params: types.InitializeParams) -> None:
    unit = ls.workspace.position_encoding
    ls.documents.unit = unit.value if isinstance(unit, types.PositionEncodingKind) else str(unit)


async def _initialized(ls: Server, params: types.InitializedParams) -> None:
    workspace = ls.client_capabilities.workspace
    watched = workspace.did_change_watched_files if workspace else None
    if watched is None or not watched.dynamic_registration:
        return
    options = types.DidChangeWatchedFilesRegistrationOptions([types.FileSystemWatcher(glob) for glob in WATCHED])
    registration = types.Registration("dockerslim-watch", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
    try:
        await ls.client_register_capability_async(types.RegistrationParams([registration]))
    except JsonRpcException as error:
        ls.log(types.MessageType.Warning, f"the editor does not watch Cargo.toml and the like: {error}")


def _did_open(ls: Server, params: types.DidOpenTextDocumentParams) -> None:
    document = ls.documents.open(params.text_document)
    if document.is_dockerfile:
        ls.judge_soon(document.uri, 0)
    else:
        ls.judge_all()


def _did_change(ls: Server, params: types.DidChangeTextDocumentParams) -> None:
    document = ls.documents.change(params)
    if document is None:
        return
    if document.is_dockerfile:
        ls.judge_soon(document.uri)
    else:
        ls.judge_all()


def _did_save(ls: Server, params: types.DidSaveTextDocumentParams) -> None:
    # the client may have no way to watch files, and a save is often one of many
    ls.judge_all()


def _did_close(ls: Server, params: types.DidCloseTextDocumentParams) -> None:
    document = ls.documents.close(params.text_document.uri)
    if document is None:
        return
    if document.is_dockerfile:
        ls.withdraw(document.uri)
    else:
        ls.judge_all()


def _surroundings_changed(ls: Server, params: types.DidChangeWatchedFilesParams) -> None:
    ls.judge_all()


def _code_action(ls: Server, params: types.CodeActionParams) -> list[types.CodeAction]:
    document = ls.documents.get(params.text_document.uri)
    if document is None or not document.is_dockerfile:
        return []
    return ls.attempt(lambda: _actions(ls, document, params)) or []


def _actions(ls: Server, document: Document, params: types.CodeActionParams) -> list[types.CodeAction]:
    workspace = ls.client_capabilities.workspace
    edits = workspace.workspace_edit if workspace else None
    offers = Offers(document, ls.documents.unit, bool(edits and edits.document_changes))
    only = params.context.only
    found: list[types.CodeAction] = []
    if wanted(types.CodeActionKind.QuickFix.value, only):
        report = ls.result(document, _ALL).report
        found += offers.quick_fixes(report, params.range) if report is not None else []
    if wanted(FIX_ALL, only):
        after = ls.result(document, _FIX).after
        found += [offers.fix_all(after)] if after is not None else []
    return found


def _hover(ls: Server, params: types.HoverParams) -> types.Hover | None:
    document = ls.documents.get(params.text_document.uri)
    if document is None or not document.is_dockerfile:
        return None
    capabilities = ls.client_capabilities.text_document
    formats = (capabilities and capabilities.hover and capabilities.hover.content_format) or ()

    def shown() -> types.Hover | None:
        positions = Positions(document.source, ls.documents.unit)
        report = ls.result(document, _ALL).report
        build = facts_of_text(document.source.data, document.path, ls.documents.buffers())
        return hover(
            report.findings if report is not None else (),
            build,
            positions.offset(params.position),
            positions,
            markdown=types.MarkupKind.Markdown in formats,
        )

    return ls.attempt(shown)


def _shutdown(ls: Server, params: None) -> None:
    ls.ended_well = True


def create() -> Server:
    """A server that is not yet connected to anything."""
    server = Server()
    for method, handler in (
        (types.INITIALIZE, _initialize),
        (types.INITIALIZED, _initialized),
        (types.SHUTDOWN, _shutdown),
        (types.TEXT_DOCUMENT_DID_OPEN, _did_open),
        (types.TEXT_DOCUMENT_DID_CHANGE, _did_change),
        (types.TEXT_DOCUMENT_DID_SAVE, _did_save),
        (types.TEXT_DOCUMENT_DID_CLOSE, _did_close),
        (types.WORKSPACE_DID_CHANGE_WATCHED_FILES, _surroundings_changed),
        (types.TEXT_DOCUMENT_HOVER, _hover),
    ):
        server.feature(method)(handler)
    server.feature(types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions(code_action_kinds=KINDS))(_code_action)
    return server


def serve() -> int:
    """Speak with the editor over standard input and output until it says exit; 1 where it left without a shutdown.

    Standard output belongs to the protocol: nothing else may be written there.
    """
    # pygls tells at INFO every message, and at ERROR what it has sent to the client already
    logging.getLogger("pygls").setLevel(logging.CRITICAL)
    server = create()
    server.start_io()
    return 0 if server.ended_well else 1

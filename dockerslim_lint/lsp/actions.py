"""What the editor offers to do: a quick fix for each candidate, a suppression, all that is safe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher

from lsprotocol import types

from dockerslim_lint.edit import Edit, Fix, Safety, Withheld
from dockerslim_lint.finding import Finding
from dockerslim_lint.ignore_comments import ignore_edits
from dockerslim_lint.linter import Report
from dockerslim_lint.lsp.diagnostics import diagnostic, unused
from dockerslim_lint.lsp.documents import Document
from dockerslim_lint.lsp.positions import Positions
from dockerslim_lint.output.interface import SAFETY_WORDS
from dockerslim_lint.source import Source, Span, decode
from dockerslim_lint.suppress import suppressions
from dockerslim_lint.syntax.dockerfile import parse

FIX_ALL = f"{types.CodeActionKind.SourceFixAll.value}.dockerslim"
KINDS = [types.CodeActionKind.QuickFix, FIX_ALL]
CANDIDATES = 3
"""At most so many quick fixes for one finding, the safe ones first."""


class Offers:
    """The code actions of one document; `versioned`: the client takes edits that name the version they are for."""

    def __init__(self, document: Document, unit: str, versioned: bool) -> None:
        self._document = document
        self._positions = Positions(document.source, unit)
        self._versioned = versioned

    def quick_fixes(self, report: Report, given: types.Range) -> list[types.CodeAction]:
        """For the findings at a place: their fixes, then the comments that suppress them."""
        findings = self._at(report, given)
        return [*self._fixes(findings), *self._suppressions(findings), *self._removals(report, given)]

    def fix_all(self, after: bytes) -> types.CodeAction:
        """The action that makes the document `after`."""
        edits = line_edits(self._document.source, after)
        return types.CodeAction(
            title="Fix all, as lint --fix does",
            kind=FIX_ALL,
            edit=self._edit(edits),
            diagnostics=None,
            is_preferred=None,
        )

    def _at(self, report: Report, given: types.Range) -> list[Finding]:
        """The findings that the range touches; where it touches none, those in its lines (Neovim asks for a line's)."""
        span = self._positions.span(given)
        touched = [one for one in report.findings if one.span.start <= span.end and span.start <= one.span.end]
        if touched:
            return touched
        lines = self._lines(span)
        return [one for one in report.findings if set(self._lines(one.span)) & set(lines)]

    def _fixes(self, findings: Iterable[Finding]) -> Iterator[types.CodeAction]:
        """One for each fix, whichever findings share it; preferred, which editors apply unasked, is only one that is safe."""
        settled: dict[Fix, list[Finding]] = {}
        for finding in findings:
            fixes = () if isinstance(finding.fixes, Withheld) else finding.fixes
            possible = [one for one in fixes if one.safety is not Safety.DISPLAY and one.edits]
            for one in sorted(possible, key=lambda one: one.safety)[:CANDIDATES]:
                settled.setdefault(one, []).append(finding)
        preferred: set[str] = set()
        for one, settles in settled.items():
            proof = f" ({SAFETY_WORDS[one.safety]})" if one.safety is Safety.PROVABLE else ""
            is_first = one.safety is Safety.SAFE and settles[0].code not in preferred
            yield self._action(one.title + proof, settles, one.edits, preferred=is_first)
            if is_first:
                preferred.update(finding.code for finding in settles)

    def _suppressions(self, findings: Iterable[Finding]) -> Iterator[types.CodeAction]:
        tree = parse(self._document.source)
        by_code = {finding.code: finding for finding in findings}
        for code, finding in by_code.items():
            edit = next(iter(ignore_edits(self._document.source, tree, (finding,), None)), None)
            if edit is not None:
                yield self._action(f"Suppress {code} here", [finding], (edit,), preferred=False)

    def _removals(self, report: Report, given: types.Range) -> Iterator[types.CodeAction]:
        """Of comments that suppress nothing at all."""
        source = self._document.source
        lines = self._lines(self._positions.span(given))
        codes = {comment.comment: comment.codes for comment in suppressions(parse(source), source)}
        for comment in unused(report):
            line = source.line_of(comment.comment.start)
            if line in lines and line < len(source.line_starts) and comment.codes == codes[comment.comment] != ():
                edit = Edit(source.line_starts[line - 1], source.line_starts[line], "")
                yield self._action("Remove the comment, it suppresses nothing", [], (edit,), preferred=True)

    def _lines(self, span: Span) -> range:
        source = self._document.source
        return range(source.line_of(span.start), source.line_of(span.end) + 1)

    def _action(
        self, title: str, findings: list[Finding], edits: tuple[Edit, ...], *, preferred: bool
    ) -> types.CodeAction:
        uri = self._document.uri
        return types.CodeAction(
            title=title,
            kind=types.CodeActionKind.QuickFix,
            diagnostics=[diagnostic(finding, uri, self._positions) for finding in findings] or None,
            is_preferred=preferred or None,
            edit=self._edit(edits),
        )

    def _edit(self, edits: Iterable[Edit]) -> types.WorkspaceEdit:
        document = self._document
        changes = [self._positions.text_edit(edit) for edit in sorted(edits, key=lambda edit: (edit.start, edit.end))]
        if not self._versioned:
            return types.WorkspaceEdit(changes={document.uri: changes})
        place = types.OptionalVersionedTextDocumentIdentifier(uri=document.uri, version=document.version)
        return types.WorkspaceEdit(document_changes=[types.TextDocumentEdit(place, changes)])


def line_edits(before: Source, after: bytes) -> list[Edit]:
    """The edits, in whole lines, that make `after` of a text: the cursor stays where nothing changes."""
    old, new = before.data.splitlines(keepends=True), after.splitlines(keepends=True)
    starts = [0]
    for line in old:
        starts.append(starts[-1] + len(line))
    return [
        Edit(starts[first], starts[last], decode(b"".join(new[start:end])))
        for tag, first, last, start, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        if tag != "equal"
    ]


def wanted(kind: str, only: Iterable[str] | None) -> bool:
    """Whether a client that asks for the kinds `only` (None: all) wants one of `kind`."""
    return only is None or any(asked in ("", kind) or kind.startswith(f"{asked}.") for asked in only)

"""Words of a shell script: what is literal, what is a variable, what only a running shell knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from dockerslim_lint.source import Span, decode
from dockerslim_lint.syntax.script import ShellWord, Substitution
from dockerslim_lint.syntax.tree import Expansion, Literal, LogicalText
from dockerslim_lint.syntax.words import chars_of, read_word

if TYPE_CHECKING:
    from tree_sitter import Node as Branch

_REPLACED = frozenset(
    (
        "simple_expansion",
        "expansion",
        "command_substitution",
        "arithmetic_expansion",
        "process_substitution",
        # `$'…'` and `$"…"` are bash only; to a POSIX shell the dollar stands for itself.
        "ansi_c_string",
        "translated_string",
    )
)

_SPECIAL = frozenset("'\"\\$`<>()")
"""A word without any of these stands for itself: the usual case, and worth being fast."""

Piece = Literal | Expansion | Substitution


class WordBuilder:
    """Makes words of stretches of one script; `raw` are the script's bytes as latin-1."""

    def __init__(self, text: LogicalText, raw: str) -> None:
        self._text = text
        self._raw = raw

    def word(self, start: int, end: int, branches: Iterable[Branch]) -> ShellWord:
        """The word ``raw[start:end]``; `branches` are the grammar's nodes that make it up."""
        first, last = self._text.offset(start), self._text.offset(end - 1)
        span = Span(first, last + 1)
        text = decode(self._text.data[start:end])
        contiguous = last - first == end - 1 - start
        if _SPECIAL.isdisjoint(self._raw[start:end]):
            return ShellWord((Literal(text, span, ""),), span, text, contiguous)
        replaced = {branch.start_byte: branch for branch in _replaced(branches)}
        return ShellWord(tuple(self._pieces(start, end, replaced)), span, text, contiguous)

    def opaque(self, start: int, end: int) -> ShellWord:
        """A word of which nothing is known."""
        span = self._text.span(start, end)
        text = decode(self._text.data[start:end])
        return ShellWord((Substitution(text, span, ""),), span, text, self._text.contiguous(start, end))

    def _pieces(self, at: int, end: int, replaced: dict[int, Branch]) -> Iterator[Piece]:
        raw = self._raw
        quote = ""
        start = at
        buffer: list[str] = []
        filled = False
        while at < end:
            char = raw[at]
            branch = replaced.get(at)
            if branch is not None and branch.end_byte > at:
                if at > start:
                    yield self._literal(buffer, start, at, quote)
                yield self._replacement(branch, quote)
                at = start = branch.end_byte
                filled = True
            elif char == "$" and quote != "'" and (name_end := _name_end(raw, at + 1, end)) > at + 1:
                # the grammar takes the $ of `"a"b/$x` for a word of its own
                if at > start:
                    yield self._literal(buffer, start, at, quote)
                yield Expansion(raw[at + 1 : name_end], "", None, None, self._text.span(at, name_end), quote)
                at = start = name_end
                filled = True
            elif quote and char == quote:
                if at > start or not filled:
                    yield self._literal(buffer, start, at, quote)
                quote = ""
                at += 1
                start = at
            elif not quote and char in "'\"":
                if at > start:
                    yield self._literal(buffer, start, at, "")
                quote = char
                filled = False
                at += 1
                start = at
            elif char == "\\" and quote != "'" and at + 1 < end:
                following = raw[at + 1]
                if following != "\n":
                    buffer.append(char + following if quote and following not in '$`"\\' else following)
                at += 2
            else:
                buffer.append(char)
                at += 1
        if end > start:
            yield self._literal(buffer, start, end, quote)

    def _literal(self, buffer: list[str], start: int, end: int, quote: str) -> Literal:
        text = decode("".join(buffer).encode("latin-1"))
        buffer.clear()
        return Literal(text, self._text.span(start, end), quote)

    def _replacement(self, branch: Branch, quote: str) -> Expansion | Substitution:
        start, end = branch.start_byte, branch.end_byte
        written = self._raw[start:end]
        if branch.type in ("simple_expansion", "expansion") and "`" not in written and "$(" not in written:
            word, error = read_word(chars_of(self._text, self._raw, start, end), "\\")
            if error is None and len(word.pieces) == 1:
                piece = word.pieces[0]
                if isinstance(piece, Expansion) and _plain(piece):
                    return piece._replace(quote=quote)
        return Substitution(decode(self._text.data[start:end]), self._text.span(start, end), quote)


def _name_end(raw: str, start: int, end: int) -> int:
    """Index behind the variable name at `start`; `start` itself if there is none."""
    at = start
    while (
        at < end and raw[at].isascii() and (raw[at] == "_" or raw[at].isalpha() or (at > start and raw[at].isdigit()))
    ):
        at += 1
    return at


def _plain(piece: Expansion) -> bool:
    """Whether a variable, and those in its arguments, have names (``$1`` and ``$?`` are the running shell's)."""
    if not (piece.name[:1].isalpha() or piece.name[:1] == "_"):
        return False
    arguments = [word for word in (piece.argument, piece.replacement) if word is not None]
    return all(_plain(inner) for word in arguments for inner in word.pieces if isinstance(inner, Expansion))


def _replaced(branches: Iterable[Branch]) -> Iterator[Branch]:
    stack = list(branches)
    while stack:
        branch = stack.pop()
        if branch.type in _REPLACED:
            yield branch
        else:
            stack.extend(branch.children)

"""Heredocs: which words of an instruction open one, and where its body ends."""

from __future__ import annotations

import re

from dockerslim_lint.record import Record
from dockerslim_lint.source import Span
from dockerslim_lint.syntax.lines import SPACES, content_end, line_end
from dockerslim_lint.syntax.tree import Heredoc, LogicalText
from dockerslim_lint.syntax.words import MAX_DEPTH, Chars, LexError, chars_of, read_name

UNTERMINATED = "unterminated heredoc"

_HEREDOC = r"([0-9]*)<<(-?)[\t\n\f\r ]*([^<]*)\Z"


class Opening(Record):
    """A word that opens a heredoc."""

    name: str
    expand: bool
    strip_tabs: bool
    fd: str
    marker: Span


def is_heredoc(word: str) -> bool:
    """Whether BuildKit takes a word, as written, for the opening of a heredoc."""
    try:
        return _open(word) is not None
    except LexError:
        return False


def find_openings(line: LogicalText, raw: str) -> list[Opening]:
    """The heredocs that the words of a whole line open (`raw` is `line` as latin-1). Raises LexError as BuildKit's parser does."""
    chars = chars_of(line, raw, 0, len(raw))
    lexer = _Lexer(chars.text, raw_quotes=True, raw_escapes=True)
    try:
        words = lexer.words()
    except LexError:
        # A quote that is not closed (`RUN echo it's <<EOF`) hides all heredocs of the line.
        return []
    openings = []
    for word, start, end in words:
        found = _open(word)
        if found is not None:
            name, expand, strip_tabs, fd = found
            openings.append(Opening(name, expand, strip_tabs, fd, _marker(chars, start, end)))
    return openings


def _marker(chars: Chars, start: int, end: int) -> Span:
    return chars.span(start, end)


def read_bodies(text: str, at: int, openings: list[Opening]) -> tuple[tuple[Heredoc, ...], int, str | None]:
    """The heredocs whose bodies begin at ``text[at:]`` (the file as latin-1), the index behind them, and a complaint if one does not end."""
    heredocs = []
    for opening in openings:
        name = opening.name.encode("utf-8", "surrogateescape").decode("latin-1")
        start = at
        end = -1
        while at < len(text):
            line = at
            at = line_end(text, line)
            stop = content_end(text, line, at)
            if opening.strip_tabs:
                while line < stop and text[line] == "\t":
                    line += 1
            if stop - line == len(name) and text.startswith(name, line):
                end = stop
                break
        if end < 0:
            body, terminator = Span(start, len(text)), Span(len(text), len(text))
        else:
            begin = text.rfind("\n", 0, end) + 1
            body, terminator = Span(start, begin), Span(begin, end)
        heredocs.append(
            Heredoc(opening.name, opening.expand, opening.strip_tabs, opening.fd, opening.marker, body, terminator)
        )
        if end < 0:
            return tuple(heredocs), len(text), UNTERMINATED
    return tuple(heredocs), at, None


def _open(word: str) -> tuple[str, bool, bool, str] | None:
    match = re.match(_HEREDOC, word)
    if match is None or not match[3]:
        return None
    rest = match[3]
    words = _Lexer(rest, raw_quotes=False, raw_escapes=False).words()
    if len(words) != 1:
        return None
    with_quotes = _Lexer(rest, raw_quotes=True, raw_escapes=False).words()
    if len(with_quotes) != 1:
        raise LexError(f"internal lexing of heredoc produced inconsistent results: {rest}")
    name = words[0][0]
    return name, _quotes(name) == _quotes(with_quotes[0][0]), match[2] == "-", match[1]


def _quotes(text: str) -> int:
    return text.count("'") + text.count('"')


class _Lexer:
    """BuildKit's ``shell.Lex`` in the mode that looks for heredocs: no variable is set, unset ones stay as written, the escape is always ``\\``."""

    def __init__(self, text: str, *, raw_quotes: bool, raw_escapes: bool) -> None:
        self._text = text
        self._at = 0
        self._raw_quotes = raw_quotes
        self._raw_escapes = raw_escapes
        self._found: list[tuple[str, int, int]] = []
        self._buffer: list[str] = []
        self._start = 0
        self._in_word = False

    def words(self) -> list[tuple[str, int, int]]:
        """The words, each with start and end of its place in the text."""
        self._read("", self._raw_escapes, 0)
        return self._found

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _next(self) -> str:
        char = self._text[self._at : self._at + 1]
        self._at += 1
        return char

    def _add(self, text: str, start: int) -> None:
        if text and not self._buffer:
            self._start = start
        if text:
            self._buffer.append(text)
        self._in_word = True

    def _add_split(self, text: str, start: int) -> None:
        for char in text:
            if char not in SPACES:
                self._add(char, start)
            elif self._in_word:
                self._end_word(start)

    def _end_word(self, end: int) -> None:
        if self._buffer:
            self._found.append(("".join(self._buffer), self._start, end))
            self._buffer.clear()
            self._in_word = False

    def _read(self, stop: str, raw_escapes: bool, depth: int) -> str:
        if depth > MAX_DEPTH:
            raise LexError("syntax error: substitutions are nested too deeply")
        outer = depth == 0
        # BuildKit's nested calls share one buffer, so a substitution with an argument drops the word's text before it.
        self._buffer.clear()
        before, self._raw_escapes = self._raw_escapes, raw_escapes
        out: list[str] = []
        while self._at < len(self._text):
            start = self._at
            char = self._peek()
            if char == stop:
                self._at += 1
                self._raw_escapes = before
                self._buffer.clear()
                return "".join(out)
            if char == "$":
                piece = self._dollar(depth)
                if outer:
                    self._add_split(piece, start)
            elif char == "<":
                piece = self._less()
                if outer:
                    self._add(piece, start)
            elif char == "'":
                piece = self._single()
                if outer:
                    self._add(piece, start)
            elif char == '"':
                piece = self._double(depth)
                if outer:
                    self._add(piece, start)
            elif char == "\\":
                self._at += 1
                piece = char if self._raw_escapes else ""
                piece += self._next()
                if outer:
                    self._add(piece, start)
            else:
                self._at += 1
                piece = char
                if outer:
                    self._add_split(char, start)
            out.append(piece)
        if stop:
            raise LexError(f"unexpected end of statement while looking for matching {stop}")
        self._end_word(len(self._text))
        self._raw_escapes = before
        return "".join(out)

    def _less(self) -> str:
        start = self._at
        self._at += 1
        if self._peek() != "<":
            return "<"
        self._at += 1
        while self._peek() in ("\t", "\r", " "):
            self._at += 1
        return self._text[start : self._at]

    def _single(self) -> str:
        close = self._text.find("'", self._at + 1)
        if close < 0:
            self._at = len(self._text)
            raise LexError("unexpected end of statement while looking for matching single-quote")
        start, self._at = self._at, close + 1
        return self._text[start : close + 1] if self._raw_quotes else self._text[start + 1 : close]

    def _double(self, depth: int) -> str:
        self._at += 1
        out = ['"'] if self._raw_quotes else []
        while self._at < len(self._text):
            char = self._peek()
            if char == '"':
                self._at += 1
                if self._raw_quotes:
                    out.append(char)
                return "".join(out)
            if char == "$":
                out.append(self._dollar(depth))
                continue
            self._at += 1
            if char == "\\":
                if self._raw_escapes:
                    out.append(char)
                if not self._peek():
                    continue
                if self._peek() in '"$\\':
                    char = self._next()
            out.append(char)
        raise LexError("unexpected end of statement while looking for matching double-quote")

    def _dollar(self, depth: int) -> str:
        text = self._text
        self._at += 1
        if self._peek() != "{":
            end = read_name(text, self._at)
            name = text[self._at : end]
            self._at = end
            return "$" + name
        self._at += 1
        if self._peek() in ("", "{", "}", ":"):
            raise LexError("syntax error: bad substitution" if self._peek() else "syntax error: missing '}'")
        end = read_name(text, self._at)
        name = text[self._at : end]
        self._at = end
        operator = self._next()
        if operator == "}":
            return "${" + name + "}"
        if operator == ":":
            operator += self._next()
        if operator == "/":
            if self._peek() == "/":
                self._at += 1
            pattern = self._argument("/", True, depth)
            return "${" + name + "/" + pattern + "/" + self._argument("}", True, depth) + "}"
        # Behind a colon BuildKit looks at the modifier only if the variable is set; here none is.
        if operator in ("", ":#", ":%") or operator[0] not in ":-+?#%":
            raise LexError(f"unsupported modifier ({operator}) in substitution")
        return "${" + name + operator + self._argument("}", operator in "#%", depth) + "}"

    def _argument(self, stop: str, raw_escapes: bool, depth: int) -> str:
        try:
            return self._read(stop, raw_escapes, depth + 1)
        except LexError:
            if self._at >= len(self._text):
                raise LexError(f"syntax error: missing '{stop}'") from None
            raise

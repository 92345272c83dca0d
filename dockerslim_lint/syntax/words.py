"""Words of an instruction: literal text and variables, each with its place (BuildKit's ``shell.Lex``, without the environment)."""

from __future__ import annotations

from dockerslim_lint.source import Span
from dockerslim_lint.syntax.lines import SPACES
from dockerslim_lint.syntax.tree import Expansion, Literal, LogicalText, Word

MAX_DEPTH = 60
"""Nested ``${x:-${y:-…}}`` beyond this depth is an error (BuildKit has no limit but Go's stack)."""

SPECIAL_PARAMETERS = "@*#?-$!0"


class LexError(Exception):
    """What BuildKit says about a word that it cannot read; it had read the text up to `at`."""

    def __init__(self, message: str, at: int = 0) -> None:
        super().__init__(message)
        self.at = at


class Chars:
    """Decoded characters of a logical line, each with the indices in the line's bytes that it stands for.

    `starts` and `ends` are None where the characters are ASCII and stand one after the other from `base`.
    """

    __slots__ = ("base", "ends", "line", "starts", "text")

    def __init__(
        self, line: LogicalText, text: str, base: int, starts: list[int] | None = None, ends: list[int] | None = None
    ) -> None:
        self.line = line
        self.text = text
        self.base = base
        self.starts = starts
        self.ends = ends

    def index(self, at: int) -> int:
        """Index in the line's bytes where the character `at` begins; behind the last one for ``len(text)``."""
        if self.starts is None or self.ends is None:
            return self.base + at
        if at < len(self.starts):
            return self.starts[at]
        return self.ends[-1] if self.ends else self.base

    def span(self, start: int, end: int) -> Span:
        """Place in the file of ``text[start:end]``."""
        first = self.index(start)
        if end <= start:
            return self.line.span(first, first)
        return self.line.span(first, self.ends[end - 1] if self.ends is not None else self.base + end)

    def cut(self, start: int, end: int) -> Chars:
        """The characters ``text[start:end]``."""
        if self.starts is None or self.ends is None:
            return Chars(self.line, self.text[start:end], self.base + start)
        return Chars(self.line, self.text[start:end], self.index(start), self.starts[start:end], self.ends[start:end])


def chars_of(line: LogicalText, raw: str, start: int, end: int) -> Chars:
    """The characters of ``raw[start:end]``, where `raw` are the bytes of `line` decoded as latin-1."""
    text = raw[start:end]
    if text.isascii():
        return Chars(line, text, start)
    text = text.encode("latin-1").decode("utf-8", "surrogateescape")
    starts = []
    ends = []
    at = start
    for char in text:
        starts.append(at)
        at += utf8_width(char)
        ends.append(at)
    return Chars(line, text, start, starts, ends)


def utf8_width(char: str) -> int:
    """Bytes of a character as `dockerslim_lint.source.encode` writes it."""
    if char < "\x80" or "\udc80" <= char <= "\udcff":
        return 1
    if char < "\u0800":
        return 2
    return 3 if char < "\U00010000" else 4


def split_words(chars: Chars, escape: str) -> list[Chars]:
    """Words of ENV, LABEL and ARG: split at white space outside of quotes; quotes and escapes stay in them."""
    text = chars.text
    size = len(text)
    words = []
    at = 0
    while at < size:
        if text[at] in SPACES:
            at += 1
            continue
        start = at
        quote = ""
        while at < size:
            char = text[at]
            if char == escape and quote != "'":
                if at + 1 == size:
                    break
                at += 2
                continue
            if quote:
                if char == quote:
                    quote = ""
            elif char in "'\"":
                quote = char
            elif char in SPACES:
                break
            at += 1
        if at > start:
            words.append(chars.cut(start, at))
        if at + 1 == size and text[at] == escape:
            break
    return words


def read_word(chars: Chars, escape: str) -> tuple[Word, str | None]:
    """The pieces of a word, and BuildKit's complaint if it cannot be read: then it is one literal, as written."""
    text = chars.text
    span = chars.span(0, len(text))
    if "$" not in text and '"' not in text and "'" not in text and escape not in text:
        return Word((Literal(text, span, ""),) if text else (), span), None
    try:
        pieces, _ = _Reader(chars, escape).read(0, "", False, 0)
    except LexError as error:
        return Word((Literal(text, span, ""),), span), f"failed to process {quoted(text)}: {error}"
    return Word(tuple(pieces), span), None


_QUOTED = {
    "\\": "\\\\",
    '"': '\\"',
    "\t": "\\t",
    "\r": "\\r",
    "\n": "\\n",
    "\v": "\\v",
    "\f": "\\f",
    "\a": "\\a",
    "\b": "\\b",
}


def quoted(text: str) -> str:
    """A text in double quotes, as Go's ``%q`` shows it."""
    return '"' + "".join(char if char.isalnum() else _QUOTED.get(char) or _quoted(char) for char in text) + '"'


def _quoted(char: str) -> str:
    if char.isprintable():
        return char
    if char < "\x80" or "\udc80" <= char <= "\udcff":
        return f"\\x{ord(char) & 0xFF:02x}"
    return f"\\u{ord(char):04x}" if char < "\U00010000" else f"\\U{ord(char):08x}"


def is_name_char(char: str) -> bool:
    """Whether a character may stand in a variable's name."""
    return char == "_" or char.isalpha() or char.isdecimal()


def read_name(text: str, at: int) -> int:
    """Index behind the variable name at ``text[at:]``; `at` itself if there is none."""
    if at >= len(text):
        return at
    if text[at].isdecimal():
        while at < len(text) and text[at].isdecimal():
            at += 1
        return at
    if text[at] in SPECIAL_PARAMETERS:
        return at + 1
    while at < len(text) and is_name_char(text[at]):
        at += 1
    return at


class _Reader:
    __slots__ = ("chars", "escape", "text")

    def __init__(self, chars: Chars, escape: str) -> None:
        self.chars = chars
        self.escape = escape
        self.text = chars.text

    def read(self, at: int, stop: str, raw: bool, depth: int) -> tuple[list[Literal | Expansion], int]:
        """Pieces from `at` up to the character `stop` (to the end if it is ""), and the index behind it.

        With `raw`, escapes stay in the text: they belong to the pattern of ``#``, ``%`` and ``/``.
        """
        if depth > MAX_DEPTH:
            raise LexError("syntax error: substitutions are nested too deeply")
        text = self.text
        size = len(text)
        escape = self.escape
        pieces: list[Literal | Expansion] = []
        buffer: list[str] = []
        start = at
        while at < size:
            char = text[at]
            if char == stop:
                self._flush(pieces, buffer, start, at, "")
                return pieces, at + 1
            if char == "'":
                self._flush(pieces, buffer, start, at, "")
                close = text.find("'", at + 1)
                if close < 0:
                    raise LexError("unexpected end of statement while looking for matching single-quote", size)
                pieces.append(Literal(text[at + 1 : close], self.chars.span(at + 1, close), "'"))
                at = start = close + 1
            elif char == '"':
                self._flush(pieces, buffer, start, at, "")
                at = start = self._double(pieces, at + 1, raw, depth)
            elif char == "$":
                piece, behind = self._dollar(at, "", depth)
                if piece is None:
                    buffer.append("$")
                    at += 1
                else:
                    self._flush(pieces, buffer, start, at, "")
                    pieces.append(piece)
                    at = start = behind
            elif char == escape:
                if raw:
                    buffer.append(char)
                if at + 1 < size:
                    buffer.append(text[at + 1])
                at += 2
            else:
                buffer.append(char)
                at += 1
        if stop:
            raise LexError(f"unexpected end of statement while looking for matching {stop}", size)
        self._flush(pieces, buffer, start, size, "")
        return pieces, size

    def _flush(self, pieces: list[Literal | Expansion], buffer: list[str], start: int, end: int, quote: str) -> None:
        if end > start:
            pieces.append(Literal("".join(buffer), self.chars.span(start, end), quote))
            buffer.clear()

    def _double(self, pieces: list[Literal | Expansion], at: int, raw: bool, depth: int) -> int:
        text = self.text
        size = len(text)
        escape = self.escape
        buffer: list[str] = []
        start = at
        before = len(pieces)
        while at < size:
            char = text[at]
            if char == '"':
                self._flush(pieces, buffer, start, at, '"')
                if len(pieces) == before:
                    pieces.append(Literal("", self.chars.span(at, at), '"'))
                return at + 1
            if char == "$":
                piece, behind = self._dollar(at, '"', depth)
                if piece is None:
                    buffer.append("$")
                    at += 1
                else:
                    self._flush(pieces, buffer, start, at, '"')
                    pieces.append(piece)
                    at = start = behind
            elif char == escape:
                if raw:
                    buffer.append(char)
                # The escape character stays in front of anything that it cannot escape.
                if at + 1 < size and text[at + 1] in ('"', "$", escape):
                    at += 1
                    buffer.append(text[at])
                else:
                    buffer.append(char)
                at += 1
            else:
                buffer.append(char)
                at += 1
        raise LexError("unexpected end of statement while looking for matching double-quote", size)

    def _dollar(self, at: int, quote: str, depth: int) -> tuple[Expansion | None, int]:
        """The variable at ``text[at:]`` (a ``$``) and the index behind it; None for a ``$`` that stands for itself."""
        text = self.text
        if text[at + 1 : at + 2] != "{":
            end = read_name(text, at + 1)
            if end == at + 1:
                return None, end
            return Expansion(text[at + 1 : end], "", None, None, self.chars.span(at, end), quote), end
        first = text[at + 2 : at + 3]
        if not first:
            raise LexError("syntax error: missing '}'", at + 2)
        if first in "{}:":
            raise LexError("syntax error: bad substitution", at + 2)
        end = read_name(text, at + 2)
        name = text[at + 2 : end]
        operator = text[end : end + 1]
        if operator == "}":
            return Expansion(name, "", None, None, self.chars.span(at, end + 1), quote), end + 1
        if operator == ":":
            operator = text[end : end + 2]
        if operator not in _OPERATORS:
            if operator[:1] == ":" and operator not in (":#", ":%"):
                # BuildKit reads up to the brace before it looks at what stands behind the colon.
                _, end = self._argument(end + len(operator), "}", False, depth)
            else:
                end += len(operator)
            shown = operator if operator not in ("", ":") else operator + "\ufffd"
            raise LexError(f"unsupported modifier ({shown}) in substitution", end)
        end += len(operator)
        replacement = None
        if operator in "#%/" and text[end : end + 1] == operator:
            operator += operator
            end += 1
        if operator[0] == "/":
            argument, end = self._argument(end, "/", True, depth)
            replacement, end = self._argument(end, "}", True, depth)
        else:
            argument, end = self._argument(end, "}", operator[0] in "#%", depth)
        return Expansion(name, operator, argument, replacement, self.chars.span(at, end), quote), end

    def _argument(self, at: int, stop: str, raw: bool, depth: int) -> tuple[Word, int]:
        try:
            pieces, end = self.read(at, stop, raw, depth + 1)
        except LexError as error:
            if error.at >= len(self.text):
                # Whatever is wrong inside, at the end of the text BuildKit names what it is looking for.
                message = "syntax error: missing '/' in ${}" if stop == "/" else "syntax error: missing '}'"
                raise LexError(message, error.at) from None
            raise
        return Word(tuple(pieces), self.chars.span(at, end - 1)), end


_OPERATORS = frozenset((":-", "-", ":+", "+", ":?", "?", "#", "%", "/"))

"""One instruction: its logical line split into keyword, flags and the parsed views of its body."""

from __future__ import annotations

import re
from collections.abc import Callable

from dockerslim_lint.record import Record
from dockerslim_lint.source import Span
from dockerslim_lint.syntax.errors import refusal
from dockerslim_lint.syntax.flags import read_flags
from dockerslim_lint.syntax.json_array import read_json_array
from dockerslim_lint.syntax.lines import SPACES, cut_text, skip_space, trim
from dockerslim_lint.syntax.tree import Flag, Instruction, JsonString, Literal, LogicalText, Pair, Word
from dockerslim_lint.syntax.words import Chars, chars_of, quoted, read_word, split_words

_WORD = re.compile(r"[^\t\v\f\r ]+")
_MAX_TRIGGERS = 3
_MAX_ERROR = 300
# In the values of other flags BuildKit replaces no variables.
_EXPANDED_FLAGS = {
    "ADD": ("chown", "chmod", "checksum"),
    "COPY": ("chown", "chmod"),
    "FROM": ("platform",),
    "RUN": ("mount",),
}


class _Views(Record):
    """What the body of one keyword holds; `args` as `errors.refusal` wants them."""

    args: list[str]
    words: tuple[Word, ...] = ()
    pairs: tuple[Pair, ...] = ()
    json: tuple[JsonString, ...] | None = None
    trigger: Instruction | None = None
    healthcheck: str = ""
    error: str | None = None
    """The parser's own complaint: it comes before those of the table."""
    word_error: str | None = None
    """A word that cannot be expanded: BuildKit says so when it builds, after all other complaints."""


class _Body(Record):
    line: LogicalText
    raw: str
    start: int
    end: int
    escape: str
    depth: int

    @property
    def text(self) -> str:
        return self.raw[self.start : self.end]

    def chars(self) -> Chars:
        return chars_of(self.line, self.raw, self.start, self.end)


def read_instruction(line: LogicalText, raw: str, span: Span, escape: str) -> tuple[Instruction, bool]:
    """The instruction that `line` holds, and whether BuildKit's parser itself stops at it (then it looks for no heredoc).

    `raw` is ``line.data`` as latin-1, `span` the place of the whole instruction; heredocs are not read.
    """
    instruction, parser_error = _read(line, raw, span, escape, 0)
    return instruction, parser_error is not None


def _read(line: LogicalText, raw: str, span: Span | None, escape: str, depth: int) -> tuple[Instruction, str | None]:
    start, end = trim(raw, 0, len(raw))
    match = _WORD.match(raw, start, end)
    keyword_end = match.end() if match else start
    name = chars_of(line, raw, start, keyword_end).text
    # Unknown letters that only look like a keyword in upper case ("ſhell") stay as they are.
    keyword = name.lower().upper() if name.lower() in _LOWER else name if name.upper() in _VIEWS else name.upper()
    flags: list[tuple[Flag, str, str | None]] = []
    body_start, body_end = keyword_end, end
    if keyword_end < end:
        while raw[body_start] in "\t\v\f\r ":
            body_start += 1
        if raw.startswith("-", body_start) or raw[body_start] >= "\x80":
            flags, body_start = read_flags(line, raw, body_start, end, escape)
        body_start, body_end = trim(raw, body_start, end)
    body = _Body(line, raw, body_start, body_end, escape, depth)
    view = _VIEWS.get(keyword)
    views = view(body, keyword) if view else _Views([])
    error = views.error
    if view is None:
        error = f"unknown instruction: {name}"
    elif error is None:
        error = refusal(keyword, [text for _, text, _ in flags], views.args, views.json is not None)
        error = error or _flag_word_error(keyword, flags) or views.word_error
    if error is not None and len(error) > _MAX_ERROR:
        error = error[: _MAX_ERROR - 1] + "…"
    instruction = Instruction(
        keyword,
        line.span(start, keyword_end),
        span or line.span(start, end),
        tuple([flag for flag, _, _ in flags]),
        cut_text(line, body_start, body_end),
        views.words,
        views.pairs,
        views.json,
        (),
        views.trigger,
        views.healthcheck,
        error,
        view is None,
    )
    return instruction, views.error


def _flag_word_error(keyword: str, flags: list[tuple[Flag, str, str | None]]) -> str | None:
    names = _EXPANDED_FLAGS.get(keyword, ())
    return next((problem for flag, _, problem in flags if problem and flag.name in names), None)


def takes_heredocs(instruction: Instruction) -> bool:
    """Whether words of this instruction may open heredocs."""
    if instruction.keyword == "ONBUILD" and instruction.trigger is not None:
        instruction = instruction.trigger
    return instruction.keyword in ("RUN", "COPY", "ADD") and instruction.json is None


def _words_of(items: list[Chars], escape: str) -> tuple[tuple[Word, ...], str | None]:
    words = []
    problem = None
    for item in items:
        word, error = read_word(item, escape)
        words.append(word)
        problem = problem or error
    return tuple(words), problem


def _split(body: _Body) -> list[Chars]:
    return [chars_of(body.line, body.raw, *match.span()) for match in _WORD.finditer(body.raw, body.start, body.end)]


def _list(body: _Body, keyword: str) -> _Views:
    items = [_trimmed(item, keyword) for item in _split(body)]
    words, problem = _words_of(items, body.escape)
    return _Views([item.text for item in items], words, word_error=problem)


def _whole(body: _Body, keyword: str) -> _Views:
    if body.start == body.end:
        return _Views([])
    chars = body.chars()
    word, problem = read_word(chars, body.escape)
    # MAINTAINER is taken as it is.
    return _Views([chars.text], (word,), word_error=problem if keyword != "MAINTAINER" else None)


def _command(body: _Body, keyword: str) -> _Views:
    start = skip_space(body.raw, body.start, body.end)
    if body.raw.startswith("[", start, body.end):
        strings, error = read_json_array(body._replace(start=start).chars())
        if strings is not None:
            return _Views([string.text for string, _ in strings], json=tuple([string for string, _ in strings]))
        if error is not None:
            return _Views([], error=error)
    return _Views([body.text] if body.start < body.end else [])


def _paths(body: _Body, keyword: str) -> _Views:
    if body.raw.startswith("[", body.start, body.end):
        strings, error = read_json_array(body.chars())
        if strings is not None:
            words, problem = _words_of([_trimmed(chars, keyword) for _, chars in strings], body.escape)
            json = tuple([string for string, _ in strings])
            return _Views([string.text for string in json], words, json=json, word_error=problem)
        if error is not None:
            return _Views([], error=error)
    return _list(body, keyword)


def _trimmed(chars: Chars, keyword: str) -> Chars:
    if keyword != "VOLUME":
        return chars
    # VOLUME alone cuts white space from its paths.
    start, end = 0, len(chars.text)
    while end > start and chars.text[end - 1] in SPACES:
        end -= 1
    while start < end and chars.text[start] in SPACES:
        start += 1
    return chars.cut(start, end)


def _plain_pairs(body: _Body) -> _Views | None:
    """The pairs of a body without quotes, variables and escapes, which most are; None for any other one."""
    text = body.text
    if not text.isascii() or "$" in text or '"' in text or "'" in text or body.escape in text:
        return None
    raw, line = body.raw, body.line
    names = []
    pairs = []
    for match in _WORD.finditer(raw, body.start, body.end):
        start, end = match.span()
        equals = raw.find("=", start, end)
        if equals < 0:
            return None
        names.append(raw[start:equals])
        key, value = line.span(start, equals), line.span(equals + 1, end)
        key_pieces = (Literal(raw[start:equals], key, ""),) if equals > start else ()
        value_pieces = (Literal(raw[equals + 1 : end], value, ""),) if end > equals + 1 else ()
        pairs.append(Pair(Word(key_pieces, key), Word(value_pieces, value), line.span(start, end), False))
    return _Views(names, pairs=tuple(pairs))


def _pairs(body: _Body, keyword: str) -> _Views:
    plain = _plain_pairs(body)
    if plain is not None:
        return plain
    chars = body.chars()
    items = split_words(chars, body.escape)
    if not items:
        return _Views([])
    if "=" not in items[0].text:
        return _legacy_pair(body, keyword)
    pairs = []
    problem = None
    names = []
    for item in items:
        if "=" not in item.text:
            return _Views(
                [], error=f"Syntax error - can't find = in {quoted(item.text)}. Must be of the form: name=value"
            )
        pair, name, error = _pair(item, body.escape)
        pairs.append(pair)
        names.append(name)
        problem = problem or error
    return _Views(names, pairs=tuple(pairs), word_error=problem)


def _pair(item: Chars, escape: str) -> tuple[Pair, str, str | None]:
    at = item.text.index("=")
    key, key_error = read_word(item.cut(0, at), escape)
    value, value_error = read_word(item.cut(at + 1, len(item.text)), escape)
    return Pair(key, value, item.span(0, len(item.text)), False), item.text[:at], key_error or value_error


def _legacy_pair(body: _Body, keyword: str) -> _Views:
    first, last = body.start, body.end
    match = _WORD.match(body.raw, first, last)
    middle = match.end() if match else first
    if middle == last:
        return _Views([], error=f"{keyword} must have two arguments")
    start = middle
    while body.raw[start] in "\t\v\f\r ":
        start += 1
    key_chars = chars_of(body.line, body.raw, first, middle)
    key, key_error = read_word(key_chars, body.escape)
    value, value_error = read_word(chars_of(body.line, body.raw, start, last), body.escape)
    pair = Pair(key, value, body.line.span(first, last), True)
    return _Views([key_chars.text], pairs=(pair,), word_error=key_error or value_error)


def _arguments(body: _Body, keyword: str) -> _Views:
    items = split_words(body.chars(), body.escape)
    pairs = []
    problem = None
    for item in items:
        if "=" in item.text:
            pair, _, error = _pair(item, body.escape)
        else:
            key, error = read_word(item, body.escape)
            pair = Pair(key, None, key.span, False)
        pairs.append(pair)
        problem = problem or error
    return _Views([item.text for item in items], pairs=tuple(pairs), word_error=problem)


def _healthcheck(body: _Body, keyword: str) -> _Views:
    at = body.start
    # BuildKit looks for the end of the type byte by byte.
    while at < body.end and body.raw[at] not in "\t\n\v\f\r \x85\xa0":
        at += 1
    if at == body.start:
        return _Views([])
    kind = chars_of(body.line, body.raw, body.start, at).text
    while at < body.end and body.raw[at] in "\t\n\v\f\r \x85\xa0":
        at += 1
    command = _command(body._replace(start=at), keyword)
    name = kind.upper()
    return command._replace(args=[kind, *command.args], healthcheck=name if name in ("NONE", "CMD") else "")


def _onbuild(body: _Body, keyword: str) -> _Views:
    if body.start == body.end or body.depth == _MAX_TRIGGERS:
        return _Views([])
    line = cut_text(body.line, body.start, body.end)
    trigger, error = _read(line, body.text, None, body.escape, body.depth + 1)
    return _Views([trigger.keyword], trigger=trigger, error=error)


_VIEWS: dict[str, Callable[[_Body, str], _Views]] = {
    "ADD": _paths,
    "ARG": _arguments,
    "CMD": _command,
    "COPY": _paths,
    "ENTRYPOINT": _command,
    "ENV": _pairs,
    "EXPOSE": _list,
    "FROM": _list,
    "HEALTHCHECK": _healthcheck,
    "LABEL": _pairs,
    "MAINTAINER": _whole,
    "ONBUILD": _onbuild,
    "RUN": _command,
    "SHELL": _command,
    "STOPSIGNAL": _whole,
    "USER": _whole,
    "VOLUME": _paths,
    "WORKDIR": _whole,
}
_LOWER = frozenset(name.lower() for name in _VIEWS)

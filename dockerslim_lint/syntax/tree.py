"""Value types of a parsed Dockerfile. All spans are byte offsets into the file."""

from __future__ import annotations

from bisect import bisect_right

from dockerslim_lint.record import Record
from dockerslim_lint.source import Span


class LogicalText:
    """Text as BuildKit hands it on (continuations joined, comments and empty lines inside them gone), with its places.

    `data` are the bytes; `segments` are ``(start in data, offset in the file)`` pairs, ascending, the first at 0.
    """

    __slots__ = ("_base", "_files", "_starts", "data", "segments")

    def __init__(self, data: bytes, segments: tuple[tuple[int, int], ...]) -> None:
        self.data = data
        self.segments = segments
        # Most texts stand in the file as one piece: a place is then a sum.
        self._base = segments[0][1] if len(segments) == 1 else -1
        if self._base < 0:
            self._starts = [start for start, _ in segments]
            self._files = [offset for _, offset in segments]

    def offset(self, index: int) -> int:
        """File offset of the byte at `index`; ``len(data)`` gives the offset behind the last byte."""
        if self._base >= 0:
            return self._base + index
        if index > 0 and index == len(self.data):
            return self.offset(index - 1) + 1
        at = bisect_right(self._starts, index) - 1
        return self._files[at] + index - self._starts[at] if at >= 0 else 0

    def span(self, start: int, end: int) -> Span:
        """File span of ``data[start:end]``; it may enclose a continuation that is not part of the text."""
        base = self._base
        if base >= 0:
            return Span(base + start, base + (end if end > start else start))
        starts = self._starts
        if end <= start or start == len(self.data):
            first = self.offset(start)
            return Span(first, first)
        at = bisect_right(starts, start) - 1
        shift = self._files[at] - starts[at]
        if at + 1 == len(starts) or end <= starts[at + 1]:
            return Span(shift + start, shift + end)
        return Span(shift + start, self.offset(end - 1) + 1)

    def contiguous(self, start: int, end: int) -> bool:
        """Whether ``data[start:end]`` stands in the file as one piece, without a continuation inside."""
        return end <= start or self.offset(end - 1) - self.offset(start) == end - 1 - start


class Literal(Record):
    """Text that stands for itself. `text` has quotes and escapes removed; `span` excludes the quotes; `quote` is "", "'" or '"'."""

    text: str
    span: Span
    quote: str


class Expansion(Record):
    """A variable: ``$name`` or ``${name…}``.

    `operator` is "" or one of ``:- - :+ + :? ? # ## % %% / //``; `argument` is the word behind it, `replacement` the
    second one of ``/`` and ``//``. `span` covers ``$`` to the end of the name or the closing brace.
    """

    name: str
    operator: str
    argument: Word | None
    replacement: Word | None
    span: Span
    quote: str


class Word(Record):
    """A word of a Dockerfile instruction: its pieces in order. `span` includes quotes."""

    pieces: tuple[Literal | Expansion, ...]
    span: Span

    @property
    def literal(self) -> str | None:
        """The word's text if no variable is in it."""
        text = ""
        for piece in self.pieces:
            if isinstance(piece, Expansion):
                return None
            text += piece.text
        return text


class Flag(Record):
    """``--name=value``; value is None for a bare ``--name``. `span` covers it all, `value` has its own span."""

    name: str
    value: Word | None
    span: Span


class JsonString(Record):
    """One string of an exec form. `span` covers the text between the quotes; `text` is unescaped."""

    text: str
    span: Span


class Heredoc(Record):
    """``<<[-]NAME`` and its body.

    `expand` is False where the name was quoted; `marker` is the span of the ``<<NAME`` word, `body` that of the lines
    between (newlines included), `terminator` that of the closing line without its newline.
    """

    name: str
    expand: bool
    strip_tabs: bool
    fd: str
    marker: Span
    body: Span
    terminator: Span


class Pair(Record):
    """``key=value`` of ENV, LABEL and ARG. `value` is None for ``ARG x``. The legacy ``ENV key rest of line`` has `legacy` True."""

    key: Word
    value: Word | None
    span: Span
    legacy: bool


class Instruction(Record):
    """One instruction.

    `keyword` is upper case, whatever was written. `span` runs from the keyword's first byte (or from a lone escape
    character on a line before it) to the end of its last line, the newline included (heredoc bodies and terminators
    too). `body` is the logical text behind keyword and
    flags, outer white space removed. Of the parsed views only those are filled that the keyword has:

    - `words`: FROM, COPY, ADD (sources and destination; also from their JSON form, see `json`), WORKDIR, USER, EXPOSE,
      VOLUME, STOPSIGNAL, MAINTAINER: words as BuildKit splits them.
    - `pairs`: ENV, LABEL, ARG.
    - `json`: the strings, where the body is a JSON array of strings and the keyword takes one (RUN, CMD, ENTRYPOINT,
      SHELL, VOLUME, COPY, ADD, HEALTHCHECK CMD); None otherwise: then RUN, CMD, ENTRYPOINT are in shell form.
    - `heredocs`: of RUN, COPY and ADD; those of an ONBUILD are in it and in its `trigger`.
    - `trigger`: ONBUILD's inner instruction. `healthcheck`: "NONE", "CMD", or "" for any other keyword; its command is
      `body` without that word.
    - `error`: what BuildKit would say against this single instruction (table drawn from instructions/parse.go), else
      None. A trigger has its own: BuildKit looks at it only when the image is used. `unknown` is True where the keyword is not an instruction.
    """

    keyword: str
    keyword_span: Span
    span: Span
    flags: tuple[Flag, ...]
    body: LogicalText
    words: tuple[Word, ...]
    pairs: tuple[Pair, ...]
    json: tuple[JsonString, ...] | None
    heredocs: tuple[Heredoc, ...]
    trigger: Instruction | None
    healthcheck: str
    error: str | None
    unknown: bool

    @property
    def body_span(self) -> Span:
        """Where the body stands in the file."""
        return self.body.span(0, len(self.body.data))

    def flag(self, name: str) -> Flag | None:
        """The last flag of that name (BuildKit takes the last)."""
        for flag in reversed(self.flags):
            if flag.name == name:
                return flag
        return None

    @property
    def keeps_parents(self) -> bool:
        """Whether it is a ``COPY --parents`` (or ``--parents=true``)."""
        flag = self.flag("parents")
        return flag is not None and (flag.value is None or flag.value.literal != "false")


class Trivia(Record):
    """Bytes that are no instruction. kind: ``bom``, ``directive``, ``comment`` or ``blank``; newline included."""

    kind: str
    span: Span


class Directive(Record):
    """A parser directive (``# syntax=…``). `name` is lower case; `value_span` covers the value without white space."""

    name: str
    value: str
    span: Span
    value_span: Span


class Dockerfile(Record):
    """A parsed file. The spans of `nodes` follow each other without gap and cover all of the file's bytes.

    White space before an instruction's keyword belongs to a ``blank`` trivia of its own. `fatal` is set where BuildKit
    reads no instruction list at all (empty, only comments, an unterminated heredoc …) and says why, in one line.
    """

    nodes: tuple[Instruction | Trivia, ...]
    directives: tuple[Directive, ...]
    escape: str
    fatal: str | None

    @property
    def instructions(self) -> tuple[Instruction, ...]:
        return tuple(node for node in self.nodes if isinstance(node, Instruction))

    def directive(self, name: str) -> Directive | None:
        for directive in self.directives:
            if directive.name == name:
                return directive
        return None

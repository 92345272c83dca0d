"""Value types of a parsed shell script. All spans are byte offsets into the Dockerfile, not into the script."""

from __future__ import annotations

from dockerslim_lint.record import Record
from dockerslim_lint.source import Span
from dockerslim_lint.syntax.tree import Expansion, Literal


class Substitution(Record):
    """What only a running shell knows: ``$(…)``, backquotes, ``$((…))``, ``<(…)``. `text` is as written."""

    text: str
    span: Span
    quote: str


class ShellWord(Record):
    """A shell word: pieces in order. `span` is its place in the file, quotes included; `text` is as written in the script.

    `contiguous` is False where a line continuation of the Dockerfile stands inside the word.
    """

    pieces: tuple[Literal | Expansion | Substitution, ...]
    span: Span
    text: str
    contiguous: bool

    @property
    def literal(self) -> str | None:
        """The word without quotes, if it holds nothing that the shell replaces (globs count as text)."""
        value = ""
        for piece in self.pieces:
            if not isinstance(piece, Literal):
                return None
            value += piece.text
        return value

    @property
    def has_glob(self) -> bool:
        """Whether an unquoted ``*``, ``?`` or ``[`` stands in the word."""
        return any(isinstance(p, Literal) and not p.quote and any(c in p.text for c in "*?[") for p in self.pieces)


class Assignment(Record):
    """``NAME=value`` before a command, alone, or as an argument of export, readonly, declare, local."""

    name: str
    value: ShellWord | None
    span: Span


class Redirect(Record):
    """``2>file``, ``<<EOF`` …: `operator` is all in front of the target (``2>``, ``>>``, ``2>&``, ``<<-``), `target` the word behind it; a heredoc's body is not kept."""

    operator: str
    target: ShellWord | None
    span: Span


class Simple(Record):
    """A simple command. Builtins that assign (export …) have their name in `words` and what they assign in `assignments`."""

    assignments: tuple[Assignment, ...]
    words: tuple[ShellWord, ...]
    redirects: tuple[Redirect, ...]
    span: Span


class Sequence(Record):
    """Commands one after the other; ``operators[i]`` stands before ``items[i]``: "" for the first, else ``&& || ; & \\n``.

    Behind a last ``&`` stands a `Simple` without anything in it.
    """

    items: tuple[Node, ...]
    operators: tuple[str, ...]
    span: Span


class Pipeline(Record):
    """``a | b``."""

    items: tuple[Node, ...]
    span: Span


class Negated(Record):
    """``! command``."""

    item: Node
    span: Span


class Group(Record):
    """``( … )`` (subshell True) or ``{ …; }``, with what is redirected behind it."""

    body: Node
    subshell: bool
    redirects: tuple[Redirect, ...]
    span: Span


class If(Record):
    """``if``/``elif`` branches as (condition, body), and ``else``."""

    branches: tuple[tuple[Node, Node], ...]
    otherwise: Node | None
    span: Span


class Loop(Record):
    """kind ``for`` (with `variable` and `words`), ``while`` or ``until`` (with `condition`)."""

    kind: str
    variable: str
    words: tuple[ShellWord, ...]
    condition: Node | None
    body: Node
    span: Span


class Case(Record):
    """``case word in pattern|pattern) body;; …``."""

    word: ShellWord
    branches: tuple[tuple[tuple[ShellWord, ...], Node], ...]
    span: Span


class Function(Record):
    """``name() { … }``: defined, not run."""

    name: str
    body: Node
    span: Span


class Unread(Record):
    """Something that the grammar could not read, or that is not modelled (``[[ … ]]``, ``(( … ))``)."""

    text: str
    span: Span


Node = Simple | Sequence | Pipeline | Negated | Group | If | Loop | Case | Function | Unread


class Script(Record):
    """A parsed script. `broken` is True where the grammar met an error anywhere: then nothing in it is certain."""

    root: Node
    broken: bool

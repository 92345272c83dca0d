"""BuildKit's expansion of variables in a word.

A `Word` has no quotes and escapes any more: they were removed where it was read, once for most words, twice for a flag's
value (first from the flag, then, if any are left, from the value) and for a string of a JSON array. So what `expand`
returns is the value that BuildKit works with. BuildKit splits the words of EXPOSE at white space *after* that.
"""

from __future__ import annotations

from collections.abc import Callable

from dockerslim_lint.syntax.patterns import cut_prefix, cut_suffix, read_pattern, replace
from dockerslim_lint.syntax.tree import Expansion, Word


class Unknown:
    """The type of `UNKNOWN`: a variable that may be set, to nobody knows what."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = Unknown()

Lookup = Callable[[str], str | Unknown | None]
"""A variable's value by its name: text if it is set, None if it is not, `UNKNOWN` if that cannot be said."""


class _RefusedError(Exception):
    """BuildKit ends the build here."""


LONGEST = 1 << 16
"""Characters of a value beyond which it is not known: a few lines that double each other's value would fill any memory."""


def expand(word: Word, lookup: Lookup) -> str | None:
    """The word's value; None where it cannot be known: an unknown variable whose value matters, or one that BuildKit refuses (``${X:?}``).

    A variable that is not set is "".
    """
    try:
        return _expand(word, lookup)
    except _RefusedError:
        return None


def variables(word: Word) -> frozenset[str]:
    """The names of all variables in the word, those in arguments included."""
    names: set[str] = set()
    stack = [word]
    while stack:
        for piece in stack.pop().pieces:
            if isinstance(piece, Expansion):
                names.add(piece.name)
                stack.extend(inner for inner in (piece.argument, piece.replacement) if inner is not None)
    return frozenset(names)


def _expand(word: Word, lookup: Lookup) -> str | None:
    out = ""
    known = True
    for piece in word.pieces:
        value = _value(piece, lookup) if isinstance(piece, Expansion) else piece.text
        if value is None:
            known = False
        else:
            out += value
        if len(out) > LONGEST:
            return None
    return out if known else None


def _value(piece: Expansion, lookup: Lookup) -> str | None:
    # BuildKit expands the argument even where it does not need it, so a `:?` in it ends the build.
    argument = _expand(piece.argument, lookup) if piece.argument is not None else ""
    replacement = _expand(piece.replacement, lookup) if piece.replacement is not None else ""
    value = lookup(piece.name)
    if isinstance(value, Unknown):
        return None
    operator = piece.operator
    kind = operator[-1:]
    if kind in ("", "/", "#", "%"):
        return _pattern_value(operator, value or "", argument, replacement) if kind else value or ""
    present = value is not None and (value != "" or not operator.startswith(":"))
    if kind == "-":
        return value if present else argument
    if kind == "+":
        return argument if present else ""
    if not present:
        raise _RefusedError
    return value


def _pattern_value(operator: str, value: str, argument: str | None, replacement: str | None) -> str | None:
    if argument is None or replacement is None:
        return None
    longest = len(operator) == 2
    kind = operator[0]
    if kind in "#%" and not longest and argument.startswith(kind):
        # The second `#` may come out of a variable: BuildKit looks for it after the expansion.
        longest = True
        argument = argument[1:]
    tokens = read_pattern(argument)
    if tokens is None:
        raise _RefusedError
    if kind == "#":
        return cut_prefix(tokens, value, longest)
    if kind == "%":
        return cut_suffix(tokens, value, longest)
    if longest and "$" in replacement:
        # Go would read `$1` in it as a reference to a group.
        return None
    if len(value) * len(replacement) > LONGEST * LONGEST // 64:
        return None  # each character may be replaced
    return replace(tokens, value, replacement, longest)

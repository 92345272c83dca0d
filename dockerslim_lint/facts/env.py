"""ARG and ENV at every instruction, and what a word is worth there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce

from dockerslim_lint.catalog.images import BaseImage
from dockerslim_lint.facts.model import Value
from dockerslim_lint.facts.patterns import merge
from dockerslim_lint.source import Span
from dockerslim_lint.syntax.expand import LONGEST, UNKNOWN, Unknown, expand, variables
from dockerslim_lint.syntax.tree import Instruction, Literal, Word

PLATFORM_ARGUMENTS = frozenset(
    {f"{side}{part}" for side in ("TARGET", "BUILD") for part in ("PLATFORM", "OS", "ARCH", "VARIANT", "OSVERSION")}
    | {"TARGETSTAGE"}
)
"""Set by BuildKit itself in the global scope (Dockerfile reference, "Automatic platform ARGs")."""

NOWHERE = Span(0, 0)


def _platform_value(name: str) -> str:
    """What is known of an automatic argument: a platform has a slash in it (``linux/arm64``)."""
    return "linux/*" if name == "TARGETPLATFORM" else "*"


class Environment:
    """The variables of one stage while it is walked. ENV wins over ARG of the same name, whatever the order."""

    def __init__(self, base: BaseImage | None, known: bool) -> None:
        self.environment: dict[str, Value] = {}
        self.arguments: dict[str, Value] = {}
        self.unset: frozenset[str] = frozenset()
        """arguments that are declared and have neither default nor value"""
        self.awaited: frozenset[str] = frozenset()
        """what is empty until somebody gives an argument: such ones, those of an empty default, and an ENV that is made of them"""
        self.known = known
        """whether all that the base sets is known: only then is an unset variable empty"""
        for name, text in base.env if base else ():
            self.environment[name] = Value(text, NOWHERE)

    def child(self) -> Environment:
        """What a stage built on this one starts with."""
        copy = Environment(None, self.known)
        copy.environment = dict(self.environment)
        copy.arguments = dict(self.arguments)
        copy.unset, copy.awaited = self.unset, self.awaited
        return copy

    def take_common(self, others: Sequence[Environment]) -> None:
        """What a stage starts with that is built on one of several: what they agree on; what only some of them set is not known."""
        for values, theirs in (
            (self.environment, [other.environment for other in others]),
            (self.arguments, [other.arguments for other in others]),
        ):
            for name in dict.fromkeys(name for one in theirs for name in one):
                found = [one[name] for one in theirs if name in one]
                text = reduce(merge, (value.text for value in found)) if len(found) == len(theirs) else None
                if any(value.text != text for value in found) and not _alike(text or "", found):
                    text = None
                values[name] = Value(text, found[0].origin, any(value.machine for value in found))

    @property
    def variables(self) -> dict[str, Value]:
        """All that a RUN sees."""
        return {**self.arguments, **self.environment}

    def lookup(self, name: str) -> str | Unknown | None:
        """The value for `expand`."""
        value = self.environment.get(name) or self.arguments.get(name)
        if value is not None:
            return UNKNOWN if value.text is None or "*" in value.text else value.text
        return None if self.known else UNKNOWN

    def pattern(self, word: Word) -> tuple[str, bool]:
        """The word's value as a pattern, and whether nothing in it is open."""
        return pattern_of(word, self.variables, self.known)

    def bind_argument(
        self, instruction: Instruction, given: Mapping[str, str], scope: Mapping[str, Value], platform_known: bool
    ) -> None:
        """An ARG instruction of a stage: the user's value, else its default, else the global one of that name."""
        for pair in instruction.pairs:
            name = pair.key.literal or ""
            self.unset -= {name}
            if name in given:
                self.arguments[name] = Value(given[name], pair.span)
            elif pair.value is not None:
                text, _ = self.pattern(pair.value)
                # the default is only a default: --build-arg may still change it, but nothing says so
                self.arguments[name] = Value(text, pair.span)
            elif name in scope:
                self.arguments[name] = scope[name]
            elif name in PLATFORM_ARGUMENTS and platform_known:
                self.arguments[name] = Value(_platform_value(name), pair.span)
            elif name not in self.arguments:
                # declared, never given: not in the environment at all; a value of an earlier ARG stays (BuildKit, dispatchArg)
                self.unset |= {name}
            bound = self.variables.get(name)
            if name not in given and (bound is None or bound.text == ""):
                self.awaited |= {name}

    def bind_environment(self, instruction: Instruction) -> None:
        """An ENV instruction: all values are expanded before any is bound."""
        bound = [
            (pair.key.literal or "", Value(self.pattern(pair.value)[0] if pair.value else "", pair.span))
            for pair in instruction.pairs
        ]
        made = [
            pair.value is not None and not self.awaited.isdisjoint(variables(pair.value)) for pair in instruction.pairs
        ]
        empty = {name for (name, value), one in zip(bound, made, strict=True) if one and value.text == ""}
        self.awaited = self.awaited.difference(name for name, _ in bound) | empty
        self.environment.update(bound)


def _alike(text: str, values: Sequence[Value]) -> bool:
    """Whether what is common to values says what counts: not of several words (flags), nor of targets some of which are not static by
    themselves."""
    from dockerslim_lint.catalog import platforms

    rows = [platforms.by_target(value.text or "") for value in values]
    return " " not in text and all(row is None or row.crt_static for row in rows)


def pattern_of(word: Word, variables: Mapping[str, Value], known: bool) -> tuple[str, bool]:
    """Like `Environment.pattern`, for any set of variables."""

    def lookup(name: str) -> str | Unknown | None:
        value = variables.get(name)
        if value is not None:
            return UNKNOWN if value.text is None or "*" in value.text else value.text
        return None if known else UNKNOWN

    text, exact = "", True
    for piece in word.pieces:
        if isinstance(piece, Literal):
            text += piece.text
            continue
        value = expand(Word((piece,), piece.span), lookup)
        if value is None:
            bound = variables.get(piece.name)
            value = bound.text if bound and bound.text and not piece.operator else "*"
            exact = False
        text += value
        if len(text) > LONGEST:
            return "*", False
    return text, exact


def global_scope(
    instructions: Iterable[Instruction], given: Mapping[str, str]
) -> tuple[dict[str, Value], frozenset[str]]:
    """The ARGs before the first FROM, and the names of those that have neither default nor value."""
    scope: dict[str, Value] = {name: Value(_platform_value(name), NOWHERE) for name in PLATFORM_ARGUMENTS}
    empty = set()
    for instruction in instructions:
        if instruction.keyword == "FROM":
            break
        if instruction.keyword != "ARG":
            continue
        for pair in instruction.pairs:
            name = pair.key.literal or ""
            if name in given:
                scope[name] = Value(given[name], pair.span)
            elif pair.value is not None:
                scope[name] = Value(pattern_of(pair.value, scope, True)[0], pair.span)
            else:
                empty.add(name)
    return scope, frozenset(empty)

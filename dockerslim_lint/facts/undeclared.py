"""Arguments that a RUN uses and its stage does not declare. Loaded where one names an argument of the file's head or of the platform."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from dockerslim_lint.catalog import programs
from dockerslim_lint.facts.commands import ASSIGNS, SET_BY_THE_SHELL
from dockerslim_lint.facts.model import Undeclared
from dockerslim_lint.facts.shared import Shared
from dockerslim_lint.facts.stages import chain_of
from dockerslim_lint.facts.texts import TESTS
from dockerslim_lint.source import Span, encode
from dockerslim_lint.syntax import script as sh
from dockerslim_lint.syntax.shell import parse_shell, run_script
from dockerslim_lint.syntax.tree import Expansion, Instruction, LogicalText

READ_FIRST = "BASH_ENV"
"""The variable that names a file which bash reads before any script (bash(1))."""

PREDEFINED = frozenset(
    (
        *(f"{name}_proxy" for name in ("http", "https", "ftp", "no", "all")),
        *(f"{name}_PROXY" for name in ("HTTP", "HTTPS", "FTP", "NO", "ALL")),
        "SOURCE_DATE_EPOCH",
    )
)
"""Arguments that a RUN gets without an ARG (Dockerfile reference, "Predefined ARGs" and "BuildKit built-in build args")."""

MAX_NESTING = 4
"""of ``$(… $(…))``"""


def undeclared(
    shared: Shared, instructions: Sequence[Instruction], names: Mapping[str, Span | None]
) -> Iterator[Undeclared]:
    """Each once in a stage, on bases whose own variables are known. `names` are those asked for, with their places.

    Nothing where the instruction speaks of the name otherwise than by ``$NAME``: it may set it, or say what it is without.
    Nothing either where it asks whether the variable is empty.
    """
    for state in shared.states:
        image = state.stage.image
        if image is None or not image.understood or image.certainty == "believed" or "env" in image.believed:
            continue
        known = {*(name for name, _ in image.env), *SET_BY_THE_SHELL, *PREDEFINED}
        for number in chain_of(state.stage, shared.stages) if not state.foreign_shell else ():
            for index in shared.stages[number].instructions:
                instruction = instructions[index]
                if instruction.keyword in ("ARG", "ENV"):
                    known.update(pair.key.literal or "" for pair in instruction.pairs)
                elif instruction.keyword == "RUN" and number == state.stage.number and READ_FIRST not in known:
                    wanted = {name: place for name, place in names.items() if name not in known}
                    for name, span in _used(instruction, shared, wanted):
                        known.add(name)
                        yield Undeclared(index, span, name, wanted[name])


def _used(instruction: Instruction, shared: Shared, wanted: Mapping[str, Span | None]) -> Iterator[tuple[str, Span]]:
    text = run_script(instruction, shared.source) if instruction.error is None else None
    named = [name for name in wanted if text is not None and encode(name) in text.data]
    if text is None or not named:
        return
    uses = _Uses(text)
    if uses.open:
        return
    written = shared.source.text(instruction.span)
    for name in named:
        spoken = len(re.findall(rf"\b{re.escape(name)}\b", written))
        plain = len(re.findall(rf"\$(?:{re.escape(name)}\b|\{{{re.escape(name)}\}})", written))
        if name in uses.found and name not in uses.asked and spoken == plain:
            yield name, uses.found[name]


class _Uses:
    """The plain variables of a script: `found` by name with the first place, `asked` those that it tests for a value.

    `open`: any variable may get a value on the way, or the script cannot be read.
    """

    def __init__(self, text: LogicalText) -> None:
        self.found: dict[str, Span] = {}
        self.asked: set[str] = set()
        self.open = False
        self._place: Span | None = None
        self._depth = 0
        self._read(text)

    def _read(self, text: LogicalText) -> None:
        parsed = parse_shell(text)
        self.open = self.open or parsed.broken
        self._walk(parsed.root)

    def _walk(self, node: sh.Node | None) -> None:
        match node:
            case sh.Simple():
                self._simple(node)
            case sh.Sequence() | sh.Pipeline():
                for item in node.items:
                    self._walk(item)
            case sh.Negated():
                self._walk(node.item)
            case sh.Group() | sh.Function():
                self._walk(node.body)
            case sh.If():
                for condition, body in node.branches:
                    self._walk(condition)
                    self._walk(body)
                self._walk(node.otherwise)
            case sh.Case():
                self._case(node)
            case sh.Loop():
                for word in node.words:
                    self._word(word)
                self._walk(node.condition)
                self._walk(node.body)
            case sh.Unread():
                self.asked.update(re.findall(r"\w+", node.text))

    def _simple(self, node: sh.Simple) -> None:
        name = (node.words[0].literal or "") if node.words else ""
        if programs.sets_variables(name) or (name in ASSIGNS and any(word.literal is None for word in node.words)):
            self.open = True
        values = [item.value for item in node.assignments if item.value is not None]
        targets = [redirect.target for redirect in node.redirects if redirect.target is not None]
        for word in (*values, *node.words, *targets):
            self._word(word)
        if name in TESTS:
            bare = any(word.literal in ("-z", "-n", "") for word in node.words) or len(node.words) < 4
            for word in node.words:
                if bare or len(word.pieces) > 1:
                    self.asked.update(piece.name for piece in word.pieces if isinstance(piece, Expansion))

    def _case(self, node: sh.Case) -> None:
        self._word(node.word)
        literals = [word.literal for words, _ in node.branches for word in words]
        if "" in literals:
            self.asked.update(piece.name for piece in node.word.pieces if isinstance(piece, Expansion))
        for words, body in node.branches:
            for word in words:
                self._word(word)
            self._walk(body)

    def _word(self, word: sh.ShellWord) -> None:
        for piece in word.pieces:
            if isinstance(piece, Expansion) and not piece.operator:
                self.found.setdefault(piece.name, self._place or piece.span)
            elif isinstance(piece, sh.Substitution):
                self._substitution(piece)

    def _substitution(self, piece: sh.Substitution) -> None:
        """What stands in ``$(…)`` is read for its own; its place is that of the whole."""
        if not piece.text.startswith("$(") or piece.text.startswith("$((") or self._depth >= MAX_NESTING:
            self.asked.update(re.findall(r"\w+", piece.text))
            return
        outer, self._place = self._place, self._place or piece.span
        self._depth += 1
        self._read(LogicalText(encode(piece.text[2:-1]), ((0, 0),)))
        self._depth -= 1
        self._place = outer

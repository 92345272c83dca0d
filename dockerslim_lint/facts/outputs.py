"""Which words name something inside a cargo call's output directory, and where in the word its profile stands."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.filesystem import PathTable
from dockerslim_lint.facts.model import CargoCall, Command, CommandWord, Output, OutputUse
from dockerslim_lint.syntax.script import Substitution
from dockerslim_lint.syntax.tree import Expansion, Literal, Word

Piece = Literal | Expansion | Substitution


def command_uses(command: Command, table: PathTable, calls: list[CargoCall]) -> Iterator[OutputUse]:
    """The words of one command that lie in an output directory, whatever the command."""
    form = "shell" if command.shell_form and not command.nested else "json"
    for word in command.words:
        if "/" not in word.pattern and (command.directory is None or word is command.words[0]):
            continue  # unknown, or a name that is looked up in PATH
        path = patterns.join(command.directory or "/*", word.pattern)
        found = _output_of(path, table, calls)
        if found is None:
            continue
        call, inside = found
        place = _profile_of_word(word, inside)
        yield OutputUse(call, command.stage, command.instruction, form, word.span, *place, inside)


def word_use(
    word: Word, path: str, form: str, stage: int, instruction: int, table: PathTable, calls: list[CargoCall]
) -> OutputUse | None:
    """The same for a word of an instruction: `path` is the absolute path that it names."""
    found = _output_of(path, table, calls)
    if found is None:
        return None
    call, inside = found
    return OutputUse(call, stage, instruction, form, word.span, *profile_place(word.pieces, inside), inside)


def _output_of(path: str, table: PathTable, calls: list[CargoCall]) -> tuple[int, str] | None:
    for known, entry in reversed(list(table.entries())):
        if isinstance(entry, Output) and calls[entry.call].kind == "build":
            inside = patterns.below(path, known)
            if inside is not None:
                return entry.call, inside
    return None


def _profile_of_word(word: CommandWord, inside: str) -> tuple[int | None, str, bool]:
    if word.shell is not None:
        return profile_place(word.shell.pieces, inside)
    if word.json is not None:
        return profile_place((Literal(word.json.text, word.json.span, '"'),), inside)
    return None, "", True


def profile_place(pieces: tuple[Piece, ...], inside: str) -> tuple[int | None, str, bool]:
    """File offset and quote of the segment that stands before `inside` in a word, and whether it is part of the word at all.

    The offset is None where the segment is not spelt out there: it comes from a variable (part of the word), or from the
    directory in which the command runs (not part of it).
    """
    places: list[tuple[int | None, str]] = []
    literal = ""
    for piece in pieces:
        if not isinstance(piece, Literal):
            # of unknown length, so only what follows it can be counted from the end
            places.append((None, piece.quote))
            literal += "\0"
            continue
        exact = piece.span.end - piece.span.start == len(piece.text.encode("utf-8", "surrogateescape"))
        offset = piece.span.start
        for char in piece.text:
            places.append((offset if exact else None, piece.quote))
            offset += len(char.encode("utf-8", "surrogateescape"))
        literal += piece.text
    depth = inside.count("/") + 1 if inside else 0
    segments = literal.rstrip("/").split("/")
    while segments and segments[0] in ("", "."):
        del segments[0]
    index = len(segments) - depth - 1
    if index < 0:
        return None, "", "\0" in literal
    if any(segment in ("", ".", "..") or "\0" in segment for segment in segments[index:]):
        return None, "", True
    start = len(literal.rstrip("/")) - len("/".join(segments[index:]))
    return (*places[start], True)

"""Which words name something inside a cargo call's output directory, and where in the word its profile stands."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.catalog import commands as known_commands
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.filesystem import PathTable
from dockerslim_lint.facts.model import CargoCall, Command, CommandWord, ImageBuild, Output, OutputUse
from dockerslim_lint.facts.transfers import MOVERS
from dockerslim_lint.source import Span
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
        valued = found is None and "=" in word.pattern
        if valued:  # --file=target/release/app
            found = _output_of(patterns.join(command.directory or "/*", word.pattern.partition("=")[2]), table, calls)
        if found is None:
            continue
        call, inside = found
        place = _profile_of_word(word, inside, calls[call])
        if valued and place[0] == word.span.start:
            place = None, "", True  # the value begins with the profile
        yield OutputUse(call, command.stage, command.instruction, form, word.span, *place, inside)


def word_use(
    word: Word, path: str, form: str, stage: int, instruction: int, table: PathTable, calls: list[CargoCall]
) -> OutputUse | None:
    """The same for a word of an instruction: `path` is the absolute path that it names."""
    found = _output_of(path, table, calls)
    if found is None:
        return None
    call, inside = found
    return OutputUse(
        call, stage, instruction, form, word.span, *profile_place(word.pieces, inside, calls[call]), inside
    )


def mount_use(
    span: Span, path: str, stage: int, instruction: int, table: PathTable, calls: list[CargoCall]
) -> OutputUse | None:
    """The same for the source of a ``RUN --mount``, `span` being the flag's place."""
    found = _output_of(path, table, calls)
    if found is None:
        return None
    return OutputUse(found[0], stage, instruction, "mount", span, None, "", True, found[1])


def copied_from(build: ImageBuild, at: int, profile: str) -> bool:
    """Whether something that surely runs copies from the output directory of a call, and spells out this directory of a profile."""
    sure = {
        word.span
        for command in build.commands
        if command.certain and known_commands.canonical(command.name) in MOVERS
        for word in command.words
    }
    for use in build.uses:
        if use.call == at and use.profile_at is not None and (use.form == "copy" or use.span in sure):
            written = build.source.text(Span(use.profile_at, use.span.end))
            if written.split("/")[0].strip("'\"") == profile:
                return True
    return False


def _output_of(path: str, table: PathTable, calls: list[CargoCall]) -> tuple[int, str] | None:
    for known, entry in table.around(path):
        if isinstance(entry, Output) and calls[entry.call].kind == "build":
            if entry.copied:
                continue
            inside = patterns.below(path, known)
            if inside is not None:
                return entry.call, inside
    return None


def _profile_of_word(word: CommandWord, inside: str, call: CargoCall) -> tuple[int | None, str, bool]:
    if word.shell is not None:
        return profile_place(word.shell.pieces, inside, call)
    if word.json is not None:
        return profile_place((Literal(word.json.text, word.json.span, '"'),), inside, call)
    return None, "", True


def profile_place(pieces: tuple[Piece, ...], inside: str, call: CargoCall) -> tuple[int | None, str, bool]:
    """File offset and quote of the segment that stands before `inside` in a word, and whether it is part of the word at all.

    The offset is None where it cannot be told: the path is put together from variables (part of the word), or the segment
    comes from the directory in which the command runs (not part of it).
    """
    places: list[tuple[int | None, str]] = []
    literal = ""
    for piece in pieces:
        if not isinstance(piece, Literal):
            # of unknown length, so only what follows it can be counted from the end
            places.append((piece.span.start, piece.quote))
            literal += "\0"
            continue
        exact = piece.span.end - piece.span.start == len(piece.text.encode("utf-8", "surrogateescape"))
        offset = piece.span.start
        for char in piece.text:
            places.append((offset if exact else None, piece.quote))
            offset += len(char.encode("utf-8", "surrogateescape"))
        literal += piece.text
    depth = inside.count("/") + 1 if inside else 0
    named = literal.rstrip("/")
    while named.endswith("/."):  # cp's way to say what is in a directory
        named = named[:-2].rstrip("/")
    segments = named.split("/")
    while segments and segments[0] in ("", "."):
        del segments[0]
    index = len(segments) - depth - 1
    if index < 0:
        return None, "", "\0" in literal
    if any(segment in ("", ".", "..") for segment in segments[index:]):
        return None, "", True
    if any("\0" in segment for segment in segments[index:]) and not _is_anchored(segments, index, call):
        return None, "", True
    start = len(named) - len("/".join(segments[index:]))
    return (*places[start], True)


def _is_anchored(segments: list[str], index: int, call: CargoCall) -> bool:
    """Whether a path with variables holds the profile at `index` for sure: a variable may hold more than one segment.

    The profile is spelt out there, or is one variable behind the target directory's own name.
    """
    if segments[index] == call.profile_directory:
        return True
    before = segments[index - 1] if index > 0 else ""
    return segments[index] == "\0" and before == patterns.basename(call.target_directory or "")

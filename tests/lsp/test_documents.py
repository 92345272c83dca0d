"""Positions in the client's units, and texts that follow the client's changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from dockerslim_lint.lsp.documents import Documents
from dockerslim_lint.lsp.positions import Positions
from dockerslim_lint.source import Source, Span

CHARS = "a \tFé☃🦀\ufeff\x0b\x85\u2028\r\n\n\n"
TEXTS = st.text(CHARS, max_size=40).filter(lambda text: "\r" not in text.replace("\r\n", ""))
UNITS = ("utf-8", "utf-16", "utf-32")


def as_seen(text: str, unit: str) -> list[str]:
    """The text cut into the client's units, one entry each: an independent idea of columns."""
    width = {"utf-8": lambda c: len(c.encode()), "utf-16": lambda c: len(c.encode("utf-16-le")) // 2}
    cells: list[str] = []
    for char in text:
        cells += [char] + [""] * (width.get(unit, lambda c: 1)(char) - 1)
    return cells


@pytest.mark.parametrize("unit", UNITS)
@given(text=TEXTS)
def test_every_place_comes_back(unit: str, text: str) -> None:
    positions = Positions(Source(text.encode()), unit)
    for index in range(len(text) + 1):
        if text[index - 1 : index + 1] == "\r\n":
            continue  # nobody points between the two
        offset = len(text[:index].encode())
        position = positions.position(offset)
        line = text[:index].split("\n")[-1]
        assert position == types.Position(text[:index].count("\n"), len(as_seen(line, unit)))
        assert positions.offset(position) == offset


@pytest.mark.parametrize("unit", UNITS)
def test_places_that_are_not_there(unit: str) -> None:
    positions = Positions(Source("a🦀b\r\nc".encode()), unit)
    assert positions.offset(types.Position(0, 99)) == 6  # before the line's end
    assert positions.offset(types.Position(99, 0)) == 9
    if unit != "utf-32":
        assert positions.offset(types.Position(0, 2)) == 1  # inside of the crab
    assert positions.span(types.Range(types.Position(1, 1), types.Position(0, 0))) == Span(0, 9)


@pytest.mark.parametrize("unit", UNITS)
@given(text=TEXTS, data=st.data())
def test_a_text_follows_its_changes(unit: str, text: str, data: st.DataObject) -> None:
    documents = Documents()
    documents.unit = unit
    uri = "file:///Dockerfile"
    documents.open(types.TextDocumentItem(uri, "dockerfile", 1, text))
    for version in range(2, 6):
        indexes = [at for at in range(len(text) + 1) if text[at - 1 : at + 1] != "\r\n"]
        start, end = sorted((data.draw(st.sampled_from(indexes)), data.draw(st.sampled_from(indexes))))
        new = data.draw(st.text(CHARS.replace("\r", ""), max_size=6))
        places = [
            types.Position(text[:at].count("\n"), len(as_seen(text[:at].split("\n")[-1], unit))) for at in (start, end)
        ]
        change = types.TextDocumentContentChangePartial(types.Range(*places), new)
        identifier = types.VersionedTextDocumentIdentifier(version, uri)
        document = documents.change(types.DidChangeTextDocumentParams(identifier, [change]))
        text = text[:start] + new + text[end:]
        assert document is not None
        assert (document.source.data.decode(), document.version) == (text, version)


def test_half_a_character_is_a_question_mark() -> None:
    document = Documents().open(types.TextDocumentItem("untitled:1", "Dockerfile", 1, "FROM a\ud83eb"))
    assert document.source.data == b"FROM a?b"
    assert document.path == "-"


def test_a_change_of_a_text_that_was_never_opened_is_nothing() -> None:
    identifier = types.VersionedTextDocumentIdentifier(1, "file:///x")
    assert Documents().change(types.DidChangeTextDocumentParams(identifier, [])) is None


@pytest.mark.parametrize(
    ("uri", "language", "is_one"),
    [
        ("file:///a/Dockerfile", "dockerfile", True),
        ("file:///a/Dockerfile", "plaintext", True),
        ("file:///a/prod.dockerfile", "", True),
        ("file:///a/whatever", "Dockerfile", True),
        ("untitled:1", "dockerfile", True),
        ("untitled:Dockerfile", "plaintext", False),
        ("file:///a/Dockerfile.md", "markdown", False),
        ("file:///a/Dockerfile.dockerignore", "ignore", False),
        ("file:///a/Cargo.toml", "toml", False),
    ],
)
def test_which_texts_are_judged(uri: str, language: str, is_one: bool) -> None:
    documents = Documents()
    document = documents.open(types.TextDocumentItem(uri, language, 1, "x"))
    assert document.is_dockerfile is is_one
    assert bool(documents.dockerfiles()) is is_one
    assert bool(documents.buffers()) is (not is_one and uri.startswith("file:"))

"""Comments for findings: where they go, that they work, and that nothing else changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockerslim_lint import linter
from dockerslim_lint.config import Settings
from dockerslim_lint.context import NoContext
from dockerslim_lint.edit import apply
from dockerslim_lint.finding import Finding, Severity
from dockerslim_lint.ignore_comments import ignore_edits
from dockerslim_lint.source import Source, Span
from dockerslim_lint.suppress import split, suppressions
from dockerslim_lint.syntax.dockerfile import parse

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"


def finding(source: Source, text: str, code: str = "DSL101") -> Finding:
    start = source.data.index(text.encode())
    return Finding(code, "some-name", Severity.ERROR, "x", Span(start, start + len(text.encode())))


def ignored(text: str, *places: tuple[str, str], reason: str = "") -> str:
    """The text with comments for findings (code, where); they suppress exactly those, and none is unused."""
    source = Source(text.encode())
    found = [finding(source, where, code) for code, where in places]
    after = Source(apply(source.data, ignore_edits(source, parse(source), found, reason)))
    again = [finding(after, where, code) for code, where in places]
    parted = split(again, suppressions(parse(after), after))
    assert (parted.kept, parted.unused) == ((), ())
    return after.data.decode()


def test_a_line_of_its_own_above_the_instruction() -> None:
    assert ignored("FROM a\nRUN b\n", ("DSL201", "b\n"), ("DSL101", "b\n"), ("DSL1", "a\n"), reason="old; so") == (
        "# dockerslim: ignore=DSL1; reason=old; so\nFROM a\n# dockerslim: ignore=DSL101,DSL201; reason=old; so\nRUN b\n"
    )


@pytest.mark.parametrize(
    ("text", "where", "after"),
    [
        ("FROM a\r\nRUN b\r\n", "b", "FROM a\r\n# dockerslim: ignore=X\r\nRUN b\r\n"),
        ("\ufeffFROM a\n", "a", "\ufeff# dockerslim: ignore=X\nFROM a\n"),
        (
            "# syntax=docker/dockerfile:1\nFROM a\n",
            "a\n",
            "# syntax=docker/dockerfile:1\n# dockerslim: ignore=X\nFROM a\n",
        ),
        ("FROM a\n\t  RUN b", "b", "FROM a\n\t  # dockerslim: ignore=X\n\t  RUN b"),
        ("FROM a\n# why\n\nRUN b\n", "b", "FROM a\n# why\n\n# dockerslim: ignore=X\nRUN b\n"),
        ("FROM a\nRUN x && \\\n# c\n  b\n", "  b", "FROM a\n# dockerslim: ignore=X\nRUN x && \\\n# c\n  b\n"),
        ("FROM a\nRUN x \\\n\n\n  b\n", "  b", "FROM a\n# dockerslim: ignore=X\nRUN x \\\n\n\n  b\n"),
        ("FROM a\nRUN <<E\nb\nE\nRUN c\n", "b\n", "FROM a\n# dockerslim: ignore=X\nRUN <<E\nb\nE\nRUN c\n"),
        ("# escape=`\nFROM a\nRUN x `\n  b\n", "  b", "# escape=`\nFROM a\n# dockerslim: ignore=X\nRUN x `\n  b\n"),
        ("FROM a\nONBUILD RUN b\n", "b\n", "FROM a\n# dockerslim: ignore=X\nONBUILD RUN b\n"),
    ],
    ids=["crlf", "bom", "directive", "indent", "comment", "continuation", "blank", "heredoc", "escape", "onbuild"],
)
def test_where_it_stands(text: str, where: str, after: str) -> None:
    assert ignored(text, ("X", where)) == after


@pytest.mark.parametrize(
    ("comment", "after"),
    [
        ("# dockerslim: ignore=Y", "# dockerslim: ignore=Y,X"),
        ("#dockerslim: ignore = Y , Z ", "#dockerslim: ignore = Y , Z,X "),
        ("  # dockerslim: ignore=ignore", "  # dockerslim: ignore=ignore,X"),
    ],
)
def test_it_joins_a_comment_that_is_there(comment: str, after: str) -> None:
    source = Source(f"FROM a\n{comment}\nRUN b\n".encode())
    (edit,) = ignore_edits(source, parse(source), [finding(source, "b\n", "X")])
    assert apply(source.data, [edit]).decode() == f"FROM a\n{after}\nRUN b\n"


def test_it_joins_one_of_the_same_reason_only() -> None:
    text = "# dockerslim: ignore=Y; reason=plugins Y\nFROM a\n"
    source = Source(text.encode())
    found = [finding(source, "a\n", "X")]
    same = apply(source.data, ignore_edits(source, parse(source), found, "plugins Y"))
    assert same == b"# dockerslim: ignore=Y,X; reason=plugins Y\nFROM a\n"
    other = apply(source.data, ignore_edits(source, parse(source), found, "old"))
    assert other == b"# dockerslim: ignore=Y; reason=plugins Y\n# dockerslim: ignore=X; reason=old\nFROM a\n"


def test_it_joins_one_inside_a_continuation() -> None:
    source = Source(b"FROM a\nRUN x && \\\n  # dockerslim: ignore=Y\n  b\n")
    edits = ignore_edits(source, parse(source), [finding(source, "  b\n", "X")])
    assert apply(source.data, edits) == b"FROM a\nRUN x && \\\n  # dockerslim: ignore=Y,X\n  b\n"


def test_a_malformed_one_is_left_alone() -> None:
    source = Source(b"# dockerslim: ignor=Y\nFROM a\n")
    edits = ignore_edits(source, parse(source), [finding(source, "a\n", "X")])
    assert apply(source.data, edits) == b"# dockerslim: ignor=Y\n# dockerslim: ignore=X\nFROM a\n"


def test_outside_of_instructions_there_is_none() -> None:
    source = Source(b"# syntax=acme/x\n# only this\n")
    assert ignore_edits(source, parse(source), [Finding("DSL903", "x", Severity.INFO, "x", Span(0, 5))]) == ()


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*/*/Dockerfile")), ids=lambda path: "/".join(path.parts[-3:-1]))
def test_every_fixture_is_clean_afterwards(path: Path) -> None:
    """Nothing is found a second time, no comment is unused, and without its comments the file is what it was."""
    source = Source(path.read_bytes())
    before = linter.lint(source, NoContext(), Settings())
    tree = parse(source)
    if tree.fatal is not None:
        pytest.skip("no instruction list")
    edits = ignore_edits(source, tree, before.findings, "so it is")
    after = linter.lint(Source(apply(source.data, edits)), NoContext(), Settings())
    inside = [
        one for one in before.findings if any(i.span.start <= one.span.start < i.span.end for i in tree.instructions)
    ]
    assert len(after.findings) == len(before.findings) - len(inside)
    assert not [note for note in after.notes if "matches no finding" in note]
    lines = after.source.data.splitlines(keepends=True)
    assert b"".join(line for line in lines if b"reason=so it is" not in line) == source.data
    assert ignore_edits(after.source, parse(after.source), after.findings, "so it is") == ()

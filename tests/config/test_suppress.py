"""Suppression comments: where they may stand, what they cover, and what is said of bad ones."""

from __future__ import annotations

from dockerslim_lint.finding import Finding, Severity
from dockerslim_lint.source import Source, Span
from dockerslim_lint.suppress import Split, Suppression, split, suppressions
from dockerslim_lint.syntax.dockerfile import parse


def read(text: str) -> tuple[Source, tuple[Suppression, ...]]:
    source = Source(text.encode())
    return source, suppressions(parse(source), source)


def finding(at: int, code: str = "DSL101", name: str = "gnu-on-fat-base") -> Finding:
    return Finding(code, name, Severity.ERROR, "x", Span(at, at + 1))


def one(text: str) -> tuple[Source, Suppression]:
    source, (found,) = read(text)
    return source, found


def test_above_an_instruction() -> None:
    source, found = one("FROM a\n# dockerslim: ignore=DSL101,not-stripped; reason=it is; so\n\n# more\nFROM b\nRUN c\n")
    assert found.codes == ("DSL101", "not-stripped")
    assert found.reason == "it is; so"
    assert source.text(found.covers) == "FROM b\n"
    assert source.text(found.comment) == "# dockerslim: ignore=DSL101,not-stripped; reason=it is; so"
    assert found.problem == ""


def test_inside_a_continuation() -> None:
    source, found = one("FROM a\nRUN b && \\\n  #dockerslim: ignore = dsl201\n  c\nRUN d\n")
    assert source.text(found.covers).startswith("RUN b") and source.text(found.covers).endswith("  c\n")
    assert source.text(found.comment) == "#dockerslim: ignore = dsl201"
    assert found.codes == ("dsl201",)


def test_a_crlf_file_and_a_bom() -> None:
    source, found = one("\ufeff# dockerslim: ignore=DSL101\r\nFROM a\r\n")
    assert source.text(found.comment) == "# dockerslim: ignore=DSL101"
    assert source.text(found.covers) == "FROM a\r\n"


def test_other_comments_and_texts_are_left_alone() -> None:
    text = (
        "# hadolint ignore=DL3006\n# check=skip=all\n# dockerslim is good\nFROM a\n"
        "RUN echo '# dockerslim: ignore=DSL101'\nRUN <<EOF\n# dockerslim: ignore=DSL101\nEOF\n"
    )
    assert read(text)[1] == ()


def test_malformed_ones_suppress_nothing_and_say_why() -> None:
    for text in ("ignor=DSL101", "ignore DSL101", "ignore=", "", "ignore=DSL101; foo=1", "reason=x"):
        _, found = one(f"# dockerslim: {text}\nFROM a\n")
        assert found.codes == ()
        assert "write `# dockerslim: ignore=CODE; reason=…`" in found.problem


def test_without_an_instruction_below() -> None:
    source, found = one("FROM a\n# dockerslim: ignore=DSL101\n")
    assert found.covers == Span(len(source.data), len(source.data))


def test_split_by_code_and_by_name() -> None:
    source, comments = read(
        "# dockerslim: ignore=gnu-on-fat-base, DSL999\nFROM a\nFROM b\n# dockerslim: ignore=DSL101\nRUN x\n# dockerslim: x\n"
    )
    first, second = finding(source.data.index(b"FROM a") + 5), finding(source.data.index(b"FROM b") + 5)
    result = split((first, second), comments)
    assert result == Split(
        (second,),
        (first,),
        (comments[0]._replace(codes=("DSL999",)), comments[1], comments[2]),
    )


def test_two_comments_may_share_a_finding() -> None:
    source, comments = read("# dockerslim: ignore=DSL101\n# dockerslim: ignore=dsl101\nFROM a\n")
    assert split((finding(source.data.index(b"FROM")),), comments).unused == ()

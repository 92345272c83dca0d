"""Words and their values, as BuildKit's lexer has them."""

from __future__ import annotations

import pytest

from dockerslim_lint.source import Source
from dockerslim_lint.syntax.dockerfile import parse
from dockerslim_lint.syntax.expand import UNKNOWN, Unknown, expand, variables
from dockerslim_lint.syntax.tree import Expansion, Word
from tests.syntax.reading import literals, only
from tests.syntax.shown import show_word

ENVIRONMENT: dict[str, str | Unknown] = {
    "SET": "value",
    "EMPTY": "",
    "PATH": "/a/b.tar.gz",
    "WHO": UNKNOWN,
    "GLOB": "*",
}


def word(text: str, escape: str = "\\") -> Word:
    prefix = "# escape=`\n" if escape == "`" else ""
    value = only(f"{prefix}ARG x={text}\n").pairs[0].value
    assert value is not None
    return value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("'a b'", "a b"),
        ('"a b"', "a b"),
        ("a\\ b", "a b"),
        ('"a\\"b\\c\\\\"', 'a"b\\c\\'),
        ("'a\\'", "a\\"),
        ("$SET", "value"),
        ("${SET}x", "valuex"),
        ("$SETx", ""),
        ("\\$SET", "$SET"),
        ("'$SET'", "$SET"),
        ('"$SET"', "value"),
        ("$", "$"),
        ("a$/b", "a$/b"),
        ("$NONE", ""),
        ("${NONE:-d}", "d"),
        ("${NONE-d}", "d"),
        ("${EMPTY:-d}", "d"),
        ("${EMPTY-d}", ""),
        ("${SET:-d}", "value"),
        ("${SET:+a}", "a"),
        ("${EMPTY:+a}", ""),
        ("${EMPTY+a}", "a"),
        ("${NONE+a}", ""),
        ("${SET:?no}", "value"),
        ("${SET?no}", "value"),
        ("${EMPTY?no}", ""),
        ("${EMPTY:?no}", None),
        ("${NONE?no}", None),
        ("${NONE:-${EMPTY:-${SET}}}", "value"),
        ("${NONE:-'a } b'}", "a } b"),
        ('${NONE:-"}"}', "}"),
        ("${PATH#*/}", "a/b.tar.gz"),
        ("${PATH##*/}", "b.tar.gz"),
        ("${PATH%.*}", "/a/b.tar"),
        ("${PATH%%.*}", "/a/b"),
        ("${PATH#$GLOB/}", "a/b.tar.gz"),
        ("${PATH#'*'}", "/a/b.tar.gz"),
        ("${PATH#\\*}", "/a/b.tar.gz"),
        ("${PATH/./-}", "/a/b-tar.gz"),
        ("${PATH//./-}", "/a/b-tar-gz"),
        ("${PATH/?\\//x}", "/xb.tar.gz"),
        ("${PATH//[/x}", "/a/b.tar.gz"),
        ("${PATH#\\a}", None),
        ("${NONE%x}", ""),
        ("${WHO}", None),
        ("${WHO:-d}", None),
        ("${WHO+a}", None),
        ("${SET:-$WHO}", "value"),
        ("${NONE:-$WHO}", None),
        ("${SET:+$WHO}", None),
        ("${EMPTY:+$WHO}", ""),
        ("${SET:-${NONE:?no}}", None),
        ("a$WHO", None),
        ("$1$@", ""),
    ],
)
def test_value(text: str, value: str | None) -> None:
    assert expand(word(text), ENVIRONMENT.get) == value


def test_the_escape_character_of_the_file_is_used() -> None:
    assert expand(word("C:\\a`$b", "`"), ENVIRONMENT.get) == "C:\\a$b"


def test_a_lone_escape_at_the_end_is_dropped() -> None:
    assert expand(word("a\\ b\\"), ENVIRONMENT.get) == "a b"


def test_names_in_arguments_count_as_variables() -> None:
    assert variables(word("$A${B:-${C}/$D}${E/$F/$G}")) == frozenset("ABCDEFG")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a'b'\"c\"", "a+'b'+\"c\""),
        ("a$X/b", "a+‹$X›+/b"),
        ('"$X b"', '"‹$X›"+" b"'),
        ("${X:-a'b'}", "‹$X :- a+'b'›"),
        ("${X##a*}", "‹$X ## a*›"),
        ("${X//a/b}", "‹$X // a by b›"),
        ("''", "''"),
    ],
)
def test_pieces(text: str, shown: str) -> None:
    assert show_word(word(text)) == shown


def test_literals_stand_where_they_were_written() -> None:
    source = Source("FROM ${X:-rüst:1}'a b'\"c\" AS \\\n  build\nLABEL é='ü' \\\n b=${Y:-z}\n".encode())
    for literal in literals(parse(source).nodes):
        assert source.text(literal.span) == literal.text


def test_expansions_and_arguments_have_exact_places() -> None:
    source = Source(b"ENV A=x${B:-y$C}z\n")
    value = parse(source).instructions[0].pairs[0].value
    assert value is not None
    outer = value.pieces[1]
    assert isinstance(outer, Expansion)
    assert outer.argument is not None
    assert [source.text(place) for place in (value.span, outer.span, outer.argument.span)] == [
        "x${B:-y$C}z",
        "${B:-y$C}",
        "y$C",
    ]


def test_the_value_of_a_flag_is_unquoted_before_variables_are_seen() -> None:
    flag = only("RUN --mount='type=bind',source=\"$X\",target=a\\ b ls\n").flags[0]
    assert flag.name == "mount"
    assert flag.value is not None
    assert show_word(flag.value) == "type=bind,source=+‹$X›+,target=a b"


def test_a_word_that_cannot_be_read_is_one_literal_and_an_error() -> None:
    instruction = only('COPY "a b" /x\n')
    assert [show_word(word) for word in instruction.words] == ['"a', 'b"', "/x"]
    assert (
        instruction.error
        == 'failed to process "\\"a": unexpected end of statement while looking for matching double-quote'
    )

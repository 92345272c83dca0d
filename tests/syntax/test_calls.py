"""What a script calls, wherever it stands in it."""

from __future__ import annotations

import pytest

from dockerslim_lint.syntax.calls import Calls, read_calls


def calls(text: str) -> Calls:
    return read_calls(text.encode())


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a; b && c | d || ! e", "a b c d e"),
        ("if a; then b; elif c; then d; else e; fi", "a b c d e"),
        ("while a; do b; done; for i in $(c); do d $i; done", "a b c d"),
        ('case "$(a)" in x) b;; *) c;; esac', "a b c"),
        ('x=$(a) y="`b`" c "${z:-$(d)}"', "c a b d"),
        ("f() { a; }; f", "a f"),
        ("cat <<E\n$(a) text b\nE\nc", "cat a c"),
        ("cat <<'E'\n$(a)\nE\nc", "cat c"),
        ('[ -f "$(a)" ] && (b; c) > d', "a b c"),
        ("export A=$(a)\nA=1 b c", "a b"),
        ("# a\n", ""),
    ],
)
def test_every_command_is_found(text: str, names: str) -> None:
    found = calls(text)
    assert sorted(str(one.words[0]) for one in found.called) == sorted(names.split())
    assert not found.broken


def test_words_and_lines() -> None:
    found = calls('#!/bin/sh\n\'a\' "b c" d$E "$@" > f -x\n')
    (one,) = found.called
    assert (one.words[:4], one.raw[:4], one.line) == (
        ("a", "b c", None, None),
        ("'a'", '"b c"', "d$E", '"$@"'),
        2,
    )
    assert calls("$A b").called[0].words == (None, "b")
    assert calls("ls *.txt ~/x").called[0].words == ("ls", None, None)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[[ a == b ]]", "[[ … ]]"),
        ("a=(b c)", "an array"),
        ('a "${b[0]}"', "an array"),
        ("a <<< b", "<<<"),
        ("a <(b)", "<(…)"),
        ("(( i++ ))", "(( … ))"),
        ("a $'b'", "$'…'"),
        ("a &> b", "&>"),
        ("function f { a; }", "function"),
        ("a ${b^^}", "${b^^}"),
        ("a ${b/c/d}", "${b/c/d}"),
        ("a ${b:1:2}", "${b:1:2}"),
        ("a ${!b}", "${!b}"),
        ("declare a=b", "declare"),
    ],
)
def test_what_a_posix_shell_has_not(text: str, what: str) -> None:
    assert calls(f"true\n{text}\n").bash == (what, 2)


@pytest.mark.parametrize(
    "text",
    [
        "[ a = b ]",
        'a "${b:-c}" ${#b} ${b%.*} ${b##*/} ${b:?} ${b:+x}',
        "a $((1 + 2)) $(b)",
        "f() { local x=1; }",
        "a > b 2>&1",
    ],
)
def test_what_every_shell_has(text: str) -> None:
    assert calls(text).bash is None


def test_texts_hold_the_paths() -> None:
    found = calls("a /etc/x\nb='/usr/lib/y' c \"z$D/w\"\n")
    assert {text for text, _ in found.texts} >= {"/etc/x", "/usr/lib/y"}


def test_a_script_that_cannot_be_read() -> None:
    assert calls("if a; then (\n").broken
    assert read_calls(b"\xff\xfe\x00(").called is not None

"""Shell scripts inside a Dockerfile: what they say, and where."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockerslim_lint.source import Source
from dockerslim_lint.syntax.dockerfile import parse
from dockerslim_lint.syntax.script import Script, ShellWord, Simple, Substitution
from dockerslim_lint.syntax.shell import interpreter, parse_shell, run_script, shell_form, text_of
from dockerslim_lint.syntax.tree import Expansion, Literal
from tests.syntax.reading import literals, run_of, shell, words_of
from tests.syntax.shown import show_script


def commands(value: object) -> list[Simple]:
    """All simple commands anywhere in a tree."""
    found = [value] if isinstance(value, Simple) else []
    if isinstance(value, tuple):
        for item in value:
            found += commands(item)
    return found


def argv(script: Script) -> list[list[str]]:
    return [[word.text for word in command.words] for command in commands(script)]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a && b || c; d", "first|  run a|&&|  run b|\\|\\||  run c|;|  run d"),
        ("a &", "first|  run a|&|  run "),
        ("a & b", "first|  run a|&|  run b"),
        ("a | b | c", "pipe|  run a|  run b|  run c"),
        ("! a", "not|  run a"),
        ("(a; b) >f", "subshell > f|  first|    run a|  ;|    run b"),
        ("{ a; }", "group|  run a"),
        ("a && b >f 2>&1", "first|  run a|&&|  run b > f 2>& 1"),
        ("a | b >f", "pipe|  run a|  run b > f"),
        ("a >f b", "run a b > f"),
        (">f a", "run a > f"),
        ("X=1 Y= a", "run X=1 Y=(empty) a"),
        ("X=1", "run X=1"),
        ("X=(1 2)", "run X=‹(1 2)›"),
        ("X+=1", "run X=‹1›"),
        ("export A=1 B", "run A=1 export B"),
        ("readonly A; local B=2; declare -x C=3", "first|  run readonly A|;|  run B=2 local|;|  run C=3 declare -x"),
        ("if a; then b; elif c; then d; else e; fi", "if|  run a|then|  run b|if|  run c|then|  run d|else|  run e"),
        ("for x in a *.rs; do b; done", "for x a *.rs|do|  run b"),
        ("while a; do b; done <f", "group < f|  while|    run a|  do|    run b"),
        ("until a; do b; done", "until|  run a|do|  run b"),
        ("case $x in a|b) c;; *) d;; esac", "case ‹$x›|  a or b|    run c|  *|    run d"),
        ("f() { a; }", "function f|  group|    run a"),
        ("[ -f x ] && a", "first|  run [ -f x ]|&&|  run a"),
        ("[[ -f x ]] && a", "first|  unread '[[ -f x ]]'|&&|  run a"),
        ("(( x > 1 ))", "unread '(( x > 1 ))'"),
        ("((a) && b) && c", "first|  subshell|    first|      subshell|        run a|    &&|      run b|&&|  run c"),
        ("a `# it's (a comment)` b", "run a ‹`# it's (a comment)`› b"),
        (
            "cat <<A <<-'B' | c && d\nit's\nA\n\tx\n\tB\ne",
            "first|  pipe|    run cat << A <<- 'B'|    run c|&&|  run d|⏎|  run e",
        ),
        ("cat <<< x", "run cat <<< x"),
        ("echo $((1<<2)) \"<<A\" '<<B' # <<C\na", "first|  run echo ‹$((1<<2))› \"<<A\" '<<B'|⏎|  run a"),
        ("a # b; c\nd", "first|  run a|⏎|  run d"),
        ("", ""),
        ("a && ", "broken|…"),
        ("if a; then", "broken|…"),
    ],
)
def test_structure(text: str, shown: str) -> None:
    found = show_script(shell(text)).replace(" | ", " ")
    if shown.endswith("…"):
        assert found.startswith("broken")
    else:
        assert found.split("\n") == shown.replace("\\|\\|", "∥").replace("|", "\n").replace("∥", "||").split("\n")


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("a\\ b", ["a b"]),
        ("'a b'c", ["'a b'", "c"]),
        ('"a\\$b\\"\\c"', ['"a$b"\\c"']),
        (
            'target/"$(uname -m)"-unknown-linux-musl/release/x',
            ["target/", '"‹$(uname -m)›"', "-unknown-linux-musl/release/x"],
        ),
        ("$X/${Y}z", ["‹$X›", "/", "‹$Y›", "z"]),
        ("${X:-'a b'}", ["‹$X :- 'a b'›"]),
        ("${X##*/}", ["‹$X ## */›"]),
        ("${X:-$(a)}", ["‹${X:-$(a)}›"]),
        ("${X:=a}", ["‹${X:=a}›"]),
        ("${#X}", ["‹${#X}›"]),
        ("$1", ["‹$1›"]),
        ('"$@"', ['"‹$@›"']),
        ("$'a'", ["‹$'a'›"]),
        ("`a b`", ["‹`a b`›"]),
        ("<(a)", ["‹<(a)›"]),
        ("''", ["''"]),
        ("a$", ["a$"]),
        ("{a,b}", ["{a,b}"]),
        ("é'ü'", ["é", "'ü'"]),
    ],
)
def test_pieces_of_a_word(text: str, pieces: list[str]) -> None:
    (command,) = commands(shell(f"x {text}"))
    assert show_script(Script(Simple((), command.words[1:], (), command.span), False)) == "run " + "+".join(pieces)
    assert command.words[1].text == text


@pytest.mark.parametrize("text", ["x a\\\nb 'c\\\nd'\n", "x a\\\r\nb 'c\\\nd'\r\n"])
def test_the_shell_joins_lines_too(text: str) -> None:
    (command,) = commands(shell(text))
    assert [(word.literal, word.contiguous) for word in command.words[1:]] == [("ab", False), ("c\\\nd", True)]
    assert [word.span for word in command.words[1:]] == [
        (2, text.index("b ") + 1),
        (text.index("'"), text.rindex("'") + 1),
    ]


def test_globs_are_text_and_known_as_globs() -> None:
    (command,) = commands(shell("cp target/*/x '*' a"))
    assert [word.has_glob for word in command.words] == [False, True, False, False]
    assert command.words[1].literal == "target/*/x"


CONTINUED = """\
RUN --mount=type=cache,target=/x \\
    # a comment
    apt-get update && \\

    cargo build --rel\\
ease --target \\
  "$(uname -m)-unknown-linux-musl" \\
  && cp 'target/release/x' "/o ut"
"""


def test_positions_through_continuations_comments_and_empty_lines() -> None:
    source, script = run_of(CONTINUED)
    assert not script.broken
    assert argv(script) == [
        ["apt-get", "update"],
        ["cargo", "build", "--release", "--target", '"$(uname -m)-unknown-linux-musl"'],
        ["cp", "'target/release/x'", '"/o ut"'],
    ]
    for literal in literals(script):
        place = source.text(literal.span)
        assert place == literal.text or (literal.text, place) == ("--release", "--rel\\\nease")
    broken_up = [word for command in commands(script) for word in command.words if not word.contiguous]
    assert [word.text for word in broken_up] == ["--release"]
    substitution = next(piece for word in words_of(script) for piece in word.pieces if isinstance(piece, Substitution))
    assert source.text(substitution.span) == "$(uname -m)"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("RUN <<EOF\nset -e\n  cargo build \\\n   --release\nEOF\n", [["set", "-e"], ["cargo", "build", "--release"]]),
        ("RUN <<-EOF\n\tset -e\n\t\tcargo build\n\tEOF\n", [["set", "-e"], ["cargo", "build"]]),
        ("RUN --mount=type=ssh <<'EOF' \na\nEOF\n", [["a"]]),
        ("RUN <<EOF\r\na b\r\nc\r\nEOF\r\n", [["a", "b"], ["c"]]),
        ("RUN cat <<A >x && \\\n b\nit's a body\nA\n", [["cat"], ["b"]]),
        ("RUN <<A cat >x && <<-B d\nbody\nA\n\tbody\n\tB\n", [["cat"], ["d"]]),
        ("RUN <<A\n#!/bin/bash -e\na\nA\n", [["a"]]),
        ("RUN <<A\n#!/usr/bin/env -S bash\na\nA\n", [["a"]]),
        ("RUN <<A\nA\n", []),
    ],
)
def test_heredocs_of_run(text: str, lines: list[list[str]]) -> None:
    source, script = run_of(text)
    assert not script.broken
    assert argv(script) == lines
    for literal in literals(script):
        assert source.text(literal.span) == literal.text


@pytest.mark.parametrize(
    ("text", "program"),
    [
        ("RUN <<A\n#!/usr/bin/env python3\nimport x\nA\n", "/usr/bin/env python3"),
        ("RUN <<A\n#! /usr/bin/perl -w\r\nx\nA\n", "/usr/bin/perl -w"),
    ],
)
def test_a_heredoc_for_another_program_is_no_shell_script(text: str, program: str) -> None:
    source = Source(text.encode())
    (instruction,) = parse(source).instructions
    assert run_script(instruction, source) is None
    assert interpreter(instruction, source) == program


def test_a_heredoc_behind_a_command_is_its_input() -> None:
    source, script = run_of("RUN python3 <<A && b\n#!/bin/x\nimport x\nA\n")
    assert argv(script) == [["python3"], ["b"]]
    assert [source.text(redirect.span) for command in commands(script) for redirect in command.redirects] == ["<<A"]


@pytest.mark.parametrize("text", ['RUN ["a"]\n', "CMD a\n", "FROM a\n"])
def test_no_script(text: str) -> None:
    source = Source(text.encode())
    assert run_script(parse(source).instructions[0], source) is None


def inner_words(text: str) -> tuple[Source, list[ShellWord]]:
    """The words of the script that is the last word of a RUN."""
    source = Source(text.encode())
    outer = run_script(parse(source).instructions[0], source)
    assert outer is not None
    piece = commands(parse_shell(outer))[-1].words[-1].pieces[0]
    assert isinstance(piece, Literal)
    inner = text_of(piece, outer)
    assert inner is not None
    return source, [word for command in commands(parse_shell(inner)) for word in command.words]


@pytest.mark.parametrize(
    "text",
    [
        "RUN sh -c 'cargo build && strip x'\n",
        "RUN sh -c 'cargo \\\n  build && \\\n # no\n strip x'\n",
        'RUN bash -c "cargo build && strip \\"x\\""\n',
    ],
)
def test_a_script_inside_a_word(text: str) -> None:
    source, words = inner_words(text)
    assert [word.literal for word in words] == ["cargo", "build", "strip", "x"]
    for word in words:
        assert source.text(word.pieces[0].span) == word.literal


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ('RUN ["sh", "-c", "cargo build"]\n', ["cargo", "build"]),
        ('RUN ["sh", "-c", "cargo \\"build\\""]\n', ["cargo", "build"]),
        ('RUN ["sh", "-c", "caf\\u00e9"]\n', None),
        ('RUN ["sh", "-c", "a\\nb"]\n', None),
        ('RUN ["sh", "-c", ""]\n', []),
    ],
)
def test_a_script_inside_a_json_string(text: str, known: list[str] | None) -> None:
    source = Source(text.encode())
    (instruction,) = parse(source).instructions
    assert instruction.json is not None
    inner = text_of(instruction.json[2], instruction.body)
    assert (inner is None) == (known is None)
    if inner is not None:
        found = [word for command in commands(parse_shell(inner)) for word in command.words]
        assert [word.literal for word in found] == known
        for word in found:
            assert source.text(word.pieces[0].span) == word.literal


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("CMD a b\n", b"a b"),
        ("ENTRYPOINT a\n", b"a"),
        ("HEALTHCHECK --interval=5s cmd \\\n curl x\n", b"curl x"),
        ("HEALTHCHECK NONE\n", None),
        ("HEALTHCHECK CMD\n", None),
        ('HEALTHCHECK CMD ["a"]\n', None),
        ('CMD ["a"]\n', None),
        ("RUN a\n", None),
    ],
)
def test_shell_form(text: str, command: bytes | None) -> None:
    source = Source(text.encode())
    found = shell_form(parse(source).instructions[0])
    assert (None if found is None else found.data) == command
    if found is not None:
        assert source.data[found.offset(0) : found.offset(len(found.data))] == command


SHELL_PIECES = [
    "a",
    "/x",
    " ",
    " ",
    " && ",
    "; ",
    "'b c'",
    '"d $E"',
    "$F",
    "${G:-h}",
    "$(i j)",
    "\\ ",
    " \\\n ",
    " \\\n# no\n\n",
    "é",
    "=",
    "--k=",
    " >l",
]


@settings(max_examples=250, deadline=None, derandomize=True)
@given(st.integers(0, 2**32))
def test_every_plain_literal_stands_where_it_was_written(seed: int) -> None:
    random = Random(seed)
    source = Source(("RUN x " + "".join(random.choices(SHELL_PIECES, k=random.randint(1, 15))) + " y\n").encode())
    script = run_script(parse(source).instructions[0], source)
    assert script is not None
    for literal in literals(parse_shell(script)):
        place = source.text(literal.span)
        assert place == literal.text or "\\" in place


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('cp a/"b"c/$P/app', ["P"]),
        ('cp a/"$(uname -m)"-x/$P/$_b2/app', ["P", "_b2"]),
        ('cp "a"/$P', ["P"]),
        ('cp "a"/$P.so', ["P"]),
        ("cp 'a'b/'$P'/c", []),
        ('cp "a"b/\\$P/c', []),
        ('cp "a"b/$', []),
    ],
)
def test_a_variable_behind_a_quoted_piece(text: str, names: list[str]) -> None:
    """tree-sitter-bash takes such a ``$`` for a word of its own."""
    (command,) = commands(shell(text))
    found = [piece for word in command.words for piece in word.pieces if isinstance(piece, Expansion)]
    assert [piece.name for piece in found] == names

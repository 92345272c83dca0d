"""Single instructions: their views, and what BuildKit has against them."""

from __future__ import annotations

import pytest

from dockerslim_lint.source import Source
from dockerslim_lint.syntax.dockerfile import parse
from tests.syntax.reading import only, read
from tests.syntax.shown import show_word


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("RNU x", "unknown instruction: RNU"),
        ("FROM", "FROM requires either one or three arguments"),
        ("FROM a b", "FROM requires either one or three arguments"),
        ("FROM a b c", "FROM requires either one or three arguments"),
        ("FROM a AS 1b", 'invalid name for build stage: "1b", name can\'t start with a number or contain symbols'),
        ("FROM --plat=x a", "unknown flag: --plat"),
        ("FROM --platform a", "missing a value on flag: --platform"),
        ("FROM a AS B.c_d-1", None),
        ("FROM ${X", 'failed to process "${X": unsupported modifier (\ufffd) in substitution'),
        (
            "COPY a",
            "COPY requires at least two arguments, but only one was provided. Destination could not be determined",
        ),
        (
            'COPY ["a"]',
            "COPY requires at least two arguments, but only one was provided. Destination could not be determined",
        ),
        ("COPY [1] /x", None),
        ("COPY [1]", "when using JSON array syntax, arrays must be comprised of strings only"),
        ("COPY --form=b a /", "unknown flag: --form"),
        ("COPY --from=b --from=c a /", "duplicate flag specified: --from"),
        ("COPY --link=maybe a /", "expecting boolean value for flag --link, not: maybe"),
        ("COPY --link= a /", "missing a value on flag: --link"),
        ("COPY --link a /", None),
        ("COPY --exclude=a --exclude=b a /", None),
        ("COPY a <<E\nE", "COPY cannot accept a heredoc as a destination"),
        ("ADD --parents a /", "unknown flag: --parents"),
        ("ENV", "ENV requires at least one argument"),
        ("ENV A", "ENV must have two arguments"),
        ("ENV A=b c", 'Syntax error - can\'t find = in "c". Must be of the form: name=value'),
        ("ENV =b", "ENV names can not be blank"),
        ("ENV A b=c", None),
        ("LABEL", "LABEL requires at least one argument"),
        ("ARG", "ARG requires at least one argument"),
        ("ARG =b", "ARG names can not be blank"),
        ("ARG A B=c", None),
        ("ARG --x A", None),
        ("EXPOSE", "EXPOSE requires at least one argument"),
        ("WORKDIR", "WORKDIR requires exactly one argument"),
        ("WORKDIR /a b", None),
        ("USER", "USER requires exactly one argument"),
        ("STOPSIGNAL", "STOPSIGNAL requires exactly one argument"),
        ("VOLUME", "VOLUME requires at least one argument"),
        ("VOLUME []", "VOLUME requires at least one argument"),
        ('VOLUME [" "]', "VOLUME specified can not be an empty string"),
        ("SHELL bash", "SHELL requires the arguments to be in JSON form"),
        ("SHELL []", "SHELL requires at least one argument"),
        ('SHELL ["a"] b', "SHELL requires the arguments to be in JSON form"),
        ("CMD [1]", "when using JSON array syntax, arrays must be comprised of strings only"),
        ("CMD [1e999]", None),
        ("CMD", None),
        ("RUN --x ls", "unknown flag: --x"),
        ("RUN --network=some ls", 'invalid network mode "some"'),
        ("RUN --security=x ls", 'security "x" is not valid'),
        ("RUN --mount=type=cash,target=/x ls", 'unsupported mount type "cash"'),
        ("RUN --mount=type=cache,target=/x,sharing=some ls", 'unsupported sharing value "some"'),
        ("RUN --mount=type=cache,tar=/x ls", "unexpected key 'tar' in 'tar=/x'"),
        ("RUN --mount=type=bind,size=1 ls", "unexpected key 'size' for mount type 'bind'"),
        ("RUN --mount=type=bind,uid=1 ls", 'uid not allowed for "bind" type mounts'),
        ("RUN --mount=type=secret ls", "invalid secret mount. one of source, target required"),
        ("RUN --mount=from=$X ls", "'from' doesn't support variable expansion, define alias stage instead"),
        ("RUN --mount=type=cache,target=/x,uid=$UID ls", None),
        ("RUN --mount=type=cache,target=/x --mount=type=bind,target=/y,rw ls", None),
        ("HEALTHCHECK", "HEALTHCHECK requires at least one argument"),
        ("HEALTHCHECK NONE x", "HEALTHCHECK NONE takes no arguments"),
        ("HEALTHCHECK FOO x", 'Unknown type "FOO" in HEALTHCHECK (try CMD)'),
        ("HEALTHCHECK CMD", "Missing command after HEALTHCHECK CMD"),
        ("HEALTHCHECK --interval=30 CMD x", 'time: missing unit in duration "30"'),
        ("HEALTHCHECK --interval=1q CMD x", 'time: unknown unit "q" in duration "1q"'),
        ("HEALTHCHECK --timeout=x CMD x", 'time: invalid duration "x"'),
        ("HEALTHCHECK --timeout=1us CMD x", 'Interval "timeout" cannot be less than 1ms'),
        ("HEALTHCHECK --retries=a CMD x", 'strconv.ParseInt: parsing "a": invalid syntax'),
        ("HEALTHCHECK --retries=-1 CMD x", "--retries cannot be negative (-1)"),
        ("HEALTHCHECK --interval=1m30s --retries=3 CMD x", None),
        ("ONBUILD", "ONBUILD requires at least one argument"),
        ("ONBUILD ONBUILD RUN x", "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"),
        ("ONBUILD FROM a", "FROM isn't allowed as an ONBUILD trigger"),
        ("ONBUILD COPY a", None),
        ("ONBUILD ENV a", "ENV must have two arguments"),
        ("MAINTAINER it's me", None),
    ],
)
def test_error(text: str, error: str | None) -> None:
    assert only(text + "\n").error == error


@pytest.mark.parametrize(
    ("text", "fatal"),
    [
        ("", "file with no instructions"),
        ("# only\n\n", "file with no instructions"),
        ("RUN <<A\nx\n", "unterminated heredoc"),
        ("# escape=x\nFROM a\n", "invalid escape token 'x' does not match ` or \\"),
        ("# syntax=a\n# syntax=b\nFROM a\n", "only one syntax parser directive can be used"),
        ("FROM a\nRUN " + "x" * 65532 + "\n", "dockerfile line greater than max allowed size of 65535"),
        ("FROM a\nRUN " + "x" * 65531 + "\n", None),
        ("RUN no FROM is not the parser's matter\n", None),
        ("\\", None),
    ],
)
def test_fatal(text: str, fatal: str | None) -> None:
    assert read(text).fatal == fatal


@pytest.mark.parametrize(
    ("text", "directives", "escape"),
    [
        ("# syntax=a/b:1\n#ESCAPE = `\nFROM a", [("syntax", "a/b:1"), ("escape", "`")], "`"),
        ("# escape=\\\nFROM a", [("escape", "\\")], "\\"),
        ("  # syntax = a b  \nFROM a", [("syntax", "a b")], "\\"),
        ("# a comment\n# escape=`\nFROM a", [], "\\"),
        ("\n# escape=`\nFROM a", [], "\\"),
        ("# other=1\n# escape=`\nFROM a", [], "\\"),
        ("FROM a\n# escape=`", [], "\\"),
        ("# check=skip=all\n# escape=`\nFROM a", [("check", "skip=all"), ("escape", "`")], "`"),
        ("\ufeff# escape=`\r\nFROM a", [("escape", "`")], "`"),
        ("#!/usr/bin/env x\n# syntax=a\n# escape=`\nFROM a", [("syntax", "a")], "\\"),
        ("// syntax=a\nFROM a", [("syntax", "a")], "\\"),
    ],
)
def test_directives(text: str, directives: list[tuple[str, str]], escape: str) -> None:
    source = Source(text.encode())
    tree = parse(source)
    assert [(directive.name, directive.value) for directive in tree.directives] == directives
    assert [source.text(directive.value_span) for directive in tree.directives] == [value for _, value in directives]
    assert tree.escape == escape


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        ('["a", "b c"]', ["a", "b c"]),
        ("[]", []),
        (' [ "a" ] ', ["a"]),
        ('["\\u00e9\\n\\"\\\\\\/"]', ['é\n"\\/']),
        ('["\\ud83d\\ude00", "\\ud83d"]', ["😀", "\ufffd"]),
        ('["é"]', ["é"]),
        ("['a']", None),
        ('["a",]', None),
        ('["a"', None),
        ('["a"] b', None),
        ('["a\tb"]', None),
        ('["\\x"]', None),
        ('["a" "b"]', None),
        ("[" * 30000, None),
    ],
)
def test_json(body: str, texts: list[str] | None) -> None:
    source = Source(f"CMD {body}\n".encode())
    (instruction,) = parse(source).instructions
    assert instruction.error is None
    assert (None if instruction.json is None else [string.text for string in instruction.json]) == texts
    for string in instruction.json or ():
        assert source.data[string.span.start - 1 : string.span.start] == b'"'
        assert source.data[string.span.end : string.span.end + 1] == b'"'


@pytest.mark.parametrize(
    ("text", "heredocs", "keywords"),
    [
        ("RUN <<A\nx\nA\n", [("A", "x\n", True)], ["RUN"]),
        ("RUN <<'A' 3<<-\"B\"\nx\nA\n\ty\n\tB\n", [("A", "x\n", False), ("B", "\ty\n", False)], ["RUN"]),
        ("RUN << A\nA\n", [("A", "", True)], ["RUN"]),
        ("RUN cat <<A\n A\nA\n", [("A", " A\n", True)], ["RUN"]),
        ("RUN echo it's <<A\nA\n", [], ["RUN", "A"]),
        ('RUN echo "<<A"\nA\n', [], ["RUN", "A"]),
        ("RUN echo a<<A\nA\n", [], ["RUN", "A"]),
        ("RUN cat <<<A\nA\n", [], ["RUN", "A"]),
        ('RUN ["<<A"]\nA\n', [], ["RUN", "A"]),
        ("CMD <<A\nA\n", [], ["CMD", "A"]),
        ("COPY <<A <<B /x/\nB\nA\nA\nB\n", [("A", "B\n", True), ("B", "A\n", True)], ["COPY"]),
        ("ONBUILD ADD <<A /x\nA\n", [("A", "", True)], ["ONBUILD"]),
        ("RUN <<E\\OF\nEOF\n", [("EOF", "", True)], ["RUN"]),
        ("RUN <<A\r\nx\r\nA\r\n", [("A", "x\r\n", True)], ["RUN"]),
        ("RUN <<A \\\n && b\nx\nA\n", [("A", "x\n", True)], ["RUN"]),
        ("RUN <<A\nx\nA", [("A", "x\n", True)], ["RUN"]),
    ],
)
def test_heredocs(text: str, heredocs: list[tuple[str, str, bool]], keywords: list[str]) -> None:
    source = Source(text.encode())
    tree = parse(source)
    assert [node.keyword for node in tree.instructions] == keywords
    found = tree.instructions[0].heredocs
    assert [(heredoc.name, source.text(heredoc.body), heredoc.expand) for heredoc in found] == heredocs
    for heredoc in found:
        assert source.text(heredoc.marker).lstrip("0123456789").startswith("<<")
        assert source.text(heredoc.terminator).lstrip("\t") == heredoc.name


def test_a_trigger_has_the_heredocs_of_its_onbuild() -> None:
    instruction = only("ONBUILD RUN --mount=type=ssh <<A\nx\nA\n")
    assert instruction.trigger is not None
    assert instruction.trigger.heredocs == instruction.heredocs
    assert [flag.name for flag in instruction.trigger.flags] == ["mount"]
    assert instruction.trigger.span.end == instruction.span.end


def test_the_last_flag_of_a_name_counts() -> None:
    flag = only("COPY --from=a --from=b x /\n").flag("from")
    assert flag is not None
    assert flag.value is not None
    assert flag.value.literal == "b"


def test_two_dashes_end_the_flags() -> None:
    instruction = only("RUN --mount=type=ssh -- --release x\n")
    assert [flag.name for flag in instruction.flags] == ["mount"]
    assert instruction.body.data == b"--release x"


def test_pairs_keep_their_places() -> None:
    source = Source(b"ENV A=b 'c d'=e \\\n# no\n  F=\"g h\"\nENV old value  here \n")
    first, second = parse(source).instructions
    assert [source.text(pair.span) for pair in first.pairs] == ["A=b", "'c d'=e", 'F="g h"']
    assert [(show_word(pair.key), show_word(pair.value) if pair.value else None) for pair in second.pairs] == [
        ("old", "value  here")
    ]
    assert second.pairs[0].legacy

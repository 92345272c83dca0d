"""Whatever the bytes are: the parser ends, and its nodes cover the file."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dockerslim_lint.source import Source
from dockerslim_lint.syntax.dockerfile import parse
from dockerslim_lint.syntax.shell import parse_shell, run_script, text_of
from tests.syntax.dockerfiles import Maker
from tests.syntax.reading import literals, spans

PIECES = [
    b"RUN ",
    b"ENV ",
    b"FROM ",
    b"COPY ",
    b"ONBUILD ",
    b"a",
    b" ",
    b"\\\n",
    b"\n",
    b"\r\n",
    b"#",
    b"<<A",
    b"A\n",
    b"'",
    b'"',
    b"$",
    b"${",
]
PIECES += [
    b"}",
    b":-",
    b"[",
    b"]",
    b",",
    b"=",
    b"--x=",
    b"\\",
    b"`",
    b"# escape=`\n",
    b"\xff",
    b"\xc3\xa9",
    b"\xa0",
    b"\xe3\x80\x80",
    b"\0",
    b"\t",
    b"\xef\xbb\xbf",
]


def check(data: bytes) -> None:
    source = Source(data)
    tree = parse(source)
    end = 0
    for node in tree.nodes:
        assert node.span.start == end
        assert node.span.end > end
        end = node.span.end
    assert end == len(data)
    for span in spans(tree):
        assert 0 <= span.start <= span.end <= len(data)
    for node in tree.instructions:
        for inner in spans(node):
            assert node.span.start <= inner.start <= inner.end <= node.span.end
        script = run_script(node, source)
        if script is not None:
            read = parse_shell(script)
            for span in spans(read):
                assert node.span.start <= span.start <= span.end <= node.span.end
            for literal in literals(read):
                text_of(literal, script)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.binary(max_size=200))
@example(b"\\")
@example(b"\\\n")
@example(b"\xef\xbb\xbf")
@example(b"\xef\xbb\xbf\\\n\n#")
@example(b"RUN <<A")
@example(b"RUN <<A\n")
@example(b"RUN <<A <<B\nA")
@example(b"ONBUILD RUN <<A\n\xff")
@example(b"HEALTHCHECK --a")
def test_any_bytes(data: bytes) -> None:
    check(data)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join))
def test_any_pieces(data: bytes) -> None:
    check(data)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.randoms(use_true_random=False))
def test_generated_files(random: Random) -> None:
    check(Maker(random).file())


@pytest.mark.parametrize("byte", [0x85, 0xA0])
def test_a_byte_that_is_white_space_in_latin_1_is_none_in_a_file(byte: int) -> None:
    data = bytes([byte]) + b"FROM a" + bytes([byte]) + b"\n"
    (instruction,) = parse(Source(data)).instructions
    assert instruction.keyword_span == (0, 5)
    assert instruction.body.data == b"a" + bytes([byte])


def test_unicode_white_space_is_trimmed_where_go_trims_it() -> None:
    data = "\u3000FROM a\u00a0\u2028\n\u2003# comment\n\u0085\n".encode()
    tree = parse(Source(data))
    assert [node.kind for node in tree.nodes if not hasattr(node, "keyword")] == ["blank", "comment", "blank"]
    assert tree.instructions[0].body.data == b"a"

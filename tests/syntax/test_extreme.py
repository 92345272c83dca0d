"""Input that nobody writes, but anybody can: it ends soon, and never in an error of ours."""

from __future__ import annotations

import pytest

from dockerslim_lint.context import NoContext
from dockerslim_lint.facts.build import read_build
from dockerslim_lint.source import Source
from dockerslim_lint.syntax.dockerfile import parse
from dockerslim_lint.syntax.expand import expand
from dockerslim_lint.syntax.shell import parse_shell, run_script

CASES: dict[str, bytes] = {
    "30,000 lines": b"FROM a\n" + b"RUN echo hello && foo bar\n" * 30_000,
    "10,000 ENV lines": b"ENV a=b c=d\n" * 10_000,
    "100,000 empty lines": b"\n" * 100_000,
    "100,000 comments": b"# x\n" * 100_000,
    "300,000 lines of one RUN": b"RUN x \\\n" + b" foo \\\n" * 300_000 + b"end\n",
    "300,000 comments in one RUN": b"RUN x \\\n" + b" # foo\n" * 300_000 + b"end\n",
    "30,000 lines of one ENV": b"ENV x=y \\\n" + b" a=b \\\n" * 30_000 + b"end=1\n",
    "${ nested, open": b"ENV a=" + b"${a:-" * 100_000 + b"\n",
    "${ nested, closed": b"ENV a=" + b"${a:-" * 100_000 + b"}" * 100_000 + b"\n",
    "${${": b"ENV a=" + b"${" * 100_000 + b"\n",
    "${ nested in /": b"ENV a=" + b"${a/" * 100_000 + b"\n",
    '"${': b"ENV a=" + b'"${a-' * 100_000 + b"\n",
    "${ beside a heredoc": b"RUN <<A " + b"${a:-" * 10_000 + b"}" * 10_000 + b"\nA\n",
    "$( nested": b"RUN " + b"$(" * 20_000 + b")" * 20_000 + b"\n",
    "( nested": b"RUN " + b"(" * 100_000 + b")" * 100_000 + b"\n",
    "( ( nested": b"RUN " + b"( " * 30_000 + b"a" + b" )" * 30_000 + b"\n",
    "if nested": b"RUN " + b"if a; then " * 10_000 + b"fi; " * 10_000 + b"\n",
    "{ nested": b"RUN " + b"{ " * 20_000 + b"a; " + b"}; " * 20_000 + b"\n",
    "!": b"RUN " + b"! " * 20_000 + b"\n",
    "f() {": b"RUN " + b"f() { " * 10_000 + b"}; " * 10_000 + b"\n",
    '"$( nested': b"RUN " + b'"$(' * 10_000 + b')"' * 10_000 + b"\n",
    "&&": b"RUN " + b"a && " * 20_000 + b"a\n",
    "|": b"RUN " + b"a | " * 20_000 + b"a\n",
    "a long word": b"RUN " + b"a" * 1_000_000 + b"\n",
    "quotes": b"RUN " + b"\"a\"'b'" * 20_000 + b"\n",
    "quotes in ENV": b"ENV a=" + b"\"a\"'b'" * 20_000 + b"\n",
    "ONBUILD": b"ONBUILD " * 20_000 + b"RUN a\n",
    "JSON": b"CMD [" + b'"a", ' * 50_000 + b'"b"]\n',
    "JSON nested": b"CMD [" + b"[" * 50_000 + b"]" * 50_000 + b"]\n",
    "heredocs": b"RUN " + b"<<A " * 5_000 + b"\n" + b"A\n" * 5_000,
    "a long heredoc": b"RUN <<A\n" + b"cargo build\n" * 20_000 + b"A\n",
    "a long heredoc of one command": b"RUN <<-A\n" + b"\tx \\\n" * 20_000 + b"y\nA\n",
    "unterminated heredocs": b"RUN <<A\n" * 50_000,
    "flags": b"RUN " + b"--mount=type=cache,target=/x " * 10_000 + b" ls\n",
    "white space": b"RUN" + b" " * 1_000_000 + b" ls\n",
    "white space at the end": b"RUN x" + b" " * 1_000_000 + b"\n",
    "wide white space at the end": b"RUN x" + b"\xc2\xa0" * 100_000 + b"\n",
    "NUL": b"\0" * 100_000,
    "bytes": bytes(range(256)) * 400,
    "backquotes": b"RUN " + b"`" * 20_001 + b"\n",
    "<<": b"RUN " + b"<<" * 10_001 + b"\n",
    "case nested": b"RUN " + b"case a in b) " * 5_000 + b"esac " * 5_000 + b"\n",
    "$((": b"RUN " + b"$((" * 20_001 + b"\n",
    "[[": b"RUN " + b"[[" * 20_001 + b"\n",
}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", CASES)
def test_it_ends(name: str) -> None:
    source = Source(CASES[name])
    tree = parse(source)
    assert sum(node.span.end - node.span.start for node in tree.nodes) == len(source.data)
    if len(tree.instructions) < 10 and "of one RUN" not in name and "in one RUN" not in name:
        for node in tree.instructions:
            script = run_script(node, source)
            if script is not None:
                parse_shell(script)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("operator", ["#", "##", "%", "%%", "/", "//"])
def test_patterns_take_no_exponential_time(operator: str) -> None:
    pattern = "*a" * 30 + "*b" + ("/" if operator[0] == "/" else "")
    (instruction,) = parse(Source(f"ARG x=${{X{operator}{pattern}}}\n".encode())).instructions
    value = instruction.pairs[0].value
    assert value is not None
    assert expand(value, {"X": "a" * 2_000}.get) == "a" * 2_000


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "text",
    [
        "ARG A=xxxxxxxx\n" + "ARG A=$A$A$A$A\n" * 30 + "FROM rust:1\n",
        "FROM rust:1\nENV A=xxxxxxxx\n" + "ENV A=$A$A$A$A\n" * 30 + "WORKDIR /$A\n",
        "FROM rust:1\nENV A=xxxxxxxx\n" + "ENV A=${A//x/$A}\n" * 30,
        "FROM rust:1\nRUN A=xxxxxxxx && " + "A=$A$A$A$A && " * 30 + "cargo build --bin $A\n",
    ],
    ids=["ARG", "ENV", "replaced", "shell"],
)
def test_values_that_double_each_other_fill_no_memory(text: str) -> None:
    build = read_build(Source(text.encode()), NoContext(), {})
    for value in (value.text for call in build.calls for value in call.command.variables.values()):
        assert value is None or len(value) < 1 << 20
    assert len(build.stages) == 1

"""Where whole lines go in, and what goes out with an instruction."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from dockerslim_lint.edit import ConfigChange, Edit
from dockerslim_lint.facts.model import Command, ImageBuild
from dockerslim_lint.plan.model import NotPossible
from dockerslim_lint.source import Span
from dockerslim_lint.syntax.tree import Instruction, JsonString, Trivia

PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./")
"""What needs no quotes, in a shell nor in an instruction."""


def line_start(build: ImageBuild, offset: int) -> int:
    """Offset of the first byte of the line that holds `offset`, behind a BOM."""
    start = build.source.line_starts[build.source.line_of(offset) - 1]
    return max(start, 3) if build.source.bom and start == 0 else start


def block_start(build: ImageBuild, instruction: Instruction) -> int:
    """Where the comment lines that stand directly above an instruction begin; its own line where there are none.

    Parser directives are no comments of an instruction.
    """
    start = line_start(build, instruction.span.start)
    nodes = build.dockerfile.nodes
    at = _place(build, instruction)
    while at > 0:
        node = nodes[at - 1]
        if isinstance(node, Trivia) and node.kind == "comment" and node.span.start < start:
            start = line_start(build, node.span.start)
        elif not (isinstance(node, Trivia) and node.kind == "blank" and node.span.start >= start):
            break
        at -= 1
    return start


def comments_above(build: ImageBuild, instruction: Instruction) -> list[tuple[str, int]]:
    """The comment lines directly above an instruction: their text without ``#``, and their line numbers."""
    first = build.source.line_of(block_start(build, instruction))
    last = build.source.line_of(instruction.span.start)
    return [(build.source.line_text(line).strip().lstrip("#").strip(), line) for line in range(first, last)]


def comments_within(build: ImageBuild, instruction: Instruction) -> list[tuple[int, str]]:
    """The comment lines between the lines of an instruction: where each begins, and its text with its indentation."""
    start, end = instruction.body_span
    found = []
    for line in range(build.source.line_of(start) + 1, build.source.line_of(end) + 1):
        text = build.source.line_text(line).rstrip()
        if text.lstrip().startswith("#"):
            found.append((build.source.line_starts[line - 1], text))
    return found


def cased(build: ImageBuild, like: Instruction, text: str) -> str:
    """`text` with its instruction's keyword in the case that the file uses."""
    keyword, _, rest = text.partition(" ")
    return f"{keyword.lower()} {rest}" if build.source.text(like.keyword_span).islower() else text


def insert_line(build: ImageBuild, offset: int, line: str) -> Edit:
    """A whole new line at the start of a line; also where the file ends without a newline."""
    if offset == len(build.source.data) and build.source.data[-1:] != b"\n":
        return Edit(offset, offset, f"\n{line}")
    return Edit(offset, offset, f"{line}\n")


def command_behind(build: ImageBuild, command: Command, text: str) -> Edit | None:
    """Another command directly behind one of a step, which fails whenever it failed before; None where more follows than `;`, a
    line break or `&&`.

    Under ``set -e`` a shell goes on where any command of an ``&&`` list fails but the last: where others come after, the new
    one is a command of its own. Without it the failure is passed over there as it was. Behind the last one it must not be
    passed over.
    """
    end = build.instructions[command.instruction].span.end
    place = command.span.end
    rest = build.source.data[place:end].replace(b"\\\r\n", b"").replace(b"\\\n", b"").lstrip(b" \t")
    if rest and rest[:1] not in b"\r\n;" and rest[:2] != b"&&":
        return None
    later = any(one.instruction == command.instruction and one.span.start >= place for one in build.commands)
    between = "; " if later and rest[:2] != b"&&" else " && "
    return Edit(place, place, f"{between}{text}")


def user_before(build: ImageBuild, chain: Sequence[int], before: int) -> str | None:
    """The user in force before an instruction; None if a variable says who."""
    users = [
        build.instructions[at]
        for number in chain
        for at in build.stages[number].instructions
        if at < before and build.instructions[at].keyword == "USER" and build.instructions[at].words
    ]
    return max(users, key=lambda one: one.span.start).words[0].literal if users else ""


def removal(build: ImageBuild, instruction: Instruction) -> Span:
    """What goes with an instruction: the comments directly above it, and the empty lines that follow it."""
    start = block_start(build, instruction)
    nodes = build.dockerfile.nodes
    at = _place(build, instruction) + 1
    end = instruction.span.end
    while at < len(nodes):
        node = nodes[at]
        if not isinstance(node, Trivia) or node.kind != "blank" or b"\n" not in build.source.data[slice(*node.span)]:
            break
        end = node.span.end
        at += 1
    return Span(start, end)


def start_at(
    build: ImageBuild, instruction: Instruction, string: JsonString, new: str, reason: str
) -> tuple[Edit, ConfigChange]:
    """Another program in the exec form of ENTRYPOINT or CMD, and the change of the configuration that it is."""
    body = instruction.body_span
    text = build.source.text(body)
    # offsets are bytes
    raw = build.source.data
    after = (raw[body.start : string.span.start] + new.encode() + raw[string.span.end : body.end]).decode(
        "utf-8", "replace"
    )
    field = "Entrypoint" if instruction.keyword == "ENTRYPOINT" else "Cmd"
    return Edit(string.span.start, string.span.end, new), ConfigChange(field, text, after, reason)


def instruction_of(build: ImageBuild, span: Span) -> Instruction:
    """The instruction in which a word stands."""
    return build.instructions[bisect_right(build.instructions, span.start, key=lambda one: one.span.start) - 1]


def check_lands(build: ImageBuild, span: Span) -> None:
    """Raises NotPossible where a word says not only what is copied, but also where it lands."""
    instruction = instruction_of(build, span)
    if instruction.keeps_parents:
        line = build.source.line_of(instruction.span.start)
        raise NotPossible(f"line {line} copies with --parents, where the path decides at which place the program lands")


def _place(build: ImageBuild, instruction: Instruction) -> int:
    """The instruction's index among the file's nodes, which are in order."""
    return bisect_left(build.dockerfile.nodes, instruction.span.start, key=lambda node: node.span.start)

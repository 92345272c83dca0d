"""All programs that a script calls, wherever they stand in it: also in ``$(…)``, ``[[ … ]]``, functions and heredocs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dockerslim_lint.record import Record
from dockerslim_lint.source import decode
from dockerslim_lint.syntax.shell import bash_parser

if TYPE_CHECKING:
    from tree_sitter import Node as Branch

BASH_ONLY = {
    "array": "an array",
    "subscript": "an array",
    "herestring_redirect": "<<<",
    "process_substitution": "<(…)",
    "ansi_c_string": "$'…'",
    "translated_string": '$"…"',
    "c_style_for_statement": "for ((…))",
    "[[": "[[ … ]]",
    "((": "(( … ))",
    "function": "function",
    "select": "select",
    "&>": "&>",
    "&>>": "&>>",
    "|&": "|&",
    ";&": ";&",
    ";;&": ";;&",
    "declare": "declare",
    "typeset": "typeset",
    "+=": "+=",
}
"""Nodes and words of the grammar that a POSIX shell does not have (POSIX.1-2024, Shell Command Language), as people call them."""

POSIX_EXPANSIONS = frozenset(["${", "}", ":-", "-", ":=", "=", ":+", "+", ":?", "?", "#", "##", "%", "%%"])

_NOT_WORDS = frozenset(["variable_assignment", "file_redirect", "heredoc_redirect", "herestring_redirect", "comment"])


class Called(Record):
    """One simple command. `words` are its words without quotes, None for one that holds what only a running shell knows.

    `raw` are the same words as written. `line` counts from 1 in the script.
    """

    words: tuple[str | None, ...]
    raw: tuple[str, ...]
    line: int


class Calls(Record):
    """What a script does, as far as a reader can tell. `functions` are those that it defines.

    `bash` names the first thing in it that a POSIX shell does not have, with its line; None if there is none.
    `texts` are all literal pieces of words, each with its line. `broken`: the grammar met an error, nothing is certain.
    """

    called: tuple[Called, ...]
    functions: frozenset[str]
    bash: tuple[str, int] | None
    texts: tuple[tuple[str, int], ...]
    broken: bool


def read_calls(script: bytes) -> Calls:
    """Never raises; a script that cannot be read is `broken`."""
    root = bash_parser().parse(script).root_node
    called: list[Called] = []
    functions: set[str] = set()
    bash: tuple[str, int] | None = None
    texts: list[tuple[str, int]] = []
    for branch in _walk(root):
        line = branch.start_point[0] + 1
        if branch.type == "command":
            called.append(_called(branch, line))
        elif branch.type == "function_definition":
            name = branch.child_by_field_name("name")
            functions.add(_text(name) if name is not None else "")
        elif branch.type in ("word", "raw_string", "string_content"):
            texts.append((_text(branch).strip("'"), line))
        found = BASH_ONLY.get(branch.type) or _odd_expansion(branch)
        if found and (branch.type != "((" or branch.parent is None or branch.parent.type != "arithmetic_expansion"):
            bash = bash or (found, line)
    return Calls(tuple(called), frozenset(functions), bash, tuple(texts), root.has_error)


def _walk(branch: Branch) -> Iterator[Branch]:
    stack = [branch]
    while stack:
        found = stack.pop()
        yield found
        stack.extend(reversed(found.children))


def _odd_expansion(branch: Branch) -> str:
    """``${name^^}``, ``${name/a/b}``, ``${!name}``, ``${name:1:2}``: not in a POSIX shell; "" for any other."""
    if branch.type != "expansion":
        return ""
    operators = [child.type for child in branch.children if not child.is_named]
    return _text(branch) if any(operator not in POSIX_EXPANSIONS for operator in operators) else ""


def _called(branch: Branch, line: int) -> Called:
    words: list[str | None] = []
    raw: list[str] = []
    for child in branch.children:
        if child.type in _NOT_WORDS or not child.is_named:
            continue
        words.append(_literal(child))
        raw.append(_text(child))
    return Called(tuple(words), tuple(raw), line)


def _literal(branch: Branch) -> str | None:
    text = _text(branch)
    match branch.type:
        case "word" | "number":
            return text.replace("\\", "") if not any(char in text for char in "*?[~") else None
        case "raw_string":
            return text[1:-1]
        case "string_content":
            return text
        case "string" | "concatenation" | "command_name":
            parts = [_literal(child) for child in branch.children if child.is_named]
            return "".join(part for part in parts if part is not None) if None not in parts else None
    return None


def _text(branch: Branch) -> str:
    return decode(branch.text or b"")

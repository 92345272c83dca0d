"""What a step prints, as far as that can be told: ``echo`` in all its branches, and what was written to a file before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.model import Value
from dockerslim_lint.syntax import script as sh
from dockerslim_lint.syntax.shell import parse_shell
from dockerslim_lint.syntax.tree import LogicalText

Read = Callable[[sh.ShellWord], str]
"""The pattern of a word."""

TESTS = frozenset({"[", "test"})

SILENT = frozenset({"set", ":", "true", "exit", "return", "export"})

TARGETS = ("TARGETPLATFORM", "TARGETARCH")
BUILDERS = ("BUILDPLATFORM", "BUILDARCH")
"""What BuildKit tells of the platform that the image is for, and of the one that builds."""

USUAL = ("amd64", "arm64")
"""Where both of them have been asked for, no platform is left that people build for on another one."""

PRINTERS = ("cat", "echo", "printf")


def substituted(text: str, read: Read, files: Mapping[str, Value], directory: str | None) -> str | None:
    """The value of ``$(…)`` or backquotes as a pattern; None if it is not known."""
    inner = text[2:-1] if text.startswith("$(") else text[1:-1]
    if not any(name in inner for name in PRINTERS) and not inner.startswith("<"):
        return None
    if inner.startswith("<"):
        inner = f"cat {inner[1:]}"
    data = inner.encode("utf-8", "surrogateescape")
    printed_ = printed(parse_shell(LogicalText(data, ((0, 0),))).root, read, files, directory)
    return printed_.strip() if printed_ is not None else None


def printed(node: sh.Node, read: Read, files: Mapping[str, Value], directory: str | None) -> str | None:
    """What `node` writes to its output, as a pattern; None if it is not known. Other redirects are not looked at."""
    match node:
        case sh.Simple():
            return _printed_by(node, read, files, directory)
        case sh.Group():
            return printed(node.body, read, files, directory)
        case sh.Sequence():
            return _printed_in_turn(node, read, files, directory)
        case sh.If() | sh.Case():
            bodies = [body for _, body in node.branches]
            if isinstance(node, sh.If) and node.otherwise is not None:
                bodies.append(node.otherwise)
            texts = [printed(body, read, files, directory) for body in bodies if not leaves(body, SILENT)]
            silent = len(texts) < len(bodies) or not complete(node)
            if silent and any(text is not None and text.startswith("-") for text in texts):
                texts.append("")  # flags: the command runs without them; a target that is left out would fail anyway
            result = texts[0] if texts else None
            for text in texts[1:]:
                result = patterns.merge(result, text)
            return result
    return None


def _printed_in_turn(node: sh.Sequence, read: Read, files: Mapping[str, Value], directory: str | None) -> str | None:
    """The output of a sequence; of ``test "$A" = b && echo c`` where the comparison can be told."""
    found = ""
    holds: bool | None = True
    for item, operator in zip(node.items, node.operators, strict=True):
        if operator not in ("&&", "||"):
            holds = True
        elif holds is None:
            return None
        elif holds is not (operator == "&&"):
            continue
        if name_of(item) in TESTS:
            holds = _compared(item, read)
            continue
        text = printed(item, read, files, directory)
        if text is None:
            return None
        found, holds = found + text, True
    return found if holds is not None else None


def _compared(node: sh.Node, read: Read) -> bool | None:
    """``[ a = b ]``, ``[ -n a ]`` and their like; None where a side is not known."""
    words = [read(word) for word in node.words[1:] if word.literal != "]"] if isinstance(node, sh.Simple) else []
    if any("*" in word for word in words):
        return None
    match words:
        case [one, "=" | "==", other]:
            return one == other
        case [one, "!=", other]:
            return one != other
        case ["-n", one] | [one]:
            return one != ""
        case ["-z", one]:
            return one == ""
    return None


def _printed_by(node: sh.Simple, read: Read, files: Mapping[str, Value], directory: str | None) -> str | None:
    words = [read(word) for word in node.words]
    if not words or words[0] in SILENT:
        return ""
    rest = words[1:]
    match words[0]:
        case "echo":
            bare = "-n" in rest[:1]
            while rest and rest[0] in ("-n", "-e", "-ne", "-en"):
                rest = rest[1:]
            # dash's needs no -e for it, and who writes it for another shell means it all the same
            return " ".join(rest).replace("\\n", "\n") + ("" if bare else "\n")
        case "printf" if rest:
            return _formatted(rest[0].replace("\\n", "\n"), rest[1:])
        case "cat" if len(rest) == 1:
            written = files.get(patterns.join(directory or "/*", rest[0]))
            return written.text if written is not None else None
    return None


def _formatted(form: str, values: list[str]) -> str | None:
    """What printf makes of ``%s``: the form is used again until no value is left (printf(1))."""
    places = form.count("%s")
    if places != form.count("%"):
        return None
    if not places:
        return form
    if not values or len(values) % places:
        return None
    parts, found = form.split("%s"), ""
    for at in range(0, len(values), places):
        found += (
            "".join(f"{part}{value}" for part, value in zip(parts, values[at : at + places], strict=False)) + parts[-1]
        )
    return found


def prints_input(node: sh.Node) -> bool:
    """Whether a command only prints what it is given (``cat <<EOF``)."""
    return isinstance(node, sh.Simple) and [word.literal for word in node.words] == ["cat"]


def complete(node: sh.If | sh.Case) -> bool:
    """Whether one of the branches runs in any case."""
    if isinstance(node, sh.If):
        return node.otherwise is not None
    return any(word.literal == "*" for words, _ in node.branches for word in words)


def native_branches(node: sh.If | sh.Case) -> list[bool]:
    """Of each branch, ``else`` last: whether it runs only where the platform of the image, and that which builds, have been asked for.

    ``uname -m`` in it is then what the author knows to be right.
    """
    if isinstance(node, sh.Case):
        every = " ".join((node.word.text, *(word.text for words, _ in node.branches for word in words)))
        default = [any(word.literal == "*" for word in words) for words, _ in node.branches]
        return [_compares(every if last else node.word.text) for last in default]
    found, asked = [], ""
    for condition, _ in node.branches:
        asked += _written(condition)
        found.append(_compares(asked))
    return [*found, _compares(asked)]


def _compares(text: str) -> bool:
    return any(name in text for name in TARGETS) and (
        any(name in text for name in BUILDERS) or all(name in text for name in USUAL)
    )


def _written(node: sh.Node) -> str:
    match node:
        case sh.Simple():
            return " ".join(word.text for word in node.words) + " "
        case sh.Sequence() | sh.Pipeline():
            return "".join(map(_written, node.items))
        case sh.Negated():
            return _written(node.item)
        case sh.Group():
            return _written(node.body)
        case sh.Unread():
            return f"{node.text} "
    return ""


def leaves(node: sh.Node, names: frozenset[str]) -> bool:
    """Whether the last command of `node` is one of `names`."""
    while isinstance(node, sh.Sequence | sh.Group):
        if isinstance(node, sh.Sequence) and not node.items:
            return False
        node = node.items[-1] if isinstance(node, sh.Sequence) else node.body
    return name_of(node) in names


def name_of(node: sh.Node) -> str:
    """The program of a simple command as written, "" for anything else."""
    return (node.words[0].literal or "") if isinstance(node, sh.Simple) and node.words else ""


def assignments(text: str) -> Iterator[tuple[str, str]]:
    """The ``NAME=value`` lines of a file that a shell reads."""
    for line in text.split("\n"):
        name, equals, value = line.strip().removeprefix("export ").strip().partition("=")
        if equals and name.isidentifier():
            yield name, value.strip().strip("\"'")

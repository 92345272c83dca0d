"""The hard cases of fixtures/syntax: each tree beside its file, to be read by a person.

``python -m tests.syntax.test_cases`` writes the trees anew.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from dockerslim_lint.source import Source
from dockerslim_lint.syntax.dockerfile import parse
from dockerslim_lint.syntax.shell import parse_shell, run_script
from tests.syntax.shown import show_dockerfile, show_script

CASES = sorted((Path(__file__).parents[2] / "fixtures" / "syntax").iterdir())


def shown(case: Path) -> str:
    """The case's tree, and the shell scripts in it, as text."""
    source = Source((case / "Dockerfile").read_bytes())
    tree = parse(source)
    parts = [show_dockerfile(tree, source)]
    for node in tree.instructions:
        script = run_script(node, source)
        if script is not None:
            parts.append(f"\nshell of line {source.line_of(node.span.start)}\n{show_script(parse_shell(script))}\n")
    return "".join(parts)


def as_bytes(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_tree(case: Path) -> None:
    assert as_bytes(shown(case)).decode() == (case / "tree.txt").read_bytes().decode()


if __name__ == "__main__":
    for case in CASES:
        (case / "tree.txt").write_bytes(as_bytes(shown(case)))

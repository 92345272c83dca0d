"""The rules as people read them: the table of all, and one rule's page."""

from __future__ import annotations

from collections.abc import Sequence
from inspect import cleandoc

from dockerslim_lint import registry
from dockerslim_lint.output.interface import Line, Piece
from dockerslim_lint.output.printable import wrap
from dockerslim_lint.output.snippet import SEVERITY_STYLES
from dockerslim_lint.rule import Rule

_MARK = "fix safety:"


def rule_table(rules: Sequence[Rule]) -> list[Line]:
    """Code, name, severity and fix safety of each rule, and what it is about."""
    names = max((len(rule.NAME) for rule in rules), default=4)
    head = f"{'code':<8}{'name':<{names + 2}}{'severity':<10}fix"
    lines: list[Line] = [(Piece(head, "dim"),)]
    lines += (
        (
            Piece(f"{rule.CODE:<8}", "bold"),
            Piece(f"{rule.NAME:<{names + 2}}"),
            Piece(f"{rule.SEVERITY.label:<10}", SEVERITY_STYLES[rule.SEVERITY]),
            Piece(fix_safety(rule)),
        )
        for rule in rules
    )
    return lines


def rule_page(rule: Rule) -> list[Line]:
    """The docstring, the examples and the address of one rule."""
    lines: list[Line] = [
        (
            Piece(f"{rule.CODE} {rule.NAME}", "bold"),
            Piece("  "),
            Piece(rule.SEVERITY.label, SEVERITY_STYLES[rule.SEVERITY]),
        ),
        (),
    ]
    lines += [(Piece(line),) for line in cleandoc(rule.__doc__ or "").split("\n")]
    for invalid in rule.INVALID[:1]:
        lines += _example("Speaks here:", invalid.text)
        if invalid.fixed is not None:
            lines += _example("Becomes:", invalid.fixed)
    for valid in rule.VALID[:1]:
        lines += _example("Silent here:", valid.text)
    lines += [(), *((Piece(text),) for text in wrap(registry.url(rule.CODE), 80))]
    return lines


def fix_safety(rule: Rule) -> str:
    """The safety of a rule's fixes: the words behind ``Fix safety:`` in its docstring, up to the first stop."""
    for line in cleandoc(rule.__doc__ or "").split("\n"):
        if line.strip().lower().startswith(_MARK):
            return line.strip()[len(_MARK) :].strip().split(".")[0].split(":")[0].split(";")[0].split(",")[0] or "-"
    return "yes" if any(invalid.fixed is not None for invalid in rule.INVALID) else "-"


def _example(title: str, text: str) -> list[Line]:
    return [(), (Piece(title, "bold"),), *((Piece(f"    {line}"),) for line in text.rstrip("\n").split("\n"))]

"""The rules as people read them: the table of all, and one rule's page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from inspect import cleandoc

from dockerslim_lint import linter, registry
from dockerslim_lint.config import Settings
from dockerslim_lint.context import MemoryContext, NoContext
from dockerslim_lint.edit import Safety, Withheld
from dockerslim_lint.output.interface import SAFETY_WORDS, Line, Piece
from dockerslim_lint.output.printable import wrap
from dockerslim_lint.output.snippet import SEVERITY_STYLES
from dockerslim_lint.rule import Rule
from dockerslim_lint.source import Source


def rule_table(rules: Sequence[Rule]) -> list[Line]:
    """Code, name, severity and fix safety of each rule, and what it is about."""
    names = max((len(rule.NAME) for rule in rules), default=4)
    head = f"{'code':<8}{'name':<{names + 2}}{'severity':<10}fix"
    lines: list[Line] = [(Piece(head, "dim"),)]
    lines += (
        (
            Piece(rule.CODE, f"bold link {registry.url(rule.CODE, rule.URL)}"),
            Piece(" " * (8 - len(rule.CODE))),
            Piece(f"{rule.NAME:<{names + 2}}"),
            Piece(f"{rule.SEVERITY.label:<10}", SEVERITY_STYLES[rule.SEVERITY]),
            Piece(fix_safety(rule) + ("" if rule.ON_BY_DEFAULT else "  (off by default)")),
        )
        for rule in rules
    )
    return lines


def rule_page(rule: Rule, columns: int = 0) -> list[Line]:
    """The docstring, the examples and the address of one rule; prose is laid out for `columns`, 0 leaves it as it is written."""
    lines: list[Line] = [
        (
            Piece(f"{rule.CODE} {rule.NAME}", "bold"),
            Piece("  "),
            Piece(rule.SEVERITY.label, SEVERITY_STYLES[rule.SEVERITY]),
        ),
        (),
    ]
    for number, paragraph in enumerate(cleandoc(rule.__doc__ or "").split("\n\n")):
        written = paragraph.split("\n")
        is_prose = not any(line.startswith((" ", "- ", "* ", "|", "```")) for line in written)
        shown = wrap(paragraph, columns) if columns and is_prose else written
        lines += [*([()] if number else []), *((Piece(line),) for line in shown)]
    for invalid in rule.INVALID[:1]:
        lines += _example("Speaks here:", invalid.text)
        if invalid.fixed is not None:
            lines += _example("Becomes:", invalid.fixed)
    # one that shows the difference: another may differ only in the files beside it
    for valid in [case for case in rule.VALID if case.text != rule.INVALID[case.near].text][:1]:
        lines += _example("Silent here:", valid.text)
    lines += [(), *((Piece(text),) for text in wrap(registry.url(rule.CODE, rule.URL), 80))]
    return lines


def rule_objects(rules: Sequence[Rule]) -> list[dict[str, object]]:
    """What the table says of each rule, and more, for programs."""
    return [
        {
            "code": rule.CODE,
            "name": rule.NAME,
            "severity": rule.SEVERITY.label,
            "fixes": [safety.name.lower() for safety in _safeties(rule)],
            "default": rule.ON_BY_DEFAULT,
            "summary": rule.summary(),
            "url": registry.url(rule.CODE, rule.URL),
        }
        for rule in rules
    ]


def fix_safety(rule: Rule) -> str:
    """How safe the rule's fixes are; "-" for a rule without fixes."""
    return " or ".join(SAFETY_WORDS[safety] for safety in _safeties(rule)) or "-"


def _safeties(rule: Rule) -> list[Safety]:
    """How safe the rule's fixes are, as its own INVALID cases show it."""
    found: set[Safety] = set()
    for invalid in rule.INVALID:
        context = NoContext() if invalid.files is None else MemoryContext(_encoded(invalid.files))
        settings = Settings(select=(rule.CODE,), platforms=invalid.platforms)
        report = linter.lint(Source(invalid.text.encode()), context, settings)
        for finding in report.findings:
            if finding.code == rule.CODE and not isinstance(finding.fixes, Withheld):
                found.update(fix.safety for fix in finding.fixes)
    return sorted(found)


def _encoded(files: Mapping[str, str]) -> dict[str, bytes]:
    return {path: text.encode() for path, text in files.items()}


def _example(title: str, text: str) -> list[Line]:
    return [(), (Piece(title, "bold"),), *((Piece(f"    {line}"),) for line in text.rstrip("\n").split("\n"))]

"""`rules` and `explain`, over two rules of the test's own."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

import dockerslim_lint
from dockerslim_lint.rule import Invalid, Rule, Severity, Valid
from tests.cli.conftest import Invoke


class Fat(Rule):
    """A glibc program ships on a fat base.

    Why: it is big.

    Fix safety: PROVABLE, it changes the base.
    """

    CODE = "DSL101"
    NAME = "gnu-on-fat-base"
    SEVERITY = Severity.ERROR
    INVALID = (Invalid("FROM rust\nFROM ubuntu\n", 2, "FROM rust\nFROM scratch\n"),)
    VALID = (Valid(0, "FROM rust\nFROM scratch\n"),)


class Frontend(Rule):
    """A custom frontend cannot be judged."""

    CODE = "DSL903"
    NAME = "custom-frontend"
    SEVERITY = Severity.INFO
    INVALID = (Invalid("# syntax=x\nFROM y\n", 1),)
    VALID = ()


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("dockerslim_lint.registry")
    rules: tuple[Rule, ...] = (Fat(), Frontend())
    names = {word.lower(): rule for rule in rules for word in (rule.CODE, rule.NAME)}
    module.rules = lambda: rules  # type: ignore[attr-defined]
    module.resolve = lambda name: names.get(name.lower())  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "dockerslim_lint.registry", module)
    monkeypatch.setattr(dockerslim_lint, "registry", module, raising=False)


def test_the_table(run: Invoke) -> None:
    assert run("rules").stdout == (
        "code    name             severity  fix\n"
        "DSL101  gnu-on-fat-base  error     PROVABLE\n"
        "DSL903  custom-frontend  info      -\n"
    )


@pytest.mark.parametrize("name", ["DSL101", "dsl101", "gnu-on-fat-base"])
def test_a_page(run: Invoke, name: str) -> None:
    text = run("explain", name).stdout
    assert text.startswith("DSL101 gnu-on-fat-base  error\n\nA glibc program ships on a fat base.\n\nWhy: it is big.\n")
    assert "Becomes:\n    FROM rust\n    FROM scratch\n" in text
    assert text.endswith("/docs/rules/DSL101.md\n")


def test_an_unknown_rule(run: Invoke) -> None:
    result = run("explain", "DSL110")
    assert result.exit_code == 2
    assert 'there is no rule "DSL110"; did you mean "DSL101"?' in result.stderr
    assert 'did you mean "gnu-on-fat-base"?' in run("explain", "gnu-on-fat").stderr
    assert "`dockerslim-lint rules` lists them" in run("explain", "quux").stderr


def test_selecting_an_unknown_rule_is_exit_2(run: Invoke, project: object) -> None:
    result = run("lint", "--select", "DSL101,DSL110", "-", stdin="FROM x\n")
    assert result.exit_code == 2
    assert result.stderr == (
        'dockerslim-lint: command line: `select`: there is no rule "DSL110"; did you mean "DSL101"?\n'
    )
    assert run("lint", "--select", "DSL101", "-", stdin="FROM x\n").exit_code == 0

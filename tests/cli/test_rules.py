"""`rules` and `explain`."""

from __future__ import annotations

import json

import pytest
from dockerslim_lint_rules.gnu_on_fat_base import GnuOnFatBase

from dockerslim_lint.registry import rules
from tests.cli.conftest import Invoke


def test_the_table(run: Invoke) -> None:
    lines = run("rules").stdout.split("\n")
    words = [line.split() for line in lines]
    assert words[0] == ["code", "name", "severity", "fix"]
    assert ["DSL101", "gnu-on-fat-base", "error", "needs", "proof"] in words
    assert ["DSL903", "custom-frontend", "info", "-"] in words
    assert ["DSL503", "unpinned-base", "info", "-", "(off", "by", "default)"] in words
    assert len({line.index(word[2]) for line, word in zip(lines, words, strict=True) if word}) == 1, "columns"
    assert len(lines) == len(rules()) + 2


def test_the_rules_as_data(run: Invoke) -> None:
    listed = json.loads(run("rules", "--format", "json").stdout)
    assert [one["code"] for one in listed] == [rule.CODE for rule in rules()]
    by_code = {one["code"]: one for one in listed}
    assert by_code["DSL101"] == {
        "code": "DSL101",
        "name": "gnu-on-fat-base",
        "severity": "error",
        "fixes": ["provable"],
        "default": True,
        "summary": GnuOnFatBase.summary(),
        "url": "https://github.com/dockerslim/dockerslim-lint/blob/main/docs/rules/DSL101.md",
    }
    assert (by_code["DSL503"]["fixes"], by_code["DSL503"]["default"]) == ([], False)


@pytest.mark.parametrize("name", ["DSL101", "dsl101", "gnu-on-fat-base"])
def test_a_page(run: Invoke, name: str) -> None:
    text = run("explain", name).stdout
    assert text.startswith(f"DSL101 gnu-on-fat-base  error\n\n{GnuOnFatBase.summary()}\n\n")
    for title in ("Speaks here:", "Becomes:", "Silent here:"):
        assert f"\n\n{title}\n    FROM " in text
    assert text.endswith("/docs/rules/DSL101.md\n")


def test_an_unknown_rule(run: Invoke) -> None:
    result = run("explain", "DSL2O2")
    assert result.exit_code == 2
    assert 'there is no rule "DSL2O2"; did you mean "DSL202"?' in result.stderr
    assert 'did you mean "gnu-on-fat-base"?' in run("explain", "gnu-on-fat").stderr
    for name in ("quux", "DSL999"):
        assert "`dockerslim-lint rules` lists them" in run("explain", name).stderr
    assert 'such as "DSL101"' in run("explain", "DSL1").stderr


def test_selecting_an_unknown_rule_is_exit_2(run: Invoke, project: object) -> None:
    result = run("lint", "--select", "DSL101,DSL2O2", "-", stdin="FROM x\n")
    assert result.exit_code == 2
    assert result.stderr == (
        'dockerslim-lint: command line: `select`: there is no rule "DSL2O2"; did you mean "DSL202"?\n'
    )
    assert run("lint", "--select", "DSL101", "-", stdin="FROM x\n").exit_code == 0
    assert run("lint", "--select", "DSL1,DSL40", "--ignore", "DSL10", "-", stdin="FROM x\n").exit_code == 0
    assert run("lint", "--select", "default,DSL503", "-", stdin="FROM x\n").exit_code == 0
    assert run("lint", "--ignore", "default", "-", stdin="FROM x\n").exit_code == 2


def test_prose_is_laid_out_for_a_terminal_and_code_is_not() -> None:
    from dockerslim_lint import registry
    from dockerslim_lint.output.interface import plain
    from dockerslim_lint.output.rule_pages import rule_page

    for code, kept in (("DSL101", "    RUN strip /work/target/release/slice -o /slice\n"), ("DSL407", "    #[global_")):
        rule = registry.resolve(code)
        assert rule is not None
        written, narrow = plain(rule_page(rule)), plain(rule_page(rule, 60))
        assert kept in narrow and narrow.split() == written.split()
        assert narrow.count("\n\n") == written.count("\n\n")
        prose = narrow.split("Speaks here:")[0].split("\n")
        assert max(len(line) for line in prose if not line.startswith(" ")) <= 60 < max(map(len, written.split("\n")))

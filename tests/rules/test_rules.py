"""Every rule's own cases, and what is asked of every rule."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator

import pytest

from dockerslim_lint import linter
from dockerslim_lint.config import Settings
from dockerslim_lint.context import BuildContext, MemoryContext, NoContext
from dockerslim_lint.edit import Fix, Safety, Withheld
from dockerslim_lint.registry import built_in, rules
from dockerslim_lint.rule import Invalid, Rule, Severity, Valid
from dockerslim_lint.source import UTF8_BOM, Source
from dockerslim_lint.syntax.dockerfile import parse

VARIANTS: dict[str, Callable[[str], bytes]] = {
    "as written": lambda text: text.encode(),
    "CRLF": lambda text: text.replace("\n", "\r\n").encode(),
    "BOM": lambda text: UTF8_BOM + text.encode(),
}

INVALID = [pytest.param(rule, case, id=f"{rule.CODE}-{at}") for rule in rules() for at, case in enumerate(rule.INVALID)]
VALID = [pytest.param(rule, case, id=f"{rule.CODE}-{at}") for rule in rules() for at, case in enumerate(rule.VALID)]


def context_of(case: Invalid | Valid) -> BuildContext:
    if case.files is None:
        return NoContext()
    return MemoryContext({path: text.encode() for path, text in case.files.items()})


def own(rule: Rule, case: Invalid | Valid) -> Settings:
    return Settings(select=(rule.CODE,), platforms=case.platforms)


def fixes_of(report: linter.Report) -> Iterator[Fix]:
    for finding in report.findings:
        if not isinstance(finding.fixes, Withheld):
            yield from finding.fixes


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(("rule", "case"), INVALID)
def test_invalid_is_found_on_its_line(rule: Rule, case: Invalid, variant: str) -> None:
    source = Source(VARIANTS[variant](case.text))
    report = linter.lint(source, context_of(case), own(rule, case))
    assert [source.line_of(finding.span.start) for finding in report.findings] == [case.line]
    for finding in report.findings:
        assert (finding.code, finding.name) == (rule.CODE, rule.NAME)
        assert finding.span.start < finding.span.end or rule.CODE == "DSL901"
        assert finding.message.endswith((".", "?")), finding.message


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(("rule", "case"), INVALID)
def test_fix_is_exact_converges_and_stays(rule: Rule, case: Invalid, variant: str) -> None:
    encode = VARIANTS[variant]
    source = Source(encode(case.text))
    fixed = linter.fix(source, context_of(case), own(rule, case), Safety.PROVABLE)
    assert fixed.bug is None
    if case.fixed is None:
        assert fixed.source.data == source.data
        assert not fixed.applied
        return
    assert fixed.source.data == encode(case.fixed)
    assert parse(fixed.source).fatal is None
    assert rule.CODE in {code for applied in fixed.applied for code in applied.codes}
    # a second run has none of the findings that the fix settled, and nothing new; a second fix changes nothing
    before = {
        finding.code for finding in linter.lint(source, context_of(case), Settings(platforms=case.platforms)).findings
    }
    everything = linter.fix(source, context_of(case), Settings(platforms=case.platforms), Safety.PROVABLE)
    after = linter.lint(everything.source, context_of(case), Settings(platforms=case.platforms))
    repaired = any(applied.fix.repairs for applied in everything.applied)  # only now there is an image to judge
    assert repaired or {finding.code for finding in after.findings} <= before
    assert rule.CODE not in {finding.code for finding in after.findings}
    again = linter.fix(everything.source, context_of(case), Settings(platforms=case.platforms), Safety.PROVABLE)
    assert again.source.data == everything.source.data
    assert not again.applied


@pytest.mark.parametrize(("rule", "case"), INVALID)
def test_a_rule_that_is_loaded_only_where_it_may_speak_is_missed_nowhere(rule: Rule, case: Invalid) -> None:
    source = Source(case.text.encode())
    few, all_ = Settings(platforms=case.platforms), Settings(platforms=case.platforms, select=("default",))
    found, wanted = (
        [(one.code, one.span) for one in linter.lint(source, context_of(case), settings).findings]
        for settings in (few, all_)
    )
    assert found == wanted
    assert not rule.ON_BY_DEFAULT or rule.CODE in dict(found)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(("rule", "case"), VALID)
def test_near_miss_is_silent(rule: Rule, case: Valid, variant: str) -> None:
    report = linter.lint(Source(VARIANTS[variant](case.text)), context_of(case), own(rule, case))
    assert not report.findings


@pytest.mark.parametrize(("rule", "case"), VALID)
def test_near_miss_is_near(rule: Rule, case: Valid) -> None:
    """At most two lines differ from the INVALID that it nearly is, its files counted too."""
    near = rule.INVALID[case.near]
    lines = difflib.ndiff(near.text.splitlines(), case.text.splitlines())
    changed = [line for line in lines if line.startswith(("- ", "+ "))]
    removed, added = sum(line[0] == "-" for line in changed), sum(line[0] == "+" for line in changed)
    other_files = sum(
        (near.files or {}).get(name) != (case.files or {}).get(name)
        for name in {*(near.files or {}), *(case.files or {})}
    )
    assert max(removed, added) + (1 if other_files and not changed else 0) <= 2
    assert changed or other_files or near.platforms != case.platforms


@pytest.mark.parametrize(
    ("code", "case", "severity", "words"),
    [
        ("DSL303", 0, Severity.WARNING, "are built twice"),
        ("DSL303", 3, Severity.INFO, "may be built twice"),
        ("DSL112", 0, Severity.WARNING, "whatever the image is for"),
        ("DSL112", 1, Severity.ERROR, "linux/amd64 and linux/arm64 are asked for"),
    ],
)
def test_severity_by_case(code: str, case: int, severity: Severity, words: str) -> None:
    rule = next(rule for rule in rules() if code == rule.CODE)
    invalid = rule.INVALID[case]
    (finding,) = linter.lint(Source(invalid.text.encode()), context_of(invalid), own(rule, invalid)).findings
    assert finding.severity is severity
    assert words in finding.message


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.CODE)
def test_metadata(rule: Rule) -> None:
    assert re.fullmatch(r"DSL[1-59]\d\d", rule.CODE)
    assert re.fullmatch(r"[a-z]+(-[a-z0-9]+)+|[a-z]+", rule.NAME)
    page = type(rule).__doc__ or ""
    assert rule.summary().endswith(".")
    assert "**Fix safety.**" in page
    assert len(rule.VALID) >= len(rule.INVALID)
    assert rule.INVALID


def test_near_misses_outnumber_hits() -> None:
    assert sum(len(rule.VALID) for rule in rules()) > sum(len(rule.INVALID) for rule in rules())


def test_every_rule_file_is_registered() -> None:
    from pathlib import Path

    import dockerslim_lint_rules

    folder = Path(dockerslim_lint_rules.__file__).parent
    modules = {path.stem for path in folder.glob("*.py") if path.stem != "__init__"}
    assert modules == {rule.__module__.rsplit(".", 1)[-1] for rule in built_in()}
    for path in folder.glob("*.py"):
        assert len(path.read_text().splitlines()) <= 150, path.name


def test_declared_safety_matches_the_fixes() -> None:
    """Nothing that changes libc, base or user is ever SAFE."""
    for rule in rules():
        for case in rule.INVALID:
            for fix in fixes_of(linter.lint(Source(case.text.encode()), context_of(case), own(rule, case))):
                if fix.key.startswith("slim:"):
                    assert fix.safety is Safety.PROVABLE
                    assert fix.claim is not None
                    assert fix.claim.binaries


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.CODE)
def test_no_case_makes_a_fix_worse(rule: Rule) -> None:
    """With all rules at work, whatever base is preferred: a rule that speaks on the result of a fix shows up as our bug."""
    cases: list[Invalid | Valid] = [*rule.INVALID, *rule.VALID]
    for case in cases:
        for prefer in ((), ("alpine",), ("scratch",)):
            fixed = linter.fix(Source(case.text.encode()), context_of(case), Settings(prefer=prefer), Safety.PROVABLE)
            assert fixed.bug is None, case.text

"""JUnit XML through a library that reads it, and by what Jenkins' xunit plugin allows (junit-10.xsd)."""

from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st
from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from dockerslim_lint.linter import Report
from dockerslim_lint.output.interface import FileResult
from dockerslim_lint.output.printable import printable
from tests.output.samples import broken_bytes, everything, judged, rendered, unreadable

ALLOWED = {
    "testsuites": ({"name", "time", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors", "skipped", "time", "timestamp", "hostname", "id", "package", "file"},
        {"testsuite", "properties", "testcase", "system-out", "system-err"},
    ),
    "properties": (set(), {"property"}),
    "property": ({"name", "value"}, set()),
    "testcase": ({"name", "classname", "time", "group"}, {"skipped", "error", "failure", "system-out", "system-err"}),
    "skipped": ({"type", "message"}, set()),
    "error": ({"type", "message"}, set()),
    "failure": ({"type", "message"}, set()),
    "system-out": (set(), set()),
}
"""The attributes and the children that an element may have."""
REQUIRED = {
    "testsuite": {"name", "tests", "failures", "errors"},
    "testcase": {"name"},
    "property": {"name", "value"},
}


def read(*results: FileResult) -> JUnitXml:
    text = rendered("junit", results)
    assert text.isascii() and text.endswith(">\n")
    for element in ElementTree.fromstring(text).iter():
        attributes, children = ALLOWED[element.tag]
        assert REQUIRED.get(element.tag, set()) <= set(element.attrib) <= attributes
        assert {child.tag for child in element} <= children
    return JUnitXml.fromstring(text.encode())


def suites(*results: FileResult) -> list[TestSuite]:
    return list(read(*results))


def cases(*results: FileResult) -> list[TestCase]:
    return [case for suite in suites(*results) for case in suite]


def test_a_file_is_a_suite_and_a_finding_a_case() -> None:
    (suite,) = suites(judged())
    assert (suite.name, suite.tests, suite.failures, suite.errors, suite.skipped) == ("svc/Docker file", 4, 2, 0, 1)
    assert [case.name for case in suite] == [
        "DSL501 not-locked (3:5)",
        "DSL101 gnu-on-fat-base (6:6)",
        "DSL104 musl-on-fat-base (7:1)",
        "DSL103 glibc-too-old (6:6)",
    ]
    assert {case.classname for case in suite} == {"svc/Docker file"}


def test_only_what_fails_the_run_is_a_failure() -> None:
    info, fat, copy, old = cases(judged())
    assert info.result == [] and info.system_out.startswith("info: Not locked.")
    (failure,) = fat.result
    assert isinstance(failure, Failure)
    assert (failure.type, failure.message) == ("error", "x is fat: ${BASE}.")
    assert failure.text.splitlines()[1] == "fix (needs proof): static musl on {distroless}"
    assert copy.result[0].text.splitlines()[1] == "the [second](x) with `ticks` & <b>, 50%."
    assert isinstance(old.result[0], Skipped)
    assert [bool(case.result) for case in cases(judged()._replace(fail_on="error"))] == [False, True, False, True]


def test_fixed_and_held_back_are_properties() -> None:
    properties = ElementTree.fromstring(rendered("junit", (judged(),))).iter("property")
    assert {one.get("name"): one.get("value") for one in properties} == {"fixed": "1", "held_back": "1"}


def test_what_could_not_be_judged_is_an_error() -> None:
    report = read(*everything())
    assert (report.errors, report.failures) == (4, 4)
    wrong = [case for case in cases(*everything()) if any(isinstance(one, Error) for one in case.result)]
    assert [case.classname for case in wrong] == ["svc/gone", "svc/one", "svc/two", "svc/ours"]
    (one,) = cases(unreadable())
    assert isinstance(one.result[0], Failure) and one.name == "DSL901 unparsable"


def test_a_clean_file_passes_and_an_excluded_one_is_skipped() -> None:
    clean, excluded = (case for case in cases(*everything()) if case.classname in ("svc/clean", "svc/excluded"))
    assert (clean.name, clean.result) == ("no findings", [])
    assert isinstance(excluded.result[0], Skipped)


def test_a_file_that_builds_no_rust_is_skipped() -> None:
    report = judged().report
    assert report is not None
    foreign = report._replace(findings=(), suppressed=(), judged=False)
    (case,) = cases(FileResult("node", report=foreign))
    assert isinstance(case.result[0], Skipped) and case.result[0].message == "builds no Rust"


def test_what_xml_cannot_hold_is_written_as_escapes() -> None:
    (one,) = cases(broken_bytes())
    assert one.classname == "svc/caf\\xe9|,:%.dockerfile"
    assert one.result[0].message == "\\x1b[31m\\xff @me"


@given(st.text(max_size=80))
def test_any_text_can_be_read_again(message: str) -> None:
    result = judged()
    assert result.report is not None
    fat = result.report.findings[1]._replace(message=message)
    (case,) = cases(
        result._replace(path=message.replace("/", ""), report=Report(result.report.source, (fat,), (), None, ()))
    )
    assert case.result[0].message == printable(" ".join(message.split("\n")))


def test_nothing() -> None:
    assert suites() == []

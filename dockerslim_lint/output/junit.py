"""The JUnit format: a test suite for each file, a test case for each finding.

There is no standard; this is what the schema of Jenkins' xunit plugin (junit-10.xsd) allows, and others read.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from dockerslim_lint import registry
from dockerslim_lint.edit import Withheld
from dockerslim_lint.finding import Finding
from dockerslim_lint.linter import Report
from dockerslim_lint.output.interface import SAFETY_WORDS, Asked, FileResult, Line, Piece
from dockerslim_lint.output.location import has_places, marked, repository_path
from dockerslim_lint.output.printable import printable


def render(results: Sequence[FileResult], asked: Asked) -> list[Line]:
    """One XML document in ASCII.

    Findings at or above the file's `fail_on` are failures; those below pass, with their text as output; suppressed ones
    are skipped. A file that could not be judged is an error; a file without findings is one test that passes. What was
    fixed and held back stands in the suite's properties.
    """
    suites = Element("testsuites", name="dockerslim-lint")
    for result in results:
        suites.append(_suite(result, _text(repository_path(result.path, asked))))
    _count(suites, with_skipped=False)
    indent(suites)
    body = tostring(suites, encoding="us-ascii").decode("ascii")
    return [(Piece(line),) for line in ('<?xml version="1.0" encoding="UTF-8"?>', *body.split("\n"))]


def _suite(result: FileResult, path: str) -> Element:
    suite = Element("testsuite", name=path, file=path)
    if result.applied or result.held:
        properties = SubElement(suite, "properties")
        for name, decisions in (
            ("fixed", {applied.fix.key for applied in result.applied}),
            ("held_back", {held.key for held in result.held}),
        ):
            SubElement(properties, "property", name=name, value=str(len(decisions)))
    text = result.problem.text if result.problem else result.bug
    if text is not None:
        case = SubElement(suite, "testcase", name="judged", classname=path)
        SubElement(case, "error", type="problem", message=_text(text)).text = _text(text)
    if result.report is not None:
        for finding in result.report.findings:
            _case(suite, result, result.report, path, finding)
        for finding in result.report.suppressed:
            case = SubElement(suite, "testcase", name=_name(result.report, finding), classname=path)
            SubElement(case, "skipped", message="suppressed")
    if suite.find("testcase") is None:
        name, why = "no findings", ""
        if result.report is None:
            name, why = "excluded", "excluded by the configuration"
        elif not result.report.judged:
            name, why = "not judged", "builds no Rust"
        case = SubElement(suite, "testcase", name=name, classname=path)
        if why:
            SubElement(case, "skipped", message=why)
    _count(suite)
    return suite


def _case(suite: Element, result: FileResult, report: Report, path: str, finding: Finding) -> None:
    case = SubElement(suite, "testcase", name=_name(report, finding), classname=path)
    told = _told(finding)
    if finding in result.failing:
        message = _text(finding.message)
        SubElement(case, "failure", type=finding.severity.label, message=message).text = told
    else:
        SubElement(case, "system-out").text = f"{finding.severity.label}: {told}"


def _name(report: Report, finding: Finding) -> str:
    name = f"{finding.code} {finding.name}"
    if not has_places(report):
        return name
    place = marked(report.source, finding.span)
    return f"{name} ({place.line}:{place.column})"


def _told(finding: Finding) -> str:
    lines = [_text(line) for line in finding.message.split("\n")]
    if isinstance(finding.fixes, Withheld):
        lines.append(f"no fix: {_text(finding.fixes.reason)}")
    elif finding.fixes:
        lines.append(f"fix ({SAFETY_WORDS[finding.fixes[0].safety]}): {_text(finding.fixes[0].title)}")
    return "\n".join((*lines, registry.url(finding.code, finding.url)))


def _text(text: str) -> str:
    """`text` without what XML 1.0 cannot hold, not even escaped; in one line."""
    return printable(" ".join(text.split("\n")))


def _count(element: Element, with_skipped: bool = True) -> None:
    counts = {
        "tests": len(list(element.iter("testcase"))),
        "failures": len(list(element.iter("failure"))),
        "errors": len(list(element.iter("error"))),
    }
    if with_skipped:
        counts["skipped"] = len(list(element.iter("skipped")))
    for name, number in counts.items():
        element.set(name, str(number))

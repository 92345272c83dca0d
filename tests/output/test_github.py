"""GitHub's workflow commands, read as its runner reads them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockerslim_lint.output.interface import FileResult
from dockerslim_lint.output.printable import printable
from tests.output.samples import ASKED, broken_bytes, everything, judged, rendered, unreadable

_COMMAND = re.compile(r"::(?P<name>[a-z]+) (?P<properties>.*?)::(?P<data>.*)")
"""A runner takes what stands between the first ``::`` and the next as the command with its properties."""
_ESCAPES = {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ","}


def unescaped(text: str, names: tuple[str, ...]) -> str:
    for name in names:
        text = text.replace(name, _ESCAPES[name])
    return text.replace("%25", "%")


def commands(*results: FileResult, verbose: bool = True) -> list[tuple[str, dict[str, str], str]]:
    found = []
    for line in rendered("github", results, ASKED._replace(infos=verbose)).splitlines():
        if line.startswith("::"):
            match = _COMMAND.fullmatch(line)
            assert match is not None
            pairs = [pair.partition("=") for pair in match["properties"].split(",")]
            properties = {name: unescaped(value, tuple(_ESCAPES)) for name, _, value in pairs}
            found.append((match["name"], properties, unescaped(match["data"], ("%0D", "%0A"))))
    return found


def test_a_finding_is_an_annotation_of_its_place() -> None:
    levels = [(name, properties["title"][:6]) for name, properties, _ in commands(judged())]
    assert levels == [("notice", "DSL501"), ("error", "DSL101"), ("warning", "DSL104")]
    _, properties, message = commands(judged())[1]
    assert properties == {
        "file": "svc/Docker file",
        "line": "6",
        "endLine": "6",
        "col": "6",
        "endColumn": "12",
        "title": "DSL101 gnu-on-fat-base",
    }
    assert message.splitlines()[:2] == ["x is fat: ${BASE}.", "fix (needs proof): static musl on {distroless}"]
    assert message.splitlines()[2].endswith("/docs/rules/DSL101.md")


def test_several_lines_and_percent_signs_survive() -> None:
    _, properties, message = commands(judged())[2]
    assert message.splitlines()[:3] == [
        "Two | lines,",
        "the [second](x) with `ticks` & <b>, 50%.",
        "no fix: made by `make`",
    ]
    # the newline that ends the instruction does not make it two lines long
    assert (properties["line"], properties["endLine"], properties["endColumn"]) == ("7", "7", "24")


def test_columns_are_left_out_where_there_are_several_lines() -> None:
    result = judged()
    assert result.report is not None
    fat = result.report.findings[1]
    long = fat._replace(span=fat.labels[0].span)
    (one,) = commands(result._replace(report=result.report._replace(findings=(long,))))
    assert (one[1]["line"], one[1]["endLine"]) == ("3", "4")
    assert not {"col", "endColumn"} & set(one[1])


def test_no_file_smuggles_in_a_command() -> None:
    text = rendered("github", (broken_bytes(),))
    first, *rest = text.splitlines()
    assert first.startswith("::error file=svc/caf\\xe9|%2C%3A%25.dockerfile,line=2,")
    assert "\x1b" not in text and all(not line.startswith("::") for line in rest)


def test_advice_is_shown_on_request() -> None:
    assert [name for name, _, _ in commands(judged(), verbose=False)] == ["error", "warning"]
    assert "1 info with --verbose" in rendered("github", (judged(),), ASKED._replace(infos=False))
    assert len(commands(judged()._replace(fail_on="info"), verbose=False)) == 3


def test_what_could_not_be_judged_is_an_error_once() -> None:
    problems = [one for one in commands(*everything()) if one[1]["title"] == "dockerslim-lint"]
    assert [(name, properties.get("file"), message) for name, properties, message in problems] == [
        ("error", "svc/gone", "gone: does not exist; check the path"),
        ("error", None, ".dockerslim.toml: unknown key"),
        ("error", "svc/ours", "ours: our bug; please report it: did not converge"),
    ]
    (one,) = commands(unreadable())
    assert one[1] == {"file": "x.dockerfile", "title": "DSL901 unparsable"}


def test_standard_input_has_no_file() -> None:
    (one,) = commands(unreadable()._replace(path="-"))
    assert "file" not in one[1]


@given(st.text(max_size=80), st.text(min_size=1, max_size=30).filter(lambda path: path != "-" and "/" not in path))
def test_any_text_comes_through(message: str, path: str) -> None:
    result = unreadable()
    assert result.report is not None
    finding = result.report.findings[0]._replace(message=message)
    ((_, properties, told),) = commands(result._replace(path=path, report=result.report._replace(findings=(finding,))))
    assert told.split("\n")[:-1] == [printable(line) for line in message.split("\n")]
    if path not in (".", ".."):
        assert properties["file"] == "\n".join(printable(line) for line in f"svc/{path}".split("\n"))


@pytest.mark.parametrize("fix", [True, False])
def test_the_log_ends_with_how_much_there_is(fix: bool) -> None:
    last = rendered("github", (judged(),), ASKED._replace(fix=fix)).splitlines()[-1]
    assert last.startswith("1 error, 1 warning, 1 info in 1 file. 1 suppressed.")
    assert last.endswith("1 fixed, 1 held back.") is fix
    assert rendered("github", (judged(),), ASKED._replace(quiet=True)).splitlines()[-1].startswith("::")


def test_nothing() -> None:
    assert rendered("github", ()) == ""

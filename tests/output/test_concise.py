"""The concise format at the edges."""

from __future__ import annotations

from tests.output.samples import ASKED, broken_bytes, everything, judged, rendered, unreadable


def test_a_message_of_several_lines_is_one_and_escapes_are_escaped() -> None:
    assert rendered("concise", (judged(), broken_bytes(), unreadable())).splitlines() == [
        "Docker file:3:5: DSL501 info Not locked.",
        "Docker file:6:6: DSL101 error x is fat: ${BASE}.",
        "Docker file:7:1: DSL104 warning Two | lines, the [second](x) with `ticks` & <b>, 50%.",
        "caf\\xe9|,:%.dockerfile:2:14: DSL902 error \\x1b[31m\\xff @me",
        "../x.dockerfile:1:1: DSL901 error is a directory, no Dockerfile",
        "3 errors, 1 warning, 1 info in 3 files. 1 suppressed.",
    ]


def test_advice_is_counted_where_it_is_not_shown() -> None:
    lines = rendered("concise", (judged(),), ASKED._replace(infos=False)).splitlines()
    assert [line.split()[2] for line in lines[:-1]] == ["DSL101", "DSL104"]
    assert lines[-1].endswith("1 info with --verbose.")


def test_nothing() -> None:
    assert rendered("concise", ()) == ""
    assert len(rendered("concise", everything(), ASKED._replace(quiet=True)).splitlines()) == 5

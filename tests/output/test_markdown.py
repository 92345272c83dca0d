"""The Markdown table, drawn as a reader of GitHub's Markdown draws it."""

from __future__ import annotations

import re
from html import unescape

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from dockerslim_lint.output.exits import Exit
from dockerslim_lint.output.interface import FileResult, ProofResult
from dockerslim_lint.output.markdown import ROWS
from dockerslim_lint.output.printable import printable
from tests.output.samples import ASKED, broken_bytes, everything, judged, rendered, unreadable

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def html(*results: FileResult, **asked: bool) -> str:
    return str(MARKDOWN.render(rendered("markdown", results, ASKED._replace(**asked))))  # type: ignore[arg-type]


def rows(page: str) -> list[list[str]]:
    return [
        [unescape(re.sub(r"<[^>]+>", "", cell)) for cell in re.findall(r"<td>(.*?)</td>", row, re.DOTALL)]
        for row in re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)
    ][1:]


def test_a_row_for_each_finding() -> None:
    page = html(judged())
    assert "<strong>dockerslim-lint</strong>: 1 error, 1 warning, 1 info in 1 file. 1 suppressed." in page
    info, fat, copy = rows(page)
    assert info[:3] == ["svc/Docker file:3", "DSL501 info", "Not locked."] and info[3] == "-"
    assert fat == [
        "svc/Docker file:6",
        "DSL101 error",
        "x is fat: ${BASE}.",
        "static musl on {distroless} (needs proof)",
    ]
    assert copy[2] == "Two | lines, the [second](x) with `ticks` & <b>, 50%."
    assert copy[3] == "none: made by `make`"


def test_text_of_a_file_is_no_markup() -> None:
    page = html(judged(), broken_bytes())
    assert "<b>" not in page and not re.search(r'href="x"', page)
    last = rows(page)[-1]
    assert last[0] == "svc/caf\\xe9|,:%.dockerfile:2"
    # a zero-width space, so that nobody is called
    assert last[2] == "\\x1b[31m\\xff @\u200bme"


@given(st.text(max_size=80))
def test_any_message_is_shown_as_it_is(message: str) -> None:
    result = judged()
    assert result.report is not None
    fat = result.report.findings[1]._replace(message=message)
    page = html(result._replace(report=result.report._replace(findings=(fat,))))
    ((_, _, told, _),) = rows(page)
    assert told.replace("@\u200b", "@") == printable(" ".join(message.split()))


@given(
    st.text(min_size=1, max_size=40).filter(
        lambda path: path.split() and "/" not in path and path not in ("-", ".", "..")
    )
)
def test_any_path_is_shown_as_it_is(path: str) -> None:
    ((where, *_), *_) = rows(html(judged()._replace(path=path)))
    assert where.strip() == printable(" ".join(f"svc/{path}:3".split()))


def test_backticks_in_a_path() -> None:
    assert rows(html(judged()._replace(path="a``b`")))[0][0].strip() == "svc/a``b`:3"


def test_advice_is_shown_on_request() -> None:
    assert len(rows(html(judged(), infos=False))) == 2
    assert "1 info with --verbose" in html(judged(), infos=False)


def test_what_could_not_be_judged_is_listed_once() -> None:
    page = html(*everything())
    assert re.findall(r"<li>(.*?)</li>", page) == [
        "<code>svc/gone</code>: does not exist; check the path",
        ".dockerslim.toml: unknown key",
        "<code>svc/ours</code>: our bug; please report it: did not converge",
    ]
    assert "4 not judged" in page
    assert rows(html(unreadable()))[0][:2] == ["x.dockerfile", "DSL901 error"]


def test_fixed_and_held_back_are_told() -> None:
    assert "1 fixed, 1 held back." in html(judged(), fix=True)


def test_the_graver_ones_are_shown_where_there_are_too_many() -> None:
    result = judged()
    assert result.report is not None
    info, fat, _ = result.report.findings
    many = result._replace(report=result.report._replace(findings=(*[info] * ROWS, fat, *[info] * 9)))
    page = html(many)
    shown = rows(page)
    assert len(shown) == ROWS and shown[-1][1] == "DSL101 error"
    assert "10 more are not shown." in page


def test_a_long_message_is_cut_and_a_full_table_fits_a_comment() -> None:
    result = judged()
    assert result.report is not None
    fat = result.report.findings[1]._replace(message="|" * 5000)
    many = result._replace(report=result.report._replace(findings=(fat,) * 200))
    assert len(rendered("markdown", (many,))) < 65_536
    assert rows(html(many))[0][2].endswith("…")


def test_statistics() -> None:
    page = html(judged(), statistics=True)
    assert ["1", "DSL101 gnu-on-fat-base", "error"] in rows(page)


def test_a_proof_is_told_as_on_a_terminal() -> None:
    lines = ("PROVEN  alpine", "  tried    distroless/static ✗ starts: ```` <b> | @me")
    page = html(broken_bytes()._replace(proof=ProofResult(Exit.CLEAN, lines)), unreadable())
    assert unescape(page).count("\n".join(lines)) == 1 and "<b>" not in page
    assert "<code" not in html(clean := judged()._replace(report=None)) and clean.proof is None


def test_nothing() -> None:
    assert rendered("markdown", ()) == "**dockerslim-lint**: nothing to report.\n"

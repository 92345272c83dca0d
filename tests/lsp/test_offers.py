"""What is offered for the fixtures: each fix and each suppression does what it says."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from lsprotocol import types

from dockerslim_lint import linter
from dockerslim_lint.config import Settings
from dockerslim_lint.edit import Edit, Safety, Withheld, apply
from dockerslim_lint.facts.build import read_build
from dockerslim_lint.finding import Finding, Severity
from dockerslim_lint.ignore_comments import ignore_edits
from dockerslim_lint.lsp.actions import CANDIDATES, Offers, line_edits, wanted
from dockerslim_lint.lsp.documents import Document
from dockerslim_lint.lsp.hover import hover
from dockerslim_lint.lsp.positions import Positions
from dockerslim_lint.source import UTF8_BOM, Source, Span
from dockerslim_lint.syntax.dockerfile import parse
from dockerslim_lint.syntax.tree import Dockerfile
from tests.golden.shapes import Shape, shapes

SHAPES = [pytest.param(shape, id=shape.name) for shape in shapes()]
VARIANTS: dict[str, Callable[[bytes], bytes]] = {
    "as written": lambda data: data,
    "CRLF": lambda data: data.replace(b"\n", b"\r\n"),
    "BOM": lambda data: UTF8_BOM + data,
    "no final newline": lambda data: data.rstrip(b"\n"),
}


def suppressing(finding: Finding, tree: Dockerfile, source: Source) -> Edit | None:
    """What the editor is offered for one finding."""
    return next(iter(ignore_edits(source, tree, (finding,), None)), None)


def edits_of(action: types.CodeAction, positions: Positions) -> list[Edit]:
    assert action.edit is not None and action.edit.changes is not None
    (edits,) = action.edit.changes.values()
    return [Edit(*positions.span(edit.range), edit.new_text) for edit in edits]


@pytest.mark.parametrize("unit", ["utf-8", "utf-16"])
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_quick_fix_is_the_fix(shape: Shape, variant: str, unit: str) -> None:
    source = Source(VARIANTS[variant](shape.dockerfile))
    report = linter.lint(source, shape.context(), Settings())
    positions = Positions(source, unit)
    offers = Offers(Document("file:///Dockerfile", "Dockerfile", True, 1, source), unit, versioned=False)
    for finding in report.findings:
        offered = offers.quick_fixes(report, positions.range(finding.span))
        results = [apply(source.data, edits_of(one, positions)) for one in offered]
        fixes = () if isinstance(finding.fixes, Withheld) else finding.fixes
        fixes = tuple(one for one in fixes if one.safety is not Safety.DISPLAY)
        for rank, one in enumerate(sorted(fixes, key=lambda one: one.safety)[:CANDIDATES]):
            at = results.index(apply(source.data, one.edits))
            assert bool(offered[at].is_preferred) is (rank == 0 and one.safety is Safety.SAFE)
            assert offered[at].title.startswith(one.title)
            assert offered[at].title.endswith(" (needs proof)") is (one.safety is Safety.PROVABLE)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_suppression_suppresses_that_finding_alone(shape: Shape, variant: str) -> None:
    source = Source(VARIANTS[variant](shape.dockerfile))
    report = linter.lint(source, shape.context(), Settings())
    for finding in report.findings:
        edit = suppressing(finding, parse(source), source)
        assert edit is not None
        after = linter.lint(Source(apply(source.data, [edit])), shape.context(), Settings())
        # a comment is about the whole instruction: another finding of the rule in it goes too
        whole = next(one.span for one in parse(source).instructions if finding.span.start < one.span.end)
        gone = [
            one for one in report.findings if one.code == finding.code and whole.start <= one.span.start < whole.end
        ]
        assert [one.code for one in after.suppressed] == [one.code for one in gone]
        assert [one.code for one in after.findings] == [one.code for one in report.findings if one not in gone]
        assert not after.notes


def test_a_second_suppression_joins_the_first() -> None:
    text = "FROM rust\n  # dockerslim: ignore=DSL502 ; reason=it is, DSL502 and all\n  FROM ubuntu\nRUN x\n"
    source = Source(text.encode())
    at = text.index("FROM ubuntu")
    finding = Finding("DSL101", "gnu-on-fat-base", Severity.ERROR, "fat", Span(at, at + 4))
    edit = suppressing(finding, parse(source), source)
    assert edit is not None
    assert "ignore=DSL502,DSL101 ; reason=it is, DSL502 and all\n" in apply(source.data, [edit]).decode()
    assert suppressing(finding._replace(span=Span(len(text), len(text))), parse(source), source) is None


def test_edits_in_whole_lines() -> None:
    before = Source(b"a\r\nb\r\nc\r\nd")
    for after in (b"a\r\nx\r\nc\r\nd", b"", b"a\r\nb\r\nc\r\nd\r\ne", b"n\r\n" + before.data, before.data):
        edits = line_edits(before, after)
        assert apply(before.data, edits) == after
    assert line_edits(before, b"a\r\nx\r\nc\r\nd") == [Edit(3, 6, "x\r\n")]
    assert line_edits(before, before.data) == []


def test_which_kinds_are_wanted() -> None:
    assert wanted("source.fixAll.dockerslim", None)
    assert wanted("source.fixAll.dockerslim", ["", "x"])
    assert wanted("source.fixAll.dockerslim", ["source.fixAll"])
    assert not wanted("source.fixAll.dockerslim", ["source.fix"])
    assert not wanted("source.fixAll.dockerslim", [])
    assert not wanted("quickfix", ["source"])


@pytest.mark.parametrize("markdown", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_there_is_something_under_every_from_copy_and_cargo_call(shape: Shape, markdown: bool) -> None:
    source = Source(shape.dockerfile)
    build = read_build(source, shape.context(), {})

    def under(offset: int) -> str:
        shown = hover((), build, offset, Positions(source), markdown=markdown)
        assert shown is not None and isinstance(shown.contents, types.MarkupContent)
        return shown.contents.value

    for stage in build.stages:
        text = under(build.instructions[stage.instruction].span.start)
        assert f"stage {stage.number}" in text
        if stage.image is not None and stage.parent is None:
            assert stage.image.libc in text
    for call, crate in zip(build.calls, build.crates, strict=True):
        text = under(call.command.span.start)
        if crate is not None and not call.bins:
            assert all(name in text for name in crate.binaries)
        assert ("`" in text) is markdown
    for warmup in build.warmups:
        if warmup.kind == "cook":
            assert "the dependencies" in under(warmup.command.span.start)
    for image in build.images:
        told = [under(build.instructions[one.instruction].span.start) for one in image.transfers]
        for path, _ in image.artifacts:
            assert sum(f"ships {path}:" in text.replace("`", "") for text in told) == (not image.single_stage)

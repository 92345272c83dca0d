"""What people write, from file to file: found, rewritten, read again.

``pytest tests/golden --update-golden`` writes the fixed files anew; facts.toml is written by hand, always.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dockerslim_lint import linter
from dockerslim_lint.candidates import find_candidates
from dockerslim_lint.config import Settings
from dockerslim_lint.edit import Safety, Withheld, apply
from dockerslim_lint.facts.build import read_build
from dockerslim_lint.facts.model import GNU_DYNAMIC, MUSL_STATIC
from dockerslim_lint.finding import Severity
from dockerslim_lint.source import UTF8_BOM, Source, Span
from dockerslim_lint.syntax.dockerfile import parse
from tests.golden.shapes import Shape, shapes

SHAPES = [pytest.param(shape, id=shape.name) for shape in shapes()]

VARIANTS: dict[str, Callable[[bytes], bytes]] = {
    "as written": lambda data: data,
    "CRLF": lambda data: data.replace(b"\n", b"\r\n"),
    "BOM": lambda data: UTF8_BOM + data,
    "no final newline": lambda data: data.rstrip(b"\n"),
}


def fix(shape: Shape, data: bytes, allow: Safety = Safety.PROVABLE) -> linter.Fixed:
    return linter.fix(Source(data), shape.context(), shape.settings(), allow)


@pytest.mark.parametrize("shape", SHAPES)
def test_findings(shape: Shape) -> None:
    source = Source(shape.dockerfile)
    report = linter.lint(source, shape.context(), shape.settings())
    found = [{"code": one.code, "line": source.line_of(one.span.start)} for one in report.findings]
    assert found == shape.expect["findings"]
    assert any(one.severity >= Severity.WARNING for one in report.findings) == bool(shape.expect["exit"])
    assert not report.notes


@pytest.mark.parametrize("name", [shape.name for shape in shapes() if shape.crossed is not None])
def test_rewrite_for_both_platforms(name: str) -> None:
    """Asked for both, the builder crosses where its crates let it; `test_proven` builds and runs it."""
    shape = next(one for one in shapes() if one.name == name)
    both = Settings(platforms=("linux/amd64", "linux/arm64"))
    fixed = linter.fix(Source(shape.dockerfile), shape.context(), both, Safety.PROVABLE)
    assert fixed.bug is None
    assert fixed.source.data == shape.crossed


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("shape", SHAPES)
def test_rewrite(shape: Shape, variant: str, request: pytest.FixtureRequest) -> None:
    change = VARIANTS[variant]
    fixed = fix(shape, change(shape.dockerfile))
    assert fixed.bug is None
    if (
        variant == "as written"
        and request.config.getoption("--update-golden", default=False)
        and shape.fixed is not None
    ):
        (shape.folder / "fixed.Dockerfile").write_bytes(fixed.source.data)
    assert fixed.source.data == change(shape.dockerfile if shape.fixed is None else shape.fixed)
    if shape.fixed is not None:
        *opening, applied = (one.fix for one in fixed.applied)
        assert all(one.repairs == "program" for one in opening)
        assert applied.choice == shape.expect["choice"]
        assert applied.safety.name.lower() == shape.expect["safety"]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("shape", SHAPES)
def test_second_run_is_clean_and_changes_nothing(shape: Shape, variant: str) -> None:
    once = fix(shape, VARIANTS[variant](shape.dockerfile))
    if shape.fixed is not None:
        assert not [one for one in once.report.findings if one.severity >= Severity.WARNING]
    twice = fix(shape, once.source.data)
    assert twice.source.data == once.source.data
    assert not twice.applied


@pytest.mark.parametrize("shape", [pytest.param(shape, id=shape.name) for shape in shapes() if shape.fixed is not None])
def test_bytes_outside_of_the_edits_stay(shape: Shape) -> None:
    source = Source(shape.dockerfile)
    found = linter.lint(source, shape.context(), shape.settings()).findings
    offered = [one for finding in found if not isinstance(finding.fixes, Withheld) for one in finding.fixes]
    assert offered
    for one in offered:
        after = apply(source.data, one.edits)
        kept = b"".join(
            source.data[start:end]
            for start, end in zip(
                (0, *(edit.end for edit in sorted(one.edits))),
                (*(edit.start for edit in sorted(one.edits)), len(source.data)),
                strict=True,
            )
        )
        inserted = sum(len(edit.text.encode()) for edit in one.edits)
        assert len(after) == len(kept) + inserted


@pytest.mark.parametrize("shape", [pytest.param(shape, id=shape.name) for shape in shapes() if shape.facts is not None])
def test_facts_of_the_fixed_file(shape: Shape) -> None:
    """The fixed file is read again, and compared with facts that a person wrote down."""
    assert shape.facts is not None
    source = Source(shape.fixed or shape.dockerfile)
    build = read_build(source, shape.context(), {})
    for image, facts in zip(build.images, shape.facts.get("image", [shape.facts]), strict=True):
        expected = facts["artifact"]
        assert [path for path, _ in image.artifacts] == (expected if isinstance(expected, list) else [expected])
        for _, artifact in image.artifacts:
            assert artifact.link == facts["link"]
            assert artifact.stripped == facts["stripped"]
        assert build.stages[image.stage].base_reference == facts["base"]
        assert (image.user if image.user != "0" else "") == facts["user"]
        for key, index in (("entrypoint", image.launch.entrypoint), ("cmd", image.launch.cmd)):
            strings = build.instructions[index].json if index is not None else None
            assert [string.text for string in strings or ()] == facts.get(key, [])


@pytest.mark.parametrize("shape", SHAPES)
def test_safe_fixes_alone_never_change_libc_base_or_user(shape: Shape) -> None:
    fixed = fix(shape, shape.dockerfile, Safety.SAFE)
    before, after = (
        read_build(Source(shape.dockerfile), shape.context(), {}),
        read_build(fixed.source, shape.context(), {}),
    )
    assert [stage.base_reference for stage in before.stages] == [stage.base_reference for stage in after.stages]
    assert [image.user for image in before.images] == [image.user for image in after.images]
    assert [call.target.pattern for call in before.calls] == [call.target.pattern for call in after.calls]


def test_held_back_says_why() -> None:
    shape = next(one for one in shapes() if one.name.startswith("08"))
    (held,) = fix(shape, shape.dockerfile).held
    assert shape.expect["withheld"] in held.reason
    assert "line 5" in held.reason


def test_candidates_of_the_classic() -> None:
    shape = next(one for one in shapes() if one.name.startswith("01-"))
    found = find_candidates(Source(shape.dockerfile), shape.context(), shape.settings())
    assert [one.fix.choice for one in found] == ["distroless/static", "alpine", "distroless/cc", "debian-slim"]
    assert found[0].source.data == shape.fixed
    assert (found[0].before_base, found[0].after_base) == ("ubuntu:22.04", "gcr.io/distroless/static-debian13")
    for one in found:
        build = read_build(one.source, shape.context(), {})
        link = GNU_DYNAMIC if one.fix.choice in ("distroless/cc", "debian-slim") else MUSL_STATIC
        assert all(artifact.link == link for image in build.images for _, artifact in image.artifacts)


def test_what_is_safe_is_proven_too() -> None:
    shape = next(one for one in shapes() if one.name.startswith("89"))
    (only,) = find_candidates(Source(shape.dockerfile), shape.context(), shape.settings())
    assert only.source.data == shape.fixed
    assert [one.fix.safety for one in only.applied] == [Safety.SAFE]
    assert only.fix.claim is not None and only.fix.claim.binaries == ("/echo-upper",)
    assert find_candidates(only.source, shape.context(), shape.settings()) == ()


def test_prefer_decides_the_order() -> None:
    shape = next(one for one in shapes() if one.name.startswith("01-"))
    found = find_candidates(Source(shape.dockerfile), shape.context(), Settings(prefer=("alpine",)))
    assert [one.fix.choice for one in found] == ["alpine", "distroless/static", "distroless/cc", "debian-slim"]


def test_spans_of_the_fixed_file_add_up() -> None:
    for shape in shapes():
        source = fix(shape, shape.dockerfile).source
        at = 0
        for node in parse(source).nodes:
            assert node.span == Span(at, node.span.end)
            at = node.span.end
        assert at == len(source.data)

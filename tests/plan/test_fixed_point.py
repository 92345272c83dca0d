"""One pass is enough: what lint names is what is written, and there is nothing more to do then."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockerslim_lint import linter
from dockerslim_lint.candidates import find_candidates
from dockerslim_lint.config import Settings
from dockerslim_lint.context import BuildContext, MemoryContext
from dockerslim_lint.edit import Edit, Fix, Safety, Withheld, apply
from dockerslim_lint.plan.onward import combined
from dockerslim_lint.plan.tasks import CHOICES, ON_REQUEST
from dockerslim_lint.source import Source
from tests.facts.reading import CRATE
from tests.golden.shapes import Shape, shapes

PREFERENCES = [(), *((name,) for name in (*CHOICES, *ON_REQUEST))]

CONTEXT = MemoryContext({path: body.encode() for path, body in CRATE.items()})

ACCOUNTS = ["", "RUN useradd -r app", "RUN useradd -m -u 1000 app", "RUN groupadd -r app && useradd -r -g app app"]

PLACES = ["", " && mkdir -p /data && chown app /data"]

STARTS = [
    'CMD ["/app/target/release/app"]',
    "CMD /app/target/release/app",
    'ENTRYPOINT ["tini", "--", "/app/target/release/app"]',
    'ENTRYPOINT ["/usr/bin/tini", "--", "/app/target/release/app"]\nCMD ["--port", "1"]',
]

INSTALLS = ["", "RUN apt-get update && apt-get install -y tini", "RUN apt-get update && apt-get install -y tini curl"]


def single(base: str, account: str, place: str, start: str, install: str, cargo: str = "cargo build --release") -> str:
    user = "USER app" if account else ""
    run = account + place if account else ""
    lines = [f"FROM {base}", "WORKDIR /app", install, "COPY . .", f"RUN {cargo}", run, user, start]
    return "".join(f"{line}\n" for line in lines if line)


def slim_named(data: bytes, context: BuildContext, wanted: Settings) -> dict[str, Fix]:
    """The preferred fix of each slim decision, as a user of lint reads it."""
    report = linter.lint(Source(data), context, wanted, alternatives=False)
    return {
        fix.key: fix
        for finding in reversed(report.findings)
        if not isinstance(finding.fixes, Withheld)
        for fix in reversed(finding.fixes)
        if fix.key.startswith("slim:")
    }


def check(data: bytes, context: BuildContext, wanted: Settings) -> linter.Fixed:
    named = slim_named(data, context, wanted)
    once = linter.fix(Source(data), context, wanted, Safety.PROVABLE)
    assert once.bug is None
    decisions = [one.fix for one in once.applied if one.fix.key.startswith("slim:")]
    assert len({fix.key for fix in decisions}) == len(decisions)
    assert all(named[fix.key].title == fix.title for fix in decisions if fix.key in named)
    again = linter.fix(once.source, context, wanted, Safety.PROVABLE)
    assert again.source.data == once.source.data
    assert not again.applied
    return once


@pytest.mark.parametrize("prefer", PREFERENCES, ids="+".join)
@pytest.mark.parametrize("shape", [pytest.param(shape, id=shape.name) for shape in shapes()])
def test_shapes(shape: Shape, prefer: tuple[str, ...]) -> None:
    check(shape.dockerfile, shape.context(), shape.settings()._replace(prefer=prefer))


@pytest.mark.parametrize("prefer", PREFERENCES, ids="+".join)
@settings(max_examples=12, deadline=None)
@given(
    base=st.sampled_from(["rust:1-bookworm", "rust:1.85-slim-bookworm", "rust:1"]),
    account=st.sampled_from(ACCOUNTS),
    place=st.sampled_from(PLACES),
    start=st.sampled_from(STARTS),
    install=st.sampled_from(INSTALLS),
)
def test_single_stages(prefer: tuple[str, ...], base: str, account: str, place: str, start: str, install: str) -> None:
    check(single(base, account, place, start, install).encode(), CONTEXT, Settings(prefer=prefer))


@pytest.mark.parametrize(("account", "choice"), [(ACCOUNTS[1], "distroless/static"), (ACCOUNTS[2], "alpine")])
def test_what_lint_names(account: str, choice: str) -> None:
    data = single("rust:1-bookworm", account, "", STARTS[0], "").encode()
    (named,) = slim_named(data, CONTEXT, Settings()).values()
    assert named.choice == choice
    assert named.title.startswith("static musl build on ")


def test_what_verify_tries() -> None:
    """Its first candidate leaves nothing for a later run, and debian slim stands behind."""
    data = single("rust:1-bookworm", ACCOUNTS[2], "", STARTS[2], INSTALLS[1]).encode()
    found = find_candidates(Source(data), CONTEXT, Settings())
    assert b"FROM alpine" in found[0].source.data
    assert any(b"FROM debian" in one.source.data for one in found[1:])
    ((claim,),) = (one.fix.images for one in found[0].applied if one.fix.key.startswith("slim:"))
    assert (claim.old_base, claim.new_base.partition(":")[0]) == ("rust:1-bookworm", "alpine")
    assert claim.old_programs == ("/app/target/release/app",)
    assert linter.fix(found[0].source, CONTEXT, Settings(), Safety.PROVABLE).applied == ()


def test_a_base_that_was_asked_for_stays() -> None:
    data = single("rust:1-bookworm", ACCOUNTS[2], "", STARTS[0], "").encode()
    after = check(data, CONTEXT, Settings(prefer=("debian-slim",))).source.data
    assert b"FROM debian:" in after


def test_a_digest_is_still_spoken_of() -> None:
    data = single(f"rust:1-bookworm@sha256:{'a' * 64}", ACCOUNTS[2], "", STARTS[0], "").encode()
    (named,) = slim_named(data, CONTEXT, Settings()).values()
    assert named.choice == "alpine"
    assert "alpine:3.24 is not pinned by digest, as the base was" in named.cost


def edits_of(size: int) -> st.SearchStrategy[list[Edit]]:
    """Edits of `size` bytes that do not overlap."""
    cuts = st.lists(st.integers(0, size), max_size=6).map(sorted)
    texts = st.lists(st.sampled_from(["", "x", "é", "yy\n"]), min_size=3, max_size=3)
    return st.tuples(cuts, texts).map(
        lambda drawn: [
            Edit(start, end, text)
            for (start, end), text in zip(zip(*[iter(drawn[0])] * 2, strict=False), drawn[1], strict=False)
        ]
    )


@given(data=st.binary(max_size=12).map(lambda raw: bytes(one % 26 + 97 for one in raw)), drawn=st.data())
def test_two_steps_as_one(data: bytes, drawn: st.DataObject) -> None:
    first = drawn.draw(edits_of(len(data)))
    middle = apply(data, first)
    second = [
        edit
        for edit in drawn.draw(edits_of(len(middle)))
        # edits are at the bounds of characters
        if all(at == len(middle) or middle[at] & 0xC0 != 0x80 for at in (edit.start, edit.end))
    ]
    assert apply(data, combined(data, first, second)) == apply(middle, second)

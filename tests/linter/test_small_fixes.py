"""What rules mend beside the slim decision: in which order it is made, and what is tried together."""

from __future__ import annotations

from dockerslim_lint import linter
from dockerslim_lint.candidates import Candidate, find_candidates
from dockerslim_lint.config import Settings
from dockerslim_lint.context import MemoryContext, NoContext
from dockerslim_lint.edit import Safety
from dockerslim_lint.source import Source

DEBUG = """\
FROM rust:1-alpine AS builder
WORKDIR /app
COPY . .
RUN cargo build
FROM gcr.io/distroless/static-debian13
COPY --from=builder /app/target/debug /opt/
CMD ["/opt/app"]
"""

SLIM = """\
FROM rust:1 AS builder
WORKDIR /app
COPY . .
RUN cargo build
FROM ubuntu:22.04
COPY --from=builder /app/target/debug/app /app
CMD ["/app"]
"""

LOST = """\
FROM rust:1 AS builder
WORKDIR /app
COPY . .
RUN --mount=type=cache,target=/app/target cargo build --release
FROM ubuntu:22.04
COPY --from=builder /app/target/release/app /usr/local/bin/app
CMD ["app"]
"""

CRATE = MemoryContext(
    {
        "Cargo.toml": b'[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n[profile.release]\nstrip = true\n',
        "src/main.rs": b"fn main() {}\n",
    }
)

ONLY = MemoryContext(
    {
        "Cargo.toml": b'[package]\nname = "app"\nversion = "0.1.0"\nautobins = false\n[[bin]]\nname = "an-other"\npath = "a.rs"\n',
        "Cargo.lock": b"version = 4\n",
        "a.rs": b"fn main() {}\n",
    }
)

PLAIN = MemoryContext({"Cargo.toml": b'[package]\nname = "app"\nversion = "0.1.0"\n', "src/main.rs": b"fn main() {}\n"})


def candidates(text: str) -> list[Candidate]:
    return list(find_candidates(Source(text.encode()), CRATE, Settings(ignore=("DSL201",))))


def test_all_together_then_each_alone() -> None:
    found = candidates(DEBUG)
    assert [one.codes for one in found] == [("DSL204", "DSL203"), ("DSL204",), ("DSL203",)]
    assert [one.fix.claim is not None and one.fix.claim.smaller for one in found] == [True] * 3
    both = DEBUG.replace("cargo build", "cargo build --release").replace("debug /opt/", "release/app /opt/app")
    assert found[0].source.data.decode() == both
    assert found[1].source.data.decode() == both.replace("release/app /opt/app", "release /opt/")
    assert found[2].source.data.decode() == both.replace("release/app", "debug/app").replace(" --release", "")


def test_the_first_choice_with_and_without_them() -> None:
    found = candidates(SLIM)
    first, second, *others = found
    assert first.fix.choice == second.fix.choice == "distroless/static"
    assert {"DSL101", "DSL204"} <= set(first.codes)
    assert "DSL204" not in second.codes
    assert b"--release" in first.source.data
    assert b"--release" not in second.source.data
    assert first.fix.claim is not None
    assert second.fix.claim is not None
    assert first.fix.claim.smaller
    assert first.fix.claim.binaries == second.fix.claim.binaries == ("/app",)
    assert first.fix.config_changes == second.fix.config_changes == ()
    assert all(one.fix.choice != "distroless/static" for one in others)


def test_what_was_lost_is_slimmed_when_it_is_found() -> None:
    fixed = linter.fix(Source(LOST.encode()), NoContext(), Settings(), Safety.PROVABLE)
    assert fixed.bug is None
    assert [one.codes[0] for one in fixed.applied][:2] == ["DSL301", "DSL101"]
    assert fixed.applied[0].fix.repairs == "build"
    assert not fixed.report.findings


def test_nothing_of_it_is_safe() -> None:
    for text in (DEBUG, SLIM, LOST):
        fixed = linter.fix(Source(text.encode()), NoContext(), Settings(), Safety.SAFE)
        assert fixed.source.data == text.encode()
        assert fixed.held
        assert all(one.reason for one in fixed.held)


def test_why_an_unbuildable_file_waits() -> None:
    held = linter.fix(Source(LOST.encode()), NoContext(), Settings(), Safety.SAFE).held
    assert [one.reason for one in held if "DSL301" in one.codes] == ["not proven: as it is, the file cannot be built"]


def test_a_program_that_nothing_starts_is_mended_first() -> None:
    """What starts must be the program before its base can be chosen; the next run then slims it."""
    text = (
        SLIM.replace("cargo build", "cargo build --release")
        .replace("debug/app /app", "release/app /")
        .replace('"/app"', '"app"')
    )
    (start,) = candidates(text)
    assert start.codes == ("DSL405",)
    assert [change.field for change in start.fix.config_changes] == ["Cmd"]
    assert find_candidates(start.source, CRATE, Settings())[0].fix.choice == "distroless/static"


def test_lines_in_reasons_are_those_of_the_file_that_is_there() -> None:
    text = """\
FROM rust:1-bookworm AS builder
ENV CARGO_INCREMENTAL=0
WORKDIR /app
COPY . .
RUN cargo build --release
FROM ubuntu:22.04
RUN ./setup.sh
COPY --from=builder /app/target/release/app /usr/local/bin/app
CMD ["app"]
"""
    fixed = linter.fix(Source(text.encode()), PLAIN, Settings(select=("DSL101", "DSL201")), Safety.PROVABLE)
    assert fixed.source.data.count(b"\n") == text.count("\n") + 1
    assert ["setup.sh (line 8)" in one.reason for one in fixed.held] == [True]
    assert ["setup.sh (line 7)" in one.reason for one in fixed.unwritten] == [True]


def test_the_steps_at_which_the_file_cannot_be_built() -> None:
    absent = DEBUG.replace("cargo build", "cargo build \\\n  --release").replace(
        "target/debug", "target/release/an_other"
    )
    mixed = LOST.replace("RUN --mount", "RUN cargo fetch\nRUN --mount")
    for text, steps in ((DEBUG, ()), (SLIM, ()), (LOST, (4, 6)), (mixed, (5, 7)), (absent, (7,))):
        found = find_candidates(Source(text.encode()), ONLY if text == absent else PLAIN, Settings())
        assert found[0].repaired == steps, text
        assert all(one.repaired == () for one in found if {"DSL301", "DSL308"}.isdisjoint(one.codes))

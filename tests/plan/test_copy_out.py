"""The copy out of a cache mount stands where it runs if and only if the build was good."""

from __future__ import annotations

import pytest

from dockerslim_lint import linter
from dockerslim_lint.config import Settings
from dockerslim_lint.context import NoContext
from dockerslim_lint.edit import Safety
from dockerslim_lint.source import Source

FILE = """\
FROM rust:1-bookworm AS builder
WORKDIR /app
COPY . .
RUN --mount=type=cache,target=/app/target {build}
FROM gcr.io/distroless/cc-debian13
COPY --from=builder /app/target/release/app /app
CMD ["/app"]
"""
COPY = "cp target/release/app /usr/local/bin/app"


def fixed(build: str) -> linter.Fixed:
    source = Source(FILE.format(build=build).encode())
    return linter.fix(source, NoContext(), Settings(select=("DSL301",)), Safety.PROVABLE)


@pytest.mark.parametrize(
    ("build", "after"),
    [
        ("cargo build --release", f"cargo build --release && {COPY}"),
        ("cargo build --release && echo ok", f"cargo build --release && {COPY} && echo ok"),
        ("cargo build \\\n  --release \\\n  && echo ok", f"cargo build \\\n  --release && {COPY} \\\n  && echo ok"),
        ("set -e; cargo build --release; echo ok", f"set -e; cargo build --release; {COPY}; echo ok"),
        (
            "<<EOF\nset -e\ncargo build --release\necho ok\nEOF",
            f"<<EOF\nset -e\ncargo build --release; {COPY}\necho ok\nEOF",
        ),
        ("cd . && cargo build --release", f"cd . && cargo build --release && {COPY}"),
    ],
)
def test_place(build: str, after: str) -> None:
    result = fixed(build)
    assert result.source.data.decode() == FILE.format(build=after).replace(
        "/app/target/release/app", "/usr/local/bin/app"
    )


@pytest.mark.parametrize(
    "build",
    [
        "cargo build --release || exit 1",
        "cargo build --release 2>&1 | tee log",
        "cargo build --release > log",
        "(cargo build --release)",
        "cargo build --release & wait",
        '["cargo", "build", "--release"]',
    ],
)
def test_no_place(build: str) -> None:
    result = fixed(build)
    assert not result.applied
    assert result.bug is None
    assert [held.codes for held in result.held] == [("DSL301",)]
    assert result.held[0].reason


def test_every_word_that_asks_for_it() -> None:
    text = FILE.format(build="cargo build --release").replace("FROM gcr", "RUN strip target/release/app\nFROM gcr")
    result = linter.fix(Source(text.encode()), NoContext(), Settings(select=("DSL301",)), Safety.PROVABLE)
    assert b"RUN strip /usr/local/bin/app\n" in result.source.data
    assert b"COPY --from=builder /usr/local/bin/app /app\n" in result.source.data
    (applied,) = result.applied
    assert applied.codes == ("DSL301",)

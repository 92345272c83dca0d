"""Comments beside FROM and cargo: a decision stands, a remark on matching releases does not stop a static program."""

from __future__ import annotations

import pytest

from dockerslim_lint import linter
from dockerslim_lint.config import Settings
from dockerslim_lint.context import NoContext
from dockerslim_lint.edit import Withheld
from dockerslim_lint.source import Source

FILE = """\
FROM rust:1-bookworm AS builder
WORKDIR /app
COPY . .
RUN cargo build --release
# {comment}
FROM debian:bookworm-slim
COPY --from=builder /app/target/release/app /usr/local/bin/app
CMD ["app"]
"""


def choice(comment: str) -> str:
    source = Source(FILE.format(comment=comment).encode())
    (finding,) = linter.lint(source, NoContext(), Settings(select=("DSL101",))).findings
    return "" if isinstance(finding.fixes, Withheld) else finding.fixes[0].choice


@pytest.mark.parametrize(
    "comment",
    [
        "same debian release as builder so glibc matches",
        "in sync with the builder, for glibc",
        "match the builder's glibc",
    ],
)
def test_matching_releases_are_moot(comment: str) -> None:
    assert choice(comment) == "distroless/static"


@pytest.mark.parametrize(
    "comment",
    [
        "not alpine: glibc has to match",
        "glibc must match, the plugin is loaded at run time",
        "needs glibc",
        "glibc because musl's allocator does not match our load",
        "only glibc matches the vendor's library",
    ],
)
def test_a_decision_stands(comment: str) -> None:
    assert choice(comment) != "distroless/static"

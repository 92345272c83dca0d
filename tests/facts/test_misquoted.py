"""Exec forms that are no JSON: where they matter, and what they stand for."""

from __future__ import annotations

import pytest

from tests.facts.reading import read

TEXT = """\
FROM rust:1-alpine AS unused
RUN ['a', 'b']
FROM rust:1-alpine AS builder
WORKDIR /app
COPY . .
RUN cargo build --release
FROM alpine:3.24 AS base
RUN {base}
FROM base
COPY --from=builder /app/target/release/app /app
CMD ['replaced']
{last}
"""


def found(last: str, base: str = "true") -> list[tuple[str, tuple[str, ...] | None]]:
    return [(one.role, one.items) for one in read(TEXT.format(last=last, base=base)).misquoted]


@pytest.mark.parametrize(
    ("written", "items"),
    [
        ("['/app', '-x']", ("/app", "-x")),
        ("['/app','-x',]", ("/app", "-x")),
        ("[\"/app\", '-x']", ("/app", "-x")),
        ("[/app, --port, 80]", ("/app", "--port", "80")),
        ("['/app', 'a b']", ("/app", "a b")),
        ("[“/app”, ‘-x’]", ("/app", "-x")),
        (r'["/app", "a\"b",]', ("/app", 'a"b')),
        (r'["/app", "\q",]', None),
        ("['/app' '-x']", None),
        ("['/app', '-x'", None),
        ("['/app', '-x'] && true", None),
        ("['/app', 'it''s']", None),
    ],
)
def test_what_is_meant(written: str, items: tuple[str, ...] | None) -> None:
    assert found(f"CMD {written}") == [("launch", items)]


@pytest.mark.parametrize(
    "written",
    ["[ -x /app ]", "[ -x /app ] && /app", "[[ -x /app ]] && /app", "[ 'a' = 'b' ] || /app", '["/app"]', "[]", "["],
)
def test_what_is_meant_as_it_is(written: str) -> None:
    assert found(f"CMD {written}") == []


def test_only_what_matters_counts() -> None:
    assert found('ENTRYPOINT ["/app"]') == [("arguments", ("replaced",))]
    assert found("ENTRYPOINT /app") == []
    assert found("ENTRYPOINT ['/app']") == [("arguments", ("replaced",)), ("launch", ("/app",))]
    assert found('CMD ["/app"]', "['make']") == [("run", ("make",))]
    assert found('CMD ["/app"]', "[ 'make', 'all' ]") == [("run", ("make", "all"))]
    assert found('CMD ["/app"]', "[ 'make' ]") == []
    assert found('HEALTHCHECK NONE\nCMD ["/app"]') == []
    assert found("HEALTHCHECK CMD ['/app']\nCMD [\"/app\"]") == [("health", ("/app",))]

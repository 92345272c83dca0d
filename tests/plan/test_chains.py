"""Final stages that are built on another stage of the file, and several of them."""

from __future__ import annotations

import pytest

from tests.facts.reading import CRATE
from tests.plan.test_start import rewritten
from tests.plan.test_withheld import fix, reason

BASE = """\
FROM debian:bookworm-slim AS base
RUN apt-get update && apt-get install -y ca-certificates && rm -rf /var/lib/apt/lists/*
ENV RUST_LOG=info
FROM rust:1 AS builder
WORKDIR /app
COPY . .
RUN cargo build --release
FROM base AS runtime
COPY --from=builder /app/target/release/app /usr/local/bin/app
CMD ["app"]
"""

TWO = f"""\
{BASE}FROM base AS worker
COPY --from=builder /app/target/release/app /usr/local/bin/app
CMD ["app", "work"]
"""

STATIC = "FROM gcr.io/distroless/static-debian13"


def test_the_stage_below_is_the_final_ones_own() -> None:
    assert f"{STATIC} AS base\nENV RUST_LOG=info\nFROM rust" in rewritten(BASE)[1]
    user = BASE.replace("-y ca-certificates", "-y ca-certificates curl && useradd -u 1000 app").replace(
        "CMD", "USER app\nCMD"
    )
    choice, after = rewritten(user)
    assert choice == "alpine"
    assert "FROM alpine:3.24 AS base\nRUN apk add --no-cache curl && adduser -D -H -u 1000 app\nENV" in after
    number = BASE.replace("-y ca-certificates", "-y ca-certificates && useradd -u 1000 app").replace(
        "ENV", "USER app\nENV"
    )
    assert f"{STATIC} AS base\nUSER 1000:1000\nENV" in rewritten(number)[1]


def test_several_finals_on_one_stage() -> None:
    after = rewritten(TWO)[1]
    assert after.count(STATIC) == 1
    assert after.count("FROM base AS") == 2
    assert after.count("*-linux-musl") == 2
    shell = TWO.replace('"app", "work"', '"bash", "-c", "app work"')
    assert "FROM alpine:3.24 AS base\nRUN apk add --no-cache bash\nENV" in rewritten(shell)[1]


def test_finals_of_two_calls_on_one_stage_are_one_decision() -> None:
    other = TWO.replace("FROM base AS worker\nCOPY --from=builder", "FROM base AS worker\nCOPY --from=other").replace(
        "FROM base AS runtime",
        "FROM rust:1 AS other\nWORKDIR /app\nCOPY . .\nRUN cargo build --release\nFROM base AS runtime",
    )
    after = rewritten(other)[1]
    assert after.count(STATIC) == 1
    assert after.count("--target") == 2


@pytest.mark.parametrize(
    "user",
    [
        "FROM base AS tools\nRUN make\nFROM rust:1 AS builder\nCOPY --from=tools /x /x",
        "FROM rust:1 AS builder\nCOPY --from=base /etc/ssl /x",
        "FROM rust:1 AS builder\nRUN --mount=type=bind,from=base,target=/x ls /x",
    ],
)
def test_a_stage_that_others_use_stays(user: str) -> None:
    after = rewritten(BASE.replace("FROM rust:1 AS builder", user))[1]
    assert after.startswith("FROM debian:bookworm-slim AS base\nRUN apt-get")
    assert f"{STATIC} AS runtime\nENV RUST_LOG=info\nCOPY" in after


TOOLCHAIN = """\
FROM rust:1 AS base
WORKDIR /app
RUN apt-get update && apt-get install -y ca-certificates
FROM base AS builder
COPY . .
RUN cargo build --release
FROM base
COPY --from=builder /app/target/release/app /usr/local/bin/app
CMD ["app"]
"""


def test_a_toolchain_below_builder_and_final() -> None:
    after = rewritten(TOOLCHAIN)[1]
    assert after.startswith(TOOLCHAIN[:40])
    assert f"{STATIC}\nWORKDIR /app\nCOPY --from" in after


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("WORKDIR /app\n", "WORKDIR /app\nUSER x\n", "needs its USER (line 3)"),
        ("WORKDIR /app\n", "WORKDIR /app\nCOPY a /b\n", "needs its COPY (line 3)"),
        ("-y ca-certificates", "-y ffmpeg", "the final stage installs ffmpeg (line 3)"),
        ("-y ca-certificates", "-y ca-certificates && useradd x", "needs its user"),
        ("RUN apt-get update", "RUN mkdir /data && apt-get update", "runs mkdir (line 3)"),
    ],
)
def test_what_the_image_would_lose_with_the_stage(old: str, new: str, said: str) -> None:
    assert said in reason(TOOLCHAIN.replace(old, new, 1))


def test_windows_line_ends() -> None:
    fixed = fix(TOOLCHAIN.replace("\n", "\r\n"), CRATE)
    assert fixed.bug is None
    assert fixed.source.data.decode().replace("\r\n", "\n") == rewritten(TOOLCHAIN)[1]
    assert fixed.source.data.count(b"\n") == fixed.source.data.count(b"\r\n")

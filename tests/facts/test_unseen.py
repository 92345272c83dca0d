"""What only a changed file shows of what the old one had."""

from __future__ import annotations

import pytest

from dockerslim_lint.facts.unseen import unseen
from tests.facts.reading import CRATE, read
from tests.plan.test_withheld import fix

BUILDER = "FROM rust:1.85 AS builder\nWORKDIR /app\nCOPY . .\nRUN cargo build --release\n"
COPY = "COPY --from=builder /app/target/release/app /usr/local/bin/\n"
DIGEST = "debian@sha256:" + "0" * 64
CURL = "HEALTHCHECK CMD curl -f http://localhost/ || exit 1\n"
CMD = 'CMD ["app"]\n'
TOOLS = "RUN apt-get update && apt-get install -y build-essential\n"


def shown(before: str, after: str) -> tuple[int, int]:
    """How many programs and users are lacking, and how many bases are known, only in the second final stage."""
    found = unseen(read(BUILDER + before, CRATE), read(BUILDER + after, CRATE))
    return len(found.lacking), len(found.bases)


@pytest.mark.parametrize(
    ("before", "after", "lacking", "bases"),
    [
        (f"FROM {DIGEST}\n{COPY}{CURL}{CMD}", f"FROM debian:12-slim\n{COPY}{CURL}{CMD}", 1, 1),
        (f"FROM debian:12-slim\n{TOOLS}{COPY}{CURL}{CMD}", f"FROM debian:12-slim\n{COPY}{CURL}{CMD}", 1, 0),
        (f"FROM {DIGEST}\n{COPY}USER x\n{CMD}", f"FROM debian:12-slim\n{COPY}USER x\n{CMD}", 1, 1),
        (f"FROM {DIGEST}\n{COPY}USER x\n{CMD}", f"FROM debian:12-slim\n{COPY}USER y\n{CMD}", 0, 1),
        (f"FROM debian:12-slim\n{COPY}{CURL}{CMD}", f"FROM debian:12-slim\n{COPY}{CURL}{CMD}", 0, 0),
        (f"FROM rust:1.85\n{COPY}{CURL}{CMD}", f"FROM rust:1.85\n{COPY}{CURL}{CMD}", 0, 0),
        (
            f"FROM debian:12-slim\nRUN apt-get install -y curl\n{COPY}{CURL}{CMD}",
            f"FROM debian:12-slim\n{COPY}{CURL}{CMD}",
            0,
            0,
        ),
        # a glibc program does not start there: of its base's size nothing was said
        (f"FROM alpine:3.24\n{COPY}{CMD}", f"FROM alpine:3.24\n{COPY}{CURL}{CMD}", 0, 1),
        (f"FROM gcr.io/distroless/cc\n{COPY}{CMD}", f"FROM gcr.io/distroless/cc\n{COPY}{CURL}{CMD}", 0, 0),
        (f"FROM debian:12-slim\nRUN useradd x\n{COPY}USER x\n{CMD}", f"FROM debian:12-slim\n{COPY}USER x\n{CMD}", 0, 0),
        (
            f'FROM {DIGEST}\n{COPY}RUN x tini\nENTRYPOINT ["tini"]\n',
            f'FROM alpine:3.24\n{COPY}ENTRYPOINT ["tini"]\n',
            0,
            1,
        ),
        (f"FROM {DIGEST}\n{COPY}RUN x add y\nUSER y\n{CMD}", f"FROM alpine:3.24\n{COPY}USER y\n{CMD}", 0, 1),
        (f"FROM {DIGEST}\n{COPY}{CMD}", f"FROM debian:12-slim\n{COPY}{CMD}", 0, 1),
        (f"FROM {DIGEST}\n{COPY}{CURL}{CMD}", "FROM debian:12-slim\n", 0, 0),
    ],
)
def test_what_could_not_be_seen(before: str, after: str, lacking: int, bases: int) -> None:
    assert shown(before, after) == (lacking, bases)


@pytest.mark.parametrize("base", [DIGEST, "debian:unheard-of", "debian:bookworm-slim", "ubuntu:22.04"])
@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (COPY + 'ENTRYPOINT ["tini", "--", "app"]\n', "DSL404"),
        (COPY + "USER nosuch\n" + CMD, "DSL406"),
        (COPY.replace("/usr/local/bin/", "/opt/") + 'CMD ["/app"]\n', "DSL405"),
    ],
)
def test_a_fix_that_shows_a_defect_is_none_that_brings_it(base: str, lines: str, code: str) -> None:
    fixed = fix(f"{BUILDER}FROM {base}\n{lines}", {**CRATE, "Cargo.lock": "version = 4\n"})
    assert fixed.bug is None
    assert code in [one.code for one in fixed.report.findings] + [one for fix_ in fixed.applied for one in fix_.codes]


@pytest.mark.parametrize("base", [DIGEST, "debian:unheard-of", "debian:bookworm-slim", "ubuntu:22.04"])
def test_what_a_package_that_goes_may_have_brought_is_installed(base: str) -> None:
    """Nobody knew whether build-essential brings curl; the health check has it after the fix."""
    fixed = fix(f"{BUILDER}FROM {base}\n{TOOLS}{COPY}{CURL}{CMD}", {**CRATE, "Cargo.lock": "version = 4\n"})
    assert fixed.bug is None
    last = fixed.source.data.decode().rpartition("\nFROM ")[2]
    assert "apk add --no-cache curl" in last


def test_the_same_decision_in_two_steps() -> None:
    text = f"{BUILDER}FROM alpine@sha256:{'0' * 64}\n{COPY}CMD app --port $PORT\n"
    fixed = fix(text, {**CRATE, "Cargo.lock": "version = 4\n"})
    assert fixed.bug is None and "FROM alpine:3" in fixed.source.data.decode()

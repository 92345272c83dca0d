"""The advice of DSL302: what it would write, and when there is none."""

from __future__ import annotations

import pytest

from dockerslim_lint import linter
from dockerslim_lint.config import Settings
from dockerslim_lint.context import NoContext
from dockerslim_lint.edit import Safety, Withheld, apply
from dockerslim_lint.source import Source

PLAIN = """\
FROM rust:1-alpine AS builder
WORKDIR /app
COPY . .
RUN cargo build --release
FROM gcr.io/distroless/static-debian13
COPY --from=builder /app/target/release/app /app
CMD ["/app"]
"""

MOUNTED = """\
FROM rust:1-alpine AS builder
WORKDIR /app
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \\
    --mount=type=cache,target=/app/target \\
    cargo build --release && cp target/release/app /usr/local/bin/app
FROM gcr.io/distroless/static-debian13
COPY --from=builder /usr/local/bin/app /app
CMD ["/app"]
"""


def advice(text: str, platforms: tuple[str, ...] = ()) -> str:
    """The file with the advice followed, or why there is none."""
    settings = Settings(select=("DSL302",), platforms=platforms)
    source = Source(text.encode())
    (finding,) = linter.lint(source, NoContext(), settings).findings
    if isinstance(finding.fixes, Withheld):
        return finding.fixes.reason
    (fix,) = finding.fixes
    assert fix.safety is Safety.DISPLAY
    assert linter.fix(source, NoContext(), settings, Safety.PROVABLE).source.data == source.data
    after = apply(source.data, fix.edits)
    assert not linter.lint(Source(after), NoContext(), settings).findings
    return after.decode()


def test_mounts_and_copy() -> None:
    assert advice(PLAIN) == MOUNTED
    assert advice(PLAIN.replace("\n", "\r\n")) == MOUNTED.replace("\n", "\r\n")
    backtick = "# escape=`\n"
    assert advice(backtick + PLAIN) == backtick + MOUNTED.replace("\\", "`")


def test_what_is_copied_out_already_stays() -> None:
    own = PLAIN.replace("--release\n", "--release && cp target/release/app /out\n")
    own = own.replace("builder /app/target/release/app", "builder /out")
    wanted = MOUNTED.replace("cp target/release/app /usr/local/bin/app", "cp target/release/app /out")
    assert advice(own) == wanted.replace("/usr/local/bin/app", "/out")


def test_a_home_of_its_own() -> None:
    named = PLAIN.replace("COPY . .", "ENV CARGO_HOME=/cargo\nCOPY . .")
    assert "target=/cargo/registry" in advice(named)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("COPY . .", "USER 1000\nCOPY . .", "root"),
        ("--release\n", "--release && strip target/release/app\n", "goes on with the program"),
        (
            "RUN cargo build --release\n",
            "RUN cargo build --release\nRUN cargo build --release --bin b\n",
            "same directory",
        ),
        ("--release\n", "--release | tee log\n", "larger command"),
        ("/app/target/release/app /", "/app/target/release/app* /", "more than one program"),
        ("COPY --from", "COPY --from=builder /app /src\nCOPY --from", "with all that is in it"),
        ("FROM gcr", "FROM builder AS test\nRUN ls\nFROM gcr", "another stage is based"),
        ("RUN cargo build --release", 'RUN ["cargo", "build", "--release"]', "no plain command"),
    ],
)
def test_none_where_somebody_needs_what_is_in_the_mount(old: str, new: str, reason: str) -> None:
    assert reason in advice(PLAIN.replace(old, new, 1))


def test_one_mount_does_not_do_for_two_platforms() -> None:
    assert "a mount of its own" in advice(PLAIN, ("linux/amd64", "linux/arm64"))

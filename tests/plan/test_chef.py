"""cargo-chef: what cooks the dependencies gets the same target as what builds with them."""

from __future__ import annotations

import pytest

from dockerslim_lint.config import Settings
from dockerslim_lint.edit import Safety
from tests.facts.reading import CRATE, read
from tests.plan.test_edits import rewritten
from tests.plan.test_withheld import fix, reason

TRIPLE = '"$(uname -m)"-unknown-linux-musl'
ADD = f"RUN rustup target add {TRIPLE}\n"
STRIP = "CARGO_PROFILE_RELEASE_STRIP=symbols "

CHEF = """\
FROM lukemathwalker/cargo-chef:latest-rust-1 AS chef
WORKDIR /app

FROM chef AS planner
COPY . .
RUN cargo chef prepare --recipe-path recipe.json

FROM chef AS builder
COPY --from=planner /app/recipe.json recipe.json
# only the dependencies
RUN cargo chef cook --release --recipe-path recipe.json
COPY . .
RUN cargo build --release --bin app

FROM debian:bookworm-slim AS runtime
WORKDIR /app
COPY --from=builder /app/target/release/app /usr/local/bin/app
ENTRYPOINT ["/usr/local/bin/app"]
"""

CACHER = """\
FROM rust:1 AS planner
WORKDIR /app
RUN cargo install cargo-chef
COPY . .
RUN cargo chef prepare --recipe-path recipe.json
FROM rust:1 AS cacher
WORKDIR /app
RUN cargo install cargo-chef
COPY --from=planner /app/recipe.json recipe.json
RUN cargo chef cook --release --recipe-path recipe.json
FROM rust:1 AS builder
WORKDIR /app
COPY . .
COPY --from=cacher /app/target target
COPY --from=cacher /usr/local/cargo /usr/local/cargo
RUN cargo build --release
FROM debian:bookworm-slim
COPY --from=builder /app/target/release/app /usr/local/bin/app
CMD ["app"]
"""


def test_the_four_stages() -> None:
    expected = (
        CHEF.replace("# only", f"{ADD}# only")
        .replace(
            "cargo chef cook --release --recipe-path recipe.json",
            f"{STRIP}cargo chef cook --release --recipe-path recipe.json --target {TRIPLE}",
        )
        .replace("cargo build --release --bin app", f"{STRIP}cargo build --release --bin app --target {TRIPLE}")
        .replace("debian:bookworm-slim", "gcr.io/distroless/static-debian13")
        .replace("target/release/app", "target/*-linux-musl/release/app")
    )
    assert rewritten(CHEF) == expected


def test_what_only_prepares_stays() -> None:
    after = rewritten(CHEF)
    assert "RUN cargo chef prepare --recipe-path recipe.json\n" in after
    assert after.count("rustup target add") == 1


def test_a_stage_of_its_own_cooks() -> None:
    after = rewritten(CACHER)
    cacher, builder = after[after.index("AS cacher") : after.index("AS builder")], after[after.index("AS builder") :]
    assert f"{ADD}RUN" in cacher
    assert f"recipe.json --target {TRIPLE}\n" in cacher
    assert f"RUN {STRIP}cargo chef cook" in cacher
    assert f"{ADD}RUN" in builder
    assert f"RUN {STRIP}cargo build --release --target {TRIPLE}\n" in builder
    # the whole folder is copied, whatever is in it
    assert "COPY --from=cacher /app/target target\n" in after


def test_the_cook_is_in_the_stage_below() -> None:
    text = CHEF.replace("COPY . .\nRUN cargo build", "FROM builder AS binary\nCOPY . .\nRUN cargo build").replace(
        "--from=builder /app/target", "--from=binary /app/target"
    )
    after = rewritten(text)
    assert after.count("rustup target add") == 1
    assert f"{ADD}# only" in after


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("cook --release --recipe-path recipe.json", "cook --release $FLAGS", "only known when it runs"),
        ("cargo chef cook --release", "cargo +nightly chef cook --release", "+nightly"),
        ("cook --release", "cook --release --target x86_64-unknown-linux-gnu", "already asks for"),
        ("cargo chef cook --release --recipe-path recipe.json", "cargo chef make", ""),
    ],
)
def test_near_misses(old: str, new: str, said: str) -> None:
    text = CHEF.replace(old, new)
    if said:
        assert said in reason(text)
    else:
        assert fix(text).applied


def test_on_alpine_nothing_is_retargeted() -> None:
    build = read(CHEF.replace("latest-rust-1 ", "latest-rust-1-alpine "), CRATE)
    assert [one.profile for one in build.warmups] == ["release"]
    assert [artifact.link for image in build.images for _, artifact in image.artifacts] == ["musl-static"]


def test_a_cook_that_is_made_to_fit_gets_the_settings_of_the_build_too() -> None:
    """cargo counts them in a dependency's fingerprint."""
    after = rewritten(CHEF.replace("cook --release", "cook"))
    (cook,) = [line for line in after.splitlines() if " cook " in line]
    (build,) = [line for line in after.splitlines() if " build " in line]
    assert cook.startswith(f"RUN {STRIP}cargo chef cook ") and "--release" in cook and TRIPLE in cook
    assert build.startswith(f"RUN {STRIP}cargo build --release")


FLAGGED = CHEF.replace("debian:bookworm-slim", "debian:bookworm").replace(
    "cargo build", "RUSTFLAGS='-C lto' cargo build"
)


@pytest.mark.parametrize(
    ("text", "after"),
    [
        (FLAGGED, "RUSTFLAGS='-C lto' cargo chef cook"),
        (FLAGGED.replace("RUSTFLAGS='-C lto' cargo", "env RUSTFLAGS=-g cargo"), "RUSTFLAGS=-g cargo chef cook"),
        (FLAGGED.replace("-C lto' cargo", "-C lto'; export RUSTFLAGS; cargo"), "RUSTFLAGS='-C lto' cargo chef cook"),
        (FLAGGED.replace("'-C lto'", '"-C lto=$LTO"').replace("COPY . .\nRUN R", "COPY . .\nARG LTO=fat\nRUN R"), ""),
        (FLAGGED.replace("RUN RUSTFLAGS='-C lto' ", "ENV RUSTFLAGS=-g\nRUN "), ""),
        (FLAGGED.replace("RUN cargo chef cook", "RUN RUSTFLAGS=-g cargo chef cook"), ""),
        (
            FLAGGED.replace(
                "RUSTFLAGS='-C lto' cargo build --release --bin app", "sh -c 'RUSTFLAGS=-g cargo build -r'"
            ),
            "",
        ),
    ],
)
def test_cook_gets_the_flags_of_the_build_or_no_fix(text: str, after: str) -> None:
    settings = Settings(select=("DSL303",))
    fixed = fix(text, settings=settings)
    assert [one.code for one in fix(text, settings=settings, allow=Safety.SAFE).report.findings] == ["DSL303"]
    assert fixed.bug is None
    assert (after in fixed.source.data.decode()) if after else fixed.source.data == text.encode()


TRICK = """\
FROM rust:1-alpine AS builder
WORKDIR /app
COPY Cargo.toml Cargo.lock ./
RUN mkdir src && echo "fn main() {}" > src/main.rs && cargo build --release
COPY ./src ./src
RUN cargo build --release --target x86_64-unknown-linux-musl
FROM alpine:3.24
COPY --from=builder /app/target/x86_64-unknown-linux-musl/release/app /app
CMD ["/app"]
"""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (TRICK, "the placeholder or the program is built as you meant"),
        (TRICK.replace("COPY ./src", "RUN rm -f target/release/deps/app*\nCOPY ./src"), "look in the wrong place"),
    ],
)
def test_why_a_placeholder_gets_no_flags(text: str, why: str) -> None:
    held = fix(text, settings=Settings(select=("DSL303",))).held
    assert [why in one.reason for one in held] == [True]

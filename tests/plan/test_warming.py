"""Builds ahead in another stage than the real one: they get what it gets, or share nothing with it."""

from __future__ import annotations

import pytest

from dockerslim_lint.edit import Safety
from tests.facts.reading import CRATE, read
from tests.plan.test_edits import rewritten
from tests.plan.test_fresh_eyes import codes
from tests.plan.test_vendored import CHEF
from tests.plan.test_withheld import fix

FILES = {**CRATE, "Cargo.lock": "version = 4\n"}
STRIP = "CARGO_PROFILE_RELEASE_STRIP=symbols cargo build"
TARGET = '--target "$(uname -m)"-unknown-linux-musl'
ADD = 'RUN rustup target add "$(uname -m)"-unknown-linux-musl\n'

BASED = """\
FROM rust:1.85 AS deps
WORKDIR /app
COPY Cargo.toml Cargo.lock ./
RUN mkdir src && echo "fn main(){}" > src/main.rs && cargo build --release
FROM deps AS builder
COPY . .
RUN touch src/main.rs && cargo build --release
FROM debian:bookworm-slim
COPY --from=builder /app/target/release/app /usr/local/bin/app
CMD ["/usr/local/bin/app"]
"""
COPIED = BASED.replace("FROM deps AS builder", "FROM rust:1.85 AS builder\nWORKDIR /app").replace(
    "RUN touch", "COPY --from=deps /app/target target\nRUN touch"
)
ONE = BASED.replace("FROM deps AS builder\n", "").replace("AS deps", "AS builder")
REGISTRY = COPIED.replace("/app/target target", "/usr/local/cargo/registry /usr/local/cargo/registry")


def stripped(text: str) -> str:
    fixed = fix(text, FILES, allow=Safety.SAFE)
    assert fixed.bug is None
    return fixed.source.data.decode()


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        (BASED, 2),
        (COPIED, 2),
        (COPIED.replace("/app/target target", "/app ."), 2),
        (COPIED.replace("/app/target target", "/app/target/release/deps target/release/deps"), 2),
        (
            COPIED.replace("FROM rust:1.85 AS b", "FROM deps AS later\nFROM rust:1.85 AS b").replace("=deps", "=later"),
            2,
        ),
        (
            BASED.replace(
                "touch src/main.rs", "--mount=from=deps,target=/d cp -r /d/app/target . && touch src/main.rs"
            ),
            2,
        ),
        (COPIED.replace("/app/target target", "app/target target"), 2),
        (COPIED.replace("/app/target target", "./app/target target"), 2),
        (REGISTRY, 1),
        (COPIED.replace("/app/target target", "app/Cargo.lock ./"), 1),
        (COPIED.replace("/app/target target", "/app/Cargo.lock ./"), 1),
        (COPIED.replace("COPY --from=deps /app/target target\n", ""), 1),
        (BASED.replace("cargo build --release\nFROM deps", "cargo build\nFROM deps"), 1),
        (BASED.replace("cargo build --release\nFROM deps", f"{STRIP} --release\nFROM deps"), 2),
    ],
)
def test_what_warms_is_stripped_alike(text: str, calls: int) -> None:
    after = stripped(text)
    assert after.count(STRIP) == calls
    assert read(after, FILES).images[0].artifacts[0][1].stripped == "all"


def test_an_env_counts_for_the_stages_above() -> None:
    after = stripped(BASED.replace("WORKDIR", "ENV CARGO_TERM_COLOR=never\nWORKDIR"))
    assert after.count("STRIP=symbols") == 1 and "ENV CARGO_PROFILE_RELEASE_STRIP=symbols\nWORKDIR" in after
    after = stripped(COPIED.replace("AS builder\n", "AS builder\nENV CARGO_TERM_COLOR=never\n"))
    assert after.count("STRIP=symbols") == 2 and f"{STRIP} --release\nFROM rust" in after


def test_a_cook_in_another_stage_is_stripped_where_the_build_has_an_env() -> None:
    text = COPIED.replace('mkdir src && echo "fn main(){}" > src/main.rs && cargo build', "cargo chef cook")
    after = stripped(text.replace("AS builder\n", "AS builder\nENV CARGO_TERM_COLOR=never\n"))
    assert "RUN CARGO_PROFILE_RELEASE_STRIP=symbols cargo chef cook" in after
    assert "ENV CARGO_PROFILE_RELEASE_STRIP=symbols" in after


def test_what_warms_gets_the_target() -> None:
    after = rewritten(BASED, FILES)
    assert after.count(ADD) == 1 and after.index(ADD) < after.index("FROM deps")
    assert after.count(f"{STRIP} --release {TARGET}") == 2
    after = rewritten(COPIED, FILES)
    assert after.count(ADD) == 2 and after.count(f"{STRIP} --release {TARGET}") == 2
    after = rewritten(REGISTRY, FILES)
    assert after.count(ADD) == 1 and after.count(f"{STRIP} --release {TARGET}") == 1
    assert after.index(ADD) > after.index("AS builder")


def test_two_builders_on_one_warm_stage_are_one_decision() -> None:
    other = BASED.partition("FROM deps")[2].replace(" AS builder", " AS second").replace("=builder", "=second")
    text = BASED.replace("bookworm-slim", "bookworm-slim AS one") + f"FROM deps{other}"
    fixed = fix(text, FILES)
    after = fixed.source.data.decode()
    assert fixed.bug is None and after.count(f"{STRIP} --release {TARGET}") == 3 and after.count(ADD) == 1


@pytest.mark.parametrize(("text", "why"), [(BASED, "built ahead"), (COPIED, "built ahead"), (REGISTRY, "")])
def test_a_debug_build_that_is_built_ahead(text: str, why: str) -> None:
    text = text.replace(" --release", "").replace("target/release", "target/debug")
    text = text.replace("debian:bookworm-slim", "gcr.io/distroless/cc-debian13")
    fixed = fix(text, FILES)
    assert fixed.bug is None
    assert why in "; ".join(held.reason for held in fixed.held if held.key.startswith("release:"))
    assert ("--release" in fixed.source.data.decode()) == (not why)


COOKED = (
    CHEF.replace(" --release", "")
    .replace("target/release", "target/debug")
    .replace("debian:bookworm-slim", "gcr.io/distroless/cc-debian13")
)


@pytest.mark.parametrize(
    ("text", "done"),
    [
        (COOKED, True),
        (COOKED.replace("COPY . .\nRUN cargo build", "COPY . .\nENV CARGO_PROFILE_DEV_DEBUG=1\nRUN cargo build"), True),
        (COOKED.replace("recipe.json\nCOPY", "recipe.json --release\nCOPY"), True),
        (COOKED.replace("cook", "cook $FLAGS"), False),
        (COOKED.replace("cook", "cook --profile ci"), False),
        (
            COOKED.replace(
                "RUN cargo build", "RUN cargo build --bin other && cp target/debug/other /o\nRUN cargo build"
            ),
            False,
        ),
    ],
)
def test_a_debug_build_behind_a_debug_cook(text: str, done: bool) -> None:
    fixed = fix(text, FILES)
    after = fixed.source.data.decode()
    assert fixed.bug is None
    assert after.count(" --release\n") == (2 if done else 0)
    assert ("release/app" in after) == done


@pytest.mark.parametrize("text", [BASED, COPIED, ONE])
@pytest.mark.parametrize("channel", ["1.85", "1.80", "1.80.1", "stable", "nightly"])
def test_a_toolchain_file_that_comes_after_the_build_ahead(text: str, channel: str) -> None:
    files = {**FILES, "rust-toolchain.toml": f'[toolchain]\nchannel = "{channel}"\n'}
    fixed = fix(text, files)
    assert fixed.bug is None
    own = text == COPIED  # each stage has its own toolchain there, and its own target
    assert ("musl" in fixed.source.data.decode()) == own
    assert own or "chooses the toolchain after the first build" in fixed.applied[0].fix.cost


@pytest.mark.parametrize("file", ['channel = "1.85.1"', 'targets = ["wasm32-unknown-unknown"]'])
def test_a_toolchain_file_that_changes_nothing(file: str) -> None:
    files = {**FILES, "rust-toolchain.toml": f"[toolchain]\n{file}\n"}
    assert rewritten(BASED.replace("rust:1.85", "rust:1.85.1"), files).count(TARGET) == 2


def test_a_registry_alone_is_nothing_built_twice() -> None:
    text = REGISTRY.replace("cargo build --release\nFROM debian", "cargo build\nFROM debian").replace(
        "target/release", "target/debug"
    )
    assert "DSL303" not in [one.code for one in fix(text, FILES, allow=Safety.SAFE).report.findings]
    text = text.replace("/usr/local/cargo/registry /usr/local/cargo/registry", "/app/target target")
    assert "DSL303" in [one.code for one in fix(text, FILES, allow=Safety.SAFE).report.findings]


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("cargo build", "cargo +1.50.0 build", "(1.50) has no strip setting yet"),
        ("cargo build", "rustup run 1.50.0 cargo build", "(1.50) has no strip setting yet"),
        ("cargo build", "RUSTUP_TOOLCHAIN=1.50.0 cargo build", "(1.50) has no strip setting yet"),
        ("WORKDIR", "ENV RUSTUP_TOOLCHAIN=1.50.0\nWORKDIR", "(1.50) has no strip setting yet"),
        ("WORKDIR", "RUN rustup default 1.50.0\nWORKDIR", "(1.50) has no strip setting yet"),
        ("WORKDIR", "ARG V\nRUN rustup default $V\nWORKDIR", "only known when it runs"),
        ("rust:1.85 AS builder", "rust:1.50 AS builder", "(1.50) has no strip setting yet"),
        ("rust:1.85 AS builder", "rust:slim-stretch AS builder", "(1.45) has no strip setting yet"),
        ("rust:1.85 AS builder", "rust:1-buster AS builder", ""),
        ("WORKDIR", "RUN rustup default 1.70.0\nWORKDIR", ""),
        ("cargo build", "cargo +1.59.0 build", ""),
        ("cargo build", "cargo +nightly build", ""),
    ],
)
def test_a_cargo_that_is_too_old_to_strip(old: str, new: str, why: str) -> None:
    text = ONE.replace("debian:bookworm-slim", "gcr.io/distroless/cc-debian13").replace(old, new)
    fixed = fix(text, FILES, allow=Safety.SAFE)
    assert ("STRIP=symbols" in fixed.source.data.decode()) == (not why)
    assert why in "; ".join(held.reason for held in fixed.held if held.key.startswith("strip:"))


def test_what_warms_may_be_too_old_too() -> None:
    text = COPIED.replace("rust:1.85 AS deps", "rust:1.50 AS deps")
    assert "STRIP=symbols" not in stripped(text)
    assert "STRIP=symbols" not in stripped(
        text.replace('mkdir src && echo "fn main(){}" > src/main.rs && cargo', "cargo chef").replace(
            "chef build", "chef cook"
        )
    )


TESTED = """\
FROM rust:1.85 AS builder
WORKDIR /app
COPY . .
RUN cargo test --release
RUN cargo build --release
FROM debian:bookworm-slim
COPY --from=builder /app/target/release/app /usr/local/bin/app
CMD ["/usr/local/bin/app"]
"""
SETTING = "CARGO_PROFILE_RELEASE_STRIP=symbols cargo"
DEV = "CARGO_PROFILE_DEV_STRIP=symbols cargo"


@pytest.mark.parametrize(
    "call",
    [
        "test --release",
        "t -r --no-run",
        "bench",
        "clippy --release -- -D warnings",
        "check --profile release",
        "doc --release",
        "run --release --bin app",
        "nextest run --release",
        "chef cook --release && cargo test --release",
    ],
)
def test_what_compiles_beside_the_build_is_stripped_alike(call: str) -> None:
    """It has the dependencies in common with the build, and cargo counts the setting in their fingerprint (tried)."""
    text = TESTED.replace("test --release", call)
    assert stripped(text) == text.replace("cargo", SETTING)
    after = text.replace(f"RUN cargo {call}\n", "").replace("FROM debian", f"RUN cargo {call}\nFROM debian")
    if "chef" not in call:
        assert stripped(after) == after.replace("cargo", SETTING)


@pytest.mark.parametrize(
    "call",
    [
        "test",
        "test --profile ci",
        "bench --profile bench-long",
        "fetch",
        "fmt --check",
        "audit --release",
        "+nightly clippy --release",
        "clippy --release --target-dir /tmp/lint",
        "nextest run --release --profile ci",
        "nextest run --cargo-profile release-ci",
        "clean --release",
    ],
)
def test_what_shares_nothing_with_the_build_stays(call: str) -> None:
    text = TESTED.replace("test --release", call)
    assert stripped(text) == text.replace("cargo build", STRIP)


def test_a_setting_of_its_own_stays() -> None:
    text = TESTED.replace("cargo test", "CARGO_PROFILE_RELEASE_STRIP=none cargo test")
    assert stripped(text) == text.replace("cargo build", STRIP)


def test_the_dev_profile_is_that_of_tests() -> None:
    text = TESTED.replace(" --release", "").replace("target/release", "target/debug")
    assert stripped(text) == text.replace("cargo", DEV)
    benched = text.replace("cargo test", "cargo bench")
    assert stripped(benched) == benched.replace("cargo build", f"{DEV} build")


def test_tests_in_a_stage_on_the_builder() -> None:
    text = TESTED.replace("FROM debian", "FROM builder AS tests\nRUN cargo test --release\nFROM debian").replace(
        "RUN cargo test --release\nRUN cargo build", "RUN cargo build"
    )
    assert stripped(text) == text.replace("cargo", SETTING)
    below = TESTED.replace("RUN cargo build", "FROM builder AS maker\nRUN cargo build").replace("=builder", "=maker")
    assert stripped(below) == below.replace("cargo", SETTING)
    apart = text.replace("FROM builder AS tests", "FROM rust:1.85 AS tests\nCOPY . .")
    assert stripped(apart) == apart.replace("cargo build", STRIP)


def test_an_env_stands_ahead_of_the_tests() -> None:
    text = TESTED.replace("WORKDIR", "ENV CARGO_TERM_COLOR=never\nWORKDIR")
    assert stripped(text) == text.replace("WORKDIR", "ENV CARGO_PROFILE_RELEASE_STRIP=symbols\nWORKDIR")


def test_tests_keep_their_target_and_that_is_said() -> None:
    """What they link may not be there for musl, doctests of another target were skipped up to Rust 1.88, and paths would move."""
    (applied,) = [one for one in fix(TESTED, FILES).applied if one.fix.key.startswith("slim:")]
    assert applied.fix.cost.endswith(
        "; `cargo test` (line 4) still builds for glibc: its dependencies are built for both"
    )
    assert f"RUN {SETTING} test --release\n" in rewritten(TESTED, FILES)
    for text in (TESTED.replace("cargo test", "cargo clippy"), TESTED.replace("rust:1.85", "rust:1.85-alpine")):
        assert not any("line 4" in one.fix.cost for one in fix(text, FILES).applied)


@pytest.mark.parametrize(
    "call",
    [
        "make release",
        "./build.sh",
        "cargo make",
        "cargo xtask dist",
        "cargo $ARGS",
        "mold -run cargo build --release",
        "env -u FOO cargo build --release",
        "gosu root cargo build --release",
        "OUT=$(cargo build --release) || echo $OUT",
        "eval cargo build --release",
        "bash <<EOT\ncargo build --release\nEOT",
    ],
)
def test_a_placeholder_is_not_what_is_shipped(call: str) -> None:
    text = ONE.replace("touch src/main.rs && cargo build --release", call)
    for allow in (Safety.SAFE, Safety.PROVABLE):
        fixed = fix(text, FILES, allow=allow)
        assert fixed.source.data.decode() == text and fixed.bug is None
    assert any("is behind" in held.reason for held in fixed.held if "DSL101" in held.codes)


@pytest.mark.parametrize("step", ["./prepare.sh", "cargo audit", "gosu root true", "echo $(cargo tree)"])
def test_what_is_shipped_is_made_by_the_build_in_sight(step: str) -> None:
    text = ONE.replace("touch src", f"{step} && touch src")
    assert fix(text, FILES).source.data.count(b"CARGO_PROFILE_RELEASE_STRIP=symbols") == 2


@pytest.mark.parametrize(
    ("profile", "other", "why"),
    [
        ("release-lto", "", "a setting of the profile release"),
        ("release_debug_info", "", "a setting of the profile release"),
        ("dev-opt-level-3", "", "a setting of the profile dev"),
        ("dist-lto", "dist", "a setting of the profile dist"),
        ("dist-lto", "", ""),
        ("release-debuginfo", "", ""),
        ("lto-release", "", ""),
        ("releaselto", "", ""),
    ],
)
def test_a_variable_that_cargo_takes_for_another_setting(profile: str, other: str, why: str) -> None:
    text = ONE.replace("debian:bookworm-slim", "gcr.io/distroless/cc-debian13").replace("/release/", f"/{profile}/")
    profiles = "".join(f'[profile.{name}]\ninherits = "release"\n' for name in (profile, other) if name)
    files = {**FILES, "Cargo.toml": f"{CRATE['Cargo.toml']}{profiles}"}
    fixed = fix(text.replace("--release", f"--profile {profile}"), files, allow=Safety.SAFE)
    assert (b"_STRIP=symbols" in fixed.source.data) == (not why)
    assert why in "; ".join(held.reason for held in fixed.held if held.key.startswith("strip:"))


@pytest.mark.parametrize(
    ("source", "safe"),
    [
        ('fn main() { std::env::set_var("RUST_BACKTRACE", "1"); }', False),
        ('fn main() { println!("{}", std::backtrace::Backtrace::force_capture()); }', False),
        ('fn main() { std::env::set_var("RUST_LOG", "1"); }', True),
        ('fn main() { println!("{}", std::backtrace::Backtrace::capture()); }', True),
    ],
)
def test_a_program_that_asks_for_backtraces(source: str, safe: bool) -> None:
    text = ONE.replace("debian:bookworm-slim", "gcr.io/distroless/cc-debian13")
    files = {**FILES, "src/main.rs": "mod a;\nfn main() {}\n", "src/a.rs": source}
    assert (b"STRIP=symbols" in fix(text, files, allow=Safety.SAFE).source.data) == safe
    assert b"STRIP=symbols" in fix(text, files, allow=Safety.PROVABLE).source.data


@pytest.mark.parametrize("flags", ["-C link-arg=-Wl,--emit-relocs", "-Clink-arg=-Wl,-q"])
def test_relocations_are_kept_with_the_symbols(flags: str) -> None:
    text = ONE.replace("WORKDIR", f'ENV RUSTFLAGS="{flags}"\nWORKDIR')
    assert "STRIP" not in stripped(text)
    assert "STRIP" in stripped(text.replace("--emit-relocs", "--gc-sections").replace("-q", "--gc-sections"))


UNSEEN_STUBS = """\
FROM rust:1.85 AS base
WORKDIR /app
RUN cargo install workspace-cache
FROM base AS planner
COPY . .
RUN workspace-cache deps --bin app
FROM base AS deps
COPY --from=planner /app/.workspace-cache .
RUN cargo build --release
FROM deps AS builder
COPY . .
RUN cargo build --release --bin app
FROM debian:bookworm-slim
COPY --from=builder /app/target/release/app /usr/local/bin/app
CMD ["/usr/local/bin/app"]
"""


def test_a_build_in_the_stage_below_is_stripped_alike() -> None:
    assert stripped(UNSEEN_STUBS).count(STRIP) == 2
    assert stripped(UNSEEN_STUBS.replace("build --release\nFROM", "build\nFROM")).count(STRIP) == 1
    assert stripped(UNSEEN_STUBS.replace("FROM deps", "FROM base")).count(STRIP) == 1


@pytest.mark.parametrize(
    ("builder", "flag", "differs"),
    [
        ("clux/muslrust:stable", "--target x86_64-unknown-linux-musl", False),
        ("rust:1.85", '--target "$(uname -m)-unknown-linux-musl"', True),
        ("clux/muslrust:stable", "--target x86_64-unknown-linux-gnu", True),
        ("rust:1.85", "--target x86_64-unknown-linux-musl", True),
    ],
)
def test_an_images_own_triple_may_be_the_one_written_out(builder: str, flag: str, differs: bool) -> None:
    text = f"""\
FROM {builder} AS builder
WORKDIR /app
RUN cargo install cargo-chef
COPY . .
RUN cargo chef prepare --recipe-path recipe.json
RUN cargo chef cook --release --recipe-path recipe.json
RUN cargo build --release {flag}
FROM alpine:3.22
COPY --from=builder /app/target/*/release/app /app
CMD ["/app"]
"""
    assert ("DSL303" in codes(text, FILES)) is differs
    if not differs:
        fixed = stripped(text)
        assert fixed.count("CARGO_PROFILE_RELEASE_STRIP=symbols") == 2

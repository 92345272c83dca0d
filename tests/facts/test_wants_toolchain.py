"""Whether an image may want its toolchain when it runs: what the sources start, what the final stage asks of rustup and cargo."""

from __future__ import annotations

import pytest

from tests.facts.reading import CRATE, MANIFEST, only_image, read

SINGLE = "FROM rust:1\nWORKDIR /app\nCOPY . .\nRUN cargo build --release\n{}" + 'CMD ["./target/release/app"]\n'
TWO = """\
FROM rust:1 AS builder
WORKDIR /app
COPY . .
RUN cargo build --release
FROM {}
{}
COPY --from=builder /app/target/release/app /bin/
CMD ["app"]
"""
CARGO = 'use std::process::Command;\nfn main() {\n    Command::new("cargo").arg("check").status().unwrap();\n}\n'


def wanted(text: str, **files: str) -> str:
    return only_image(read(text, {**CRATE, **files})).wants_toolchain


@pytest.mark.parametrize("text", [SINGLE.format(""), TWO.format("rust:1-slim", "")])
def test_a_program_that_starts_cargo(text: str) -> None:
    assert wanted(text, **{"src/main.rs": CARGO}) == "line 3 of src/main.rs starts cargo"
    assert not wanted(text)


def test_an_image_without_a_toolchain_has_none_to_lose() -> None:
    assert not wanted(TWO.format("debian:trixie-slim", "RUN cargo --list"), **{"src/main.rs": CARGO})


@pytest.mark.parametrize(
    ("source", "program"),
    [
        ('Command::new(\n        "rustc",\n    )', "rustc"),
        ('Command::new("/usr/local/cargo/bin/rustup")', "rustup"),
        ('const TOOL: &str = "cargo";\nfn run() { Command::new(TOOL); }', "cargo"),
        ('cmd!(sh, "cargo build --release").run()', "cargo"),
        ('cmd("cargo", ["build"])', "cargo"),
        ('Command::new("sh").arg("-c").arg("cargo run --quiet")', "cargo"),
        ('Command::new(std::env::var("CARGO").unwrap())', "cargo"),
        ('Command::new(env!("CARGO"))', "cargo"),
        ('tokio::process::Command::new("gcc")', "gcc"),
        ('"Cc: x"; Command::new("git"); Command::new("cc")', "cc"),
    ],
)
def test_how_sources_start_it(source: str, program: str) -> None:
    found = wanted(SINGLE.format(""), **{"src/main.rs": "fn main() {}\n", "src/run.rs": source})
    assert found.endswith(f"of src/run.rs starts {program}")


@pytest.mark.parametrize(
    "source",
    [
        'fn main() { println!("cargo"); }',
        'use std::process::Command;\nfn main() { println!("cargo install app"); Command::new("git"); }',
        'use std::process::Command;\n// Command::new("cargo")\n',
        'use std::process::Command;\nfn main() { Command::new("ls").arg(env!("CARGO_PKG_NAME")); }',
        'use std::process::Command;\nfn main() { Command::new("cargo-like"); }',
        'use lettre::Command;\nfn main() { header("cc"); header("make") }',
        "use std::process::Command;\nfn main() {}\n#[cfg(test)]\nmod tests {\n"
        '    fn a() {\n        Command::new("cargo");\n    }\n}\n',
    ],
)
def test_what_only_looks_like_it(source: str) -> None:
    assert not wanted(SINGLE.format(""), **{"src/main.rs": source})


@pytest.mark.parametrize(
    "path", ["build.rs", "tests/all.rs", "benches/b.rs", "examples/e.rs", "xtask/src/main.rs", "src/bin/other.rs"]
)
def test_sources_of_other_programs_do_not_count(path: str) -> None:
    assert not wanted(SINGLE.format("").replace("release", "release --bin app", 1), **{path: CARGO})


def test_packages_of_the_workspace_are_followed() -> None:
    member = MANIFEST.replace("app", "runner")
    files = {"runner/Cargo.toml": member, "runner/src/lib.rs": CARGO}
    assert not wanted(SINGLE.format(""), **files)
    depends = MANIFEST + '[dependencies]\nrunner = { path = "runner" }\n'
    assert wanted(SINGLE.format(""), **files, **{"Cargo.toml": depends}) == "line 3 of runner/src/lib.rs starts cargo"
    only_tests = depends.replace("[dep", "[dev-dep")
    assert not wanted(SINGLE.format(""), **files, **{"Cargo.toml": only_tests})


@pytest.mark.parametrize(
    ("table", "found"),
    [
        ('[dependencies]\ncargo_metadata = "0.19"', True),
        ('[dependencies]\nmeta = { package = "cargo_metadata", version = "0.19" }', True),
        ('[build-dependencies]\ncargo_metadata = "0.19"', False),
        ('[dev-dependencies]\ntrybuild = "1"', False),
        ('[dependencies]\ncargo_toml = "0.22"', False),
        ("[target.'cfg(windows)'.dependencies]\ncargo_metadata = \"0.19\"", False),
    ],
)
def test_crates_that_start_it(table: str, found: bool) -> None:
    why = wanted(SINGLE.format(""), **{"Cargo.toml": f"{MANIFEST}{table}\n"})
    assert why == ("Cargo.toml has cargo_metadata, which starts a toolchain's programs" if found else "")


@pytest.mark.parametrize(
    ("step", "found"),
    [
        ("rustup target add wasm32-wasip1", True),
        ("rustup component add clippy", True),
        ("cargo install cargo-expand", True),
        ("cargo +nightly fetch", True),
        ("cargo --version", False),
        ("rustup show", False),
        ("rustup self uninstall -y", False),
        ("echo cargo", False),
    ],
)
def test_a_final_stage_that_asks_for_it(step: str, found: bool) -> None:
    text = TWO.format("rust:1", f"RUN {step}")
    why = f"the final stage runs {step.split()[0]} (line 6), although it does not compile the program"
    assert wanted(text) == (why if found else "")


def test_steps_for_the_builder_say_nothing() -> None:
    assert not wanted(SINGLE.format("RUN rustup component add clippy\n"))
    shared = "FROM rust:1 AS base\nRUN rustup target add wasm32-wasip1\n" + TWO.format("base", "")
    assert not wanted(shared.replace("FROM rust:1 AS builder", "FROM base AS builder"))

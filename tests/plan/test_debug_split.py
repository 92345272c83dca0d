"""Steps that look at the program or keep its debug information aside, between the build and COPY."""

from __future__ import annotations

import pytest

from dockerslim_lint.edit import Safety
from tests.facts.reading import locked
from tests.plan.test_edits import rewritten
from tests.plan.test_withheld import CLASSIC, fix, reason

PURE = locked(itoa="")
TRIPLE = '"$(uname -m)"-unknown-linux-musl'
ASIDE = "cd target/release && objcopy --only-keep-debug app app.debug && strip app && objcopy --add-gnu-debuglink=app.debug app"


def stepped(step: str) -> str:
    return CLASSIC.replace("--release\n", f"--release\nRUN {step}\n")


@pytest.mark.parametrize(
    "step",
    [
        "ldd target/release/app",
        "file target/release/app && readelf -d target/release/app",
        "ls -l target/release/app && du -h target/release/app",
        "test -x target/release/app",
        "[ -x target/release/app ]",
        "if [ ! -x target/release/app ]; then exit 1; fi",
        "target/release/app --version",
        "./target/release/app --help > /dev/null",
        "xxd target/release/app | head -1",
        "checksec --file=target/release/app",
        "bloaty target/release/app || true",
        ASIDE,
        "strip target/release/app && objcopy --add-gnu-debuglink=target/release/app.debug target/release/app",
    ],
)
def test_what_only_looks_follows_the_program(step: str) -> None:
    after = rewritten(stepped(step), PURE)
    assert f"RUN {step.replace('target/release', f'target/{TRIPLE}/release')}\n" in after
    assert "FROM gcr.io/distroless/static" in after


def test_a_program_that_is_stripped_by_hand_is_not_stripped_by_cargo_before() -> None:
    assert "STRIP" not in rewritten(stepped(ASIDE), PURE)


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (ASIDE.replace(" && strip app", ""), "line 5 keeps the debug information in a file of its own"),
        (
            "objcopy --only-keep-debug target/release/app /d && objcopy --strip-debug --add-gnu-debuglink=/d target/release/app",
            "line 5 keeps the debug information in a file of its own",
        ),
        ("objcopy --only-keep-debug target/release/app", "changed by objcopy"),
        ("objcopy --add-section x=y target/release/app", "changed by objcopy"),
        ("objcopy --add-gnu-debuglink=x --remove-section=y target/release/app", "changed by objcopy"),
        ("cd target && xxd --file=release/app", "line 5"),
        ("./pack target/release/app", "changed by"),
    ],
)
def test_what_changes_the_program_is_withheld(step: str, said: str) -> None:
    assert said in reason(stepped(step), PURE)


def test_the_symbols_stay_where_they_are_to_be_kept_aside() -> None:
    text = stepped(ASIDE.replace(" && strip app", ""))
    assert fix(text, PURE).source.data == text.encode()


@pytest.mark.parametrize(
    ("stage", "installed", "kept"),
    [
        ("debian:trixie", "libpq5", False),
        ("debian:trixie", "gdb", True),
        ("debian:trixie", "linux-perf", True),
        ("debian:trixie AS profiling", "libpq5", True),
        ("debian:trixie AS app-debug", "libpq5", True),
        ("debian:trixie AS debugger-less", "libpq5", False),
    ],
)
def test_an_image_for_its_symbols_keeps_them(stage: str, installed: str, kept: bool) -> None:
    text = CLASSIC.replace("debian:bookworm-slim\n", f"{stage}\nRUN apt-get update && apt-get install -y {installed}\n")
    fixed = fix(text, PURE)
    assert fixed.bug is None
    assert ("STRIP" not in fixed.source.data.decode()) is kept
    assert ("DSL101" not in {one.code for one in fix(text, {}).report.findings}) is kept


def manifest(dependency: str, *crates: str) -> dict[str, str]:
    """A crate with one line of dependencies, and a lock of these packages (the first is its own dependency)."""
    lock = f'version = 4\n\n[[package]]\nname = "app"\nversion = "0.1.0"\ndependencies = ["{crates[0]}"]\n'
    for at, name in enumerate(crates):
        following = "".join(f'"{one}"' for one in crates[at + 1 : at + 2])
        lock += (
            f'\n[[package]]\nname = "{name}"\nversion = "1.0.0"\ndependencies = [{following}]\n'
            'source = "registry+https://github.com/rust-lang/crates.io-index"\n'
        )
    text = f'[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n[dependencies]\n{dependency}\n'
    return {"Cargo.toml": text, "Cargo.lock": lock, "src/main.rs": "fn main() {}\n"}


@pytest.mark.parametrize(
    ("files", "old", "level"),
    [
        (manifest('sentry = "1"', "sentry"), "rust:1.70", "debuginfo"),
        (manifest('sentry = "1"', "sentry"), "rust:1.80", ""),
        (manifest('sentry = "1"', "sentry"), "rust:1", ""),
        (manifest('color-eyre = "1"', "color-eyre"), "rust:1.70", "debuginfo"),
        (manifest('backtrace = "1"', "backtrace"), "rust:1.70", "debuginfo"),
        # tokio's lock names it, and nobody asked for it
        (manifest('tokio = "1"', "tokio", "backtrace"), "rust:1.70", "symbols"),
        (manifest('sentry = { version = "1", optional = true }', "sentry"), "rust:1.70", "symbols"),
        (
            manifest('tikv-jemallocator = { version = "1", features = ["profiling"] }', "tikv-jemallocator"),
            "rust:1.70",
            "debuginfo",
        ),
        (manifest('tikv-jemallocator = "1"', "tikv-jemallocator"), "rust:1.70", "symbols"),
    ],
)
def test_what_reads_its_own_symbols_keeps_them(files: dict[str, str], old: str, level: str) -> None:
    text = CLASSIC.replace("rust:1 ", f"{old}-bookworm ").replace("debian:bookworm-slim", "ubuntu:24.04")
    fixed = fix(text, files)
    assert fixed.bug is None
    (slim,) = [one.fix for one in fixed.applied if one.fix.key.startswith("slim:")]
    after = fixed.source.data.decode()
    assert (f"CARGO_PROFILE_RELEASE_STRIP={level} " in after) if level else "STRIP" not in after
    assert ("symbols stay, for " in slim.cost) is (level != "symbols")
    assert "DSL201" not in {one.code for one in fixed.report.findings}


def test_debug_information_alone_is_safe_to_say_and_not_to_write() -> None:
    text = CLASSIC.replace("rust:1 ", "rust:1.70-alpine ").replace("debian:bookworm-slim", "gcr.io/distroless/static")
    files = manifest('sentry = "1"', "sentry")
    assert "STRIP" not in fix(text, files, allow=Safety.SAFE).source.data.decode()
    assert "STRIP=debuginfo cargo" in fix(text, files).source.data.decode()
    done = {**files, "Cargo.toml": files["Cargo.toml"] + '[profile.release]\nstrip = "debuginfo"\n'}
    assert "DSL201" not in {one.code for one in fix(text, done, allow=Safety.SAFE).report.findings}

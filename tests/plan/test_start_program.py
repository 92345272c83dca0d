"""What becomes of ``cargo run`` as the command of an image, and when nothing does."""

from __future__ import annotations

import pytest

from dockerslim_lint import linter
from dockerslim_lint.candidates import find_candidates
from dockerslim_lint.config import Settings
from dockerslim_lint.context import MemoryContext
from dockerslim_lint.edit import Safety
from dockerslim_lint.source import Source

ONLY = Settings(select=("DSL410",))
MANIFEST = '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n'
CRATE = {"Cargo.toml": MANIFEST, "src/main.rs": "fn main() {}\n"}
TWO = {**CRATE, "src/bin/other.rs": "fn main() {}\n"}

RUN = 'FROM rust:1\nWORKDIR /app\nCOPY . .\nCMD ["cargo", "run", "--release"]\n'
BUILT = RUN.replace("CMD", "RUN cargo build --release\nCMD")


def fixed(text: str, files: dict[str, str] | None = None) -> linter.Fixed:
    context = MemoryContext({path: body.encode() for path, body in (CRATE if files is None else files).items()})
    found = linter.fix(Source(text.encode()), context, ONLY, Safety.PROVABLE)
    assert found.bug is None
    return found


@pytest.mark.parametrize(
    ("command", "step", "program"),
    [
        ('CMD ["cargo", "run", "--release", "--", "-v", "a b"]', "cargo build --release", '["app", "-v", "a b"]'),
        ('CMD ["cargo", "run", "-r", "-q", "--locked"]', "cargo build -r -q --locked", '["app"]'),
        ('CMD ["cargo", "+stable", "r", "-r"]', "cargo +stable build -r", '["app"]'),
        ('CMD ["cargo", "run", "--features", "a b", "-r"]', "cargo build --features 'a b' -r", '["app"]'),
        ("ENTRYPOINT exec cargo run --release", "cargo build --release", '["app"]'),
        ('cmd ["cargo", "run"]', "cargo build --release", '["app"]'),
    ],
)
def test_a_step_compiles_what_cargo_would(command: str, step: str, program: str) -> None:
    keyword = command.split()[0]
    run = "run" if keyword.islower() else "RUN"
    path = program.replace('"app"', '"/app/target/release/app"')
    made = fixed(RUN.replace('CMD ["cargo", "run", "--release"]', f"# start\n{command}"))
    head = RUN.partition("CMD")[0]
    assert made.source.data.decode() == f"{head}{run} {step}\n# start\n{keyword} {path}\n"


@pytest.mark.parametrize(
    ("step", "command", "start"),
    [
        ("cargo build --release --bin other", '["cargo", "run", "-r", "--bin", "other"]', "/app/target/release/other"),
        ("cargo build -r --target-dir /t", '["cargo", "run", "-r", "--target-dir", "/t"]', "/t/release/app"),
        ("cargo build --profile small", '["cargo", "run", "--profile", "small"]', "/app/target/small/app"),
    ],
)
def test_what_a_step_has_compiled_is_started(step: str, command: str, start: str) -> None:
    files = {**TWO, "Cargo.toml": f'{MANIFEST}default-run = "app"\n[profile.small]\ninherits = "release"\n'}
    text = BUILT.replace("cargo build --release", step).replace('["cargo", "run", "--release"]', command)
    assert fixed(text, files).source.data.decode() == text.replace(command, f'["{start}"]')


def test_a_debug_build_becomes_a_release() -> None:
    started = BUILT.replace('"cargo", "run", "--release"', '"/app/target/release/app"')
    for text in (BUILT.replace("build --release", "build"), BUILT.replace(', "--release"', "")):
        assert fixed(text).source.data.decode() == started
    assert fixed(text.replace("build --release", "build")).source.data.decode() == started


@pytest.mark.parametrize(
    ("text", "files", "reason"),
    [
        (RUN, TWO, "which program"),
        (RUN, {}, "which program"),
        (RUN.replace('"]', '", "serve"]'), CRATE, "which program"),
        (RUN.replace('"--release"', '"--example", "a"'), CRATE, "which program"),
        (RUN.replace('["cargo", "run", "--release"]', "cargo run $FLAGS"), CRATE, "which program"),
        (RUN.replace('["cargo", "run", "--release"]', "cargo update && cargo run"), CRATE, "what a shell would make"),
        (RUN.replace('"cargo"', '"nice", "cargo"'), CRATE, "more than to call"),
        (RUN.replace("CMD", "ENTRYPOINT") + 'CMD ["-v"]\n', CRATE, "ENTRYPOINT and CMD"),
        (RUN.replace('["cargo"', '["run"').replace("CMD", 'ENTRYPOINT ["cargo"]\nCMD'), CRATE, ""),
        (RUN + "COPY assets assets\n", CRATE, "steps follow CMD"),
        (RUN.replace('"run", ', '"run", \\\n# slow\n'), CRATE, "comments"),
        (BUILT.replace("--release\n", "--release --features a\n"), CRATE, "which program"),
        (BUILT.replace("--release\n", "--profile small\n"), CRATE, "compiles it otherwise"),
        (BUILT.replace("--release\n", "--release --bin other\n"), TWO, "which program"),
        (BUILT.replace("RUN", "RUN --mount=type=cache,target=/app/target"), CRATE, "does not keep"),
    ],
)
def test_nothing_is_guessed(text: str, files: dict[str, str], reason: str) -> None:
    made = fixed(text, files)
    assert made.source.data == text.encode()
    assert not reason or [reason in one.reason for one in made.held] == [True], made.held


def test_a_proof_is_asked_for_the_whole_way() -> None:
    context = MemoryContext({path: body.encode() for path, body in CRATE.items()})
    first, *rest = find_candidates(Source(RUN.encode()), context, Settings())
    assert first.fix.choice == "distroless/static"
    assert {"DSL410", "DSL101"} <= set(first.codes)
    assert (first.before_base, first.after_base) == ("rust:1", "gcr.io/distroless/static-debian13")
    assert first.fix.claim is not None and first.fix.claim.static and first.fix.claim.smaller
    assert first.source.data.decode().endswith('CMD ["/app/target/release/app"]\n')
    assert all(one.after_base != "rust:1" for one in rest)

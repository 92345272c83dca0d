"""What somebody found who judged real Dockerfiles (the tenth to do so); each in a few lines of our own."""

from __future__ import annotations

import pytest

from tests.facts.reading import CRATE, locked
from tests.plan.test_edits import rewritten
from tests.plan.test_native_code import choice
from tests.plan.test_withheld import CLASSIC, LOCK, reason

FILES = {**CRATE, "Cargo.lock": LOCK.format("itoa")}

PROFILE = CLASSIC.replace("RUN cargo build --release", "ARG P=release\nRUN cargo build --profile $P\nRUN {}").replace(
    "/app/target/release/app /usr", "/out/app /usr"
)


@pytest.mark.parametrize(
    "step",
    [
        'if [ "$P" = dev ]; then cp -r target/debug /out; else cp -r target/$P /out; fi',
        '[ "$P" = dev ] && cp -r target/debug /out || cp -r target/$P /out',
        'case "$P" in dev) cp -r /app/target/debug /out ;; *) cp -r /app/target/"$P" /out ;; esac',
    ],
)
def test_branches_that_copy_from_other_profiles_move_all_or_none(step: str) -> None:
    assert "line 6 copies what another profile makes" in reason(PROFILE.format(step), FILES)
    assert choice(PROFILE.format(step), FILES) == "distroless/cc"


@pytest.mark.parametrize(
    "step",
    [
        'if [ "$P" = dev ]; then cp -r target/$P /out; else cp -r target/$P /out; fi',
        'if [ "$P" = dev ]; then rm -r target/debug; fi; cp -r target/$P /out',
        'if [ "$P" = dev ]; then cp -r other/debug /out; else cp -r target/$P /out; fi',
        'case "$P" in dev) d=debug ;; *) d=$P ;; esac; mkdir /out; cp target/$d/app /out/app',
    ],
)
def test_branches_that_move_alike(step: str) -> None:
    assert choice(PROFILE.format(step), FILES) == "distroless/static"


def test_the_profile_of_the_call_is_no_other() -> None:
    step = 'if [ "$P" = dev ]; then cp -r target/debug /out; else cp -r target/release /out; fi'
    fixed = PROFILE.replace("--profile $P", "--release").format(step)
    assert 'target/"$(uname -m)"-unknown-linux-musl/release /out; fi' in rewritten(fixed, FILES)


V8 = locked(deno_core="v8", v8="")
V8["Cargo.toml"] = f'{CRATE["Cargo.toml"]}[features]\ndefault = ["js"]\njs = ["dep:deno_core"]\n[dependencies]\n'
V8["Cargo.toml"] += 'deno_core = { version = "1", optional = true }\n'


@pytest.mark.parametrize("argument", ['FLAGS=""', "FLAGS", "FLAGS="])
def test_what_a_default_feature_brings_is_there_until_an_argument_says_otherwise(argument: str) -> None:
    text = CLASSIC.replace("RUN cargo build --release", f"ARG {argument}\nRUN cargo build --release $FLAGS")
    assert choice(text, V8) != "distroless/static"
    assert "does not go with a static musl build" in reason(text, V8)


@pytest.mark.parametrize(
    ("argument", "call"),
    [("FLAGS=--no-default-features", "$FLAGS"), ('FLAGS=""', "--no-default-features $FLAGS")],
)
def test_what_no_default_feature_brings_is_no_reason(argument: str, call: str) -> None:
    text = CLASSIC.replace("RUN cargo build --release", f"ARG {argument}\nRUN cargo build --release {call}")
    assert choice(text, V8) == "distroless/static"

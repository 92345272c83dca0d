"""What somebody found who judged real Dockerfiles without knowing the code, the third time; each in a few lines of our own."""

from __future__ import annotations

import pytest

from dockerslim_lint import linter
from dockerslim_lint.config import Settings
from dockerslim_lint.context import MemoryContext
from dockerslim_lint.plan.needs import certificate_readers
from dockerslim_lint.source import Source
from tests.facts.reading import CRATE, MANIFEST, locked, read
from tests.plan.test_vendored import cost
from tests.plan.test_withheld import CLASSIC, LOCK, fix

FILES = {**CRATE, "Cargo.lock": LOCK.format("itoa")}


def said(code: str, text: str, files: dict[str, str]) -> list[str]:
    context = MemoryContext({path: body.encode() for path, body in files.items()})
    findings = linter.lint(Source(text.encode()), context, Settings()).findings
    return [one.message for one in findings if one.code == code]


@pytest.mark.parametrize(
    ("step", "found"),
    [
        ('RUN adduser --no-create-home --uid 10001 "app"', True),
        ("RUN useradd app && groupadd more", True),
        ("RUN gosu app ./make", False),
        ("RUN ./make", False),
    ],
)
def test_an_account_is_no_directory_of_the_same_name(step: str, found: bool) -> None:
    text = CLASSIC.replace("COPY . .", f"COPY . .\n{step}").replace("release/app", "release/ap")
    assert bool(said("DSL308", text, FILES)) is found


@pytest.mark.parametrize(
    ("triple", "name"),
    [
        ("aarch64-unknown-linux-musl", "CC_aarch64_unknown_linux_musl"),
        ("arm-unknown-linux-musleabihf", "CC_arm_unknown_linux_musleabihf"),
        ("x86_64-unknown-linux-musl", "CC_x86_64_unknown_linux_musl"),
        ("$(uname -m)-unknown-linux-musl", "CC_<target>"),
    ],
)
def test_the_compiler_is_named_for_the_target_of_the_call(triple: str, name: str) -> None:
    text = CLASSIC.replace("cargo build", f'CC=musl-gcc cargo build --target "{triple}"').replace(
        "target/release", "target/*/release"
    )
    (message,) = said("DSL107", text.replace("RUN CC=musl-gcc", "ENV CC=musl-gcc\nRUN"), FILES)
    assert message.endswith(f"name it {name}.")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("ENV RUST_BACKTRACE=1", True),
        ("ENV A=b RUST_BACKTRACE=full", True),
        ("ENV RUST_BACKTRACE=0", False),
        ("", False),
    ],
)
def test_an_image_that_prints_backtraces_is_told_what_they_lose(line: str, told: bool) -> None:
    assert ("backtraces show addresses" in cost(CLASSIC.replace("CMD", f"{line}\nCMD"), FILES)) is told


def test_no_tools_for_a_crate_that_fails_with_them_too() -> None:
    manifest = f'{MANIFEST}[features]\nfips = ["dep:aws-lc-fips-sys"]\n[dependencies]\n'
    manifest += 'aws-lc-fips-sys = { version = "1", optional = true }\n'
    files = {**locked(aws__lc__fips__sys="cmake", cmake=""), "Cargo.toml": manifest}
    text = CLASSIC.replace("cargo build", "cargo build $FLAGS").replace("RUN", "ARG FLAGS\nRUN", 1)
    after = fix(text, files).source.data.decode()
    assert "golang" not in after
    assert "linux-musl" in after


def test_the_size_of_debug_information() -> None:
    debug = CLASSIC.replace(" --release", "").replace("target/release", "target/debug")
    for text, size in ((CLASSIC, "a tenth to a third"), (debug, "more than half")):
        assert all(size in message for message in said("DSL201", text, FILES))
    assert said("DSL201", CLASSIC, FILES)


SELDOM = "RUN cargo install cargo-chef\nRUN cargo chef prepare --recipe-path r.json\nRUN cargo chef cook --recipe-path r.json\n"


def test_cook_on_an_image_with_that_target_gets_the_profile_alone() -> None:
    text = CLASSIC.replace("rust:1", "clux/muslrust:stable").replace("RUN cargo build", f"{SELDOM}RUN cargo build")
    text = text.replace("--release\n", "--release --target x86_64-unknown-linux-musl\n").replace(
        "target/release", "target/x86_64-unknown-linux-musl/release"
    )
    after = fix(text, FILES).source.data.decode()
    assert "cook --recipe-path r.json --release\n" in after


@pytest.mark.parametrize(("certificates", "there"), [("ca-certificates ", True), ("", False)])
def test_scratch_lacks_nothing_that_the_image_never_had(certificates: str, there: bool) -> None:
    files = locked(native__tls="", webpki__roots="")
    step = f"RUN apt-get update && apt-get install -y --no-install-recommends {certificates}tzdata\n"
    build = read(CLASSIC.replace("COPY --from", f"{step}COPY --from"), files)
    crate = build.crates[0]
    assert crate is not None
    assert bool(certificate_readers(build.images[0], crate)) is there

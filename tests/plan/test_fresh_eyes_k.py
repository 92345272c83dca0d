"""What somebody found who judged real Dockerfiles without knowing the code, the second time; each in a few lines of our own."""

from __future__ import annotations

import pytest

from dockerslim_lint import linter
from dockerslim_lint.config import Settings
from dockerslim_lint.context import MemoryContext
from dockerslim_lint.facts.model import GNU_DYNAMIC, MUSL_STATIC, STRIPPED_ALL, STRIPPED_NO, UNKNOWN
from dockerslim_lint.source import Source
from tests.facts.reading import CRATE, only_call, read
from tests.plan.test_edits import rewritten
from tests.plan.test_fresh_eyes import codes
from tests.plan.test_native_code import choice
from tests.plan.test_withheld import CLASSIC, LOCK, reason

FILES = {**CRATE, "Cargo.lock": LOCK.format("itoa")}

IN_AN_IF = (
    'RUN if [ -n "$RUSTFLAGS" ]; then export RUSTFLAGS="$RUSTFLAGS"; '
    'elif [ "$TARGETPLATFORM" = linux/amd64 ]; then export RUSTFLAGS="{}"; fi && cargo'
)
BY_CASE = 'RUN case "$TARGETARCH" in amd64) export RUSTFLAGS="{}";; arm64) export RUSTFLAGS="-C target-cpu=a64fx";; esac; cargo'
BEHIND_AND = 'RUN [ "$TARGETARCH" = amd64 ] && export RUSTFLAGS="{}"; cargo'
ADDED = 'RUN if [ "$TARGETARCH" = amd64 ]; then export RUSTFLAGS="$RUSTFLAGS {}"; fi; cargo'
BY_ANOTHER = 'RUN if [ "$TARGETARCH" = amd64 ]; then FLAGS="{}"; else FLAGS=; fi; RUSTFLAGS="$FLAGS" cargo'


def flagged(step: str, flags: str) -> str:
    return CLASSIC.replace("RUN cargo", f'ARG TARGETARCH\nARG TARGETPLATFORM\nARG RUSTFLAGS=""\n{step.format(flags)}')


@pytest.mark.parametrize("step", [IN_AN_IF, BY_CASE, BEHIND_AND, ADDED, BY_ANOTHER])
@pytest.mark.parametrize(
    ("flags", "link"),
    [
        ("-C target-cpu=x86-64-v3", GNU_DYNAMIC),
        ("-C target-feature=-crt-static", GNU_DYNAMIC),
        ("-C target-feature=+crt-static", UNKNOWN),
        ("-C link-arg=-static", UNKNOWN),
        ("$MORE", UNKNOWN),
        ("$(cat flags)", UNKNOWN),
    ],
)
def test_one_of_several_flags(step: str, flags: str, link: str) -> None:
    call = only_call(read(flagged(step, flags), FILES))
    assert call.link == link
    assert call.flags is None


@pytest.mark.parametrize(
    ("flags", "link"),
    [
        ("-C target-cpu=x86-64-v3", MUSL_STATIC),
        ("-C target-feature=+crt-static", MUSL_STATIC),
        ("-C target-feature=-crt-static", UNKNOWN),
    ],
)
def test_one_of_several_flags_on_musl(flags: str, link: str) -> None:
    text = flagged(BY_CASE, flags).replace("rust:1 ", "rust:1-alpine ")
    assert only_call(read(text, FILES)).link == link


def test_what_only_some_of_the_flags_do() -> None:
    assert only_call(read(flagged(IN_AN_IF, "-C target-cpu=x86-64-v3"), FILES)).stripped == STRIPPED_NO
    assert only_call(read(flagged(IN_AN_IF, "-C strip=symbols"), FILES)).stripped == UNKNOWN
    assert only_call(read(flagged(BY_CASE, "-g"), FILES)).debug
    both = flagged(BY_ANOTHER, "-C strip=symbols").replace("FLAGS=;", 'FLAGS="-C strip=symbols -C opt-level=3";')
    assert only_call(read(both, FILES)).stripped == STRIPPED_ALL


def test_a_musl_build_suits_all_of_the_flags() -> None:
    assert choice(flagged(IN_AN_IF, "-C target-cpu=x86-64-v3"), FILES) == "distroless/static"
    for flags in ("-C target-feature=-crt-static", "-C linker=musl-gcc"):
        text = flagged(IN_AN_IF, flags)
        assert choice(text, FILES) == "distroless/cc", flags
        assert reason(text, FILES)


def moved(step: str) -> str:
    return CLASSIC.replace("FROM debian", f"RUN {step}\nFROM debian").replace("/app/target/release/app", "/out/app")


@pytest.mark.parametrize(
    "step",
    [
        "cp target/release/app /out/app || cp target/debug/app /out/app",
        "if [ -f target/release/app ]; then cp target/release/app /out/app; else cp target/debug/app /out/app; fi",
        "cp target/release/app /out/app; [ ! -f special ] || cp special /out/app",
        "cp target/release/app /out/app; if [ -f special ]; then cp special /out/app; fi",
        "cp target/debug/app /out/app || cp target/release/app /out/app",
    ],
)
def test_a_copy_that_may_not_run_takes_no_program_away(step: str) -> None:
    text = moved(step)
    assert codes(text, FILES) >= {"DSL101", "DSL201"}
    assert "a step that may not run" in reason(text, FILES)


@pytest.mark.parametrize(
    "step",
    [
        "cp target/release/app /out/app && cp special /out/app",
        "if [ -f special ]; then cp special /out/app; else cp other /out/app; fi",
        "cp target/debug/app /out/app || cp special /out/app",
        "cp target/release/app /out/tool || cp special /out/app",
        "[ -f special ] && cp special /out/app",
    ],
)
def test_what_takes_it_away_or_brings_none(step: str) -> None:
    assert "DSL101" not in codes(moved(step), FILES)


def test_a_copy_to_another_place_changes_nothing() -> None:
    kept = "cp target/release/app /out/app; [ ! -f special ] || cp special /out/other"
    assert choice(moved(kept), FILES) == "distroless/static"


CI_IMAGE = """\
FROM ubuntu:24.04 AS base
ENV CARGO_HOME=/rust/cargo RUSTUP_HOME=/rust/rustup
RUN apt-get update && apt-get install -y ca-certificates curl clang lld && rm -rf /var/lib/apt/lists/*
RUN curl -sSf https://sh.rustup.rs | sh -s -- -y --profile=minimal
ENV PATH=/rust/cargo/bin:$PATH
FROM base AS tools
RUN cargo install --locked cargo-xwin@0.21.4
FROM base
COPY --from=tools /rust/cargo/bin/cargo-xwin /rust/cargo/bin/cargo-xwin
"""
INSTALLER = "curl -sSf https://sh.rustup.rs | sh -s -- -y --profile=minimal"


def test_an_image_that_keeps_rustup_is_a_toolchain() -> None:
    assert not read(CI_IMAGE).images
    fetched = "curl -sSfO https://static.rust-lang.org/rustup/rustup-init && chmod +x rustup-init && ./rustup-init -y"
    assert not read(CI_IMAGE.replace(INSTALLER, fetched)).images
    assert not read(CI_IMAGE + "RUN rm -rf /tmp/* rustup-init\n").images
    assert not read(CI_IMAGE + 'CMD ["bash"]\n').images


@pytest.mark.parametrize(
    "text",
    [
        CI_IMAGE + 'CMD ["cargo-xwin"]\n',
        CI_IMAGE + "RUN rustup self uninstall -y\n",
        CI_IMAGE + "RUN rm -rf /rust/rustup\n",
        CI_IMAGE.replace("FROM base\n", "FROM ubuntu:24.04\n"),
        CI_IMAGE.replace(f"RUN {INSTALLER}\n", "").replace("AS tools\n", f"AS tools\nRUN {INSTALLER}\n"),
        CI_IMAGE.replace("https://sh.rustup.rs", "https://example.com/install.sh"),
    ],
)
def test_an_image_without_rustup_or_with_a_program_to_start(text: str) -> None:
    assert len(read(text).images) == 1


def test_which_name_is_missing() -> None:
    for user, said in (("root:app", "no group app"), ("www-data:app", "no group app"), ("app:app", "no user app")):
        context = MemoryContext({path: body.encode() for path, body in FILES.items()})
        text = CLASSIC.replace("CMD", f"USER {user}\nCMD")
        found = linter.lint(Source(text.encode()), context, Settings()).findings
        assert [said in one.message for one in found if one.code == "DSL406"] == [True], user
    for user in ("root", "root:root", "0:0", "www-data:www-data", "1000:staff", "1000:"):
        assert "DSL406" not in codes(CLASSIC.replace("CMD", f"USER {user}\nCMD"), FILES), user


INSTALLED = CLASSIC.replace("cargo build --release", "cargo install --locked --path .").replace(
    "/app/target/release/app /usr/local/bin/app", "/usr/local/cargo/bin/* /usr/local/bin/"
)


def test_all_that_is_beside_an_installed_program() -> None:
    assert "DSL203" in codes(INSTALLED, FILES)
    assert "COPY --from=builder /usr/local/cargo/bin/app /usr/local/bin/app\n" in rewritten(INSTALLED, FILES)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("bin/*", "bin/a*"),
        ("bin/*", "bin/app"),
        ("COPY --from=builder /usr/local/cargo/bin/*", "ARG A\nCOPY --from=builder /usr/local/cargo/bin/$A"),
        ("/usr/local/cargo/bin/*", "/usr/local/cargo/other/*"),
        ("--path .", "--path . --root /usr/local/cargo/tools"),
        ("--from=builder", "--from=rust:1"),
    ],
)
def test_not_all_of_it(old: str, new: str) -> None:
    assert "DSL203" not in codes(INSTALLED.replace(old, new), FILES)

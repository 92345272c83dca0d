"""What somebody found who judged real Dockerfiles (the tenth to do so); each in a few lines of our own."""

from __future__ import annotations

import pytest

from dockerslim_lint import linter
from dockerslim_lint.catalog import packages
from dockerslim_lint.config import Settings
from dockerslim_lint.context import MemoryContext
from dockerslim_lint.edit import Withheld, apply
from dockerslim_lint.facts.model import ImageBuild
from dockerslim_lint.plan.decision import Plan
from dockerslim_lint.source import Source
from tests.facts.reading import CRATE, locked, read
from tests.plan.test_edits import rewritten
from tests.plan.test_native_code import choice
from tests.plan.test_withheld import CLASSIC, LOCK, SINGLE, fix, reason

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


def read_again(data: bytes) -> ImageBuild:
    return read(data.decode())


def trimmed(steps: str, kind: str, base: str = "ubuntu:24.04") -> str:
    """The steps of a final stage without its leftovers, as far as one of a `kind` asks for; or why that is not done."""
    text = CLASSIC.replace("debian:bookworm-slim", base).replace("COPY --from", f"{steps}\nCOPY --from")
    build = read(text)
    plan = Plan(build, (), read_again)
    found = plan.trim(build.images[0], kind)
    assert not plan.bugs
    if isinstance(found, Withheld):
        return found.reason
    return apply(text.encode(), found[0].edits).decode().split(base)[1].split("COPY --from")[0].strip()


CLEAN = " && rm -rf /var/lib/apt/lists/*"
LATER = "a later step may need what the one in line 6 fetches"
UPDATE = "RUN apt-get update && apt-get install -y"


def test_headers_whose_library_is_not_known_keep_no_lists() -> None:
    steps = f"{UPDATE} libssl-dev curl"
    assert trimmed(steps, "cache") == steps + CLEAN
    assert "hold the libraries alone is not known" in trimmed(steps, "tools")
    both = f"{UPDATE} libssl3 curl{CLEAN}"
    assert trimmed(steps, "cache", "debian:bookworm-slim") == trimmed(steps, "tools", "debian:bookworm-slim") == both


def test_tools_that_cannot_go_keep_no_lists() -> None:
    steps = f"{UPDATE} make && adduser me"
    assert trimmed(steps, "cache") == f"{UPDATE} make{CLEAN} && adduser me"
    assert trimmed(steps, "tools") == "the step in line 6 does more than to install make"
    for kind in ("cache", "tools"):
        assert trimmed(f"{UPDATE} make curl && adduser me", kind) == f"{UPDATE} curl{CLEAN} && adduser me"
        assert trimmed(f"{UPDATE} make", kind) == ""


def test_lists_that_cannot_go_keep_no_tools() -> None:
    steps = "RUN apt-get update\nRUN apt-get install -y {}\nRUN apt-get install -y curl"
    for base, tools, others in (("ubuntu:24.04", "make git", "git"), ("debian:bookworm-slim", "libssl-dev", "libssl3")):
        assert trimmed(steps.format(tools), "cache", base) == LATER
        assert trimmed(steps.format(tools), "tools", base) == steps.format(others)


def test_what_a_later_step_installs_from_is_still_fetched() -> None:
    for tools, base in (("make", "ubuntu:24.04"), ("zlib1g-dev", "debian:bookworm-slim")):
        leaning = f"{UPDATE} {tools}\nRUN apt-get install -y curl"
        assert trimmed(leaning, "cache", base) == trimmed(leaning, "tools", base) == LATER
        fetching = f"{UPDATE} {tools}\nRUN apt-get -q update && apt-get install -y curl"
        assert trimmed(fetching, "tools", base) == f"RUN apt-get -q update && apt-get install -y curl{CLEAN}"
    apk = "RUN apk update && apk add make\nRUN apk add curl"
    assert trimmed(apk, "tools", "alpine:3.24") == "RUN apk add --no-cache curl"


def test_the_cost_of_lost_tools_is_that_of_who_loses_them() -> None:
    plan = Plan(
        build := read(CLASSIC.replace("COPY --from", f"{UPDATE} make && adduser me\nCOPY --from")), (), read_again
    )
    found = plan.trim(build.images[0], "cache")
    assert not isinstance(found, Withheld) and not found[0].cost


def debug_build(text: str, files: dict[str, str] = FILES) -> str:
    """What is said of a debug build, "" for nothing."""
    context = MemoryContext({path: body.encode() for path, body in files.items()})
    found = linter.lint(Source(text.encode()), context, Settings()).findings
    return next((one.message for one in found if one.code == "DSL204"), "")


DEV = CLASSIC.replace("--release", "").replace("release", "debug")
WITH = ", and with debug information."


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("", WITH),
        ("ENV CARGO_PROFILE_DEV_DEBUG=1", WITH),
        ("ENV CARGO_PROFILE_RELEASE_DEBUG=0", WITH),
        ("ENV CARGO_PROFILE_DEV_STRIP=none", WITH),
        ("ENV CARGO_PROFILE_DEV_DEBUG=0", "not optimised."),
        ("ENV CARGO_PROFILE_DEV_DEBUG=none", "not optimised."),
        ("ENV CARGO_PROFILE_DEV_STRIP=true", "not optimised."),
        ("ENV CARGO_PROFILE_DEV_STRIP=debuginfo", "not optimised."),
    ],
)
def test_debug_information_that_is_left_out_is_not_said_to_be_there(setting: str, said: str) -> None:
    assert debug_build(DEV.replace("COPY . .", f"{setting}\nCOPY . .")).endswith(said)


def test_the_manifest_leaves_it_out_too() -> None:
    for line, said in (("debug = false", "not optimised."), ("debug = 0", "not optimised."), ("debug = 1", WITH)):
        assert debug_build(DEV, {**FILES, "Cargo.toml": f"{FILES['Cargo.toml']}[profile.dev]\n{line}\n"}).endswith(said)


def copying(step: str) -> str:
    text = DEV.replace("RUN cargo build", f'ARG FLAGS=""\nRUN cargo build $FLAGS\nRUN {step}')
    return text.replace("/app/target/debug/app", "/out/app")


@pytest.mark.parametrize(
    "step", ["cp -r target/debug /out", "mkdir /out && mv ./target/debug/app /out/", "cp -r target/debug/ /out"]
)
def test_what_is_copied_from_debug_is_a_debug_build_whatever_the_variable_says(step: str) -> None:
    assert debug_build(copying(step)).endswith(WITH)
    assert any("a variable may ask for the profile" in one.reason for one in fix(copying(step), FILES).held)


@pytest.mark.parametrize(
    "step",
    [
        "cp -r target/* /out",
        'if [ "$FLAGS" = --release ]; then cp -r target/release /out; else cp -r target/debug /out; fi',
        "ls target/debug; cp -r target/* /out",
    ],
)
def test_a_path_that_leaves_it_open(step: str) -> None:
    assert not debug_build(copying(step))


@pytest.mark.parametrize(("crate", "chosen"), [("libproc", "distroless/static"), ("libproc2", "debian-slim")])
def test_libproc_is_rust_alone_though_it_locks_bindgen(crate: str, chosen: str) -> None:
    assert choice(CLASSIC, locked(**{crate: "bindgen", "bindgen": ""})) == chosen
    assert choice(CLASSIC, locked(dbghelp__sys="winapi", winapi="")) == "distroless/static"


@pytest.mark.parametrize(
    ("name", "only"), [("protobuf-compiler-grpc", True), ("libgrpc29", False), ("libprotoc32", False)]
)
def test_protocs_plugins_are_for_a_build_alone(name: str, only: bool) -> None:
    assert packages.only_builds("apt", name) is only


OF_UBUNTU = SINGLE.replace("FROM rust:1", "FROM ubuntu:22.04\nRUN apt-get update && apt-get install -y {}")


@pytest.mark.parametrize(
    ("installed", "chosen"),
    [
        ("cargo", "distroless/cc"),
        ("rustc-1.75 cargo-1.75 build-essential", "distroless/cc"),
        ("cargo docker.io", ""),
        ("cargo golang", ""),
        ("cargo cargo-c", ""),
    ],
)
def test_the_rust_of_a_distribution_stays_in_the_builder(installed: str, chosen: str) -> None:
    assert choice(OF_UBUNTU.format(installed), FILES) == chosen


def test_it_stays_with_a_program_that_compiles() -> None:
    starts = 'fn main() { std::process::Command::new("cargo").status().unwrap(); }\n'
    assert choice(OF_UBUNTU.format("cargo"), {**FILES, "src/main.rs": starts}) == ""


SYSTEM = locked(native__tls="openssl-sys", openssl__sys="")


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ("RUN apt-get update && apt-get install -y tini", "; distroless/cc: the final stage installs tini"),
        ("RUN echo 1 > /etc/app", "; distroless/cc: "),
    ],
)
def test_why_not_distroless_cc_is_said_beside_why_not_musl(steps: str, told: str) -> None:
    text = CLASSIC.replace("COPY --from", f"{steps}\nCOPY --from")
    build = read(text, SYSTEM)
    plan = Plan(build, (), lambda data: read(data.decode(), SYSTEM))
    why, known = plan.settled(build.images[0])
    assert why.startswith("the locked crate native-tls links the system's library") and told in why
    assert known and "distroless/static" not in why and "alpine" not in why


@pytest.mark.parametrize(
    ("install", "builder", "cache", "tools"),
    [
        ("curl make", "apt-get install -y git && cargo", LATER, "line 6 is of a stage on which others are built"),
        ("curl make", "apt-get update && apt-get install -y git && cargo", CLEAN, "on which others are built"),
        ("curl", "cargo", CLEAN, CLEAN),
    ],
)
def test_what_a_builder_takes_from_the_stage_below_stays(install: str, builder: str, cache: str, tools: str) -> None:
    own, final = CLASSIC.split("FROM debian:bookworm-slim\n")
    own = own.replace("FROM rust:1", "FROM base").replace("RUN cargo", f"RUN {builder}")
    text = f"# one\n# two\n# three\n# four\nFROM ubuntu:24.04 AS base\n{UPDATE} {install}\n{own}FROM base\n{final}"
    build = read(text)
    plan = Plan(build, (), read_again)
    for kind, said in (("cache", cache), ("tools", tools)):
        found = plan.trim(build.images[0], kind)
        done = found.reason if isinstance(found, Withheld) else apply(text.encode(), found[0].edits).decode()
        assert said in done
    assert not plan.bugs

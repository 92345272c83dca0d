"""What somebody found who judged real Dockerfiles without knowing the code; each in a few lines of our own."""

from __future__ import annotations

import pytest

from dockerslim_lint import linter
from dockerslim_lint.config import Settings
from dockerslim_lint.context import MemoryContext
from dockerslim_lint.edit import Safety
from dockerslim_lint.finding import Severity
from dockerslim_lint.source import Source
from tests.facts.reading import CRATE, locked, read
from tests.plan.test_chef import CHEF
from tests.plan.test_edits import rewritten
from tests.plan.test_native_code import choice
from tests.plan.test_withheld import CLASSIC, LOCK, fix, reason

FILES = {**CRATE, "Cargo.lock": LOCK.format("itoa")}


def codes(text: str, files: dict[str, str]) -> set[str]:
    context = MemoryContext({path: body.encode() for path, body in files.items()})
    return {finding.code for finding in linter.lint(Source(text.encode()), context, Settings()).findings}


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("RUN --mount=type=cache,target=/usr/local/rustup cargo", "toolchains in a mount"),
        ("RUN rustup default nightly && cargo", "another toolchain"),
        ("RUN rustup override set beta && cargo", "another toolchain"),
    ],
)
def test_the_target_would_go_to_another_toolchain(step: str, said: str) -> None:
    text = CLASSIC.replace("RUN cargo", step)
    assert said in reason(text, FILES)
    assert choice(text, FILES) == "distroless/cc"


def test_a_toolchain_chosen_before_is_the_one_that_gets_it() -> None:
    assert choice(CLASSIC.replace("RUN cargo", "RUN rustup default nightly\nRUN cargo"), FILES) == "distroless/static"


def test_a_toolchain_file_that_is_only_bound() -> None:
    text = CLASSIC.replace("COPY . .\n", "").replace(
        "RUN cargo build --release",
        "RUN --mount=type=bind,target=/app,rw cargo build --release --target-dir /out && cp /out/release/app /srv/app",
    )
    text = text.replace("/app/target/release/app", "/srv/app")
    files = {**FILES, "rust-toolchain.toml": '[toolchain]\nchannel = "1.85.0"\n'}
    fixed = fix(text, files)
    assert fixed.bug is None
    assert "only there while" in reason(text, files)


def test_build_arguments_stay_arguments() -> None:
    text = CLASSIC.replace("WORKDIR /app", "WORKDIR /app\nARG NAME=app").replace(
        "COPY --from=builder /app/target/release/app /usr/local/bin/app",
        'ARG UID=10001 NAME=app\nRUN adduser --disabled-password --gecos "" --no-create-home --uid "${UID}" app\n'
        "USER app\nCOPY --from=builder /app/target/release/${NAME} /usr/local/bin",
    )
    after = rewritten(text, FILES)
    assert "USER ${UID}:${UID}\n" in after
    assert "/release/${NAME} /usr/local/bin/\n" in after
    kept = rewritten(text.replace("USER app", "RUN mkdir /d\nUSER app").replace("--no-create-home ", ""), FILES)
    assert "adduser -D -g '' -u \"${UID}\" app\n" in kept


def test_a_profile_in_a_variable_is_stripped_by_its_default() -> None:
    text = CLASSIC.replace("RUN cargo build --release", "ARG P=release\nRUN cargo build --profile $P")
    assert "CARGO_PROFILE_RELEASE_STRIP=symbols cargo build --profile $P --target" in rewritten(text, FILES)
    assert "only known when it runs" in reason(text.replace("P=release", "P"), FILES)


def test_cargo_new_makes_a_placeholder() -> None:
    text = (
        "FROM rust:1 AS b\nWORKDIR /usr/src\nRUN cargo new --bin app\nWORKDIR /usr/src/app\nCOPY Cargo.toml Cargo.lock ./\n"
        "RUN cargo build --release\nRUN rm src/*.rs\nCOPY src ./src\nRUN cargo build --release\nFROM debian:bookworm-slim\n"
        'COPY --from=b /usr/src/app/target/release/app /usr/local/bin/\nCMD ["app"]\n'
    )
    assert "DSL307" in codes(text, FILES)
    assert "DSL307" not in codes(text.replace("rm src/*.rs", "rm src/*.rs target/release/deps/app*"), FILES)


def test_the_release_s_own_libc_changes_nothing() -> None:
    text = CLASSIC.replace("rust:1 ", "rust:1-trixie ").replace(
        "COPY --from", "RUN apt-get update && apt-get install -y libc6\nCOPY --from"
    )
    assert "DSL103" in codes(text, FILES)
    for other in ("-t trixie libc6", "libc6=2.41-12", "libc6/trixie"):
        assert "DSL103" not in codes(text.replace("install -y libc6", f"install -y {other}"), FILES)


def test_flags_that_are_only_known_at_build_time_are_no_bug() -> None:
    text = CLASSIC.replace("RUN cargo", 'ARG X\nRUN if [ -n "$X" ]; then export RUSTFLAGS="$X"; fi && cargo')
    fixed = fix(text, FILES)
    assert fixed.bug is None
    assert not any("our bug" in note for note in fixed.report.notes)


@pytest.mark.parametrize(("zone", "installed"), [("UTC", False), ("Etc/UTC", False), ("Europe/Paris", True)])
def test_utc_needs_no_time_zones(zone: str, installed: bool) -> None:
    text = CLASSIC.replace("CMD", f"ENV TZ={zone}\nRUN mkdir /d\nCMD")
    assert choice(text, FILES) == "alpine"
    assert ("apk add --no-cache tzdata" in rewritten(text, FILES)) is installed


CACHED = """\
FROM rust:1
WORKDIR /app
COPY . /app
RUN --mount=type=cache,target=/app/target cargo build --release --locked
RUN --mount=type=cache,target=/app/target cp /app/target/release/app /usr/bin/
WORKDIR /
CMD ["app"]
"""


def test_a_cache_mount_keeps_what_an_earlier_step_left_in_it() -> None:
    assert {"DSL101", "DSL202"} <= codes(CACHED, FILES)
    two = CACHED.replace("FROM rust:1", "FROM rust:1 AS b").replace(
        "WORKDIR /\n", "FROM debian:bookworm-slim\nCOPY --from=b /usr/bin/app /usr/bin/\n"
    )
    after = rewritten(two, FILES)
    assert 'cp /app/target/"$(uname -m)"-unknown-linux-musl/release/app /usr/bin/' in after
    # another place, or no mount, does not bring it back
    for other in ("RUN --mount=type=cache,target=/app/other cp", "RUN cp"):
        assert "DSL101" not in codes(CACHED.replace("RUN --mount=type=cache,target=/app/target cp", other), FILES)


SQLITE = locked(foo="libsqlite3-sys", libsqlite3__sys="")
BARE = (
    CLASSIC.replace("rust:1 ", "rust:1-slim-trixie ").split("FROM debian")[0]
    + 'FROM gcr.io/distroless/cc-debian12\nCOPY --from=builder /app/target/release/app /usr/bin/app\nCMD ["/usr/bin/app"]\n'
)


def test_what_the_builder_has_no_headers_of_is_not_linked() -> None:
    assert choice(BARE, SQLITE) == "distroless/cc"
    assert "FROM gcr.io/distroless/cc-debian13\n" in rewritten(BARE, SQLITE)
    fat = BARE.replace("gcr.io/distroless/cc-debian12", "debian:trixie-slim")
    assert choice(fat, SQLITE) == "distroless/cc"
    with_headers = fat.replace("COPY . .", "RUN apt-get update && apt-get install -y libsqlite3-dev\nCOPY . .")
    assert choice(with_headers, SQLITE) == "debian-slim"


def test_what_a_distroless_image_lacks_it_does_not_need() -> None:
    full = BARE.replace("-slim-trixie", "-trixie")
    files = {**SQLITE, ".cargo/config.toml": '[target.aarch64-unknown-linux-musl]\nrustflags = ["-Clinker=rust-lld"]\n'}
    fixed = fix(full, files)
    assert fixed.bug is None
    assert choice(full, files) == "distroless/cc"


def test_packages_keep_an_image_without_an_error() -> None:
    text = CLASSIC.replace("COPY --from", "RUN apt-get update && apt-get install -y nobody-knows-it\nCOPY --from")
    text = text.replace("rust:1 ", "rust:1-bookworm ")
    (found,) = [one for one in fix(text, FILES).report.findings if one.code == "DSL101"]
    assert found.severity is Severity.INFO
    assert "nobody-knows-it" in found.message


def test_nothing_is_started_on_scratch_without_a_command() -> None:
    text = CLASSIC.replace("debian:bookworm-slim", "scratch").split("CMD")[0]
    assert "DSL102" not in codes(text, FILES)
    assert choice(text, FILES) == ""


@pytest.mark.parametrize("flag", ["-s", "-Dsm755", "-D -m 755 -s", "--strip"])
def test_install_strips(flag: str) -> None:
    text = CLASSIC.replace("--release\n", f"--release && install {flag} target/release/app /srv/app\n").replace(
        "/app/target/release/app", "/srv/app"
    )
    assert "DSL201" not in codes(text, FILES)
    assert "DSL201" in codes(text.replace(flag, "-m 755 -o s"), FILES)


def test_a_copy_of_the_output_directory_has_its_own_name() -> None:
    for program, whole in (("cp -r", ""), ("mv", ""), ("cp -R", "/."), ("cp -a", "/./.")):
        text = CLASSIC.replace("--release\n", f"--release\nRUN {program} target/release{whole} /rel\n").replace(
            "/app/target/release/app", "/rel/app"
        )
        after = rewritten(text, FILES)
        assert f'RUN {program} target/"$(uname -m)"-unknown-linux-musl/release{whole} /rel\n' in after
        assert "COPY --from=builder /rel/app " in after


def test_an_assignment_behind_a_word_is_none() -> None:
    text = CLASSIC.replace("RUN cargo", "ARG L\nRUN ${L:+env A=$L} cargo")
    assert fix(text, FILES).bug is None
    assert "RUN CARGO_PROFILE_RELEASE_STRIP=symbols ${L:+env A=$L} cargo build --release" in rewritten(text, FILES)
    both = text.replace("RUN ${L", "RUN RUSTFLAGS=-Clto ${L")
    after = "RUN CARGO_PROFILE_RELEASE_STRIP=symbols RUSTFLAGS=-Clto ${L:+env A=$L} cargo build --release"
    assert after in rewritten(both, FILES)


def test_cook_for_another_target_keeps_its_profile() -> None:
    text = (
        "FROM rust:1 AS b\nWORKDIR /app\nRUN cargo install cargo-chef\nCOPY recipe.json .\n"
        "RUN cargo chef cook --release --target wasm32-unknown-unknown\nRUN cargo chef cook --release\nCOPY . .\n"
        "RUN cargo build --release\nFROM gcr.io/distroless/cc-debian13\nCOPY --from=b /app/target/release/app /app\n"
        'CMD ["/app"]\n'
    )
    after = rewritten(text, FILES)
    assert "RUN cargo chef cook --release --target wasm32-unknown-unknown\n" in after
    assert "RUN CARGO_PROFILE_RELEASE_STRIP=symbols cargo chef cook --release\n" in after


def test_two_images_that_want_other_steps_of_one_stage() -> None:
    text = (
        CLASSIC.split("FROM debian")[0] + "FROM debian:trixie-slim AS base\nRUN useradd -m u\n"
        'FROM base AS api\nCOPY --from=builder /app/target/release/app /usr/bin/app\nCMD ["app"]\n'
        'FROM base\nCOPY --from=builder /app/target/release/app /usr/bin/app\nUSER u\nCMD ["app"]\n'
    )
    assert fix(text, FILES).bug is None
    assert not any("our bug" in note for note in fix(text, FILES).report.notes)


def test_the_cost_names_another_user() -> None:
    text = CLASSIC.replace("COPY --from", "RUN useradd app\nUSER app\nCOPY --from")
    (applied,) = [one.fix for one in fix(text, FILES).applied if one.fix.key.startswith("slim:")]
    assert "app becomes user 65532" in applied.cost


def test_a_target_that_is_no_stage_is_said() -> None:
    notes = fix(CLASSIC, FILES, Settings(target="nope")).report.notes
    assert 'there is no stage "nope", which the settings name as the target: the last one is taken' in notes


def test_a_copy_whose_source_nobody_knows_is_no_copy_of_the_outputs() -> None:
    copy = "COPY --from=builder ${DIR:-/null?} $DIR/\nCOPY --from=builder /app/target/release/app"
    text = CLASSIC.replace("COPY --from=builder /app/target/release/app", copy)
    unknown = text.replace("debian:bookworm-slim", "example.com/base:1\nARG S\nENV DIR=${S:+/app/src}")
    (image,) = read(unknown, FILES).images
    assert not image.outputs and dict(image.artifacts)
    (image,) = read(
        CLASSIC.replace("/app/target/release/app /usr/local/bin/app", "/app/target/release /out"), FILES
    ).images
    assert image.outputs


COOKED_TWICE = """\
FROM lukemathwalker/cargo-chef:latest-rust-1.92-bookworm AS chef
WORKDIR /app
FROM chef AS planner
COPY . .
RUN cargo chef prepare --recipe-path recipe.json
FROM chef AS builder
COPY --from=planner /app/recipe.json recipe.json
RUN cargo chef cook --release --recipe-path recipe.json
COPY . .
FROM builder AS one
RUN cargo build --release --locked
FROM builder AS two
RUN cargo build --release --locked --no-default-features
FROM gcr.io/distroless/cc-debian13 AS http
COPY --from=one /app/target/release/app /app
ENTRYPOINT ["/app"]
FROM gcr.io/distroless/cc-debian13 AS grpc
COPY --from=two /app/target/release/app /app
ENTRYPOINT ["/app"]
"""


def test_a_cook_ahead_of_two_builds_gets_the_setting_once() -> None:
    settings = Settings(select=("DSL201",))
    after = fix(COOKED_TWICE, FILES, settings, Safety.SAFE).source.data.decode()
    set_ = "RUN CARGO_PROFILE_RELEASE_STRIP=symbols cargo"
    assert after == COOKED_TWICE.replace("RUN cargo chef cook", f"{set_} chef cook").replace(
        "RUN cargo build", f"{set_} build"
    )


UNLISTED = locked(openmp__sys="")


def said_of(text: str, files: dict[str, str]) -> str:
    fixed = fix(text, files)
    held = [one.reason for one in fixed.held]
    return "; ".join((*held, *(one.fix.cost for one in fixed.applied)))


@pytest.mark.parametrize("name", ["libomp-dev", "libhwloc15", "libwhatever7"])
def test_a_library_that_no_listed_crate_links_speaks_for_glibc_beside_a_crate_that_nobody_knows(name: str) -> None:
    text = CLASSIC.replace("COPY --from", f"RUN apt-get update && apt-get install -y {name}\nCOPY --from")
    assert f"{name} (line 6) may be linked: the locked crate openmp-sys" in said_of(text, UNLISTED)
    assert "may be linked" not in said_of(text, FILES)


@pytest.mark.parametrize("name", ["libssl3", "libpq-dev", "ca-certificates", "libc6", "libstdc++6", "curl", "openssl"])
def test_a_library_of_a_listed_crate_says_nothing_of_another(name: str) -> None:
    text = CLASSIC.replace("COPY --from", f"RUN apt-get update && apt-get install -y {name}\nCOPY --from")
    assert "may be linked: the locked crate openmp-sys" not in said_of(text, UNLISTED)


def test_cook_gets_no_flags_that_only_one_of_its_builds_has() -> None:
    files = {**FILES, "Cargo.toml": f'{FILES["Cargo.toml"]}[features]\nhttp = ["itoa/x"]\n'}
    other = COOKED_TWICE.replace("--no-default-features", "--features http")
    assert "cook in line 8 also warms the build in line 1" in said_of(other, files)
    alike = other.replace("--locked\n", "--locked --features http\n")
    assert "cook --release --recipe-path recipe.json --features http\n" in fix(alike, files).source.data.decode()


PINNED = {**FILES, "rust-toolchain.toml": '[toolchain]\nchannel = "1.90"\n'}


@pytest.mark.parametrize(
    ("before", "chosen"),
    [
        ("FROM chef AS planner", "distroless/static"),
        ("RUN cargo chef cook", "distroless/static"),
        ("COPY . .\nRUN cargo chef prepare", "distroless/cc"),  # the planner alone has it
        ("COPY . .\nRUN cargo build", "distroless/cc"),
    ],
)
def test_a_toolchain_file_that_is_there_before_cook_chooses_for_both(before: str, chosen: str) -> None:
    text = CHEF.replace(before, f"COPY rust-toolchain.toml .\n{before}")
    assert choice(text, PINNED) == chosen
    assert choice(text, FILES) == "distroless/static"


def test_a_toolchain_file_in_another_directory_is_not_cooks() -> None:
    text = CHEF.replace("FROM chef AS planner", "COPY rust-toolchain.toml /elsewhere/\nFROM chef AS planner")
    assert choice(text, PINNED) == "distroless/cc"


@pytest.mark.parametrize("tag", ["12.3.2-cudnn9-runtime-ubuntu22.04", "12.0.0-base-ubuntu20.04"])
def test_an_image_for_cuda_has_an_old_glibc_and_is_kept(tag: str) -> None:
    text = CLASSIC.replace("rust:1 ", "rust:1.90-trixie ").replace("debian:bookworm-slim", f"nvidia/cuda:{tag}")
    assert "DSL103" in codes(text, FILES) and "DSL101" not in codes(text, FILES)
    assert reason(text, FILES) == f"nvidia/cuda:{tag} is chosen for CUDA, which another base does not have"


@pytest.mark.parametrize("tag", ["12.3.2-runtime-ubuntu24.04", "12.3.2-runtime-ubi9", "latest", "$TAG"])
def test_of_other_images_for_cuda_nothing_is_said(tag: str) -> None:
    text = CLASSIC.replace("rust:1 ", "rust:1.90-bookworm ").replace("debian:bookworm-slim", f"nvidia/cuda:{tag}")
    assert not codes(text, FILES) & {"DSL101", "DSL103"}


def test_who_installs_headers_and_library_links_it_although_it_may_be_compiled_in() -> None:
    openssl = {
        "openssl": "=0.10.60 openssl-sys",
        "openssl__sys": "=0.9.100 openssl-src",
        "openssl__src": "cc",
        "cc": "",
    }
    files = locked(native__tls="=0.2.12 openssl openssl-sys", **openssl)
    files["Cargo.toml"] += '[features]\nown = ["native-tls/vendored"]\n'
    plain = CLASSIC.replace("rust:1 ", "rust:1-bookworm ").replace(
        "RUN cargo build", "ARG FLAGS\nRUN cargo build --frozen $FLAGS"
    )
    builder = plain.replace("RUN cargo", "RUN apt-get update && apt-get install -y libssl-dev\nRUN cargo")
    final = "RUN apt-get update && apt-get install -y libssl3\nCOPY --from"
    assert "static" in choice(plain, files)
    assert "static" in choice(builder, files)
    assert "static" in choice(plain.replace("COPY --from", final), files)
    assert choice(builder.replace("COPY --from", final), files) == "distroless/cc"


OTHERS = ["node:20-{}", "python:3.12-{}", "nginx:1.27-{}", "postgres:16-{}", "nvidia/cuda:12-runtime-{}"]


@pytest.mark.parametrize("base", OTHERS[:-1])
def test_a_glibc_program_on_somebody_elses_alpine_gets_musl_and_the_base_stays(base: str) -> None:
    text = CLASSIC.replace("debian:bookworm-slim", base.format("alpine3.22"))
    assert "DSL102" in codes(text, FILES)
    fixed = fix(text, FILES)
    assert fixed.bug is None and "-unknown-linux-musl\nFROM" in fixed.source.data.decode()
    assert f"FROM {base.format('alpine3.22')}\n" in fixed.source.data.decode()


@pytest.mark.parametrize("base", OTHERS[:-1])
@pytest.mark.parametrize(
    ("suite", "old"), [("bullseye", True), ("slim-bullseye", True), ("bookworm", False), ("slim", False)]
)
def test_the_glibc_of_somebody_elses_image_is_its_suites(base: str, suite: str, old: bool) -> None:
    text = CLASSIC.replace("rust:1 ", "rust:1-bookworm ").replace("debian:bookworm-slim", base.format(suite))
    assert ("DSL103" in codes(text, FILES)) is old
    assert fix(text, FILES).source.data.decode().split("FROM ")[2] == text.split("FROM ")[2]


@pytest.mark.parametrize("base", ["node:20-bookworm-slim", "python:3.12-alpine", "nvidia/cuda:12.1-base-ubuntu22.04"])
@pytest.mark.parametrize(
    "start",
    [
        'CMD ["/usr/local/bin/docker-entrypoint.sh", "app"]',
        'ENTRYPOINT ["/opt/theirs/start"]\nCMD ["app"]',
        'USER theirs\nHEALTHCHECK CMD theirs --check\nCMD ["app"]',
        'RUN adduser -D me && usermod -aG theirs me\nUSER me\nCMD ["theirs", "app"]',
    ],
)
def test_what_else_is_in_such_an_image_is_not_known(base: str, start: str) -> None:
    text = CLASSIC.replace("debian:bookworm-slim", base).replace('CMD ["app"]', start)
    text = text.replace("rust:1 ", "rust:1-alpine " if "alpine" in base else "rust:1-bookworm ")
    assert not {code for code in codes(text, FILES) if code.startswith("DSL4")} - {"DSL402", "DSL407"}


def test_a_crate_that_only_compiles_its_own_links_no_library() -> None:
    text = CLASSIC.replace("COPY --from", "RUN apt-get update && apt-get install -y libhwloc15\nCOPY --from")
    assert "may be linked" not in said_of(text, locked(fast="cc", cc=""))
    assert "the locked crate fast may link a library" in said_of(text, locked(fast="pkg-config", pkg__config=""))

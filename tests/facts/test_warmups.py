"""Placeholders in the sources' place, builds ahead of the sources, and outputs in mounts."""

from __future__ import annotations

import pytest

from tests.facts.reading import read

FILES = {"Cargo.toml": '[package]\nname = "app"\nversion = "0.1.0"\n', "src/main.rs": "fn main() {}\n"}

TRICK = """\
FROM rust:1
WORKDIR /app
COPY Cargo.toml ./
RUN mkdir src && echo "fn main() {}" > src/main.rs
RUN cargo build --release
COPY . .
RUN cargo build --release
"""


def test_a_placeholder_is_taken_for_the_source() -> None:
    build = read(TRICK, FILES)
    (stale,) = build.stale
    assert (stale.call, stale.earlier, stale.sources, stale.copy) == (1, 0, ("/app/src/main.rs",), 5)
    assert [(one.kind, one.profile) for one in build.warmups] == [("placeholder", "release")]


SCRIPTED = TRICK.replace("COPY Cargo.toml ./", "COPY Cargo.toml build.rs ./")
ITSELF = 'println!("cargo:rerun-if-changed=build.rs");'


def test_a_build_script_that_looks_at_itself_alone() -> None:
    for script in (
        f"fn main() {{\n    {ITSELF}\n}}\n",
        f"fn main() {{ {ITSELF} }}\n",
        f"use x;\n\nfn main() {{\n    // other\n    x::run();\n    {ITSELF.replace(':', '::')}\n    // {ITSELF.replace('build', 'x')}\n}}\n",
    ):
        (stale,) = read(SCRIPTED, {**FILES, "build.rs": script}).stale
        assert stale.sources == ("/app/src/main.rs",)


@pytest.mark.parametrize(
    "lines",
    [
        "",
        f"// {ITSELF}",
        f"if x() {{\n        {ITSELF}\n    }}",
        ITSELF.replace("build.rs", "src"),
        ITSELF.replace("build.rs", "build.rs.in"),
        f"{ITSELF}\n    {ITSELF.replace('build.rs', '.git/HEAD')}",
        f'{ITSELF}\n    println!("cargo:rerun-if-env-changed=VERSION");',
        'println!("cargo:rerun-if-env-changed=VERSION");',
    ],
)
def test_a_build_script_that_cargo_may_run_again(lines: str) -> None:
    assert not read(SCRIPTED, {**FILES, "build.rs": f"fn main() {{\n    {lines}\n}}\n"}).stale


def test_a_build_script_that_was_not_there_before() -> None:
    files = {**FILES, "build.rs": f"fn main() {{\n    {ITSELF}\n}}\n"}
    assert not read(TRICK, files).stale
    assert not read(SCRIPTED.replace("build.rs ./", "build.rs build/"), files).stale
    other = SCRIPTED.replace("Cargo.toml build.rs ./", "Cargo.toml ./\nCOPY --from=x build.rs ./")
    assert not read(other, files).stale


@pytest.mark.parametrize("step", ["cargo init", "cargo new --bin .", "touch src/main.rs", "tee src/main.rs"])
def test_ways_to_make_one(step: str) -> None:
    assert read(TRICK.replace('echo "fn main() {}" > src/main.rs', step), FILES).stale


@pytest.mark.parametrize(
    ("table", "flags", "member"),
    [
        ("dependencies", "", True),
        ("build-dependencies", "", True),
        ("dev-dependencies", "", False),
        ("dev-dependencies", " --workspace", True),
        ("dev-dependencies", " -p tools", True),
    ],
)
def test_only_what_the_call_compiles_is_taken(table: str, flags: str, member: bool) -> None:
    other = '[package]\nname = "tools"\nversion = "0.1.0"\n'
    use = f'[{table}]\ntools = {{ path = "tools" }}\n[workspace]\nmembers = ["tools"]\n'
    files = {
        **FILES,
        "Cargo.toml": FILES["Cargo.toml"] + use,
        "tools/Cargo.toml": other,
        "tools/src/lib.rs": "",
        "Cargo.lock": "version = 4\n" + '[[package]]\nname = "app"\nversion = "0.1.0"\ndependencies = ["tools"]\n'
        f"[{other[:9]}]{other[9:]}",
    }
    text = TRICK.replace("mkdir src", "mkdir -p src tools/src && touch tools/src/lib.rs")
    (stale,) = read(
        text.replace("COPY . .\nRUN cargo build --release", f"COPY . .\nRUN cargo build --release{flags}"), files
    ).stale
    assert ("/app/tools/src/lib.rs" in stale.sources) is member
    assert ("/app/src/main.rs" in stale.sources) is ("-p" not in flags)


def test_a_stage_has_what_its_parent_has() -> None:
    text = TRICK.replace("FROM rust:1", "FROM rust:1 AS first").replace("COPY . .", "FROM first\nCOPY . .")
    assert [one.copy for one in read(text, FILES).stale] == [6]


@pytest.mark.parametrize(
    "step",
    [
        "RUN rm -rf target",
        "RUN rm target/release/deps/app*",
        "RUN touch src/main.rs",
        "RUN find . -name '*.rs' -exec touch {} +",
        "RUN ./clean.sh",
        "RUN cargo clean -p app",
        "RUN sed -i s/a/b/ src/main.rs",
        "RUN git checkout .",
        "COPY --from=rust:1 /src src",
    ],
)
def test_what_makes_cargo_build_the_source(step: str) -> None:
    assert not read(TRICK.replace("COPY . .", f"COPY . .\n{step}"), FILES).stale


def test_the_same_call_twice_is_not_enough() -> None:
    for old, new in (
        ("COPY . .\nRUN cargo build --release", "COPY . .\nRUN cargo build --release --features a"),
        ("COPY . .\n", "COPY . .\nENV RUSTFLAGS=-Copt-level=3\n"),
        ("RUN cargo build --release\nCOPY", "RUN cargo build --release || true\nCOPY"),
        ("RUN cargo build --release\nCOPY", "RUN --mount=type=cache,target=target cargo build --release\nCOPY"),
    ):
        assert not read(TRICK.replace(old, new), FILES).stale


FLAGS = {
    ".cargo/config.toml": "[build]\nrustflags = ['-g']\n",
    "rust-toolchain.toml": '[toolchain]\nchannel = "1.80"\n',
}
SED = "RUN sed -i 's/^version.*/version = \"0.0.0\"/' Cargo.toml && cargo"


@pytest.mark.parametrize(
    ("old", "new", "files"),
    [
        ("COPY . .", "COPY . .", FLAGS),
        ("COPY . .", "COPY src src\nCOPY .cargo .cargo", FLAGS),
        ("COPY . .", "COPY src src\nCOPY rust-toolchain.toml .", FLAGS),
        ("COPY . .", "COPY src src\nRUN mkdir .cargo && echo '[profile.release]' > .cargo/config", {}),
        ("COPY . .", "COPY . .\nRUN echo 'lto = true' >> Cargo.toml", {}),
        ("COPY . .", "COPY . .\nRUN cargo update", {}),
        ("COPY . .", "COPY . .\nRUN rustup default nightly", {}),
        ("COPY . .", "COPY . .\nENV CC=clang", {}),
        ("COPY . .", "COPY . .\nENV CARGO_INCREMENTAL=0", {}),
        ("COPY . .", "COPY . .\nARG CFLAGS=-O3", {}),
        ("RUN cargo build --release\nCOPY", f"{SED} build --release\nCOPY", {}),
        ("RUN cargo build --release\nCOPY", "RUN cargo --config a=1 build --release\nCOPY", {}),
        ("COPY Cargo.toml ./\nRUN mkdir src &&", "RUN cargo init &&", {}),
    ],
)
def test_what_cargo_reads_besides_is_another(old: str, new: str, files: dict[str, str]) -> None:
    assert old in TRICK and not read(TRICK.replace(old, new), {**FILES, **files}).stale


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("COPY Cargo.toml ./", "COPY Cargo.toml rust-toolchain.toml ./\nCOPY .cargo .cargo"),
        ("COPY . .", "COPY src src\nENV RUST_LOG=info APP_PORT=80\nARG COMMIT"),
        ("COPY . .", "COPY src src\nRUN mkdir out && ls"),
        ("RUN mkdir", "RUN cp Cargo.toml / && mkdir"),
    ],
)
def test_what_changes_nothing_for_cargo(old: str, new: str) -> None:
    files = {**FILES, **FLAGS} if "COPY .cargo" in new else FILES
    text = TRICK.replace("COPY . .", "COPY src src") if "cp " in new else TRICK
    assert old in text and read(text.replace(old, new), files).stale


def test_cooks_and_features() -> None:
    (cook,) = read("FROM rust:1\nRUN cargo chef cook --release -F b,a --target x --no-default-features\n").warmups
    assert (cook.kind, cook.profile, cook.target.pattern) == ("cook", "release", "x")
    assert cook.features == ("--no-default-features", "a", "b")


def test_outputs_in_a_mount_are_lost_behind_their_run() -> None:
    text = "FROM rust:1\nWORKDIR /a\nRUN --mount=type=cache,id=t,target=target/ cargo build\nRUN {}\n"
    for step in ("cp target/debug/x /x", "strip target/debug/x", "mv ./target/debug/x /a/y"):
        (lost,) = read(text.format(step)).lost
        assert (lost.path, lost.mount.target, lost.mount.varies) == ("/a/target/debug/x", "/a/target", False)
    for step in (
        "mkdir -p target/debug",
        "rm -rf target/debug",
        "cp x target/debug/x",
        "cp target/debug/x /x || true",
        "--mount=type=cache,target=/a/target cp target/debug/x /x",
    ):
        assert not read(text.format(step)).lost


@pytest.mark.parametrize(
    ("user", "flag", "owned"),
    [
        ("USER b", "", False),
        ("USER b", "--chown=b ", True),
        ("USER b:b", "--chown=b:c ", True),
        ("USER b", "--chown=1000 ", False),
        ("USER b", "--chown=root ", False),
        ("USER 1000:1000", "--chown=1000 ", True),
        ("ARG WHO=b\nUSER $WHO", "--chown=$WHO ", True),
        ("USER b\nUSER root", "", True),
        ("USER 0:0", "--chown=b ", True),
        ("ENV A=b", "", True),
    ],
)
def test_who_may_touch_the_sources(user: str, flag: str, owned: bool) -> None:
    text = TRICK.replace("WORKDIR", f"{user}\nWORKDIR").replace("COPY . .", f"COPY {flag}. .")
    assert [one.owned for one in read(text, FILES).stale] == [owned]


def test_the_user_of_an_image_nobody_knows() -> None:
    text = TRICK.replace("rust:1", "example.com/rust:1")
    assert [one.owned for one in read(text, FILES).stale] == [False]
    assert [one.owned for one in read(text.replace("WORKDIR", "USER root\nWORKDIR"), FILES).stale] == [True]

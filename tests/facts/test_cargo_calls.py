"""What a cargo call builds, for which target, and where it puts it."""

from __future__ import annotations

import pytest

from dockerslim_lint.facts.model import (
    GNU_DYNAMIC,
    GNU_STATIC,
    MUSL_DYNAMIC,
    MUSL_STATIC,
    STRIPPED_ALL,
    STRIPPED_DEBUGINFO,
    STRIPPED_NO,
    UNKNOWN,
)
from tests.facts.reading import CRATE, MANIFEST, only_call, read

MUSL = "x86_64-unknown-linux-musl"


def call_of(run: str, image: str = "rust:1", before: str = "", files: dict[str, str] | None = None):  # type: ignore[no-untyped-def]
    return only_call(read(f"FROM {image}\nWORKDIR /app\nCOPY . .\n{before}RUN {run}\n", files))


@pytest.mark.parametrize(
    ("run", "output"),
    [
        ("cargo build", "/app/target/debug"),
        ("cargo build --release", "/app/target/release"),
        ("cargo b -r", "/app/target/release"),
        ("cargo build --profile dist", "/app/target/dist"),
        ("cargo build --profile=dev", "/app/target/debug"),
        ("cd sub && cargo build -r", "/app/sub/target/release"),
        ("(cd sub && true) && cargo build -r", "/app/target/release"),
        ("cargo build -r --target-dir /out", "/out/release"),
        ("CARGO_TARGET_DIR=/t cargo build -r", "/t/release"),
        ("export CARGO_TARGET_DIR=/t; cargo build -r", "/t/release"),
        ("cargo build -r --manifest-path ./sub/Cargo.toml", "/app/sub/target/release"),
        ("cargo -C sub build -r", "/app/sub/target/release"),
        ("env A=b cargo build -r", "/app/target/release"),
        ("time cargo build -r", "/app/target/release"),
        ("/usr/local/cargo/bin/cargo build -r", "/app/target/release"),
        ("cargo +nightly build -r", "/app/target/release"),
        ("cargo auditable build -r", "/app/target/release"),
        ("cargo-auditable auditable build -r", "/app/target/release"),
        ("cargo zigbuild -r", "/app/target/release"),
        (
            "cargo-zigbuild zigbuild -r --target x86_64-unknown-linux-musl",
            "/app/target/x86_64-unknown-linux-musl/release",
        ),
        ("cargo zigbuild -r --target x86_64-unknown-linux-gnu.2.17", "/app/target/x86_64-unknown-linux-gnu/release"),
        (
            "cargo zigbuild -r --target x86_64-unknown-linux-musl --target aarch64-unknown-linux-musl",
            "/app/target/*64-unknown-linux-musl/release",
        ),
        ("cargo auditable zigbuild -r", "/app/target/release"),
        ("cross build -r --target x86_64-unknown-linux-musl", "/app/target/x86_64-unknown-linux-musl/release"),
        ("xx-cargo build -r", "/app/target/*-unknown-linux-gnu*/release"),
        ("xx-cargo build -r --target-dir ./build", "/app/build/*-unknown-linux-gnu*/release"),
        ("cargo rustc -r -- -C lto", "/app/target/release"),
        ("cargo -Zunstable-options -C sub build -r", "/app/sub/target/release"),
        ("rustup run nightly cargo build -r", "/app/target/release"),
        ("$HOME/.cargo/bin/cargo build -r", "/app/target/release"),
        ("~/.cargo/bin/cargo build -r", "/app/target/release"),
        ("sh -c 'cargo build -r'", "/app/target/release"),
        ('bash -lc "cargo build -r"', "/app/target/release"),
        ("cargo build -r --target x86_64-unknown-linux-musl", "/app/target/x86_64-unknown-linux-musl/release"),
        ('cargo build -r --target "$(uname -m)"-unknown-linux-musl', "/app/target/*-unknown-linux-musl/release"),
        ("cargo install --path .", "/usr/local/cargo/bin"),
        ("cargo install --path . --root /opt", "/opt/bin"),
        ("cargo install --path=. --root=/opt", "/opt/bin"),
        ("cargo install --root /opt", "/opt/bin"),
    ],
)
def test_output(run: str, output: str) -> None:
    assert call_of(run).output == output


def test_run_forms() -> None:
    exec_form = read('FROM rust:1\nWORKDIR /app\nRUN ["cargo", "build", "--release"]\n')
    assert only_call(exec_form).output == "/app/target/release"
    assert only_call(exec_form).end is None
    heredoc = read("FROM rust:1\nWORKDIR /app\nRUN <<EOF\nset -e\ncd sub\ncargo build --release\nEOF\n")
    assert only_call(heredoc).output == "/app/sub/target/release"
    other_program = read("FROM rust:1\nRUN python3 <<EOF\ncargo build --release\nEOF\n")
    assert not other_program.calls


@pytest.mark.parametrize(
    ("image", "run", "link"),
    [
        ("rust:1", "cargo build", GNU_DYNAMIC),
        ("rust:1-slim", "cargo build", GNU_DYNAMIC),
        ("rust:1-alpine", "cargo build", MUSL_STATIC),
        ("rust:1", "cargo build --target x86_64-unknown-linux-musl", MUSL_STATIC),
        ("rust:1", "cargo build --target x86_64-unknown-linux-gnu", GNU_DYNAMIC),
        (
            "rust:1",
            "RUSTFLAGS='-C target-feature=+crt-static' cargo build --target x86_64-unknown-linux-gnu",
            GNU_STATIC,
        ),
        ("rust:1", 'cargo build --config \'build.rustflags=["-C", "target-feature=+crt-static"]\'', GNU_STATIC),
        (
            "rust:1",
            'cargo build --config \'target."cfg(all())".rustflags="-Ctarget-feature=+crt-static"\'',
            GNU_STATIC,
        ),
        # RUSTFLAGS stands in the place of all that cargo's configuration says
        (
            "rust:1",
            "RUSTFLAGS=-Copt-level=2 cargo build --config 'build.rustflags=\"-Ctarget-feature=+crt-static\"'",
            GNU_DYNAMIC,
        ),
        ("rust:1", "cargo build --config build.jobs=2", GNU_DYNAMIC),
        ("rust:1", "cargo build --config ci/static.toml", UNKNOWN),
        # the linker is asked behind rustc's back, and may refuse
        ("rust:1", "RUSTFLAGS='-C link-arg=-static' cargo build", UNKNOWN),
        ("rust:1", "RUSTFLAGS='-C link-args=-static -C relocation-model=static' cargo build", UNKNOWN),
        ("rust:1", "RUSTFLAGS='-C link-arg=-static-libgcc' cargo build", GNU_DYNAMIC),
        ("rust:1-alpine", "RUSTFLAGS='-C link-arg=-static' cargo build", MUSL_STATIC),
        ("rust:1-alpine", "RUSTFLAGS='-C target-feature=-crt-static' cargo build", MUSL_DYNAMIC),
        ("rust:1", "cargo build --target riscv64gc-unknown-linux-musl", MUSL_DYNAMIC),
        ("rust:1", "cargo build --target $(cat /target)", UNKNOWN),
        ("rust:1", "cargo build --target wasm32-unknown-unknown", UNKNOWN),
        ("example.com/rust:1", "cargo build", UNKNOWN),
        ("clux/muslrust:stable", "cargo build --release", MUSL_STATIC),
    ],
)
def test_link(image: str, run: str, link: str) -> None:
    assert call_of(run, image).link == link


@pytest.mark.parametrize(
    ("before", "origin", "pattern"),
    [
        ("", "host", ""),
        ("ENV CARGO_BUILD_TARGET=x86_64-unknown-linux-musl\n", "env", "x86_64-unknown-linux-musl"),
        ("ARG CARGO_BUILD_TARGET=x86_64-unknown-linux-musl\n", "env", "x86_64-unknown-linux-musl"),
    ],
)
def test_target_of_the_environment(before: str, origin: str, pattern: str) -> None:
    target = call_of("cargo build", before=before).target
    assert (target.origin, target.pattern) == (origin, pattern)


def test_target_of_a_case() -> None:
    build = read("""
        FROM --platform=$BUILDPLATFORM rust:1
        ARG TARGETARCH
        RUN case "$TARGETARCH" in \\
              amd64) T=x86_64-unknown-linux-musl ;; \\
              arm64) T=aarch64-unknown-linux-musl ;; \\
            esac && cargo build --target "$T"
        """)
    assert only_call(build).target.pattern == "*64-unknown-linux-musl"
    assert only_call(build).link == MUSL_STATIC


@pytest.mark.parametrize(
    ("sets", "call", "link"),
    [
        ('if x; then F="--target $A-unknown-linux-gnu"; fi', "cargo build -r $F", GNU_DYNAMIC),
        ('if x; then F="--target=$A-unknown-linux-gnu"; fi', "cargo build ${F} -r", GNU_DYNAMIC),
        ('[ -n "$A" ] && F="--target $A-unknown-linux-gnu"', "cargo build -r $F", GNU_DYNAMIC),
        ('F=; if x; then F="--target $A-unknown-linux-gnu"; fi', "cargo build -r $F", GNU_DYNAMIC),
        ('if x; then F="--target $A-unknown-linux-musl"; fi', "cargo build -r $F", UNKNOWN),
        ('if x; then F="--target $A"; fi', "cargo build -r $F", UNKNOWN),
        ('if x; then F="--target x-linux-gnu"; elif y; then F="-j 4"; fi', "cargo build -r $F", UNKNOWN),
        ('if x; then F="--target x-linux-gnu --target y-linux-musl"; fi', "cargo build -r $F", UNKNOWN),
        ('if x; then F="--target $A-unknown-linux-gnu"; fi', 'cargo build -r "$F"', UNKNOWN),
        ('if x; then F="--target $A-unknown-linux-gnu"; fi', "cargo build -r $F $G", UNKNOWN),
        ('F="$G"; if x; then F="--target $A-unknown-linux-gnu"; fi', "cargo build -r $F", UNKNOWN),
    ],
)
def test_target_that_a_variable_may_bring(sets: str, call: str, link: str) -> None:
    """With and without it the program is linked to the same libc, or it is not known to which."""
    found = only_call(read(f"FROM rust:1\nWORKDIR /app\nARG A=aarch64\nRUN {sets}; {call}\n"))
    assert (found.link, found.target.pattern, found.profile) == (link, None, "release")
    assert found.output == "/app/target/*/release"
    musl = only_call(read(f"FROM rust:1-alpine\nWORKDIR /app\nARG A=aarch64\nRUN {sets}; {call}\n"))
    assert musl.link == (MUSL_STATIC if "$A-unknown-linux-musl" in sets else UNKNOWN)


def test_variables_of_the_call() -> None:
    build = read(
        "FROM rust:1\nARG PROFILE=release\nARG BIN\nRUN cargo build --profile $PROFILE --bin $BIN\n", BIN="web"
    )
    assert only_call(build).profile == "release"
    assert only_call(build).bins == ("web",)
    unknown = read("FROM rust:1\nRUN cargo build $FLAGS\n")
    assert only_call(unknown).target.pattern is None


@pytest.mark.parametrize(
    ("argument", "words", "output", "bins"),
    [
        ("FLAGS", "$FLAGS", "/app/target/release", ()),
        ("FLAGS", "${FLAGS} --bin web", "/app/target/release", ("web",)),
        ("FLAGS=", "$FLAGS", "/app/target/release", ()),
        ('FLAGS="--bin web"', "$FLAGS", "/app/target/release", ("web",)),
        # a flag without its value is no call that anybody means
        ("BIN", "--bin $BIN", "/app/target/release", ("*",)),
        ("TRIPLE", "--target $TRIPLE", "/app/target/*/release", ()),
        # what stands in quotes is a word, be it empty
        ("FLAGS", '"$FLAGS"', "/app/target/*/release", ()),
        ("OTHER", "$FLAGS", "/app/target/*/release", ()),
    ],
)
def test_argument_without_a_value(argument: str, words: str, output: str, bins: tuple[str, ...]) -> None:
    call = call_of(f"cargo build --release {words}", before=f"ARG {argument}\n")
    assert (call.output, call.bins) == (output, bins)


@pytest.mark.parametrize(
    ("before", "output"),
    [
        ("ARG P=dist\nARG P\n", "/app/target/dist"),
        ("ARG P=dist\nRUN x\nARG P\nARG P\n", "/app/target/dist"),
        ("ARG P\nARG P=dist\n", "/app/target/dist"),
        ("ARG P=release\nARG P=dist\n", "/app/target/dist"),
    ],
)
def test_an_argument_keeps_its_value(before: str, output: str) -> None:
    """``ARG P`` sets it only where there is a value: of the command line, or of an ARG above the first FROM."""
    assert call_of("cargo build --profile $P", before=before).output == output
    text = f"ARG P=top\nFROM rust:1\nWORKDIR /app\n{before}RUN cargo build --profile $P\n"
    bare = before.endswith("ARG P\n")
    assert only_call(read(text)).output == ("/app/target/top" if bare else output)
    assert only_call(read(text, P="given")).output == "/app/target/given"


@pytest.mark.parametrize("argument", ["FLAGS", "FLAGS="])
def test_what_a_build_argument_may_bring(argument: str) -> None:
    call = call_of("cargo build $FLAGS", before=f"ARG {argument}\n")
    assert (call.profile, call.open_profile, call.locked) == ("dev", True, None)
    call = call_of("cargo build -r $FLAGS", before=f"ARG {argument}\n")
    assert (call.profile, call.open_profile, call.locked) == ("release", False, None)
    assert call_of("cargo build -r --locked $FLAGS", before=f"ARG {argument}\n").locked is True


def test_an_argument_of_the_environment_has_a_value() -> None:
    build = read("FROM rust:1\nWORKDIR /app\nENV FLAGS=-r\nARG FLAGS\nRUN cargo build $FLAGS\n")
    assert only_call(build).output == "/app/target/release"
    build = read("FROM example.com/base\nWORKDIR /app\nARG FLAGS\nRUN cargo build -r $FLAGS\n")
    assert only_call(build).output == "/app/target/*/release"


def test_a_package_that_a_build_argument_gives() -> None:
    files = {
        "Cargo.toml": '[workspace]\nmembers = ["one", "two"]\n',
        "one/Cargo.toml": MANIFEST.replace("app", "one"),
        "one/src/main.rs": "fn main() {}\n",
        "two/Cargo.toml": MANIFEST.replace("app", "two"),
        "two/src/main.rs": "fn main() {}\n",
    }
    for package, binaries in (("$CRATE", ("one", "two")), ("one", ("one",)), ("t$CRATE", ("two",))):
        text = f"FROM rust:1\nWORKDIR /app\nCOPY . .\nARG CRATE\nRUN cargo build -r -p {package}\n"
        (crate,) = read(text, files).crates
        assert crate is not None
        assert crate.binaries == binaries


@pytest.mark.parametrize(
    ("run", "profile"),
    [
        # near misses: what is set in any case, or alike in all branches
        ("F=-r; cargo build $F", "release"),
        ("if true; then F=-r; else F=-r; fi; cargo build $F", "release"),
        ("case $P in a) F=-r ;; *) F=-r ;; esac; cargo build $F", "release"),
        ("F=-r; if [ $P = a ]; then echo a; fi; cargo build $F", "release"),
        ("if [ $P = a ]; then P=release; fi; cargo build --profile $P", "release"),  # without a name it would fail
        ("cargo build $(if [ $P = a ]; then echo -r; else echo -r; fi)", "release"),
        ("cargo build $(case $P in a) echo -r ;; *) echo -r ;; esac)", "release"),
        ("if [ $P = a ]; then F=-r; fi; cargo build $F", None),
        ("F=-r; if [ $P = dev ]; then F=; fi; cargo build $F", None),
        ("F=; if [ $P = a ]; then F=-r; fi; cargo build $F", None),
        ("if [ $P = a ]; then F=-r; else echo b; fi; cargo build $F", None),
        ("if [ $P = a ]; then F=-r; else F=; fi; cargo build $F", None),
        ("case $P in release) F=-r ;; esac; cargo build $F", None),
        ("case $P in release) F=-r ;; *) echo debug ;; esac; cargo build $F", None),
        ("F=-r; case $P in dev) F= ;; esac; cargo build $F", None),
        ("[ $P = a ] && F=-r; cargo build $F", None),
        ("[ $P = a ] || F=-r; cargo build $F", None),
        ("F=; [ $P = a ] && F=-r; cargo build $F", None),
        ("N=release; if [ $P = dev ]; then N=dev; fi; cargo build --profile $N", None),
        ("cargo build $(if [ $P = a ]; then echo -r; fi)", None),
        ("cargo build $(if [ $P = a ]; then echo -r; else true; fi)", None),
        ("cargo build $(case $P in a) echo -r ;; esac)", None),
    ],
)
def test_a_profile_that_a_condition_decides_is_not_known(run: str, profile: str | None) -> None:
    assert call_of(run).profile == profile


def test_a_target_that_a_condition_decides_is_one_of_them() -> None:
    after = "cargo build -r --target $T"
    first, second = "x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl"
    one = call_of(f"case $A in arm64) T={second} ;; amd64) T={first} ;; esac; {after}")
    other = call_of(f"T={first}; if [ $A = arm64 ]; then T={second}; fi; {after}")
    assert one.target.pattern == other.target.pattern == "*64-unknown-linux-musl"
    assert call_of(f"if [ $A = amd64 ]; then T={first}; fi; {after}").target.pattern == first


def test_a_word_that_may_be_any_flag_leaves_the_profile_open() -> None:
    call = call_of("cargo build $(cat flags)")
    assert (call.profile, call.output) == (None, "/app/target/*/*")
    assert call_of("cargo install --path . $(cat flags)").profile == "release"


@pytest.mark.parametrize(
    ("manifest", "before", "run", "stripped"),
    [
        ("", "", "cargo build -r", STRIPPED_NO),
        ("[profile.release]\nstrip = true\n", "", "cargo build -r", STRIPPED_ALL),
        ('[profile.release]\nstrip = "symbols"\n', "", "cargo build -r", STRIPPED_ALL),
        ('[profile.release]\nstrip = "debuginfo"\n', "", "cargo build -r", "debuginfo"),
        ("[profile.release]\nstrip = true\n", "", "cargo build", STRIPPED_NO),
        (
            '[profile.release]\nstrip = true\n[profile.dist]\ninherits = "release"\n',
            "",
            "cargo build --profile dist",
            STRIPPED_ALL,
        ),
        ("", "ENV CARGO_PROFILE_RELEASE_STRIP=symbols\n", "cargo build -r", STRIPPED_ALL),
        ("", "", "CARGO_PROFILE_RELEASE_STRIP=true cargo build -r", STRIPPED_ALL),
        ("[profile.release]\nstrip = true\n", "", "CARGO_PROFILE_RELEASE_STRIP=none cargo build -r", STRIPPED_NO),
        ("", "", "RUSTFLAGS='-C strip=symbols' cargo build -r", STRIPPED_ALL),
        ("", "", "RUSTFLAGS=-Cstrip=symbols cargo build -r", STRIPPED_ALL),
        ("", "", "RUSTFLAGS='-C link-arg=-s' cargo build -r", STRIPPED_ALL),
        ("", "ARG RUSTFLAGS='-Clink-arg=-s'\nENV RUSTFLAGS=${RUSTFLAGS}\n", "cargo build -r", STRIPPED_ALL),
        ("", "", "RUSTFLAGS='-C target-cpu=native -C link-args=-Wl,--strip-all' cargo build -r", STRIPPED_ALL),
        ("", "", "RUSTFLAGS='-C strip=debuginfo' cargo build -r", "debuginfo"),
        ("[profile.release]\nstrip = true\n", "", "RUSTFLAGS='-C strip=debuginfo' cargo build -r", STRIPPED_ALL),
        ("", "", "RUSTFLAGS='-C link-arg=-fuse-ld=lld -C target-cpu=native' cargo build -r", STRIPPED_NO),
        ("", "", "RUSTFLAGS='-C link-arg=-static' cargo build -r", STRIPPED_NO),
        ("", "", "RUSTFLAGS='-C strip=none' cargo build -r", STRIPPED_NO),
        ("[profile.release]\nstrip = true\n", "", "RUSTFLAGS='-Cstrip=none' cargo build -r", STRIPPED_NO),
        ("", "", "RUSTFLAGS='-C strip=none -C strip=symbols' cargo build -r", STRIPPED_ALL),
    ],
)
def test_stripped(manifest: str, before: str, run: str, stripped: str) -> None:
    assert call_of(run, before=before, files={**CRATE, "Cargo.toml": MANIFEST + manifest}).stripped == stripped


@pytest.mark.parametrize(
    ("flags", "kept"),
    [("strip=none", True), ("strip=symbols -C strip=none", True), ("strip=none -C strip=debuginfo", False)],
)
def test_whoever_asks_for_no_strip_wants_the_symbols(flags: str, kept: bool) -> None:
    assert call_of(f"RUSTFLAGS='-C {flags}' cargo build -r", files=CRATE).kept is kept


def test_nothing_is_known_of_a_crate_that_is_not_there() -> None:
    assert call_of("cargo build -r").stripped == UNKNOWN
    assert call_of("cargo build -r", files={"README": ""}).stripped == UNKNOWN


@pytest.mark.parametrize(
    "run", ["cargo test", "cargo fetch", "cargo clippy --release", "echo cargo build", "cargo --version"]
)
def test_not_a_build(run: str) -> None:
    assert not read(f"FROM rust:1\nRUN {run}\n").calls


@pytest.mark.parametrize(
    ("run", "certain"),
    [
        ("cargo build", True),
        ("set -eux; cargo build", True),
        ("cargo build || true", False),
        ("if true; then cargo build; fi", False),
        ("for f in a b; do cargo build; done", False),
        ("true && cargo build && echo", True),
        ("cargo build | tee log", True),
    ],
)
def test_certainty(run: str, certain: bool) -> None:
    assert call_of(run).command.certain is certain


def test_where_arguments_can_go() -> None:
    text = b"FROM rust:1\nRUN cargo build \\\n    --release \\\n    && echo -- done\n"
    build = read(text.decode())
    assert build.source.data[: only_call(build).end].endswith(b"--release")
    build = read("FROM rust:1\nRUN cargo build -r -- x\n")
    assert build.source.data[: only_call(build).end].endswith(b"-r")


def test_configuration_of_cargo() -> None:
    files = {**CRATE, ".cargo/config.toml": '[build]\ntarget = "x86_64-unknown-linux-musl"\ntarget-dir = "out"\n'}
    call = call_of("cargo build -r", files=files)
    assert (call.target.origin, call.output) == ("config", "/app/out/x86_64-unknown-linux-musl/release")


CONFIG = {".cargo/config.toml": f'[build]\ntarget = "{MUSL}"\n'}
PARTS = "WORKDIR /app\nCOPY Cargo.toml Cargo.lock ./\nCOPY src src"


@pytest.mark.parametrize(
    ("steps", "run", "files", "target"),
    [
        # in force
        ("WORKDIR /app\nCOPY . .", "cargo build", CONFIG, ("config", MUSL)),
        (f"{PARTS}\nCOPY .cargo .cargo", "cargo build", CONFIG, ("config", MUSL)),
        (f"{PARTS}\nCOPY .cargo/config.toml .cargo/", "cargo build", CONFIG, ("config", MUSL)),
        (f"{PARTS}\nCOPY .cargo/config* .cargo/", "cargo build", CONFIG, ("config", MUSL)),
        (f"{PARTS}\nCOPY .cargo /.cargo", "cargo build", CONFIG, ("config", MUSL)),
        (f"{PARTS}\nCOPY .cargo/config.toml $CARGO_HOME/", "cargo build", CONFIG, ("config", MUSL)),
        (f"{PARTS}\nCOPY .cargo/config.toml $CARGO_HOME/", "cargo install --path .", CONFIG, ("config", MUSL)),
        (f"{PARTS}\nCOPY .cargo .cargo", "cargo install --path .", CONFIG, ("config", MUSL)),
        (
            f"{PARTS}\nCOPY .cargo .cargo",
            "cd src && cargo build --manifest-path ../Cargo.toml",
            CONFIG,
            ("config", MUSL),
        ),
        ("WORKDIR /app\nCOPY . .\nCOPY src ./.cargo", "cargo build", CONFIG, ("config", MUSL)),
        ("WORKDIR /app", "--mount=type=bind,target=. cargo build", CONFIG, ("config", MUSL)),
        (
            "WORKDIR /x\nCOPY . .\nFROM rust:1\nCOPY --from=0 /x /app\nWORKDIR /app",
            "cargo build",
            CONFIG,
            ("config", MUSL),
        ),
        (
            f"WORKDIR /x\nCOPY . .\nFROM rust:1\n{PARTS}\nCOPY --from=0 /x/.cargo .cargo",
            "cargo build",
            CONFIG,
            ("config", MUSL),
        ),
        (
            "WORKDIR /app\nCOPY . .",
            "cargo build",
            {**CONFIG, ".dockerignore": "*\n!.cargo\n!Cargo.*\n"},
            ("config", MUSL),
        ),
        (
            f"{PARTS}\nCOPY deploy/cargo.toml .cargo/config.toml",
            "cargo build",
            {"deploy/cargo.toml": CONFIG[".cargo/config.toml"]},
            ("config", MUSL),
        ),
        # it does not reach the builder, or is not where cargo looks
        (PARTS, "cargo build", CONFIG, ("host", "")),
        ("WORKDIR /app\nCOPY . .", "cargo build", {**CONFIG, ".dockerignore": ".cargo\n"}, ("host", "")),
        (
            "WORKDIR /app\nCOPY . .",
            "cargo build",
            {**CONFIG, "Dockerfile.dockerignore": "**/config.toml"},
            ("host", ""),
        ),
        (f"{PARTS}\nCOPY .cargo ./", "cargo build", CONFIG, ("host", "")),
        (f"{PARTS}\nCOPY .cargo /other/.cargo", "cargo build", CONFIG, ("host", "")),
        ("COPY . /app", "cargo build --manifest-path app/Cargo.toml", CONFIG, ("host", "")),
        ("COPY . /app\nWORKDIR /app", "cd / && cargo build --manifest-path /app/Cargo.toml", CONFIG, ("host", "")),
        ("WORKDIR /app\nCOPY . .", "cargo build", {"deploy/config.toml": CONFIG[".cargo/config.toml"]}, ("host", "")),
        (f"{PARTS}\nCOPY --from=rust:1 /x .cargo/config.toml", "cargo build", CONFIG, ("host", "")),
        # it may be in force, or something else is
        ("WORKDIR /app\nCOPY . .", "rm -rf .cargo && cargo build", CONFIG, ("config", None)),
        ("WORKDIR /app\nCOPY . .\nRUN rm .cargo/config.toml", "cargo build", CONFIG, ("config", None)),
        ("WORKDIR /app\nCOPY . .\nRUN cp x.toml .cargo/config.toml", "cargo build", CONFIG, ("config", None)),
        ("WORKDIR /app\nCOPY . .\nRUN echo '[net]' >> .cargo/config.toml", "cargo build", CONFIG, ("config", None)),
        (
            f"WORKDIR /app\nCOPY --from=p /r.json .\nRUN cargo chef cook --recipe-path r.json\n{PARTS}",
            "cargo build",
            CONFIG,
            ("config", None),
        ),
    ],
)
def test_the_configuration_must_reach_the_call(
    steps: str, run: str, files: dict[str, str], target: tuple[str, str | None]
) -> None:
    build = read(f"FROM rust:1\n{steps}\nRUN {run}\n", {**CRATE, **files})
    (call,) = build.calls
    assert build.crates[0] is not None
    assert (call.target.origin, call.target.pattern) == target


TEXT = f'[build]\\ntarget = "{MUSL}"\\n'
LINES = f"cat <<EOF > .cargo/config.toml\n[build]\ntarget = '{MUSL}'\nEOF\n"


@pytest.mark.parametrize("files", [None, CRATE])
@pytest.mark.parametrize(
    ("steps", "target"),
    [
        (f"RUN mkdir -p .cargo && printf '{TEXT}' > .cargo/config.toml", MUSL),
        (f"RUN mkdir -p .cargo && printf '%s\\n' '[build]' 'target = \"{MUSL}\"' > .cargo/config", MUSL),
        (f"RUN mkdir .cargo && echo '[build]' > .cargo/config && echo 'target = \"{MUSL}\"' >> .cargo/config", MUSL),
        (f"RUN printf '{TEXT}' >> $CARGO_HOME/config.toml", MUSL),
        (f"RUN <<SCRIPT\nmkdir .cargo\n{LINES}SCRIPT", MUSL),
        (f"RUN {LINES}", MUSL),
        (f"COPY <<EOF .cargo/config.toml\n[build]\ntarget = '{MUSL}'\nEOF", MUSL),
        ("RUN printf '[net]\\nretry = 3\\n' > .cargo/config.toml", ""),
        ("RUN cargo vendor > .cargo/config.toml", ""),
        ("RUN mkdir -p .cargo && rm -rf .cargo", ""),
        (f"RUN printf '{TEXT}' > deploy/config.toml", ""),
        (f"RUN printf '{TEXT}' > .cargo/config.toml.in", ""),
        # nobody knows what is in it
        # as dash prints it; cargo ends over one line of it all
        ("RUN echo \"[build]\\ntarget = 'a'\" > .cargo/config.toml", "a"),
        ("RUN sed s/x/y/ a.toml > .cargo/config.toml", None),
        ("RUN cp ci/config.toml .cargo/", None),
        ("RUN curl -o .cargo/config.toml https://example.com", None),
        (f"RUN if [ -n \"$A\" ]; then printf '{TEXT}' > .cargo/config.toml; fi", None),
        (f"RUN printf '{TEXT}' > .cargo/config.toml && rm .cargo/config.toml", None),
        (f"RUN cargo vendor > .cargo/config.toml && printf '{TEXT}' >> .cargo/config.toml", None),
        (LINES.replace("cat", "RUN cat").replace("[build]", "[build]\n$A"), None),
        (f"COPY <<EOF .cargo/config.toml\n[build]\ntarget = '$A{MUSL}'\nEOF", None),
        ("RUN printf '[build\\n' > .cargo/config.toml", None),
    ],
)
def test_a_configuration_that_a_step_writes(steps: str, target: str | None, files: dict[str, str] | None) -> None:
    call = only_call(read(f"FROM rust:1\nWORKDIR /app\nCOPY . .\n{steps}\nRUN cargo build --release\n", files))
    assert (call.target.origin, call.target.pattern) == ("host" if target == "" else "config", target)
    assert (call.flags is None) is (target is None)
    assert (call.stripped == UNKNOWN) is (target is None or files is None)


@pytest.mark.parametrize(
    ("image", "config", "files", "target"),
    [
        ("rust:1", 'include = ["a.toml"]', {".cargo/a.toml": CONFIG[".cargo/config.toml"]}, MUSL),
        ("rust:1.94", 'include = [{path = "../a.toml"}]', {"a.toml": CONFIG[".cargo/config.toml"]}, MUSL),
        ("rust:1", 'include = ["a.toml"]', {".cargo/a.toml": "[net]\n"}, ""),
        (
            "rust:1",
            'include = ["a.toml"]\n[build]\ntarget = "x"',
            {".cargo/a.toml": CONFIG[".cargo/config.toml"]},
            "x",
        ),
        (
            "rust:1",
            'include = ["b.toml", "a.toml"]',
            {".cargo/a.toml": '[build]\ntarget = "y"', ".cargo/b.toml": ""},
            "y",
        ),
        ("rust:1", 'include = [{path = "a.toml", optional = true}]', {}, ""),
        ("rust:1", 'include = ["a.toml"]', {}, None),
        ("rust:1", 'include = ["a.toml"]', {".cargo/a.toml": 'include = ["a.toml"]'}, None),
        ("rust:1", 'include = "a.toml"', {".cargo/a.toml": "[net]\n"}, None),
        ("rust:1.93", 'include = ["a.toml"]', {".cargo/a.toml": CONFIG[".cargo/config.toml"]}, None),
        ("rust:1.93", 'include = ["a.toml"]', {".cargo/a.toml": "[net]\n"}, ""),
    ],
)
def test_a_configuration_that_includes_another(
    image: str, config: str, files: dict[str, str], target: str | None
) -> None:
    context = {**CRATE, ".cargo/config.toml": config, **files}
    call = only_call(read(f"FROM {image}\nWORKDIR /app\nCOPY . .\nRUN cargo build --release\n", context))
    assert call.target.pattern == target


def test_what_a_configuration_that_may_be_in_force_leaves_open() -> None:
    files = {**CRATE, ".cargo/config.toml": '[build]\ntarget-dir = "out"\nrustflags = "-Ca"\n'}
    call = call_of("rm .cargo/config.toml && cargo build", files=files)
    assert (call.output, call.flags, call.link, call.target.origin) == (None, None, UNKNOWN, "host")
    flags = {**CRATE, ".cargo/config.toml": f'[target.{MUSL}]\nrustflags = "-Ca"\n'}
    assert call_of(f"rm .cargo/config.toml && cargo build --target {MUSL}", files=flags).flags is None
    # of what it does not say it leaves nothing open
    call = call_of("rm .cargo/config.toml && cargo build", files=flags)
    assert (call.output, call.flags, call.link) == ("/app/target/debug", "", GNU_DYNAMIC)


def test_workspace() -> None:
    files = {
        "Cargo.toml": '[workspace]\nmembers = ["crates/*"]\n[profile.release]\nstrip = true\n',
        "crates/api/Cargo.toml": '[package]\nname = "api"\n',
        "crates/api/src/main.rs": "",
        "crates/cli/Cargo.toml": '[package]\nname = "cli"\nedition = "2021"\n[[bin]]\nname = "tool"\npath = "src/tool.rs"\n',
        "crates/cli/src/bin/extra.rs": "",
        "crates/lib/Cargo.toml": '[package]\nname = "lib"\n',
        "crates/lib/src/lib.rs": "",
    }
    build = read("FROM rust:1\nWORKDIR /w\nCOPY . .\nRUN cargo build -r\n", files)
    (crate,) = build.crates
    assert crate is not None
    assert crate.binaries == ("api", "tool", "extra")
    assert only_call(build).stripped == STRIPPED_ALL
    member = read("FROM rust:1\nWORKDIR /w\nCOPY . .\nRUN cd crates/api && cargo build -r\n", files)
    assert only_call(member).output == "/w/target/release"
    assert only_call(member).stripped == STRIPPED_ALL


def test_toml_of_several_lines_in_one_table() -> None:
    """TOML 1.1, in every file that cargo reads."""
    files = {
        "Cargo.toml": '[package]\nname = "app"\n[dependencies]\nsqlx = {\n  version = "0.8", # newest\n  features = ["a"],\n}\n'
        "[profile]\nrelease = {\n  strip = true,\n}\n",
        "Cargo.lock": 'package = [\n  {\n    name = "app",\n    version = "1.0.0",\n  },\n]\n',
        "src/main.rs": "",
        ".cargo/config.toml": 'build = {\n  target = "x86_64-unknown-linux-musl",\n}\n',
        "rust-toolchain.toml": 'toolchain = {\n  channel = "1.97",\n}\n',
    }
    build = read("FROM rust:1\nWORKDIR /w\nCOPY . .\nRUN cargo build -r\n", files)
    (crate,) = build.crates
    assert not build.notes
    assert crate is not None
    assert (crate.packages, crate.toolchain.channel) == (("app",), "1.97")
    assert only_call(build).stripped == STRIPPED_ALL
    assert only_call(build).target.pattern == "x86_64-unknown-linux-musl"


@pytest.mark.parametrize(
    "broken",
    ["[package]\nname = {\n  a = 1\n  b = 2\n}\n", "x = {\n,}\n", "x = { a = 1,, }\n", "x = {\n a = " + "[" * 9999],
)
def test_what_no_toml_allows_is_told_with_its_place(broken: str) -> None:
    build = read("FROM rust:1\nWORKDIR /w\nCOPY . .\nRUN cargo build -r\n", {"Cargo.toml": broken})
    (note,) = build.notes
    assert note.startswith("Cargo.toml: ") and note.endswith("; nothing is known of the crate")


def test_broken_manifest_is_one_note() -> None:
    build = read("FROM rust:1\nWORKDIR /w\nCOPY . .\nRUN cargo build -r\n", {"Cargo.toml": "[package\n"})
    assert len(build.notes) == 1
    assert build.notes[0].startswith("Cargo.toml: ")
    assert "\n" not in build.notes[0]
    assert only_call(build).stripped == UNKNOWN


@pytest.mark.parametrize(
    ("run", "image", "driver", "link"),
    [
        ("cargo zigbuild -r --target aarch64-unknown-linux-musl", "rust:1", "cargo", MUSL_STATIC),
        ("cargo zigbuild -r --target x86_64-unknown-linux-gnu.2.17", "rust:1", "cargo", GNU_DYNAMIC),
        ("cargo zigbuild -r", "ghcr.io/rust-cross/cargo-zigbuild", "cargo", GNU_DYNAMIC),
        ("cross build -r --target x86_64-unknown-linux-musl", "rust:1", "cross", MUSL_STATIC),
        ("cross build -r", "rust:1", "cross", UNKNOWN),
        ("xx-cargo build -r", "rust:1", "xx-cargo", GNU_DYNAMIC),
        ("xx-cargo build -r", "rust:1-alpine", "xx-cargo", MUSL_STATIC),
        ("XX_LIBC=musl xx-cargo build -r", "rust:1", "xx-cargo", MUSL_STATIC),
        ("XX_RUSTFLAGS='-C target-feature=-crt-static' xx-cargo build -r", "rust:1-alpine", "xx-cargo", MUSL_DYNAMIC),
        ("xx-cargo build -r", "alpine", "xx-cargo", UNKNOWN),
        ("cargo rustc -r -- -C target-feature=+crt-static", "rust:1", "cargo", GNU_STATIC),
        ("cargo build -r -- -C target-feature=+crt-static", "rust:1", "cargo", GNU_DYNAMIC),
    ],
)
def test_who_drives_cargo(run: str, image: str, driver: str, link: str) -> None:
    call = call_of(run, image, files=CRATE)
    assert (call.driver, call.link) == (driver, link)
    assert (call.stripped == UNKNOWN) is (driver == "cross")


@pytest.mark.parametrize("toolchain", ["cargo +nightly build", "rustup run nightly cargo build"])
def test_toolchain(toolchain: str) -> None:
    assert call_of(toolchain).toolchain == "nightly"


@pytest.mark.parametrize(
    ("alias", "run", "output"),
    [
        ('br = "build --release"', "cargo br", "/app/target/release"),
        ('x = ["build", "--profile", "dist"]', "cargo x --locked", "/app/target/dist"),
        ('b = "build --release"', "cargo b", "/app/target/debug"),
    ],
)
def test_alias_of_the_configuration(alias: str, run: str, output: str) -> None:
    assert call_of(run, files={**CRATE, ".cargo/config.toml": f"[alias]\n{alias}\n"}).output == output


def test_arguments_go_behind_an_alias() -> None:
    files = {**CRATE, ".cargo/config.toml": '[alias]\nx = ["build", "--release", "--locked"]\n'}
    build = read("FROM rust:1\nWORKDIR /app\nCOPY . .\nRUN cargo x -v && echo\n", files)
    assert build.source.data[: only_call(build).end].endswith(b"cargo x -v")
    assert not read("FROM rust:1\nCOPY . .\nRUN cargo y\n", files).calls


@pytest.mark.parametrize(
    ("manifest", "run", "output", "stripped", "debug"),
    [
        ("[profile.release]\nstrip = true\ndebug = true\n", "cargo build -r", "release", STRIPPED_ALL, True),
        ("[profile.release]\ndebug = 0\n", "cargo build -r", "release", STRIPPED_NO, False),
        ('[profile.release]\ndebug = "line-tables-only"\n', "cargo build -r", "release", STRIPPED_NO, True),
        (
            '[profile.dist]\ninherits = "release"\nstrip = "symbols"\n',
            "cargo build --profile dist",
            "dist",
            STRIPPED_ALL,
            False,
        ),
        (
            '[profile.release]\nstrip = true\n[profile.dist]\ninherits = "release"\nstrip = false\ndebug = 1\n',
            "cargo install --path . --profile dist",
            "bin",
            STRIPPED_NO,
            True,
        ),
        ("[profile.bench]\nstrip = true\n", "cargo build --profile bench", "release", STRIPPED_ALL, False),
        ("[profile.release]\nstrip = true\n", "cargo build --profile bench", "release", STRIPPED_ALL, False),
        ("[profile.dev]\nstrip = true\n", "cargo build --profile test", "debug", STRIPPED_ALL, False),
        ("[profile.dev]\nstrip = true\n", "cargo build", "debug", STRIPPED_ALL, False),
    ],
)
def test_profiles(manifest: str, run: str, output: str, stripped: str, debug: bool) -> None:
    call = call_of(run, files={**CRATE, "Cargo.toml": MANIFEST + manifest})
    assert (call.output or "").rsplit("/", 1)[-1] == output
    assert (call.stripped, call.debug) == (stripped, debug)


@pytest.mark.parametrize("version", ["", "version = 2\n", "version = 3\n", "version = 4\n"])
def test_every_format_of_the_lock(version: str) -> None:
    entry = '[[package]]\nname = "{0}"\nversion = "1.0.0"\nsource = "registry+https://github.com/rust-lang/crates.io-index"\n'
    lock = version + entry.format("libc") + entry.format("cc") + 'dependencies = [\n "libc",\n]\n'
    lock += "[metadata]\n" if not version else ""
    (crate,) = read("FROM rust:1\nCOPY . .\nRUN cargo build\n", {**CRATE, "Cargo.lock": lock}).crates
    assert crate is not None
    assert crate.packages == ("cc", "libc")


def test_an_old_lock_with_a_root_package() -> None:
    lock = '[root]\nname = "app"\nversion = "0.1.0"\n[[package]]\nname = "libc"\nversion = "0.2.1"\n'
    (crate,) = read("FROM rust:1\nCOPY . .\nRUN cargo build\n", {**CRATE, "Cargo.lock": lock}).crates
    assert crate is not None
    assert crate.packages == ("app", "libc")


WORKSPACE = {
    "Cargo.toml": '[workspace]\nmembers = ["api", "tools/*"]\nexclude = ["tools/old"]\ndefault-members = ["api"]\n',
    "api/Cargo.toml": '[package]\nname = "api-server"\nedition = "2021"\ndefault-run = "serve"\n[[bin]]\nname = "serve"\npath = "src/main.rs"\n',
    "api/src/main.rs": "",
    "api/src/bin/migrate.rs": "",
    "tools/cli/Cargo.toml": '[package]\nname = "cli"\nautobins = false\n[[bin]]\nname = "tool"\npath = "src/bin/x.rs"\n',
    "tools/cli/src/bin/x.rs": "",
    "tools/old/Cargo.toml": '[package]\nname = "old"\n',
    "tools/old/src/main.rs": "",
}


@pytest.mark.parametrize(
    ("run", "binaries"),
    [
        ("cargo build", ("serve", "migrate")),
        ("cargo build --workspace", ("serve", "migrate", "tool")),
        ("cargo build --all", ("serve", "migrate", "tool")),
        ("cargo build -p cli", ("tool",)),
        ("cargo build --package cli", ("tool",)),
        ("cargo build --package=api-server", ("serve", "migrate")),
        ("cargo build -p cli -p api-server", ("serve", "migrate", "tool")),
        ("cargo build --manifest-path tools/cli/Cargo.toml", ("tool",)),
        ("cd tools/old && cargo build", ("old",)),
    ],
)
def test_programs_of_a_workspace(run: str, binaries: tuple[str, ...]) -> None:
    (crate,) = read(f"FROM rust:1\nWORKDIR /w\nCOPY . .\nRUN {run}\n", WORKSPACE).crates
    assert crate is not None
    assert crate.binaries == binaries


def test_default_run() -> None:
    (crate,) = read("FROM rust:1\nWORKDIR /w\nCOPY . .\nRUN cargo build -p api-server\n", WORKSPACE).crates
    assert crate is not None
    assert crate.default_binary == "serve"


@pytest.mark.parametrize(
    ("run", "source"),
    [
        ("cargo install", "context"),
        ("cargo install --root /opt", "context"),
        ("cargo install --path .", "context"),
        ("cargo install ripgrep", "registry"),
        ("cargo install --git https://example.com/x", "git"),
    ],
)
def test_what_is_installed(run: str, source: str) -> None:
    call = call_of(run, files=CRATE)
    assert (call.source, call.crate_directory) == (source, "/app" if source == "context" else None)


@pytest.mark.parametrize(
    "steps",
    [
        "COPY . /app\nWORKDIR /app",
        "ADD . /app\nRUN mkdir -p /app && cd /app\nWORKDIR /app",
        "COPY . /app/\nWORKDIR /app/",
    ],
)
def test_a_workdir_does_not_hide_what_was_copied_there(steps: str) -> None:
    (crate,) = read(f"FROM rust:1\n{steps}\nRUN cargo build -r\n", CRATE).crates
    assert crate is not None
    below = read(
        "FROM rust:1\nWORKDIR /w\nCOPY api/ ./api/\nWORKDIR /w/api\nRUN cargo build -r\n",
        {f"api/{k}": v for k, v in CRATE.items()},
    )
    assert below.crates[0] is not None


def test_the_manifest_is_bound_from_the_context() -> None:
    text = (
        "FROM rust:1 AS b\nWORKDIR /app\nRUN --mount=type=bind,source=src,target=src \\\n"
        "    --mount=type=bind,source=Cargo.toml,target=Cargo.toml --mount=type=cache,target=/app/target \\\n"
        "    cargo build --release && cp target/release/app /bin/server\nFROM debian\nCOPY --from=b /bin/server /bin/\n"
    )
    build = read(text, CRATE)
    assert build.crates[0] is not None
    assert build.crates[0].binaries == ("app",)
    assert [path for image in build.images for path, _ in image.artifacts] == ["/bin/server"]
    # what another stage lends is none of the context's
    foreign = read(text.replace("type=bind,source=Cargo", "type=bind,from=x,source=Cargo"), CRATE)
    assert foreign.crates == (None,)


@pytest.mark.parametrize(
    ("before", "target", "config", "flags"),
    [
        ("ENV RUSTFLAGS=-Ca", "", "[build]\nrustflags = '-Cb'", "-Ca"),
        ("ENV RUSTFLAGS=", "", "[build]\nrustflags = '-Cb'", "-Cb"),
        ("ENV CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_RUSTFLAGS=-Ca", "", "[build]\nrustflags = '-Cb'", "-Cb"),
        ("ENV CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS=-Ca", "", "[build]\nrustflags = '-Cb'", "-Ca"),
        ("ENV CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_RUSTFLAGS=-Ca", "x86_64-unknown-linux-musl", "", "-Ca"),
        ("ENV CARGO_BUILD_RUSTFLAGS=-Ca", "x86_64-unknown-linux-musl", "", "-Ca"),
        ("", "x86_64-unknown-linux-musl", "[target.x86_64-unknown-linux-musl]\nrustflags = ['-Ca', '-Cb']", "-Ca -Cb"),
        ("", "aarch64-unknown-linux-musl", "[target.x86_64-unknown-linux-musl]\nrustflags = ['-Ca']", ""),
        ("ARG F\nENV RUSTFLAGS=$TARGETARCH$F\nARG TARGETARCH\nENV RUSTFLAGS=$TARGETARCH", "", "", None),
    ],
)
def test_rustflags_of_a_call(before: str, target: str, config: str, flags: str | None) -> None:
    """Flags for another target do not count, and the sources exclude each other."""
    asked = f" --target {target}" if target else ""
    text = f"FROM rust:1\n{before}\nWORKDIR /app\nCOPY . .\nRUN cargo build{asked}\n"
    assert only_call(read(text, {**CRATE, ".cargo/config.toml": config})).flags == flags


@pytest.mark.parametrize(
    ("run", "linkers"),
    [
        ("CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER=/bin/a cargo build --target x86_64-unknown-linux-musl", ["a"]),
        (
            "CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER=a cargo build --target $(uname -m)-unknown-linux-musl",
            ["a", "from-config"],
        ),
        ("CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER=a cargo build --target aarch64-unknown-linux-musl", []),
        ("CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER=a cargo build", []),
        ("RUSTFLAGS='-C linker=a -Clinker=b' cargo build", ["b"]),
        ("cargo build --target i686-unknown-linux-musl", ["from-config"]),
    ],
)
def test_linkers_of_a_call(run: str, linkers: list[str]) -> None:
    files = {**CRATE, ".cargo/config.toml": '[target.i686-unknown-linux-musl]\nlinker = "from-config"\n'}
    call = only_call(read(f"FROM rust:1\nWORKDIR /app\nCOPY . .\nRUN {run}\n", files))
    assert sorted(linker.program for linker in call.linkers) == linkers
    assert all(linker.plain for linker in call.linkers)


@pytest.mark.parametrize(
    ("run", "machine"),
    [
        ("cargo build --target $(uname -m)-unknown-linux-musl", True),
        ('cargo build --target "`uname -m`-unknown-linux-musl"', True),
        ("ARCH=$(uname -m); cargo build --target=${ARCH}-unknown-linux-musl", True),
        ("export CARGO_BUILD_TARGET=$(arch)-unknown-linux-musl && cargo build", True),
        ("cargo build --target $(cat /target)", False),
        ("cargo build --target x86_64-unknown-linux-musl --jobs $(uname -m)", False),
        ("cargo build --target $TARGET", False),
    ],
)
def test_targets_by_uname(run: str, machine: bool) -> None:
    assert only_call(read(f"FROM rust:1\nRUN {run}\n")).target.machine is machine


@pytest.mark.parametrize(
    ("run", "stripped", "debug", "own"),
    [
        ("cargo build -r --config profile.release.strip=true", STRIPPED_ALL, False, True),
        (
            "CARGO_PROFILE_RELEASE_STRIP=symbols cargo build -r --config profile.release.strip=false",
            STRIPPED_NO,
            False,
            True,
        ),
        (
            "cargo build -r --config profile.release.debug=1 --config 'profile.release.debug = 0'",
            STRIPPED_NO,
            False,
            False,
        ),
        ("CARGO_PROFILE_RELEASE_DEBUG=0 cargo build -r --config=profile.release.debug=1", STRIPPED_NO, True, False),
        ("cargo build --profile dist --config profile.release.strip=true", UNKNOWN, False, True),
        ("cargo build -r --config profile.dist.strip=true", STRIPPED_NO, False, False),
        ("cargo build -r --config ci/cargo.toml", UNKNOWN, False, True),
        ("cargo build -r --config http.debug=true", STRIPPED_NO, False, False),
        ("cargo build -r --config 'profile = 3'", STRIPPED_NO, False, False),
    ],
)
def test_the_command_line_wins(run: str, stripped: str, debug: bool, own: bool) -> None:
    call = call_of(run, files=CRATE)
    assert (call.stripped, call.debug, bool(call.own_strip)) == (stripped, debug, own)


ALL, NONE = '[profile.release]\nstrip = "symbols"\n', "[profile.release]\nstrip = false\n"


@pytest.mark.parametrize(
    ("manifest", "config", "run", "stripped", "debug"),
    [
        # the configuration goes before the manifest (each row as cargo 1.95 does it)
        ("", ALL, "cargo build -r", STRIPPED_ALL, False),
        (NONE, ALL, "cargo build -r", STRIPPED_ALL, False),
        (ALL, NONE, "cargo build -r", STRIPPED_NO, False),
        (ALL, "[profile.release]\ndebug = 1\n", "cargo build -r", STRIPPED_ALL, True),
        ("[profile.dist]\ninherits = 'release'\n", ALL, "cargo build --profile dist", STRIPPED_ALL, False),
        (ALL, "[profile.dist]\ninherits = 'release'\n", "cargo build --profile dist", STRIPPED_ALL, False),
        ("", "[profile.dist]\ninherits = 'release'\nstrip = true\n", "cargo build --profile dist", STRIPPED_ALL, False),
        (NONE, "[profile.release.package.app]\nstrip = true\n", "cargo build -r", STRIPPED_ALL, False),
        ("[profile.release.package.app]\nstrip = true\n", NONE, "cargo build -r", STRIPPED_ALL, False),
        (ALL, ALL.replace("release", "dev"), "cargo build", STRIPPED_ALL, False),
        # not of this profile, and nothing of a profile
        ("", ALL.replace("release", "dev"), "cargo build -r", STRIPPED_NO, False),
        ("", ALL, "cargo build", STRIPPED_NO, False),
        (ALL, "profile = 3\n", "cargo build -r", STRIPPED_ALL, False),
        # the environment and the command line go before it, but not before a table of the package
        ("", ALL, "CARGO_PROFILE_RELEASE_STRIP=none cargo build -r", STRIPPED_NO, False),
        (NONE, NONE, "CARGO_PROFILE_RELEASE_STRIP=symbols cargo build -r", STRIPPED_ALL, False),
        ("", ALL, "cargo build -r --config profile.release.strip=false", STRIPPED_NO, False),
        (
            "",
            f"{NONE}package.app.strip = true\n",
            "CARGO_PROFILE_RELEASE_STRIP=none cargo build -r",
            STRIPPED_ALL,
            False,
        ),
        # and what the environment sets for a profile counts for its heirs
        (
            "[profile.x]\ninherits = 'y'\n[profile.y]\ninherits = 'release'\n",
            "",
            "CARGO_PROFILE_RELEASE_STRIP=true cargo build --profile x",
            STRIPPED_ALL,
            False,
        ),
        (
            "[profile.x]\ninherits = 'release'\nstrip = false\n",
            "",
            "CARGO_PROFILE_RELEASE_STRIP=true cargo build --profile x",
            STRIPPED_NO,
            False,
        ),
        (
            "[profile.x]\ninherits = 'release'\nstrip = false\n",
            "",
            "CARGO_PROFILE_RELEASE_DEBUG=1 CARGO_PROFILE_X_STRIP=true cargo build --profile x",
            STRIPPED_ALL,
            True,
        ),
        (ALL, "", "CARGO_PROFILE_DEV_STRIP=none cargo build -r", STRIPPED_ALL, False),
        # whether it is in force is not known
        ("", ALL, "rm .cargo/config.toml; cargo build -r", UNKNOWN, False),
        (ALL, NONE, "rm .cargo/config.toml; cargo build -r", UNKNOWN, False),
        (ALL, f"{NONE}package.app.strip = true\n", "rm -r .cargo; cargo build -r", UNKNOWN, False),
        ("", ALL, "rm -r .cargo; CARGO_PROFILE_RELEASE_STRIP=symbols cargo build -r", STRIPPED_ALL, False),
    ],
)
def test_profiles_of_the_configuration(manifest: str, config: str, run: str, stripped: str, debug: bool) -> None:
    call = call_of(run, files={**CRATE, "Cargo.toml": MANIFEST + manifest, ".cargo/config.toml": config})
    assert (call.stripped, call.debug) == (stripped, debug)


def test_the_nearer_configuration_goes_first() -> None:
    files = {**CRATE, ".cargo/config.toml": f"{NONE}debug = 1\n", "deploy/config": ALL}
    text = "FROM rust:1\nWORKDIR /w\nCOPY . app\nCOPY deploy/config .cargo/\nWORKDIR app\nRUN cargo build -r\n"
    call = only_call(read(text, files))
    assert (call.stripped, call.debug, call.kept) == (STRIPPED_NO, True, True)
    call = only_call(read(text, {**files, ".cargo/config.toml": "[profile.release]\ndebug = 1\n"}))
    assert (call.stripped, call.debug) == (STRIPPED_ALL, True)


PACKAGE = '[package]\nname = "app"\nversion = "0.1.0"\n'


@pytest.mark.parametrize(
    ("manifest", "run", "stripped", "kept"),
    [
        ("[profile.release.package.app]\nstrip = true\n", "cargo build -r", STRIPPED_ALL, False),
        ('[profile.release.package."app@0.1.0"]\nstrip = "symbols"\n', "cargo build -r", STRIPPED_ALL, False),
        ('[profile.release.package."file:///w#app:0.1.0"]\nstrip = true\n', "cargo build -r", STRIPPED_ALL, False),
        (
            "[profile.release]\nstrip = false\npackage = { app = { strip = true } }\n",
            "cargo build -r",
            STRIPPED_ALL,
            False,
        ),
        (
            "[profile.release]\nstrip = true\n[profile.release.package.app]\nstrip = false\n",
            "cargo build -r",
            STRIPPED_NO,
            True,
        ),
        (
            "[profile.release.package.app]\nstrip = true\n[profile.dist]\ninherits = 'release'\nstrip = false\n",
            "cargo build --profile dist",
            STRIPPED_ALL,
            False,
        ),
        # over the environment, and under the command line
        (
            "[profile.release.package.app]\nstrip = 'none'\n",
            "CARGO_PROFILE_RELEASE_STRIP=symbols cargo build -r",
            STRIPPED_NO,
            True,
        ),
        (
            "[profile.release.package.app]\nstrip = false\n",
            "cargo build -r --config profile.release.package.app.strip=true --config profile.release.package.b.strip=false",
            STRIPPED_ALL,
            False,
        ),
        (
            "[profile.release.package.app]\nstrip = true\n",
            "cargo build -r --config profile.release.strip=false",
            STRIPPED_ALL,
            False,
        ),
        ("[profile.release]\nstrip = 'none'\n", "cargo build -r", STRIPPED_NO, True),
        ("", "CARGO_PROFILE_RELEASE_STRIP=false cargo build -r", STRIPPED_NO, True),
        ("", "cargo build -r --config profile.release.strip=false", STRIPPED_NO, True),
        # neither of them says anything of this program
        ('[profile.release.package."*"]\nstrip = true\n', "cargo build -r", STRIPPED_NO, False),
        ("[profile.release.package.application]\nstrip = true\n", "cargo build -r", STRIPPED_NO, False),
        ("[profile.dev.package.app]\nstrip = true\n", "cargo build -r", STRIPPED_NO, False),
        (
            "[profile.release]\nstrip = false\n",
            "cargo build -r --config profile.release.strip=true",
            STRIPPED_ALL,
            False,
        ),
        ("[profile.release]\nstrip = false\n", "CARGO_PROFILE_RELEASE_STRIP=true cargo build -r", STRIPPED_ALL, False),
        ("[profile.release]\nstrip = 'debuginfo'\n", "cargo build -r", STRIPPED_DEBUGINFO, True),
        ("", "cargo build -r", STRIPPED_NO, False),
        ("", "CARGO_PROFILE_RELEASE_STRIP=$(cat x) cargo build -r", UNKNOWN, False),
    ],
)
def test_what_is_said_of_symbols(manifest: str, run: str, stripped: str, kept: bool) -> None:
    call = call_of(run, files={"Cargo.toml": PACKAGE + manifest, "src/main.rs": ""})
    assert (call.stripped, call.kept) == (stripped, kept)


@pytest.mark.parametrize(("name", "debug"), [("app", True), ("*", False), ("other", False)])
def test_debug_information_of_the_package(name: str, debug: bool) -> None:
    manifest = f'{PACKAGE}[profile.release.package."{name}"]\ndebug = 2\n'
    assert call_of("cargo build -r", files={"Cargo.toml": manifest, "src/main.rs": ""}).debug is debug


def test_programs_of_several_packages_are_not_one() -> None:
    files = {
        "Cargo.toml": '[workspace]\nmembers = ["a", "b", "c"]\n[profile.release.package.a]\nstrip = true\n',
        "c/Cargo.toml": '[package]\nname = "c"\n',
        "c/src/lib.rs": "",
    }
    for name in "ab":
        files |= {f"{name}/Cargo.toml": f'[package]\nname = "{name}"\n', f"{name}/src/main.rs": ""}
    assert call_of("cargo build -r", files=files).stripped == UNKNOWN
    for run, stripped in {
        "-p a": STRIPPED_ALL,
        "-p a -p c": STRIPPED_ALL,
        "--bin a": STRIPPED_ALL,
        "--bin b": STRIPPED_NO,
    }.items():
        assert call_of(f"cargo build -r {run}", files=files).stripped == stripped


@pytest.mark.parametrize(
    ("run", "pattern", "origin"),
    [
        ("cargo build --config 'build.target=\"x86_64-unknown-linux-musl\"'", "x86_64-unknown-linux-musl", "option"),
        ('cargo build --config build.target=\\"x86_64-unknown-linux-musl\\"', "x86_64-unknown-linux-musl", "option"),
        ("cargo build --config \"build.target='$(uname -m)-unknown-linux-musl'\"", "*-unknown-linux-musl", "option"),
        ("cargo build --config='build = { target = [\"a-linux-musl\"] }'", "a-linux-musl", "option"),
        ("CARGO_BUILD_TARGET=b cargo build --config 'build.target=\"a\"'", "a", "option"),
        ("cargo build --config 'build.target=\"a\"' --config 'build.target=\"b\"' --config net.retry=3", "b", "option"),
        ("cargo build --target c --config 'build.target=\"a\"'", "c", "flag"),
        ("cargo build --config 'build.target-dir=\"a\"'", "", "host"),
        ("cargo build --config 'target.a.linker=\"a\"'", "", "host"),
        # cargo itself refuses that (1.95)
        ("cargo build --config build.target=x86_64-unknown-linux-musl", "", "host"),
    ],
)
def test_a_target_by_option(run: str, pattern: str, origin: str) -> None:
    target = call_of(run, files=CRATE).target
    assert (target.pattern, target.origin) == (pattern, origin)


MEMBERS = {
    "Cargo.toml": '[workspace]\nmembers = ["crates/*"]\nexclude = ["crates/old"]\n',
    "crates/a/Cargo.toml": '[package]\nname = "a"\n',
    "crates/a/src/main.rs": "",
    "crates/b/Cargo.toml": '[package]\nname = "b"\n',
    "crates/b/src/main.rs": "",
}


@pytest.mark.parametrize(
    ("more", "step", "output"),
    [
        ({}, "cd ./crates/${APP}", "/w/target/release"),
        ({}, "cd crates && cd a-$APP", "/w/crates/a-*/target/release"),
        ({}, "cd crates/${APP}/x", "/w/crates/*/x/target/release"),
        ({"crates/old/Cargo.toml": '[package]\nname = "old"\n'}, "cd crates/$APP", "/w/crates/*/target/release"),
        ({"Cargo.toml": '[package]\nname = "c"\n'}, "cd crates/$APP", "/w/crates/*/target/release"),
        ({"crates/b/Cargo.toml": "[package"}, "cd crates/$APP", "/w/crates/*/target/release"),
    ],
)
def test_in_a_member_that_only_the_build_knows(more: dict[str, str], step: str, output: str) -> None:
    text = f"FROM rust:1\nARG APP\nWORKDIR /w\nCOPY . .\nRUN {step} && cargo build --release\n"
    assert only_call(read(text, {**MEMBERS, **more})).output == output

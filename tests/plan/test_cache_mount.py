"""The advice of DSL302: what it would write, and when there is none."""

from __future__ import annotations

import pytest

from dockerslim_lint import linter
from dockerslim_lint.config import Settings
from dockerslim_lint.context import MemoryContext, NoContext
from dockerslim_lint.edit import Safety, Withheld, apply
from dockerslim_lint.source import Source
from tests.facts.reading import MANIFEST

PLAIN = """\
FROM rust:1-alpine AS builder
WORKDIR /app
COPY . .
RUN cargo build --release
FROM gcr.io/distroless/static-debian13
COPY --from=builder /app/target/release/app /app
CMD ["/app"]
"""

MOUNTED = """\
FROM rust:1-alpine AS builder
WORKDIR /app
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \\
    --mount=type=cache,target=/app/target \\
    cargo build --release && cp target/release/app /usr/local/bin/app
FROM gcr.io/distroless/static-debian13
COPY --from=builder /usr/local/bin/app /app
CMD ["/app"]
"""


def advice(text: str, platforms: tuple[str, ...] = (), files: dict[str, str] | None = None) -> str:
    """The file with the advice followed, or why there is none."""
    settings = Settings(select=("DSL302",), platforms=platforms)
    source = Source(text.encode())
    context = NoContext() if files is None else MemoryContext({path: body.encode() for path, body in files.items()})
    (finding,) = linter.lint(source, context, settings).findings
    if isinstance(finding.fixes, Withheld):
        return finding.fixes.reason
    (fix,) = finding.fixes
    assert fix.safety is Safety.DISPLAY
    assert linter.fix(source, NoContext(), settings, Safety.PROVABLE).source.data == source.data
    after = apply(source.data, fix.edits)
    assert not linter.lint(Source(after), NoContext(), settings).findings
    return after.decode()


def test_mounts_and_copy() -> None:
    assert advice(PLAIN) == MOUNTED
    assert advice(PLAIN.replace("\n", "\r\n")) == MOUNTED.replace("\n", "\r\n")
    backtick = "# escape=`\n"
    assert advice(backtick + PLAIN) == backtick + MOUNTED.replace("\\", "`")


def test_what_is_copied_out_already_stays() -> None:
    own = PLAIN.replace("--release\n", "--release && cp target/release/app /out\n")
    own = own.replace("builder /app/target/release/app", "builder /out")
    wanted = MOUNTED.replace("cp target/release/app /usr/local/bin/app", "cp target/release/app /out")
    assert advice(own) == wanted.replace("/usr/local/bin/app", "/out")


def test_a_home_of_its_own() -> None:
    named = PLAIN.replace("COPY . .", "ENV CARGO_HOME=/cargo\nCOPY . .")
    assert "target=/cargo/registry" in advice(named)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("COPY . .", "USER 1000\nCOPY . .", "root"),
        ("--release\n", "--release && strip target/release/app\n", "goes on with the program"),
        (
            "RUN cargo build --release\n",
            "RUN cargo build --release\nRUN cargo build --release --bin b\n",
            "same directory",
        ),
        ("--release\n", "--release | tee log\n", "larger command"),
        ("/app/target/release/app /", "/app/target/release/app* /", "more than one program"),
        ("COPY --from", "COPY --from=builder /app /src\nCOPY --from", "with all that is in it"),
        ("FROM gcr", "FROM builder AS test\nRUN ls\nFROM gcr", "another stage is based"),
        ("FROM gcr", "RUN ls target/release\nFROM gcr", "line 5 asks for the directory of the programs"),
        (
            "CMD",
            "COPY --from=builder /app/target/release/examples/x /x\nCMD",
            "line 7 asks for examples/x, which is below",
        ),
        ("cargo build", "test -e x || cargo build", "may not run"),
        ("FROM gcr", "RUN ./package.sh\nFROM gcr", "package.sh (line 5) may look into /app/target"),
        ("FROM gcr", "RUN cargo xtask dist\nFROM gcr", "cargo (line 5) may look into /app/target"),
        ("RUN cargo build --release", 'RUN ["cargo", "build", "--release"]', "no plain command"),
    ],
)
def test_none_where_somebody_needs_what_is_in_the_mount(old: str, new: str, reason: str) -> None:
    assert reason in advice(PLAIN.replace(old, new, 1))


def test_one_mount_does_not_do_for_two_platforms() -> None:
    assert "a mount of its own" in advice(PLAIN, ("linux/amd64", "linux/arm64"))


def test_the_image_ships_what_would_be_in_the_mount() -> None:
    single = "".join(PLAIN.splitlines(keepends=True)[:4]).replace("-alpine", "") + 'CMD ["./target/release/app"]\n'
    assert advice(single).startswith("the image itself ships target/")


RUSTUP = "RUN curl https://sh.rustup.rs -sSf | sh -s -- -y\n"


def says(text: str) -> bool:
    return bool(linter.lint(Source(text.encode()), NoContext(), Settings(select=("DSL302",))).findings)


@pytest.mark.parametrize(
    ("step", "place", "said"),
    [
        ("RUN cmake --build .\n", "WORKDIR", True),
        ("RUN unzip x.zip -d /usr/local\n", "RUN cargo", True),
        ("RUN unzip -o x.zip -d/usr/local\n", "RUN cargo", True),
        ("RUN tar --directory=/opt -xf x.tar\n", "RUN cargo", True),
        ("RUN tar -xf x.tar -C ../opt\n", "RUN cargo", True),
        (RUSTUP, "RUN cargo", True),
        (f"COPY rust-toolchain .\n{RUSTUP.replace('sh.rustup.rs', 'example.com')}", "COPY . .", True),
        (f"COPY rust-toolchain ci.sh ./\n{RUSTUP.replace('sh.rustup.rs', 'example.com')}", "COPY . .", False),
        (RUSTUP.replace("sh.rustup.rs", "example.com"), "RUN cargo", False),
        ("RUN unzip x.zip\n", "RUN cargo", False),
        ("RUN unzip x.zip\n", "WORKDIR", True),
        ("RUN unzip x.zip\n", "COPY . .", False),
        ("RUN tar -xf x.tar -C /\n", "RUN cargo", False),
        ("RUN tar -xf x.tar -C $D\n", "RUN cargo", False),
        ("RUN rsync cache:/app/target /app/target\n", "WORKDIR", False),
        ("RUN ./restore.sh\n", "RUN cargo", False),
        ("RUN --mount=type=bind,target=. make deps\n", "COPY . .", False),
    ],
)
def test_what_may_have_built_the_dependencies(step: str, place: str, said: bool) -> None:
    assert says(PLAIN.replace(place, f"{step}{place}", 1)) is said


@pytest.mark.parametrize(
    ("copy", "said"),
    [
        ("COPY app .", True),
        ("COPY app/ ./", True),
        ("COPY app/Cargo.* ./\nCOPY app/src src", True),
        ("COPY app/Cargo.* ./\nCOPY app/src/ ./src/", True),
        ("COPY app/Cargo.* ./\nCOPY app/proto proto", False),
        ("COPY app/Cargo.* ./", False),
    ],
)
def test_a_copy_of_the_sources(copy: str, said: bool) -> None:
    names = [f"p{number}" for number in range(9)]
    lock = "version = 4\n" + "".join(f'[[package]]\nname = "{name}"\nversion = "1.0.0"\n' for name in names)
    files = {"app/Cargo.toml": MANIFEST, "app/Cargo.lock": lock, "app/src/main.rs": "fn main() {}\n", "app/proto/x": ""}
    context = MemoryContext({path: body.encode() for path, body in files.items()})
    source = Source(PLAIN.replace("COPY . .", copy).encode())
    found = linter.lint(source, context, Settings(select=("DSL302",))).findings
    assert [one.message for one in found] == [
        "A change of any source builds all dependencies anew (9 packages are locked)."
    ] * said


INSTALLED = PLAIN.replace("cargo build --release", "cargo install --path .").replace(
    "/app/target/release/app", "/usr/local/cargo/bin/app"
)


def test_what_is_installed_needs_no_copy() -> None:
    mounts = MOUNTED.replace(
        "cargo build --release && cp target/release/app /usr/local/bin/app", "cargo install --path ."
    )
    assert advice(INSTALLED) == mounts.replace("/usr/local/bin/app", "/usr/local/cargo/bin/app")
    member = advice(INSTALLED.replace("--path .", "--path cli --root /out").replace("/usr/local/cargo/bin", "/out/bin"))
    assert "--mount=type=cache,target=/app/cli/target" in member


@pytest.mark.parametrize(
    "step", ['if [ "$(uname -m)" != "$ARCH" ]; then true; fi', "rustup target add wasm32-unknown-unknown", "echo $X"]
)
def test_what_looks_at_no_file_asks_for_nothing(step: str) -> None:
    text = INSTALLED.replace("RUN cargo", f"RUN {step}\nRUN cargo")
    assert "--mount=type=cache,target=/app/target" in advice(text)
    assert "may look into" in advice(text.replace(step, f"{step}; cp $Y /o"))
    assert "--mount=type=cache,target=/app/target" in advice(text.replace("--path .", "--path . $F"))


def test_none_where_the_copy_asks_for_what_no_call_makes() -> None:
    files = {
        "Cargo.toml": '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n[workspace]\n',
        "src/main.rs": "fn main() {}\n",
    }
    assert "a program that is not there" in advice(PLAIN.replace("release/app", "release/your-program"), files=files)
    assert "target=/app/target" in advice(PLAIN, files=files)


@pytest.mark.parametrize("directory", ["x86_64-unknown-linux-musl", "*"])
def test_none_where_the_directory_of_the_target_is_not_known(directory: str) -> None:
    text = PLAIN.replace("--release\n", "--release --target $T\n").replace(
        "target/release", f"target/{directory}/release"
    )
    assert "leaves its programs is only known when it runs" in advice(
        text.replace("RUN ", "RUN T=$(rustc -vV | tail -1) && ")
    )


def test_none_for_several_targets() -> None:
    one, other = "x86_64-unknown-linux-musl", "aarch64-unknown-linux-musl"
    text = PLAIN.replace("target/release", f"target/{one}/release").replace("cargo build", "cargo zigbuild")
    assert "line 4 builds for more than one target" in advice(
        text.replace("RUN cargo", "RUN cargo").replace("--release\n", f"--release --target {one} --target={other}\n")
    )
    assert f"target/{one}/release/app" in advice(
        text.replace("--release\n", f"--release --target-dir /app/target --target {one}\n")
    )


@pytest.mark.parametrize(
    ("base", "home"),
    [
        ("debian:13 AS builder\nRUN apt-get install -y cargo", "/root/.cargo"),
        ("alpine:3.24 AS builder\nRUN apk add cargo", "/root/.cargo"),
        ("debian:13 AS builder\nRUN curl https://sh.rustup.rs -sSf | sh -s -- -y", "/root/.cargo"),
        ("debian:13 AS builder\nENV HOME=/h\nRUN apt-get install -y cargo", "/h/.cargo"),
        ("rust:1-alpine AS builder\nENV HOME=/h", "/usr/local/cargo"),
    ],
)
def test_without_an_image_of_its_own_cargos_home_is_in_the_users(base: str, home: str) -> None:
    assert f"target={home}/registry" in advice(PLAIN.replace("rust:1-alpine AS builder", base))


@pytest.mark.parametrize(
    ("old", "new", "known"),
    [
        ("FROM rust:1", "FROM example.com/rust:1", False),
        ("FROM rust:1-alpine AS builder", "FROM debian:13 AS builder\nRUN apt-get install -y cargo", True),
        ("FROM rust:1-alpine AS builder", "FROM alpine:3.24 AS builder\nRUN apk add cargo\nUSER me", False),
        ("FROM rust:1-alpine AS builder", "FROM example.com/base:1 AS builder\nRUN apt-get install -y cargo", False),
        ("FROM rust:1", "FROM rustlang/rust:nightly", True),
        ("WORKDIR", "ENV CARGO_HOME=/c\nWORKDIR", True),
    ],
)
def test_where_cargo_keeps_what_it_downloads(old: str, new: str, known: bool) -> None:
    text = PLAIN.replace(old, new).replace("nightly-alpine", "nightly")
    assert ("CARGO_HOME, below which the call in line" in advice(text)) is not known


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("COPY . .", "ENV CARGO_TARGET_DIR=/t\nCOPY . .", "only known when it runs"),
        ("--path .", "--path . --target-dir /t", "only known when it runs"),
        ("--path .", '--path "$DIR"', "only known when it runs"),
        ("FROM gcr", "RUN cp target/release/helper /out\nFROM gcr", "line 5 looks into /app/target"),
        ("FROM gcr", "RUN du -sh /app/target\nFROM gcr", "line 5 looks into /app/target"),
        ("CMD", "COPY --from=builder /app/target/doc /doc\nCMD", "line 7 copies /app/target/doc"),
        ("CMD", "COPY --from=builder /app /src\nCMD", "line 7 copies /app"),
        ("RUN cargo", "USER 1000\nRUN cargo", "root"),
    ],
)
def test_none_where_the_directory_of_an_installation_is_asked_for(old: str, new: str, reason: str) -> None:
    assert reason in advice(INSTALLED.replace(old, new, 1))


def test_a_member_is_built_in_its_workspace() -> None:
    files = {
        "Cargo.toml": '[workspace]\nmembers = ["cli"]\n',
        "cli/Cargo.toml": '[package]\nname = "app"\nversion = "0.1.0"\n',
        "cli/src/main.rs": "fn main() {}\n",
    }
    text = INSTALLED.replace("--path .", "--path cli")
    assert "--mount=type=cache,target=/app/target \\\n" in advice(text, files=files)

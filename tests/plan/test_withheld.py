"""When there is no rewrite, and what is said then: one near miss for each reason."""

from __future__ import annotations

import pytest

from dockerslim_lint import linter
from dockerslim_lint.config import Settings
from dockerslim_lint.context import MemoryContext
from dockerslim_lint.edit import Safety
from dockerslim_lint.finding import Severity
from dockerslim_lint.source import Source
from tests.facts.reading import CRATE, locked

CLASSIC = """\
FROM rust:1 AS builder
WORKDIR /app
COPY . .
RUN cargo build --release
FROM debian:bookworm-slim
COPY --from=builder /app/target/release/app /usr/local/bin/app
CMD ["app"]
"""

SINGLE = """\
FROM rust:1
WORKDIR /app
COPY . .
RUN cargo build --release
CMD ["./target/release/app"]
"""

LOCK = "version = 4\n" + "".join(f'[[package]]\nname = "{name}"\nversion = "1.0.0"\n' for name in ("app", "{0}"))


def fix(
    text: str,
    files: dict[str, str] | None = None,
    settings: Settings | None = None,
    allow: Safety = Safety.PROVABLE,
) -> linter.Fixed:
    context = MemoryContext({path: body.encode() for path, body in (CRATE if files is None else files).items()})
    return linter.fix(Source(text.encode()), context, settings or Settings(), allow)


def reason(text: str, files: dict[str, str] | None = None, settings: Settings | None = None) -> str:
    """Why there is no static musl program: what is said of the withheld decision, or of the one that keeps glibc."""
    fixed = fix(text, files, settings)
    for one in fixed.applied:
        if one.fix.choice in ("distroless/cc", "debian-slim"):
            assert one.fix.cost.startswith("keeps glibc: ")
            return one.fix.cost
    assert fixed.source.data == text.encode() or all(not one.fix.key.startswith("slim:") for one in fixed.applied)
    assert fixed.bug is None
    (found,) = (held.reason for held in fixed.held if held.key.startswith("slim:"))
    return found


def test_the_classic_is_rewritten() -> None:
    assert fix(CLASSIC).applied
    assert fix(SINGLE).applied


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("RUN cargo build --release", 'RUN ["cargo", "build", "--release"]', "exec form"),
        ("RUN cargo", "ARG T\nRUN cargo", "rewritten"),
        ("--release\n", "--release --target $(cat t)\n", ""),
        ("FROM rust:1 AS", "FROM --platform=$BUILDPLATFORM rust:1 AS", "nothing is known of the crates"),
        ("FROM rust:1 AS", "FROM --platform=linux/arm/v7 rust:1 AS", "linux/arm/v7"),
        ("FROM debian:bookworm-slim", "ARG B=debian\nFROM ${B}", ""),
        ("RUN cargo build", "RUN cargo +nightly build", "+nightly"),
        ("RUN cargo build", "RUN cargo +1.88.0 build", "+1.88.0"),
        ("RUN cargo build", "RUN rustup install nightly && cargo +nightly build", "+nightly"),
        ("RUN cargo build", "RUN rustup install 1.88.0 || true\nRUN cargo +1.88.1 build", "+1.88.1"),
        ("RUN cargo build", "RUN if true; then rustup install 1.88.0; fi\nRUN cargo +1.88.0 build", "+1.88.0"),
        ("RUN cargo build", "RUN rustup install 1.88.0\nRUN cargo test && cargo +1.88.0 build", "rewritten"),
        ("RUN cargo build", "RUN rustup install 1.88.0 && cargo build && cargo +1.88.0 build", "+1.88.0"),
        ("RUN cargo build --release", "RUN sh -c 'rustup install 1.8 && cargo +1.8 build --release'", "+1.8"),
        (
            "RUN cargo build",
            "RUN --mount=type=cache,target=/usr/local/rustup rustup install 1.88.0\nRUN cargo +1.88.0 build",
            "in a mount",
        ),
        (
            "RUN cargo",
            "ENV CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS=-Ctarget-cpu=native\nRUN cargo",
            "RUSTFLAGS",
        ),
        ("RUN cargo", "ENV RUSTFLAGS=-Ctarget-feature=-crt-static\nRUN cargo", "-crt-static"),
        ("RUN cargo", 'ENV RUSTFLAGS="-C linker=musl-gcc"\nRUN cargo', "musl-gcc"),
        ("RUN cargo", "ENV CARGO_PROFILE_RELEASE_STRIP=debuginfo\nRUN cargo", "rewritten"),
        ("RUN cargo", "RUN cargo chef cook --release $FLAGS\nRUN cargo", "line 4 is only known when it runs"),
        ("RUN cargo build --release", "RUN cargo build --release && upx target/release/app", "packed by upx"),
        ("RUN cargo build --release", "RUN cargo build --release && test -f target/release/app || true", "rewritten"),
        ('CMD ["app"]', 'CMD app --port "$PORT"', "rewritten"),
        ('CMD ["app"]', 'CMD ["./run.sh"]', "./run.sh"),
        ('CMD ["app"]', 'ENTRYPOINT ["tini", "--", "app"]', "tini"),
        ('CMD ["app"]', 'ENV LD_PRELOAD=/x.so\nCMD ["app"]', "LD_PRELOAD"),
        ('CMD ["app"]', 'HEALTHCHECK CMD curl -f localhost\nCMD ["app"]', "HEALTHCHECK"),
        ('CMD ["app"]', 'RUN apt-get update && apt-get install -y somethingelse\nCMD ["app"]', "somethingelse"),
        ('CMD ["app"]', 'RUN apt-get update && apt-get install -y ./x.deb\nCMD ["app"]', "installs ./x.deb (line 7)"),
        (
            "cargo build --release",
            "cross build --release --target x86_64-unknown-linux-gnu",
            "linked by a tool of its own",
        ),
        ('CMD ["app"]', 'RUN dpkg-divert --list\nCMD ["app"]', "dpkg-divert"),
        ('CMD ["app"]', 'RUN useradd --badname u && mkdir /d\nUSER u\nCMD ["app"]', "mkdir"),
        ('CMD ["app"]', 'USER ghost\nCMD ["app"]', "ghost"),
        ('CMD ["app"]', 'VOLUME /data\nRUN useradd -G video u\nUSER u\nCMD ["app"]', "further groups"),
        ('CMD ["app"]', 'VOLUME /data\nRUN useradd -g staff u\nUSER u\nCMD ["app"]', "volumes"),
        ('CMD ["app"]', 'COPY --from=builder /usr/lib/libz.so.1 /usr/lib/\nCMD ["app"]', "libz.so.1"),
        ("FROM debian:bookworm-slim", "FROM debian:bookworm-slim AS base\nFROM base", "rewritten"),
    ],
)
def test_reason(old: str, new: str, said: str) -> None:
    text = CLASSIC.replace(old, new, 1)
    assert text != CLASSIC
    if said == "rewritten":
        assert fix(text).applied
    elif said:
        assert said in reason(text)
    else:
        assert not [one for one in fix(text).applied if one.fix.key.startswith("slim:")]


@pytest.mark.parametrize(
    ("step", "moved"),
    [
        ("VERSION=$(./target/release/app --version) && echo $VERSION > /v", False),
        ('bash -c "cp target/release/app /x"', False),
        ("[[ -e target/release/app ]] && true", False),
        ("sha256sum < target/release/app > /sum", False),
        ('echo "$(sha256sum target/release/app | cut -c1-64)" > /sum', False),
        ('sed -i "s#BIN#/app/target/release/app#" /etc/x.conf', False),
        ("cp ./target/release/./app /x", False),
        ('<<EOT python3\nopen("target/release/app")\nEOT', False),
        ("cp target/release/app /x", True),
        ("cp target/debug/app /x", True),
        ("cp x/target/releases/app /x", True),
        ("true \\\n# target/release/app\n && ls -l target/release/app", True),
    ],
)
def test_a_path_in_a_text_that_cannot_be_moved(step: str, moved: bool) -> None:
    text = CLASSIC.replace("FROM debian", f"RUN {step}\nFROM debian")
    new = fix(text).source.data.decode()
    assert ("-unknown-linux-musl" in new) == moved
    if not moved:
        assert "target/release/app" in new and "-linux-musl" not in new


@pytest.mark.parametrize(
    ("argument", "words", "static"),
    [
        ("T", "$T", True),
        ("T", "${T:+--features $T}", True),
        ("T", "${T:+--target-dir $T}", True),
        ("T=", "${T:+--target $T}", False),
        ("T", "${T:+--target $T}", False),
        ("T", "${T:+--target=$T}", False),
    ],
)
def test_a_target_that_a_build_argument_may_bring_stays_the_only_one(argument: str, words: str, static: bool) -> None:
    text = CLASSIC.replace("RUN cargo", f"ARG {argument}\nRUN cargo").replace("--release", f"--release {words}")
    (slim,) = (one.fix for one in fix(text).applied if one.fix.key.startswith("slim:"))
    added = fix(text).source.data.decode().replace(words, "").count("--target ")
    assert (slim.choice, added) == (("distroless/static", 1) if static else ("distroless/cc", 0))
    assert (f"{words} may bring a target of its own" in slim.cost) is not static


@pytest.mark.parametrize("crate", ["openssl-sys", "librocksdb-sys", "libsqlite3-sys"])
def test_crates_with_c(crate: str) -> None:
    assert crate in reason(CLASSIC, locked(**{crate.replace("-", "__"): ""}))


def test_a_crate_without_c() -> None:
    assert fix(CLASSIC, {**CRATE, "Cargo.lock": LOCK.format("itoa")}).applied


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ('[target.x86_64-unknown-linux-gnu]\nrustflags = ["-Ctarget-cpu=native"]\n', "x86_64-unknown-linux-gnu"),
        ('[target.x86_64-unknown-linux-musl]\nlinker = "musl-gcc"\n', "x86_64-unknown-linux-musl"),
    ],
)
def test_configuration_of_cargo(config: str, said: str) -> None:
    assert said in reason(CLASSIC, {**CRATE, ".cargo/config.toml": config})


def test_platforms_without_a_musl_target() -> None:
    assert "s390x-unknown-linux-musl" in reason(CLASSIC, settings=Settings(platforms=("linux/amd64", "linux/s390x")))
    assert fix(CLASSIC, settings=Settings(platforms=("linux/amd64", "linux/arm64"))).applied


def test_platforms_for_which_no_base_is_there() -> None:
    said = "linux/{} is asked for, and {} is not there for it ({}: the same)"
    loong = reason(CLASSIC, settings=Settings(platforms=("linux/loong64",)))
    assert said.format("loong64", "distroless/static", "alpine, distroless/cc, debian slim") in loong
    mips = reason(CLASSIC, settings=Settings(platforms=("linux/mips64le",)))
    assert said.format("mips64le", "distroless/cc", "debian slim") in mips


@pytest.mark.parametrize(
    ("base", "withheld"),
    [
        ("--platform=linux/arm64 arm64v8/debian:12", False),
        ("--platform=linux/arm64/v8 arm64v8/debian:12", False),
        ("--platform=linux/amd64 debian:12", False),
        ("arm64v8/debian:12", True),
        ("--platform=linux/amd64 arm64v8/debian:12", True),
        ("--platform=$TARGETPLATFORM arm64v8/debian:12", True),
        ("--platform=linux/arm64 $NAMESPACE/debian:12", True),
    ],
)
def test_a_base_whose_name_tells_the_platform(base: str, withheld: bool) -> None:
    text = f"ARG NAMESPACE=arm64v8\n{CLASSIC.replace('debian:bookworm-slim', base)}"
    if withheld:
        assert "is linux/arm64's whatever is asked for" in reason(text)
    else:
        assert fix(text).applied


def test_symbols_of_a_program_that_a_step_changes() -> None:
    fixed = fix(CLASSIC.replace("--release", "--release && upx target/release/app"), allow=Safety.SAFE)
    assert [one.reason for one in fixed.held if one.key == "strip:1"] == ["/usr/local/bin/app is packed by upx"]


def test_musl_outputs_in_the_context() -> None:
    outputs = {**CRATE, "target/x86_64-unknown-linux-musl/release/app": ""}
    assert "target/*-linux-musl" in reason(CLASSIC, outputs)
    assert fix(CLASSIC, {**outputs, ".dockerignore": "/target\n"}).applied
    assert fix(CLASSIC, {**outputs, ".dockerignore": "*\n!src\n!Cargo.*\n"}).applied


def test_a_toolchain_file_below_the_step() -> None:
    text = CLASSIC.replace("RUN cargo", "RUN cd sub && cargo").replace("/app/target", "/app/sub/target")
    files = {f"sub/{path}": body for path, body in CRATE.items()}
    assert fix(text, files).applied
    assert "sub/rust-toolchain" in reason(text, {**files, "sub/rust-toolchain": "1.80"})
    # of the context's own name, and yet below: all of it is copied there
    inner = text.replace("COPY . .", "COPY . sub")
    assert fix(inner, CRATE).applied
    assert "rust-toolchain chooses the toolchain below" in reason(inner, {**CRATE, "rust-toolchain": "1.80"})


def test_a_toolchain_file_in_the_directory_of_the_step_is_not_below_it() -> None:
    text = CLASSIC.replace("RUN cargo", "WORKDIR sub\nRUN cargo").replace("/app/target", "/app/sub/target")
    files = {f"sub/{path}": body for path, body in CRATE.items()}
    fixed = fix(text, {**files, "sub/rust-toolchain": "1.80"}).source.data.decode()
    assert fixed.index("WORKDIR sub") < fixed.index("rustup target add") < fixed.index("cargo build")
    # the file above the directory of the step is in force there too
    deeper = text.replace("RUN cargo", "RUN cd . && cargo")
    assert "rustup target add" in fix(deeper, {**files, "rust-toolchain": "1.80"}).source.data.decode()
    # where rustup looks in another directory than cargo
    elsewhere = CLASSIC.replace("--release", "--release --manifest-path sub/Cargo.toml").replace(
        "/app/target", "/app/sub/target"
    )
    assert "whether sub/rust-toolchain chooses" in reason(elsewhere, {**files, "sub/rust-toolchain": "1.80"})


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("COPY . .", "COPY . .\nUSER someone", "someone"),
        ("COPY . .", "COPY --from=node:22 /x /x\nCOPY . .", "another image"),
        ("COPY . .", "COPY . .\nCOPY asset[s] /app/assets", "asset[s]"),
        ('CMD ["./target/release/app"]', "CMD ./target/release/app --port $PORT", "shell form"),
    ],
)
def test_single_stage_that_stays_whole(old: str, new: str, said: str) -> None:
    text = SINGLE.replace(old, new, 1)
    files = {**CRATE, "assets/a": ""}
    if said == "shell form":
        # a base with a shell can take it
        assert [one.fix.choice for one in fix(text, files).applied] == ["alpine"]
    else:
        assert said in reason(text, files)


@pytest.mark.parametrize(
    ("step", "choice"),
    [("RUN apt-get update && apt-get install -y ffmpeg", "alpine"), ("RUN useradd u", "distroless/static")],
)
def test_single_stage_that_goes_on_from_debian_slim(step: str, choice: str) -> None:
    fixed = fix(SINGLE.replace("COPY . .", f"COPY . .\n{step}"))
    assert [one.fix.choice for one in fixed.applied] == [choice]
    assert fixed.bug is None


def test_single_stage_without_a_known_context() -> None:
    fixed = linter.fix(Source(SINGLE.encode()), MemoryContext({}), Settings(), Safety.PROVABLE)
    assert fixed.bug is None


def test_a_suppressed_finding_withholds_the_decision() -> None:
    text = SINGLE.replace("FROM rust:1\n", "# dockerslim: ignore=DSL202; reason=the toolchain is wanted\nFROM rust:1\n")
    assert "DSL202" in reason(text)
    report = linter.lint(Source(text.encode()), MemoryContext({k: v.encode() for k, v in CRATE.items()}), Settings())
    assert [finding.code for finding in report.suppressed] == ["DSL202"]


def test_build_dependencies_do_not_keep_a_single_stage_whole() -> None:
    text = SINGLE.replace("COPY . .", "RUN apt-get update && apt-get install -y pkg-config cmake\nCOPY . .")
    assert fix(text).applied


FOLDER = "FROM rust:1 AS b\nWORKDIR /app\nCOPY . .\nRUN cargo build --release\nFROM debian\nWORKDIR /app\n"


@pytest.mark.parametrize(
    ("copied", "program"),
    [
        ("/app /app", "./target/release/app"),
        ("/app/target /app/target", "target/release/app"),
        ("/app /srv/", "/srv/target/release/app"),
        ("/app /srv", "/srv/target/release/app"),
    ],
)
def test_a_folder_above_the_outputs_is_shipped_whole(copied: str, program: str) -> None:
    said = reason(f'{FOLDER}COPY --from=b {copied}\nCMD ["{program}"]\n')
    assert "whole, in which the program would have another path" in said


def test_the_output_directory_and_a_glob_of_programs_are_no_hindrance() -> None:
    assert fix(f'{FOLDER}COPY --from=b /app/target/release /app\nCMD ["./app"]\n').applied
    text = FOLDER.replace("--release\n", "--release && mkdir -p /out/bin && cp target/release/app /out/bin/\n")
    assert fix(f'{text}COPY --from=b /out/bin/* /usr/local/bin/\nCMD ["app"]\n').applied


COLLECTS = "RUN ldd target/release/app | grep -o '/[^ ]*' | xargs -I % sh -c 'mkdir -p $(dirname deps%); cp % deps%'\n"


def test_libraries_that_ldd_finds_are_not_looked_for_in_a_static_program() -> None:
    text = CLASSIC.replace("FROM debian:bookworm-slim\n", f"{COLLECTS}FROM scratch\nCOPY --from=builder /app/deps /\n")
    fixed = fix(text, {**CRATE, "Cargo.lock": "version = 4\n"})
    assert fixed.bug is None
    after = fixed.source.data.decode()
    assert "linux-musl" not in after and "FROM scratch\n" in after
    # one that only looks is none of them
    looks = CLASSIC.replace("--release\n", "--release\nRUN ldd target/release/app\n")
    assert "linux-musl" in fix(looks, {**CRATE, "Cargo.lock": "version = 4\n"}).source.data.decode()


def test_a_fix_that_changes_nothing_is_none() -> None:
    """What the first fix has left of DSL112 is no work for another one to the same base."""
    builder = CLASSIC.partition("FROM debian")[0].replace(
        "FROM rust:1 ", "FROM --platform=$BUILDPLATFORM rust:1-bookworm "
    )
    builder = builder.replace("--release\n", "--release && mkdir /out && cp target/release/app /out/app\n")
    text = f'{builder}FROM ubuntu:24.04\nCOPY --from=builder /out /\nUSER 1001\nENTRYPOINT ["/app"]\n'
    fixed = fix(text, {**CRATE, "Cargo.lock": "version = 4\n"})
    assert fixed.bug is None
    assert [one.fix.key for one in fixed.applied].count("slim:0") <= 1


def test_each_reason_is_told_once_and_with_its_base() -> None:
    text = CLASSIC.replace(
        "RUN cargo", "RUN apt-get update && apt-get install -y libssl-dev libclang-dev dpkg-dev\nRUN cargo"
    )
    text = text.replace("CMD", "RUN apt-get update && apt-get install -y curl file libssl3t64\nCMD")
    report = fix(text.replace("debian:bookworm-slim", "debian:stable-slim"), {}).report
    (found,) = [one.message for one in report.findings if one.code == "DSL101"]
    said = found.split("is not known: ", 1)[1]
    assert said.startswith("libssl-dev (line 4) may be linked, and nothing is known of the crates; distroless/cc: ")
    assert "libclang-dev" not in said and "dpkg-dev" not in said
    assert len(set(said.split("; "))) == len(said.split("; ")) == 2


@pytest.mark.parametrize("text", [SINGLE, CLASSIC.replace("debian:bookworm-slim", "rust:1-slim")])
def test_a_program_that_starts_cargo_keeps_its_toolchain(text: str) -> None:
    source = 'fn main() {\n    std::process::Command::new("cargo").arg("build").status().unwrap();\n}\n'
    fixed = fix(text, {**CRATE, "src/main.rs": source})
    assert fixed.source.data.count(b"FROM rust:1") == text.count("FROM rust:1")
    levels = {finding.code: finding.severity for finding in fixed.report.findings}
    assert levels["DSL202"] is Severity.INFO
    assert "DSL101" not in levels


def test_a_program_that_no_crate_makes_keeps_no_rule_from_speaking() -> None:
    files = {**CRATE, "Cargo.lock": "version = 4\n"}
    text = CLASSIC.replace("release/app /usr/local/bin/app", "release/server /usr/local/bin/app")
    text = text.replace("debian:bookworm-slim", "ubuntu:22.10")
    assert reason(text, files) == "/usr/local/bin/app is no program of the crate (app)"
    codes = {one.code for one in fix(text, files, allow=Safety.SAFE).report.findings}
    assert {"DSL101", "DSL206", "DSL308", "DSL402"} <= codes and "DSL201" not in codes


def test_a_program_and_a_link_to_it_are_one() -> None:
    text = CLASSIC.replace("CMD", "RUN ln -s /usr/local/bin/app /usr/bin/app\nCMD")
    context = MemoryContext({path: body.encode() for path, body in CRATE.items()})
    said = [
        one.message for one in linter.lint(Source(text.encode()), context, Settings()).findings if one.code == "DSL101"
    ]
    assert [one.partition(" ships")[0] for one in said] == ["app is a glibc program and"]


BY_PLATFORM = CLASSIC.replace(
    "rust:1 AS builder\n", "rust:1 AS b-amd64\nFROM rust:1 AS b-arm64\nFROM b-${TARGETARCH} AS builder\n"
)


def test_the_platform_chooses_the_builder() -> None:
    assert reason(BY_PLATFORM) == "the platform chooses the stage on which the builder (line 3) is built"
    musl = fix(BY_PLATFORM.replace("rust:1 ", "rust:1-alpine "))
    assert "static program on" in musl.applied[0].fix.title
    assert "CARGO_PROFILE_RELEASE_STRIP" in musl.source.data.decode()

"""What somebody found who judged real Dockerfiles without knowing the code, the sixth time; each in a few lines of our own."""

from __future__ import annotations

import pytest

from dockerslim_lint import linter
from dockerslim_lint.config import Settings
from dockerslim_lint.context import MemoryContext
from dockerslim_lint.edit import Withheld
from dockerslim_lint.source import Source
from tests.facts.reading import CRATE, locked, read
from tests.plan.test_fresh_eyes_l import said
from tests.plan.test_withheld import CLASSIC, fix

APT = """\
FROM rust:1-bookworm AS builder
WORKDIR /app
COPY . .
RUN cargo build --release --locked
FROM debian:bookworm-slim
RUN {step}
COPY --from=builder /app/target/release/app /app
CMD ["/app"]
"""
EMPTIED = "rm -rf /var/lib/apt/lists/*"


@pytest.mark.parametrize(
    ("step", "written"),
    [
        (
            "set -eux; \\\n    apt-get update; \\\n    apt-get install -y htop; \\\n    apt-get clean",
            f"install -y htop; {EMPTIED}; \\\n    apt-get clean",
        ),
        ("set -e; apt-get update; apt-get install -y htop", f"install -y htop && {EMPTIED}\n"),
        ("set -e; apt-get update; apt-get install -y htop;", f"install -y htop && {EMPTIED};\n"),
        ("apt-get update && apt-get install -y htop && apt-get clean", f"-y htop && {EMPTIED} && apt-get clean\n"),
        ("<<EOF\nset -e\napt-get update\napt-get install -y htop\napt-get clean\nEOF", f"htop; {EMPTIED}\napt-get"),
        ("<<EOF\nset -e\napt-get update\napt-get install -y htop\nEOF", f"htop && {EMPTIED}\nEOF"),
    ],
)
def test_a_step_still_ends_where_an_install_fails(step: str, written: str) -> None:
    assert written in fix(APT.format(step=step), locked(htop="=1.0.0")).source.data.decode()


@pytest.mark.parametrize("base", ["alpine:3.23", "scratch"])
@pytest.mark.parametrize(
    ("name", "more", "found"),
    [
        ("libfoo", "", True),
        ("librespot", "", True),
        ("app", "", True),
        ("libfoo", "COPY --from=builder /lib /lib\n", False),
        ("libfoo", "COPY --from=builder /usr/lib64/ /opt/\n", False),
        ("libfoo", "COPY --from=builder /work/libs /lib\n", False),
    ],
)
def test_a_program_whose_name_begins_like_a_librarys_is_none(base: str, name: str, more: str, found: bool) -> None:
    files = {path: text.replace('"app"', f'"{name}"') for path, text in CRATE.items()}
    text = CLASSIC.replace("release/app", f"release/{name}").replace("debian:bookworm-slim", base)
    assert bool(said("DSL102", text.replace("CMD", f"{more}CMD"), files)) is found


@pytest.mark.parametrize(
    ("step", "programs"),
    [
        ("make web && cp -r target/site/* /site/", {"app"}),
        ("cargo leptos build --release && cp -r target/site /site", {"app"}),
        ("make && cp target/doc/app/index /site/index", {"app"}),
        ("make more && cp target/dist/more /site/more", {"app", "more"}),
    ],
)
def test_what_lies_beside_the_profiles_is_no_program(step: str, programs: set[str]) -> None:
    text = CLASSIC.replace("FROM debian", f"RUN mkdir /site && {step}\nFROM debian")
    text = text.replace("CMD", "COPY --from=builder /site /srv/site\nCMD")
    (image,) = read(text, CRATE).images
    assert {artifact.name for _, artifact in image.artifacts} == programs
    fixed = fix(text)
    assert "STRIP=symbols" in fixed.source.data.decode() and fixed.bug is None


@pytest.mark.parametrize(
    ("step", "found"),
    [
        ("cargo fetch", True),
        ("cargo fetch --locked && cargo tree", True),
        ("cargo metadata > /dev/null", True),
        ("cargo vendor > .cargo/config.toml", False),
        ("cargo run --release", False),
        ("cargo test --release", False),
        ("cargo other", False),
    ],
)
def test_who_only_fetches_crates_makes_no_program(step: str, found: bool) -> None:
    text = CLASSIC.replace("cargo build --release", "cargo build").replace("RUN cargo", f"RUN {step}\nRUN cargo")
    assert bool(said("DSL308", text, locked(itoa="=1.0.0"))) is found


@pytest.mark.parametrize(
    ("lines", "moves"),
    [
        ("COPY legacy.cnf /etc/ssl/legacy.cnf\nENV OPENSSL_CONF=/etc/ssl/legacy.cnf", False),
        ("ENV OPENSSL_MODULES=/opt/modules", False),
        ("COPY openssl.cnf /etc/ssl/", False),
        ("COPY legacy.cnf /etc/ssl/openssl.cnf", False),
        ("ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt", True),
        ("ENV OPENSSL=yes", True),
        ("COPY app.cnf /etc/app/", True),
    ],
)
@pytest.mark.parametrize("crate", ["openssl__sys", "itoa"])
def test_an_openssl_that_is_configured_stays(lines: str, moves: bool, crate: str) -> None:
    files = {**locked(**{crate: "=0.9.100"}), "legacy.cnf": "a = b\n", "openssl.cnf": "a = b\n", "app.cnf": "a = b\n"}
    text = CLASSIC.replace("rust:1 ", "rust:1-bookworm ").replace("CMD", f"{lines}\nCMD")
    assert ("distroless" in fix(text, files).source.data.decode()) is moves


def test_what_configures_openssl_in_the_builder_is_not_the_images() -> None:
    text = CLASSIC.replace("COPY . .", "COPY . .\nENV OPENSSL_CONF=/etc/ssl/legacy.cnf")
    assert "distroless" in fix(text, locked(itoa="=1.0.0")).source.data.decode()


@pytest.mark.parametrize(
    ("name", "content", "moves"),
    [
        ("configs.toml", "a = 1\n", True),
        ("words", "one\ntwo\n", True),
        ("wait.sh", "#!/bin/bash\nexec app\n", False),
        ("tool", "\x7fELF", False),
        ("unknown", "", False),
    ],
)
def test_a_file_of_data_beside_the_program_is_no_program(name: str, content: str, moves: bool) -> None:
    files = {**locked(itoa="=1.0.0"), name: content}
    text = CLASSIC.replace("CMD", f"COPY {name} /usr/local/bin/\nCMD")
    assert ("distroless" in fix(text, files).source.data.decode()) is moves


TOOLS = {
    "Cargo.toml": '[workspace]\nmembers = ["sup", "tool"]\n',
    "sup/Cargo.toml": '[package]\nname = "sup"\nversion = "0.1.0"\n',
    "sup/src/main.rs": "fn main() {}\n",
    "tool/Cargo.toml": '[package]\nname = "tool"\nversion = "0.1.0"\n',
    "tool/src/main.rs": 'fn main() { std::process::Command::new("cargo").status().unwrap(); }\n',
}


@pytest.mark.parametrize(
    ("step", "wanted"),
    [
        ("ln -s /app/target/release/tool /usr/local/bin/tool", True),
        ("ln -sf /app/target/release/sup /usr/local/bin/sup", False),
        ("ln -s /usr/bin/python3 /usr/bin/tool", False),
        ("true", False),
    ],
)
def test_a_program_behind_a_link_may_compile_too(step: str, wanted: bool) -> None:
    text = (
        f"FROM rust:1-slim\nWORKDIR /app\nCOPY . .\nRUN cargo build --release\nRUN {step}\n"
        'RUN cp target/release/sup /app/sup\nCMD ["/app/sup"]\n'
    )
    (message,) = said("DSL202", text, TOOLS)
    assert ("may be wanted there" in message) is wanted


CHEF = """\
FROM lukemathwalker/cargo-chef:latest-rust-1-bookworm AS builder
WORKDIR /app
COPY recipe.json .
{cook}cargo chef cook --release --recipe-path recipe.json
COPY . .
{build}cargo build --release
FROM gcr.io/distroless/cc-debian13
COPY --from=builder /app/target/release/app /app
CMD ["/app"]
"""


@pytest.mark.parametrize(
    ("cook", "build", "told"),
    [
        ("RUN ", "RUN CARGO_PROFILE_RELEASE_LTO=true ", "CARGO_PROFILE_RELEASE_LTO (not set, then true)"),
        ("RUN CARGO_PROFILE_RELEASE_LTO=thin ", "RUN CARGO_PROFILE_RELEASE_LTO=fat ", "LTO (thin, then fat)"),
        ("RUN ", "ENV CARGO_PROFILE_RELEASE_DEBUG=1\nRUN ", "CARGO_PROFILE_RELEASE_DEBUG (not set, then 1)"),
        ("RUN ", "RUN CARGO_PROFILE_DEV_LTO=true ", ""),
        ("RUN ", "ARG LTO\nRUN CARGO_PROFILE_RELEASE_LTO=$LTO ", ""),
        ("RUN ", "RUN CARGO_PROFILE_RELEASE_LTO=$LTO ", ""),
        ("RUN CARGO_PROFILE_RELEASE_LTO=true ", "RUN CARGO_PROFILE_RELEASE_LTO=true ", ""),
        ("ENV CARGO_PROFILE_RELEASE_LTO=true\nRUN ", "RUN ", ""),
        ("ENV CARGO_PROFILE_RELEASE_LTO=true\nRUN ", "RUN CARGO_PROFILE_RELEASE_LTO=true ", ""),
    ],
)
def test_a_setting_of_the_profile_builds_the_dependencies_anew(cook: str, build: str, told: str) -> None:
    found = said("DSL303", CHEF.format(cook=cook, build=build), CRATE)
    assert [told in one for one in found] == [True] * bool(told)


def test_cook_gets_the_settings_that_stand_before_the_build() -> None:
    fixed = fix(CHEF.format(cook="RUN ", build="RUN CARGO_PROFILE_RELEASE_LTO=true "))
    assert fixed.source.data.decode().count("CARGO_PROFILE_RELEASE_LTO=true") == 2 and fixed.bug is None
    later = fix(CHEF.format(cook="RUN ", build="ENV CARGO_PROFILE_RELEASE_LTO=true\nRUN "))
    assert "chef cook" in later.source.data.decode() and later.bug is None


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ("RUN rustc --version && cargo --version", "`./cargo stable` (line 5)"),
        ("RUN protoc --version; clang -V", "`./cargo stable` (line 5)"),
        ("RUN ./prepare --version", "`./prepare --version` (line 2)"),
        ("RUN make", "`make` (line 2)"),
    ],
)
def test_who_is_asked_for_its_version_builds_nothing(step: str, told: str) -> None:
    text = CLASSIC.replace("WORKDIR", f"{step}\nWORKDIR").replace("cargo build --release", "./cargo stable build")
    (finding,) = linter.lint(Source(text.encode()), MemoryContext({}), Settings()).findings[:1]
    assert isinstance(finding.fixes, Withheld) and told in finding.fixes.reason


def test_a_version_stands_in_nobodys_way() -> None:
    text = CLASSIC.replace("RUN cargo", "RUN clang --version\nRUN cargo")
    assert "distroless/static" in fix(text, locked(itoa="=1.0.0")).source.data.decode()


@pytest.mark.parametrize(
    ("step", "left"),
    [
        ("apt-get install -y libssl-dev", True),
        ("apt-get install -y libssl-dev && apt-get autoremove -y", True),
        ("apt-get install -y libssl-dev && apt-get autoremove -y libssl-dev", False),
        ("apt-get install -y libssl-dev && apt-get purge -y libssl-dev", False),
        ("apt-get install -y libssl-dev && apt-get remove -y --auto-remove libssl-dev", False),
    ],
)
def test_autoremove_takes_nothing_that_was_asked_for(step: str, left: bool) -> None:
    text = APT.format(step=f"apt-get update && {step} && {EMPTIED}")
    assert any("libssl-dev" in one for one in said("DSL205", text, locked(itoa="=1.0.0"))) is left


@pytest.mark.parametrize(
    ("between", "built", "told"),
    [
        ("WORKDIR /src\nCOPY . .", "cargo build --release", "the target directory (/app/target, then /src/target)"),
        ("ADD . /src", "cd /src; cargo build --release", "the target directory (/app/target, then /src/target)"),
        ("COPY . .", "cd server && cargo build --release", ""),
        ("WORKDIR /app/server\nCOPY . .", "cargo build --release", ""),
        ("WORKDIR /src\nCOPY . .", "mv /app/target . && cargo build --release", ""),
        ("WORKDIR /src\nCOPY . .", "./warm.sh && cargo build --release", ""),
        ("WORKDIR /src\nCOPY . .\nENV CARGO_TARGET_DIR=/app/target", "cargo build --release", ""),
        ("WORKDIR $SRC\nCOPY . .", "cargo build --release", ""),
    ],
)
def test_cook_in_another_directory_warms_nothing(between: str, built: str, told: str) -> None:
    text = (
        CHEF.format(cook="RUN ", build="RUN ")
        .replace("COPY . .", between)
        .replace("RUN cargo build --release", f"RUN {built}")
    )
    found = said("DSL303", text, CRATE)
    assert [told in one for one in found] == [True] * bool(told)
    assert fix(text, CRATE).bug is None


@pytest.mark.parametrize(
    ("step", "builds"),
    [
        ("./cargo build", True),
        ("/usr/local/cargo/bin/cargo fetch", False),
        ("./rustup-init -y", False),
        ("/tmp/install -m755 a /usr/bin/", False),
    ],
)
def test_a_script_by_the_name_of_cargo(step: str, builds: bool) -> None:
    build = read(CLASSIC.replace("COPY . .", f"COPY . .\nRUN {step}"), CRATE)
    assert (build.builders[0] is not None) is builds

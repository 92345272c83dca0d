"""Calls that cargo refuses, and all that may make it take them."""

from __future__ import annotations

import pytest

from tests.facts.reading import MANIFEST, read

TEXT = """\
FROM rust:1 AS build
WORKDIR /app
{copy}
RUN {build}
FROM debian:trixie-slim
COPY --from=build /app/target/release/{program} /usr/local/bin/
"""
MAIN = "fn main() {}\n"
BUILD = "cargo build --release"


def package(name: str, more: str = "") -> dict[str, str]:
    return {f"{name}/Cargo.toml": MANIFEST.replace("app", name) + more, f"{name}/src/main.rs": MAIN}


def workspace(members: str, more: str = "") -> dict[str, str]:
    return {"Cargo.toml": f"[workspace]\nmembers = [{members}]\n{more}", "Cargo.lock": "version = 4\n"}


def refused(copy: str, build: str, files: dict[str, str], program: str = "a") -> list[tuple[str, str, str]]:
    found = read(TEXT.format(copy=copy, build=build, program=program), files).refused
    return [(one.kind, one.name, one.why) for one in found]


TWO = {**workspace('"a", "b"'), **package("a"), **package("b")}
GLOB = {**TWO, **workspace('"a", "b*"')}
PART = "COPY Cargo.* ./\nCOPY a a"


def test_a_member_that_no_copy_brings() -> None:
    left_out = [("member", "b", "COPY")]
    assert refused(PART, f"{BUILD} -p a", TWO) == left_out
    assert refused(PART, "cargo install --path a", TWO) == left_out
    assert refused(PART, f"cd a && {BUILD}", TWO) == left_out
    assert refused(PART, f"{BUILD} --manifest-path a/Cargo.toml", TWO) == left_out
    assert refused(f"{PART}\nRUN apt-get update", f"{BUILD} -p a", TWO) == left_out
    assert refused(f"{PART}\nRUN cargo install sccache", f"{BUILD} -p a", TWO) == left_out
    assert refused(f"{PART}\nRUN mkdir -p b/src && echo > b/src/main.rs", BUILD, TWO) == left_out
    assert refused(f"{PART}\nCOPY b/src b/src", BUILD, TWO) == left_out
    # a warm-up that forgets one
    assert refused(PART, f"{BUILD} -p a\nCOPY . .\nRUN {BUILD}", TWO) == left_out
    # cargo takes a glob that fits nothing by its letters
    assert refused(PART, BUILD, GLOB) == [("member", "b*", "COPY")]
    assert refused("COPY . .", BUILD, {**TWO, ".dockerignore": "b\n"}) == [("member", "b", ".dockerignore")]
    below = {f"rs/{name}": text for name, text in TWO.items()}
    assert refused("COPY rs/Cargo.* ./\nCOPY rs/a a", BUILD, below) == left_out


@pytest.mark.parametrize(
    "copy",
    [
        "COPY . .",
        f"{PART}\nCOPY b b",
        f"{PART}\nCOPY b ./b/",
        f"{PART}\nCOPY b/Cargo.toml b/",
        "COPY Cargo.* ./\nCOPY --parents */Cargo.toml ./",
        "COPY --parents Cargo.* **/Cargo.toml ./",
        "COPY . .\nCOPY a a",
        f"ARG WHAT=b\n{PART}\nCOPY $WHAT $WHAT",
        f"ARG WHAT\n{PART}\nCOPY $WHAT $WHAT",
        f"{PART}\nCOPY --from=other /src/b b",
        f"{PART}\nADD b.tar.gz ./",
        f"{PART}\nADD --keep-git-dir https://example.com/b.git b",
        f"{PART}\nCOPY <<EOF b/Cargo.toml\n[package]\nEOF",
        f"{PART}\nRUN cargo new b",
        f"{PART}\nRUN cd b && cargo init",
        f"{PART}\nRUN mkdir -p b/src && echo '[package]' > b/Cargo.toml",
        f"{PART}\nRUN cp -r a b",
        f"{PART}\nRUN sed -i /b/d Cargo.toml",
        f"{PART}\nRUN sed -i /b/d Cargo.*",
        f"{PART}\nRUN git clone https://example.com/b",
        f"{PART}\nRUN ./prepare.sh",
        f"{PART}\nRUN make b",
        f"{PART}\nRUN cargo chef cook --release --recipe-path recipe.json",
        "COPY Cargo.docker.toml Cargo.toml\nCOPY a a",
        "COPY a .",
    ],
)
def test_a_member_that_is_there_or_may_be(copy: str) -> None:
    files = {**TWO, "Cargo.docker.toml": '[workspace]\nmembers = ["a"]\n', "b.tar.gz": "", "prepare.sh": "exit\n"}
    assert not refused(copy, BUILD, files)


@pytest.mark.parametrize(
    "files",
    [
        {**TWO, **workspace('"a"')},
        {**TWO, **workspace('"a", "b"', 'exclude = ["b"]\n')},
        {**workspace('"a", "b"'), **package("a")},
        {**workspace('"a", "../b"'), **package("a")},
        {**TWO, **workspace('"a", "b/../a"')},
        {**TWO, **workspace('"*"')},
        {**TWO, **workspace('".", "a"')},
    ],
)
def test_members_that_are_no_error(files: dict[str, str]) -> None:
    assert not refused(PART, f"{BUILD} -p a", files)


@pytest.mark.parametrize(
    "build",
    [
        "--mount=type=bind,source=b,target=b cargo build --release",
        "--mount=type=bind,target=/app cargo build --release",
        "test -d a || cargo build --release",
        "if [ -d b ]; then cargo build --release; fi",
        "make",
    ],
)
def test_a_call_that_may_see_more(build: str) -> None:
    assert not refused(PART, build, TWO)


def test_dockerignore_that_lets_it_through() -> None:
    assert not refused("COPY . .", BUILD, {**TWO, ".dockerignore": "*\n!Cargo.*\n!a\n!b\n"})
    assert not refused("COPY . .", BUILD, {**TWO, ".dockerignore": "b/src\n"})
    assert not refused("COPY . .", BUILD, {**GLOB, **package("bb"), ".dockerignore": "b\n"})


FEATURES = '[features]\nx = []\nwith-y = ["dep:y", "serde/derive"]\n'
DEPENDENCIES = """\
[dependencies]
y = { version = "1", optional = true }
z = { workspace = true, optional = true }
serde = "1"
[target.'cfg(unix)'.build-dependencies]
w = { version = "1", optional = true }
"""
ONE = {"Cargo.toml": f"{MANIFEST}{DEPENDENCIES}{FEATURES}", "Cargo.lock": "version = 4\n", "src/main.rs": MAIN}
SOME = {**TWO, **package("b", FEATURES)}


@pytest.mark.parametrize("name", ["nope", "x,nope", "'x nope'", "y", "serde", "X"])
def test_a_feature_that_the_package_does_not_have(name: str) -> None:
    feature = name.strip("'").replace(",", " ").split()[-1]
    assert refused("COPY . .", f"{BUILD} --features {name}", ONE) == [("feature", feature, "")]
    assert refused("COPY . .", f"{BUILD} -F{name} --no-default-features", ONE) == [("feature", feature, "")]
    assert refused("COPY . .", f"cargo install --path . --features {name}", ONE) == [("feature", feature, "")]


def test_a_feature_that_no_package_has() -> None:
    def there(build: str, files: dict[str, str]) -> tuple[str, ...]:
        found = read(TEXT.format(copy="COPY . .", build=build, program="a"), files).refused
        return found[0].there if found else ()

    assert there(f"{BUILD} --features nope", SOME) == ("a", "b")
    assert there(f"{BUILD} -p a --features x", SOME) == ("a",)
    assert there(f"cd a && {BUILD} --features x", SOME) == ("a",)
    rooted = {**SOME, "Cargo.toml": MANIFEST + SOME["Cargo.toml"], "src/main.rs": MAIN}
    assert there(f"{BUILD} --features x", rooted) == ("app",)
    default = {**SOME, "Cargo.toml": SOME["Cargo.toml"] + 'default-members = ["a"]\n'}
    assert there(f"{BUILD} --features x", default) == ("a",)


@pytest.mark.parametrize(
    "flags",
    [
        "--features x",
        "--features x,z",
        "--features 'with-y w'",
        "--features serde/derive",
        "--features app/x",
        "--features y?/derive",
        "--features dep:y",
        "--features default",
        "--features ''",
        "--features $FEATURES",
        "--features x,$FEATURES",
        '--features "x nope-$WHICH"',
        "--all-features",
        "--all-features --features nope",
        "--no-default-features",
        "--features nope $FLAGS",
        "--features nope --config extra.toml",
    ],
)
def test_features_that_are_there_or_may_be(flags: str) -> None:
    assert not refused("COPY . .", f"{BUILD} {flags}", ONE)


@pytest.mark.parametrize(
    "before",
    [
        "sed -i s/x/nope/ Cargo.toml",
        "cargo add nope --optional",
        "echo 'nope = []' >> Cargo.toml",
        "./prepare.sh",
        "test -d x ||",
    ],
)
def test_features_that_a_step_may_add(before: str) -> None:
    separator = "" if before.endswith("||") else " && "
    assert not refused("COPY . .", f"{before}{separator} {BUILD} --features nope", ONE)


def test_features_of_one_of_several_packages() -> None:
    assert not refused("COPY . .", f"{BUILD} --features x", SOME)
    assert not refused("COPY . .", f"{BUILD} -p b --features x", SOME)
    assert not refused("COPY . .", f"{BUILD} -p a -p b --features x", SOME)
    assert not refused("COPY . .", f"{BUILD} -p $WHICH --features x", SOME)
    # with the first resolver they are for the package of the directory
    old = {**SOME, "Cargo.toml": MANIFEST + FEATURES + TWO["Cargo.toml"], "src/main.rs": MAIN}
    assert not refused("COPY . .", f"{BUILD} -p a --features x", old)


def test_a_package_that_cargo_makes_itself() -> None:
    new = {**TWO, **workspace('"a"'), "b/Cargo.toml": ""}
    assert refused("COPY . .", f"{BUILD} --bin c", new) == [("program", "c", "")]
    assert not refused("COPY . .", f"cargo new c && {BUILD} --bin c", new)
    # what it makes before there is a manifest, the COPY replaces
    assert refused("RUN cargo init\nCOPY . .", f"{BUILD} --bin c", new) == [("program", "c", "")]


def test_a_program_that_the_call_does_not_make() -> None:
    def program(build: str, files: dict[str, str]) -> str:
        ((_, name, why),) = refused("COPY . .", build, files)
        return f"{name}: {why}"

    hidden = {**ONE, "Cargo.toml": f"{MANIFEST}autobins = false\n", "src/lib.rs": "", "src/bin/t.rs": MAIN}
    assert program(f"{BUILD} --bin t", hidden) == "t: autobins is off in app, and no [[bin]] names it"
    assert program(f"{BUILD} --bin app", hidden) == "app: autobins is off in app, and no [[bin]] names it"
    default = {**TWO, "Cargo.toml": TWO["Cargo.toml"] + 'default-members = ["a"]\n'}
    assert program(f"{BUILD} --bin b", default) == "b: its package, b, is not among [workspace] default-members"
    assert program(f"{BUILD} -p a --bin b", TWO) == "b: the call leaves out its package, b"
    wants = f'{MANIFEST}[[bin]]\nname = "t"\nrequired-features = ["x"]\n[features]\nx = []\n'
    feature = {**hidden, "Cargo.toml": wants}
    assert program(f"{BUILD} --bin t", feature) == "t: it wants the feature x, and the call does not ask for it"
    assert not refused("COPY . .", f"{BUILD} --bin t --features x", feature)
    assert not refused("COPY . .", f"{BUILD} --bin t --all-features", feature)
    assert not refused("COPY . .", f"{BUILD} --bin t $FLAGS", feature)
    assert not refused("COPY . .", f"{BUILD} --bin b --workspace", default)
    assert not refused("COPY . .", f"{BUILD} --bin b", TWO)
    assert not refused("COPY . .", f"cd b && {BUILD} --bin b", default)
    assert not refused("COPY . .", f"sed -i /autobins/d Cargo.toml && {BUILD} --bin t", hidden)


def test_one_cause_is_said_once() -> None:
    default = {**TWO, "Cargo.toml": TWO["Cargo.toml"] + 'default-members = ["a"]\n'}
    build = read(TEXT.format(copy="COPY . .", build=f"{BUILD} --bin b", program="b"), default)
    assert build.refused
    assert not build.absent

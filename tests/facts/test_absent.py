"""Programs that a COPY takes from where cargo puts none, and all that may have put them there."""

from __future__ import annotations

import pytest

from tests.facts.reading import CRATE, read

TEXT = """\
FROM rust:1 AS builder
WORKDIR /src
{before}
COPY . .
{build}
FROM debian:trixie-slim
COPY --from=builder {path} /usr/local/bin/
"""
MEMBER = '[package]\nname = "api"\nversion = "0.1.0"\nedition = "2021"\n'
WORKSPACE = {
    "Cargo.toml": '[workspace]\nmembers = ["api"]\n',
    "api/Cargo.toml": MEMBER,
    "api/src/main.rs": "fn main() {}\n",
}
BUILD = "RUN cargo build --release"


def absent(
    path: str = "/app/target/release/app", build: str = BUILD, before: str = "", files: dict[str, str] | None = CRATE
) -> list[tuple[str, str]]:
    found = read(TEXT.format(before=before, build=build, path=path), files).absent
    return [(one.path, one.place) for one in found]


LOCKED = {**CRATE, "Cargo.lock": "version = 4\n"}
OTHER = "/src/target/release/other"
INSTALL = "RUN cargo install --path ."
INSTALLED = "/usr/local/cargo/bin/other"
TWO = {**LOCKED, "src/bin/tool.rs": "fn main() {}\n"}


def test_a_name_that_no_package_has() -> None:
    assert absent(OTHER, files=LOCKED) == [(OTHER, "/src/target/release/app")]
    assert absent(OTHER, files={**CRATE, ".git/HEAD": "ref: refs/heads/main\n"}) == [(OTHER, "/src/target/release/app")]
    parts = TEXT.format(before="", build=BUILD, path=OTHER).replace("COPY . .", "COPY Cargo.toml ./\nCOPY src ./src")
    assert [one.path for one in read(parts, CRATE).absent] == [OTHER]
    argument = TEXT.replace("slim\n", "slim\nARG APP=other\n").format(
        before="", build=BUILD, path="/src/target/release/$APP"
    )
    assert not read(argument, LOCKED).absent
    assert absent(INSTALLED, INSTALL, files=LOCKED) == [(INSTALLED, "/usr/local/cargo/bin/app")]
    assert absent("/out/bin/other", f"{INSTALL} --root /out", files=LOCKED) == [("/out/bin/other", "/out/bin/app")]
    assert absent(OTHER, files=TWO) == [(OTHER, "")]
    assert absent("/src/target/release/to-ol", files=TWO) == [("/src/target/release/to-ol", "")]
    assert absent("/src/target/release/TOOL", files=TWO) == [("/src/target/release/TOOL", "/src/target/release/tool")]
    dummy = "COPY Cargo.toml .\nRUN mkdir src && echo 'fn main() {}' > src/main.rs"
    assert absent(OTHER, before=dummy, files=LOCKED) == [(OTHER, "/src/target/release/app")]
    tool = f"RUN cargo install cargo-chef\n{BUILD}"
    assert absent(OTHER, tool, files=LOCKED) == [(OTHER, "/src/target/release/app")]


@pytest.mark.parametrize(
    ("path", "build", "files"),
    [
        (OTHER, BUILD, None),
        (OTHER, BUILD, CRATE),  # it may be one of a workspace above
        (OTHER, BUILD, {**CRATE, ".dockerignore": "target\n"}),
        (OTHER, BUILD, {**LOCKED, "tools/Cargo.toml": MEMBER.replace("api", "other"), "tools/src/main.rs": ""}),
        (OTHER, BUILD, {**LOCKED, "tools/Cargo.toml": MEMBER.replace("api", "other")}),
        (OTHER, BUILD, {**LOCKED, "tools/Cargo.toml": "no TOML"}),
        (OTHER, BUILD, {**LOCKED, "extra/bin/other.rs": ""}),
        (OTHER, BUILD, {**LOCKED, "Cargo.toml": '[package]\nname = "app"\n[[bin]]\nname = "other"\n'}),
        (f"{OTHER}.so", BUILD, LOCKED),
        (f"{OTHER}*", BUILD, LOCKED),
        ("/src/target/release/deps", BUILD, LOCKED),
        ("/src/target/release/examples/other", BUILD, LOCKED),
        (OTHER, f"{BUILD} --target-dir $T", LOCKED),
        (OTHER, f"{BUILD} && cp target/release/app {OTHER}", LOCKED),
        (OTHER, f"{BUILD} && mv target/release/app {OTHER}", LOCKED),
        (OTHER, f"RUN cargo test --release\n{BUILD}", LOCKED),
        (OTHER, f"RUN make\n{BUILD}", LOCKED),
        (OTHER, f"RUN sed -i s/app/other/ Cargo.toml\n{BUILD}", LOCKED),
        (OTHER, f"RUN echo 'fn main() {{}}' > src/bin/other.rs\n{BUILD}", LOCKED),
        (OTHER, f"RUN mv programs src/bin\n{BUILD}", LOCKED),
        (OTHER, f"RUN test -d x || {BUILD.removeprefix('RUN ')}", LOCKED),
        (OTHER, BUILD.replace("RUN", "RUN --mount=type=cache,target=/src/target"), LOCKED),
        (OTHER, f"COPY --from=rust:1 /x /src\n{BUILD}", LOCKED),
        (INSTALLED, f"RUN cargo install ripgrep\n{INSTALL}", LOCKED),
        (INSTALLED.replace("other", "rustc"), INSTALL, LOCKED),
        (INSTALLED.replace("other", "cargo-chef"), INSTALL, LOCKED),
        (INSTALLED, f"RUN curl -o /usr/local/cargo/bin/other https://example.com/other\n{INSTALL}", LOCKED),
    ],
)
def test_a_name_that_something_may_make(path: str, build: str, files: dict[str, str] | None) -> None:
    assert absent(path, build, files=files) == []


def manifest(end: str, edition: str = 'edition = "2021"\n', **files: str) -> dict[str, str]:
    text = f'[package]\nname = "app"\nversion = "0.1.0"\n{edition}{end}'
    return {**LOCKED, **{path.replace("__", "/") + ".rs": body for path, body in files.items()}, "Cargo.toml": text}


APP = "/src/target/release/app"
TOOL = '[[bin]]\nname = "tool"\npath = "./src/main.rs"\n'
WANTS = TOOL + 'required-features = ["cli"]\n[features]\nfull = ["cli"]\ncli = []\n'
MEMBERS = {
    "Cargo.toml": '[workspace]\nmembers = ["crates/*"]\nexclude = ["crates/old"]\n',
    "crates/api/Cargo.toml": MEMBER,
    "crates/api/src/main.rs": "",
    "crates/app/Cargo.toml": CRATE["Cargo.toml"],
    "crates/app/src/main.rs": "",
    "crates/old/Cargo.toml": CRATE["Cargo.toml"].replace("app", "old"),
    "crates/old/src/main.rs": "",
}
SCRIPT = "fn main() { std::fs::copy(a, b) }\n"


@pytest.mark.parametrize(
    ("path", "build", "files"),
    [
        (APP, BUILD, manifest(TOOL)),
        (OTHER, BUILD, manifest(f"autobins = false\n{TOOL}", src__bin__other="")),
        (OTHER, BUILD, manifest(TOOL, "", src__bin__other="")),  # edition 2015 looks for no others
        (OTHER, BUILD, manifest(TOOL.replace("main", "bin/other"), src__bin__other="", src__main="")),
        ("/src/target/release/tool", BUILD, manifest(WANTS)),
        ("/src/target/release/tool", f"{BUILD} --no-default-features", manifest(f'{WANTS}default = ["full"]\n')),
        (APP, f"{BUILD} --workspace --exclude app", MEMBERS),
        (APP, f"{BUILD} -p api", MEMBERS),
        ("/src/target/release/old", f"{BUILD} --workspace", MEMBERS),
    ],
)
def test_what_the_call_leaves_out(path: str, build: str, files: dict[str, str]) -> None:
    (found,) = absent(path, build, files=files)
    assert found[0] == path
    assert absent(path, build, files={**files, "tools/build.rs": SCRIPT}) == []
    assert absent(path, f"RUN make\n{build}", files=files) == []
    assert absent(path, f"RUN sed -i s/a/b/ Cargo.toml\n{build}", files=files) == []


@pytest.mark.parametrize(
    ("path", "build", "files"),
    [
        (APP, BUILD, manifest(TOOL.replace("main", "tool"))),
        (OTHER, BUILD, manifest(TOOL, src__bin__other="")),
        (OTHER, BUILD, manifest("", "", src__bin__other="")),
        ("/src/target/release/tool", f"{BUILD} --features full", manifest(WANTS)),
        ("/src/target/release/tool", f"{BUILD} --features app/cli", manifest(WANTS)),
        ("/src/target/release/tool", f"{BUILD} --all-features", manifest(WANTS)),
        ("/src/target/release/tool", f"{BUILD} $FLAGS", manifest(WANTS)),
        ("/src/target/release/tool", BUILD, manifest(f'{WANTS}default = ["full"]\n')),
        (
            "/src/target/release/tool",
            BUILD,
            manifest(f'{WANTS}[dev-dependencies]\napp = {{ path = ".", features = ["cli"] }}\n'),
        ),
        (APP, f"{BUILD} --workspace --exclude api", MEMBERS),
        (APP, f'{BUILD} --workspace --exclude "a*"', MEMBERS),
        (APP, f"{BUILD} --workspace --exclude $NOT", MEMBERS),
        (APP, f'{BUILD} -p "a*"', MEMBERS),
        (APP, f"{BUILD} -p api\n{BUILD} -p app", MEMBERS),
        (
            "/src/target/release/old",
            BUILD,
            {**MEMBERS, "Cargo.toml": MEMBERS["Cargo.toml"].replace('["crates/*"]', '["crates/*", "crates/old"]')},
        ),
    ],
)
def test_what_the_call_makes(path: str, build: str, files: dict[str, str]) -> None:
    assert absent(path, build, files=files) == []


APART = {
    **LOCKED,
    "Cargo.toml": '[workspace]\nmembers = ["lib"]\nexclude = ["ext"]\n',
    "lib/Cargo.toml": MEMBER,
    "lib/src/lib.rs": "",
    "ext/app/Cargo.toml": CRATE["Cargo.toml"],
    "ext/app/src/main.rs": "",
}
POINTING = {
    **APART,
    "Cargo.toml": "",
    "lib/Cargo.toml": f"{MEMBER}[workspace]\nmembers = ['../ext/app']\n",
    "ext/app/Cargo.toml": CRATE["Cargo.toml"].replace("[package]\n", '[package]\nworkspace = "../../lib"\n'),
}
WITHIN = {**APART, "Cargo.toml": '[workspace]\nmembers = ["lib", "ext/app"]\nexclude = ["ext"]\n'}


@pytest.mark.parametrize(
    ("build", "files", "place"),
    [
        ("RUN cd ext/app && cargo build --release", APART, "/src/ext/app/target"),
        ("WORKDIR /src/ext/app\nRUN cargo build --release", APART, "/src/ext/app/target"),
        ("RUN cargo build --release --manifest-path ext/app/Cargo.toml", APART, "/src/ext/app/target"),
        ("RUN cd ext/app && cargo build --release", POINTING, "/src/lib/target"),
        ("RUN cd ext/app && cargo build --release", WITHIN, "/src/target"),
    ],
)
def test_where_an_excluded_package_is_built(build: str, files: dict[str, str], place: str) -> None:
    build = f"COPY . .\n{build}"
    assert absent(f"{place}/release/app", build, files=files) == []
    others = {"/src/ext/app/target", "/src/lib/target", "/src/target"} - {place}
    for other in others:
        assert absent(f"{other}/release/app", build, files=files) == [(f"{other}/release/app", f"{place}/release/app")]


def test_what_a_configuration_file_moves() -> None:
    place = "/src/target/x86_64-unknown-linux-musl/release/app"
    files = {**LOCKED, ".cargo/config.toml": '[build]\ntarget = "x86_64-unknown-linux-musl"\n'}
    assert absent(APP, files=files) == [(APP, place)]
    old = {**LOCKED, ".cargo/config": files[".cargo/config.toml"]}
    assert absent(APP, files=old) == [(APP, place)]
    moved = {**LOCKED, ".cargo/config.toml": '[build]\ntarget-dir = "out"\n'}
    assert absent(APP, files=moved) == [(APP, "/src/out/release/app")]
    (image,) = read(TEXT.format(before="", build=BUILD, path=APP) + 'CMD ["app"]\n', files).images
    assert image.artifacts[0][1].link == "musl-static" and image.artifacts[0][1].touched
    assert absent(place, files=files) == []
    assert absent(APP, files={**files, ".dockerignore": ".cargo\n"}) == []
    assert absent(APP, files={**files, "sub/.cargo/config.toml": "[build]\n"}) == [(APP, place)]
    assert absent(APP, "RUN sed -i s/musl/gnu/ .cargo/config.toml\n" + BUILD, files=files) == []
    text = TEXT.format(before="", build=BUILD, path=APP)
    assert read(text.replace("COPY . .", "COPY Cargo.toml Cargo.lock ./\nCOPY src src"), files).absent == ()
    late = text.replace("COPY . .", "COPY Cargo.toml Cargo.lock ./\nCOPY src src").replace(BUILD, f"{BUILD}\nCOPY . .")
    assert read(late, files).absent == ()


def test_what_is_named_wrongly_is_shipped_all_the_same() -> None:
    build = read(TEXT.format(before="", build=BUILD, path=OTHER) + 'CMD ["other"]\n', LOCKED)
    (image,) = build.images
    ((path, artifact),) = image.artifacts
    assert path == "/usr/local/bin/other" == image.launch.program
    assert artifact.stripped == "unknown" and artifact.touched == "no program of the crate (app)"
    based = read(TEXT.format(before="", build=BUILD, path=OTHER) + 'FROM 1 AS last\nCMD ["other"]\n', LOCKED)
    assert [one.launch.program for one in based.images] == ["/usr/local/bin/other"]


def test_where_it_is() -> None:
    assert absent() == [("/app/target/release/app", "/src/target/release/app")]
    assert absent("/src/target/debug/app") == [("/src/target/debug/app", "/src/target/release/app")]
    assert absent(build="RUN cargo build") == [("/app/target/release/app", "/src/target/debug/app")]
    assert absent("/src/target/release/app") == []
    assert absent("/src/target/release/other") == []
    assert absent("/app/bin/app") == []
    assert absent(files=None) == []


@pytest.mark.parametrize(
    "build",
    [
        f"{BUILD} && cp -r target /app/target",
        f"{BUILD} && ln -s /src /app",
        f"{BUILD} && cd / && ln -s src app",
        f"{BUILD} && cd $X && mv target /app",
        f"{BUILD} && cd / && git clone https://example.com/app",
        f"{BUILD} && tar xf app.tar -C /",
        f"{BUILD} && make install",
        f"{BUILD}\nWROKDIR /app\n{BUILD}",
        f"RUN mkdir -p /app/target/release && touch /app/target/release/app\n{BUILD}",
        f"{BUILD} --artifact-dir /app/target/release -Z unstable-options",
        f"{BUILD} --target-dir /app/target",
        f"{BUILD} --target $T",
        f"cd /app && cargo test --release && cd /src && {BUILD}".replace("RUN ", "").join(["RUN ", ""]),
        f"RUN test -d /app || {BUILD.removeprefix('RUN ')}",
        "RUN cargo build --release && cargo build --release --target x86_64-unknown-linux-musl",
        "RUN --mount=type=cache,target=/app/target cargo build --release",
        f"WORKDIR /\nRUN wget -r https://example.com/app\nWORKDIR /src\n{BUILD}",
        f"WORKDIR /\nRUN wget -P app/target https://example.com/x\nWORKDIR /src\n{BUILD}",
        f"WORKDIR /\nRUN wget https://example.com/\nWORKDIR /src\n{BUILD}",
        f"WORKDIR /\nRUN wget https://example.com/Cargo.toml\nWORKDIR /src\n{BUILD}",
        f"WORKDIR /\nARG URL\nRUN curl -fsSLO $URL\nWORKDIR /src\n{BUILD}",
        f"WORKDIR /\nRUN curl -LO https://example.com/x --create-dirs\nWORKDIR /src\n{BUILD}",
        f"WORKDIR /\nRUN wget -qOapp/target/release/app https://example.com/x\nWORKDIR /src\n{BUILD}",
        f"WORKDIR /\nRUN curl -L https://example.com/x -o app/target/release/app\nWORKDIR /src\n{BUILD}",
        f"WORKDIR /\nRUN git clone https://example.com/app\nWORKDIR /src\n{BUILD}",
        f"WORKDIR /app/target/release\nRUN wget https://example.com/app\nWORKDIR /src\n{BUILD}",
        f"COPY --from=rust:1 /app /app\n{BUILD}",
        f"ADD app.tar /app\n{BUILD}",
        f"COPY cargo.toml /usr/local/cargo/config.toml\n{BUILD}",
        f"RUN echo '[build]' > /.cargo/config.toml\n{BUILD}",
        f"RUN set -x; {BUILD.removeprefix('RUN ')} && install -D target/release/app /app/target/release/app",
    ],
)
def test_what_may_put_it_there(build: str) -> None:
    assert absent(build=build) == []


@pytest.mark.parametrize(
    "build",
    [
        f"RUN apt-get update && apt-get install -y cmake\n{BUILD}",
        f"{BUILD} && strip target/release/app && cp target/release/app /usr/bin/app",
        f"RUN cd /tmp && curl -O https://example.com/x\n{BUILD}",
        f"WORKDIR /\nRUN wget https://example.com/x.tgz\nWORKDIR /src\n{BUILD}",
        f"WORKDIR /\nRUN wget -qO x.tgz --no-check-certificate https://example.com/v1/x\nWORKDIR /src\n{BUILD}",
        f"WORKDIR /\nRUN curl --proto '=https' -fsSLO https://example.com/x.tgz\nWORKDIR /src\n{BUILD}",
        f"WORKDIR /app\nRUN wget https://example.com/x.tgz\nWORKDIR /src\n{BUILD}",
        f"RUN cargo chef cook --release --recipe-path recipe.json\n{BUILD}",
        f"COPY --from=tool /bin/x /bin/x\n{BUILD}",
        f"RUN mkdir -p /app/target\n{BUILD}",
    ],
)
def test_what_does_not_put_it_there(build: str) -> None:
    assert absent(build=build) == [("/app/target/release/app", "/src/target/release/app")]


def test_workspaces() -> None:
    place = "/src/target/release/api"
    assert absent("/src/api/target/release/api", files=WORKSPACE) == [("/src/api/target/release/api", place)]
    inside = "RUN cd api && cargo build --release"
    assert absent("/src/api/target/release/api", inside, files=WORKSPACE) == [("/src/api/target/release/api", place)]
    assert absent(place, inside, files=WORKSPACE) == []
    alone = TEXT.format(before="", build=BUILD, path=place).replace("COPY . .", "COPY api .")
    assert read(alone, WORKSPACE).absent == ()


def test_a_renamed_program() -> None:
    files = {**CRATE, "Cargo.toml": CRATE["Cargo.toml"] + '[[bin]]\nname = "tool"\npath = "src/main.rs"\n'}
    assert absent("/app/target/release/tool", files=files) == [("/app/target/release/tool", "/src/target/release/tool")]
    assert absent("/app/target/release/app", files=files) == []


def test_stages() -> None:
    text = TEXT.format(before="", build=BUILD, path="/app/target/release/app")
    chained = text.replace("FROM debian", "FROM builder AS tested\nRUN true\nFROM debian").replace(
        "=builder", "=tested"
    )
    assert len(read(chained, CRATE).absent) == 1


def member(name: str) -> dict[str, str]:
    return {f"{name}/Cargo.toml": MEMBER.replace("api", name), f"{name}/src/main.rs": "fn main() {}\n"}


PROGRAM = "/src/target/release/b"
DEFAULT = {
    "Cargo.toml": '[workspace]\nmembers = ["a", "b"]\ndefault-members = ["a"]\n',
    **member("a"),
    **member("b"),
}
ROOTED = {**CRATE, **DEFAULT, "Cargo.toml": CRATE["Cargo.toml"] + '[workspace]\nmembers = ["a", "b"]\n'}


def why(path: str, build: str, files: dict[str, str]) -> str:
    found = read(TEXT.format(before="", build=build, path=path), files).absent
    return found[0].why if found else ""


def test_a_member_that_is_not_built_by_default() -> None:
    for_all = "its package, b, is not among [workspace] default-members"
    assert why(PROGRAM, BUILD, DEFAULT) == for_all
    assert why(PROGRAM, f"{BUILD} --bins", DEFAULT) == for_all
    globbed = {**DEFAULT, "Cargo.toml": '[workspace]\nmembers = ["*"]\ndefault-members = ["a*"]\n'}
    assert why(PROGRAM, BUILD, globbed) == for_all
    assert why(PROGRAM, BUILD, ROOTED) == "its package is b, and the call builds app alone"
    assert why(PROGRAM, BUILD.replace("cargo", "cd a && cargo"), DEFAULT) == (
        "its package is b, and the call builds a alone"
    )
    default = {**ROOTED, "Cargo.toml": ROOTED["Cargo.toml"] + 'default-members = ["a"]\n'}
    app = "/src/target/release/app"
    assert why(app, BUILD, default) == "its package, app, is not among [workspace] default-members"
    # `cargo install` takes the package of the directory all the same
    assert not why("/usr/local/cargo/bin/app", INSTALL, default)
    assert why("/usr/local/cargo/bin/a", INSTALL, default) == "the call leaves out its package, a"


@pytest.mark.parametrize(
    "build",
    [
        f"{BUILD} --workspace",
        f"{BUILD} --all",
        f"{BUILD} -p b",
        f"{BUILD} -p 'b*'",
        f"{BUILD} -p $WHICH",
        f"{BUILD} $FLAGS",
        f"ARG FLAGS\n{BUILD} $FLAGS",
        f"{BUILD} --manifest-path b/Cargo.toml",
        f"{BUILD} && cd b && cargo build --release",
        f"{BUILD} && cargo run --release -p b",
        f"{BUILD} && cargo test --release --workspace",
        "RUN sed -i /default/d Cargo.toml && cargo build --release",
        "RUN make",
    ],
)
def test_a_member_that_is_built_or_may_be(build: str) -> None:
    assert not absent(PROGRAM, build, files=DEFAULT)


@pytest.mark.parametrize(
    "manifest",
    [
        '[workspace]\nmembers = ["a", "b"]\n',
        '[workspace]\nmembers = ["a", "b"]\ndefault-members = []\n',
        '[workspace]\nmembers = ["a", "b"]\ndefault-members = ["a", "b"]\n',
        '[workspace]\nmembers = ["a", "b"]\ndefault-members = ["a", "./b/"]\n',
        '[workspace]\nmembers = ["a", "b"]\ndefault-members = ["a", "a/../b"]\n',
        '[workspace]\nmembers = ["a"]\ndefault-members = ["a"]\n',
    ],
)
def test_members_that_are_built_by_default(manifest: str) -> None:
    assert not absent(PROGRAM, files={**DEFAULT, "Cargo.toml": manifest})


OFF = {**LOCKED, "Cargo.toml": CRATE["Cargo.toml"] + "autobins = false\n", "src/lib.rs": "", "src/bin/tool.rs": ""}
TOOL = "/src/target/release/tool"


def test_sources_that_are_no_programs() -> None:
    off = "autobins is off in app, and no [[bin]] names it"
    assert why("/src/target/release/app", BUILD, OFF) == off
    assert why(TOOL, BUILD, OFF) == off
    assert why("/usr/local/cargo/bin/tool", INSTALL, OFF) == off
    one = {**OFF, "Cargo.toml": OFF["Cargo.toml"] + '[[bin]]\nname = "app"\n'}
    assert why(TOOL, BUILD, one) == off
    assert not absent("/src/target/release/app", files=one)
    directory = {**LOCKED, "Cargo.toml": OFF["Cargo.toml"], "src/bin/tool/main.rs": "", "src/lib.rs": ""}
    assert why(TOOL, BUILD, directory) == off
    workspace = {**DEFAULT, "b/Cargo.toml": DEFAULT["b/Cargo.toml"] + "autobins = false\n", "b/src/lib.rs": ""}
    assert why(PROGRAM, f"{BUILD} -p b", workspace) == "autobins is off in b, and no [[bin]] names it"
    assert why(PROGRAM, f"{BUILD} --workspace", workspace) == "autobins is off in b, and no [[bin]] names it"


@pytest.mark.parametrize(
    ("manifest", "build"),
    [
        ("", BUILD),
        ("autobins = true\n", BUILD),
        ("[lib]\npath = 'src/lib.rs'\n[[bin]]\nname = 'app'\npath = 'src/main.rs'\n", BUILD),
        ("autobins = false\n[[bin]]\nname = 'tool'\n", BUILD),
        ("autobins = false\n[[bin]]\nname = 'tool'\npath = 'src/bin/tool.rs'\n", BUILD),
        ("autobins = false\n[[bin]]\nname = 'tool'\npath = 'src/main.rs'\n", BUILD),
        ("autobins = false\n", f"{BUILD} --examples && cp target/release/examples/tool target/release/"),
        ("autobins = false\n", "RUN sed -i /autobins/d Cargo.toml && cargo build --release"),
        ("autobins = false\n", "RUN ./configure && cargo build --release"),
        ("autobins = false\n", f"{BUILD} $FLAGS && touch target/release/tool"),
        ("autobins = false\n", "RUN make"),
    ],
)
def test_sources_that_are_programs(manifest: str, build: str) -> None:
    assert not absent(TOOL, build, files={**OFF, "Cargo.toml": CRATE["Cargo.toml"] + manifest})


def test_autobins_of_old_editions() -> None:
    old = CRATE["Cargo.toml"].replace('edition = "2021"\n', "")
    assert why(TOOL, BUILD, {**OFF, "Cargo.toml": f"{old}[[bin]]\nname = 'app'\npath = 'src/main.rs'\n"})
    assert not absent(TOOL, files={**OFF, "Cargo.toml": old})


def test_another_package_that_cannot_be_read() -> None:
    broken = {**DEFAULT, "b/Cargo.toml": "[package\n"}
    assert not why(PROGRAM, BUILD, broken)
    assert not read(TEXT.format(before="", build=BUILD, path="/src/target/release/a"), broken).absent

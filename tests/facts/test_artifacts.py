"""How a program travels from cargo's output directory into the image."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.filesystem import PathTable
from dockerslim_lint.facts.model import (
    GNU_DYNAMIC,
    MUSL_STATIC,
    STRIPPED_ALL,
    UNKNOWN,
    ContextTree,
    Output,
)
from tests.facts.reading import CRATE, MANIFEST, only_artifact, only_image, read

BUILD = "FROM rust:1 AS b\nWORKDIR /app\nCOPY . .\nRUN cargo build --release\n"


@pytest.mark.parametrize(
    ("steps", "copy", "path"),
    [
        ("", "/app/target/release/app /usr/local/bin/app", "/usr/local/bin/app"),
        ("", "/app/target/release/app /usr/local/bin/", "/usr/local/bin/app"),
        ("", "/app/target/release/app /usr/local/bin", "/usr/local/bin/app"),
        ("", "/app/target/release/app /srv", "/srv/app"),
        ("", "/app/target/release/app /tool", "/tool"),
        ("", "/app/target/release/app .", "/app"),
        ("", "app/target/release/app /x", "/x"),
        ("", "/app/target/release/ap* /usr/bin/", "/usr/bin/ap*"),
        ("", "--parents /app/target/release/app /x", "/x/app/target/release/app"),
        ("", "--parents /app/./target/release/app /x/", "/x/target/release/app"),
        ("", "--parents /app/target/release/./app /usr/bin", "/usr/bin/app"),
        ("", "--parents /app/./target/release /x", "/x/target/release/app"),
        ("", "--parents /app/./target/release/ap* /x", "/x/target/release/ap*"),
        ("", "--parents=false /app/./target/release/app /usr/bin/", "/usr/bin/app"),
        ("RUN cp target/release/app /out\n", "/out /x", "/x"),
        ("RUN mkdir /d && cp target/release/app /d\n", "/d/app /x", "/x"),
        ("RUN mkdir /d && cp target/release/app /d\n", "/d /y", "/y/app"),
        ("RUN cp -R target/release/. /out\n", "/out/app /x", "/x"),
        ("RUN mkdir /out && cp -a ./target/release/./. /out/\n", "/out/app /x", "/x"),
        ("RUN cd target/release && cp -r . /out\n", "/out/app /x", "/x"),
        ("RUN mkdir /out && cp -R target/release/. target/release /out\n", "/out/release/app /x", "/x"),
        ("RUN mv target/release/app /out\n", "/out /x", "/x"),
        ("RUN install -D -m 755 target/release/app /out\n", "/out /x", "/x"),
        ("RUN install -Dm755 -t /d target/release/app\n", "/d/app /x", "/x"),
        ("RUN ln -s /app/target/release/app /out\n", "/out /x", "/x"),
        ("RUN ln -fsn target/release/app run\n", "/app/run /x", "/x"),
        ("RUN ln --symbolic target/release/app run\n", "/app/run /x", "/x"),
        ("RUN ln target/release/app /out\n", "/out /x", "/x"),
        ("RUN ln -f target/release/app /srv/\n", "/srv/app /x", "/x"),
        ("RUN cd target && cp release/app /out\n", "/out /x", "/x"),
        ("RUN cd target/release && mv app /out\n", "/out /x", "/x"),
        ("RUN strip target/release/app -o /out\n", "/out /x", "/x"),
        ("RUN <<EOF\nset -e\ncp target/release/app /out\nEOF\n", "/out /x", "/x"),
    ],
)
def test_path(steps: str, copy: str, path: str) -> None:
    build = read(f'{BUILD}{steps}FROM debian:bookworm-slim\nCOPY --from=b {copy}\nCMD ["{path}"]\n')
    found, artifact = only_artifact(build)
    assert found == path
    assert artifact.link == GNU_DYNAMIC


@pytest.mark.parametrize(
    ("call", "path", "link"),
    [
        ("cargo build --release $FLAGS", "/app/target/release/app", GNU_DYNAMIC),
        ("cargo build $FLAGS", "/app/target/release/app", GNU_DYNAMIC),
        ("cargo build $FLAGS", "/app/target/debug/app", GNU_DYNAMIC),
        ("cargo build --release $FLAGS", "/app/target/x86_64-unknown-linux-musl/release/app", UNKNOWN),
        ("cargo build --release --target $FLAGS", "/app/target/release/app", None),
        ("CARGO_BUILD_TARGET=$T cargo build --release $FLAGS", "/app/target/release/app", None),
        ("cargo build --release $FLAGS", "/app/target/debug/app", None),
        ("cross build --release $FLAGS", "/app/target/release/app", None),
    ],
)
def test_the_path_tells_what_an_open_word_is_not(call: str, path: str, link: str | None) -> None:
    build = read(f"FROM rust:1 AS b\nWORKDIR /app\nCOPY . .\nRUN {call}\nFROM debian\nCOPY --from=b {path} /x\n")
    assert [artifact.link for image in build.images for _, artifact in image.artifacts] == ([link] if link else [])


@pytest.mark.parametrize(
    ("flags", "files", "copied", "shipped"),
    [
        ("--artifact-dir /out", CRATE, "/out/app", ["/x"]),
        ("--artifact-dir /out", None, "/out/app", ["/x"]),
        ("--out-dir=bin", CRATE, "/app/bin/app", ["/x"]),
        ("--out-dir bin", CRATE, "/app/target/release/app", ["/x"]),
        ("--out-dir /out", CRATE, "/out", ["/x/app"]),
        ("--out-dir /out --bin app", None, "/out/app", ["/x"]),
        # near misses
        ("--out-dir /out", CRATE, "/out/other", []),
        ("--out-dir /out --bin app", None, "/out/other", []),
        ("", CRATE, "/out/app", []),
        ("-Z unstable-options", None, "/out/app", []),
    ],
)
def test_artifact_directory(flags: str, files: dict[str, str] | None, copied: str, shipped: list[str]) -> None:
    build = read(
        "FROM rust:1 AS b\nWORKDIR /app\nCOPY . .\n"
        f"RUN cargo +nightly build -r -Z unstable-options {flags}\nFROM debian\nCOPY --from=b {copied} /x\n",
        files,
    )
    assert [path for image in build.images for path, _ in image.artifacts] == shipped
    assert all(not image.outputs for image in build.images)


def test_the_artifact_directory_of_an_installation_is_none() -> None:
    build = read("FROM rust:1 AS b\nRUN cargo install x --out-dir /out\nFROM debian\nCOPY --from=b /out/x /x\n")
    assert build.images == ()


@pytest.mark.parametrize(
    ("argument", "copied", "shipped"),
    [
        ("BIN", "/app/target/release/$BIN", ["/x"]),
        ("BIN=app", "/app/target/release/$BIN", ["/x"]),
        ("DIR", "/app/$DIR/target/release/app", ["/x"]),
        ("BIN", "/app/target/release/${BIN:-app}", ["/x"]),
        ("BIN", "/app/target/release/$BIN/", []),
        ("OTHER", "/app/target/release/$BIN", []),
    ],
)
def test_a_name_that_a_build_argument_gives(argument: str, copied: str, shipped: list[str]) -> None:
    build = read(f"{BUILD}FROM debian\nARG {argument}\nCOPY --from=b {copied} /x\n")
    assert [path for image in build.images for path, _ in image.artifacts] == shipped


NAMES = st.lists(st.sampled_from(["a", "b", "ab", "*", "a*", "?"]), max_size=3)
PLACES = NAMES.map(lambda names: "/" + "/".join(names))


@given(st.lists(st.tuples(PLACES, st.booleans())), PLACES)
@settings(max_examples=200)
def test_the_table_looks_where_a_path_may_be(steps: list[tuple[str, bool]], path: str) -> None:
    table = PathTable([], lambda _: (), frozenset())
    expected: dict[str, ContextTree] = {}
    for number, (place, goes) in enumerate(steps):
        if goes:
            table.remove(place)
            expected = {
                known: entry
                for known, entry in expected.items()
                if patterns.below(known, place) is None or "*" in place
            }
        else:
            expected.pop(place, None)
            expected[place] = ContextTree(".", number)
            table.put(place, expected[place])
    assert list(table.entries()) == list(expected.items())
    around = [item for item in reversed(expected.items()) if patterns.below(path, item[0]) is not None]
    assert [item for item in table.around(path) if patterns.below(path, item[0]) is not None] == around
    below = [(patterns.below(known, path), entry) for known, entry in expected.items()]
    assert table.below(path) == [(rest, entry) for rest, entry in below if rest is not None]


LEAF = 'COPY --from=b /app/target/release/app /x\nCMD ["/x"]\n'


@pytest.mark.parametrize(
    ("name", "command", "last", "aside"),
    [
        ("dev", '["./target/release/app"]', f"FROM debian\n{LEAF}", True),
        ("other", '["./start.sh"]', f"FROM debian\n{LEAF}", True),
        ("other", '["./target/release/app"]', f"FROM debian\n{LEAF}", False),
        ("other", "exec ./target/release/app", f"FROM debian\n{LEAF}", False),
        ("other", '["sh", "-c", "./target/release/app"]', f"FROM debian\n{LEAF}", False),
        ("dev", '["./target/release/app"]', "", True),
        ("other", '["./start.sh"]', 'FROM debian AS doc\nCMD ["true"]\n', False),
    ],
)
def test_a_stage_to_work_in(name: str, command: str, last: str, aside: bool) -> None:
    build = read(f"{BUILD}FROM b AS {name}\nCMD {command}\n{last}", CRATE)
    assert [image.aside for image in build.images] == ([aside, False] if "--from" in last else [aside])


def test_many_calls_are_not_all_looked_at() -> None:
    table = PathTable([], lambda _: (), frozenset())
    for number in range(300):
        table.put(f"/{number}/target/release", Output(number, GNU_DYNAMIC, "no"))
    assert len(table.around("/7/target/release/app")) == 1
    assert len(table.around("/7/target/*/app")) == 1


@pytest.mark.parametrize("reference", ["b", "B", "0"])
def test_stage_by_name_or_number(reference: str) -> None:
    build = read(f"{BUILD}FROM scratch\nCOPY --from={reference} /app/target/release/app /x\n")
    assert only_artifact(build)[0] == "/x"


def test_through_an_intermediate_stage() -> None:
    build = read(
        f"{BUILD}FROM alpine AS mid\nCOPY --from=b /app/target/release/app /mid\n"
        'FROM debian\nCOPY --from=mid /mid /end\nCMD ["/end"]\n'
    )
    assert only_artifact(build)[0] == "/end"
    assert only_image(build).stage == 2


def test_whole_target_directory() -> None:
    build = read(f'{BUILD}FROM debian\nCOPY --from=b /app/target /t\nCMD ["/t/release/app"]\n')
    assert only_artifact(build)[0] == "/t/release/app"


def test_install_directory() -> None:
    build = read(
        "FROM rust:1 AS b\nWORKDIR /a\nCOPY . .\nRUN cargo install --path .\n"
        'FROM debian\nCOPY --from=b /usr/local/cargo/bin/app /usr/local/bin/\nCMD ["app"]\n',
        CRATE,
    )
    path, artifact = only_artifact(build)
    assert (path, artifact.name) == ("/usr/local/bin/app", "app")


@pytest.mark.parametrize(
    "copy",
    [
        "/app/target/release/deps /x",
        "/app/target/release/app.d /x",
        "/app/Cargo.toml /x",
        "/app/target/release/other /x",
    ],
)
def test_what_is_no_program(copy: str) -> None:
    assert not read(f"{BUILD}FROM debian\nCOPY --from=b {copy}\n", CRATE).images


@pytest.mark.parametrize(
    ("copy", "known"),
    [
        ("COPY --parents Cargo.toml src ./", True),
        ("COPY --parents ./Cargo.toml ./src .", True),
        ("COPY --parents Cargo.* src/**/*.rs ./", True),
        ("COPY --parents **/Cargo.toml **/*.rs ./", True),
        ("COPY --parents . .", True),
        ("COPY --parents Cargo.toml /app/app", False),
        ("COPY --parents src ./src", False),
        ("COPY --parents */Cargo.toml ./", False),
        ("COPY --parents sub/Cargo.toml ./", False),
        ("COPY --parents sub/./Cargo.toml ./", True),
        ("COPY --parents s*/./Cargo.toml ./", True),
    ],
)
def test_files_of_the_context_keep_their_directories(copy: str, known: bool) -> None:
    build = read(f"{BUILD.replace('COPY . .', copy)}", {**CRATE, "sub/Cargo.toml": MANIFEST})
    assert (build.crates[0] is not None) is known


@pytest.mark.parametrize(
    ("copies", "files", "name"),
    [
        ("COPY api ./\nCOPY docs ./", {}, "api"),
        ("COPY docs ./\nCOPY api ./", {}, "api"),
        ("COPY api .\nCOPY docs .\nCOPY more .", {"more/x": ""}, "api"),
        ("COPY api ./\nCOPY docs ./", {"docs/Cargo.toml": MANIFEST}, "docs"),
        ("COPY docs ./\nCOPY api ./", {"docs/Cargo.toml": MANIFEST}, "api"),
        ("COPY . .\nCOPY docs ./", CRATE, ""),
        ("COPY api docs ./", {}, "api"),
        ("COPY api /s/\nCOPY docs /s/\nRUN cp -r /s/. /app", {}, "api"),
        ("COPY api /s/\nCOPY docs /s/\nFROM rust:1\nWORKDIR /app\nCOPY --from=b /s ./", {}, "api"),
        ("COPY docs ./\nCOPY none ./", {"none/x": ""}, None),
    ],
)
def test_directories_are_laid_over_one_another(copies: str, files: dict[str, str], name: str | None) -> None:
    own = {"api/Cargo.toml": MANIFEST, "api/src/main.rs": "", "docs/x": ""}
    crate = read(BUILD.replace("COPY . .", copies), {**own, **files}).crates[0]
    assert (crate.directory if crate is not None else None) == name


def test_a_step_that_may_not_run_taints() -> None:
    build = read(f"{BUILD}RUN test -f x && cp target/release/app /o || true\nFROM debian\nCOPY --from=b /o /x\n")
    assert only_artifact(build)[1].touched


def test_changed_by_something_else_taints() -> None:
    build = read(f"{BUILD}RUN upx target/release/app\nFROM debian\nCOPY --from=b /app/target/release/app /x\n")
    assert "upx" in only_artifact(build)[1].touched


def test_upx_to_another_file() -> None:
    final = "FROM debian\nCOPY --from=b {0} /x\n"
    for command in (
        "upx --best -o /o target/release/app",
        "upx -o/o target/release/app",
        "upx target/release/app -o /o",
    ):
        assert only_artifact(read(f"{BUILD}RUN {command}\n{final.format('/o')}"))[1].touched == "packed by upx"
        assert not only_artifact(read(f"{BUILD}RUN {command}\n{final.format('/app/target/release/app')}"))[1].touched
    for command in ("upx -o /o one two", "upx -t -o /o other"):
        assert not read(f"{BUILD}RUN {command}\n{final.format('/o')}").images


@pytest.mark.parametrize(
    ("flags", "name", "manifest", "found"),
    [
        ("--examples", "one", "", True),
        ("--examples", "two", "", True),
        ("--all-targets", "one", "", True),
        ("--example one", "one", "", True),
        ("--examples", "three", '[[example]]\nname = "three"\npath = "examples/one.rs"\n', True),
        ("--examples", "one", '[[example]]\nname = "three"\npath = "examples/one.rs"\n', False),
        ("--examples", "helper", "", False),
        ("--examples", "one", "autoexamples = false\n", False),
        ("--example two", "one", "", False),
        ("--bins", "one", "", False),
    ],
)
def test_examples(flags: str, name: str, manifest: str, found: bool) -> None:
    files = {
        **CRATE,
        "Cargo.toml": CRATE["Cargo.toml"] + manifest,
        "examples/one.rs": "",
        "examples/two/main.rs": "",
        "examples/two/helper.rs": "",
    }
    text = f"FROM rust:1 AS b\nWORKDIR /app\nCOPY . .\nRUN cargo build --release {flags}\nFROM debian\n"
    build = read(f"{text}COPY --from=b /app/target/release/examples/{name} /x\n", files)
    assert bool(build.images) is found


def test_inert_commands_do_not_taint() -> None:
    steps = "RUN ls target/release/app && chmod +x target/release/app && echo done && file target/release/app\n"
    build = read(f"{BUILD}{steps}FROM debian\nCOPY --from=b /app/target/release/app /x\n")
    assert only_artifact(build)[1].touched in ("", "file")


def test_cache_mount_hides_the_outputs_of_its_step() -> None:
    mount = "RUN --mount=type=cache,target=/app/target cargo build --release"
    lost = read(f"FROM rust:1 AS b\nWORKDIR /app\n{mount}\nFROM debian\nCOPY --from=b /app/target/release/app /x\n")
    assert not lost.images
    kept = read(
        f"FROM rust:1 AS b\nWORKDIR /app\n{mount} && cp target/release/app /o\nFROM debian\nCOPY --from=b /o /x\n"
    )
    assert only_artifact(kept)[0] == "/x"


def test_strip_in_place() -> None:
    build = read(f"{BUILD}RUN strip -s target/release/app\nFROM debian\nCOPY --from=b /app/target/release/app /x\n")
    assert only_artifact(build)[1].stripped == STRIPPED_ALL


def test_two_finals_and_what_is_not_final() -> None:
    build = read(
        f"{BUILD}FROM debian AS one\nCOPY --from=b /app/target/release/app /x\n"
        "FROM b AS test\nRUN cargo test\nFROM alpine AS two\nCOPY --from=b /app/target/release/app /y\n"
    )
    assert [image.stage for image in build.images] == [1, 3]


def test_behind_make() -> None:
    build = read("FROM rust:1 AS b\nCOPY . .\nRUN make\nFROM debian\nCOPY --from=b /target/release/app /x\n")
    _, artifact = only_artifact(build)
    assert (artifact.call, artifact.opaque, artifact.link) == (None, "make", GNU_DYNAMIC)


@pytest.mark.parametrize(
    "tail",
    [
        'CMD ["cargo", "run"]\n',
        "CMD cargo run --release\n",
        'ENTRYPOINT ["bash"]\n',
        "",
    ],
)
def test_single_stage_that_ships_no_program(tail: str) -> None:
    assert not read(f"FROM rust:1\nWORKDIR /app\nCOPY . .\nRUN cargo build --release\n{tail}", CRATE).images


@pytest.mark.parametrize(
    ("cmd", "program"),
    [
        ('CMD ["./target/release/app"]', "/app/target/release/app"),
        ("CMD ./target/release/app", "/app/target/release/app"),
        ("CMD exec target/release/app --serve", "/app/target/release/app"),
        ('ENTRYPOINT ["/app/target/release/app"]\nCMD ["--help"]', "/app/target/release/app"),
    ],
)
def test_single_stage(cmd: str, program: str) -> None:
    build = read(f"FROM rust:1\nWORKDIR /app\nCOPY . .\nRUN cargo build --release\n{cmd}\n", CRATE)
    assert only_image(build).launch.program == program
    assert only_image(build).single_stage


def test_a_tool_in_a_ci_image_is_not_shipped() -> None:
    assert not read("FROM rust:1\nRUN cargo install cargo-audit\nWORKDIR /w\n").images


def test_entrypoint_resets_the_command_of_the_stage_below() -> None:
    build = read(
        f'{BUILD}FROM debian AS base\nCMD ["x"]\nFROM base\n'
        'COPY --from=b /app/target/release/app /x\nENTRYPOINT ["/x"]\n'
    )
    assert only_image(build).launch.argv == ("/x",)


def test_musl_by_an_alpine_builder() -> None:
    build = read("FROM rust:1-alpine AS b\nRUN cargo build\nFROM scratch\nCOPY --from=b /target/debug/app /x\n")
    assert only_artifact(build)[1].link == MUSL_STATIC


def test_binaries_asked_for() -> None:
    text = BUILD.replace("--release", "--release --bin web")
    manifest = MANIFEST + '[[bin]]\nname = "web"\npath = "src/web.rs"\n'
    files = {**CRATE, "Cargo.toml": manifest}
    build = read(f"{text}FROM debian\nCOPY --from=b /app/target/release/web /x\n", files)
    assert only_artifact(build)[0] == "/x"
    assert not read(f"{text}FROM debian\nCOPY --from=b /app/target/release/app /x\n", files).images


INSTALLED = "FROM rust:1 AS b\nARG X=.\nWORKDIR /app\nCOPY . .\nRUN cargo install --path $X"
TWO = {**CRATE, "src/bin/web.rs": ""}


@pytest.mark.parametrize(
    ("root", "copy"),
    [
        (" --root /out", "/out/bin /usr/local/bin"),
        (" --root /out", "/out/bin/ /usr/local/bin/"),
        (" --root /out", "/out/bin/* /usr/local/bin/"),
        (" --root /out", "/out/bin/app /usr/local/bin/app"),
        (" --root=out", "/app/out/bin/app /usr/local/bin"),
        (" --root /out", "/out /usr/local"),
        ("", "/usr/local/cargo/bin/ /usr/local/bin/"),
        ("", "/usr/local/cargo/bin/a* /usr/local/bin/"),
        ("", "${CARGO_HOME:-/usr/local/cargo}/bin/app /usr/local/bin/"),
        (" && cp $CARGO_HOME/bin/* /usr/bin/", "/usr/bin/app /usr/local/bin/"),
        (" && mkdir /o && cp $CARGO_HOME/bin/app /o/", "/o/* /usr/local/bin/"),
        (" --root /out && mv /out/bin/* /it", "/it /usr/local/bin/app"),
    ],
)
@pytest.mark.parametrize("files", [CRATE, None])
def test_where_install_puts_it(root: str, copy: str, files: dict[str, str] | None) -> None:
    build = read(f'{INSTALLED}{root}\nFROM debian\nCOPY --from=b {copy}\nCMD ["app"]\n', files)
    path, artifact = only_artifact(build)
    assert (path, artifact.link) == ("/usr/local/bin/app", GNU_DYNAMIC)
    assert only_image(build).launch.runs == (path,)


def test_a_variable_of_the_builder_is_empty_in_the_final_stage() -> None:
    assert not read(f"{INSTALLED}\nFROM debian\nCOPY --from=b $CARGO_HOME/bin/app /x\n", CRATE).images
    assert read(f"{INSTALLED}\nFROM rust:1\nCOPY --from=b $CARGO_HOME/bin/app /x\nCMD /x\n", CRATE).images


@pytest.mark.parametrize("pattern", ["*", "[aw]*", "*b", "w??"])
def test_all_programs_that_a_glob_fits(pattern: str) -> None:
    build = read(f"{BUILD}FROM debian\nCOPY --from=b /app/target/release/{pattern} /bin/\n", TWO)
    expected = ["/bin/app", "/bin/web"] if pattern in ("*", "[aw]*") else ["/bin/web"]
    assert [path for path, _ in only_image(build).artifacts] == expected


@pytest.mark.parametrize(
    ("argument", "copy"),
    [
        ("ARG BIN=app", "/app/target/release/$BIN /x"),
        ("ARG BIN=app", "target/release/../../app/target/release/${BIN} /x"),
        ("ARG PROFILE=release", "/app/target/${PROFILE}/app /x"),
        ("ARG BIN", "/app/target/release/${BIN:-app} /x"),
        ("ENV PLACE=/app/target", "$PLACE/release/app /x"),
    ],
)
def test_paths_with_variables(argument: str, copy: str) -> None:
    assert only_artifact(read(f"{BUILD}FROM debian\n{argument}\nCOPY --from=b {copy}\nCMD /x\n", CRATE))[0] == "/x"


def test_a_profile_in_a_variable() -> None:
    text = "ARG PROFILE=release\nFROM rust:1 AS b\nARG PROFILE\nWORKDIR /app\nCOPY . .\nRUN cargo build --profile $PROFILE\n"
    final = "FROM debian\nARG PROFILE\nCOPY --from=b /app/target/$PROFILE/app /x\nCMD /x\n"
    assert read(text + final, CRATE).calls[0].profile == "release"
    assert only_artifact(read(text + final, CRATE))[0] == "/x"
    assert not read(text + final.replace("ARG PROFILE\n", ""), CRATE).images


@pytest.mark.parametrize(
    ("step", "copy", "title"),
    [
        ("make install", "/usr/local/cargo/bin/app", "make install"),
        ("just build", "/usr/local/cargo/bin/app", "just build"),
        ("make && cp target/release/app /o", "/o", "make"),
        ("./build.sh && install -m 755 target/release/app /o", "/o", "./build.sh"),
        ("eval $SETUP; ./build.sh; mv target/release/app /o", "/o", "./build.sh"),
        ('sh -c "$X" && make && strip target/release/app -o /o', "/o", "make"),
        ("cargo binstall -y cargo-leptos && cargo leptos build -r", "/app/target/release/app", "cargo leptos"),
        ("cargo run -- gen && cargo make build", "/app/target/release/app", "cargo make"),
    ],
)
def test_behind_a_build_tool(step: str, copy: str, title: str) -> None:
    build = read(f"FROM rust:1 AS b\nWORKDIR /app\nCOPY . .\nRUN {step}\nFROM debian\nCOPY --from=b {copy} /x\n", CRATE)
    _, artifact = only_artifact(build)
    assert (artifact.call, artifact.opaque, artifact.link) == (None, title, GNU_DYNAMIC)


@pytest.mark.parametrize(
    ("step", "start", "title"),
    [
        ("make", "./target/release/app", "make"),
        ("./build.sh", "/app/target/x86_64-unknown-linux-musl/release/app", "./build.sh"),
        ("make install", "app", ""),
        ("make", "./app", ""),
        ("make", "./target/release/app.sh", ""),
        ("ls", "./target/release/app", ""),
        ("curl https://sh.rustup.rs -sSf | sh -s -- -y", "./target/release/app", ""),
    ],
)
def test_what_starts_from_where_a_build_tool_left_it(step: str, start: str, title: str) -> None:
    build = read(f'FROM rust:1\nWORKDIR /app\nCOPY . .\nRUN {step}\nCMD ["{start}"]\n', CRATE)
    assert [artifact.opaque for image in build.images for _, artifact in image.artifacts] == ([title] if title else [])


def test_rustups_installer_made_no_program() -> None:
    text = "FROM debian:trixie AS b\nWORKDIR /app\nRUN curl https://sh.rustup.rs -sSf | sh -s -- -y\nCOPY . .\n"
    final = "FROM debian:trixie\nCOPY --from=b /app/target/release/app /x\nCMD /x\n"
    assert not read(text + final, CRATE).images
    _, artifact = only_artifact(read(text + "RUN curl https://example.org | sh -s -- -y\n" + final, CRATE))
    assert artifact.opaque == "sh -s"


def test_behind_a_build_tool_with_rustups_own_directory() -> None:
    text = "FROM debian:trixie AS b\nRUN curl https://sh.rustup.rs -sSf | sh -s -- -y\nCOPY . .\nRUN make install\n"
    build = read(text + "FROM debian:trixie\nCOPY --from=b /root/.cargo/bin/app /x\nCMD /x\n", CRATE)
    _, artifact = only_artifact(build)
    assert (artifact.call, artifact.opaque, artifact.link) == (None, "make install", GNU_DYNAMIC)
    assert not read(text + "FROM debian:trixie\nCOPY --from=b /root/.cargo/bin/rustc /x\nCMD /x\n", CRATE).images


@pytest.mark.parametrize(
    ("step", "copy"),
    [
        ("make install", "/usr/local/cargo/bin/cargo"),
        ("make install", "/usr/local/bin/app"),
        ("curl https://example.com | sh", "/usr/local/cargo/bin/tool"),
        ("cargo binstall -y sqlx-cli", "/usr/local/cargo/bin/sqlx-tool"),
        ("make && cp dist/app /o", "/o"),
        ("cp target/release/app /o", "/o"),
    ],
)
def test_what_no_build_tool_left(step: str, copy: str) -> None:
    text = f"FROM rust:1 AS b\nWORKDIR /app\nCOPY . .\nRUN {step}\nFROM debian\nCOPY --from=b {copy} /x\n"
    assert not read(text, CRATE).images


def test_what_a_step_binds_is_there_for_the_step() -> None:
    binds = "--mount=type=bind,source=src,target=src --mount=type=bind,source=Cargo.toml,target=Cargo.toml"
    mounts = f"{binds} --mount=type=cache,target=/app/target/"
    text = f"FROM rust:1-alpine AS b\nWORKDIR /app\nRUN {mounts} cargo build -r && cp target/release/app /o\n"
    manifest = MANIFEST + "[profile.release]\nstrip = true\n"
    build = read(f"{text}FROM alpine\nCOPY --from=b /o /x\n", {**CRATE, "Cargo.toml": manifest})
    assert only_artifact(build)[1].stripped == STRIPPED_ALL
    later = read(f"{text}RUN cargo build -r\n", {**CRATE, "Cargo.toml": manifest})
    assert [crate is not None for crate in later.crates] == [True, False]


@pytest.mark.parametrize(("source", "path"), [("/app/target/release", "app"), ("/app/target", "release/app")])
def test_what_a_step_binds_from_a_stage(source: str, path: str) -> None:
    bind = f"--mount=type=bind,from=b,source={source},target=/in"
    build = read(f"{BUILD}FROM debian\nRUN {bind} cp /in/{path} /usr/local/bin/app\nCMD app\n", CRATE)
    assert [where for where, _ in only_image(build).artifacts] == ["/usr/local/bin/app"]


def test_one_of_two_programs_by_the_platform() -> None:
    build = read("""
        FROM rust:1 AS b
        WORKDIR /app
        COPY . .
        RUN cargo zigbuild -r --target x86_64-unknown-linux-musl --target aarch64-unknown-linux-musl \\
         && mkdir linux && cp target/x86_64-unknown-linux-musl/release/app linux/amd64 \\
         && cp target/aarch64-unknown-linux-musl/release/app linux/arm64
        FROM alpine
        ARG TARGETPLATFORM
        COPY --from=b /app/${TARGETPLATFORM} /x
        """)
    path, artifact = only_artifact(build)
    assert (path, artifact.link) == ("/x", MUSL_STATIC)


def test_a_directory_that_is_moved() -> None:
    text = "FROM rust:1 AS b\nARG TARGETPLATFORM\nWORKDIR /src\nCOPY . .\nRUN xx-cargo build -r && mv target/$(xx-cargo --print-target-triple)/release /src/out\n"
    build = read(f"{text}FROM debian\nWORKDIR /srv\nCOPY --from=b /src/out/app ./\nCMD ./app\n", CRATE)
    assert only_artifact(build)[0] == "/srv/app"


def test_the_link_to_the_directory_of_a_profile() -> None:
    build = read(
        """
        FROM rust:1 AS b
        ARG PROFILE=release
        WORKDIR /app
        COPY . .
        RUN echo "export T=$(xx-cargo --print-target-triple)" >> /env
        RUN . /env && xx-cargo build --profile "$PROFILE" && find . -name x -delete
        RUN . /env && if [ "$PROFILE" = dev ]; then ln -vfsr "/app/target/$T/debug" /app/target/final; \\
            else ln -vfsr "/app/target/$T/$PROFILE" /app/target/final; fi
        FROM debian
        COPY --from=b /app/target/final/app .
        CMD ["/app"]
        """,
        CRATE,
    )
    path, artifact = only_artifact(build)
    assert (path, artifact.call, artifact.link) == ("/app", 0, GNU_DYNAMIC)


@settings(max_examples=300)
@given(st.text("ab*", max_size=8), st.text("ab*", max_size=8))
def test_patterns_fit_as_a_shell_would_say(name: str, pattern: str) -> None:
    expected = name == pattern or fnmatchcase(name, pattern) or fnmatchcase(pattern, name)
    assert patterns.same(f"x/{name}", f"x/{pattern}") == expected


@pytest.mark.parametrize(
    ("declared", "source", "whole"),
    [
        ("ARG A", "$A", False),
        ("ARG A=", "$A", False),
        ('ARG A=""', "${A}", False),
        ("ARG A\nENV B=$A", "$B", False),
        ("ARG A=\nENV B=${A}", "$B", False),
        ("ARG TOP", "$TOP", False),
        ("ARG A=app", "$A", False),
        ("ARG A=\nARG A=app", "$A", False),
        ("ENV A=", "$A", True),
        ("ENV B=$NEVER", "$B", True),
        ("ARG A=\nENV A=", "$A", True),
        ("ARG A=", "${A:-}", True),
        ("ARG A=", "", True),
        ("ENV X=1", "$NEVER", True),
    ],
)
def test_a_name_that_somebody_gives_is_not_the_directory(declared: str, source: str, whole: bool) -> None:
    text = (
        f"ARG TOP=\nFROM rust:1 AS b\nWORKDIR /app\nCOPY . .\nRUN cargo build -r\nFROM debian\n{declared}\n"
        f'COPY --from=b /app/target/release/{source} /opt/\nCMD ["/opt/app"]\n'
    )
    image = only_image(read(text, CRATE))
    assert dict(image.artifacts)["/opt/app"].name == "app"
    assert bool(image.outputs) == whole


@pytest.mark.parametrize(
    ("argument", "step", "whole"),
    [
        ("ARG A=", "mv target/release/$A /out", False),
        ("ARG A", "mv target/release/$A /out", False),
        ("ARG A=", "mv target/release/app$A /out", False),
        ("ARG A=", "cp -r target/release/ /out$A", True),
        ("ENV A=", "mv target/release/$A /out", True),
    ],
)
def test_a_name_that_somebody_gives_in_a_step(argument: str, step: str, whole: bool) -> None:
    text = (
        f"FROM rust:1 AS b\nWORKDIR /app\nCOPY . .\n{argument}\nRUN cargo build -r && {step}\nFROM debian\n"
        'COPY --from=b /out /opt/app\nCMD ["/opt/app"]\n'
    )
    assert bool(only_image(read(text, CRATE)).outputs) == whole

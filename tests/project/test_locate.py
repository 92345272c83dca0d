"""Which context belongs to a Dockerfile."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockerslim_lint.config import ImageSettings
from dockerslim_lint.project.locate import Located, Sources, locate, sources_of
from dockerslim_lint.project.places import Repositories
from dockerslim_lint.source import Source


def sources(text: str) -> Sources:
    return sources_of(Source(text.encode()))


def find(directory: Path, text: str, image: ImageSettings | None = None, root: Path | None = None) -> Located:
    return locate(
        str(directory),
        Source(text.encode()),
        image,
        str(root) if root else None,
        Repositories().root(str(directory)),
    )


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    for path in ("Cargo.toml", "src/main.rs", "docker/entry.sh", "backend/Cargo.toml", "backend/src/main.rs"):
        (tmp_path / "repo" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "repo" / path).write_text("")
    return tmp_path / "repo"


def test_literal_sources() -> None:
    text = (
        'FROM a AS x\nCOPY src ./Cargo.toml /app/\nADD --chown=a [\'a b\', \'/c\']  /d\nCOPY ["a b", "/c", "/d"]\n'
        "COPY --from=x q /\nADD https://x.example/y /\nADD git@x.example:y /\nCOPY $V *.toml ../up /\nCOPY <<EOF lit /\nx\nEOF\n"
        "ONBUILD COPY never /\n"
    )
    found = sources(text)
    assert {"src", "Cargo.toml", "a b", "c", "up", "lit"} <= set(found.paths)
    assert not {"q", "never", "EOF", "<<EOF", "*.toml", "$V"} & set(found.paths)
    assert not any("x.example" in path for path in found.paths)
    assert not found.whole


@pytest.mark.parametrize(
    "call",
    [
        "xx-cargo build --release --target-dir ./t",
        "CARGO_INCREMENTAL=0 cross build",
        "cargo zigbuild --release",
        "cargo-zigbuild zigbuild",
        "cargo auditable build",
        "cargo +nightly leptos build",
    ],
)
def test_wrappers_of_cargo_look_for_the_manifest_too(repo: Path, call: str) -> None:
    text = f"FROM a\nWORKDIR /src\nCOPY / /src/\nRUN {call}\n"
    assert sources(text).manifests == ((".",),)
    assert find(repo / "docker", text).root == str(repo)


@pytest.mark.parametrize(
    "call", ["xx-cargo --setup-target-triple", "cargo make release", "apt-get install cross", "echo cargo-zigbuild"]
)
def test_other_words_do_not(repo: Path, call: str) -> None:
    text = f"FROM a\nWORKDIR /src\nCOPY / /src/\nRUN {call}\n"
    assert sources(text).manifests == ()
    assert find(repo / "docker", text).root == str(repo / "docker")


@pytest.mark.parametrize(
    ("steps", "places"),
    [
        ("WORKDIR /app\nCOPY . .\nRUN sh -c 'cargo build --release'", (".",)),
        ("COPY . /app\nRUN bash -lc 'cd /app/b && cargo build'", ("b", ".")),
        ("COPY . /app\nRUN pushd app && cargo build && popd", (".",)),
        ("COPY . /app\nRUN (cd /app && cargo build --release)", (".",)),
        ("COPY . /app\nRUN { cd /app/b; cargo build; } > log", ("b", ".")),
        ("COPY . /app\nRUN cargo -C /app -Z unstable-options build", (".",)),
        ('WORKDIR /app\nCOPY . .\nRUN ["cargo", "build", "--manifest-path", "b/Cargo.toml"]', ("b",)),
        ("COPY . /app\nRUN <<EOF\ncd /app/b\ncargo build\nEOF", ("b", ".")),
        ("COPY . /app\nWORKDIR /app\nRUN cd $X && cargo build", (".",)),
        ("COPY . /app\nWORKDIR /app\nRUN ls | xargs -n1 cargo build -p", (".",)),
        ("COPY . /app\nWORKDIR /app\nRUN /usr/local/cargo/bin/cargo build", (".",)),
        ("COPY . /app\nWORKDIR /x\nRUN (cd /app && ls) && echo 'cargo build'", None),
        ("COPY . /app\nRUN cd /app && cargo install --git https://x.example/y", None),
        ("COPY . /app\nWORKDIR /app\nRUN sh -c 'cargo --version'", None),
    ],
)
def test_the_manifest_of_a_call_within_something_else(steps: str, places: tuple[str, ...] | None) -> None:
    found = sources(f"FROM a\n{steps}\n")
    assert (found.manifests, found.unplaced) == ((places,) if places is not None else (), False)


@pytest.mark.parametrize(
    ("steps", "unplaced"),
    [
        ("COPY . /srv\nRUN make release", False),
        ("COPY . /srv\nRUN cargo install just", False),
        ("COPY . /srv\nFROM b\nRUN cargo chef cook", False),
        ("COPY entry.sh /\nRUN cd /x && cargo build", False),
        ("COPY . /app\nWORKDIR /app\nRUN cargo test\nRUN cd /x && cargo build", False),
        ("COPY . /src\nRUN mv /src /build && cd /build && cargo build", True),
        ("COPY . /src\nFROM b\nCOPY --from=0 /src /app\nRUN cd /app && cargo build", True),
        ("COPY . /app\nRUN if test -d /app; then cd /app; fi; cargo build", True),
        ("COPY . /src\nWORKDIR /src\nRUN cargo build --manifest-path $DIR/Cargo.toml", True),
    ],
)
def test_a_manifest_that_cannot_be_placed(repo: Path, steps: str, unplaced: bool) -> None:
    text = f"FROM a\n{steps}\n"
    assert sources(text).unplaced is unplaced
    # beside the file there is a crate, then there is none, and last none in any directory above it
    assert find(repo, text).root == str(repo) or "entry.sh" in text
    if unplaced:
        found = find(repo / "docker", text)
        assert (found.root, found.reason) == (None, "unknown: nothing tells from where it copies its Cargo.toml")
        (repo / "Cargo.toml").unlink()
        assert find(repo / "docker", text).root == str(repo / "docker")


def test_where_the_manifest_must_be() -> None:
    assert sources("FROM a\nWORKDIR /app\nCOPY . .\nRUN cargo build --release\n").manifests == ((".",),)
    assert sources("FROM a\nCOPY . /app\nWORKDIR /app/b\nRUN cargo b\n").manifests == (("b", "."),)
    assert sources("FROM a\nCOPY . /app\nRUN cd /app/b && cargo build\n").manifests == (("b", "."),)
    exact = "FROM a\nCOPY . /app\nWORKDIR /app\nRUN cargo build --manifest-path=b/Cargo.toml\n"
    assert sources(exact).manifests == (("b",),)
    assert sources("FROM a\nCOPY . /app\nRUN cargo install --path /app/b\n").manifests == (("b",),)
    assert sources("FROM a\nCOPY . /app\nRUN cargo install cargo-chef\n").manifests == ()
    assert sources("FROM a\nCOPY . /app\nRUN cargo install cross && cross --version\n").manifests == ()
    inherited = "FROM a AS base\nWORKDIR /app\nFROM base AS p\nCOPY . .\nFROM p\nRUN cargo build\n"
    assert sources(inherited).manifests == ((".",),)
    assert sources("FROM a\nCOPY . /x\nFROM b\nRUN cargo build\n").manifests == ()


def test_a_file_that_copies_nothing_takes_its_own_directory(repo: Path) -> None:
    assert find(repo / "docker", "FROM a\nRUN git clone x\n").root == str(repo / "docker")
    assert locate(str(repo / "docker"), None, None, None, None).root == str(repo / "docker")


@pytest.mark.parametrize(
    "mounts",
    [
        "--mount=type=bind,source=src,target=src --mount=type=bind,source=Cargo.toml,target=Cargo.toml",
        "--mount=type=bind,src=/src,dst=/app/src --mount=type=cache,target=/root/.cargo/registry",
        "--mount=source=./src/../src,target=/x",
        "--mount=type=bind,target=.",
        "--mount=type=bind,source=/,destination=/app,rw",
    ],
)
def test_what_a_step_binds_is_taken_from_the_context(repo: Path, mounts: str) -> None:
    text = f"FROM a\nWORKDIR /app\nRUN {mounts} cargo build --release\n"
    found = find(repo / "docker", text)
    assert (found.root, "copies nothing" in found.reason) == (str(repo), False)


@pytest.mark.parametrize(
    "mounts",
    [
        "--mount=type=cache,target=/src,source=src",
        "--mount=type=bind,from=b,source=src,target=/src",
        "--mount=type=bind,from=b,target=.",
        "--mount=type=bind,source=$SRC,target=/src",
        "--mount=type=secret,id=src,target=/src",
        "--mount=type=tmpfs,target=/app",
    ],
)
def test_other_mounts_take_nothing_from_it(repo: Path, mounts: str) -> None:
    text = f"FROM b AS b\nFROM a\nWORKDIR /app\nRUN {mounts} cargo build --release\n"
    assert (sources(text).paths, sources(text).whole) == ((), False)
    assert find(repo / "docker", text).root == str(repo / "docker")


def test_a_mount_is_there_for_its_own_step_alone(repo: Path) -> None:
    text = "FROM a\nWORKDIR /app\nRUN --mount=type=bind,target=. ls\nRUN cargo build\n"
    assert sources(text).manifests == ()


def test_the_nearest_directory_that_has_everything(repo: Path) -> None:
    assert find(repo / "docker", "FROM a\nCOPY entry.sh /\n").root == str(repo / "docker")
    found = find(repo / "docker", "FROM a\nCOPY src docker/entry.sh /\n")
    assert (found.root, found.reason) == (str(repo), "nearest directory that has src, docker/entry.sh")
    assert found.context.read("src/main.rs") == b""


def test_where_nothing_is_looked_for_no_reason_is_made_up(repo: Path) -> None:
    found = find(repo / "docker", "FROM a\nCOPY . /srv\n")
    assert (found.root, found.reason) == (str(repo / "docker"), "the file's own directory; it copies whatever is there")


def test_a_dot_counts_only_where_the_manifest_is(repo: Path) -> None:
    text = "FROM a\nWORKDIR /app\nCOPY . .\nRUN cargo build\n"
    assert find(repo / "docker", text).root == str(repo)
    assert find(repo / "backend", text).root == str(repo / "backend")
    assert find(repo / "docker", text.replace("RUN", "WORKDIR backend\nRUN")).root == str(repo)
    assert find(repo / "docker", "FROM a\nCOPY . .\n").root == str(repo / "docker")


MAKE = "FROM a\nCOPY . code\nRUN cd code && make install\n"


def test_a_build_tool_needs_its_file(repo: Path) -> None:
    (repo / "Makefile").write_text("")
    (repo / "tools").mkdir()
    (repo / "tools" / "justfile").write_text("")
    found = find(repo / "backend", MAKE)
    assert (found.root, found.reason) == (str(repo), "nearest directory that has Makefile")
    assert find(repo / "docker", MAKE).root == str(repo)
    assert find(repo / "docker", "FROM a\nWORKDIR /c\nCOPY . .\nRUN make\nRUN cd tools && just all\n").root == str(repo)
    (repo / "backend" / "GNUmakefile").write_text("")
    assert find(repo / "backend", MAKE).root == str(repo / "backend")


@pytest.mark.parametrize(
    "text",
    [
        MAKE.replace("make", "make -C api"),
        MAKE.replace("make", "make -f build.mk"),
        MAKE.replace("make", "cmake"),
        MAKE.replace("make install", "apt-get install -y make"),
        MAKE.replace("cd code && ", ""),
        MAKE.replace("cd code", "cd code/api"),
        MAKE.replace("cd code", "cd $CODE"),
        MAKE.replace("make", "just"),
        MAKE.replace("COPY .", "COPY --from=b ."),
        MAKE.replace("COPY . code\n", "COPY Cargo.toml code/\n"),
    ],
)
def test_what_says_nothing_of_a_build_file(repo: Path, text: str) -> None:
    (repo / "Makefile").write_text("")
    assert find(repo / "backend", text).root == str(repo / "backend")


def test_a_build_file_that_is_nowhere(repo: Path) -> None:
    (repo.parent / "Makefile").write_text("")
    found = find(repo / "backend", MAKE)
    assert (found.root, found.reason) == (
        str(repo / "backend"),
        "the file's own directory; it copies whatever is there",
    )


def test_unknown_where_no_directory_has_everything(repo: Path) -> None:
    (repo.parent / "outside").write_text("")
    found = find(repo / "docker", "FROM a\nCOPY outside /\n")
    assert (found.root, found.context.known) == (None, False)
    assert found.reason == "unknown: no directory up to the repository's root has outside"


BY_NAME = "FROM a\nWORKDIR /app\nCOPY Cargo.toml ./\nCOPY src src\nRUN cargo build\nFROM b\nCOPY {} /\n"


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        (BY_NAME.format("entry.sh"), "entry.sh"),
        (BY_NAME.format("dist config.toml"), "dist, config.toml"),
        ("FROM a\nWORKDIR /app\nCOPY . .\nRUN cargo build\nFROM b\nCOPY entry.sh /\n", "entry.sh"),
        ("FROM a\nCOPY backend /app\nRUN cd app && cargo build\nFROM b\nCOPY entry.sh /\n", "entry.sh"),
        ("FROM a\nCOPY Cargo.toml Cargo.lock src /app/\nRUN cargo build\n", "Cargo.lock"),
    ],
)
def test_the_context_is_where_most_of_it_is(repo: Path, text: str, missing: str) -> None:
    found = find(repo, text)
    assert (found.root, found.context.known) == (str(repo), True)
    assert found.reason.startswith("nearest directory that has ")
    assert found.reason.endswith(f"; {missing} is not there")
    assert find(repo / "docker", text).root == str(repo)


def test_of_two_crates_the_one_that_has_more_is_the_context(repo: Path) -> None:
    (repo / "backend" / "data").write_text("")
    assert find(repo / "backend", BY_NAME.format("entry.sh")).root == str(repo / "backend")
    assert find(repo / "backend", BY_NAME.format("data entry.sh")).root == str(repo / "backend")
    (repo / "backend" / "data").rename(repo / "data")
    assert find(repo / "backend", BY_NAME.format("data entry.sh")).root == str(repo)
    # nothing is missed where one has it all
    assert "not there" not in find(repo / "backend", BY_NAME.format("data")).reason


def test_most_of_it_is_where_a_member_has_its_workspace(repo: Path) -> None:
    folder = workspace(repo, INHERITS)
    found = find(folder, MEMBER + "FROM b\nCOPY entry.sh /\n")
    assert found.root == str(repo)
    assert found.reason.endswith("inherits from it; entry.sh is not there")


@pytest.mark.parametrize(
    "text",
    [
        BY_NAME.format("one two three"),
        "FROM a\nWORKDIR /app\nCOPY . .\nRUN cargo build\nFROM b\nCOPY one two /\n",
        "FROM a\nCOPY api/Cargo.toml api/\nCOPY src backend docker ./\nRUN cargo build\n",
        "FROM a\nCOPY Cargo.toml backend docker ./\nCOPY api/src src\nRUN cargo build\n",
        "FROM a\nCOPY src docker /\nCOPY target/release/app /app\n",
        "FROM a\nCOPY docker/entry.sh dist /\n",
        "FROM a\nWORKDIR /app/api\nCOPY . /app/api/\nCOPY nope /\nRUN cd other && cargo build --manifest-path Cargo.toml\n",
    ],
)
def test_unknown_where_too_much_is_missing(repo: Path, text: str) -> None:
    found = find(repo / "docker", text)
    assert (found.root, found.context.known) == (None, False)
    assert found.reason.startswith("unknown: ")


def test_of_many_paths_the_first_few_are_named(repo: Path) -> None:
    gone = find(repo / "docker", "FROM a\nCOPY n1 n2 n3 n4 n5 /\n")
    assert gone.reason == "unknown: no directory up to the repository's root has n1, n2, n3 and 2 more"
    four = find(repo / "docker", "FROM a\nCOPY n1 n2 n3 n4 /\n")
    assert four.reason.endswith(" has n1, n2, n3, n4")


def test_the_configuration_has_the_first_word(repo: Path) -> None:
    text = "FROM a\nCOPY nope /\n"
    assert find(repo / "docker", text, ImageSettings("docker/Dockerfile", "backend"), repo).root == str(
        repo / "backend"
    )
    # a table that says nothing of the context leaves the search alone
    assert find(repo / "docker", "FROM a\nCOPY src /\n", ImageSettings("docker/Dockerfile"), repo).root == str(repo)


MEMBER = "FROM a\nWORKDIR /src\nCOPY . .\nRUN cargo build --release --package perf\n"
INHERITS = '[package]\nname = "perf"\nedition.workspace = true\n'


def workspace(repo: Path, member: str, root: str = '[workspace]\nmembers = ["crates/*"]\n') -> Path:
    """A member of a workspace, which the repository's root is."""
    folder = repo / "crates" / "perf"
    folder.mkdir(parents=True)
    (folder / "Cargo.toml").write_text(member)
    (repo / "Cargo.toml").write_text(root)
    return folder


@pytest.mark.parametrize(
    "steps",
    [
        "COPY . /src\nWORKDIR /src/crates/perf\nRUN cargo build --release\n",
        "COPY . /src\nWORKDIR /src\nRUN cd crates/perf && cargo build --release\n",
        "WORKDIR /src\nCOPY . .\nRUN cargo chef prepare\nWORKDIR crates/perf\nRUN cargo build\n",
    ],
)
def test_a_directory_below_the_copy_shows_a_larger_context(repo: Path, steps: str) -> None:
    folder = workspace(repo, '[package]\nname = "perf"\n')
    found = find(folder, f"FROM a\n{steps}FROM b\nCOPY --from=0 /src/target/release/perf /\n")
    assert (found.root, found.reason) == (str(repo), "nearest directory that has crates/perf/Cargo.toml")
    # without a workspace it is as plain: nothing is built where there is no package
    (repo / "Cargo.toml").unlink()
    if "prepare" not in steps:
        assert find(folder, f"FROM a\n{steps}").root == str(repo)


@pytest.mark.parametrize(
    "steps",
    [
        # the copy itself lies there
        "COPY . /src/crates/perf\nWORKDIR /src/crates/perf\nRUN cargo build --release\n",
        # no directory of this name has a package, here or above
        "COPY . /src\nWORKDIR /src/crates/other\nRUN cargo build --release\n",
        "COPY . /src\nWORKDIR /src/crates/perf\nRUN ls\nWORKDIR /src\nRUN cargo build --release\n",
    ],
)
def test_what_is_a_crate_on_its_own_is_the_context(repo: Path, steps: str) -> None:
    folder = workspace(repo, '[package]\nname = "perf"\n[dependencies]\nlog = "0.4"\nin = { path = "in" }\n')
    found = find(folder, f"FROM a\n{steps}")
    assert (found.root, found.reason) == (str(folder), "nearest directory that has the Cargo.toml")


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        (INHERITS, "inherits from it"),
        ('[package]\nname = "perf"\nversion = { workspace = true }\n', "inherits from it"),
        ('[package]\nname = "perf"\n[dependencies]\nring = { workspace = true }\n', "inherits from it"),
        ('[package]\nname = "perf"\n[build-dependencies]\ncc.workspace = true\n', "inherits from it"),
        ("[package]\nname = \"perf\"\n[target.'cfg(unix)'.dependencies]\nnix.workspace = true\n", "inherits from it"),
        ('[package]\nname = "perf"\n[lints]\nworkspace = true\n', "inherits from it"),
        ('[package]\nname = "perf"\n[dependencies]\ncore = { path = "../core" }\n', "needs ../core"),
        ('[package]\nname = "perf"\n[dev-dependencies]\ncore = { path = "x/../../core" }\n', "needs x/../../core"),
    ],
)
def test_a_member_that_cannot_be_built_alone_has_the_workspace_as_its_context(
    repo: Path, manifest: str, reason: str
) -> None:
    folder = workspace(repo, manifest)
    found = find(folder, MEMBER)
    assert found.root == str(repo)
    assert found.reason == f"the workspace's directory: crates/perf/Cargo.toml {reason}"
    assert find(folder, MEMBER, ImageSettings("crates/perf/Dockerfile", "crates/perf"), repo).root == str(folder)


@pytest.mark.parametrize(
    "manifest",
    [
        '[package]\nname = "perf"\nversion = "1.0.0"\n[dependencies]\nlog = { version = "0.4" }\n',
        '[package]\nname = "perf"\n[dependencies]\nin = { path = "in/../in" }\nfar = { path = "/far" }\n',
        # a word of somebody else's, and a workspace of its own
        '[package]\nname = "perf"\n[package.metadata.x]\nworkspace = true\n',
        INHERITS + "[workspace]\n",
        "this is no TOML",
    ],
)
def test_a_member_that_is_complete_is_the_context(repo: Path, manifest: str) -> None:
    assert find(folder := workspace(repo, manifest), MEMBER).root == str(folder)


@pytest.mark.parametrize(
    "root",
    [
        '[package]\nname = "other"\n',
        '[workspace]\nmembers = ["crates/*"]\nexclude = ["crates/perf"]\n',
        '[workspace]\nmembers = ["crates/*"]\nexclude = ["./crates"]\n',
    ],
)
def test_only_the_workspace_of_the_member_counts(repo: Path, root: str) -> None:
    assert find(folder := workspace(repo, INHERITS, root), MEMBER).root == str(folder)


def test_another_build_context_may_bring_the_workspace(repo: Path) -> None:
    folder = workspace(repo, INHERITS)
    text = "FROM a\nCOPY --from=all Cargo.toml /src/\nCOPY . /src/perf\nWORKDIR /src/perf\nRUN cargo build\n"
    assert find(folder, text).root == str(folder)
    assert find(folder, text.replace("=all", "=ghcr.io/x/y:1")).root == str(repo)
    assert find(folder, text.replace("FROM a", "FROM a AS all\nFROM a")).root == str(repo)


def test_a_workspace_outside_of_the_repository_is_none_of_ours(repo: Path) -> None:
    folder = workspace(repo, INHERITS)
    (folder / ".git").mkdir()
    assert find(folder, MEMBER).root == str(folder)
    assert find(folder, MEMBER.replace("RUN", "WORKDIR crates/perf\nRUN")).root == str(folder)


def test_what_lies_between_a_member_and_its_workspace(repo: Path) -> None:
    # not even the workspace has all that the package needs
    folder = workspace(repo, '[package]\nname = "perf"\n[dependencies]\ncore = { path = "../../../core" }\n')
    assert find(folder, MEMBER).root == str(folder)
    # nor all that is copied
    (folder / "Cargo.toml").write_text(INHERITS)
    (folder / "run.sh").write_text("")
    assert find(folder, MEMBER + "COPY run.sh /\n").root == str(folder)


@pytest.mark.parametrize(
    ("copies", "own"),
    [
        ("Cargo.toml Cargo.lock ./\nCOPY src src", True),
        ("Cargo.toml Cargo.lock ./\nCOPY src docker src", False),
        ("Cargo.toml Cargo.lock ./", False),
        ("Cargo.lock ./\nCOPY src src", False),
    ],
)
def test_a_crate_beside_the_file_that_lacks_a_lock_goes_before_one_above(repo: Path, copies: str, own: bool) -> None:
    (repo / "Cargo.lock").write_text("version = 4\n")
    found = find(repo / "backend", f"FROM a\nCOPY {copies}\nRUN cargo build\n")
    assert found.root == str(repo / "backend" if own else repo)
    assert found.reason.endswith("; Cargo.lock is not there") is own
    (repo / "backend/Cargo.lock").write_text("version = 4\n")
    assert find(repo / "backend", f"FROM a\nCOPY {copies}\nRUN cargo build\n").reason.count("not there") == 0

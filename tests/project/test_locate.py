"""Which context belongs to a Dockerfile."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockerslim_lint.config import ImageSettings
from dockerslim_lint.project.locate import Located, Sources, locate, sources_of
from dockerslim_lint.project.places import Repositories
from dockerslim_lint.source import Source
from dockerslim_lint.syntax.dockerfile import parse


def sources(text: str) -> Sources:
    return sources_of(parse(Source(text.encode())))


def find(directory: Path, text: str, image: ImageSettings | None = None, root: Path | None = None) -> Located:
    return locate(
        str(directory),
        parse(Source(text.encode())),
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


def test_unknown_where_no_directory_has_everything(repo: Path) -> None:
    (repo.parent / "outside").write_text("")
    found = find(repo / "docker", "FROM a\nCOPY outside /\n")
    assert (found.root, found.context.known) == (None, False)
    assert found.reason == "unknown: no directory up to the repository's root has outside"


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

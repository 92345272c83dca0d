"""`--changed-since`, with the real git."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from dockerslim_lint.project.changed import Changes, GitError, only_changed
from dockerslim_lint.project.discover import discover
from dockerslim_lint.project.task import Task

Git = Callable[..., str]
RUST = "FROM rust:1 AS b\nCOPY . .\nRUN cargo build --release\nFROM debian:12\nCOPY --from=b /target/release/app /app\n"
MANIFEST = '[package]\nname = "app"\nversion = "1.0.0"\n'


@pytest.fixture
def git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Git:
    """git in an empty repository, the working directory, whatever the machine's own configuration is."""
    (tmp_path / "home").mkdir()
    root = tmp_path / "repo"
    root.mkdir()
    monkeypatch.chdir(root)
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "home" / "none"))
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "A")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "a@example.org")

    def run(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout.strip()

    run("init", "-q", "-b", "main")
    return run


@pytest.fixture
def root(git: Git) -> Path:
    """A committed repository: two crates with a Dockerfile each, and two other Dockerfiles."""
    write("a/Dockerfile", RUST)
    write("b/docker/Dockerfile", RUST)
    for crate in ("a", "b"):
        write(f"{crate}/Cargo.toml", MANIFEST)
        write(f"{crate}/src/main.rs", "fn main() {}\n")
    write("c/Dockerfile", 'FROM node:22\nCOPY start.sh /\nCMD ["/start.sh"]\n')
    write("c/start.sh", "#!/bin/sh\nexec node\n")
    write("d.dockerfile", "FROM alpine:3\n")
    git("add", "-A")
    git("commit", "-qm", "all")
    return Path.cwd()


def write(path: str, text: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)


def append(path: str, text: str = "# more\n") -> None:
    write(path, Path(path).read_text() + text)


def chosen(revision: str = "main") -> list[str]:
    return [one.path for one in only_changed(discover(["."]), revision, Task())]


def test_nothing_has_changed(root: Path) -> None:
    assert chosen() == []
    assert chosen("HEAD") == []


def test_committed_staged_unstaged_and_untracked_all_count(root: Path, git: Git) -> None:
    git("switch", "-qc", "work")
    append("a/Dockerfile")
    git("commit", "-qam", "a")
    append("b/docker/Dockerfile")
    git("add", "-A")
    append("c/Dockerfile")
    write("new/Dockerfile.web", "FROM nginx\n")
    assert chosen() == ["a/Dockerfile", "b/docker/Dockerfile", "c/Dockerfile", "new/Dockerfile.web"]
    assert chosen("HEAD") == ["b/docker/Dockerfile", "c/Dockerfile", "new/Dockerfile.web"]


def test_what_the_revision_has_since_changed_itself_does_not_count(root: Path, git: Git) -> None:
    git("switch", "-qc", "work")
    append("a/Dockerfile")
    git("commit", "-qam", "a")
    git("switch", "-q", "main")
    append("d.dockerfile")
    git("commit", "-qam", "d")
    git("switch", "-q", "work")
    assert chosen() == ["a/Dockerfile"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a/Cargo.toml", ["a/Dockerfile"]),
        ("a/Cargo.lock", ["a/Dockerfile"]),
        ("b/rust-toolchain.toml", ["b/docker/Dockerfile"]),
        ("b/rust-toolchain", ["b/docker/Dockerfile"]),
        ("b/.cargo/config.toml", ["b/docker/Dockerfile"]),
        ("b/crates/x/Cargo.toml", ["b/docker/Dockerfile"]),
        ("b/.dockerignore", ["b/docker/Dockerfile"]),
        ("b/docker/Dockerfile.dockerignore", ["b/docker/Dockerfile"]),
        ("c/start.sh", ["c/Dockerfile"]),
        ("a/.dockerslim.toml", ["a/Dockerfile"]),
        (".dockerslim.toml", ["a/Dockerfile", "b/docker/Dockerfile", "c/Dockerfile", "d.dockerfile"]),
        ("a/src/main.rs", []),
        ("a/config.toml", []),
        ("README.md", []),
        ("a/pyproject.toml", []),
    ],
)
def test_what_findings_depend_on(root: Path, path: str, expected: list[str]) -> None:
    write(path, "")
    assert chosen() == expected


def test_where_the_context_is_not_known_every_file_of_cargo_counts(root: Path, git: Git) -> None:
    write("e.dockerfile", "FROM rust:1\nCOPY lost /\nRUN cargo build\n")
    write("f.dockerfile", "FROM python:3\nCOPY lost /\nRUN pip install /lost\n")
    git("add", "-A")
    git("commit", "-qm", "e")
    append("a/Cargo.toml")
    assert chosen("HEAD") == ["a/Dockerfile", "e.dockerfile"]


def test_a_configuration_in_pyproject(root: Path, git: Git) -> None:
    write("a/pyproject.toml", "[tool.dockerslim]\nfail-on = 'info'\n")
    assert chosen() == ["a/Dockerfile"]


def test_what_is_deleted(root: Path) -> None:
    Path("a/Cargo.toml").unlink()
    Path("d.dockerfile").unlink()
    assert chosen() == ["a/Dockerfile"]  # its context cannot be found any more


def test_renamed_and_strange_names(root: Path, git: Git) -> None:
    write('ü "x"/Dockerfile', "FROM a\n")
    Path("d.dockerfile").rename("e\n.dockerfile")
    assert chosen() == ["e\n.dockerfile", 'ü "x"/Dockerfile']


def test_what_git_ignores_is_no_change(root: Path, git: Git) -> None:
    write(".git/info/exclude", "e.dockerfile\n")
    write("e.dockerfile", "FROM a\n")
    assert [one.path for one in only_changed(discover(["e.dockerfile"]), "main", Task())] == []


def test_from_a_directory_below_and_by_a_link(root: Path, git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("d.link.dockerfile").symlink_to("d.dockerfile")
    git("add", "-A")
    git("commit", "-qm", "link")
    append("d.dockerfile")
    monkeypatch.chdir(root / "a")
    assert [one.path for one in only_changed(discover(["../d.link.dockerfile", "."]), "main", Task())] == [
        "../d.link.dockerfile"
    ]


def test_a_submodule_that_has_changed(root: Path, git: Git, tmp_path: Path) -> None:
    git("clone", "-q", str(root), str(tmp_path / "other"))
    git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(tmp_path / "other"), "sub")
    git("commit", "-qm", "sub")
    assert chosen() == []
    append("sub/d.dockerfile")
    assert "sub/d.dockerfile" in chosen()


def test_a_problem_stays(root: Path) -> None:
    assert [one.path for one in only_changed(discover(["nowhere"]), "main", Task())] == ["nowhere"]


@pytest.mark.parametrize("revision", ["nope", "", "-x", "--all", "main..HEAD", "HEAD:a"])
def test_no_such_revision(root: Path, revision: str) -> None:
    with pytest.raises(GitError, match=r'^there is no commit "'):
        Changes(revision)


def test_histories_without_a_common_commit(root: Path, git: Git) -> None:
    git("switch", "-q", "--orphan", "other")
    git("commit", "-q", "--allow-empty", "-m", "x")
    with pytest.raises(GitError, match=r'^"main" and HEAD have no commit in common; .*fetch-depth: 0\)$'):
        Changes("main")


def test_outside_of_the_repository(root: Path, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM a\n")
    with pytest.raises(GitError, match="outside of the repository"):
        only_changed(discover([str(tmp_path / "Dockerfile")]), "main", Task())


def test_no_repository_and_no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(GitError, match="this is no working tree of git"):
        Changes("main")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitError, match="there is no git on the PATH"):
        Changes("main")

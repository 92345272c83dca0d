"""Searching directories."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockerslim_lint.output.exits import Exit
from dockerslim_lint.project.discover import discover, is_dockerfile_name


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(root: Path, *paths: str, text: str = "FROM x\n") -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def found(*paths: str) -> list[str]:
    candidates = discover(paths)
    assert all(candidate.problem is None for candidate in candidates), candidates
    return [candidate.path for candidate in candidates]


@pytest.mark.parametrize(
    "name",
    [
        "Dockerfile",
        "dockerfile",
        "DOCKERFILE",
        "Containerfile",
        "Dockerfile.dev",
        "Dockerfile_dev",
        "Dockerfile-dev",
        "dev.dockerfile",
        "a.b.Containerfile",
        "Dockerfile.",
        "Dockerfile.md5",
        ".dockerfile",
        "Dockerfile.j2.x",
    ],
)
def test_names_taken(name: str) -> None:
    assert is_dockerfile_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "Dockerfiles",
        "Dockerfile.dockerignore",
        ".dockerignore",
        "Dockerfile.md",
        "Dockerfile.txt",
        "Dockerfile.bak",
        "Dockerfile.j2",
        "Dockerfile.tmpl",
        "x.dockerfile.MD",
        "Dockerfile~",
        "dockerfile2",
        "mydockerfile",
        "notes",
    ],
)
def test_names_left(name: str) -> None:
    assert not is_dockerfile_name(name)


def test_a_directory_is_searched_in_order(tree: Path) -> None:
    write(
        tree, "b/Dockerfile", "Dockerfile", "b/c/x.dockerfile", "a-b/Dockerfile", "a/Containerfile", ".git/Dockerfile"
    )
    assert found(".") == ["Dockerfile", "a/Containerfile", "a-b/Dockerfile", "b/Dockerfile", "b/c/x.dockerfile"]
    assert found("b/") == ["b/Dockerfile", "b/c/x.dockerfile"]
    assert found("./b", "b/Dockerfile", "Dockerfile") == ["./b/Dockerfile", "./b/c/x.dockerfile", "Dockerfile"]
    assert found(str(tree / "a")) == [str(tree / "a" / "Containerfile")]


def test_a_named_file_is_taken_whatever_its_name(tree: Path) -> None:
    write(tree, "build.txt", "ignored/Dockerfile")
    (tree / ".gitignore").write_text("ignored/\n")
    assert found("build.txt", "ignored/Dockerfile") == ["build.txt", "ignored/Dockerfile"]
    assert found("ignored") == ["ignored/Dockerfile"]


def test_what_git_ignores_is_left(tree: Path) -> None:
    write(tree, *(f"{name}/Dockerfile" for name in ("a", "b", "target", "c/target", "c/deep/x", "kept", "out")))
    (tree / ".git" / "info").mkdir(parents=True)
    (tree / ".git" / "info" / "exclude").write_text("/out\n")
    (tree / ".gitignore").write_text("# comment\n\ntarget/\n/b\nk*\n!kept\n")
    (tree / "c" / ".gitignore").write_text("!target/\ndeep/*\n")
    assert found(".") == ["a/Dockerfile", "c/target/Dockerfile", "kept/Dockerfile"]
    assert found("c") == ["c/target/Dockerfile"]


def test_ignore_files_count_without_a_repository_too(tree: Path) -> None:
    write(tree, "a/Dockerfile", "b/Dockerfile")
    (tree / ".gitignore").write_text("b\n")
    assert found(".") == ["a/Dockerfile"]


def test_the_exclude_file_of_a_worktree(tree: Path) -> None:
    write(tree, "main/.git/info/exclude", text="b\n")
    write(tree, "main/.git/worktrees/w/commondir", text="../..\n")
    write(tree, "w/a/Dockerfile", "w/b/Dockerfile")
    write(tree, "w/.git", text="gitdir: ../main/.git/worktrees/w\n")
    assert found("w") == ["w/a/Dockerfile"]


def test_a_pattern_that_git_cannot_read_spoils_no_other(tree: Path) -> None:
    write(tree, "a/Dockerfile", "b/Dockerfile")
    (tree / ".gitignore").write_bytes(b"!\n\xff\n[x-e]*\nb\n")
    assert found(".") == ["a/Dockerfile"]


def test_links(tree: Path) -> None:
    write(tree, "a/Dockerfile", "elsewhere/other")
    (tree / "a" / "loop").symlink_to(tree / "a")
    (tree / "a" / "Dockerfile.same").symlink_to("Dockerfile")
    (tree / "a" / "Dockerfile.other").symlink_to("../elsewhere/other")
    (tree / "a" / "Dockerfile.dir").symlink_to("../elsewhere")
    assert found("a") == ["a/Dockerfile", "a/Dockerfile.other"]
    (tree / "b").symlink_to("a")
    assert found("b") == ["b/Dockerfile", "b/Dockerfile.other"]


def test_a_dangling_link_is_told(tree: Path) -> None:
    write(tree, "a/Dockerfile")
    (tree / "a" / "Dockerfile.x").symlink_to("nowhere")
    good, bad = discover(["a"])
    assert good.problem is None and bad.problem is not None
    assert (bad.path, bad.problem.exit) == ("a/Dockerfile.x", Exit.UNREADABLE)


def test_an_empty_directory_is_told(tree: Path) -> None:
    (tree / "a" / "Dockerfile").mkdir(parents=True)
    (candidate,) = discover(["a"])
    assert candidate.problem is not None
    assert (candidate.path, candidate.problem.exit) == ("a", Exit.NO_INPUT)
    assert "no Dockerfile or Containerfile in this directory" in candidate.problem.text

"""Files of a build context: only those below its root, and never without end."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dockerslim_lint.context import BuildContext
from dockerslim_lint.facts.crate.dockerignore import read_ignore_file
from dockerslim_lint.project.context import DirContext


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "context"
    for path in ("Cargo.toml", "src/main.rs", "crates/a/Cargo.toml", "crates/b/Cargo.toml", "crates/b/src/lib.rs"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)
    (tmp_path / "secret").write_text("secret")
    return root


def test_reading(root: Path) -> None:
    context: BuildContext = DirContext(str(root))
    assert context.known
    for path in ("Cargo.toml", "./Cargo.toml", "/Cargo.toml", "src/../Cargo.toml", "../Cargo.toml"):
        assert context.read(path) == b"Cargo.toml"
    for path in ("", ".", "src", "nope", "Cargo.toml/x", "a\0b", "x" * 300):
        assert context.read(path) is None


def test_nothing_outside_is_read(root: Path) -> None:
    (root / "out").symlink_to("../secret")
    (root / "updir").symlink_to("..")
    (root / "absolute").symlink_to(root.parent / "secret")
    (root / "inner").symlink_to("src/main.rs")
    (root / "loop").symlink_to("loop")
    context = DirContext(str(root))
    for path in ("out", "updir/secret", "absolute", "../secret", "loop"):
        assert context.read(path) is None
    assert context.read("inner") == b"src/main.rs"
    assert context.names("*") == ["Cargo.toml", "inner"]


@pytest.mark.timeout(20)
def test_no_device_and_nothing_huge(root: Path) -> None:
    os.mkfifo(root / "fifo")
    with (root / "huge").open("wb") as stream:
        stream.truncate(17 * 1024 * 1024)
    context = DirContext(str(root))
    assert context.read("fifo") is None
    assert context.read("huge") is None


def test_names(root: Path) -> None:
    (root / ".git").mkdir()
    (root / ".git" / "Cargo.toml").write_text("")
    (root / "target").mkdir()
    (root / "target" / "Cargo.toml").write_text("")
    context = DirContext(str(root))
    assert context.names("crates/*/Cargo.toml") == ["crates/a/Cargo.toml", "crates/b/Cargo.toml"]
    assert "target/Cargo.toml" in context.names("**/Cargo.toml")
    (root / "target" / "CACHEDIR.TAG").write_text("")
    context = DirContext(str(root))
    assert context.names("**/Cargo.toml") == ["Cargo.toml", "crates/a/Cargo.toml", "crates/b/Cargo.toml"]
    assert context.names("target/*.toml") == ["target/Cargo.toml"]
    assert context.names("crates/b/**") == ["crates/b/Cargo.toml", "crates/b/src/lib.rs"]
    assert context.names("crates/[b]/src/*.rs") == ["crates/b/src/lib.rs"]
    assert context.names("src") == context.names("nope/*") == context.names("../*") == []


def test_what_was_asked_twice_is_the_same(root: Path) -> None:
    context = DirContext(str(root))
    before = (context.read("Cargo.toml"), context.names("*"))
    (root / "Cargo.toml").unlink()
    assert (context.read("Cargo.toml"), context.names("*")) == before


def test_the_ignore_file_beside_a_dockerfile_is_its_own(root: Path) -> None:
    """`tools/Dockerfile.dockerignore` is for `-f tools/Dockerfile`, and the one at the root for a Dockerfile there."""
    (root / "tools").mkdir()
    (root / ".dockerignore").write_text("general\n")
    (root / "Dockerfile.dockerignore").write_text("root\n")
    (root / "tools" / "Dockerfile.dockerignore").write_text("tools\n")
    context = DirContext(str(root))
    for path, name in (
        ("tools/Dockerfile", "tools"),
        ("tools/../Dockerfile", "root"),
        ("tools/Dockerfile.dev", "general"),
        ("../Dockerfile", "general"),
        ("", "general"),
    ):
        ignored = read_ignore_file(context, f"{root}/{path}" if path else "-")
        assert [one for one in ("general", "root", "tools") if ignored.ignores(one)] == [name], path

"""The hooks, installed and run by the real pre-commit."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from dockerslim_lint.project.discover import is_dockerfile_name
from tests.adoption.conftest import ADDRESS, ROOT, Place
from tests.adoption.dockerfiles import FAT, NOT_STRIPPED, OTHERS, crate

HOOKS: list[dict[str, Any]] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
NAMES = (
    *("Dockerfile", "dockerfile", "DOCKERFILE", "Containerfile", "Dockerfile.dev", "Dockerfile_dev", "Dockerfile-web"),
    *("prod.dockerfile", "a.b.Containerfile", "Dockerfile.", "Dockerfile.md5", ".dockerfile", "Dockerfile.j2.x"),
    *("Dockerfile.txt.dockerfile", "Dockerfile.a b", "DockerFile.ü", "x.DockerFile", "Containerfile-1"),
    *("dockerfile.py", "dockerfile_test.go", "Dockerfile.go", "Dockerfile.PY", "containerfile.rs", "dockerfile.GO"),
    *("Dockerfiles", "Dockerfile.dockerignore", ".dockerignore", "Dockerfile.md", "Dockerfile.txt", "Dockerfile.bak"),
    *("Dockerfile.j2", "Dockerfile.tmpl", "x.dockerfile.MD", "Dockerfile~", "dockerfile2", "mydockerfile", "notes", ""),
    *("x.dockerfiles", "Dockerfile.x.BAK", "docker-compose.yml", "dockerfile.txt~", "Dockerfile.md.", "x-dockerfile"),
)


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
@pytest.mark.parametrize("name", NAMES)
def test_the_pattern_is_that_of_a_search_in_directories(hook: dict[str, Any], name: str) -> None:
    for folder in ("", "a/", "a.dockerfile/b/", "Dockerfile/", "x.md/"):
        assert bool(re.search(hook["files"], folder + name)) is is_dockerfile_name(name), folder + name


def test_there_are_a_hook_that_reports_and_one_that_fixes(place: Place) -> None:
    assert {hook["id"]: hook["entry"] for hook in HOOKS} == {
        "dockerslim-lint": "dockerslim-lint lint",
        "dockerslim-fix": "dockerslim-lint lint --fix",
    }
    done = place.run(ROOT, "pre-commit", "validate-manifest", ".pre-commit-hooks.yaml")
    assert done.returncode == 0, done.stdout


def others() -> dict[str, str]:
    return {f"{name}/Dockerfile": text for name, text in OTHERS.items()} | {"web/Dockerfile-web": OTHERS["node"]}


def test_try_repo(place: Place, tmp_path: Path) -> None:
    """Both hooks, straight from the clone: one tells, the other writes; the second time there is nothing to do."""
    files = crate("app", "app", NOT_STRIPPED, "prod.dockerfile") | others()
    scratch = place.repository(tmp_path, files | {"app/prod.dockerfile.dockerignore": "target\n"})
    told = configured(place, scratch, "dockerslim-lint").stdout
    (scratch / ".pre-commit-config.yaml").unlink()
    place.git(scratch, "reset", "-q")
    assert "- hook id: dockerslim-lint\n- exit code: 1\n" in told
    assert "app/prod.dockerfile:5:5: DSL201" in told
    assert place.git(scratch, "status", "--porcelain") == ""
    fixed = tried(place, scratch, "dockerslim-fix")
    assert "- files were modified by this hook" in fixed and "exit code" not in fixed
    assert "app/prod.dockerfile: written. 1 fix made:" in fixed
    # nothing is said of other files, and they are as they were
    assert "/Dockerfile" not in told + fixed
    assert place.git(scratch, "status", "--porcelain") == " M app/prod.dockerfile\n"
    assert "STRIP=symbols" in (scratch / "app" / "prod.dockerfile").read_text()
    again = configured(place, scratch, "dockerslim-lint", "dockerslim-fix")
    assert again.returncode == 0, again.stdout
    assert again.stdout.count("Passed") == 2


def tried(place: Place, folder: Path, hook: str) -> str:
    """What a hook says that fails."""
    done = place.run(folder, "pre-commit", "try-repo", str(place.clone), hook, "--all-files", "--color=never")
    assert done.returncode == 1, done.stdout
    return done.stdout


def configured(place: Place, folder: Path, *hooks: str) -> Any:
    """Runs hooks over all files as a repository's own configuration has them."""
    listed = "".join(f"      - id: {hook}\n" for hook in hooks)
    (folder / ".pre-commit-config.yaml").write_text(
        f"repos:\n  - repo: {ADDRESS}\n    rev: v0.1.0\n    hooks:\n{listed}"
    )
    place.git(folder, "add", "-A")
    return place.run(folder, "pre-commit", "run", "--all-files", "--color=never")


def test_what_is_held_back_fails_the_fixing_hook_and_says_why(place: Place, tmp_path: Path) -> None:
    """As with other fixers: it passes if nothing was written and nothing is left that is to fail."""
    scratch = place.repository(tmp_path, crate("app", "app", FAT.replace("USER 1000\n", "USER 1000:1000\n")))
    done = configured(place, scratch, "dockerslim-fix")
    assert done.returncode == 1, done.stdout
    assert "- exit code: 1" in done.stdout and "DSL101" in done.stdout
    assert "held back:" in done.stdout and "not proven" in done.stdout
    assert "lint --fix --verify app/Dockerfile" in done.stdout


def test_excluded_files_and_many_files_and_only_other_languages(place: Place, tmp_path: Path) -> None:
    many = {f"services/{name}-{number}/Dockerfile": OTHERS[name] for name in OTHERS for number in range(12)}
    files = crate("old", "app", FAT) | many | {".dockerslim.toml": 'exclude = ["old/"]\n'}
    scratch = place.repository(tmp_path, files)
    done = configured(place, scratch, "dockerslim-lint", "dockerslim-fix")
    assert done.returncode == 0, done.stdout
    assert place.run(scratch, "git", "diff", "--quiet").returncode == 0
    (scratch / ".dockerslim.toml").write_text('exclude = ["new/"]\n')
    named = configured(place, scratch, "dockerslim-lint")
    assert named.returncode == 1
    told = " ".join(named.stdout.split())
    assert told.count("in 1 file. 84 files build no Rust: not judged.") == 1, "one process, one summary"

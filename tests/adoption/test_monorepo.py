"""A stranger adopts the program in a monorepo of 40 Dockerfiles, by the three commands that the README has for it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.adoption.conftest import ROOT, Place
from tests.adoption.dockerfiles import DEAD, FAT, NOT_STRIPPED, OTHERS, SINGLE, crate

COUNT = 40
NAMES = ("Dockerfile", "prod.dockerfile", "Dockerfile-web", "Containerfile", "docker/Dockerfile")


def commands() -> tuple[str, str, str]:
    """The three blocks of the README's section, as they stand there."""
    section = (ROOT / "README.md").read_text().split("## Adopt it in three commands", 1)[1].split("\n## ", 1)[0]
    baseline, hook, ci = re.findall(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    return baseline, hook, ci


def monorepo() -> dict[str, str]:
    """16 crates whose Dockerfiles are all bad in some way, 24 services in other languages, and what looks like Dockerfiles."""
    files: dict[str, str] = {}
    for number in range(16):
        text = (FAT, SINGLE, DEAD, NOT_STRIPPED)[number % 4]
        files |= crate(f"rust/svc{number:02}", f"svc{number:02}", text, NAMES[number % len(NAMES)])
    languages = list(OTHERS)
    for number in range(COUNT - 16):
        language = languages[number % len(languages)]
        files[f"{language}/svc{number:02}/{NAMES[number % len(NAMES)]}"] = OTHERS[language]
    return files | {
        "rust/svc00/Dockerfile.dockerignore": "target\n.git\n",
        "node/Dockerfile.md": "# How we build\n",
        "python/Dockerfile.j2": "FROM {{ base }}\n",
        "README.md": "# All of it\n",
    }


@pytest.fixture(scope="module")
def adopted(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The monorepo after the first two commands, their files committed: the hook is at work."""
    baseline, hook, _ = commands()
    files = monorepo()
    assert sum(path.rsplit("/", 1)[-1] in {name.rsplit("/", 1)[-1] for name in NAMES} for path in files) == COUNT
    folder = place.repository(tmp_path_factory.mktemp("monorepo"), files)
    before = place.run(folder, "dockerslim-lint", "lint")
    assert before.returncode == 1
    done = place.run(folder, "sh", "-ec", baseline)
    assert done.returncode == 0, done.stdout
    assert "of 16 files are known now" in done.stdout
    installed = place.run(folder, "sh", "-ec", hook)
    assert installed.returncode == 0, installed.stdout
    place.git(folder, "add", "-A")
    committed = place.run(folder, "git", "commit", "-m", "Lint Dockerfiles")
    assert committed.returncode == 0, committed.stdout
    assert place.git(folder, "status", "--porcelain") == ""
    return folder


def commit(place: Place, folder: Path, *options: str) -> tuple[bool, str]:
    place.git(folder, "add", "-A")
    done = place.run(folder, "git", "commit", "-m", "change", *options)
    if done.returncode != 0:
        place.git(folder, "reset", "--hard", "-q")
    return done.returncode == 0, done.stdout


def test_the_baseline_names_the_rust_services_only(adopted: Path) -> None:
    files = json.loads((adopted / ".dockerslim-baseline.json").read_text())["files"]
    assert len(files) == 16
    assert all(path.startswith("rust/") for path in files)


def test_what_was_there_is_no_hindrance(place: Place, adopted: Path) -> None:
    done = place.run(adopted, "pre-commit", "run", "--all-files", "--color=never")
    assert done.returncode == 0, done.stdout


def test_an_old_file_may_be_changed(place: Place, adopted: Path) -> None:
    path = adopted / "rust/svc00/Dockerfile"
    path.write_text("# the first service\n\n" + path.read_text().replace("WORKDIR /src", "ENV A=b\nWORKDIR /src"))
    went, told = commit(place, adopted)
    assert went, told
    assert "Passed" in told


def test_a_new_bad_file_is_not_committed(place: Place, adopted: Path) -> None:
    path = adopted / "rust/svc00/new.dockerfile"
    path.write_text(FAT.format(name="svc00"))
    went, told = commit(place, adopted)
    assert not went
    assert "rust/svc00/new.dockerfile" in told and "DSL101" in told
    assert "Dockerfile:" not in told


def test_a_second_finding_in_an_old_file_is_not_committed(place: Place, adopted: Path) -> None:
    path = adopted / "rust/svc00/Dockerfile"
    path.write_text(path.read_text() + FAT.format(name="svc00").split("\n", 4)[4])
    went, told = commit(place, adopted)
    assert not went
    assert "DSL101" in told


def test_a_new_service_of_another_language_goes_in(place: Place, adopted: Path) -> None:
    (adopted / "node/new.dockerfile").write_text(OTHERS["node"])
    went, told = commit(place, adopted)
    assert went, told


def test_ci_fails_for_what_a_branch_brings_and_for_that_only(place: Place, adopted: Path, tmp_path: Path) -> None:
    _, _, ci = commands()
    place.git(tmp_path, "clone", "-q", str(adopted), "ci")
    folder = tmp_path / "ci"
    place.git(folder, "switch", "-qc", "branch")

    def verdict() -> tuple[int, str]:
        done = place.run(folder, "sh", "-ec", ci)
        return done.returncode, done.stdout

    code, told = verdict()
    assert code == 0, told
    manifest = folder / "rust/svc01/Cargo.toml"
    manifest.write_text(manifest.read_text() + "# more\n")
    (folder / "rust/svc02/Dockerfile-web").write_text("\n" + (folder / "rust/svc02/Dockerfile-web").read_text())
    assert commit(place, folder)[0]
    code, told = verdict()
    assert code == 0, told
    # 38 or 39: other tests add to the shared repository
    assert re.search(r"\b3[89] files left out, not changed since origin/main", told), told
    (folder / "rust/svc03/other.dockerfile").write_text(SINGLE.format(name="svc03"))
    assert commit(place, folder)[0]
    code, told = verdict()
    assert code == 1, told
    assert set(re.findall(r"^(rust/\S+?):\d", told, re.MULTILINE)) == {"rust/svc03/other.dockerfile"}
    assert "DSL202" in told

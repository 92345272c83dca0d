"""The real pre-commit and the real git on a clone of this repository, as strangers have it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = "https://github.com/dockerslim/dockerslim-lint"
"""Where the README says that the hooks are; the clone stands in for it."""


class Place:
    """Runs programs with this environment's own first on the PATH, and none of the caller's git settings."""

    def __init__(self, home: Path, clone: Path) -> None:
        self.clone = clone
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PRE_COMMIT"))},
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PRE_COMMIT_HOME": str(home),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            # pre-commit hands these on to its own git, and a name and address to nobody's
            "GIT_CONFIG_COUNT": "3",
            "GIT_CONFIG_KEY_0": f"url.{clone}.insteadOf",
            "GIT_CONFIG_VALUE_0": ADDRESS,
            "GIT_CONFIG_KEY_1": "user.name",
            "GIT_CONFIG_VALUE_1": "A",
            "GIT_CONFIG_KEY_2": "user.email",
            "GIT_CONFIG_VALUE_2": "a@example.org",
        }

    def run(self, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
        """The program's exit code and output, both streams as one."""
        return subprocess.run(
            command,
            cwd=folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def git(self, folder: Path, *arguments: str) -> str:
        done = self.run(folder, "git", *arguments)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def repository(self, folder: Path, files: dict[str, str]) -> Path:
        """A new repository with these files, all committed on `main`."""
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        self.git(folder, "init", "-q", "-b", "main")
        self.git(folder, "add", "-A")
        self.git(folder, "commit", "-qm", "all that was")
        return folder


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """HEAD of this checkout as a repository of its own, with the tag that the README names."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout: there is nothing to clone")
    folder = tmp_path_factory.mktemp("adoption")
    settings = folder / "gitconfig"
    settings.write_text("[safe]\n\tdirectory = *\n")  # the checkout may be another user's
    place = Place(folder / "home", folder / "clone")
    subprocess.run(
        ["git", "clone", "--quiet", str(ROOT), str(place.clone)],
        env={**place.environment, "GIT_CONFIG_GLOBAL": str(settings)},
        check=True,
    )
    place.git(place.clone, "tag", "--force", "v0.1.0")
    return place

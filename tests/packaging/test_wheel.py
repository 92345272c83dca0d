"""The wheel: what is in it, and that it runs without the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from dockerslim_lint import __version__

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {
    "dockerslim_lint": ROOT / "dockerslim_lint",
    "dockerslim_lint_rules": ROOT / "rules" / "dockerslim_lint_rules",
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as an installer builds it, in an environment of its own."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps"]
    done = subprocess.run(
        [*command, "--wheel-dir", str(folder), str(ROOT)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's packages and script; what they depend on is this environment's."""
    folder = tmp_path_factory.mktemp("target")
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--no-index",
    ]
    subprocess.run([*command, "--target", str(folder), str(wheel)], check=True)
    return folder


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if not name.endswith("/")}


def test_it_has_every_file_of_both_packages_and_no_other(wheel: Path) -> None:
    wanted = {
        f"{package}/{path.relative_to(folder).as_posix()}"
        for package, folder in PACKAGES.items()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name for name in names(wheel) if ".dist-info/" not in name} == wanted


def test_it_has_what_is_not_python(wheel: Path) -> None:
    found = names(wheel)
    assert {f"{package}/py.typed" for package in PACKAGES} <= found
    tables = {f"dockerslim_lint/catalog/{path.name}" for path in (ROOT / "dockerslim_lint" / "catalog").glob("*.toml")}
    assert tables
    assert tables <= found
    assert any(name.startswith("dockerslim_lint_rules/") and name.endswith("gnu_on_fat_base.py") for name in found)
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in found)


def test_it_has_no_tests(wheel: Path) -> None:
    assert not [name for name in names(wheel) if name.startswith(("tests/", "fixtures/", "bench/", "docs/", "rules/"))]


def test_metadata(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(archive.read(name).decode())
        (scripts,) = (name for name in archive.namelist() if name.endswith(".dist-info/entry_points.txt"))
        assert "dockerslim-lint = dockerslim_lint.__main__:main" in archive.read(scripts).decode()
    assert metadata["Name"] == "dockerslim-lint"
    assert metadata["Version"] == __version__
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "MIT"


def run(installed: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    script = installed / "bin" / "dockerslim-lint"
    return subprocess.run(
        [sys.executable, str(script), *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


def test_the_entry_point_runs_from_an_install_elsewhere(installed: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    where = "import dockerslim_lint, dockerslim_lint_rules as rules; print(dockerslim_lint.__file__, rules.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", where], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert all(path.startswith(str(installed)) for path in done.stdout.split())
    version = run(installed, "--version", cwd=tmp_path)
    assert (version.returncode, version.stdout) == (0, f"dockerslim-lint, version {__version__}\n")


def test_it_lints_and_fixes_from_an_install_elsewhere(installed: Path, tmp_path: Path) -> None:
    shape = ROOT / "fixtures" / "shapes" / "01-multi-stage-ubuntu-clone"
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_bytes((shape / "Dockerfile").read_bytes())
    found = run(installed, "lint", "Dockerfile", cwd=tmp_path)
    assert found.returncode == 1
    assert "DSL101" in found.stdout
    fixed = run(installed, "lint", "--fix", "--unsafe-fixes", "Dockerfile", cwd=tmp_path)
    assert fixed.returncode == 0, fixed.stderr
    assert dockerfile.read_bytes() == (shape / "fixed.Dockerfile").read_bytes()

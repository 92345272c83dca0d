"""The fixtures of `fixtures/shapes`: a Dockerfile with its crate, and what is expected of it."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from dockerslim_lint.config import Settings
from dockerslim_lint.context import BuildContext, MemoryContext, NoContext

ROOT = Path(__file__).parents[2] / "fixtures" / "shapes"

NOT_CONTEXT = frozenset({"expect.toml", "facts.toml", "fixed.Dockerfile", "crossed.Dockerfile"})
"""Files of the fixture that are not files of the project that it stands for."""


class Shape(NamedTuple):
    """One folder. `file` is the Dockerfile's place in it; `fixed` is None where nothing is to be rewritten,
    `crossed` where both platforms asked for make no other rewrite.
    """

    name: str
    folder: Path
    file: str
    dockerfile: bytes
    fixed: bytes | None
    expect: dict[str, Any]
    facts: dict[str, Any] | None
    crossed: bytes | None

    def context(self) -> BuildContext:
        """Its files in memory; nothing known where there is no crate (the source is cloned)."""
        files = {
            path.relative_to(self.folder).as_posix(): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and path.name not in NOT_CONTEXT and path != self.folder / self.file
        }
        return MemoryContext(files) if files else NoContext()

    def settings(self) -> Settings:
        """What its owner asks for."""
        return Settings(platforms=tuple(self.expect.get("platforms", ())))

    def copy_to(self, place: Path) -> Path:
        """A working copy as its owner would have it; returns the Dockerfile's path."""
        shutil.copytree(self.folder, place, ignore=lambda _, names: NOT_CONTEXT & set(names))
        return place / self.file


def shapes() -> list[Shape]:
    """All of them, by name."""
    found = []
    for folder in sorted(path for path in ROOT.iterdir() if path.is_dir()):
        expect = tomllib.loads((folder / "expect.toml").read_text())
        file = expect.get("dockerfile", "Dockerfile")
        fixed, facts = folder / "fixed.Dockerfile", folder / "facts.toml"
        crossed = folder / "crossed.Dockerfile"
        found.append(
            Shape(
                folder.name,
                folder,
                file,
                (folder / file).read_bytes(),
                fixed.read_bytes() if fixed.exists() else None,
                expect,
                tomllib.loads(facts.read_text()) if facts.exists() else None,
                crossed.read_bytes() if crossed.exists() else None,
            )
        )
    return found

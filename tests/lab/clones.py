"""What Dockerfiles `git clone`: bare repositories inside the rust stand-in, and the git configuration that maps to them.

Each folder fixtures/clones/OWNER__NAME becomes https://github.com/OWNER/NAME. DOCKERSLIM_LAB_CLONES may name a folder
with bare repositories of the same form, OWNER__NAME.git or OWNER/NAME.git.
"""

import os
import shutil
from pathlib import Path

from tests.lab import oci
from tests.lab.store import LabError, digest, made, run

HOME = "usr/local/share/clones"
ADDRESSES = [
    "https://github.com/",
    "http://github.com/",
    "git://github.com/",
    "ssh://git@github.com/",
    "git@github.com:",
]
FIXED = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "lab"), ("EMAIL", "lab@example.org"), ("DATE", "2026-01-01T00:00:00Z"))
}


def folders() -> list[Path]:
    home = Path(__file__).parents[2] / "fixtures/clones"
    return sorted(p for p in home.glob("*__*") if p.is_dir()) if home.is_dir() else []


def bare_ones() -> list[Path]:
    named = os.environ.get("DOCKERSLIM_LAB_CLONES")
    if not named:
        return []
    if not Path(named).is_dir():
        raise LabError(f"DOCKERSLIM_LAB_CLONES names no folder: {named}")
    return sorted([*Path(named).glob("*__*.git"), *Path(named).glob("*/*.git")])


def _files(folder: Path) -> list[tuple[str, int, bytes]]:
    files = (p for p in sorted(folder.rglob("*")) if p.is_file() and "target" not in p.relative_to(folder).parts)
    return [(str(p.relative_to(folder)), p.stat().st_mode & 0o111, p.read_bytes()) for p in files]


def layer() -> oci.Layer:
    """The last layer of the rust images: small, so that a changed fixture costs seconds."""
    contents = [(f.name, _files(f)) for f in folders()]
    refs = [(str(p), run("git", "--git-dir", p, "for-each-ref")) for p in bare_ones()]

    def make(out: Path) -> None:
        root = out / "root"
        home = root / HOME
        home.mkdir(parents=True)
        names = []
        for folder in folders():
            owner, name = folder.name.split("__", 1)
            work, bare = out / "work", home / owner / f"{name}.git"
            for path, executable, data in _files(folder):
                file = work / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(data)
                file.chmod(0o755 if executable else 0o644)
            git = ["git", "-c", "init.defaultBranch=main", "-c", "core.autocrlf=false", "-C", str(work)]
            for command in (["init", "-q"], ["add", "-A", "-f"], ["commit", "-q", "-m", f"{owner}/{name}, a fixture"]):
                run(*git, *command, env={**FIXED, "GIT_CONFIG_GLOBAL": "/dev/null"})
            run("git", "clone", "-q", "--bare", "--no-hardlinks", work, bare)
            shutil.rmtree(work)
            names.append((owner, name))
        for repository in bare_ones():
            stem = repository.name.removesuffix(".git")
            owner, name = stem.split("__", 1) if "__" in stem else (repository.parent.name, stem)
            shutil.copytree(repository, home / owner / f"{name}.git", symlinks=True, dirs_exist_ok=True)
            names.append((owner, name))
        (root / "etc").mkdir()
        (root / "etc/gitconfig").write_text(gitconfig(sorted(set(names))))
        for owner, name in set(names):
            (home / owner / name).symlink_to(f"{name}.git")
        run("chown", "-R", "0:0", root)
        oci.pack(root, out / "clones")
        shutil.rmtree(root)

    return oci.packed_layer(made("clones", digest(make, gitconfig, FIXED, contents, refs), make) / "clones")


def gitconfig(names: list[tuple[str, str]]) -> str:
    """NAME and NAME.git are both there, so mapping the address as a prefix serves either spelling."""
    lines = []
    for owner, name in names:
        lines.append(f'[url "file:///{HOME}/{owner}/{name}"]')
        lines += [f"\tinsteadOf = {address}{owner}/{name}" for address in ADDRESSES]
    lines.append("[safe]")
    lines += [f"\tdirectory = /{HOME}/{owner}/{name}.git" for owner, name in names]
    return "\n".join([*lines, ""])

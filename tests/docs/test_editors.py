"""The recipes of docs/editors, run as they stand there in the editors that are here."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from dockerslim_lint_rules.stale_placeholder import StalePlaceholder

PAGES = Path(__file__).resolve().parents[2] / "docs" / "editors"
CASE = StalePlaceholder.INVALID[0]
assert CASE.fixed is not None and CASE.files is not None
BEFORE, AFTER = CASE.text.encode(), CASE.fixed.encode()


def block(page: str, language: str, containing: str) -> str:
    """The code block of a page that holds a text."""
    text = (PAGES / page).read_text(encoding="utf-8")
    (found,) = [one for one in re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL) if containing in one]
    return str(found)


def editor(*names: str) -> str:
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        reason = f"no {names[0]} here"
        if "nvim" in names and os.environ.get("DOCKERSLIM_REQUIRE_ENGINE") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest.fixture
def dockerfile(tmp_path: Path) -> Path:
    """A Dockerfile with something safe to fix; the crate lies above it, and shows that it was found from the name."""
    for name, content in (CASE.files or {}).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    (tmp_path / ".git").mkdir()
    (tmp_path / "my docker%").mkdir()
    file = tmp_path / "my docker%" / "Dockerfile"
    file.write_bytes(BEFORE)
    return file


def run(file: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run an editor beside the file, with our program on its PATH."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    environment = {**os.environ, "PATH": path, "HOME": str(file.parent), "XDG_STATE_HOME": str(file.parent)}
    return subprocess.run(
        command,
        cwd=file.parent,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("name", ["vim", "nvim"])
def test_vim_fixes_on_save(name: str, dockerfile: Path) -> None:
    program = editor(name)
    (dockerfile.parent / "recipe.vim").write_text(block("vim.md", "vim", "command! -bar"))
    steps = ["-c", "set nomore", "-c", "source recipe.vim", "-c", "edit Dockerfile", "-c", "write", "-c", "qall!"]
    for newline in (b"\n", b"\r\n"):
        dockerfile.write_bytes(BEFORE.replace(b"\n", newline))
        done = run(dockerfile, program, "-es", "-N", "-u", "NONE", *steps)
        assert dockerfile.read_bytes() == AFTER.replace(b"\n", newline), done.stderr
    for data in (b"# nothing\n", b"\xef\xbb\xbf" + BEFORE):
        dockerfile.write_bytes(data)
        run(dockerfile, program, "-es", "-N", "-u", "NONE", *steps)
        assert dockerfile.read_bytes() == data.replace(BEFORE, AFTER)


def test_vim_without_the_program_keeps_the_text(dockerfile: Path) -> None:
    program = editor("vim", "nvim")
    (dockerfile.parent / "recipe.vim").write_text(block("vim.md", "vim", "command! -bar"))
    steps = ["-c", "let $PATH = '/nowhere'", "-c", "source recipe.vim", "-c", "edit Dockerfile", "-c", "write"]
    run(dockerfile, program, "-es", "-N", "-u", "NONE", *steps, "-c", "qall!")
    assert dockerfile.read_bytes() == BEFORE


def test_vim_lists_the_findings(dockerfile: Path) -> None:
    program = editor("vim", "nvim")
    dockerfile.write_bytes(BEFORE.replace(b"\nCMD", b"\nCMDD"))
    (dockerfile.parent / "recipe.vim").write_text(block("vim.md", "vim", "makeprg"))
    told = dockerfile.parent / "told.json"
    ask = "map(getqflist(), {_, one -> [one.lnum, one.col, one.text]})"
    steps = [
        *("-c", "set nomore", "-c", "source recipe.vim", "-c", "edit Dockerfile", "-c", "set filetype=dockerfile"),
        *("-c", "silent make", "-c", f"call writefile([json_encode({ask})], '{told}')", "-c", "qall!"),
    ]
    done = run(dockerfile, program, "-es", "-N", "-u", "NONE", *steps)
    assert told.exists(), done.stderr
    first = json.loads(told.read_text())[0]
    assert first[2].startswith(("DSL307", "DSL902"))
    assert first[0] > 1


@pytest.mark.parametrize("function", ["vim.lsp.start(", "start_client"])
def test_neovim_starts_the_server(function: str, dockerfile: Path) -> None:
    program = editor("nvim")
    version = re.search(r"NVIM v0\.(\d+)", run(dockerfile, program, "--version").stdout)
    if version and int(version[1]) < 8 and function == "vim.lsp.start(":
        pytest.skip("for 0.8 and newer")
    told = dockerfile.parent / "told.json"
    script = f"""
vim.cmd("filetype on")
{block("neovim.md", "lua", function)}
vim.cmd("edit Dockerfile")
vim.bo.filetype = "dockerfile"
vim.wait(20000, function() return #vim.diagnostic.get(0) > 0 end, 20)
local codes = vim.tbl_map(function(one) return one.code end, vim.diagnostic.get(0))
vim.fn.writefile({{ vim.fn.json_encode(codes) }}, "{told}")
vim.cmd("qall!")
"""
    (dockerfile.parent / "recipe.lua").write_text(script)
    done = run(dockerfile, program, "--headless", "--clean", "-n", "-c", "luafile recipe.lua", "-c", "qall!")
    assert told.exists(), done.stderr
    assert "DSL307" in json.loads(told.read_text())


def test_neovim_fixes_on_save(dockerfile: Path) -> None:
    program = editor("nvim")
    (dockerfile.parent / "recipe.lua").write_text(block("neovim.md", "lua", "BufWritePre"))
    steps = ["-c", "luafile recipe.lua", "-c", "edit Dockerfile", "-c", "write", "-c", "qall!"]
    done = run(dockerfile, program, "--headless", "--clean", "-n", *steps)
    assert dockerfile.read_bytes() == AFTER, done.stderr


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_emacs_fixes(newline: bytes, dockerfile: Path) -> None:
    program = editor("emacs")
    dockerfile.write_bytes(BEFORE.replace(b"\n", newline))
    (dockerfile.parent / "recipe.el").write_text(block("emacs.md", "elisp", "defun dockerslim-fix"))
    steps = ["-l", "recipe.el", "--eval", '(progn (find-file "Dockerfile") (dockerslim-fix) (save-buffer))']
    done = run(dockerfile, program, "--batch", "-Q", *steps)
    assert dockerfile.read_bytes() == AFTER.replace(b"\n", newline), done.stderr
    dockerfile.write_bytes(b"# nothing\n")
    run(dockerfile, program, "--batch", "-Q", *steps)
    assert dockerfile.read_bytes() == b"# nothing\n"


def test_what_is_for_other_editors_is_well_formed() -> None:
    """VS Code and Zed cannot be had here: their settings are at least JSON; Helix' are TOML."""
    for page in ("vscode.md", "zed.md"):
        blocks = re.findall(r"```json\n(.*?)```", (PAGES / page).read_text(encoding="utf-8"), re.DOTALL)
        assert len(blocks) == 2
        for one in blocks:
            assert "dockerslim-lint" in json.dumps(json.loads(one))
    settings = tomllib.loads(block("helix.md", "toml", "language-server"))
    (language,) = settings["language"]
    assert language["formatter"]["command"] == "dockerslim-lint"
    match = json.loads(block("vscode.md", "json", "runonsave"))["emeraldwalk.runonsave"]["commands"][0]["match"]
    for path, matches in (
        ("/a/Dockerfile", True),
        ("C:\\a\\Dockerfile.web", True),
        ("a/prod.dockerfile", True),
        ("Containerfile", True),
        ("/Dockerfiles/main.rs", False),
        ("/a/main.rs", False),
    ):
        assert bool(re.search(match, path)) is matches, path

"""What a hook loads: nothing that only a proof, a language server, Python hosts or colours need."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SHAPE = Path(__file__).resolve().parents[2] / "fixtures" / "shapes" / "02-single-stage"
# the first two come with click's use of `inspect` and of translations
HEAVY = {
    "ast",
    "locale",
    "docker",
    "elftools",
    "importlib.metadata",
    "jsonschema",
    "libcst",
    "lsprotocol",
    "pygls",
    "rich",
    "zstandard",
}
OURS = ("dockerslim_lint.verify", "dockerslim_lint.lsp", "dockerslim_lint.embedded")


def loaded(*arguments: str) -> set[str]:
    """The modules that are there when a run has ended."""
    code = (
        "import atexit, sys, os\n"
        "from dockerslim_lint import __main__ as program\n"
        "program._leave = lambda end: print('\\n' + ' '.join(sys.modules), file=sys.stderr)\n"
        "program.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=SHAPE, capture_output=True, text=True, check=True
    )
    assert "DSL202" in done.stdout + done.stderr
    return set(done.stderr.rsplit("\n", 2)[-2].split())


@pytest.mark.parametrize("arguments", [(), ("--format", "json"), ("--diff", "--unsafe-fixes"), ("--baseline", "none")])
def test_linting_loads_what_it_needs(arguments: tuple[str, ...], tmp_path: Path) -> None:
    baseline = tmp_path / "none"
    baseline.write_text('{"version": 1, "files": {}}\n')
    modules = loaded("lint", *(str(baseline) if one == "none" else one for one in arguments), "Dockerfile")
    assert "dockerslim_lint.linter" in modules
    assert not modules & HEAVY
    assert not [name for name in modules if name.startswith(OURS)]


def test_a_plain_run_loads_nothing_of_the_adoption(tmp_path: Path) -> None:
    modules = loaded("lint", "Dockerfile")
    for name in ("baseline", "ignore_comments", "project.adoption", "project.changed", "project.known"):
        assert f"dockerslim_lint.{name}" not in modules
    assert not modules & {"subprocess", "tempfile", "tomli"}


def test_what_is_loaded_when_used_is_there_when_used() -> None:
    code = (
        "import sys\n"
        "from dockerslim_lint.__main__ import _load_when_used\n"
        "_load_when_used('inspect')\n"
        "import inspect\n"
        "print('ast' in sys.modules)\n"
        "from inspect import cleandoc\n"
        "print(cleandoc('  a'), inspect.isfunction(cleandoc), sys.modules['inspect'] is inspect, inspect.__name__)\n"
        "before = sys.modules['inspect']\n"
        "_load_when_used('inspect')\n"
        "print(sys.modules['inspect'] is before, 'ast' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\na True False inspect\nTrue True\n"

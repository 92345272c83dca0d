"""What the README and its neighbours say is what the program does."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path

import click
import pytest

from dockerslim_lint import __version__
from dockerslim_lint.cli import cli
from dockerslim_lint.config import ConfigError, ImageSettings, Settings
from dockerslim_lint.config_file import parse_config
from dockerslim_lint.help import EXAMPLES
from dockerslim_lint.output.exits import EXIT_CODES
from dockerslim_lint.registry import rules
from dockerslim_lint.terminal import PROGRAM

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
COMMAND_LINE = (ROOT / "docs" / "cli.md").read_text()
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text()
RECORD = json.loads((ROOT / "bench" / "proofs.json").read_text())
MAKEFILE = (ROOT / "Makefile").read_text()
PROSE = ("README.md", *(f"docs/{name}.md" for name in ("adoption", "configuration", "limits", "verify")))


def blocks(language: str, page: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)


def section(page: str, heading: str) -> str:
    return page.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def test_it_can_be_read_at_one_sitting() -> None:
    assert README.count("\n") <= 250


def test_the_proof_that_is_shown_is_the_one_of_the_rewrite_that_is_shown() -> None:
    """No engine writes this block, so it is held to what is known without one: the diff above it and bench/prove's record."""
    (console,) = blocks("console", README)
    (proof,) = (block for block in blocks("text", README) if "PROVEN" in block)
    settled = re.findall(r"^Would fix (.*?)\.", console, re.MULTILINE)
    assert settled == re.findall(r"^Fixed (.*?)\.", proof, re.MULTILINE)
    removed, added = (len(re.findall(rf"^{re.escape(sign)}(?!--|\+\+)", console, re.MULTILINE)) for sign in "-+")
    assert f"({added - removed} line added, {removed} edited)" in proof
    (fixture,) = re.findall(r"<!-- console: fixtures/shapes/(\S+) -->", README)
    for platform, one in RECORD[fixture]["distroless/static"]["platforms"].items():
        (row,) = (line for line in proof.splitlines() if line.strip().startswith(platform))
        old, new = one["megabytes"]
        assert one["outcome"] == "proven" and row.endswith(f"{old} → {new} MB")


def test_exit_codes_are_those_of_the_program() -> None:
    assert re.findall(r"^\| (\d+) \| (.*) \|$", section(COMMAND_LINE, "Exit codes"), re.MULTILINE) == [
        (f"{int(code)}", text) for code, text in EXIT_CODES
    ]


def test_the_example_configuration_is_accepted() -> None:
    (example,) = blocks("toml", CONFIGURATION)
    settings = parse_config(example.encode(), "configuration.md", pyproject=False)
    assert settings is not None
    used = {name for name in Settings._fields if getattr(settings, name) != getattr(Settings(), name)}
    assert used | {"fail_on", "probe_image"} == set(Settings._fields)
    (image,) = settings.images
    assert all(getattr(image, name) for name in ImageSettings._fields)


def test_the_configuration_table_has_all_keys() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(b"zzzzzz = 1", "configuration.md", pyproject=False)
    known = str(caught.value).rsplit("the keys are ", 1)[1].split(", ")
    heads = re.findall(r"^\| (`.*?) \|", CONFIGURATION, re.MULTILINE)
    assert sorted(re.findall(r"`([a-z-]+)`", " ".join(heads))) == sorted(known)


@pytest.mark.parametrize("page", PROSE)
def test_every_option_that_is_named_exists(page: str) -> None:
    options = {name for command in cli.all_commands().values() for param in command.params for name in param.opts}
    prose = re.sub(r"^```.*?^```$", "", (ROOT / page).read_text(), flags=re.DOTALL | re.MULTILINE)
    prose = prose.replace("docker buildx create --driver", "")
    named = set(re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", prose)) - {"--version", "--help", "--self-test"}
    assert named <= options


def test_every_command_is_named_and_exists() -> None:
    assert set(re.findall(rf"{PROGRAM} ([a-z]+)", README)) == set(cli.all_commands())


@pytest.mark.parametrize("name", [None, *cli.all_commands()])
def test_help_says_what_the_page_of_the_command_line_says(name: str | None) -> None:
    command = cli if name is None else cli.all_commands()[name]
    page = " ".join(COMMAND_LINE.replace("\\|", "|").split())
    context = click.Context(command, info_name=PROGRAM, max_content_width=400, terminal_width=400)
    help_text = command.get_help(context)
    for option in (param for param in command.params if isinstance(param, click.Option) and name is not None):
        assert option.help is None or option.help in page
        assert all(opt in help_text and opt in page for opt in option.opts)
    for code, meaning in EXIT_CODES:
        if name in (None, "lint"):
            assert re.search(rf"^ +{int(code)} +{re.escape(meaning)}$", help_text, re.MULTILINE)
        assert f"| {int(code)} | {meaning} |" in page
    if name == "lint":
        headings = re.findall(r"^([A-Z][\w ]+):$", help_text, re.MULTILINE)
        assert set(re.findall(r"^### (.+)$", COMMAND_LINE, re.MULTILINE)) == {*headings} - {"Other", "Examples"}
        for line, told in EXAMPLES:
            assert line in help_text and told in help_text and f"{line} # {told}" in page


def test_make_targets_that_are_named_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
    for page in ("README.md", "CONTRIBUTING.md"):
        text = (ROOT / page).read_text()
        named = set(re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE))
        assert named
        assert named <= targets


def test_make_help_lists_what_a_user_may_call() -> None:
    done = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    listed = {line.split()[1] for line in done.stdout.splitlines()}
    assert {"demo", "test", "lint", "docs", "bench", "lab-up", "lab-down", "clean", "help"} <= listed


def test_versions_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == __version__
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert __version__ in headings


def test_the_changelog_names_every_rule() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()
    for rule in rules():
        assert rule.CODE in changelog, rule.CODE
        assert rule.NAME in changelog, rule.NAME

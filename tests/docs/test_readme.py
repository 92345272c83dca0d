"""What the README and its neighbours say is what the program does."""

from __future__ import annotations

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
from dockerslim_lint.output.exits import EXIT_CODES
from dockerslim_lint.registry import rules
from dockerslim_lint.terminal import PROGRAM

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def test_exit_codes_are_those_of_the_program() -> None:
    section = README.split("## Exit codes", 1)[1].split("\n## ", 1)[0]
    assert re.findall(r"^\| (\d+) \| (.*) \|$", section, re.MULTILINE) == [
        (f"{int(code)}", text) for code, text in EXIT_CODES
    ]


def test_the_example_configuration_is_accepted() -> None:
    (example,) = blocks("toml")
    settings = parse_config(example.encode(), "README.md", pyproject=False)
    assert settings is not None
    used = {name for name in Settings._fields if getattr(settings, name) != getattr(Settings(), name)}
    assert used | {"fail_on", "probe_image"} == set(Settings._fields)
    (image,) = settings.images
    assert all(getattr(image, name) for name in ImageSettings._fields)


def test_the_configuration_table_has_all_keys() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(b"zzzzzz = 1", "README.md", pyproject=False)
    known = str(caught.value).rsplit("the keys are ", 1)[1].split(", ")
    section = README.split("## Configuration", 1)[1].split("\n## ", 1)[0]
    heads = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    assert sorted(re.findall(r"`([a-z-]+)`", " ".join(heads))) == sorted(known)


def test_every_option_and_command_that_is_named_exists() -> None:
    options = {name for command in cli.all_commands().values() for param in command.params for name in param.opts}
    prose = re.sub(r"^```.*?^```$", "", README, flags=re.DOTALL | re.MULTILINE)
    prose = prose.replace("docker buildx create --driver", "")
    named = set(re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", prose)) - {"--version", "--help", "--self-test"}
    assert named <= options
    assert set(re.findall(rf"{PROGRAM} ([a-z]+)", README)) == set(cli.all_commands())


@pytest.mark.parametrize("name", [None, *cli.all_commands()])
def test_help_says_what_the_page_of_the_command_line_says(name: str | None) -> None:
    command = cli if name is None else cli.all_commands()[name]
    page = " ".join((ROOT / "docs" / "cli.md").read_text().replace("\\|", "|").split())
    context = click.Context(command, info_name=PROGRAM, max_content_width=400, terminal_width=400)
    help_text = command.get_help(context)
    for option in (param for param in command.params if isinstance(param, click.Option) and name is not None):
        assert option.help is None or option.help in page
        assert all(opt in help_text and opt in page for opt in option.opts)
    for code, meaning in EXIT_CODES:
        if name in (None, "lint"):
            assert re.search(rf"^ +{int(code)} +{re.escape(meaning)}$", help_text, re.MULTILINE)
        assert f"| {int(code)} | {meaning} |" in page


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

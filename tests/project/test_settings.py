"""Which configuration belongs to a directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockerslim_lint.config import ConfigError, is_named
from dockerslim_lint.project.settings import ConfigFinder, Overrides, suggestion_of_rule


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    (tmp_path / "repo" / "a" / "b").mkdir(parents=True)
    return tmp_path


def test_the_nearest_wins_and_nothing_is_merged(tree: Path) -> None:
    (tree / "repo" / ".dockerslim.toml").write_text('prefer = ["alpine"]\nfail-on = "error"\n')
    (tree / "repo" / "a" / "pyproject.toml").write_text('[tool.dockerslim]\nprefer = ["scratch"]\n')
    finder = ConfigFinder()
    top = finder.find(str(tree / "repo"))
    deep = finder.find(str(tree / "repo" / "a" / "b"))
    assert (top.settings.prefer, top.settings.fail_on, top.name) == (("alpine",), "error", "repo/.dockerslim.toml")
    assert (deep.settings.prefer, deep.settings.fail_on) == (("scratch",), "warning")
    assert deep.root == str(tree / "repo" / "a")


def test_the_own_file_comes_before_pyproject(tree: Path) -> None:
    (tree / "repo" / ".dockerslim.toml").write_text('fail-on = "error"\n')
    (tree / "repo" / "pyproject.toml").write_text('[tool.dockerslim]\nfail-on = "info"\n')
    assert ConfigFinder().find(str(tree / "repo")).settings.fail_on == "error"


def test_a_pyproject_that_does_not_speak_to_us_is_passed(tree: Path) -> None:
    (tree / "repo" / "pyproject.toml").write_text('[tool.dockerslim]\nfail-on = "info"\n')
    (tree / "repo" / "a" / "pyproject.toml").write_text("this is [ no TOML\n")
    (tree / "repo" / "a" / "b" / "pyproject.toml").write_text('[project]\nname = "dockerslim-user"\n')
    assert ConfigFinder().find(str(tree / "repo" / "a" / "b")).settings.fail_on == "info"


def test_the_search_ends_at_the_repository(tree: Path) -> None:
    (tree / ".dockerslim.toml").write_text("nonsense = 1\n")
    assert ConfigFinder().find(str(tree / "repo" / "a")).name is None


def test_each_file_is_read_once_and_a_broken_one_stays_broken(tree: Path) -> None:
    path = tree / "repo" / ".dockerslim.toml"
    path.write_text("x = 1\n")
    finder = ConfigFinder()
    for directory in ("repo", "repo/a", "repo"):
        with pytest.raises(ConfigError, match=r"^repo/\.dockerslim\.toml: unknown key `x`"):
            finder.find(str(tree / directory))
    path.unlink()
    with pytest.raises(ConfigError):
        finder.find(str(tree / "repo" / "a" / "b"))


def test_a_configuration_that_is_a_directory(tree: Path) -> None:
    (tree / "repo" / ".dockerslim.toml").mkdir()
    with pytest.raises(ConfigError, match="a directory, not a configuration file"):
        ConfigFinder().find(str(tree / "repo"))


def test_an_explicit_file_replaces_the_search(tree: Path) -> None:
    (tree / "repo" / ".dockerslim.toml").write_text("nonsense = 1\n")
    (tree / "other.toml").write_text('fail-on = "error"\n')
    assert ConfigFinder("other.toml").find(str(tree / "repo")).settings.fail_on == "error"
    (tree / "pyproject.toml").write_text("[project]\n")
    with pytest.raises(ConfigError, match="has no table"):
        ConfigFinder("pyproject.toml").find(str(tree / "repo"))


def test_the_command_line_has_the_last_word(tree: Path) -> None:
    (tree / "repo" / ".dockerslim.toml").write_text(
        'fail-on = "error"\nplatforms = ["linux/amd64"]\n'
        '[[image]]\ndockerfile = "Dockerfile"\nplatforms = ["linux/386"]\n'
        '[[override]]\nfiles = ["a/"]\nplatforms = ["linux/arm"]\nignore = ["DSL201"]\n'
    )
    found = ConfigFinder(None, Overrides(platforms=("linux/arm64",))).find(str(tree / "repo"))
    for name in ("Dockerfile", "a/Dockerfile", "b/Dockerfile"):
        settings = found.for_file(name)
        assert (settings.fail_on, settings.platforms) == ("error", ("linux/arm64",))
    assert found.for_file("a/Dockerfile").ignore == ("DSL201",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[severity]\nDSL9999 = "info"', '`severity`: there is no rule "DSL9999"'),
        ('[fix]\nnot-striped = "never"', '`fix`: there is no rule "not-striped"; did you mean "not-stripped"?'),
        (
            '[[override]]\nfiles = ["a"]\nignore = ["DSL7"]',
            '`override[1].ignore`: there is no rule "DSL7"; `dockerslim-lint rules` lists them',
        ),
        ('select = ["not"]', '`select`: there is no rule "not"; rules are named in full'),
        ('ignore = ["D"]', '`ignore`: there is no rule "D"; rules are named in full'),
        (
            '[severity]\nDSL10 = "info"',
            '`severity`: there is no rule "DSL10"; rules are named in full, such as "DSL101"',
        ),
        ('rule-packs = ["acme"]', '`rule-packs`: no rule pack "acme" is installed'),
    ],
)
def test_names_of_rules_are_checked_wherever_they_stand(tree: Path, text: str, message: str) -> None:
    (tree / "repo" / ".dockerslim.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        ConfigFinder().find(str(tree / "repo"))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("path", "patterns", "expected"),
    [
        ("vendor/x/Dockerfile", ("vendor",), True),
        ("a/vendor/Dockerfile", ("vendor/",), True),
        ("a/vendor/Dockerfile", ("/vendor",), False),
        ("vendor/Dockerfile", ("vendor/**",), True),
        ("a/Dockerfile.old", ("*.old",), True),
        ("a/Dockerfile.old", ("a/*.old",), True),
        ("b/a/Dockerfile.old", ("a/*.old",), False),
        ("b/a/Dockerfile.old", ("**/a/*.old",), True),
        ("vendors/Dockerfile", ("vendor",), False),
    ],
)
def test_exclude(path: str, patterns: tuple[str, ...], expected: bool) -> None:
    assert is_named(path, patterns) is expected


def test_the_beginning_of_several_rules_names_none() -> None:
    known = ("DSL101", "DSL102", "DSL901", "not-stripped", "not-locked")
    assert suggestion_of_rule("dsl1", known) == '; rules are named in full, such as "DSL101"'
    assert suggestion_of_rule("not", known) == '; rules are named in full, such as "not-stripped"'
    assert suggestion_of_rule("DSL9", known) == '; did you mean "DSL901"?'
    assert suggestion_of_rule("DLS101", known) == '; did you mean "DSL101"?'


def test_only_a_rule_that_is_near_is_suggested() -> None:
    known = ("DSL101", "DSL102", "DSL202", "DSL904", "not-stripped")
    lists = "; `dockerslim-lint rules` lists them"
    for far in ("DSL999", "DSL9999", "DSL302", "SC2086", "DL3008", "101", "quux"):
        assert suggestion_of_rule(far, known) == lists, far
    for near, meant in (("DSL2O2", "DSL202"), ("dsl1O2", "DSL102"), ("DSL1022", "DSL102"), ("DSL914", "DSL904")):
        assert suggestion_of_rule(near, known) == f'; did you mean "{meant}"?'
    assert suggestion_of_rule("not-striped", known) == '; did you mean "not-stripped"?'

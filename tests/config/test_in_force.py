"""The configuration at work, through the command line: severities, fixes, overrides, own images, rule packs, `config`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dockerslim_lint.config_file import parse_config

ROOT = Path(__file__).resolve().parents[2]

OWN = """\
FROM rust:1-bookworm
COPY . .
RUN cargo build --release
FROM registry.acme.example/base:7
COPY --from=0 /target/release/app /usr/bin/app
CMD ["/usr/bin/app"]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "main.rs").write_text("fn main() {}\n")
    (tmp_path / ".dockerignore").write_text("target\n.git\n")
    (tmp_path / "Cargo.toml").write_text('[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n')
    (tmp_path / "Cargo.lock").write_text('version = 4\n\n[[package]]\nname = "app"\nversion = "0.1.0"\n')
    (tmp_path / "Dockerfile").write_text(OWN)
    return tmp_path


def run(place: Path, *arguments: str, path: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dockerslim_lint", *arguments]
    roots = [str(ROOT), str(ROOT / "rules"), *filter(None, [path])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(roots)}
    return subprocess.run(
        command, cwd=place, capture_output=True, text=True, check=False, env=environment, stdin=subprocess.DEVNULL
    )


def findings(place: Path, *arguments: str, path: str = "") -> dict[str, Any]:
    done = run(place, "lint", "--format", "json", *arguments, path=path)
    assert done.returncode in (0, 1), done.stderr
    return {one["code"]: one for file in json.loads(done.stdout)["files"] for one in file["findings"]}


def configure(place: Path, text: str) -> None:
    (place / ".dockerslim.toml").write_text(text)


def test_an_own_base_image_is_known_by_its_facts(project: Path) -> None:
    assert "DSL101" not in findings(project)
    configure(project, '[[base-image]]\nimage = "registry.acme.example/base"\nlike = "debian:bookworm-slim"\n')
    assert "ships on registry.acme.example/base:7" in findings(project)["DSL101"]["message"]
    configure(project, '[[base-image]]\nimage = "registry.acme.example/base:8"\nlike = "debian:bookworm-slim"\n')
    assert "DSL101" not in findings(project)
    configure(project, '[[base-image]]\nimage = "registry.acme.example/base"\nlibc = "musl"\nshell = "/bin/sh"\n')
    assert "DSL102" in findings(project)


def test_an_own_base_image_can_be_preferred(project: Path) -> None:
    (project / "Dockerfile").write_text(OWN.replace("registry.acme.example/base:7", "debian:bookworm-slim"))
    configure(
        project,
        'prefer = ["registry.acme.example/static:2"]\n[[base-image]]\nimage = "registry.acme.example/static:2"\n'
        'like = "gcr.io/distroless/static-debian12"\n',
    )
    done = run(project, "lint", "--diff", "--unsafe-fixes")
    assert "\n+FROM registry.acme.example/static:2\n" in done.stdout
    assert "unknown-linux-musl" in done.stdout


def test_severities_are_the_users(project: Path) -> None:
    (project / "Dockerfile").write_text(OWN.replace("registry.acme.example/base:7", "debian:bookworm-slim"))
    assert run(project, "lint").returncode == 1
    configure(project, '[severity]\nDSL101 = "info"\nnot-stripped = "info"\nDSL402 = "error"\n')
    found = findings(project)
    assert {code: found[code]["severity"] for code in ("DSL101", "DSL201", "DSL402")} == {
        "DSL101": "info",
        "DSL201": "info",
        "DSL402": "error",
    }
    configure(project, '[severity]\nDSL101 = "info"\nnot-stripped = "info"\n')
    assert run(project, "lint").returncode == 0


def test_never_and_always_fix(project: Path) -> None:
    text = OWN.replace("registry.acme.example/base:7", "debian:bookworm-slim")
    (project / "Dockerfile").write_text(text)
    configure(project, '[fix]\nnot-stripped = "never"\n')
    assert findings(project)["DSL201"]["withheld"] == "the configuration says never to fix DSL201"
    assert "the configuration says never" in findings(project)["DSL101"]["withheld"]
    run(project, "lint", "--fix", "--unsafe-fixes")
    assert (project / "Dockerfile").read_text() == text
    configure(project, '[fix]\nDSL101 = "always"\n')
    told = run(project, "lint").stdout
    assert "DSL101 gnu-on-fat-base  error  [fix: allowed]" in told
    assert "2 fixed by --fix:" in told and "waits" not in told
    done = run(project, "lint", "--fix")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FROM gcr.io/distroless/static-debian13" in (project / "Dockerfile").read_text()


def test_overrides_are_for_the_files_that_they_name(project: Path) -> None:
    text = OWN.replace("registry.acme.example/base:7", "debian:bookworm-slim")
    (project / "Dockerfile").write_text(text)
    (project / "legacy.dockerfile").write_text(text)
    configure(project, '[[override]]\nfiles = ["legacy.*"]\nignore = ["DSL101"]\nfail-on = "error"\n')
    assert "DSL101" in findings(project, "Dockerfile")
    assert "DSL101" not in findings(project, "legacy.dockerfile")
    assert run(project, "lint", "legacy.dockerfile").returncode == 0
    assert run(project, "lint", "--fail-on", "warning", "legacy.dockerfile").returncode == 1


PACK = '''
from dockerslim_lint.rule import Finding, Invalid, Rule, Severity, Valid


class NoLatest(Rule):
    """The company's rule: nothing is named latest."""

    CODE = "{code}"
    NAME = "no-latest"
    SEVERITY = Severity.ERROR
    URL = "https://wiki.acme.example/ACM001"
    INVALID = (Invalid("FROM rust:latest", 1),)
    VALID = (Valid(0, "FROM rust:1"),)

    def check(self, build, plan):
        for stage in build.stages:
            if (stage.reference or "").endswith(":latest"):
                yield self.finding("Named latest.", stage.word.span)


RULES = (NoLatest,)
'''


@pytest.fixture
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installed distribution with one rule."""
    place = tmp_path_factory.mktemp("site")
    (place / "acme_rules.py").write_text(PACK.format(code="ACM001"))
    (place / "clash_rules.py").write_text(PACK.format(code="DSL101"))
    (place / "broken_rules.py").write_text("1 / 0\n")
    info = place / "acme_rules-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-rules\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[dockerslim_lint.rules]\nacme = acme_rules:RULES\nclash = clash_rules:RULES\nbroken = broken_rules:RULES\n"
    )
    return place


def test_a_rule_pack_runs_only_where_it_is_named(project: Path, pack: Path) -> None:
    (project / "Dockerfile").write_text(OWN.replace("rust:1-bookworm", "rust:latest"))
    assert "ACM001" not in findings(project, path=str(pack))
    configure(project, 'rule-packs = ["acme"]\n[severity]\nno-latest = "warning"\n')
    found = findings(project, path=str(pack))["ACM001"]
    assert (found["severity"], found["url"]) == ("warning", "https://wiki.acme.example/ACM001")
    assert "ACM001" not in findings(project, "--ignore", "ACM001", path=str(pack))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("acne", 'no rule pack "acne" is installed (installed are acme, broken, clash)'),
        ("clash", "two rules share a code or name: DSL101"),
        ("broken", 'the rule pack "broken" cannot be loaded: ZeroDivisionError: division by zero'),
    ],
)
def test_a_rule_pack_that_cannot_be_used(project: Path, pack: Path, name: str, told: str) -> None:
    configure(project, f'rule-packs = ["{name}"]\n')
    done = run(project, "lint", path=str(pack))
    assert done.returncode == 2
    assert done.stderr == f"dockerslim-lint: .dockerslim.toml: `rule-packs`: {told}\n"


def test_config_shows_what_is_in_force_and_from_where(project: Path) -> None:
    configure(
        project,
        'prefer = ["alpine"]\nignore = ["DSL402"]\n[[override]]\nfiles = ["Dockerfile"]\nfail-on = "info"\n'
        'ignore = ["DSL501"]\nseverity = { DSL101 = "warning" }\n',
    )
    done = run(project, "config")
    assert done.returncode == 0
    rows = dict(line.split("  # ") for line in done.stdout.splitlines() if "  # " in line)
    told = {key.strip(): source for key, source in rows.items()}
    assert told['prefer = ["alpine"]'] == ".dockerslim.toml"
    assert told['fail-on = "info"'] == "[[override]] 1 of .dockerslim.toml"
    assert told['ignore = ["DSL402", "DSL501"]'] == ".dockerslim.toml, [[override]] 1"
    assert told['probe-image = "busybox:musl"'] == "default"
    assert "# context        . (" in done.stdout
    again = parse_config(done.stdout.encode(), "x", pyproject=False)
    assert again is not None
    assert again.ignore == ("DSL402", "DSL501")
    assert again.severity == (("DSL101", "warning"),)


def test_config_where_there_is_none(project: Path) -> None:
    done = run(project, "config", "src")
    assert "# file           src/Dockerfile (does not exist)" in done.stdout
    assert "# configuration  none: the defaults" in done.stdout
    configure(project, "x = 1\n")
    done = run(project, "config")
    assert (done.returncode, done.stdout) == (2, "")
    assert "unknown key `x`" in done.stderr


def test_config_of_a_path_that_is_not_there_says_what_would_hold_and_ends_with_3(project: Path) -> None:
    configure(project, 'fail-on = "error"\n')
    done = run(project, "config", "nonexist")
    assert done.returncode == 3
    assert done.stderr == "dockerslim-lint: nonexist: does not exist; check the path\n"
    assert 'fail-on = "error"' in done.stdout
    assert run(project, "config", "Dockerfile").returncode == 0


def test_config_of_a_broken_configuration_is_one_line(project: Path) -> None:
    configure(project, "x = 1\n")
    done = run(project, "config")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("dockerslim-lint: .dockerslim.toml: unknown key `x`") and done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (
            'dockerfile = "nope/Dockerfile"',
            '`image[1].dockerfile`: there is no file "nope/Dockerfile"; correct the path, which starts at this '
            "file's directory, or remove the table",
        ),
        ('dockerfile = "Dockerfle"', '`image[1].dockerfile`: there is no file "Dockerfle"; did you mean "Dockerfile"?'),
        ('dockerfile = "api"', '`image[1].dockerfile`: there is no file "api"; did you mean "api/Dockerfile"?'),
        (
            'dockerfile = "api/Dockerfil"',
            '`image[1].dockerfile`: there is no file "api/Dockerfil"; did you mean "api/Dockerfile"?',
        ),
        (
            'dockerfile = "Dockerfile"\ncontext = "sr"',
            '`image[1].context`: there is no directory "sr"; did you mean "src"?',
        ),
        (
            'dockerfile = "Dockerfile"\ncontext = "Cargo.toml"',
            '`image[1].context`: there is no directory "Cargo.toml"; correct the path, which starts at this file\'s '
            "directory, or remove the table",
        ),
    ],
)
def test_an_image_table_about_what_is_not_there_is_told_once(project: Path, table: str, told: str) -> None:
    (project / "api").mkdir()
    (project / "api" / "Dockerfile").write_text(OWN)
    configure(project, f"[[image]]\n{table}\n")
    done = run(project, "lint", "Dockerfile")
    assert (done.returncode, done.stderr) == (2, f"dockerslim-lint: .dockerslim.toml: {told}\n")
    assert run(project, "config", "Dockerfile").returncode == 2
    # a context is about one file; a Dockerfile that is not there is about the whole configuration, and told once
    done = run(project, "lint")
    assert (done.returncode, done.stderr.count(told)) == (2, 1)
    assert ("api/Dockerfile:" in done.stdout) == ("context" in table)


def test_the_name_of_a_key_in_pyproject_is_whole(project: Path) -> None:
    (project / "pyproject.toml").write_text('[[tool.dockerslim.image]]\ndockerfile = "gone/Dockerfile"\n')
    assert (
        'pyproject.toml: `tool.dockerslim.image[1].dockerfile`: there is no file "gone/Dockerfile"'
        in run(project, "lint").stderr
    )


def test_an_image_table_about_a_file_that_an_editor_has_not_saved_yet(project: Path) -> None:
    configure(project, '[[image]]\ndockerfile = "new/Dockerfile"\ntarget = "x"\n')
    done = run(project, "lint", "-", "--stdin-filename", "new/Dockerfile")
    assert "there is no file" not in done.stderr
    assert "there is no file" in run(project, "lint", "-", "--stdin-filename", "Dockerfile").stderr

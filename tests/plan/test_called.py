"""What a program starts itself has to be in the new base, as far as its sources say: near misses first."""

from __future__ import annotations

import pytest

from dockerslim_lint import linter
from dockerslim_lint.config import Settings
from dockerslim_lint.context import MemoryContext
from dockerslim_lint.edit import Withheld
from dockerslim_lint.source import Source
from tests.facts.reading import locked
from tests.plan.test_withheld import CLASSIC, SINGLE, reason

SPAWNS = """\
use std::process::Command;

fn main() {
    let out = Command::new("%s").arg("x").output().unwrap();
    println!("{:?}", out);
}
"""


def offered(text: str, **sources: str) -> dict[str, str]:
    """The choices that are offered, each with its cost. `sources` are files below src, by name."""
    files = {**locked(serde=""), **{f"src/{name.replace('_', '/')}.rs": text for name, text in sources.items()}}
    context = MemoryContext({path: body.encode() for path, body in files.items()})
    findings = linter.lint(Source(text.encode()), context, Settings()).findings
    return {
        one.choice: one.cost
        for finding in findings
        if not isinstance(finding.fixes, Withheld)
        for one in finding.fixes
        if one.choice
    }


@pytest.mark.parametrize(
    "main",
    [
        SPAWNS % "app",
        SPAWNS % "ffmpeg",
        SPAWNS % "curl",
        SPAWNS % "powershell",
        SPAWNS.replace('"%s"', "name"),
        SPAWNS.replace("    let", "    // let") % "sh",
        SPAWNS.replace("use std::process::Command", "use clap::Command") % "install",
        SPAWNS.replace("use std::process::Command", "use clap::{Arg, Command};\nuse std::process::exit") % "test",
        "fn main() {}\n\n#[cfg(test)]\nmod tests {\n" + SPAWNS % "sh" + "}\n",
    ],
)
def test_what_is_no_program_of_the_old_base(main: str) -> None:
    assert list(offered(CLASSIC, main=main))[:2] == ["distroless/static", "alpine"]


@pytest.mark.parametrize("name", ["sh", "/bin/sh", "df", "uname"])
@pytest.mark.parametrize("text", [CLASSIC, SINGLE])
def test_a_shell_keeps_the_program_off_a_base_without_one(text: str, name: str) -> None:
    choices = offered(text, main=SPAWNS % name)
    assert next(iter(choices)) == "alpine" and "distroless/cc" not in choices
    told = f"{name}, which line 4 of src/main.rs starts, is busybox's there"
    assert (told in choices["alpine"]) is (not name.endswith("sh"))


@pytest.mark.parametrize(
    ("name", "package", "told"),
    [("ffmpeg", "ffmpeg", False), ("ps", "procps", False), ("wget", "wget", False), ("df", "ffmpeg", True)],
)
def test_what_a_package_brings_to_alpine_is_not_busyboxs(name: str, package: str, told: bool) -> None:
    text = CLASSIC.replace("COPY --from", f"RUN apt-get update && apt-get install -y {package}\nCOPY --from")
    assert ("is busybox's there" in offered(text, main=SPAWNS % name)["alpine"]) is told


def test_the_reason_names_the_line() -> None:
    files = {**locked(serde=""), "src/main.rs": SPAWNS % "git"}
    assert "line 4 of src/main.rs starts git, which distroless/static does not have" in reason(SINGLE, files)


@pytest.mark.parametrize(
    "main",
    [
        SPAWNS % "sh",
        SPAWNS.replace("std::process::Command", "std::process::{Command, Stdio}") % "sh",
        SPAWNS.replace("std::process::Command", "tokio::process::Command") % "sh",
        'fn main() {\n    std::process::Command::new(\n        "sh").spawn().unwrap();\n}\n',
        'use duct::cmd;\nfn main() { duct::cmd!("sh", "-c", "x").run().unwrap(); }\n',
    ],
)
def test_how_a_program_is_started(main: str) -> None:
    assert "distroless/static" not in offered(CLASSIC, main=main)
    assert "distroless/static" not in offered(CLASSIC, main="mod other;\nfn main() {}\n", other=main)
    assert "distroless/static" in offered(CLASSIC, main="fn main() {}\n", bin_other=main)


def test_bash_is_not_in_alpine() -> None:
    assert not {"distroless/static", "alpine"} & set(offered(CLASSIC, main=SPAWNS % "bash"))


def test_a_program_of_an_installed_package_goes_along() -> None:
    installed = CLASSIC.replace("COPY --from", "RUN apt-get update && apt-get install -y git\nCOPY --from")
    assert "distroless/static" not in offered(installed, main=SPAWNS % "git")
    assert "distroless/static" not in offered(SINGLE, main=SPAWNS % "git")


def test_what_the_old_base_lacks_was_not_started_there_either() -> None:
    alpine = CLASSIC.replace("debian:bookworm-slim", "alpine:3.20")
    assert "distroless/static" in offered(alpine, main=SPAWNS % "bash")

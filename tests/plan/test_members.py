"""Members of a workspace in a single stage: their sources stay behind, what a program may read goes along."""

from __future__ import annotations

import pytest

from dockerslim_lint import linter
from dockerslim_lint.config import Settings
from dockerslim_lint.context import MemoryContext
from dockerslim_lint.source import Source
from tests.facts.reading import MANIFEST, SOURCE, locked
from tests.plan.test_edits import rewritten
from tests.plan.test_withheld import CLASSIC, SINGLE, fix

MEMBER = {
    "client/Cargo.toml": MANIFEST.replace("app", "client"),
    "client/src/lib.rs": "",
    "client/build.rs": "fn main() {}\n",
    "client/README.md": "",
    "client/tests/all.rs": "",
}


def final(files: dict[str, str], text: str = SINGLE) -> str:
    """The new final stage."""
    workspace = locked(itoa="")
    manifest = workspace["Cargo.toml"] + '[workspace]\nmembers = ["client", "libs/*"]\n'
    return rewritten(text, {**workspace, "Cargo.toml": manifest, **files}).rsplit("\nFROM ", 1)[1]


@pytest.mark.parametrize(
    ("path", "carried"),
    [
        ("client/assets/style.css", "client"),
        ("client/templates/src/index.html", "client"),
        ("client/config.toml", "client"),
        ("libs/one/data.json", "libs"),
        ("libs/data/src/x.json", "libs"),
        ("clients/src/x.json", "clients"),
    ],
)
def test_what_a_program_may_read_goes_along(path: str, carried: str) -> None:
    files = {**MEMBER, path: "", "libs/one/Cargo.toml": MANIFEST.replace("app", "one"), "libs/one/src/lib.rs": ""}
    assert f"COPY --from=builder /app/{carried} ./{carried}\n" in final(files)


@pytest.mark.parametrize(
    "files",
    [
        MEMBER,
        {f"libs/{path}": text for path, text in MEMBER.items()},
        {**{f"libs/{path}": text for path, text in MEMBER.items()}, "libs/README.md": ""},
        {**MEMBER, "client/macros/Cargo.toml": MANIFEST, "client/macros/src/lib.rs": ""},
        {**MEMBER, ".dockerignore": "client/assets\n", "client/assets/style.css": ""},
    ],
)
def test_sources_of_a_member_stay_behind(files: dict[str, str]) -> None:
    after = final(files)
    assert "client" not in after and "libs" not in after


def test_a_member_that_is_copied_by_name_holds_nothing() -> None:
    text = SINGLE.replace("COPY . .", "COPY Cargo.toml Cargo.lock ./\nCOPY src src\nCOPY client client")
    assert "client" not in final(MEMBER, text)
    data = {**locked(itoa=""), **MEMBER, "client/assets/a": ""}
    after = final(data, text)
    assert "COPY --from=builder /app/client/assets ./client/assets\n" in after and "/app/client ./" not in after


def test_a_source_that_the_command_names_is_read() -> None:
    text = SINGLE.replace('["./target/release/app"]', '["./target/release/app", "client/src"]')
    assert not [one for one in fix(text, {**locked(itoa=""), **MEMBER}).applied if one.fix.key.startswith("slim:")]


MAKES = {
    "Cargo.toml": '[workspace]\nmembers = ["a", "b"]\nresolver = "2"\n',
    "Cargo.lock": "version = 4\n"
    + "".join(
        f'[[package]]\nname = "{name}"\nversion = "0.1.0"\n{more}'
        for name, more in (("a", ""), ("b", 'dependencies = ["pq-sys"]\n'))
    )
    + f'[[package]]\nname = "pq-sys"\nversion = "0.7.0"\n{SOURCE}',
    "a/Cargo.toml": MANIFEST.replace("app", "a"),
    "a/src/main.rs": "",
    "b/Cargo.toml": MANIFEST.replace("app", "b") + '[dependencies]\npq-sys = "0.7"\n',
    "b/src/main.rs": "",
}


@pytest.mark.parametrize(
    "step", ["cargo build --release", "cargo build --release -p ${APP}", "cargo build --release --bin ${APP}"]
)
@pytest.mark.parametrize(
    ("program", "missing", "installed"), [("a", False, False), ("b", True, True), ("${APP}", False, True)]
)
def test_a_library_that_only_some_programs_of_the_call_link(
    step: str, program: str, missing: bool, installed: bool
) -> None:
    if program == "a" and "-p" in step:
        installed = True  # it is a, and what it is built with is not known
    text = CLASSIC.replace("cargo build --release", step).replace("release/app", f"release/{program}")
    text = text.replace("WORKDIR", "ARG APP\nWORKDIR").replace("bookworm-slim\n", "bookworm-slim\nARG APP\n")
    text = text.replace("debian:bookworm-slim", "ubuntu:24.04")
    context = MemoryContext({path: body.encode() for path, body in MAKES.items()})
    found = linter.lint(Source(text.encode()), context, Settings(), alternatives=False).findings
    assert ("DSL108" in [one.code for one in found]) is missing
    fixed = fix(text, MAKES)
    assert fixed.bug is None
    assert ("libpq5" in fixed.source.data.decode()) is installed

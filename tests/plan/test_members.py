"""Members of a workspace in a single stage: their sources stay behind, what a program may read goes along."""

from __future__ import annotations

import pytest

from tests.facts.reading import MANIFEST, locked
from tests.plan.test_edits import rewritten
from tests.plan.test_withheld import SINGLE, fix, reason

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
    assert "client (line 5) may be needed" in reason(text, data)


def test_a_source_that_the_command_names_is_read() -> None:
    text = SINGLE.replace('["./target/release/app"]', '["./target/release/app", "client/src"]')
    assert not [one for one in fix(text, {**locked(itoa=""), **MEMBER}).applied if one.fix.key.startswith("slim:")]

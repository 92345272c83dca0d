"""Manifests with values of other types than cargo takes: the crate is known less, and nothing is raised."""

from __future__ import annotations

import pytest

from dockerslim_lint.context import MemoryContext
from dockerslim_lint.facts.crate.manifest import members
from tests.plan.test_withheld import CLASSIC, fix

VALUES = ("1", "true", "1.5", "2020-01-01", "'x'", "{}", "[]", "[1]", "[['x']]", "[{}]", "{ x = 1 }", "[true, 'app']")
ODD = [
    f"{table}\n{key} = {{0}}\n"
    for table, keys in {
        "[workspace]": "members exclude default-members resolver package dependencies",
        "[package]\nversion = '1.0.0'": "name autobins edition default-run build links",
        "[package]\nname = 'app'": "version autobins edition resolver default-run",
        "[package]\nname = 'app'\n[profile.release]": "strip debug lto opt-level",
        "[package]\nname = 'app'\n[lib]": "name proc-macro crate-type path",
        "[package]\nname = 'app'\n[features]": "default x",
        "[package]\nname = 'app'\n[dependencies.serde]": "version path features optional default-features package workspace",
        "[package]\nname = 'app'\n[target.'cfg(unix)']": "dependencies",
    }.items()
    for key in keys.split()
]
TOP = ("package", "workspace", "bin", "lib", "profile", "dependencies", "features", "target", "patch")


@pytest.mark.parametrize("text", [*ODD, *(f"{key} = {{0}}\n" for key in TOP)])
def test_no_type_is_too_odd(text: str) -> None:
    for value in VALUES:
        files = {"Cargo.toml": text.replace("{0}", value), "src/main.rs": "", "Cargo.lock": "version = 4\n"}
        assert fix(CLASSIC, files).report.error is None


def test_only_texts_of_an_array_are_members() -> None:
    context = MemoryContext({"a/Cargo.toml": b"", "b/Cargo.toml": b""})

    def found(listed: object, excluded: object = None) -> tuple[str, ...]:
        return members(context, "", {"workspace": {"members": listed, "exclude": excluded}}, "members")

    assert found(["a", 1, "b"]) == ("a", "b")
    assert found(["*"], ["a"]) == ("b",)
    assert found(["*"], "a") == found(["*"], 1) == ("a", "b")
    assert found("a") == found(1) == found({"a": 1}) == ()

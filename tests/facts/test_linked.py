"""Which packages of Cargo.lock a crate's programs can link."""

from __future__ import annotations

import pytest

from dockerslim_lint.context import MemoryContext
from dockerslim_lint.facts.crate.reader import CrateReader

HEAD = '[package]\nname = "app"\nversion = "0.1.0"\n'


def lock(**packages: str) -> str:
    text = "version = 4\n"
    for name, needs in packages.items():
        listed = ", ".join(f'"{need}"' for need in needs.split())
        text += f'[[package]]\nname = "{name.replace("_", "-")}"\nversion = "1.0.0"\ndependencies = [{listed}]\n'
    return text


LOCK = lock(app="http test build", http="tls", tls="", test="server", server="", build="cc", cc="")


def linked(files: dict[str, str], directory: str = "", packages: tuple[str, ...] = ()) -> tuple[str, ...] | None:
    reader = CrateReader(MemoryContext({path: text.encode() for path, text in files.items()}))
    crate = reader.read(directory, packages)
    assert crate is not None
    return crate.linked


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        ('[dependencies]\nhttp = "1"\n', ("http", "tls")),
        ('[dependencies]\nh = { package = "http", version = "1" }\n', ("http", "tls")),
        ('[dev-dependencies]\nhttp = "1"\n', ()),
        ('[build-dependencies]\nhttp = "1"\n', ()),
        ('[dependencies]\nhttp = { version = "1", optional = true }\n', ()),
        ("[target.'cfg(unix)'.dependencies]\nhttp = \"1\"\n", ("http", "tls")),
        ("[target.'cfg(windows)'.dependencies]\nhttp = \"1\"\n", ()),
        ("[target.'cfg(not(windows))'.dependencies]\nhttp = \"1\"\n", ("http", "tls")),
        ('[dependencies]\nunlocked = "1"\n', ()),
    ],
)
def test_only_normal_dependencies_count(manifest: str, expected: tuple[str, ...]) -> None:
    assert linked({"Cargo.toml": HEAD + manifest, "Cargo.lock": LOCK}) == expected


def test_without_a_lock_nothing_is_known() -> None:
    assert linked({"Cargo.toml": HEAD}) is None
    assert linked({"Cargo.toml": HEAD, "Cargo.lock": "broken ["}) is None


def test_members_and_paths_of_a_workspace() -> None:
    files = {
        "Cargo.toml": '[workspace]\nmembers = ["crates/*"]\n[workspace.dependencies]\nhttp = "1"\nlib = { path = "crates/lib" }\n',
        "Cargo.lock": LOCK,
        "crates/web/Cargo.toml": '[package]\nname = "web"\n[dependencies]\nlib.workspace = true\n[dev-dependencies]\ntest = "1"\n',
        "crates/lib/Cargo.toml": '[package]\nname = "lib"\n[dependencies]\nhttp = { workspace = true }\n',
        "crates/other/Cargo.toml": '[package]\nname = "other"\n[dependencies]\nserver = { version = "1" }\nlib = { path = "../lib" }\n',
    }
    assert linked(files, packages=("web",)) == ("http", "lib", "tls")
    assert linked(files, packages=("other",)) == ("http", "lib", "server", "tls")
    assert linked(files, "crates/other") == ("http", "lib", "server", "tls")

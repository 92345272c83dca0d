"""Near misses for which their rule's own file has no room."""

from __future__ import annotations

import pytest
from dockerslim_lint_rules import missing_tool as tool
from dockerslim_lint_rules import target_directory_shipped as target

from dockerslim_lint import linter
from dockerslim_lint.config import Settings
from dockerslim_lint.context import MemoryContext, NoContext
from dockerslim_lint.source import Source


@pytest.mark.parametrize(
    ("code", "text", "speaks"),
    [
        ("DSL404", tool.HEALTH, True),
        ("DSL404", tool.HEALTH.replace("debian:bookworm-slim", "example.com/base:1"), False),
        ("DSL404", tool.HEALTH.replace("curl -f http://localhost:8080/", "web --check"), False),
        ("DSL404", tool.STATIC, True),
        ("DSL404", tool.STATIC.replace("static-debian13", "static-debian13:debug"), False),
        ("DSL404", tool.ADDS, True),
        ("DSL404", tool.ADDS.replace("adduser", "useradd"), False),
        ("DSL404", tool.APT, True),
        ("DSL404", tool.APT.replace("apt-get update", "command -v apt-get && apt-get update"), False),
        ("DSL203", target.WHOLE, True),
        ("DSL203", target.WHOLE.replace("/src/target/release /app", "/src/assets /app/assets"), False),
    ],
)
def test_a_near_miss(code: str, text: str, speaks: bool) -> None:
    found = linter.lint(Source(text.encode()), NoContext(), Settings()).findings
    assert (code in [finding.code for finding in found]) is speaks


@pytest.mark.parametrize(
    ("manifest", "speaks"),
    [
        ('[workspace]\nmembers = ["api"]\n', True),
        ('[workspace]\nmembers = ["api"]\n[package]\nname = "top"\nversion = "0.1.0"\n', False),
    ],
)
def test_a_workspace_that_is_installed(manifest: str, speaks: bool) -> None:
    text = target.WHOLE.replace("cargo build --release", "cargo install --path .")
    package = '[package]\nname = "api"\nversion = "0.1.0"\nedition = "2021"\n'
    files = {"Cargo.toml": manifest, "src/main.rs": "fn main() {}", "api/Cargo.toml": package, "api/src/main.rs": ""}
    context = MemoryContext({path: body.encode() for path, body in files.items()})
    found = linter.lint(Source(text.encode()), context, Settings()).findings
    assert ("DSL310" in [finding.code for finding in found]) is speaks

"""The command line over a linter with one opinion."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dockerslim_lint import linter
from dockerslim_lint.cli import cli
from tests.cli import fake_linter

Invoke = Callable[..., Result]

ORIGIN = """\
FROM rust:latest as builder
WORKDIR /work
RUN git clone https://github.com/ChanTsune/slice /work/.
RUN cargo build --release
RUN strip /work/target/release/slice -o /slice
FROM ubuntu:22.04
COPY --from=builder /slice /usr/local/bin/
ENTRYPOINT ["slice"]
"""


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linter, "lint", fake_linter.lint)
    monkeypatch.setattr(linter, "fix", fake_linter.fix)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake: None) -> Path:
    """A working directory of its own, a repository as far as the searches are concerned."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run() -> Invoke:
    def invoke(*arguments: str, stdin: str | bytes | None = None) -> Result:
        return CliRunner().invoke(cli, arguments, input=stdin)

    return invoke

"""Rewrites that the program never makes, written by hand: really built, really run, and not written."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import pytest

from dockerslim_lint.edit import Claim, Need
from dockerslim_lint.output.exits import Exit
from dockerslim_lint.project.prove import ProveOutcome, prove_and_write
from dockerslim_lint.verify.engines.buildx import Buildx
from dockerslim_lint.verify.evidence.interface import Verdict
from dockerslim_lint.verify.progress import NoProgress
from dockerslim_lint.verify.subject import Candidate, Options, Subject
from tests.conftest import ROOT

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("engine_environment")]

FOLDERS = ROOT / "fixtures" / "rollback"
ABOUT = ("after.Dockerfile", "expect.toml", "facts.toml", "fixed.Dockerfile", "why.txt")
CASES = {
    "user-without-passwd": Claim(("/usr/local/bin/inbox",), True, True, (Need("user", "app", "USER app"),)),
    "wrong-architecture": Claim(("/usr/local/bin/compass",), True, True, ()),
    "needs-shared-library": Claim(("/usr/local/bin/ladder",), True, True, ()),
}


def prove_pair(engine: Buildx, context: Path, after: bytes, claim: Claim, platforms: tuple[str, ...]) -> ProveOutcome:
    file = context / "Dockerfile"
    before = file.read_bytes()
    subject = Subject("Dockerfile", before, context, file, base="debian:bookworm-slim")
    candidate = Candidate("distroless/static", after, claim, base="gcr.io/distroless/static-debian13")
    outcome = prove_and_write(subject, (candidate,), engine, Options(platforms), NoProgress())
    if not outcome.written:
        assert file.read_bytes() == before
    return outcome


@pytest.mark.parametrize("name", CASES)
def test_hand_written(engine: Buildx, name: str, tmp_path: Path) -> None:
    folder = FOLDERS / name
    expect = tomllib.loads((folder / "expect.toml").read_text())
    context = tmp_path / "project"
    shutil.copytree(folder, context, ignore=shutil.ignore_patterns(*ABOUT))
    after = (folder / expect["after"]).read_bytes()
    outcome = prove_pair(engine, context, after, CASES[name], tuple(expect["platforms"]))
    assert outcome.exit == Exit(expect["exit"]) and outcome.after is None and not outcome.written
    [proof] = outcome.result.proofs
    for platform in proof.platforms:
        assert platform.verdict("builds") in (Verdict.HOLDS, None)
        assert platform.verdict(expect["claim"]) is Verdict.FAILS, platform.evidence
    assert sorted(path.name for path in context.iterdir()) == sorted(
        path.name for path in folder.iterdir() if path.name not in ABOUT
    )

"""`--verify`: what the verdict of an engine makes of a file. The engine and the proof are stand-ins here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from dockerslim_lint import linter
from dockerslim_lint.candidates import Candidate
from dockerslim_lint.cli import cli
from dockerslim_lint.config import Settings
from dockerslim_lint.context import BuildContext, NoContext
from dockerslim_lint.edit import apply
from dockerslim_lint.linter import Applied
from dockerslim_lint.output.exits import Exit
from dockerslim_lint.project import verify
from dockerslim_lint.project.prove import ProveOutcome
from dockerslim_lint.project.write import write_atomically
from dockerslim_lint.source import Source
from dockerslim_lint.verify import subject as trial
from dockerslim_lint.verify.ladder import LadderResult
from dockerslim_lint.verify.proof import Outcome, PlatformProof, Proof
from tests.cli import fake_linter
from tests.cli.conftest import ORIGIN
from tests.cli.fake_linter import SLIM

FIXED = ORIGIN.replace("ubuntu:22.04", SLIM)


def _candidates(source: Source, context: BuildContext, settings: Settings) -> tuple[Candidate, ...]:
    fixed = fake_linter.fix(source, context, settings)
    found = []
    for finding in fake_linter.findings(fixed.source):
        if finding.code == "DSL101" and isinstance(finding.fixes, tuple):
            fix = finding.fixes[0]
            after = Source(apply(fixed.source.data, fix.edits), source.path)  # type: ignore[union-attr]
            codes = ("DSL101", "DSL103")
            applied = (*fixed.applied, Applied(fix, codes))  # type: ignore[arg-type]
            found.append(Candidate(fix, after, codes, "ubuntu:22.04", SLIM, applied))  # type: ignore[arg-type]
    return tuple(found)


class Engine:
    """What `prove_and_write` was asked, and what it is to answer."""

    def __init__(self) -> None:
        self.asked: list[tuple[trial.Subject, tuple[trial.Candidate, ...], trial.Options, bool]] = []
        self.outcome = Outcome.PROVEN
        self.write_error = ""

    def prove(
        self,
        subject: trial.Subject,
        candidates: tuple[trial.Candidate, ...],
        engine: object,
        options: trial.Options,
        progress: object,
        *,
        write: bool,
    ) -> ProveOutcome:
        self.asked.append((subject, candidates, options, write))
        proof = Proof("distroless/static", self.outcome, (PlatformProof("linux/amd64", "here", ()),), reason="why")
        if self.outcome is not Outcome.PROVEN:
            code = Exit.NO_ENGINE if self.outcome is Outcome.NO_ENGINE else Exit.NOT_PROVEN
            proofs = () if self.outcome is Outcome.NO_ENGINE else (proof,)
            return ProveOutcome(code, LadderResult(self.outcome, None, proofs, "why", "do this"))
        result = LadderResult(Outcome.PROVEN, candidates[0], (proof,))
        if self.write_error:
            return ProveOutcome(Exit.UNREADABLE, result, candidates[0].after, write_error=self.write_error)
        if write and subject.dockerfile_path is not None:
            write_atomically(subject.dockerfile_path, candidates[0].after, expected_old=subject.dockerfile)
        return ProveOutcome(Exit.CLEAN, result, candidates[0].after, written=write)


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    (tmp_path / ".git").mkdir()
    (tmp_path / "Dockerfile").write_text(ORIGIN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(linter, "lint", fake_linter.lint)
    monkeypatch.setattr(linter, "fix", fake_linter.fix)
    monkeypatch.setattr(verify, "find_candidates", _candidates)
    stand_in = Engine()
    monkeypatch.setattr(verify, "prove_and_write", stand_in.prove)
    return stand_in


def run(*arguments: str, stdin: str | None = None) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli, ["lint", *arguments], input=stdin)
    return result.exit_code, result.stdout, result.stderr


def test_what_is_proven_is_written(engine: Engine, tmp_path: Path) -> None:
    code, out, err = run("--fix", "--verify", "--platform", "linux/arm64", "--smoke", "a", "--smoke", "b")
    assert code == 0
    assert (tmp_path / "Dockerfile").read_text() == FIXED
    assert out == "Fixed DSL101, DSL103. Nothing left at or above warning.\n"
    assert "PROVEN  distroless/static" in err
    assert "  wrote    Dockerfile (1 line edited)\n" in err
    ((subject, candidates, options, write),) = engine.asked
    assert (subject.context, subject.dockerfile_path, write) == (tmp_path, tmp_path / "Dockerfile", True)
    assert (subject.base, candidates[0].base) == ("ubuntu:22.04", SLIM)
    assert (options.platforms, options.smokes) == (("linux/arm64",), ("a", "b"))


def test_verify_wins_over_unsafe_fixes(engine: Engine, tmp_path: Path) -> None:
    engine.outcome = Outcome.NOT_PROVEN
    code, out, err = run("--fix", "--verify", "--unsafe-fixes")
    assert code == 6
    assert (tmp_path / "Dockerfile").read_text() == ORIGIN
    assert err.startswith("NOT PROVEN, Dockerfile untouched\n")
    assert out.startswith("Dockerfile:6:6: DSL101")


def test_safe_fixes_are_not_written_without_the_proof(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(ORIGIN + "# nostrip\n")
    engine.outcome = Outcome.INCONCLUSIVE
    told = "  lint --fix writes what is safe by construction: DSL201\n"
    for outcome, exit_code in ((Outcome.NOT_PROVEN, 6), (Outcome.NO_ENGINE, 7), (Outcome.INCONCLUSIVE, 6)):
        engine.outcome = outcome
        code, _, err = run("--fix", "--verify")
        assert code == exit_code and err.endswith(told)
    assert (tmp_path / "Dockerfile").read_text() == ORIGIN + "# nostrip\n"
    (tmp_path / "Dockerfile").write_text(ORIGIN + "COPY nowhere /\n# nostrip\n")
    assert run("--fix", "--verify")[2].endswith(told)
    # near misses: nothing is safe, or all is proven
    (tmp_path / "Dockerfile").write_text(ORIGIN)
    assert "lint --fix writes" not in run("--fix", "--verify")[2]
    (tmp_path / "Dockerfile").write_text(ORIGIN + "# nostrip\n")
    engine.outcome = Outcome.PROVEN
    code, out, err = run("--fix", "--verify")
    assert "lint --fix writes" not in err
    assert (code, out) == (0, "Fixed DSL101, DSL103, DSL201. Nothing left at or above warning.\n")
    assert (tmp_path / "Dockerfile").read_text() == FIXED + "# strip\n"


def test_a_file_with_only_safe_fixes_needs_no_engine(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM x\n# nostrip\n")
    assert run("--fix", "--verify")[0] == 0
    assert engine.asked == []
    assert (tmp_path / "Dockerfile").read_text() == "FROM x\n# strip\n"


def test_what_was_tried_and_failed_is_no_advice(engine: Engine) -> None:
    engine.outcome = Outcome.NOT_PROVEN
    _, out, _ = run("--fix", "--verify")
    assert "DSL101 gnu-on-fat-base  error  [fix: tried, not proven]\n" in out
    assert "  but   tried, not proven: why\n" in out and "to accept it:\n" in out
    engine.outcome = Outcome.INCONCLUSIVE
    assert "tried" not in run("--fix", "--verify")[1]


def test_the_choices_against_which_something_speaks() -> None:
    source = Source(ORIGIN.encode(), "Dockerfile")
    (one,) = _candidates(source, NoContext(), Settings())
    (applied,) = one.applied
    other = applied._replace(fix=applied.fix._replace(choice="alpine"))
    alone = applied._replace(fix=applied.fix._replace(key="cache:0", choice=""))
    rungs = (one, one._replace(applied=(other, alone)), one._replace(applied=(other,)))

    def tried(*outcomes: Outcome) -> list[tuple[str, ...]]:
        proofs = tuple(Proof("x", outcome, (), reason=f"r{at}") for at, outcome in enumerate(outcomes))
        result = LadderResult(outcomes[-1], None, proofs)
        return [tuple(found) for found in verify._tried(ProveOutcome(Exit.CLEAN, result), rungs)]

    failed = Outcome.NOT_PROVEN
    assert tried(failed, failed, failed) == [("slim:0", "distroless/static", "r0"), ("slim:0", "alpine", "r2")]
    assert tried(failed, failed, Outcome.PROVEN) == [("slim:0", "distroless/static", "r0")]
    assert tried(Outcome.INCONCLUSIVE, Outcome.PROVEN) == []


def test_no_engine(engine: Engine) -> None:
    engine.outcome = Outcome.NO_ENGINE
    code, _, err = run("--fix", "--verify")
    assert (code, err) == (7, "NOT PROVEN, Dockerfile untouched: no engine\n  why\n  do this\n")


def test_a_proof_that_cannot_be_written(engine: Engine) -> None:
    engine.write_error = "changed on disk since it was read"
    code, _, err = run("--fix", "--verify")
    assert (code, err) == (4, "dockerslim-lint: Dockerfile: proven, but changed on disk since it was read\n")


def test_an_unknown_context_is_not_proven(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(ORIGIN + "COPY nowhere /\n")
    code, _, err = run("--fix", "--verify")
    assert code == 6
    assert err.startswith("NOT PROVEN, Dockerfile untouched\n  the build context is unknown: no directory up to")
    assert engine.asked == []


def test_diff_proves_and_writes_nothing(engine: Engine, tmp_path: Path) -> None:
    code, out, err = run("--diff", "--verify")
    assert code == 1
    assert f"+FROM {SLIM}\n" in out
    assert "  would write Dockerfile (1 line edited)\n" in err
    assert (tmp_path / "Dockerfile").read_text() == ORIGIN
    assert engine.asked[0][3] is False


def test_a_program_is_told_of_the_proof(engine: Engine, tmp_path: Path) -> None:
    code, out, err = run("--diff", "--verify", "--format", "json")
    document = json.loads(out)
    (file,) = document["files"]
    assert code == 1 and f"+FROM {SLIM}\n" in file["diff"] and err.startswith("PROVEN ")
    assert (file["proof"]["result"], file["proof"]["candidate"]) == ("proven", "distroless/static")
    assert (document["summary"]["fixed"], document["summary"]["held_back"]) == (1, 0)
    assert (tmp_path / "Dockerfile").read_text() == ORIGIN
    for outcome in (Outcome.NOT_PROVEN, Outcome.NO_ENGINE):
        engine.outcome = outcome
        document = json.loads(run("--fix", "--verify", "--format", "json")[1])
        (file,) = document["files"]
        assert (document["summary"]["fixed"], document["summary"]["held_back"]) == (0, 1)
        assert (file["proof"]["result"], file["proof"]["reason"], file["diff"]) == (outcome.value, "why", None)
    assert json.loads(run("--format", "json")[1])["files"][0]["proof"] is None
    (tmp_path / "Dockerfile").write_text("FROM x\n# nostrip\n")
    (file,) = json.loads(run("--diff", "--verify", "--format", "json")[1])["files"]
    assert file["proof"] is None and file["diff"].endswith("+# strip\n")
    assert run("--diff", "--verify", "--format", "sarif")[0] == 2


def test_standard_input_is_proven_in_its_place(engine: Engine, tmp_path: Path) -> None:
    assert run("--fix", "--verify", "-", stdin=ORIGIN)[:2] == (0, FIXED)
    subject, _, _, write = engine.asked[0]
    assert (subject.context, write) == (tmp_path, True)
    engine.outcome = Outcome.NOT_PROVEN
    assert run("--fix", "--verify", "-", stdin=ORIGIN)[:2] == (6, ORIGIN)

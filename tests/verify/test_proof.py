"""Proof and ladder over a made-up engine."""

from __future__ import annotations

import re
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from dockerslim_lint.edit import Claim, ConfigChange, Need
from dockerslim_lint.verify.commands import Limits
from dockerslim_lint.verify.engines.interface import BuildError, EngineError
from dockerslim_lint.verify.evidence.interface import Verdict
from dockerslim_lint.verify.ladder import LadderResult, climb
from dockerslim_lint.verify.progress import State
from dockerslim_lint.verify.proof import Outcome
from dockerslim_lint.verify.subject import Candidate, Options, Subject
from tests.verify.elf_files import make_elf
from tests.verify.fake_engine import Ended, FakeEngine, FakeImage, Program
from tests.verify.layouts import Item, folder

SETTINGS = {"Entrypoint": ["/app"], "Env": ["PATH=/bin"]}
OLD, NEW, OTHER = b"FROM old\n", b"FROM new\n", b"FROM other\n"
AMD64, ARM64 = "linux/amd64", "linux/arm64"
FAT = (Item("app", b"x" * 1000), Item("fat", bytes(range(256)) * 2000))


class Watcher:
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.engines: list[str] = []
        self.steps: list[tuple[str, str, str, State]] = []

    def engine(self, text: str) -> None:
        self.engines.append(text)

    def step(self, candidate: str, platform: str, text: str, state: State) -> None:
        self.steps.append((candidate, platform, text, state))


def image(program: Program = lambda argv: Ended(b"hello\n"), *, fat: bool = False, **more: Any) -> FakeImage:
    made = FakeImage(SETTINGS, program, FAT if fat else FAT[:1])
    return made._replace(**more)


def try_all(
    engine: FakeEngine,
    *candidates: Candidate,
    options: Options | None = None,
    watcher: Watcher | None = None,
    base: str | None = None,
) -> LadderResult:
    subject = Subject("Dockerfile", OLD, None, base=base)
    return climb(
        engine,
        subject,
        candidates or (Candidate("alpine", NEW),),
        options or Options(platforms=(AMD64,)),
        watcher or Watcher(),
    )


def test_the_same_behaviour_in_less_space_is_proven() -> None:
    engine = FakeEngine({OLD: image(fat=True), NEW: image()})
    watcher = Watcher()
    result = try_all(engine, options=Options(), watcher=watcher)
    assert result.outcome is Outcome.PROVEN and result.proven is not None and result.proven.after == NEW
    assert not result.reason
    proof = result.proofs[0]
    assert [p.platform for p in proof.platforms] == [AMD64, ARM64]
    assert [p.how for p in proof.platforms] == ["here", "emulated"]
    assert proof.ran == ("/app --version", "/app --help", "/app") and proof.config == "unchanged"
    assert list(proof.still) == [0, 0, 0]
    sizes = proof.platforms[0].sizes
    assert sizes is not None and sizes.old_unpacked > sizes.new_unpacked and sizes.old_pull > sizes.new_pull
    told = "fake 1.0 · linux/amd64 here, linux/arm64 emulated"
    assert watcher.engines == [f"{told} (--platform linux/amd64 does only what runs here)"] and result.engine == told
    ends = {(c, p): (text, s) for c, p, text, s in watcher.steps}
    assert {state for _, state in ends.values()} == {State.DONE} and len(ends) == 4
    for text, _ in ends.values():
        assert re.fullmatch(r"\d+s \(build 1s, run \d+s, measure \d+s\)", text)


@pytest.mark.parametrize(
    ("named", "platforms", "told"),
    [
        ((), (AMD64,), ", linux/arm64 left out"),
        ((AMD64, ARM64), (AMD64, ARM64), ", linux/arm64 emulated"),
        ((AMD64,), (AMD64, ARM64), ""),
    ],
)
def test_how_to_leave_an_emulated_platform_out_is_told_only_to_who_did_not_ask_for_it(
    named: tuple[str, ...], platforms: tuple[str, ...], told: str
) -> None:
    watcher = Watcher()
    engine = FakeEngine({OLD: image(fat=True), NEW: image()}, platforms=platforms)
    try_all(engine, options=Options(named), watcher=watcher)
    assert watcher.engines == [f"fake 1.0 · linux/amd64 here{told}"]


@pytest.mark.parametrize(
    ("program", "claim"),
    [
        (lambda argv: Ended(b"goodbye\n"), "same output"),
        (lambda argv: Ended(b"hello\n", code=3), "starts"),
        (lambda argv: Ended(b"hello\n", code=134, status="Command terminated by signal 6\n"), "starts"),
        (lambda argv: Ended(b"hello\n", code=137, end="late"), "starts"),
        (lambda argv: Ended(end="refused", code=127, error="no such file: /app"), "starts"),
        (lambda argv: Ended(b"hello\n", left=1), "same output"),
        (lambda argv: Ended(b"hello\n", code=1 if len(argv) == 1 else 0), "starts"),
        (lambda argv: Ended(b"hello\n" if argv[-1] != "--help" else b"help\n"), "same output"),
    ],
)
def test_another_behaviour_is_not_proven(program: Program, claim: str) -> None:
    result = try_all(FakeEngine({OLD: image(fat=True), NEW: image(program)}))
    assert result.outcome is Outcome.NOT_PROVEN and result.proven is None
    assert result.proofs[0].platforms[0].verdict(claim) is Verdict.FAILS
    assert AMD64 in result.reason


def test_a_user_that_the_new_image_does_not_know_is_not_proven() -> None:
    result = try_all(FakeEngine({OLD: image(fat=True), NEW: image(unknown_user=True)}))
    assert result.outcome is Outcome.NOT_PROVEN
    assert "unable to find user app" in result.reason and result.reason.startswith("starts, ")


def test_one_platform_that_fails_does_not_hide_the_other() -> None:
    broken = BuildError("exit code: 1", "RUN cargo build", 4, ("error: no arm",))
    engine = FakeEngine({OLD: image(fat=True), NEW: image(fails=broken, fails_on=ARM64)})
    result = try_all(engine, options=Options(platforms=(AMD64, ARM64)))
    assert result.outcome is Outcome.NOT_PROVEN
    good, bad = result.proofs[0].platforms
    assert good.verdict("same output") is Verdict.HOLDS and not good.failed
    assert bad.verdict("builds") is Verdict.FAILS and "line 4" in bad.failed[0].summary
    assert bad.failed[0].details == ("error: no arm",)


def test_an_original_that_does_not_build_ends_the_ladder_inconclusively() -> None:
    engine = FakeEngine({OLD: image(fails=BuildError("exit code: 1", "RUN x", 2)), NEW: image()})
    result = try_all(engine, Candidate("alpine", NEW), Candidate("scratch", NEW))
    assert result.outcome is Outcome.INCONCLUSIVE and len(result.proofs) == 1
    assert "the original does not build at line 2" in result.reason
    assert all(request.dockerfile == OLD for request in engine.requests)


@pytest.mark.parametrize("broken", [OLD, NEW])
def test_an_engine_that_fails_speaks_for_nobody_and_says_what_to_do(broken: bytes) -> None:
    lost = EngineError("the engine cannot start a container: read init-p", "give the engine more memory")
    engine = FakeEngine({name: image(fat=name == OLD, fails=lost if name == broken else None) for name in (OLD, NEW)})
    result = try_all(engine)
    assert result.outcome is Outcome.INCONCLUSIVE and "read init-p" in result.reason
    [platform] = result.proofs[0].platforms
    assert not platform.failed and [item.details for item in platform.unknown] == [("give the engine more memory",)]


@pytest.mark.parametrize(
    ("line", "program", "outcome"),
    [
        (2, lambda argv: Ended(b"hello\n"), Outcome.PROVEN),
        (2, lambda argv: Ended(b"hello\n", code=137, end="late"), Outcome.PROVEN),
        (2, lambda argv: Ended(b"usage\n", code=2), Outcome.INCONCLUSIVE),
        (2, lambda argv: Ended(end="refused", code=127, error="no such file: /app"), Outcome.NOT_PROVEN),
        (3, lambda argv: Ended(b"hello\n"), Outcome.INCONCLUSIVE),
        (None, lambda argv: Ended(b"hello\n"), Outcome.INCONCLUSIVE),
    ],
)
def test_an_original_that_the_finding_says_is_not_built_is_no_measure(
    line: int | None, program: Program, outcome: Outcome
) -> None:
    claim = Claim(("/app",), static=True, stripped=True, needs=(Need("volume", "/config", "VOLUME"),))
    new = image(program, files=(Item("app", make_elf(), 0o755),))
    engine = FakeEngine({OLD: image(fails=BuildError("not found", "COPY /x /app", line)), NEW: new})
    result = try_all(engine, Candidate("", OTHER), Candidate("", NEW, claim, repaired=(2, 5)))
    assert result.outcome is outcome, result.reason
    [platform] = result.proofs[-1].platforms
    if line == 2:
        assert platform.repairs == "the original does not build at line 2" and not result.proofs[-1].original_failed
        assert {platform.verdict(one) for one in ("same output", "smaller", "config kept")} <= {
            Verdict.NOT_APPLICABLE,
            None,
        }
    else:
        assert not platform.repairs and "the original does not build" in result.reason
    assert len([request for request in engine.requests if request.dockerfile == OLD]) == 1


def test_an_original_that_does_not_start_is_built_again_and_is_then_no_measure() -> None:
    def lost(argv: tuple[str, ...]) -> Ended:
        return Ended(end="refused", code=127, error="no such file: /app")

    engine = FakeEngine({OLD: image(lost), NEW: image(fat=True)})
    watcher = Watcher()
    result = try_all(engine, watcher=watcher)
    assert result.outcome is Outcome.PROVEN
    assert [text for name, _, text, _ in watcher.steps if name == "original" and "once more" in text]
    [platform] = result.proofs[0].platforms
    assert [item.summary for item in platform.evidence if item.claim == "starts"] == ["starts; the original did not"]
    assert platform.verdict("smaller") is Verdict.FAILS, "it is told, but is no reason against the rewrite"
    assert [r.no_cache for r in engine.originals() if r.dockerfile == OLD] == [False, True]


CHECKED = {**SETTINGS, "Healthcheck": {"Test": ["CMD-SHELL", "curl -f localhost"]}}


@pytest.mark.parametrize(
    ("old", "new", "outcome", "summary"),
    [
        (("ok",), "ok", Outcome.PROVEN, "succeeds"),
        (("ok",), "7", Outcome.NOT_PROVEN, "succeeds in the original, and fails here: exit 7 (refused)"),
        (("ok",), "late", Outcome.NOT_PROVEN, "succeeds in the original, and fails here: no answer within 30 s"),
        (("ok",), "no such file: /bin/sh", Outcome.NOT_PROVEN, None),
        (("7",), "7", Outcome.PROVEN, "fails in both"),
        (("7",), "ok", Outcome.PROVEN, "succeeds; in the original it fails"),
        (("7", "ok"), "7", Outcome.INCONCLUSIVE, None),
        (("7", "ok"), "ok", Outcome.PROVEN, "succeeds"),
    ],
)
def test_the_health_check(old: tuple[str, ...], new: str, outcome: Outcome, summary: str | None) -> None:
    def serve(*healths: str) -> Program:
        jobs = count()

        def run(argv: tuple[str, ...]) -> Ended:
            health = healths[next(jobs) // 4 % len(healths)]  # four jobs in each repetition
            return Ended(b"hello\n", code=137, end="late", health=health, check=b"connecting\nrefused\n")

        return run

    before = image(serve(*old), fat=True, settings=CHECKED)
    engine = FakeEngine({OLD: before, NEW: image(serve(new), settings=CHECKED)})
    result = try_all(engine)
    assert result.outcome is outcome, result.reason
    [proof] = result.proofs
    [found] = [item for item in proof.platforms[0].evidence if item.claim == "health check"]
    assert summary is None or found.summary == summary
    assert proof.ran == ("/app --version", "/app --help", "/app") and proof.still == (10.0, 10.0, 5.0)


def test_no_health_check_no_word_of_it() -> None:
    lost = image(lambda argv: Ended(end="refused", code=127, error="no such file: /app"), settings=CHECKED)
    plain = image(fat=True)
    for old, new in ((plain, image()), (image(fat=True, settings=CHECKED), lost)):
        [proof] = try_all(FakeEngine({OLD: old, NEW: new})).proofs
        assert proof.platforms[0].verdict("health check") is None


def test_growing_is_not_proven() -> None:
    result = try_all(FakeEngine({OLD: image(), NEW: image(fat=True)}))
    assert result.outcome is Outcome.NOT_PROVEN and result.reason.startswith("smaller, ")


def test_the_ladder_goes_on_and_builds_the_original_once() -> None:
    engine = FakeEngine({OLD: image(fat=True), NEW: image(lambda argv: Ended(b"bye\n")), OTHER: image()})
    result = try_all(engine, Candidate("distroless/static", NEW), Candidate("alpine", OTHER))
    assert result.proven is not None and result.proven.choice == "alpine"
    assert [proof.outcome for proof in result.proofs] == [Outcome.NOT_PROVEN, Outcome.PROVEN]
    assert [request.dockerfile for request in engine.originals()] == [OLD, NEW, OTHER]


def test_claims_are_read_from_the_image() -> None:
    static, dynamic = make_elf(), make_elf(interpreter="/lib/ld.so", symbols=True)
    claim = Claim(("/app",), static=True, stripped=True, needs=())
    for program, outcome in ((static, Outcome.PROVEN), (dynamic, Outcome.NOT_PROVEN)):
        engine = FakeEngine({OLD: image(fat=True), NEW: image(files=(Item("app", program, 0o755),))})
        result = try_all(engine, Candidate("scratch", NEW, claim))
        assert result.outcome is outcome
    [platform] = result.proofs[0].platforms
    assert {item.claim for item in platform.failed} == {"static", "stripped", "libraries present"}


def test_a_need_that_the_original_does_not_meet_either_is_no_reason_against_the_rewrite() -> None:
    needs = (Need("volume", "/config", "VOLUME"), Need("directory", "/srv", "WORKDIR"))
    claim = Claim(("/app",), static=False, stripped=False, needs=needs)
    new = image(files=(Item("app", make_elf(), 0o755),))
    made = image(fat=True)._replace(files=(*FAT, folder("srv")))
    for old, outcome in ((image(fat=True), Outcome.PROVEN), (made, Outcome.NOT_PROVEN)):
        result = try_all(FakeEngine({OLD: old, NEW: new}), Candidate("scratch", NEW, claim))
        assert result.outcome is outcome, result.reason
    assert result.reason == "needs met, linux/amd64: directory /srv: is not in the image"


def test_the_configuration_is_compared_and_the_bases_explain() -> None:
    new = FakeImage({**SETTINGS, "Env": ["PATH=/bin", "EDITION=slim"]})
    slim = FakeImage({"Env": ["PATH=/bin", "EDITION=slim"]})
    tables = {OLD: image(fat=True), NEW: new, b"FROM slim\n": slim, b"FROM fat\n": FakeImage({"Env": ["PATH=/bin"]})}
    bare = try_all(FakeEngine(tables))
    assert bare.outcome is Outcome.NOT_PROVEN and bare.reason.startswith("config kept, ")
    told = try_all(FakeEngine(tables), Candidate("slim", NEW, base="slim"), base="fat")
    assert told.outcome is Outcome.PROVEN and "EDITION" in told.proofs[0].config
    change = ConfigChange("Env:EDITION", "", "slim", "wanted")
    assert try_all(FakeEngine(tables), Candidate("slim", NEW, config_changes=(change,))).outcome is Outcome.PROVEN


def test_smoke_commands_take_the_place_of_version_and_help() -> None:
    engine = FakeEngine({OLD: image(fat=True), NEW: image()})
    result = try_all(engine, options=Options((AMD64,), ("app 'a b'", "app c"), Limits(watch=1)))
    assert result.proofs[0].ran == ("app 'a b'", "app c", "/app")


def test_no_engine() -> None:
    result = try_all(FakeEngine({}, missing=EngineError("no Docker", "start it")))
    assert (result.outcome, result.reason, result.remedy) == (Outcome.NO_ENGINE, "no Docker", "start it")


def test_a_named_platform_that_the_engine_cannot_run_is_no_engine() -> None:
    engine = FakeEngine({OLD: image(fat=True), NEW: image()}, platforms=(AMD64,))
    result = try_all(engine, options=Options(platforms=(AMD64, ARM64)))
    assert result.outcome is Outcome.NO_ENGINE and result.remedy == "install binfmt" and not engine.requests
    assert "linux/arm64" in result.reason


def test_of_the_usual_platforms_those_that_run_are_taken_and_the_others_told() -> None:
    engine = FakeEngine({OLD: image(fat=True), NEW: image()}, platforms=(AMD64,))
    watcher = Watcher()
    result = try_all(engine, options=Options(), watcher=watcher)
    assert result.outcome is Outcome.PROVEN
    assert result.proofs[0].left_out == ((ARM64, "nothing runs it; install binfmt"),)
    assert watcher.engines == ["fake 1.0 · linux/amd64 here, linux/arm64 left out"]
    assert try_all(FakeEngine({}, platforms=("linux/s390x",)), options=Options()).outcome is Outcome.NO_ENGINE


def test_nothing_of_ours_stays_in_the_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    try_all(FakeEngine({OLD: image(fat=True), NEW: image(lambda argv: Ended(b"bye\n"))}))
    assert list(tmp_path.iterdir()) == []


def test_an_interrupt_closes_the_engine_and_cleans_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    engine = FakeEngine({OLD: image(fat=True), NEW: image()})

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("dockerslim_lint.verify.threads.wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        try_all(engine)
    assert engine.closed and list(tmp_path.iterdir()) == []

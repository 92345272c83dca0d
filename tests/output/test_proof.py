"""The end of a proof as people read it, and the progress before it."""

from __future__ import annotations

import io
import re

import pytest

from dockerslim_lint.edit import Claim
from dockerslim_lint.output.progress import LineWatch, LiveWatch, Watch, duration
from dockerslim_lint.output.proof import Written, changes, not_proven_lines, proven_lines, unprovable_lines
from dockerslim_lint.verify.evidence.interface import Evidence, Verdict
from dockerslim_lint.verify.ladder import LadderResult
from dockerslim_lint.verify.progress import State
from dockerslim_lint.verify.proof import Outcome, PlatformProof, Proof
from dockerslim_lint.verify.subject import Candidate

AMD, ARM = "linux/amd64", "linux/arm64"


def evidence(platform: str, **claims: Verdict) -> tuple[Evidence, ...]:
    figures = (
        ("old pull", 30_000_000),
        ("new pull", 1_400_000),
        ("old unpacked", 78_800_000),
        ("new unpacked", 3_520_000),
    )
    return (
        *(Evidence(claim.replace("_", " "), platform, verdict, "as told") for claim, verdict in claims.items()),
        Evidence("smaller", platform, Verdict.HOLDS, "smaller", figures=figures),
    )


def test_proven() -> None:
    good = {"builds": Verdict.HOLDS, "starts": Verdict.HOLDS, "same_output": Verdict.HOLDS, "static": Verdict.HOLDS}
    proof = Proof(
        "distroless/static",
        Outcome.PROVEN,
        (
            PlatformProof(AMD, "here", evidence(AMD, **good)),
            PlatformProof(ARM, "emulated", evidence(ARM, **good | {"same_output": Verdict.NOT_APPLICABLE})),
        ),
        ran=("slice --help", "slice 0:3 /etc/passwd"),
        config="unchanged but PATH",
    )
    candidate = Candidate("distroless/static", b"a\nx\nB\n", Claim(("/slice",), True, True, ()))
    lines = proven_lines(
        LadderResult(Outcome.PROVEN, candidate, (proof,)), Written("Dockerfile", True, b"a\nb\n", candidate.after)
    )
    assert "\n".join(lines) == (
        "PROVEN  distroless/static · static · stripped\n"
        "               builds  starts  same output  static        pull       unpacked\n"
        "  linux/amd64  ✓       ✓       ✓            ✓       30.0 → 1.4  78.8 → 3.5 MB\n"
        "  linux/arm64  ✓       ✓ qemu  –            ✓       30.0 → 1.4  78.8 → 3.5 MB\n"
        "  ran      slice --help; slice 0:3 /etc/passwd\n"
        "  config   unchanged but PATH\n"
        "  wrote    Dockerfile (1 line added, 1 edited)"
    )


def test_proven_where_the_original_did_not_start_and_a_platform_was_left_out() -> None:
    platform = PlatformProof(AMD, "here", evidence(AMD, starts=Verdict.HOLDS), original_starts=False)
    proof = Proof("alpine", Outcome.PROVEN, (platform,), left_out=((ARM, "no emulator"),))
    lines = proven_lines(LadderResult(Outcome.PROVEN, None, (proof,)), Written("Dockerfile", False, b"a\n", b"b\n"))
    assert "  starts   linux/amd64: as told" in lines
    assert "  left out linux/arm64: no emulator" in lines
    assert lines[-1] == "  would write Dockerfile (1 line edited)"


def test_proven_where_the_original_cannot_be_built() -> None:
    repairs = "the original does not build at line 13"
    platform = PlatformProof(AMD, "here", evidence(AMD, starts=Verdict.HOLDS), original_starts=False, repairs=repairs)
    proof = Proof("", Outcome.PROVEN, (platform,))
    lines = proven_lines(LadderResult(Outcome.PROVEN, None, (proof,)), Written("Dockerfile", True, b"a\n", b"b\n"))
    assert f"  repairs  linux/amd64: {repairs}" in lines
    assert not any(line.startswith("  starts") for line in lines)


@pytest.mark.parametrize(
    ("verdict", "summary", "told"),
    [
        (Verdict.HOLDS, "succeeds", "health check ✓"),
        (Verdict.NOT_APPLICABLE, "fails in both", "health check: fails in both"),
        (Verdict.HOLDS, "succeeds; in the original it fails", "health check: succeeds; in the original it fails"),
    ],
)
def test_what_was_run_and_how_the_health_check_went(verdict: Verdict, summary: str, told: str) -> None:
    check = Evidence("health check", ARM, verdict, summary)
    platforms = (PlatformProof(AMD, "here", evidence(AMD)), PlatformProof(ARM, "here", (*evidence(ARM), check)))
    proof = Proof("", Outcome.PROVEN, platforms, ran=("app --help", "app"), still=(0.0, 5.0))
    lines = proven_lines(LadderResult(Outcome.PROVEN, None, (proof,)), Written("Dockerfile", True, b"a\n", b"b\n"), 200)
    assert f"  ran      app --help; app (still running after 5 s); {told}" in lines


def test_not_proven() -> None:
    def proof(choice: str, claim: str, platform: str, verdict: Verdict, details: tuple[str, ...] = ()) -> Proof:
        item = Evidence(claim, platform, verdict, "exit 127, no /bin/sh\x1b (line 8)", details)
        return Proof(choice, Outcome.NOT_PROVEN, (PlatformProof(platform, "here", (item,)),), reason="r")

    result = LadderResult(
        Outcome.NOT_PROVEN,
        None,
        (
            proof("distroless/static", "starts", AMD, Verdict.FAILS, ("its log",)),
            proof("alpine", "same output", ARM, Verdict.UNKNOWN),
        ),
        "r",
    )
    assert not_proven_lines(result, "Dockerfile") == (
        "NOT PROVEN, Dockerfile untouched",
        "  distroless/static  ✗ starts, linux/amd64: exit 127, no /bin/sh\\x1b (line 8)",
        "                       its log",
        "  alpine             ? same output, linux/arm64: exit 127, no /bin/sh\\x1b (line",
        "                     8)",
    )


def test_no_engine_names_the_remedy() -> None:
    result = LadderResult(Outcome.NO_ENGINE, None, (), "docker is not installed", "install it")
    assert not_proven_lines(result, "x") == (
        "NOT PROVEN, x untouched: no engine",
        "  docker is not installed",
        "  install it",
    )
    assert unprovable_lines("x", "no context") == ("NOT PROVEN, x untouched", "  no context")


def test_changes() -> None:
    assert changes(b"a\nb\nc\n", b"a\nB\nc\nd\n") == "1 line added, 1 edited"
    assert changes(b"a\nb\nc\n", b"a\n") == "2 lines removed"
    assert changes(b"a\n", b"a\n") == "unchanged"


def test_a_line_for_each_event_and_none_twice() -> None:
    written: list[str] = []
    watch: Watch = LineWatch(written.append)
    watch.engine("buildx 0.26 · linux/amd64 here")
    for _ in range(2):
        watch.step("original", AMD, "[internal] load .dockerignore", State.RUNNING)
        watch.step("original", AMD, "step 1/2 RUN x\x1b", State.RUNNING)
        watch.step("original", AMD, "step 2/2 RUN y", State.RUNNING)
    watch.step("alpine", AMD, "step 1/2 RUN x", State.RUNNING)
    watch.step("original", AMD, "41s", State.DONE)
    told = [
        "engine   buildx 0.26 · linux/amd64 here\n",
        "original               linux/amd64 · step 1/2 RUN x\\x1b\n",
        "original               linux/amd64 · step 2/2 RUN y\n",
        "alpine                 linux/amd64 · step 1/2 RUN x\n",
        "original               linux/amd64 ✓ 41s\n",
    ]
    assert written == told
    watch.close()
    watch.step("original", AMD, "step 2/2 RUN y", State.RUNNING)
    assert written == [*told, told[2]], "the next file has an original, too"


def test_the_live_table() -> None:
    stream = io.StringIO()
    watch = LiveWatch(stream)
    watch.engine("buildx 0.26")
    watch.step("original", AMD, "41s", State.DONE)
    watch.step("original", ARM, "[red]step 4/6", State.RUNNING)
    lines = watch.draw().plain.split("\n")
    watch.close()
    assert lines[0] == "engine   buildx 0.26"
    assert re.fullmatch(r"original               amd64 ✓ 0s  arm64 . \[red\]step 4/6  0s", lines[1])
    assert "engine   buildx 0.26" in stream.getvalue()


def test_durations() -> None:
    assert [duration(seconds) for seconds in (0.4, 59, 192, 3720)] == ["0s", "59s", "3m12s", "1h02m"]


def test_on_a_narrow_terminal_the_sizes_stand_below() -> None:
    good = {"builds": Verdict.HOLDS, "starts": Verdict.HOLDS, "same_output": Verdict.HOLDS, "static": Verdict.HOLDS}
    proof = Proof("alpine", Outcome.PROVEN, (PlatformProof(ARM, "emulated", evidence(ARM, **good)),), ran=("a " * 40,))
    wrote = Written("Dockerfile", True, b"a\n", b"b\n")
    lines = proven_lines(LadderResult(Outcome.PROVEN, None, (proof,)), wrote, 60)
    assert lines[1:4] == (
        "               builds  starts  same output  static",
        "  linux/arm64  ✓       ✓ qemu  ✓            ✓",
        "  pull     linux/arm64: 30.0 → 1.4 MB, unpacked 78.8 → 3.5",
    )
    assert max(map(len, lines)) <= 60
    assert max(map(len, not_proven_lines(LadderResult(Outcome.NOT_PROVEN, None, (), "word " * 30), "x", 50))) <= 50


def test_what_was_tried_before_is_told_with_the_reason() -> None:
    platform = PlatformProof(AMD, "here", evidence(AMD, starts=Verdict.HOLDS))
    reason = "starts, linux/amd64: exit 127, no /bin/sh"
    failed = Proof("distroless/static", Outcome.NOT_PROVEN, (platform,), reason=reason)
    unsure = Proof("debian-slim", Outcome.INCONCLUSIVE, (platform,), reason="the engine failed")
    bundle = Proof("alpine", Outcome.NOT_PROVEN, (platform,), reason="same output, linux/amd64: other")
    proven = Proof("alpine", Outcome.PROVEN, (platform,))
    wrote = Written("Dockerfile", True, b"a\n", b"b\n")
    result = LadderResult(Outcome.PROVEN, None, (failed, failed, unsure, bundle, proven))
    lines = proven_lines(result, wrote)
    assert lines[0] == "PROVEN  alpine"
    assert lines[3:6] == (
        f"  tried    distroless/static ✗ {reason}",
        "  tried    debian-slim ? the engine failed",
        "  tried    alpine with all other fixes ✗ same output, linux/amd64: other",
    )
    assert not any(" tried " in line for line in proven_lines(LadderResult(Outcome.PROVEN, None, (proven,)), wrote))

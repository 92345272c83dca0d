"""The proof of one rewrite: old and new built and run on every platform, the evidence collected."""

from __future__ import annotations

import shlex
import shutil
import time
from collections.abc import Iterable
from enum import Enum
from functools import partial
from pathlib import Path

from dockerslim_lint.record import Record
from dockerslim_lint.verify.engines.interface import BuildError, Engine, EngineError, PlatformCheck, StoppedError
from dockerslim_lint.verify.evidence.builds import BuildOutcome, judge_build
from dockerslim_lint.verify.evidence.interface import Evidence, Verdict
from dockerslim_lint.verify.judge import judge_image
from dockerslim_lint.verify.layout import LayoutError
from dockerslim_lint.verify.platforms import Chosen
from dockerslim_lint.verify.progress import Progress, State
from dockerslim_lint.verify.subject import Candidate, Options, Subject
from dockerslim_lint.verify.threads import side_by_side
from dockerslim_lint.verify.trial import ORIGINAL, Originals, Times, Trial, try_image


class Outcome(Enum):
    """How an attempt to prove ended."""

    PROVEN = "proven"
    NOT_PROVEN = "not proven"
    """Something speaks against it."""
    INCONCLUSIVE = "inconclusive"
    """It could not be judged; nothing speaks against it."""
    NO_ENGINE = "no engine"
    """There is none for what was asked."""


class Sizes(Record):
    """Bytes of the old and the new image."""

    old_pull: int
    new_pull: int
    old_unpacked: int
    new_unpacked: int


class PlatformProof(Record):
    """All that was found on one platform. `how`: ``here`` or ``emulated``. Seconds are those of the builds, 0 for none.

    `repairs` is "" but where the original cannot be built, as the finding says that is repaired: the new image stands alone.
    `times` is where the time for the new image went.
    """

    platform: str
    how: str
    evidence: tuple[Evidence, ...]
    original_seconds: float = 0.0
    seconds: float = 0.0
    original_starts: bool = True
    repairs: str = ""
    times: Times = Times()

    def verdict(self, claim: str) -> Verdict | None:
        """What was found about a claim, the worst where there are several images; None if it was never looked at."""
        found = [item.verdict for item in self.evidence if item.claim == claim]
        bad = (Verdict.FAILS, Verdict.UNKNOWN)
        return next((verdict for worst in bad for verdict in found if verdict is worst), found[0] if found else None)

    @property
    def sizes(self) -> Sizes | None:
        """The measures of both images, None when it did not come to that."""
        for item in self.evidence:
            figures = dict(item.figures)
            if item.claim == "smaller" and "old pull" in figures:
                return Sizes(*(int(figures[name]) for name in ("old pull", "new pull", "old unpacked", "new unpacked")))
        return None

    @property
    def failed(self) -> tuple[Evidence, ...]:
        """What speaks against the rewrite. Where the original does not start, growing is no reason against it."""
        return tuple(
            item
            for item in self.evidence
            if item.verdict is Verdict.FAILS and (item.claim != "smaller" or self.original_starts)
        )

    @property
    def unknown(self) -> tuple[Evidence, ...]:
        """What could not be shown."""
        return tuple(item for item in self.evidence if item.verdict is Verdict.UNKNOWN)


class Proof(Record):
    """The result for one candidate. `left_out`: usual platforms that nobody named and the engine cannot run, with why.

    `reason` is one line, "" when proven. `ran` are the commands as they were run in the new image, `config` is the
    summary of the config evidence ("unchanged but PATH"). `still` says for each command of `ran` after how many seconds it
    was still running; 0 for one that ended by itself.
    """

    choice: str
    outcome: Outcome
    platforms: tuple[PlatformProof, ...]
    left_out: tuple[tuple[str, str], ...] = ()
    reason: str = ""
    ran: tuple[str, ...] = ()
    config: str = ""
    still: tuple[float, ...] = ()

    @property
    def original_failed(self) -> bool:
        """Whether it is the original that could not be built: no other candidate will fare better."""
        return any(item.verdict is Verdict.UNKNOWN and item.claim == _ORIGINAL_BUILDS for item in self._evidence())

    def _evidence(self) -> Iterable[Evidence]:
        return (item for platform in self.platforms for item in platform.evidence)


_ORIGINAL_BUILDS = "original builds"
_Ran = tuple[tuple[str, float], ...]
"""The commands that were run, and after how many seconds each was still running."""
_TELLING = (_ORIGINAL_BUILDS, "builds", "right machine", "starts", "same output")
"""The claims that are told first when several fail: the others often fail for the same reason."""


def prove(
    engine: Engine,
    subject: Subject,
    candidate: Candidate,
    chosen: Chosen,
    options: Options,
    progress: Progress,
    originals: Originals,
    folder: Path,
) -> Proof:
    """Build and run both files on all chosen platforms, side by side; one that fails neither cancels nor hides another.

    `originals` keeps what was found about the original, for the next candidate; `folder` takes what is exported.
    KeyboardInterrupt closes the engine and leaves nothing running.
    """
    calls = [
        partial(_prove_platform, engine, subject, candidate, check, options, progress, originals, folder)
        for check in chosen.platforms
    ]
    results = side_by_side(engine, calls)
    platforms = tuple(result for result, _ in results)
    outcome, reason = _judge(platforms)
    config = next((i.summary for p in platforms for i in p.evidence if i.claim == "config kept"), "")
    ran = next((ran for _, ran in results if ran), ())
    commands, still = tuple(command for command, _ in ran), tuple(seconds for _, seconds in ran)
    return Proof(candidate.choice, outcome, platforms, chosen.left_out, reason, commands, config, still)


def _prove_platform(
    engine: Engine,
    subject: Subject,
    candidate: Candidate,
    check: PlatformCheck,
    options: Options,
    progress: Progress,
    originals: Originals,
    folder: Path,
) -> tuple[PlatformProof, _Ran]:
    platform, label = check.platform, candidate.choice or "the fix"
    result, ran = _prove_image(engine, subject, candidate, check, options, progress, originals, folder)
    for other in candidate.others:
        another = subject._replace(target=other.target, base=other.old_base, programs=other.old_programs)
        new = candidate._replace(claim=other.claim, base=other.base, others=())
        # the user's own commands are about the image that was asked for
        plain = options._replace(smokes=())
        found, more = _prove_image(engine, another, new, check, plain, progress, originals, folder)
        ran += tuple((f"{command} (--target {other.target})", seconds) for command, seconds in more)
        result = result._replace(
            evidence=(
                *result.evidence,
                *(item._replace(summary=f"--target {other.target}: {item.summary}") for item in found.evidence),
            ),
            original_seconds=result.original_seconds + found.original_seconds,
            seconds=result.seconds + found.seconds,
            original_starts=result.original_starts and found.original_starts,
            repairs=result.repairs or found.repairs,
            times=result.times.plus(found.times),
        )
    done = not result.failed and not result.unknown
    text = "" if done else (*result.failed, *result.unknown)[0].summary
    progress.step(label, platform, text or str(result.times), State.DONE if done else State.FAILED)
    return result, ran


def _prove_image(
    engine: Engine,
    subject: Subject,
    candidate: Candidate,
    check: PlatformCheck,
    options: Options,
    progress: Progress,
    originals: Originals,
    folder: Path,
) -> tuple[PlatformProof, _Ran]:
    """One image on one platform, that of the subject's target."""
    platform, label = check.platform, candidate.choice or "the fix"
    result = PlatformProof(platform, check.how, ())
    tried = originals.get(engine, subject, platform, options, progress)
    original: Trial | None = None
    if isinstance(tried, Trial):
        original = tried
        result = result._replace(original_seconds=tried.seconds, original_starts=tried.starts)
    elif isinstance(tried, BuildError) and tried.line in candidate.repaired:
        repairs = f"the {ORIGINAL} does not build at line {tried.line}"
        result = result._replace(repairs=repairs, original_starts=False)
    else:
        return result._replace(evidence=(_broken_original(platform, tried),)), ()
    place = folder / f"{label.replace('/', '-')}-{platform.replace('/', '-')}"
    if candidate.claim is not None:
        subject = subject._replace(programs=candidate.claim.binaries, needs=candidate.claim.needs)

    def on_step(text: str) -> None:
        progress.step(label, platform, text, State.RUNNING)

    evidence: tuple[Evidence, ...]
    ran: _Ran = ()
    seconds, times = 0.0, Times()
    try:
        new = try_image(engine, subject, candidate.after, candidate.base, platform, options, 1, place, on_step)
        seconds, times = new.seconds, new.times
        began = time.monotonic()
        evidence = (
            judge_build(platform, BuildOutcome(0, seconds=seconds)),
            *judge_image(platform, original, new, candidate.claim, candidate.config_changes),
        )
        times = times._replace(measure=times.measure + time.monotonic() - began)
        ran = tuple(
            (shlex.join(command.argv), command.limit if observed.run.timed_out else 0.0)
            for command, observed in zip(new.commands, new.runs[0], strict=True)
        )
    except BuildError as error:
        evidence = (judge_build(platform, build_outcome(error)),)
    except LayoutError as error:
        evidence = (Evidence("right machine", platform, Verdict.FAILS, f"the image cannot be used: {error}"),)
    except StoppedError:
        raise
    except EngineError as error:
        evidence = (Evidence("starts", platform, Verdict.UNKNOWN, f"the engine failed: {error}", _remedies(error)),)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return result._replace(evidence=evidence, seconds=seconds, times=times), ran


def build_outcome(error: BuildError) -> BuildOutcome:
    """What a failed build's error says, as the evidence takes it. The log speaks for itself where there is one."""
    return BuildOutcome(1, error.step, error.line or 0, "\n".join(error.log), reason="" if error.log else str(error))


def _broken_original(platform: str, error: Exception) -> Evidence:
    if isinstance(error, BuildError):
        found = judge_build(platform, build_outcome(error), original=True)
        return found._replace(claim=_ORIGINAL_BUILDS)
    summary = f"the {ORIGINAL} could not be tried: {error}"
    return Evidence(_ORIGINAL_BUILDS, platform, Verdict.UNKNOWN, summary, _remedies(error))


def _remedies(error: Exception) -> tuple[str, ...]:
    return (error.remedy,) if isinstance(error, EngineError) and error.remedy else ()


def _judge(platforms: tuple[PlatformProof, ...]) -> tuple[Outcome, str]:
    for outcome, items in (
        (Outcome.NOT_PROVEN, [item for platform in platforms for item in platform.failed]),
        (Outcome.INCONCLUSIVE, [item for platform in platforms for item in platform.unknown]),
    ):
        if items:
            first = min(items, key=lambda item: _TELLING.index(item.claim) if item.claim in _TELLING else len(_TELLING))
            return outcome, f"{first.claim}, {first.platform}: {first.summary}"
    return Outcome.PROVEN, ""

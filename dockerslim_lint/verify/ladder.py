"""The ladder: candidates tried in order until one is proven."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from dockerslim_lint.edit import Need
from dockerslim_lint.record import Record
from dockerslim_lint.verify.engines.interface import Engine, EngineError
from dockerslim_lint.verify.platforms import choose, describe, leave_out
from dockerslim_lint.verify.progress import Progress
from dockerslim_lint.verify.proof import Outcome, Proof, prove
from dockerslim_lint.verify.subject import Candidate, Options, Subject
from dockerslim_lint.verify.trial import Originals


class LadderResult(Record):
    """How far the ladder went. `proven` is the candidate to take; `reason` and `remedy` are "" then.

    `proofs` has one for each candidate that was tried; `engine` describes it (``buildx 0.13.1 · linux/amd64 here``).
    """

    outcome: Outcome
    proven: Candidate | None
    proofs: tuple[Proof, ...]
    reason: str = ""
    remedy: str = ""
    engine: str = ""


def climb(
    engine: Engine, subject: Subject, candidates: tuple[Candidate, ...], options: Options, progress: Progress
) -> LadderResult:
    """Prove the candidates one after the other; the original is built and run once for all of them.

    The engine stays open. Raises KeyboardInterrupt with the engine closed and nothing left behind.
    """
    missing = engine.available()
    if missing is not None:
        return LadderResult(Outcome.NO_ENGINE, None, (), str(missing), missing.remedy)
    try:
        chosen = choose(engine, options.platforms, options.probe_image)
    except EngineError as error:
        return LadderResult(Outcome.NO_ENGINE, None, (), str(error), error.remedy, engine.name)
    told = describe(engine, chosen)
    progress.engine(told + leave_out(chosen, options.platforms))
    folder = Path(tempfile.mkdtemp(prefix="dockerslim-"))
    try:
        originals = Originals(folder)
        # the original is looked at once: for what any candidate will be asked
        subject = subject._replace(needs=_all_needs(candidates))
        proofs: list[Proof] = []
        for candidate in candidates:
            proof = prove(engine, subject, candidate, chosen, options, progress, originals, folder)
            proofs.append(proof)
            if proof.outcome is Outcome.PROVEN:
                return LadderResult(Outcome.PROVEN, candidate, tuple(proofs), engine=told)
            if proof.original_failed and not any(one.repaired for one in candidates):
                break
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if not proofs:
        return LadderResult(Outcome.INCONCLUSIVE, None, (), "there is nothing to try", engine=told)
    disproven = [proof for proof in proofs if proof.outcome is Outcome.NOT_PROVEN]
    last = (disproven or proofs)[-1]
    return LadderResult(last.outcome, None, tuple(proofs), last.reason, engine=told)


def _all_needs(candidates: tuple[Candidate, ...]) -> tuple[Need, ...]:
    claims = [claim for one in candidates for claim in (one.claim, *(other.claim for other in one.others))]
    return tuple(dict.fromkeys(need for claim in claims if claim is not None for need in claim.needs))

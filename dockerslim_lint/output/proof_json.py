"""A proof in the JSON format: what was tried, and all that was found."""

from __future__ import annotations

from dockerslim_lint.output.interface import ProofResult
from dockerslim_lint.output.json import unicode
from dockerslim_lint.verify.evidence.interface import Evidence
from dockerslim_lint.verify.proof import Outcome, PlatformProof, Proof


def proof_object(proof: ProofResult) -> dict[str, object]:
    """The object that `docs/json-schema.json` calls ``proof``."""
    ladder = proof.ladder
    proven = next((one for one in ladder.proofs if one.outcome is Outcome.PROVEN), None) if ladder else None
    return {
        "result": (ladder.outcome if ladder else Outcome.NOT_PROVEN).value,
        "candidate": proven.choice if proven else None,
        "reason": unicode(ladder.reason if ladder else proof.reason),
        "engine": ladder.engine if ladder else "",
        "seconds": round(proof.seconds, 1),
        "candidates": [_candidate(one) for one in ladder.proofs] if ladder else [],
    }


def _candidate(proof: Proof) -> dict[str, object]:
    return {
        "candidate": proof.choice,
        "result": proof.outcome.value,
        "reason": unicode(proof.reason),
        "ran": list(map(unicode, proof.ran)),
        "still_running_after": [round(seconds, 1) for seconds in proof.still],
        "config": unicode(proof.config),
        "platforms": [_platform(one) for one in proof.platforms],
        "left_out": [{"platform": platform, "reason": unicode(why)} for platform, why in proof.left_out],
    }


def _platform(proof: PlatformProof) -> dict[str, object]:
    return {
        "platform": proof.platform,
        "how": proof.how,
        "original_starts": proof.original_starts,
        "repairs": unicode(proof.repairs),
        "original_seconds": round(proof.original_seconds, 1),
        "seconds": round(proof.seconds, 1),
        "times": {name: round(seconds, 1) for name, seconds in proof.times._asdict().items()},
        "sizes": proof.sizes._asdict() if proof.sizes else None,
        "checks": [_check(item) for item in proof.evidence],
    }


def _check(item: Evidence) -> dict[str, object]:
    return {
        "claim": item.claim,
        "verdict": item.verdict.value,
        "summary": unicode(item.summary),
        "details": list(map(unicode, item.details)),
    }

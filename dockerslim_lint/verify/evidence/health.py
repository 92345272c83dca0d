"""Evidence for "health check": the image's own check, run beside its command in the old and the new image."""

from __future__ import annotations

from collections.abc import Sequence

from dockerslim_lint.verify.evidence.interface import Evidence, Verdict
from dockerslim_lint.verify.health import Checked


def judge_health(platform: str, old: Sequence[Checked | None] | None, new: Checked | None) -> Evidence | None:
    """The claim, by all runs of the original (None: there are none) and one of the new image. None: there is no check to speak of.

    A run without a check (None) is one whose command did not start.
    """
    if new is None:
        return None

    def found(verdict: Verdict, summary: str) -> Evidence:
        return Evidence("health check", platform, verdict, summary, (f"{' '.join(new.argv)}: {new.why or 'succeeds'}",))

    before = [one.healthy for one in old or () if one is not None]
    if new.healthy:
        return found(
            Verdict.HOLDS, "succeeds" if True in before or old is None else "succeeds; in the original it fails"
        )
    if not before:
        return found(Verdict.NOT_APPLICABLE, f"fails ({new.why}); there is no original to compare with")
    if True not in before:
        return found(Verdict.NOT_APPLICABLE, "fails in both")
    if False in before:
        return found(Verdict.UNKNOWN, f"fails ({new.why}); in the original it fails now and then")
    return found(Verdict.FAILS, f"succeeds in the original, and fails here: {new.why}")

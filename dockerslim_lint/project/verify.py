"""`--verify` for one file: the linter's candidates, an engine, and what its verdict makes of the file."""

from __future__ import annotations

import time
from pathlib import Path

from dockerslim_lint import linter
from dockerslim_lint.candidates import Candidate, find_candidates
from dockerslim_lint.config import Settings
from dockerslim_lint.edit import ImageClaim
from dockerslim_lint.output.exits import Exit
from dockerslim_lint.output.interface import COLUMNS, FileResult, Problem, ProofResult, Tried
from dockerslim_lint.output.progress import Watch
from dockerslim_lint.output.proof import Written, not_proven_lines, proven_lines, safe_lines, unprovable_lines
from dockerslim_lint.project.locate import Located
from dockerslim_lint.project.prove import ProveOutcome, prove_and_write
from dockerslim_lint.project.task import Task
from dockerslim_lint.source import Source
from dockerslim_lint.verify import subject as trial
from dockerslim_lint.verify.engines.buildx import Buildx
from dockerslim_lint.verify.engines.interface import Engine
from dockerslim_lint.verify.proof import Outcome


class Prover:
    """Proves file after file on one engine. Use it as a context manager: it closes the engine and the watch."""

    def __init__(self, task: Task, watch: Watch, engine: Engine | None = None, *, columns: int = COLUMNS) -> None:
        """`columns` is the width of the blocks that tell how a proof ended."""
        self._task = task
        self._watch = watch
        self._columns = columns
        self._engine = Buildx(task.builder) if engine is None else engine

    def __enter__(self) -> Prover:
        return self

    def __exit__(self, *exception: object) -> None:
        self._watch.close()
        self._engine.close()

    def prove(
        self, result: FileResult, source: Source, where: str, located: Located, settings: Settings
    ) -> FileResult | None:
        """`result` completed by the first proven candidate or by the reason why there is none; None: nothing needs proof.

        `where` is the place of the Dockerfile, which is written only if the task says so.
        """
        candidates = find_candidates(source, located.context, settings)
        if not candidates:
            return None
        began = time.monotonic()
        report = linter.lint(source, located.context, settings)
        unchanged = result._replace(report=report, held=linter.held_back(report))
        if not located.context.known:
            reason = f"the build context is {located.reason}; name it in the configuration: [[image]] context"
            lines = unprovable_lines(result.path, reason, self._columns)
            lines += self._safe_lines(source, located, settings)
            return unchanged._replace(proof=ProofResult(Exit.NOT_PROVEN, lines, reason=reason))
        outcome = self._try(source, where, located, settings, candidates)
        if outcome.write_error:
            return FileResult(result.path, problem=Problem(Exit.UNREADABLE, f"proven, but {outcome.write_error}"))
        proof = ProofResult(
            outcome.exit, (), _tried(outcome, candidates), outcome.result, seconds=time.monotonic() - began
        )
        if outcome.after is None:
            lines = not_proven_lines(outcome.result, result.path, self._columns)
            lines += self._safe_lines(source, located, settings)
            return unchanged._replace(proof=proof._replace(lines=lines))
        chosen = next(candidate for candidate in candidates if candidate.source.data == outcome.after)
        wrote = Written(result.path, outcome.written, source.data, outcome.after)
        lines = proven_lines(outcome.result, wrote, self._columns)
        report = linter.lint(chosen.source, located.context, settings)
        return result._replace(
            report=report,
            applied=chosen.applied,
            held=linter.held_back(report),
            after=outcome.after,
            written=outcome.written,
            proof=proof._replace(lines=lines),
        )

    def _safe_lines(self, source: Source, located: Located, settings: Settings) -> tuple[str, ...]:
        """What could be written without a proof, where there is such a thing."""
        fixed = linter.fix(source, located.context, settings)
        codes = tuple(dict.fromkeys(code for one in fixed.applied for code in one.codes))
        return safe_lines(codes, self._columns) if fixed.bug is None else ()

    def _try(
        self, source: Source, where: str, located: Located, settings: Settings, candidates: tuple[Candidate, ...]
    ) -> ProveOutcome:
        context = None if located.root is None else Path(located.root)
        subject = subject_of(source, Path(where), context, settings, candidates[0])
        rewrites = tuple(trial_of(candidate, settings.target) for candidate in candidates)
        options = trial.Options(platforms=settings.platforms, smokes=self._task.smoke, probe_image=settings.probe_image)
        try:
            return prove_and_write(subject, rewrites, self._engine, options, self._watch, write=self._task.write)
        finally:
            self._watch.close()


def _tried(outcome: ProveOutcome, candidates: tuple[Candidate, ...]) -> tuple[Tried, ...]:
    """The choices that something speaks against; not those that were proven in the end."""
    found: dict[tuple[str, str], Tried] = {}
    for candidate, proof in zip(candidates, outcome.result.proofs, strict=False):
        for fix in (one.fix for one in candidate.applied if one.fix.choice):
            if proof.outcome is Outcome.NOT_PROVEN:
                found[fix.key, fix.choice] = Tried(fix.key, fix.choice, proof.reason)
            elif proof.outcome is Outcome.PROVEN:
                found.pop((fix.key, fix.choice), None)
    return tuple(found.values())


def subject_of(
    source: Source, place: Path, context: Path | None, settings: Settings, candidate: Candidate
) -> trial.Subject:
    """The Dockerfile at `place` as what is on trial; any of its candidates knows what it is built on."""
    return trial.Subject(
        path=source.path,
        dockerfile=source.data,
        context=context,
        dockerfile_path=place,
        target=settings.target,
        args=settings.args,
        base=candidate.before_base or None,
        programs=next((one.old_programs for one in candidate.fix.images if _is_built(one, settings.target)), ()),
    )


def trial_of(candidate: Candidate, target: str | None = None) -> trial.Candidate:
    """What the linter offers, as a proof takes it: the image of `target`, and the others that the fix changes."""
    fix = candidate.fix
    claim = fix.claim
    others: tuple[trial.Other, ...] = ()
    if fix.images:
        claim = next((one.claim for one in fix.images if _is_built(one, target)), None)
        others = tuple(
            trial.Other(one.name, one.claim, one.old_base or None, one.new_base or None, one.old_programs)
            for one in fix.images
            # a stage without a name that is not the last one is no image: nothing can ask for it
            if one.name and not _is_built(one, target)
        )
    after_base = candidate.after_base or None
    return trial.Candidate(
        fix.choice, candidate.source.data, claim, fix.config_changes, after_base, others, candidate.repaired
    )


def _is_built(image: ImageClaim, target: str | None) -> bool:
    return image.name == target.lower() if target else image.last

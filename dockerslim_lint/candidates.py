"""What `--verify` may try: complete outcomes of one file, each of the linter's choices with the fixes that stand alone."""

from __future__ import annotations

from dockerslim_lint.config import Settings
from dockerslim_lint.context import BuildContext
from dockerslim_lint.edit import Claim, Fix, Safety, Withheld, apply
from dockerslim_lint.facts.model import ImageBuild
from dockerslim_lint.finding import Finding
from dockerslim_lint.linter import (
    SLIM,
    Applied,
    Reader,
    Report,
    apply_fixes,
    decisions,
    report_of,
    settled,
    worse,
)
from dockerslim_lint.record import Record
from dockerslim_lint.source import Source


class Candidate(Record):
    """One complete outcome that a proof can be asked for: one choice of each slim decision, and fixes that stand alone.

    `fix` is all of it as one; its edits are of use only where `applied`, in order, has no other fix. `codes` are those that
    it settles; `before_base` and `after_base` name the final stage's base image. `repaired` are the first lines of the steps
    at which the file as it is cannot be built, as a finding says that is settled.
    """

    fix: Fix
    source: Source
    codes: tuple[str, ...]
    before_base: str
    after_base: str
    applied: tuple[Applied, ...]
    repaired: tuple[int, ...] = ()


def find_candidates(source: Source, context: BuildContext, settings: Settings) -> tuple[Candidate, ...]:
    """What `--verify` may try, in order; empty where nothing is to be written.

    Each choice of the slim decisions comes with the fixes that stand alone: first with all of them, then, should they be
    what fails, with the SAFE ones. Where there is no such decision they are tried all together, and then each by itself. Where
    only another start shows the program, its decisions are those of the file with that start.
    """
    reader = Reader(source.path, context, settings, alternatives=True)
    original = report = report_of(reader, source)
    slims = _slim_decisions(report)
    first = () if slims else _opening(report)
    if first:
        between = report_of(reader, Source(apply(source.data, first[0].fix.edits), source.path))
        slims = _slim_decisions(between)
        first, report = (first, between) if slims else ((), report)
    wanted = [
        (tuple(Applied(fixes[min(rank, len(fixes) - 1)], codes) for fixes, codes in slims), allow, "")
        for rank in range(max((len(fixes) for fixes, _ in slims), default=1))
        for allow in (Safety.PROVABLE, Safety.SAFE)
    ]
    if not slims:
        alone = [key for key, _, fixes in decisions(report.findings) if any(one.key == key for one in fixes)]
        wanted[1:1] = [((), Safety.PROVABLE, key) for key in alone]
    found: dict[bytes, Candidate] = {}
    for slim, allow, only in wanted:
        candidate = _candidate(reader, report, slim, allow, only, first)
        if candidate is not None:
            found.setdefault(candidate.source.data, candidate)
    return tuple(one._replace(repaired=_repaired(reader, original, one)) for one in found.values())


def _repaired(reader: Reader, report: Report, candidate: Candidate) -> tuple[int, ...]:
    broken = [(finding, fix) for finding in report.findings for fix in _fixes(finding) if fix.repairs == "build"]
    if not broken:
        return ()
    left = {finding.code for finding in report_of(reader, candidate.source).findings}
    places = [
        at
        for finding, fix in broken
        if finding.code not in left
        for at in (finding.span.start, *(edit.start for edit in fix.edits))
    ]
    spans = [instruction.span for instruction in reader.read(report.source).instructions]
    steps = {span.start for span in spans for at in places if span.start <= at < span.end}
    return tuple(sorted(map(report.source.line_of, steps)))


def _fixes(finding: Finding) -> tuple[Fix, ...]:
    return () if isinstance(finding.fixes, Withheld) else finding.fixes


def _opening(report: Report) -> tuple[Applied, ...]:
    """The fix after which the image starts its program, without a claim of its own: it is the result that is proven."""
    for key, codes, fixes in decisions(report.findings):
        for one in fixes:
            if one.key == key and one.repairs == "program":
                return (Applied(one._replace(claim=None), codes),)
    return ()


def _slim_decisions(report: Report) -> list[tuple[tuple[Fix, ...], tuple[str, ...]]]:
    """The choices of each slim decision, with the codes that wait for it."""
    found = []
    for key, codes, fixes in decisions(report.findings):
        provable = tuple(one for one in fixes if one.key == key and one.safety is Safety.PROVABLE)
        if provable and key.startswith(SLIM):
            found.append((provable, codes))
    return found


def _candidate(
    reader: Reader,
    report: Report,
    slim: tuple[Applied, ...],
    allow: Safety,
    only: str,
    first: tuple[Applied, ...] = (),
) -> Candidate | None:
    """The file with the `slim` fixes and all others up to `allow`; None where nothing is left to write, or a fix is a bug.

    `only` is the key of the one fix that needs a proof, "" for all of them; `first` has made the file that `report` is about.
    """
    source = report.source
    edits = [edit for one in slim for edit in one.fix.edits]
    after = Source(apply(source.data, edits), source.path)
    if slim:
        between = report_of(reader, after)
        if worse(reader, report, between, edits):
            return None
        slim = tuple(one._replace(codes=settled(report, between, one.fix.key)) for one in slim)
    fixed = apply_fixes(reader, after, allow, decide=False, only=only)
    applied = slim + first + fixed.applied
    if not applied or fixed.bug is not None:
        return None
    codes = tuple(dict.fromkeys(code for one in applied for code in one.codes))
    bases = _base(reader.read(source)), _base(reader.read(fixed.source))
    return Candidate(_merged([one.fix for one in applied]), fixed.source, codes, *bases, applied)


def _merged(fixes: list[Fix]) -> Fix:
    """Several fixes as one, for a proof. Those that stand alone were made in order: the last one knows which programs there are."""
    first = fixes[0]
    if len(fixes) == 1:
        return first
    claims = [one.claim for one in fixes if one.claim is not None]
    alone = [one.claim for one in fixes if one.claim is not None and not one.key.startswith(SLIM)]
    claim = None
    if claims:
        claim = Claim(
            tuple(dict.fromkeys(path for one in alone[-1:] or claims for path in one.binaries)),
            all(one.static for one in claims),
            all(one.stripped for one in claims),
            tuple(dict.fromkeys(need for one in claims for need in one.needs)),
            any(one.smaller for one in claims),
        )
    return first._replace(
        edits=tuple(edit for one in fixes for edit in one.edits),
        config_changes=tuple(change for one in fixes for change in one.config_changes),
        claim=claim,
        images=tuple(image for one in fixes for image in one.images),
    )


def _base(build: ImageBuild) -> str:
    """The reference of the base of the image that a plain build makes."""
    last = next((image for image in reversed(build.images)), None)
    return build.stages[last.stage].base_reference or "" if last is not None else ""

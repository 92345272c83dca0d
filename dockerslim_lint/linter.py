"""The two functions that everything else is a shell around: `lint` and `fix`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from dockerslim_lint.config import Settings
from dockerslim_lint.context import BuildContext
from dockerslim_lint.edit import Claim, Edit, Fix, OverlapError, Safety, Withheld, apply
from dockerslim_lint.facts.build import read_build
from dockerslim_lint.facts.model import ImageBuild
from dockerslim_lint.finding import Finding, Severity
from dockerslim_lint.plan.decision import Plan
from dockerslim_lint.record import Record
from dockerslim_lint.registry import chosen
from dockerslim_lint.source import Source, encode
from dockerslim_lint.suppress import Suppression, split, suppressions

MAX_PASSES = 20
"""More fixes than any file has."""


class Report(Record):
    """What is to be said of one file.

    `error` is set where the file has no instruction list (DSL901 is then among the findings): exit code 4. `notes` are
    single lines for stderr (a broken Cargo.toml, a context that is not known …).
    """

    source: Source
    findings: tuple[Finding, ...]
    suppressed: tuple[Finding, ...]
    error: str | None
    notes: tuple[str, ...]


class Applied(Record):
    """A fix that was made, and the codes of the findings that it settled."""

    fix: Fix
    codes: tuple[str, ...]


class Held(Record):
    """A decision that was not made: `codes` of the findings that wait for it, and why in one line.

    `fixes` are its candidates (empty where the plan itself withheld).
    """

    key: str
    codes: tuple[str, ...]
    fixes: tuple[Fix, ...]
    reason: str


class Fixed(Record):
    """The result of `fix`: `report` is about the new source. `bug` is set where a fix of ours was thrown away (exit code 5)."""

    source: Source
    report: Report
    applied: tuple[Applied, ...]
    held: tuple[Held, ...]
    bug: str | None


class Candidate(Record):
    """One complete outcome that a proof can be asked for: all SAFE fixes and one choice of the slim decision.

    `codes` are those that `fix` settles; `before_base` and `after_base` name the final stage's base image.
    """

    fix: Fix
    source: Source
    codes: tuple[str, ...]
    before_base: str
    after_base: str


def lint(source: Source, context: BuildContext, settings: Settings, alternatives: bool = True) -> Report:
    """All findings of one file, in file order.

    Without `alternatives` a finding carries only its preferred fix, composed but not read again: half the time.
    """
    return _report(_Reader(source.path, context, settings, alternatives, checked=alternatives), source)


def fix(source: Source, context: BuildContext, settings: Settings, allow: Safety = Safety.SAFE) -> Fixed:
    """Apply every fix up to `allow`, one after the other, and read the result again each time.

    A fix whose result is worse in any way (it does not parse, brings a finding that was not there, changes what it does
    not name) is thrown away whole and reported as our bug.
    """
    return _fix(_Reader(source.path, context, settings, alternatives=False), source, allow)


def candidates(source: Source, context: BuildContext, settings: Settings) -> tuple[Candidate, ...]:
    """What `--verify` may try, in order; empty where no PROVABLE fix is there. Each holds the SAFE fixes too.

    The first choice of the slim decision is tried with the small fixes of the rules, and then without: one that fails must
    not take it down. Where nothing is to be slimmed they are tried all together, then each alone.
    """
    reader = _Reader(source.path, context, settings, alternatives=True)
    report = _report(reader, source)
    decisions: dict[str, tuple[tuple[Fix, ...], tuple[str, ...]]] = {}
    for key, codes, fixes in _decisions(report.findings):
        provable = tuple(one for one in fixes if one.key == key and one.safety is Safety.PROVABLE)
        if provable:
            decisions[key] = (provable, codes)
    found: list[Candidate] = []
    before = reader.read(source)
    for together, codes in _rungs(source, decisions):
        edits = [edit for one in together for edit in one.edits]
        after = Source(apply(source.data, edits), source.path)
        safe = _fix(reader, after, Safety.SAFE)
        merged = _merged(together)
        repairs = any(one.repairs for one in together)
        if (
            safe.bug is not None
            or _worse(report, _report(reader, after), repairs)
            or _touched_elsewhere(source, after, edits)
        ):
            continue
        plain = Candidate(merged, safe.source, codes, _base(before), _base(reader.read(safe.source)))
        if not found and merged.key.startswith("slim:"):
            found += _with_small_fixes(reader, plain)
        found.append(plain)
    return tuple(found)


def _with_small_fixes(reader: _Reader, candidate: Candidate) -> Iterator[Candidate]:
    """The candidate with what rules would mend beside it, if there is anything."""
    more = _fix(reader, candidate.source, Safety.PROVABLE, small=True)
    if not more.applied or more.bug is not None:
        return
    claim, last = candidate.fix.claim, more.applied[-1].fix.claim
    if claim is not None and last is not None:
        claim = last._replace(needs=claim.needs, smaller=claim.smaller)
    changes = [change for one in more.applied for change in one.fix.config_changes]
    fix = candidate.fix._replace(config_changes=(*candidate.fix.config_changes, *changes), claim=claim)
    codes = dict.fromkeys((*candidate.codes, *(code for one in more.applied for code in one.codes)))
    yield candidate._replace(fix=fix, source=more.source, codes=tuple(codes))


def _rungs(
    source: Source, decisions: dict[str, tuple[tuple[Fix, ...], tuple[str, ...]]]
) -> Iterator[tuple[list[Fix], tuple[str, ...]]]:
    """The fixes that are tried together, preferred first, with the codes that they settle."""
    of_images = {key: one for key, one in decisions.items() if key.startswith(("slim:", "strip:"))}
    slim = any(key.startswith("slim:") for key in decisions)
    taken = of_images if slim else _beside_each_other(source, decisions)
    codes = tuple(dict.fromkeys(code for _, codes in taken.values() for code in codes))
    for rank in range(max((len(fixes) for fixes, _ in taken.values()), default=0)):
        yield [fixes[min(rank, len(fixes) - 1)] for fixes, _ in taken.values()], codes
    if not slim and len(decisions) > 1:
        for fixes, own in decisions.values():
            yield [fixes[0]], own


def _beside_each_other(
    source: Source, decisions: dict[str, tuple[tuple[Fix, ...], tuple[str, ...]]]
) -> dict[str, tuple[tuple[Fix, ...], tuple[str, ...]]]:
    """Those whose first fixes do not touch the same bytes."""
    taken: dict[str, tuple[tuple[Fix, ...], tuple[str, ...]]] = {}
    for key, one in decisions.items():
        edits = [edit for fixes, _ in (*taken.values(), one) for edit in fixes[0].edits]
        try:
            apply(source.data, edits)
        except OverlapError:
            continue
        taken[key] = one
    return taken


class _Reader:
    """Reads sources in the surroundings of one file."""

    def __init__(
        self, path: str, context: BuildContext, settings: Settings, alternatives: bool, checked: bool = True
    ) -> None:
        self.path = path
        self._checked = checked
        self._alternatives = alternatives
        self.context = context
        self.settings = settings
        self._arguments = dict(settings.args)

    def read(self, source: Source) -> ImageBuild:
        return read_build(source, self.context, self._arguments, self.settings.target, self.settings.platforms)

    def plan(self, build: ImageBuild) -> Plan:
        def reread(data: bytes) -> ImageBuild:
            return self.read(Source(data, self.path))

        return Plan(build, self.settings.prefer, reread, self._alternatives, self._checked)


def _report(reader: _Reader, source: Source) -> Report:
    build = reader.read(source)
    plan = reader.plan(build)
    settings = reader.settings
    found: list[Finding] = []
    for rule in chosen(settings.select, settings.ignore):
        found += rule.check(build, plan)
    found.sort(key=lambda finding: (finding.span.start, finding.code))
    comments = suppressions(build.dockerfile, source)
    parted = split(found, comments)
    kept = _withhold_suppressed(source, parted.kept, parted.suppressed)
    fatal = next((problem.text for problem in build.problems if problem.kind == "fatal"), None)
    return Report(source, kept, parted.suppressed, fatal, (*build.notes, *plan.bugs, *_unused(source, parted.unused)))


def _withhold_suppressed(
    source: Source, kept: tuple[Finding, ...], suppressed: tuple[Finding, ...]
) -> tuple[Finding, ...]:
    """Who suppresses one finding of a decision does not want the decision: its other findings lose their fix."""
    lines = {
        finding.key: (finding.code, source.line_of(finding.span.start))
        for finding in suppressed
        if finding.key is not None and finding.key.startswith("slim:")
    }
    after = []
    for finding in kept:
        if finding.key in lines and not isinstance(finding.fixes, Withheld):
            code, line = lines[finding.key]
            own = tuple(one for one in finding.fixes if one.key != finding.key)
            finding = finding._replace(
                fixes=own
                or Withheld(finding.key or "", f"{code} in line {line} is suppressed, and is the same decision")
            )
        after.append(finding)
    return tuple(after)


def _unused(source: Source, comments: tuple[Suppression, ...]) -> tuple[str, ...]:
    notes = []
    for comment in comments:
        line = source.line_of(comment.comment.start)
        what = comment.problem or f"the suppression of {', '.join(comment.codes)} matches no finding"
        notes.append(f"line {line}: {what}")
    return tuple(notes)


def _decisions(findings: tuple[Finding, ...]) -> Iterator[tuple[str, tuple[str, ...], tuple[Fix, ...]]]:
    """Each key with the codes that wait for it and the fixes that its findings carry."""
    codes: dict[str, list[str]] = {}
    fixes: dict[str, dict[Fix, None]] = {}
    for finding in findings:
        if finding.key is None:
            continue
        codes.setdefault(finding.key, []).append(finding.code)
        fixes.setdefault(finding.key, {})
        if not isinstance(finding.fixes, Withheld):
            fixes[finding.key].update(dict.fromkeys(finding.fixes))
    for key, waiting in codes.items():
        yield key, tuple(dict.fromkeys(waiting)), tuple(fixes[key])


def _fix(reader: _Reader, source: Source, allow: Safety, small: bool = False) -> Fixed:
    """`small`: only what rules mend beside the slim decision."""
    applied: list[Applied] = []
    refused: set[tuple[str, str]] = set()
    bug: str | None = None
    report = _report(reader, source)
    for _ in range(MAX_PASSES):
        chosen = _next(report, allow, refused, small)
        if chosen is None:
            break
        after = Source(apply(source.data, chosen.edits), source.path)
        report_after = _report(reader, after)
        wrong = _worse(report, report_after, bool(chosen.repairs)) or _touched_elsewhere(
            source, after, list(chosen.edits)
        )
        if wrong:
            refused.add((chosen.key, chosen.choice))
            bug = bug or f"the fix {chosen.key} ({chosen.choice or chosen.title}) was thrown away: {wrong}"
            continue
        codes = tuple(
            dict.fromkeys(
                finding.code
                for finding in report.findings
                if not isinstance(finding.fixes, Withheld) and any(one.key == chosen.key for one in finding.fixes)
            )
        )
        applied.append(Applied(chosen, codes))
        source, report = after, report_after
    else:
        bug = bug or f"the fixes did not come to an end after {MAX_PASSES} passes"
    return Fixed(source, report, tuple(applied), _held(report), bug)


def _next(report: Report, allow: Safety, refused: set[tuple[str, str]], small: bool) -> Fix | None:
    """The next fix to apply: decisions before what stands alone, so that nothing is done twice."""
    possible = [
        one
        for finding in report.findings
        if not isinstance(finding.fixes, Withheld)
        for one in finding.fixes
        if one.safety <= allow and (one.key, one.choice) not in refused and not (small and one.key.startswith("slim:"))
    ]
    return min(possible, key=lambda one: not one.key.startswith("slim:"), default=None)


def _held(report: Report) -> tuple[Held, ...]:
    held = []
    reasons = {
        finding.fixes.key: finding.fixes.reason for finding in report.findings if isinstance(finding.fixes, Withheld)
    }
    for key, codes, fixes in _decisions(report.findings):
        own = tuple(one for one in fixes if one.key == key)
        if key in reasons and not own:
            reason = reasons[key]
        elif own and own[0].safety is Safety.DISPLAY:
            reason = "advice: needs a human"
        elif own and own[0].key.startswith("slim:"):
            musl = own[0].cost and own[0].claim is not None and own[0].claim.static
            reason = "not proven: changes libc and base image" if musl else "not proven: changes the base image"
        elif key.startswith("strip:"):
            reason = "not proven: nothing is known of who uses the symbols"
        elif own and own[0].repairs == "build":
            reason = "not proven: as it is, the file cannot be built, so there is nothing to compare with"
        else:
            reason = "not proven: changes how the image is built or what is in it"
        held.append(Held(key, codes, own, reason))
    return tuple(held)


def _worse(before: Report, after: Report, repairs: bool = False) -> str:
    """What is wrong with a result, "" if nothing: a finding that was not there, or a file that does not parse.

    Advice that comes with another base (its shell, its allocator) is no reason to throw a rewrite away, nor is what can
    be said only now that the image can be built and started (`repairs`).
    """
    if after.error is not None or repairs:
        return after.error or ""
    old, new = Counter(_warnings(before)), Counter(_warnings(after))
    more = sorted((new - old).elements())
    return f"it brings {', '.join(more)}" if more else ""


def _warnings(report: Report) -> Iterator[str]:
    return (one.code for one in report.findings if one.severity > Severity.INFO)


def _touched_elsewhere(before: Source, after: Source, edits: list[Edit]) -> str:
    """dockerfile-parse, the second reader, must see no change outside of the lines that the edits name."""
    old_lines: set[int] = set()
    new_lines: set[int] = set()
    shift = 0
    for edit in sorted(edits):
        old_lines.update(range(before.line_of(edit.start), before.line_of(edit.end) + 1))
        start = edit.start + shift
        end = start + len(encode(edit.text))
        new_lines.update(range(after.line_of(start), after.line_of(end) + 1))
        shift += end - start - (edit.end - edit.start)
    try:
        from dockerslim_lint.syntax.second_reader import changed_outside
    except ImportError:
        return ""

    return changed_outside(before.data, after.data, old_lines, new_lines) or ""


def _merged(fixes: list[Fix]) -> Fix:
    """The fixes of several decisions as one, for a proof."""
    first = fixes[0]
    if len(fixes) == 1:
        return first
    claims = [one.claim for one in fixes if one.claim is not None]
    claim = claims[0] if claims else None
    claim = claim and Claim(
        tuple(dict.fromkeys(path for one in claims for path in one.binaries)),
        all(one.static for one in claims),
        all(one.stripped for one in claims),
        tuple(dict.fromkeys(need for one in claims for need in one.needs)),
        any(one.smaller for one in claims),
    )
    return first._replace(
        edits=tuple(edit for one in fixes for edit in one.edits),
        config_changes=tuple(change for one in fixes for change in one.config_changes),
        claim=claim,
    )


def _base(build: ImageBuild) -> str:
    """The reference of the base of the image that a plain build makes."""
    last = next((image for image in reversed(build.images)), None)
    return build.stages[last.stage].base_reference or "" if last is not None else ""

"""The two functions that everything else is a shell around: `lint` and `fix`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from dockerslim_lint.config import Settings
from dockerslim_lint.context import BuildContext
from dockerslim_lint.edit import Claim, Edit, Fix, Safety, Withheld, apply
from dockerslim_lint.facts.build import read_build
from dockerslim_lint.facts.model import ImageBuild
from dockerslim_lint.finding import Finding, Severity
from dockerslim_lint.plan.decision import Plan
from dockerslim_lint.record import Record
from dockerslim_lint.registry import to_run
from dockerslim_lint.source import Source, encode
from dockerslim_lint.suppress import Suppression, split, suppressions

SLIM = "slim:"
"""What the key of a decision about libc and base begins with."""

MAX_PASSES = 20
"""More fixes than any file has."""


class Report(Record):
    """What is to be said of one file.

    `error` is set where the file has no instruction list (DSL901 is then among the findings): exit code 4. `notes` are
    single lines for stderr (a broken Cargo.toml, a context that is not known …). `judged` is False where nothing in the file
    builds Rust, as far as can be seen, and nothing was found: that is no praise.
    """

    source: Source
    findings: tuple[Finding, ...]
    suppressed: tuple[Finding, ...]
    error: str | None
    notes: tuple[str, ...]
    judged: bool = True


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
    """The result of `fix`: `report` is about the new source. `bug` is set where a fix of ours was thrown away (exit code 5).

    `held` counts the lines of the new source, `unwritten` is the same with those of the old one.
    """

    source: Source
    report: Report
    applied: tuple[Applied, ...]
    held: tuple[Held, ...]
    bug: str | None
    unwritten: tuple[Held, ...]


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
    """What `--verify` may try, in order; empty where nothing is to be written.

    Each choice of the slim decisions comes with the fixes that stand alone: first with all of them, then, should they be
    what fails, with the SAFE ones. Where there is no such decision they are tried all together, and then each by itself. Where
    only another start shows the program, its decisions are those of the file with that start.
    """
    reader = _Reader(source.path, context, settings, alternatives=True)
    original = report = _report(reader, source)
    decisions = _slim_decisions(report)
    first = () if decisions else _opening(report)
    if first:
        between = _report(reader, Source(apply(source.data, first[0].fix.edits), source.path))
        decisions = _slim_decisions(between)
        first, report = (first, between) if decisions else ((), report)
    wanted = [
        (tuple(Applied(fixes[min(rank, len(fixes) - 1)], codes) for fixes, codes in decisions), allow, "")
        for rank in range(max((len(fixes) for fixes, _ in decisions), default=1))
        for allow in (Safety.PROVABLE, Safety.SAFE)
    ]
    if not decisions:
        alone = [key for key, _, fixes in _decisions(report.findings) if any(one.key == key for one in fixes)]
        wanted[1:1] = [((), Safety.PROVABLE, key) for key in alone]
    found: dict[bytes, Candidate] = {}
    for slim, allow, only in wanted:
        candidate = _candidate(reader, report, slim, allow, only, first)
        if candidate is not None:
            found.setdefault(candidate.source.data, candidate)
    return tuple(one._replace(repaired=_repaired(reader, original, one)) for one in found.values())


def _repaired(reader: _Reader, report: Report, candidate: Candidate) -> tuple[int, ...]:
    broken = [(finding, fix) for finding in report.findings for fix in _fixes(finding) if fix.repairs == "build"]
    if not broken:
        return ()
    left = {finding.code for finding in _report(reader, candidate.source).findings}
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
    for key, codes, fixes in _decisions(report.findings):
        for one in fixes:
            if one.key == key and one.repairs == "program":
                return (Applied(one._replace(claim=None), codes),)
    return ()


def _slim_decisions(report: Report) -> list[tuple[tuple[Fix, ...], tuple[str, ...]]]:
    """The choices of each slim decision, with the codes that wait for it."""
    found = []
    for key, codes, fixes in _decisions(report.findings):
        provable = tuple(one for one in fixes if one.key == key and one.safety is Safety.PROVABLE)
        if provable and key.startswith(SLIM):
            found.append((provable, codes))
    return found


def _candidate(
    reader: _Reader,
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
        between = _report(reader, after)
        if _worse(reader, report, between) or _touched_elsewhere(source, after, edits):
            return None
        slim = tuple(one._replace(codes=_settled(report, between, one.fix.key)) for one in slim)
    fixed = _fix(reader, after, allow, decide=False, only=only)
    applied = slim + first + fixed.applied
    if not applied or fixed.bug is not None:
        return None
    codes = tuple(dict.fromkeys(code for one in applied for code in one.codes))
    bases = _base(reader.read(source)), _base(reader.read(fixed.source))
    return Candidate(_merged([one.fix for one in applied]), fixed.source, codes, *bases, applied)


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
        settings = self.settings
        return read_build(
            source, self.context, self._arguments, settings.target, settings.platforms, settings.base_images
        )

    def plan(self, build: ImageBuild) -> Plan:
        def reread(data: bytes) -> ImageBuild:
            return self.read(Source(data, self.path))

        return Plan(build, self.settings.prefer, reread, self._alternatives, self._checked)


def _report(reader: _Reader, source: Source) -> Report:
    build = reader.read(source)
    plan = reader.plan(build)
    settings = reader.settings
    found: list[Finding] = []
    for rule in to_run(settings.select, settings.ignore, settings.rule_packs, build):
        found += rule.check(build, plan)
    bases = {stage.word.span: stage.base_reference for stage in build.stages if stage.word is not None}
    found = [one._replace(about=base) if (base := bases.get(one.span)) else one for one in found]
    if settings.severity or settings.fix:
        found = _governed(found, settings)
    found.sort(key=lambda finding: (finding.span.start, finding.code))
    comments = suppressions(build.dockerfile, source)
    parted = split(found, comments)
    kept = _withhold_suppressed(source, parted.kept, parted.suppressed)
    fatal = next((problem.text for problem in build.problems if problem.kind == "fatal"), None)
    notes = (*build.notes, *plan.bugs, *_unused(source, parted.unused))
    judged = bool(found or build.calls or any(image.artifacts for image in build.images))
    return Report(source, kept, parted.suppressed, fatal, notes, judged)


def _governed(found: list[Finding], settings: Settings) -> list[Finding]:
    """The findings with the severities of the configuration, and without the fixes that it forbids.

    Who forbids the fix of one finding of a slim decision does not want the decision.
    """
    severities, permissions = _by_rule(settings.severity), _by_rule(settings.fix)
    forbidden = {one.key: one.code for one in found if _word(permissions, one) == "never" and one.key is not None}
    governed = []
    for one in found:
        level = _word(severities, one)
        if level is not None:
            one = one._replace(severity=Severity[level.upper()])
        if one.key in forbidden and not isinstance(one.fixes, Withheld):
            rest = tuple(fix for fix in one.fixes if fix.key != one.key and _word(permissions, one) != "never")
            reason = f"the configuration says never to fix {forbidden[one.key]}"
            one = one._replace(fixes=rest or Withheld(one.key or "", reason))
        governed.append(one)
    return governed


def _by_rule(pairs: tuple[tuple[str, str], ...]) -> dict[str, str]:
    return {name.lower(): word for name, word in pairs}


def _word(words: dict[str, str], finding: Finding) -> str | None:
    """What a table of the configuration says of a finding's rule; its code before its name."""
    return words.get(finding.code.lower()) or words.get(finding.name)


def _withhold_suppressed(
    source: Source, kept: tuple[Finding, ...], suppressed: tuple[Finding, ...]
) -> tuple[Finding, ...]:
    """Who suppresses one finding of a decision does not want the decision: its other findings lose their fix."""
    lines = {
        finding.key: (finding.code, source.line_of(finding.span.start))
        for finding in suppressed
        if finding.key is not None and finding.key.startswith(SLIM)
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
    """Each key with the codes that wait for it, the gravest first, and the fixes that its findings carry."""
    waiting: dict[str, list[Finding]] = {}
    fixes: dict[str, dict[Fix, None]] = {}
    for finding in findings:
        if finding.key is None:
            continue
        waiting.setdefault(finding.key, []).append(finding)
        fixes.setdefault(finding.key, {})
        if not isinstance(finding.fixes, Withheld):
            fixes[finding.key].update(dict.fromkeys(finding.fixes))
    for key, found in waiting.items():
        graver = sorted(found, key=lambda finding: -finding.severity)
        yield key, tuple(dict.fromkeys(finding.code for finding in graver)), tuple(fixes[key])


def _fix(reader: _Reader, source: Source, allow: Safety, decide: bool = True, only: str = "") -> Fixed:
    """Without `decide` the slim decisions are left alone; `only` is the key of the one fix beyond SAFE, "" for all."""
    applied: list[Applied] = []
    refused: set[tuple[str, str]] = set()
    bug: str | None = None
    first = report = _report(reader, source)
    always = {name for name, word in _by_rule(reader.settings.fix).items() if word == "always"}
    for _ in range(MAX_PASSES):
        chosen = _next(report, allow, refused, decide, only, always)
        if chosen is None:
            break
        after = Source(apply(source.data, chosen.edits), source.path)
        report_after = _report(reader, after)
        wrong = _worse(reader, report, report_after, bool(chosen.repairs)) or _touched_elsewhere(
            source, after, list(chosen.edits)
        )
        if wrong:
            refused.add((chosen.key, chosen.choice))
            bug = bug or f"the fix {chosen.key} ({chosen.choice or chosen.title}) was thrown away: {wrong}"
            continue
        applied.append(Applied(chosen, _settled(report, report_after, chosen.key)))
        source, report = after, report_after
    else:
        bug = bug or f"the fixes did not come to an end after {MAX_PASSES} passes"
    held = held_back(report)
    return Fixed(source, report, tuple(applied), held, bug, _as_before(held, first) if applied else held)


def _settled(before: Report, after: Report, key: str) -> tuple[str, ...]:
    """The codes of the findings that a fix was made for, the gravest first; not those that are still there and wait for another one."""
    waiting = [
        finding
        for finding in before.findings
        if not isinstance(finding.fixes, Withheld) and any(one.key == key for one in finding.fixes)
    ]
    waiting.sort(key=lambda finding: -finding.severity)
    codes = tuple(dict.fromkeys(finding.code for finding in waiting))
    left = {finding.code for finding in after.findings if finding.key == key}
    had, has = (Counter(_place(one, finding) for finding in one.findings) for one in (before, after))
    # a call that is only written otherwise has its finding at another place
    fewer = Counter(one.code for one in before.findings) - Counter(one.code for one in after.findings)
    gone = {finding.code for finding in waiting if has[_place(before, finding)] < had[_place(before, finding)]} & {
        *fewer
    }
    settled = tuple(code for code in codes if code not in left and code in gone)
    # of what is still there, for a reason that is known now, less is made
    return settled or tuple(code for code in codes if _gravest(after, code) < _gravest(before, code)) or codes


def _gravest(report: Report, code: str) -> int:
    return max((one.severity for one in report.findings if one.code == code), default=-1)


def _place(report: Report, finding: Finding) -> tuple[str, str]:
    """What a finding is about, wherever that stands in the file."""
    return finding.code, report.source.text(finding.span)


def _next(
    report: Report, allow: Safety, refused: set[tuple[str, str]], decide: bool, only: str, always: set[str]
) -> Fix | None:
    """The next fix to apply: decisions before what stands alone, so that nothing is done twice.

    What the configuration says to fix `always` (rules by code or name, folded) is as good as SAFE, up to PROVABLE.
    """
    possible = [
        one
        for finding in report.findings
        if not isinstance(finding.fixes, Withheld)
        for one in finding.fixes
        if one.safety <= (max(allow, Safety.PROVABLE) if {finding.code.lower(), finding.name} & always else allow)
        and (one.key, one.choice) not in refused
        and (decide or not one.key.startswith(SLIM))
        and (not only or one.key == only or one.safety is Safety.SAFE)
    ]
    return min(possible, key=lambda one: not one.key.startswith(SLIM), default=None)


def held_back(report: Report) -> tuple[Held, ...]:
    """The decisions that are still to be made, each with the reason why it was not."""
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
        elif own and own[0].key.startswith(SLIM) and (what := _changed(own[0])):
            reason = f"not proven: changes {what}"
        elif key.startswith("strip:"):
            reason = "not proven: nothing is known of who uses the symbols"
        elif own and own[0].repairs == "build":
            reason = "not proven: as it is, the file cannot be built"
        else:
            reason = "not proven: changes how the image is built or what is in it"
        held.append(Held(key, codes, own, reason))
    return tuple(held)


def _as_before(held: tuple[Held, ...], first: Report) -> tuple[Held, ...]:
    """Their reasons as they were said of the first source, where those differ in numbers of lines alone."""
    said: dict[str, list[str]] = {}
    for one in held_back(first):
        said.setdefault(_without_numbers(one.reason), []).append(one.reason)
    found = [(one, said.get(_without_numbers(one.reason))) for one in held]
    return tuple(one._replace(reason=reasons.pop(0)) if reasons else one for one, reasons in found)


def _without_numbers(reason: str) -> str:
    return "".join(char for char in reason if not char.isdigit())


def _changed(fix: Fix) -> str:
    """What a slim fix changes of the grave things: ``libc and base image``, one of them, or "" for neither."""
    base = not fix.images or any(one.old_base != one.new_base for one in fix.images)
    if fix.retargets:
        return "libc and base image" if base else "the libc"
    return "the base image" if base else ""


def _worse(reader: _Reader, before: Report, after: Report, repairs: bool = False) -> str:
    """What is wrong with a result, "" if nothing: a finding that was not there, or a file that does not parse.

    Advice that comes with another base (its shell, its allocator) is no reason to throw a rewrite away, nor is what can
    be said only now that the image can be built and started (`repairs`), or that its base and programs are known.
    """
    if after.error is not None or repairs:
        return after.error or ""
    more = Counter(_warnings(after)) - Counter(_warnings(before))
    if more:
        more -= Counter(_unseen(reader, before, after))
    return f"it brings {', '.join(sorted(more.elements()))}" if more else ""


def _warnings(report: Report) -> Iterator[str]:
    return (one.code for one in report.findings if one.severity > Severity.INFO)


def _unseen(reader: _Reader, before: Report, after: Report) -> Iterator[str]:
    """The codes of what the old file had too, where nobody could tell; of its base only what waits for the same decision, or for none."""
    from dockerslim_lint.facts.unseen import unseen

    hidden = unseen(reader.read(before.source), reader.read(after.source))
    waiting = {one.key for one in before.findings if one.key is not None and one.key.startswith(SLIM)}
    for one in after.findings:
        if one.span in hidden.lacking or (one.span in hidden.bases and (one.key is None or one.key in waiting)):
            yield one.code


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

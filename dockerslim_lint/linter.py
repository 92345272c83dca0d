"""The two functions that everything else is a shell around: `lint` and `fix`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from dockerslim_lint.config import Settings
from dockerslim_lint.context import BuildContext
from dockerslim_lint.edit import Edit, Fix, Safety, Withheld, apply
from dockerslim_lint.facts.build import read_build
from dockerslim_lint.facts.model import ImageBuild
from dockerslim_lint.finding import Finding, Severity
from dockerslim_lint.plan.decision import Plan
from dockerslim_lint.plan.obstacles import behind
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


def lint(source: Source, context: BuildContext, settings: Settings, alternatives: bool = True) -> Report:
    """All findings of one file, in file order.

    Without `alternatives` a finding carries only its preferred fix, composed but not read again: half the time.
    """
    return report_of(Reader(source.path, context, settings, alternatives, checked=alternatives), source)


def fix(source: Source, context: BuildContext, settings: Settings, allow: Safety = Safety.SAFE) -> Fixed:
    """Apply every fix up to `allow`, one after the other, and read the result again each time.

    A fix whose result is worse in any way (it does not parse, brings a finding that was not there, changes what it does
    not name) is thrown away whole and reported as our bug.
    """
    return apply_fixes(Reader(source.path, context, settings, alternatives=False), source, allow)


class Reader:
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


def report_of(reader: Reader, source: Source) -> Report:
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
    builds = bool(found or build.calls or any(image.artifacts for image in build.images))
    unseen = () if builds else tuple(_unseen_build(build))[:1]
    notes = (*build.notes, *unseen, *plan.bugs, *_unused(source, parted.unused))
    judged = bool(builds or unseen)
    return Report(source, kept, parted.suppressed, fatal, notes, judged)


def _unseen_build(build: ImageBuild) -> Iterator[str]:
    """What may call cargo out of sight, in a stage with a toolchain from which another takes files."""
    for transfer in build.transfers:
        origin = build.stages[transfer.origin_stage] if transfer.origin_stage is not None else None
        builder = build.builders[origin.number] if origin is not None else None
        if origin is not None and builder is not None and origin.image is not None and origin.image.toolchain:
            yield behind(build, builder[0], transfer.destination)


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
        if _word(permissions, one) == "always":
            one = one._replace(allowed=True)
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


def decisions(findings: tuple[Finding, ...]) -> Iterator[tuple[str, tuple[str, ...], tuple[Fix, ...]]]:
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


def apply_fixes(reader: Reader, source: Source, allow: Safety, decide: bool = True, only: str = "") -> Fixed:
    """Without `decide` the slim decisions are left alone; `only` is the key of the one fix beyond SAFE, "" for all."""
    applied: list[Applied] = []
    refused: set[tuple[str, str]] = set()
    bug: str | None = None
    first = report = report_of(reader, source)
    for _ in range(MAX_PASSES):
        chosen = _next(report, allow, refused, decide, only)
        if chosen is None:
            break
        after = Source(apply(source.data, chosen.edits), source.path)
        report_after = report_of(reader, after)
        wrong = worse(reader, report, report_after, chosen.edits, bool(chosen.repairs))
        if wrong:
            refused.add((chosen.key, chosen.choice))
            bug = bug or f"the fix {chosen.key} ({chosen.choice or chosen.title}) was thrown away: {wrong}"
            continue
        applied.append(Applied(chosen, settled(report, report_after, chosen.key)))
        source, report = after, report_after
    else:
        bug = bug or f"the fixes did not come to an end after {MAX_PASSES} passes"
    held = held_back(report)
    return Fixed(source, report, tuple(applied), held, bug, _as_before(held, first) if applied else held)


def settled(before: Report, after: Report, key: str) -> tuple[str, ...]:
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
    ended = tuple(code for code in codes if code not in left and code in gone)
    # of what is still there, for a reason that is known now, less is made
    return ended or tuple(code for code in codes if _gravest(after, code) < _gravest(before, code)) or codes


def _gravest(report: Report, code: str) -> int:
    return max((one.severity for one in report.findings if one.code == code), default=-1)


def _place(report: Report, finding: Finding) -> tuple[str, str]:
    """What a finding is about, wherever that stands in the file."""
    return finding.code, report.source.text(finding.span)


def _next(report: Report, allow: Safety, refused: set[tuple[str, str]], decide: bool, only: str) -> Fix | None:
    """The next fix to apply: decisions before what stands alone, so that nothing is done twice."""
    possible = [
        one
        for finding in report.findings
        if not isinstance(finding.fixes, Withheld)
        for one in finding.fixes
        if (one.safety <= allow or finding.is_safe(one))
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
    for key, codes, fixes in decisions(report.findings):
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


def worse(reader: Reader, before: Report, after: Report, edits: Iterable[Edit], repairs: bool = False) -> str:
    """What is wrong with the result of these edits, "" if nothing: a finding that was not there, a file that does not parse, a
    change outside of them.

    Advice that comes with another base (its shell, its allocator) is no reason to throw a rewrite away, nor is what can
    be said only now that the image can be built and started (`repairs`), or that its base and programs are known.
    """
    if after.error is not None:
        return after.error
    more = Counter[str]() if repairs else Counter(_warnings(after)) - Counter(_warnings(before))
    if more:
        more -= Counter(_unseen(reader, before, after))
    if more:
        return f"it brings {', '.join(sorted(more.elements()))}"
    return _touched_elsewhere(before.source, after.source, edits)


def _warnings(report: Report) -> Iterator[str]:
    return (one.code for one in report.findings if one.severity > Severity.INFO)


def _unseen(reader: Reader, before: Report, after: Report) -> Iterator[str]:
    """The codes of what the old file had too, where nobody could tell; of its base only what waits for the same decision, or for none."""
    from dockerslim_lint.facts.unseen import unseen

    hidden = unseen(reader.read(before.source), reader.read(after.source))
    waiting = {one.key for one in before.findings if one.key is not None and one.key.startswith(SLIM)}
    for one in after.findings:
        if one.span in hidden.lacking or (one.span in hidden.bases and (one.key is None or one.key in waiting)):
            yield one.code


def _touched_elsewhere(before: Source, after: Source, edits: Iterable[Edit]) -> str:
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

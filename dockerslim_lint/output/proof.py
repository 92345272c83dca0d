"""The end of a proof, for people: PROVEN with its evidence, or NOT PROVEN with the reasons."""

from __future__ import annotations

from dockerslim_lint.output.diff import lines_of, opcodes
from dockerslim_lint.output.printable import printable, wrap
from dockerslim_lint.record import Record
from dockerslim_lint.verify.evidence.interface import Verdict
from dockerslim_lint.verify.ladder import LadderResult
from dockerslim_lint.verify.proof import Outcome, PlatformProof, Proof

COLUMNS = 80
_CLAIMS = ("builds", "starts", "same output", "static")
_MARKS = {Verdict.HOLDS: "✓", Verdict.FAILS: "✗", Verdict.UNKNOWN: "?", Verdict.NOT_APPLICABLE: "–", None: "–"}


class Written(Record):
    """What became of the proven bytes: `path` as given, whether they are in the file, and both versions."""

    path: str
    written: bool
    before: bytes
    after: bytes


def proven_lines(result: LadderResult, written: Written) -> tuple[str, ...]:
    """The block for a proven candidate."""
    proof = result.proofs[-1]
    claim = result.proven.claim if result.proven else None
    kind = [word for word, held in (("static", claim and claim.static), ("stripped", claim and claim.stripped)) if held]
    lines = [
        "PROVEN  " + " · ".join((proof.choice or "the fix", *kind)),
        *_table(proof.platforms),
        *_odd_starts(proof.platforms),
    ]
    if proof.ran:
        lines += _row("ran", "; ".join(proof.ran))
    if proof.config:
        lines += _row("config", proof.config)
    lines += [line for platform, why in proof.left_out for line in _row("left out", f"{platform}: {why}")]
    verb = "wrote" if written.written else "would write"
    lines += _row(verb, f"{written.path} ({changes(written.before, written.after)})")
    return tuple(map(printable, lines))


def not_proven_lines(result: LadderResult, path: str) -> tuple[str, ...]:
    """The block where nothing was proven, or no engine could try."""
    if result.outcome is Outcome.NO_ENGINE:
        lines = [f"NOT PROVEN, {path} untouched: no engine", *wrap(printable(result.reason), COLUMNS, "  ")]
        return tuple(map(printable, [*lines, *(wrap(result.remedy, COLUMNS, "  ") if result.remedy else [])]))
    lines = [f"NOT PROVEN, {path} untouched"]
    for proof in result.proofs:
        lines += _failed(proof)
    if not result.proofs:
        lines += wrap(result.reason, COLUMNS, "  ")
    return tuple(map(printable, lines))


def unprovable_lines(path: str, reason: str) -> tuple[str, ...]:
    """The block where a proof was not even tried."""
    return tuple(map(printable, [f"NOT PROVEN, {path} untouched", *wrap(reason, COLUMNS, "  ")]))


def changes(before: bytes, after: bytes) -> str:
    """``1 line added, 3 edited``."""
    added = edited = removed = 0
    for tag, old_start, old_end, new_start, new_end in opcodes(lines_of(before), lines_of(after)):
        if tag == "equal":
            continue
        old, new = old_end - old_start, new_end - new_start
        edited += min(old, new)
        added += max(new - old, 0)
        removed += max(old - new, 0)
    parts = [(added, "added"), (edited, "edited"), (removed, "removed")]
    told = [f"{number} {what}" for number, what in parts if number]
    if not told:
        return "unchanged"
    first, rest = told[0].split(" ", 1)
    return ", ".join([f"{first} {'line' if first == '1' else 'lines'} {rest}", *told[1:]])


def _table(platforms: tuple[PlatformProof, ...]) -> list[str]:
    names = max(len(platform.platform) for platform in platforms)
    widths = [len(claim) for claim in _CLAIMS]
    rows = [["", *_CLAIMS, "pull", "unpacked"]]
    for platform in platforms:
        marks = [_MARKS[platform.verdict(claim)] for claim in _CLAIMS]
        if platform.how == "emulated":
            marks[1] += " qemu"
        sizes = platform.sizes
        pull = f"{_megabytes(sizes.old_pull)} → {_megabytes(sizes.new_pull)}" if sizes else "–"
        unpacked = f"{_megabytes(sizes.old_unpacked)} → {_megabytes(sizes.new_unpacked)} MB" if sizes else "–"
        rows.append([platform.platform, *marks, pull, unpacked])
    widths = [names, *(max(len(row[column]) for row in rows) for column in range(1, 7))]
    lines = []
    for row in rows:
        cells = [f"{row[0]:<{widths[0]}}"]
        cells += [f"{row[column]:<{widths[column]}}" for column in range(1, 5)]
        cells += [f"{row[column]:>{widths[column]}}" for column in (5, 6)]
        lines.append(("  " + "  ".join(cells)).rstrip())
    return lines


def _odd_starts(platforms: tuple[PlatformProof, ...]) -> list[str]:
    """A word on originals that do not start: there was nothing to compare with."""
    lines = []
    for platform in platforms:
        if not platform.original_starts:
            summary = next((item.summary for item in platform.evidence if item.claim == "starts"), "")
            lines += _row("starts", f"{platform.platform}: {summary or 'starts; the original did not'}")
    return lines


def _failed(proof: Proof) -> list[str]:
    name = f"  {proof.choice or 'the fix':<17}  "
    items = [item for platform in proof.platforms for item in (*platform.failed, *platform.unknown)]
    if not items:
        return wrap(f"✗ {proof.reason}", COLUMNS, name, " " * len(name))
    lines: list[str] = []
    for item in items:
        mark = "✗" if item.verdict is Verdict.FAILS else "?"
        told = printable(f"{mark} {item.claim}, {item.platform}: {item.summary}")
        lines += wrap(told, COLUMNS, " " * len(name) if lines else name, " " * len(name))
        lines += [" " * len(name) + "  " + detail for detail in item.details[:8]]
    return lines


def _row(name: str, text: str) -> list[str]:
    head = f"  {name:<8} "
    return wrap(text, COLUMNS, head, " " * len(head))


def _megabytes(number: int) -> str:
    return f"{number / 1_000_000:.1f}"

"""The end of a proof, for people: PROVEN with its evidence, or NOT PROVEN with the reasons."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from dockerslim_lint.output.diff import lines_of, opcodes
from dockerslim_lint.output.interface import COLUMNS, Line, Piece
from dockerslim_lint.output.printable import printable, width, wrap
from dockerslim_lint.record import Record
from dockerslim_lint.verify.evidence.interface import Verdict
from dockerslim_lint.verify.ladder import LadderResult
from dockerslim_lint.verify.proof import Outcome, PlatformProof, Proof

_CLAIMS = ("builds", "starts", "same output", "static")
_MARKS = {Verdict.HOLDS: "✓", Verdict.FAILS: "✗", Verdict.UNKNOWN: "?", Verdict.NOT_APPLICABLE: "–", None: "–"}


_STYLES = (("PROVEN", "bold green"), ("NOT PROVEN", "bold red"))


class Written(Record):
    """What became of the proven bytes: `path` as given, whether they are in the file, and both versions."""

    path: str
    written: bool
    before: bytes
    after: bytes


def proven_lines(result: LadderResult, written: Written, columns: int = COLUMNS) -> tuple[str, ...]:
    """The block for a proven candidate."""
    proof = result.proofs[-1]
    claim = result.proven.claim if result.proven else None
    kind = [word for word, held in (("static", claim and claim.static), ("stripped", claim and claim.stripped)) if held]
    lines = [
        "PROVEN  " + " · ".join((proof.choice or "the fix", *kind)),
        *_table(proof.platforms, columns),
        *_odd_starts(proof.platforms, columns),
    ]
    if proof.ran:
        lines += _row("ran", "; ".join((*_ran(proof), *_health(proof))), columns)
    if proof.config:
        lines += _row("config", proof.config, columns)
    lines += [line for platform, why in proof.left_out for line in _row("left out", f"{platform}: {why}", columns)]
    lines += [line for text in _better(result) for line in _row("tried", text, columns)]
    verb = "wrote" if written.written else "would write"
    lines += _row(verb, f"{written.path} ({changes(written.before, written.after)})", columns)
    return tuple(map(printable, lines))


def not_proven_lines(result: LadderResult, path: str, columns: int = COLUMNS) -> tuple[str, ...]:
    """The block where nothing was proven, or no engine could try."""
    if result.outcome is Outcome.NO_ENGINE:
        lines = [f"NOT PROVEN, {path} untouched: no engine", *wrap(printable(result.reason), columns, "  ")]
        return tuple(map(printable, [*lines, *(wrap(result.remedy, columns, "  ") if result.remedy else [])]))
    lines = [f"NOT PROVEN, {path} untouched"]
    for proof in result.proofs:
        lines += _failed(proof, columns)
    if not result.proofs:
        lines += wrap(result.reason, columns, "  ")
    return tuple(map(printable, lines))


def unprovable_lines(path: str, reason: str, columns: int = COLUMNS) -> tuple[str, ...]:
    """The block where a proof was not even tried."""
    return tuple(map(printable, [f"NOT PROVEN, {path} untouched", *wrap(reason, columns, "  ")]))


def safe_lines(codes: Sequence[str], columns: int = COLUMNS) -> tuple[str, ...]:
    """What to say of the findings that ``--fix`` settles without a proof; nothing for none."""
    text = f"lint --fix writes what is safe by construction: {', '.join(codes)}"
    return tuple(wrap(text, columns, "  ", "    ")) if codes else ()


def styled(lines: Sequence[str]) -> list[Line]:
    """A block with its first word in colour."""
    word, style = next((pair for pair in _STYLES if lines[:1] and lines[0].startswith(pair[0])), ("", ""))
    first: list[Line] = [(Piece(word, style), Piece(line.removeprefix(word))) for line in lines[:1]]
    return [*first, *((Piece(line),) for line in lines[1:])]


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


def _table(platforms: tuple[PlatformProof, ...], columns: int) -> list[str]:
    """A row for each platform. The sizes stand beside it, or below the table where there is no room."""
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
    if max(map(width, lines)) <= columns or columns >= COLUMNS:
        return lines
    lines = ["  " + "  ".join(f"{cell:<{room}}" for cell, room in zip(row[:5], widths, strict=False)) for row in rows]
    told = [f"{row[0]}: {row[5]} MB, unpacked {row[6]}" for row in rows[1:] if row[5] != "–"]
    return [*(line.rstrip() for line in lines), *(line for text in told for line in _row("pull", text, columns))]


def _ran(proof: Proof) -> list[str]:
    pairs = zip_longest(proof.ran, proof.still, fillvalue=0.0)
    return [
        f"{command} (still running after {seconds:.0f} s)" if seconds else str(command) for command, seconds in pairs
    ]


def _health(proof: Proof) -> list[str]:
    """How the image's own check went, where it has one: a word on the worst platform."""
    found = [item for platform in proof.platforms for item in platform.evidence if item.claim == "health check"]
    odd = next((item for item in found if item.verdict is not Verdict.HOLDS or item.summary != "succeeds"), None)
    if odd is not None:
        return [f"health check: {odd.summary}"]
    return ["health check ✓"] if found else []


def _odd_starts(platforms: tuple[PlatformProof, ...], columns: int) -> list[str]:
    """A word on originals that do not build or do not start: there was nothing to compare with."""
    lines = []
    for platform in platforms:
        if platform.repairs:
            lines += _row("repairs", f"{platform.platform}: {platform.repairs}", columns)
        elif not platform.original_starts:
            summary = next((item.summary for item in platform.evidence if item.claim == "starts"), "")
            lines += _row("starts", f"{platform.platform}: {summary or 'starts; the original did not'}", columns)
    return lines


def _failed(proof: Proof, columns: int) -> list[str]:
    name = f"  {proof.choice or 'the fix':<17}  "
    items = [item for platform in proof.platforms for item in (*platform.failed, *platform.unknown)]
    if not items:
        return wrap(f"✗ {proof.reason}", columns, name, " " * len(name))
    lines: list[str] = []
    for item in items:
        mark = "✗" if item.verdict is Verdict.FAILS else "?"
        told = printable(f"{mark} {item.claim}, {item.platform}: {item.summary}")
        lines += wrap(told, columns, " " * len(name) if lines else name, " " * len(name))
        lines += [" " * len(name) + "  " + detail for detail in item.details[:8]]
    return lines


def _better(result: LadderResult) -> list[str]:
    """What was tried before the candidate that was proven, each with the reason against it."""
    *failed, proven = result.proofs
    told = []
    for proof in failed:
        name = f"{proof.choice or 'the fix'}{' with all other fixes' if proof.choice == proven.choice else ''}"
        told.append(f"{name} {'✗' if proof.outcome is Outcome.NOT_PROVEN else '?'} {proof.reason}")
    return list(dict.fromkeys(told))


def _row(name: str, text: str, columns: int) -> list[str]:
    head = f"  {name:<8} "
    return wrap(text, columns, head, " " * len(head))


def _megabytes(number: int) -> str:
    return f"{number / 1_000_000:.1f}"

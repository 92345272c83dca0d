"""Evidence for "starts" and "same output": runs of the old and the new image, compared."""

from __future__ import annotations

from collections.abc import Sequence

from dockerslim_lint.record import Record
from dockerslim_lint.verify.evidence.interface import Evidence, Run, Verdict
from dockerslim_lint.verify.evidence.messages import normalised_lines
from dockerslim_lint.verify.evidence.template import make_template, match_template


class Comparison(Record):
    """One command, run in both images.

    `original_started` False: there was nothing to compare with. `lines` were compared, `masked` places were not since
    the old image differs in them from itself.
    """

    command: tuple[str, ...]
    original_started: bool
    starts: Verdict
    same_output: Verdict
    summary: str
    lines: int = 0
    masked: int = 0


def outcome(run: Run) -> str:
    """How a run ended, in words; two runs ended alike if and only if the words are the same."""
    if not run.started:
        return "did not start"
    if run.timed_out:
        return "still running"
    if run.signal is not None:
        return f"killed by signal {run.signal}"
    return f"exit {run.exit_code}"


def compare(old1: Run, old2: Run | None, new: Run) -> Comparison:
    """Judge `new` by the old image's two runs of the same command (`old2` None: it was run once, nothing is masked)."""
    olds = [old1] if old2 is None else [old1, old2]
    if not all(run.started for run in olds):
        return _alone(new, next(run for run in olds if not run.started))
    if not new.started:
        return _failed(new, f"does not start: {_reason(new)}; the original: {outcome(old1)}")
    before, after = [outcome(run) for run in olds], outcome(new)
    if after not in before:
        said = f" ({_last_words(new)})" if _last_words(new) else ""
        return _failed(new, f"{' or '.join(dict.fromkeys(before))} → {after}{said}")
    steady = len(set(before)) == 1
    problems: list[str] = []
    lines = masked = 0
    partial = any(run.timed_out or run.truncated for run in (*olds, new))
    silent = True
    for stream in ("stdout", "stderr"):
        outputs = [_lines(getattr(run, stream), partial) for run in (old1, old2 or old1, new)]
        silent = silent and not outputs[0] and not outputs[1]
        if partial:
            shortest = min(map(len, outputs))
            outputs = [output[:shortest] for output in outputs]
        template = make_template(outputs[0], outputs[1])
        match = match_template(template, outputs[2])
        lines += match.lines
        masked += template.masked
        if match.problem:
            problems.append(f"{stream} {match.problem}")
    if problems and steady:
        return Comparison(new.command, True, Verdict.HOLDS, Verdict.FAILS, f"{after}, but {problems[0]}", lines, masked)
    if problems:
        return Comparison(
            new.command,
            True,
            Verdict.HOLDS,
            Verdict.UNKNOWN,
            f"{after}; the original ends now so, now so",
            lines,
            masked,
        )
    if not lines:
        why = "nothing is printed" if silent else "no output is left to compare"
        return Comparison(new.command, True, Verdict.HOLDS, Verdict.NOT_APPLICABLE, f"{after}; {why}", 0, masked)
    note = f", {masked} places masked" if masked else ""
    return Comparison(
        new.command, True, Verdict.HOLDS, Verdict.HOLDS, f"{after}; {lines} lines the same{note}", lines, masked
    )


def _lines(output: bytes, partial: bool) -> list[str]:
    """Normalised lines; of an output that was cut off somewhere the last line only if it is whole."""
    return normalised_lines(output[: output.rfind(b"\n") + 1] if partial else output)


def _failed(new: Run, summary: str) -> Comparison:
    return Comparison(new.command, True, Verdict.FAILS, Verdict.FAILS, summary)


def _alone(new: Run, old: Run) -> Comparison:
    """The original cannot be started: the new image must start by itself."""
    why = f"the original did not start ({_reason(old)})"
    if not new.started:
        return Comparison(
            new.command, False, Verdict.FAILS, Verdict.NOT_APPLICABLE, f"does not start: {_reason(new)}; {why}"
        )
    good = new.timed_out or (new.exit_code == 0 and new.signal is None)
    verdict = Verdict.HOLDS if good else Verdict.FAILS if new.signal is not None else Verdict.UNKNOWN
    return Comparison(new.command, False, verdict, Verdict.NOT_APPLICABLE, f"{outcome(new)}; {why}")


def _reason(run: Run) -> str:
    return " ".join(run.start_error.split())[:200] or _last_words(run) or "no reason given"


def _last_words(run: Run) -> str:
    """The last line that a run printed, on stderr if there is any."""
    lines = normalised_lines(run.stderr) or normalised_lines(run.stdout)
    return lines[-1].strip()[:160] if lines else ""


def judge_runs(platform: str, comparisons: Sequence[Comparison]) -> tuple[Evidence, Evidence]:
    """The evidence for "starts" and for "same output" from all commands that were run."""
    details = tuple(f"{' '.join(comparison.command)}: {comparison.summary}" for comparison in comparisons)
    return _starts(platform, comparisons, details), _same_output(platform, comparisons, details)


def _starts(platform: str, comparisons: Sequence[Comparison], details: tuple[str, ...]) -> Evidence:
    if not comparisons:
        return Evidence("starts", platform, Verdict.UNKNOWN, "no command was run")
    failed = next((c for c in comparisons if c.starts is Verdict.FAILS), None)
    if failed is not None:
        return Evidence("starts", platform, Verdict.FAILS, f"{' '.join(failed.command)}: {failed.summary}", details)
    holding = [c for c in comparisons if c.starts is Verdict.HOLDS]
    if not holding:
        first = comparisons[0]
        return Evidence("starts", platform, Verdict.UNKNOWN, f"{' '.join(first.command)}: {first.summary}", details)
    if not any(c.original_started for c in comparisons):
        return Evidence("starts", platform, Verdict.HOLDS, "starts; the original did not", details)
    commands = f"{len(comparisons)} command{'s' if len(comparisons) > 1 else ''}"
    return Evidence("starts", platform, Verdict.HOLDS, f"{commands} ended as in the original", details)


def _same_output(platform: str, comparisons: Sequence[Comparison], details: tuple[str, ...]) -> Evidence:
    lines = sum(c.lines for c in comparisons)
    figures = (("lines", lines), ("masked", sum(c.masked for c in comparisons)))
    for verdict in (Verdict.FAILS, Verdict.UNKNOWN):
        wrong = next((c for c in comparisons if c.same_output is verdict), None)
        if wrong is not None:
            return Evidence(
                "same output", platform, verdict, f"{' '.join(wrong.command)}: {wrong.summary}", details, figures
            )
    if any(c.same_output is Verdict.HOLDS for c in comparisons):
        return Evidence("same output", platform, Verdict.HOLDS, f"{lines} lines the same", details, figures)
    if comparisons and not any(c.original_started for c in comparisons):
        summary = "the original did not run, so there is nothing to compare"
    else:
        summary = "no output is left to compare"
    return Evidence("same output", platform, Verdict.NOT_APPLICABLE, summary, details, figures)

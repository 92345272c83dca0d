"""All evidence about a new image that was built: what `evidence/` finds, put together."""

from __future__ import annotations

from itertools import zip_longest

from dockerslim_lint.edit import Claim, ConfigChange
from dockerslim_lint.verify.evidence.config import judge_config
from dockerslim_lint.verify.evidence.elf import judge_programs, machine_of, read_programs
from dockerslim_lint.verify.evidence.health import judge_health
from dockerslim_lint.verify.evidence.interface import Evidence, Run, Verdict
from dockerslim_lint.verify.evidence.libraries import judge_libraries
from dockerslim_lint.verify.evidence.needs import judge_needs
from dockerslim_lint.verify.evidence.output import Comparison, compare, judge_runs
from dockerslim_lint.verify.evidence.size import judge_size
from dockerslim_lint.verify.probe import Observed, image_environment
from dockerslim_lint.verify.trial import Trial

_NOT_BUILT = Run((), False, None, start_error="it cannot be built")


def judge_image(
    platform: str, old: Trial | None, new: Trial, claim: Claim | None, changes: tuple[ConfigChange, ...]
) -> tuple[Evidence, ...]:
    """One piece of evidence for each claim; `old` was run twice, `new` once. Raises LayoutError.

    Without `old` (it cannot be built) the new image is judged alone, and no claim is made that compares.
    """
    files = new.image.filesystem()
    settings = new.image.settings
    environment = image_environment(settings)
    found: list[Evidence] = []
    if claim is not None:
        programs = read_programs(files, claim.binaries)
        found += judge_programs(programs, platform, claim, machine_of(platform))
        library_path = dict(word.partition("=")[::2] for word in environment).get("LD_LIBRARY_PATH", "")
        found.append(judge_libraries(files, platform, programs, library_path))
    if claim is not None:
        found.append(judge_needs(platform, new.needs, old.needs if old is not None else ()))
    health = judge_health(platform, old.health if old is not None else None, new.health[0]) if new.health else None
    if health is not None:
        found.append(health)
    if old is None:
        return (*found, *judge_runs(platform, [compare(_NOT_BUILT, None, one.run) for one in new.runs[0]]))
    found.append(
        judge_config(platform, old.image.settings, settings, old_base=old.base, new_base=new.base, changes=changes)
    )
    found += judge_runs(platform, compare_runs(old, new))
    size = judge_size(platform, old.size, new.size)
    if claim is not None and not claim.smaller:
        size = size._replace(verdict=Verdict.NOT_APPLICABLE)
    found.append(size)
    return tuple(found)


def compare_runs(old: Trial, new: Trial) -> tuple[Comparison, ...]:
    """Command by command; what only one of the images can run did not start in the other."""
    return tuple(
        _compare(first, second, other) for first, second, other in zip_longest(old.runs[0], old.runs[-1], new.runs[0])
    )


def _compare(first: Observed | None, second: Observed | None, new: Observed | None) -> Comparison:
    present = next(observed.run for observed in (new, first, second) if observed is not None)
    missing = Observed(Run(present.command, False, None, start_error="the image has no such command"), 0)
    first, second, new = first or missing, second or missing, new or missing
    result = compare(first.run, second.run, new.run)
    if new.left_behind and not first.left_behind and not second.left_behind and result.same_output is not Verdict.FAILS:
        summary = f"leaves {new.left_behind} process(es) running; the original did not"
        return result._replace(same_output=Verdict.FAILS, summary=summary)
    return result

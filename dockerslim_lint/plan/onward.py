"""A single stage that became two can often be taken to a smaller base than the one it was split for: both steps as one fix."""

from __future__ import annotations

from collections.abc import Iterable

from dockerslim_lint.edit import Edit, Fix, apply
from dockerslim_lint.facts.model import FinalImage, ImageBuild
from dockerslim_lint.plan.compose import not_pinned
from dockerslim_lint.source import encode


def joined(build: ImageBuild, image: FinalImage, first: Fix, second: Fix, after: ImageBuild) -> Fix:
    """`first`, and then `second`, which was composed for the file that `first` makes, as one fix of `build`.

    `after` is the build that both make; `image` is one of those that they change.
    """
    new = after.images[build.images.index(image)]
    old, base = build.stages[image.stage].base_reference or "", after.stages[new.stage].base_reference or ""
    return second._replace(
        key=first.key,
        edits=combined(build.source.data, first.edits, second.edits),
        cost="; ".join(filter(None, (second.cost, not_pinned(base) if "@" in old else ""))),
        config_changes=first.config_changes + second.config_changes,
        images=tuple(
            late._replace(old_base=early.old_base, old_programs=early.old_programs)
            for early, late in zip(first.images, second.images, strict=True)
        ),
    )


def combined(data: bytes, first: Iterable[Edit], second: Iterable[Edit]) -> tuple[Edit, ...]:
    """The edits of `data` that do what `first` does, and then `second` to its result."""
    early = sorted(first, key=lambda edit: (edit.start, edit.end))
    late = sorted(second, key=lambda edit: (edit.start, edit.end))
    middle = apply(data, early)
    places: list[tuple[int, int]] = [(edit.start, edit.end) for edit in late]
    grown = 0
    growth: list[tuple[int, int]] = []
    for edit in early:
        size = len(encode(edit.text))
        places.append((edit.start + grown, edit.start + grown + size))
        grown += size - (edit.end - edit.start)
        growth.append((places[-1][1], grown))
    found: list[Edit] = []
    shift = 0
    for start, end in _touching(places):
        inner = [
            edit._replace(start=edit.start - start, end=edit.end - start) for edit in late if _in(edit, start, end)
        ]
        text = apply(middle[start:end], inner)
        before, shift = shift, next((total for at, total in reversed(growth) if at <= end), 0)
        if text != data[start - before : end - shift]:
            found.append(Edit(start - before, end - shift, text.decode("utf-8", "surrogateescape")))
    return tuple(found)


def _in(edit: Edit, start: int, end: int) -> bool:
    return start <= edit.start and edit.end <= end


def _touching(places: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The places in order, those that overlap or touch as one."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(places):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found

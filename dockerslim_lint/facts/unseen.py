"""What a file had already, and could not be seen before it was changed: its base or the programs in it were not known."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.model import GNU_DYNAMIC, FinalImage, ImageBuild
from dockerslim_lint.record import Record
from dockerslim_lint.source import Span


class Unseen(Record):
    """Places in the changed file: `lacking` name a program or a user of which nobody knew whether it was there, and which is
    not; `bases` are the FROM words of images of whose base nothing certain was known, or on whose base no glibc program
    starts: how large it is for its program is told of those that do.
    """

    lacking: frozenset[Span]
    bases: frozenset[Span]


def unseen(before: ImageBuild, after: ImageBuild) -> Unseen:
    """What `after` shows of the images of `before`, which stand in the same order."""
    if len(before.images) != len(after.images):
        return Unseen(frozenset(), frozenset())
    pairs = list(zip(before.images, after.images, strict=True))
    words = [
        after.stages[new.stage].word for old, new in pairs if old.inside.base is None or _lacks_its_libc(before, old)
    ]
    return Unseen(
        frozenset(span for old, new in pairs for span in _lacking(old, new, after)),
        frozenset(word.span for word in words if word is not None),
    )


def _lacks_its_libc(build: ImageBuild, image: FinalImage) -> bool:
    base = build.stages[image.stage].image
    gnu = any(artifact.link == GNU_DYNAMIC for _, artifact in image.artifacts)
    return gnu and base is not None and base.libc in ("musl", "none") and not image.inside.own_libc


def _lacking(old: FinalImage, new: FinalImage, after: ImageBuild) -> Iterator[Span]:
    known = {(one.role, one.name) for one in old.inside.started if one.found is not None}
    asked = {(one.role, one.name) for one in old.inside.started} if old.inside.base is not None else None
    for one in new.inside.started:
        name = (one.role, one.name)
        asked_for = asked is None or name in asked
        if one.found is False and name not in known and asked_for and not _speaks_of(old, one.name):
            yield one.span
    user, _, group = old.user.partition(":")
    accounts = ((user, old.inside.user, new.inside.user), (group, old.inside.group, new.inside.group))
    for account, before, now in accounts if old.user == new.user else ():
        if before is None and now is False and new.user_instruction is not None and not _speaks_of(old, account):
            yield after.instructions[new.user_instruction].words[0].span


def _speaks_of(image: FinalImage, name: str) -> bool:
    """Whether a step of the image names it, and so may have brought it."""
    bare = patterns.basename(name)
    return any(bare in word.pattern for command in image.commands for word in command.words)

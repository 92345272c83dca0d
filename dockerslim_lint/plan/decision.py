"""The plan: one decision for each group of images, made when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from dockerslim_lint.edit import Claim, Fix, Safety, Withheld, apply
from dockerslim_lint.facts import patterns
from dockerslim_lint.facts.model import STRIPPED_ALL, UNKNOWN, Artifact, FinalImage, ImageBuild
from dockerslim_lint.plan.blocks.strip import WITHOUT_SYMBOLS, is_slim, strip_symbols, symbol_users
from dockerslim_lint.plan.compose import OurBug, Reread, changes_base, compose, lost_tools, with_newlines
from dockerslim_lint.plan.model import AtBest, Draft, NotPossible, Task, Unsure
from dockerslim_lint.plan.needs import claimed_needs
from dockerslim_lint.plan.obstacles import check_accepted, check_untouched
from dockerslim_lint.plan.tasks import groups, key_of, tasks

MAX_CANDIDATES = 6


class Plan:
    """How the images of one build could be slimmed. `reread` reads changed bytes in the same surroundings.

    Without `alternatives` the first candidate that can be composed is the only one: the others cost as much again.
    Without `checked` what is composed is not read again, which costs as much as the file's own reading: that is for
    telling that there is one, never for applying it.
    """

    def __init__(
        self,
        build: ImageBuild,
        prefer: tuple[str, ...],
        reread: Reread,
        alternatives: bool = True,
        checked: bool = True,
    ) -> None:
        self._build = build
        self._prefer = prefer
        self._reread = reread
        self._checked = checked
        self._most = MAX_CANDIDATES if alternatives else 1
        self._slim: dict[str, tuple[Fix, ...] | Withheld] = {}
        self._settled: dict[str, tuple[str, bool]] = {}
        self._kept: dict[str, Withheld] = {}
        self._keys: dict[int, str] = {}
        self._groups = groups(build)
        self.bugs: list[str] = []
        """What was composed and then thrown away, because the second reading disagreed: our bugs, one line each"""

    def key(self, image: FinalImage) -> str:
        """The key of the decision that an image belongs to."""
        if image.stage not in self._keys:
            self._keys[image.stage] = key_of(self._build, self._group(image))
        return self._keys[image.stage]

    def slim(self, image: FinalImage) -> tuple[Fix, ...] | Withheld:
        """The candidates for an image's group, preferred first, or why there is none."""
        key = self.key(image)
        if key not in self._slim:
            self._slim[key] = self._decide(self._group(image), key)
        return self._slim[key]

    def rebase(self, image: FinalImage) -> tuple[Fix, ...] | Withheld:
        """The same for who wants another base or libc: why there is none, where the preferred candidate changes neither."""
        fixes = self.slim(image)
        return self._kept.get(self.key(image), fixes)

    def settled(self, image: FinalImage) -> tuple[str, bool]:
        """Why the image keeps its base, and whether it is known that nothing smaller fits; ("", False) where it need not keep it."""
        self.slim(image)
        return self._settled.get(self.key(image), ("", False))

    def strip(self, image: FinalImage) -> tuple[Fix, ...] | Withheld:
        """The fix that only leaves the symbols out, or the debug information where a crate uses the symbols."""
        key = f"strip:{image.stage}"
        users = symbol_users(self._build, (image,))
        try:
            check_accepted(self._build)
            for path, artifact in image.artifacts:
                check_untouched(path, artifact)
            draft = strip_symbols(self._build, (image,))
        except NotPossible as reason:
            return Withheld(key, str(reason))
        if not draft.edits:
            return Withheld(key, "the build is not in this file")
        edits = with_newlines(self._build, draft.edits)
        if self._checked:
            after = self._reread(apply(self._build.source.data, edits))
            place = self._build.images.index(image)
            if place >= len(after.images) or not all(
                is_slim(after, artifact, bool(users))
                for _, artifact in after.images[place].artifacts
                if _is_known(artifact)
            ):
                self.bugs.append("our bug: the program would keep its symbols")
                return Withheld(key, self.bugs[-1])
        made = [(path, artifact) for path, artifact in image.artifacts if _is_known(artifact)]
        binaries = tuple(path for path, _ in made)
        static = all(artifact.link.endswith("static") for _, artifact in made)
        safety = Safety.SAFE if self._symbols_unused(image) else Safety.PROVABLE
        what = "debug information" if users else "symbols"
        cost = f"symbols stay, for {', '.join(users)}" if users else WITHOUT_SYMBOLS
        claim = Claim(binaries, static, not users, ())
        return (Fix(key, "", safety, f"leave the {what} out", edits, cost, (), claim),)

    def symbol_users(self, image: FinalImage) -> tuple[str, ...]:
        """The crates that read the symbols of the image's programs when they run."""
        return symbol_users(self._build, (image,))

    def is_slim(self, artifact: Artifact) -> bool:
        """Whether nothing but the symbols that it reads itself is left in a program that might go."""
        return is_slim(self._build, artifact, True)

    def trim(self, image: FinalImage, kind: str) -> tuple[Fix, ...] | Withheld:
        """The fix that takes out what only installing and compiling needed, and keeps the base; what is of this `kind` alone where
        the rest has to stay."""
        kinds = {one.kind for one in image.leftovers if not one.wanted}
        made = self._trim(image, kinds, "trim")
        return self._trim(image, {kind}, kind) if isinstance(made, Withheld) and kinds - {kind} else made

    def _trim(self, image: FinalImage, kinds: set[str], key: str) -> tuple[Fix, ...] | Withheld:
        from dockerslim_lint.catalog import packages
        from dockerslim_lint.plan.blocks.debian_steps import trim_headers
        from dockerslim_lint.plan.blocks.trim import trim_leftovers

        place = self._build.images.index(image)

        def settled(after: ImageBuild) -> bool:
            new = after.images[place] if place < len(after.images) else None
            left = [one for one in new.leftovers if one.kind in kinds and not one.wanted] if new is not None else []
            return new is not None and not left and new.artifacts == image.artifacts

        tools = [one for one in image.leftovers if one.kind == "tools" and one.kind in kinds and not one.wanted]
        headers = any(packages.holds_headers(one.manager, name) for one in tools for name in one.names)
        title = "leave out what only the build needs" if tools else "leave the package manager's cache out"
        return self.alone(
            f"{key}:{image.stage}",
            title,
            lambda: (trim_headers if headers else trim_leftovers)(self._build, image, sorted(kinds)),
            settled,
            cost="".join(dict.fromkeys(lost_tools((image,)))) if tools else "",
            place=place,
            smaller=True,
        )

    def alone(
        self,
        key: str,
        title: str,
        draft: Callable[[], Draft],
        settled: Callable[[ImageBuild], bool],
        cost: str = "",
        repairs: str = "",
        safety: Safety = Safety.PROVABLE,
        place: int = -1,
        smaller: bool = False,
    ) -> tuple[Fix, ...] | Withheld:
        """A rule's own fix, beside the slim decision. `draft` composes it or raises NotPossible.

        `settled` tells of the build that it makes whether the finding is gone; then all programs are where they were.
        `place` is the image's among the build's, which a proof looks at; `smaller`: it must have shrunk.
        """
        try:
            check_accepted(self._build)
            made = draft()
        except NotPossible as reason:
            return Withheld(key, str(reason))
        edits = with_newlines(self._build, made.edits)
        claim = None
        if self._checked:
            after = self._reread(apply(self._build.source.data, edits))
            if len(after.problems) > len(self._build.problems) or not settled(after):
                self.bugs.append(f"our bug: `{title}` would not settle it")
                return Withheld(key, self.bugs[-1])
            images = after.images[place:][:1]
            shipped = [one for image in images for one in image.artifacts if "*" not in one[0]]
            static = all(artifact.link.endswith("static") for _, artifact in shipped)
            stripped = all(artifact.stripped == STRIPPED_ALL for _, artifact in shipped)
            needs = tuple(need for image in images for need in claimed_needs(image, image.user))
            claim = Claim(tuple(path for path, _ in shipped), static, stripped, needs, smaller)
        return (Fix(key, "", safety, title, edits, cost, made.changes, claim, repairs=repairs),)

    def _group(self, image: FinalImage) -> tuple[FinalImage, ...]:
        return next(group for group in self._groups if image in group)

    def _decide(self, group: tuple[FinalImage, ...], key: str) -> tuple[Fix, ...] | Withheld:
        try:
            possible = tasks(self._build, group, self._prefer)
        except NotPossible as reason:
            if isinstance(reason, Unsure):
                self._settled[key] = str(reason), False
            return Withheld(key, str(reason))
        fixes: list[Fix] = []
        reasons: list[tuple[str, str]] = []
        of_glibc: list[tuple[str, str]] = []  # the reasons against bases for glibc programs
        unsure = compiled_in = False
        for task in possible:
            if len(fixes) == self._most:
                break
            if task.vendored is not None and compiled_in:
                continue  # what fails with it on one base fails on another
            native = task.why_glibc
            if task.glibc and not fixes and not task.why_glibc and reasons:
                task = task._replace(why_glibc=_told(reasons if task.choice.installs else reasons[:1]))
            try:
                fix = compose(task, key, self._reread, self._checked)
                moves = changes_base(task, fix.edits)
                if not fixes and task.glibc and not (moves and self._gains(task)):
                    self._settle(task, key, native, of_glibc if native else reasons, unsure)
                if not fixes and task.glibc and not moves:
                    told = _told([("", native), *reasons])
                    self._kept[key] = Withheld(key.replace("slim", "base", 1), told or "no other base fits")
                if not fixes and task.choice.installs:
                    fixes += self._onward(group, fix)
                fixes.append(fix)
                compiled_in = compiled_in or task.vendored is not None
            except NotPossible as reason:
                if isinstance(reason, AtBest) and not fixes and task.glibc:
                    self._settle(task, key, native, of_glibc if native else reasons, unsure)
                    return Withheld(key, _told([("", native), (task.choice.base.title, str(reason))]))
                unsure = unsure or isinstance(reason, Unsure)
                reasons += [("", native)] if native and not reasons else []
                reasons.append((task.choice.base.title, str(reason)))
                of_glibc += reasons[-1:] if task.glibc else []
            except OurBug as bug:
                self.bugs.append(f"our bug: with {task.choice.name}, {bug}")
                return Withheld(key, self.bugs[-1])
        if fixes:
            return tuple(fixes[: self._most])
        return Withheld(key, _told(reasons) or "no base fits")

    def _onward(self, group: tuple[FinalImage, ...], first: Fix) -> Iterator[Fix]:
        """What else can be done once `first` has split a single stage, where its steps go along: both as one."""
        if not any(image.single_stage for image in group):
            return
        from dockerslim_lint.plan.onward import joined

        data = apply(self._build.source.data, first.edits)
        middle = self._reread(data)
        further = Plan(middle, self._prefer, self._reread, alternatives=False, checked=self._checked)
        fixes = further.slim(middle.images[self._build.images.index(group[0])])
        self.bugs += further.bugs
        if not isinstance(fixes, Withheld):
            after = self._reread(apply(data, fixes[0].edits))
            yield joined(self._build, group[0], first, fixes[0], after)

    def _gains(self, task: Task) -> bool:
        """Whether an image leaves a base that is bigger than the new one, or has come to its end, as far as is known."""
        old = [self._build.stages[image.stage].image for image in task.images]
        new = task.choice.base.unpacked_mb
        return any(
            base is None or base.ended or not base.unpacked_mb or not new or base.unpacked_mb > new for base in old
        )

    def _settle(self, task: Task, key: str, native: str, reasons: list[tuple[str, str]], unsure: bool) -> None:
        """Note why the base stays. With a reason for glibc, what may need more than the smaller base has is reason enough."""
        known = not task.unsure and (bool(native) or (not unsure and self._explained(task.images)))
        asked = f"{task.choice.name} is asked for" if task.asked else ""
        told = asked if task.asked and not native else ""
        self._settled[key] = told or _told([("", native), *reasons]), known or task.asked

    def _explained(self, group: tuple[FinalImage, ...]) -> bool:
        """Whether it is known what the images start and every step of their stages: then what they install keeps their base."""
        return all(
            not image.single_stage
            and image.launch.program in dict(image.artifacts)
            and all(self._build.opaque[number] is None for number in image.chain)
            for image in group
        )

    def _certain(self, image: FinalImage) -> bool:
        """The programs are made by calls that always run, in an image that is known, and nothing unknown happened to them."""
        for _, artifact in image.artifacts:
            if artifact.call is None or artifact.touched:
                return False
            command = self._build.calls[artifact.call].command
            if not command.certain or self._build.stages[command.stage].image is None:
                return False
        return True

    def _symbols_unused(self, image: FinalImage) -> bool:
        """The crate graph is known, nobody in it wants symbols, and the file neither asks for backtraces nor reads symbols, nor does
        a script that a step runs."""
        from dockerslim_lint.catalog import symbols

        if not self._certain(image):
            return False
        if (
            any("RUST_BACKTRACE" in command.variables for command in image.commands)
            or "RUST_BACKTRACE" in image.variables
        ):
            return False
        for _, artifact in image.artifacts:
            crate = self._build.crates[artifact.call] if artifact.call is not None else None
            if crate is None or crate.packages is None or crate.symbol_users:
                return False
            if any(symbols.why_wanted(name) for name in crate.packages) or crate.asks_for_backtraces((artifact.name,)):
                return False
        for script in self._build.scripts:
            if symbols.names_a_reader(script.text.encode() or self._build.contents.text(script.place)):
                return False
        if not symbols.may_name_a_reader(self._build.source.data):
            return True
        starts = (patterns.basename(word) for text in image.launch.argv for word in text.split())
        installed = (name for one in self._build.images for install in one.installs for name in install.packages)
        return not any(map(symbols.is_reader, (*starts, *installed))) and not any(
            command.name and any(symbols.is_reader(patterns.basename(word.pattern)) for word in command.words)
            for command in self._build.commands
        )


def _is_known(artifact: Artifact) -> bool:
    """Whether the file shows how a program is made; what an opaque command made stays as it was."""
    return artifact.call is not None or artifact.stripped != UNKNOWN


def _told(reasons: Iterable[tuple[str, str]]) -> str:
    """Why no base fits, as one text: each reason once, behind the base that it is about where it is not the first and names none."""
    parts: dict[str, str] = {}
    also: dict[str, dict[str, None]] = {}
    for title, text in reasons:
        if text:
            key = text.replace(title, "") if title else text
            if key in parts and key != text and title not in parts[key]:
                also.setdefault(key, {})[title] = None
            named = not title or not parts or title in text
            parts.setdefault(key, text if named else f"{title}: {text}")
    same = {key: f" ({', '.join(titles)}: the same)" for key, titles in also.items()}
    return "; ".join(f"{text}{same.get(key, '')}" for key, text in parts.items())

"""All that the author of a rule needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from dockerslim_lint.edit import Fix, Fixes, Withheld
from dockerslim_lint.facts.model import Artifact, FinalImage, ImageBuild
from dockerslim_lint.finding import Finding, Label, Severity
from dockerslim_lint.plan.decision import Plan
from dockerslim_lint.record import Record
from dockerslim_lint.source import Span


class Invalid(Record):
    """A Dockerfile in which the rule speaks.

    `fixed` is the exact text after all fixes up to PROVABLE (None: the rule has no fix here). `line` is the 1-based line
    of the finding. `files` are the build context; None means that nothing is known of it. `platforms` are those asked for.
    """

    text: str
    line: int
    fixed: str | None = None
    files: Mapping[str, str] | None = None
    platforms: tuple[str, ...] = ()


class Valid(Record):
    """A near miss: `text` differs from ``INVALID[near]`` in at most two lines, and the rule is silent."""

    near: int
    text: str
    files: Mapping[str, str] | None = None
    platforms: tuple[str, ...] = ()


class Rule:
    """One rule. Its docstring becomes its page: what, why, example, fix safety."""

    CODE: ClassVar[str]
    NAME: ClassVar[str]
    """kebab-case; accepted wherever a code is"""
    SEVERITY: ClassVar[Severity]
    ON_BY_DEFAULT: ClassVar[bool] = True
    """False: it runs only if `select` names it"""
    URL: ClassVar[str] = ""
    """The address of its page; "" for the built-in ones"""
    VALID: ClassVar[tuple[Valid, ...]]
    INVALID: ClassVar[tuple[Invalid, ...]]

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        """The findings in one build, in file order."""
        raise NotImplementedError

    def finding(
        self,
        message: str,
        span: Span,
        *,
        note: str = "",
        labels: tuple[Label, ...] = (),
        fixes: tuple[Fix, ...] | Withheld = (),
        severity: Severity | None = None,
    ) -> Finding:
        """A finding of this rule."""
        return Finding(
            self.CODE,
            self.NAME,
            self.SEVERITY if severity is None else severity,
            message,
            span,
            note,
            labels,
            fixes,
            self.URL,
        )

    @classmethod
    def summary(cls) -> str:
        """The first line of the docstring."""
        return (cls.__doc__ or "").strip().split("\n", 1)[0]


Programs = Sequence[tuple[str, Artifact]]
"""Programs with the paths at which they are shipped."""


def names_of(programs: Programs) -> str:
    """The programs' file names, each once, for a message; of many the first few."""
    names = list(dict.fromkeys(path.rsplit("/", 1)[-1] for path, _ in programs))
    more = len(names) - 5
    return ", ".join(names[:5] if more > 1 else names) + (f" and {more} more" if more > 1 else "")


def labels_of_calls(build: ImageBuild, programs: Programs, text: str) -> tuple[Label, ...]:
    """A label with `text` at each cargo call that makes one of the programs."""
    calls = sorted({artifact.call for _, artifact in programs if artifact.call is not None})
    return tuple(Label(build.calls[at].command.span, text) for at in calls)


def shipped_calls(build: ImageBuild) -> Iterator[int]:
    """The cargo calls whose programs are shipped, each once, as indexes into ``ImageBuild.calls``."""
    calls = [artifact.call for image in build.images for _, artifact in image.artifacts]
    yield from dict.fromkeys(call for call in calls if call is not None)


def varies(build: ImageBuild, image: FinalImage) -> bool:
    """Whether an image is built for each platform that is asked for: its FROM names no other."""
    first = build.stages[image.chain[0]]
    return not first.cross and (not first.platform or "*" in first.platform)


__all__ = [
    "Finding",
    "Fix",
    "Fixes",
    "ImageBuild",
    "Invalid",
    "Label",
    "Plan",
    "Programs",
    "Rule",
    "Severity",
    "Span",
    "Valid",
    "Withheld",
    "labels_of_calls",
    "names_of",
    "shipped_calls",
    "varies",
]

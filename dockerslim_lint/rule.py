"""All that the author of a rule needs."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import ClassVar, NamedTuple

from dockerslim_lint.edit import Fix, Withheld
from dockerslim_lint.facts.model import ImageBuild
from dockerslim_lint.finding import Finding, Label, Severity
from dockerslim_lint.plan.decision import Plan
from dockerslim_lint.source import Span

NO_FILES: Mapping[str, str] = MappingProxyType({})


class Invalid(NamedTuple):
    """A Dockerfile in which the rule speaks.

    `fixed` is the exact text after all fixes up to PROVABLE (None: the rule has no fix here). `line` is the 1-based line
    of the finding. `files` are the build context; None means that nothing is known of it.
    """

    text: str
    line: int
    fixed: str | None = None
    files: Mapping[str, str] | None = None


class Valid(NamedTuple):
    """A near miss: `text` differs from ``INVALID[near]`` in at most two lines, and the rule is silent."""

    near: int
    text: str
    files: Mapping[str, str] | None = None


class Rule:
    """One rule. Its docstring becomes its page: what, why, example, fix safety."""

    CODE: ClassVar[str]
    NAME: ClassVar[str]
    """kebab-case; accepted wherever a code is"""
    SEVERITY: ClassVar[Severity]
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
            self.CODE, self.NAME, self.SEVERITY if severity is None else severity, message, span, note, labels, fixes
        )

    @classmethod
    def summary(cls) -> str:
        """The first line of the docstring."""
        return (cls.__doc__ or "").strip().split("\n", 1)[0]


__all__ = ["Finding", "Fix", "ImageBuild", "Invalid", "Label", "Plan", "Rule", "Severity", "Span", "Valid", "Withheld"]

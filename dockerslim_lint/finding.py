"""What a rule says about a file."""

from __future__ import annotations

from enum import IntEnum

from dockerslim_lint.edit import Fix, Safety, Withheld
from dockerslim_lint.record import Record
from dockerslim_lint.source import Span


class Severity(IntEnum):
    """How bad a finding is; larger is worse."""

    INFO = 0
    WARNING = 1
    ERROR = 2

    @property
    def label(self) -> str:
        """``info``, ``warning`` or ``error``."""
        return self.name.lower()


class Label(Record):
    """A second place worth showing, with what to say of it."""

    span: Span
    text: str


class Finding(Record):
    """One defect at one place.

    `message` is one or more full sentences in plain text; `note` is what is printed under the carets ("" if nothing).
    `fixes`: the possible fixes, preferred first, or why there is none; an empty tuple where a fix was never meant.
    `url` is the rule's own page, "" for the built-in ones, whose address follows from the code. `about` is what the text at
    `span` stands for where it says so only by a name: the image behind ``FROM $BASE`` or ``FROM stage``, "" elsewhere. `allowed`: the
    configuration has what needs a proof written like what is safe.
    """

    code: str
    name: str
    severity: Severity
    message: str
    span: Span
    note: str = ""
    labels: tuple[Label, ...] = ()
    fixes: tuple[Fix, ...] | Withheld = ()
    url: str = ""
    about: str = ""
    allowed: bool = False

    def is_safe(self, fix: Fix) -> bool:
        """Whether one of its fixes is written without a proof."""
        return fix.safety is Safety.SAFE or (self.allowed and fix.safety is Safety.PROVABLE)

    @property
    def key(self) -> str | None:
        """The key of the decision that would settle this finding."""
        if isinstance(self.fixes, Withheld):
            return self.fixes.key
        return self.fixes[0].key if self.fixes else None

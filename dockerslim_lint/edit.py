"""What may be changed in a file, and what a change promises."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from dockerslim_lint.record import Record
from dockerslim_lint.source import Span, encode


class Safety(IntEnum):
    """How sure a fix is; the cautious side is the larger number."""

    SAFE = 0
    """The image behaves the same by construction: `--fix` applies it."""
    PROVABLE = 1
    """Right if the build and the run say so: applied after a proof, or on the user's word (`--unsafe-fixes`)."""
    DISPLAY = 2
    """Advice: never applied."""


class Edit(Record):
    """Replace ``data[start:end]`` (byte offsets) by `text`; start == end inserts."""

    start: int
    end: int
    text: str


class ConfigChange(Record):
    """A difference in the image's configuration that a fix declares: `field` is the OCI name (``User``, ``Cmd``, ``Env:PATH`` …).

    `old` and `new` are as written in the Dockerfile, "" for absent.
    """

    field: str
    old: str
    new: str
    reason: str


class Need(Record):
    """Something that the program needs of its image at run time.

    kind is one of ``certificates`` (value: ""), ``tzdata`` (""), ``user`` (a USER value), ``directory`` (an absolute
    path that must exist), ``volume`` (one that the image's user must be able to write; Docker makes it, as root's, where it
    is not in the image), ``writable`` (an absolute path that the image's user must be able to write), ``file`` (an
    absolute path), ``shell`` (path of the interpreter). `reason` says in a few words where the need comes from.
    """

    kind: str
    value: str
    reason: str


class Claim(Record):
    """What a proof must show of the image that a fix makes.

    `binaries` are absolute paths in the final image. `static`: no interpreter, no needed library. `stripped`: no
    ``.symtab``. `smaller`: there is less to pull than before.
    """

    binaries: tuple[str, ...]
    static: bool
    stripped: bool
    needs: tuple[Need, ...]
    smaller: bool = True


class ImageClaim(Record):
    """One of the images that a fix changes.

    `name` is its stage's name, "" without; `last`: it is what a build without --target makes. `old_base` and `new_base` are
    references, `old_programs` the paths in the old image of what are `claim.binaries` in the new one.
    """

    name: str
    last: bool
    claim: Claim
    old_base: str
    new_base: str
    old_programs: tuple[str, ...]


class Fix(Record):
    """One complete change: all of its edits or none.

    `key` names the decision (at most one fix of a key is applied in a pass, and it settles every finding with that
    key); `choice` names the alternative within it ("distroless/static", "alpine", or "" for a fix without choices).
    `cost` says what the user pays, "" if nothing. `claim` is None where nothing needs proof; `images` has it for each image
    that a proof has to build, () where there is one. `repairs` is "build" where the file as it is cannot be built, "start"
    where its image does not start, "program" where it starts something else than its program, "" else: what it ships is then
    seen, and judged, only in the result. `retargets`: the programs get another libc.
    """

    key: str
    choice: str
    safety: Safety
    title: str
    edits: tuple[Edit, ...]
    cost: str = ""
    config_changes: tuple[ConfigChange, ...] = ()
    claim: Claim | None = None
    images: tuple[ImageClaim, ...] = ()
    repairs: str = ""
    retargets: bool = False

    def touches(self, span: Span) -> bool:
        """Whether an edit changes something of a span, or at its edges."""
        return any(edit.start <= span.end and span.start <= edit.end for edit in self.edits)


class Withheld(Record):
    """Why there is no fix for a finding whose key would be `key`."""

    key: str
    reason: str


Fixes = tuple[Fix, ...] | Withheld
"""The possible fixes of a finding, preferred first, or why there is none."""


class OverlapError(ValueError):
    """Two edits of one fix touch the same bytes: a bug of whoever composed them."""


def apply(data: bytes, edits: Iterable[Edit]) -> bytes:
    """`data` with all `edits` made, from the end backwards. Raises OverlapError, ValueError for offsets outside.

    Insertions at one offset keep their order; an insertion at the edge of a replacement does not overlap it.
    """
    ordered = sorted(edits, key=lambda edit: (edit.start, edit.end))
    parts: list[bytes] = []
    at = 0
    for edit in ordered:
        if not 0 <= edit.start <= edit.end <= len(data):
            raise ValueError(f"edit {edit.start}..{edit.end} lies outside of {len(data)} bytes")
        if edit.start < at:
            raise OverlapError(f"edits overlap at byte {edit.start}")
        parts += (data[at : edit.start], encode(edit.text))
        at = edit.end
    parts.append(data[at:])
    return b"".join(parts)

"""DSL503."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.facts.model import FinalImage
from dockerslim_lint.rule import Finding, ImageBuild, Invalid, Plan, Rule, Severity, Valid

DIGEST = "@sha256:" + "0123456789abcdef" * 4
BUILDER = f"""\
FROM rust:1.90-alpine{DIGEST} AS build
WORKDIR /app
COPY . .
RUN cargo build --release
FROM alpine:3.22{DIGEST}
COPY --from=build /app/target/release/app /app
CMD ["/app"]
"""
LOOSE = BUILDER.replace(f"alpine:3.22{DIGEST}", "alpine:3.22")


class UnpinnedBase(Rule):
    """A base image is named by a tag alone, not by its digest.

    A tag can be moved, and is, with every rebuild of an official image. Only `image:tag@sha256:…` is the same bytes
    tomorrow. Take the digest of the index, not that of one platform (`docker buildx imagetools inspect IMAGE`), or builds for
    other platforms break; and let a robot raise it, or the image is never patched again.

    **Off by default**, as that is a trade that each project makes for itself. It speaks if `select` names it:
    `select = ["default", "DSL503"]` is this rule and all that are on by default.

    **Fix safety.** There is no fix: the digest is not in the file.
    """

    CODE = "DSL503"
    NAME = "unpinned-base"
    SEVERITY = Severity.INFO
    ON_BY_DEFAULT = False

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        for number in sorted({number for image in build.images for number in _stages(build, image)}):
            stage = build.stages[number]
            if stage.parent is not None or stage.word is None or not stage.reference or stage.digest:
                continue
            if stage.image is not None and stage.image.unpacked_mb == 0:
                continue  # scratch: there is nothing that could change
            yield self.finding(f"{stage.reference} is not pinned by its digest.", stage.word.span, note="may be moved")

    INVALID = (Invalid(LOOSE, line=5), Invalid(BUILDER.replace(f"alpine{DIGEST}", "alpine"), line=1))

    VALID = (
        Valid(near=0, text=BUILDER),
        Valid(near=0, text=LOOSE.replace("alpine:3.22", "scratch")),
        Valid(near=0, text=LOOSE.replace("FROM alpine:3.22", f"FROM build AS other\nFROM example.com/base{DIGEST}")),
        Valid(near=0, text="ARG BASE\n" + LOOSE.replace("alpine:3.22", "$BASE")),
        Valid(near=0, text=LOOSE.replace("COPY --from=build /app/target/release/app /app\n", "")),
    )


def _stages(build: ImageBuild, image: FinalImage) -> Iterator[int]:
    """The stages that an image is made of: its own, those that build its programs, and what they are based on."""
    calls = [artifact.call for _, artifact in image.artifacts if artifact.call is not None]
    for number in (image.stage, *(build.calls[call].command.stage for call in calls)):
        current: int | None = number
        while current is not None:
            yield current
            current = build.stages[current].parent

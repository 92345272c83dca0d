"""The certificate authorities come into an image that has none."""

from __future__ import annotations

from dockerslim_lint.edit import Edit
from dockerslim_lint.facts.model import FinalImage, ImageBuild
from dockerslim_lint.plan.blocks.lines import block_start, cased, insert_line
from dockerslim_lint.plan.model import Draft, NotPossible

PACKAGE = "ca-certificates"
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
"""Where openssl-probe looks first; debian, ubuntu and alpine have it there."""

INSTALLERS = ("apt-get", "apt", "apk")


def bring_certificates(build: ImageBuild, image: FinalImage, call: int) -> Draft:
    """The package beside those that the image installs, else a COPY from the builder. Raises NotPossible."""
    for install in image.installs:
        word = install.command.words[-1]
        own = install.command.stage == image.stage and install.command.certain
        if own and install.manager in INSTALLERS and word.pattern in install.packages and word.shell is not None:
            return Draft((Edit(word.span.end, word.span.end, f" {PACKAGE}"),))
    stage = build.stages[build.calls[call].command.stage]
    if stage.number in image.chain or stage.image is None or not stage.image.certificates:
        raise NotPossible("whether the builder has certificates is not known")
    transfer = next((one for one in image.transfers if one.origin_stage == stage.number), None)
    if transfer is None:
        raise NotPossible("nothing is copied from the builder")
    instruction = build.instructions[transfer.instruction]
    flag = instruction.flag("from")
    origin = build.source.text(flag.value.span) if flag is not None and flag.value is not None else stage.name
    line = cased(build, instruction, f"COPY --from={origin} {BUNDLE} {BUNDLE}")
    return Draft((insert_line(build, block_start(build, instruction), line),))

"""What of a project a toolchain is too old to read. Loaded for a builder whose Rust has a version."""

from __future__ import annotations

from dockerslim_lint.catalog import formats
from dockerslim_lint.facts.absent import may_change_sources
from dockerslim_lint.facts.crate.lock import LOCK
from dockerslim_lint.facts.model import CommandWord, ImageBuild
from dockerslim_lint.facts.rustup import is_older
from dockerslim_lint.facts.stages import chain_of

UNSTABLE = ("-Z", "+")
"""Words with which cargo may read what it does not by itself."""

BOOTSTRAP = "RUSTC_BOOTSTRAP"


def unreadable(build: ImageBuild, at: int) -> str:
    """What the image's own Rust surely cannot read of the crate of a call, as the start of a sentence; "" for nothing."""
    call, crate = build.calls[at], build.crates[at]
    stage = build.stages[call.command.stage]
    image = stage.image
    words = (*call.command.prefix, *call.command.variables, *(word.pattern for word in call.command.words))
    if image is None or crate is None or build.opaque[stage.number] is not None:
        return ""
    if any(word.startswith((*UNSTABLE, BOOTSTRAP)) for word in words) or not call.command.certain:
        return ""
    chain = chain_of(stage, build.stages)
    before = [one for one in build.commands if one.stage in chain and one.span < call.command.span]
    if any(map(may_change_sources, before)):
        return ""
    first = formats.since("edition", crate.edition)
    if first and is_older(image, first):
        return f"Cargo.toml is in edition {crate.edition}, which Rust has since {first}"
    version = crate.lock_version if call.lock and (call.kind == "build" or call.locked) else ""
    first = formats.since("lock", version)
    if first and is_older(image, first) and not any(_names_lock(one.words[1:]) for one in before):
        return f"{LOCK} has version {version}, which cargo reads since {first}"
    return ""


def _names_lock(words: tuple[CommandWord, ...]) -> bool:
    """Whether a command may change or remove the lock."""
    return any("lock" in word.pattern.lower() or "*" in word.pattern for word in words)

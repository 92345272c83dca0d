"""Packages that apt is asked for and that the base's release does not have. Loaded where a step calls apt."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.catalog import commands as known_commands
from dockerslim_lint.catalog import packages
from dockerslim_lint.facts.model import Unfound
from dockerslim_lint.facts.packages import OTHER_SOURCES, manager_of, package_words
from dockerslim_lint.facts.shared import Shared
from dockerslim_lint.facts.stages import chain_of

OTHER_PACKAGES = (*OTHER_SOURCES, b"apt-repository", b"dpkg", b"extrepo")
"""What a file speaks of that may bring packages which the release does not have."""


def unfound(shared: Shared) -> Iterator[Unfound]:
    """Words of steps that surely run, in file order. Nothing where the file, or a step before that nobody knows, may have given
    apt other sources than the image's."""
    if any(word in shared.source.data for word in OTHER_PACKAGES):
        return
    for at, command in enumerate(shared.commands):
        stage = shared.states[command.stage].stage
        image = stage.image
        if manager_of(command) != "apt" or not command.certain or image is None or not image.understood:
            continue
        if "@" in (stage.base_reference or "") and image.release not in image.tag:
            continue  # a digest may hold on to an older release
        names = packages.absent(image.release)
        words = [word for word in package_words(command) if packages.bare_name(word.pattern) in names]
        if not words:
            continue
        chain = chain_of(stage, shared.stages)
        before = [one for one in shared.commands[:at] if one.stage in chain]
        copied = [one for one in shared.transfers if one.stage in chain and one.destination.rstrip("/") in ("", "/etc")]
        if copied or any(known_commands.classify(one.name) == "opaque" for one in before):
            continue
        for word in words:
            yield Unfound(command, word.span, packages.bare_name(word.pattern), image.release)

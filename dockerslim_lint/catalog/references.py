"""Image references: what is asked for, and under which name the catalogue keeps it."""

from __future__ import annotations

import re

from dockerslim_lint.record import Record

_HUB = ("docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com", "mirror.gcr.io")
"""Registries that serve Docker Hub's names as they are."""

_OFFICIAL_MIRRORS = (
    "public.ecr.aws/docker/library/",
    "public.ecr.aws/docker/",
    "mcr.microsoft.com/mirror/docker/library/",
    "mcr.microsoft.com/oss/mirror/docker.io/library/",
)
"""Prefixes under which another registry copies Docker Hub's official images."""

_COMPONENT = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*")
_DOMAIN = r"[A-Za-z0-9.-]+(?::[0-9]+)?"


class Reference(Record):
    """A reference taken apart. `repository` has no ``docker.io/`` and no ``library/``; other registries stay in it."""

    repository: str
    tag: str
    digest: str


def parse_reference(text: str) -> Reference | None:
    """The parts of an image reference; None if it is not a valid one or its repository holds a variable.

    A tag may hold variables (``1.80-${SUITE}``): it is returned as written.
    """
    rest, _, digest = text.partition("@")
    domain, slash, remainder = rest.partition("/")
    if slash and ("." in domain or ":" in domain or domain == "localhost") and "$" not in domain:
        if not re.fullmatch(_DOMAIN, domain):
            return None
    else:
        domain, remainder = "docker.io", rest
    path, colon, tag = remainder.partition(":")
    if not all(map(_COMPONENT.fullmatch, path.split("/"))) or (colon and not tag):
        return None
    return Reference(_normalised(domain.lower(), path), tag, digest)


def _normalised(domain: str, path: str) -> str:
    full = f"{domain}/{path}"
    if domain in _HUB:
        return path.removeprefix("library/")
    for prefix in _OFFICIAL_MIRRORS:
        if full.startswith(prefix):
            return full.removeprefix(prefix)
    return full

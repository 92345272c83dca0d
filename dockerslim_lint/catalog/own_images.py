"""Base images that the user describes: a company's own, which no catalogue knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dockerslim_lint.catalog.images import BaseImage, lookup
from dockerslim_lint.catalog.references import parse_reference
from dockerslim_lint.record import Record

_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

LIBCS = ("glibc", "musl", "none")
PACKAGE_MANAGERS = ("apt", "apk", "dnf", "microdnf", "yum", "tdnf", "zypper", "")

FACTS = {
    "libc": ("libc", LIBCS),
    "libc-version": ("libc_version", str),
    "release": ("release", str),
    "shell": ("shell", str),
    "bash": ("bash", bool),
    "package-manager": ("package_manager", PACKAGE_MANAGERS),
    "certificates": ("certificates", bool),
    "tzdata": ("tzdata", bool),
    "users": ("users", dict),
    "user": ("user", str),
    "workdir": ("workdir", str),
    "directories": ("directories", list),
    "tools": ("tools", list),
    "fat": ("fat", bool),
    "toolchain": ("toolchain", bool),
    "size-mb": ("unpacked_mb", float),
}
"""The keys of a ``[[base-image]]`` table that state facts: field of `BaseImage`, and its type or the values that it takes."""


class OwnImage(Record):
    """One ``[[base-image]]`` table: any tag of `repository` where `tag` is "". `reference` is as the user writes it."""

    reference: str
    repository: str
    tag: str
    image: BaseImage


def own_image(reference: str, like: str, facts: Mapping[str, Any]) -> OwnImage:
    """The image of a table: the facts of the known image `like` ("": of none), and `facts`, by field, over them.

    Raises ValueError with the reason, in one line, for a reference that is none or a `like` that nobody knows.
    """
    parsed = parse_reference(reference)
    if parsed is None or "$" in reference:
        raise ValueError(f'"{reference}" is no image reference')
    base = BaseImage("", "", "", "", "own", libc="unknown", env=(("PATH", _DEFAULT_PATH),))
    if like:
        known = lookup(like)
        if known is None:
            raise ValueError(f'`like`: "{like}" is no image that the catalogue knows')
        base = known
    values = dict(facts)
    if values.get("toolchain") and not base.host_libc:
        values["host_libc"] = values.get("libc", base.libc)
    if "libc" in values and base.host_libc:
        values["host_libc"] = values["libc"]
    title = parsed.repository.rpartition("/")[2]
    image = base._replace(
        reference=reference,
        repository=parsed.repository,
        tag=parsed.tag,
        title=title,
        understood=True,
        moving=False,
        ended=False,
        eol="",
        replacement=True,
        certainty="configuration",
        source="the user's configuration",
    )
    return OwnImage(reference, parsed.repository, parsed.tag, image._replace(**values))


def find_image(reference: str, own: tuple[OwnImage, ...]) -> BaseImage | None:
    """The image that a reference names: the user's own before the catalogue's; one with the tag before one for any tag."""
    if own:
        parsed = parse_reference(reference)
        if parsed is not None:
            for tag in dict.fromkeys((parsed.tag, "")):
                for one in own:
                    if one.repository == parsed.repository and one.tag == tag:
                        return one.image._replace(reference=reference, tag=parsed.tag)
    return lookup(reference)

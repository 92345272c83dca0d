"""What the user has decided: the settings, and how they are read from a configuration file's text."""

from __future__ import annotations

from typing import NamedTuple


class Settings(NamedTuple):
    """Everything that steers a run, with its defaults.

    `prefer`: choices in the order of preference ("distroless/static", "alpine", "scratch" …). `platforms`: docker
    platforms asked for; empty means nobody asked. `args`: build arguments. `select`/`ignore`: codes or names; an empty
    `select` means all rules.
    """

    prefer: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    target: str | None = None
    args: tuple[tuple[str, str], ...] = ()
    probe_image: str = "busybox:musl"
    fail_on: str = "warning"
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

"""Which platforms a proof is about: those that were named, or those of the usual two that the engine can run."""

from __future__ import annotations

from functools import partial

from dockerslim_lint.record import Record
from dockerslim_lint.verify.engines.interface import Engine, EngineError, PlatformCheck
from dockerslim_lint.verify.threads import side_by_side

USUAL = ("linux/amd64", "linux/arm64")
"""What is tried where nobody names a platform."""

_ALSO_RUNS = {"amd64": ("amd64", "386")}


class Chosen(Record):
    """The platforms of a proof, and the usual ones that are left out with the reason."""

    platforms: tuple[PlatformCheck, ...]
    left_out: tuple[tuple[str, str], ...]


def native_to(platform: str, natives: tuple[str, ...]) -> bool:
    """Whether a machine of one of the platforms `natives` runs `platform` without an emulator, as far as is certain."""
    wanted = architecture(platform)
    return any(
        platform == native or wanted in _ALSO_RUNS.get(architecture(native), (architecture(native),))
        for native in natives
    )


def architecture(platform: str) -> str:
    """``arm64`` of ``linux/arm64/v8``."""
    parts = platform.split("/")
    return parts[1] if len(parts) > 1 else platform


def choose(engine: Engine, named: tuple[str, ...], probe_image: str) -> Chosen:
    """Try every platform on the engine, side by side.

    Raises EngineError when a platform that was named cannot be built or run, or when none of the usual ones can.
    """
    wanted = tuple(dict.fromkeys(named or USUAL))
    checks = side_by_side(engine, [partial(engine.check, platform, probe_image) for platform in wanted])
    unusable = [check for check in checks if not check.usable]
    if unusable and (named or len(unusable) == len(checks)):
        first = unusable[0]
        others = "".join(f"; {check.platform}: {check.reason}" for check in unusable[1:])
        raise EngineError(f"{first.platform} cannot be built and run: {first.reason}{others}", first.remedy)
    return Chosen(
        tuple(check for check in checks if check.usable),
        tuple((check.platform, f"{check.reason}; {check.remedy}".removesuffix("; ")) for check in unusable),
    )


def describe(engine: Engine, chosen: Chosen) -> str:
    """``buildx 0.13.1 · linux/amd64 here, linux/arm64 emulated``."""
    parts = [f"{check.platform} {check.how}" for check in chosen.platforms]
    parts += [f"{platform} left out" for platform, _ in chosen.left_out]
    return f"{engine.name} · {', '.join(parts)}"


def leave_out(chosen: Chosen, named: tuple[str, ...]) -> str:
    """`` (--platform linux/amd64 does only what runs here)``, "" where that is all, or the platforms were `named`."""
    here = [check.platform for check in chosen.platforms if check.how == "here"]
    if named or not here or len(here) == len(chosen.platforms):
        return ""
    return f" (--platform {','.join(here)} does only what runs here)"

"""DSL309."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.facts.env import NOWHERE
from dockerslim_lint.facts.model import Command, Mount
from dockerslim_lint.rule import Finding, Fixes, ImageBuild, Invalid, Label, Plan, Rule, Severity, Valid

ROOT = """\
FROM rust:1-alpine AS builder
WORKDIR /app
COPY . .
RUN --mount=type=cache,target=/root/.cargo/registry cargo build --release
FROM gcr.io/distroless/static-debian13
COPY --from=builder /app/target/release/app /app
CMD ["/app"]
"""
RIGHT = ROOT.replace("/root/.cargo", "/usr/local/cargo")
DST = (
    ROOT.replace("1-alpine", "1.80-alpine")
    .replace("type=cache,target=", "id=r,dst=")
    .replace("try cargo", "try,type=cache cargo")
)
COOK = ROOT.replace("RUN --m", "RUN --mount=type=cache,target=/root/.cargo,id=home cargo chef cook --release\nRUN --m")
OWN = RIGHT.replace("WORKDIR", "ENV CARGO_HOME=/cargo\nWORKDIR").replace("/registry", "/git/db,sharing=locked")


class ColdCacheMount(Rule):
    """A cache mount is made for cargo's downloads, and cargo keeps them elsewhere.

    The official images have `CARGO_HOME=/usr/local/cargo`: in them `--mount=type=cache,target=/root/.cargo/registry` keeps
    nothing, and each build downloads all crates anew. `/root/.cargo` is right only where nothing sets CARGO_HOME.

    It is said where CARGO_HOME is known: the file sets it, or the image does.

    **Fix safety.** The fix moves the mount to where CARGO_HOME is. From then on the downloads are no longer in the layer,
    where a later step may want them, so it needs a proof. None for a mount of the whole directory: it would hide cargo itself.
    """

    CODE = "DSL309"
    NAME = "cold-cache-mount"
    SEVERITY = Severity.INFO

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        for mount, home, command in _cold(build):
            yield self.finding(
                f"The cache mount stays empty: cargo keeps its downloads below {home}.",
                mount.span,
                note=f"CARGO_HOME is {home}",
                labels=(Label(command.span, "downloads them into the layer"),),
                fixes=self._move(build, plan, mount, home),
            )

    @staticmethod
    def _move(build: ImageBuild, plan: Plan, mount: Mount, home: str) -> Fixes:
        from dockerslim_lint.plan.blocks.cache_mount import move_mount

        return plan.alone(
            f"mount:{mount.span.start}",
            "mount the cache where cargo keeps its downloads",
            lambda: move_mount(build, mount, f"{home}/{_below(mount.target)}" if _below(mount.target) else ""),
            lambda after: len(_cold(after)) < len(_cold(build)),
        )

    INVALID = (
        Invalid(ROOT, line=4, fixed=RIGHT),
        Invalid(DST, line=4, fixed=DST.replace("/root/.cargo", "/usr/local/cargo")),
        Invalid(COOK.replace("/root/.cargo/registry", "/usr/local/cargo/registry"), line=4),
        Invalid(OWN, line=5, fixed=OWN.replace("/usr/local/cargo", "/cargo")),
    )
    VALID = (
        Valid(near=0, text=RIGHT),
        Valid(near=0, text=RIGHT.replace("rust:1-alpine", "$IMAGE")),
        Valid(near=0, text=ROOT.replace("rust:1-alpine", "$IMAGE")),
        Valid(near=0, text=ROOT.replace("rust:1-alpine", "example.com/rust:1")),
        Valid(near=0, text=ROOT.replace("FROM rust:1-alpine AS builder", "FROM alpine AS builder\nRUN apk add cargo")),
        Valid(near=0, text=ROOT.replace("rust:1-alpine", "clux/muslrust:stable")),
        Valid(near=0, text=ROOT.replace("WORKDIR", "ENV CARGO_HOME=/root/.cargo\nWORKDIR")),
        Valid(near=0, text=ROOT.replace("WORKDIR", "ARG HOME_OF\nENV CARGO_HOME=$HOME_OF\nWORKDIR")),
        Valid(near=0, text=ROOT.replace("cargo build", "CARGO_HOME=/root/.cargo cargo build")),
        Valid(near=0, text=ROOT.replace("cargo build", "export CARGO_HOME=$HOME/.cargo; cargo build")),
        Valid(near=0, text=ROOT.replace("cargo build", "./build.sh")),
        Valid(near=0, text=ROOT.replace("type=cache", "type=tmpfs")),
        Valid(near=0, text=ROOT.replace("/root/.cargo/registry", "/app/target")),
        Valid(near=0, text=ROOT.replace("COPY . .", "COPY . .\nRUN ln -s /usr/local/cargo /root/.cargo")),
        Valid(near=0, text=ROOT.replace("/registry cargo", "/registry ls /root/.cargo/registry; cargo")),
        Valid(near=3, text=OWN.replace("/usr/local/cargo", "/cargo")),
    )


HOMES = (".cargo", "cargo")
"""What CARGO_HOME is usually called."""

DOWNLOADS = ("registry", "git")
"""Below it (cargo book, "Cargo Home")."""


def _below(target: str) -> str:
    """What a mount holds of cargo's home: ``registry``, ``git/db``; "" for the whole or none of it."""
    parts = target.split("/")
    at = next((at for at, part in enumerate(parts) if part in HOMES and parts[at + 1 : at + 2]), len(parts))
    rest = parts[at + 1 :]
    return "/".join(rest) if rest and rest[0] in DOWNLOADS else ""


def _cold(build: ImageBuild) -> list[tuple[Mount, str, Command]]:
    """The cache mounts that are meant for cargo's downloads and are elsewhere, with CARGO_HOME and the call that downloads."""
    found = []
    for mount in build.mounts:
        whole = mount.target.endswith(f"/{HOMES[0]}")
        if mount.kind != "cache" or mount.varies or not (whole or _below(mount.target)) or "*" in mount.target:
            continue
        commands = (*(one.command for one in build.warmups), *(one.command for one in build.calls))
        calls = [command for command in commands if command.instruction == mount.instruction]
        homes = {_home(build, call) for call in calls}
        home = next(iter(homes)) if len(homes) == 1 else None
        if not home or "*" in home or not home.startswith("/") or f"{mount.target}/".startswith(f"{home.rstrip('/')}/"):
            continue
        own = mount.target.removesuffix(f"/{_below(mount.target)}")
        if not any(_names(command, own, f"~/{HOMES[0]}") for command in build.commands if command.stage == mount.stage):
            found.append((mount, home.rstrip("/"), calls[0]))
    return found


def _home(build: ImageBuild, call: Command) -> str | None:
    """CARGO_HOME where the file sets it, or the image surely does."""
    value = call.variables.get("CARGO_HOME")
    if value is not None and value.origin != NOWHERE:
        return value.text
    image = build.stages[call.stage].image
    if image is None or not image.understood or image.certainty == "believed" or "cargo_home" in image.believed:
        return None
    return image.cargo_home or None


def _names(command: Command, *places: str) -> bool:
    """Whether a command speaks of one of these directories: it may be a link, or somebody looks into it."""
    return any(place in word.pattern for word in command.words for place in places)

"""DSL305."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.facts.model import Mount
from dockerslim_lint.rule import Finding, Fixes, ImageBuild, Invalid, Label, Plan, Rule, Severity, Valid

CACHED = """\
FROM rust:1-alpine AS builder
WORKDIR /app
COPY . .
RUN --mount=type=cache,target=/app/target cargo build --release && cp target/release/app /app.bin
FROM gcr.io/distroless/static-debian13
COPY --from=builder /app.bin /app
CMD ["/app"]
"""


BOTH = ("linux/amd64", "linux/arm64")


class SharedCacheMount(Rule):
    """Builds for several platforms write into one cache mount.

    The id of a cache mount is its path unless it is given, so the builds of all platforms share it. A stage that runs on
    the target platform builds each platform's program at the same place in `target/`: the builds wait for one another,
    throw out what the other has built, and it is never warm. Give each its own:
    `--mount=type=cache,id=target-$TARGETPLATFORM,target=/app/target`, with `ARG TARGETPLATFORM` in the stage.

    Nothing is said where a variable stands in the mount, where the stage runs on the build platform, where a target is
    named (each has a directory of its own), and where one platform is asked for.

    **Fix safety.** Needs a proof, for the builder has to know variables in a mount's id.
    """

    CODE = "DSL305"
    NAME = "shared-cache-mount"
    SEVERITY = Severity.INFO

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        if len(build.platforms) < 2 or not build.images:
            return
        for mount in build.mounts:
            stage = build.stages[mount.stage]
            if mount.kind != "cache" or mount.varies or stage.cross or stage.platform:
                continue
            for call in build.calls:
                inside = f"{call.output or ''}/".startswith(f"{mount.target}/") and call.kind == "build"
                own = call.target.pattern == "" and call.command.certain
                if inside and own and call.command.instruction == mount.instruction:
                    yield self.finding(
                        f"{len(build.platforms)} platforms build into one cache mount.",
                        mount.span,
                        note="its id is the same for all of them",
                        labels=(Label(call.command.span, "builds into it"),),
                        fixes=self._one_each(build, plan, mount),
                    )
                    break

    @staticmethod
    def _one_each(build: ImageBuild, plan: Plan, mount: Mount) -> Fixes:
        from dockerslim_lint.plan.blocks.builder_steps import mount_per_platform

        return plan.alone(
            f"mount:{mount.span.start}",
            "give each platform a mount of its own",
            lambda: mount_per_platform(build, mount),
            lambda after: sum(one.varies for one in after.mounts) > sum(one.varies for one in build.mounts),
        )

    INVALID = (
        Invalid(
            CACHED,
            line=4,
            fixed=CACHED.replace("RUN", "ARG TARGETPLATFORM\nRUN").replace(
                "/target cargo", "/target,id=/app/target-$TARGETPLATFORM cargo"
            ),
            platforms=BOTH,
        ),
        Invalid(
            CACHED.replace("COPY . .", "ARG TARGETPLATFORM\nCOPY . .").replace("cache,", "cache,id=app,"),
            line=5,
            fixed=CACHED.replace("COPY . .", "ARG TARGETPLATFORM\nCOPY . .").replace(
                "cache,", "cache,id=app-$TARGETPLATFORM,"
            ),
            platforms=BOTH,
        ),
    )
    VALID = (
        Valid(near=0, text=CACHED),
        Valid(near=0, text=CACHED, platforms=BOTH[:1]),
        Valid(
            near=0,
            text=CACHED.replace("COPY . .", "ARG TARGETPLATFORM\nCOPY . .").replace(
                "cache,", "cache,id=$TARGETPLATFORM,"
            ),
            platforms=BOTH,
        ),
        Valid(near=0, text=CACHED.replace("FROM rust", "FROM --platform=$BUILDPLATFORM rust"), platforms=BOTH),
        Valid(near=0, text=CACHED.replace("FROM rust", "FROM --platform=linux/amd64 rust"), platforms=BOTH),
        Valid(
            near=0,
            text=CACHED.replace("cargo build", "cargo build --target $(uname -m)-unknown-linux-musl"),
            platforms=BOTH,
        ),
        Valid(near=0, text=CACHED.replace("/app/target ", "/usr/local/cargo/registry "), platforms=BOTH),
        Valid(
            near=0, text=CACHED.replace("cargo build", "cargo fetch && CARGO_TARGET_DIR=/t cargo build"), platforms=BOTH
        ),
    )

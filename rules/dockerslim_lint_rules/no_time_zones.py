"""DSL408."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.rule import Finding, ImageBuild, Invalid, Plan, Rule, Severity, Valid, names_of

ALPINE = """\
FROM rust:1-alpine AS builder
WORKDIR /app
COPY . .
RUN cargo build --release
FROM alpine:3.24
ENV TZ=Europe/Vienna
COPY --from=builder /app/target/release/clock /usr/local/bin/clock
CMD ["clock"]
"""

LOCK = 'version = 4\n[[package]]\nname = "chrono-tz"\nversion = "0.10.0"\n'
FILES = {"Cargo.toml": '[package]\nname = "clock"\n', "src/main.rs": "fn main() {}\n", "Cargo.lock": "version = 4\n"}


class NoTimeZones(Rule):
    """TZ names a time zone, and the image has no time zone files: the program runs in UTC without a word.

    `TZ=Europe/Vienna` is looked up in /usr/share/zoneinfo. alpine, ubuntu and scratch have no such directory, and libc
    and `chrono::Local` then take UTC. Install `tzdata` in the final stage, `COPY --from=builder /usr/share/zoneinfo
    /usr/share/zoneinfo` where the builder has it, or take distroless/static, which has it.

    A program that carries the database itself (`chrono-tz`, `tzdb`) may do without: where Cargo.lock has such a crate, the
    rule is silent.

    **Fix safety.** There is no fix of its own; a rewrite counts time zones among the image's needs, and installs
    `tzdata` on alpine.
    """

    CODE = "DSL408"
    NAME = "no-time-zones"
    SEVERITY = Severity.WARNING

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        for image in build.images:
            zone = image.inside.time_zone
            if zone is None or image.inside.tzdata is not False:
                continue
            from dockerslim_lint.catalog import needs

            crates = [build.crates[artifact.call] for _, artifact in image.artifacts if artifact.call is not None]
            if any(crate is not None and needs.brings("tzdata", crate.packages or ()) for crate in crates):
                continue
            yield self.finding(
                f"{build.stages[image.stage].base_reference} has no time zone files, so TZ={zone.text} means UTC to"
                f" {names_of(image.artifacts)}.",
                zone.origin,
                note="not in the image",
            )

    INVALID = (
        Invalid(ALPINE, line=6),
        Invalid(ALPINE.replace("alpine:3.24", "scratch"), line=6, files=FILES),
        Invalid(ALPINE.replace("alpine:3.24", "ubuntu:22.04").replace("=Europe", " Europe"), line=6),
    )

    VALID = (
        Valid(near=0, text=ALPINE.replace("Europe/Vienna", "UTC")),
        Valid(near=0, text=ALPINE.replace("Europe/Vienna", "Etc/UTC")),
        Valid(near=0, text=ALPINE.replace("Europe/Vienna", "CET-1CEST")),
        Valid(near=0, text=ALPINE.replace("Europe/Vienna", "$ZONE")),
        Valid(near=0, text=ALPINE.replace("ENV TZ", "ARG TZ")),
        Valid(near=0, text=ALPINE.replace("ENV", "RUN apk add --no-cache tzdata\nENV")),
        Valid(near=0, text=ALPINE.replace("ENV", "RUN apk add --no-cache $PACKAGES\nENV")),
        Valid(near=0, text=ALPINE.replace("ENV", "COPY --from=builder /usr/share/zoneinfo /usr/share/zoneinfo\nENV")),
        Valid(near=0, text=ALPINE.replace("alpine:3.24", "debian:trixie-slim")),
        Valid(near=0, text=ALPINE.replace("alpine:3.24", "gcr.io/distroless/static-debian13")),
        Valid(near=0, text=ALPINE.replace("alpine:3.24", "example.com/base:1")),
        Valid(near=1, text=ALPINE.replace("alpine:3.24", "scratch"), files={**FILES, "Cargo.lock": LOCK}),
        Valid(near=2, text=ALPINE.replace("alpine:3.24", "ubuntu:24.04").replace("=Europe", " Europe")),
    )

"""DSL312."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.facts.model import Unfound
from dockerslim_lint.rule import Finding, Fixes, ImageBuild, Invalid, Label, Plan, Rule, Severity, Valid

OPENSSL = """\
FROM rust:1-bookworm AS builder
WORKDIR /app
COPY . .
RUN cargo build --release
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y ca-certificates libssl1.1 && rm -rf /var/lib/apt/lists/*
COPY --from=builder /app/target/release/app /app
CMD ["/app"]
"""
RIGHT = OPENSSL.replace("libssl1.1", "libssl3")
BUILDER = """\
FROM rust:1-trixie
WORKDIR /app
RUN apt-get update && apt-get install -y \\
    libpcre3-dev
COPY . .
RUN cargo build --release
"""


class PackageNotThere(Rule):
    """A step installs a package that the release of its base does not have.

    `apt-get install` ends with an error then, and so does the build. Most often a library's name is that of an older release
    (`libssl1.1` came with Debian 11) while `FROM` has moved on. What the program links is the library of its builder's
    release: install that one's name (`libssl3`), or let builder and base be of one release.

    Only names are reported that were looked for in the package lists of Debian 12 and 13. Nothing is said where the file
    speaks of other sources of packages, or where a step before may have added some.

    **Fix safety.** Needs a proof: the release's own name, where it is known, and, of a library, where the shipped programs are
    built on the same release.
    """

    CODE = "DSL312"
    NAME = "package-not-there"
    SEVERITY = Severity.ERROR

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        for one in build.unfound:
            stage = build.stages[one.command.stage]
            base = stage.base_reference
            label = () if stage.word is None else (Label(stage.word.span, f"is {one.release}"),)
            yield self.finding(
                f"{base} has no package {one.name}: the step fails.",
                one.span,
                note=self._now(one),
                labels=label,
                fixes=self._by_its_name(build, plan, one),
            )

    @staticmethod
    def _now(one: Unfound) -> str:
        from dockerslim_lint.catalog import debian

        name = debian.present_name(one.name, one.release)
        known = name not in ("", one.name)
        return f"{one.release} has {name.replace(' ', ', ')}" if known else f"not in the lists of {one.release}"

    @staticmethod
    def _by_its_name(build: ImageBuild, plan: Plan, one: Unfound) -> Fixes:
        from dockerslim_lint.plan.blocks.debian_packages import renamed

        return plan.alone(
            f"name:{one.span.start}",
            f"install what {one.release} has",
            lambda: renamed(build, one),
            lambda after: len(after.unfound) < len(build.unfound),
            repairs="build",
        )

    INVALID = (
        Invalid(OPENSSL, line=6, fixed=RIGHT),
        # another release than the builder's
        Invalid(OPENSSL.replace("debian:bookworm", "debian:stable"), line=6),
        Invalid(OPENSSL.replace("libssl1.1", "libssl1.1:amd64"), line=6),
        Invalid(
            OPENSSL.replace("apt-get install", "apt install").replace("libssl1.1", "netcat"),
            line=6,
            fixed=RIGHT.replace("apt-get install", "apt install").replace("libssl3", "netcat-openbsd"),
        ),
        Invalid(
            OPENSSL.replace("COPY --from", "COPY my.crt /etc/ssl/certs/\nCOPY --from"),
            line=6,
            fixed=RIGHT.replace("COPY --from", "COPY my.crt /etc/ssl/certs/\nCOPY --from"),
        ),
        Invalid(BUILDER, line=4),
        Invalid(
            BUILDER.replace("rust:1-trixie", "rust:1-bookworm").replace("libpcre3-dev", "libssl3t64"),
            line=4,
            fixed=BUILDER.replace("rust:1-trixie", "rust:1-bookworm").replace("libpcre3-dev", "libssl3"),
        ),
        Invalid(OPENSSL.replace("rust:1-bookworm", "rust:1-bullseye"), line=6),
        Invalid(OPENSSL.replace("rust:1-bookworm", "example.com/rust"), line=6),
    )
    VALID = (
        *(
            Valid(near=0, text=OPENSSL.replace(old, new))
            for old, new in (
                ("libssl1.1", "libssl3"),
                ("libssl1.1", "libssl1.1*"),
                ("libssl1.1", "libssl1.1-of-ours"),
                ("libssl1.1", "./libssl1.1.deb"),
                ("apt-get install -y ca-certificates libssl1.1", "(apt-get install -y libssl1.1 || true)"),
                ("install -y", "download"),
                ("debian:bookworm-slim", "debian:bullseye-slim"),
                ("debian:bookworm-slim", "ubuntu:22.04"),
                ("debian:bookworm-slim", "example.com/debian:bookworm-slim"),
                ("debian:bookworm-slim", "debian:$TAG"),
                ("RUN apt", "COPY old.list /etc/apt/sources.list.d/\nRUN apt"),
                ("RUN apt", "COPY rootfs /\nRUN apt"),
                ("RUN apt", "COPY etc /etc/\nRUN apt"),
                ("RUN apt", "RUN ./add-sources\nRUN apt"),
                ("update &&", "update && add-apt-repository -y ppa:x/y &&"),
                ("update &&", "update && dpkg -i libssl1.1_1.1.1w_amd64.deb &&"),
            )
        ),
        Valid(near=1, text=OPENSSL.replace("debian:bookworm-slim", f"debian:stable-slim@sha256:{'0' * 64}")),
        Valid(near=5, text=BUILDER.replace("rust:1-trixie", "rust:1-bookworm")),
        Valid(near=5, text=BUILDER.replace("libpcre3-dev", "libpcre2-dev")),
        Valid(near=6, text=BUILDER.replace("libpcre3-dev", "libssl3t64")),
    )

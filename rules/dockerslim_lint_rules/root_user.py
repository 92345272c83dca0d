"""DSL402."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.rule import Finding, ImageBuild, Invalid, Plan, Rule, Severity, Span, Valid

SLIM = """\
FROM rust:1-bookworm AS builder
WORKDIR /app
COPY . .
RUN cargo build --release
FROM debian:bookworm-slim
COPY --from=builder /app/target/release/web /usr/local/bin/web
CMD ["web"]
"""

BACK = """\
FROM rust:1-alpine AS builder
WORKDIR /app
COPY . .
RUN cargo build --release
FROM alpine:3.24
RUN adduser -D web
COPY --from=builder /app/target/release/web /usr/local/bin/web
USER root
CMD ["web"]
"""


COMPILES = """\
FROM rust:1
COPY . .
CMD ["cargo", "run", "--release"]
"""


class RootUser(Rule):
    """The program runs as root, in an image with a shell and a package manager.

    Who breaks into the program then owns the container: he can install what he likes, and every file of a mounted volume
    is his. `USER 65532:65532` costs nothing where the program writes no files of its own; otherwise make the directory,
    give it to that number and name it in VOLUME. A number needs no entry in /etc/passwd. Docker lets such a user listen on
    ports below 1024.

    Silent on scratch and distroless, which have nothing that root could run, as long as no instruction needs a shell; and
    where a script or `gosu` starts first, which may change the user itself.

    **Fix safety.** There is no fix: what the program must be able to write is not in the Dockerfile.
    """

    CODE = "DSL402"
    NAME = "root-user"
    SEVERITY = Severity.INFO

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        for image in build.images:
            base = build.stages[image.stage].image
            word = build.stages[image.stage].word
            if not image.inside.as_root or base is None or word is None:
                continue
            if not base.shell and not image.inside.shell_uses:
                continue
            if image.launch.program not in dict(image.artifacts):
                continue
            name = (image.launch.program or "").rsplit("/", 1)[-1]
            note = "root, with a shell at hand" if base.shell else "root, in an image that wants a shell"
            yield self._as_root(build, name, image.user_instruction, word.span, note)
        for found in build.cargo_at_start:
            word = build.stages[-1].word
            if found.as_root and not found.script and word is not None:
                name = found.server.partition(" ")[0] or "cargo"
                yield self._as_root(build, name, found.user_instruction, word.span, "root, with a toolchain at hand")

    def _as_root(self, build: ImageBuild, name: str, user: int | None, base: Span, note: str) -> Finding:
        said = build.instructions[user].words if user is not None else ()
        reason = "USER says so" if said else "there is no USER"
        return self.finding(f"{name} runs as root: {reason}.", said[0].span if said else base, note=note)

    INVALID = (
        Invalid(SLIM, line=5),
        Invalid(BACK, line=8),
        Invalid(BACK.replace("USER root", "USER 0:0"), line=8),
        Invalid(COMPILES, line=1),
        Invalid(COMPILES.replace("CMD", "USER root\nCMD"), line=3),
    )

    VALID = (
        Valid(near=0, text=SLIM.replace("CMD", "USER 65532:65532\nCMD")),
        Valid(near=0, text=SLIM.replace("CMD", "USER nobody\nCMD")),
        Valid(near=0, text=SLIM.replace("CMD", "ARG WHO=web\nUSER $WHO\nCMD")),
        Valid(near=0, text=SLIM.replace("debian:bookworm-slim", "gcr.io/distroless/cc-debian13")),
        Valid(near=0, text=SLIM.replace("debian:bookworm-slim", "cgr.dev/chainguard/wolfi-base:$TAG")),
        Valid(near=0, text=SLIM.replace("debian:bookworm-slim", "example.com/base:1")),
        Valid(near=0, text=SLIM.replace("CMD", 'ENTRYPOINT ["gosu", "web"]\nCMD')),
        Valid(near=0, text=SLIM.replace("CMD", 'ENTRYPOINT ["/entrypoint.sh"]\nCMD')),
        Valid(near=1, text=BACK.replace("USER root", "USER web")),
        Valid(near=3, text=COMPILES.replace("CMD", "USER 1000\nCMD")),
        Valid(near=3, text=COMPILES.replace('"run", "--release"', '"test"')),
        Valid(near=1, text=BACK.replace("alpine:3.24", "scratch").replace("RUN adduser -D web\n", "")),
    )

"""DSL406."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.rule import Finding, ImageBuild, Invalid, Label, Plan, Rule, Severity, Valid

STATIC = """\
FROM rust:1-alpine AS builder
RUN adduser -D -u 1000 app
WORKDIR /src
COPY . .
RUN cargo build --release
FROM gcr.io/distroless/static-debian13
COPY --from=builder /src/target/release/web /usr/local/bin/web
USER app
ENTRYPOINT ["/usr/local/bin/web"]
"""

SLIM = """\
FROM rust:1-bookworm AS builder
WORKDIR /src
COPY . .
RUN cargo build --release
FROM debian:bookworm-slim
COPY --from=builder /src/target/release/web /usr/local/bin/web
USER web:web
CMD ["web"]
"""


class UnknownUser(Rule):
    """USER names a user or a group that the image does not have: the container does not start.

    A name is looked up when the container starts: `unable to find user app: no matching entries in passwd file`. So is that of
    a group behind the colon, in /etc/group, whoever the user is. scratch has no such files, distroless knows root, nobody and
    nonroot, and a user that was made in the builder stays there. A number needs no entry, and Kubernetes' `runAsNonRoot` wants one: `USER 65532:65532`.

    **Fix safety.** There is no fix: which number the user should have depends on who owns the files and volumes.
    """

    CODE = "DSL406"
    NAME = "unknown-user"
    SEVERITY = Severity.ERROR

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        for image in build.images:
            if image.user_instruction is None or (image.inside.user is not False and image.inside.group is not False):
                continue
            instruction = build.instructions[image.user_instruction]
            user, _, group = image.user.partition(":")
            kind, name, place = "user", user, "/etc/passwd"
            if image.inside.user is not False:
                kind, name, place = "group", group, "/etc/group"
            base = build.stages[image.stage].base_reference
            labels = [
                Label(one.command.span, "made in another stage, and not copied")
                for one in build.users
                if one.name == name and one.command.stage not in image.chain
            ]
            yield self.finding(
                f"There is no {kind} {name} in {base}, and no step makes one: the container does not start.",
                instruction.words[0].span,
                note=f"not in {place}",
                labels=tuple(labels[:1]),
            )

    INVALID = (
        Invalid(STATIC, line=8),
        Invalid(STATIC.replace("gcr.io/distroless/static-debian13", "scratch"), line=8),
        Invalid(SLIM, line=7),
        Invalid(SLIM.replace("web:web", "1000:app"), line=7),
        Invalid(
            STATIC.replace("gcr.io/distroless/static-debian13", "scratch").replace("USER app", "USER 7:app"), line=8
        ),
    )

    VALID = (
        Valid(near=0, text=STATIC.replace("USER app", "USER nonroot")),
        Valid(near=0, text=STATIC.replace("USER app", "USER 1000:1000")),
        Valid(near=0, text=STATIC.replace("USER app", "COPY --from=builder /etc/passwd /etc/passwd\nUSER app")),
        Valid(near=0, text=STATIC.replace("USER app", "COPY passwd /etc/\nUSER app")),
        Valid(near=0, text=STATIC.replace("USER app", "COPY --from=builder /rootfs/ /\nUSER app")),
        Valid(near=0, text=STATIC.replace("USER app", "ADD rootfs.tar.gz /\nUSER app")),
        Valid(near=0, text=STATIC.replace("gcr.io/distroless/static-debian13", "example.com/base:1")),
        Valid(near=0, text=STATIC.replace("static-debian13", "static-debian13:$TAG")),
        Valid(near=1, text=STATIC.replace("gcr.io/distroless/static-debian13", "scratch").replace("app\nE", "root\nE")),
        Valid(near=2, text=SLIM.replace("USER web", "RUN useradd -r web\nUSER web")),
        Valid(near=2, text=SLIM.replace("USER web", "RUN groupadd web && useradd -r -g web web\nUSER web")),
        Valid(near=2, text=SLIM.replace("USER web", "RUN echo 'web:x:7:7::/:' >> /etc/passwd\nUSER web")),
        Valid(near=2, text=SLIM.replace("USER web", "RUN ./make-user.sh\nUSER web")),
        Valid(near=2, text=SLIM.replace("USER web", "RUN apt-get install -y webserver\nUSER web")),
        Valid(near=2, text=SLIM.replace("USER web:web", "USER www-data")),
        Valid(near=2, text=SLIM.replace("USER web:web", "USER $WHO")),
        Valid(near=3, text=SLIM.replace("web:web", "1000:1000")),
        Valid(near=3, text=SLIM.replace("web:web", "1000:users")),
        Valid(near=3, text=SLIM.replace("web:web", "1000:$GROUP")),
        Valid(near=3, text=SLIM.replace("USER web:web", "RUN groupadd -r app\nUSER 1000:app")),
        Valid(near=3, text=SLIM.replace("USER web:web", "RUN useradd -u 1000 app\nUSER 1000:app")),
        Valid(near=3, text=SLIM.replace("USER web:web", "COPY etc/group /etc/group\nUSER 1000:app")),
        Valid(near=3, text=SLIM.replace("USER web:web", "RUN echo app:x:7: >> /etc/group\nUSER 1000:app")),
        Valid(near=3, text=SLIM.replace("USER web:web", "RUN ./make-group.sh\nUSER 1000:app")),
        Valid(near=3, text=SLIM.replace("web:web", "1000:app").replace("debian:bookworm-slim", "example.com/slim:12")),
        Valid(near=3, text=SLIM.replace("web:web", "1000:app").replace("debian:bookworm-slim", "fedora:42")),
        Valid(near=3, text=SLIM.replace("web:web", "1000:ubuntu").replace("debian:bookworm-slim", "ubuntu:24.04")),
    )

"""DSL404."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.rule import Finding, ImageBuild, Invalid, Plan, Rule, Severity, Valid

HEALTH = """\
FROM rust:1-bookworm AS builder
WORKDIR /app
COPY . .
RUN cargo build --release
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y ca-certificates
COPY --from=builder /app/target/release/web /usr/local/bin/web
HEALTHCHECK --interval=30s CMD curl -f http://localhost:8080/ || exit 1
CMD ["web"]
"""

INIT = """\
FROM rust:1-alpine AS builder
WORKDIR /app
COPY . .
RUN cargo build --release
FROM alpine:3.24
COPY --from=builder /app/target/release/web /usr/local/bin/web
ENTRYPOINT ["tini", "--", "web"]
"""

STATIC = INIT.replace("alpine:3.24", "gcr.io/distroless/static-debian13").replace(
    'ENTRYPOINT ["tini", "--", "web"]',
    'HEALTHCHECK CMD ["wget", "-q", "--spider", "http://localhost:8080/"]\nCMD ["/usr/local/bin/web"]',
)
JOINED = INIT.replace("3.24\n", "3.24\nRUN apk add --no-cache curl\n").replace(
    'ENTRYPOINT ["tini", "--", "web"]', 'HEALTHCHECK CMD ["curl --fail http://localhost:8080/"]\nCMD ["web"]'
)
SCRIPT = INIT.replace('["tini", "--", "web"]', '["/start.sh"]').replace("ENTRY", "COPY start.sh /\nENTRY")
BASH = {"start.sh": "#!/bin/bash\nexec web\n"}
GOSU = {"start.sh": '#!/bin/sh\nset -e\nexec gosu 1000 web "$@"\n'}

APT = INIT.replace("3.24\n", "3.24\nRUN apt-get update && apt-get install -y tini\n").replace('"tini", "--", ', "")
ADDS = HEALTH.replace("debian:bookworm", "debian:trixie").replace("HEALTHCHECK", "RUN adduser app\n# ")


class MissingTool(Rule):
    """The health check or the start command calls a program that the image lacks.

    debian and ubuntu images have neither curl nor wget, alpine has busybox's wget and no curl, distroless and scratch have
    no programs at all; `tini`, `dumb-init` and `gosu` are in none of them. A missing init program keeps the container from
    starting. A missing curl lets every health check fail, and an orchestrator kills a container that works.

    Install the program in the final stage, use what the base has (`wget -qO-` on alpine), or let the program check itself
    (`HEALTHCHECK CMD ["/app", "--health"]`). `docker run --init` needs no tini.

    A whole command in one string of an exec form (`["curl --fail http://localhost/"]`) is the name of one program.

    A script that starts, or is the health check, is read where its text is known: its `#!` line has to name a program that
    is there (alpine has no bash, distroless and scratch have no sh), and so has every command that it surely runs. What is
    behind a condition, or what the script looks for or installs itself, is left alone.

    A RUN may call what its base lacks: Debian 13 has no `adduser`, only `useradd`; alpine has no `apt-get` and no `useradd`.

    The rule speaks only where all files of the image are accounted for, and only of programs that the base surely lacks.

    **Fix safety.** There is no fix of its own: a package or another check is your choice. A rewrite that goes to alpine keeps a
    check by wget, if its options are some that busybox has.
    """

    CODE = "DSL404"
    NAME = "missing-tool"
    SEVERITY = Severity.WARNING

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        for image in build.images:
            base = build.stages[image.stage].base_reference
            for started in image.inside.started:
                if started.found is not False:
                    continue
                if started.role == "health":
                    end, severity = "every health check fails", Severity.WARNING
                elif started.tool and not started.elsewhere:
                    end, severity = "the image does not start", Severity.ERROR
                else:
                    continue
                text = f"{started.name} is not in {base}, and no step brings it: {end}."
                if started.joined:
                    text = f'An exec form takes "{started.name}" as one program name: {end}.'
                note = "split it, or use the shell form" if started.joined else "not there"
                yield self.finding(text, started.span, note=note, severity=severity)
            missed = {one.name: one for one in reversed(image.commands) if image.inside.misses(one)}
            for command in sorted(missed.values(), key=lambda one: one.span.start):
                text = f"{command.name} is not in {base}, and no step brings it: the command fails."
                yield self.finding(text, command.words[0].span, note="not there", severity=Severity.ERROR)
            for need in image.inside.script_needs(image.launch):
                lacks, severity = f"which is not in {base}, and no step brings it", Severity.WARNING
                text = f"{need.script} calls {need.name} (its line {need.line}), {lacks}."
                if need.interpreter:
                    end = "the image does not start" if need.role == "launch" else "every health check fails"
                    text = f"{need.script} is a script for {need.name}, {lacks}: {end}."
                    severity = Severity.ERROR if need.role == "launch" else severity
                yield self.finding(text, need.span, note=f"its line {need.line} needs {need.name}", severity=severity)

    INVALID = (
        Invalid(HEALTH, line=8),
        Invalid(INIT, line=7),
        Invalid(STATIC, line=7),
        Invalid(HEALTH.replace("CMD curl -f http://localhost:8080/ || exit 1", 'CMD ["curl -f localhost"]'), line=8),
        Invalid(JOINED, line=8),
        Invalid(SCRIPT, line=8, files=BASH),
        Invalid(SCRIPT, line=8, files=GOSU),
        Invalid(SCRIPT.replace("alpine:3.24", "gcr.io/distroless/static"), line=8, files=GOSU),
        Invalid(SCRIPT.replace('ENTRYPOINT ["/s', 'HEALTHCHECK CMD ["/s'), line=8, files=BASH),
        Invalid(ADDS, line=8),
        Invalid(APT, line=6),
    )

    VALID = (
        Valid(near=3, text=HEALTH.replace("CMD curl -f http://localhost:8080/ || exit 1", 'CMD ["web", "-c f"]')),
        Valid(near=0, text=HEALTH.replace("ca-certificates", "ca-certificates curl")),
        Valid(near=0, text=HEALTH.replace("ca-certificates", "ca-certificates $PACKAGES")),
        Valid(near=0, text=HEALTH.replace("ca-certificates", "some-unknown-package")),
        Valid(near=0, text=HEALTH.replace("debian:bookworm-slim", "rust:1-bookworm")),
        Valid(near=0, text=HEALTH.replace("|| exit 1", "|| web --check")),
        Valid(near=0, text=HEALTH.replace("curl -f http://localhost:8080/", "test -f /tmp/ready")),
        Valid(near=0, text=HEALTH.replace("COPY --from", "COPY --from=example.com/c:1 /curl /usr/bin/\nCOPY --from")),
        Valid(near=0, text=HEALTH.replace("RUN apt-get update", "COPY setup.sh /\nRUN sh /setup.sh")),
        Valid(near=0, text=HEALTH.replace("CMD curl -f http://localhost:8080/ || exit 1", "CMD /opt/probe/probe")),
        Valid(near=4, text=JOINED.replace('"curl --fail ', '"curl", "--fail", "')),
        Valid(near=4, text=JOINED.replace('["curl ', "curl ").replace('8080/"]', "8080/")),
        Valid(near=4, text=JOINED.replace("alpine:3.24", "example.com/base:1")),
        Valid(near=1, text=INIT.replace("3.24\n", "3.24\nRUN apk add --no-cache tini\n")),
        Valid(near=1, text=INIT.replace('["tini", "--", "web"]', '["web"]')),
        Valid(near=1, text=INIT.replace("ENTRYPOINT", "COPY --from=builder /tini /usr/bin/tini\nENTRYPOINT")),
        Valid(near=1, text=INIT.replace("ENTRYPOINT", "ADD https://example.com/tini /usr/bin/\nENTRYPOINT")),
        Valid(near=2, text=STATIC.replace("gcr.io/distroless/static-debian13", "alpine:3.24")),
        Valid(near=2, text=STATIC.replace('"wget", "-q", "--spider"', '"/usr/local/bin/web"')),
        Valid(near=5, text=SCRIPT, files={"start.sh": "#!/bin/sh\nexec web\n"}),
        Valid(near=5, text=SCRIPT.replace("3.24\n", "3.24\nRUN apk add bash\n"), files=BASH),
        Valid(near=5, text=SCRIPT.replace("/\nENT", "/\nRUN sed -i s/bash/sh/ /start.sh\nENT"), files=BASH),
        Valid(near=5, text=SCRIPT.replace("alpine:3.24", "debian:bookworm-slim"), files=BASH),
        Valid(near=6, text=SCRIPT.replace("/\nENT", "/\nCOPY gosu /usr/bin/\nENT"), files={**GOSU, "gosu": ""}),
        Valid(near=6, text=SCRIPT, files={"start.sh": "#!/bin/sh\n[ -n $AS ] && exec gosu $AS web\nexec web\n"}),
        Valid(near=6, text=SCRIPT),
        Valid(near=7, text=SCRIPT.replace("alpine:3.24", "gcr.io/distroless/static:debug"), files=GOSU),
        Valid(near=9, text=ADDS.replace("trixie", "bookworm")),
        Valid(near=10, text=APT.replace("apt-get update &&", "apk add --no-cache tini ||")),
        Valid(near=10, text=APT.replace("apt-get update && apt-get install -y tini", "apk add shadow && useradd app")),
        Valid(near=8, text=SCRIPT.replace('ENTRYPOINT ["/s', 'HEALTHCHECK CMD ["web", "/s'), files=BASH),
    )

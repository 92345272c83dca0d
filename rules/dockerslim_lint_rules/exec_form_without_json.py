"""DSL409."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.facts.model import Misquoted
from dockerslim_lint.rule import Finding, Fixes, ImageBuild, Invalid, Plan, Rule, Severity, Valid

SINGLE = """\
FROM rust:1-alpine AS builder
WORKDIR /app
COPY . .
RUN cargo build --release
FROM alpine:3.24
COPY --from=builder /app/target/release/web /usr/local/bin/web
ENTRYPOINT ['web', '--port', '80']
"""
FIXED = SINGLE.replace("['web', '--port', '80']", '["web", "--port", "80"]')
ARGUMENTS = SINGLE.replace("['web', '--port', '80']", "[\"web\"]\nCMD ['--help']")
BOTH = SINGLE.replace("['web', '--port', '80']", "['web']\nCMD ['--help']")
RUN = FIXED.replace("RUN cargo build --release", "RUN ['cargo', 'build', '--release']")
HEALTH = FIXED.replace("ENTRY", "HEALTHCHECK CMD ['web', '--check']\nENTRY")


class ExecFormWithoutJson(Rule):
    """A command that looks like an exec form and is no JSON: a shell gets the brackets, and finds no such program.

    Docker takes `["app", "-x"]` for a list only if it is valid JSON: double quotes, a comma between two strings, none
    after the last. Anything else is the shell form, without a word about it. `ENTRYPOINT ['/app']` runs
    `/bin/sh -c "['/app']"`, and the container ends with `sh: [/app]: not found`, whatever the base. In a RUN the build
    breaks. `CMD ['-x']` after an ENTRYPOINT in exec form hands the program `/bin/sh`, `-c` and the text.

    A test (`CMD [ -f /x ] && app`) has a space after its bracket and is left alone.

    **Fix safety.** Needs a proof, which shows that the image starts: the same strings in double quotes. None where it is
    not certain which strings are meant, or where a variable stands among them, which no exec form replaces.
    """

    CODE = "DSL409"
    NAME = "exec-form-without-json"
    SEVERITY = Severity.ERROR

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        for found in build.misquoted:
            end, severity = ENDS[found.role]
            yield self.finding(
                f"{build.instructions[found.instruction].keyword} is no valid JSON, so a shell gets it as it stands: {end}.",
                found.span,
                note="strings need double quotes, and commas between them",
                severity=severity,
                fixes=self._quoted(build, plan, found),
            )

    @staticmethod
    def _quoted(build: ImageBuild, plan: Plan, found: Misquoted) -> Fixes:
        from dockerslim_lint.plan.blocks.exec_form import in_json

        together = [found]
        if found.role in ("launch", "arguments"):
            stage = next(stage for stage in build.stages if found.instruction in stage.instructions)
            started = [one for one in build.misquoted if one.role in ("launch", "arguments")]
            together = [one for one in started if one.instruction in stage.instructions]
        return plan.alone(
            f"json:{together[0].instruction}",
            "write it in double quotes",
            lambda: in_json(build, together),
            lambda after: all(after.instructions[one.instruction].json is not None for one in together),
            repairs=REPAIRS[found.role],
        )

    INVALID = (
        Invalid(SINGLE, line=7, fixed=FIXED),
        Invalid(SINGLE.replace("ENTRYPOINT", "CMD"), line=7, fixed=FIXED.replace("ENTRYPOINT", "CMD")),
        Invalid(SINGLE.replace("alpine:3.24", "scratch"), line=7, fixed=FIXED.replace("alpine:3.24", "scratch")),
        Invalid(ARGUMENTS, line=8, fixed=ARGUMENTS.replace("'", '"')),
        Invalid(RUN, line=4, fixed=RUN.replace("'", '"')),
        Invalid(HEALTH, line=7, fixed=HEALTH.replace("'", '"')),
        Invalid(
            SINGLE.replace("['web', '--port', '80']", "[ 'web' ]"), line=7, fixed=FIXED.replace(', "--port", "80"', "")
        ),
        Invalid(SINGLE.replace("'80']", "'80',]"), line=7, fixed=FIXED),
        Invalid(SINGLE.replace("'", "").replace("80", '"80"'), line=7, fixed=FIXED),
        Invalid(
            SINGLE.replace("['web', '--port', '80']", "[“web”]"), line=7, fixed=FIXED.replace(', "--port", "80"', "")
        ),
        Invalid(SINGLE.replace("'80'", "'$PORT'"), line=7),
        Invalid(SINGLE.replace("'--port', '80'", "'--port' '80'"), line=7),
    )
    VALID = (
        Valid(near=0, text=FIXED),
        Valid(near=0, text=SINGLE.replace("['web', '--port', '80']", "[ -x /bin/web ] && web")),
        Valid(near=0, text=SINGLE.replace("['web', '--port', '80']", '[ "$DEBUG" = 1 ] && web')),
        Valid(near=0, text=SINGLE.replace("['web', '--port', '80']", "[[ -x /bin/web ]] && web")),
        Valid(near=0, text=SINGLE.replace("['web', '--port', '80']", "web '[]'")),
        Valid(near=0, text=SINGLE.replace("ENTRYPOINT", 'SHELL ["/bin/list", "-c"]\nENTRYPOINT')),
        Valid(near=0, text=SINGLE + 'ENTRYPOINT ["web"]\n'),
        Valid(near=3, text=ARGUMENTS.replace('["web"]', "web --port 80")),
        Valid(
            near=4, text=RUN.replace("['cargo', 'build', '--release']", "[ -f Cargo.lock ] && cargo build --release")
        ),
        Valid(near=4, text=RUN.replace("['cargo', 'build', '--release']", "[ 'x' ] && cargo build --release")),
        Valid(near=5, text=HEALTH.replace("['web', '--check']", "[ -f /tmp/up ]")),
        Valid(near=5, text=HEALTH.replace("['web', '--check']", "[ '/tmp/up' ]")),
    )


ENDS = {
    "launch": ("the container does not start", Severity.ERROR),
    "arguments": ("the program gets `/bin/sh -c` and the text as its arguments", Severity.ERROR),
    "run": ("the build breaks here", Severity.ERROR),
    "health": ("the container is reported as unhealthy", Severity.WARNING),
}
REPAIRS = {"launch": "start", "arguments": "start", "run": "build", "health": ""}

"""DSL403."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.facts.model import FinalImage, ShellUse
from dockerslim_lint.rule import Finding, Fixes, ImageBuild, Invalid, Plan, Rule, Severity, Valid

STATIC = """\
FROM rust:1-alpine AS builder
WORKDIR /app
COPY . .
RUN cargo build --release
FROM gcr.io/distroless/static-debian13
COPY --from=builder /app/target/release/web /usr/local/bin/web
CMD /usr/local/bin/web --port 8080
"""

EXEC = STATIC.replace("CMD /usr/local/bin/web --port 8080", 'CMD ["/usr/local/bin/web"]')

RUN = EXEC.replace("CMD [", "RUN mkdir -p /data\nCMD [")

HEALTH = EXEC.replace("CMD [", "HEALTHCHECK CMD /usr/local/bin/web --check || exit 1\nCMD [")


FIXED = STATIC.replace("CMD /usr/local/bin/web --port 8080", 'CMD ["/usr/local/bin/web", "--port", "8080"]')


class ShellFormWithoutShell(Rule):
    """A command in shell form on a base without a shell.

    `CMD app --port 80` means `/bin/sh -c "app --port 80"`. scratch and distroless have no /bin/sh, so such a container
    ends with `exec: "/bin/sh": stat /bin/sh: no such file or directory`, a RUN ends the build, and a HEALTHCHECK reports
    a good container as unhealthy.

    Write the exec form, `CMD ["app", "--port", "80"]`, make directories in the builder and COPY them, or take a base with a
    shell (alpine, the `debug` tags of distroless).

    **Fix safety.** Needs a proof: the exec form, where every word is what a shell would make of it and the first is a
    program of the image. None where variables, quotes or operators would need a shell, and none for RUN.
    """

    CODE = "DSL403"
    NAME = "shell-form-without-shell"
    SEVERITY = Severity.ERROR

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        seen = {found.instruction for found in build.misquoted}  # meant as exec forms
        for image in build.images:
            if image.inside.shell is not False:
                continue
            for use in image.inside.shell_uses:
                if use.instruction in seen:
                    continue
                seen.add(use.instruction)
                instruction = build.instructions[use.instruction]
                end, severity = ENDS[use.role]
                yield self.finding(
                    f"{instruction.keyword} in shell form needs /bin/sh, which {build.stages[image.stage].base_reference}"
                    f" does not have: {end}.",
                    instruction.keyword_span,
                    note="run by /bin/sh -c",
                    severity=severity,
                    fixes=self._exec_form(build, plan, image, use),
                )

    @staticmethod
    def _exec_form(build: ImageBuild, plan: Plan, image: FinalImage, use: ShellUse) -> Fixes:
        from dockerslim_lint.plan.blocks.exec_form import mended

        return plan.alone(
            f"exec:{use.instruction}",
            "write the exec form",
            lambda: mended(build, image, use),
            lambda after: after.instructions[use.instruction].json is not None,
            repairs="start" if use.role == "launch" else "",
        )

    INVALID = (
        Invalid(STATIC, line=7, fixed=FIXED),
        Invalid(RUN, line=7),
        Invalid(
            HEALTH,
            line=7,
            fixed=HEALTH.replace("CMD /usr/local/bin/web --check || exit 1", 'CMD ["/usr/local/bin/web", "--check"]'),
        ),
        Invalid(
            STATIC.replace("gcr.io/distroless/static-debian13", "scratch").replace("CMD", "ENTRYPOINT"),
            line=7,
            fixed=FIXED.replace("gcr.io/distroless/static-debian13", "scratch").replace("CMD", "ENTRYPOINT"),
        ),
        Invalid(STATIC.replace("CMD /usr", "CMD exec /usr"), line=7, fixed=FIXED),
        Invalid(STATIC.replace("8080", "$PORT"), line=7),
        Invalid(STATIC.replace("CMD /usr/local/bin/web", "ENTRYPOINT web") + 'CMD ["--verbose"]\n', line=7),
    )

    VALID = (
        Valid(near=0, text=EXEC),
        Valid(near=0, text=STATIC.replace("/usr/local/bin/web --port 8080", "['/usr/local/bin/web']")),
        Valid(near=0, text=STATIC.replace("static-debian13", "static-debian13:debug")),
        Valid(near=0, text=STATIC.replace("gcr.io/distroless/static-debian13", "alpine:3.24")),
        Valid(near=0, text=STATIC.replace("static-debian13", "static-debian13@sha256:0123")),
        Valid(near=0, text=STATIC.replace("gcr.io/distroless/static-debian13", "example.com/static:1")),
        Valid(near=0, text=STATIC.replace("CMD", "COPY --from=busybox:1-musl /bin/ /bin/\nCMD")),
        Valid(near=0, text=STATIC.replace("CMD", "COPY --from=busybox:1-musl /bin/busybox /bin/sh\nCMD")),
        Valid(near=0, text=STATIC.replace("CMD", 'SHELL ["/usr/local/bin/web", "-c"]\nCMD')),
        Valid(near=0, text=STATIC.replace("CMD", 'ENTRYPOINT ["/usr/local/bin/web"]\nCMD')),
        Valid(near=1, text=RUN.replace("RUN mkdir -p /data", 'RUN ["/usr/local/bin/web", "--init"]')),
        Valid(near=1, text=RUN.replace("RUN mkdir", "RUN --mount=from=busybox:1-musl,source=/bin,target=/bin mkdir")),
        Valid(near=2, text=HEALTH.replace("CMD /usr/local/bin/web --check || exit 1", 'CMD ["/usr/local/bin/web"]')),
        Valid(near=2, text=HEALTH.replace("CMD /usr/local/bin/web --check || exit 1", "NONE")),
    )


ENDS = {
    "launch": ("the container does not start", Severity.ERROR),
    "run": ("the build breaks here", Severity.ERROR),
    "health": ("the container is reported as unhealthy", Severity.WARNING),
}

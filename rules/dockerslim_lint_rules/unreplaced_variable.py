"""DSL411."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.facts.model import GoneVariable
from dockerslim_lint.rule import Finding, Fixes, ImageBuild, Invalid, Label, Plan, Rule, Severity, Valid

FILES = {
    "Cargo.toml": '[package]\nname = "web"\nversion = "0.1.0"\nedition = "2021"\n[profile.release]\nstrip = true\n',
    "src/main.rs": "fn main() {}\n",
}

SHELL = """\
FROM rust:1-alpine AS builder
ARG BIN=web
WORKDIR /app
COPY . .
RUN cargo build --release
FROM alpine:3.24
ARG BIN=web
COPY --from=builder /app/target/release/$BIN /usr/local/bin/
CMD /usr/local/bin/$BIN --port 80
"""
SET = SHELL.replace("ARG BIN=web\nCOPY --from", "ARG BIN=web\nENV BIN=$BIN\nCOPY --from")
EXEC = SET.replace("/usr/local/bin/$BIN --port 80", '["/usr/local/bin/${BIN}", "--port", "80"]')
PORT = SET.replace("ENV BIN=$BIN", "ENV PORT=80").replace(
    "/usr/local/bin/$BIN --port 80", '["/usr/local/bin/web", "--port", "$PORT"]'
)


class UnreplacedVariable(Rule):
    """A command of the image has a variable in it that is not replaced when the container starts.

    An ARG is there while the image is built, and gone afterwards: in `CMD ./$BIN` the shell of the container finds `BIN`
    empty, and starts `./`. `ENV BIN=$BIN` below the ARG keeps the value in the image. And there is no shell at all behind
    the exec form: `CMD ["./$BIN"]` looks for a file whose name begins with a dollar sign, whatever ENV says. There
    the name itself has to be written, or `["sh", "-c", "exec ./$BIN"]` where the base has a shell.

    The build is green. Where the variable names the program, the container does not start; elsewhere the program gets
    an empty or a literal argument. Nothing is said of a variable that the container may have after all: one that the file declares
    as no ARG (`docker run -e` may bring it), that platforms give (`PORT`), that has a default (`${BIN:-web}`), or that the command
    may set itself (`. ./env`). Nor of arguments for a script, which may replace them. An ARG of another stage, or above the first
    FROM, counts if it names the program. If cargo did not build the program, only an exec form that starts a variable is reported.

    **Fix safety.** Needs a proof, which shows that the image starts: `ENV BIN=$BIN` is added below an ARG of the same stage that
    names the program and has a value. Nothing else is fixed: in an exec form, or for an argument, only you know what is meant.
    """

    CODE = "DSL411"
    NAME = "unreplaced-variable"
    SEVERITY = Severity.ERROR

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        for found in build.gone_variables:
            labels = () if found.argument is None else (Label(found.argument, "for the build alone"),)
            yield self.finding(
                self._message(found),
                found.span,
                note=self._advice(found),
                labels=labels,
                fixes=() if found.exec_form else self._keep(build, plan, found),
                severity=Severity.ERROR if found.program else Severity.WARNING,
            )

    @staticmethod
    def _message(found: GoneVariable) -> str:
        if found.exec_form:
            end = "the image does not start" if found.program else "the program gets the text as it stands"
            return f"No shell replaces {found.variable} in an exec form: {end}."
        end = "the image does not start" if found.program else "an argument is not what was meant"
        left = found.left or "nothing"
        return (
            f"The ARG {found.variable} is gone when the container starts, which leaves {left} of {found.word}: {end}."
        )

    @staticmethod
    def _advice(found: GoneVariable) -> str:
        if not found.exec_form:
            where = "below the ARG" if found.in_scope else f"below an `ARG {found.variable}` in this stage"
            return f"`ENV {found.variable}=${found.variable}` {where} keeps it"
        return "write the name itself" if found.program else "write the value, or start it by a shell"

    @staticmethod
    def _keep(build: ImageBuild, plan: Plan, found: GoneVariable) -> Fixes:
        from dockerslim_lint.plan.blocks.start import keep_argument

        return plan.alone(
            f"keep:{found.instruction}:{found.variable}",
            f"keep {found.variable} in the image",
            lambda: keep_argument(build, found),
            lambda after: all(one.variable != found.variable for one in after.gone_variables),
            repairs="start",
        )

    INVALID = (
        Invalid(SHELL, line=9, fixed=SET, files=FILES),
        Invalid(
            SHELL.replace("CMD /usr", "ENTRYPOINT exec /usr"),
            line=9,
            fixed=SET.replace("CMD /usr", "ENTRYPOINT exec /usr"),
            files=FILES,
        ),
        Invalid(
            SHELL.replace("/usr/local/bin/$BIN --port 80", '["sh", "-c", "/usr/local/bin/$BIN"]'),
            line=9,
            fixed=SET.replace("/usr/local/bin/$BIN --port 80", '["sh", "-c", "/usr/local/bin/$BIN"]'),
            files=FILES,
        ),
        Invalid(SHELL.replace("/bin/$BIN --port 80", "/bin/web --name $BIN"), line=9, files=FILES),
        Invalid(EXEC, line=10, files=FILES),
        Invalid(PORT, line=10, files=FILES),
        Invalid(PORT.replace("ENV PORT=80\n", ""), line=9, files=FILES),
        Invalid(SHELL.replace("3.24\nARG BIN=web", "3.24"), line=8, files=FILES),
        Invalid("ARG BIN=web\n" + SHELL.replace("ARG BIN=web\n", ""), line=8, files=FILES),
        Invalid(SHELL.replace("3.24\nARG BIN=web", "3.24\nARG BIN"), line=9, files=FILES),
        Invalid(
            "ARG BIN=web\n" + SHELL.replace("BIN=web", "BIN"),
            line=10,
            fixed="ARG BIN=web\n" + SET.replace("BIN=web", "BIN"),
            files=FILES,
        ),
        Invalid(EXEC.replace("${BIN}", "$NAME"), line=10, files=FILES),
    )
    VALID = (
        Valid(near=0, text=SET, files=FILES),
        Valid(near=0, text=SHELL.replace("$BIN --port", "web --port"), files=FILES),
        Valid(near=0, text=SHELL.replace("--port 80", "--port $PORT").replace("/bin/$BIN", "/bin/web"), files=FILES),
        Valid(near=0, text=SHELL.replace("CMD /usr/local/bin/$BIN", "CMD BIN=web; /usr/local/bin/$BIN"), files=FILES),
        Valid(near=0, text=SHELL.replace("CMD /usr/local/bin/$BIN", "CMD /usr/local/bin/${BIN:-web}"), files=FILES),
        Valid(near=0, text=SHELL.replace("CMD /usr/local/bin/$BIN", "CMD '/usr/local/bin/$BIN'"), files=FILES),
        Valid(near=0, text=SHELL.replace("CMD /usr/local/bin/", "CMD . /etc/web; "), files=FILES),
        Valid(near=0, text=SHELL.replace("CMD /usr/local/bin/$BIN", "CMD : ${BIN:=web}; $BIN"), files=FILES),
        Valid(near=0, text=SHELL.replace("$BIN --port", "$OTHER --port"), files=FILES),
        Valid(
            near=3,
            text=SHELL.replace("24\nARG BIN", "24\nARG PORT").replace("$BIN --port 80", "web -p $PORT"),
            files=FILES,
        ),
        Valid(near=0, text=SHELL.replace("FROM alpine:3.24", "FROM example.com/base:1"), files=FILES),
        Valid(near=2, text=SET.replace("/usr/local/bin/$BIN --port 80", '["sh", "-c", "$BIN"]'), files=FILES),
        Valid(near=4, text=EXEC.replace("/${BIN}", "/web"), files=FILES),
        Valid(near=4, text=EXEC.replace("CMD [", 'CMD ["sh", "-c", "exec /usr/local/bin/$BIN"]\n#'), files=FILES),
        Valid(near=5, text=PORT.replace('"$PORT"', '"80"'), files=FILES),
        Valid(near=5, text=PORT.replace('"$PORT"', '"$port/$user"'), files=FILES),
        Valid(near=5, text=PORT.replace("CMD [", 'COPY start.sh /\nCMD ["/start.sh", '), files=FILES),
        Valid(near=6, text=PORT.replace('"--port", "$PORT"', '"--port=80"'), files=FILES),
    )

"""DSL405."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.facts.model import FinalImage, Started
from dockerslim_lint.rule import Finding, Fixes, ImageBuild, Invalid, Label, Plan, Rule, Severity, Valid, names_of

ROOT = """\
FROM rust:1-alpine AS builder
WORKDIR /work
COPY . .
RUN cargo build --release
RUN strip target/release/slice -o /slice
FROM alpine:3.24
COPY --from=builder /slice /
ENTRYPOINT ["slice"]
"""

MOVED = """\
FROM rust:1 AS builder
WORKDIR /app
COPY . .
RUN cargo build --release
FROM debian:bookworm-slim
WORKDIR /srv/app
COPY --from=builder /app/target/release/server ./
CMD ["/app/server", "--port", "80"]
"""

FILE = """\
FROM rust:1-alpine AS builder
WORKDIR /app
COPY . .
RUN cargo build --release
FROM gcr.io/distroless/static-debian13
COPY --from=builder /app/target/release/tick /usr/local/bin
ENTRYPOINT ["tick"]
"""

FOLDER = """\
FROM rust:1-alpine AS builder
WORKDIR /app
COPY . .
RUN cargo install --path . --root /out
FROM alpine:3.24
CMD ["server"]
COPY --from=builder /out/bin /opt
"""
CRATE = {
    "Cargo.toml": '[package]\nname = "server"\nversion = "0.1.0"\nedition = "2021"\n[profile.release]\nstrip = true\n',
    "src/main.rs": "fn main() {}\n",
}


class MissingEntrypoint(Rule):
    """ENTRYPOINT or CMD names a program that no step puts there: the container does not start.

    The build is green, and `docker run` says `executable file not found in $PATH` or `no such file or directory`. A name
    without a slash is looked up in PATH, and `/` is no part of PATH. `COPY app /usr/local/bin` without a final slash makes
    a *file* of that name where the base has no such directory, as in distroless and scratch. A relative name counts from
    WORKDIR, not from where the builder had it. cargo makes no `-` of a `_`: a package `my_app` gives `target/release/my_app`.

    The rule speaks only where all files of the image are accounted for: on a base of the catalogue, not after a script
    or a download, not where whole directories are copied to that place.

    **Fix safety.** Needs a proof, which shows that the image starts: the command names the program where it is, or the
    COPY gets the slash that it lacks. None where several programs could be meant, or nothing of that name is there.
    """

    CODE = "DSL405"
    NAME = "missing-entrypoint"
    SEVERITY = Severity.ERROR

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        for image in build.images:
            for started in image.inside.started:
                if started.role != "launch" or started.found is not False or (started.tool and not started.elsewhere):
                    continue
                if started.joined:
                    text = f'An exec form takes "{started.name}" as one program name: the image does not start.'
                    yield self.finding(text, started.span, note="split it, or use the shell form")
                    continue
                programs = [(path, artifact) for path, artifact in image.artifacts if path in started.elsewhere]
                programs = programs or list(image.artifacts)
                places = ", ".join(path for path, _ in programs)
                labels = [
                    Label(build.instructions[transfer.instruction].keyword_span, f"puts {names_of(programs)} elsewhere")
                    for transfer in image.transfers
                    if any(transfer.destination.rstrip("/") in (path, path.rsplit("/", 1)[0]) for path, _ in programs)
                ]
                where = "in the image" if "/" in started.name else "on PATH"
                yield self.finding(
                    f"{started.name} is no program {where}: the image does not start. It ships {places}.",
                    started.span,
                    note="cargo leaves - and _ as they are" if started.respelt else "not there",
                    labels=tuple(labels[:1]),
                    fixes=self._where_it_is(build, plan, image, started),
                )

        for started in build.nothing_to_start:
            yield self.finding(
                f"No step brings {started.name}: the image does not start.", started.span, note="not there"
            )

    @staticmethod
    def _where_it_is(build: ImageBuild, plan: Plan, image: FinalImage, started: Started) -> Fixes:
        from dockerslim_lint.plan.blocks.start import start_where_it_is

        place = build.images.index(image)
        return plan.alone(
            f"start:{started.instruction}",
            "start the program where it is",
            lambda: start_where_it_is(build, image, started),
            lambda after: after.images[place].launch.program in dict(after.images[place].artifacts),
            repairs="start",
        )

    INVALID = (
        Invalid(ROOT, line=8, fixed=ROOT.replace('["slice"]', '["/slice"]')),
        Invalid(MOVED, line=8, fixed=MOVED.replace('/app/server"', '/srv/app/server"')),
        Invalid(FILE, line=7, fixed=FILE.replace("/usr/local/bin\n", "/usr/local/bin/\n")),
        Invalid(ROOT.replace('["slice"]', '["/bin/slice"]'), line=8, fixed=ROOT.replace('["slice"]', '["/slice"]')),
        Invalid(FOLDER, line=6, fixed=FOLDER.replace('["server"]', '["/opt/server"]'), files=CRATE),
        Invalid(FILE.replace("COPY --from", "# COPY --from"), line=7),
    )

    VALID = (
        Valid(near=0, text=ROOT.replace('["slice"]', '["/slice"]')),
        Valid(near=0, text=ROOT.replace("/slice /\n", "/slice /bin/\n")),
        Valid(near=0, text=ROOT.replace("/slice /\n", "/slice /\nENV PATH=/:$PATH\n")),
        Valid(near=0, text=ROOT.replace("/slice /\n", "/slice /\nRUN ln -s /slice /usr/bin/slice\n")),
        Valid(near=0, text=ROOT.replace("/slice /\n", "/slice /\nRUN ./install.sh\n")),
        Valid(near=0, text=ROOT.replace("/slice /\n", "/slice /\nCOPY bin/ /usr/local/bin/\n")),
        Valid(near=0, text=ROOT.replace("alpine:3.24", "example.com/base:1")),
        Valid(near=0, text=ROOT.replace('["slice"]', '["sh"]')),
        Valid(near=1, text=MOVED.replace('"/app/server"', '"./server"')),
        Valid(near=1, text=MOVED.replace("./\nCMD", "./\nCOPY scripts /app\nCMD")),
        Valid(near=1, text=MOVED.replace("./\nCMD", "./\nRUN ln -s /srv/app /app\nCMD")),
        Valid(near=1, text=MOVED.replace("./\nCMD", "./\nVOLUME /app\nCMD")),
        Valid(near=2, text=FILE.replace("/usr/local/bin\n", "/usr/local/bin/\n")),
        Valid(near=2, text=FILE.replace("/usr/local/bin\n", "/usr/bin\n")),
        Valid(near=2, text=FILE.replace("gcr.io/distroless/static-debian13", "alpine:3.24")),
        Valid(near=5, text=FILE.replace("COPY --from", "#").replace("13\n", "13:debug\n")),
        Valid(near=4, text=FOLDER.replace("bin /opt", "bin /usr/local/bin"), files=CRATE),
        Valid(near=4, text=FOLDER.replace("CMD", "ENV PATH=/opt:$PATH\nCMD"), files=CRATE),
        Valid(near=4, text=FOLDER),
        Valid(near=3, text=ROOT.replace('["slice"]', '["/usr/bin/slice"]').replace("/slice /\n", "/slice /bin/\n")),
    )

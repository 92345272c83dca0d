"""Results with all that a format has to cope with."""

from __future__ import annotations

from dockerslim_lint.edit import Edit, Fix, Safety, Withheld
from dockerslim_lint.finding import Finding, Label, Severity
from dockerslim_lint.linter import Applied, Held, Report
from dockerslim_lint.output.exits import Exit
from dockerslim_lint.output.interface import Asked, FileResult, Problem, load_format, plain
from dockerslim_lint.source import Source, Span

TEXT = """\
\ufeff# é: the first line
FROM rust AS build
RUN cargo build \\
    --release
# dockerslim: ignore=DSL103; reason=it has {plugins}
FROM ubuntu
COPY --from=build /𝄞 /x
""".encode()
BAD = b"FROM ubuntu\nRUN echo \xff | tee `x` @me\n"
ASKED = Asked(("d",), directory="/home/me/repo/svc", root="/home/me/repo")


def span(source: Source, text: str) -> Span:
    at = source.data.index(text.encode())
    return Span(at, at + len(text.encode()))


def slim(source: Source) -> Fix:
    base, call = span(source, "ubuntu"), span(source, "cargo build \\\n    --release")
    edits = (
        Edit(base.start, base.end, "gcr.io/distroless/static"),
        Edit(call.end, call.end, " --target x86_64-unknown-linux-musl"),
        Edit(call.start, call.start, "rustup target add x86_64-unknown-linux-musl && "),
        Edit(len(source.data) - 1, len(source.data), "\nUSER 65532\n"),
    )
    return Fix("slim:0", "distroless/static", Safety.PROVABLE, "static musl on {distroless}", edits, "slow malloc")


def judged() -> FileResult:
    """Two findings with one fix, one whose fix is withheld, an info, one that is suppressed; one fixed, one held back."""
    source = Source(TEXT, "Docker file")
    base, fix = span(source, "ubuntu"), slim(source)
    label = Label(span(source, "cargo build \\\n    --release"), "builds for gnu")
    fat = Finding("DSL101", "gnu-on-fat-base", Severity.ERROR, "x is fat: ${BASE}.", base, "no use", (label,), (fix,))
    old = Finding("DSL103", "glibc-too-old", Severity.WARNING, "It is old.", base, fixes=(fix,))
    copy = Finding(
        "DSL104",
        "musl-on-fat-base",
        Severity.WARNING,
        "Two | lines,\nthe [second](x) with `ticks` & <b>, 50%.",
        span(source, "COPY --from=build /𝄞 /x\n"),
        fixes=Withheld("slim:0", "made by `make`"),
    )
    info = Finding("DSL501", "not-locked", Severity.INFO, "Not locked.", span(source, "cargo build"))
    report = Report(source, (info, fat, copy), (old,), None, ("Cargo.toml is broken",))
    strip = Fix("strip:1", "", Safety.SAFE, "strip it", (Edit(0, 0, "x"),))
    held = Held("slim:0", ("DSL101",), (fix,), "not proven")
    return FileResult("Docker file", report=report, context="svc", applied=(Applied(strip, ("DSL201",)),), held=(held,))


def unreadable() -> FileResult:
    finding = Finding("DSL901", "unparsable", Severity.ERROR, "is a directory, no Dockerfile", Span(0, 0))
    source = Source(b"", "../x.dockerfile")
    return FileResult("../x.dockerfile", report=Report(source, (finding,), (), finding.message, ()))


def broken_bytes() -> FileResult:
    """Bytes that are no UTF-8 in the path, the message, and what a fix inserts; an escape that a terminal would obey."""
    source = Source(BAD, "caf\udce9|,:%.dockerfile")
    place = span(source, "tee")
    fix = Fix("a:1", "", Safety.SAFE, "move", (Edit(place.start, place.end, "cat \udcff"), Edit(5, 11, "")))
    finding = Finding("DSL902", "bad-instruction", Severity.ERROR, "\x1b[31m\udcff @me", place, fixes=(fix,))
    return FileResult("caf\udce9|,:%.dockerfile", report=Report(source, (finding,), (), None, ()))


def everything() -> tuple[FileResult, ...]:
    return (
        judged(),
        unreadable(),
        broken_bytes(),
        FileResult("gone", problem=Problem(Exit.NO_INPUT, "does not exist; check the path")),
        FileResult("one", problem=Problem(Exit.USAGE, ".dockerslim.toml: unknown key")),
        FileResult("two", problem=Problem(Exit.USAGE, ".dockerslim.toml: unknown key")),
        FileResult("ours", report=Report(Source(b"FROM x\n", "ours"), (), (), None, ()), bug="did not converge"),
        FileResult("clean", report=Report(Source(b"FROM x\n", "clean"), (), (), None, ())),
        FileResult("excluded"),
        FileResult("-", report=Report(Source(b"FROM x\n", "-"), (), (), None, ())),
    )


def rendered(name: str, results: tuple[FileResult, ...], asked: Asked = ASKED) -> str:
    return plain(load_format(name)(results, asked))

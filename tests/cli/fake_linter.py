"""A linter with one opinion, to test the shell without the core: run as a script it is the program with that linter.

``ubuntu:22.04`` is DSL101 with a PROVABLE fix, ``nostrip`` DSL201 with a SAFE one, ``boom`` raises, ``tell`` is a note.
"""

from __future__ import annotations

from dockerslim_lint import linter
from dockerslim_lint.config import Settings
from dockerslim_lint.context import BuildContext
from dockerslim_lint.edit import Edit, Fix, Safety, Withheld, apply
from dockerslim_lint.finding import Finding, Label, Severity
from dockerslim_lint.linter import Applied, Fixed, Held, Report
from dockerslim_lint.source import Source, Span

FAT = b"ubuntu:22.04"
SLIM = "gcr.io/distroless/static-debian13"


def findings(source: Source) -> tuple[Finding, ...]:
    found = []
    at = source.data.find(FAT)
    call = source.data.find(b"cargo build --release")
    if at >= 0:
        slim = Fix(
            "slim:0",
            "distroless/static",
            Safety.PROVABLE,
            f"static musl build on {SLIM} (~2 MB base)",
            (Edit(at, at + len(FAT), SLIM),),
            "musl's allocator is slow under many threads; DNS search rules differ",
        )
        labels = (Label(Span(call, call + 21), "builds for *-linux-gnu, the image's default"),) if call >= 0 else ()
        found.append(
            Finding(
                "DSL101",
                "gnu-on-fat-base",
                Severity.ERROR,
                "slice is a glibc program and ships on ubuntu:22.04 (~77 MB of base).",
                Span(at, at + len(FAT)),
                "nothing in this file uses it",
                labels,
                (slim,),
            )
        )
        found.append(
            Finding(
                "DSL103",
                "glibc-too-old",
                Severity.WARNING,
                "built against glibc 2.41 (rust:latest = trixie), shipped on 2.35.",
                Span(at, at + len(FAT)),
                fixes=(slim,),
            )
        )
    at = source.data.find(b"nostrip")
    if at >= 0:
        strip = Fix("strip:0", "", Safety.SAFE, "strip it", (Edit(at, at + 7, "strip"),))
        found.append(
            Finding("DSL201", "not-stripped", Severity.WARNING, "It has symbols.", Span(at, at + 7), fixes=(strip,))
        )
    return tuple(sorted(found, key=lambda finding: finding.span.start))


def lint(source: Source, context: BuildContext, settings: Settings, alternatives: bool = True) -> Report:
    if b"FROM" not in source.data:
        error = "file with no instructions"
        return Report(source, (Finding("DSL901", "unparsable", Severity.ERROR, error, Span(0, 0)),), (), error, ())
    if b"boom" in source.data:
        raise RuntimeError("boom")
    notes = ("Cargo.toml is broken",) if b"tell" in source.data else ()
    return Report(source, findings(source), (), None, notes)


def fix(source: Source, context: BuildContext, settings: Settings, allow: Safety = Safety.SAFE) -> Fixed:
    applied: list[Applied] = []
    held: list[Held] = []
    report = lint(source, context, settings)
    keys: dict[str, Fix] = {}
    for finding in report.findings:
        if not isinstance(finding.fixes, Withheld) and finding.fixes:
            keys.setdefault(finding.fixes[0].key, finding.fixes[0])
    edits: list[Edit] = []
    for key, one in keys.items():
        codes = tuple(finding.code for finding in report.findings if finding.key == key)
        if one.safety <= allow:
            edits += one.edits
            applied.append(Applied(one, codes))
        else:
            held.append(Held(key, codes, (one,), "not proven: changes libc and base image"))
    fixed = Source(apply(source.data, edits), source.path)
    return Fixed(fixed, lint(fixed, context, settings), tuple(applied), tuple(held), None, tuple(held))


def install() -> None:
    """Put this linter into the place of the real one, for good."""
    linter.lint = lint
    linter.fix = fix


if __name__ == "__main__":
    from dockerslim_lint.cli import main

    install()
    main()

"""Text output at the edges: wide characters, tabs, long lines, many places, long words."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from dockerslim_lint import linter
from dockerslim_lint.config import Settings
from dockerslim_lint.context import NoContext
from dockerslim_lint.edit import Fix, Safety, Withheld
from dockerslim_lint.finding import Finding, Label, Severity
from dockerslim_lint.linter import Applied, Held, Report
from dockerslim_lint.output.exits import Exit
from dockerslim_lint.output.interface import Asked, FileResult, ProofResult, Tried, plain
from dockerslim_lint.output.printable import cells, printable, width, wrap
from dockerslim_lint.output.text import render
from dockerslim_lint.source import Source, Span


def spot(source: Source, text: str) -> Span:
    at = source.data.index(text.encode())
    return Span(at, at + len(text.encode()))


def finding(source: Source, text: str, **more: object) -> Finding:
    values: dict[str, object] = {"code": "DSL101", "name": "gnu-on-fat-base", "severity": Severity.ERROR}
    values |= {"message": "It is fat.", "span": spot(source, text), "note": "here"} | more
    return Finding(**values)  # type: ignore[arg-type]


def shown(source: Source, *findings: Finding, error: str | None = None) -> str:
    report = Report(source, findings, (), error, ())
    return plain(render([FileResult(source.path, report=report)], Asked(quiet=True)))


def lines(text: str) -> list[str]:
    return [line for line in text.split("\n") if " | " in line or "..." in line]


def test_carets_stand_under_wide_characters_and_tabs() -> None:
    source = Source("RUN\techo 日本語 é\u0301 x\n".encode())
    marked = shown(source, finding(source, "x\n"[0:1]))
    row, carets = lines(marked)
    assert row == "   1 | RUN echo 日本語 é\u0301 x"
    assert width(row[: row.index("x")]) == carets.index("^")
    wide = lines(shown(source, finding(source, "本語")))[1]
    assert wide.count("^") == 4
    assert wide.index("^") == width("   1 | RUN echo 日")


def test_control_characters_are_escaped_and_counted() -> None:
    source = Source(b"RUN a\x1b[0m\xff x\r\n")
    row, carets = lines(shown(source, finding(source, "x")))
    assert row == "   1 | RUN a\\x1b[0m\\xff x"
    assert carets == "     |" + " " * (row.rindex("x") - 6) + "^ here"


def test_labels_are_merged_in_line_order() -> None:
    source = Source(b"".join(b"RUN line%d\n" % number for number in range(1, 13)))
    text = shown(
        source,
        finding(
            source,
            "line10",
            labels=(
                Label(spot(source, "line3"), "three"),
                Label(spot(source, "line5"), "five"),
                Label(spot(source, "10"), "ten"),
            ),
        ),
    )
    assert lines(text) == [
        "   3 | RUN line3",
        "     |     ----- three",
        "   4 | RUN line4",
        "   5 | RUN line5",
        "     |     ----- five",
        "    ...",
        "  10 | RUN line10",
        "     |     ^^^^^^ here",
        "     |         -- ten",
    ]


def test_a_place_over_several_lines_marks_the_first() -> None:
    source = Source(b"RUN a \\\n  b\n")
    assert lines(shown(source, finding(source, "RUN a \\\n  b"))) == ["   1 | RUN a \\", "     | ^^^^^ here"]


def test_a_very_long_line_is_shown_in_part() -> None:
    source = Source(b"RUN " + b"a" * 1_000_000 + b" FAT " + b"b" * 1_000_000)
    text = shown(source, finding(source, "FAT"))
    row, carets = lines(text)[:2]
    assert all(width(line) <= 80 for line in text.split("\n")[:4])
    assert row[carets.index("^") : carets.rindex("^") + 1] == "FAT"
    assert row.startswith("   1 | …a") and row.endswith("b…")


def test_a_long_line_marked_at_its_start_is_cut_behind() -> None:
    source = Source(b"RUN FAT " + b"b" * 200)
    row, carets = lines(shown(source, finding(source, "FAT")))[:2]
    assert row.startswith("   1 | RUN FAT bbb") and row.endswith("b…") and len(row) <= 80
    assert carets == "     |     ^^^ here"


def test_a_note_that_does_not_fit_stands_below() -> None:
    source = Source(b"RUN " + b"a" * 40 + b" FAT\n")
    text = shown(source, finding(source, "FAT", note="a note of many words " * 4))
    assert all(len(line) <= 80 for line in text.split("\n")[:-2])
    assert lines(text)[1].rstrip().endswith("^^^")
    assert "a note of many" in lines(text)[2]


def test_the_end_of_the_file_can_be_marked() -> None:
    source = Source(b"FROM a\n")
    text = shown(source, finding(source, "FROM", span=Span(7, 7)))
    assert text.startswith("Dockerfile:2:1: ")
    source = Source(b"")
    assert shown(source, finding(source, "", span=Span(0, 0))).startswith("Dockerfile:1:1: ")


def test_an_unparsable_file_is_one_line() -> None:
    source = Source(b"", "x")
    text = shown(source, finding(source, "", code="DSL901", name="unparsable"), error="file with no instructions")
    assert text == "x:1:1: DSL901 unparsable  error: file with no instructions\n"


def test_why_there_is_no_fix_and_what_is_advice() -> None:
    source = Source(b"FROM ubuntu\n")
    withheld = shown(source, finding(source, "ubuntu", fixes=Withheld("slim:0", "built by make (line 3)")))
    assert "error  [fix withheld]\n" in withheld
    assert "  fix   none: built by make (line 3)\n" in withheld
    advice = Fix("advice", "", Safety.DISPLAY, "use mimalloc", ())
    assert "[fix: by hand]" in shown(source, finding(source, "ubuntu", fixes=(advice,)))
    bare = shown(source, finding(source, "ubuntu"))
    assert bare.startswith("Dockerfile:1:6: DSL101 gnu-on-fat-base  error\n") and "  fix " not in bare


def test_a_fix_of_its_own_beside_the_decision() -> None:
    source = Source(b"RUN cargo build\n")
    slim = Fix("slim:0", "alpine", Safety.PROVABLE, "static musl build", ())
    strip = Fix("strip:0", "", Safety.SAFE, "leave the symbols out", ())
    report = Report(source, (finding(source, "cargo", fixes=(slim, slim, strip)),), (), None, ())
    text = plain(render([FileResult("Dockerfile", report=report)], Asked(("Dockerfile",))))
    assert "[fix: safe; more with a proof]" in text
    assert "  fix   static musl build\n  or    leave the symbols out (safe)\n  why " in text
    assert "1 fixed by --fix, 1 fix waits for a proof:" in text


def result(path: str = "Dockerfile", **more: object) -> FileResult:
    source = Source(b"FROM ubuntu\n", path)
    values: dict[str, object] = {"report": Report(source, (), (), None, ()), "before": source.data}
    return FileResult(path, **(values | more))  # type: ignore[arg-type]


def test_a_safe_fix_that_was_written_next_to_one_held_back() -> None:
    strip = Fix("strip:0", "", Safety.SAFE, "strip symbols", ())
    slim = Fix("slim:0", "alpine", Safety.PROVABLE, "slim", ())
    text = plain(
        render(
            [
                result(
                    applied=(Applied(strip, ("DSL201",)),),
                    held=(Held("slim:0", ("DSL101",), (slim,), "not proven"), Held("x", ("DSL202",), (), "by make")),
                    after=b"x",
                    written=True,
                )
            ],
            Asked(fix=True),
        )
    )
    assert text == (
        "Dockerfile: written. 1 fix made:\n"
        "  DSL201  strip symbols\n"
        "1 fix held back:\n"
        "  DSL101  not proven\n"
        "No fix for:\n"
        "  DSL202  by make\n"
        "  prove and write   dockerslim-lint lint --fix --verify Dockerfile\n"
        "  write unproven    dockerslim-lint lint --fix --unsafe-fixes Dockerfile\n"
        "\n"
        "Fixed DSL201. Nothing left at or above warning.\n"
    )


def test_paths_in_commands_are_quoted() -> None:
    slim = Fix("slim:0", "alpine", Safety.PROVABLE, "slim", ())
    text = plain(
        render([result("a b/Dockerfile", held=(Held("slim:0", ("DSL101",), (slim,), "no"),))], Asked(fix=True))
    )
    assert "lint --fix --verify 'a b/Dockerfile'\n" in text


def test_suppressed_and_excluded_are_counted() -> None:
    source = Source(b"FROM ubuntu\n")
    report = Report(source, (), (finding(source, "ubuntu"),), None, ())
    text = plain(render([FileResult("a", report=report), FileResult("b")], Asked()))
    assert text == "1 file (1 excluded), nothing to report. 1 suppressed.\n"
    assert plain(render([FileResult("b")], Asked())) == "nothing to judge: 1 excluded by the configuration.\n"


def test_printable() -> None:
    assert printable("a\tb\n\x1b\u202e\udcff\U000e0001") == "a\\x09b\\x0a\\x1b\\u202e\\xff\\U000e0001"
    assert printable("日本 é") == "日本 é"
    assert cells("a\tb\tc") == ["a", "   ", "b", "   ", "c"]
    assert wrap("aaa bbb ccc", 8, "  ", "    ") == ["  aaa", "    bbb", "    ccc"]
    assert wrap("", 8, "  ") == ["  "]
    assert wrap("x" * 20, 8) == ["x" * 20]


def test_infos_are_counted_and_shown_on_request() -> None:
    source = Source(b"FROM a\nFROM b\n", "Dockerfile")
    findings = (
        Finding("DSL502", "unpinned-toolchain", Severity.INFO, "Say which.", Span(5, 6)),
        Finding("DSL101", "gnu-on-fat-base", Severity.ERROR, "Fat.", Span(12, 13)),
    )
    results = [FileResult("Dockerfile", report=Report(source, findings, (), None, ()))]
    text = plain(render(results, Asked(("Dockerfile",), infos=False)))
    assert "DSL502" not in text
    assert "1 error in 1 file. 1 info with --verbose." in text
    assert "DSL502" in plain(render(results, Asked(("Dockerfile",))))
    assert "DSL502" in plain(render([results[0]._replace(fail_on="info")], Asked(("Dockerfile",), infos=False)))


def test_rules_are_links_in_colour_and_the_words_are_the_same_without(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(
        "FROM rust:1\nRUN cargo build --release\nFROM debian:12\nCOPY --from=0 /target/release/a /a\n"
    )
    command = [sys.executable, "-m", "dockerslim_lint"]
    for arguments in (["lint", "--select", "DSL503", str(tmp_path)], ["rules"]):
        plain, painted = (
            subprocess.run([*command, *arguments, "--color", color], capture_output=True, text=True, check=False).stdout
            for color in ("never", "always")
        )
        address = "https://github.com/dockerslim/dockerslim-lint/blob/main/docs/rules/DSL503.md"
        links = re.findall(r"\x1b\]8;[^;]*;([^\x1b]*)\x1b\\(?:\x1b\[[0-9;]*m)*([A-Z0-9]+)", painted)
        assert (address, "DSL503") in links
        assert re.sub(r"\x1b\[[0-9;]*m|\x1b\]8;[^\x1b]*\x1b\\", "", painted) == plain


def test_a_narrow_terminal_breaks_no_code_path_or_command() -> None:
    source = Source(
        b"FROM rust:1\nRUN cargo build --release\nFROM debian:12\nCOPY --from=0 /target/release/a /a\n", "a/b"
    )
    report = linter.lint(source, NoContext(), Settings())
    results = [FileResult("services/frontend/Dockerfile", report=report)]
    wide = render(results, Asked(("services/frontend/Dockerfile",)))
    assert wide == render(results, Asked(("services/frontend/Dockerfile",), columns=80))
    narrow = plain(render(results, Asked(("services/frontend/Dockerfile",), columns=50)))
    for line in narrow.split("\n"):
        words = line.strip().split("  ")[-1].split()
        # longer than the terminal: a single word, or a command to copy
        assert len(line) <= 50 or len(words) == 1 or words[0] == "dockerslim-lint", line
    for whole in ("DSL101 gnu-on-fat-base", "services/frontend/Dockerfile:3:6:", "[fix: needs proof]"):
        assert whole in narrow
    assert "lint --fix --verify services/frontend/Dockerfile\n" in narrow
    assert " ".join(narrow.split()).count("DSL") == " ".join(plain(wide).split()).count("DSL")


def test_an_unparsable_file_on_a_narrow_terminal() -> None:
    report = linter.lint(Source("FROM a".encode("utf-16"), "x"), NoContext(), Settings())
    told = plain(render([FileResult("some/path/Dockerfile", report=report)], Asked(quiet=True, columns=50)))
    assert told == "some/path/Dockerfile:1:1: DSL901 unparsable  error\n  it is saved as UTF-16; save it as UTF-8\n"


def test_the_gravest_finding_tells_of_a_shared_fix() -> None:
    source = Source(b"RUN cargo build\nFROM ubuntu\nFROM debian\n")
    slim = Fix("slim:0", "alpine", Safety.PROVABLE, "static musl build", (), "slow malloc")
    strip = Fix("strip:0", "", Safety.SAFE, "leave the symbols out", (), "no names")
    warning = {"code": "DSL201", "name": "not-stripped", "severity": Severity.WARNING}
    both = finding(source, "cargo", **warning, fixes=(slim, strip))
    fat, fatter = finding(source, "ubuntu", fixes=(slim,)), finding(source, "debian", fixes=(slim,))
    text = shown(source, both, fat, fatter)
    assert [line.split("  ", 1)[1] for line in text.split("\n") if line.startswith("Dockerfile:")] == [
        "warning  [fix: safe; more with DSL101]",
        "error  [fix: needs proof]",
        "error  [same fix as DSL101]",
    ]
    first, second, third = text.split("\n\n")
    assert "  fix   leave the symbols out\n  cost  no names\n  why " in first and "musl" not in first
    assert "  fix   static musl build\n  cost  slow malloc\n  why " in second
    assert "  fix " not in third and "  why " not in third
    # near misses: nothing safe of its own, one that needs a proof itself, one that nobody shares, one that is withheld
    assert "warning  [same fix as DSL101]" in shown(source, finding(source, "cargo", **warning, fixes=(slim,)), fat)
    unsure = strip._replace(safety=Safety.PROVABLE)
    text = shown(source, finding(source, "cargo", **warning, fixes=(slim, unsure)), fat)
    assert "warning  [same fix as DSL101]" in text and "  fix   leave the symbols out\n" in text
    assert "warning  [fix: safe; more with a proof]" in shown(source, both)
    kept = finding(source, "ubuntu", fixes=Withheld("slim:0", "by make"))
    text = shown(source, both, kept)
    assert "[fix: safe; more with a proof]" in text and "error  [fix withheld]" in text


def test_of_findings_as_grave_the_first_tells_of_the_fix_and_lines_are_shown_once() -> None:
    source = Source(b"FROM ubuntu\nFROM debian\n")
    slim = Fix("slim:0", "alpine", Safety.PROVABLE, "static musl build", ())
    fat = finding(source, "ubuntu", fixes=(slim,))
    old = finding(source, "ubuntu", code="DSL103", fixes=(slim,))
    text = shown(source, fat, old)
    assert text.count("| FROM ubuntu") == 1 and "DSL103 gnu-on-fat-base  error  [same fix as DSL101]" in text
    other = finding(source, "debian", code="DSL103", fixes=(slim,))
    assert shown(source, fat, other).count("  fix ") == 1 and "| FROM debian" in shown(source, fat, other)
    apart = finding(source, "ubuntu", code="DSL103", fixes=(slim._replace(key="strip:0"),))
    assert shown(source, fat, apart).count("  fix ") == 2


def test_the_counts_are_those_of_decisions_and_of_what_fix_would_do() -> None:
    source = Source(b"RUN cargo build\nFROM ubuntu\n")
    slim = Fix("slim:0", "alpine", Safety.PROVABLE, "static musl build", ())
    other = slim._replace(choice="distroless/cc")
    strip = Fix("strip:0", "", Safety.SAFE, "leave the symbols out", ())
    cache = Fix("cache:0", "", Safety.PROVABLE, "mount a cache", ())
    fat = finding(source, "ubuntu", fixes=(slim, other))
    symbols = finding(source, "cargo", code="DSL201", fixes=(slim, other, strip))
    info = finding(source, "cargo", code="DSL302", severity=Severity.INFO, fixes=(cache,))

    def summary(*findings: Finding, known: tuple[Finding, ...] = (), infos: bool = False) -> str:
        result = FileResult("Dockerfile", report=Report(source, findings, (), None, ()), known=known)
        text = plain(render([result], Asked(("Dockerfile",), infos=infos)))
        return " ".join(text[text.index(" file") :].split()).split("dockerslim-lint")[0]

    assert "1 fixed by --fix, 1 fix waits for a proof:" in summary(fat, symbols)
    # what is not shown waits for nobody, as --fix does not say that it holds it back
    assert "0 fixed by --fix, 1 fix waits for a proof:" in summary(fat, info)
    assert "0 fixed by --fix, 2 fixes wait for a proof:" in summary(fat, info, infos=True)
    # --fix writes what a baseline knows and what is advice, and holds back only what is new
    assert "1 fixed by --fix, 1 fix waits for a proof:" in summary(fat, known=(symbols,))
    assert "fixed by" not in summary(known=(symbols, fat))
    safe = info._replace(fixes=(cache._replace(safety=Safety.SAFE),))
    assert "1 fixed by --fix:" in summary(safe)
    assert "fixed by" not in summary(known=(fat,)) and "fixed by" not in summary(info)


def test_a_file_that_builds_no_rust_is_not_called_clean() -> None:
    source = Source(b"FROM node\n")
    foreign = FileResult("n", report=Report(source, (), (), None, (), judged=False))
    clean = FileResult("c", report=Report(source, (), (), None, ()))
    fat = FileResult("f", report=Report(source, (finding(source, "node"),), (), None, ()))

    def told(*results: FileResult, **asked: bool) -> str:
        text = plain(render(results, Asked(**asked)))  # type: ignore[arg-type]
        return " ".join(text.split("\n\n")[-1].split())

    assert told(foreign) == "1 file builds no Rust: not judged."
    assert told(foreign, foreign) == "2 files build no Rust: not judged."
    assert told(foreign, clean) == "1 file, nothing to report. 1 file builds no Rust: not judged."
    assert told(foreign, fat, clean) == "1 error in 2 files. 1 file builds no Rust: not judged."
    assert told(clean) == "1 file, nothing to report."
    excluded = "nothing to judge: 1 excluded by the configuration."
    assert told(foreign, FileResult("e")) == f"{excluded} 1 file builds no Rust: not judged."
    assert told(FileResult("e")) == excluded
    assert told(foreign, quiet=True) == ""
    assert foreign.exit() == clean.exit() == Exit.CLEAN


def test_a_fix_that_was_tried_and_not_proven_is_not_offered_as_if_it_was_not() -> None:
    source = Source(b"FROM ubuntu\nFROM debian\n")
    slim = Fix("slim:0", "alpine", Safety.PROVABLE, "static musl build", (), "slow malloc")
    proof = ProofResult(Exit.NOT_PROVEN, (), (Tried("slim:0", "alpine", "starts, linux/amd64: exit 127"),))

    def told(*findings: Finding, **more: object) -> str:
        values: dict[str, object] = {"report": Report(source, findings, (), None, ()), "proof": proof}
        result = FileResult("a b", **(values | more))  # type: ignore[arg-type]
        return plain(render([result], Asked(("d",), fix=True, verify=True)))

    text = told(finding(source, "ubuntu", fixes=(slim,)))
    assert "error  [fix: tried, not proven]\n" in text
    assert "  fix   static musl build\n  but   tried, not proven: starts, linux/amd64: exit 127\n  cost  slow" in text
    assert text.endswith(
        "1 error in 1 file. What was tried for DSL101 is not proven; to accept it:\n"
        "  dockerslim-lint lint --select DSL101 --add-ignore --reason WHY 'a b'     writes a comment\n"
    )
    applied = (Applied(slim._replace(choice="debian-slim"), ("DSL103",)),)
    text = told(finding(source, "ubuntu", fixes=(slim,)), applied=applied)
    assert "Would fix DSL103. What was tried for DSL101 is not proven; to accept it:\n" in text
    # near misses: another choice, another decision, what does not fail the run, no proof
    for near in (slim._replace(choice="debian-slim"), slim._replace(key="slim:1"), slim._replace(choice="")):
        assert "tried" not in told(finding(source, "ubuntu", fixes=(near,)))
    assert "to accept" not in told(finding(source, "ubuntu", severity=Severity.INFO, fixes=(slim,)))
    assert "tried" not in told(finding(source, "ubuntu", fixes=(slim,)), proof=None)
    assert "tried" not in told(finding(source, "ubuntu", fixes=Withheld("slim:0", "by make")))


def test_what_is_held_back_of_infos_that_are_not_shown_is_not_all_that_is_said() -> None:
    source = Source(b"FROM a\nFROM b\n", "Dockerfile")
    info = Finding("DSL302", "rebuilt", Severity.INFO, "Slow.", Span(5, 6), fixes=Withheld("cache:0", "two targets"))
    error = Finding("DSL101", "fat", Severity.ERROR, "Fat.", Span(12, 13), fixes=Withheld("slim:0", "by make"))
    advice, held = Held("cache:0", ("DSL302",), (), "two targets"), Held("slim:0", ("DSL101",), (), "by make")

    def told(infos: bool, findings: tuple[Finding, ...], *back: Held) -> str:
        results = [FileResult("Dockerfile", report=Report(source, findings, (), None, ()), held=back)]
        return plain(render(results, Asked(("Dockerfile",), diff=True, infos=infos)))

    said = "1 file, nothing to report. 1 info with --verbose.\n"
    assert told(False, (info,), advice) == said
    assert told(False, (info,)) == said
    assert told(False, ()) == "1 file, nothing to report.\n"
    # what is shown as held back is not counted once more
    assert told(True, (info,), advice) == "Dockerfile: nothing written.\nNo fix for:\n  DSL302  two targets\n"
    both = told(False, (info, error), advice, held)
    assert both == "Dockerfile: nothing written.\nNo fix for:\n  DSL101  by make\n"
    assert told(True, (info, error), advice, held).count("in 1 file") == 0

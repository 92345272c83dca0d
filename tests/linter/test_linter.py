"""The loop that applies fixes, and what it refuses."""

from __future__ import annotations

import time
from collections.abc import Iterator
from random import Random

import pytest
from dockerslim_lint_rules.stale_placeholder import StalePlaceholder
from hypothesis import given, settings
from hypothesis import strategies as st

from dockerslim_lint import linter, registry
from dockerslim_lint.config import Settings
from dockerslim_lint.context import MemoryContext, NoContext
from dockerslim_lint.edit import Edit, Fix, Safety, Withheld, apply
from dockerslim_lint.plan import decision
from dockerslim_lint.plan.model import Draft
from dockerslim_lint.rule import Finding, ImageBuild, Plan, Rule, Severity
from dockerslim_lint.source import Source, Span
from tests.facts.reading import CRATE, SOURCE
from tests.plan.test_withheld import CLASSIC, SINGLE
from tests.syntax.dockerfiles import Maker

CONTEXT = MemoryContext({".dockerignore": b"target\n", **{path: body.encode() for path, body in CRATE.items()}})
LOCKED = MemoryContext({**{path: body.encode() for path, body in CRATE.items()}, "Cargo.lock": b"version = 4\n"})


def fix(text: str, allow: Safety, context: MemoryContext = CONTEXT) -> linter.Fixed:
    return linter.fix(Source(text.encode()), context, Settings(), allow)


def test_safe_fixes_are_applied_without_the_decision() -> None:
    fixed = fix(CLASSIC, Safety.SAFE, LOCKED)
    assert [(one.fix.key, one.codes) for one in fixed.applied] == [("strip:1", ("DSL201",))]
    assert [(held.key, held.codes) for held in fixed.held] == [
        ("locked:3", ("DSL501",)),
        ("slim:0", ("DSL101", "DSL103")),
    ]
    assert fixed.held[0].reason == "advice: needs a human"
    assert fixed.held[1].reason.startswith("not proven")
    proven = fix(fixed.source.data.decode(), Safety.PROVABLE, LOCKED)
    assert proven.source.data == fix(CLASSIC, Safety.PROVABLE, LOCKED).source.data


def test_nothing_is_written_into_a_file_that_buildkit_refuses() -> None:
    refused = CLASSIC.replace("COPY --from=builder", "ARG S=builder\nCOPY --from=$S")
    assert refused != CLASSIC and fix(CLASSIC, Safety.PROVABLE, LOCKED).applied
    fixed = fix(refused, Safety.PROVABLE, LOCKED)
    assert not fixed.applied and fixed.source.data == refused.encode()
    line = refused.splitlines().index(next(one for one in refused.splitlines() if "$S" in one)) + 1
    reason = f"line {line} is refused, so that nothing can be built"
    assert [held.reason for held in fixed.held if "DSL101" in held.codes or "DSL201" in held.codes] == [reason] * 2


def test_a_placeholder_is_not_touched_in_a_file_that_buildkit_refuses() -> None:
    text, files = StalePlaceholder.INVALID[0].text, StalePlaceholder.INVALID[0].files
    context = MemoryContext({path: body.encode() for path, body in (files or {}).items()})
    touched = ["touch"]
    assert [one.fix.key.split(":")[0] for one in fix(text, Safety.SAFE, context).applied] == touched
    fixed = fix(f"{text}COPY --from=9 /a /a\n", Safety.SAFE, context)
    assert not fixed.applied
    assert [held.key.split(":")[0] for held in fixed.held if "DSL307" in held.codes] == touched


def test_stripping_is_not_safe_where_somebody_reads_symbols() -> None:
    lock = b'version = 4\n[[package]]\nname = "sentry"\nversion = "0.1.0"\n'
    users = MemoryContext({**{path: body.encode() for path, body in CRATE.items()}, "Cargo.lock": lock})
    assert not fix(CLASSIC, Safety.SAFE, users).applied
    assert not fix(CLASSIC, Safety.SAFE, CONTEXT).applied, "without a lock nothing is known of the crate graph"
    backtraces = CLASSIC.replace("CMD", "ENV RUST_BACKTRACE=1\nCMD")
    assert not fix(backtraces, Safety.SAFE, LOCKED).applied


def test_select_and_ignore() -> None:
    def codes(**changes: tuple[str, ...]) -> list[str]:
        report = linter.lint(Source(SINGLE.encode()), CONTEXT, Settings(**changes))  # type: ignore[arg-type]
        return [finding.code for finding in report.findings]

    assert codes() == ["DSL101", "DSL202", "DSL402", "DSL201", "DSL302"]
    assert codes(select=("dsl101",)) == ["DSL101"]
    assert codes(select=("not-stripped",)) == ["DSL201"]
    assert codes(ignore=("DSL101", "toolchain-shipped", "root-user", "dsl302")) == ["DSL201"]
    assert codes(select=("DSL503",)) == ["DSL503"], "off by default, on by name"
    assert codes(select=("Default", "unpinned-base")) == ["DSL101", "DSL202", "DSL402", "DSL503", "DSL201", "DSL302"]
    assert codes(select=("default",), ignore=("DSL101", "DSL402")) == ["DSL202", "DSL201", "DSL302"]
    assert codes(select=("DSL2",)) == ["DSL202", "DSL201"]
    assert codes(select=("dsl40", "DSL50")) == ["DSL402", "DSL503"], "off by default, on by the beginning of its code"
    assert codes(ignore=("DSL2", "DSL")) == codes(ignore=("DSL",)) == []
    assert codes(select=("DSL",)) == codes(select=("default", "DSL503"))
    # what is more exact wins, whichever way; where both are alike the rule does not run
    assert codes(select=("DSL2",), ignore=("DSL202",)) == ["DSL201"]
    assert codes(select=("DSL202", "default"), ignore=("DSL2",)) == ["DSL101", "DSL202", "DSL402", "DSL302"]
    assert codes(select=("not-stripped",), ignore=("DSL20",)) == ["DSL201"]
    assert codes(select=("DSL20",), ignore=("DSL20",)) == codes(select=("DSL201",), ignore=("not-stripped",)) == []


def test_error_of_a_file_without_instructions() -> None:
    report = linter.lint(Source(b"# nothing\n"), NoContext(), Settings())
    assert report.error
    assert [finding.code for finding in report.findings] == ["DSL901"]
    assert linter.fix(Source(b""), NoContext(), Settings(), Safety.PROVABLE).source.data == b""


def test_unknown_instruction_never_gets_a_fix() -> None:
    report = linter.lint(Source(CLASSIC.replace("WORKDIR", "WROKDIR").encode()), CONTEXT, Settings())
    assert "WORKDIR" in next(one.message for one in report.findings if one.code == "DSL902")
    fixed = fix(CLASSIC.replace("WORKDIR", "WROKDIR"), Safety.PROVABLE)
    assert not fixed.applied


@pytest.mark.parametrize(
    ("lock", "broken"),
    [
        ("version = 4\n", False),
        ('version = 4\r\n\r\n[[package]]\r\nname = "app"\r\nversion = "0.1.0"\r\n', False),
        ("version = 4\n[[package]\n", True),
        ("<<<<<<< HEAD\nversion = 3\n=======\nversion = 4\n>>>>>>> main\n", True),
    ],
)
def test_a_broken_lock_is_one_note_and_a_doubt_of_the_fix(lock: str, broken: bool) -> None:
    files = {**CRATE, "Cargo.lock": lock}
    context = MemoryContext({path: body.encode() for path, body in files.items()})
    report = linter.lint(Source(CLASSIC.encode()), context, Settings())
    assert [note.startswith("Cargo.lock: ") and "\n" not in note for note in report.notes] == [True] * broken
    (slim,) = {one.fixes[0] for one in report.findings if one.key == "slim:0" and not isinstance(one.fixes, Withheld)}
    assert ("nothing is known of the crates" in slim.cost) is broken
    assert slim.safety is Safety.PROVABLE


def test_unused_suppressions_are_reported() -> None:
    report = linter.lint(Source(f"# dockerslim: ignore=DSL104; reason=x\n{CLASSIC}".encode()), CONTEXT, Settings())
    assert any("DSL104" in note for note in report.notes)


class _Odd(Rule):
    """A rule whose fix is wrong."""

    CODE, NAME, SEVERITY = "DSL999", "odd", Severity.WARNING
    VALID, INVALID = (), ()
    text = ""

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        edit = Edit(0, 0, self.text)
        yield self.finding("Odd.", Span(0, 1), fixes=(Fix("odd:0", "", Safety.SAFE, "odd", (edit,)),))


@pytest.mark.parametrize(
    "text",
    ["RNU x\n", "RUN <<E\n", "# escape=`\n# x\n"],
    ids=["new finding", "does not parse", "does not come to an end"],
)
def test_a_bad_fix_is_thrown_away_as_our_bug(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Odd, "text", text)
    monkeypatch.setattr(linter, "to_run", lambda select, ignore, packs, build: (*registry.rules(), _Odd()))
    fixed = linter.fix(Source(CLASSIC.encode()), CONTEXT, Settings(), Safety.SAFE)
    assert fixed.bug is not None
    if "RUN" in text or "RNU" in text:
        assert fixed.source.data == CLASSIC.encode()
        assert "thrown away" in fixed.bug


def test_a_change_outside_of_the_named_lines_is_thrown_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second reader compares what it reads with the lines that the edits name."""
    monkeypatch.setattr(
        linter, "apply", lambda data, edits: apply(data, edits).replace(b"WORKDIR /app", b"WORKDIR /other")
    )
    fixed = linter.fix(Source(CLASSIC.encode()), NoContext(), Settings(select=("DSL101",)), Safety.PROVABLE)
    assert not fixed.applied
    assert fixed.bug is not None


def test_a_block_that_says_something_else_is_withheld_as_our_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    from dockerslim_lint.plan import compose

    monkeypatch.setattr(compose, "move_paths", lambda task: Draft())
    report = linter.lint(Source(CLASSIC.encode()), CONTEXT, Settings())
    finding = next(one for one in report.findings if one.code == "DSL101")
    assert isinstance(finding.fixes, Withheld)
    assert finding.fixes.reason.startswith("our bug")
    assert any(note.startswith("our bug") for note in report.notes)


def test_without_alternatives_there_is_one_fix() -> None:
    report = linter.lint(Source(CLASSIC.encode()), CONTEXT, Settings(), alternatives=False)
    finding = next(one for one in report.findings if one.code == "DSL101")
    assert not isinstance(finding.fixes, Withheld)
    assert [one.choice for one in finding.fixes] == ["distroless/static"]
    assert decision.MAX_CANDIDATES > 1


@settings(max_examples=100, deadline=None, derandomize=True)
@given(seed=st.integers(0, 1_000_000))
def test_any_file_converges(seed: int) -> None:
    source = Source(Maker(Random(seed)).file())
    fixed = linter.fix(source, NoContext(), Settings(), Safety.PROVABLE)
    assert fixed.bug is None
    again = linter.fix(fixed.source, NoContext(), Settings(), Safety.PROVABLE)
    assert again.source.data == fixed.source.data


def noise(seed: int) -> str:
    """Lines that people put around the classic: comments, labels, steps that make nothing."""
    random = Random(seed)
    extra = [
        "# a comment",
        "",
        'LABEL a="b c"',
        "ENV A=1 B='2 3'",
        "RUN apt-get update \\\n    # why\n    && apt-get install -y git \\\n\n    && rm -rf /var/lib/apt/lists/*",
        "ARG X=y",
        "RUN echo nothing > /dev/null",
        "EXPOSE 80/tcp",
        "RUN <<EOF\necho hi\nEOF",
        "\tRUN true",
        "STOPSIGNAL SIGINT",
    ]
    builder, final = CLASSIC.split("FROM debian")
    lines = builder.splitlines()
    for _ in range(random.randint(0, 5)):
        lines.insert(random.randint(1, len(lines)), random.choice(extra))
    quiet = [line for line in extra if not line.lstrip().startswith("RUN")]
    tail = f"FROM debian{final}".splitlines()
    for _ in range(random.randint(0, 4)):
        tail.insert(random.randint(1, len(tail)), random.choice(quiet))
    return "\n".join([*lines, *tail]) + "\n"


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=st.integers(0, 1_000_000))
def test_the_classic_is_rewritten_whatever_stands_around_it(seed: int) -> None:
    text = noise(seed)
    fixed = fix(text, Safety.PROVABLE)
    assert fixed.bug is None
    assert [one.fix.choice for one in fixed.applied] == ["distroless/static"]
    kept = [
        line for line in text.splitlines() if "cargo" not in line and "debian" not in line and "COPY --from" not in line
    ]
    after = fixed.source.data.decode().splitlines()
    assert [line for line in after if line in kept] == kept


TWO = """\
FROM rust:1 AS b
WORKDIR /app
COPY . .
RUN cargo build --release --bin app
RUN CARGO_PROFILE_RELEASE_DEBUG=1 cargo build --release --bin other
FROM debian:trixie-slim AS one
COPY --from=b /app/target/release/app /usr/local/bin/app
CMD ["app"]
FROM debian:trixie-slim
COPY --from=b /app/target/release/app /usr/local/bin/app
COPY --from=b /app/target/release/other /usr/local/bin/other
CMD ["other"]
"""


def test_a_fix_claims_what_is_gone_and_a_program_for_debugging_keeps_its_symbols() -> None:
    files = {**CRATE, "src/bin/other.rs": "fn main() {}"}
    context = MemoryContext({path: body.encode() for path, body in files.items()})
    fixed = linter.fix(Source(TWO.encode()), context, Settings(), Safety.PROVABLE)
    assert [(one.fix.key, one.codes) for one in fixed.applied] == [("slim:0", ("DSL101",)), ("strip:1", ("DSL201",))]
    assert b"CARGO_PROFILE_RELEASE_STRIP=symbols cargo build --release --bin app" in fixed.source.data
    assert b"RUN CARGO_PROFILE_RELEASE_DEBUG=1 cargo build --release --bin other" in fixed.source.data


@pytest.mark.parametrize(
    ("table", "said"), [("[workspace]\nmembers = []\n", True), ('[workspace]\nmembers = ["other"]\n', False)]
)
def test_what_another_package_may_bring_is_no_missing_library(table: str, said: bool) -> None:
    manifest = '[package]\nname = "{}"\nversion = "0.1.0"\nedition = "2021"\n[dependencies]\nkinds = {{ version = "1", features = [{}] }}\n'
    lock = "version = 4\n" + "".join(
        f'[[package]]\nname = "{name}"\nversion = "{version}"\n{source}dependencies = [{needs}]\n'
        for name, version, source, needs in (
            ("app", "0.1.0", "", '"kinds"'),
            *((("other", "0.1.0", "", '"kinds"'),) if not said else ()),
            ("kinds", "1.0.0", SOURCE, '"pq-sys"'),
            ("pq-sys", "0.6.0", SOURCE, ""),
        )
    )
    files = {
        "Cargo.toml": manifest.format("app", "") + table,
        "Cargo.lock": lock,
        "src/main.rs": "fn main() {}",
        "other/Cargo.toml": manifest.format("other", '"postgres"'),
        "other/src/lib.rs": "",
    }
    context = MemoryContext({path: text.encode() for path, text in files.items()})
    report = linter.lint(Source(CLASSIC.encode()), context, Settings(), alternatives=False)
    assert ("DSL108" in [one.code for one in report.findings]) is said


MOUNT = b"RUN --mount=type=cache,target=/target cargo build --release && "

EXTREME = {
    "20,000 lines": b"FROM rust:1\n" + b"RUN echo hello world\n" * 20_000,
    "deep ${": b"FROM rust:1\nENV A=" + b"${A:-" * 100_000 + b"\n",
    "deep ${ in a RUN": b"FROM rust:1\nRUN echo " + b"${A:-" * 50_000 + b"\n",
    "deep $(": b"FROM rust:1\nRUN echo " + b"$(" * 50_000 + b"\n",
    "200,000 continuation lines": b"FROM rust:1\nRUN echo \\\n" + b"  a \\\n" * 200_000 + b"  b\n",
    "200,000 comments in a continuation": b"FROM rust:1\nRUN echo \\\n" + b"# c\n" * 200_000 + b"  b\n",
    "10,000 stages": b"".join(b"FROM rust:1 AS s%d\nCOPY --from=s0 /a /b\n" % n for n in range(10_000)),
    "2,000 calls": b"FROM rust:1 AS b\n"
    + b"RUN cargo build --release\n" * 2_000
    + b"FROM debian\nCOPY --from=b /target/release/x /x\n",
    "10,000 copies": b"FROM rust:1 AS b\nRUN cargo build\nFROM debian\n"
    + b"COPY --from=b /target/debug/x /x\n" * 10_000,
    "1,000 globs": b"FROM rust:1 AS b\n"
    + b"".join(MOUNT + b"cp target/release/* /x%d/\n" % n for n in range(1_000))
    + b"FROM debian\nCOPY --from=b /x0/x /x\n",
    "1,000 programs": b"FROM rust:1 AS b\n"
    + b"".join(MOUNT + b"cp target/release/x /x%d\n" % n for n in range(1_000))
    + b"FROM debian\n"
    + b"".join(b"COPY --from=b /x%d /usr/bin/x%d\n" % (n, n) for n in range(1_000)),
}


@pytest.mark.parametrize("name", EXTREME)
def test_extreme_input_ends_in_time(name: str) -> None:
    start = time.process_time()
    report = linter.lint(Source(EXTREME[name]), NoContext(), Settings(), alternatives=False)
    assert time.process_time() - start < 30
    assert report.error is None or "line" in report.error or "dockerfile" in report.error


@pytest.mark.parametrize(
    ("platform", "codes"),
    [
        ("linux/amd64", []),
        ("linux/arm64", []),
        ("linux/loong64", []),
        ("linux/arm/v7", ["DSL106"]),
        ("linux/386", ["DSL106"]),
        ("linux/riscv64", ["DSL106"]),
        ("linux/ppc64le", ["DSL106"]),
    ],
)
def test_platforms_on_which_uname_is_no_target(platform: str, codes: list[str]) -> None:
    text = """\
FROM rust:1
RUN cargo build --release --target $(uname -m)-unknown-linux-musl && cp target/*/release/app /app
FROM scratch
COPY --from=0 /app /app
CMD ["/app"]
"""
    report = linter.lint(Source(text.encode()), NoContext(), Settings(select=("DSL106",), platforms=(platform,)))
    assert [finding.code for finding in report.findings] == codes


def test_of_many_programs_the_first_few_are_named() -> None:
    programs = " ".join(f"/target/release/p{number}" for number in range(9))
    source = Source(
        f"FROM rust:1\nRUN cargo build --release\nFROM debian:12\nCOPY --from=0 {programs} /bin/\n".encode()
    )
    message = next(one.message for one in linter.lint(source, NoContext(), Settings()).findings if one.code == "DSL101")
    assert message.startswith("p0, p1, p2, p3, p4 and 4 more ")


@pytest.mark.parametrize(
    ("text", "judged"),
    [
        ("FROM node:22\nCOPY . .\n", False),
        ('FROM ubuntu:22.04\nCOPY target/release/app /app\nCMD ["/app"]\n', False),
        ("FROM rust:1.90\nRUN rustup component add clippy\n", False),
        ("FROM rust:1.90\nRUN cargo build --release --locked\n", True),
        ("FROM rust:1.90\nCOPY . .\nCMD cargo run\n", True),
        ("FROM node:22\nRNU x\n", True),
        ("# syntax=example.com/other\nFROM node:22\n", True),
        ("", True),
    ],
)
def test_only_what_builds_rust_or_has_a_finding_is_judged(text: str, judged: bool) -> None:
    report = linter.lint(Source(text.encode()), NoContext(), Settings())
    assert report.judged is judged
    assert judged or not report.findings


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (CLASSIC, "changes libc and base image"),
        (CLASSIC.replace("debian:bookworm-slim", "alpine:3.24"), "changes the libc"),
        (CLASSIC.replace("rust:1 ", "rust:1-alpine "), "changes the base image"),
    ],
)
def test_what_is_held_back_says_what_it_changes(text: str, reason: str) -> None:
    held = fix(text, Safety.SAFE, LOCKED).held
    assert [one.reason for one in held if one.key.startswith("slim:")] == [f"not proven: {reason}"]


def test_a_fix_that_only_empties_a_cache_says_so() -> None:
    base = CLASSIC.replace("rust:1 ", "rust:1-alpine ").replace("debian:bookworm-slim", "alpine:3.24\nRUN apk add {}")
    cache, tools = "leave the package manager's cache out", "leave out what only the build needs"
    for packages, title in (("ca-certificates", cache), ("--no-cache curl make", tools), ("curl make", tools)):
        fixed = fix(base.replace("{}", packages), Safety.PROVABLE, LOCKED)
        assert [one.fix.title for one in fixed.applied if one.fix.key.startswith("trim:")] == [title], packages

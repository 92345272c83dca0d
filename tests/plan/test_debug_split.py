"""Steps that look at the program or keep its debug information aside, between the build and COPY."""

from __future__ import annotations

import pytest

from tests.facts.reading import locked
from tests.plan.test_edits import rewritten
from tests.plan.test_withheld import CLASSIC, fix, reason

PURE = locked(itoa="")
TRIPLE = '"$(uname -m)"-unknown-linux-musl'
ASIDE = "cd target/release && objcopy --only-keep-debug app app.debug && strip app && objcopy --add-gnu-debuglink=app.debug app"


def stepped(step: str) -> str:
    return CLASSIC.replace("--release\n", f"--release\nRUN {step}\n")


@pytest.mark.parametrize(
    "step",
    [
        "ldd target/release/app",
        "file target/release/app && readelf -d target/release/app",
        "ls -l target/release/app && du -h target/release/app",
        "test -x target/release/app",
        "[ -x target/release/app ]",
        "if [ ! -x target/release/app ]; then exit 1; fi",
        "target/release/app --version",
        "./target/release/app --help > /dev/null",
        "xxd target/release/app | head -1",
        "checksec --file=target/release/app",
        "bloaty target/release/app || true",
        ASIDE,
        "strip target/release/app && objcopy --add-gnu-debuglink=target/release/app.debug target/release/app",
    ],
)
def test_what_only_looks_follows_the_program(step: str) -> None:
    after = rewritten(stepped(step), PURE)
    assert f"RUN {step.replace('target/release', f'target/{TRIPLE}/release')}\n" in after
    assert "FROM gcr.io/distroless/static" in after


def test_a_program_that_is_stripped_by_hand_is_not_stripped_by_cargo_before() -> None:
    assert "STRIP" not in rewritten(stepped(ASIDE), PURE)


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (ASIDE.replace(" && strip app", ""), "line 5 keeps the debug information in a file of its own"),
        (
            "objcopy --only-keep-debug target/release/app /d && objcopy --strip-debug --add-gnu-debuglink=/d target/release/app",
            "line 5 keeps the debug information in a file of its own",
        ),
        ("objcopy --only-keep-debug target/release/app", "changed by objcopy"),
        ("objcopy --add-section x=y target/release/app", "changed by objcopy"),
        ("objcopy --add-gnu-debuglink=x --remove-section=y target/release/app", "changed by objcopy"),
        ("cd target && xxd --file=release/app", "line 5"),
        ("./pack target/release/app", "changed by"),
    ],
)
def test_what_changes_the_program_is_withheld(step: str, said: str) -> None:
    assert said in reason(stepped(step), PURE)


def test_the_symbols_stay_where_they_are_to_be_kept_aside() -> None:
    text = stepped(ASIDE.replace(" && strip app", ""))
    assert fix(text, PURE).source.data == text.encode()

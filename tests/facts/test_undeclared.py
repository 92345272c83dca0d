"""Arguments that a RUN uses and its stage does not declare: near misses first."""

from __future__ import annotations

import pytest

from tests.facts.reading import CRATE, read

START = "ARG APP=app\nARG HOME\nFROM {base} AS builder\nWORKDIR /app\nCOPY . .\n{lines}\nFROM scratch\n"


def names(lines: str, base: str = "rust:1") -> list[str]:
    return [one.name for one in read(START.format(base=base, lines=lines), CRATE).undeclared]


@pytest.mark.parametrize(
    "lines",
    [
        "ARG APP\nRUN echo $APP",
        "ARG APP=other TARGETARCH\nRUN echo $APP $TARGETARCH",
        "ENV APP=app\nRUN echo $APP",
        "RUN APP=x && echo $APP",
        "RUN APP=x cargo build && echo $APP",
        "RUN export APP=x; echo $APP",
        "RUN read APP < /app/name && echo $APP",
        "RUN for APP in a b; do echo $APP; done",
        "RUN . /app/env && echo $APP",
        "RUN source /app/env; echo $APP",
        'RUN eval "$(cat /app/env)"; echo $APP',
        "RUN export $(cat /app/env); echo $APP",
        "RUN echo ${APP:-app}",
        "RUN echo ${APP-app} $APP",
        "RUN : ${APP:=app}; echo $APP",
        "RUN echo ${APP:?}",
        'RUN if [ -n "$APP" ]; then echo $APP; fi',
        'RUN test -z "$APP" || echo $APP',
        'RUN [ "$APP" ] && echo $APP',
        'RUN if [ "$APP" = "" ]; then echo none; else echo $APP; fi',
        'RUN if [ "x$APP" = "xa" ]; then echo $APP; fi',
        'RUN if [[ "$APP" = a ]]; then echo $APP; fi',
        'RUN case "$APP" in "") echo none;; *) echo $APP;; esac',
        "RUN --mount=type=secret,id=x,env=APP echo $APP",
        "RUN echo '$APP'",
        "RUN echo \\$APP",
        "RUN echo $APPLE $TARGETARCHES",
        "RUN echo $HOME $UNHEARD_OF",
        'RUN ["echo", "$APP"]',
        'SHELL ["pwsh", "-c"]\nRUN echo $APP',
        "RUN <<EOF\n#!/usr/bin/env python3\nprint('$APP')\nEOF",
        "RUN cat > /app/env <<EOF\nAPP=$APP\nEOF",
        "ENV BASH_ENV=/app/env\nRUN echo $APP",
        "RUN echo $(APP=x; echo $APP)",
        "RUN if [ 1\nRUN echo",
    ],
)
def test_what_a_step_may_do_without(lines: str) -> None:
    assert names(lines) == []


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ("RUN echo $APP", ["APP"]),
        ('RUN cp "target/release/${APP}" /out', ["APP"]),
        ("RUN echo $APP\nRUN echo $APP", ["APP"]),
        ("RUN T=$APP-x; echo $T > /app/$APP", ["APP"]),
        ('RUN case "$TARGETARCH" in amd64) T=a;; arm64) T=b;; esac; echo $T', ["TARGETARCH"]),
        ('RUN case "$TARGETPLATFORM" in linux/amd64) T=a;; *) exit 1;; esac; echo $T', ["TARGETPLATFORM"]),
        ('RUN if [ "$TARGETARCH" = arm64 ]; then apt-get install -y x; fi', ["TARGETARCH"]),
        ("RUN T=$(echo $TARGETARCH | tr a b) && echo $T", ["TARGETARCH"]),
        ("RUN <<EOF\nset -e\necho $APP\nEOF", ["APP"]),
        ("RUN for x in a $APP; do echo $x; done", ["APP"]),
    ],
)
def test_what_is_empty(lines: str, found: list[str]) -> None:
    assert names(lines) == found


@pytest.mark.parametrize(
    ("base", "found"),
    [
        ("rust:1-alpine", True),
        ("debian:bookworm", True),
        ("example.com/rust:1", False),
        ("node:20", False),
        ("node:20-alpine", False),
        ("nvidia/cuda:12-base-ubuntu22.04", False),
    ],
)
def test_where_the_bases_own_variables_are_known(base: str, found: bool) -> None:
    assert bool(names("RUN echo $APP", base)) is found
    assert names("RUN echo $RUST_VERSION", base) == []


def test_a_stage_has_what_the_one_below_it_declares() -> None:
    assert names("ARG APP\nFROM builder AS next\nRUN echo $APP") == []
    assert names("FROM builder AS next\nRUN echo $APP") == ["APP"]
    assert names("ARG APP\nFROM rust:1 AS next\nRUN echo $APP") == ["APP"]

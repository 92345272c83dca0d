"""What the scripts that an image starts need: near misses first."""

from __future__ import annotations

import pytest

from tests.facts.reading import CRATE, only_image, read

START = """\
FROM rust:1 AS builder
WORKDIR /app
COPY . .
RUN cargo build --release
FROM {base}
WORKDIR /srv
COPY --from=builder /app/target/release/app /srv/app
COPY run.sh /srv/
{end}
"""


def needs(script: str, base: str = "alpine:3.24", end: str = 'ENTRYPOINT ["/srv/run.sh"]') -> list[tuple[str, int]]:
    image = only_image(read(START.format(base=base, end=end), {**CRATE, "run.sh": script}))
    return [(need.name, need.line) for need in image.inside.script_needs(image.launch)]


@pytest.mark.parametrize(
    "lines",
    [
        "exec ./app",
        "[ -n \"$X\" ] && gosu app ./app",
        "[ -n \"$X\" ] || exec ./app\nexec gosu app ./app",
        "if [ -n \"$X\" ]; then exec ./app; fi\nexec gosu app ./app",
        "if [ -n \"$X\" ]; then\n  exit\nfi\ngosu app ./app",
        'case "$1" in serve) exec ./app;; esac\nexec gosu app ./app',
        "run() { exec ./app; }\nrun\ngosu app ./app",
        "run() { gosu app ./app; }\nexec ./app",
        "gosu() { shift; \"$@\"; }\ngosu app ./app",
        "alias gosu=su-exec\ngosu app ./app",
        ". /srv/environment\ngosu app ./app",
        "export PATH=/opt/tools:$PATH\ngosu app ./app",
        "apk add --no-cache gosu\ngosu app ./app",
        "apk add $PACKAGES\ngosu app ./app",
        "command -v gosu || exec ./app\ngosu app ./app",
        "for tool in gosu curl; do echo $tool; done\ngosu app ./app",
        "[ -x /usr/bin/gosu ] && echo there\ngosu app ./app",
        "X=$(which gosu)\ngosu app ./app",
        "gosu app ./app || exec ./app",
        "gosu app true || su-exec app true || true",
        "while true; do ./app; done\ngosu app ./app",
        "echo gosu\ngosu app ./app",
        "if true; then gosu app ./app; fi",
        "if gosu nobody true; then ./app; fi",
        "$RUNNER gosu app ./app",
        "tool=gosu\n$tool app ./app",
        "env -i gosu app ./app",
        "[[ -n $X ]] && exec ./app\ngosu app ./app",
        "if [ 1 = 1 ]\ngosu app ./app",
    ],
)  # fmt: skip
def test_a_program_that_a_script_may_do_without(lines: str) -> None:
    assert needs(f"#!/bin/sh\n{lines}\n") == []


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ('exec gosu app ./app "$@"', [("gosu", 2)]),
        ("# gosu drops what root may\nset -eu\nmkdir -p /data\nexec gosu app ./app", [("gosu", 5)]),
        ("until curl -f http://db; do\n  sleep 1\ndone\nexec ./app", [("curl", 2)]),
        ("while ! /usr/bin/psql -c x; do sleep 1; done", [("/usr/bin/psql", 2)]),
        ("curl -f http://x | jq .y\nexec ./app", [("curl", 2), ("jq", 2)]),
        ("nohup curl http://x &\nexec ./app", [("curl", 2)]),
        ("curl -f http://x || exit 1", [("curl", 2)]),
        ("curl -f http://x || { echo no; exit 1; }", [("curl", 2)]),
        ('[ -n "$X" ] || exit 1\nexec gosu app ./app', [("gosu", 3)]),
        ('if [ -z "$X" ]; then echo X is not set; exit 1; fi\nexec gosu app ./app', [("gosu", 3)]),
        ("fail() { echo $1; exit 1; }\n[ -n \"$X\" ] || fail X\nlog() { echo $1; }\nlog a\ngosu app ./app", [("gosu", 6)]),
        ("#!/bin/bash -e\ngosu app ./app", [("gosu", 3)]),
        ("exec 2>&1\nexec gosu app ./app", [("gosu", 3)]),
        ("export A=b\n{ cd /srv; gosu app ./app; }", [("gosu", 3)]),
    ],
)  # fmt: skip
def test_a_program_that_a_script_calls_in_any_case(lines: str, found: list[tuple[str, int]]) -> None:
    assert needs(f"#!/bin/sh\n{lines}\n") == found


@pytest.mark.parametrize(
    ("script", "base", "end", "found"),
    [
        ("#!/bin/sh\nexec ./app\n", "alpine:3.24", 'CMD ["./run.sh"]', ""),
        ("#!/bin/bash\nexec ./app\n", "debian:bookworm-slim", 'CMD ["./run.sh"]', ""),
        ("#!/bin/bash\nexec ./app\n", "example.com/base", 'CMD ["./run.sh"]', ""),
        ("#!/bin/bash\nexec ./app\n", "alpine:3.24", 'RUN apk add bash\nCMD ["./run.sh"]', ""),
        ("#!/bin/bash\nexec ./app\n", "alpine:3.24", 'RUN apk add $TOOLS\nCMD ["./run.sh"]', ""),
        ("#!/bin/bash\nexec ./app\n", "alpine:3.24", 'CMD ["sh", "./run.sh"]', ""),
        ("#!/bin/bash\nexec ./app\n", "alpine:3.24", "CMD sh ./run.sh", ""),
        ("#!/bin/bash\nexec ./app\n", "alpine:3.24", 'CMD ["./app", "./run.sh"]', ""),
        ("#!/bin/bash\nexec ./app\n", "alpine:3.24", "CMD [ -x run.sh ] && ./run.sh", ""),
        ("#!/bin/bash\r\nexec ./app\r\n", "alpine:3.24", 'CMD ["./run.sh"]', ""),
        ("#!/usr/bin/env -S bash -e\nexec ./app\n", "alpine:3.24", 'CMD ["./run.sh"]', ""),
        ("#!/usr/bin/env made-up\n", "alpine:3.24", 'CMD ["./run.sh"]', ""),
        ("exec ./app\n", "alpine:3.24", 'CMD ["./run.sh"]', ""),
        ("#!/bin/sh\nexec ./app\n", "gcr.io/distroless/static:debug", 'CMD ["./run.sh"]', ""),
        ("#!/bin/sh\n", "scratch", 'COPY --from=busybox:musl /bin/ /bin/\nCMD ["/srv/run.sh"]', ""),
        ("#!/bin/bash\n", "alpine:3.24", 'RUN sed -i s/bash/sh/ run.sh\nCMD ["./run.sh"]', ""),
        ("#!/bin/bash\nexec ./app\n", "alpine:3.24", 'CMD ["./run.sh"]', "/bin/bash"),
        ("#!/bin/bash\nexec ./app\n", "alpine:3.24", "CMD exec ./run.sh --all", "/bin/bash"),
        ("#! /usr/bin/env bash\nexec ./app\n", "alpine:3.24", 'CMD ["/srv/run.sh"]', "bash"),
        ("#!/bin/bash -e\n", "alpine:3.24", 'RUN apk add tini\nENTRYPOINT ["tini", "--", "./run.sh"]', "/bin/bash"),
        ("#!/usr/bin/python3\n", "debian:bookworm-slim", 'CMD ["./run.sh"]', "/usr/bin/python3"),
        ("#!/bin/sh\nexec ./app\n", "scratch", 'ENTRYPOINT ["/srv/run.sh"]', "/bin/sh"),
        ("#!/usr/bin/env sh\n", "gcr.io/distroless/cc-debian12", 'ENTRYPOINT ["/srv/run.sh"]', "/usr/bin/env"),
        ("#!/bin/bash\ncurl x\n", "alpine:3.24", 'HEALTHCHECK CMD ["./run.sh"]\nCMD ["./app"]', "/bin/bash"),
        ("#!/bin/sh\ncurl x\n", "alpine:3.24", 'HEALTHCHECK CMD ./run.sh || exit 1\nCMD ["./app"]', "curl"),
        ("curl x\n", "alpine:3.24", 'HEALTHCHECK CMD ["sh", "-e", "run.sh"]\nCMD ["./app"]', "curl"),
        ("", "alpine:3.24", 'COPY --chmod=755 <<"EOF" /go\n#!/bin/bash\nEOF\nCMD ["/go"]', "/bin/bash"),
    ],
)  # fmt: skip
def test_what_a_script_is_for(script: str, base: str, end: str, found: str) -> None:
    assert [name for name, _ in needs(script, base, end)] == [found] * bool(found)

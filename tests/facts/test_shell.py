"""What a RUN's shell makes of directories, variables and files before cargo is called."""

from __future__ import annotations

import pytest

from dockerslim_lint.facts.model import GNU_DYNAMIC, MUSL_STATIC, UNKNOWN
from tests.facts.reading import CRATE, only_artifact, only_call, read

BUILDER = "FROM rust:1 AS b\nARG TARGETARCH\nARG TARGETPLATFORM\n"
FINAL = '\nFROM debian:bookworm-slim\nCOPY --from=b /out /usr/local/bin/app\nCMD ["app"]\n'
MEMBER = {f"crates/app/{path}": body for path, body in CRATE.items()}


@pytest.mark.parametrize(
    ("steps", "output"),
    [
        ("WORKDIR /usr\nWORKDIR src\nWORKDIR app/\nCOPY . .", "/usr/src/app/target/release"),
        ("ARG APP=web\nENV PLACE=/srv/${APP}\nWORKDIR $PLACE/\nCOPY . ./", "/srv/web/target/release"),
        ("ARG APP\nWORKDIR /srv/${APP:-web}\nCOPY . .", "/srv/web/target/release"),
        ("ARG APP\nWORKDIR /srv/$APP\nCOPY . .", "/srv/target/release"),
        ("WORKDIR /srv//web/../api/.\nCOPY . .", "/srv/api/target/release"),
    ],
)
def test_workdir(steps: str, output: str) -> None:
    assert only_call(read(f"{BUILDER}{steps}\nRUN cargo build --release\n", CRATE)).output == output


@pytest.mark.parametrize(
    "run",
    [
        "cd crates && cd app && cargo build -r && cp target/release/app /out",
        "cd crates/app; cargo build -r; cd ../..; cp crates/app/target/release/app /out",
        "pushd crates/app && cargo build -r && popd && cp crates/app/target/release/app /out",
        "pushd crates > /dev/null; pushd app; cargo build -r; popd; popd; cp crates/app/target/release/app /out",
        "(cd crates/app && cargo build -r) && cp crates/app/target/release/app /out",
        "cd crates/app || exit 1; cargo build -r; cp target/release/app /out",
        "cd crates/app || { echo no; exit 1; }; cargo build -r || exit 2; cp target/release/app /out",
        'cd "${SRC:-/w}/crates/app" && cargo build -r && cp target/release/app /out',
        'SRC=/w/crates; cd "${SRC%/crates}/crates/app" && cargo build -r && cp target/release/app /out',
        "cd crates/app && cd - && cd crates/app && cargo build -r && cp target/release/app /out",
    ],
)
def test_directories(run: str) -> None:
    build = read(f"{BUILDER}WORKDIR /w\nCOPY . .\nRUN {run}{FINAL}", MEMBER)
    assert only_call(build).output == "/w/crates/app/target/release"
    assert only_call(build).command.certain
    path, artifact = only_artifact(build)
    assert (path, artifact.link, artifact.touched) == ("/usr/local/bin/app", GNU_DYNAMIC, "")


@pytest.mark.parametrize(
    "run", ["cd $(find . -name app) && cargo build -r", "popd; cargo build -r", "cd a || true; cargo build -r"]
)
def test_a_directory_that_only_the_build_knows(run: str) -> None:
    assert only_call(read(f"{BUILDER}WORKDIR /w\nCOPY . .\nRUN {run}\n", CRATE)).output is None


@pytest.mark.parametrize(
    ("before", "run", "output"),
    [
        ('ARG FLAGS="--release --locked"', "cargo build $FLAGS", "/w/target/release"),
        ("ARG FLAGS=", "cargo build -r $FLAGS", "/w/target/release"),
        ("ARG P=release", 'cargo build $(test "$P" = "release" && echo "--release")', "/w/target/release"),
        ("ARG P=release", 'cargo build $([ "$P" = dev ] || echo "--release")', "/w/target/release"),
        ("ARG P=dev", 'cargo build $([ "$P" != dev ] && echo "--release")', "/w/target/debug"),
        ("ARG P=", 'cargo build $([ -n "$P" ] && echo --profile $P)', "/w/target/debug"),
        ("ARG P=dist", 'cargo build $([ -z "$P" ] || echo --profile $P)', "/w/target/dist"),
        ("ARG FEATURES", "cargo build -r ${FEATURES:+--features $FEATURES}", "/w/target/release"),
        ("ARG PROFILE", "cargo build --profile ${PROFILE:-dist}", "/w/target/dist"),
        ("ARG PROFILE=dev", 'cargo build --profile "$PROFILE"', "/w/target/debug"),
        ('ARG FLAGS="--target-dir /t"', 'cargo build "$FLAGS"', "/w/target/debug"),
    ],
)
def test_words_out_of_variables(before: str, run: str, output: str) -> None:
    call = only_call(read(f"{BUILDER}{before}\nWORKDIR /w\nCOPY . .\nRUN {run}\n", CRATE))
    assert (call.output, call.target.origin) == (output, "host")


CASE = """\
RUN case "$TARGETPLATFORM" in \\
      "linux/amd64") echo {0}x86_64-unknown-linux-{1} > /target ;; \\
      "linux/arm64") echo {0}aarch64-unknown-linux-{2} > /target ;; \\
      "linux/arm/v7") echo {0}armv7-unknown-linux-{3} > /target ;; \\
      *) echo "unknown $TARGETPLATFORM" && exit 1 ;; \\
    esac
"""

USES = [
    ("", "RUN cargo build -r --target $(cat /target) && cp target/$(cat /target)/release/app /out"),
    ("", "RUN T=`cat /target`; cargo build -r --target $T; cp target/$T/release/app /out"),
    (
        "",
        "RUN rustup target add $(</target)\nRUN cargo build -r --target $(</target)\nRUN mv target/*/release/app /out",
    ),
    ("T=", "RUN . /target && cargo build -r --target $T && cp target/$T/release/app /out"),
    ("export T=", 'RUN source /target; cargo build -r --target "$T"; cp "target/$T/release/app" /out'),
    (
        "CARGO_BUILD_TARGET=",
        "RUN . /target; cargo build -r --target $CARGO_BUILD_TARGET && cp target/*/release/app /out",
    ),
]


@pytest.mark.parametrize(("prefix", "use"), USES)
@pytest.mark.parametrize(
    ("environments", "link"),
    [
        (("musl", "musl", "musleabihf"), MUSL_STATIC),
        (("gnu", "gnu", "gnueabihf"), GNU_DYNAMIC),
        (("musl", "gnu", "gnueabihf"), UNKNOWN),
    ],
)
def test_a_target_that_a_step_wrote_down(prefix: str, use: str, environments: tuple[str, ...], link: str) -> None:
    build = read(f"{BUILDER}{CASE.format(prefix, *environments)}WORKDIR /w\nCOPY . .\n{use}{FINAL}", CRATE)
    assert only_call(build).target.origin == "flag"
    assert only_artifact(build)[1].link == link


@pytest.mark.parametrize(
    ("choose", "link"),
    [
        ('T=$(case "$TARGETARCH" in amd64) echo x86_64-{0};; arm64) echo aarch64-{0};; esac)', MUSL_STATIC),
        (
            'case "$(dpkg --print-architecture)" in amd64) T=x86_64-{0};; arm64) T=aarch64-{0};; *) exit 1;; esac',
            MUSL_STATIC,
        ),
        ('a="$(uname -m)"; case "${{a##*-}}" in x86_64) T=x86_64-{0};; *) T=aarch64-{0};; esac', MUSL_STATIC),
        ('if [ "$(uname -m)" = aarch64 ]; then T=aarch64-{0}; else T=x86_64-{0}; fi', MUSL_STATIC),
        ('T=x86_64-{0}; [ "$TARGETARCH" = arm64 ] && T=aarch64-{0}', MUSL_STATIC),
        ('T=x86_64-{0}; [ "$TARGETARCH" = arm64 ] && T=aarch64-{1}', UNKNOWN),
        ('[ "$TARGETARCH" = arm64 ] && T=aarch64-{1} || T=x86_64-{0}', UNKNOWN),
        ('if [ "$TARGETARCH" = arm64 ]; then T=aarch64-{1}; else T=x86_64-{1}; fi', GNU_DYNAMIC),
        ("echo x86_64-{0} > /t; curl -o /t https://example.com > /t; T=$(cat /t)", UNKNOWN),
        ("T=$(cat /elsewhere)", UNKNOWN),
    ],
)
def test_a_target_that_the_step_chooses(choose: str, link: str) -> None:
    run = choose.format("unknown-linux-musl", "unknown-linux-gnu")
    text = f"{BUILDER}WORKDIR /w\nCOPY . .\nRUN {run}; cargo build -r --target $T; cp target/$T/release/app /out{FINAL}"
    assert only_artifact(read(text, CRATE))[1].link == link


def test_the_base_decides_the_libc() -> None:
    """`gnu` in one stage and `musl` in another: the file goes with the stage that is built on."""
    text = "FROM rust:1 AS t\nRUN echo x86_64-unknown-linux-musl > /target\nFROM t AS b\nWORKDIR /w\nCOPY . .\n"
    text += f"RUN cargo build -r --target $(cat /target) && cp target/$(cat /target)/release/app /out{FINAL}"
    assert only_artifact(read(text, CRATE))[1].link == MUSL_STATIC
    assert only_artifact(read(text.replace("FROM t AS", "FROM rust:1 AS"), CRATE))[1].link == UNKNOWN


@pytest.mark.parametrize(
    ("shell", "known"),
    [
        ('["/bin/bash", "-o", "pipefail", "-c"]', True),
        ('["/usr/bin/env", "bash", "-c"]', True),
        ('["busybox", "sh", "-c"]', True),
        ('["pwsh", "-Command"]', False),
        ('["python3", "-c"]', False),
        ('["/usr/bin/fish", "-c"]', False),
    ],
)
def test_a_shell_of_the_stages_own(shell: str, known: bool) -> None:
    build = read(f'FROM rust:1 AS base\nSHELL {shell}\nFROM base\nRUN cargo build --release\nRUN ["cargo", "build"]\n')
    assert len(build.calls) == 1 + known

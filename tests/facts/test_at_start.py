"""cargo as what a container starts, and variables that are gone by then."""

from __future__ import annotations

import pytest

from tests.facts.reading import CRATE, read

BUILD = "FROM rust:1-alpine\nWORKDIR /app\nCOPY . .\nRUN cargo build --release --features a\nRUN cargo build\n"
SHIP = """\
FROM rust:1-alpine AS builder
WORKDIR /app
COPY . .
RUN cargo build --release
FROM alpine:3.24
ARG NAME=app
{0}COPY --from=builder /app/target/release/app /bin/
{1}
"""


@pytest.mark.parametrize(
    ("command", "profile", "same", "other"),
    [
        ('CMD ["cargo", "run", "-r", "--features", "a"]', "release", 0, 1),
        ('CMD ["cargo", "run"]', "dev", 1, 0),
        ('CMD ["cargo", "run", "-r"]', "release", None, 1),
        ('ENTRYPOINT ["cargo"]\nCMD ["run"]', "dev", 1, 0),
        ("CMD cd x && exec cargo +stable run --profile=dist", "dist", None, None),
        ("CMD exec cargo +stable run --profile=dist", "dist", None, 1),
        ('CMD ["bash", "-lc", "cargo fetch; cargo r"]', "dev", 1, 0),
    ],
)
def test_what_has_been_compiled_before(command: str, profile: str, same: int | None, other: int | None) -> None:
    (found,) = read(BUILD + command + "\n").cargo_at_start
    assert (found.profile, found.same, found.other) == (profile, same, other)


@pytest.mark.parametrize(
    "command",
    [
        'CMD ["cargo", "build"]',
        'CMD ["cargo", "clippy"]',
        "CMD cargo run && cargo test",
        'CMD ["./cargo.sh", "run"]',
        'CMD ["./cargo", "run"]',
        "",
    ],
)
def test_cargo_is_what_the_image_is_for(command: str) -> None:
    assert not read(f"{BUILD}{command}\n").cargo_at_start


def test_what_stays_in_a_mount_is_not_there() -> None:
    text = BUILD.replace("RUN cargo", "RUN --mount=type=cache,target=/app/target cargo") + 'CMD ["cargo", "run"]\n'
    (found,) = read(text).cargo_at_start
    assert (found.same, found.other) == (None, None)


@pytest.mark.parametrize(
    ("built", "run", "same", "other"),
    [
        ("RUN cargo build", "", 0, None),
        ("RUN cargo build --bin a", "--bin a", 0, None),
        ("RUN cargo build --bin a", "--bin b", None, 0),
        ("RUN cargo build -p a", "-p b", None, 0),
        ("RUN cargo build", "--example e", None, 0),
        ("RUN cargo build --target-dir /t", "--target-dir=/t", 0, None),
        ("RUN cargo build --target-dir /t", "", None, 0),
        ("RUN cargo build\nENV RUSTFLAGS=-g", "", None, 0),
        ("RUN cargo build && rm -rf target", "", None, None),
        ("RUN cargo build", "--manifest-path x/Cargo.toml", None, None),
        ("RUN cargo +nightly build", "", None, 0),
    ],
)
def test_it_has_to_be_the_same_build(built: str, run: str, same: int | None, other: int | None) -> None:
    (found,) = read(f"FROM rust:1\nWORKDIR /app\nCOPY . .\n{built}\nCMD cargo run {run}\n").cargo_at_start
    assert (found.same, found.other) == (same, other)


def test_a_placeholder_is_not_what_it_compiles() -> None:
    text = """\
        FROM rust:1
        WORKDIR /app
        COPY Cargo.toml .
        RUN mkdir src && echo "fn main(){}" > src/main.rs && cargo build --release
        COPY . .
        CMD ["cargo", "run", "--release"]
        """
    (found,) = read(text, CRATE).cargo_at_start
    assert (found.same, found.other) == (None, None)


@pytest.mark.parametrize(
    ("command", "script", "subcommand", "named"),
    [
        ('ENTRYPOINT ["./start.sh"]', "set -e\nexec cargo run --release\n", "run", "./start.sh"),
        ('CMD ["bash", "start.sh"]', "cargo build -r\n./target/release/app\n", "build", "start.sh"),
        ("CMD cargo build --release && exec ./target/release/app", "", "build", ""),
        ("CMD cargo build --target-dir /t && /t/debug/app", "", "build", ""),
    ],
)
def test_a_build_before_the_start(command: str, script: str, subcommand: str, named: str) -> None:
    text = f"FROM rust:1\nWORKDIR /app\nCOPY . .\n{command}\n"
    (found,) = read(text, {**CRATE, "start.sh": f"#!/bin/sh\n{script}"}).cargo_at_start
    assert (found.subcommand, found.script) == (subcommand, named)


@pytest.mark.parametrize(
    ("command", "script"),
    [
        ('CMD ["./start.sh"]', "if [ -n $DEV ]; then cargo run; fi\nexec ./target/release/app\n"),
        ('CMD ["./start.sh"]', "cargo test\ncargo run\n"),
        ('CMD ["./start.sh"]', "echo cargo run\n"),
        ('CMD ["./start.sh"]', "cargo build\n"),
        ("CMD cargo build && ls -l ./target/debug/app", ""),
        ("CMD cargo build && /usr/bin/app", ""),
        ("CMD test -f x || cargo run", ""),
    ],
)
def test_a_start_that_need_not_compile(command: str, script: str) -> None:
    text = f"FROM rust:1\nWORKDIR /app\nCOPY . .\n{command}\n"
    assert not read(text, {**CRATE, "start.sh": f"#!/bin/sh\n{script}"}).cargo_at_start


@pytest.mark.parametrize(
    ("command", "server"),
    [
        ('CMD ["trunk", "serve", "--release"]', "trunk serve"),
        ('CMD ["/usr/local/cargo/bin/trunk", "-v", "serve"]', "trunk serve"),
        ('ENTRYPOINT ["dx"]\nCMD ["serve"]', "dx serve"),
        ("CMD cd web && exec cargo +nightly leptos serve --release", "cargo leptos serve"),
        ('CMD ["bash", "start.sh"]', "dx serve"),
        ('CMD ["trunk", "build"]', ""),
        ('CMD ["trunk", "watch"]', ""),
        ('CMD ["cargo", "leptos", "end-to-end"]', ""),
        ("CMD [ -d dist ] || trunk serve", ""),
        ("CMD ./trunk serve", ""),
        ("CMD echo trunk serve", ""),
        ('CMD ["serve", "trunk"]', ""),
    ],
)
def test_front_end_servers(command: str, server: str) -> None:
    text = f"FROM rust:1\nWORKDIR /app\nCOPY . .\n{command}\n"
    found = read(text, {**CRATE, "start.sh": "#!/bin/sh\nexec dx serve\n"}).cargo_at_start
    assert [one.server for one in found] == ([server] if server else [])


@pytest.mark.parametrize(
    "copies",
    ["", "COPY Cargo.toml Cargo.lock ./\nRUN cargo fetch\n", "COPY . .\nVOLUME /app\n"],
)
def test_sources_that_come_when_it_runs_are_for_work(copies: str) -> None:
    assert not read(f'FROM rust:1\nWORKDIR /app\n{copies}CMD ["cargo", "run"]\n').cargo_at_start


@pytest.mark.parametrize(
    ("command", "word", "left"),
    [
        ("CMD /bin/$NAME", "/bin/$NAME", "/bin/"),
        ('CMD "/bin/${NAME}" -x', '"/bin/${NAME}"', "/bin/"),
        ("CMD exec $NAME", "$NAME", ""),
        ("CMD [ -f /x ] || /bin/${NAME}", "/bin/${NAME}", "/bin/"),
        ("CMD /bin/app $NAME x", "$NAME", ""),
        ('RUN apk add tini\nENTRYPOINT ["tini", "--", "sh", "-c", "exec /bin/$NAME"]', "/bin/$NAME", "/bin/"),
        ("CMD /bin/$NAME-server", "/bin/$NAME-server", "/bin/-server"),
        ("CMD /bin/${NAME} --set NAME=1", "/bin/${NAME}", "/bin/"),
        ('CMD ["/bin/$NAME"]', "/bin/$NAME", ""),
    ],
)
def test_a_variable_that_is_gone(command: str, word: str, left: str) -> None:
    (found,) = read(SHIP.format("", command)).gone_variables
    assert (found.word, found.variable, found.left) == (word, "NAME", left)
    assert found.program is not command.endswith(" x")


@pytest.mark.parametrize(
    ("before", "command"),
    [
        ("ENV NAME=$NAME\n", "CMD /bin/$NAME"),
        ("", "CMD NAME=app && /bin/$NAME"),
        ("", "CMD [ -f /x ] || /bin/${NAME:-web}"),
        ("", "CMD exec /bin/${NAME-web}"),
        ("", "CMD . /etc/default/app; exec /bin/$NAME"),
        ("", "CMD : ${NAME:=app}; exec /bin/$NAME"),
        ("", "CMD read NAME < /etc/name; exec /bin/$NAME"),
        ("", "CMD eval $(cat /env); exec /bin/$NAME"),
        ("ARG PORT=80\n", "CMD /bin/app --port $PORT"),
        ("ARG HOME=/root\n", "CMD $HOME/app"),
        ("", "CMD /bin/${NAME:-app}"),
        ("", "CMD /bin/app $OTHER"),
        ("", r"CMD /bin/\$NAME"),
        ("", 'CMD ["/bin/app", "$name"]'),
        ("", 'ENTRYPOINT ["sh", "-c", "exec /bin/app \\"$@\\"", "--"]'),
        ("COPY run.sh /\n", 'ENTRYPOINT ["/run.sh", "$NAME"]'),
    ],
)
def test_a_variable_that_is_there_or_is_not_the_files(before: str, command: str) -> None:
    assert not read(SHIP.format(before, command)).gone_variables


def test_an_argument_of_another_stage_counts_where_it_names_the_program() -> None:
    text = SHIP.replace("ARG NAME=app\n", "").replace("WORKDIR", "ARG NAME=app\nWORKDIR")
    (found,) = read(text.format("", "CMD /bin/$NAME")).gone_variables
    assert (found.variable, found.left, found.in_scope) == ("NAME", "/bin/", False)
    assert not read(text.format("", "CMD /bin/app $NAME")).gone_variables
    (found,) = read("ARG NAME=app\n" + text.replace("ARG NAME=app\nWOR", "WOR").format("", "CMD $NAME")).gone_variables
    assert not found.in_scope


def test_an_exec_form_starts_no_program_by_a_variable() -> None:
    (found,) = read(SHIP.format("", 'ENTRYPOINT ["/bin/${OTHER}"]')).gone_variables
    assert (found.variable, found.program) == ("OTHER", True)


FETCHED = """\
ARG PACKAGE=app
FROM alpine:3.24 AS fetch
ARG PACKAGE
RUN wget -O /tmp/$PACKAGE https://example.com/$PACKAGE
FROM {base} AS ship
ARG PACKAGE
COPY --from=fetch /tmp/$PACKAGE /$PACKAGE
FROM ${{PACKAGE}} AS final
{start}
"""


@pytest.mark.parametrize(
    ("base", "start", "found"),
    [
        ("alpine:3.24", 'CMD ["/${PACKAGE}"]', True),
        ("alpine:3.24", 'ENTRYPOINT ["tini", "--", "/$PACKAGE"]', True),
        ("alpine:3.24", 'ENV NAME=app\nENTRYPOINT ["/$NAME"]', True),
        ("example.com/base:1", 'ENTRYPOINT ["/$PACKAGE"]', True),
        ("example.com/base:1", 'CMD ["/$PACKAGE"]', False),
        ("alpine:3.24", 'CMD ["/app", "$PACKAGE"]', False),
        ("alpine:3.24", 'CMD ["sh", "-c", "/$PACKAGE"]', False),
        ("alpine:3.24", "CMD /$PACKAGE", False),
        ("alpine:3.24", 'CMD ["/${OTHER}"]', False),
        ("alpine:3.24", 'CMD ["/$(PACKAGE)"]', False),
        ("alpine:3.24", 'ENTRYPOINT ["/start.sh"]\nCMD ["/$PACKAGE"]', False),
    ],
)
def test_an_exec_form_that_names_what_cargo_did_not_make(base: str, start: str, found: bool) -> None:
    text = FETCHED.format(base=base, start=start).replace("${PACKAGE} AS", "ship AS")
    assert [one.exec_form and one.program for one in read(text).gone_variables] == [True] * found
    by_name = FETCHED.format(base=base, start=start).replace("AS ship", "AS app")
    assert len(read(by_name).gone_variables) == found

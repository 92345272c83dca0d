"""cargo as what a container starts, and variables that are gone by then."""

from __future__ import annotations

import pytest

from tests.facts.reading import read

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
        ("CMD cd x && exec cargo +stable run --profile=dist", "dist", None, 1),
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
    ("command", "word", "left"),
    [
        ("CMD /bin/$NAME", "/bin/$NAME", "/bin/"),
        ('CMD "/bin/${NAME}" -x', '"/bin/${NAME}"', "/bin/"),
        ("CMD exec $NAME", "$NAME", ""),
        ("CMD [ -f /x ] || /bin/${NAME:-web}", "/bin/${NAME:-web}", "/bin/web"),
        ("CMD exec /bin/${NAME-web}", "/bin/${NAME-web}", "/bin/web"),
        ("CMD /bin/app $NAME x", "$NAME", ""),
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

"""Which programs an image starts, and so ships, where the command is not simply one of them."""

from __future__ import annotations

import pytest

from dockerslim_lint.facts.model import GNU_DYNAMIC
from tests.facts.reading import CRATE, only_image, read
from tests.plan.test_survey import codes

SINGLE = "FROM rust:1\nWORKDIR /app\nCOPY . .\nRUN cargo build --release\n"
INSTALL = "FROM rust:1\nWORKDIR /app\nCOPY . .\nRUN cargo install --path .\n"
APP = "/app/target/release/app"


@pytest.mark.parametrize(
    "command",
    [
        'CMD ["sh", "-c", "./target/release/app --port 80"]',
        'ENTRYPOINT ["/bin/bash", "-lc", "exec ./target/release/app"]',
        'ENTRYPOINT ["/bin/sh", "-c"]\nCMD ["./target/release/app"]',
        "CMD ./wait-for db && ./target/release/app",
        "CMD sleep 5; exec /app/target/release/app",
        "CMD cd target/release && ./app",
        "ENV BIN=app\nCMD ./target/release/$BIN",
        "CMD PORT=$P ./target/release/app | tee log",
        'CMD ["env", "A=b", "./target/release/app"]',
        'ENTRYPOINT ["tini", "--", "./target/release/app"]',
        'ENTRYPOINT ["tini", "-g", "--", "sh", "-c", "./target/release/app"]',
        'ENTRYPOINT ["/wrap"]\nCMD ["./target/release/app", "--serve"]',
    ],
)
def test_a_single_stage_ships_what_its_command_starts(command: str) -> None:
    text = f"{SINGLE}{command}\n"
    image = only_image(read(text, CRATE))
    assert image.launch.runs == (APP,)
    assert [(path, artifact.link) for path, artifact in image.artifacts] == [(APP, GNU_DYNAMIC)]
    assert codes(text, CRATE) == ["DSL101", "DSL202", "DSL201"]


@pytest.mark.parametrize("command", ["CMD migrate && app", 'CMD ["sh", "-c", "app"]', 'ENTRYPOINT ["tini", "app"]'])
def test_by_a_name_on_the_path(command: str) -> None:
    assert only_image(read(f"{INSTALL}{command}\n", CRATE)).launch.runs == ("/usr/local/cargo/bin/app",)


@pytest.mark.parametrize(
    ("command", "path", "script"),
    [
        ('CMD ["./run.sh"]', "run.sh", '#!/bin/sh\nset -e\nexec ./target/release/app "$@"\n'),
        ('CMD ["bash", "run.sh"]', "run.sh", "cd target/release\n./app\n"),
        ('CMD ["sh", "./run.sh"]', "run.sh", "/app/target/release/app &\nwait\n"),
        ('COPY docker/e.sh /e.sh\nENTRYPOINT ["/e.sh"]\nCMD ["serve"]', "docker/e.sh", "/app/target/release/app $1\n"),
        ('COPY docker/e.sh /e.sh\nENTRYPOINT ["/e.sh", "./target/release/app"]', "docker/e.sh", 'exec "$@"\n'),
        ('CMD ["./run.sh"]', "run.sh", "gosu user /app/target/release/app\n"),
        ('ENTRYPOINT ["tini", "--", "./run.sh"]', "run.sh", "exec ./target/release/app\n"),
        ('ENTRYPOINT ["tini", "--"]\nCMD ["bash", "run.sh"]', "run.sh", "exec ./target/release/app\n"),
        ('COPY <<"E" /e.sh\n#!/bin/sh\nexec ./target/release/app $1\nE\nCMD ["/e.sh"]', "none", ""),
        ("RUN printf '#!/bin/sh\\n./target/release/app\\n' > /e.sh\nCMD [\"/e.sh\"]", "none", ""),
    ],
)
def test_a_script_of_the_context(command: str, path: str, script: str) -> None:
    text = f"{SINGLE}{command}\n"
    assert only_image(read(text, {**CRATE, path: script})).launch.runs == (APP,)


@pytest.mark.parametrize("script", ["cargo test\n./target/release/app\n", "pytest\n", "make run\n", "#!/bin/sh\n"])
def test_a_script_that_starts_something_else(script: str) -> None:
    assert codes(f'{SINGLE}CMD ["./run.sh"]\n', {**CRATE, "run.sh": script}) == []


def test_a_script_that_cannot_be_read() -> None:
    written = f"{SINGLE}RUN echo './target/release/app' > /start.sh\nCMD [\"/start.sh\"]\n"
    assert only_image(read(written, CRATE)).launch.runs == (APP,)
    unknown = f'{SINGLE.replace("--release", "--release --bin web")}CMD ["./start.sh"]\n'
    assert only_image(read(unknown)).launch.runs == ("/app/target/release/web",)
    assert not read(f'{SINGLE}CMD ["./start.sh"]\n').images
    assert not read(f'{SINGLE.replace(" --release", "")}CMD ["/start.sh"]\n', CRATE).images


@pytest.mark.parametrize(
    "command",
    [
        "CMD cargo sqlx migrate run && ./target/release/app",
        'CMD ["sh", "-c", "cargo watch -x run"]',
        'CMD ["bash"]',
        'CMD ["/bin/bash"]',
        'CMD ["/usr/sbin/sshd", "-D"]',
        'CMD ["python3", "serve.py"]',
        "CMD nginx -g 'daemon off;'",
        'CMD ["sh", "-c", "./target/debug/app"]',
        "",
    ],
)
def test_an_image_for_something_else(command: str) -> None:
    assert codes(f"{SINGLE}{command}\n", CRATE) == []


@pytest.mark.parametrize("command", ["CMD sleep 5; cargo run --release", 'CMD ["cargo", "run", "--bin", "app"]'])
def test_an_image_in_which_cargo_starts_the_program(command: str) -> None:
    assert codes(f"{SINGLE}{command}\n", CRATE) == ["DSL410"]


@pytest.mark.parametrize(
    "command", ['CMD ["bash"]', "CMD bash", 'CMD ["sh", "-c", "jq ."]', 'CMD ["cargo", "watch", "-x", "run"]']
)
def test_a_tool_that_is_installed_has_not_every_name(command: str) -> None:
    assert not read(f"FROM rust:1\nRUN cargo install cargo-watch\n{command}\n").images


def test_two_programs() -> None:
    files = {**CRATE, "src/bin/web.rs": ""}
    image = only_image(read(f"{SINGLE}CMD ./target/release/app & ./target/release/web\n", files))
    assert image.launch.runs == (APP, "/app/target/release/web")


def test_the_toolchain_below_a_second_stage() -> None:
    text = f"{SINGLE}FROM rust:1-slim\nCOPY --from=0 {APP} /usr/local/bin/app\nCOPY run.sh /run.sh\n"
    assert "DSL202" in codes(f'{text}CMD ["/run.sh"]\n', {**CRATE, "run.sh": "exec app\n"})
    assert codes(f'{text}CMD ["/run.sh"]\n', {**CRATE, "run.sh": "exec cargo app\n"}) == []


def test_a_program_whose_name_only_the_container_knows() -> None:
    command = 'CMD ["sh", "-c", "./target/release/${PROGRAM}"]\n'
    assert only_image(read(f"{SINGLE}{command}", CRATE)).launch.runs == (APP,)
    assert not read(f"{SINGLE}{command}").images


def test_a_context_that_is_copied_to_the_root_holds_no_shell() -> None:
    text = 'FROM rust:1\nCOPY ./ ./\nRUN cargo build --release\nCMD ["sh", "-c", "./target/release/app"]\n'
    launch = only_image(read(text, CRATE)).launch
    assert (launch.program, launch.runs) == (None, ("/target/release/app",))


@pytest.mark.parametrize(
    "words", ['["tini", "--", "./target/release/app"]', '["/usr/bin/dumb-init", "./target/release/app"]']
)
def test_behind_an_init_the_program_is_what_that_starts(words: str) -> None:
    launch = only_image(read(f"{SINGLE}ENTRYPOINT {words}\n", CRATE)).launch
    assert (launch.program, launch.runs) == (APP, (APP,))
    assert launch.init in words


TOOL = "FROM rust:1-slim\nRUN cargo install {}\nWORKDIR /app\nCOPY migrations migrations\n"


@pytest.mark.parametrize(
    "command",
    [
        'CMD ["trunk", "watch"]',
        'CMD ["/usr/local/cargo/bin/trunk", "watch"]',
        "CMD npm ci && /usr/local/cargo/bin/trunk watch",
        'CMD ["sh", "-lc", "npm ci; /usr/local/cargo/bin/trunk watch"]',
        'CMD ["/usr/local/cargo/bin/cargo", "watch"]',
    ],
)
def test_a_tool_to_build_with_is_no_program_by_any_path(command: str) -> None:
    assert not read(f"{TOOL.format('trunk')}{command}\n").images


@pytest.mark.parametrize(
    ("crate", "command", "program"),
    [
        ("diesel_cli", 'CMD ["diesel", "migration", "run"]', "diesel"),
        ("sqlx-cli", 'CMD ["/usr/local/cargo/bin/sqlx", "migrate", "run"]', "sqlx"),
        ("sea-orm-cli", "CMD exec sea-orm-cli migrate", "sea-orm-cli"),
    ],
)
def test_a_tool_that_the_image_is_made_for(crate: str, command: str, program: str) -> None:
    text = f"{TOOL.format(crate)}{command}\n"
    assert only_image(read(text)).launch.runs == (f"/usr/local/cargo/bin/{program}",)
    assert codes(text, {})[:2] == ["DSL101", "DSL202"]
    assert not read(text.replace(command, 'CMD ["bash"]')).images


@pytest.mark.parametrize("crate", ["cargo-nextest", "just ripgrep", "sqlx-cli --features postgres"])
@pytest.mark.parametrize(
    "command", ['CMD ["gh", "auth"]', "CMD gh auth && exec sleep 9", 'CMD ["sh", "-c", "gh auth"]']
)
def test_a_program_of_another_name_is_not_made_by_an_installed_crate(crate: str, command: str) -> None:
    assert not read(f"{TOOL.format(crate)}{command}\n").images


@pytest.mark.parametrize("command", ['CMD ["/usr/local/cargo/bin/rg"]', "CMD exec $CARGO_HOME/bin/rg"])
def test_a_program_by_its_path_is_made_there(command: str) -> None:
    assert only_image(read(f"{TOOL.format('ripgrep')}{command}\n")).launch.runs == ("/usr/local/cargo/bin/rg",)


def test_an_image_to_work_in_may_be_fat() -> None:
    text = f'{SINGLE}CMD ["./target/release/app"]\n'
    assert codes(text, CRATE) == ["DSL101", "DSL202", "DSL201"]
    assert codes(text.replace("rust:1", "rust:1 AS dev"), CRATE) == []
    installed = "FROM debian AS dev\nRUN apt-get update && apt-get install -y cargo"
    assert "DSL101" not in codes(text.replace("FROM rust:1", installed), CRATE)
    shipped = text.partition("CMD")[0].replace("rust:1", "rust:1 AS b") + "FROM debian AS dev\n"
    assert "DSL101" in codes(f'{shipped}COPY --from=b {APP} /x\nCMD ["/x"]\n', CRATE)


def test_a_name_is_first_looked_for_where_it_is_certain() -> None:
    text = f"FROM rust:1 AS builder\n{SINGLE.partition(chr(10))[2]}FROM rust:1\nRUN cargo install cargo-expand\n"
    image = only_image(read(f'{text}COPY --from=builder {APP} /usr/local/bin/\nCMD ["app"]\n', CRATE))
    assert image.launch.runs == ("/usr/local/bin/app",)
    assert not image.single_stage

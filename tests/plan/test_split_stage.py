"""A single stage that becomes two: what the second one has to have too."""

from __future__ import annotations

import pytest

from tests.facts.reading import CRATE
from tests.plan.test_edits import rewritten
from tests.plan.test_withheld import SINGLE, fix, reason


def copied(files: dict[str, str], text: str = SINGLE) -> list[str]:
    """What is copied to the second stage, the program aside."""
    fixed = fix(text, {**CRATE, **files})
    assert fixed.bug is None
    lines = fixed.source.data.decode().splitlines()
    return [line.partition("=builder ")[2] for line in lines if line.startswith("COPY --from=builder")][1:]


@pytest.mark.parametrize("platform", ["linux/amd64", "$BUILDPLATFORM", "$TARGETPLATFORM"])
def test_a_platform_is_that_of_the_image(platform: str) -> None:
    after = fix(SINGLE.replace("FROM rust", f"FROM --platform={platform} rust")).source.data.decode()
    assert f"FROM --platform={platform} gcr.io/distroless/" in after


def test_no_platform_where_none_was_written() -> None:
    assert "--platform" not in rewritten(SINGLE)


@pytest.mark.parametrize(
    "patterns",
    ["!templates/**", "!templates/*", "!templates/a.html", "!templates", "!**/*.html", "!templates/\n!data/b"],
)
def test_a_list_of_what_is_let_in(patterns: str) -> None:
    files = {".dockerignore": f"*\n!src\n!Cargo.*\n{patterns}\n", "templates/a.html": "", "data/b": ""}
    names = ["data"] if "data" in patterns else []
    assert copied(files) == [f"/app/{name} ./{name}" for name in [*names, "templates"]]


@pytest.mark.parametrize(
    "patterns", ["*\n!src\n!Cargo.*\n", "templates\n", "templates\n!src/x\n", "*\n!src\n!templates\ntemplates/\n"]
)
def test_what_is_left_out_is_not_copied(patterns: str) -> None:
    assert copied({".dockerignore": patterns, "templates/a.html": ""}) == []


@pytest.mark.parametrize(
    ("copy", "words"),
    [
        ("COPY templates ./templates", ["/app/templates ./templates"]),
        ("COPY templates/ ./views/", ["/app/views ./views"]),
        ("COPY templates /srv/t", ["/srv/t /srv/t"]),
        ("COPY templates .", ["/app/a.html ./a.html", "/app/sub ./sub"]),
        ("COPY templates/a.html /srv/", ["/srv/a.html /srv/a.html"]),
        ("COPY templates/a.html b.html", ["/app/b.html ./b.html"]),
        ("COPY templates/sub /", ["/b.html /b.html"]),
        ("COPY --chown=1000:1000 templates t", ["--chown=1000:1000 /app/t ./t"]),
        ("COPY --chown=www-data templates t", ["--chown=33:33 /app/t ./t"]),
        ("ARG A=1\nCOPY --chown=$A templates t", None),
        ("COPY gone ./gone", None),
        ("COPY templ* ./t/", None),
    ],
)
def test_what_is_copied_by_name_goes_along(copy: str, words: list[str] | None) -> None:
    files = {"templates/a.html": "", "templates/sub/b.html": ""}
    text = SINGLE.replace("COPY . .", f"COPY Cargo.toml ./\nCOPY src ./src\n{copy}")
    if words is None:
        assert reason(text, {**CRATE, **files})
    else:
        assert copied(files, text) == words


def test_an_owner_stays_the_owner() -> None:
    text = SINGLE.replace("COPY . .", "COPY --chown=1000:100 . .")
    assert copied({"templates/a.html": ""}, text) == ["--chown=1000:100 /app/templates ./templates"]
    made = text.replace("COPY", "RUN useradd -u 1001 app\nCOPY").replace("=1000:100 ", "=app ") + "USER app\n"
    assert copied({"templates/a.html": ""}, made) == ["--chown=1001:1001 /app/templates ./templates"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("my dir/a", '["/app/my dir", "./my dir"]'),
        ("a+b@c/a", "/app/a+b@c ./a+b@c"),
        ("données/a", "/app/données ./données"),
    ],
)
def test_names_of_what_goes_along(name: str, words: str) -> None:
    assert copied({name: ""}) == [words]


@pytest.mark.parametrize("name", ["a*/b", "[x]/b", "${PATH}/b", "<<EOF", 'a"b', "a'b c"])
def test_a_name_that_a_copy_would_misread(name: str) -> None:
    assert "cannot be written" in reason(SINGLE, {**CRATE, name: ""})


@pytest.mark.parametrize(
    ("line", "more", "applied"),
    [
        ("COPY Cargo* ./", "README.md", True),
        ("COPY Cargo* ./", "cargo.html", True),
        ("COPY Cargo* ./", "Cargo-data", False),
        ("COPY Cargo* ./", "Cargo-data/a.html", False),
        ('COPY ["Cargo*", "./"]', "README.md", True),
        ("COPY C*.toml Cargo.loc? ./", "Cargo-data", True),
        ("COPY C*.toml Cargo.loc? ./", "Cartoons.toml", False),
        ("ARG X=Cargo*\nCOPY $X ./", "README.md", False),
        ("COPY Cargo* s* ./", "src/lib.rs", True),
        ("COPY Cargo* s* ./", "src/pages/a.html", False),
        ("COPY Cargo* */ ./", "static/a", False),
    ],
)
def test_a_glob_is_held_against_the_context(line: str, more: str, applied: bool) -> None:
    fixed = fix(SINGLE.replace("COPY . .", f"{line}\nCOPY src src"), {**CRATE, "Cargo.lock": "", more: ""})
    assert any(one.fix.choice for one in fixed.applied) is applied


@pytest.mark.parametrize("flag", ["--exclude=static", "--parents"])
def test_a_copy_that_leaves_something_out(flag: str) -> None:
    text = f"# syntax=docker/dockerfile:1-labs\n{SINGLE}".replace("COPY . .", f"COPY {flag} . .")
    assert "is not known" in reason(text, {**CRATE, "static/a": "", "data/b": ""})


@pytest.mark.parametrize(
    "install",
    [
        "cargo install sqlx-cli",
        "cargo install --locked refinery_cli just",
        "cargo install just@1.2",
        "cargo install --git https://a.example/b/tool.git",
        "cargo binstall sqlx-cli",
    ],
)
def test_a_tool_that_the_run_may_want(install: str) -> None:
    assert "may be needed" in reason(SINGLE.replace("COPY . .", f"RUN {install}\nCOPY . ."))


@pytest.mark.parametrize(
    "install",
    [
        "cargo install cargo-auditable",
        "cargo install cargo-deny@1 --locked",
        "cargo install --git https://a.example/cargo-x",
    ],
)
def test_a_tool_of_the_build(install: str) -> None:
    assert fix(SINGLE.replace("COPY . .", f"RUN {install}\nCOPY . .")).applied


@pytest.mark.parametrize(
    "line",
    [
        "ENV PATH=$CARGO_HOME/bin:$PATH",
        "ENV X=${CARGO_HOME}",
        "LABEL home=$RUSTUP_HOME",
        "ENV CARGO_TARGET=x\nENV X=$CARGO_TARGET",
    ],
)
def test_a_variable_that_the_new_base_lacks(line: str) -> None:
    assert "would not have" in reason(SINGLE.replace("COPY . .", f"{line}\nCOPY . ."))


@pytest.mark.parametrize(
    "line",
    [
        "ENV PATH=/x:$PATH",
        "ARG CARGO_HOME=/c\nENV Y=1",
        "ENV CARGO_HOME=/c",
        "ENV A=1\nENV B=$A",
        "ENV HOME_OF=/CARGO_HOME",
    ],
)
def test_a_variable_that_it_has(line: str) -> None:
    assert fix(SINGLE.replace("COPY . .", f"{line}\nCOPY . .")).applied


@pytest.mark.parametrize(
    "value", ["/app/crates/srv/config.toml", "crates/srv/config.toml", "./src/x.toml", "/app/Cargo.toml"]
)
def test_a_variable_that_names_what_stays_behind(value: str) -> None:
    files = {**CRATE, "crates/srv/config.toml": "", "src/x.toml": ""}
    assert "only the build brings" in reason(SINGLE.replace("COPY . .", f"COPY . .\nENV CONFIG={value}"), files)


@pytest.mark.parametrize(
    "value", ["/app/config.toml", "config.toml", "/etc/src.toml", "info,src=debug", "https://a/src"]
)
def test_a_variable_that_names_what_goes_along(value: str) -> None:
    assert fix(SINGLE.replace("COPY . .", f"COPY . .\nENV CONFIG={value}"), {**CRATE, "config.toml": ""}).applied


SOURCES = {
    "src/main.rs": "fn main() {}\n",
    "src/a/mod.rs": "",
    "src/a/list.sql": "",
    "README.md": "",
    "tests/x/a.json": "",
}


@pytest.mark.parametrize(
    ("files", "copied"),
    [
        ({"src/templates/a/b.html": "", "src/a/static/s.css": ""}, ["src/a/static", "src/templates"]),
        (
            {"crates/srv/Cargo.toml": "", "crates/srv/migrations/1.sql": "", "crates/srv/srv.toml": ""},
            ["crates/srv/migrations", "crates/srv/srv.toml"],
        ),
        ({"srv/Cargo.toml": "", "srv/src/lib.rs": "", "srv/tests/data/a.json": "", "srv/README.md": ""}, []),
        ({"crates/a/Cargo.toml": "", "crates/a/benches/x.txt": "", "target/release/y": "", "examples/z/a.txt": ""}, []),
    ],
)
def test_data_among_the_sources_goes_along(files: dict[str, str], copied: list[str]) -> None:
    """Whether the program reads it when it runs, nobody can tell."""
    context = CRATE | SOURCES | files
    lines = rewritten(SINGLE, context).splitlines()
    assert [line.split()[-1] for line in lines if line.startswith("COPY --from")][1:] == [f"./{one}" for one in copied]
    if all(one.startswith("src/") for one in copied):
        named = SINGLE.replace("COPY . .", "COPY Cargo.toml ./\nCOPY src ./src")
        lines = rewritten(named, context).splitlines()
        assert [line.split()[-1] for line in lines if line.startswith("COPY --from")][1:] == [
            f"./{one}" for one in copied
        ]


def test_many_files_among_the_sources() -> None:
    files = {f"src/page{number}/x.html": "" for number in range(9)}
    assert "src/page0 and 8 more in src/ (line 3)" in reason(SINGLE, CRATE | SOURCES | files)


@pytest.mark.parametrize(
    ("step", "stays"),
    [
        ("rm -rf src", False),
        ("rm -r ./src/templates Cargo.lock", False),
        ("rm -rf src/*", False),
        ("rm -f src/main.rs", True),
        ("rm -rf src/templates/old", True),
        ("rm -rf /var/lib/apt/lists/*", True),
    ],
)
def test_data_that_a_step_removes_again_is_not_copied(step: str, stays: bool) -> None:
    files = {"src/templates/a.html": "", "src/templates/old/b.html": ""}
    text = SINGLE.replace("--release\n", f"--release && {step}\n")
    assert "AS builder" in rewritten(text, {**CRATE, **files})
    assert copied(files, text) == (["/app/src/templates ./src/templates"] if stays else [])


def test_data_that_comes_after_the_cleaning_is_copied() -> None:
    dummy = "COPY Cargo.toml ./\nRUN mkdir src && echo 'fn main() {}' > src/main.rs && cargo build --release && rm -rf src\n"
    text = SINGLE.replace("COPY . .", f"{dummy}COPY src src")
    assert copied({"src/templates/a.html": ""}, text) == ["/app/src/templates ./src/templates"]


def test_data_that_may_be_removed_or_comes_by_a_glob() -> None:
    files = {**CRATE, "src/templates/a.html": ""}
    maybe = SINGLE.replace("--release\n", "--release && if [ -e x ]; then rm -rf src; fi\n")
    assert "line 4 may remove src/templates" in reason(maybe, files)
    glob = SINGLE.replace("COPY . .", "COPY Cargo.toml ./\nCOPY sr* ./src/")
    assert "sr*" in reason(glob, files)
    member = {**CRATE, "crates/srv/Cargo.toml": "", "crates/srv/assets/a.css": ""}
    glob = SINGLE.replace("COPY . .", "COPY Cargo.toml ./\nCOPY src src\nCOPY crates/s* ./crates/srv/")
    assert "crates/srv/assets (line 5) may be needed" in reason(glob, member)


PROGRAMS = {
    **CRATE,
    "src/bin/migrate.rs": "fn main() {}\n",
    "src/bin/seed.rs": "fn main() {}\n",
    "Cargo.toml": CRATE["Cargo.toml"]
    + '[[bin]]\nname = "seed"\npath = "src/bin/seed.rs"\nrequired-features = ["demo"]\n[features]\ndemo = []\n',
}


@pytest.mark.parametrize(
    ("call", "others"),
    [
        ("install --path .", ["migrate"]),
        ("install --path . --features demo", ["migrate", "seed"]),
        ("install --path . --all-features", ["migrate", "seed"]),
        ("install --path . --bin app", []),
    ],
)
def test_the_other_programs_of_the_package_go_along_on_path(call: str, others: list[str]) -> None:
    text = f'FROM rust:1\nWORKDIR /app\nCOPY . .\nRUN cargo {call}\nCMD ["app"]\n'
    taken = [line.split()[2:] for line in rewritten(text, PROGRAMS).splitlines() if line.startswith("COPY --from")]
    assert sorted(taken) == [
        [f"/usr/local/cargo/bin/{name}", f"/usr/local/bin/{name}"] for name in sorted(["app", *others])
    ]


def test_the_other_programs_beside_it_go_along() -> None:
    taken = [
        line.split()[-1] for line in rewritten(SINGLE, PROGRAMS).splitlines() if line.startswith("COPY --from=builder")
    ]
    assert taken[:2] == ["./target/release/app", "./target/release/migrate"]


def test_a_program_that_was_taken_elsewhere_goes_alone() -> None:
    text = SINGLE.replace("--release\n", "--release && cp target/release/app /usr/local/bin/app\n")
    text = text.replace('["./target/release/app"]', '["/usr/local/bin/app"]')
    assert "migrate" not in rewritten(text, PROGRAMS)

"""How edits are written: places, quotes, styles."""

from __future__ import annotations

import pytest

from dockerslim_lint import linter
from dockerslim_lint.candidates import find_candidates
from dockerslim_lint.config import Settings
from dockerslim_lint.context import MemoryContext
from dockerslim_lint.edit import Safety, Withheld
from dockerslim_lint.plan.blocks.target_map import UNAME as TRIPLE
from dockerslim_lint.source import Source
from tests.facts.reading import CRATE, locked
from tests.plan.test_withheld import CLASSIC, SINGLE, fix, reason

TARGET = '--target "$(uname -m)"-unknown-linux-musl'


def rewritten(text: str, files: dict[str, str] | None = None) -> str:
    fixed = fix(text, files)
    assert fixed.applied, [held.reason for held in fixed.held]
    return fixed.source.data.decode()


@pytest.mark.parametrize(
    ("step", "after"),
    [
        ("cp target/release/app /o", 'cp target/"$(uname -m)"-unknown-linux-musl/release/app /o'),
        ('cp "target/release/app" /o', 'cp "target/$(uname -m)-unknown-linux-musl/release/app" /o'),
        ("cp ./target/release/app /o", 'cp ./target/"$(uname -m)"-unknown-linux-musl/release/app /o'),
        ("cd target/release && cp app /o", 'cd target/"$(uname -m)"-unknown-linux-musl/release && cp app /o'),
        ("cd target && cp release/app /o", 'cd target && cp "$(uname -m)"-unknown-linux-musl/release/app /o'),
        (
            "install -Dm755 -t /d target/release/app && mv /d/app /o",
            'install -Dm755 -t /d target/"$(uname -m)"-unknown-linux-musl/release/app && mv /d/app /o',
        ),
    ],
)
def test_paths_in_the_shell(step: str, after: str) -> None:
    text = CLASSIC.replace("--release\n", f"--release && {step}\n").replace("/app/target/release/app", "/o")
    assert after in rewritten(text)


def test_path_in_single_quotes_is_withheld() -> None:
    text = CLASSIC.replace("--release\n", "--release && cp 'target/release/app' /o\n").replace(
        "/app/target/release/app", "/o"
    )
    assert "line 4" in reason(text)


@pytest.mark.parametrize(("path", "place"), [("/app/target/release/app", "/app"), ("/app/./target/release/app", "")])
def test_a_path_that_decides_where_the_program_lands(path: str, place: str) -> None:
    copy = f"--parents {path} /o\nWORKDIR /o{place}/target/release"
    text = CLASSIC.replace("/app/target/release/app /usr/local/bin/app", copy).replace('"app"', '"./app"')
    assert "line 6 copies with --parents" in reason(text, {**CRATE, "Cargo.lock": "version = 4\n"})


def test_path_in_a_variable() -> None:
    text = CLASSIC.replace("--release\n", "--release && P=release && cp target/$P/app /o\n").replace(
        "/app/target/release/app", "/o"
    )
    assert f"cp target/{TRIPLE}/$P/app /o" in rewritten(text)


@pytest.mark.parametrize(
    ("copy", "after"),
    [
        ("/app/target/release/app /x", "/app/target/*-linux-musl/release/app /x"),
        ("--link /app/target/release/app /x", "--link /app/target/*-linux-musl/release/app /x"),
        ("app/target/release/app /x", "app/target/*-linux-musl/release/app /x"),
        ('["/app/target/release/app", "/x"]', '["/app/target/*-linux-musl/release/app", "/x"]'),
    ],
)
def test_paths_in_copy(copy: str, after: str) -> None:
    text = CLASSIC.replace("/app/target/release/app /usr/local/bin/app", copy).replace('["app"]', '["/x"]')
    assert after in rewritten(text)


@pytest.mark.parametrize(
    ("copy", "after"),
    [
        ("COPY static /srv", "COPY static /srv/"),
        ("COPY static/a.txt /opt", "COPY static/a.txt /opt/"),
        ('COPY ["static", "/srv"]', 'COPY ["static", "/srv/"]'),
        ("COPY --from=web /web/dist /srv", "COPY --from=web /web/dist /srv/"),
        ("WORKDIR /usr/local\nCOPY --from=web /web/dist share", "COPY --from=web /web/dist share/"),
        ("ADD data.tar.gz /opt", "ADD data.tar.gz /opt/"),
        ("ADD https://example.com/data.bin /opt", "ADD https://example.com/data.bin /opt/"),
        ("COPY <<EOF /srv\nhello\nEOF", "COPY <<EOF /srv/\nhello\nEOF"),
        # as they are right everywhere
        ("COPY static /srv/", "COPY static /srv/\n"),
        ("COPY static /static", "COPY static /static\n"),
    ],
)
def test_a_directory_that_only_the_old_base_had(copy: str, after: str) -> None:
    """A final slash takes a file, a directory's files and an archive's to where the old base's directory took them."""
    text = CLASSIC.replace("CMD", f"{copy}\nCMD").replace("FROM rust", "FROM node AS web\nFROM rust", 1)
    assert f"\n{after}" in rewritten(text)


@pytest.mark.parametrize(
    ("step", "text", "found"),
    [
        ("make package", "package:\n\ttar cf x.tar target/release/app\n", "looks for"),
        ("sh ci.sh", "strip target/release/app\n", "looks for"),
        ("make -s notes", "notes:\n\tgrep -c . README.md\n", ""),
        ("sh ci.sh", "ls target/wasm/release\n", ""),
        ("make package", "", "may"),
        ("./ci.sh", "", "may"),
        ("target/release/app --version", "", ""),
        ("curl -O https://example.org/x", "", ""),
        ("cat Makefile", "x:\n\tls target/release/app\n", ""),
    ],
)
def test_a_step_after_the_build_that_may_look_for_the_program(step: str, text: str, found: str) -> None:
    name = "Makefile" if "ake" in step else "ci.sh"
    files = {**locked(serde=""), **({name: text} if text else {})}
    after = rewritten(CLASSIC.replace("--release\n", f"--release\nRUN {step}\n"), files)
    assert ("-linux-musl" in after) is (found != "looks for") and "distroless" in after
    before = rewritten(CLASSIC.replace("COPY . .", f"COPY . .\nRUN {step}"), files)
    assert "-linux-musl" in before or "target" in step
    context = MemoryContext({path: body.encode() for path, body in files.items()})
    costs = [
        one.cost
        for finding in linter.lint(
            Source(CLASSIC.replace("--release\n", f"--release\nRUN {step}\n").encode()), context, Settings()
        ).findings
        if not isinstance(finding.fixes, Withheld)
        for one in finding.fixes
    ]
    assert any("looks for the programs at their old place" in cost for cost in costs) is bool(found)


def test_target_goes_behind_the_arguments_and_before_what_follows() -> None:
    text = CLASSIC.replace(
        "RUN cargo build --release", "RUN cargo build --release \\\n    --locked \\\n    && rm -rf src"
    )
    assert f"--locked {TARGET} \\\n    && rm -rf src" in rewritten(text)
    piped = CLASSIC.replace("RUN cargo build --release", "RUN cargo build --release 2>&1 | tee log")
    assert f"--release {TARGET} 2>&1 | tee log" in rewritten(piped)


def test_target_is_added_above_the_comment_of_the_step() -> None:
    text = CLASSIC.replace("RUN cargo", "# slow\n# very\nRUN cargo")
    assert "musl\n# slow\n# very\nRUN CARGO" in rewritten(text)


def test_target_that_is_there_is_not_added_again() -> None:
    text = CLASSIC.replace(
        "COPY . .", "RUN rustup target add x86_64-unknown-linux-musl aarch64-unknown-linux-musl\nCOPY . ."
    )
    assert rewritten(text).count("rustup") == 1


def test_dummy_build_gets_the_same_target_and_profile() -> None:
    text = CLASSIC.replace(
        "COPY . .",
        "COPY Cargo.toml .\nRUN mkdir src && echo 'fn main(){}' > src/main.rs && cargo build --release\nCOPY . .",
    )
    after = rewritten(text)
    assert after.count(TARGET) == 2
    assert after.count("CARGO_PROFILE_RELEASE_STRIP=symbols") == 2
    assert after.count("rustup target add") == 1


def test_a_tool_of_the_builder_keeps_the_host_target() -> None:
    text = CLASSIC.replace("COPY . .", "RUN cargo install sqlx-cli\nCOPY . .")
    assert "cargo install sqlx-cli\n" in rewritten(text)


def test_environment_style() -> None:
    text = CLASSIC.replace("WORKDIR /app", "ENV CARGO_TERM_COLOR=never\nWORKDIR /app")
    after = rewritten(text)
    assert "ENV CARGO_TERM_COLOR=never\nENV CARGO_PROFILE_RELEASE_STRIP=symbols\n" in after
    assert "RUN cargo build" in after


@pytest.mark.parametrize(
    ("more", "for_all"),
    [
        ("", True),
        ("RUN cargo build --release --manifest-path probe/Cargo.toml", False),
        ("RUN cargo build --manifest-path probe/Cargo.toml", True),
        ("RUN cargo install cargo-audit", True),
        ("FROM builder AS probe\nRUN cargo build --release --manifest-path probe/Cargo.toml", False),
        ("FROM rust:1.90 AS probe\nCOPY . .\nRUN cargo build --release --manifest-path probe/Cargo.toml", True),
    ],
)
def test_a_variable_for_the_stage_reaches_no_build_that_keeps_its_symbols(more: str, for_all: bool) -> None:
    probe = {
        "probe/Cargo.toml": '[package]\nname = "probe"\nversion = "0.1.0"\n[profile.release]\nstrip = false\n[workspace]\n',
        "probe/src/main.rs": "fn main() {}\n",
        "probe/Cargo.lock": 'version = 4\n[[package]]\nname = "probe"\nversion = "0.1.0"\n',
    }
    text = CLASSIC.replace("WORKDIR /app", "ENV CARGO_TERM_COLOR=never\nWORKDIR /app")
    after = rewritten(text.replace("--release\n", f"--release\n{more}\n"), {**locked(serde=""), **probe})
    assert ("\nENV CARGO_PROFILE_RELEASE_STRIP=symbols\n" in after) is for_all
    assert ("RUN CARGO_PROFILE_RELEASE_STRIP=symbols cargo build" in after) is not for_all
    assert f"\n{more.splitlines()[-1] if more else ''}" in after


def test_nothing_is_stripped_twice() -> None:
    text = CLASSIC.replace("--release\n", "--release && strip target/release/app\n")
    assert "STRIP" not in rewritten(text)
    manifest = CRATE["Cargo.toml"] + "[profile.release]\nstrip = true\n"
    assert "STRIP" not in rewritten(CLASSIC, {**CRATE, "Cargo.toml": manifest})


def test_two_images_of_one_build_are_rewritten_together() -> None:
    tail = CLASSIC[CLASSIC.index("FROM debian") :]
    after = rewritten(CLASSIC + tail.replace("debian:bookworm-slim", "ubuntu:22.04 AS other"))
    assert after.count("FROM gcr.io/distroless/static-debian13") == 2
    one_cannot = fix(CLASSIC + tail.replace('CMD ["app"]', "CMD app $X").replace("bookworm-slim", "12"))
    assert not [one for one in one_cannot.applied if one.fix.choice == "distroless/static"]


def test_two_independent_builds_are_two_decisions() -> None:
    second = CLASSIC.replace("builder", "second").replace("bookworm-slim", "12")
    fixed = fix(CLASSIC + second)
    assert [one.fix.key for one in fixed.applied] == ["slim:0", "slim:2"]


@pytest.mark.parametrize(
    ("steps", "user", "after"),
    [
        ("RUN useradd u\n", "u", "65532:65532"),
        ("RUN useradd -u 1000 u\n", "u", "1000:1000"),
        ("RUN groupadd -g 7 g && useradd -u 1000 -g g u\n", "u", "1000:7"),
        ("RUN groupadd -g 7 g && useradd -u 1000 -g g u\n", "u:g", "1000:7"),
        ("RUN useradd -u 1000 u\n", "u:9", "1000:9"),
        ("", "1000", "1000"),
        ("", "1000:1000", "1000:1000"),
        ("", "nobody", "nobody"),
        ("", "root", "root"),
        ("", "www-data", "33:33"),
        ("", "www-data:www-data", "33:33"),
        ("", "www-data:users", "33:100"),
        ("", "www-data:7", "33:7"),
        ("", "33", "33:33"),
    ],
)
def test_users(steps: str, user: str, after: str) -> None:
    text = CLASSIC.replace("CMD", f"{steps}USER {user}\nCMD")
    assert f"USER {after}\n" in rewritten(text)


@pytest.mark.parametrize(
    ("steps", "user"),
    [
        ("", "list"),
        ("WORKDIR /var/www\n", "www-data"),
        ("VOLUME /var/www/data\n", "www-data"),
        ("ENV HOME=/var/www\n", "www-data"),
        ("COPY static /var/www/\n", "www-data"),
        ("RUN usermod -u 1000 www-data\n", "www-data"),
        ("COPY passwd /etc/other\n", "www-dat"),
        ("RUN mkdir -p /var/www\n", "www-data"),
    ],
)
def test_users_of_the_base_that_stay(steps: str, user: str) -> None:
    text = CLASSIC.replace("CMD", f"{steps}USER {user}\nCMD")
    assert "FROM gcr.io" not in fix(text).source.data.decode()
    other = text.replace("debian:bookworm-slim", "fedora:41").replace(f"{steps}USER {user}", "USER www-data")
    assert "FROM gcr.io" not in fix(other).source.data.decode()


def test_owner_of_a_copy() -> None:
    text = CLASSIC.replace("COPY --from=builder", "RUN useradd -u 1005 u\nCOPY --from=builder --chown=u:u").replace(
        "CMD", "USER u\nCMD"
    )
    assert "--chown=1005:1005 " in rewritten(text)
    own = CLASSIC.replace("COPY --from=builder", "COPY --from=builder --chown=www-data:www-data")
    assert "--chown=33:33 " in rewritten(own)


def test_empty_lines_and_comments_of_removed_steps() -> None:
    text = CLASSIC.replace(
        "COPY --from",
        "\n# certificates\nRUN apt-get update && apt-get install -y ca-certificates\n\n# kept\n\nCOPY --from",
    )
    assert "FROM gcr.io/distroless/static-debian13\n\n# kept\n\nCOPY" in rewritten(text)


def test_no_command_keeps_a_base_with_a_shell() -> None:
    fixed = fix(CLASSIC.replace('CMD ["app"]\n', ""))
    assert [one.fix.choice for one in fixed.applied] == ["alpine"]


def test_split_carries_what_describes_the_image() -> None:
    text = (
        "# syntax=docker/dockerfile:1\nARG V=1\nFROM rust:${V}\nENV PORT=80 \\\n    HOST=x\nENV CARGO_TERM_COLOR=never\n"
        'LABEL a="b"\nEXPOSE 80\nWORKDIR /app\nCOPY . .\nRUN cargo build --release\nUSER 1000\nVOLUME /data\n'
        'STOPSIGNAL SIGINT\nENTRYPOINT ["target/release/app"]\nCMD ["--serve"]\n'
    )
    assert "FROM rust:${V} AS builder\n" in rewritten(text)
    after = rewritten(text.replace("rust:${V}", "rust:1"))
    second = after[after.index("FROM gcr.io") :]
    assert "ENV PORT=80 \\\n    HOST=x\n" in second
    assert "CARGO_TERM_COLOR" not in second
    for line in (
        'LABEL a="b"',
        "EXPOSE 80",
        "WORKDIR /app",
        "USER 1000",
        "VOLUME /data",
        "STOPSIGNAL SIGINT",
        'CMD ["--serve"]',
    ):
        assert second.count(line) == 1, line


def test_split_of_an_installed_program() -> None:
    text = SINGLE.replace("cargo build --release", "cargo install --path .").replace('"./target/release/app"', '"app"')
    after = rewritten(text)
    assert "COPY --from=builder /usr/local/cargo/bin/app /usr/local/bin/app\n" in after
    assert after.endswith('CMD ["app"]\n')


def test_no_final_newline() -> None:
    text = SINGLE.rstrip("\n")
    after = rewritten(text)
    assert not after.endswith("\n")
    single_line = 'FROM rust:1\nCOPY . .\nCMD ["./target/release/app"]\nRUN cargo build --release'
    assert "FROM gcr.io" in rewritten(single_line)


def test_old_alpine_is_kept() -> None:
    after = rewritten(CLASSIC.replace("debian:bookworm-slim", "alpine:3.19"))
    assert "FROM alpine:3.19\n" in after


def test_candidates_all_hold() -> None:
    context = MemoryContext({path: body.encode() for path, body in CRATE.items()})
    found = find_candidates(Source(CLASSIC.encode()), context, Settings())
    assert [one.fix.choice for one in found] == ["distroless/static", "alpine", "distroless/cc", "debian-slim"]
    for one in found:
        assert one.fix.claim is not None
        assert one.fix.claim.binaries == ("/usr/local/bin/app",)
        assert one.fix.safety is Safety.PROVABLE


@pytest.mark.parametrize(
    ("head", "reference", "after"),
    [
        (
            "ARG BASE=debian:bookworm-slim\n",
            "${BASE}",
            ("ARG BASE=gcr.io/distroless/static-debian13\n", "FROM ${BASE}\n"),
        ),
        (
            'ARG BASE="debian:bookworm-slim"\n',
            "$BASE",
            ('ARG BASE="gcr.io/distroless/static-debian13"\n', "FROM $BASE\n"),
        ),
        ("ARG V=bookworm\n", "debian:${V}-slim", ("ARG V=bookworm\n", "FROM gcr.io/distroless/static-debian13\n")),
        ("", "${BASE:-debian:bookworm-slim}", ("", "FROM gcr.io/distroless/static-debian13\n")),
    ],
)
def test_the_base_comes_from_a_variable(head: str, reference: str, after: tuple[str, str]) -> None:
    text = head + CLASSIC.replace("FROM debian:bookworm-slim", f"FROM {reference}")
    result = rewritten(text)
    assert result.startswith(after[0])
    assert after[1] in result


def test_a_default_that_somebody_else_uses_stays() -> None:
    head = "ARG BASE=debian:bookworm-slim\n"
    text = CLASSIC.replace("FROM debian:bookworm-slim\n", "FROM ${BASE} AS other\nRUN true\nFROM ${BASE}\nARG BASE\n")
    result = rewritten(head + text)
    assert result.startswith(head)
    assert "FROM gcr.io/distroless/static-debian13\nARG BASE\n" in result


OLD = "rustup target add --toolchain 1.88.0"


@pytest.mark.parametrize(
    ("old", "new", "after"),
    [
        (
            "FROM rust:1 ",
            "FROM rust:1.88.0 ",
            f"RUN {OLD} {TRIPLE}\nRUN CARGO_PROFILE_RELEASE_STRIP=symbols cargo +1.88.0 build",
        ),
        (
            "RUN cargo",
            "RUN rustup install 1.88.0\nRUN cargo",
            f"1.88.0\nRUN {OLD} {TRIPLE}\nRUN CARGO_PROFILE_RELEASE_STRIP=symbols cargo +1.88.0 build",
        ),
        ("RUN cargo", "RUN rustup toolchain install --profile minimal 1.88.0\nRUN cargo", f"\nRUN {OLD} {TRIPLE}\n"),
        (
            "RUN cargo",
            "RUN rustup toolchain install 1.88.0 \\\n && cargo",
            f"RUN rustup toolchain install 1.88.0 && {OLD} {TRIPLE} \\\n && CARGO_PROFILE_RELEASE_STRIP=symbols cargo +1.88.0 build",
        ),
    ],
)
def test_the_toolchain_that_a_call_picks_gets_the_target(old: str, new: str, after: str) -> None:
    text = CLASSIC.replace(old, new, 1).replace("cargo build", "cargo +1.88.0 build")
    assert after in rewritten(text)


GONE = "no longer chooses the base, and nothing else uses it"


@pytest.mark.parametrize(
    ("head", "reference", "told"),
    [
        ("ARG BASE=debian:bookworm-slim\n", "${BASE}", []),
        ("ARG V=1\n", "debian:bookworm-slim", []),
        ("", "${BASE:-debian:bookworm-slim}", []),
        ("ARG BASE=debian:bookworm-slim+\n", "${BASE%+}", [f"ARG BASE (line 1) {GONE}"]),
        ("ARG BASE=debian:bookworm-slim\n", "${BASE:-debian:12}", [f"ARG BASE (line 1) {GONE}"]),
        ("ARG D=debian:12\n", "${BASE:-$D}", [f"ARG D (line 1) {GONE}"]),
        ("ARG V=12\nARG BASE=debian:$V\n", "$BASE", [f"ARG BASE (line 2) {GONE}", f"ARG V (line 1) {GONE}"]),
        ("ARG D=debian V=12\n", "$D:$V-slim", [f"ARG D (line 1) {GONE}", f"ARG V (line 1) {GONE}"]),
        (
            "ARG V=12\nARG BASE=debian:$V\nFROM debian:$V AS other\n",
            "$BASE",
            [f"ARG BASE (line 2) {GONE}", "ARG V (line 1) no longer chooses the base"],
        ),
        (
            "ARG BASE=debian:12\nFROM ${X:-$BASE} AS other\n",
            "$BASE",
            ["ARG BASE (line 1) no longer chooses the base"],
        ),
        (
            "ARG BASE=debian:12\nARG TOO=$BASE\nFROM $TOO AS other\n",
            "$BASE",
            ["ARG BASE (line 1) no longer chooses the base"],
        ),
        (
            "ARG BASE=debian:12\nFROM alpine AS other\nARG BASE\n",
            "$BASE",
            ["ARG BASE (line 1) no longer chooses the base"],
        ),
    ],
)
def test_an_argument_that_no_longer_chooses_the_base_is_told(head: str, reference: str, told: list[str]) -> None:
    text = head + CLASSIC.replace("FROM debian:bookworm-slim", f"FROM {reference}")
    costs = [one.fix.cost for one in fix(text).applied if one.fix.key.startswith("slim:")]
    assert [[part for part in cost.split("; ") if part.startswith("ARG ")] for cost in costs] == [told]


def test_an_argument_that_chooses_the_builders_release_too() -> None:
    text = "ARG V=bookworm\n" + CLASSIC.replace("rust:1", "rust:1-$V").replace("debian:bookworm-slim", "debian:$V")
    costs = {choice: applied_cost(text, choice) for choice in ("distroless/static", "distroless/cc")}
    assert "ARG V" not in costs["distroless/static"]
    only = "ARG V (line 1) chooses the builder's base alone, which must not have a newer glibc than 2.41"
    assert only in costs["distroless/cc"]


def applied_cost(text: str, choice: str) -> str:
    (applied,) = fix(text, settings=Settings(prefer=(choice,))).applied
    assert applied.fix.choice == choice
    return applied.fix.cost


def test_a_base_without_a_default_is_left_alone() -> None:
    assert rewritten("ARG BASE\n" + CLASSIC.replace("debian:bookworm-slim", "${BASE}")).count("${BASE}") == 1


@pytest.mark.parametrize(
    ("step", "after"),
    [
        ("cp target/release/$B /o", f"cp target/{TRIPLE}/release/$B /o"),
        ('cp "./target/release/${B}" /o', 'cp "./target/$(uname -m)-unknown-linux-musl/release/${B}" /o'),
        ("cp target/$P/app /o", f"cp target/{TRIPLE}/$P/app /o"),
        ('cp "target/$P/$B" /o', 'cp "target/$(uname -m)-unknown-linux-musl/$P/$B" /o'),
    ],
)
def test_variables_behind_the_target_directory(step: str, after: str) -> None:
    text = CLASSIC.replace("RUN cargo build --release\n", f"ARG B=app P=release\nRUN cargo build --release && {step}\n")
    assert after in rewritten(text.replace("/app/target/release/app", "/o"))


@pytest.mark.parametrize(
    ("step", "place", "after"),
    [
        ("cp -r target/$P /release", "/release/app", "/release/app"),
        ("cp -r target/release /release", "/release/app", "/release/app"),
        ("mkdir /out && cp -r target/release /out", "/out/release/app", "/out/release/app"),
        ("cp -r target /out", "/out/release/app", "/out/*-linux-musl/release/app"),
    ],
)
def test_a_copied_directory_of_the_profiles_name(step: str, place: str, after: str) -> None:
    text = CLASSIC.replace("RUN cargo build --release\n", f"ARG P=release\nRUN cargo build --release && {step}\n")
    fixed = fix(text.replace("/app/target/release/app", place))
    assert fixed.bug is None and f"COPY --from=builder {after} " in fixed.source.data.decode()


@pytest.mark.parametrize("step", ["cp $D/release/app /o", "cp target/$P$B /o", "cp $D/$B /o", "cp target/${P}x/app /o"])
def test_variables_that_may_hold_more(step: str) -> None:
    arguments = "ARG B=app P=release D=target/release\n"
    text = CLASSIC.replace("RUN cargo build --release\n", f"{arguments}RUN cargo build --release && {step}\n")
    fixed = fix(text.replace("/app/target/release/app", "/o"))
    assert not [one for one in fixed.applied if one.fix.choice == "distroless/static"]


DIGEST = f"@sha256:{'b' * 64}"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (CLASSIC.replace("debian:bookworm-slim", f"debian:bookworm-slim{DIGEST}"), True),
        (
            CLASSIC.replace("debian:bookworm-slim", "${BASE}").replace(
                "FROM rust", f"ARG BASE=debian:12{DIGEST}\nFROM rust"
            ),
            True,
        ),
        (SINGLE.replace("FROM rust:1\n", f"FROM rust:1{DIGEST}\n"), True),
        (CLASSIC, False),
        (CLASSIC.replace("rust:1 ", f"rust:1{DIGEST} "), False),
        (CLASSIC.replace("debian:bookworm-slim", f"alpine:3.24{DIGEST}"), False),
    ],
)
def test_a_digest_that_is_lost_is_told(text: str, told: bool) -> None:
    fixes = [one.fix for one in fix(text, locked(itoa="")).applied if one.fix.key.startswith("slim:")]
    assert ["is not pinned by digest" in one.cost for one in fixes] == [told]


@pytest.mark.parametrize(
    ("step", "after"),
    [
        (
            'case "$P" in dev) cargo build ;; *) cargo build --release ;; esac',
            'case "$P" in dev) CARGO_PROFILE_DEV_STRIP=symbols cargo build {0} ;; '
            "*) CARGO_PROFILE_RELEASE_STRIP=symbols cargo build --release {0} ;; esac",
        ),
        (
            'if [ "$P" = release ]; then cargo build -r; else cargo build; fi',
            'if [ "$P" = release ]; then CARGO_PROFILE_RELEASE_STRIP=symbols cargo build -r {0}; '
            "else CARGO_PROFILE_DEV_STRIP=symbols cargo build {0}; fi",
        ),
        (
            "cargo build -r --lib && cargo build",
            "cargo build -r --lib {0} && CARGO_PROFILE_DEV_STRIP=symbols cargo build {0}",
        ),
    ],
)
def test_whichever_branch_makes_the_program_it_is_stripped(step: str, after: str) -> None:
    text = CLASSIC.replace("cargo build --release\n", f"{step} && mv target/*/app /o\n")
    text = text.replace("COPY . .", "ARG P=release\nCOPY . .").replace("/app/target/release/app", "/o")
    assert after.format(TARGET) in rewritten(text)


@pytest.mark.parametrize(
    ("step", "after"),
    [
        ("time cargo build -r", "time env CARGO_PROFILE_RELEASE_STRIP=symbols cargo build -r"),
        ("A=b time -p cargo build -r", "A=b time -p env CARGO_PROFILE_RELEASE_STRIP=symbols cargo build -r"),
        ("sudo -E cargo build -r", "sudo -E env CARGO_PROFILE_RELEASE_STRIP=symbols cargo build -r"),
        (
            "env -i PATH=$PATH cargo build -r",
            "env -i PATH=$PATH env CARGO_PROFILE_RELEASE_STRIP=symbols cargo build -r",
        ),
        ("nice -n 5 cargo build -r", "nice -n 5 env CARGO_PROFILE_RELEASE_STRIP=symbols cargo build -r"),
        ("timeout 1.5h cargo build -r", "timeout 1.5h env CARGO_PROFILE_RELEASE_STRIP=symbols cargo build -r"),
    ],
)
def test_a_variable_behind_what_runs_cargo(step: str, after: str) -> None:
    """`sudo` and `env -i` drop what stands before them; bash takes `time` behind an assignment for a program."""
    text = CLASSIC.replace("COPY . .", 'SHELL ["/bin/bash", "-c"]\nCOPY . .').replace("cargo build --release", step)
    assert f"RUN {after} {TARGET}\n" in rewritten(text)


@pytest.mark.parametrize(
    ("step", "after"),
    [
        ('["cargo", "build", "-r"]', '["env", "CARGO_PROFILE_RELEASE_STRIP=symbols", "cargo", "build", "-r"]'),
        (
            '["sudo", "-E", "cargo", "build", "-r"]',
            '["sudo", "-E", "env", "CARGO_PROFILE_RELEASE_STRIP=symbols", "cargo", "build", "-r"]',
        ),
        ('["sh", "-c", "cargo build -r"]', '["sh", "-c", "CARGO_PROFILE_RELEASE_STRIP=symbols cargo build -r"]'),
        ("sh -c 'cargo build -r'", "sh -c 'CARGO_PROFILE_RELEASE_STRIP=symbols cargo build -r'"),
        ('bash -ec "A=b cargo build -r"', 'bash -ec "A=b CARGO_PROFILE_RELEASE_STRIP=symbols cargo build -r"'),
        ("sh -c 'time cargo build -r'", "sh -c 'time env CARGO_PROFILE_RELEASE_STRIP=symbols cargo build -r'"),
    ],
)
def test_a_variable_where_the_target_cannot_be_added(step: str, after: str) -> None:
    """An exec form knows no assignment, but `env`; the glibc program is stripped and goes to a smaller base."""
    fixed = rewritten(CLASSIC.replace("cargo build --release", step))
    assert f"RUN {after}\nFROM gcr.io/distroless/cc-debian" in fixed


def test_a_script_that_no_quotes_hold_together_is_left_alone() -> None:
    text = CLASSIC.replace("cargo build --release", "sh -c cargo\\ build\\ --release")
    fixed = fix(text)
    assert fixed.source.data.decode() == text
    assert fixed.bug is None


def test_what_env_sets_in_an_exec_form_is_not_set_again() -> None:
    text = CLASSIC.replace(
        "cargo build --release", '["env", "CARGO_PROFILE_RELEASE_STRIP=symbols", "cargo", "build", "-r"]'
    )
    assert 'RUN ["env", "CARGO_PROFILE_RELEASE_STRIP=symbols", "cargo", "build", "-r"]\n' in rewritten(text)


def test_what_env_sets_is_known() -> None:
    text = CLASSIC.replace("RUN cargo", "RUN env CARGO_PROFILE_RELEASE_STRIP=symbols cargo")
    assert "RUN env CARGO_PROFILE_RELEASE_STRIP=symbols cargo build --release --target" in rewritten(text)


def test_a_target_by_name_in_a_command_that_is_written_anew() -> None:
    gnu = "x86_64-unknown-linux-gnu"
    text = SINGLE.replace("--release\n", f"--release --target {gnu}\n")
    text = text.replace("RUN cargo", f"RUN rustup target add {gnu}\nRUN cargo")
    shell = text.replace('["./target/release/app"]', f"/app/target/{gnu}/release/app")
    assert "FROM gcr.io/distroless/cc" in rewritten(shell)
    assert not any("our bug" in held.reason for held in fix(shell).held)


def test_debug_information_that_is_compressed_is_to_be_kept() -> None:
    step = "objcopy --compress-debug-sections target/release/app ./app"
    text = CLASSIC.replace("--release\n", f"--release && {step}\n").replace("/app/target/release/app", "/app/app")
    after = rewritten(text)
    assert 'objcopy --compress-debug-sections target/"$(uname -m)"-unknown-linux-musl/release/app ./app\n' in after
    assert "STRIP" not in after and "FROM gcr.io/distroless/static" in after
    assert "compresses the debug information" in " ".join(held.reason for held in fix(text).held)
    assert "changed by" not in " ".join(held.reason for held in fix(text.replace(" ./app\n", "\n")).held)


def safe(text: str, profile: str = "", **scripts: str) -> bool:
    """Whether leaving the symbols out is safe by construction; `profile` is the end of the manifest, `scripts` are more files."""
    files = {**locked(serde=""), **{f"ci/{name}.sh": text for name, text in scripts.items()}}
    files["Cargo.toml"] += profile
    context = MemoryContext({path: body.encode() for path, body in files.items()})
    return "STRIP=" in linter.fix(Source(text.encode()), context, Settings(), Safety.SAFE).source.data.decode()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("--release\n", "--release && nm target/release/app | grep -q main\n"),
        ("--release\n", "--release && objdump -t target/release/app > /x\n"),
        ("--release\n", "--release\nRUN sentry-cli upload-dif target/release\n"),
        ("CMD", "RUN apt-get update && apt-get install -y gdb\nCMD"),
        ('CMD ["app"]', 'CMD ["valgrind", "app"]'),
        ('CMD ["app"]', "CMD exec /usr/bin/gdb -batch -ex run app"),
    ],
)
def test_a_reader_of_symbols_wants_a_proof(old: str, new: str) -> None:
    assert safe(CLASSIC) and safe(CLASSIC.replace("--release\n", "--release && ldd target/release/app\n"))
    assert safe(CLASSIC.replace("--release\n", "--release && ls target/release # nm\n"))
    assert not safe(CLASSIC.replace(old, new))


@pytest.mark.parametrize(
    ("step", "reads"),
    [
        ("./ci/check.sh", True),
        ("sudo ci/check.sh --strict", True),
        ("sh -eu ci/check.sh x", True),
        ("cd ci && bash check.sh", True),
        ("cp ci/check.sh /x && /x", True),
        ("./ci/other.sh", False),
        ("sh ci/none.sh", False),
        ("cat ci/check.sh", False),
        ("chmod +x ci/check.sh", False),
    ],
)
def test_a_script_that_reads_symbols(step: str, reads: bool) -> None:
    scripts = {"check": "#!/bin/sh\nset -e\nx86_64-linux-gnu-nm -D target/release/app\n", "other": "echo format nmx\n"}
    assert safe(CLASSIC.replace("COPY . .", f"COPY . .\nRUN {step}"), **scripts) is not reads


def test_a_script_that_reads_symbols_in_the_file_itself() -> None:
    for step in (
        "COPY <<EOF /check.sh\nnm app\nEOF\nRUN sh /check.sh",
        "RUN echo 'nm -D x' > /check.sh && sh /check.sh",
    ):
        assert not safe(CLASSIC.replace("COPY . .", f"COPY . .\n{step}"))
    assert not safe(CLASSIC.replace("COPY . .", "COPY . .\nCOPY ci/a.sh /usr/local/bin/\nRUN a.sh"), a="readelf -s app")
    assert safe(CLASSIC.replace("COPY . .", "COPY . .\nCOPY ci/a.sh /usr/local/bin/\nRUN b.sh"), a="readelf -s app")


def test_symbols_that_another_stage_ships() -> None:
    stripped = CLASSIC.replace(
        "--release\n", "--release && cp target/release/app /sym && strip -o /out target/release/app\n"
    )
    stripped = stripped.replace("/app/target/release/app", "/out")
    first, _, final = stripped.rpartition("FROM debian")
    aside = f"{first}FROM scratch AS kept\nCOPY --from=builder /sym /\nFROM debian{final}"
    assert not safe(aside)
    assert "STRIP=" not in fix(aside).source.data.decode()
    named = CLASSIC.replace(
        "FROM debian", "FROM scratch AS {0}\nCOPY --from=builder /app/target/release/app /\nFROM debian"
    )
    for name in ("symbols", "app-symbols", "Debug_Info_dbg"):
        assert not safe(named.format(name))
    assert safe(named.format("export")) and safe(named.format("debugger"))
    assert not safe(named.format("export").replace("release/app /\n", "release/app /app.debug\n"))
    assert safe(CLASSIC.replace("bin/app", "bin/app.debug").replace('"app"', '"app.debug"'))


def test_libraries_that_are_brought_along_keep_the_libc() -> None:
    """Only the symbols are the matter there."""
    empty = CLASSIC.replace("FROM debian:bookworm-slim\n", "FROM scratch\n{}").replace('"app"', '"/usr/local/bin/app"')
    libraries = "COPY --from=builder /lib /lib\nCOPY --from=builder /lib64 /lib64\n"
    after = rewritten(empty.format(libraries))
    assert "STRIP=" in after and "musl" not in after
    assert "musl" in rewritten(empty.format(""))


@pytest.mark.parametrize(
    ("config", "stripped"),
    [
        ("profile.release.debug=1", False),
        ("'profile.release.debug=\"line-tables-only\"'", False),
        ("profile.release.strip=true", False),
        ("profile.release.strip=false", False),
        ("'profile.release.strip=\"debuginfo\"'", False),
        ("profile.release.debug=false", True),
        ("profile.dev.debug=1", True),
        ("net.git-fetch-with-cli=true", True),
        ("ci.toml", False),
        ("$MORE", False),
    ],
)
def test_a_profile_that_the_command_line_sets(config: str, stripped: bool) -> None:
    """It wins over any variable."""
    assert safe(CLASSIC.replace("--release\n", f"--release --config {config}\n")) is stripped


@pytest.mark.parametrize("value", ["false", '"none"'])
@pytest.mark.parametrize("image", ["debian:bookworm-slim", "gcr.io/distroless/cc-debian13"])
def test_who_writes_that_the_symbols_stay_keeps_them(value: str, image: str) -> None:
    profile = f"[profile.release]\nstrip = {value}\n"
    text = CLASSIC.replace("debian:bookworm-slim", image)
    assert safe(text) and not safe(text, profile)
    fixed = fix(text, {**CRATE, "Cargo.toml": CRATE["Cargo.toml"] + profile})
    assert "STRIP" not in fixed.source.data.decode()
    assert ("musl" in fixed.source.data.decode()) is image.startswith("debian")
    by_variable = fix(text.replace("COPY . .", f"ENV CARGO_PROFILE_RELEASE_STRIP={value}\nCOPY . ."))
    assert "STRIP=symbols" not in by_variable.source.data.decode()
    for one in (fixed, by_variable):
        assert "DSL201" not in {found.code for found in one.report.findings}


def test_what_is_set_for_the_package_no_variable_changes() -> None:
    table = "[profile.release.package.app]\nstrip = {}\n"
    assert not safe(CLASSIC, table.format('"debuginfo"'))
    # what is set for the dependencies is nothing to the program
    assert safe(CLASSIC, table.replace(".app", '."*"').format("true"))


def test_both_profiles_of_a_condition_are_set_where_the_stage_steers_cargo() -> None:
    step = 'if [ "$P" = release ]; then cargo build -r; else cargo build; fi'
    text = CLASSIC.replace("cargo build --release\n", f"{step} && mv target/*/app /o\n").replace(
        "/app/target/release/app", "/o"
    )
    after = rewritten(text.replace("COPY . .", "ARG P=release\nENV CARGO_NET_RETRY=5\nCOPY . ."))
    lines = "ENV CARGO_NET_RETRY=5\nENV CARGO_PROFILE_RELEASE_STRIP=symbols\nENV CARGO_PROFILE_DEV_STRIP=symbols\nCOPY"
    assert lines in after


def test_a_name_with_a_hyphen_gets_the_underscore_that_cargo_leaves() -> None:
    files = {**CRATE, "Cargo.toml": CRATE["Cargo.toml"].replace('"app"', '"my_app"')}
    text = SINGLE.replace("release/app", "release/my-app")
    fixed = fix(text, files, Settings(select=("DSL405",)))
    assert fixed.source.data.decode() == text.replace("my-app", "my_app")
    by_shell = text.replace('["./target/release/my-app"]', "./target/release/my-app")
    assert fix(by_shell, files, Settings(select=("DSL405",))).source.data.decode() == by_shell

"""What a look at real Dockerfiles showed: each case in a few lines of our own."""

from __future__ import annotations

import pytest

from dockerslim_lint import linter
from dockerslim_lint.config import Settings
from dockerslim_lint.context import BuildContext, MemoryContext, NoContext
from dockerslim_lint.edit import Safety
from dockerslim_lint.finding import Severity
from dockerslim_lint.source import Source
from tests.facts.reading import CRATE, MANIFEST, locked, only_artifact, read
from tests.plan.test_edits import rewritten
from tests.plan.test_withheld import CLASSIC, LOCK, SINGLE, fix, reason

LOCKED = {**CRATE, "Cargo.lock": LOCK.format("itoa"), ".dockerignore": "target\n"}


def codes(text: str, files: dict[str, str] | None = None) -> list[str]:
    context: BuildContext = NoContext()
    if files is not None:
        context = MemoryContext({path: body.encode() for path, body in files.items()})
    findings = linter.lint(Source(text.encode()), context, Settings()).findings
    return [finding.code for finding in findings if finding.severity > Severity.INFO]


def safe(text: str, files: dict[str, str] | None = None) -> linter.Fixed:
    context = MemoryContext({path: body.encode() for path, body in (LOCKED if files is None else files).items()})
    return linter.fix(Source(text.encode()), context, Settings(), Safety.SAFE)


@pytest.mark.parametrize("step", ["RUN mkdir /app", "RUN mkdir -p /app && cd /app"])
def test_a_step_that_makes_what_workdir_makes(step: str) -> None:
    assert rewritten(SINGLE.replace("COPY . .", f"{step}\nCOPY . .")).count("FROM ") == 2


@pytest.mark.parametrize(
    "step",
    [
        "RUN mkdir /data",
        "RUN mkdir -m 777 /app",
        "RUN mkdir -p /app/data",
        "RUN curl -o /model.bin https://example.com",
        "RUN git clone https://example.com/x /data",
        "RUN echo x > /etc/app.conf",
        "RUN cp config.example config.toml",
        "RUN touch db.sqlite",
        "RUN ln -sf /usr/share/zoneinfo/UTC /etc/localtime",
        "RUN npm run build",
    ],
)
def test_a_single_stage_whose_steps_make_something_stays_whole(step: str) -> None:
    assert "may make something" in reason(SINGLE.replace("COPY . .", f"{step}\nCOPY . ."))


@pytest.mark.parametrize(
    "step",
    [
        "RUN mkdir src && echo 'fn main(){}' > src/main.rs && cargo build --release && rm -rf src",
        "RUN touch src/main.rs",
        "RUN rustup component add clippy && cargo clippy",
    ],
)
def test_steps_of_the_build_do_not(step: str) -> None:
    assert fix(SINGLE.replace("COPY . .", f"COPY . .\n{step}")).applied


@pytest.mark.parametrize(
    "copies",
    [
        "COPY Cargo.toml Cargo.lock ./\nCOPY src src",
        "COPY Cargo.* ./\nCOPY src src",
        "COPY ./Cargo.* ./src /app/",
        "COPY . .",
    ],
)
@pytest.mark.parametrize("workdir", ["WORKDIR /app\n", "WORKDIR /\n", ""])
def test_the_lock_is_found_however_it_comes(copies: str, workdir: str) -> None:
    text = CLASSIC.replace("WORKDIR /app\n", workdir).replace("COPY . .", copies)
    if workdir != "WORKDIR /app\n":
        text = text.replace("/app/target", "/target").replace(" /app/\n", " /\n")
    assert "openssl-sys" in reason(text, locked(openssl__sys=""))


def test_a_manifest_that_cannot_be_tied_to_the_call() -> None:
    assert "cannot be told" in reason(CLASSIC.replace("COPY . .", "COPY . /elsewhere"))


def test_old_cargo_has_no_strip() -> None:
    old = CLASSIC.replace("rust:1 ", "rust:1.51 ")
    assert not safe(old).applied
    assert "FROM gcr.io/distroless/static-debian13" in rewritten(old)
    assert "STRIP" not in rewritten(old)
    assert safe(CLASSIC.replace("rust:1 ", "rust:1.59 ")).applied
    assert "STRIP" not in rewritten(CLASSIC, {**LOCKED, "rust-toolchain": "1.40.0"})


@pytest.mark.parametrize(
    "line",
    [
        "COPY --from=node:22 /usr/local/bin/node /usr/local/bin/node",
        "COPY tools/helper /usr/local/bin/",
        "COPY --from=builder /usr/bin/jq /usr/bin/jq",
    ],
)
def test_another_program_may_need_glibc(line: str) -> None:
    assert "another program" in reason(CLASSIC.replace("CMD", f"{line}\nCMD"), {**CRATE, "tools/helper": ""})


def test_files_that_are_no_programs_come_along() -> None:
    assert fix(
        CLASSIC.replace("CMD", "COPY static /app/static\nCOPY --from=builder /app/migrations /app/migrations\nCMD")
    ).applied


@pytest.mark.parametrize(
    ("cmd", "said"),
    [
        ('SHELL ["/bin/bash", "-c"]\nENTRYPOINT exec app', "SHELL"),
        ("CMD app --host $(hostname -I)", "the command calls hostname"),
    ],
)
def test_shell_form_that_needs_more_than_a_shell(cmd: str, said: str) -> None:
    text = CLASSIC.replace('CMD ["app"]', cmd)
    assert said in reason(text)
    assert "line 0" not in reason(text)


def test_the_program_that_a_step_runs_is_moved_too() -> None:
    text = CLASSIC.replace("FROM debian", "RUN ./target/release/app --version\nFROM debian")
    assert 'RUN ./target/"$(uname -m)"-unknown-linux-musl/release/app --version' in rewritten(text)


def test_path_into_the_output_directory() -> None:
    text = CLASSIC.replace("FROM debian", "ENV PATH=/app/target/release:$PATH\nRUN app --gen\nFROM debian")
    assert "PATH" in reason(text)


def test_a_library_is_installed_and_nothing_is_known_of_the_crates() -> None:
    text = CLASSIC.replace("COPY . .", "RUN apt-get update && apt-get install -y libssl-dev\nCOPY . .")
    fixed = linter.fix(Source(text.encode()), NoContext(), Settings(), Safety.PROVABLE)
    (applied,) = [one.fix for one in fixed.applied if one.fix.key.startswith("slim:")]
    assert applied.choice == "distroless/cc"
    assert "libssl-dev" in applied.cost
    other = text.replace("libssl-dev", "libpq-dev")
    fixed = linter.fix(Source(other.encode()), NoContext(), Settings(), Safety.PROVABLE)
    (applied,) = [one.fix for one in fixed.applied if one.fix.key.startswith("slim:")]
    assert applied.choice == "debian-slim"
    assert "libpq-dev" in applied.cost
    assert b"install -y --no-install-recommends libpq5 " in fixed.source.data
    assert fix(text, LOCKED).applied


@pytest.mark.parametrize(
    "steps",
    [
        "RUN useradd -m u\nWORKDIR /home/u\n",
        "RUN adduser --system --home /data u\n",
        "RUN adduser u\nWORKDIR /home/u\n",
    ],
)
def test_a_home_is_not_lost(steps: str) -> None:
    after = rewritten(CLASSIC.replace("CMD", f"{steps}USER u\nCMD"))
    assert "FROM alpine" in after
    assert "RUN adduser -D" in after


def test_a_source_that_the_command_names() -> None:
    text = SINGLE.replace('["./target/release/app"]', '["./target/release/app", "src/data.json"]')
    assert "src/data.json" in reason(text, {**CRATE, "src/data.json": ""})


@pytest.mark.parametrize("place", ["FROM debian", "RUN cargo", "FROM rust"])
def test_a_comment_carries_a_decision(place: str) -> None:
    text = CLASSIC.replace(place, f"# musl broke DNS in our cluster, so debian\n{place}")
    assert "musl broke DNS" in reason(text)
    assert fix(CLASSIC.replace(place, f"# the usual\n{place}")).applied


def test_chef_cooks_for_the_same_profile() -> None:
    text = CLASSIC.replace("COPY . .", "RUN cargo chef cook --release --recipe-path r.json\nCOPY . .")
    fixed = safe(text)
    assert fixed.source.data.count(b"CARGO_PROFILE_RELEASE_STRIP=symbols cargo") == 2


def test_a_call_that_may_not_run_gets_no_safe_fix() -> None:
    text = CLASSIC.replace(
        "RUN cargo build --release",
        'RUN if [ "$M" = r ]; then cargo build --release; mv target/release/app /o; else cargo build; mv target/debug/app /o; fi',
    ).replace("/app/target/release/app", "/o")
    assert not safe(text).applied


@pytest.mark.parametrize(
    ("before", "manifest"),
    [
        ("ENV RUSTFLAGS=-g\n", ""),
        ("ENV CARGO_PROFILE_RELEASE_DEBUG=1\n", ""),
        ("", "[profile.release]\ndebug = true\n"),
    ],
)
def test_debug_information_that_was_asked_for_stays(before: str, manifest: str) -> None:
    text = CLASSIC.replace("RUN cargo", f"{before}RUN cargo").replace(
        "debian:bookworm-slim", "gcr.io/distroless/cc-debian13"
    )
    files = {**LOCKED, "Cargo.toml": MANIFEST + manifest}
    assert codes(text, files) == []
    assert not safe(text, files).applied


@pytest.mark.parametrize("setting", ["debug = true", "debug = 1", 'debug = "limited"', 'debug = "line-tables-only"'])
@pytest.mark.parametrize("more", ["", 'split-debuginfo = "packed"\n', 'strip = "none"\n'])
def test_debug_information_does_not_hold_the_base(setting: str, more: str) -> None:
    files = {**LOCKED, "Cargo.toml": f"{MANIFEST}[profile.release]\n{setting}\n{more}"}
    fixed = fix(CLASSIC, files)
    assert fixed.bug is None
    (applied,) = fixed.applied
    assert applied.fix.choice == "distroless/static"
    assert applied.fix.claim is not None and not applied.fix.claim.stripped
    assert "STRIP" not in fixed.source.data.decode()


@pytest.mark.parametrize("before", ["ENV CARGO_PROFILE_RELEASE_DEBUG=1\n", 'ENV RUSTFLAGS="-g"\n'])
def test_nor_does_it_where_the_file_asks_for_it(before: str) -> None:
    text = CLASSIC.replace("RUN cargo", f"{before}RUN cargo")
    assert "STRIP" not in fix(text, LOCKED).source.data.decode()
    assert "FROM gcr.io/distroless/static" in fix(text, LOCKED).source.data.decode()


def test_two_installs_into_one_directory() -> None:
    build = read(
        "FROM rust:1 AS b\nWORKDIR /w\nCOPY . .\nRUN cargo install --path one --bin one\nRUN cargo install --path two --bin two\n"
        'FROM debian\nCOPY --from=b /usr/local/cargo/bin/one /usr/local/cargo/bin/two /usr/local/bin/\nCMD ["one"]\n'
    )
    (image,) = build.images
    assert [path for path, _ in image.artifacts] == ["/usr/local/bin/one", "/usr/local/bin/two"]
    assert image.launch.program == "/usr/local/bin/one"


@pytest.mark.parametrize("crate", ["windows-sys", "core-foundation-sys", "linux-raw-sys", "js-sys"])
def test_crates_of_other_platforms_decide_nothing(crate: str) -> None:
    assert fix(CLASSIC, {**CRATE, "Cargo.lock": LOCK.format(crate)}).applied


@pytest.mark.parametrize(
    ("copy", "path"),
    [
        ("/app/target/release/ /usr/local/bin/", "/usr/local/bin/app"),
        ("/app/target/release /usr/local/bin/", "/usr/local/bin/app"),
        ("/app/target/release .", "/srv/app"),
    ],
)
def test_copy_of_a_directory_copies_its_contents(copy: str, path: str) -> None:
    text = (
        CLASSIC.replace("/app/target/release/app /usr/local/bin/app", copy)
        .replace("COPY --from", "WORKDIR /srv\nCOPY --from")
        .replace('["app"]', f'["{path}"]')
    )
    assert only_artifact(read(text, CRATE))[0] == path


def test_a_ci_image_with_a_tool_of_its_own() -> None:
    tool = CLASSIC.replace("debian:bookworm-slim", "rust:1.90").replace(
        "/usr/local/bin/app", "/usr/local/cargo/bin/cargo-app"
    )
    assert codes(tool.replace('CMD ["app"]\n', "")) == []
    assert codes(tool.replace('CMD ["app"]', "CMD cargo build && cargo app")) == []


@pytest.mark.parametrize("name", ["app.1", "app.zip", "app.so"])
def test_what_has_a_suffix_is_no_program(name: str) -> None:
    assert codes(CLASSIC.replace("release/app /usr/local/bin/app", f"release/{name} /x")) == []
    assert (
        codes(
            CLASSIC.replace("cargo build --release", "make").replace(
                "release/app /usr/local/bin/app", f"release/{name} /x"
            )
        )
        == []
    )


def test_a_script_within_the_script_is_withheld_by_name() -> None:
    text = CLASSIC.replace("RUN cargo build --release", 'RUN sh -c "cargo build --release"')
    assert "bug" not in reason(text)


def test_a_reason_is_said_once() -> None:
    said = reason(CLASSIC.replace("CMD", "HEALTHCHECK CMD curl -f localhost\nCMD"))
    assert said.count("HEALTHCHECK") == 1


def test_lower_case_stays_lower_case() -> None:
    after = rewritten(CLASSIC.replace("RUN ", "run ").replace("COPY ", "copy ").replace("FROM ", "from "))
    assert "\nrun rustup target add" in after


def test_gnu_static_is_left_alone() -> None:
    text = (
        CLASSIC.replace("RUN cargo", "RUN RUSTFLAGS='-C target-feature=+crt-static' cargo")
        .replace("--release\n", "--release --target x86_64-unknown-linux-gnu\n")
        .replace("target/release", "target/x86_64-unknown-linux-gnu/release")
    )
    report = linter.lint(Source(text.encode()), MemoryContext({k: v.encode() for k, v in LOCKED.items()}), Settings())
    assert [finding.key for finding in report.findings if finding.severity > Severity.INFO] == ["strip:1"]


def test_workdir_in_the_output_directory() -> None:
    text = SINGLE.replace('CMD ["./target/release/app"]', 'WORKDIR /app/target/release\nCMD ["./app"]')
    assert "DSL202" in codes(text, CRATE)


def test_a_tool_that_is_fetched_is_no_build() -> None:
    assert fix(CLASSIC.replace("COPY . .", "RUN cargo binstall -y sqlx-cli\nCOPY . .")).applied


def test_a_base_that_is_not_understood_is_not_kept() -> None:
    """Behind a digest alone the user and the command are unknown: it is replaced, not kept."""
    digest = "alpine@sha256:" + "0" * 64
    fixed = fix(CLASSIC.replace("debian:bookworm-slim", digest))
    assert f"FROM {digest}\n" not in fixed.source.data.decode()
    assert fix(CLASSIC.replace("debian:bookworm-slim", "alpine:3.22")).applied[0].fix.choice == "alpine"

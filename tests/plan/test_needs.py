"""What an image needs of its base, and how the rewrite brings it."""

from __future__ import annotations

import pytest

from dockerslim_lint import linter
from dockerslim_lint.config import Settings
from dockerslim_lint.context import MemoryContext
from dockerslim_lint.edit import Withheld
from dockerslim_lint.source import Source
from tests.facts.reading import locked
from tests.plan.test_withheld import CLASSIC, SINGLE, fix, reason

PURE = locked(itoa="")
ZONES = "RUN apk add --no-cache tzdata"
ON_ALPINE = Settings(prefer=("alpine",))


def zoned(text: str, base: str = "debian:bookworm-slim", steps: str = "") -> str:
    """The file with a time zone, and steps behind it, in its final stage."""
    return text.replace("debian:bookworm-slim", f"{base}\n{steps}ENV TZ=Europe/Berlin")


def final(text: str, settings: Settings | None = None) -> list[str]:
    """The final stage's lines after the fix."""
    fixed = fix(text, PURE, settings)
    assert fixed.bug is None
    assert "DSL408" not in {finding.code for finding in fixed.report.findings}
    return fixed.source.data.decode().rsplit("\nFROM ", 1)[1].splitlines()


def test_distroless_has_the_time_zones() -> None:
    assert "tzdata" not in "".join(final(zoned(CLASSIC)))


@pytest.mark.parametrize(
    "text",
    [
        zoned(CLASSIC),
        zoned(CLASSIC, "ubuntu:24.04"),
        zoned(CLASSIC).replace('["app"]', "app --port $PORT"),
        zoned(CLASSIC, "debian:bookworm-slim", "RUN apt-get update && apt-get install -y tzdata\n"),
        SINGLE.replace("WORKDIR", "ENV TZ=Europe/Berlin\nWORKDIR"),
    ],
)
def test_alpine_gets_them_once(text: str) -> None:
    lines = final(text, ON_ALPINE)
    assert lines[0] == "alpine:3.24"
    assert lines.count(ZONES) == 1
    assert "tzdata" not in "".join(line for line in lines if line != ZONES)


@pytest.mark.parametrize(
    "text",
    [
        CLASSIC,
        zoned(CLASSIC).replace("Europe/Berlin", "UTC"),
        zoned(CLASSIC).replace("Europe/Berlin", "CET-1CEST"),
    ],
)
def test_alpine_gets_none_where_none_is_named(text: str) -> None:
    expected = ZONES if "CET" in text else ""  # a rule written out needs no file, but who sets TZ means it
    assert "".join(line for line in final(text, ON_ALPINE) if "tzdata" in line) == expected


def test_an_alpine_that_stays_gets_them_too() -> None:
    text = zoned(CLASSIC, "alpine:3.24")
    assert final(text)[:3] == ["alpine:3.24", ZONES, "ENV TZ=Europe/Berlin"]
    assert final(zoned(CLASSIC, "alpine:3.24", f"{ZONES}\n"))[:3] == ["alpine:3.24", ZONES, "ENV TZ=Europe/Berlin"]


def test_a_link_to_the_time_zone_stays() -> None:
    step = "RUN ln -snf /usr/share/zoneinfo/$TZ /etc/localtime && echo $TZ > /etc/timezone\n"
    lines = final(zoned(CLASSIC).replace("COPY --from", f"{step}COPY --from"))
    assert lines[:3] == ["alpine:3.24", ZONES, "ENV TZ=Europe/Berlin"]
    assert step.strip() in lines


def test_a_single_stage_that_installs_them_keeps_the_name_by_which_it_starts() -> None:
    text = SINGLE.replace("WORKDIR", "RUN apt-get update && apt-get install -y tzdata\nWORKDIR")
    text = text.replace("cargo build --release", "cargo install --path .").replace("./target/release/app", "app")
    lines = final(text, ON_ALPINE)
    assert ZONES in lines
    assert "COPY --from=builder /usr/local/cargo/bin/app /usr/local/bin/app" in lines


INSTALL = "RUN apt-get update && apt-get install -y {}\n"


@pytest.mark.parametrize("library", ["libpq-dev", "libpq5", "libudev1", "libsqlite3-0 ca-certificates"])
@pytest.mark.parametrize("command", ['["app"]', "app"])
def test_a_library_that_nobody_links_goes(library: str, command: str) -> None:
    text = CLASSIC.replace("COPY --from", f"{INSTALL.format(library)}COPY --from").replace('["app"]', command)
    assert [line for line in final(text) if "RUN" in line] == []


@pytest.mark.parametrize("package", ["libasound2", "libgtk-3-0", "postgresql-client", "some-library"])
def test_what_loads_modules_or_is_called_stays(package: str) -> None:
    text = CLASSIC.replace("COPY --from", f"{INSTALL.format(package)}COPY --from")
    assert package in fix(text, PURE).source.data.decode()


def test_a_library_may_be_linked_where_nothing_is_known_of_the_crates() -> None:
    text = CLASSIC.replace("COPY --from", f"{INSTALL.format('libpq5')}COPY --from")
    assert "libpq5" in fix(text, None).source.data.decode()


def test_what_a_package_for_building_brought_is_installed_by_name() -> None:
    text = CLASSIC.replace("COPY --from", f"{INSTALL.format('libpq-dev')}COPY --from").replace('["app"]', "app $PORT")
    fixed = fix(text.replace("rust:1 ", "rust:1-bookworm "), locked(openssl__sys="pkg-config"))
    assert fixed.bug is None
    after = fixed.source.data.decode()
    assert "apt-get install -y libpq5 libssl3 " in after
    assert "libpq-dev" not in after


def test_apt_on_a_base_without_it_is_withheld() -> None:
    text = CLASSIC.replace("debian:bookworm-slim\n", f"alpine:3.24\n{INSTALL.format('libpq-dev')}")
    assert "which its base does not have" in reason(
        text.replace("rust:1 ", "rust:1-bookworm "), locked(pq__sys="vcpkg")
    )


@pytest.mark.parametrize("library", ["libpq-dev", "libpq5", "libssl3 tzdata"])
@pytest.mark.parametrize("command", ['["app"]', "app", "app --port $PORT"])
@pytest.mark.parametrize("base", ["ubuntu:22.04", "debian:bookworm-slim", "alpine:3.24"])
@pytest.mark.parametrize("crates", [PURE, locked(pq__sys="vcpkg"), locked(openssl__sys="pkg-config")])
def test_what_lint_names_is_what_fix_writes(library: str, command: str, base: str, crates: dict[str, str]) -> None:
    text = CLASSIC.replace("debian:bookworm-slim\n", f"{base}\n{INSTALL.format(library)}").replace('["app"]', command)
    text = text.replace("rust:1 ", "rust:1-bookworm ")
    context = MemoryContext({path: body.encode() for path, body in crates.items()})
    said = linter.lint(Source(text.encode()), context, Settings(), alternatives=False).findings
    offered = [one for finding in said if not isinstance(finding.fixes, Withheld) for one in finding.fixes]
    done = fix(text, crates)
    assert done.bug is None
    written = {one.fix.title for one in done.applied if one.fix.key.startswith("slim:")}
    assert written == {one.title for one in offered if one.key.startswith("slim:")}


def checked(text: str, command: str) -> str:
    return text.replace("CMD", f"HEALTHCHECK CMD {command}\nCMD")


@pytest.mark.parametrize(
    "command",
    [
        "wget -q --spider http://localhost:8080/",
        "wget -nv -t1 --spider http://localhost:$PORT/ || exit 1",
        "wget --no-verbose --tries=1 -qO- http://localhost:8080/ || exit 1",
        "wget -T 3 -O /dev/null http://localhost:8080/",
        '["wget", "-q", "--spider", "http://localhost:8080/"]',
    ],
)
@pytest.mark.parametrize("base", ["debian:bookworm-slim", "ubuntu:22.04"])
def test_a_wget_that_was_never_there_is_busyboxs(command: str, base: str) -> None:
    text = checked(CLASSIC.replace("debian:bookworm-slim", base), command)
    fixed = fix(text, PURE)
    assert "DSL404" not in {finding.code for finding in fixed.report.findings}
    (slim,) = [one.fix for one in fixed.applied if one.fix.key.startswith("slim:")]
    assert slim.choice == "alpine"
    assert "the wget of HEALTHCHECK (line 7), which the image lacks today, is busybox's" in slim.cost
    assert f"HEALTHCHECK CMD {command}\n" in fixed.source.data.decode()
    assert "apk" not in fixed.source.data.decode()


WGET = '["/bin/wget", "-q", "http://localhost:8080/"]'


@pytest.mark.parametrize(
    ("brought", "command", "base"),
    [
        ("--from=busybox:musl /bin/wget /bin/wget", WGET, "distroless/static"),
        ("--from=busybox:1.37-uclibc /bin/wget /bin/", WGET, "distroless/static"),
        ("--from=busybox:musl /bin/busybox /b", '["/b", "wget", "http://localhost/"]', "distroless/static"),
        ("--from=tools /bin/wget /usr/local/bin/", '["wget", "http://localhost/"]', "distroless/static"),
        ("--from=busybox:musl /bin/wget /bin/wget", "wget -q http://localhost:8080/ || exit 1", "alpine"),
        ("--from=busybox /bin/wget /bin/wget", WGET, ""),
        ("--from=busybox:1.37-glibc /bin/wget /bin/wget", WGET, ""),
        ("--from=busybox:musl /usr/bin/env /bin/wget", WGET, ""),
        ("--from=busybox:musl /bin/wget /usr/bin/fetch", WGET, ""),
        ("--from=curlimages/curl:8.1 /usr/bin/curl /bin/wget", WGET, ""),
        ("--from=filled /bin/wget /bin/wget", WGET, ""),
    ],
)
def test_a_static_program_that_is_brought_along_runs_on_any_base(brought: str, command: str, base: str) -> None:
    text = checked(CLASSIC, command).replace("HEALTHCHECK", f"COPY {brought}\nHEALTHCHECK")
    tools = "FROM busybox:musl AS tools\nFROM busybox:musl AS filled\nRUN cp /etc/hosts /bin/wget\n"
    fixed = fix(text.replace("FROM debian", f"{tools}FROM debian"), PURE)
    assert [one.fix.choice for one in fixed.applied if one.fix.key.startswith("slim:")] == ([base] if base else [])
    assert "apk" not in fixed.source.data.decode()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("wget --recursive http://localhost:8080/", "runs wget, which the image lacks today"),
        ("wget -qx http://localhost:8080/", "runs wget, which the image lacks today"),
        ("curl -f http://localhost:8080/ || exit 1", "runs curl, which the image lacks today"),
        ("nc -z localhost 8080", "runs nc, which the image lacks today"),
        ("./wget -q --spider http://localhost:8080/", "HEALTHCHECK (line 7) runs another program"),
        ("$TOOL http://localhost:8080/", "HEALTHCHECK (line 7) runs another program"),
        ("probe http://localhost:8080/", "HEALTHCHECK (line 7) runs another program"),
    ],
)
def test_another_check_that_never_worked_is_left_to_its_author(command: str, said: str) -> None:
    fixed = fix(checked(CLASSIC.replace("debian:bookworm-slim", "ubuntu:22.04"), command), PURE)
    assert fixed.bug is None
    assert not [one for one in fixed.applied if one.fix.key.startswith("slim:")]
    assert said in " ".join(held.reason for held in fixed.held)


def test_what_the_toolchains_image_has_is_installed_for_the_check() -> None:
    text = checked(SINGLE, "curl -f http://localhost:8080/ || exit 1")
    fixed = fix(text, PURE)
    lines = fixed.source.data.decode().rsplit("\nFROM ", 1)[1].splitlines()
    assert lines[:2] == ["alpine:3.24", "RUN apk add --no-cache curl"]
    assert "curl is installed for HEALTHCHECK" in fixed.applied[0].fix.cost
    assert "HEALTHCHECK CMD curl -f http://localhost:8080/ || exit 1" in lines


def test_an_address_in_a_variable_is_no_other_program() -> None:
    steps = f"{INSTALL.format('curl')}COPY --from"
    text = checked(CLASSIC.replace("COPY --from", steps), "curl -f http://localhost:${PORT:-80}/ || exit 1")
    assert "RUN apk add --no-cache curl" in final(text)


def test_a_check_by_the_program_itself_needs_no_shell_in_exec_form_only() -> None:
    assert final(checked(CLASSIC, '["app", "--check"]'))[0].startswith("gcr.io/distroless/static")
    assert final(checked(CLASSIC, "app --check || exit 1"))[0] == "alpine:3.24"


def test_of_a_large_context_only_what_may_be_read_goes_along() -> None:
    beside = "README.md docs/a.md tests/a.rs .github/w.yml Makefile compose.yaml Jenkinsfile flake.nix .env.example typos.toml .env"
    files = {**PURE, **dict.fromkeys((*beside.split(), "config.toml", "templates/a.html", "migrations/1.sql"), "")}
    copied = [line for line in fix(SINGLE, files).source.data.decode().splitlines() if line.startswith("COPY --from")]
    names = [line.rpartition("/")[2] for line in copied]
    assert names == ["app", ".env", "config.toml", "docs", "migrations", "templates"]


@pytest.mark.parametrize("command", ["CMD app", "CMD exec app --port 80", "ENTRYPOINT app", 'CMD ["app"]'])
def test_a_program_of_cargo_install_is_found_by_its_name_in_either_form(command: str) -> None:
    text = SINGLE.replace("cargo build --release", "cargo install --path .").partition("CMD")[0] + command
    lines = final(text)
    assert "COPY --from=builder /usr/local/cargo/bin/app /usr/local/bin/app" in lines
    assert lines[-1].startswith(command.partition(" ")[0] + ' ["app"')


def test_a_program_of_cargo_install_that_starts_by_its_path_keeps_it() -> None:
    text = SINGLE.replace("cargo build --release", "cargo install --path .").partition("CMD")[0]
    lines = final(f"{text}CMD /usr/local/cargo/bin/app")
    assert "COPY --from=builder /usr/local/cargo/bin/app /usr/local/cargo/bin/app" in lines


def test_a_library_that_nobody_links_stays_behind_in_a_single_stage() -> None:
    text = SINGLE.replace("WORKDIR", f"{INSTALL.format('libpq-dev')}WORKDIR")
    assert final(text)[0].startswith("gcr.io/distroless/static")
    assert "RUN apk add --no-cache postgresql-client" in final(text.replace("libpq-dev", "postgresql-client"))

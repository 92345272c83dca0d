"""Debian slim: which release, which packages, what becomes of the steps, and when it is left alone."""

from __future__ import annotations

import pytest

from dockerslim_lint import linter
from dockerslim_lint.candidates import find_candidates
from dockerslim_lint.catalog import debian
from dockerslim_lint.config import Settings
from dockerslim_lint.context import MemoryContext
from dockerslim_lint.edit import Safety, Withheld
from dockerslim_lint.finding import Severity
from dockerslim_lint.source import Source
from tests.facts.reading import locked
from tests.plan.test_native_code import choice
from tests.plan.test_withheld import CLASSIC, fix, reason

FILE = """\
FROM rust:1-bookworm AS builder
WORKDIR /app
COPY . .
RUN cargo build --release
FROM ubuntu:22.04
COPY --from=builder /app/target/release/app /usr/local/bin/app
CMD ["app"]
"""

SINGLE = """\
FROM rust:1-bookworm
WORKDIR /app
COPY . .
RUN cargo build --release
CMD ["./target/release/app"]
"""


def all_of(crates: dict[str, str]) -> dict[str, str]:
    """A context that links all of these crates."""
    return locked(everything=" ".join(name.replace("__", "-") for name in crates), **crates)


PQ = locked(pq__sys="vcpkg")
PURE = locked(itoa="")
INSTALL = "RUN apt-get update && apt-get install -y {} && rm -rf /var/lib/apt/lists/*\n"
ADDED = INSTALL.replace("-y {}", "-y --no-install-recommends {}")


def final(text: str, base: str, steps: str = "") -> str:
    """The file on another final base, with steps in the final stage."""
    return text.replace("ubuntu:22.04\n", f"{base}\n{steps}")


def after(text: str, files: dict[str, str] = PQ, settings: Settings = Settings()) -> list[str]:  # noqa: B008
    """The final stage's lines after the fix."""
    fixed = fix(text, files, settings)
    assert fixed.bug is None
    (slim,) = [one.fix for one in fixed.applied if one.fix.key.startswith("slim:")]
    assert slim.choice == "debian-slim"
    return fixed.source.data.decode().split("\nFROM ", 1)[1].splitlines()


@pytest.mark.parametrize(
    ("crates", "bookworm", "trixie"),
    [
        ({"pq__sys": "vcpkg"}, "libpq5", "libpq5"),
        ({"pq__sys": "", "openssl__sys": "cc"}, "libssl3 libpq5", "libssl3t64 libpq5"),
        ({"alsa__sys": "pkg-config"}, "libasound2", "libasound2t64"),
        ({"libsqlite3__sys": "vcpkg", "alsa__sys": ""}, "libasound2 libsqlite3-0", "libasound2t64 libsqlite3-0"),
        ({"curl__sys": "", "alsa__sys": ""}, "libasound2 libcurl4", "libasound2t64 libcurl4t64"),
        ({"pq__sys": "", "rustls__native__certs": ""}, "libpq5 ca-certificates", "libpq5 ca-certificates"),
        # linked in, or there already
        ({"alsa__sys": "", "pq__sys": "pq-src", "pq__src": "cc"}, "libasound2", "libasound2t64"),
        ({"pq__sys": "", "libz__sys": "cc", "zstd__sys": "cc"}, "libpq5", "libpq5"),
        ({"pq__sys": "", "libsqlite3__sys": "cc", "cc": ""}, "libpq5", "libpq5"),
        ({"pq__sys": "", "libudev__sys": ""}, "libpq5", "libpq5"),
    ],
)
def test_what_the_crates_link_is_installed(crates: dict[str, str], bookworm: str, trixie: str) -> None:
    files = all_of(crates)
    for release, names in (("bookworm", bookworm), ("trixie", trixie)):
        lines = after(FILE.replace("1-bookworm", f"1-{release}"), files)
        assert lines[0] == f"debian:{release}-slim"
        assert sorted(lines[1].split()) == sorted(ADDED.format(names).split())


MAYBE = {
    **locked(pq__sys="", libsqlite3__sys="=0.30.1 vcpkg"),
    "Cargo.toml": '[package]\nname = "app"\nversion = "0.1.0"\n[dependencies]\npq-sys = "1"\n'
    'libsqlite3-sys = { version = "0.30", optional = true }\n',
}
MAYBE["Cargo.lock"] = MAYBE["Cargo.lock"].replace('["pq-sys"]', '["pq-sys", "libsqlite3-sys"]')
ASKED = FILE.replace("COPY . .", "ARG FEATURES\nCOPY . .").replace("--release", "--release --features $FEATURES")


@pytest.mark.parametrize("base", ["debian:bookworm", "debian:bookworm-slim", "debian:bullseye"])
def test_what_a_debian_starts_without_is_not_installed(base: str) -> None:
    """Whether the library is linked is not known, but the image does without it today."""
    text = ASKED.replace("1-bookworm", "1-bullseye") if "bullseye" in base else ASKED
    fixed = fix(final(text, base, INSTALL.format("libpq5")), MAYBE).source.data.decode()
    assert "STRIP=" in fixed and "debian:bookworm-slim" in fixed
    assert "libsqlite3" not in fixed


@pytest.mark.parametrize(
    ("base", "steps", "text", "files"),
    [
        # the library is there today, in one way or another
        ("debian:bookworm", INSTALL.format("libpq5 libsqlite3-dev"), ASKED, MAYBE),
        ("debian:bookworm", INSTALL.format("libpq5 libsqlite3-0"), ASKED, MAYBE),
        # the base is another one, and may have had it
        ("ubuntu:22.04", INSTALL.format("libpq5"), ASKED, MAYBE),
        # it is linked for sure, so that nothing starts without it
        (
            "debian:bookworm",
            INSTALL.format("libpq5"),
            FILE,
            all_of({"pq__sys": "", "libsqlite3__sys": "=0.30.1 vcpkg"}),
        ),
    ],
)
def test_what_is_there_or_needed_stays(base: str, steps: str, text: str, files: dict[str, str]) -> None:
    fixed = fix(final(text, base, steps), files).source.data.decode()
    assert "debian:bookworm-slim" in fixed
    assert "libsqlite3-0" in fixed.split("debian:bookworm-slim")[1]


def test_certificates_for_who_reads_them() -> None:
    manifest = '[package]\nname = "app"\n[dependencies]\nnative-tls = "1"\npq-sys = "1"\n'
    files = {**locked(native__tls="openssl-sys", openssl__sys="cc", pq__sys=""), "Cargo.toml": manifest}
    assert "ca-certificates" in after(FILE, files)[1]
    assert "ca-certificates" not in after(FILE, {**files, "Cargo.toml": manifest.replace('native-tls = "1"\n', "")})[1]


@pytest.mark.parametrize(
    ("crates", "base", "kept"),
    [
        # what one client brings is no use to another
        ({"native__tls": "openssl-sys", "openssl__sys": "cc", "webpki__roots": ""}, "rust:1-bookworm", True),
        ({"openssl": "openssl-sys", "openssl__sys": "cc"}, "rust:1-bookworm", True),
        ({"curl__sys": ""}, "buildpack-deps:bookworm", True),
        ({"native__tls": "openssl-sys", "openssl__sys": "cc", "webpki__roots": ""}, "ubuntu:22.04", False),
        ({"openssl": "openssl-sys", "openssl__sys": "cc"}, "ubuntu:22.04", False),
        ({"pq__sys": "", "webpki__roots": ""}, "rust:1-bookworm", False),
    ],
)
def test_certificates_that_are_there_stay_for_who_may_read_them(crates: dict[str, str], base: str, kept: bool) -> None:
    fixed = fix(FILE.replace("ubuntu:22.04", base), all_of(crates), Settings(prefer=("debian-slim",)))
    final = fixed.source.data.decode().split("FROM ")[2]
    assert final.startswith("debian:bookworm-slim") and fixed.bug is None
    assert ("ca-certificates" in final) is kept


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("libpq5", "libpq5"),
        ("libpq-dev", "libpq5"),
        ("libpq-dev build-essential git", "libpq5 git"),
        ("gcc pkg-config curl", "curl libpq5"),
        ("ca-certificates", "ca-certificates libpq5"),
        ("postgresql-client", "postgresql-client"),
        ("postgresql-client libpq-dev", "postgresql-client libpq5"),
    ],
)
def test_an_own_step_is_trimmed_and_added_to(written: str, left: str) -> None:
    lines = after(final(FILE, "debian:bookworm", INSTALL.format(written)))
    assert lines[:2] == ["debian:bookworm-slim", INSTALL.format(left).rstrip()]


def test_a_step_keeps_its_lines() -> None:
    steps = (
        "RUN apt-get update \\\n && apt-get install -y \\\n    gcc \\\n    # shows things\n    curl \\\n    libpq-dev\n"
        "RUN useradd -m app && mkdir /data && chown app /data\nUSER app\n"
    )
    assert after(final(FILE, "debian:bookworm", steps))[1:7] == [
        "RUN apt-get update \\",
        " && apt-get install -y \\",
        "    # shows things",
        "    curl \\",
        "    libpq5 && rm -rf /var/lib/apt/lists/*",
        "RUN useradd -m app && mkdir /data && chown app /data",
    ]


def test_a_step_for_the_build_alone_goes() -> None:
    lines = after(final(FILE, "debian:bookworm", INSTALL.format("gcc make")), locked(ort__sys=""))
    assert lines == ["debian:bookworm-slim", *FILE.splitlines()[-2:]]


@pytest.mark.parametrize(
    "steps",
    [
        "RUN apt-get update && apt-get install -y libpq5 || true\n",
        "RUN apt-get update && apt-get install -y libpq5 | cat\n",
        "RUN apt-get update\nRUN apt-get install -y libpq5\n",
        "RUN apt-get update && apt-get install -y libpq5\nRUN apt-get install -y tini\n",
        "RUN apt-get update && apt-get install -y libpq5 gcc && ./compile.sh\n",
        "RUN apt-get update && apt-get install -y libpq5 gcc && apt-get purge -y gcc && rm -rf /var/lib/apt/lists/*\n",
    ],
)
def test_what_a_later_step_may_lean_on_stays(steps: str) -> None:
    assert "\n".join(after(final(FILE, "debian:bookworm", steps))[1:]).startswith(steps)


def test_a_newer_release_has_other_names() -> None:
    text = final(FILE.replace("1-bookworm", "1"), "debian:bookworm-slim", INSTALL.format("libssl3 libicu72 dnsutils"))
    assert after(text, PQ)[:2] == [
        "debian:trixie-slim",
        INSTALL.format("libssl3t64 libicu76 bind9-dnsutils libpq5").rstrip(),
    ]


@pytest.mark.parametrize(
    ("builder", "base", "steps", "said"),
    [
        ("rust:1", "debian:bookworm-slim", INSTALL.format("software-properties-common"), "software-properties-common"),
        ("rust:1", "debian:bookworm-slim", INSTALL.format("something"), "whether trixie has something"),
        ("rust:1", "debian:bookworm-slim", INSTALL.format("curl=7.88.1-10"), "a version of curl"),
        ("rust:1", "debian:bookworm-slim", "RUN echo deb x y > /etc/apt/sources.list.d/z.list\n", "package source"),
        ("rust:1-bookworm", "ubuntu:22.04", "RUN ./setup.sh\n", "setup.sh"),
        ("rust:1-bookworm", "ubuntu:24.04", "USER ubuntu\n", "the user ubuntu"),
        ("rust:1", "ubuntu:24.04", "RUN useradd app\nUSER app\n", "another number"),
        ("rust:1-bookworm", "fedora:41", "RUN dnf install -y something\n", "something"),
        ("rust:1-bookworm", "fedora:41", "RUN ./setup.sh\n", "setup.sh"),
        ("rust:1-bookworm", "alpine:3.22", "RUN adduser -D app\n", "adduser"),
        ("rust:1-bookworm", "alpine:3.22", "RUN apk add --no-cache something\n", "something"),
        ("rust:1", "debian:bookworm-slim", "ARG P='curl jq'\n" + INSTALL.format("$P"), "come from a variable"),
        ("ubuntu:24.04", "ubuntu:22.04", "", "cannot"),
    ],
)
def test_withheld(builder: str, base: str, steps: str, said: str) -> None:
    files = locked(db="openssl-sys pq-sys", openssl__sys="cc", pq__sys="")
    text = final(FILE.replace("rust:1-bookworm", builder), base, steps)
    if said == "cannot":
        text, said = (
            text.replace("WORKDIR", "RUN apt-get install -y cargo libpq-dev libssl-dev\nWORKDIR"),
            "whether debian slim",
        )
    assert choice(text, files) == ""
    assert said in reason(text, files)


@pytest.mark.parametrize(
    ("base", "steps"),
    [
        ("fedora:41", "RUN dnf install -y libpq ca-certificates && dnf clean all\nRUN useradd -M app\nUSER app\n"),
        ("opensuse/leap:16.0", "RUN zypper -n in libpq5 ca-certificates-mozilla\n"),
        ("alpine:3.22", "RUN apk add --no-cache libpq gcompat ca-certificates\nRUN mkdir /d\n"),
    ],
)
def test_another_distribution(base: str, steps: str) -> None:
    _, *rest = steps.splitlines()
    lines = after(final(FILE, base, steps))
    assert lines[:2] == ["debian:bookworm-slim", ADDED.format("libpq5 ca-certificates").rstrip()]
    assert lines[2 : 2 + len(rest)] == rest


@pytest.mark.parametrize(
    ("crates", "base", "expected"),
    [
        # the image's release stays where the program runs on it
        ({"pq__sys": ""}, "debian:trixie", "debian:trixie-slim"),
        ({"pq__sys": "", "openssl__sys": ""}, "debian:trixie", "debian:trixie-slim"),
        ({"pq__sys": ""}, "ubuntu:26.04", "debian:bookworm-slim"),
        # ffmpeg's libraries are others there
        ({"ffmpeg__sys": ""}, "debian:trixie", "debian:bookworm-slim"),
    ],
)
def test_which_release(crates: dict[str, str], base: str, expected: str) -> None:
    text = FILE.replace("COPY . .", "RUN apt-get update && apt-get install -y libavcodec-dev\nCOPY . .", 1)
    assert after(final(text, base), all_of(crates))[0] == expected


def test_libraries_copied_by_hand_are_no_business_of_ours() -> None:
    steps = "COPY --from=builder /usr/lib/x86_64-linux-gnu/libpq.so.5 /usr/lib/\n"
    assert after(final(FILE, "debian:bookworm", steps))[:2] == ["debian:bookworm-slim", steps.rstrip()]


def test_a_step_that_also_installs_something_else_stays() -> None:
    steps = "RUN apt-get update && apt-get install -y gcc && apt-get install -y tini && rm -rf /var/lib/apt/lists/*\n"
    lines = after(final(FILE, "debian:bookworm", steps), locked(ort__sys=""))
    assert lines[1] == steps.rstrip()
    both = steps.replace("tini", "libpq-dev")
    assert after(final(FILE, "debian:bookworm", both))[1] == both.replace("libpq-dev", "libpq5").rstrip()


def test_packages_of_a_variable_stay() -> None:
    steps = "ARG P='gcc libpq5'\n" + INSTALL.format("$P")
    assert "\n".join(after(final(FILE, "debian:bookworm", steps))[1:]).startswith(steps)


def test_the_library_of_an_older_release() -> None:
    files = locked(openssl__sys="cc")
    text = final(FILE.replace("1-bookworm", "1-bullseye"), "debian:bullseye")
    assert choice(text, files) == ""
    assert "libssl1.1 of bullseye" in reason(text, files)
    # libpq5 is the same in all
    assert after(final(FILE.replace("1-bookworm", "1-bullseye"), "debian:bullseye"), PQ)[0] == "debian:bookworm-slim"


@pytest.mark.parametrize(
    ("base", "steps"),
    [
        ("debian:bookworm-slim", INSTALL.format("libpq5")),
        ("debian:12-slim", INSTALL.format("curl libpq5 tini")),
        ("debian:trixie-slim", INSTALL.format("libpq5")),
        ("debian:trixie-slim", INSTALL.format("libpq5 libicu76")),
        ("ubuntu:24.04", INSTALL.format("libpq5")),
    ],
)
def test_at_its_best_it_is_left_alone(base: str, steps: str) -> None:
    text = final(FILE, base, steps).replace("RUN cargo", "RUN CARGO_PROFILE_RELEASE_STRIP=symbols cargo")
    fixed = fix(text, PQ)
    assert not fixed.applied
    assert all(one.severity is Severity.INFO for one in fixed.report.findings if one.code != "DSL101")
    (found,) = [one for one in fixed.report.findings if one.code == "DSL101"]
    assert "pq-sys" in found.message
    # a base that is not slim stays one
    assert found.severity is (Severity.WARNING if base == "ubuntu:24.04" else Severity.INFO)


@pytest.mark.parametrize("base", ["debian:bookworm-slim", "ubuntu:24.04"])
@pytest.mark.parametrize(
    ("steps", "files"),
    [
        ("RUN dpkg-reconfigure -f noninteractive tzdata\n", PURE),
        ("RUN setcap cap_net_bind_service=+ep /usr/local/bin/app\n", PURE),
        ("USER svc\n", PURE),
        ("", locked(somebodys__own__sys="pkg-config")),
        ("RUN hostid\n", PURE),
    ],
)
def test_what_is_not_known_is_said_so(base: str, steps: str, files: dict[str, str]) -> None:
    text = final(FILE, base, steps).replace("RUN cargo", "RUN CARGO_PROFILE_RELEASE_STRIP=symbols cargo")
    (found,) = [one for one in fix(text, files).report.findings if one.code == "DSL101"]
    # what links an unknown library may not run on debian slim either: nothing says that ubuntu has to stay
    at_best = base != "ubuntu:24.04" or steps or files == PURE
    assert found.severity is (Severity.WARNING if at_best else Severity.ERROR)
    assert ("whether a smaller one fits is not known: " in found.message) is bool(at_best)


def test_what_may_need_more_does_not_make_a_smaller_base_likelier() -> None:
    text = final(
        FILE, "debian:bookworm-slim", "COPY --from=grafana/grafana:11 /bin/grafana /usr/bin/helper\nRUN hostid\n"
    )
    text = text.replace("RUN cargo", "RUN CARGO_PROFILE_RELEASE_STRIP=symbols cargo")
    (found,) = [one for one in fix(text, locked(openssl__sys="cc")).report.findings if one.code == "DSL101"]
    assert found.severity is Severity.INFO
    assert "nothing smaller fits: the locked crate openssl-sys" in found.message


def test_a_base_that_stays_is_not_fixed_by_what_else_is() -> None:
    text = final(FILE, "debian:bookworm-slim", "RUN apt-get update && apt-get install -y curl libpq5\n")
    fixed = fix(text, PQ)
    (slim,) = [one for one in fixed.applied if one.fix.key.startswith("slim:")]
    assert slim.codes == ("DSL201", "DSL205")
    held = fix(text, PQ, allow=Safety.SAFE).held
    assert [one.reason for one in held if one.key.startswith("slim:")] == [
        "not proven: changes how the image is built or what is in it"
    ]
    assert slim.fix.title == "leave the symbols out and trim its packages: debian:bookworm-slim stays"
    source, context = Source(text.encode()), MemoryContext({path: body.encode() for path, body in PQ.items()})
    before = linter.lint(source, context, Settings()).findings
    assert [one.severity for one in before if one.code == "DSL101"] == [Severity.INFO]
    assert all("DSL101" not in candidate.codes for candidate in find_candidates(source, context, Settings()))
    # where nobody knows of a reason it says so, and this does not settle it either
    unknown = final(FILE, "debian:bookworm-slim", "RUN apt-get update && apt-get install -y curl && hostid\n")
    fixed = fix(unknown, PURE)
    assert all("DSL101" not in one.codes for one in fixed.applied)
    (found,) = [one for one in fixed.report.findings if one.code == "DSL101"]
    assert found.severity is Severity.WARNING
    assert "hostid" in found.message


SHARED = """\
FROM debian:trixie-slim AS base
RUN apt-get update
RUN apt-get install -y libpq-dev curl
FROM base AS build
RUN curl -sSf https://sh.rustup.rs | sh -s -- -y
ENV PATH=/root/.cargo/bin:$PATH
WORKDIR /app
COPY . .
RUN cargo build --release
FROM base
COPY --from=build /app/target/release/app /app
CMD ["/app"]
"""


def test_a_library_of_a_stage_below_is_there() -> None:
    fixed = fix(SHARED, PQ)
    assert fixed.source.data.decode() == SHARED.replace("RUN cargo", "RUN CARGO_PROFILE_RELEASE_STRIP=symbols cargo")
    assert [one.codes for one in fixed.applied] == [("DSL201",)]
    lacking = SHARED.replace("libpq-dev curl", "curl").replace("WORKDIR", "RUN apt-get install -y libpq-dev\nWORKDIR")
    assert "--no-install-recommends libpq5" in fix(lacking, PQ).source.data.decode()


def test_asked_for() -> None:
    settings = Settings(prefer=("debian-slim",))
    assert after(final(FILE, "ubuntu:24.04"), PURE, settings)[0] == "debian:bookworm-slim"
    there = final(FILE, "debian:bookworm-slim")
    assert choice(there, PURE, settings) == ""
    assert choice(there, PURE) == "distroless/static"
    # a static program has no use for it
    static = there.replace("rust:1-bookworm", "rust:1-alpine")
    assert choice(static, PURE, settings) == "distroless/static"


@pytest.mark.parametrize(
    ("base", "severity", "fixed"),
    [
        ("ubuntu:24.04", Severity.WARNING, False),
        ("ubuntu:22.04", Severity.WARNING, False),
        ("debian:trixie", Severity.ERROR, True),
        ("debian:buster-slim", Severity.ERROR, True),
        ("fedora:43", Severity.ERROR, True),
    ],
)
def test_a_base_of_the_same_size_is_not_what_a_fat_one_is_left_for(base: str, severity: Severity, fixed: bool) -> None:
    text = FILE.replace("ubuntu:22.04", base).replace("1-bookworm", "1-trixie")
    files = {path: data.encode() for path, data in all_of({"pq-sys": ""}).items()}
    report = linter.lint(Source(text.encode()), MemoryContext(files), Settings())
    (found,) = (one for one in report.findings if one.code == "DSL101")
    assert (found.severity, bool(found.fixes)) == (severity, fixed)
    assert ("nothing smaller fits" in found.message) is not fixed


def test_what_was_not_settled_is_not_counted() -> None:
    text = final(FILE.replace("1-bookworm", "1"), "debian:bookworm-slim", "RUN dpkg-divert --list\n")
    (slim,) = [one for one in fix(text, PURE).applied if one.fix.key.startswith("slim:")]
    assert slim.fix.choice == "debian-slim"
    assert "DSL103" in slim.codes and "DSL101" not in slim.codes


def test_a_script_and_a_health_check_stay() -> None:
    steps = INSTALL.format("curl libpq5") + "HEALTHCHECK CMD curl -f localhost\nCOPY run.sh /\n"
    text = final(FILE, "debian:bookworm", steps).replace('["app"]', '["/run.sh"]')
    assert after(text)[0] == "debian:bookworm-slim"
    # of another distribution only the program itself is known to start
    assert choice(final(FILE, "ubuntu:22.04", steps), PQ) == "debian-slim"
    assert choice(text.replace("debian:bookworm", "ubuntu:22.04"), PQ) == ""
    assert choice(final(FILE, "rust:1-bookworm", steps.replace("curl lib", "lib")), PQ) == ""


def test_a_single_stage_takes_packages_and_accounts_along() -> None:
    steps = (
        "RUN apt-get update && apt-get install -y libpq-dev cmake tini\n"
        "RUN useradd -r app && mkdir /data && chown app /data\nWORKDIR"
    )
    text = SINGLE.replace("WORKDIR", steps).replace("CMD", "USER app\nCMD")
    lines = after(text)
    assert lines == [
        "debian:bookworm-slim",
        "RUN apt-get update && apt-get install -y tini libpq5 && rm -rf /var/lib/apt/lists/*",
        "RUN useradd -r app && mkdir /data && chown app /data",
        "WORKDIR /app",
        "COPY --from=builder /app/target/release/app ./target/release/app",
        "USER app",
        'CMD ["./target/release/app"]',
    ]


def test_only_the_libraries_without_what_is_recommended() -> None:
    assert after(SINGLE)[1] == ADDED.format("libpq5").rstrip()


def test_two_images_of_one_build() -> None:
    second = FILE.split("FROM ubuntu", 1)[1]
    text = FILE + f"FROM ubuntu{second}"
    fixed = fix(text, PQ)
    assert fixed.source.data.count(ADDED.format("libpq5").encode()) == 2


def test_every_release_of_the_catalogue_is_an_image() -> None:
    for release in debian.releases():
        assert after(FILE.replace("1-bookworm", f"1-{release}"))[0] == f"debian:{release}-slim"


def test_candidates_end_with_it() -> None:
    from dockerslim_lint.context import MemoryContext
    from dockerslim_lint.source import Source

    context = MemoryContext({path: body.encode() for path, body in PURE.items()})
    found = find_candidates(Source(final(FILE, "debian:bookworm").encode()), context, Settings())
    assert [one.fix.choice for one in found][-1] == "debian-slim"


@pytest.mark.parametrize(
    ("before", "trimmed"),
    [
        ("apt-get update && apt-get install -y tini", "apt-get update && apt-get install -y tini && {}"),
        ("apt-get update && apt-get install -y tini make && {}", "apt-get update && apt-get install -y tini && {}"),
        ("apt-get update && apt-get install -y gcc tini; ls", "apt-get update && apt-get install -y tini; {}; ls"),
        ("apt-get update && apt-get install -y gcc && {}", ""),
        # more than an installation: the lists alone go
        ("apt-get update && apt-get install -y gcc && ls", "apt-get update && apt-get install -y gcc && {} && ls"),
        # a pipe behind it
        ("apt-get update && apt-get install -y tini | cat", None),
    ],
)
def test_what_is_left_over_is_trimmed_where_nothing_else_is_done(before: str, trimmed: str | None) -> None:
    lists = "rm -rf /var/lib/apt/lists/*"
    text = final(FILE, "", "").replace("FROM \n", f"FROM debian:bookworm-slim\nRUN {before.format(lists)}\n")
    text = text.replace("RUN cargo build --release", "RUN make release")
    expected = text
    if trimmed is not None:
        step = f"RUN {trimmed.format(lists)}\n" if trimmed else ""
        expected = text.replace(f"RUN {before.format(lists)}\n", step)
    assert fix(text).source.data.decode() == expected


def test_ubuntus_locales_are_not_made_in_debian() -> None:
    final = "FROM ubuntu:focal\nRUN apt-get update && apt-get install -y locales && locale-gen{0}\n"
    text = CLASSIC.replace("FROM debian:bookworm-slim\n", final).replace('["app"]', '["sh", "-c", "app $X"]')
    assert "locale-gen takes other arguments" in " ".join(one.reason for one in fix(text.format(" en_US.UTF-8")).held)
    assert "locale-gen takes" not in " ".join(one.reason for one in fix(text.format("")).held)


def test_adduser_is_no_part_of_the_newer_image() -> None:
    account = "RUN adduser --system --group --uid 1000 app\nUSER app\n"
    text = CLASSIC.replace("CMD", f"{account}CMD").replace("rust:1 AS", "rust:1-trixie AS")
    files = locked(pq__sys="")
    assert "has no adduser (line 7): it is a package of its own there" in " ".join(
        one.reason for one in fix(text, files).held
    )
    shadow = text.replace("adduser --system --group --uid 1000 app", "useradd -r -u 1000 app")
    assert "has no" not in " ".join(one.reason for one in fix(shadow, files).held)
    installed = text.replace("RUN adduser", "RUN apt-get update && apt-get install -y adduser libpq5 && adduser")
    assert "has no adduser" not in " ".join(one.reason for one in fix(installed, files).held)


def test_another_release_wants_the_crates_known() -> None:
    final = "FROM debian:bullseye-slim\nRUN apt-get update && apt-get install -y libpq-dev\n"
    text = CLASSIC.replace("rust:1 AS", "rust:1.70-bullseye AS").replace("FROM debian:bookworm-slim\n", final)
    said = " ".join(one.reason for one in fix(text).held)
    assert "nothing is known of the crates, and they are linked with bullseye's libraries, not bookworm's" in said
    assert "FROM debian:bullseye-slim" in fix(text).source.data.decode()


def test_a_toolchain_that_the_final_stage_calls_stays() -> None:
    text = CLASSIC.replace("FROM debian:bookworm-slim\n", "FROM rust:1-bookworm\nRUN rustup target add wasm32-wasip1\n")
    assert "the final stage runs rustup" in " ".join(one.reason for one in fix(text).held)
    assert "FROM rust:1-bookworm" in fix(text).source.data.decode()


@pytest.mark.parametrize(
    ("value", "builder", "base", "line"),
    [
        ("bookworm", "rust:1-$V", "debian:${V}", "debian:${V}-slim"),
        ("12", "rust:1-bookworm", "debian:$V", "debian:$V-slim"),
        ("12", "rust:1-bookworm", "debian:${V:-13} AS last", "debian:${V:-13}-slim AS last"),
        ("trixie", "rust:1-${V}", "debian:${V}", "debian:${V}-slim"),
        ("bookworm", "rust:1-$V", "ubuntu:22.04", "debian:bookworm-slim"),
        ("bookworm", "rust:1-bookworm", "my$V", ""),
        ("debian", "rust:1-bookworm", "$V:12", "debian:bookworm-slim"),
        ("buntu", "rust:1-bookworm", "u$V:22.04", "debian:bookworm-slim"),
        ("11", "rust:1-bookworm", "debian:$V-slim", "debian:bookworm-slim"),
    ],
)
def test_an_argument_goes_on_to_choose_the_release(value: str, builder: str, base: str, line: str) -> None:
    text = f"ARG V={value}\n" + final(FILE, base).replace("rust:1-bookworm", builder, 1)
    fixed = fix(text, PQ).source.data.decode()
    assert f"\nFROM {line or base}\n" in fixed
    assert fixed.startswith(f"ARG V={value}\nFROM {builder} AS")


@pytest.mark.parametrize("head", ["ARG V=bullseye\n", "ARG V=bullseye\nARG W=$V-slim\n"])
def test_none_that_would_leave_the_builder_behind(head: str) -> None:
    text = head + final(FILE, "debian:${W}" if "W" in head else "debian:$V").replace("1-bookworm", "1-${V}", 1)
    found = reason(text, PQ)
    assert found.endswith(
        "ARG V (line 1) chooses the builder's base too, and debian:bookworm-slim would not follow it: set it to bookworm"
    )


SCRIPT = """\
FROM rust:1-bookworm AS builder
WORKDIR /app
COPY . .
RUN cargo build --release --locked
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y {} && rm -rf /var/lib/apt/lists/*
COPY --from=builder /app/target/release/app /app/entrypoint.sh /app/
USER 1000
ENTRYPOINT ["/app/entrypoint.sh"]
"""
SCRIPTED = {**locked(openssl__sys=""), ".dockerignore": "target\n", "entrypoint.sh": "#!/bin/sh\nexec /app/app\n"}
SCRIPTED["Cargo.toml"] += "[profile.release]\nstrip = true\n"


@pytest.mark.parametrize(
    ("packages", "after"),
    [
        ("libssl-dev ca-certificates", "libssl3 ca-certificates"),
        ("ca-certificates libssl-dev pkg-config", "ca-certificates libssl3"),
        ("libssl-dev libssl3", "libssl3"),
        ("libssl-dev libpq-dev", "libssl3 libpq5"),  # a script may call for what no crate links
    ],
)
def test_headers_in_the_final_stage_become_the_library(packages: str, after: str) -> None:
    text = SCRIPT.replace("{}", packages)
    fixed = fix(text, SCRIPTED)
    assert [(one.fix.choice, one.codes) for one in fixed.applied] == [("debian-slim", ("DSL205",))]
    assert fixed.source.data.decode() == SCRIPT.replace("{}", after)


@pytest.mark.parametrize(
    "packages", ["libssl3", "libomp-dev", "libssl-dev gcc cargo", "libssl-dev && apt-get purge -y libssl-dev"]
)
def test_headers_stay_where_something_may_compile(packages: str) -> None:
    text = SCRIPT.replace("{}", packages)
    assert fix(text, SCRIPTED).source.data.decode() == text


def test_tools_that_go_are_a_cost_and_not_the_headers() -> None:
    for packages, lacking in (("gcc libssl-dev", True), ("libssl-dev", False)):
        for text, files in (
            (SCRIPT, SCRIPTED),
            (SCRIPT.replace("bookworm-slim", "bookworm"), SCRIPTED),
            (SCRIPT, PURE),
        ):
            fixed = fix(text.replace("{}", packages), files)
            (cost,) = [one.fix.cost for one in fixed.applied if one.fix.key.startswith("slim:")]
            assert ("a program that compiles when it runs lacks its tools" in cost) is lacking


@pytest.mark.parametrize("engine", ["docker-cli", "docker.io", "podman"])
def test_tools_stay_beside_a_container_engine(engine: str) -> None:
    text = SCRIPT.replace("{}", f"gcc libssl-dev {engine}")
    assert fix(text, SCRIPTED).source.data.decode() == text


def test_the_headers_of_a_stage_below_are_left_alone() -> None:
    text = SCRIPT.replace("bookworm-slim\n", "bookworm-slim AS base\n").replace("COPY --from", "FROM base\nCOPY --from")
    fixed = fix(text.replace("{}", "libssl-dev"), SCRIPTED)
    assert fixed.bug is None and not any("bug" in note for note in fixed.report.notes)
    (held,) = [one.reason for one in fixed.held if one.key.startswith("trim:")]
    assert held == "the step in line 6 is of a stage below, which others may be built on"


def test_what_a_stage_below_leaves_does_not_wait_for_a_fix_of_the_last_one() -> None:
    below = "FROM debian:bookworm-slim AS base\nRUN apt-get update && apt-get install -y libpq-dev curl\nFROM base"
    text = SCRIPT.replace("FROM debian:bookworm-slim", below).replace("{}", "libssl-dev")
    context = MemoryContext({path: body.encode() for path, body in SCRIPTED.items()})
    found = linter.lint(Source(text.encode()), context, Settings()).findings
    waiting = {
        one.message.rpartition(": ")[2]: [fix.key for fix in one.fixes if fix.key.startswith("slim:")]
        for one in found
        if one.code == "DSL205" and not isinstance(one.fixes, Withheld)
    }
    assert waiting.pop("libssl-dev.") and not any(waiting.values())

"""Crates that bring C: what the builder gets, or why the program keeps glibc, or why nothing is done."""

from __future__ import annotations

import pytest

from dockerslim_lint.config import Settings
from dockerslim_lint.edit import Safety
from tests.facts.reading import CRATE, SOURCE, locked, read
from tests.plan.test_edits import rewritten
from tests.plan.test_withheld import CLASSIC, SINGLE, fix, reason

COMPILER = "RUN apt-get update && apt-get install -y --no-install-recommends {}\nRUN rustup target add"


def choice(text: str, files: dict[str, str], settings: Settings = Settings()) -> str:  # noqa: B008
    """The choice that is written, "" if none is."""
    return next((one.fix.choice for one in fix(text, files, settings).applied if one.fix.key[:5] == "slim:"), "")


@pytest.mark.parametrize(
    ("crates", "wanted"),
    [
        ({"ring": "cc"}, "musl-tools"),
        ({"zstd__sys": "cc"}, "musl-tools"),
        ({"openssl__sys": "openssl-src", "openssl__src": "cc"}, "make musl-tools perl"),
        ({"native__tls": "openssl-sys", "openssl__sys": "openssl-src", "openssl__src": ""}, "make musl-tools perl"),
        ({"libsqlite3__sys": "cc pkg-config", "cc": ""}, "musl-tools"),
        ({"aws__lc__sys": "cc =0.32.1"}, "musl-tools"),
    ],
)
def test_a_compiler_for_musl_is_installed(crates: dict[str, str], wanted: str) -> None:
    slim = CLASSIC.replace("rust:1 ", "rust:1-slim ")
    assert COMPILER.format(wanted) in rewritten(slim, locked(**crates))


def test_what_is_there_is_not_installed_again() -> None:
    crates = locked(openssl__sys="openssl-src", openssl__src="cc")
    # the full image has make and perl
    assert COMPILER.format("musl-tools") in rewritten(CLASSIC, crates)
    there = CLASSIC.replace("COPY . .", "RUN apt-get update && apt-get install -y musl-tools\nCOPY . .")
    assert "--no-install-recommends" not in rewritten(there, crates)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("COPY . .", "USER builder\nCOPY . ."), "not root"),
        (("COPY . .", "USER ${WHO}\nCOPY . ."), "not root"),
        (("FROM rust:1 ", "FROM registry.fedoraproject.org/fedora:41 "), ""),
    ],
)
def test_where_it_cannot_be_installed(change: tuple[str, str], said: str) -> None:
    text = CLASSIC.replace(*change)
    files = locked(ring="cc")
    assert choice(text, files) != "distroless/static"
    if said:
        assert said in reason(text, files)


def test_root_may() -> None:
    assert choice(CLASSIC.replace("COPY . .", "USER root\nCOPY . ."), locked(ring="cc")) == "distroless/static"


@pytest.mark.parametrize(
    ("crates", "said"),
    [
        ({"openssl__sys": "cc pkg-config"}, "openssl-sys links the system's library"),
        ({"native__tls": "openssl", "openssl": "openssl-sys", "openssl__sys": "cc"}, "links the system's library"),
        ({"aws__lc__sys": "cc =0.32.0"}, "aws-lc-sys 0.32.0"),
        ({"git2": "libgit2-sys", "libgit2__sys": "cc openssl-sys", "openssl__sys": "cc"}, "openssl-sys links"),
    ],
)
def test_it_keeps_glibc(crates: dict[str, str], said: str) -> None:
    files = locked(**crates)
    assert said in reason(CLASSIC, files)
    after = rewritten(CLASSIC, files)
    assert after == CLASSIC.replace("debian:bookworm-slim", "gcr.io/distroless/cc-debian13").replace(
        "RUN cargo", "RUN CARGO_PROFILE_RELEASE_STRIP=symbols cargo"
    )


@pytest.mark.parametrize(
    ("crates", "said"),
    [
        ({"pq__sys": "vcpkg"}, "pq-sys"),
        ({"libsqlite3__sys": "pkg-config vcpkg"}, "libsqlite3-sys"),
        ({"alsa__sys": "pkg-config"}, "alsa-sys"),
        ({"ort__sys": ""}, "ort-sys"),
        ({"somebodys__own__sys": "pkg-config"}, "somebodys-own-sys"),
        # where from, and what they need in turn, nothing says
        ({"libloading": ""}, "libloading does not go with a static musl build: it loads libraries"),
        ({"plugins": "libloading", "libloading": ""}, "libloading does not go with a static musl build"),
    ],
)
def test_neither_musl_nor_cc_goes(crates: dict[str, str], said: str) -> None:
    files = locked(**crates)
    assert choice(CLASSIC, files) == "debian-slim"
    assert said in reason(CLASSIC, files)
    there = CLASSIC.replace("rust:1 ", "rust:1-alpine ")
    assert choice(there, files) != "debian-slim"


@pytest.mark.parametrize(
    ("crates", "said"),
    [
        ({"tree__sitter": "cc"}, "tree-sitter may need C code"),
        ({"sqlite__vec": "cc", "cc": ""}, "sqlite-vec may need C code"),
        ({"glommio": "cc"}, "glommio may need C code"),
        ({"wrapper": "esaxx-rs", "esaxx__rs": "cc"}, "esaxx-rs may need C code"),
        # what a row of the catalogue says of the same name does not reach further
        ({"loom": "generator", "may": "generator", "generator": "cc"}, None),
        # for browsers alone
        ({"sqlite__wasm__rs": "cc"}, None),
    ],
)
def test_a_crate_that_compiles_c_under_any_name_is_a_doubt(crates: dict[str, str], said: str | None) -> None:
    files = locked(**crates)
    (slim,) = [one.fix for one in fix(CLASSIC, files).applied if one.fix.key.startswith("slim:")]
    assert (slim.choice, slim.safety) == ("distroless/static", Safety.PROVABLE)
    assert (f"may fail: the locked crate {said}" in slim.cost) if said else "may fail" not in slim.cost
    assert ("musl-tools" in rewritten(CLASSIC, files)) is bool(said)
    assert choice(CLASSIC, files, Settings(prefer=("distroless/cc",))) == "distroless/cc"


@pytest.mark.parametrize(
    "crates",
    [
        {"acme_audio_sys": "cmake"},
        {"nlopt": "cmake", "cmake": "cc"},
        {"unrar_sys": "cc"},
        {"leveldb": "cc vcpkg"},
        {"keccak__wrapper": "bindgen cc"},
        {"fuser": "pkg-config"},
    ],
)
def test_one_that_may_link_a_library_too_goes_where_it_can_be_installed(crates: dict[str, str]) -> None:
    cxx = "cmake" in " ".join(crates.values())
    kept = "debian-slim" if "fuser" in crates or "acme_audio_sys" in crates else "distroless/cc" if cxx else ""
    assert choice(CLASSIC, locked(**crates)) == (kept or "distroless/static")
    assert choice(CLASSIC, locked(**crates), Settings(prefer=("distroless/cc",))) == (kept or "distroless/static")


@pytest.mark.parametrize(
    "crates",
    [
        {"mimalloc": "libmimalloc-sys", "libmimalloc__sys": "cc"},
        {"onig_sys": "cc"},
        # its own copy, where pkg-config does not find the system's: it finds none for another target
        {"git2": "libgit2-sys =0.21.0", "libgit2__sys": "cc pkg-config =0.18.7"},
    ],
)
def test_what_has_not_been_tried_is_proven_or_not(crates: dict[str, str]) -> None:
    (slim,) = [one.fix for one in fix(CLASSIC, locked(**crates)).applied if one.fix.key.startswith("slim:")]
    assert slim.choice == "distroless/static"
    assert "may fail: " in slim.cost and "has not been tried" in slim.cost
    assert ("allocator" in slim.cost) is ("mimalloc" not in crates)


@pytest.mark.parametrize(
    "crates",
    [
        {"backtrace": "cc libc", "cc": ""},
        {"iana__time__zone": "iana-time-zone-haiku", "iana__time__zone__haiku": "cxx-build cxx", "cxx": "cc"},
        {"errno": "errno-dragonfly", "errno__dragonfly": "cc"},
        {"nix": "cc"},
        {"pnet_sys": "libc"},
        {"libbz2__rs__sys": ""},
        {"itoa": "autocfg version_check"},
    ],
)
def test_one_that_calls_a_compiler_for_other_systems_only_does_not(crates: dict[str, str]) -> None:
    assert choice(CLASSIC, locked(**crates)) == "distroless/static"


def test_the_project_itself_may_compile_c() -> None:
    files = locked(itoa="")
    lock = files["Cargo.lock"].replace('["itoa"]', '["itoa", "cc"]') + '[[package]]\nname = "cc"\nversion = "1.0.0"\n'
    manifest = files["Cargo.toml"] + '[build-dependencies]\ncc = "1"\n'
    fixed = fix(CLASSIC, {**files, "Cargo.lock": lock, "Cargo.toml": manifest})
    (slim,) = [one.fix for one in fixed.applied if one.fix.key.startswith("slim:")]
    assert "may fail: the workspace's own crate app builds with cc, and may need C code" in slim.cost
    assert "musl-tools" in fixed.source.data.decode()


def test_a_builder_with_a_newer_glibc() -> None:
    files = locked(openssl__sys="cc")
    # trixie has the glibc of the new base, sid a newer one that nobody knows
    assert choice(CLASSIC.replace("rust:1 ", "rust:1-trixie "), files) == "distroless/cc"
    assert choice(CLASSIC.replace("rust:1 ", "debian:sid "), files) == ""


@pytest.mark.parametrize(
    ("base", "step", "expected"),
    [
        ("rust:1.60-buster", "", "distroless/cc"),
        ("rust:1.51", "", "distroless/cc"),
        ("rust:1.60-bullseye", "", "distroless/static"),
        ("rust:1.60-buster", "RUN apt-get update && apt-get install -y cmake", "distroless/static"),
    ],
)
def test_no_compiler_where_the_package_lists_are_gone(base: str, step: str, expected: str) -> None:
    text = CLASSIC.replace("rust:1 AS builder", f"{base} AS builder\n{step}")
    assert choice(text, locked(ring="cc")) == expected
    assert choice(text, locked(itoa="")) == "distroless/static"


def test_cc_has_no_shell_and_not_every_library() -> None:
    files = locked(openssl__sys="cc")
    assert choice(CLASSIC.replace('CMD ["app"]', "CMD app $PORT"), files) == "debian-slim"
    assert choice(CLASSIC.replace('CMD ["app"]', "CMD app"), files) == "distroless/cc"
    for packages, expected in (
        ("ca-certificates libssl3", "distroless/cc"),
        ("ca-certificates openssl zlib1g", "distroless/cc"),
        ("libpq5", "debian-slim"),
        ("curl", "debian-slim"),
    ):
        text = CLASSIC.replace("COPY --from", f"RUN apt-get update && apt-get install -y {packages}\nCOPY --from")
        assert choice(text, files) == expected, packages


def test_a_comment_is_heard_and_glibc_stays() -> None:
    text = CLASSIC.replace("FROM debian", "# not alpine: musl's allocator is too slow for us\nFROM debian")
    files = locked(itoa="")
    assert choice(text, files) == "distroless/cc"
    assert "too slow for us" in reason(text, files)


def test_a_single_stage_is_split_and_keeps_glibc() -> None:
    after = rewritten(SINGLE, locked(openssl__sys="cc"))
    assert "FROM gcr.io/distroless/cc-debian13\n" in after
    assert "COPY --from=builder /app/target/release/app ./target/release/app" in after


def test_scratch_only_where_it_is_asked_for() -> None:
    files = locked(itoa="")
    assert choice(CLASSIC, files, Settings(prefer=("scratch",))) == "scratch"
    assert choice(CLASSIC, files) == "distroless/static"
    certificates = CLASSIC.replace(
        "COPY --from", "RUN apt-get update && apt-get install -y ca-certificates\nCOPY --from"
    )
    assert choice(certificates, files, Settings(prefer=("scratch",))) == "distroless/static"


def test_a_tool_of_a_registry_gets_a_compiler() -> None:
    install = "cargo install sqlx-cli --no-default-features --features rustls,postgres --root /out"
    text = CLASSIC.replace("RUN cargo", f"RUN {install}\nRUN cargo")
    text = text.replace("CMD", "COPY --from=builder /out/bin/sqlx /usr/local/bin/sqlx\nCMD")
    assert "apt-get install -y --no-install-recommends musl-tools\n" in fix(text).source.data.decode()
    unshipped = text.replace("/out/bin/sqlx", "/app/x")
    assert "musl-tools" not in fix(unshipped).source.data.decode()
    assert "musl-tools" not in fix(text.replace("FROM rust:1 AS", "FROM rust:1-alpine AS")).source.data.decode()


TOOL = """\
FROM rust:{}
RUN apt-get update && apt-get install -y {} && rm -rf /var/lib/apt/lists/*
RUN cargo install {}
COPY migrations /migrations
CMD ["diesel", "migration", "run"]
"""
NO_DEFAULT = "diesel_cli --no-default-features --features"


@pytest.mark.parametrize("base", ["slim-bookworm", "bookworm"])
def test_what_a_tool_of_a_registry_links_is_installed(base: str) -> None:
    files = {"migrations/a.sql": ""}
    after = fix(TOOL.format(base, "libpq-dev", f"{NO_DEFAULT} postgres"), files).source.data.decode()
    assert "FROM debian:bookworm-slim\nRUN apt-get update && apt-get install -y --no-install-recommends libpq5" in after
    assert "COPY --from=builder /usr/local/cargo/bin/diesel /usr/local/bin/diesel\nCOPY migrations" in after


@pytest.mark.parametrize(
    ("base", "packages", "crate", "why"),
    [
        (
            "bookworm",
            "git",
            f"{NO_DEFAULT} postgres",
            "which libraries of its builder diesel_cli (line 3) links is not known",
        ),
        (
            "bookworm",
            "libpq-dev",
            "diesel_cli",
            "which libraries of its builder diesel_cli (line 3) links is not known",
        ),
    ],
)
def test_what_a_tool_links_may_be_anything_that_its_builder_has(base: str, packages: str, crate: str, why: str) -> None:
    assert why in reason(TOOL.format(base, packages, crate), {"migrations/a.sql": ""})


OWN_MANIFEST = '[package]\nname = "app_sys"\nversion = "1.0.0"\n'


def told(files: dict[str, str]) -> str:
    """What the rewrites cost, and why there is none."""
    fixed = fix(CLASSIC, files)
    return "; ".join([*(one.fix.cost for one in fixed.applied), *(one.reason for one in fixed.held)])


def own(manifest: str = OWN_MANIFEST, brings: str = "", **more: str) -> dict[str, str]:
    """A context with a crate of the workspace whose name says that it binds a library."""
    lock = (
        'version = 4\n[[package]]\nname = "app"\nversion = "0.1.0"\ndependencies = ["app_sys"]\n'
        f'[[package]]\nname = "app_sys"\nversion = "1.0.0"\ndependencies = [{brings}]\n'
        f'[[package]]\nname = "cc"\nversion = "1.0.0"\n{SOURCE}'
    )
    files = {
        **CRATE,
        "Cargo.toml": CRATE["Cargo.toml"] + '[dependencies]\napp_sys = { path = "crates/app_sys" }\n',
        "Cargo.lock": lock,
        "crates/app_sys/Cargo.toml": manifest,
        "crates/app_sys/src/lib.rs": "pub mod inner;\n",
        "crates/app_sys/src/inner/mod.rs": "",
    }
    return files | {
        f"crates/app_sys/{name.replace('__', '/').replace('_rs', '.rs')}": body for name, body in more.items()
    }


@pytest.mark.parametrize(
    "files",
    [
        own(),
        own(OWN_MANIFEST + "build = false\n", build_rs="fn main() {}"),
        own(OWN_MANIFEST + '[lib]\nname = "x"\n[dependencies]\nlibc = "0.2"\n'),
        own(src__inner__mod_rs="#[derive(Clone)] struct Links;"),
    ],
)
def test_a_crate_of_the_workspace_is_read_whatever_its_name(files: dict[str, str]) -> None:
    assert "static" in rewritten(CLASSIC, files)
    (crate,) = read(CLASSIC, files).crates
    assert crate is not None and crate.compiles_c is False


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (own(build_rs="fn main() {}"), "the workspace's own crate app_sys has a build script, and may need C code"),
        (own(OWN_MANIFEST + 'build = "make.rs"\n'), "the workspace's own crate app_sys has a build script"),
        (own(OWN_MANIFEST + 'links = "z"\n'), "the workspace's own crate app_sys links z, and may link a library"),
        (
            own(OWN_MANIFEST + '[build-dependencies]\ncc = "1"\n', '"cc"'),
            "the workspace's own crate app_sys builds with cc",
        ),
        (own(src__inner__mod_rs='#[link(name = "z")]\nextern "C" {}\n'), "own crate app_sys links a library"),
        # the lock has another one of this name
        (
            own() | {"Cargo.lock": own()["Cargo.lock"] + f'[[package]]\nname = "app_sys"\nversion = "2.0.0"\n{SOURCE}'},
            "the locked crate app_sys may need C code, and the catalogue does not know it",
        ),
    ],
)
def test_what_a_crate_of_the_workspace_says_of_itself(files: dict[str, str], said: str) -> None:
    assert said in told(files)
    (crate,) = read(CLASSIC, files).crates
    assert crate is not None and crate.compiles_c is True


def test_a_crate_of_the_workspace_that_compiles_c_under_a_plain_name() -> None:
    files = own()
    files = {name.replace("app_sys", "host"): body.replace("app_sys", "host") for name, body in files.items()}
    assert "static" in rewritten(CLASSIC, files)
    files["crates/host/Cargo.toml"] += '[build-dependencies]\ncc = "1"\n'
    files["Cargo.lock"] = files["Cargo.lock"].replace("dependencies = []", 'dependencies = ["cc"]')
    assert "the workspace's own crate host builds with cc, and may need C code" in told(files)


@pytest.mark.parametrize(
    ("files", "unknown"),
    [
        ({}, True),
        ({"Cargo.toml": CRATE["Cargo.toml"], "src/main.rs": ""}, True),
        (locked(itoa=""), False),
        (locked(ring="cc"), False),
    ],
)
def test_crates_of_which_nothing_is_known_are_a_doubt(files: dict[str, str], unknown: bool) -> None:
    (slim,) = [one.fix for one in fix(CLASSIC, files).applied if one.fix.key.startswith("slim:")]
    assert slim.choice == "distroless/static"
    assert ("nothing is known of the crates" in slim.cost) is unknown


@pytest.mark.parametrize(
    ("entry", "base", "expected", "installs"),
    [
        ('actix-web = "4"', "rust:1", "distroless/static", True),
        ('ring = "0.17"', "rust:1", "distroless/static", True),
        ('rusqlite = { version = "0.35", features = ["bundled"] }', "rust:1", "distroless/static", True),
        ('openssl = { version = "0.10", features = ["vendored"] }', "rust:1", "distroless/static", True),
        ('openssl = "0.10"', "rust:1", "distroless/cc", False),
        ('openssl = { version = "0.10", optional = true }', "rust:1", "distroless/static", False),
        ('tools = { path = "tools" }', "rust:1", "distroless/static", False),
        # nothing can be installed there, which may be needed or not
        ('actix-web = "4"', "rust:1.60-buster", "distroless/static", False),
        ('actix-web = "4"', "rust:1-alpine", "distroless/static", False),
    ],
)
def test_without_a_lock_the_manifests_tell(entry: str, base: str, expected: str, installs: bool) -> None:
    manifest = f"{CRATE['Cargo.toml']}[dependencies]\n{entry}\n"
    files = {**CRATE, "Cargo.toml": manifest, "tools/Cargo.toml": '[package]\nname = "tools"\nversion = "0.1.0"\n'}
    text = CLASSIC.replace("rust:1 AS", f"{base} AS")
    assert choice(text, files) == expected
    assert ("musl-tools" in rewritten(text, files)) is installs
    (slim,) = [one.fix for one in fix(text, files).applied if one.fix.key.startswith("slim:")]
    assert installs <= ("more than a C compiler" in slim.cost)


def test_without_a_lock_a_library_that_is_installed_stays() -> None:
    files = {**CRATE, "Cargo.toml": f'{CRATE["Cargo.toml"]}[dependencies]\npq-sys = "0.7"\n'}
    text = CLASSIC.replace("COPY --from", "RUN apt-get update && apt-get install -y libpq5\nCOPY --from")
    assert "libpq5" in rewritten(text, files)
    assert choice(text, files) in ("debian-slim", "")


SASL = {**locked(client="rdkafka-sys", rdkafka__sys="sasl2-sys =4.9.0", sasl2__sys="pkg-config")}
PAIR = CLASSIC.replace("COPY . .", "RUN apt-get update && apt-get install -y libsasl2-dev\nCOPY . .").replace(
    "COPY --from", "RUN apt-get update && apt-get install -y ca-certificates libsasl2-2\nCOPY --from"
)
OPTIONAL = '[features]\nkafka = ["client/sasl"]\n[dependencies]\nclient = "1"\n'


def unsure(files: dict[str, str]) -> dict[str, str]:
    """The same where another call's features may be those of the lock."""
    return {**files, "Cargo.toml": CRATE["Cargo.toml"] + OPTIONAL}


@pytest.mark.parametrize(
    ("text", "files", "wanted"),
    [
        (PAIR, unsure(SASL), "debian-slim"),
        (PAIR.replace(" libsasl2-2", ""), unsure(SASL), "distroless/static"),
        (PAIR.replace("libsasl2-2", "libsasl2-modules"), unsure(SASL), "distroless/static"),
        (PAIR.replace(" libsasl2-dev", " make"), unsure(SASL), "distroless/static"),
        (PAIR.replace("libsasl2-dev", "libyaml-dev"), unsure(SASL), "distroless/static"),
        (PAIR, locked(client="itoa", itoa=""), "distroless/static"),
        # it compiles its own for musl
        (
            PAIR.replace("libsasl2-dev", "zlib1g-dev").replace("libsasl2-2", "zlib1g"),
            unsure(locked(client="libz-sys", libz__sys="cc")),
            "distroless/static",
        ),
    ],
)
def test_a_library_that_builder_and_image_install(text: str, files: dict[str, str], wanted: str) -> None:
    assert choice(text, files) == wanted
    if wanted == "debian-slim":
        assert "libsasl2-dev (line 3), and the locked crate sasl2-sys wraps it" in reason(text, files)

"""Which packages of Cargo.lock a crate's programs link, and how sure that is."""

from __future__ import annotations

import pytest

from dockerslim_lint.context import MemoryContext
from dockerslim_lint.facts.crate.linked import Linkage
from dockerslim_lint.facts.crate.model import Asked, Crate
from dockerslim_lint.facts.crate.reach import Reach
from dockerslim_lint.facts.crate.reader import CrateReader
from tests.facts.reading import SOURCE, read

HEAD = '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n'

LOCAL = ("app", "web", "lib", "other", "derive")

NO, MAYBE, YES = Reach.NO, Reach.MAYBE, Reach.YES


def lock(**packages: str) -> str:
    """Names (``-`` is ``__``) with what each depends on, or ``=version``."""
    text = "version = 4\n"
    for name, needs in packages.items():
        listed = ", ".join(f'"{need}"' for need in needs.split() if need[0] != "=")
        version = next(
            (need[1:] for need in needs.split() if need[0] == "="), "1.0.0" if name not in LOCAL else "0.1.0"
        )
        source = "" if name in LOCAL else SOURCE
        text += f'[[package]]\nname = "{name.replace("__", "-")}"\nversion = "{version}"\n{source}dependencies = [{listed}]\n'
    return text


LOCK = lock(app="http test build", http="tls", tls="", test="server", server="", build="cc", cc="")


def crate_of(
    files: dict[str, str],
    directory: str = "",
    packages: tuple[str, ...] = (),
    asked: Asked = Asked(),  # noqa: B008
    bins: tuple[str, ...] = (),
) -> Crate:
    reader = CrateReader(MemoryContext({path: text.encode() for path, text in files.items()}))
    crate = reader.read(directory, packages, False, asked, bins)
    assert crate is not None
    return crate


def linked(files: dict[str, str], directory: str = "", packages: tuple[str, ...] = ()) -> tuple[str, ...] | None:
    return crate_of(files, directory, packages).linked


def linkage(manifest: str, locked: str, *features: str, default: bool = True, exact: bool = True) -> Linkage:
    files = {"Cargo.toml": HEAD + manifest, "Cargo.lock": locked}
    found = crate_of(files, asked=Asked(features, default, "--all-features" in features, exact)).linkage
    assert found is not None
    return found


def test_examples_link_dev_dependencies_too() -> None:
    files = {"Cargo.toml": HEAD + '[dev-dependencies]\nhttp = "1"\n', "Cargo.lock": lock(app="http", http="")}
    assert crate_of(files).linkage is not None
    assert crate_of(files, asked=Asked(examples=True)).linkage is None


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        ('[dependencies]\nhttp = "1"\n', ("http", "tls")),
        ('[dependencies]\nh = { package = "http", version = "1" }\n', ("http", "tls")),
        ('[dev-dependencies]\nhttp = "1"\n', ()),
        ('[build-dependencies]\nhttp = "1"\n', ()),
        ('[dependencies]\nhttp = { version = "1", optional = true }\n', ()),
        ("[target.'cfg(unix)'.dependencies]\nhttp = \"1\"\n", ("http", "tls")),
        ("[target.'cfg(windows)'.dependencies]\nhttp = \"1\"\n", ()),
        ("[target.'cfg(not(windows))'.dependencies]\nhttp = \"1\"\n", ("http", "tls")),
        ('[dependencies]\nunlocked = "1"\n', ()),
    ],
)
def test_only_normal_dependencies_count(manifest: str, expected: tuple[str, ...]) -> None:
    assert linked({"Cargo.toml": HEAD + manifest, "Cargo.lock": LOCK}) == expected


def test_without_a_lock_nothing_is_known() -> None:
    assert linked({"Cargo.toml": HEAD}) is None
    assert linked({"Cargo.toml": HEAD, "Cargo.lock": "broken ["}) is None


WORKSPACE = {
    "Cargo.toml": '[workspace]\nmembers = ["crates/*"]\nresolver = "2"\n'
    '[workspace.dependencies]\nhttp = "1"\nlib = { path = "crates/lib" }\n',
    "Cargo.lock": LOCK,
    "crates/web/Cargo.toml": '[package]\nname = "web"\n[dependencies]\nlib.workspace = true\n[dev-dependencies]\ntest = "1"\n',
    "crates/web/src/main.rs": "",
    "crates/lib/Cargo.toml": '[package]\nname = "lib"\n[dependencies]\nhttp = { workspace = true }\n',
    "crates/other/Cargo.toml": '[package]\nname = "other"\n[dependencies]\nserver = { version = "1" }\nlib = { path = "../lib" }\n',
    "crates/other/src/main.rs": "",
}


def test_members_and_paths_of_a_workspace() -> None:
    assert linked(WORKSPACE, packages=("web",)) == ("http", "lib", "tls")
    assert linked(WORKSPACE, packages=("other",)) == ("http", "lib", "server", "tls")
    assert linked(WORKSPACE, "crates/other") == ("http", "lib", "server", "tls")
    assert linked(WORKSPACE) == ("http", "lib", "server", "tls")
    assert crate_of(WORKSPACE, bins=("web",)).linked == ("http", "lib", "tls")


@pytest.mark.parametrize("packages", [(), ("*",)])
def test_what_one_program_of_the_call_links(packages: tuple[str, ...]) -> None:
    crate = crate_of(WORKSPACE, packages=packages)
    assert [crate.links(program, "server") for program in ("web", "other", "*", "unheard-of")] == [NO, YES, NO, NO]
    assert [crate.links(program, "http") for program in ("web", "other", "*")] == [YES, YES, YES]
    assert [crate.may_link(program, "server") for program in ("other", "*")] == [True, True]
    # which packages are built together, and so share their features, is not known
    assert crate.may_link("web", "server") is bool(packages)
    assert not crate.may_link("*", "test")
    assert not crate.surely_links("*", "server") and crate.surely_links("other", "server")


OPTIONAL = """
[features]
default = ["secure"]
secure = ["dep:tls"]
log = ["http/log", "tls?/log"]
[dependencies]
http = "1"
tls = { version = "1", optional = true }
"""


@pytest.mark.parametrize(
    ("features", "default", "expected"),
    [
        ((), True, YES),
        ((), False, NO),
        (("secure",), False, YES),
        (("--all-features",), False, YES),
        (("log",), False, NO),
        (("app/secure",), False, YES),
        (("tls/any",), False, YES),
        (("tls?/any",), False, NO),
        # `dep:tls` takes the implicit feature away
        (("tls",), False, NO),
        (("nowhere/secure",), False, NO),
    ],
)
def test_features_of_the_call(features: tuple[str, ...], default: bool, expected: Reach) -> None:
    found = linkage(OPTIONAL, lock(app="http tls", http="", tls=""), *features, default=default)
    assert found.reaches("tls") is expected
    assert found.reaches("http") is YES


def test_an_optional_dependency_is_a_feature_of_its_own() -> None:
    manifest = '[dependencies]\ntls = { version = "1", optional = true }\n'
    assert linkage(manifest, lock(app="tls", tls="")).reaches("tls") is NO
    assert linkage(manifest, lock(app="tls", tls=""), "tls").reaches("tls") is YES


def test_features_that_a_variable_may_hold() -> None:
    found = linkage(OPTIONAL, lock(app="http tls", http="", tls=""), exact=False)
    assert (found.reaches("tls"), found.reaches("http")) == (MAYBE, YES)


def test_features_run_through_the_workspace() -> None:
    files = {
        "Cargo.toml": '[workspace]\nmembers = ["web", "lib", "other"]\nresolver = "2"\n'
        '[workspace.dependencies]\nlib = { path = "lib", default-features = false, features = ["small"] }\n',
        "web/Cargo.toml": '[package]\nname = "web"\n[features]\nfull = ["lib/secure"]\n[dependencies]\nlib = { workspace = true }\n',
        "lib/Cargo.toml": '[package]\nname = "lib"\n[features]\ndefault = ["secure"]\nsecure = ["dep:tls"]\nsmall = []\n'
        '[dependencies]\ntls = { version = "1", optional = true }\n',
        "other/Cargo.toml": '[package]\nname = "other"\n[dependencies]\nlib = { workspace = true, default-features = true }\n',
        "Cargo.lock": lock(web="lib", lib="tls", other="lib", tls=""),
    }

    def reach(packages: tuple[str, ...], *features: str) -> Reach:
        found = crate_of(files, packages=packages, asked=Asked(features)).linkage
        assert found is not None
        return found.reaches("tls")

    assert reach(("web",)) is NO
    assert reach(("web",), "full") is YES
    assert reach(("web",), "web/full") is YES
    assert reach(("other",)) is YES
    # built together, they share the features of what they share
    assert reach(()) is YES
    assert crate_of(files).links("*", "tls") is YES
    # one of them, alone
    assert crate_of(files, packages=("*",)).links("*", "tls") is NO
    assert crate_of(files, packages=("*",)).may_link("*", "tls")


def test_the_old_resolver_shares_features_with_what_is_not_linked() -> None:
    files = {
        "lib/Cargo.toml": '[package]\nname = "lib"\nversion = "0.1.0"\n[features]\nsecure = ["dep:tls"]\n'
        '[dependencies]\ntls = { version = "1", optional = true }\n',
        "Cargo.lock": lock(app="lib", lib="tls", tls=""),
    }
    manifest = (
        '[dependencies]\nlib = { path = "lib" }\n[dev-dependencies]\nlib = { path = "lib", features = ["secure"] }\n'
    )

    def reach(head: str) -> Reach:
        found = crate_of({**files, "Cargo.toml": head + manifest}).linkage
        assert found is not None
        return found.reaches("tls")

    assert reach(HEAD) is NO
    assert reach(HEAD.replace("2021", "2018")) is MAYBE
    assert reach(HEAD.replace("2021", "2018") + 'resolver = "2"\n') is NO


def test_what_the_call_leaves_out_makes_the_lock_unsure() -> None:
    packages = lock(app="http", http="tls", tls="")
    assert linkage('[dependencies]\nhttp = "1"\n', packages).reaches("tls") is YES
    left_out = '[features]\nsecure = ["http/tls"]\n[dependencies]\nhttp = "1"\n'
    assert linkage(left_out, packages).reaches("http") is YES
    assert linkage(left_out, packages).reaches("tls") is MAYBE
    assert linkage(left_out, packages, "secure").reaches("tls") is YES
    assert linkage('[dependencies]\nhttp = "1"\n[dev-dependencies]\nhttp = "1"\n', packages).reaches("tls") is MAYBE


def test_a_version_that_another_package_uses_does_not_count() -> None:
    text = (
        lock(app="http", other="old")
        + f'[[package]]\nname = "http"\nversion = "2.0.0"\n{SOURCE}'
        + f'[[package]]\nname = "http"\nversion = "1.0.0"\n{SOURCE}dependencies = ["tls 1.0.0 (registry+x)"]\n'
        + f'[[package]]\nname = "tls"\nversion = "1.0.0"\n{SOURCE}'
    ).replace('dependencies = ["http"]', 'dependencies = ["http 2.0.0"]')
    assert linkage('[dependencies]\nhttp = "2"\n', text).reaches("tls") is NO
    assert linkage('[dependencies]\nhttp = "1"\n', text.replace('"http 2.0.0"', '"http 1.0.0"')).reaches("tls") is YES


def test_macros_and_tools_of_build_scripts_link_nothing() -> None:
    packages = lock(
        app="serde_derive onig_sys derive", serde_derive="tls", onig_sys="bindgen", bindgen="tls", tls="", derive="tls"
    )
    manifest = '[dependencies]\nserde_derive = "1"\nonig_sys = "1"\nderive = { path = "derive" }\n'
    files = {
        "Cargo.toml": HEAD + manifest,
        "Cargo.lock": packages,
        "derive/Cargo.toml": '[package]\nname = "derive"\n[lib]\nproc-macro = true\n[dependencies]\ntls = "1"\n',
    }
    found = crate_of(files).linkage
    assert found is not None
    assert found.reaches("derive") is YES
    assert found.reaches("onig_sys") is YES
    assert found.reaches("tls") is NO


REQWEST = lock(
    app="reqwest",
    reqwest="hyper-tls native-tls hyper-rustls rustls =0.12.28",
    hyper__tls="native-tls =0.6.0",
    native__tls="openssl openssl-sys =0.2.18",
    openssl="openssl-sys =0.10.82",
    openssl__sys="openssl-src =0.9.118",
    openssl__src="=300.6.1+3.6.3",
    hyper__rustls="rustls",
    rustls="",
)


@pytest.mark.parametrize(
    ("manifest", "features", "openssl", "source", "rustls"),
    [
        ('reqwest = "0.12"', (), YES, NO, NO),
        ('reqwest = { version = "0.12", default-features = false }', (), NO, NO, NO),
        ('reqwest = { version = "0.12", default-features = false, features = ["rustls-tls"] }', (), NO, NO, YES),
        ('reqwest = { version = "0.12", features = ["native-tls-vendored"] }', (), YES, YES, NO),
        ('reqwest = "0.12"', ("reqwest/native-tls-vendored",), YES, YES, NO),
        ('reqwest = { package = "reqwest", version = "0.12" }', ("reqwest/native-tls-vendored",), YES, YES, NO),
    ],
)
def test_known_crates(manifest: str, features: tuple[str, ...], openssl: Reach, source: Reach, rustls: Reach) -> None:
    left_out = '[features]\nnative = ["reqwest?/native-tls-vendored", "reqwest?/rustls-tls"]\n'
    found = linkage(f"{left_out}[dependencies]\n{manifest}\n", REQWEST, *features)
    assert found.reaches("openssl-sys") is openssl
    assert found.leads("openssl-sys", "openssl-src") is source
    assert found.reaches("rustls") is rustls


def test_an_unknown_crate_may_ask_for_anything() -> None:
    packages = REQWEST.replace('dependencies = ["reqwest"]', 'dependencies = ["client"]') + lock(client="reqwest")[12:]
    alone = linkage('[dependencies]\nclient = "1"\n', packages)
    assert alone.reaches("openssl-sys") is YES
    unsure = linkage('[features]\nmore = ["client/more"]\n[dependencies]\nclient = "1"\n', packages)
    assert unsure.reaches("openssl-sys") is MAYBE
    assert unsure.leads("openssl-sys", "openssl-src") is MAYBE


def test_a_feature_on_the_call_brings_what_the_lock_does_not_hold() -> None:
    packages = lock(app="openssl", openssl="openssl-sys =0.10.82", openssl__sys="cc =0.9.118", cc="")
    manifest = '[dependencies]\nopenssl = "0.10"\n'
    assert linkage(manifest, packages).leads("openssl-sys", "openssl-src") is NO
    assert linkage(manifest, packages, "openssl/vendored").leads("openssl-sys", "openssl-src") is YES


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("cfg(unix)", YES),
        ('cfg(target_os = "linux")', YES),
        ('cfg(all(unix, not(target_os = "macos")))', YES),
        ('cfg(any(windows, target_family="unix"))', YES),
        ('cfg(target_env = "musl")', MAYBE),
        ('cfg(not(target_arch = "wasm32"))', YES),
        ('cfg(all(target_os = "linux", target_arch = "x86_64"))', MAYBE),
        ("cfg(tokio_unstable)", MAYBE),
        ("x86_64-unknown-linux-musl", MAYBE),
        ("x86_64-pc-windows-msvc", NO),
        ('cfg(target_vendor = "apple")', NO),
        ("cfg(not(unix))", NO),
        ("cfg(all(", MAYBE),
        ("cfg()", MAYBE),
    ],
)
def test_conditions(condition: str, expected: Reach) -> None:
    manifest = f"[target.'{condition}'.dependencies]\nhttp = \"1\"\n"
    assert linkage(manifest, lock(app="http", http="")).reaches("http") is expected


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("cargo build", YES),
        ("cargo build --no-default-features", NO),
        ("cargo build --no-default-features --features secure", YES),
        ("cargo build --no-default-features -F log,secure", YES),
        ("cargo build --no-default-features -Fsecure", YES),
        ("cargo build --no-default-features --all-features", YES),
        ("cargo build --no-default-features --features $FEATURES", MAYBE),
        ("cargo build $FLAGS", YES),  # as long as nobody gives the argument
        ("cargo build --no-default-features $FLAGS", MAYBE),
        ("cargo build --no-default-features --features secure $FLAGS", YES),
        ("cargo build $OTHER", MAYBE),
        ("cargo build $FLAGS $OTHER", MAYBE),
        ("cargo install --path . --no-default-features", NO),
        ("cd / && cargo build --manifest-path /src/Cargo.toml --no-default-features", NO),
    ],
)
def test_from_the_call(call: str, expected: Reach) -> None:
    files = {"Cargo.toml": HEAD + OPTIONAL, "Cargo.lock": lock(app="http tls", http="", tls=""), "src/main.rs": ""}
    (crate,) = read(f"FROM rust:1\nARG FEATURES\nARG FLAGS\nWORKDIR /src\nCOPY . .\nRUN {call}\n", files).crates
    assert crate is not None
    assert crate.linkage is not None
    assert crate.linkage.reaches("tls") is expected


@pytest.mark.parametrize(
    "manifest",
    [
        "dependencies = 3\n",
        '[dependencies]\nhttp = 1\ntls = ["x"]\n',
        "[dependencies]\nhttp = { workspace = true }\n",
        '[dependencies]\nhttp = { path = 3, package = 4, features = "all", optional = "no" }\n',
        '[dependencies]\nhttp = { path = "../../../.." }\n',
        '[features]\ndefault = "secure"\nsecure = [3, "secure", "http/", "/", "dep:", "?/x"]\n[dependencies]\nhttp = "1"\n',
        '[target]\nx = 3\n[target."cfg("]\ndependencies = 4\n',
        '[lib]\nproc-macro = "yes"\n[dependencies]\nhttp = "1"\n',
    ],
)
def test_manifests_that_cargo_would_refuse(manifest: str) -> None:
    found = linkage(manifest, lock(app="http", http="app"), "secure", "/", "?", "app/")
    assert found.reaches("tls") is NO


@pytest.mark.parametrize(
    "text", ["package = 3", "[[package]]\nname = 3", '[[package]]\nname = "app"\ndependencies = [3, "", " "]']
)
def test_locks_that_cargo_would_refuse(text: str) -> None:
    assert linkage('[dependencies]\nhttp = "1"\n', text).reaches("http") is NO


@pytest.mark.parametrize(
    ("manifest", "packages", "expected"),
    [
        ('[dependencies]\nhttp = "1"\n', lock(app="http", http="tls", tls=""), False),
        ('[dependencies]\nhttp = "1"\n', lock(app="http", http="ring", ring="cc", cc=""), True),
        ('[dev-dependencies]\nhttp = "1"\n', lock(app="http", http="ring", ring="cc", cc=""), False),
        ('[build-dependencies]\nhttp = "1"\n', lock(app="http", http="tls", tls=""), False),
        ('[build-dependencies]\nhttp = "1"\n', lock(app="http", http="cc", cc=""), True),
        ('[build-dependencies]\ncc = "1"\n', lock(app="cc", cc=""), True),
        ('[dependencies]\nhttp = "1"\n', lock(app="http", http="cc", cc=""), True),
        ('[dependencies]\nhttp = "1"\n', lock(app="http", http="odd-sys", odd__sys=""), True),
        ('[dependencies]\nmio = "1"\n', lock(app="mio", mio="windows-sys", windows__sys=""), False),
        (
            '[dependencies]\nzone = "1"\n',
            lock(app="zone", zone="iana-time-zone-haiku", iana__time__zone__haiku="cc", cc=""),
            False,
        ),
        ('[build-dependencies]\nprost-build = "1"\n', lock(app="prost-build", prost__build="tool", tool=""), False),
        ('[build-dependencies]\nbindgen = "1"\n', lock(app="bindgen", bindgen=""), True),
    ],
)
def test_whether_c_is_compiled(manifest: str, packages: str, expected: bool) -> None:
    assert crate_of({"Cargo.toml": HEAD + manifest, "Cargo.lock": packages}).compiles_c is expected


def test_c_that_the_call_leaves_out() -> None:
    manifest = '[features]\ntls = ["dep:ring"]\n[dependencies]\nring = { version = "1", optional = true }\n'
    files = {"Cargo.toml": HEAD + manifest, "Cargo.lock": lock(app="ring", ring="cc", cc="")}
    assert crate_of(files).compiles_c is False
    assert crate_of(files, asked=Asked(("tls",))).compiles_c is True
    assert crate_of(files, asked=Asked(exact=False)).compiles_c is True
    assert crate_of({"Cargo.toml": HEAD}).compiles_c is None


DATABASES = {
    "sqlx": "=0.8.6 sqlx-sqlite sqlx-postgres",
    "sqlx__sqlite": "=0.8.6 libsqlite3-sys",
    "sqlx__postgres": "=0.8.6",
    "libsqlite3__sys": "=0.30.1 cc",
    "cc": "",
}


@pytest.mark.parametrize(
    ("needs", "entry", "reach"),
    [
        ({"app": "sqlx"}, 'sqlx = { version = "0.8", features = ["postgres"] }', NO),
        ({"app": "sqlx"}, 'sqlx = { version = "0.8", features = ["sqlite"] }', YES),
        # nothing is known of it: the lock has SQLite also where nothing but a weak feature names it
        ({"app": "orm", "orm": "sqlx"}, 'orm = "1"', MAYBE),
        (
            {"app": "sea-orm", "sea__orm": "=1.1.20 sqlx"},
            'sea-orm = { version = "1.1", features = ["sqlx-postgres"] }',
            NO,
        ),
        (
            {"app": "sea-orm", "sea__orm": "=1.1.20 sqlx"},
            'sea-orm = { version = "1.1", features = ["sqlx-sqlite"] }',
            YES,
        ),
    ],
)
def test_what_a_lock_holds_for_a_weak_feature_is_not_linked(needs: dict[str, str], entry: str, reach: Reach) -> None:
    found = linkage(f"[dependencies]\n{entry}\n", lock(**needs, **DATABASES))
    assert found.reaches("libsqlite3-sys") is reach


@pytest.mark.parametrize(
    ("entry", "version", "reach"),
    [
        ('"3"', "3.9.1", NO),
        ('{ version = "3", features = ["in-use-encryption"] }', "3.9.1", YES),
        ('{ version = "2", features = ["in-use-encryption-unstable"] }', "2.8.2", YES),
        ('"2"', "2.8.2", NO),
        # which names mongocrypt/bson-2 where the others have mongocrypt?/bson-2
        ('"3.3"', "3.3.0", YES),
    ],
)
def test_encryption_of_mongodb_only_where_it_is_asked_for(entry: str, version: str, reach: Reach) -> None:
    packages = {"mongodb": f"={version} mongocrypt", "mongocrypt": "mongocrypt-sys", "mongocrypt__sys": ""}
    found = linkage(f"[dependencies]\nmongodb = {entry}\n", lock(app="mongodb", **packages))
    assert found.reaches("mongocrypt") is reach


@pytest.mark.parametrize(
    ("entry", "version", "reach"),
    [
        ('"0.20"', "0.20.4", YES),
        ('"0.21"', "0.21.0", NO),
        ('{ version = "0.21", features = ["https"] }', "0.21.0", YES),
    ],
)
def test_git2_has_no_default_features_any_more(entry: str, version: str, reach: Reach) -> None:
    packages = {
        "git2": f"={version} libgit2-sys openssl-sys",
        "libgit2__sys": "=0.18.7 openssl-sys",
        "openssl__sys": "",
    }
    assert linkage(f"[dependencies]\ngit2 = {entry}\n", lock(app="git2", **packages)).reaches("openssl-sys") is reach

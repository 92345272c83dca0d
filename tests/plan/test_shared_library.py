"""A package that makes a shared library beside its program: for musl cargo makes none."""

from __future__ import annotations

import pytest

from tests.facts.reading import CRATE
from tests.plan.test_withheld import CLASSIC, fix

LIBRARY = {**CRATE, "Cargo.toml": CRATE["Cargo.toml"] + '[lib]\ncrate-type = ["cdylib", "rlib"]\n', "src/lib.rs": ""}
PLAIN = {**CRATE, "Cargo.toml": CRATE["Cargo.toml"] + '[lib]\ncrate-type = ["rlib"]\n', "src/lib.rs": ""}
STRIPPED = "[profile.release]\nstrip = true\n"
OUT = CLASSIC.replace("--release\n", "--release && mkdir /out && {}\n").replace("/app/target/release/app", "/out/app")


@pytest.mark.parametrize(
    ("step", "musl"),
    [
        ("cp target/release/app /out/", True),
        ("cp target/release/app target/release/*.so /out/", False),
        ("cp target/release/app target/release/libapp.so /out/", False),
        ("cp target/release/* /out/", False),
        ("cp target/release/app /out/ && cp -r target/release /copy", False),
        ("cp target/release/app /out/ && cd target/release && cp *.so /out/", False),
        ("cp target/release/app /out/ && rm target/release/deps/app-1", True),
    ],
)
def test_whether_the_library_is_taken_too(step: str, musl: bool) -> None:
    fixed = fix(OUT.format(step), LIBRARY)
    assert fixed.bug is None
    assert ("-linux-musl" in fixed.source.data.decode()) == musl
    assert "-linux-musl" in fix(OUT.format(step).replace(" target/release/libapp.so", ""), PLAIN).source.data.decode()


def test_the_whole_directory() -> None:
    text = CLASSIC.replace("/app/target/release/app /usr/local/bin/app", "/app/target/release /opt").replace(
        '"app"', '"/opt/app"'
    )
    after = fix(text, LIBRARY).source.data.decode()
    assert "-linux-musl" not in after
    assert "/app/target/release /opt/\n" in after
    small = text.replace("debian:bookworm-slim", "gcr.io/distroless/cc-debian12")
    library = {**LIBRARY, "Cargo.toml": LIBRARY["Cargo.toml"] + STRIPPED}
    narrowed = "/release/app /opt/app\n"
    assert narrowed not in fix(small, library).source.data.decode()
    # on musl there is none
    assert narrowed in fix(small.replace("rust:1 ", "rust:1-alpine "), library).source.data.decode()


@pytest.mark.parametrize(
    ("copy", "name", "withheld"),
    [
        ("plugins/", "plugins/a.so", True),
        ("plugins", "plugins/deep/a.so.1.2", True),
        ("plug*/", "plugins/a.so", True),
        (".", "plugins/a.so", True),
        ("plugins/", "plugins/a.sold", False),
        ("plugins/", "plugins/a.txt", False),
        ("plugins/", "other/a.so", False),
        ("plugins/", "plugins/ignored/a.so", False),
    ],
)
def test_a_directory_of_the_context_with_a_library_in_it(copy: str, name: str, withheld: bool) -> None:
    """A static program loads none."""
    text = CLASSIC.replace("CMD", f"COPY {copy} /plugins/\nCMD")
    files = {**CRATE, name: "", "plugins/readme.txt": "", ".dockerignore": "plugins/ignored\n"}
    assert ("-linux-musl" in fix(text, files).source.data.decode()) != withheld


@pytest.mark.parametrize(
    ("table", "shared"),
    [
        ('crate_type = ["dylib"]', True),
        ('crate-type = ["staticlib"]', False),
        ('crate-type = "cdylib"', False),
        ("crate-type = 1", False),
        ("", False),
    ],
)
def test_spellings(table: str, shared: bool) -> None:
    files = {**LIBRARY, "Cargo.toml": CRATE["Cargo.toml"] + f"[lib]\n{table}\n"}
    text = OUT.format("cp target/release/app target/release/*.so /out/")
    assert ("-linux-musl" in fix(text, files).source.data.decode()) == (not shared)


@pytest.mark.parametrize(
    ("kinds", "flags", "musl"),
    [
        ('"cdylib"', "", False),
        ('"dylib"', "", False),
        ('"cdylib", "rlib"', "", True),
        ('"cdylib", "staticlib"', "", True),
        ('"proc-macro"', "", True),
        ('"cdylib"', " --bin app", True),
        ('"cdylib"', " --bins", True),
    ],
)
def test_a_package_that_is_only_a_shared_library(kinds: str, flags: str, musl: bool) -> None:
    files = {**CRATE, "Cargo.toml": CRATE["Cargo.toml"] + f"[lib]\ncrate-type = [{kinds}]\n", "src/lib.rs": ""}
    after = fix(CLASSIC.replace("--release\n", f"--release{flags}\n"), files).source.data.decode()
    assert ("-linux-musl" in after) == musl
    assert ("gcr.io/distroless/cc" in after) == (not musl)

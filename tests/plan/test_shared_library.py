"""A package that makes a shared library beside its program: for musl cargo makes none."""

from __future__ import annotations

import pytest

from tests.facts.reading import CRATE
from tests.plan.test_withheld import CLASSIC, fix

LIBRARY = {**CRATE, "Cargo.toml": CRATE["Cargo.toml"] + '[lib]\ncrate-type = ["cdylib", "rlib"]\n', "src/lib.rs": ""}
PLAIN = {**CRATE, "Cargo.toml": CRATE["Cargo.toml"] + '[lib]\ncrate-type = ["rlib"]\n', "src/lib.rs": ""}
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
    assert "-linux-musl" not in fix(text, LIBRARY).source.data.decode()


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

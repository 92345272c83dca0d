"""Every row of every file: where it comes from, how sure it is, and that no two rows say different things of one name."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from dockerslim_lint import catalog
from dockerslim_lint.catalog import buildfiles, commands, features, images, natives, packages, platforms, references
from dockerslim_lint.catalog.tables import CERTAINTIES, table

FOLDER = Path(catalog.__file__).parent
ROWS = {
    "images": "image",
    "images_other": "image",
    "platforms": "platform",
    "commands": "row",
    "packages": "package",
    "features": "crate",
    "natives": "native",
    "buildfiles": "inputs",
    "symbols": "user",
    "glibc": "step",
    "programs": "base",
    "needs": "crate",
    "libraries": "base",
    "debian": "group",
    "accounts": "row",
    "formats": "row",
}
PRESENT = sorted(path.stem for path in FOLDER.glob("*.toml"))
SETTINGS = {
    "like",
    "repositories",
    "releases",
    "variants",
    "unclear",
    "words",
    "latest",
    "floating",
    "last",
    "suites",
    "version_after",
    "suffixed",
    "by",
    "aka",
    "ended_source",
    "archived",
    "archived_source",
}


def rows(name: str) -> list[dict[str, Any]]:
    """The rows of a file as they are written."""
    return list(table(name)[ROWS[name]])


def families() -> dict[str, dict[str, Any]]:
    """All families by name."""
    return {**table("images")["family"], **table("images_other")["family"]}


def certainty_of(row: dict[str, Any]) -> str:
    """A row's certainty; believed where it says nothing."""
    return str(row.get("certainty", "believed"))


def test_every_file_is_checked_here() -> None:
    assert set(PRESENT) <= set(ROWS)


@pytest.mark.parametrize("name", [name for name in PRESENT if not name.startswith("images")])
def test_rows_have_a_source_and_a_certainty(name: str) -> None:
    for row in rows(name):
        assert row["source"].strip(), row
        assert certainty_of(row) in CERTAINTIES, row


def test_images_have_a_source_and_a_certainty() -> None:
    for row in [*rows("images"), *rows("images_other")]:
        for repository in row["repositories"].split():
            image = images.lookup(repository)
            assert image is not None, repository
            assert image.source.strip(), repository
            assert image.certainty in CERTAINTIES, repository
            assert set(image.believed) <= set(images.BaseImage._fields), repository


@pytest.mark.parametrize(
    ("name", "key"),
    [("commands", "names"), ("natives", "crates"), ("buildfiles", "names"), ("platforms", "name")],
)
def test_no_name_stands_in_two_rows(name: str, key: str) -> None:
    counted = Counter(word for row in rows(name) for word in row[key].split())
    assert [word for word, times in counted.items() if times > 1] == []


def test_no_repository_stands_in_two_rows() -> None:
    counted = Counter(
        word for name in ("images", "images_other") for row in rows(name) for word in row["repositories"].split()
    )
    assert [word for word, times in counted.items() if times > 1] == []


@pytest.mark.parametrize("family", ["apt", "apk", "rpm"])
def test_no_package_stands_in_two_rows(family: str) -> None:
    counted = Counter(word for row in rows("packages") for word in row.get(family, "").split())
    assert [word for word, times in counted.items() if times > 1] == []


def test_repositories_are_written_as_they_are_looked_up() -> None:
    for row in [*rows("images"), *rows("images_other")]:
        for repository in row["repositories"].split():
            parsed = references.parse_reference(repository)
            assert parsed is not None
            assert parsed.repository == repository


def test_image_rows_hold_known_keys_only() -> None:
    known = SETTINGS | set(images.BaseImage._fields)
    for row in [*families().values(), *rows("images"), *rows("images_other")]:
        assert set(row) <= known, set(row) - known
        layers = [*row.get("variants", {}).values(), *row.get("releases", {}).values(), row.get("unclear", {})]
        for layer in layers:
            if not isinstance(layer, str):
                assert set(layer) <= known, set(layer) - known
                for inner in layer.get("by", {}).values():
                    assert set(inner) <= set(images.BaseImage._fields)


def test_the_default_release_exists() -> None:
    for name, row in families().items():
        facts = images._inherit(row)
        if facts.get("latest"):
            assert facts["latest"] in facts["releases"], name
        for entry in facts.get("suites", "").split():
            assert entry.partition(":")[2] in facts["releases"], name


def test_every_tag_that_the_tables_spell_gives_an_image_of_the_right_types() -> None:
    kinds = {
        "users": tuple,
        "env": tuple,
        "directories": tuple,
        "tools": tuple,
        "architectures": tuple,
        "fat": bool,
        "slim": bool,
    }
    for row in [*rows("images"), *rows("images_other")]:
        facts = images._inherit(row)
        tags = [*facts.get("variants", {}), *images._spellings(facts)]
        for tag in ["latest", *tags]:
            image = images.lookup(f"{row['repositories'].split()[0]}:{tag}")
            assert image is not None, tag
            for field, kind in kinds.items():
                assert isinstance(getattr(image, field), kind), (image.reference, field)
            assert image.libc in ("glibc", "musl", "none", "unknown"), image.reference
            assert not any(word.startswith("@") for word in (*image.directories, *image.architectures)), image.reference
            for size in (image.unpacked_mb, image.download_mb):
                assert size is None or 0 <= size < 5000, image.reference


def test_platform_rows_are_whole() -> None:
    for row in platforms.platforms():
        assert row.docker == f"linux/{row.name}"
        assert row.tier in (1, 2, 3)
        assert row.bits in (32, 64)
        assert row.static_form in ("exec", "static-pie")
        if row.cross_releases:
            # the step that installs it knows the platform as TARGETARCH alone
            assert row.cross_cc
            assert row.cross_apt == (f"musl-dev:{row.architecture}",)
    for name in table("platforms")["aliases"].values():
        assert platforms.lookup(name) is not None


def test_command_rows_have_a_class_and_a_title() -> None:
    for row in rows("commands"):
        assert row["kind"] in ("known", "inert", "opaque")
        assert row["title"]
        for name in row["names"].split():
            assert commands.classify(name) == row["kind"], name
    for name in table("commands")["aliases"].values():
        assert commands.title(name)


def test_package_rows_fill_the_view() -> None:
    known = {*packages.Package._fields, "apt", "apk", "rpm", "same_name"}
    for row in rows("packages"):
        assert set(row) <= known, set(row) - known
        for manager, family in (("apt-get", "apt"), ("apk", "apk"), ("dnf", "rpm")):
            for name in row.get(family, "").split():
                found = packages.lookup(manager, name.replace("*", "9"))
                assert found is not None, name


def test_native_rows_fill_the_view() -> None:
    for name in natives.crates():
        found = natives.lookup(name)
        assert found is not None
        assert found.verdict in natives.VERDICTS, name
        assert found.why, name
        assert bool(found.condition) == (found.verdict == "static-ok-with"), name
        assert set(found.needs) <= {"c", "c++", "libclang", "cmake", "make", "perl", "protoc", "gfortran"}, name
        assert not found.crossed or (found.needs == ("c",) and found.certainty == "tried"), name


@pytest.mark.parametrize("row", rows("natives"), ids=lambda row: row["crates"].split()[0])
def test_native_rows_say_what_each_build_needs(row: dict[str, Any]) -> None:
    if row["verdict"].startswith("static-ok") and row.get("needs"):
        assert {"apt", "apk"} <= set(row)
    if "system" in row:
        assert {"system_apk", "runtime_apt", "runtime_apk"} <= set(row)
    if "runtime_apt" in row or "runtime_apk" in row:
        assert {"runtime_apt", "runtime_apk"} <= set(row)
    if "vendored_by" in row:
        assert row["features"]
    if "shared" in row:
        assert row["runtime_apt"]


FAMILIES = """
openssl-sys native-tls openssl | ring | aws-lc-sys aws-lc-fips-sys | libsqlite3-sys | libz-sys | libz-ng-sys | zstd-sys
bzip2-sys lzma-sys liblzma-sys lz4-sys | libgit2-sys git2 | libssh2-sys | curl-sys | librocksdb-sys rocksdb | pq-sys pq-src
mysqlclient-sys | rdkafka-sys | onig_sys | tikv-jemalloc-sys jemalloc-sys | libmimalloc-sys mimalloc | snmalloc-rs | bindgen clang-sys
prost-build tonic-build protobuf-src | grpcio-sys | opencv | tch torch-sys | ort | cudarc cust | gstreamer-sys glib-sys gio-sys
gtk-sys gdk-sys cairo-sys-rs pango-sys | libdbus-sys | libudev-sys udev | alsa-sys | libsystemd-sys | x11 xcb wayland-sys | pyo3 | v8
deno_core | wasmtime cranelift-codegen | llvm-sys inkwell | openblas-src netlib-src | hdf5-sys | gdal-sys proj-sys geos-sys
tesseract-sys leptonica-sys | ffmpeg-sys-next | libusb1-sys rusb | hidapi | libsodium-sys libsodium-sys-stable | secp256k1-sys blst
sha2-asm blake3 c-kzg | psm stacker | libseccomp-sys libcap-sys pam-sys libgssapi-sys sasl2-sys odbc-sys oracle zmq-sys libfuse-sys
libnfs-sys pcap tss-esapi-sys pcsc fontconfig-sys freetype-sys servo-fontconfig-sys
""".replace("|", " ").split()
"""The families of knowledge §4.2, by the crates that stand for them; those that are Rust alone left out."""


@pytest.mark.parametrize("crate", FAMILIES)
def test_every_family_has_a_row(crate: str) -> None:
    assert natives.lookup(crate) is not None


def test_feature_rows_hang_together() -> None:
    for row in rows("features"):
        known = {name for words in row["features"].values() for name in words.split()}
        for word in known:
            package, slash, _ = word.removeprefix("dep:").partition("/")
            if slash or word.startswith("dep:"):
                assert package.removesuffix("?") in row["dependencies"], (row["name"], word)
            else:
                assert word in row["features"], (row["name"], word)
        if "vendored_openssl" in row:
            assert row["vendored_openssl"] in row["features"]


def test_which_openssl_is_compiled() -> None:
    names = {
        version: features.openssl_series(version).name
        for version in ("0.9.83", "0.9.70", "0.9.92", "0.9.93", "0.9.118")
    }
    assert list(names.values()) == ["OpenSSL 1.1.1", "OpenSSL 3", "OpenSSL 1.1.1", "OpenSSL 3", "OpenSSL 3"]
    assert features.openssl_series("0.9.92").note
    assert not features.openssl_series("0.9.118").note


def test_a_feature_row_holds_for_its_versions() -> None:
    assert features.lookup("reqwest", "0.12.28") != features.lookup("reqwest", "0.13.5")
    assert features.lookup("reqwest", "0.10.10") is None
    assert features.lookup("libgit2-sys", "0.18.8+1.9.7") is not None


def test_build_inputs_are_patterns_of_one_segment() -> None:
    for row in rows("buildfiles"):
        assert not any("/" in name for name in row["names"].split())
        assert row["why"]
    assert buildfiles.is_build_input("src")


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.name)
def test_views_are_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < 400


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda path: path.name)
def test_tables_are_plain_toml(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert tomllib.loads(text)
    assert "\t" not in text
    assert text.endswith("\n")


LOOKED_THROUGH = "2026-11-28"
"""When the releases were last compared with their sources"""


@pytest.mark.parametrize(
    "facts",
    [*families().values(), *rows("images"), *rows("images_other")],
    ids=[*families(), *(row["repositories"].split()[0] for name in ("images", "images_other") for row in rows(name))],
)
def test_what_has_ended_is_marked(facts: dict[str, Any]) -> None:
    whole = images._inherit(facts)
    for name, release in facts.get("releases", {}).items():
        eol = images._release_facts(release).get("eol", "")
        if eol:
            assert (name in whole.get("ended", "").split()) == (eol <= LOOKED_THROUGH), name

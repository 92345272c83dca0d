"""What a crate without a Cargo.lock brings; the expectations are what `cargo tree` says of the same manifests."""

from __future__ import annotations

import pytest

from dockerslim_lint.facts.crate.members import Dependency
from dockerslim_lint.facts.crate.reach import Reach
from dockerslim_lint.facts.crate.unlocked import brought


def entry(name: str, version: str, *features: str) -> Dependency:
    """An entry of ``[dependencies]``; `features` without ``default`` switch the default ones off, none at all leave them on."""
    default = not features or "default" in features
    asked = tuple(one for one in features if one not in ("default", "none"))
    return Dependency(name, name, "normal", False, default, asked, None, Reach.YES, version)


@pytest.mark.parametrize(
    ("name", "version", "features", "openssl"),
    [
        ("mysql", "20", (), True),
        ("mysql", "24", (), True),
        ("mysql", "24", ("minimal",), False),
        ("mysql", "26", (), False),
        ("mysql", "26", ("default", "native-tls"), True),
        ("mysql_async", "0.34", (), True),
        ("mysql_async", "0.34", ("minimal",), False),
        ("mysql_async", "0.36", (), False),
        ("mysql_async", "0.36", ("default", "native-tls-tls"), True),
        ("redis", "0.25", (), False),
        ("redis", "0.25", ("default", "tokio-comp"), False),
        ("redis", "0.25", ("default", "tokio-native-tls-comp"), True),
        ("redis", "0.25", ("default", "tokio-rustls-comp"), False),
        ("redis", "0.21", ("default", "tls"), True),
        ("tokio-tungstenite", "0.21", (), False),
        ("tokio-tungstenite", "0.21", ("default", "native-tls"), True),
        ("tokio-tungstenite", "0.21", ("default", "rustls-tls-webpki-roots"), False),
        ("async-tungstenite", "0.25", ("default", "tokio-runtime"), False),
        ("async-tungstenite", "0.25", ("default", "tokio-native-tls"), True),
        ("mongodb", "2.8", (), False),
        ("mongodb", "2.8", ("default", "openssl-tls"), True),
        ("tiberius", "0.12", (), True),
        ("tiberius", "0.12", ("rustls",), False),
        ("actix-web", "4", (), False),
        ("actix-web", "4", ("default", "openssl"), True),
        ("actix-web", "4", ("default", "rustls-0_23"), False),
        ("awc", "3", ("default", "openssl"), True),
        ("poem", "3", (), False),
        ("poem", "3", ("default", "native-tls"), True),
        ("poem", "3", ("default", "rustls"), False),
        ("elasticsearch", "8.5.0-alpha.1", (), True),
        ("elasticsearch", "8.5.0-alpha.1", ("rustls-tls",), False),
        ("sentry", "0.32", (), True),
        ("sentry", "0.32", ("backtrace", "reqwest", "rustls"), False),
        ("sentry", "0.23", (), True),
        ("web3", "0.19", (), True),
        ("web3", "0.19", ("http-rustls-tls",), False),
        ("kube", "0.80", (), True),
        ("kube", "0.80", ("client", "rustls-tls"), False),
        ("kube", "0.84", (), True),
        ("kube", "0.96", (), False),
        ("azure_core", "0.20", (), False),
        ("azure_storage_blobs", "0.20", (), True),
        ("azure_storage_blobs", "0.20", ("enable_reqwest_rustls",), False),
        ("kube", "0.96", ("default", "openssl-tls"), True),
        ("rust-s3", "0.37", (), True),
        ("rust-s3", "0.37", ("tokio-rustls-tls",), False),
        ("oauth2", "4", (), False),
        ("serenity", "0.12", (), False),
        ("serenity", "0.12", ("client", "gateway", "native_tls_backend"), True),
        ("axum-server", "0.7", ("default", "tls-openssl"), True),
        ("axum-server", "0.7", ("default", "tls-rustls"), False),
        ("imap", "2", (), True),
        ("imap", "2", ("none",), False),
        ("surf", "2", (), True),
        ("surf", "2", ("h1-client-rustls",), False),
        ("isahc", "1", (), True),
    ],
)
def test_who_brings_openssl(name: str, version: str, features: tuple[str, ...], openssl: bool) -> None:
    assert ("openssl-sys" in brought([entry(name, version, *features)])) is openssl


def test_a_version_that_the_catalogue_does_not_know_brings_nothing_sure() -> None:
    assert set(brought([entry("mysql", "2")])) == {"mysql"}


def test_duckdb_brings_a_library_of_cxx() -> None:
    assert "libduckdb-sys" in brought([entry("duckdb", "1", "default", "bundled")])

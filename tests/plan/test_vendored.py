"""OpenSSL compiled from source by a feature on the call, and both branches where features do not decide."""

from __future__ import annotations

import pytest

from dockerslim_lint.candidates import find_candidates
from dockerslim_lint.config import Settings
from dockerslim_lint.context import MemoryContext
from dockerslim_lint.source import Source
from tests.facts.reading import MANIFEST, locked
from tests.plan.test_edits import rewritten
from tests.plan.test_withheld import CLASSIC, reason

VENDORED = "distroless/static, vendored OpenSSL"

OPENSSL = locked(openssl="openssl-sys =0.10.82", openssl__sys="cc =0.9.118", cc="")

CHEF = """\
FROM rust:1 AS chef
RUN cargo install cargo-chef
WORKDIR /app
FROM chef AS planner
COPY . .
RUN cargo chef prepare --recipe-path recipe.json
FROM chef AS builder
COPY --from=planner /app/recipe.json recipe.json
RUN cargo chef cook --release --recipe-path recipe.json
COPY . .
RUN cargo build --release
FROM debian:bookworm-slim
COPY --from=builder /app/target/release/app /usr/local/bin/app
CMD ["app"]
"""


def choices(text: str, files: dict[str, str], settings: Settings = Settings()) -> list[str]:  # noqa: B008
    """What would be tried, in order."""
    context = MemoryContext({path: body.encode() for path, body in files.items()})
    return [one.fix.choice for one in find_candidates(Source(text.encode()), context, settings)]


def cost(text: str, files: dict[str, str]) -> str:
    context = MemoryContext({path: body.encode() for path, body in files.items()})
    return find_candidates(Source(text.encode()), context, Settings())[0].fix.cost


def manifest(files: dict[str, str], dependencies: str) -> dict[str, str]:
    return {**files, "Cargo.toml": MANIFEST + dependencies}


def test_before_the_branch_that_keeps_glibc() -> None:
    assert choices(CLASSIC, OPENSSL) == [VENDORED, "distroless/cc", "debian-slim"]
    assert choices(CLASSIC, OPENSSL, Settings(prefer=("distroless/cc",))) == ["distroless/cc", VENDORED, "debian-slim"]


def test_what_is_written() -> None:
    after = rewritten(CLASSIC.replace("rust:1 ", "rust:1-slim "), OPENSSL)
    assert "RUN apt-get update && apt-get install -y --no-install-recommends make musl-tools perl\n" in after
    assert 'cargo build --release --features openssl/vendored --target "$(uname -m)"-unknown-linux-musl\n' in after
    assert "FROM gcr.io/distroless/static-debian13\n" in after


def test_the_series_is_named() -> None:
    assert "OpenSSL 3 becomes part of the program (openssl/vendored)" in cost(CLASSIC, OPENSSL)
    old = locked(openssl="openssl-sys =0.10.45", openssl__sys="cc =0.9.83", cc="")
    assert "OpenSSL 1.1.1, which has had no fixes since September 2023" in cost(CLASSIC, old)


def test_what_is_written_is_understood() -> None:
    after = rewritten(CLASSIC, OPENSSL)
    assert choices(after, OPENSSL) == []
    back = after.replace("gcr.io/distroless/static-debian13", "debian:bookworm-slim")
    assert rewritten(back, OPENSSL) == after


def test_cooks_get_the_feature_too() -> None:
    after = rewritten(CHEF, OPENSSL)
    lines = [line for line in after.splitlines() if "--features openssl/vendored" in line]
    assert [("cook" in line, "--target" in line) for line in lines] == [(True, True), (False, True)]
    assert "cargo install cargo-chef\n" in after


@pytest.mark.parametrize(
    ("call", "feature"),
    [
        ("cargo build --release --features fast", "--features fast --features openssl/vendored"),
        ("cargo build --release --locked", "--locked --features openssl/vendored"),
        ("cargo build --release --bin app", "--bin app --features openssl/vendored"),
    ],
)
def test_beside_other_arguments(call: str, feature: str) -> None:
    files = manifest(OPENSSL, '[features]\nfast = []\n[dependencies]\nopenssl = "0.10"\n')
    assert feature in rewritten(CLASSIC.replace("cargo build --release", call), files)


def test_by_the_name_that_the_manifest_has_for_it() -> None:
    files = manifest(OPENSSL, '[dependencies]\nssl = { package = "openssl", version = "0.10" }\n')
    assert "--features ssl/vendored" in rewritten(CLASSIC, files)


REQWEST = locked(
    reqwest="native-tls =0.12.28",
    native__tls="openssl openssl-sys =0.2.18",
    openssl="openssl-sys =0.10.82",
    openssl__sys="=0.9.118",
)


def test_the_feature_of_a_client() -> None:
    assert "--features reqwest/native-tls-vendored" in rewritten(CLASSIC, REQWEST)
    rustls = manifest(REQWEST, '[dependencies]\nreqwest = { version = "0.12", default-features = false }\n')
    assert choices(CLASSIC, rustls) == ["distroless/static", "alpine", "distroless/cc", "debian-slim"]


@pytest.mark.parametrize(
    ("change", "files"),
    [
        # through another crate, which has no such feature
        (("", ""), locked(client="openssl", openssl="openssl-sys =0.10.82", openssl__sys="=0.9.118")),
        # nothing is fetched
        (("cargo build", "cargo build --offline"), OPENSSL),
        (("cargo build", "cargo build --frozen"), OPENSSL),
        (("RUN cargo", "ENV CARGO_NET_OFFLINE=true\nRUN cargo"), OPENSSL),
        # another crate is in the way
        (("", ""), locked(openssl="openssl-sys alsa-sys =0.10.82", openssl__sys="=0.9.118", alsa__sys="")),
        # somebody chose
        (("FROM debian", "# musl has a slow allocator\nFROM debian"), OPENSSL),
    ],
)
def test_where_it_is_not_offered(change: tuple[str, str], files: dict[str, str]) -> None:
    assert VENDORED not in choices(CLASSIC.replace(*change), files)


def test_two_packages_have_no_common_name_for_it() -> None:
    files = {
        "Cargo.toml": '[workspace]\nmembers = ["app", "other"]\nresolver = "2"\n',
        "app/Cargo.toml": MANIFEST + '[dependencies]\nopenssl = "0.10"\n',
        "app/src/main.rs": "fn main() {}\n",
        "other/Cargo.toml": MANIFEST.replace('"app"', '"other"'),
        "other/src/main.rs": "fn main() {}\n",
        "Cargo.lock": OPENSSL["Cargo.lock"] + '[[package]]\nname = "other"\nversion = "0.1.0"\n',
    }
    assert VENDORED not in choices(CLASSIC, files)
    one = CLASSIC.replace("--release", "--release -p app")
    assert "-p app --features openssl/vendored" in rewritten(one, files)
    old = {**files, "Cargo.toml": files["Cargo.toml"].replace('"2"', '"1"')}
    assert VENDORED not in choices(one, old)


UNSURE = '[features]\nsecure = ["client/tls"]\n[dependencies]\nclient = "1"\n'


def test_both_branches_where_it_is_not_known() -> None:
    files = locked(client="openssl", openssl="openssl-sys =0.10.82", openssl__sys="=0.9.118")
    assert choices(CLASSIC, files) == ["distroless/cc", "debian-slim"]
    unsure = manifest(files, UNSURE)
    assert choices(CLASSIC, unsure) == ["distroless/static", "alpine", "distroless/cc", "debian-slim"]
    assert cost(CLASSIC, unsure).count("fails if a feature brings it") == 1
    assert "it: the locked crate openssl-sys links the system's library" in cost(CLASSIC, unsure)
    sure = CLASSIC.replace("--release", "--release --features secure")
    assert choices(sure, unsure) == ["distroless/cc", "debian-slim"]


def test_what_is_left_out_does_not_decide() -> None:
    optional = manifest(OPENSSL, '[dependencies]\nopenssl = { version = "0.10", optional = true }\n')
    assert choices(CLASSIC, optional) == ["distroless/static", "alpine", "distroless/cc", "debian-slim"]
    assert "fails" not in cost(CLASSIC, optional)
    with_it = CLASSIC.replace("--release", "--release --features openssl")
    assert choices(with_it, optional) == [VENDORED, "distroless/cc", "debian-slim"]
    assert "OpenSSL" not in reason(CLASSIC.replace("FROM debian", "# not musl\nFROM debian"), optional)


def test_a_library_that_is_compiled_is_not_needed_at_run_time() -> None:
    compiled = locked(pq__sys="pq-src", pq__src="cc", cc="")
    assert choices(CLASSIC, compiled) == ["distroless/static", "alpine", "distroless/cc", "debian-slim"]
    assert choices(CLASSIC, locked(pq__sys="pkg-config", pkg__config="")) == ["debian-slim"]

"""What somebody found who judged real Dockerfiles without knowing the code, the fourth time; each in a few lines of our own."""

from __future__ import annotations

import json

import pytest

from tests.facts.reading import locked, read
from tests.plan.test_fresh_eyes_l import said
from tests.plan.test_native_code import choice
from tests.plan.test_withheld import CLASSIC, LOCK, fix

MEMBER = '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n'
ROOT = '[workspace]\nmembers = ["apps/app"]\nresolver = "2"\n'
FILES = {"Cargo.toml": ROOT, "apps/app/Cargo.toml": MEMBER, "apps/app/src/main.rs": "fn main() {}\n"}

ALONE = """\
FROM rust:1.89 AS build
WORKDIR /src
COPY ./apps/app apps/app
WORKDIR /src/apps/app
RUN cargo build --release
FROM debian:bookworm-slim
COPY --from=build /src/apps/app/target/release/app /usr/local/bin/
CMD ["app"]
"""


@pytest.mark.parametrize(
    ("old", "new", "root"),
    [
        ("", "", "apps/app"),
        ("COPY ./apps/app apps/app", "COPY ./apps/app apps/app\nCOPY Cargo.toml ./", ""),
        ("COPY ./apps/app apps/app", "COPY . .", ""),
        ("COPY ./apps/app apps/app", "COPY . /else\nCOPY ./apps/app apps/app", "apps/app"),
        ("RUN cargo", "RUN printf '[workspace]' > /src/Cargo.toml && cargo", ""),
        ("RUN cargo", "RUN ./prepare && cargo", ""),
        ("RUN cargo", "RUN apt-get update && cargo", "apps/app"),
        ("RUN cargo", "RUN --mount=type=bind,source=Cargo.toml,target=/src/Cargo.toml cargo", ""),
    ],
)
def test_a_workspace_counts_where_its_manifest_is_copied(old: str, new: str, root: str) -> None:
    build = read(ALONE.replace(old, new, 1), FILES)
    assert build.calls[0].target_directory == f"/src/{root}/target".replace("//", "/")
    crate = build.crates[0]
    assert crate is not None and crate.root == root and crate.binaries == ("app",)


@pytest.mark.parametrize(
    "needs", ["version.workspace = true\n", 'workspace = "../.."\n', "[lints]\nworkspace = true\n"]
)
def test_a_package_that_leans_on_its_workspace_is_read_with_it(needs: str) -> None:
    files = {**FILES, "apps/app/Cargo.toml": MEMBER.replace('version = "0.1.0"\n', "") + needs}
    crate = read(ALONE, files).crates[0]
    assert crate is not None and crate.root == ""


def test_a_library_in_the_image_speaks_for_its_crate_where_the_builder_has_the_headers() -> None:
    """diesel is not known in this version, and another member has it too: whether this one links it cannot be told."""
    files = locked(diesel="=1.4.8 pq-sys", pq__sys="=0.4.8")
    other = '[package]\nname = "other"\nversion = "0.1.0"\nedition = "2021"\n[dependencies]\ndiesel = { version = "1", features = ["postgres"] }\n'
    files["Cargo.toml"] += '[workspace]\nmembers = ["other"]\n'
    files |= {"other/Cargo.toml": other, "other/src/main.rs": "fn main() {}\n"}
    files["Cargo.lock"] += '[[package]]\nname = "other"\nversion = "0.1.0"\ndependencies = ["diesel"]\n'
    text = CLASSIC.replace("rust:1 ", "rust:1-bookworm ").replace("cargo build", "cargo build -p app")
    final = "RUN apt-get update && apt-get install -y {}\nCOPY --from"
    assert "static" in choice(text, files)
    assert "static" in choice(text.replace("COPY --from", final.format("libxml2")), files)
    assert choice(text.replace("COPY --from", final.format("libpq5")), files) == "debian-slim"
    slim = text.replace("rust:1-bookworm", "rust:1-slim-bookworm")
    assert "static" in choice(slim.replace("COPY --from", final.format("libpq5")), files)


def test_of_two_versions_the_one_that_is_named_has_to_bring_openssl() -> None:
    registry = 'source = "registry+https://github.com/rust-lang/crates.io-index"\n'
    packages = (
        ("app", "0.1.0", ("reqwest 0.11.27", "sdk")),
        ("sdk", "1.0.0", ("reqwest 0.12.28",)),
        ("reqwest", "0.11.27", ("rustls",)),
        ("reqwest", "0.12.28", ("native-tls",)),
        ("rustls", "0.21.0", ()),
        ("native-tls", "0.2.14", ("openssl-sys",)),
        ("openssl-sys", "0.9.109", ()),
    )
    lock = "version = 4\n" + "".join(
        f'[[package]]\nname = "{name}"\nversion = "{version}"\n{registry if name != "app" else ""}dependencies = {json.dumps(needs)}\n'
        for name, version, needs in packages
    )
    own = '[dependencies]\nsdk = "1"\nreqwest = { version = "0.11", default-features = false, features = ["rustls-tls"] }\n'
    files = {"Cargo.toml": MEMBER + own, "Cargo.lock": lock, "src/main.rs": "fn main() {}\n"}
    assert choice(CLASSIC, files) == "distroless/cc"
    swapped = lock.replace('["rustls"]', '["NT"]').replace('["native-tls"]', '["rustls"]').replace("NT", "native-tls")
    native = own.replace("rustls-tls", "native-tls")
    assert "vendored" in choice(CLASSIC, {**files, "Cargo.toml": MEMBER + native, "Cargo.lock": swapped})


def test_manifests_that_are_copied_below_the_root_are_crates_too() -> None:
    text = ALONE.replace(
        "COPY ./apps/app apps/app\nWORKDIR /src/apps/app", "COPY apps apps\nRUN printf '[workspace]' > Cargo.toml"
    )
    text = text.replace("/src/apps/app/target", "/src/target")
    assert choice(text, {}) == "distroless/static"
    assert choice(text, {"apps/README.md": "", "x/Cargo.toml": MEMBER}) == "distroless/static"
    assert choice(text, {"apps/app/Cargo.toml": MEMBER, "apps/app/src/main.rs": ""}) == "distroless/cc"


HANDED = """\
FROM rust:1.89 AS build
WORKDIR /src
COPY . .
RUN cargo build --release
FROM rust:1.89
COPY --from=build /src/target/release/app /usr/local/bin/
"""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (HANDED, True),
        (HANDED + "EXPOSE 80\n", True),
        (HANDED + 'CMD ["app"]\n', True),
        (HANDED + 'CMD ["bash"]\n', False),
        (HANDED + "RUN rustup component add clippy\n", False),
        (HANDED.replace("rust:1.89\nCOPY", "build\nCOPY"), False),
        (HANDED.replace("/usr/local/bin/", "/usr/local/cargo/bin/"), False),
        (HANDED.replace("COPY . .", "RUN git clone https://example.com/app ."), False),
        (HANDED.replace("cargo build --release", "cargo install --root /src/target/release app"), False),
    ],
)
def test_a_program_handed_over_to_a_toolchain_image(text: str, found: bool) -> None:
    files = {"Cargo.toml": MEMBER, "src/main.rs": "fn main() {}\n"}
    assert bool(said("DSL202", text, files)) is found
    tool = {**files, "Cargo.toml": MEMBER.replace('"app"', '"cargo-app"')}
    assert not said("DSL202", HANDED.replace("release/app", "release/cargo-app"), tool)


DEBUG = CLASSIC.replace("cargo build --release", "cargo build").replace("/release/", "/debug/")


@pytest.mark.parametrize(
    ("text", "stripped"),
    [
        (DEBUG, True),
        (DEBUG.replace("debian:bookworm-slim", "debian:bookworm-slim AS dev"), False),
        (CLASSIC.replace("debian:bookworm-slim", "debian:bookworm-slim AS dev"), True),
        (
            DEBUG.replace("cargo build", "cargo install --debug --path .").replace(
                "/app/target/debug", "/usr/local/cargo/bin"
            ),
            False,
        ),
    ],
)
def test_a_build_that_is_meant_for_debugging_keeps_its_symbols(text: str, stripped: bool) -> None:
    files = {"Cargo.toml": MEMBER, "src/main.rs": "fn main() {}\n", "Cargo.lock": LOCK.format("itoa")}
    assert bool(said("DSL201", text, files)) is stripped
    assert ("_STRIP" in fix(text, files).source.data.decode()) is stripped


PACKED = """\
FROM rust:1-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release
FROM ubuntu:24.04 AS pack
COPY --from=build /src/target/release/app /out/app
RUN tar -czf /app.tar.gz /out
FROM ubuntu:24.04
COPY --from=build /src/target/release/app /usr/local/bin/app
CMD ["app"]
"""


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (PACKED, 1),
        (PACKED.replace("RUN tar", "ENTRYPOINT /out/app\nRUN tar"), 2),
        (PACKED.replace("tar -czf", "tar --create --file"), 1),
        (PACKED.replace("tar -czf /app.tar.gz", "zip -r /app.zip"), 1),
        (PACKED.replace("tar -czf /app.tar.gz /out", "mkdir /data"), 2),
        (PACKED.replace("tar -czf", "tar -xzf"), 2),
        (PACKED.replace("tar -czf", "tar --extract --file"), 2),
        (PACKED[: PACKED.index("FROM ubuntu:24.04\n")], 1),
    ],
)
def test_a_stage_that_packs_an_archive_is_no_image(text: str, count: int) -> None:
    files = {"Cargo.toml": MEMBER, "src/main.rs": "fn main() {}\n"}
    assert len(said("DSL101", text, files)) == count

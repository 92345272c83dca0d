"""DSL108."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dockerslim_lint.facts.model import GNU_DYNAMIC
from dockerslim_lint.rule import Finding, ImageBuild, Invalid, Plan, Rule, Severity, Valid, labels_of_calls

if TYPE_CHECKING:
    from dockerslim_lint.catalog import natives

MANIFEST = '[package]\nname = "app"\nversion = "0.1.0"\nedition = "2021"\n[dependencies]\nnative-tls = "0.2"\n'
LOCK = """\
version = 4
[[package]]
name = "app"
version = "0.1.0"
dependencies = ["native-tls"]
[[package]]
name = "native-tls"
version = "0.2.12"
dependencies = ["openssl", "openssl-sys"]
[[package]]
name = "openssl"
version = "0.10.68"
dependencies = ["openssl-sys"]
[[package]]
name = "openssl-sys"
version = "0.9.104"
"""
FILES = {"Cargo.toml": MANIFEST, "Cargo.lock": LOCK, "src/main.rs": "fn main() {}\n"}
PQ = {**FILES, "Cargo.lock": LOCK.replace("openssl-sys", "pq-sys")}
VENDORED = {
    **FILES,
    "Cargo.toml": MANIFEST.replace('"0.2"', '{ version = "0.2", features = ["vendored"] }'),
    "Cargo.lock": LOCK + 'dependencies = ["openssl-src"]\n[[package]]\nname = "openssl-src"\n',
}
OPTIONAL = {**FILES, "Cargo.toml": MANIFEST.replace('"0.2"', '{ version = "0.2", optional = true }')}

SLIM = """\
FROM rust:1-bookworm AS builder
WORKDIR /app
COPY . .
RUN cargo build --release
FROM debian:bookworm-slim
COPY --from=builder /app/target/release/app /usr/local/bin/app
CMD ["app"]
"""
OLD = SLIM.replace("rust:1-bookworm", "rust:1.57-bullseye")
SSL3 = OLD.replace(
    "COPY --f", "RUN apt-get update && apt-get install -y libssl3 && rm -rf /var/lib/apt/lists/*\nCOPY --f"
)


class MissingLibrary(Rule):
    """The program links a shared library that the final image lacks: it does not start.

    `error while loading shared libraries: libssl.so.3: cannot open shared object file`. The builder had the library and its
    headers (libssl-dev, libpq-dev …), the final image has neither. It is known from Cargo.lock and from the features that the
    call and the manifests switch on: openssl-sys without openssl-src, pq-sys without pq-src, libudev-sys, alsa-sys in a
    glibc build. Releases of Debian have other versions of a library, under other file names: what is built on bullseye links
    libssl.so.1.1, and the libssl3 of bookworm does not help it. Build and ship on one release.

    Install the library's package in the final stage, let the crate compile its own (`vendored`, `bundled`), or do without it
    (rustls). Nothing is said where only another program of the workspace may link it, one that `-p ${APP}` can mean included.

    **Fix safety.** There is no fix of its own; what the linkage rules offer takes the library into account.
    """

    CODE = "DSL108"
    NAME = "missing-library"
    SEVERITY = Severity.WARNING

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        from dockerslim_lint.catalog import natives

        for image in build.images:
            stage = build.stages[image.stage]
            word = build.stages[image.chain[0]].word
            seen: set[str] = set()
            for path, artifact in image.artifacts:
                crate = build.crates[artifact.call] if artifact.call is not None else None
                if crate is None or word is None or artifact.link != GNU_DYNAMIC or artifact.call is None:
                    continue
                linkage, command = crate.linkage, build.calls[artifact.call].command
                if linkage is None or any("_STATIC" in name for name in command.variables):
                    continue
                release = build.stages[command.stage].release
                for name in sorted(linkage.sure):
                    native = natives.lookup(name)
                    if native is None or not native.shared or native.shared in seen or not name.endswith("-sys"):
                        continue
                    own = native.vendored_by and linkage.leads(name, native.vendored_by)
                    lacks = image.inside.library(native.runtime_apt, release) is False
                    if own or not lacks or not crate.surely_links(artifact.name, name):
                        continue
                    seen.add(native.shared)
                    file, note = _names(native, release, stage.release)
                    yield self.finding(
                        f"{path.rsplit('/', 1)[-1]} links {file} (by {name}), and nothing puts it on"
                        f" {stage.base_reference}: the image does not start.",
                        word.span,
                        note=note,
                        labels=labels_of_calls(build, [(path, artifact)], f"{name} takes the builder's library"),
                    )

    INVALID = (
        Invalid(SLIM, line=5, files=FILES),
        Invalid(SLIM.replace("debian:bookworm-slim", "gcr.io/distroless/cc-debian12"), line=5, files=PQ),
        Invalid(SLIM.replace("debian:bookworm-slim", "ubuntu:24.04"), line=5, files=PQ),
        Invalid(OLD, line=5, files=FILES),
        Invalid(SSL3, line=5, files=FILES),
        Invalid(OLD.replace("debian:bookworm-slim", "gcr.io/distroless/cc-debian12"), line=5, files=FILES),
    )

    VALID = (
        Valid(near=0, text=SLIM.replace("COPY --f", "RUN apt-get install -y libssl3\nCOPY --f"), files=FILES),
        Valid(near=0, text=SLIM.replace("CMD", "COPY --from=builder /usr/lib/libssl.so.3 /usr/lib/\nCMD"), files=FILES),
        Valid(near=0, text=SLIM.replace("RUN cargo", "RUN OPENSSL_STATIC=1 cargo"), files=FILES),
        Valid(near=0, text=SLIM.replace("--release\n", "--release --features native-tls/vendored\n"), files=FILES),
        Valid(near=0, text=SLIM.replace("--release\n", "--release --no-default-features\n"), files=OPTIONAL),
        Valid(near=0, text=SLIM.replace("debian:bookworm-slim", "gcr.io/distroless/cc-debian12"), files=FILES),
        Valid(near=0, text=SLIM.replace("debian:bookworm-slim", "debian:trixie-slim"), files=FILES),
        Valid(near=0, text=SLIM.replace("rust:1-bookworm", "rust:1-alpine"), files=FILES),
        Valid(near=0, text=SLIM, files=VENDORED),
        Valid(near=0, text=SLIM, files={**FILES, "Cargo.toml": MANIFEST.replace("[dep", "[dev-dep")}),
        Valid(near=0, text=SLIM),
        Valid(near=3, text=OLD.replace("bookworm", "bullseye"), files=FILES),
        Valid(near=4, text=SSL3.replace("rust:1.57-bullseye", "rust:1-trixie"), files=FILES),
        Valid(near=4, text=SSL3.replace("libssl3", "libssl1.1"), files=FILES),
        Valid(near=4, text=SSL3.replace("bookworm-slim", "bullseye-slim").replace("libssl3", "curl"), files=FILES),
        Valid(near=5, text=OLD.replace("debian:bookworm-slim", "gcr.io/distroless/cc-debian11"), files=FILES),
        Valid(near=1, text=SLIM.replace("debian:bookworm-slim", "gcr.io/distroless/cc-debian12"), files=FILES),
    )


def _names(native: natives.Native, built: str, shipped: str) -> tuple[str, str]:
    """The file that a program built in a release links, and what is missing."""
    from dockerslim_lint.catalog import debian

    known = debian.library(native.runtime_apt[0]) if native.runtime_apt else None
    if known is None:
        return native.shared, f"needs {' or '.join(native.runtime_apt)}"
    if known.differs(built, shipped):
        note = f"{built} has {known.runtime[built][0]}, {shipped} has {known.runtime[shipped][0]}"
    else:
        note = f"needs {' or '.join(known.of(built) or native.runtime_apt)}"
    return known.file(built, native.shared), note

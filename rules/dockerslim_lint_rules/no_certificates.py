"""DSL401."""

from __future__ import annotations

from collections.abc import Iterator

from dockerslim_lint.facts.model import FinalImage
from dockerslim_lint.rule import Finding, Fixes, ImageBuild, Invalid, Plan, Rule, Severity, Valid, labels_of_calls

MANIFEST = """\
[package]
name = "app"
version = "0.1.0"
edition = "2021"
[dependencies]
reqwest = { version = "0.12", default-features = false, features = ["rustls-tls-native-roots"] }
"""
LOCK = """\
version = 4
[[package]]
name = "app"
version = "0.1.0"
dependencies = ["reqwest"]
[[package]]
name = "reqwest"
version = "0.12.9"
dependencies = ["rustls-native-certs"]
[[package]]
name = "rustls-native-certs"
version = "0.8.1"
"""
FILES = {"Cargo.toml": MANIFEST, "Cargo.lock": LOCK, "src/main.rs": "fn main() {}\n"}

SLIM = """\
FROM rust:1-bookworm AS builder
WORKDIR /app
COPY . .
RUN cargo build --release
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y libssl3
COPY --from=builder /app/target/release/app /usr/local/bin/app
CMD ["app"]
"""

SCRATCH = """\
FROM rust:1-alpine AS builder
WORKDIR /app
COPY . .
RUN cargo build --release
FROM scratch
COPY --from=builder /app/target/release/app /app
CMD ["/app"]
"""


BUNDLES = "/etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt"


class NoCertificates(Rule):
    """The program asks the system for certificate authorities, and the image has none.

    `rustls-native-certs`, `native-tls` and what is built on them (reqwest, sqlx, tonic …) read /etc/ssl/certs. debian and
    ubuntu images have nothing there, and scratch has no such directory: the first https call fails with `unable to get
    local issuer certificate`, `UnknownIssuer` or `no native root CA certificates found`, long after the image was built.

    Install `ca-certificates` in the final stage, `COPY --from=builder /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/`,
    or take a base that has them (distroless, alpine). `webpki-roots` brings the roots inside the program.

    It speaks only where Cargo.lock can be read and a normal dependency of the crate leads to such a client.

    **Fix safety.** Needs a proof: `ca-certificates` is installed with what the image installs anyway, else the builder's
    bundle is copied. A rewrite to another base brings the certificates along.
    """

    CODE = "DSL401"
    NAME = "no-certificates"
    SEVERITY = Severity.WARNING

    def check(self, build: ImageBuild, plan: Plan) -> Iterator[Finding]:
        for image in build.images:
            stage = build.stages[image.stage]
            word = build.stages[image.chain[0]].word
            known = any(artifact.call is not None and build.crates[artifact.call] for _, artifact in image.artifacts)
            if word is None or not known or image.inside.certificates is not False:
                continue
            from dockerslim_lint.catalog import needs

            for path, artifact in image.artifacts:
                crate = build.crates[artifact.call] if artifact.call is not None else None
                if crate is None or needs.brings("certificates", crate.packages or ()):
                    continue
                readers = needs.needing("certificates", crate.linked or ())
                wanting = [name for name in readers if crate.links(artifact.name, name)]
                if not wanting:
                    continue
                name = path.rsplit("/", 1)[-1]
                yield self.finding(
                    f"{name} links {wanting[0]}, which reads the system's certificate authorities, and the image on"
                    f" {stage.base_reference} has none: TLS connections fail.",
                    word.span,
                    note="no /etc/ssl/certs here",
                    labels=labels_of_calls(build, [(path, artifact)], f"links {', '.join(wanting)}"),
                    fixes=self._bring(build, plan, image, artifact.call or 0),
                )
                break

    @staticmethod
    def _bring(build: ImageBuild, plan: Plan, image: FinalImage, call: int) -> Fixes:
        from dockerslim_lint.plan.blocks.certificates import bring_certificates

        place = build.images.index(image)
        return plan.alone(
            f"certificates:{image.stage}",
            "bring the certificate authorities",
            lambda: bring_certificates(build, image, call),
            lambda after: after.images[place].inside.certificates is not False,
        )

    INVALID = (
        Invalid(SLIM, line=5, fixed=SLIM.replace("libssl3", "libssl3 ca-certificates"), files=FILES),
        Invalid(
            SCRATCH,
            line=5,
            fixed=SCRATCH.replace("FROM scratch", f"FROM scratch\nCOPY --from=builder {BUNDLES}"),
            files=FILES,
        ),
    )

    VALID = (
        Valid(near=0, text=SLIM.replace("libssl3", "libssl3 ca-certificates"), files=FILES),
        Valid(near=0, text=SLIM.replace("libssl3", "libssl3 curl"), files=FILES),
        Valid(near=0, text=SLIM.replace("libssl3", "some-unknown-package"), files=FILES),
        Valid(near=0, text=SLIM.replace("debian:bookworm-slim", "rust:1-slim"), files=FILES),
        Valid(near=0, text=SLIM.replace("debian:bookworm-slim", "example.com/base:1"), files=FILES),
        Valid(near=0, text=SLIM.replace("CMD", "ENV SSL_CERT_FILE=/etc/roots.pem\nCMD"), files=FILES),
        Valid(near=0, text=SLIM, files={**FILES, "Cargo.lock": LOCK.replace("rustls-native-certs", "webpki-roots")}),
        Valid(near=0, text=SLIM, files={**FILES, "Cargo.toml": MANIFEST.replace("[dep", "[dev-dep")}),
        Valid(near=0, text=SLIM, files={**FILES, "Cargo.lock": LOCK + '[[package]]\nname = "webpki-roots"\n'}),
        Valid(near=0, text=SLIM, files={name: text for name, text in FILES.items() if name != "Cargo.lock"}),
        Valid(near=0, text=SLIM),
        Valid(near=1, text=SCRATCH.replace("FROM scratch", "FROM alpine:3.24"), files=FILES),
        Valid(near=1, text=SCRATCH.replace("FROM scratch", "FROM gcr.io/distroless/static-debian13"), files=FILES),
        Valid(
            near=1, text=SCRATCH.replace("CMD", "COPY --from=builder /etc/ssl/certs /etc/ssl/certs\nCMD"), files=FILES
        ),
        Valid(near=1, text=SCRATCH.replace("CMD", "COPY --from=example.com/roots:1 / /\nCMD"), files=FILES),
        Valid(near=1, text=SCRATCH.replace("CMD", "COPY roots.pem /roots.pem\nCMD"), files=FILES),
    )

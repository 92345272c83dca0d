"""Whether a final image may have a C library that its base has not."""

from __future__ import annotations

import pytest

from tests.facts.reading import CRATE, only_image, read

GATHERED = """\
FROM debian:bookworm-slim AS system
FROM rust:1-bookworm AS builder
WORKDIR /app
COPY . .
RUN cargo build --release
{step}
FROM {base}
{copy}
COPY --from=builder /app/target/release/app /app
CMD ["/app"]
"""
LOADER = "/lib64/ld-linux-x86-64.so.2"


def own(
    step: str, copy: str = "COPY --from=builder /r /", base: str = "scratch", files: dict[str, str] = CRATE
) -> bool:
    return only_image(read(GATHERED.format(step=step, copy=copy, base=base), files)).inside.own_libc


@pytest.mark.parametrize(
    "step",
    [
        "RUN mkdir -p /r && cp target/release/app /r/",
        "RUN mkdir -p /r/usr/lib && cp target/release/app /r/ && chmod -R 755 /r",
        "RUN install -D target/release/app /r/usr/bin/app && strip /r/usr/bin/app",
        "RUN rm -rf /r && mkdir /r && cp /etc/passwd /r",
        f"RUN cp {LOADER} /other/",
        "RUN cargo install --path . --root /r",
        "RUN apt-get install -y libssl-dev",
        "COPY src /r/src",
        "COPY --from=system /etc/passwd /r/etc/passwd",
    ],
)
def test_a_directory_without_it(step: str) -> None:
    assert not own(step)


@pytest.mark.parametrize(
    "step",
    [
        f"RUN mkdir -p /r/lib64 && cp {LOADER} /r/lib64/",
        f"RUN mkdir -p /r/lib64; cd /r && cp -L {LOADER} lib64",
        "RUN cp /lib/x86_64-linux-gnu/lib{c.so.6,gcc_s.so.1} /r/lib/",
        "RUN cp -a /lib /lib64 /r/",
        "RUN ldd target/release/app | grep -o '/[^ ]*' | xargs -I{} cp --parents {} /r",
        'RUN for f in $(ldd target/release/app); do cp "$f" /r/; done',
        "RUN cp --parents $(ldd target/release/app | grep -o '/[^ ]*') /r",
        "RUN dnf install -y --installroot /r glibc",
        "RUN ./gather.sh",
        f"COPY --from=system {LOADER} /r/lib64/",
        "COPY --from=debian:bookworm-slim /lib/x86_64-linux-gnu/libc.so.6 /r/lib/",
        "COPY --from=gcr.io/distroless/cc-debian12 / /r",
    ],
)
def test_a_directory_that_may_have_it(step: str) -> None:
    assert own(step)
    assert not own(step, copy="COPY --from=builder /empty/app.toml /etc/")


@pytest.mark.parametrize(
    ("copy", "found"),
    [
        ("COPY rootfs /", False),
        ("COPY run.sh /", False),
        ("ADD run.sh /", False),
        ("ADD run.tar /srv/", False),
        ("ADD rootfs.tar.xz /", True),
        ("COPY glibc /", True),
        ("COPY glibc /srv", False),
        ("COPY --from=builder / /", True),
        ("COPY --from=builder /app/target /target", False),
        ("COPY --from=builder /usr/lib/x86_64-linux-gnu/libpq.so.5 /usr/lib/", True),
        ("RUN ls", False),
        ("COPY --from=example.com/rootfs / /", True),
    ],
)
def test_what_comes_from_elsewhere(copy: str, found: bool) -> None:
    files = {**CRATE, "rootfs/etc/app.toml": "", "run.sh": "", "glibc/lib64/ld-linux-x86-64.so.2": ""}
    assert own("", copy, files=files) is found


def test_a_library_is_no_c_library_where_one_is() -> None:
    copy = "COPY --from=builder /usr/lib/x86_64-linux-gnu/libpq.so.5 /usr/lib/"
    assert not own("RUN ./gather.sh", copy, base="debian:bullseye-slim")

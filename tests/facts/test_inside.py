"""What a final image holds: there, not there, or nobody knows."""

from __future__ import annotations

import pytest

from tests.facts.reading import CRATE, only_image, read

START = """\
FROM rust:1-alpine AS builder
WORKDIR /app
COPY . .
RUN cargo build --release
FROM {base}
COPY --from=builder /app/target/release/app /srv/app
{lines}
CMD ["/srv/app"]
"""


@pytest.mark.parametrize(
    ("base", "lines", "name", "found"),
    [
        ("alpine:3.24", "", "/srv/app", True),
        ("alpine:3.24", "", "app", False),
        ("alpine:3.24", "", "curl", False),
        ("alpine:3.24", "", "wget", None),
        ("alpine:3.24", "", "sleep", None),
        ("alpine:3.24", "RUN apk add --no-cache curl", "curl", None),
        ("alpine:3.24", "RUN apk add --no-cache fancy-tools", "curl", None),
        ("alpine:3.24", "RUN apk add --no-cache ca-certificates", "curl", False),
        ("alpine:3.24", "COPY --from=example.com/tools:1 /bin/ /usr/bin/", "curl", None),
        ("alpine:3.24", "COPY --from=example.com/tools:1 /x /etc/", "curl", False),
        ("alpine:3.24", "ADD rootfs.tar.gz /", "curl", None),
        ("alpine:3.24", "RUN sh /setup.sh", "curl", None),
        ("alpine:3.24", "ENV PATH=$UNKNOWN:/bin", "curl", None),
        ("alpine:3.24", "RUN echo x > /bin/app", "app", None),
        ("alpine:3.24", "RUN chmod +x /srv/app", "app", False),
        ("alpine:$VERSION", "", "curl", None),
        ("alpine:made-up", "", "curl", None),
        ("example.com/alpine", "", "curl", None),
        ("debian:bookworm-slim", "", "curl", False),
        ("debian:bookworm-slim", "", "ps", False),
        ("ubuntu:22.04", "", "ps", None),
        ("ubuntu:22.04", "", "nginx", False),
        ("debian:bookworm-slim", "", "bash", None),
        ("rust:1-slim", "", "curl", False),
        ("rust:1", "", "curl", None),
        ("rust:1-slim", "", "cargo", None),
        ("gcr.io/distroless/static-debian13", "", "sleep", False),
        ("gcr.io/distroless/static-debian13:debug", "", "sleep", None),
        ("scratch", "", "sh", False),
        ("fedora:42", "", "git", None),
    ],
)
def test_programs(base: str, lines: str, name: str, found: bool | None) -> None:
    assert only_image(read(START.format(base=base, lines=lines), CRATE)).inside.program(name, "/") is found


@pytest.mark.parametrize(
    ("base", "lines", "shell"),
    [
        ("alpine", "", True),
        ("scratch", "", False),
        ("gcr.io/distroless/cc-debian13:nonroot", "", False),
        ("gcr.io/distroless/cc-debian13:debug", "", True),
        ("gcr.io/distroless/cc-debian13@sha256:0123", "", None),
        ("scratch", "COPY --from=busybox:musl /bin/sh /bin/sh", None),
        ("scratch", "COPY --from=busybox:musl / /", None),
        ("scratch", "COPY --from=busybox:musl /bin/busybox /srv/busybox", False),
    ],
)
def test_shell(base: str, lines: str, shell: bool | None) -> None:
    assert only_image(read(START.format(base=base, lines=lines), CRATE)).inside.shell is shell


@pytest.mark.parametrize(
    ("base", "lines", "user"),
    [
        ("alpine", "USER app", False),
        ("alpine", "USER nobody", True),
        ("alpine", "USER 1000:1000", True),
        ("alpine", "USER sshd", True),
        ("alpine", "USER www-data", None),
        ("alpine", "RUN adduser -D app\nUSER app", True),
        ("alpine", "RUN adduser -D other\nUSER app", False),
        ("alpine", "RUN apk add made-up\nUSER app", None),
        ("alpine", "ARG WHO\nUSER $WHO", True),
        ("alpine", "ARG WHO=app\nRUN adduser -D $WHO\nUSER app", True),
        ("scratch", "USER root", None),
        ("scratch", "COPY --from=builder /etc/passwd /etc/passwd\nUSER app", None),
        ("scratch", "COPY --from=builder /etc/passwd /etc/\nUSER app", None),
        ("scratch", "COPY passwd /etc/passwd\nUSER app", None),
        ("scratch", "COPY --from=builder /rootfs /\nUSER app", None),
        ("gcr.io/distroless/static-debian13", "USER nonroot", True),
        ("gcr.io/distroless/static-debian13", "USER app", False),
        ("debian:bookworm-slim", "RUN echo 'app:x:1:1::/:' >> /etc/passwd\nUSER app", None),
    ],
)
def test_user(base: str, lines: str, user: bool | None) -> None:
    assert only_image(read(START.format(base=base, lines=lines), CRATE)).inside.user is user


@pytest.mark.parametrize(
    ("base", "lines", "certificates", "tzdata"),
    [
        ("alpine", "", True, False),
        ("debian:trixie-slim", "", False, True),
        ("debian:bookworm-slim", "", False, None),
        ("ubuntu:22.04", "", False, False),
        ("ubuntu:24.04", "", None, None),
        ("scratch", "", False, False),
        ("gcr.io/distroless/static-debian13", "", True, True),
        ("ubuntu:22.04", "RUN apt-get install -y ca-certificates tzdata", True, True),
        ("ubuntu:22.04", "RUN apt-get install -y libssl3", False, False),
        ("ubuntu:22.04", "RUN apt-get install -y curl", None, False),
        ("ubuntu:22.04", "RUN apt-get install -y --no-install-recommends curl", False, False),
        ("ubuntu:22.04", "RUN apt-get -o APT::Install-Recommends=false install -y wget libssl3", False, False),
        ("ubuntu:22.04", "RUN apt-get -o APT::Install-Recommends=true install -y wget", None, False),
        ("ubuntu:22.04", "RUN apt-get install -y --no-install-recommends git", None, False),
        ("ubuntu:22.04", "RUN apt-get install -y made-up", None, None),
        ("ubuntu:22.04", "RUN ./setup.sh", None, None),
        ("scratch", "COPY --from=builder /etc/ssl/certs /etc/ssl/certs", None, False),
        ("scratch", "COPY --from=builder /usr/share/zoneinfo /usr/share/zoneinfo", False, None),
        ("scratch", "ENV SSL_CERT_FILE=/app/roots.pem", None, False),
        ("scratch", "COPY --from=example.com/roots / /", None, None),
    ],
)
def test_certificates_and_time_zones(base: str, lines: str, certificates: bool | None, tzdata: bool | None) -> None:
    found = only_image(read(START.format(base=base, lines=lines), CRATE)).inside
    assert (found.certificates, found.tzdata) == (certificates, tzdata)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("", [("launch", "/srv/app")]),
        ('ENTRYPOINT ["tini", "--"]', [("launch", "tini"), ("launch", "/srv/app")]),
        ('ENTRYPOINT ["tini", "-v", "/srv/app"]', [("launch", "tini")]),
        ('ENTRYPOINT ["dumb-init", "/srv/app"]', [("launch", "dumb-init"), ("launch", "/srv/app")]),
        ("ENTRYPOINT exec /srv/app --x", [("launch", "/srv/app")]),
        ("ENTRYPOINT [ -f /x ] && /srv/app", []),
        ("HEALTHCHECK CMD curl -f localhost || exit 1", [("launch", "/srv/app"), ("health", "curl")]),
        ("HEALTHCHECK CMD curl localhost || wget localhost", [("launch", "/srv/app")]),
        ("HEALTHCHECK CMD test -f /ready", [("launch", "/srv/app")]),
        ('HEALTHCHECK CMD ["curl", "localhost"]', [("launch", "/srv/app"), ("health", "curl")]),
        ("HEALTHCHECK NONE", [("launch", "/srv/app")]),
    ],
)
def test_started(lines: str, expected: list[tuple[str, str]]) -> None:
    image = only_image(read(START.format(base="alpine", lines=lines), CRATE))
    assert [(started.role, started.name) for started in image.inside.started] == expected


@pytest.mark.parametrize(
    ("base", "lines", "found"),
    [
        ("debian:bookworm-slim", "", False),
        ("debian:trixie-slim", "", None),
        ("debian:bullseye-slim", "", None),
        ("debian:bookworm-slim", "RUN apt-get install -y openssl", True),
        ("debian:bookworm-slim", "RUN apt-get install -y libssl-dev", True),
        ("debian:bookworm-slim", "RUN apt-get install -y libpq5", True),
        ("debian:bookworm-slim", "RUN apt-get install -y tini", False),
        ("debian:bookworm-slim", "RUN apt-get install -y made-up", None),
        ("debian:bookworm-slim", "COPY --from=builder /usr/lib/x86_64-linux-gnu/libssl.so.3 /usr/lib/", None),
        ("debian:bookworm-slim", "COPY --from=builder /out/ /", None),
        ("debian:bookworm-slim", "ENV LD_LIBRARY_PATH=/srv", None),
        ("gcr.io/distroless/cc-debian13", "", None),
        ("example.com/base", "", None),
    ],
)
def test_library(base: str, lines: str, found: bool | None) -> None:
    image = only_image(read(START.format(base=base, lines=lines), CRATE))
    assert image.inside.library(("libssl3t64", "libssl3")) is found


@pytest.mark.parametrize(
    ("base", "lines", "built", "found"),
    [
        ("debian:bookworm-slim", "", "bullseye", False),
        ("debian:bookworm-slim", "RUN apt-get install -y libssl3", "bullseye", False),
        ("debian:bookworm-slim", "RUN apt-get install -y libssl3", "trixie", True),
        ("debian:bookworm-slim", "RUN apt-get install -y libssl3", "", True),
        ("debian:bookworm-slim", "RUN apt-get install -y libssl3 && rm -rf /var/lib/apt/lists/*", "bullseye", False),
        ("debian:bookworm-slim", "RUN apt-get install -y libssl1.1", "bullseye", True),
        ("debian:bookworm-slim", "RUN dpkg -i libssl1.1.deb", "bullseye", None),
        ("debian:bookworm-slim", "COPY --from=builder /lib/libssl.so.1.1 /lib/", "bullseye", None),
        ("debian:bullseye-slim", "", "bullseye", None),
        ("debian:bullseye-slim", "RUN apt-get install -y curl", "bullseye", True),
        ("debian:bullseye-slim", "", "bookworm", False),
        ("debian@sha256:0123", "", "bullseye", None),
        ("debian:latest@sha256:0123", "", "bullseye", None),
        ("ubuntu:24.04", "", "bullseye", None),
        ("gcr.io/distroless/cc-debian12", "", "bullseye", False),
        ("gcr.io/distroless/cc-debian12", "", "trixie", None),
        ("gcr.io/distroless/cc-debian11", "", "bullseye", None),
    ],
)
def test_library_of_another_release(base: str, lines: str, built: str, found: bool | None) -> None:
    image = only_image(read(START.format(base=base, lines=lines), CRATE))
    assert image.inside.library(("libssl3t64", "libssl3"), built) is found


@pytest.mark.parametrize("crate", ["sqlx-cli", "diesel_cli"])
def test_a_tool_of_a_registry_is_there_under_the_name_that_it_is_copied_by(crate: str) -> None:
    name = crate[:-4].strip("_-")
    text = f"FROM rust:1-alpine AS builder\nRUN cargo install {crate}\nFROM alpine:3.24\n"
    for start in (f"/usr/local/bin/{name}", name):
        end = f'COPY --from=builder /usr/local/cargo/bin/{name} /usr/local/bin/{name}\nCMD ["{start}", "migrate"]\n'
        (image,) = read(text + end).images
        assert [one.found for one in image.inside.started] == [True]


@pytest.mark.parametrize(
    ("line", "joined"),
    [
        ('CMD ["/srv/app --port 80"]', True),
        ('CMD ["/srv/app serve"]', True),
        ('CMD ["tini /srv/app"]', True),
        ('ENTRYPOINT ["/bin/other http://localhost"]', True),
        ('CMD ["/srv/app", "--port 80"]', False),
        ('CMD ["/srv/My Program"]', False),
        ("CMD /srv/app --port 80", False),
        ("CMD '/srv/app --port 80'", False),
        ('CMD ["sh", "-c", "/srv/app --port 80"]', False),
        ('COPY --from=builder ["/app/target/release/app", "/srv/app -x"]\nCMD ["/srv/app -x"]', False),
    ],
)
def test_a_command_in_one_string(line: str, joined: bool) -> None:
    text = START.format(base="alpine:3.24", lines="COPY assets/ /srv/").replace('CMD ["/srv/app"]', line)
    assert [one.joined for one in only_image(read(text, {**CRATE, "assets/a": ""})).inside.started][:1] == [joined]


SINGLE = "FROM rust:1\nWORKDIR /app\nCOPY . .\nRUN cargo build --release{}\n"
NAMED = {**CRATE, "Cargo.toml": CRATE["Cargo.toml"].replace('"app"', '"my_app"')}


@pytest.mark.parametrize(
    ("lines", "files", "found"),
    [
        ('\nCMD ["./target/release/my-app"]', {}, True),
        ('\nENTRYPOINT ["/app/target/release/my-app", "-x"]', {}, True),
        ('\nCMD ["./target/release/my_app"]', {}, False),
        ('\nCMD ["./target/release/my-other"]', {}, False),
        ('\nCMD ["./target/debug/my-app"]', {}, False),
        ('\nCMD ["./target/release/my-app"]', {"target/release/my-app": ""}, False),
        ('\nCMD ["./target/release/my-app"]', {"src/bin/my-app.rs": "fn main() {}"}, False),
        (' && cd target/release && mv my_app my-app\nCMD ["./target/release/my-app"]', {}, False),
        ('\nRUN ln -s my_app target/release/my-app\nCMD ["./target/release/my-app"]', {}, False),
        ('\nRUN ./rename.sh\nCMD ["./target/release/my-app"]', {}, False),
        ('\nVOLUME /app/target\nCMD ["./target/release/my-app"]', {}, False),
    ],
)
def test_cargo_makes_no_hyphen_of_an_underscore(lines: str, files: dict[str, str], found: bool) -> None:
    images = read(SINGLE.format(lines), {**NAMED, **files}).images
    started = [one for image in images for one in image.inside.started if one.respelt]
    assert [one.elsewhere for one in started] == ([("/app/target/release/my_app",)] if found else [])


BARE = "FROM rust:1 AS builder\nWORKDIR /app\nCOPY . .\nRUN cargo build\nFROM {}\n"


@pytest.mark.parametrize(
    ("end", "found"),
    [
        ('gcr.io/distroless/cc-debian13\nCMD ["app"]', True),
        ('scratch\nENTRYPOINT ["/app"]', True),
        ('scratch\nCOPY --from=builder /app/target/debug/* /\nCMD ["/app"]', False),
        ('scratch\nADD rootfs.tar /\nCMD ["/app"]', False),
        ('scratch\nCMD ["$APP"]', False),
        ('scratch\nVOLUME /app\nCMD ["/app/run"]', False),
        ("scratch", False),
        ('alpine:3.24\nCMD ["app"]', False),
        ('gcr.io/distroless/cc-debian13:debug\nCMD ["app"]', False),
        ('gcr.io/distroless/java21-debian13\nCMD ["app.jar"]', False),
        ('example.com/base\nCMD ["app"]', False),
        ('builder\nCMD ["/app"]', False),
    ],
)
def test_an_image_into_which_nothing_is_put(end: str, found: bool) -> None:
    assert len(read(BARE.format(end), CRATE).nothing_to_start) == found
    other = read(BARE.format(end).replace("cargo build", "true"), CRATE)
    assert not other.nothing_to_start


@pytest.mark.parametrize(
    ("step", "missing"),
    [
        ("adduser --system app", True),
        ("true && adduser app && chown app /app", True),
        ("useradd app", False),
        ("apt-get update && apt-get install -y adduser && adduser app", False),
        ("apt-get update && apt-get install -y $PACKAGES && adduser app", False),
        ("adduser app || useradd app", False),
        ("if [ -e /x ]; then adduser app; fi", False),
        ("ln -s /opt/adduser /usr/bin && adduser app", False),
        ("sh /setup.sh && adduser app", False),
        ("/opt/adduser app", False),
        ("echo adduser", False),
    ],
)
def test_a_command_that_debian_has_no_longer(step: str, missing: bool) -> None:
    final = f"FROM debian:trixie-slim\nCOPY --from=b /app/target/release/app /app\nRUN {step}\nCMD /app\n"
    text = f"FROM rust:1 AS b\nWORKDIR /app\nCOPY . .\nRUN cargo build --release\n{final}"
    (image,) = read(text, CRATE).images
    assert any(map(image.inside.misses, image.commands)) is missing
    (image,) = read(text.replace("trixie", "bookworm"), CRATE).images
    assert not any(map(image.inside.misses, image.commands))

"""The probe on real images without a shell: every way to misbehave is told from the others."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from dockerslim_lint.verify.engines.buildx import Buildx
from dockerslim_lint.verify.engines.interface import BuildRequest, Output
from dockerslim_lint.verify.layout import Image, open_layout
from dockerslim_lint.verify.probe import KEPT_BYTES, Command, NotRunnableError, Observed, run_commands

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("engine_environment")]

HERE = Path(__file__).with_name("rascal")
LIMIT = 8.0
ENDLESS = ("hang", "flood", "serve")
PATIENCE = 120.0
"""Seconds for what ends by itself: emulated on a busy machine it may take more than one looks for here."""

COMMANDS = (
    ("rascal", "exit", "3"),
    ("rascal", "exit", "134"),
    ("rascal", "panic"),
    ("rascal", "abort"),
    ("rascal", "hang"),
    ("rascal", "flood"),
    ("rascal", "orphan"),
    ("rascal", "serve"),
    ("nosuch",),
    ("/no/such",),
    ("dynamic",),
    ("/odd/script",),
    ("/odd/lost",),
    ("/odd/locked",),
    ("/odd",),
    ("rascal", "environment"),
    ("/usr/bin/rascal", "arguments", "a b", "c'd", 'e"f$HOME', "ü\n", ""),
)


class Built(NamedTuple):
    layout: Path
    image: Image


def build(engine: Buildx, platform: str, target: str, dest: Path) -> Built:
    dockerfile = HERE / "Dockerfile"
    request = BuildRequest(dockerfile.read_bytes(), platform, Output.OCI, dest, HERE, dockerfile, target)
    layout = engine.build(request, lambda _: None).layout
    return Built(layout, open_layout(layout, platform))


@pytest.mark.parametrize("platform", ["linux/amd64", "linux/arm64"])
@pytest.mark.parametrize("target", ["distroless", "scratch"])
def test_every_ending_is_told_from_the_others(engine: Buildx, platform: str, target: str, tmp_path: Path) -> None:
    layout, image = build(engine, platform, target, tmp_path / "image")
    commands = tuple(Command(words, LIMIT if words[-1] in ENDLESS else PATIENCE) for words in COMMANDS)
    [results] = run_commands(engine, layout, image, platform, commands, 1, "busybox:musl", lambda _: None)
    seen: dict[str, Observed] = {" ".join(words): found for words, found in zip(COMMANDS, results, strict=True)}
    ends = {name: (found.run.exit_code, found.run.signal, found.run.timed_out) for name, found in seen.items()}

    for name in ("rascal exit 3", "rascal panic", "rascal abort", "rascal hang", "rascal flood", "rascal orphan"):
        assert seen[name].run.started, name
    assert ends["rascal exit 3"] == (3, None, False)
    assert ends["rascal exit 134"] == (134, None, False)
    assert ends["rascal panic"] == (101, None, False)
    assert b"over the edge" in seen["rascal panic"].run.stderr
    assert ends["rascal abort"] == (None, 6, False)
    assert ends["rascal hang"] == (None, None, True)
    assert ends["rascal flood"] == (None, None, True)
    assert seen["rascal flood"].run.truncated and len(seen["rascal flood"].run.stdout) == KEPT_BYTES
    assert ends["rascal orphan"] == (0, None, False) and seen["rascal orphan"].left_behind == 1
    assert ends["rascal serve"] == (None, None, True) and seen["rascal serve"].run.stdout == b"serving\n"
    assert [name for name, found in seen.items() if found.left_behind] == ["rascal orphan"]

    for name, told in {
        "nosuch": "no such file",
        "/no/such": "no such file",
        "dynamic": "Could not open"
        if platform == "linux/arm64" and b"qemu" in seen["dynamic"].run.stderr
        else "loader",
        "/odd/script": "exec format error",
        "/odd/lost": "interpreter",
        "/odd/locked": "permission denied",
        "/odd": "not a file",
    }.items():
        assert not seen[name].run.started and told in seen[name].run.start_error, name

    lines = seen["rascal environment"].run.stdout.decode().splitlines()
    expected = {
        "directory /work",
        'GREETING=it\'s a "good" day',
        "odd.name=1",
        "HOME=/home/nonroot" if target == "distroless" else "HOME=/",
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    }
    if target == "distroless":
        expected.add("SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt")
    assert set(lines[1:]) == expected, "the image's environment, and nothing of the build's"
    assert lines[0] in ("name rascal", "name /usr/bin/rascal"), "qemu as it is often registered loses argv[0]"
    words = seen[" ".join(COMMANDS[-1])].run.stdout.decode()
    assert words == '["a b", "c\'d", "e\\"f$HOME", "ü\\n", ""]\n'


def test_proxies_and_traces_do_not_leak(engine: Buildx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "https_proxy", "OTEL_EXPORTER_OTLP_ENDPOINT"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp")
    monkeypatch.setenv("TRACEPARENT", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    layout, image = build(engine, "linux/amd64", "scratch", tmp_path / "image")
    command = Command(("rascal", "environment"), LIMIT)
    first, second = run_commands(engine, layout, image, "linux/amd64", (command,), 2, "busybox:musl", lambda _: None)
    assert first[0].run.stdout == second[0].run.stdout
    assert first[0].run.started and b"GREETING" in first[0].run.stdout
    for leak in (b"PROXY", b"proxy", b"OTEL", b"TRACEPARENT", b"127.0.0.1"):
        assert leak not in first[0].run.stdout


def test_a_user_that_the_image_does_not_know(engine: Buildx, tmp_path: Path) -> None:
    layout, image = build(engine, "linux/amd64", "lost-user", tmp_path / "image")
    with pytest.raises(NotRunnableError, match="unable to find user app"):
        run_commands(
            engine, layout, image, "linux/amd64", (Command(("rascal",), 5),), 1, "busybox:musl", lambda _: None
        )

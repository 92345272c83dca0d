"""The stream of progress, as buildx 0.13 was seen to write it."""

from __future__ import annotations

import base64
import json

import pytest

from dockerslim_lint.verify.engines.rawjson import ProgressReader

STEP = "[builder 2/3] RUN cargo build"


def vertex(digest: str, name: str, **more: str) -> bytes:
    return json.dumps({"vertexes": [{"digest": digest, "name": name, **more}]}, indent=2).encode() + b"\n"


def log(digest: str, text: str) -> bytes:
    data = base64.b64encode(text.encode()).decode()
    return json.dumps({"logs": [{"vertex": digest, "stream": 2, "data": data}]}, indent=2).encode()


STREAM = (
    vertex("sha256:1", "[internal] load build definition", started="t")
    + vertex("sha256:2", STEP)
    + vertex("sha256:2", STEP, started="t")
    + log("sha256:2", "Compiling ü\nerror: no\n\n")
    + log("sha256:9", "of another step")
    + vertex("sha256:2", STEP, started="t", completed="t", error="process did not complete: exit code: 101")
    + vertex("sha256:3", "other", started="t", completed="t", error="context canceled")
    + b"Dockerfile:4\n--------------------\n   3 |     FROM a AS builder\n   4 | >>> RUN cargo \\\n   5 | >>>   build\n"
    + b"--------------------\nERROR: failed to solve: process did not complete: exit code: 101\n"
)


@pytest.mark.parametrize("size", [1, 7, 64, len(STREAM)])
def test_the_stream_may_be_cut_anywhere(size: int) -> None:
    steps: list[str] = []
    reader = ProgressReader(steps.append)
    for start in range(0, len(STREAM), size):
        reader.feed(STREAM[start : start + size])
    reader.finish()
    assert steps == ["[internal] load build definition", STEP]
    failure = reader.failure()
    assert failure.message == "failed to solve: process did not complete: exit code: 101"
    assert (failure.step, failure.line, failure.log) == (STEP, 4, ("Compiling ü", "error: no"))


def test_a_line_of_a_log_may_come_in_pieces() -> None:
    reader = ProgressReader(lambda _: None)
    for text in ("Compiling x\nerror", "[E0282]", ": type annotations needed\n", "\n", "  --> src/main.rs"):
        reader.feed(log("sha256:2", text))
    reader.feed(vertex("sha256:2", STEP, started="t", completed="t", error="exit code: 101"))
    reader.finish()
    assert reader.failure().log == ("Compiling x", "error[E0282]: type annotations needed", "  --> src/main.rs")


def test_an_excerpt_without_a_mark_names_the_line_in_its_head() -> None:
    reader = ProgressReader(lambda _: None)
    reader.feed(b"Dockerfile:7\n------\n 7 | x\n------\nERROR: dockerfile parse error\n")
    reader.finish()
    assert reader.failure().line == 7 and reader.failure().message == "dockerfile parse error"


@pytest.mark.parametrize(
    "data", [b"", b"{", b"}{[\n", b'{"vertexes": 3}{"logs": [1, {"data": "%"}]}', b"\xff\xfe{\n", b"[]\n"]
)
def test_anything_else_is_text(data: bytes) -> None:
    reader = ProgressReader(lambda _: None)
    reader.feed(data)
    reader.finish()
    assert reader.failure().message and reader.failure().line is None

"""The engine of the tests that need one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dockerslim_lint.verify.engines.buildx import Buildx


@pytest.fixture(scope="module")
def engine() -> Iterator[Buildx]:
    engine = Buildx()
    assert engine.available() is None
    yield engine
    engine.close()

"""The table of a stage's files: a large one is looked up, a small one is looked through."""

from __future__ import annotations

import pytest

from dockerslim_lint.facts.filesystem import SMALL, PathTable
from dockerslim_lint.facts.model import Artifact, Directory, OpaqueFile

HELD = ("/a/*/app", "/a/b", "/*/c", "/a/b/c", "/ab", "/t/x*/release/app", "/t/x-musl/release/lib")


def table(others: int) -> PathTable:
    made = PathTable([], lambda _: (), frozenset({"/usr"}))
    for path in HELD:
        made.put(path, Directory("mkdir") if path == "/a/b" else Artifact(None, path, "", "", ""))
    for number in range(others):
        made.put(f"/other/{number:03}", OpaqueFile("no matter"))
    return made


@pytest.mark.parametrize(
    "path",
    ["/", "/a", "/a/b", "/a/b/app", "/a/*", "/*", "/*/c", "/z/c", "/a/b/c/d", "/t/*/release/app", "/t/x-musl", "/none"],
)
def test_a_large_table_answers_like_a_small_one(path: str) -> None:
    small, large = table(0), table(2 * SMALL)
    for _ in range(2):
        assert large.find(path) == small.find(path)
        assert large.is_directory(path) == small.is_directory(path)
        assert large.matching(path) == small.matching(path)
        assert [one for one in large.below(path) if one[0][-3:].isdigit() is False] == small.below(path)
        for one in (small, large):
            one.remove("/t/x-musl/release/lib")
            one.put("/a/x/*", OpaqueFile("later"))

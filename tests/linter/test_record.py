"""Records behave like the named tuples that a type checker takes them for."""

from __future__ import annotations

import ast
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

import dockerslim_lint
from dockerslim_lint.record import Record


class Sample(Record):
    """Three fields, one of them with a default."""

    name: str
    size: int
    note: str = "none"

    @property
    def twice(self) -> int:
        return self.size * 2


def test_values_by_place_and_by_name() -> None:
    for sample in (Sample("a", 1), Sample("a", size=1), Sample(size=1, name="a"), Sample("a", 1, "none")):
        assert sample == ("a", 1, "none")
        assert (sample.name, sample.size, sample.note, sample.twice) == ("a", 1, "none", 2)
    assert Sample("a", note="b", size=3) == ("a", 3, "b")
    assert repr(Sample("a", 1)) == "Sample(name='a', size=1, note='none')"
    assert Sample("a", 1)._replace(size=2) == Sample("a", 2)
    assert Sample("a", 1)._asdict() == {"name": "a", "size": 1, "note": "none"}
    assert Sample._fields == ("name", "size", "note")


def test_it_is_a_hashable_tuple_that_survives_another_process() -> None:
    sample = Sample("a", 1)
    assert isinstance(sample, tuple)
    assert {sample: 1}[Sample("a", 1)] == 1
    again = pickle.loads(pickle.dumps(sample))
    assert type(again) is Sample
    assert again == sample
    with pytest.raises(AttributeError):
        sample.name = "b"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        sample.other = "b"  # type: ignore[attr-defined]


def test_it_can_be_matched() -> None:
    match Sample("a", 1):
        case Sample("a", size, note):
            assert (size, note) == (1, "none")
        case _:
            pytest.fail("no match")


def test_wrong_arguments_are_refused() -> None:
    wrong: list[Callable[[], Sample]] = [
        lambda: Sample("a"),  # type: ignore[call-arg]
        lambda: Sample(),  # type: ignore[call-arg]
        lambda: Sample("a", 1, "b", 4),  # type: ignore[call-arg]
        lambda: Sample("a", 1, name="b"),  # type: ignore[misc]
        lambda: Sample("a", 1, other=2),  # type: ignore[call-arg]
        lambda: Sample(size=1),  # type: ignore[call-arg]
        lambda: Sample("a", 1)._replace(other=2),  # type: ignore[call-arg]
    ]
    for make in wrong:
        with pytest.raises(TypeError):
            make()


def test_our_own_types_are_records() -> None:
    """A named tuple costs several times as much when it is defined; see `dockerslim_lint.record`."""
    package = Path(dockerslim_lint.__file__).parent
    found = []
    for path in [*package.rglob("*.py"), *(package.parent / "rules").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and any(ast.unparse(base).endswith("NamedTuple") for base in node.bases):
                found.append(f"{path}: {node.name}")
    assert not found

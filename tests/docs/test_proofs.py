"""The record of bench/prove is about the rewrites of today."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.golden.shapes import Shape, shapes
from tests.proof.test_shapes import ON_RECORD

ROOT = Path(__file__).resolve().parents[2]
RECORD = json.loads((ROOT / "bench" / "proofs.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("shape", [pytest.param(shape, id=shape.name) for shape in shapes()])
def test_the_record_is_about_todays_rewrites(shape: Shape) -> None:
    """Whoever changes what is written for a fixture runs ``bench/prove --only`` with its name."""
    from bench.proofs import candidates, fingerprint

    offered = {choice: fingerprint(one.source.data) for choice, one in candidates(shape).items()}
    recorded = {choice: entry["rewrite"] for choice, entry in RECORD.get(shape.name, {}).items()}
    assert recorded.items() <= offered.items()


@pytest.mark.parametrize("name", ON_RECORD)
def test_what_no_test_proves_is_proven_in_the_record(name: str) -> None:
    (shape,) = (one for one in shapes() if one.name == name)
    proven = RECORD[name][shape.expect["choice"]]["platforms"]["linux/amd64"]
    assert proven["outcome"] == "proven"


def test_the_page_says_why_there_is_no_verdict() -> None:
    """For these alone; whoever adds one says it in docs/proof_record.py."""
    page = (ROOT / "docs" / "proofs.md").read_text(encoding="utf-8")
    trials = {
        name: [one for entry in entries.values() for one in entry["platforms"].values()]
        for name, entries in RECORD.items()
    }
    without = {name for name, tried in trials.items() if any(one["outcome"] == "inconclusive" for one in tried)}
    assert set(re.findall(r"^- \*\*\?\*\* `(.+?)`", page, re.MULTILINE)) == without
    proven = [name for name, tried in trials.items() if any(one["outcome"] == "proven" for one in tried)]
    assert f"**{len(proven)} of {len(RECORD)} shapes have a proven rewrite.**" in page
    for name, entries in RECORD.items():
        assert name in proven or all(entry["platforms"] for entry in entries.values()), (
            "not tried, and nothing is proven before it"
        )

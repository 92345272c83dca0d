"""Every rewrite of every fixture on trial: each choice of each shape is built and run on each platform, also after one is proven.

``bench/prove`` does it with the Docker that is set up, else with the lab's (which must be up), and writes the verdicts to
``proofs.json`` beside this file as it goes; `docs/generate.py` makes the table of docs/proofs.md from it. What was tried before
and has not changed since is not tried again, unless --again says so. Ends with 1 where the first choice of less than 90 %
of the shapes is proven.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from dockerslim_lint.candidates import Candidate, find_candidates
from dockerslim_lint.config import Settings
from dockerslim_lint.project.prove import interruptible
from dockerslim_lint.project.verify import subject_of, trial_of
from dockerslim_lint.source import Source
from dockerslim_lint.verify.engines.buildx import Buildx
from dockerslim_lint.verify.ladder import LadderResult, climb
from dockerslim_lint.verify.progress import NoProgress
from dockerslim_lint.verify.subject import Options
from tests.golden.shapes import Shape, shapes

ROOT = Path(__file__).resolve().parents[1]
RECORD = Path(__file__).with_name("proofs.json")
BOTH = ("linux/amd64", "linux/arm64")
ENOUGH = 0.9
"""Share of the shapes whose first choice must be proven."""


def candidates(shape: Shape) -> dict[str, Candidate]:
    """What the linter offers for a shape, by choice; "" is a fix without a choice."""
    settings = Settings(platforms=tuple(shape.expect.get("platforms", ())))
    found: dict[str, Candidate] = {}
    for one in find_candidates(Source(shape.dockerfile, shape.file), shape.context(), settings):
        found.setdefault(one.fix.choice, one)
    return found


def fingerprint(data: bytes) -> str:
    """What tells one rewrite from another."""
    return hashlib.sha256(data).hexdigest()[:16]


def load() -> dict[str, Any]:
    """The record: shape → choice → {rewrite, platforms: platform → verdict}."""
    known: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    return known


def attempt(shape: Shape, candidate: Candidate, platform: str, build_timeout: float) -> dict[str, Any]:
    """One rewrite on one platform, in a copy of its own; a build has that many seconds."""
    with tempfile.TemporaryDirectory(prefix="dockerslim-prove-") as place:
        dockerfile = shape.copy_to(Path(place) / "project")
        context = Path(place) / "project" if shape.context().known else None
        subject = subject_of(Source(shape.dockerfile, shape.file), dockerfile, context, Settings(), candidate)
        engine = Buildx(None)
        try:
            options = Options(platforms=(platform,), build_timeout=build_timeout)
            with interruptible():
                result = climb(engine, subject, (trial_of(candidate),), options, NoProgress())
        finally:
            engine.close()
    return _verdict(result)


def _verdict(result: LadderResult) -> dict[str, Any]:
    found: dict[str, Any] = {"outcome": result.outcome.value}
    if result.reason:
        found["reason"] = " ".join(result.reason.split())[:200]
    for proof in result.proofs:
        for one in proof.platforms:
            if one.sizes is not None:
                found["megabytes"] = [round(one.sizes.old_unpacked / 1e6, 1), round(one.sizes.new_unpacked / 1e6, 1)]
    return found


def _with_lab() -> None:
    """The lab's variables, where no Docker answers."""
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode != 0:
        lab = [sys.executable, str(ROOT / "tests" / "lab" / "lab"), "env", "--json"]
        os.environ.update(json.loads(subprocess.run(lab, capture_output=True, check=True).stdout))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--platform", default=",".join(BOTH), help="default: %(default)s")
    parser.add_argument(
        "--only", action="append", default=[], metavar="WORD", help="shapes whose name holds it; repeatable"
    )
    parser.add_argument("--first", action="store_true", help="the first choice of each shape only")
    parser.add_argument(
        "--build-timeout",
        type=float,
        default=Options().build_timeout,
        metavar="SECONDS",
        help="for each build; C code that is compiled under emulation may want hours (default: %(default).0f)",
    )
    parser.add_argument("--again", action="store_true", help="also what is known already")
    arguments = parser.parse_args()
    _with_lab()
    record = load()
    asked = [shape for shape in shapes() if not arguments.only or any(word in shape.name for word in arguments.only)]
    firsts = []
    for shape in asked:
        offered = candidates(shape)
        kept = {choice: entry for choice, entry in record.get(shape.name, {}).items() if choice in offered}
        record[shape.name] = kept
        for rank, (choice, candidate) in enumerate(offered.items()):
            if rank and arguments.first:
                break
            rewrite = fingerprint(candidate.source.data)
            if kept.get(choice, {}).get("rewrite") != rewrite:
                kept[choice] = {"rewrite": rewrite, "platforms": {}}
            verdicts = kept[choice]["platforms"]
            for platform in arguments.platform.split(","):
                if platform not in verdicts or arguments.again:
                    start = time.monotonic()
                    verdicts[platform] = attempt(shape, candidate, platform, arguments.build_timeout)
                    _save(record)
                    took = f"{time.monotonic() - start:.0f} s"
                    print(
                        f"{shape.name:<36} {choice or 'the fix':<18} {platform:<12} {verdicts[platform]['outcome']} ({took})",
                        flush=True,
                    )
            if not rank:
                firsts.append(all(one["outcome"] == "proven" for one in verdicts.values()))
    _save(
        {
            name: entries
            for name, entries in record.items()
            if entries and (ROOT / "fixtures" / "shapes" / name).is_dir()
        }
    )
    share = sum(firsts) / len(firsts) if firsts else 1.0
    print(f"{sum(firsts)} of {len(firsts)} shapes: the first choice is proven ({share:.0%})")
    return 0 if share >= ENOUGH else 1


def _save(record: dict[str, Any]) -> None:
    RECORD.write_text(json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)

"""What makes a finding the same one in the next run, on whatever line it is then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from hashlib import sha256

from dockerslim_lint.baseline import fingerprint
from dockerslim_lint.finding import Finding
from dockerslim_lint.source import Source, encode


def fingerprints(path: str, source: Source, findings: Sequence[Finding]) -> list[str]:
    """A fingerprint (32 hex digits) for each finding of one file.

    It is made of the path and of what a baseline knows the finding by. Of findings that are alike in that, each has its
    number, so that no two of one file are the same.
    """
    seen: Counter[tuple[str, ...]] = Counter()
    found = []
    for finding in findings:
        parts = (path, *fingerprint(source, finding))
        text = "\0".join((*parts, str(seen[parts])))
        seen[parts] += 1
        found.append(sha256(encode(text)).hexdigest()[:32])
    return found

"""What makes a finding the same one in the next run, on whatever line it is then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from hashlib import sha256

from dockerslim_lint.finding import Finding
from dockerslim_lint.source import Source, encode


def fingerprints(path: str, source: Source, findings: Sequence[Finding]) -> list[str]:
    """A fingerprint (32 hex digits) for each finding of one file.

    It is made of the rule, the path and the text of the lines that the finding is about, white space aside. Of findings
    that are alike in all of that, each has its number, so that no two of one file are the same.
    """
    seen: Counter[tuple[str, ...]] = Counter()
    found = []
    for finding in findings:
        parts = (finding.code, path, _lines(source, finding))
        text = "\0".join((*parts, str(seen[parts])))
        seen[parts] += 1
        found.append(sha256(encode(text)).hexdigest()[:32])
    return found


def _lines(source: Source, finding: Finding) -> str:
    first = source.line_of(finding.span.start)
    last = source.line_of(max(finding.span.end - 1, finding.span.start))
    return " ".join(" ".join(source.line_text(line) for line in range(first, last + 1)).split())

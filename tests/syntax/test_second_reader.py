"""dockerfile-parse as a guard, and our tree in its format."""

from __future__ import annotations

import pytest

from dockerslim_lint.source import Source
from dockerslim_lint.syntax.dockerfile import parse
from dockerslim_lint.syntax.second_reader import changed_outside, records, to_dockerfile_parse

OLD = b"FROM a\n# note\nRUN one && \\\n    # inner\n    two\nCOPY a /a\nCMD x\n"


def test_our_tree_in_its_format_is_what_it_reads_itself() -> None:
    data = b'# comment\nFROM a AS b\n\nRUN one && \\\n    two\n  env A=b\nCOPY --from=b /x /y\nCMD ["x"]\n'
    ours = to_dockerfile_parse(parse(Source(data)), Source(data))
    theirs = records(data)
    assert theirs is not None
    for record in theirs:
        record["value"] = " ".join(record["value"].split())
    assert [{**record, "value": " ".join(record["value"].split())} for record in ours] == theirs


def test_a_heredoc_is_one_record_of_ours() -> None:
    data = b"RUN <<A\nFROM x\nA\nCMD y\n"
    found = to_dockerfile_parse(parse(Source(data)), Source(data))
    assert [(record["instruction"], record["startline"], record["endline"]) for record in found] == [
        ("RUN", 0, 2),
        ("CMD", 3, 3),
    ]
    assert found[0]["content"] == "RUN <<A\nFROM x\nA\n"
    assert found[0]["value"] == "<<A"


def test_what_cannot_be_decoded_is_not_read() -> None:
    assert records(b"FROM a\xff\n") is None
    assert changed_outside(b"FROM a\xff\n", b"FROM b\n", set(), set()) is None


@pytest.mark.parametrize(
    ("new", "edited_old", "edited_new"),
    [
        (OLD, set(), set()),
        (OLD.replace(b"FROM a", b"FROM b"), {1}, {1}),
        (OLD.replace(b"one && \\\n    # inner\n    two", b"three"), {3, 4, 5}, {3}),
        (OLD.replace(b"RUN one", b"RUN zero && \\\n one"), {3, 4, 5}, {3, 4, 5, 6}),
        (OLD.replace(b"CMD x\n", b"USER 1\nCMD x\n"), set(), {7}),
        (OLD.replace(b"COPY a /a\n", b""), {6}, set()),
        (OLD.replace(b"FROM a\n", b"RUN <<A\nFROM x\nA\n"), {1}, {1, 2, 3}),
    ],
)
def test_changes_within_the_edited_lines_are_fine(new: bytes, edited_old: set[int], edited_new: set[int]) -> None:
    assert changed_outside(OLD, new, edited_old, edited_new) is None


@pytest.mark.parametrize(
    ("new", "edited_old", "edited_new", "said"),
    [
        (OLD.replace(b"CMD x", b"CMD y"), {1}, {1}, "line 7: 'CMD x' became 'CMD y'"),
        (OLD.replace(b"# note", b"# other"), {1}, {1}, "line 2: '# note' became '# other'"),
        (
            OLD.replace(b"FROM a\n# note\n", b"FROM a \\\n# note\n"),
            {1},
            {1},
            "line 3: 'RUN one && \\\\\\n    two' became the continuation 'RUN one && \\\\\\n    two'",
        ),
        (OLD.replace(b"/a\n", b"/a \\\n"), {6}, {6}, "line 7: 'CMD x' became the continuation 'CMD x'"),
        (OLD.replace(b"CMD x\n", b""), {1}, {1}, "line 7: 'CMD x' is gone"),
        (OLD + b"USER 1\n", {1}, {1}, "line 8 of the new file: 'USER 1' was not there"),
        (OLD.replace(b"# inner", b"# changed"), {1}, {1}, "line 4: '# inner' became '# changed'"),
        (OLD.replace(b"\n", b"\r\n"), {1}, {1}, "line 2: '# note' became '# note'"),
        (OLD[:-1], {1}, {1}, "line 7: 'CMD x' became 'CMD x'"),
    ],
)
def test_changes_elsewhere_are_told(new: bytes, edited_old: set[int], edited_new: set[int], said: str) -> None:
    found = changed_outside(OLD, new, edited_old, edited_new)
    assert found == said


def test_an_instruction_that_it_reads_together_with_the_next_one_is_no_false_alarm() -> None:
    # Two backslashes do not continue a line for BuildKit; dockerfile-parse takes them for a continuation.
    old = b"FROM a\nRUN one \\\\\nRUN two\nCMD x\n"
    assert changed_outside(old, old.replace(b"one", b"three"), {2}, {2}) is None

"""The patterns of ``${X#p}``, ``${X%p}`` and ``${X/p/r}`` as BuildKit reads them: ``*``, ``?`` and escapes, no brackets."""

from __future__ import annotations

ANY = "?"
STAR = "*"

Token = tuple[str, bool]
"""A character and whether it is a wildcard."""


def read_pattern(pattern: str) -> list[Token] | None:
    """The pattern's tokens; None where BuildKit says "invalid pattern"."""
    tokens: list[Token] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        at += 1
        if char == "\\":
            following = pattern[at : at + 1]
            if not following or following not in "*?\\}/":
                return None
            tokens.append((following, False))
            at += 1
        else:
            tokens.append((char, char in "*?"))
    return tokens


def match_ends(tokens: list[Token], text: str, start: int) -> int:
    """All indices at which a match that begins at `start` can end, as a set of bits. A wildcard matches no newline."""
    reached = 1 << start
    masks: dict[str, int] = {}
    for char, wild in tokens:
        if wild and char == STAR:
            reached = _stretch(reached, _mask(masks, text, ANY, True), len(text))
        else:
            reached = (reached & _mask(masks, text, char, wild)) << 1
        if not reached:
            break
    return reached


def _mask(masks: dict[str, int], text: str, char: str, wild: bool) -> int:
    key = ("wild" if wild else "") + char
    if key not in masks:
        bits = "".join("1" if (other != "\n" if wild else other == char) else "0" for other in reversed(text))
        masks[key] = int(bits or "0", 2)
    return masks[key]


def _stretch(reached: int, allowed: int, size: int) -> int:
    """All indices from those in `reached` on, as far as the characters are in `allowed`."""
    if allowed.bit_count() == size:
        lowest = reached & -reached
        return ((1 << (size + 1)) - 1) & ~(lowest - 1)
    while True:
        more = reached | ((reached & allowed) << 1)
        if more == reached:
            return reached
        reached = more


def cut_prefix(tokens: list[Token], text: str, longest: bool) -> str:
    """`text` without the shortest or longest prefix that matches."""
    ends = match_ends(tokens, text, 0)
    if not ends:
        return text
    return text[ends.bit_length() - 1 if longest else (ends & -ends).bit_length() - 1 :]


def cut_suffix(tokens: list[Token], text: str, longest: bool) -> str:
    """`text` without the shortest or longest suffix that matches."""
    return cut_prefix(tokens[::-1], text[::-1], longest)[::-1]


def replace(tokens: list[Token], text: str, replacement: str, everywhere: bool) -> str:
    """`text` with the first match, or all of them, replaced; a match is as long as can be."""
    out: list[str] = []
    at = kept = 0
    last_end = -1
    while at <= len(text):
        ends = match_ends(tokens, text, at)
        if not ends:
            at += 1
            continue
        end = ends.bit_length() - 1
        # Go takes no empty match right behind another match.
        if end > at or end != last_end:
            out += (text[kept:at], replacement)
            kept = last_end = end
            if not everywhere:
                break
        at = end if end > at else at + 1
    return "".join(out) + text[kept:]

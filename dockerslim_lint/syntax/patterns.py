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


class _Matcher:
    """One pattern on one text. Sets of indices are integers, one bit an index: no backtracking, whatever the pattern."""

    def __init__(self, tokens: list[Token], text: str) -> None:
        masks: dict[Token, int] = {}
        for token in tokens:
            if token not in masks:
                masks[token] = _mask(text, *token)
        self._steps = [(masks[token], token == (STAR, True)) for token in tokens]

    def ends(self, start: int) -> int:
        """All indices at which a match that begins at `start` can end."""
        reached = 1 << start
        for allowed, star in self._steps:
            reached = self._stretch(reached, allowed) if star else (reached & allowed) << 1
            if not reached:
                break
        return reached

    def _stretch(self, reached: int, allowed: int) -> int:
        """All indices from those in `reached` on, as far as the characters are in `allowed`."""
        run = reached & allowed
        reachable = reached
        while run:
            lowest = run & -run
            gap = ~(allowed >> (lowest.bit_length() - 1))
            length = (gap & -gap).bit_length() - 1
            block = ((1 << (length + 1)) - 1) << (lowest.bit_length() - 1)
            reachable |= block
            run &= ~block
        return reachable


def _mask(text: str, char: str, wild: bool) -> int:
    """The indices of the characters that a token can stand for; a wildcard stands for no newline."""
    bits = "".join(["1" if (other != "\n" if wild else other == char) else "0" for other in reversed(text)])
    return int(bits or "0", 2)


def cut_prefix(tokens: list[Token], text: str, longest: bool) -> str:
    """`text` without the shortest or longest prefix that matches."""
    ends = _Matcher(tokens, text).ends(0)
    if not ends:
        return text
    return text[ends.bit_length() - 1 if longest else (ends & -ends).bit_length() - 1 :]


def cut_suffix(tokens: list[Token], text: str, longest: bool) -> str:
    """`text` without the shortest or longest suffix that matches."""
    return cut_prefix(tokens[::-1], text[::-1], longest)[::-1]


def replace(tokens: list[Token], text: str, replacement: str, everywhere: bool) -> str:
    """`text` with the first match, or all of them, replaced; a match is as long as can be."""
    matcher = _Matcher(tokens, text)
    out: list[str] = []
    at = kept = 0
    last_end = -1
    while at <= len(text):
        ends = matcher.ends(at)
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

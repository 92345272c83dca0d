"""``cfg(…)`` of a manifest: does it hold for a program for Linux?"""

from __future__ import annotations

from dockerslim_lint.facts.crate.reach import Reach

FIXED = {
    "target_os": "linux",
    "target_family": "unix",
    "target_vendor": "unknown",
}
"""What ``rustc --print cfg`` says for every ``*-unknown-linux-*`` target."""

NEVER = {
    "target_arch": ("wasm32", "wasm64"),
    "target_env": ("msvc", "sgx", "ohos"),
}
"""Values that no such target has; of the others it depends on the target."""


def holds(condition: str) -> Reach:
    """Of the name of a ``[target.X]`` table: a triple, or ``cfg(…)`` (Rust reference, "Conditional compilation")."""
    text = condition.strip()
    if not text.startswith("cfg("):
        return Reach.MAYBE if "-linux-" in text else Reach.NO
    value, rest = _predicate(_tokens(text[3:]))
    return Reach.MAYBE if rest else value


def _tokens(text: str) -> list[str]:
    """Parentheses, commas, ``=``, words, and strings with their first quote."""
    found: list[str] = []
    at = 0
    while at < len(text):
        char = text[at]
        if char == '"':
            end = text.find('"', at + 1)
            end = len(text) if end < 0 else end
            found.append(text[at:end])
            at = end + 1
        elif char in "(),=":
            found.append(char)
            at += 1
        elif char.isspace():
            at += 1
        else:
            start = at
            while at < len(text) and text[at] not in '(),="' and not text[at].isspace():
                at += 1
            found.append(text[start:at])
    return found


def _predicate(tokens: list[str]) -> tuple[Reach, list[str]]:
    """The value of what stands first, and the tokens behind it. What cannot be read may hold."""
    if not tokens:
        return Reach.MAYBE, []
    name, rest = tokens[0], tokens[1:]
    if name == "(":
        value, rest = _predicate(rest)
        return value, rest[1:] if rest[:1] == [")"] else ["?"]
    if rest[:1] == ["("]:
        values: list[Reach] = []
        rest = rest[1:]
        while rest and rest[0] != ")":
            value, rest = _predicate(rest)
            values.append(value)
            if rest[:1] == [","]:
                rest = rest[1:]
        return _joined(name, values), rest[1:] if rest else ["?"]
    if rest[:1] == ["="] and len(rest) > 1:
        return _equals(name, rest[1].lstrip('"')), rest[2:]
    if name in ("unix", "true"):
        return Reach.YES, rest
    if name in ("windows", "false"):
        return Reach.NO, rest
    return Reach.MAYBE, rest


def _joined(name: str, values: list[Reach]) -> Reach:
    if name == "all":
        return min(values, default=Reach.YES)
    if name == "any":
        return max(values, default=Reach.NO)
    if name == "not" and len(values) == 1:
        return Reach(Reach.YES - values[0])
    return Reach.MAYBE


def _equals(name: str, value: str) -> Reach:
    if name in FIXED:
        return Reach.YES if value == FIXED[name] else Reach.NO
    return Reach.NO if value in NEVER.get(name, ()) else Reach.MAYBE

"""The features of a package: what they switch on (cargo book, "Features")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from dockerslim_lint.record import Record

EVERY = "*"
"""Among the features that are asked for: nobody knows which, so any of them."""


class Table(Record):
    """A ``[features]`` table, and the keys of the optional dependencies."""

    features: Mapping[str, tuple[str, ...]]
    optional: frozenset[str]

    def all(self) -> frozenset[str]:
        """What ``--all-features`` asks for."""
        return frozenset(self.features) | self.optional

    def names(self, name: str) -> bool:
        """Whether there is such a feature, the implicit ones of optional dependencies included."""
        return name in self.features or (name in self.optional and not self._by_dep(name))

    def _by_dep(self, key: str) -> bool:
        """Whether ``dep:key`` stands somewhere, which takes the implicit feature away."""
        return any(f"dep:{key}" in words for words in self.features.values())


class Switched(Record):
    """What features switch on: optional dependencies by key, and the features of dependencies; `weak` ones count only where
    the dependency is there anyway (``key?/feature``). `words` are all words that were met."""

    optional: frozenset[str]
    strong: Mapping[str, frozenset[str]]
    weak: Mapping[str, frozenset[str]]
    words: frozenset[str]

    def of(self, key: str) -> frozenset[str]:
        """The features that a dependency is asked for, if it is there."""
        return self.strong.get(key, frozenset()) | self.weak.get(key, frozenset())


def switched(table: Table, asked: Iterable[str]) -> Switched:
    """Follows features through the table. Words that are no feature of it do nothing."""
    optional: set[str] = set()
    strong: dict[str, set[str]] = {}
    weak: dict[str, set[str]] = {}
    seen: set[str] = set()
    waiting = list(asked)
    if EVERY in waiting:
        waiting += table.all()
    while waiting:
        word = waiting.pop()
        if word in seen:
            continue
        seen.add(word)
        key, slash, feature = word.partition("/")
        if slash and key.endswith("?"):
            weak.setdefault(key[:-1], set()).add(feature)
        elif slash:
            strong.setdefault(key, set()).add(feature)
            if key in table.optional:
                optional.add(key)
                # cargo keeps what it did before there was `dep:`: the feature of that name comes on too
                waiting.append(key)
        elif word.startswith("dep:"):
            optional.add(word[4:])
        elif word in table.features:
            waiting += table.features[word]
        elif table.names(word):
            optional.add(word)
    return Switched(frozenset(optional), _frozen(strong), _frozen(weak), frozenset(seen))


def _frozen(found: Mapping[str, set[str]]) -> dict[str, frozenset[str]]:
    return {key: frozenset(names) for key, names in found.items()}

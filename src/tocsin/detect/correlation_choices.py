"""The extended condition of a temporal correlation in, the choices by which it holds out.

`(a or b) and not c`: names of rules with and, or, not and brackets, whatever their case; not binds strongest,
and stronger than or.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from tocsin.detect.terms import Unusable
from tocsin.model.correlation import Choice

MOST_LENGTH: Final = 4096  # characters
MOST_CHOICES: Final = 256
MOST_DEPTH: Final = 50  # of brackets and nots

_TOKEN: Final = re.compile(r"[()]|[^\s()]+")

# Names that must be seen, and names that must not: one way for a condition to hold.
_Way: TypeAlias = tuple[frozenset[str], frozenset[str]]


def choices_of(condition: str, rules: Sequence[str]) -> tuple[tuple[str, ...], tuple[Choice, ...]]:
    """The rules, in the order of `rules` or else of the condition, and the choices over them.

    Raises:
        Unusable: the condition cannot be read, or names other rules than `rules` does.
    """
    if len(condition) > MOST_LENGTH:
        raise Unusable("unsupported", f"a condition of a correlation longer than {MOST_LENGTH} characters", "condition")
    reader = _Reader(_TOKEN.findall(condition))
    ways = reader.either(0, wanted=True)
    if reader.left:
        raise _odd(f"there is something left at {reader.left[-1]!r}")
    named = tuple(dict.fromkeys(reader.named))
    if rules and set(rules) != set(named):
        only = min(set(rules) ^ set(named))
        where = "not in its condition" if only in rules else "not in `rules`"
        raise Unusable("not sigma", f"a correlation names the rule {only[:80]!r}, which is {where}", "condition")
    named = tuple(rules) or named
    if any(not seen for seen, _ in ways):
        raise Unusable("unsupported", "the condition of the correlation could hold where nothing was seen", "condition")
    at = {name: place for place, name in enumerate(named)}
    found = {
        Choice(seen=tuple(sorted(at[name] for name in seen)), unseen=tuple(sorted(at[name] for name in unseen)))
        for seen, unseen in ways
        if not seen & unseen
    }
    if not found:
        raise Unusable("unsupported", "the condition of the correlation is never true", "condition")
    return named, tuple(sorted(found, key=lambda one: (one.seen, one.unseen)))


def _odd(text: str) -> Unusable:
    return Unusable("not sigma", f"the condition of the correlation cannot be read: {text[:120]}", "condition")


@dataclass(slots=True)
class _Reader:
    """Recursive descent; `left` holds the tokens from the last to the next."""

    left: list[str]
    named: list[str]

    def __init__(self, tokens: Sequence[str]) -> None:
        self.left = list(reversed(tokens))
        self.named = []

    def _next_is(self, word: str) -> bool:
        return bool(self.left) and self.left[-1].lower() == word

    def either(self, depth: int, *, wanted: bool) -> frozenset[_Way]:
        parts = [self._both(depth, wanted=wanted)]
        while self._next_is("or"):
            self.left.pop()
            parts.append(self._both(depth, wanted=wanted))
        return _any(parts) if wanted else _all(parts)

    def _both(self, depth: int, *, wanted: bool) -> frozenset[_Way]:
        parts = [self._one(depth, wanted=wanted)]
        while self._next_is("and"):
            self.left.pop()
            parts.append(self._one(depth, wanted=wanted))
        return _all(parts) if wanted else _any(parts)

    def _one(self, depth: int, *, wanted: bool) -> frozenset[_Way]:
        if depth > MOST_DEPTH:
            raise Unusable("unsupported", "the condition of the correlation nests too deep", "condition")
        if not self.left:
            raise _odd("it ends too early")
        word = self.left.pop()
        if word.lower() == "not":
            return self._one(depth + 1, wanted=not wanted)
        if word == "(":
            inner = self.either(depth + 1, wanted=wanted)
            if not self._next_is(")"):
                raise _odd("a bracket is not closed")
            self.left.pop()
            return inner
        if word == ")" or word.lower() in ("and", "or"):
            raise _odd(f"a rule's name is missing before {word!r}")
        self.named.append(word)
        name = frozenset({word})
        return frozenset({(name, frozenset()) if wanted else (frozenset[str](), name)})


def _any(parts: Sequence[frozenset[_Way]]) -> frozenset[_Way]:
    return _bounded(frozenset().union(*parts))


def _all(parts: Sequence[frozenset[_Way]]) -> frozenset[_Way]:
    ways: frozenset[_Way] = frozenset({(frozenset(), frozenset())})
    for part in parts:
        pairs = itertools.product(ways, part)
        ways = _bounded(frozenset((a[0] | b[0], a[1] | b[1]) for a, b in pairs))
    return ways


def _bounded(ways: frozenset[_Way]) -> frozenset[_Way]:
    if len(ways) > MOST_CHOICES:
        raise Unusable(
            "unsupported", f"the condition of the correlation has over {MOST_CHOICES} ways to hold", "condition"
        )
    return ways

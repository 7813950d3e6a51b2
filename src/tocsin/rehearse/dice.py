"""A seed and names in, the same chances each time out.

Everything stands on `random.Random.random`, whose sequence Python promises to keep from version to version; `choice`,
`shuffle` and numpy's generators carry no such promise, and the same seed must give the same bytes.
"""

from __future__ import annotations

import hashlib
import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate
from random import Random
from typing import Final, Generic, TypeVar

T = TypeVar("T")

_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


class Dice:
    """Chances that depend on the seed and on the names alone, not on who else throws."""

    __slots__ = ("random",)

    def __init__(self, *names: object) -> None:
        self.random = Random("/".join(map(str, names))).random  # noqa: S311 - the same each time is what is wanted

    @classmethod
    def dealt(cls, numbers: Iterable[float]) -> Dice:
        """Chances that were thrown elsewhere, between 0 and 1, in their order."""
        dice = cls.__new__(cls)
        dice.random = iter(numbers).__next__
        return dice

    def below(self, bound: int) -> int:
        return int(self.random() * bound)

    def between(self, low: float, high: float) -> float:
        return low + self.random() * (high - low)

    def chance(self, share: float) -> bool:
        return self.random() < share

    def one(self, choices: Sequence[T]) -> T:
        return choices[int(self.random() * len(choices))]

    def some(self, choices: Sequence[T], count: int) -> list[T]:
        """Up to `count` different ones, in an order of their own."""
        left = list(choices)
        for place in range(min(count, len(left))):
            other = place + self.below(len(left) - place)
            left[place], left[other] = left[other], left[place]
        return left[:count]

    def normal(self, mean: float, spread: float) -> float:
        """Box and Muller's transform, one of its two values."""
        return mean + spread * math.sqrt(-2 * math.log(1 - self.random())) * math.cos(2 * math.pi * self.random())

    def size(self, median: float, spread: float = 1.0) -> int:
        """A log-normal number of bytes or the like, at least 1."""
        return max(1, int(median * math.exp(self.normal(0, spread))))

    def wait(self, mean: float) -> float:
        return -math.log(1 - self.random()) * mean

    def count(self, mean: float) -> int:
        """How often it happens when `mean` times is usual (Poisson; by waits, so for small means)."""
        if mean > 50:
            return max(0, round(self.normal(mean, math.sqrt(mean))))
        random, times, gone = self.random, -1, 0.0
        while gone <= mean:
            gone -= math.log(1 - random())
            times += 1
        return times

    def hexes(self, length: int) -> str:
        return f"{int(self.random() * (1 << 52)) * 0x9E3779B97F4A7C15 & ((1 << (4 * length)) - 1):0{length}x}"

    def letters(self, length: int) -> str:
        random = self.random
        return "".join([_LETTERS[int(random() * 62)] for _ in range(length)])

    def guid(self) -> str:
        one, two = self.hexes(16), self.hexes(15)
        return f"{one[:8]}-{one[8:12]}-4{two[:3]}-a{two[3:6]}-{self.hexes(12)}"


class Weighted(Generic[T]):
    """Choices with weights, drawn by bisection."""

    __slots__ = ("_bounds", "_choices")

    def __init__(self, pairs: Sequence[tuple[T, float]]) -> None:
        self._choices = [choice for choice, _ in pairs]
        self._bounds = list(accumulate(weight for _, weight in pairs))

    def draw(self, dice: Dice) -> T:
        return self._choices[bisect_right(self._bounds, dice.random() * self._bounds[-1])]


def zipf(choices: Sequence[T], exponent: float = 1.0) -> list[tuple[T, float]]:
    """The choices with the weights of Zipf's law, the first being the commonest."""
    return [(choice, 1 / (rank + 1) ** exponent) for rank, choice in enumerate(choices)]


@lru_cache(maxsize=1 << 14)
def digest(*names: object) -> str:
    """A SHA-256 in hexadecimal that stands for something by its names: two in three times for what it did before."""
    return hashlib.sha256("/".join(map(str, names)).encode()).hexdigest()

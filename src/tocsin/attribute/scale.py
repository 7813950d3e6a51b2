"""Ratios in, millidecibans out, and back: integers that are the same on every machine.

A deciban is a tenth of a power of ten (I. J. Good, "Probability and the Weighing of Evidence", 1950): +10 decibans make
something ten times likelier. Logarithms of a C library may differ in the last bit from machine to machine, so where the
last bit decides how a number is rounded, forty digits are asked.
"""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from functools import cache, lru_cache
from typing import Final

NAT: Final = Decimal("4342.944819032518276511289189166")  # millidecibans in a natural unit

ONE: Final = 10**15  # what a likelihood of one is in fixed point


@lru_cache(maxsize=1 << 18)
def ratio(numerator: int, denominator: int) -> int:
    """A ratio of positive integers, in millidecibans."""
    common = math.gcd(numerator, denominator)
    exact = 10_000 * math.log10(numerator // common / (denominator // common))
    if abs(exact - math.floor(exact) - 0.5) > 1e-6:
        return round(exact)
    with localcontext() as context:
        context.prec = 40
        return int(((Decimal(numerator) / Decimal(denominator)).log10() * 10_000).to_integral_value())


def share(value: int, parts: int, whole: int) -> int:
    """`value * parts / whole`, rounded to the nearest, halves away from zero; `whole` is positive."""
    product = value * parts
    return (2 * product + whole) // (2 * whole) if product >= 0 else -((-2 * product + whole) // (2 * whole))


def likelihood(millidecibans: int) -> int:
    """A weight of zero or less as a likelihood in fixed point."""
    tens, rest = divmod(-millidecibans, 100)
    return _tens(tens) * _units(rest) // ONE if tens < 2000 else 0


@cache
def _tens(steps: int) -> int:
    return _power(Decimal(-steps) / 100)


@cache
def _units(steps: int) -> int:
    return _power(Decimal(-steps) / 10_000)


def _power(exponent: Decimal) -> int:
    with localcontext() as context:
        context.prec = 40
        return int((Decimal(10) ** exponent * ONE).to_integral_value())

"""Logarithms are those of forty digits, on every machine."""

from __future__ import annotations

from decimal import Decimal, localcontext

from hypothesis import given
from hypothesis import strategies as st

from tocsin.attribute.scale import ONE, likelihood, ratio, share

positive = st.integers(1, 10**12)


def naive(numerator: int, denominator: int) -> int:
    with localcontext() as context:
        context.prec = 60
        return int(((Decimal(numerator) / Decimal(denominator)).log10() * 10_000).to_integral_value())


@given(positive, positive)
def test_a_ratio_is_rounded_as_with_many_digits(numerator: int, denominator: int) -> None:
    assert ratio(numerator, denominator) == naive(numerator, denominator)


@given(st.integers(-(10**9), 10**9), st.integers(-(10**6), 10**6), st.integers(1, 10**6))
def test_a_share_is_the_nearest_integer_and_odd(value: int, parts: int, whole: int) -> None:
    found = share(value, parts, whole)
    assert abs(2 * (found * whole - value * parts)) <= whole
    assert share(-value, parts, whole) == -found


@given(st.integers(-150_000, 0))
def test_likelihoods_and_weights_are_inverse(weight: int) -> None:
    mass = likelihood(weight)
    if mass > 10**6:
        assert abs(ratio(mass, ONE) - weight) <= 1

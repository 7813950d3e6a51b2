"""Markings: every spelling has one form, and the strictest of several counts."""

from __future__ import annotations

import pytest

from tocsin.model.tlp import strictest, tlp_of


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("TLP:RED", "red"),
        ("tlp:white", "clear"),
        ("Amber+Strict", "amber+strict"),
        ("amber-strict", "amber+strict"),
        ("x", ""),
    ],
)
def test_spellings(text: str, found: str) -> None:
    assert tlp_of(text) == found


def test_the_strictest_counts() -> None:
    assert strictest(["green", "", "amber+strict", "amber"]) == "amber+strict"
    assert strictest([]) == ""

"""The benchmark of indicators makes what it says it makes."""

from __future__ import annotations

import json
from random import Random

import indicators

from tocsin.observe.what import what_is


def test_every_indicator_is_something() -> None:
    drawn = list(indicators.indicators(Random(1), 200))
    assert len(drawn) == 200
    assert {one.type for text in drawn if (one := what_is(text))} >= {
        "address",
        "domain",
        "url",
        "sha256",
        "md5",
        "mail",
    }
    assert all(what_is(text) for text in drawn)


def test_a_share_of_events_are_of_the_network() -> None:
    lines = list(indicators.with_networks(iter([b"{}"] * 1000), Random(1), 0.2))
    made = [json.loads(line) for line in lines if line != b"{}"]
    assert len(lines) == 1000
    assert 150 < len(made) < 250
    assert {one["EventID"] for one in made} == {3, 22}

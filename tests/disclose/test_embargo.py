"""Locked texts: k nations open it, fewer do not, and a false share is told by whose it is."""

from __future__ import annotations

import base64
import json
from itertools import combinations
from typing import Any

import pytest
from msgspec.structs import replace

from disclose.nations import key, nation
from tocsin.disclose import embargo
from tocsin.errors import SealError
from tocsin.seal import dsse

NATIONS = [nation("au"), nation("nz", 2), nation("uk")]
UNTIL = "2024-03-26T00:00:00.000000Z"
TEXT = "What happened in 2021: tāngata tiaki.".encode()


@pytest.fixture(scope="module")
def locked() -> embargo.Locked:
    return embargo.lock(TEXT, NATIONS, 2, UNTIL)


def given(locked: embargo.Locked, who: str, at: str = UNTIL) -> dict[str, Any]:
    return embargo.release(locked, who, key(who), at)


def test_any_two_open_it_and_who_did_early_is_told(locked: embargo.Locked) -> None:
    for pair in combinations(("au", "nz", "uk"), 2):
        envelopes = [given(locked, pair[0], "2024-03-25T23:59:59.999999Z"), given(locked, pair[1])]
        found = embargo.unlock(locked, envelopes, NATIONS)
        assert (found.content, found.by, found.early) == (TEXT, pair, (pair[0],))


def test_one_does_not_however_often_it_says_so(locked: embargo.Locked) -> None:
    with pytest.raises(SealError, match="1 of the 2 shares"):
        embargo.unlock(locked, [given(locked, "nz"), given(locked, "nz")], NATIONS)


def test_nothing_of_it_stands_in_the_open(locked: embargo.Locked) -> None:
    content = embargo.written(locked)
    assert embargo.read(content) == locked
    assert TEXT not in content
    assert TEXT not in base64.b64decode(locked.content)
    assert embargo.written(embargo.lock(TEXT, NATIONS, 2, UNTIL)) != content, "a key of its own each time"


def test_another_time_or_threshold_opens_nothing(locked: embargo.Locked) -> None:
    envelopes = [given(locked, "nz"), given(locked, "uk")]
    for changed in ({"until": "2023-01-01T00:00:00.000000Z"}, {"threshold": 1}):
        other = embargo.read(embargo.written(locked))
        other = type(other)(**{**{name: getattr(other, name) for name in other.__struct_fields__}, **changed})
        with pytest.raises(SealError, match="another embargo"):
            embargo.unlock(other, envelopes, NATIONS)
        with pytest.raises(SealError, match="do not open it"):
            embargo.unlock(other, [given(other, "nz"), given(other, "uk")], NATIONS)


def test_a_false_share_is_told_by_whose_it_is(locked: embargo.Locked) -> None:
    envelope = given(locked, "nz")
    told = json.loads(base64.b64decode(envelope["payload"]))
    told["share"] = base64.b64encode(b"0" * 16).decode()
    from tocsin.seal.canonical import canonical

    false = dsse.sealed(embargo.KIND, canonical(told), [key("nz")])
    with pytest.raises(SealError, match="nz gave a share that is not the one it was given"):
        embargo.unlock(locked, [false, given(locked, "uk")], NATIONS)


def test_a_share_in_the_name_of_another(locked: embargo.Locked) -> None:
    told = json.loads(base64.b64decode(given(locked, "nz")["payload"]))
    from tocsin.seal.canonical import canonical

    stolen = dsse.sealed(embargo.KIND, canonical(told), [key("uk")])
    with pytest.raises(SealError, match="was not given"):
        embargo.unlock(locked, [stolen, given(locked, "au")], NATIONS)


def test_only_the_key_that_it_was_sealed_to(locked: embargo.Locked) -> None:
    with pytest.raises(SealError, match="no share of nz"):
        embargo.release(locked, "nz", key("nz", 1), UNTIL)


@pytest.mark.parametrize(("count", "threshold"), [(1, 1), (3, 1), (3, 4), (0, 0)])
def test_shares_that_share_nothing(count: int, threshold: int) -> None:
    with pytest.raises(SealError):
        embargo.lock(TEXT, NATIONS[:count], threshold, UNTIL)


@pytest.mark.parametrize("content", [b"", b"{}", b'{"format":"tocsin-embargo-1"}', b"\xff", b"[" * 100_000])
def test_what_is_no_embargo(content: bytes) -> None:
    with pytest.raises(SealError):
        embargo.read(content)


@pytest.mark.parametrize("broken", ["negative", "huge", "twice", "nobody", "zero"])
def test_shares_whose_numbers_were_made_up(locked: embargo.Locked, broken: str) -> None:
    """Combining them would not end, or open with fewer."""
    first, second, third = locked.shares
    told = {
        "negative": replace(locked, shares=(replace(first, number=-1), second, third)),
        "huge": replace(locked, shares=(replace(first, number=2**50), second, third)),
        "twice": replace(locked, shares=(first, second, replace(third, number=1))),
        "nobody": replace(locked, shares=()),
        "zero": replace(locked, threshold=0),
    }
    with pytest.raises(SealError, match="is no embargo"):
        embargo.read(embargo.written(told[broken]))

"""A chain of lines: whatever is done to its bytes is told."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.errors import SealError
from tocsin.seal import chain

texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20)


def made(bodies: list[dict[str, Any]]) -> bytes:
    text, prev = b"", chain.ROOT
    for n, body in enumerate(bodies):
        line, link = chain.line(body, n, prev)
        text, prev = text + line, link.digest
    return text


SMALL = made([{"verb": "opened"}, {"verb": "noted", "text": "a\u2028b\x85"}, {"verb": "closed"}])


@given(st.lists(st.dictionaries(texts.filter(lambda name: name not in ("n", "prev")), texts, max_size=3), max_size=5))
def test_there_and_back(bodies: list[dict[str, Any]]) -> None:
    read = chain.read(made(bodies))
    assert not read.breaks
    assert not read.torn
    assert [{k: v for k, v in link.body.items() if k not in ("n", "prev")} for link in read.links] == bodies


def test_a_line_is_checked_with_a_slice_and_a_hash() -> None:
    prev = "0" * 64
    for raw in SMALL.splitlines():
        assert hashlib.sha256(raw[85:-1]).hexdigest().encode() == raw[11:75]
        assert json.loads(raw)["entry"]["prev"] == prev
        prev = json.loads(raw)["digest"]


def _is_found(text: bytes, head: str, count: int) -> bool:
    """What whoever knows the head looks at."""
    read = chain.read(text)
    return bool(read.breaks or read.torn) or (read.head, len(read.links)) != (head, count)


def test_every_change_of_every_byte_is_found() -> None:
    whole = chain.read(SMALL)
    head, count = whole.head, len(whole.links)
    assert not _is_found(SMALL, head, count)
    for place in range(len(SMALL)):
        for bit in range(8):
            flipped = bytearray(SMALL)
            flipped[place] ^= 1 << bit
            assert _is_found(bytes(flipped), head, count), (place, bit)
        assert _is_found(SMALL[:place] + SMALL[place + 1 :], head, count), place
        assert _is_found(SMALL[:place], head, count), place
        for extra in (b"\n", b" ", b"\r", b"0", b"}", b"\0"):
            assert _is_found(SMALL[:place] + extra + SMALL[place:], head, count), (place, extra)
    assert _is_found(SMALL + b"\n", head, count)


def test_lines_that_change_places_go_or_come_twice() -> None:
    lines = SMALL.splitlines(keepends=True)
    whole = chain.read(SMALL)
    for one in range(len(lines)):
        rest = lines[:one] + lines[one + 1 :]
        assert _is_found(b"".join(rest), whole.head, 3)
        for place in range(len(lines) + 1):
            again = [*lines[:place], lines[one], *lines[place:]]
            assert _is_found(b"".join(again), whole.head, 3)
        for other in range(one):
            swapped = list(lines)
            swapped[one], swapped[other] = swapped[other], swapped[one]
            assert _is_found(b"".join(swapped), whole.head, 3)


@given(st.binary(max_size=300), st.integers(0, len(SMALL)))
def test_rubbish_is_no_crash(rubbish: bytes, place: int) -> None:
    chain.read(rubbish)
    assert not rubbish or _is_found(SMALL[:place] + rubbish + SMALL[place:], chain.read(SMALL).head, 3)


def test_all_breaks_are_told_and_what_is_before_them_is_kept() -> None:
    lines = made([{"at": number} for number in range(6)]).splitlines(keepends=True)
    lines[1] = lines[1].replace(b'"at":1', b'"at":7')
    lines[4] = b"\xff\n"
    read = chain.read(b"".join(lines))
    assert len(read.links) == 1
    assert [number for number, _ in read.breaks] == [2, 5, 6]
    assert "digest" in read.breaks[0][1]
    assert "does not follow" in read.breaks[2][1]


def test_one_value_in_two_forms_is_refused() -> None:
    entry = b'{"n":0,"prev":"' + b"0" * 64 + b'","a":1}'  # n and prev before a: valid JSON, and the digest is right
    raw = b'{"digest":"%b","entry":%b}\n' % (hashlib.sha256(entry).hexdigest().encode(), entry)
    assert "canonical" in chain.read(raw).breaks[0][1]


def test_an_entry_that_is_too_long() -> None:
    with pytest.raises(SealError, match="too long"):
        chain.line({"text": "x" * chain.LONGEST}, 0, chain.ROOT)
    assert "longer" in chain.read(b"x" * chain.LONGEST + b"\n").breaks[0][1]

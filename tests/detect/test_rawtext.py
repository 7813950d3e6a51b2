from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tocsin.detect.rawtext import RawSearch
from tocsin.model.event import Longs, RawRecords
from tocsin.model.rule import Pattern

LETTERS = ("ab", "aAbB", "abcxyz/& ", "kKsSiI", "kKſsSİıiI é€", 'a"\\<&\n\0\t', "a{}:,")
LENGTHS = (1, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 129, 300, 5000)


@dataclass
class Block:
    """Records on lines."""

    records: list[bytes]
    header: bytes = b""

    def record(self, at: int) -> bytes:
        return self.records[at]

    def joined(self) -> tuple[bytes, Longs]:
        return b"\n".join(self.records), np.cumsum([0, *(len(one) + 1 for one in self.records)])[:-1]

    def sizes(self) -> Longs:
        return np.array([len(one) for one in self.records], np.int64)


@st.composite
def searched(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    """Keywords of few letters, some within others, and blocks of values with long runs in which some stand."""
    letters = draw(st.sampled_from(LETTERS))
    words = draw(st.lists(st.text(letters, min_size=1, max_size=12), min_size=1, max_size=12))
    for word in words[: draw(st.integers(0, 6))]:
        words += [word[: len(word) // 2] or word, word + draw(st.sampled_from(words)), word * 2]
    runs = st.builds(str.__mul__, st.sampled_from([" ", "0", "é", words[0][:1]]), st.sampled_from(LENGTHS))
    cases = st.sampled_from([str.upper, str.lower, str.swapcase, str])
    told = st.builds(lambda word, case: case(word), st.sampled_from(words), cases)
    values = st.lists(st.one_of(told, told, runs, st.text(letters, max_size=9)), max_size=5).map("".join)
    return [word.lower() for word in words], draw(st.lists(st.lists(values, min_size=1, max_size=5), max_size=3))


@settings(deadline=None)
@given(searched())
def test_records_that_hold_a_keyword_are_candidates(drawn: tuple[list[str], list[list[str]]]) -> None:
    words, blocks = drawn
    raw = RawRecords()
    for values in blocks:
        for plain in (True, False):
            written = [json.dumps({"k": value}, ensure_ascii=plain).encode() for value in values]
            raw.extend(len(values), Block(written))
    kept = [json.loads(record)["k"].lower() for record in raw]
    patterns = {10 + at: Pattern(field=None, kind="contains", text=word) for at, word in enumerate(words)}
    found = RawSearch(patterns).candidates(raw)
    for number, pattern in patterns.items():
        wanted = {row for row, value in enumerate(kept) if pattern.text in value}
        assert number not in found or wanted <= set(found[number].tolist())

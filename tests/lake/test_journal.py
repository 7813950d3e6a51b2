"""What came of indicators is judged by people, and becomes the record of their sources."""

from __future__ import annotations

from pathlib import Path

import pytest

from tocsin.detect.score import score
from tocsin.errors import LakeError
from tocsin.lake import journal, store
from tocsin.lake.store import Lake
from tocsin.model.indicator import Indicator, Observable


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    made = store.make(tmp_path / "lake")
    sources = {f"indicator--{number}": "Ally" for number in range(5)} | {"indicator--x": ""}
    journal.add(made, "answered", {"found": 6, "sources": sources})
    return made


def judged(lake: Lake, number: object, *, right: bool) -> str:
    return journal.judge(lake, f"indicator--{number}", right=right, by="Mere Tane", reason="looked at the machine")


def test_a_record_counts_indicators_and_the_last_word_on_each(lake: Lake) -> None:
    assert journal.records(lake) == {}
    assert judged(lake, 0, right=True) == "Ally"
    judged(lake, 1, right=True)
    judged(lake, 1, right=False)
    judged(lake, 2, right=False)
    assert journal.records(lake) == {"Ally": (1, 2)}


def test_sources_without_a_name_have_no_record(lake: Lake) -> None:
    assert judged(lake, "x", right=False) == ""
    assert journal.records(lake) == {}


def test_what_no_hunt_found_cannot_be_judged(lake: Lake) -> None:
    with pytest.raises(LakeError, match="no hunt in this lake found"):
        judged(lake, 99, right=True)


@pytest.mark.parametrize(("record", "value"), [((0, 0), 80), ((3, 0), 80), ((0, 4), 40), ((4, 4), 53)])
def test_a_record_lowers_what_a_source_says_and_says_so(record: tuple[int, int], value: int) -> None:
    one = Indicator(id="i", title="i", observables=(Observable("sha1", "a" * 40),), source="Ally", confidence=80)
    told = score(one, None, revoked=False, hosts=1, of_hosts=5, record=record)
    assert told.value == value
    said = [term.because for term in told.terms if "judged" in term.because]
    assert said == ([f"of what Ally told, {record[0]} were judged right here and {record[1]} wrong"] * any(record))

"""Bounds as people read them: what is not known is said, rounding never says too much, and nobody is mixed up."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from output import incidents, taken
from tocsin.model.concern import Touched
from tocsin.model.impact import Bounds, Impact, Unit
from tocsin.model.press import Judged
from tocsin.output import impact as words
from tocsin.output import incidents as pages
from tocsin.output.report import Audience, Report, write


def _page(audience: Audience, **changed: object) -> str:
    file = io.StringIO()
    write(Report(incident=replace(incidents.incident(), **changed), run=incidents.run(), audience=audience), file)  # type: ignore[arg-type]
    return file.getvalue()


@pytest.mark.parametrize(
    ("bounds", "unit", "text"),
    [
        (Bounds(), "bytes", "not known"),
        (Bounds(), "messages", "not known"),
        (Bounds(lower=1), "messages", "at least 1 message, how much more is not known"),
        (Bounds(lower=6, upper=6), "messages", "6 messages"),
        (Bounds(upper=7), "files", "at most 7 files"),
        (Bounds(lower=2, upper=7), "files", "at least 2 files, at most 7 files"),
        (Bounds(lower=1_250_000_000, upper=3_310_000_000), "bytes", "at least 1.2 GB, at most 3.4 GB"),
        (Bounds(lower=999, upper=999_999), "bytes", "at least 999 bytes, at most 1 MB"),
    ],
)
def test_amounts(bounds: Bounds, unit: Unit, text: str) -> None:
    assert words.amount(bounds, unit) == text


def test_the_sentence_for_leadership() -> None:
    claim = taken.network(Bounds(lower=1_200_000_000, upper=3_400_000_000))
    assert words.sentence(claim) == (
        "At least 1.2 GB, at most 3.4 GB, left for 203.0.113.9; what was in it is not known."
    )
    assert words.sentence(taken.network(Bounds())).startswith("An amount that is not known left for 203.0.113.9;")
    assert "; how much more is not known;" in words.sentence(taken.network(Bounds(lower=7)))


_SCALE = {"bytes": 1, "byte": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "PB": 10**15, "EB": 10**18}


@given(st.integers(1, 10**20), st.integers(0, 10**20))
def test_rounding_never_says_more_than_the_least_or_less_than_the_most(lower: int, more: int) -> None:
    text = words.amount(Bounds(lower=lower, upper=lower + more), "bytes")
    told = [
        round(float(number.replace(",", "")) * 10) * _SCALE[unit] / 10
        for number, unit in re.findall(r"(\d[\d.,]*) (\w+)", text)
    ]
    assert told[0] <= lower
    if more:
        assert told[1] >= lower + more


def test_no_audience_reads_nothing_where_nobody_looked() -> None:
    for audience in ("analyst", "leadership"):
        page = _page(audience, impact=None)
        assert "Nobody has looked at what was taken" in page
        page = _page(audience)
        assert "what was in it is not known" in page
        assert "Whether databases were read" in page


def test_claims_lead_to_their_records_for_analysts_alone() -> None:
    page = _page("analyst")
    row = re.search(r"row\">left for 203\.0\.113\.9.*?</tr>", page, re.DOTALL)
    assert row
    assert 'class="cite"' in row[0]
    assert 'class="cite"' not in _page("leadership")


def test_partners_read_nothing_of_it() -> None:
    page = _page("partner")
    for ours in ("203.0.113.9", "m.tane", "John Smith", "DC01", "file-02"):
        assert ours not in page


def test_two_people_of_one_name_stay_two() -> None:
    page = _page("leadership")
    assert page.count("John Smith") == 2
    assert "1002" in page
    assert "1003" in page
    assert "it may be either" in page


def test_the_terminal_says_the_same_at_80_columns() -> None:
    file = io.StringIO()
    pages.show(Console(file=file, width=80, no_color=True), [incidents.incident()])
    text = " ".join(file.getvalue().split())
    assert "At least 1.2 GB, at most 3.4 GB, left for 203.0.113.9" in text
    assert "John Smith [1002], clerk: reached" in text
    assert "critical, secret, protected (Directory team, Assembly)" in text
    assert max(map(len, file.getvalue().splitlines())) <= 80


def test_json_has_null_for_what_is_not_known() -> None:
    file = io.StringIO()
    pages.write([incidents.incident()], file)
    claims = json.loads(file.getvalue())[0]["impact"]["claims"]
    assert claims[1]["amount"] == {"lower": 0, "upper": None}


def test_what_no_finding_names_is_one_line() -> None:
    left = taken.network(Bounds(lower=5, upper=9))
    loose = [
        replace(left, subject=name, names=(), confidence="low", amount=Bounds(upper=upper))
        for name, upper in (("192.0.2.1", 1_000_000), ("192.0.2.2", 250_000))
    ]
    told = Impact(claims=(left, *loose))
    first, second = words.summary(told, 8)
    assert "left for" in first
    assert second == "To 2 destinations that no finding names went at most 1.3 MB, for whatever reason. Low confidence."
    assert len(words.summary(told)) == 3
    open_end = replace(told, claims=(*loose, replace(loose[0], amount=Bounds())))
    (line,) = words.summary(open_end, 8)
    assert line.startswith("To 3 destinations that no finding names went an amount that is not known")


def _judged(**changed: object) -> Judged:
    told = Judged(
        id="a",
        claim="c",
        by="<b>Somebody</b>",
        says="<script>alert(1)</script> \u202eAll of it",
        verdict="contradicted",
        because=("a sensor counted 1 kB",),
        not_seen=("a medium that was carried away",),
    )
    return replace(told, **changed)


def test_a_press_claim_stands_in_the_report_and_stays_text() -> None:
    for audience in ("analyst", "leadership"):
        page = _page(audience, claims=(_judged(),))
        assert "Contradicted" in page
        assert "a medium that was carried away" in page
        assert "<script>alert" not in page
        assert "<b>Somebody" not in page
    assert "Contradicted" not in _page("partner", claims=(_judged(),))
    assert "What is claimed" not in _page("analyst")


def test_the_terminal_tells_verdicts_at_80_columns() -> None:
    console = Console(file=io.StringIO(), width=80)
    pages.show_claims(console, (_judged(), _judged(verdict="not known", not_seen=())))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "CONTRADICTED" in text
    assert "NOT KNOWN" in text
    assert "\u202e" not in text
    assert max(map(len, text.splitlines())) <= 80
    pages.show_claims(quiet := Console(file=io.StringIO(), width=80), ())
    assert not quiet.file.getvalue()  # type: ignore[attr-defined]


def test_a_whole_directory_is_a_number() -> None:
    everybody = tuple(
        Touched(id=str(number), name=f"Name {number}", how="possibly reached", through=(), because=("a copy",))
        for number in range(500)
    )
    one = Touched(id="x", name="Mere", how="reached", through=("PARL\\mere",), because=("b",))
    assert list(words.all_touched((one, *everybody))) == [
        "500 people have an account of a directory that was copied or can have been: possibly reached",
        "Mere [x]: reached, by PARL\\mere",
    ]
    page = _page("leadership", people=(one, *everybody))
    assert "500 people of the list have" in page
    assert "Mere" in page
    assert "Name 7<" not in page

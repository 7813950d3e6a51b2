"""The page for a minister: when they must hear, one sheet whatever a case holds, nobody named without a decision."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from pypdf import PdfReader

from disclose.made import CANARY, HOSTILE, TELLING, entry, incident, touched
from tocsin.disclose import brief, clocks, pages, register
from tocsin.errors import SettingsError
from tocsin.model.impact import Impact, Unanswered
from tocsin.model.incident import Incident
from tocsin.model.notification import Notification
from tocsin.output.screen import UNSEEN, shown

TABLE = brief.built_in()
LAWS = clocks.chosen(clocks.built_in(), TELLING.jurisdictions)
KNOWN = brief.Known(answer="No group can be named.", confidence="low: few traits.", facts=("Something left.",))


def entries(one: Incident) -> tuple[Notification, ...]:
    return register.register(one, TELLING, LAWS)


def reasons(one: Incident, **more: Any) -> set[str]:
    told = brief.reasons(TABLE, one, entries(one), replace(KNOWN, **more), shown)
    return {next(rule.id for rule in TABLE.rule if rule.says.partition("{{")[0][:20] in why) for why in told}


def bare(one: Incident, **more: Any) -> Incident:
    return replace(one, **{"assets": (), "impact": Impact(), "claims": (), "people": (), **more})


@pytest.mark.parametrize(
    ("one", "more", "wanted"),
    [
        (bare(incident()), {}, set()),
        (bare(incident(), rank="review"), {}, set()),
        (bare(incident(), people=(touched("1", "A", "targeted"),)), {}, set()),
        (bare(incident(), people=(touched("1", "A"),)), {}, {"category"}),
        (bare(incident(), people=tuple(touched(str(n), "A") for n in range(5))), {}, {"category", "members"}),
        (bare(incident(), assets=incident().assets), {}, {"secret"}),
        (bare(incident(), assets=incident().assets, rank="review"), {}, set()),
        (bare(incident()), {"state": 55}, {"state"}),
        (bare(incident()), {"state": 54}, set()),
        (bare(incident()), {"public": True}, {"public"}),
        (bare(incident()), {"category": 2, "category_by": "Ben"}, {"category"}),
        (bare(incident(), people=(touched("1", "A"),)), {"category": 5, "category_by": "Ben"}, set()),
    ],
)
def test_rules(one: Incident, more: dict[str, Any], wanted: set[str]) -> None:
    assert reasons(one, **more) == wanted


@pytest.mark.parametrize(
    ("extent", "kind", "title", "line"),
    [
        ("reached", "person", "somebody got into systems", "We found that somebody got into systems"),
        ("reached", "owner", "somebody got into systems", "We found that somebody got into systems"),
        ("possibly reached", "person", "somebody may have got into systems", "somebody may have got into systems"),
        ("targeted", "person", "somebody tried to get at people", "No record of ours shows that they got in"),
        ("cannot know", "person", "of whom nobody knows how far they got", "We do not say more"),
    ],
)
def test_who_was_only_tried_is_not_told_that_somebody_got_in(extent: str, kind: str, title: str, line: str) -> None:
    some = [entry(f"Person {at}", extent, key=f"{kind}:{at}", kind=kind, id=str(at)) for at in range(5)]
    nobody_came = bare(incident(), moves=(), processes=())
    told = brief.page(TABLE, "c", nobody_came, some, brief.Known(), shown, marking="TLP:AMBER")
    assert title in told.title
    lines = next(one.lines for one in told.passages if one.id == "lines")
    assert any(line in one for one in lines)
    why = next(one.lines for one in told.passages if one.id == "why")
    assert any("chose several people" in one for one in why) == (extent == "targeted")


@pytest.mark.parametrize("kept", ["moves", "processes", "impact"])
@pytest.mark.parametrize("extent", ["targeted", "cannot know"])
def test_who_came_to_a_machine_of_no_list_is_not_told_as_an_attempt(extent: str, kept: str) -> None:
    """The register has owners of listed machines only; records of the others are records all the same."""
    whole = incident()
    got_in = bare(whole, **{"moves": (), "processes": (), kept: getattr(whole, kept)})
    told = brief.page(TABLE, "c", got_in, [entry("A", extent)], brief.Known(), shown, marking="TLP:AMBER")
    assert "somebody may have got into systems" in told.title
    assert not any("they got in." in line for one in told.passages for line in one.lines)


def test_the_gravest_category_is_only_ever_decided() -> None:
    people = tuple(touched(str(n), f"P {n}", "data left") for n in range(50))
    one = incident(*people)
    assert brief.category(TABLE, one, entries(one), KNOWN).number == 2
    assert brief.category(TABLE, one, entries(one), replace(KNOWN, category=1)).number == 1
    with pytest.raises(SettingsError, match="no category 9"):
        brief.category(TABLE, one, entries(one), replace(KNOWN, category=9))


def test_the_page_keeps_apart_what_is_known() -> None:
    one = incident(touched("1", "Aroha Ngata", "possibly reached"))
    text = pages.text(brief.page(TABLE, "case-1", one, entries(one), KNOWN, shown, marking="TLP:RED"))
    flat = " ".join(text.split())
    for word in (
        "TLP:RED – case case-1",
        "somebody got into systems of Parliamentary Service",
        "as the table proposes; nobody has decided on it",
        "No group can be named.",
        "It is too early to say who is behind it.",
        "Whether 1 people who may have been reached were.",
        "Quiet.",
        "Joint.",
        "Public.",
    ):
        assert word in flat
    assert CANARY not in text.partition("WHAT IS NOT KNOWN")[0], "of a record nothing stands there"
    held = replace(KNOWN, held="The people of the hill")
    text = pages.text(brief.page(TABLE, "c", one, entries(one), held, shown, marking=""))
    assert "Two people have decided whom to hold responsible: The people of the hill." in " ".join(text.split())
    assert "too early to say" not in text


@pytest.mark.parametrize("hostile", [*HOSTILE, "word " * 400, "W" * 2_000])
def test_it_is_one_sheet_whatever_a_case_holds(hostile: str) -> None:
    people = tuple(touched(str(n), hostile) for n in range(40))
    one = incident(*people, words=(hostile,))
    asked = tuple(Unanswered(question=f"{hostile} {n}", would_tell="x") for n in range(40))
    one = replace(
        one,
        impact=Impact(unanswered=asked),
        not_seen=(hostile,) * 30,
        assets=tuple(replace(one.assets[0], authority=f"{hostile} {n}") for n in range(9)),
    )
    many = (hostile,) * 30
    known = replace(
        KNOWN, facts=many, surely=many, done=many, said_before=many, answer=hostile, confidence=hostile, held=hostile
    )
    page = brief.page(TABLE, "case", one, entries(one), known, shown, marking=hostile[:200])
    text = pages.text(page)
    assert not [line for line in text.split("\n") if UNSEEN.search(line)]
    made = pages.pdf(page, dense=True)
    if made:
        assert len(PdfReader(io.BytesIO(made)).pages) == 1
    else:
        assert "张" in hostile
    assert "<script" not in pages.html(page)


@pytest.mark.parametrize(
    "text",
    [
        "category = []\nrule = []",
        "rule = []",
        "category = [{number=1,name='a',says='b',never_proposed=true,when={left=true}}]\nrule = []",
        "category = [{number=1,name='a',says='b',when={lefd=true}}]\nrule = []",
    ],
)
def test_a_table_that_is_wrong(text: str) -> None:
    with pytest.raises(SettingsError, match="mine"):
        brief.read(text, "mine")

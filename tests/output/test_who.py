"""The chapter on who it may have been: the sums of the attribution, text whatever it says."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest

from output import incidents
from tocsin.model.attribution import CERTAIN, UNKNOWN, Answer, Attribution, Ground, Hypothesis, Row
from tocsin.model.decision import Decision
from tocsin.model.likelihood import word
from tocsin.model.statement import NOBODY, Standing, Statement
from tocsin.output.report import AUDIENCES, Audience, Report, Who, write, write_who
from tocsin.output.report.who import chapter, percent

HOSTILE = "<img src=x onerror=alert(1)>\x1b[2J\u202e"
WHO = "the Republic of Elsewhere"


def ground(value: str, weight: int, **more: str) -> Ground:
    told = {"kind": "technique", "vertex": "capability", "grade": "B2", "forgeability": "cheap", "independence": "host"}
    told |= {"because": f"because of {value}", **more}
    return Ground(value=value, uncapped=weight, millidecibans=weight, **told)  # type: ignore[arg-type]


def attribution(words: str = "Night Heron") -> Attribution:
    groups = [
        Hypothesis(
            id=f"G{number:04}",
            name=words if not number else f"Group {number}",
            kind="group",
            billionths=chance,
            millidecibans=0,
            grounds=(ground("T1003", 4000, name=words), ground("T1059", -2000)) if not number else (),
        )
        for number, chance in enumerate([300_000_000, 100_000_000, *[10_000_000] * 10])
    ]
    kin = Hypothesis(id="kin:G1", name="a new group", kind="kin", billionths=50_000_000, millidecibans=0)
    left = CERTAIN - kin.billionths - sum(one.billionths for one in groups)
    nobody = Hypothesis(id=UNKNOWN, name="nobody known", kind="unknown", billionths=left, millidecibans=0)
    row = {"kind": "technique", "grade": "B2", "readings": ("++", "-"), "millidecibans": (4000, -900)}
    return Attribution(
        observation="x",
        hypotheses=(nobody, *groups, kin),
        answer=Answer(level="cluster", hypotheses=(), text=f"No group: {words}.", billionths=left, word="likely"),
        confidence="Confidence in the evidence is low.",
        fragile=("Without technique T1003, another group would lead.", "Without all of the host, another would lead."),
        within=(900, (UNKNOWN, "G0000")),
        columns=("G0000", "G0001"),
        matrix=(
            Row(value="T1003", diagnosticity=4900, name=words, **row),  # type: ignore[arg-type]
            Row(value="T1059", diagnosticity=10, **row),  # type: ignore[arg-type]
        ),
        against=(f"technique T1059: {words}",),
        gaps=(f"{words} would also be expected to use T1566; look at the mail gateway.",),
        would_change=("Without technique T1003, Group 1 would lead.",),
        notes=(f"{words} was not weighed.",),
    )


def page(found: Attribution | None, audience: Audience, **more: str) -> str:
    file = io.StringIO()
    write(Report(incident=incidents.incident(), run=incidents.run(), audience=audience, attribution=found), file)
    return file.getvalue()


def who(standing: Standing, audience: Audience = "analyst", words: str = "Night Heron") -> str:
    file = io.StringIO()
    asked = Who(
        case="c1", title=words, attribution=attribution(words), standing=standing, own=(words,), audience=audience
    )
    write_who(asked, "1.0", file)
    return file.getvalue()


def standing(state: str) -> Standing:
    statement = Statement(
        case="c1", responsible=WHO, reason="r", by="Anna", key="k", evidence="e", attribution="a", answer="unknown"
    )
    signed = [
        Decision(
            case="c1",
            subject="responsible",
            choice="yes",
            role="leadership",
            by=name,
            key=f"key of {name}",
            at="2026-11-28T10:00:00.000000Z",
            reason="r",
            seen="d",
        )
        for name in ("Ben", "Carla")
    ]
    because = ("The case holds other evidence now.",)
    return Standing(
        state=state,  # type: ignore[arg-type]
        statement=statement,
        digest="d" * 64,
        signed=tuple(signed),
        because=() if state == "held" else because,
    )


def test_what_the_team_knows_itself_is_told_as_its_own() -> None:
    found = attribution()
    leader = next(one for one in found.hypotheses if one.kind == "group")

    def own(name: str, *, named: bool = False, **more: int) -> tuple[str, ...]:
        ours = replace(leader, id=name, **more)  # type: ignore[arg-type]
        answer = replace(found.answer, level="group", hypotheses=(name,)) if named else found.answer
        others = tuple(one for one in found.hypotheses if one is not leader)
        return chapter(replace(found, hypotheses=(ours, *others), answer=answer), NOBODY).own

    assert not own("G0001")
    assert own("own:night-heron") == (
        "Night Heron, an intrusion set of your own: unlikely, 30 %; that is not enough to name it.",
    )
    assert own("own:night-heron", named=True) == ("Night Heron, an intrusion set of your own: unlikely, 30 %.",)
    assert "a cluster of your closed cases" in own("cluster:1")[0]
    assert not own("own:night-heron", billionths=49_000_000), "almost no chance"


def test_bars_are_the_chances_and_all_of_them() -> None:
    found = chapter(attribution(), NOBODY)
    assert [bar.name for bar in found.bars][:3] == ["nobody known", "Night Heron", "Group 1"]
    assert found.bars[-1].name == "all other groups together"
    assert sum(bar.width for bar in found.bars) == pytest.approx(330, abs=1)
    assert [bar.name for bar in found.bars if bar.is_unknown] == ["nobody known", "new groups, of known kin"]
    assert all(bar.word == word(round(bar.width / 330 * CERTAIN)) for bar in found.bars[:3])


@pytest.mark.parametrize(
    ("billionths", "text"),
    [(0, "0 %"), (1, "below 1 %"), (10_000_000, "1 %"), (994_000_000, "above 99 %"), (CERTAIN, "100 %")],
)
def test_percents_claim_no_more_than_is_known(billionths: int, text: str) -> None:
    assert percent(billionths) == text


def test_what_tells_nothing_apart_is_counted_and_not_shown() -> None:
    found = chapter(attribution(), NOBODY)
    assert [name for name, _ in found.rows] == ["T1003 Night Heron"]
    assert found.left_out == 1
    assert found.fragile == ("Without all of the host, another would lead.",), "the other is told by what would change"


@pytest.mark.parametrize("audience", AUDIENCES)
def test_what_each_audience_is_told(audience: Audience) -> None:
    told = page(attribution(), audience)
    assert ("Who it may have been" in told) == (audience != "partner"), "what partners are told of it is decided apart"
    assert ("Night Heron" in told) == (audience != "partner")
    assert ("What would change our mind" in told) == (audience != "partner")
    assert ("fits well" in told) == (audience == "analyst")
    assert ("decibans" in told) == (audience == "analyst")


def test_without_a_comparison_it_says_so() -> None:
    assert "was not compared" in page(None, "leadership")


@pytest.mark.parametrize("audience", AUDIENCES)
def test_hostile_words_stay_text(audience: Audience) -> None:
    told = page(attribution(HOSTILE), audience)
    assert "<img" not in told
    assert "\x1b" not in told
    assert "\u202e" not in told
    told = who(standing("held"), audience, HOSTILE)
    assert not re.search(r"<img|<script", told)
    assert not {"\x1b", "\u202e"} & set(told)


@pytest.mark.parametrize("state", ["nobody", "proposed", "refused", "void", "held"])
@pytest.mark.parametrize("audience", ["analyst", "leadership"])
def test_somebody_is_responsible_only_where_people_decided_it(state: str, audience: Audience) -> None:
    told = who(standing(state), audience)
    assert (WHO in told) == (state == "held")
    assert ("Nobody. That is for people to decide" in told) == (state != "held")
    if state == "held":
        assert "by decision of Ben (leadership, 2026-11-28, key key of Ben) and Carla" in told
    else:
        assert "The case holds other evidence now." in told


def test_reports_of_incidents_never_hold_anybody_responsible() -> None:
    assert "Nobody. That is for people to decide" in page(attribution(), "leadership")


def test_the_same_page_has_the_same_bytes() -> None:
    assert who(NOBODY) == who(NOBODY)
    assert page(attribution(), "analyst") == page(replace(attribution()), "analyst")

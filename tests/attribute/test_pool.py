"""What closed cases saw is knowledge of the team's own clusters."""

from __future__ import annotations

from dataclasses import replace

from made import seen, trait

from tocsin import attribute
from tocsin.attribute.cluster import gather
from tocsin.attribute.pool import entries
from tocsin.model.cluster import Clusters
from tocsin.model.observation import Observation


def case(name: str, *software: str, domain: str = "", techniques: list[str] | None = None) -> Observation:
    others = [trait("infrastructure", f"domain:{domain}")] if domain else []
    others += [
        trait("victim", "sector:energy"),
        trait("victim", "country:NZ"),
        trait("code", "mutex:Heron"),
        trait("vulnerability", "CVE-2021-44228"),
    ]
    return replace(seen(techniques or ["T1003", "T1190"], software, others=others), id=name)


def test_cases_of_one_activity_are_one_group_and_each_is_a_source() -> None:
    closed = [case("a", "own:x", domain="c2.example"), case("b", "own:x", domain="c2.example"), case("c", "own:y")]
    found = entries(closed, Clusters())
    assert len(found) == 2
    both = next(
        one for one in found.values() if len(one["software"]["own:x" if "own:x" in one["software"] else "own:y"]) == 2
    )
    assert both["techniques"] == {
        "T1003": ["case a (2018)", "case b (2018)"],
        "T1190": ["case a (2018)", "case b (2018)"],
    }
    assert both["infrastructure"] == ["domain:c2.example"] * 2
    assert set(both["code"]) == {"mutex:Heron"}
    assert set(both["sectors"]) == {"energy"}
    assert set(both["victims"]) == {"NZ"}
    assert set(both["vulnerabilities"]) == {"CVE-2021-44228"}


def test_a_cluster_keeps_the_name_that_the_team_knows_it_by() -> None:
    kept = gather([case("a", "own:x", domain="c2.example")], Clusters())
    found = entries([case("a", "own:x", domain="c2.example"), case("b", "own:x", domain="c2.example")], kept)
    assert [(number, told["name"]) for number, told in found.items()] == [(kept.clusters[0].id, kept.clusters[0].name)]


def test_the_order_of_cases_does_not_matter() -> None:
    closed = [case("a", "own:x", domain="c2.example"), case("b", "own:y"), case("c", "own:x", domain="c2.example")]
    assert entries(closed, Clusters()) == entries(closed[::-1], Clusters())


def test_two_clusters_that_one_name_was_known_for_are_two() -> None:
    one, other = case("a", "own:x", domain="c2.example"), case("b", "own:x", domain="c2.example")
    kept = gather([one, other], Clusters())
    apart = [one, case("b", "own:z", domain="elsewhere.example")]
    assert len(entries(apart, kept)) == 2


def test_a_new_incident_is_compared_with_them() -> None:
    closed = [case("a", "own:x", domain="c2.example"), case("b", "own:x", domain="c2.example")]
    ours = entries(closed, Clusters())
    profiles = attribute.prepare(ours)
    found = attribute.weigh(case("new", "own:x", domain="c2.example"), profiles)
    (own,) = ours
    told = next(one for one in found.hypotheses if one.kind == "group")
    assert told.id == own
    assert {one.kind for one in told.grounds if one.millidecibans > 0} >= {"software"}


def test_nothing_seen_is_no_group() -> None:
    assert entries([Observation(id="empty")], Clusters()) == {}

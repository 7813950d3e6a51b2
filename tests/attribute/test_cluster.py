"""Incidents that share what is rare are one activity; what everybody has joins nobody; and nothing is forgotten."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from made import kb, seen, trait

from tocsin import attribute
from tocsin.attribute.cluster import gather
from tocsin.model.cluster import Clusters
from tocsin.model.observation import Observation

COMMON = [f"T{1000 + number}" for number in range(20)]


def incident(name: str, *software: str, domain: str = "", techniques: list[str] | None = None) -> Observation:
    others = [trait("infrastructure", f"domain:{domain}")] if domain else []
    return replace(seen(COMMON[:10] if techniques is None else techniques, software, others=others), id=name)


def parts(clusters: Clusters) -> set[tuple[str, ...]]:
    return {one.incidents for one in clusters.clusters if one.incidents}


def kinds(clusters: Clusters, name: str) -> list[str]:
    one = clusters.of(name)
    assert one is not None
    return [change.kind for change in one.history]


def test_rare_things_join_and_common_ones_do_not() -> None:
    found = gather(
        [
            incident("a", "own:loader", domain="c2.example"),
            incident("b", "own:loader", domain="c2.example"),
            incident("c"),
            incident("d"),
        ],
        Clusters(),
    )
    assert parts(found) == {("a", "b"), ("c",), ("d",)}
    joined = found.of("a")
    assert joined is not None
    assert any("own:loader" in why for why in joined.history[0].because)


def test_a_tool_that_everybody_has_joins_nobody() -> None:
    profiles = attribute.prepare(kb(0, groups=60))
    shared = max(profiles.holders, key=lambda name: (profiles.holders[name], name) if name[0] == "S" else (0, ""))
    found = gather([incident("a", shared), incident("b", shared)], Clusters(), profiles)
    assert parts(found) == {("a",), ("b",)}


def test_join_merge_and_split_are_in_the_history() -> None:
    first = gather([incident("a", "own:x", domain="one.example")], Clusters())
    name = first.clusters[0].name
    second = gather([incident("b", "own:x", domain="one.example"), incident("c", "own:y", domain="two.example")], first)
    assert parts(second) == {("a", "b"), ("c",)}
    assert kinds(second, "b") == ["opened", "joined"]
    both = incident("d", "own:x", "own:y", domain="one.example")
    both = replace(both, traits=(*both.traits, trait("infrastructure", "domain:two.example")))
    third = gather([both], second)
    assert parts(third) == {("a", "b", "c", "d")}
    assert kinds(third, "d") == ["opened", "joined", "merged", "joined"]
    assert third.of("d").name == name  # type: ignore[union-attr] - the oldest keeps its name
    gone = [one for one in third.clusters if one.merged_into]
    assert len(gone) == 1
    fourth = gather([incident("d", domain="three.example")], third)
    assert parts(fourth) == {("a", "b"), ("c",), ("d",)}
    assert kinds(fourth, "a")[-1] == "left"
    assert kinds(fourth, "c") == ["split"]
    assert len({one.name for one in fourth.clusters}) == len(fourth.clusters)


def test_why_an_incident_joined_is_told_of_that_incident() -> None:
    """It had been the strongest likeness of the whole cluster, whoever showed it."""
    before = gather([incident(name, "own:x", "own:y", domain="one.example") for name in ("a", "b")], Clusters())
    after = gather([incident("c", "own:x", domain="one.example"), incident("d")], before)
    joined = after.of("c").history[-1]  # type: ignore[union-attr]
    assert (joined.kind, joined.incidents) == ("joined", ("c",))
    assert joined.because
    assert all(" and c: " in text for text in joined.because)


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.sets(st.sampled_from(["own:x", "own:y", "own:z"])), st.sampled_from(["", "1.example", "2.example"])
        ),
        max_size=8,
    ),
    st.randoms(use_true_random=False),
)
def test_who_is_together_does_not_depend_on_the_order(made: list[tuple[set[str], str]], chosen: random.Random) -> None:
    incidents = [incident(f"i{n}", *sorted(software), domain=domain) for n, (software, domain) in enumerate(made)]
    shuffled = list(incidents)
    chosen.shuffle(shuffled)
    at_once = gather(incidents, Clusters())
    one_by_one = Clusters()
    for one in shuffled:
        one_by_one = gather([one], one_by_one)
    assert parts(at_once) == parts(one_by_one)
    assert gather(shuffled, Clusters()) == at_once
    assert sorted(name for part in parts(one_by_one) for name in part) == sorted(one.id for one in incidents)


def test_gathering_again_changes_nothing_but_the_count() -> None:
    found = gather([incident("a", "own:x"), incident("b", "own:x")], Clusters())
    assert gather([], found).clusters == found.clusters

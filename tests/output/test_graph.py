"""The picture of an incident: machines, their accounts, addresses, and moves in order; nothing overlaps."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from output import incidents
from tocsin.model.incident import Incident, Move, Seen
from tocsin.output.report.graph import Graph, draw


def drawn(incident: Incident) -> Graph:
    graph = draw(incident)
    assert graph is not None
    return graph


def test_accounts_stand_in_their_machines_and_moves_are_numbered() -> None:
    graph = drawn(incidents.incident())
    boxes = {box.name: box for box in graph.boxes}
    assert boxes["web-01"].shape == "first host"
    assert boxes["web-01"].accounts == ("ASSEMBLY\\m.tane",)
    assert boxes["ws-017"].accounts == ()
    assert boxes["1.1.1.1"].shape == "address"
    assert [arrow.label[:2] for arrow in graph.arrows] == ["1.", "2.", "3."]
    assert boxes["1.1.1.1"].x < boxes["web-01"].x < boxes["dc-01"].x < boxes["file-02"].x


def test_an_address_outside_that_findings_name_is_drawn_without_a_move() -> None:
    one = replace(incidents.incident(), moves=())
    graph = drawn(one)
    assert graph.alone
    assert "1.1.1.1" in {box.name for box in graph.boxes}
    assert [(arrow.label, "1.1.1.1" in arrow.because) for arrow in graph.arrows] == [("", True)]
    assert "10.0.4.17" not in {box.name for box in graph.boxes}, "an address inside is a machine of ours"


def test_one_machine_of_which_nothing_is_known_is_no_picture() -> None:
    bare = replace(incidents.incident(), moves=(), accounts=(), addresses=(), hosts=incidents.incident().hosts[:1])
    assert draw(bare) is None


def test_names_without_their_domain_only_where_they_stay_different() -> None:
    names = ("web.a.example", "web.b.example", "dc.a.example", "10.0.0.1")
    seen = tuple(Seen(name=name, first_us=None, last_us=None, findings=1) for name in names)
    graph = drawn(replace(incidents.incident(), hosts=seen, moves=(), accounts=(), addresses=()))
    assert [box.label for box in graph.boxes] == ["web.a.example", "web.b.example", "dc", "10.0.0.1"]


@given(st.integers(0, 60), st.integers(1, 40), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=50)
def test_nothing_overlaps_and_the_whole_has_bounds(moves: int, hosts: int, chance: random.Random) -> None:
    names = [f"h{number}" for number in range(hosts)]
    base = incidents.incident()
    made = tuple(
        Move(
            ts_us=chance.choice((None, incidents.START + number)),
            source=chance.choice([*names, "1.1.1.1"]),
            target=chance.choice(names),
            account="",
            because="somehow",
            at=base.findings[0].at,
        )
        for number in range(moves)
    )
    seen = tuple(Seen(name=name, first_us=None, last_us=None, findings=1) for name in names)
    accounts = tuple(
        Seen(name=f"a{number}", first_us=None, last_us=None, findings=number, on=tuple(chance.sample(names, 1)))
        for number in range(12)
    )
    graph = drawn(replace(base, hosts=seen, moves=made, accounts=accounts))
    assert len(graph.boxes) <= 24
    assert graph.width <= 1_112, "as wide as the page"
    for one in graph.boxes:
        assert 0 <= one.x <= graph.width - graph.wide
        assert 0 <= one.y <= graph.height - one.height
        others = [other for other in graph.boxes if other is not one and other.x == one.x]
        assert all(other.y >= one.y + one.height or one.y >= other.y + other.height for other in others)

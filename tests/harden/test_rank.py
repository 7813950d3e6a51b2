"""Which mitigation first: counts of paths against a naive walk over all of them."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from harden.conftest import TACTICS, facts, numbered, release, rule, state
from tocsin.harden import watching, weigh
from tocsin.harden.efforts import effort
from tocsin.model.hardening import Aim, Hardening, Posture
from tocsin.model.mitigation import Mitigation

NAMES = sorted(TACTICS)
INSIDE = ("initial-access", "execution", "persistence", "exfiltration")


def mitigation(number: int, *techniques: str) -> Mitigation:
    told = tuple(sorted(map(numbered, techniques)))
    return Mitigation(id=f"M{number:04}", name=f"Measure {number}", release="19", techniques=told)


def aim(*techniques: str, name: str = "G1") -> Aim:
    return Aim(id=name, name=f"Group {name}", techniques=frozenset(map(numbered, techniques)))


def weighed(aims: list[Aim], mitigations: list[Mitigation], posture: Posture = Posture()) -> Hardening:  # noqa: B008
    return weigh(aims, release(), mitigations, watching([], [], facts(), release()), posture)


def walked(one: Aim, held: set[str]) -> list[int]:
    """Every path of an aim, as the number of its steps against which something is held."""
    columns = [
        [name for name in NAMES if numbered(name) in one.techniques and tactic in TACTICS[name]] for tactic in INSIDE
    ]
    columns = [column for column in columns if column]
    if not columns:
        return []
    return [sum(numbered(name) in held for name in path) for path in product(*columns)]


techniques = st.lists(st.sampled_from(NAMES), unique=True, max_size=7)
many = st.lists(techniques.filter(bool), min_size=1, max_size=5)


@given(st.lists(techniques, min_size=1, max_size=3), many, st.sets(st.integers(1, 5)), st.data())
def test_each_step_is_the_best_of_a_naive_walk(
    feared: list[list[str]], measures: list[list[str]], in_place: set[int], data: st.DataObject
) -> None:
    aims = [aim(*one, name=f"G{number}") for number, one in enumerate(feared)]
    mitigations = [mitigation(number, *one) for number, one in enumerate(measures, 1)]
    efforts = {one.id: data.draw(st.integers(1, 5)) for one in mitigations}
    posture = Posture(in_place=frozenset(f"M{number:04}" for number in in_place), efforts=efforts)
    found = weighed(aims, mitigations, posture)
    against = {one.id: set(one.techniques) for one in mitigations}
    held = {name for one in posture.in_place for name in against.get(one, ())}

    def thin(held: set[str], layers: int) -> int:
        return sum(count < layers for one in aims for count in walked(one, held))

    assert found.paths == sum(len(walked(one, set())) for one in aims)
    assert found.open == thin(held, 1)
    left = set(against) - posture.in_place
    for step in found.steps:
        before = thin(held, step.layers)
        worth = {one: Fraction(before - thin(held | against[one], step.layers), efforts[one]) for one in sorted(left)}
        assert step.mitigation == max(worth, key=worth.__getitem__)
        assert step.cut == worth[step.mitigation] * efforts[step.mitigation] > 0
        assert all(
            thin(held, fewer) == min(thin(held | against[one], fewer) for one in left) for fewer in range(step.layers)
        )
        held |= against[step.mitigation]
        left.discard(step.mitigation)
        assert step.left == thin(held, step.layers)
    assert all(thin(held | against[one], layers) == thin(held, layers) for one in left for layers in range(6))


def test_the_cheaper_of_two_that_cut_alike_comes_first() -> None:
    measures = [mitigation(1, "T1"), mitigation(2, "T1")]
    found = weighed([aim("T1", "T4")], measures, Posture(efforts={"M0001": 4, "M0002": 1}))
    assert [step.mitigation for step in found.steps] == ["M0002"], "the other one adds nothing"


def test_a_second_thing_in_the_way_comes_after_a_first() -> None:
    found = weighed([aim("T1", "T3", "T4")], [mitigation(1, "T1"), mitigation(2, "T4")])
    assert [(step.mitigation, step.layers, step.cut, step.left) for step in found.steps] == [
        ("M0001", 1, 1, 0),
        ("M0002", 2, 1, 0),
    ]


def test_not_to_mitigate_is_no_mitigation() -> None:
    found = weighed([aim("T1")], [Mitigation(id="M1055", name="Not", release="19", techniques=(numbered("T1"),))])
    assert found.steps == ()
    assert found.prospects[0].mitigations == ()


def test_what_happens_outside_is_on_no_path() -> None:
    found = weighed([aim("T5")], [mitigation(1, "T5")])
    assert (found.paths, found.open, found.steps) == (0, 0, ())
    assert found.prospects[0].sight == "outside"


def test_what_is_not_known_is_told() -> None:
    found = weighed([aim("T9"), aim(name="G2")], [mitigation(1, "T1")], Posture(in_place=frozenset({"M0009"})))
    assert [line.partition(":")[0] for line in found.doubts] == [
        "Group G1",
        "Group G1",
        "Group G2",
        "What you say of M0009 counts for nothing",
    ]


def test_logs_by_what_only_they_would_show() -> None:
    rules = [rule(0, "T1", "T2", logsource="a/b"), rule(1, "T2", logsource="c/d"), rule(2, "T4"), rule(3, "T4")]
    coverage = [state(0, "no log source", "a/b"), state(1, "no log source", "c/d"), state(2, "silent")]
    coverage.append(state(3, "no log source", "e/f"))
    found = weigh([aim("T1", "T2", "T4")], release(), [], watching(rules, coverage, facts(), release()), Posture())
    assert [(one.logsource, one.rules, len(one.techniques)) for one in found.missing] == [("a/b", 2, 2), ("c/d", 1, 1)]


def test_every_mitigation_that_ships_has_an_effort_of_ours() -> None:
    from tocsin.learn import attack

    there = {one.id for one in attack.known(with_links=True).mitigations} - {"M1055"}
    assert len(there) > 40
    assert all(1 <= effort(one) <= 5 for one in there)
